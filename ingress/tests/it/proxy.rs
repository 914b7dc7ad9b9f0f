//! A wire that a test can cut, stall and speak into.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Carries,
    /// Takes connections and bytes and passes nothing on.
    Stalls,
    /// Ends every connection, old and new.
    IsCut,
}

/// A TCP proxy in front of one server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    wire: watch::Sender<Wire>,
    to_clients: Arc<Mutex<Vec<Arc<Mutex<OwnedWriteHalf>>>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (wire, state) = watch::channel(Wire::Carries);
        let to_clients = Arc::<Mutex<Vec<_>>>::default();
        let accepting = tokio::spawn(accept(listener, server, state, Arc::clone(&to_clients)));
        Self {
            address,
            wire,
            to_clients,
            accepting,
        }
    }

    pub(crate) fn cut(&self) {
        self.wire.send_replace(Wire::IsCut);
    }

    pub(crate) fn stall(&self) {
        self.wire.send_replace(Wire::Stalls);
    }

    pub(crate) fn mend(&self) {
        self.wire.send_replace(Wire::Carries);
    }

    /// Ends the connections of this moment; new ones are carried.
    pub(crate) fn cut_once(&self) {
        self.cut();
        self.mend();
    }

    /// Says something to every client in the server's place. Only right while the server says nothing.
    pub(crate) async fn say_to_clients(&self, bytes: &[u8]) {
        for client in self.to_clients.lock().await.iter() {
            // A client that left hears nothing.
            let _left = client.lock().await.write_all(bytes).await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: String,
    wire: watch::Receiver<Wire>,
    to_clients: Arc<Mutex<Vec<Arc<Mutex<OwnedWriteHalf>>>>>,
) {
    while let Ok((client, _)) = listener.accept().await {
        if *wire.borrow() == Wire::IsCut {
            continue;
        }
        let Ok(server) = TcpStream::connect(&server).await else { continue };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let to_client = Arc::new(Mutex::new(to_client));
        to_clients.lock().await.push(Arc::clone(&to_client));
        tokio::spawn(carry(from_client, Arc::new(Mutex::new(to_server)), wire.clone()));
        tokio::spawn(carry(from_server, to_client, wire.clone()));
    }
}

async fn carry(mut from: OwnedReadHalf, to: Arc<Mutex<OwnedWriteHalf>>, mut wire: watch::Receiver<Wire>) {
    wire.mark_unchanged();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            // A cut ends even a connection that says nothing; a cut that was mended at once was a cut all the same.
            changed = wire.changed() => match changed {
                Ok(()) if *wire.borrow_and_update() == Wire::Stalls => Ok(None),
                _ => Err(()),
            },
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => Err(()),
                Ok(length) => Ok(Some(length)),
            },
        };
        match read {
            Ok(Some(length)) => {
                if to.lock().await.write_all(&buffer[..length]).await.is_err() {
                    break;
                }
            }
            // Stalled: nothing moves until the wire changes again.
            Ok(None) => {
                if wire.changed().await.is_err() || *wire.borrow_and_update() == Wire::IsCut {
                    break;
                }
            }
            Err(()) => break,
        }
    }
    // The peer may be gone already.
    let _gone = to.lock().await.shutdown().await;
}
