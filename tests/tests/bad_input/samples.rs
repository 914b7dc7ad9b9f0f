//! The sample payloads, with ids in every place that stands for one.

use std::path::Path;

/// The Page of the samples.
pub(crate) const PAGE: &str = "159955055741";

/// A sample and what it is called.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) body: String,
}

pub(crate) fn all() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messenger");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut samples = Vec::new();
    for file in files {
        let (name, text) = (
            file.file_stem().unwrap().to_string_lossy().into_owned(),
            std::fs::read_to_string(&file).unwrap(),
        );
        if name == "signature-vectors" {
            let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            samples.extend(vectors.iter().map(|vector| Sample {
                name: vector["name"].as_str().unwrap().to_owned(),
                body: vector["raw_body"].as_str().unwrap().to_owned(),
            }));
        } else {
            samples.push(Sample {
                name,
                body: with_ids(&text),
            });
        }
    }
    assert!(samples.len() > 40, "the fixtures are there");
    samples
}

fn with_ids(sample: &str) -> String {
    let placeholders = ["<PAGE_ID>", "PAGE-ID", "PAGE_ID", "<page_id>"];
    placeholders.iter().fold(sample.to_owned(), |text, placeholder| {
        text.replace(&format!("\"{placeholder}\""), &format!("\"{PAGE}\""))
    })
}
