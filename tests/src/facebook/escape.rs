//! Facebook's JSON: everything beyond ASCII, and a few characters of ASCII, are written as escapes. The signature is over these
//! bytes, which is why a receiver that decodes and encodes again rejects every Chinese message.

use std::fmt::Write;

use serde::Serialize;

/// Escapes JSON text the way Facebook does.
///
/// A character that is escaped here can stand only within a string, so the text is mapped character by character.
#[must_use]
pub fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 2);
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            '<' | '%' | '@' => push_units(&mut escaped, character),
            _ if character.is_ascii() => escaped.push(character),
            _ => push_units(&mut escaped, character),
        }
    }
    escaped
}

/// Serializes a value as Facebook would.
///
/// # Errors
/// When the value has no JSON form.
pub fn to_escaped_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(escape_json(&serde_json::to_string(value)?))
}

fn push_units(escaped: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _written = write!(escaped, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn letters_beyond_ascii_become_lower_case_escapes() {
        assert_eq!(escape_json("\"äöå 运\""), r#""\u00e4\u00f6\u00e5 \u8fd0""#);
    }

    #[test]
    fn an_emoji_becomes_a_surrogate_pair() {
        assert_eq!(escape_json("\"😀\""), r#""\ud83d\ude00""#);
    }

    #[test]
    fn slash_less_than_percent_and_at_are_escaped() {
        assert_eq!(escape_json(r#""a/b<c%d@e""#), r#""a\/b\u003cc\u0025d\u0040e""#);
    }

    #[test]
    fn a_reader_gets_the_original_back() {
        let value = json!({"text": "你好 <b>50%</b> \"quoted\" \\ https://例子.cn/@me 😀\n", "n": 1});
        let escaped = to_escaped_json(&value).unwrap();
        assert!(escaped.is_ascii());
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }
}
