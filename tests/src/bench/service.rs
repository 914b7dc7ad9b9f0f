//! One of the processes under measurement.
//!
//! Invariant: a process that was started here ends here, by its id.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::BenchError;
use super::histogram::rounded;
use super::http::Connection;

/// How long a process may take until it is ready.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to end; the services promise 10 s.
const STOP_PATIENCE: Duration = Duration::from_secs(12);
/// How often readiness is asked for.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// A running process that answers HTTP.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) address: SocketAddr,
    pub(super) start_to_ready: Duration,
    name: String,
    child: Child,
    log: JoinHandle<()>,
}

/// What a process needed, for the report.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Footprint {
    pub(super) start_to_ready_ms: f64,
    /// Resident now.
    pub(super) resident_mib: f64,
    /// Resident at most.
    pub(super) resident_peak_mib: f64,
    /// Processor time so far.
    pub(super) cpu_seconds: f64,
}

impl Service {
    /// Starts a binary of this folder with exactly this environment and waits until `/readyz` says 200.
    pub(super) async fn start<A: AsRef<OsStr>>(
        binary: &str,
        arguments: &[A],
        environment: &BTreeMap<&'static str, String>,
    ) -> Result<Self, BenchError> {
        let started = Instant::now();
        let mut child = Command::new(beside_this_one(binary)?)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let name = binary.to_owned();
        let mut lines = child
            .stdout
            .take()
            .map(|stdout| BufReader::new(stdout).lines())
            .ok_or_else(|| BenchError::Ended(name.clone()))?;
        let ready = async {
            let address = listening_at(&mut lines).await?.ok_or_else(|| BenchError::Ended(name.clone()))?;
            // From here on somebody has to read on, or the process blocks on a full pipe.
            let log = tokio::spawn(follow(lines));
            until_ready(address).await;
            Ok::<_, BenchError>((address, log))
        };
        let (address, log) = tokio::time::timeout(START_PATIENCE, ready)
            .await
            .unwrap_or_else(|_elapsed| Err(BenchError::NotReady(name.clone())))?;
        Ok(Self {
            address,
            start_to_ready: started.elapsed(),
            name,
            child,
            log,
        })
    }

    /// What it needed so far.
    pub(super) fn footprint(&self) -> Result<Footprint, BenchError> {
        let status = self.proc_file("status")?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib: Option<u32> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            kib.map_or(f64::NAN, |kib| rounded(f64::from(kib) / 1024.0))
        };
        Ok(Footprint {
            start_to_ready_ms: rounded(self.start_to_ready.as_secs_f64() * 1e3),
            resident_mib: mib("VmRSS:"),
            resident_peak_mib: mib("VmHWM:"),
            cpu_seconds: self.cpu_seconds()?,
        })
    }

    /// User and system time, from fields 14 and 15 of `stat`, in ticks of 10 ms; the name before them may hold anything but `)`.
    fn cpu_seconds(&self) -> Result<f64, BenchError> {
        let stat = self.proc_file("stat")?;
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let ticks: u32 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u32>().ok())
            .sum();
        Ok(rounded(f64::from(ticks) / 100.0))
    }

    fn proc_file(&self, file: &str) -> Result<String, BenchError> {
        let id = self.child.id().ok_or_else(|| BenchError::Ended(self.name.clone()))?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// Asks it to end and waits for that.
    pub(super) async fn stop(mut self) -> Result<(), BenchError> {
        if let Some(id) = self.child.id() {
            Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        }
        if tokio::time::timeout(STOP_PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        self.log.abort();
        Ok(())
    }
}

/// Runs a binary of this folder to its end; what it printed.
pub(super) async fn output(binary: &str, arguments: &[&str], environment: &BTreeMap<&'static str, String>) -> Result<String, BenchError> {
    let command = Command::new(beside_this_one(binary)?)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(START_PATIENCE, command)
        .await
        .unwrap_or_else(|_elapsed| Err(std::io::ErrorKind::TimedOut.into()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(BenchError::Ended(binary.to_owned()))
    }
}

/// A binary of the folder that this one runs from: built together, measured together.
fn beside_this_one(binary: &str) -> Result<PathBuf, BenchError> {
    let path = std::env::current_exe()?.with_file_name(binary);
    if path.is_file() {
        Ok(path)
    } else {
        Err(BenchError::NotBuilt(path))
    }
}

/// Reads until the line that tells the bound address; none when the process ended first.
async fn listening_at(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Option<SocketAddr>, BenchError> {
    while let Some(line) = lines.next_line().await? {
        show_if_bad(&line);
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if line.get("message").and_then(Value::as_str) == Some("listening") {
            return Ok(line.get("address").and_then(Value::as_str).and_then(|address| address.parse().ok()));
        }
    }
    Ok(None)
}

async fn follow(mut lines: Lines<BufReader<ChildStdout>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        show_if_bad(&line);
    }
}

/// Warnings and errors of the process are for the person who measures.
fn show_if_bad(line: &str) {
    let is_bad = line.contains(r#""level":"WARN""#) || line.contains(r#""level":"ERROR""#);
    // Asking before it is ready is what is done here, and no news.
    if is_bad && !line.contains(r#""route":"/readyz""#) {
        // Where standard error is closed, nobody wants to know.
        let _unheard = writeln!(std::io::stderr(), "{line}");
    }
}

async fn until_ready(address: SocketAddr) {
    loop {
        if let Ok(mut connection) = Connection::open(address).await
            && let Ok(200) = connection.exchange(b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n").await
        {
            return;
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
