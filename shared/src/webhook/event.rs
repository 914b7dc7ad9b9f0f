//! One event, read: what the dispatcher works with.
//!
//! Invariant: reading fails only for bytes that are no JSON object, which split never hands out under a named kind. What is missing or has another
//! shape reads as absent; what has a new name reads as [`Content::Other`]. Texts keep every readable character.

use serde_json::value::RawValue;

use super::json::{self, Object};
use super::split::Address;
use crate::{EventKind, Party, Timestamp};

/// Why an event cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not UTF-8, not JSON, or no object.
    #[error("the event is not a JSON object")]
    NotAnObject,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who sent it: the visitor, or the Page for echoes.
    pub sender: Option<Party>,
    /// Who received it.
    pub recipient: Option<Party>,
    /// When it happened, in Facebook's words.
    pub timestamp: Option<Timestamp>,
    /// What happened.
    pub content: Content,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message, an echo or an unsend: see the flags.
    Message(Box<Message>),
    /// A tap.
    Postback(Postback),
    /// A link or an ad led here.
    Referral(Referral),
    /// A permission to write.
    Optin(Optin),
    /// Messages arrived at the device.
    Delivery {
        /// Which, if Facebook says so.
        mids: Vec<String>,
        /// Everything sent up to here arrived.
        watermark: Option<Timestamp>,
    },
    /// The visitor read.
    Read {
        /// Everything sent up to here was read.
        watermark: Option<Timestamp>,
    },
    /// A reaction was set or taken back.
    Reaction(Reaction),
    /// A message was changed.
    Edit {
        /// The message.
        mid: Option<String>,
        /// Its new text.
        text: Option<String>,
        /// The how-manieth change of this message.
        number: Option<i64>,
    },
    /// Thumbs up or down.
    ResponseFeedback {
        /// The message it is about.
        mid: Option<String>,
        /// In Facebook's words.
        feedback: Option<String>,
    },
    /// An account was linked or unlinked.
    AccountLinking {
        /// `linked` or `unlinked`.
        status: Option<String>,
        /// What the linking page passed on.
        authorization_code: Option<String>,
    },
    /// Facebook warned, blocked or unblocked the Page.
    PolicyEnforcement {
        /// `warning`, `block` or `unblock`.
        action: Option<String>,
        /// In Facebook's words.
        reason: Option<String>,
    },
    /// Per app, its roles.
    AppRoles(Vec<(String, Vec<String>)>),
    /// The thread changed its owner, or somebody asks for it.
    ThreadControl(ThreadControl),
    /// The answers of a lead ad.
    Lead {
        /// How the visitor came.
        referral: Option<Referral>,
        /// Question and answer.
        answers: Vec<(String, String)>,
    },
    /// A coupon was tapped.
    Coupon {
        /// The developer's payload.
        payload: Option<String>,
        /// The code.
        code: Option<String>,
    },
    /// Everything that nobody acts on; the raw bytes keep it.
    Other,
}

/// A message in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Facebook's id; absent for system notices.
    pub mid: Option<String>,
    /// What was written. Absent for pure attachments.
    pub text: Option<String>,
    /// The payload of the quick reply that was tapped.
    pub quick_reply: Option<String>,
    /// What was attached.
    pub attachments: Vec<Attachment>,
    /// The mid of the message that this one answers.
    pub reply_to: Option<String>,
    /// How the visitor came (ads, shops).
    pub referral: Option<Referral>,
    /// Sent by the Page: by us or from elsewhere.
    pub is_echo: bool,
    /// The app that sent an echo.
    pub app_id: Option<String>,
    /// What the sender of an echo attached for itself: our intent's id.
    pub metadata: Option<String>,
    /// The message was taken back.
    pub is_deleted: bool,
    /// Facebook cannot show this message through the API.
    pub is_unsupported: bool,
    /// A notice of Facebook's own, without mid and text.
    pub admin_text: Option<String>,
    /// The plugin reference that this visitor had before, to be merged.
    pub prior_user_ref: Option<String>,
}

