//! One connection through the wire.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{State, Wire};

const BUFFER: usize = 64 * 1024;

/// Carries until both sides are done or the wire is cut once more than at the connection's beginning.
pub(super) async fn both_ways(client: TcpStream, server: TcpStream, wire: watch::Receiver<Wire>, began_after: u64) {
    let mut cut = wire.clone();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        biased;
        // A wire that is gone is cut.
        _ = cut.wait_for(|wire| wire.cuts > began_after) => {}
        ((), ()) = async { tokio::join!(one_way(from_client, to_server, wire.clone()), one_way(from_server, to_client, wire)) } => {}
    }
}

async fn one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut wire: watch::Receiver<Wire>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        // While the wire stalls, not even an end gets through.
        if wire.wait_for(|wire| wire.state != State::Stalls).await.is_err() {
            return;
        }
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() || to.write_all(piece).await.is_err() {
            break;
        }
    }
    // The peer may be gone already.
    let _gone = to.shutdown().await;
}
