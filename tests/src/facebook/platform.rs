//! The platform itself, without its HTTP front: what Graph accepts, and what a test asks and sets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use super::config::{Callback, CallbackError, FacebookConfig, Page};
use super::event;
use super::faults::{FaultBoard, Faults, Weather};
use super::lane::{LaneContext, Lanes, Notice};
use super::message::OutgoingMessage;
use super::mid::MidMint;
use super::refusal::Refusal;
use super::send_request::{Permit, SenderAction, Wish};
use super::thread::{Item, Side, Thread};
use super::world::{Sent, ShownSign, WebhookCounts, World};
use crate::wall_clock;
use crate::watched::{NotReached, Watched};

/// How long Messenger shows the three dots.
const TYPING_SHOWS_MS: i64 = 20_000;
/// How many accepted messages a slow subscriber may be behind.
const SUBSCRIBER_BUFFER: usize = 65_536;

/// The platform. A cheap handle; clones are the same platform.
#[derive(Clone)]
pub struct Facebook(pub(super) Arc<Platform>);

pub(super) struct Platform {
    pub(super) config: FacebookConfig,
    pub(super) world: Arc<Watched<World>>,
    pub(super) lanes: Lanes,
    pub(super) mids: MidMint,
    pub(super) client: reqwest::Client,
    faults: Arc<FaultBoard>,
    callback: watch::Sender<Option<Callback>>,
    accepted: broadcast::Sender<Arc<Sent>>,
}

