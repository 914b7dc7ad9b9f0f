//! A wire that a test can cut, stall and mend: a TCP proxy in front of one server.
//!
//! Invariants: while it carries, bytes pass unchanged and in order; a cut ends every connection of its moment, also one that says nothing,
//! and a cut that is mended at once was a cut all the same.

mod carry;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Carries,
    /// Takes connections and bytes and passes nothing on.
    Stalls,
    /// Ends every connection, old and new.
    IsCut,
}

/// The state, and how often there was a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wire {
    state: State,
    cuts: u64,
}

/// A wire. It ends, and its connections with it, when this is dropped.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl ChaosProxy {
    /// A wire to a server, given as `host:port`. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn try_before(server: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (wire, state) = watch::channel(Wire {
            state: State::Carries,
            cuts: 0,
        });
        let open = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(accept(listener, server.to_owned(), state, Arc::clone(&open)));
        Ok(Self {
            address,
            wire,
            open,
            accepting,
        })
    }

    /// The same for tests.
    ///
    /// # Panics
    /// When it cannot listen.
    #[expect(clippy::expect_used, reason = "what fails here fails the test")]
    pub async fn before(server: &str) -> Self {
        Self::try_before(server).await.expect("a free port of the loopback")
    }

    /// Where the clients connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it carries at the moment.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Ends every connection and takes no new one.
    pub fn cut(&self) {
        self.wire.send_modify(|wire| {
            wire.state = State::IsCut;
            wire.cuts += 1;
        });
    }

    /// Ends the connections of this moment; new ones are carried.
    pub fn cut_once(&self) {
        self.wire.send_modify(|wire| wire.cuts += 1);
    }

    /// Lets everything stand still: neither bytes nor the end of a connection pass.
    pub fn stall(&self) {
        self.wire.send_modify(|wire| wire.state = State::Stalls);
    }

    /// Carries again, also what was held back.
    pub fn mend(&self) {
        self.wire.send_modify(|wire| wire.state = State::Carries);
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, wire: watch::Receiver<Wire>, open: Arc<AtomicUsize>) {
    // The connections end with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let now = *wire.borrow();
                if now.state != State::IsCut {
                    connections.spawn(connection(client, server.clone(), wire.clone(), now.cuts, Arc::clone(&open)));
                }
            }
        }
    }
}

async fn connection(client: TcpStream, server: String, wire: watch::Receiver<Wire>, began_after: u64, open: Arc<AtomicUsize>) {
    // A server that is away looks to the client like one that hangs up.
    let Ok(server) = TcpStream::connect(&server).await else { return };
    // A wire has no opinion on how much should be said at once.
    let _best_effort = (client.set_nodelay(true), server.set_nodelay(true));
    open.fetch_add(1, Ordering::Relaxed);
    carry::both_ways(client, server, wire, began_after).await;
    open.fetch_sub(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
