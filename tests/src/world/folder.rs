//! A world's files: the logs of its processes, and what stands in for the built console.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// How much of a log a failed test shows.
const SHOWN_LINES: usize = 60;

/// A folder that goes with the world; after a failed test it stays, and the end of every log is shown.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn create() -> Self {
        let path = std::env::temp_dir().join(format!("frontdesk-world-{}", Uuid::now_v7()));
        fs::create_dir_all(path.join("console")).expect("the temporary folder can be written");
        fs::write(path.join("console/index.html"), "<!doctype html><title>Frontdesk</title>").expect("a file can be written there");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A console that is one empty page.
    #[must_use]
    pub fn console(&self) -> PathBuf {
        self.0.join("console")
    }

    /// The log file of a process.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.log"))
    }

    fn show_logs(&self) {
        let Ok(files) = fs::read_dir(&self.0) else { return };
        let mut logs: Vec<PathBuf> = files
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        logs.sort();
        let mut shown = String::new();
        for log in logs {
            shown.push_str(&format!("--- the end of {}\n{}\n", log.display(), end_of(&log, SHOWN_LINES)));
        }
        // A test that cannot speak has failed all the same.
        let _unheard = std::io::stderr().write_all(shown.as_bytes());
    }
}

/// The last lines of a file.
pub(super) fn end_of(path: &Path, lines: usize) -> String {
    let whole = fs::read(path).unwrap_or_default();
    let whole = String::from_utf8_lossy(&whole);
    let all: Vec<&str> = whole.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        } else {
            // Left over it would be only clutter.
            let _gone = fs::remove_dir_all(&self.0);
        }
    }
}