impl Facebook {
    /// A platform without an HTTP front. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(config: FacebookConfig) -> Result<Self, reqwest::Error> {
        // Nothing that the environment says about proxies may stand between two processes of one machine.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()?;
        let world = Arc::new(Watched::new(World::default()));
        let faults = Arc::new(FaultBoard::new(config.seed));
        let (callback, callback_seen) = watch::channel(config.callback.clone());
        let lanes = Lanes::start(&LaneContext {
            client: client.clone(),
            app_secret: config.app.secret.as_str().into(),
            callback: callback_seen,
            world: Arc::clone(&world),
            faults: Arc::clone(&faults),
            config: config.webhooks.clone(),
        });
        let accepted = broadcast::Sender::new(SUBSCRIBER_BUFFER);
        Ok(Self(Arc::new(Platform {
            config,
            world,
            lanes,
            mids: MidMint::new(),
            client,
            faults,
            callback,
            accepted,
        })))
    }

    /// Where webhooks go from now on. Those that waited for it go there too.
    ///
    /// # Errors
    /// When the callback is not on this machine.
    pub fn set_callback(&self, callback: &str) -> Result<(), CallbackError> {
        self.0.callback.send_replace(Some(Callback::parse(callback)?));
        Ok(())
    }

    pub(super) fn callback(&self) -> Option<Callback> {
        self.0.callback.borrow().clone()
    }

    /// Sets the faults; those left at their default are off.
    pub fn set_faults(&self, faults: Faults) {
        self.0.faults.set(faults);
    }

    /// The faults in force, with what is left of their counters.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.0.faults.current()
    }

    pub(super) fn weather(&self, psid: &str) -> Weather {
        self.0.faults.weather(psid)
    }

    /// Moves the clock of the messaging windows ahead, in all by so much. Stamps on events stay true.
    pub fn shift_window_clock(&self, ahead: Duration) {
        let ahead = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        self.0.world.change(|world| world.window_shift_ms = ahead);
    }

    /// Everything accepted, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Arc<Sent>> {
        self.0.world.read(|world| world.sent.iter().cloned().collect())
    }

    /// Everything accepted for a visitor, oldest first.
    #[must_use]
    pub fn sent_to(&self, psid: &str) -> Vec<Arc<Sent>> {
        self.0.world.read(|world| world.sent_to(psid).cloned().collect())
    }

    /// The thread as the visitor sees it; empty for a stranger.
    #[must_use]
    pub fn thread(&self, psid: &str) -> Thread {
        self.0.world.read(|world| world.thread(psid).cloned()).unwrap_or_default()
    }

    /// How the webhooks fare.
    #[must_use]
    pub fn webhooks(&self) -> WebhookCounts {
        self.0.world.read(|world| world.webhooks)
    }

    /// Looks at everything the platform knows.
    pub fn look<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        self.0.world.read(look)
    }

    /// Waits until `look` finds what it wants in the platform's world.
    ///
    /// # Errors
    /// When the time is over first.
    pub async fn wait_for<R>(&self, look: impl FnMut(&World) -> Option<R>, timeout: Duration) -> Result<R, NotReached> {
        self.0.world.wait_for(look, timeout).await
    }

    /// Waits until no webhook is waiting or under way.
    ///
    /// # Errors
    /// When the time is over first.
    pub async fn wait_until_quiet(&self, timeout: Duration) -> Result<(), NotReached> {
        self.wait_for(|world| (world.webhooks.pending == 0).then_some(()), timeout).await
    }

    /// Every message accepted from now on, the moment it is.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Sent>> {
        self.0.accepted.subscribe()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.world.changes()
    }

    /// The Page of an id.
    #[must_use]
    pub fn page(&self, page_id: &str) -> Option<&Page> {
        self.0.config.pages.iter().find(|page| page.id == page_id)
    }

    /// The Page of a token.
    pub(super) fn page_of_token(&self, token: &str) -> Option<&Page> {
        self.0.config.pages.iter().find(|page| page.token == token)
    }

    /// The Page that a visitor belongs to; strangers belong to the first.
    #[must_use]
    pub fn page_of_visitor(&self, psid: &str) -> Option<&Page> {
        let page_id = self.look(|world| world.visitors.get(psid).map(|visitor| visitor.page_id.clone()));
        page_id.map_or_else(|| self.0.config.pages.first(), |page_id| self.page(&page_id))
    }

    /// Performs a checked wish. What it answers is what Graph answers.
    pub(super) fn perform(&self, page: &Page, psid: &str, wish: Wish) -> Result<Value, Refusal> {
        match wish {
            Wish::Message { message, written, permit } => {
                let mid = self.accept(page, psid, permit, *message, written)?;
                Ok(json!({"recipient_id": psid, "message_id": mid}))
            }
            Wish::Action(action) => {
                self.show(page, psid, action)?;
                Ok(json!({"recipient_id": psid}))
            }
        }
    }

    fn accept(&self, page: &Page, psid: &str, permit: Permit, message: OutgoingMessage, written: Value) -> Result<String, Refusal> {
        let platform = &*self.0;
        let mid = platform.mids.mint();
        let attachments = attachments_of(&written);
        let aftermath_due = |world: &mut World| -> Result<Arc<Sent>, Refusal> {
            let accepted_at_us = wall_clock::now_us();
            let now = accepted_at_us / 1000;
            let visitor = world.check_recipient(&page.id, psid, Some(permit), page.human_agent, now)?;
            let at = visitor.thread.next_moment(now);
            let echo = event::echo(&page.id, psid, at, &mid, platform.config.app.id, &message, &attachments);
            let metadata = message.metadata.clone();
            visitor
                .thread
                .push(Item::of_page(mid.clone(), at, message), platform.config.remember_per_visitor);
            world.sent_total += 1;
            let sequence = world.sent_total;
            let sent = Sent {
                sequence,
                page_id: page.id.clone(),
                psid: psid.to_owned(),
                mid: mid.clone(),
                message: written,
                metadata,
                at,
                accepted_at_us,
            };
            let sent = Arc::new(sent);
            world.record(Arc::clone(&sent), platform.config.remember_messages);
            // Within the lock, so that two messages to one visitor are echoed in the order in which they were accepted.
            self.tell_of(world, &sent, echo);
            Ok(sent)
        };
        let sent = platform.world.change(aftermath_due)?;
        // Nobody may be subscribed.
        let _listeners = platform.accepted.send(sent);
        Ok(mid)
    }

    fn tell_of(&self, world: &mut World, sent: &Sent, echo: String) {
        let aftermath = self.0.faults.aftermath(&sent.psid);
        let notice = |event| Notice {
            page_id: sent.page_id.clone(),
            psid: sent.psid.clone(),
            event,
            ticks: None,
        };
        if let Some(delay) = aftermath.echo {
            world.webhooks.pending += 1;
            if delay.is_zero() {
                self.0.lanes.enqueue(notice(echo));
            } else {
                self.0.lanes.enqueue_after(delay, notice(echo));
            }
        }
        if aftermath.delivery {
            world.webhooks.pending += 1;
            self.0
                .lanes
                .enqueue(notice(event::delivery(&sent.page_id, &sent.psid, sent.at, &sent.mid)));
        }
        if aftermath.read {
            world.webhooks.pending += 1;
            if let Some(visitor) = world.visitors.get_mut(&sent.psid) {
                visitor.thread.mark_read(Side::Page);
            }
            self.0.lanes.enqueue(notice(event::read(&sent.page_id, &sent.psid, sent.at)));
        }
    }

    fn show(&self, page: &Page, psid: &str, action: SenderAction) -> Result<(), Refusal> {
        self.0.world.change(|world| {
            let at = wall_clock::now_ms();
            let visitor = world.check_recipient(&page.id, psid, None, page.human_agent, at)?;
            match action {
                SenderAction::TypingOn => visitor.thread.show_typing(Some(at + TYPING_SHOWS_MS)),
                SenderAction::TypingOff => visitor.thread.show_typing(None),
                SenderAction::MarkSeen => {
                    visitor.thread.mark_read(Side::Visitor);
                }
            }
            world.record_sign(
                ShownSign {
                    psid: psid.to_owned(),
                    action,
                    at,
                },
                self.0.config.remember_messages,
            );
            Ok(())
        })
    }
}

fn attachments_of(written: &Value) -> Vec<Value> {
    match (written.get("attachment"), written.get("attachments")) {
        (Some(one), _) => vec![one.clone()],
        (None, Some(Value::Array(several))) => several.clone(),
        (None, _) => Vec::new(),
    }
}
