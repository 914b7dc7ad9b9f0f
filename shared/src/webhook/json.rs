//! Reading JSON that somebody else wrote: by key, leniently, without copying and without failing as a whole.
//!
//! Invariant: a value that has not the expected shape reads as absent. Texts may hold lone surrogates and NUL, which Facebook does send; they
//! become U+FFFD instead of an error. Numbers are never read as floats: ids have more digits than a float keeps.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Timestamp;

/// An object's keys and values as they stand in the text.
#[derive(Debug, Clone)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads an object; none when the text is anything else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Every key and value in the order of the text, repeated keys included.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// The value of a key; of a repeated key the last, like every JSON library reads it.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// An object below this one.
    pub(crate) fn object(&self, key: &str) -> Option<Object<'a>> {
        self.get(key).and_then(object)
    }

    /// The elements of an array below this object; none for anything else.
    pub(crate) fn array(&self, key: &str) -> Vec<&'a RawValue> {
        self.get(key).and_then(array).unwrap_or_default()
    }

    /// A text, or a number or a boolean as its text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(text)
    }

    /// An identity: a non-empty text, or a whole number as its digits.
    pub(crate) fn id(&self, key: &str) -> Option<String> {
        self.get(key).and_then(id)
    }

    /// True only for `true`, however it is spelled.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key).and_then(text).is_some_and(|text| text == "true")
    }

    /// A whole number, bare or as a text.
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.get(key).and_then(number)
    }

    /// A time in milliseconds or seconds, bare or as a text.
    pub(crate) fn time(&self, key: &str) -> Option<Timestamp> {
        self.number(key).map(Timestamp::from_facebook)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::with_capacity(6);
        while let Some((Text(key), value)) = map.next_entry()? {
            members.push((key, value));
        }
        Ok(Object(members))
    }
}

/// A JSON text, whatever code points it claims to hold.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for bytes, serde_json hands out lone surrogates where a text would be an error.
        deserializer.deserialize_bytes(TextBytes)
    }
}

struct TextBytes;

impl<'de> Visitor<'de> for TextBytes {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
        Ok(Text(
            std::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(mend(bytes)), Cow::Borrowed),
        ))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(mend(bytes))))
    }
}

/// UTF-8 with possible lone surrogates (3 bytes each: 0xED, 0xA0 to 0xBF, one more) as text with one U+FFFD each.
fn mend(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, invalid) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, rest.get(rest.len()..)),
            Err(error) => {
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), Some(invalid))
            }
        };
        text.push_str(valid);
        rest = match invalid.unwrap_or_default() {
            [0xED, 0xA0..=0xBF, _, after @ ..] | [_, after @ ..] => {
                text.push(char::REPLACEMENT_CHARACTER);
                after
            }
            [] => &[],
        };
    }
    text
}

/// A value as an object.
pub(crate) fn object(value: &RawValue) -> Option<Object<'_>> {
    Object::parse(value.get())
}

/// A value as the elements of an array.
pub(crate) fn array(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// A value as text: a JSON text, or a number or a boolean as written. PostgreSQL's `text` refuses NUL, so it becomes U+FFFD as well.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => {
            let Text(text) = serde_json::from_str(value.get()).ok()?;
            Some(if text.contains('\0') {
                text.replace('\0', "\u{FFFD}")
            } else {
                text.into_owned()
            })
        }
        b'{' | b'[' | b'n' => None,
        _ => Some(value.get().to_owned()),
    }
}

/// A value as an identity: a text without control characters, or a whole number as its digits. A text that had to be mended names nothing.
pub(crate) fn id(value: &RawValue) -> Option<String> {
    let raw = value.get();
    if raw.starts_with('"') {
        let text: Cow<'_, str> = serde_json::from_str(raw).ok()?;
        return (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.into_owned());
    }
    raw.bytes().all(|byte| byte.is_ascii_digit()).then(|| raw.to_owned())
}

fn number(value: &RawValue) -> Option<i64> {
    let raw = value.get();
    raw.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(raw)
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object_of(text: &str) -> Object<'_> {
        Object::parse(text).unwrap()
    }

    #[test]
    fn lone_surrogates_and_nul_become_one_replacement_character_each() {
        let object = object_of(r#"{"a":"x\ud83d y","b":"\udc00\ud83d","c":"1\u00002","d":"\ud83d\ude00","e":"\ud83d\n"}"#);
        assert_eq!(object.text("a").unwrap(), "x\u{FFFD} y");
        assert_eq!(object.text("b").unwrap(), "\u{FFFD}\u{FFFD}");
        assert_eq!(object.text("c").unwrap(), "1\u{FFFD}2");
        assert_eq!(object.text("d").unwrap(), "😀");
        assert_eq!(object.text("e").unwrap(), "\u{FFFD}\n");
    }

    #[test]
    fn a_key_with_a_lone_surrogate_does_not_hide_its_siblings() {
        assert_eq!(object_of(r#"{"\ud800":1,"a":2}"#).text("a").unwrap(), "2");
    }

    #[test]
    fn ids_keep_every_digit_whether_text_or_number() {
        let object = object_of(r#"{"a":"17510361681234567890","b":17510361681234567890,"c":1.5e3,"d":"","e":null,"f":"a\u0000"}"#);
        assert_eq!(object.id("a"), object.id("b"));
        assert_eq!(object.id("b").unwrap(), "17510361681234567890");
        for absent in ["c", "d", "e", "f", "g"] {
            assert_eq!(object.id(absent), None, "{absent}");
        }
    }

    #[test]
    fn times_are_read_from_numbers_and_texts_in_seconds_and_milliseconds() {
        let object = object_of(r#"{"a":1527459824,"b":"1527459824","c":1527459824000,"d":"TIMESTAMP","e":1.5,"f":""}"#);
        for same in ["a", "b", "c"] {
            assert_eq!(object.time(same), Some(Timestamp::from_millis(1_527_459_824_000)), "{same}");
        }
        for absent in ["d", "e", "f"] {
            assert_eq!(object.time(absent), None, "{absent}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_key_counts_and_all_are_listed() {
        let object = object_of(r#"{"a":1,"a":2}"#);
        assert_eq!(object.text("a").unwrap(), "2");
        assert_eq!(object.members().count(), 2);
    }

    #[test]
    fn a_deeply_nested_value_is_carried_without_being_read() {
        let deep = format!(r#"{{"a":{}{},"b":1}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(object_of(&deep).text("b").unwrap(), "1");
    }
}