/// Something attached to a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, `sticker`, `location`, `fallback`, `template`, … as Facebook names it.
    pub kind: String,
    /// Where it is, for some days.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The sticker's id. 369239263222822 is the thumb.
    pub sticker_id: Option<String>,
    /// Latitude and longitude of a location, as written.
    pub coordinates: Option<(String, String)>,
}

/// A tap on a button, a menu item or an ice breaker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Postback {
    /// Facebook's id, since 2021.
    pub mid: Option<String>,
    /// What the button says.
    pub title: Option<String>,
    /// What the button means. Stripped when another app owns the thread.
    pub payload: Option<String>,
    /// How the visitor came, when the tap opened a new thread.
    pub referral: Option<Referral>,
}

/// How a visitor came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Referral {
    /// The `ref` parameter of the link or ad.
    pub reference: Option<String>,
    /// `SHORTLINK`, `ADS`, `CUSTOMER_CHAT_PLUGIN`, …
    pub source: Option<String>,
    /// `OPEN_THREAD`, `LEAD_COMPLETE`, …
    pub kind: Option<String>,
    /// The ad.
    pub ad_id: Option<String>,
    /// The ad's title.
    pub ad_title: Option<String>,
    /// The website that holds a chat plugin.
    pub referer_uri: Option<String>,
    /// The product of a shop.
    pub product_id: Option<String>,
}

/// A permission to write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Optin {
    /// `one_time_notif_req`, `notification_messages`; absent for plugins.
    pub kind: Option<String>,
    /// The developer's payload.
    pub payload: Option<String>,
    /// What a plugin passes on.
    pub reference: Option<String>,
    /// A plugin's reference for the visitor.
    pub user_ref: Option<String>,
    /// The token that permits one message (or recurring ones). Worth as much as the permission.
    pub token: Option<String>,
    /// When the token ends.
    pub token_expires_at: Option<Timestamp>,
    /// `STOP NOTIFICATIONS` or `RESUME NOTIFICATIONS`; compare the beginning, spellings differ.
    pub notification_status: Option<String>,
    /// The title of the request.
    pub title: Option<String>,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    /// The message it is about, possibly one that we never saw.
    pub mid: Option<String>,
    /// `react` or `unreact`.
    pub action: Option<String>,
    /// The emoji.
    pub emoji: Option<String>,
    /// `smile`, `love`, …, `other`.
    pub name: Option<String>,
}

/// Who owns a thread, or wants to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadControl {
    /// The app that owns it now.
    pub new_owner: Option<String>,
    /// The app that owned it before.
    pub previous_owner: Option<String>,
    /// The app that asks for it.
    pub requested_owner: Option<String>,
    /// What the other app says about it.
    pub metadata: Option<String>,
}

/// Reads one event of this kind from the bytes that [`super::split()`] gave out, an event or a change that wraps one.
///
/// # Errors
/// [`EventError::NotAnObject`] when a named kind comes with something that cannot be of that kind.
pub fn parse_event(kind: &EventKind, bytes: &[u8]) -> Result<Event, EventError> {
    let text = std::str::from_utf8(bytes).or(Err(EventError::NotAnObject))?;
    let object = match Object::parse(text) {
        Some(object) => object,
        // Unknown is what split calls everything that it could not read.
        None if matches!(kind, EventKind::Unknown(_)) => return Ok(Event::opaque()),
        None => return Err(EventError::NotAnObject),
    };
    let wrapped = if matches!(kind, EventKind::Change(_) | EventKind::Unknown(_)) {
        None
    } else {
        unwrapped(&object)
    };
    Ok(Event::read(kind, wrapped.as_ref().unwrap_or(&object)))
}

/// The event inside a change.
fn unwrapped<'a>(object: &Object<'a>) -> Option<Object<'a>> {
    object.get("field")?;
    object.object("value")
}

impl Event {
    const fn opaque() -> Self {
        Self {
            sender: None,
            recipient: None,
            timestamp: None,
            content: Content::Other,
        }
    }

