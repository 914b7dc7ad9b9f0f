//! Apps, callback paths and Pages at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use shared::signature::{self, AppSecret, SignatureError};
use shared::{AppId, PageId};

/// One Facebook app.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: AppId,
    /// None where the sealed secrets do not open; the reason was logged.
    pub(crate) secrets: Option<Secrets>,
}

/// What an app and Facebook share.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// One, or two during a rotation.
    pub(crate) signing: Vec<AppSecret>,
    pub(crate) verify_token: SecretString,
}

impl App {
    pub(crate) const fn is_readable(&self) -> bool {
        self.secrets.is_some()
    }

    /// Checks that this app signed the body.
    pub(crate) fn verify(&self, body: &[u8], header: Option<&[u8]>) -> Result<(), SignatureError> {
        signature::verify(body, header, self.secrets.iter().flat_map(|secrets| &secrets.signing))
    }

    /// Whether this is the token that was typed into the app's dashboard. An empty one is none.
    pub(crate) fn is_verified_by(&self, token: &str) -> bool {
        let expected = self
            .secrets
            .as_ref()
            .map(|secrets| secrets.verify_token.expose_secret())
            .unwrap_or_default();
        !expected.is_empty() && signature::same_text(token, expected)
    }
}

/// The directory at one moment.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    apps: HashMap<AppId, Arc<App>>,
    /// Callback paths; they outlive the channel.
    paths: HashMap<String, AppId>,
    /// Connected Pages.
    channels: HashMap<String, AppId>,
}

impl Picture {
    pub(crate) fn new(apps: Vec<App>, aliases: Vec<(String, AppId)>, channels: Vec<(String, AppId)>) -> Self {
        let apps = apps.into_iter().map(|app| (app.id, Arc::new(app))).collect();
        // A channel that moved to another app takes its path along.
        let paths = aliases.into_iter().chain(channels.iter().cloned()).collect();
        Self {
            apps,
            paths,
            channels: channels.into_iter().collect(),
        }
    }

    /// The app that a callback path belongs to.
    pub(crate) fn app_of(&self, path: &str) -> Option<Arc<App>> {
        self.apps.get(self.paths.get(path)?).cloned()
    }

    /// Whether a Page is connected through another app than this one. A Page that is not connected at all is nobody's yet.
    pub(crate) fn is_foreign(&self, page_id: &PageId, app: AppId) -> bool {
        self.channels.get(page_id.as_str()).is_some_and(|owner| *owner != app)
    }

    pub(crate) fn apps(&self) -> usize {
        self.apps.len()
    }

    pub(crate) fn paths(&self) -> usize {
        self.paths.len()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn app(number: u128) -> App {
        let secrets = Secrets {
            signing: AppSecret::new("secret").into_iter().collect(),
            verify_token: SecretString::from("foobar20"),
        };
        App {
            id: AppId(Uuid::from_u128(number)),
            secrets: Some(secrets),
        }
    }

    fn id(number: u128) -> AppId {
        AppId(Uuid::from_u128(number))
    }

    #[test]
    fn a_callback_path_outlives_its_channel_and_follows_it_to_another_app() {
        let aliases = vec![("111".to_owned(), id(1)), ("222".to_owned(), id(1))];
        let picture = Picture::new(vec![app(1), app(2)], aliases, vec![("222".to_owned(), id(2))]);
        assert_eq!(picture.app_of("111").unwrap().id, id(1));
        assert_eq!(picture.app_of("222").unwrap().id, id(2));
        assert!(picture.app_of("333").is_none());
    }

    #[test]
    fn a_page_is_foreign_only_when_another_app_connected_it() {
        let picture = Picture::new(
            vec![app(1), app(2)],
            vec![("333".to_owned(), id(2))],
            vec![("222".to_owned(), id(2))],
        );
        let page = |text| PageId::parse(text).unwrap();
        assert!(picture.is_foreign(&page("222"), id(1)));
        assert!(!picture.is_foreign(&page("222"), id(2)));
        assert!(!picture.is_foreign(&page("333"), id(1)));
    }

    #[test]
    fn an_app_without_a_verify_token_is_verified_by_nothing() {
        let mut app = app(1);
        assert!(app.is_verified_by("foobar20"));
        assert!(!app.is_verified_by("foobar2"));
        app.secrets.as_mut().unwrap().verify_token = SecretString::from("");
        assert!(!app.is_verified_by(""));
    }
}
