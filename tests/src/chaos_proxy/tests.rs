use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::ChaosProxy;

const SOON: Duration = Duration::from_secs(10);
const A_WHILE: Duration = Duration::from_millis(200);

/// A server that says back what it hears.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn says_back(stream: &mut TcpStream, word: &[u8]) -> bool {
    let mut heard = vec![0; word.len()];
    let spoken = async {
        stream.write_all(word).await?;
        stream.read_exact(&mut heard).await
    };
    timeout(SOON, spoken).await.is_ok_and(|read| read.is_ok()) && heard == word
}

async fn ends(stream: &mut TcpStream) -> bool {
    let mut byte = [0; 1];
    timeout(SOON, stream.read(&mut byte))
        .await
        .is_ok_and(|read| matches!(read, Ok(0) | Err(_)))
}

#[tokio::test]
async fn a_cut_ends_a_silent_connection_and_new_ones_until_it_is_mended() {
    let proxy = ChaosProxy::before(&echo().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(says_back(&mut stream, b"hello").await);
    assert_eq!(proxy.open_connections(), 1);
    proxy.cut();
    assert!(ends(&mut stream).await);
    let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(ends(&mut refused).await);
    proxy.mend();
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(says_back(&mut again, b"hello again").await);
}

#[tokio::test]
async fn a_short_cut_ends_the_old_connections_only() {
    let proxy = ChaosProxy::before(&echo().await).await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(says_back(&mut old, b"a").await);
    proxy.cut_once();
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(ends(&mut old).await);
    assert!(says_back(&mut new, b"b").await);
}

#[tokio::test]
async fn a_stalled_wire_holds_back_everything_and_loses_nothing() {
    let proxy = ChaosProxy::before(&echo().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(says_back(&mut stream, b"a").await);
    proxy.stall();
    stream.write_all(b"held").await.unwrap();
    let mut heard = [0; 4];
    assert!(timeout(A_WHILE, stream.read_exact(&mut heard)).await.is_err());
    proxy.mend();
    timeout(SOON, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"held");
}

#[tokio::test]
async fn the_end_of_one_side_reaches_the_other() {
    let proxy = ChaosProxy::before(&echo().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"last words").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    timeout(SOON, stream.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert_eq!(heard, b"last words");
}
