//! A message as the Send API takes it, and what it may contain.
//!
//! Invariant: whatever this module lets through, the real platform would take; lengths are counted in UTF-16 units, the strictest
//! of the readings that Facebook's documentation leaves open.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::Refusal;

const TEXT_UNDER: usize = 2000;
const METADATA_UNDER: usize = 1000;
const QUICK_REPLIES: usize = 13;
const TITLE: usize = 20;
const PAYLOAD: usize = 1000;
const TEMPLATE_TEXT: usize = 640;
const TEMPLATE_BUTTONS: usize = 3;
const ELEMENTS: usize = 10;
const ELEMENT_TEXT: usize = 80;
const IMAGES: usize = 30;

/// The `message` of a send.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OutgoingMessage {
    /// The text.
    pub text: Option<String>,
    /// One attachment: a template or a file.
    pub attachment: Option<Attachment>,
    /// A stack of images.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// Replies that the visitor can tap; they go when another message comes.
    #[serde(default)]
    pub quick_replies: Vec<QuickReply>,
    /// What the sender wants to see again in the echo.
    pub metadata: Option<String>,
}

/// An attachment of a message.
#[derive(Debug, Clone, Deserialize)]
pub struct Attachment {
    /// `template`, `image`, `audio`, `video` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it consists of.
    #[serde(default)]
    pub payload: AttachmentPayload,
}

/// What an attachment consists of.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AttachmentPayload {
    /// `button` or `generic`, for templates.
    pub template_type: Option<String>,
    /// The text of a button template.
    pub text: Option<String>,
    /// The buttons of a button template.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// The cards of a generic template.
    #[serde(default)]
    pub elements: Vec<Element>,
    /// Where a file is fetched.
    pub url: Option<String>,
    /// A file uploaded before.
    pub attachment_id: Option<Value>,
}

/// A card of a generic template.
#[derive(Debug, Clone, Deserialize)]
pub struct Element {
    /// Its headline.
    #[serde(default)]
    pub title: String,
    /// Its second line.
    pub subtitle: Option<String>,
    /// Its picture.
    pub image_url: Option<String>,
    /// Its buttons.
    #[serde(default)]
    pub buttons: Vec<Button>,
}

/// A button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// `postback`, `web_url` or `phone_number`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says.
    #[serde(default)]
    pub title: String,
    /// What a postback brings back, or the number to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A quick reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuickReply {
    /// `text`, `user_phone_number` or `user_email`.
    #[serde(default)]
    pub content_type: String,
    /// What it says.
    #[serde(default)]
    pub title: String,
    /// What it brings back.
    #[serde(default)]
    pub payload: String,
}

impl OutgoingMessage {
    /// Every check on the message itself.
    ///
    /// # Errors
    /// The refusal that the real platform would give.
    pub fn check(&self) -> Result<(), Refusal> {
        let has_attachment = self.attachment.is_some() || !self.attachments.is_empty();
        match self.text.as_deref() {
            Some(_) if has_attachment => return Err(Refusal::parameter("Only one of text and attachment can be set in message.")),
            Some(text) => check_text(text)?,
            None if has_attachment => {}
            None => return Err(Refusal::parameter("Must provide text or attachment in message.")),
        }
        at_most_elements("message[attachments]", self.attachments.len(), IMAGES)?;
        self.attachment.iter().chain(&self.attachments).try_for_each(Attachment::check)?;
        at_most_elements("message[quick_replies]", self.quick_replies.len(), QUICK_REPLIES)?;
        self.quick_replies.iter().try_for_each(QuickReply::check)?;
        match self.metadata.as_deref() {
            Some(metadata) if length(metadata) >= METADATA_UNDER => Err(too_long("message[metadata]", METADATA_UNDER - 1)),
            _ => Ok(()),
        }
    }

    /// The buttons of its templates.
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.attachment.iter().flat_map(|attachment| {
            let of_cards = attachment.payload.elements.iter().flat_map(|element| &element.buttons);
            attachment.payload.buttons.iter().chain(of_cards)
        })
    }
}

impl Attachment {
    fn check(&self) -> Result<(), Refusal> {
        match self.kind.as_str() {
            "template" => self.payload.check_template(),
            "image" | "audio" | "video" | "file" => match (&self.payload.url, &self.payload.attachment_id) {
                (Some(url), None) if url.starts_with("https://") || url.starts_with("http://") => Ok(()),
                (None, Some(_)) => Ok(()),
                _ => Err(Refusal::parameter("message[attachment][payload] needs a url or an attachment_id.")),
            },
            _ => Err(Refusal::parameter("message[attachment][type] is not a valid attachment type.")),
        }
    }
}

