//! When the process is asked to end.
//!
//! Invariant: from [`Signals::listen`] on, SIGTERM and SIGINT never kill the process; listen before telling anybody that it runs.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the process may not.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Returns when SIGTERM or SIGINT arrives, or has arrived since [`Signals::listen`].
    pub async fn requested(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Listens and returns when SIGTERM or SIGINT arrives. Right for tools; a service listens before it says that it runs.
///
/// # Errors
/// When the process may not listen for signals.
pub async fn requested() -> std::io::Result<()> {
    Signals::listen()?.requested().await;
    Ok(())
}
