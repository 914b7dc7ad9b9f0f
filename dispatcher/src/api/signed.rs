//! Who asks, and what they may.
//!
//! Invariant: [`Signed::may`] and [`Signed::over_oneself`] are the only makers of [`Granted`].

use std::future::{Ready, ready};

use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest};
use domain::permission::{Permission, Role, Unit, may};
use shared::PersonId;
use store::queries::{PersonRecord, SessionRecord, Sight};

use super::doorkeeper::SESSION_COOKIE;
use super::problem::{Problem, Refused};
use super::session::token::{SessionToken, is_csrf_token};
use super::state::ApiState;

/// The header that a request which changes something must carry.
const CSRF_HEADER: &str = "X-CSRF-Token";

/// A signed-in person.
#[derive(Clone)]
pub struct Signed {
    token: SessionToken,
    session: SessionRecord,
}

/// The proof that somebody may do something. Whatever reads or changes asks for one.
#[derive(Debug)]
pub struct Granted {
    actor: PersonId,
}

impl Granted {
    /// Who may.
    #[must_use]
    pub const fn actor(&self) -> PersonId {
        self.actor
    }
}

impl Signed {
    /// Somebody who has just signed in.
    pub(super) const fn new(token: SessionToken, session: SessionRecord) -> Self {
        Self { token, session }
    }

    /// The person.
    #[must_use]
    pub const fn person(&self) -> &PersonRecord {
        &self.session.person
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &SessionRecord {
        &self.session
    }

    /// The session's token.
    #[must_use]
    pub const fn token(&self) -> &SessionToken {
        &self.token
    }

    /// Whether the person may do this there. The one question that every handler asks.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn may(&self, permission: Permission, unit: Unit) -> Result<Granted, Refused> {
        if may(&self.person().account(), permission, unit) {
            Ok(Granted { actor: self.person().id })
        } else {
            Err(Problem::NotPermitted.into())
        }
    }

    /// Everybody may see and end the own session.
    #[must_use]
    pub const fn over_oneself(&self) -> Granted {
        Granted {
            actor: self.session.person.id,
        }
    }

    /// Which conversations the person may see.
    #[must_use]
    pub fn sight(&self) -> Sight {
        match self.person().role {
            Role::Administrator => Sight::Everything,
            Role::Agent => Sight::Groups(self.person().skill_groups.iter().copied().collect()),
        }
    }

    /// Whether the person may end what somebody else serves.
    #[must_use]
    pub fn disposes_of_all(&self) -> bool {
        self.may(Permission::ConversationAssign, Unit::Everywhere).is_ok()
    }

    /// What the person may do everywhere, or at least in one of the own groups.
    #[must_use]
    pub fn permissions(&self) -> Vec<Permission> {
        let person = self.person().account();
        let units: Vec<Unit> = person
            .skill_groups
            .iter()
            .copied()
            .map(Unit::SkillGroup)
            .chain([Unit::Everywhere])
            .collect();
        Permission::ALL
            .into_iter()
            .filter(|permission| units.iter().any(|unit| may(&person, *permission, *unit)))
            .collect()
    }
}

/// What looking up the session of a request came to; kept in the request for [`Signed`].
struct LookedUp(Result<Option<Signed>, Refused>);

/// Looks up, before the handler, who is signed in. It refuses nothing by itself: handlers do, by asking for [`Signed`].
pub(crate) async fn look_up_session(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, Error> {
    let token = request
        .cookie(SESSION_COOKIE)
        .and_then(|cookie| SessionToken::parse(cookie.value()));
    let state = request.app_data::<Data<ApiState>>().cloned();
    let found = match (token, state) {
        (Some(token), Some(state)) => state
            .doorkeeper()
            .session(&token, state.now())
            .await
            .map(|session| session.map(|session| Signed { token, session })),
        _ => Ok(None),
    };
    request.extensions_mut().insert(LookedUp(found));
    next.call(request).await
}

impl FromRequest for Signed {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(signed(request))
    }
}

fn signed(request: &HttpRequest) -> Result<Signed, Refused> {
    let extensions = request.extensions();
    let found = extensions.get::<LookedUp>().map_or(Ok(None), |looked_up| looked_up.0.clone());
    let signed = found?.ok_or(Problem::NotSignedIn)?;
    let reads = *request.method() == Method::GET || *request.method() == Method::HEAD;
    let given = request.headers().get(CSRF_HEADER).and_then(|header| header.to_str().ok());
    if reads || given.is_some_and(|given| is_csrf_token(given, &signed.session.csrf)) {
        Ok(signed)
    } else {
        Err(Problem::CsrfTokenMissing.into())
    }
}