impl AttachmentPayload {
    fn check_template(&self) -> Result<(), Refusal> {
        match self.template_type.as_deref() {
            Some("button") => {
                check_title("text", self.text.as_deref().unwrap_or_default(), TEMPLATE_TEXT)?;
                if self.buttons.is_empty() {
                    return Err(Refusal::parameter("Parameter buttons of a button template must not be empty."));
                }
                check_buttons(&self.buttons)
            }
            Some("generic") => {
                if self.elements.is_empty() {
                    return Err(Refusal::parameter("Parameter elements of a generic template must not be empty."));
                }
                at_most_elements("elements", self.elements.len(), ELEMENTS)?;
                self.elements.iter().try_for_each(Element::check)
            }
            _ => Err(Refusal::parameter("Parameter template_type must be a known template type.")),
        }
    }
}

impl Element {
    fn check(&self) -> Result<(), Refusal> {
        check_title("elements[title]", &self.title, ELEMENT_TEXT)?;
        if let Some(subtitle) = &self.subtitle {
            check_title("elements[subtitle]", subtitle, ELEMENT_TEXT)?;
        }
        if self.subtitle.is_none() && self.image_url.is_none() && self.buttons.is_empty() {
            return Err(Refusal::parameter("elements need at least one more property besides the title."));
        }
        check_buttons(&self.buttons)
    }
}

impl Button {
    fn check(&self) -> Result<(), Refusal> {
        check_title("buttons[title]", &self.title, TITLE)?;
        match (self.kind.as_str(), self.payload.as_deref(), self.url.as_deref()) {
            ("postback" | "phone_number", Some(payload), _) if !payload.is_empty() => check_payload("buttons[payload]", payload),
            ("web_url", _, Some(url)) if url.starts_with("https://") || url.starts_with("http://") => Ok(()),
            _ => Err(Refusal::parameter("buttons need a type and its payload or url.")),
        }
    }
}

impl QuickReply {
    fn check(&self) -> Result<(), Refusal> {
        match self.content_type.as_str() {
            "text" => {
                check_title("quick_replies[title]", &self.title, TITLE)?;
                if self.payload.is_empty() {
                    return Err(Refusal::parameter("quick_replies[payload] must not be empty."));
                }
                check_payload("quick_replies[payload]", &self.payload)
            }
            "user_phone_number" | "user_email" => Ok(()),
            _ => Err(Refusal::parameter(
                "quick_replies[content_type] must be one of text, user_phone_number, user_email.",
            )),
        }
    }
}

/// The length as the checks count it.
#[must_use]
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn check_text(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::parameter(
            "Must provide text or attachment in message: message[text] is empty.",
        ));
    }
    if length(text) >= TEXT_UNDER {
        return Err(too_long("message[text]", TEXT_UNDER - 1));
    }
    Ok(())
}

fn check_title(parameter: &str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::parameter(format_args!("The parameter {parameter} is required.")));
    }
    if length(text) > limit {
        Err(too_long(parameter, limit))
    } else {
        Ok(())
    }
}

fn check_payload(parameter: &str, payload: &str) -> Result<(), Refusal> {
    if length(payload) > PAYLOAD {
        Err(too_long(parameter, PAYLOAD))
    } else {
        Ok(())
    }
}

fn check_buttons(buttons: &[Button]) -> Result<(), Refusal> {
    at_most_elements("buttons", buttons.len(), TEMPLATE_BUTTONS)?;
    buttons.iter().try_for_each(Button::check)
}

fn at_most_elements(parameter: &str, count: usize, limit: usize) -> Result<(), Refusal> {
    if count > limit {
        return Err(Refusal::new(105, format!("(#105) param {parameter} has too many elements.")));
    }
    Ok(())
}

