//! A session, as the console sees it.

use domain::permission::{Permission, Role};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::presence::PresenceView;
use crate::api::problem::Refused;
use crate::api::signed::Signed;
use crate::api::state::ApiState;
use crate::api::words;

/// Who is signed in, and what they may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    person: SessionPerson,
    /// What the person may do, at least in one of the own groups.
    #[schema(schema_with = words::permissions)]
    permissions: Vec<Permission>,
    /// For the header X-CSRF-Token.
    csrf_token: String,
    presence: Option<PresenceView>,
}

/// The person who is signed in.
#[derive(Serialize, ToSchema)]
struct SessionPerson {
    id: Uuid,
    login: String,
    name: String,
    public_name: String,
    #[schema(schema_with = words::role)]
    role: Role,
    skill_groups: Vec<Uuid>,
}

impl Session {
    pub(super) async fn of(state: &ApiState, signed: &Signed) -> Result<Self, Refused> {
        let granted = signed.over_oneself();
        let presence = state.read(&granted).presence(granted.actor()).await?;
        let person = signed.person();
        Ok(Self {
            person: SessionPerson {
                id: person.id.0,
                login: person.login.clone(),
                name: person.name.clone(),
                public_name: person.public_name.clone(),
                role: person.role,
                skill_groups: person.skill_groups.iter().map(|group| group.0).collect(),
            },
            permissions: signed.permissions(),
            csrf_token: signed.session().csrf.clone(),
            presence: presence.map(PresenceView::of),
        })
    }
}
