//! Bodies as Facebook writes them, and the samples of its documentation.

use std::path::Path;

use serde_json::Value;
use shared::signature::AppSecret;

/// The Page that a world connects first.
pub(crate) const PAGE: &str = "159955055741";

/// Facebook's signature over a body.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    AppSecret::new(secret).unwrap().sign(body)
}

/// A text message of a visitor.
pub(crate) fn message(page: &str, psid: &str, mid: &str) -> String {
    format!(
        r#"{{"sender":{{"id":"{psid}"}},"recipient":{{"id":"{page}"}},"timestamp":1700000000123,"message":{{"mid":"{mid}","text":"\u4f60\u597d {mid}"}}}}"#
    )
}

/// An entry of a Page with these events.
pub(crate) fn entry(page: &str, events: &[String]) -> String {
    format!(r#"{{"id":"{page}","time":1700000000456,"messaging":[{}]}}"#, events.join(","))
}

/// A whole body with these entries.
pub(crate) fn body(entries: &[String]) -> String {
    format!(r#"{{"object":"page","entry":[{}]}}"#, entries.join(","))
}

/// A body with one message.
pub(crate) fn one_message(mid: &str) -> String {
    body(&[entry(PAGE, &[message(PAGE, "4711", mid)])])
}

/// A captured delivery with its published signature.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) app_secret: String,
    pub(crate) raw_body: String,
    pub(crate) x_hub_signature: String,
    pub(crate) x_hub_signature_256: String,
}

impl Vector {
    pub(crate) fn page(&self) -> String {
        let body: Value = serde_json::from_str(&self.raw_body).unwrap();
        let id = &body["entry"][0]["id"];
        id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned)
    }
}

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/messenger"))
}

pub(crate) fn signature_vectors() -> Vec<Vector> {
    serde_json::from_slice(&std::fs::read(fixtures().join("signature-vectors.json")).unwrap()).unwrap()
}

/// Every documented sample, by name, with our Page wherever it prints a placeholder for one.
pub(crate) fn samples() -> Vec<(String, String)> {
    let mut samples: Vec<_> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| !path.ends_with("signature-vectors.json"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .map(|(name, text)| {
            let placeholders = ["<PAGE_ID>", "PAGE-ID", "PAGE_ID", "<page_id>"];
            (
                name,
                placeholders.iter().fold(text, |text, placeholder| {
                    text.replace(&format!("\"{placeholder}\""), &format!("\"{PAGE}\""))
                }),
            )
        })
        .collect();
    samples.sort();
    samples
}
