//! One process of a service: started, killed, started again with the same environment.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use super::eventually::{eventually, within};
use super::folder::end_of;

/// How long a stopping service may take, and a little more.
const FAREWELL: Duration = Duration::from_secs(12);

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// What the test calls it.
    pub name: String,
    /// The program.
    pub binary: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Where its words go.
    pub log: PathBuf,
}

/// A process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Service {
    launch: Launch,
    child: Child,
    address: watch::Sender<SocketAddr>,
    client: Client,
}

impl Service {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start(launch: Launch) -> Self {
        let read_from = length(&launch);
        let child = spawn(&launch);
        // Nothing that the environment says about proxies may stand between two processes of one machine.
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(15))
            .build()
            .expect("a client");
        let mut service = Self {
            launch,
            child,
            address: watch::Sender::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            client,
        };
        service.until_it_listens(read_from).await;
        service
    }

    async fn until_it_listens(&mut self, read_from: usize) {
        let what = format!("{} listens", self.launch.name);
        let (launch, child) = (&self.launch, &mut self.child);
        let address = eventually(&what, async || {
            let log = std::fs::read(&launch.log).unwrap_or_default();
            if let Some(address) = listening(log.get(read_from..).unwrap_or_default()) {
                return Some(address);
            }
            if let Ok(Some(status)) = child.try_wait() {
                panic!("{} ended ({status}) before it listened: {}", launch.name, end_of(&launch.log, 20));
            }
            None
        })
        .await;
        self.address.send_replace(address);
    }

    /// What the test calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.launch.name
    }

    /// Where it listens. Another place after a restart.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        *self.address.borrow()
    }

    /// Where it listens, from now on.
    #[must_use]
    pub fn addresses(&self) -> watch::Receiver<SocketAddr> {
        self.address.subscribe()
    }

    /// `http://host:port`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says that it can do its job.
    ///
    /// # Panics
    /// When it never does.
    pub async fn until_ready(&mut self) {
        let (what, url) = (format!("{} is ready", self.launch.name), format!("{}/readyz", self.base_url()));
        let (launch, child, client) = (&self.launch, &mut self.child, &self.client);
        eventually(&what, async || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("{} ended ({status}): {}", launch.name, end_of(&launch.log, 20));
            }
            let answer = client.get(&url).send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())
        })
        .await;
    }

    /// kill -9, and waits until it is gone.
    ///
    /// # Panics
    /// When there is nothing to kill.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it was ours");
    }

    /// Starts it again with the same environment, and waits until it listens.
    pub async fn restart(&mut self) {
        let read_from = length(&self.launch);
        self.child = spawn(&self.launch);
        self.until_it_listens(read_from).await;
    }

    /// Asks it to stop (SIGTERM), and waits until it has.
    ///
    /// # Panics
    /// When it does not within its time.
    pub async fn stop(&mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill is a program");
        assert!(asked.success(), "{} is not there to be stopped", self.launch.name);
        let what = format!("{} stops when asked to", self.launch.name);
        let child = &mut self.child;
        within(FAREWELL, &what, async || child.try_wait().expect("it is ours")).await
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Everything it said so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.launch.log).unwrap_or_default()).into_owned()
    }

    /// The value of one metric line; 0 where there is none yet.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn metric(&self, name: &str) -> f64 {
        let answer = self.client.get(format!("{}/metrics", self.base_url())).send().await;
        let text = answer.expect("metrics are served").text().await.expect("metrics are text");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(ToOwned::to_owned));
        line.map_or(0.0, |value| value.parse().expect("a metric is a number"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may be dead already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The kernel kills the child should the test itself be killed. `setpriv` becomes the program, so that the process id is the service's.
fn spawn(launch: &Launch) -> Child {
    let log = open(launch);
    let also = log.try_clone().expect("a file handle can be doubled");
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(&launch.binary)
        .args(&launch.arguments)
        .env_clear()
        .envs(&launch.environment)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(also)
        .spawn()
        .expect("setpriv of util-linux starts a program")
}

fn open(launch: &Launch) -> File {
    let file = OpenOptions::new().create(true).append(true).open(&launch.log);
    file.unwrap_or_else(|error| panic!("{}: {error}", launch.log.display()))
}

fn length(launch: &Launch) -> usize {
    std::fs::metadata(&launch.log).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX))
}

/// The address in the log line that says so.
fn listening(log: &[u8]) -> Option<SocketAddr> {
    log.split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .find(|line| line["message"] == "listening")
        .and_then(|line| line["address"].as_str()?.parse().ok())
}