    fn read(kind: &EventKind, object: &Object<'_>) -> Self {
        let end = |name| Address::read(object, name).and_then(|address| address.party());
        let content = Content::read(kind, object).unwrap_or(Content::Other);
        Self {
            sender: end("sender"),
            recipient: end("recipient"),
            timestamp: object.time("timestamp"),
            content,
        }
    }
}

impl Content {
    fn read(kind: &EventKind, event: &Object<'_>) -> Option<Self> {
        let content = match kind {
            EventKind::Message | EventKind::Echo | EventKind::Unsend => {
                let prior = event.object("prior_message").and_then(|prior| prior.id("identifier"));
                Self::Message(Box::new(Message {
                    prior_user_ref: prior,
                    ..Message::read(&event.object("message")?)
                }))
            }
            EventKind::Postback => Self::Postback(Postback::read(&event.object("postback")?)),
            EventKind::Referral => Self::Referral(Referral::read(&event.object("referral")?)),
            EventKind::Optin => Self::Optin(Optin::read(&event.object("optin")?)),
            EventKind::Delivery => {
                let delivery = event.object("delivery")?;
                let mids = delivery.array("mids").into_iter().filter_map(json::id).collect();
                Self::Delivery {
                    mids,
                    watermark: delivery.time("watermark"),
                }
            }
            EventKind::Read => Self::Read {
                watermark: event.object("read")?.time("watermark"),
            },
            EventKind::Reaction => Self::Reaction(Reaction::read(&event.object("reaction")?)),
            EventKind::MessageEdit => {
                let edit = event.object("message_edit")?;
                Self::Edit {
                    mid: edit.id("mid"),
                    text: edit.text("text"),
                    number: edit.number("num_edit"),
                }
            }
            EventKind::ResponseFeedback => {
                let feedback = event.object("response_feedback")?;
                Self::ResponseFeedback {
                    mid: feedback.id("mid"),
                    feedback: feedback.text("feedback"),
                }
            }
            EventKind::AccountLinking => {
                let linking = event.object("account_linking")?;
                Self::AccountLinking {
                    status: linking.text("status"),
                    authorization_code: linking.text("authorization_code"),
                }
            }
            EventKind::PolicyEnforcement => {
                let policy = event.object("policy_enforcement").or_else(|| event.object("policy-enforcement"))?;
                Self::PolicyEnforcement {
                    action: policy.text("action"),
                    reason: policy.text("reason"),
                }
            }
            EventKind::AppRoles => Self::AppRoles(app_roles(&event.object("app_roles")?)),
            EventKind::PassThreadControl => Self::ThreadControl(ThreadControl::read(&event.object("pass_thread_control")?)),
            EventKind::TakeThreadControl => Self::ThreadControl(ThreadControl::read(&event.object("take_thread_control")?)),
            EventKind::RequestThreadControl => Self::ThreadControl(ThreadControl::read(&event.object("request_thread_control")?)),
            EventKind::Lead => Self::Lead {
                referral: event.object("referral").map(|referral| Referral::read(&referral)),
                answers: answers(&event.object("lead")?),
            },
            EventKind::Template => {
                let template = event.object("template")?;
                Self::Coupon {
                    payload: template.text("payload"),
                    code: template.text("coupon_code"),
                }
            }
            EventKind::MessagingFeedback
            | EventKind::CustomerInformation
            | EventKind::Order
            | EventKind::Change(_)
            | EventKind::Unknown(_) => return None,
        };
        Some(content)
    }
}

impl Message {
    fn read(message: &Object<'_>) -> Self {
        Self {
            mid: message.id("mid"),
            text: message.text("text"),
            quick_reply: message.object("quick_reply").and_then(|reply| reply.text("payload")),
            attachments: Attachment::read_all(message),
            reply_to: message.object("reply_to").and_then(|reply| reply.id("mid")),
            referral: message.object("referral").map(|referral| Referral::read(&referral)),
            is_echo: message.is_true("is_echo"),
            app_id: message.id("app_id"),
            metadata: message.text("metadata"),
            is_deleted: message.is_true("is_deleted"),
            is_unsupported: message.is_true("is_unsupported"),
            admin_text: message.text("admin_text"),
            prior_user_ref: None,
        }
    }
}

