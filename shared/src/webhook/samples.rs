//! The sample payloads, for tests: what Facebook's documentation prints, with ids where it prints placeholders.

/// The Page of the samples.
pub(crate) const PAGE: &str = "159955055741";

/// A sample with a Page id in every place that stands for one.
pub(crate) fn with_ids(sample: &str) -> String {
    ["<PAGE_ID>", "PAGE-ID", "PAGE_ID", "<page_id>"]
        .iter()
        .fold(sample.to_owned(), |text, placeholder| {
            text.replace(&format!("\"{placeholder}\""), &format!("\"{PAGE}\""))
        })
}

/// Every sample body, and the bodies of the signature vectors.
pub(crate) fn all() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/messenger");
    let mut samples: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.sort();
    let name = |path: &std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut bodies = Vec::new();
    for path in &samples {
        let text = std::fs::read_to_string(path).unwrap();
        if name(path) == "signature-vectors" {
            let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            bodies.extend(vectors.iter().map(|vector| {
                (
                    vector["name"].as_str().unwrap().to_owned(),
                    vector["raw_body"].as_str().unwrap().to_owned(),
                )
            }));
        } else {
            bodies.push((name(path), with_ids(&text)));
        }
    }
    bodies
}
