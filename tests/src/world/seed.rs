//! The directory that a world starts with: what `dispatcher seed-demo` makes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use uuid::Uuid;

/// Password hashing takes its time in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ids and logins of what was seeded.
#[derive(Debug, Clone, Deserialize)]
pub struct Seed {
    /// The agent 张三.
    pub agent: Login,
    /// The administrator.
    pub administrator: Login,
    /// The Facebook app, by our own id.
    pub app_id: Uuid,
    /// The channel of the first Page.
    pub channel_id: Uuid,
    /// Its skill group.
    pub skill_group_id: Uuid,
    /// Its bot.
    pub bot_id: Uuid,
    /// The first Page.
    pub page_id: String,
}

/// How a person signs in.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    /// The person.
    pub id: Uuid,
    /// The name.
    pub login: String,
    /// The password.
    pub password: String,
}

impl Seed {
    /// Lets the dispatcher seed its database.
    pub(super) async fn sow(dispatcher: &Path, environment: &BTreeMap<String, String>) -> Self {
        let mut command = Command::new(dispatcher);
        command
            .arg("seed-demo")
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output())
            .await
            .expect("seed-demo ends")
            .expect("the dispatcher runs");
        let words = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "seed-demo failed ({}): {complaint}", output.status);
        serde_json::from_str(&words).unwrap_or_else(|error| panic!("seed-demo said something unexpected ({error}): {words}"))
    }
}
