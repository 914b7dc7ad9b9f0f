//! The feed's door.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse, get, rt};
use domain::permission::{Permission, Unit};
use engine::ports::Cursor;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::problem::{Problem, Refused};
use super::signed::{Granted, Signed};
use super::state::ApiState;
use crate::feed::{Client, Follower, Viewer};

/// Batches of events that wait for a client's socket. More is not buffered: the client is behind, and reads later from the ring.
const BUFFERED: usize = 4;

/// From where the feed is followed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FeedQuery {
    /// The cursor of a list or of the last event that arrived; without one only what happens from now on is told. The header
    /// Last-Event-ID goes before it.
    cursor: Option<String>,
}

/// What happens, as server-sent events: `hello` first, then `changed` for each event; `reload` when everything has to be read anew.
#[utoipa::path(
    operation_id = "follow_feed",
    tag = "feed",
    params(FeedQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that arrived.")),
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
#[get("/feed")]
pub(crate) async fn follow_feed(
    signed: Signed,
    request: HttpRequest,
    state: Data<ApiState>,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::ConversationRead, Unit::Everywhere)?;
    let cursor = match asked_for(&request, query.cursor.as_deref())? {
        Some(cursor) => cursor,
        None => now(&state, &granted).await?,
    };
    let (ring, log, rhythm) = state.feed(&granted);
    let follower = Follower::new(Arc::clone(&ring), log, cursor);
    let viewer = Viewer::of(signed.person().id, &signed.person().account());
    let clock = state.get_ref().clone();
    let witness = state.doorkeeper().witness(signed.token().clone(), Arc::new(move || clock.now()));
    let (out, frames) = mpsc::channel::<Bytes>(BUFFERED);
    let client = Client::new(follower, viewer, witness, out, rhythm);
    let stopping = state.stopping().clone();
    rt::spawn(async move { stopping.run_until_cancelled_owned(client.run(ring)).await });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // A proxy that gathers the answer before it hands it on would tell nothing at all.
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .streaming(body(frames)))
}

fn body(frames: mpsc::Receiver<Bytes>) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(frames, |mut frames| async move { frames.recv().await.map(|frame| (frame, frames)) }).map(Ok)
}

fn asked_for(request: &HttpRequest, query: Option<&str>) -> Result<Option<Cursor>, Refused> {
    let header = request.headers().get("Last-Event-ID").and_then(|header| header.to_str().ok());
    let text = header.filter(|text| !text.is_empty()).or(query);
    text.map(|text| text.parse().or(Err(Problem::InvalidRequest.because("this is no cursor"))))
        .transpose()
}

/// Not the ring's place: the ring may lag behind what the caller has just done.
async fn now(state: &ApiState, granted: &Granted) -> Result<Cursor, Refused> {
    let (_, log, _) = state.feed(granted);
    Ok(log.head().await?)
}
