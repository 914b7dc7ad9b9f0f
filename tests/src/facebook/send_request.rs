//! A call of the Send API: whom it is for and under which permission it is sent.

use serde::Deserialize;
use serde_json::Value;

use super::message::OutgoingMessage;
use super::refusal::Refusal;

/// The body of `POST /{page}/messages`.
#[derive(Debug, Deserialize)]
pub struct SendRequest {
    /// Whom it is for.
    pub recipient: Option<Recipient>,
    /// Why it may be sent.
    pub messaging_type: Option<String>,
    /// The exception from the 24 hours.
    pub tag: Option<String>,
    /// The message.
    pub message: Option<Value>,
    /// Or a sign: typing, seen.
    pub sender_action: Option<String>,
    /// The token, if it comes in the body.
    pub access_token: Option<String>,
}

/// Whom a send is for.
#[derive(Debug, Deserialize)]
pub struct Recipient {
    /// The Page-scoped id of a person.
    pub id: Option<String>,
}

/// Under which permission a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Within 24 hours of the visitor's last action.
    Standard,
    /// A human answers within seven days.
    HumanAgent,
}

/// What a checked call wants.
#[derive(Debug)]
pub enum Wish {
    /// Send a message.
    Message {
        /// As the visitor gets it.
        message: Box<OutgoingMessage>,
        /// As it was written.
        written: Value,
        /// Under which permission.
        permit: Permit,
    },
    /// Show a sign.
    Action(SenderAction),
}

/// A sign that the visitor sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderAction {
    /// The three dots appear.
    TypingOn,
    /// They go.
    TypingOff,
    /// The visitor's messages count as seen.
    MarkSeen,
}

impl SendRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// The refusal for a body that is not a JSON object of the right types.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body).map_err(|error| Refusal::parameter(format_args!("The body could not be read: {error}")))
    }

    /// The recipient's id.
    ///
    /// # Errors
    /// The refusal for a call without one.
    pub fn psid(&self) -> Result<&str, Refusal> {
        self.recipient
            .as_ref()
            .and_then(|recipient| recipient.id.as_deref())
            .ok_or_else(|| Refusal::parameter("The parameter recipient is required."))
    }

    /// Checks everything that does not depend on who the recipient is.
    ///
    /// # Errors
    /// The refusal that the real platform would give.
    pub fn wish(&self) -> Result<Wish, Refusal> {
        match (&self.sender_action, &self.message) {
            (Some(_), Some(_)) => Err(Refusal::with_subcode(
                100,
                2_018_014,
                "(#100) Cannot set both sender_action and message.",
            )),
            (Some(action), None) => Ok(Wish::Action(SenderAction::read(action)?)),
            (None, None) => Err(Refusal::parameter("Must provide message or sender_action.")),
            (None, Some(written)) => self.message_wish(written),
        }
    }

    fn message_wish(&self, written: &Value) -> Result<Wish, Refusal> {
        let permit = self.permit()?;
        let message = OutgoingMessage::deserialize(written)
            .map_err(|error| Refusal::parameter(format_args!("The parameter message could not be read: {error}")))?;
        message.check()?;
        Ok(Wish::Message {
            message: Box::new(message),
            written: written.clone(),
            permit,
        })
    }

    fn permit(&self) -> Result<Permit, Refusal> {
        match (self.messaging_type.as_deref(), self.tag.as_deref()) {
            (Some("RESPONSE" | "UPDATE"), None) => Ok(Permit::Standard),
            (Some("RESPONSE" | "UPDATE"), Some(_)) => Err(Refusal::parameter("A tag needs messaging_type MESSAGE_TAG.")),
            (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) => Ok(Permit::HumanAgent),
            (Some("MESSAGE_TAG"), Some("ACCOUNT_UPDATE" | "CONFIRMED_EVENT_UPDATE" | "POST_PURCHASE_UPDATE")) => Err(
                Refusal::with_subcode(100, 1_893_061, "(#100) Invalid parameter: this message tag is no longer supported."),
            ),
            (Some("MESSAGE_TAG"), Some("CUSTOMER_FEEDBACK")) => {
                Err(Refusal::parameter("CUSTOMER_FEEDBACK needs the customer feedback template."))
            }
            (Some("MESSAGE_TAG"), Some(_)) => Err(Refusal::parameter("The parameter tag is not a known message tag.")),
            (Some("MESSAGE_TAG"), None) => Err(Refusal::parameter("messaging_type MESSAGE_TAG needs a tag.")),
            (Some("UTILITY"), _) => Err(Refusal::parameter("messaging_type UTILITY needs an approved template.")),
            (Some(_) | None, _) => Err(Refusal::parameter(
                "Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}.",
            )),
        }
    }
}

impl SenderAction {
    fn read(action: &str) -> Result<Self, Refusal> {
        match action {
            "typing_on" => Ok(Self::TypingOn),
            "typing_off" => Ok(Self::TypingOff),
            "mark_seen" => Ok(Self::MarkSeen),
            _ => Err(Refusal::parameter(
                "Param sender_action must be one of {typing_on, typing_off, mark_seen}.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(body: Value) -> Option<(u32, Option<u32>)> {
        let request = SendRequest::read(body.to_string().as_bytes()).unwrap();
        let checked = request.psid().and_then(|_psid| request.wish());
        checked.err().map(|refusal| (refusal.code, refusal.subcode))
    }

    fn text_with(messaging_type: &str, tag: Option<&str>) -> Value {
        json!({"recipient": {"id": "7"}, "messaging_type": messaging_type, "tag": tag, "message": {"text": "您好"}})
    }

    #[test]
    fn a_message_needs_a_recipient_and_a_valid_messaging_type() {
        assert_eq!(verdict(text_with("RESPONSE", None)), None);
        assert_eq!(verdict(text_with("UPDATE", None)), None);
        assert_eq!(verdict(text_with("PROMOTION", None)), Some((100, None)));
        assert_eq!(
            verdict(json!({"recipient": {"id": "7"}, "message": {"text": "您好"}})),
            Some((100, None))
        );
        assert_eq!(
            verdict(json!({"messaging_type": "RESPONSE", "message": {"text": "您好"}})),
            Some((100, None))
        );
    }

    #[test]
    fn retired_tags_are_refused_with_their_own_number() {
        for tag in ["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE"] {
            assert_eq!(verdict(text_with("MESSAGE_TAG", Some(tag))), Some((100, Some(1_893_061))));
        }
        assert_eq!(verdict(text_with("MESSAGE_TAG", Some("HUMAN_AGENT"))), None);
        assert_eq!(verdict(text_with("MESSAGE_TAG", None)), Some((100, None)));
    }

    #[test]
    fn a_sign_needs_only_the_recipient_and_never_a_message() {
        assert_eq!(verdict(json!({"recipient": {"id": "7"}, "sender_action": "typing_on"})), None);
        assert_eq!(
            verdict(json!({"recipient": {"id": "7"}, "sender_action": "wave"})),
            Some((100, None))
        );
        let both = json!({"recipient": {"id": "7"}, "sender_action": "typing_on", "messaging_type": "RESPONSE", "message": {"text": "a"}});
        assert_eq!(verdict(both), Some((100, Some(2_018_014))));
    }
}
