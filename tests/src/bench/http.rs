//! As much of an HTTP client as a load needs: bytes out, a status back. The load shares its cores with what it measures.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::BenchError;

/// One keep-alive connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(1024),
        })
    }

    /// Sends a whole request and reads the whole answer; its status.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<u16, BenchError> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            if let Some(answer) = Answer::read(&self.received)?
                && self.received.len() >= answer.length
            {
                return Ok(answer.status);
            }
        }
    }
}

/// What the head of an answer says.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Of head and body.
    length: usize,
}

impl Answer {
    /// None while the head is not complete.
    fn read(received: &[u8]) -> Result<Option<Self>, BenchError> {
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = received.get(..end).and_then(|head| std::str::from_utf8(head).ok());
        let mut lines = head.ok_or(BenchError::NotHttp)?.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
        let status = status.and_then(|rest| rest.split(' ').next()?.parse().ok());
        let body = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok());
        match (status, body) {
            (Some(status), Some(body)) => Ok(Some(Self {
                status,
                length: end.saturating_add(4).saturating_add(body),
            })),
            _ => Err(BenchError::NotHttp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_whole_length() {
        let received = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ndate: now\r\n\r\nok";
        let answer = Answer::read(received).unwrap().unwrap();
        assert_eq!((answer.status, answer.length), (200, received.len()));
    }

    #[test]
    fn half_a_head_is_no_answer_yet() {
        assert_eq!(Answer::read(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap(), None);
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
