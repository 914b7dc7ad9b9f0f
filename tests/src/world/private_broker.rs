//! A RabbitMQ that a test may kill: `scripts/broker` keeps it, this speaks with the script.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A node starts within seconds; on a machine that compiles beside it, later.
const PATIENCE: Duration = Duration::from_secs(90);
/// The script takes the node down and tidies up.
const FAREWELL: Duration = Duration::from_secs(30);

/// A broker of this test alone.
pub struct PrivateBroker {
    script: Child,
    commands: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    running: Running,
}

#[derive(Debug, Deserialize)]
struct Running {
    pid: u32,
    url: String,
}

impl PrivateBroker {
    /// Starts it and waits until it greets its clients.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/broker");
        let mut script = Command::new(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let commands = script.stdin.take();
        let mut answers = BufReader::new(script.stdout.take().expect("it was piped")).lines();
        let running = running(&mut answers).await;
        Self {
            script,
            commands,
            answers,
            running,
        }
    }

    /// Where it is; the same after a restart.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.running.url
    }

    /// kill -9 of the node.
    ///
    /// # Panics
    /// When there is nothing to kill.
    pub async fn kill(&self) {
        let killed = Command::new("kill").args(["-KILL", &self.running.pid.to_string()]).status().await;
        assert!(
            killed.expect("kill is a program").success(),
            "the broker was not there to be killed"
        );
    }

    /// Starts the node again with its data, and waits until it greets its clients.
    ///
    /// # Panics
    /// When it does not.
    pub async fn restart(&mut self) {
        let commands = self.commands.as_mut().expect("it was not stopped");
        commands.write_all(b"start\n").await.expect("the script listens");
        self.running = running(&mut self.answers).await;
    }

    /// Stops it and waits until nothing of it is left.
    ///
    /// # Panics
    /// When something is.
    pub async fn stop(mut self) {
        drop(self.commands.take());
        let ended = tokio::time::timeout(FAREWELL, self.script.wait()).await;
        assert!(
            ended.expect("the broker's script ends").expect("it is ours").success(),
            "the broker's script failed"
        );
    }
}

async fn running(answers: &mut Lines<BufReader<ChildStdout>>) -> Running {
    let line = tokio::time::timeout(PATIENCE, answers.next_line())
        .await
        .expect("the broker starts in time");
    let line = line
        .expect("the script speaks")
        .expect("the script says where the broker is; its complaint is above");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("the broker's script said something unexpected ({error}): {line}"))
}

// Where a test fails before `stop`, the script sees the end of its standard input and tidies up alone.
