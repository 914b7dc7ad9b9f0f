//! Who is signed in. Not part of the event log: a session is worth nothing once it is over.
//!
//! Invariant: only the hash of a session's token is ever written.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query};
use domain::directory::field;
use engine::ports::StoreError;
use shared::{PersonId, Timestamp};
use uuid::Uuid;

use super::Queries;
use super::person::{COLUMNS, PersonRecord, PersonRow};
use super::row::{instant, timestamptz};
use super::secrets::Secrets;

/// What a sign-in is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub person: PersonId,
    /// The argon2id hash of the password.
    pub password_hash: Option<String>,
}

/// A session that begins.
#[derive(Clone)]
pub struct NewSession {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// What the console proves itself with.
    pub csrf: String,
    /// Now.
    pub at: Timestamp,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

/// A session that stands.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Whose, as they are now.
    pub person: PersonRecord,
    /// What the console proves itself with.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

#[derive(QueryableByName)]
struct SessionRow {
    #[diesel(embed)]
    person: PersonRow,
    #[diesel(sql_type = Text)]
    csrf: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct CredentialsRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bytea)]
    secrets: Vec<u8>,
}

impl Queries {
    /// What a sign-in with this login is checked against; `None` where nobody may sign in so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn credentials(&self, login: String) -> Result<Option<Credentials>, StoreError> {
        let keyring = self.keyring.clone();
        self.run(move |connection| {
            let row = sql_query("SELECT id, secrets FROM person WHERE login = $1 AND enabled")
                .bind::<Text, _>(login)
                .get_result::<CredentialsRow>(connection)
                .optional()?;
            Ok(row.map(|row| Credentials {
                person: PersonId(row.id),
                password_hash: Secrets::open(&keyring, "person", row.id, &row.secrets).take(field::PASSWORD_HASH),
            }))
        })
        .await
    }

    /// Begins a session, and sweeps up those that are over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_session(&self, session: NewSession) -> Result<(), StoreError> {
        self.run(move |connection| {
            sql_query("DELETE FROM session WHERE expires_at <= $1")
                .bind::<Timestamptz, _>(timestamptz(session.at))
                .execute(connection)?;
            sql_query("INSERT INTO session (token_hash, person, csrf, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
                .bind::<Bytea, _>(session.token_hash.as_slice())
                .bind::<SqlUuid, _>(session.person.0)
                .bind::<Text, _>(&session.csrf)
                .bind::<Timestamptz, _>(timestamptz(session.at))
                .bind::<Timestamptz, _>(timestamptz(session.expires_at))
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// The session behind a token, if it stands and its person may still sign in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, token_hash: [u8; 32], now: Timestamp) -> Result<Option<SessionRecord>, StoreError> {
        self.run(move |connection| {
            let statement = format!(
                "SELECT {COLUMNS}, s.csrf, s.created_at, s.expires_at
                 FROM session s JOIN person p ON p.id = s.person
                 WHERE s.token_hash = $1 AND s.expires_at > $2 AND p.enabled"
            );
            let row = sql_query(statement)
                .bind::<Bytea, _>(token_hash.as_slice())
                .bind::<Timestamptz, _>(timestamptz(now))
                .get_result::<SessionRow>(connection)
                .optional()?;
            row.map(|row| {
                Ok(SessionRecord {
                    person: row.person.record()?,
                    csrf: row.csrf,
                    created_at: instant(row.created_at),
                    expires_at: instant(row.expires_at),
                })
            })
            .transpose()
        })
        .await
    }

    /// Lets a session last until `expires_at`, but no longer than `longest` after it began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prolong_session(&self, token_hash: [u8; 32], expires_at: Timestamp, longest: Duration) -> Result<(), StoreError> {
        let most_ms = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
        self.run(move |connection| {
            sql_query(
                "UPDATE session SET expires_at = greatest(expires_at, least($2, created_at + $3 * interval '1 millisecond'))
                 WHERE token_hash = $1",
            )
            .bind::<Bytea, _>(token_hash.as_slice())
            .bind::<Timestamptz, _>(timestamptz(expires_at))
            .bind::<diesel::sql_types::BigInt, _>(most_ms)
            .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        self.run(move |connection| {
            sql_query("DELETE FROM session WHERE token_hash = $1")
                .bind::<Bytea, _>(token_hash.as_slice())
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Ends every session of a person but perhaps one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions_of(&self, person: PersonId, but: Option<[u8; 32]>) -> Result<(), StoreError> {
        self.run(move |connection| {
            sql_query("DELETE FROM session WHERE person = $1 AND token_hash IS DISTINCT FROM $2")
                .bind::<SqlUuid, _>(person.0)
                .bind::<Nullable<Bytea>, _>(but.map(Vec::from))
                .execute(connection)?;
            Ok(())
        })
        .await
    }
}
