//! The built console: files, served from memory.
//!
//! Invariant: only what was in the folder at the start is ever served; a path is looked up, never opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::problem::{Problem, Refused};
use super::state::ApiState;

/// What the router of the console in the browser gets for every address of its own.
const INDEX: &str = "index.html";
/// Files in here have a hash of their content in their name.
const HASHED: &str = "assets/";

/// The built console.
#[derive(Debug, Clone, Default)]
pub struct Console {
    files: Arc<BTreeMap<String, Asset>>,
}

#[derive(Debug, Clone)]
struct Asset {
    content: Bytes,
    content_type: String,
    etag: String,
}

impl Console {
    /// Reads the folder of the built console. Without a readable one the API is served all the same.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        if let Err(error) = collect(folder, "", &mut files) {
            warn!(folder = %folder.display(), %error, "CONSOLE_DIR cannot be read; there is no console to show");
            files.clear();
        }
        Self { files: Arc::new(files) }
    }

    /// Whether there is anything to show.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.files.contains_key(INDEX)
    }

    /// The file for a path. A path that is no file is an address within the console, unless it names a hashed file: an old page
    /// that asks for a file of an older build has to learn that it is gone.
    fn find(&self, path: &str) -> Option<(&str, &Asset)> {
        let path = path.trim_start_matches('/');
        let name = if path.is_empty() { INDEX } else { path };
        match self.files.get_key_value(name) {
            Some((name, asset)) => Some((name, asset)),
            None if name.starts_with(HASHED) => None,
            None => self.files.get_key_value(INDEX).map(|(name, asset)| (name.as_str(), asset)),
        }
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Asset>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            let content = Bytes::from(fs::read(entry.path())?);
            let etag = format!("\"{}\"", hex::encode(Sha256::digest(&content)));
            let content_type = content_type(&name);
            files.insert(
                name,
                Asset {
                    content,
                    content_type,
                    etag,
                },
            );
        }
    }
    Ok(())
}

fn content_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    match (guessed.type_().as_str(), guessed.subtype().as_str()) {
        ("text", _) | ("application", "json" | "javascript") => format!("{guessed}; charset=utf-8"),
        _ => guessed.to_string(),
    }
}

/// Everything that is not the API.
pub(crate) async fn serve(request: HttpRequest, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return Err(Problem::MethodNotAllowed.into());
    }
    let (name, asset) = state.console().find(request.path()).ok_or(Problem::NotFound)?;
    let caching = if name.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = request.headers().get(IF_NONE_MATCH).and_then(|header| header.to_str().ok());
    let mut response = if known == Some(asset.etag.as_str()) {
        HttpResponse::NotModified().finish()
    } else {
        HttpResponse::Ok()
            .content_type(asset.content_type.as_str())
            .body(asset.content.clone())
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(ETAG, etag);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> Console {
        let folder = std::env::temp_dir().join(format!("console-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(folder.join("assets")).unwrap();
        fs::write(folder.join("index.html"), "<!doctype html>").unwrap();
        fs::write(folder.join("icon.svg"), "<svg/>").unwrap();
        fs::write(folder.join("assets/index-abc.js"), "1").unwrap();
        let console = Console::new(&folder);
        fs::remove_dir_all(folder).unwrap();
        console
    }

    #[test]
    fn an_address_within_the_console_gets_the_console_and_a_file_gets_the_file() {
        let console = built();
        assert_eq!(console.find("/").unwrap().0, "index.html");
        assert_eq!(console.find("/conversations/1").unwrap().0, "index.html");
        assert_eq!(console.find("/icon.svg").unwrap().1.content_type, "image/svg+xml");
        assert_eq!(
            console.find("/assets/index-abc.js").unwrap().1.content_type,
            "text/javascript; charset=utf-8"
        );
    }

    #[test]
    fn a_file_of_an_older_build_is_gone() {
        assert!(built().find("/assets/index-old.js").is_none());
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let console = built();
        for path in ["/../../etc/passwd", "//etc/passwd", "/assets/../index.html", "/%2e%2e/x"] {
            let found = console.find(path).map(|(name, _)| name.to_owned());
            assert!(found.is_none() || found.as_deref() == Some("index.html"), "{path}");
        }
    }

    #[test]
    fn without_a_built_console_there_is_nothing_to_serve() {
        let console = Console::new(Path::new("/nowhere/at/all"));
        assert!(!console.is_built() && console.find("/").is_none());
    }
}
