//! The thread, live: the whole of it with every change. Threads are short; nothing can be missed or come twice.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Path};
use futures::stream;
use tokio::sync::watch;

use super::view::thread_view;
use crate::facebook::Facebook;

/// A comment line so often keeps the connection known to be alive.
const PING_EVERY: Duration = Duration::from_secs(15);

struct Listener {
    facebook: Facebook,
    psid: String,
    changes: watch::Receiver<u64>,
    shown: Option<u64>,
}

pub(super) async fn stream(psid: Path<String>, facebook: Data<Facebook>) -> HttpResponse {
    let listener = Listener {
        changes: facebook.changes(),
        facebook: facebook.get_ref().clone(),
        psid: psid.into_inner(),
        shown: None,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await;
        Some((Ok::<_, std::convert::Infallible>(event), listener))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(events)
}

impl Listener {
    async fn next(&mut self) -> Bytes {
        loop {
            self.changes.mark_unchanged();
            let version = self
                .facebook
                .look(|world| world.thread(&self.psid).map_or(0, |thread| thread.version));
            if self.shown != Some(version) {
                let view = thread_view(&self.facebook, &self.psid);
                self.shown = Some(view.version);
                let json = serde_json::to_string(&view).unwrap_or_default();
                return Bytes::from(format!("event: thread\ndata: {json}\n\n"));
            }
            match tokio::time::timeout(PING_EVERY, self.changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Bytes::from_static(b": ping\n\n"),
            }
        }
    }
}
