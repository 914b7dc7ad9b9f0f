//! Signs people in and out, and knows who is signed in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use engine::ports::StoreError;
use futures::future::BoxFuture;
use secrecy::SecretString;
use shared::{PersonId, Timestamp};
use store::queries::{NewSession, Queries, SessionRecord};
use tracing::{error, info};

use super::problem::{Problem, Refused};
use super::session::password::Passwords;
use super::session::throttle::Throttle;
use super::session::token::{NoRandomness, SessionToken, draw_csrf_token};
use crate::feed::{Viewer, Witness};

/// The cookie that carries a session's token.
pub(super) const SESSION_COOKIE: &str = "frontdesk_session";
/// A session that is not used ends after so long.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// No session lasts longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A session is prolonged at most so often: reading would otherwise write every time.
const PROLONG_EVERY: Duration = Duration::from_secs(5 * 60);

/// Signs people in and out.
#[derive(Clone)]
pub struct Doorkeeper {
    queries: Queries,
    passwords: Passwords,
    throttle: Arc<Throttle>,
    secure: bool,
}

/// A session that has just begun.
pub struct Begun {
    /// What the cookie carries.
    pub token: SessionToken,
    /// The session.
    pub session: SessionRecord,
}

impl Doorkeeper {
    pub(crate) fn new(queries: Queries, passwords: Passwords, secure: bool) -> Self {
        Self {
            queries,
            passwords,
            throttle: Arc::default(),
            secure,
        }
    }

    /// Begins a session for whoever knows login and password.
    ///
    /// # Errors
    /// `wrong_credentials` without a word on which of the two, `too_many_attempts`, `unavailable`.
    pub async fn sign_in(&self, login: String, password: SecretString, address: Option<IpAddr>, now: Timestamp) -> Result<Begun, Refused> {
        let attempt = self
            .throttle
            .begin(&login, address, now)
            .map_err(|wait| Problem::TooManyAttempts.until(wait))?;
        let known = self.queries.credentials(login.trim().to_owned()).await?;
        let (person, hash) = known.map_or((None, None), |known| (Some(known.person), known.password_hash));
        let is_right = self.passwords.is_right(password, hash).await.map_err(broken)?;
        let Some(person) = person.filter(|_| is_right) else {
            info!("an attempt to sign in failed");
            return Err(Problem::WrongCredentials.into());
        };
        self.throttle.succeed(attempt);
        self.begin(person, now).await
    }

    async fn begin(&self, person: PersonId, now: Timestamp) -> Result<Begun, Refused> {
        let token = SessionToken::draw().map_err(broken)?;
        let csrf = draw_csrf_token().map_err(|error: NoRandomness| broken(error))?;
        let session = NewSession {
            token_hash: token.hash(),
            person,
            csrf,
            at: now,
            expires_at: now.plus(IDLE),
        };
        self.queries.begin_session(session).await?;
        // Read back: the person may have been disabled in between.
        let session = self.queries.session(token.hash(), now).await?.ok_or(Problem::WrongCredentials)?;
        info!(person = %person, "signed in");
        Ok(Begun { token, session })
    }

    /// The session behind a token, if it stands. Using it prolongs it.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn session(&self, token: &SessionToken, now: Timestamp) -> Result<Option<SessionRecord>, Refused> {
        let Some(session) = self.queries.session(token.hash(), now).await? else {
            return Ok(None);
        };
        let wished = now.plus(IDLE).min(session.created_at.plus(LONGEST));
        if wished.since(session.expires_at) >= PROLONG_EVERY {
            self.queries.prolong_session(token.hash(), wished, LONGEST).await?;
        }
        Ok(Some(session))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sign_out(&self, token: &SessionToken) -> Result<(), Refused> {
        Ok(self.queries.end_session(token.hash()).await?)
    }

    /// The cookie of a session.
    #[must_use]
    pub fn cookie(&self, token: &SessionToken) -> Cookie<'static> {
        self.cookie_with(token.reveal(), LONGEST)
    }

    /// The cookie that removes the one of a session.
    #[must_use]
    pub fn no_cookie(&self) -> Cookie<'static> {
        self.cookie_with(String::new(), Duration::ZERO)
    }

    fn cookie_with(&self, value: String, age: Duration) -> Cookie<'static> {
        Cookie::build(SESSION_COOKIE, value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure)
            .max_age(CookieAge::try_from(age).unwrap_or(CookieAge::ZERO))
            .finish()
    }

    /// Looks up again, while a console listens, whether its session stands. Listening alone does not prolong it.
    pub(crate) fn witness(&self, token: SessionToken, now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Arc<dyn Witness> {
        Arc::new(SessionWitness {
            queries: self.queries.clone(),
            token,
            now,
        })
    }
}

struct SessionWitness {
    queries: Queries,
    token: SessionToken,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Witness for SessionWitness {
    fn viewer(&self) -> BoxFuture<'_, Result<Option<Viewer>, StoreError>> {
        Box::pin(async move {
            let session = self.queries.session(self.token.hash(), (self.now)()).await?;
            Ok(session.map(|session| Viewer::of(session.person.id, &session.person.account())))
        })
    }
}

fn broken(error: impl std::error::Error) -> Refused {
    error!(%error, "signing in does not work");
    Problem::Internal.into()
}
