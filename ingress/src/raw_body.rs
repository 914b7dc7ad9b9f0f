//! The body of a webhook as the bytes on the wire: what the signature is over.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::error::Elapsed;

/// Facebook batches up to 1 000 updates.
pub(crate) const CAP: usize = 8 * 1024 * 1024;

/// Facebook waits 5 s for the whole answer, so a body that takes that long is for nobody.
const PATIENCE: Duration = Duration::from_secs(5);

/// A body up to this size is always taken in; larger ones share [`LARGE_BODIES`].
const SMALL: usize = 64 * 1024;

/// Bytes that large bodies may occupy together. Nobody has to sign anything to send 8 MiB, so this bounds what strangers can make us hold.
const LARGE_BODIES: usize = 48 * 1024 * 1024;

/// Why there is no whole body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than 8 MiB")]
    TooLarge,
    #[error("too many large bodies at once")]
    Crowded(#[from] TryAcquireError),
    #[error("the body did not arrive in time")]
    TooSlow(#[from] Elapsed),
    #[error("the body broke off")]
    Broken(#[from] PayloadError),
}

/// The room that large bodies share.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_BODIES)))
    }
}

/// A whole body, and its share of the room for as long as it is held.
#[derive(Debug)]
pub(crate) struct RawBody {
    pub(crate) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Reads the whole body. One that came in a single piece, as almost all do, is not copied.
pub(crate) async fn read(request: &HttpRequest, payload: Payload, room: &Room) -> Result<RawBody, BodyError> {
    let announced = announced_length(request);
    if announced > CAP {
        return Err(BodyError::TooLarge);
    }
    let mut collected = pin!(collect(payload, announced, room));
    // Almost every body came together with its headers; only one that did not is worth a timer.
    match poll!(&mut collected) {
        Poll::Ready(body) => body,
        Poll::Pending => tokio::time::timeout(PATIENCE, collected).await?,
    }
}

async fn collect(mut payload: Payload, announced: usize, room: &Room) -> Result<RawBody, BodyError> {
    let mut share = if announced > SMALL { Some(room.share(announced)?) } else { None };
    let Some(first) = payload.next().await.transpose()? else {
        return Ok(RawBody {
            bytes: Bytes::new(),
            _share: share,
        });
    };
    if first.len() == announced {
        return Ok(RawBody {
            bytes: first,
            _share: share,
        });
    }
    let mut body = BytesMut::with_capacity(announced.max(first.len()));
    let mut chunk = first;
    loop {
        let length = body.len().saturating_add(chunk.len());
        if length > CAP {
            return Err(BodyError::TooLarge);
        }
        if length > SMALL && share.is_none() {
            // It did not say how large it will be, so it may become as large as any.
            share = Some(room.share(CAP)?);
        }
        body.extend_from_slice(&chunk);
        match payload.next().await.transpose()? {
            Some(next) => chunk = next,
            None => {
                return Ok(RawBody {
                    bytes: body.freeze(),
                    _share: share,
                });
            }
        }
    }
}

impl Room {
    fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, BodyError> {
        Ok(Arc::clone(&self.0).try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX))?)
    }
}

/// What the sender says; zero for chunked bodies, which are counted as they come.
fn announced_length(request: &HttpRequest) -> usize {
    let header = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    header.and_then(|text| text.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_for_large_bodies_is_limited_and_given_back() {
        let room = Room::default();
        let shares: Vec<_> = (0..LARGE_BODIES / CAP).map(|_| room.share(CAP).unwrap()).collect();
        assert!(matches!(room.share(CAP), Err(BodyError::Crowded(_))));
        drop(shares);
        assert!(room.share(CAP).is_ok());
    }
}
