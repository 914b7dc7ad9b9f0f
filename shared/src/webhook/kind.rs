//! What kind an event is. Facebook has no such field: the kind is which key the event carries.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Longest key that we repeat as a kind: an AMQP short text holds 255 bytes.
const LONGEST_KEY: usize = 200;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of a webhook event.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
            /// A field of the Page changed; the field's name.
            Change(String),
            /// Something that this build does not understand; the key that it carried. Passed through raw.
            Unknown(String),
        }

        impl EventKind {
            /// Every kind that needs no further name.
            pub const NAMED: &'static [Self] = &[$(Self::$name,)*];

            /// The kind as the envelope carries it.
            #[must_use]
            pub fn as_text(&self) -> Cow<'static, str> {
                match self {
                    $(Self::$name => Cow::Borrowed($text),)*
                    Self::Change(field) => Cow::Owned(format!("change:{field}")),
                    Self::Unknown(key) => Cow::Owned(format!("unknown:{key}")),
                }
            }

            /// Reads what [`EventKind::as_text`] wrote. A name of a later release reads as unknown.
            #[must_use]
            pub fn from_text(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    _ => match text.split_once(':') {
                        Some(("change", field)) => Self::Change(field.to_owned()),
                        Some(("unknown", key)) => Self::Unknown(key.to_owned()),
                        _ => Self::Unknown(text.to_owned()),
                    },
                }
            }
        }
    };
}

kinds! {
    /// A visitor wrote.
    Message = "message",
    /// The Page wrote, through us or from elsewhere.
    Echo = "echo",
    /// A message was taken back.
    Unsend = "unsend",
    /// A button, a menu item or an ice breaker was tapped.
    Postback = "postback",
    /// A visitor came through a link or an ad into a thread that existed.
    Referral = "referral",
    /// A visitor agreed to be written to.
    Optin = "optin",
    /// Messages arrived at the visitor's device.
    Delivery = "delivery",
    /// The visitor has read up to here.
    Read = "read",
    /// A visitor reacted to a message.
    Reaction = "reaction",
    /// A visitor changed a message.
    MessageEdit = "message_edit",
    /// Thumbs up or down for an answer.
    ResponseFeedback = "response_feedback",
    /// A visitor linked or unlinked an account.
    AccountLinking = "account_linking",
    /// Facebook warned or blocked the Page.
    PolicyEnforcement = "policy_enforcement",
    /// Which apps may own threads of the Page.
    AppRoles = "app_roles",
    /// Another app gave us the thread.
    PassThreadControl = "pass_thread_control",
    /// Another app took the thread from us.
    TakeThreadControl = "take_thread_control",
    /// Another app asks for the thread.
    RequestThreadControl = "request_thread_control",
    /// A filled-in customer feedback form.
    MessagingFeedback = "messaging_feedback",
    /// A filled-in address form.
    CustomerInformation = "messaging_customer_information",
    /// A cart that was sent.
    Order = "order",
    /// A coupon of a template was tapped.
    Template = "template",
    /// The answers of a lead ad.
    Lead = "lead",
}

impl EventKind {
    /// A field of the Page that changed.
    pub(crate) fn change(field: &str) -> Self {
        Self::Change(shortened(field))
    }

    /// Something not understood, by the key it carried.
    pub(crate) fn unknown(key: &str) -> Self {
        Self::Unknown(shortened(key))
    }

    /// The kind that a key of an event object stands for. A message still has to be told from an echo and an unsend.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let kind = match key {
            "message" => Self::Message,
            "postback" => Self::Postback,
            "referral" => Self::Referral,
            "optin" => Self::Optin,
            "delivery" => Self::Delivery,
            "read" => Self::Read,
            "reaction" => Self::Reaction,
            "message_edit" => Self::MessageEdit,
            "response_feedback" => Self::ResponseFeedback,
            "account_linking" => Self::AccountLinking,
            // Captures from before 2018 have a hyphen.
            "policy_enforcement" | "policy-enforcement" => Self::PolicyEnforcement,
            "app_roles" => Self::AppRoles,
            "pass_thread_control" => Self::PassThreadControl,
            "take_thread_control" => Self::TakeThreadControl,
            "request_thread_control" => Self::RequestThreadControl,
            "messaging_feedback" => Self::MessagingFeedback,
            "messaging_customer_information" => Self::CustomerInformation,
            "order" => Self::Order,
            "template" => Self::Template,
            "lead" => Self::Lead,
            _ => return None,
        };
        Some(kind)
    }

    /// Which of several known keys in one event names it: the lower one. A lead carries a referral beside it.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::Message | Self::Echo | Self::Unsend => 0,
            Self::Postback => 1,
            Self::Lead => 2,
            Self::Change(_) | Self::Unknown(_) => 4,
            _ => 3,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.as_text())
    }
}

impl FromStr for EventKind {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from_text(text))
    }
}

fn shortened(key: &str) -> String {
    key.chars()
        .scan(0, |bytes, character| {
            *bytes += character.len_utf8();
            (*bytes <= LONGEST_KEY).then_some(character)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_its_text() {
        let named = EventKind::NAMED.iter().cloned();
        for kind in named.chain([
            EventKind::Change("feed".into()),
            EventKind::Unknown("game_play".into()),
            EventKind::Unknown("a:b".into()),
        ]) {
            assert_eq!(EventKind::from_text(&kind.as_text()), kind);
        }
        assert_eq!(
            EventKind::from_text("of_a_later_release"),
            EventKind::Unknown("of_a_later_release".into())
        );
    }

    #[test]
    fn a_kind_always_fits_an_amqp_short_text() {
        for key in ["x".repeat(10_000), "渠".repeat(10_000)] {
            assert!(EventKind::unknown(&key).as_text().len() <= 255);
            assert!(EventKind::change(&key).as_text().len() <= 255);
        }
    }
}