impl Attachment {
    /// All attachments. Until August 2026 Facebook sent every sticker twice, as an image and as a sticker, in either order; one is kept.
    fn read_all(message: &Object<'_>) -> Vec<Self> {
        let mut kept: Vec<Self> = Vec::new();
        for attachment in message.array("attachments").into_iter().filter_map(Self::read) {
            let twin = kept.iter().position(|other| attachment.is_the_same_sticker_as(other));
            match twin.and_then(|position| kept.get_mut(position)) {
                Some(other) if attachment.kind == "sticker" => *other = attachment,
                Some(_) => {}
                None => kept.push(attachment),
            }
        }
        kept
    }

    fn read(raw: &RawValue) -> Option<Self> {
        let attachment = json::object(raw)?;
        let payload = attachment.object("payload");
        // The payload of a fallback may be null; then the old place, on the attachment itself, has the url and the title.
        let text = |key: &str| {
            payload
                .as_ref()
                .and_then(|payload| payload.text(key))
                .or_else(|| attachment.text(key))
        };
        let coordinates = payload.as_ref().and_then(|payload| payload.object("coordinates"));
        Some(Self {
            kind: attachment.text("type").unwrap_or_default(),
            url: text("url"),
            title: text("title"),
            sticker_id: payload.as_ref().and_then(|payload| payload.id("sticker_id")),
            coordinates: coordinates.and_then(|place| Some((place.text("lat")?, place.text("long")?))),
        })
    }

    fn is_the_same_sticker_as(&self, other: &Self) -> bool {
        self.sticker_id.is_some() && self.sticker_id == other.sticker_id && self.kind != other.kind
    }
}

impl Postback {
    fn read(postback: &Object<'_>) -> Self {
        Self {
            mid: postback.id("mid"),
            title: postback.text("title"),
            payload: postback.text("payload"),
            referral: postback.object("referral").map(|referral| Referral::read(&referral)),
        }
    }
}

impl Referral {
    fn read(referral: &Object<'_>) -> Self {
        Self {
            reference: referral.text("ref"),
            source: referral.text("source"),
            kind: referral.text("type"),
            ad_id: referral.id("ad_id"),
            ad_title: referral.object("ads_context_data").and_then(|context| context.text("ad_title")),
            referer_uri: referral.text("referer_uri"),
            product_id: referral.object("product").and_then(|product| product.id("id")),
        }
    }
}

impl Optin {
    fn read(optin: &Object<'_>) -> Self {
        Self {
            kind: optin.text("type"),
            payload: optin.text("payload"),
            reference: optin.text("ref"),
            user_ref: optin.id("user_ref"),
            token: optin.id("one_time_notif_token").or_else(|| optin.id("notification_messages_token")),
            token_expires_at: optin.time("token_expiry_timestamp"),
            notification_status: optin.text("notification_messages_status"),
            title: optin.text("title"),
        }
    }
}

impl Reaction {
    fn read(reaction: &Object<'_>) -> Self {
        Self {
            mid: reaction.id("mid"),
            action: reaction.text("action"),
            emoji: reaction.text("emoji"),
            name: reaction.text("reaction"),
        }
    }
}

impl ThreadControl {
    fn read(control: &Object<'_>) -> Self {
        Self {
            new_owner: control.id("new_owner_app_id"),
            previous_owner: control.id("previous_owner_app_id"),
            requested_owner: control.id("requested_owner_app_id"),
            metadata: control.text("metadata"),
        }
    }
}

fn app_roles(roles: &Object<'_>) -> Vec<(String, Vec<String>)> {
    let texts = |value: &RawValue| json::array(value).unwrap_or_default().into_iter().filter_map(json::text).collect();
    roles.members().map(|(app, value)| (app.to_owned(), texts(value))).collect()
}

fn answers(lead: &Object<'_>) -> Vec<(String, String)> {
    let answer = |raw: &RawValue| {
        let answer = json::object(raw)?;
        Some((answer.text("question")?, answer.text("answer").unwrap_or_default()))
    };
    lead.array("data").into_iter().filter_map(answer).collect()
}

#[cfg(test)]
mod tests;