fn too_long(parameter: &str, limit: usize) -> Refusal {
    Refusal::parameter(format_args!("Length of param {parameter} must be less than or equal to {limit}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(message: Value) -> Option<u32> {
        let message: OutgoingMessage = serde_json::from_value(message).unwrap();
        message.check().err().map(|refusal| refusal.code)
    }

    fn reply(title: &str, payload: &str) -> Value {
        json!({"content_type": "text", "title": title, "payload": payload})
    }

    fn template(text: &str, buttons: &[Value]) -> Value {
        json!({"attachment": {"type": "template", "payload": {"template_type": "button", "text": text, "buttons": buttons}}})
    }

    fn button(title: &str, payload: &str) -> Value {
        json!({"type": "postback", "title": title, "payload": payload})
    }

    #[test]
    fn a_text_must_stay_under_two_thousand_units() {
        assert_eq!(verdict(json!({"text": "字".repeat(1999)})), None);
        assert_eq!(verdict(json!({"text": "字".repeat(2000)})), Some(100));
        assert_eq!(verdict(json!({"text": "😀".repeat(1000)})), Some(100));
    }

    #[test]
    fn an_empty_message_is_refused() {
        assert_eq!(verdict(json!({"text": ""})), Some(100));
        assert_eq!(verdict(json!({"text": " \n"})), Some(100));
        assert_eq!(verdict(json!({})), Some(100));
        assert_eq!(
            verdict(json!({"text": "a", "attachment": {"type": "image", "payload": {"url": "https://a.cn/a.png"}}})),
            Some(100)
        );
    }

    #[test]
    fn quick_replies_are_limited_in_number_title_and_payload() {
        assert_eq!(verdict(json!({"text": "?", "quick_replies": vec![reply("是", "y"); 13]})), None);
        assert_eq!(
            verdict(json!({"text": "?", "quick_replies": vec![reply("是", "y"); 14]})),
            Some(105)
        );
        assert_eq!(verdict(json!({"text": "?", "quick_replies": [reply(&"长".repeat(20), "y")]})), None);
        assert_eq!(
            verdict(json!({"text": "?", "quick_replies": [reply(&"长".repeat(21), "y")]})),
            Some(100)
        );
        assert_eq!(
            verdict(json!({"text": "?", "quick_replies": [reply("是", &"p".repeat(1000))]})),
            None
        );
        assert_eq!(
            verdict(json!({"text": "?", "quick_replies": [reply("是", &"p".repeat(1001))]})),
            Some(100)
        );
        assert_eq!(verdict(json!({"text": "?", "quick_replies": [reply("", "y")]})), Some(100));
        assert_eq!(verdict(json!({"text": "?", "quick_replies": [reply("是", "")]})), Some(100));
        assert_eq!(
            verdict(json!({"text": "?", "quick_replies": [{"title": "是", "payload": "y"}]})),
            Some(100)
        );
    }

    #[test]
    fn a_button_template_is_limited_in_text_buttons_title_and_payload() {
        assert_eq!(verdict(template(&"问".repeat(640), &[button("转人工", "TRANSFER_LABOR")])), None);
        assert_eq!(
            verdict(template(&"问".repeat(641), &[button("转人工", "TRANSFER_LABOR")])),
            Some(100)
        );
        assert_eq!(verdict(template("", &[button("转人工", "TRANSFER_LABOR")])), Some(100));
        assert_eq!(verdict(template("问", &[])), Some(100));
        assert_eq!(verdict(template("问", &vec![button("转人工", "p"); 3])), None);
        assert_eq!(verdict(template("问", &vec![button("转人工", "p"); 4])), Some(105));
        assert_eq!(verdict(template("问", &[button(&"长".repeat(21), "p")])), Some(100));
        assert_eq!(verdict(template("问", &[button("转人工", &"p".repeat(1001))])), Some(100));
        assert_eq!(verdict(template("问", &[json!({"type": "web_url", "title": "看"})])), Some(100));
    }

    #[test]
    fn metadata_must_stay_under_a_thousand() {
        assert_eq!(verdict(json!({"text": "a", "metadata": "m".repeat(999)})), None);
        assert_eq!(verdict(json!({"text": "a", "metadata": "m".repeat(1000)})), Some(100));
    }

    #[test]
    fn an_attachment_needs_a_known_type_and_a_source() {
        assert_eq!(
            verdict(json!({"attachment": {"type": "image", "payload": {"url": "https://a.cn/a.png"}}})),
            None
        );
        assert_eq!(verdict(json!({"attachment": {"type": "image", "payload": {}}})), Some(100));
        assert_eq!(
            verdict(json!({"attachment": {"type": "hologram", "payload": {"url": "https://a.cn/a"}}})),
            Some(100)
        );
    }
}
