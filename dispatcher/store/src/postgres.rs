//! The port, kept by PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use diesel::pg::PgConnection;
use domain::agent::Agent;
use domain::conversation::Conversation;
use domain::event::{Actor, Event, StreamId, StreamKind};
use domain::routing::Floor;
use engine::ports::{ClaimedEffect, Committed, Cursor, EffectRef, Lease, LogPage, ReadEvent, RelayId, Scope, Step, Store, StoreError};
use serde::Deserialize;
use serde_json::Value;
use shared::sealing::Keyring;
use shared::{ConversationId, EffectId, PersonId, Timestamp, VisitorId};
use uuid::Uuid;

use crate::config::StoreConfig;
use crate::directory::Directory;
use crate::failure::{Failure, unreadable};
use crate::instant::{from_pg, to_pg};
use crate::pool::Pool;
use crate::server::{self, UnsafeServer};
use crate::tables::event_log::LogRow;
use crate::tables::outbox::{self, ClaimedRow};
use crate::tables::{directory, event_log, lane, lease, quarantine, streams};
use crate::transact;
use crate::transact::write::event_place;
use crate::vault::{Known, Vault, place};

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct PgStore {
    writers: Pool,
    relay: Pool,
    readers: Pool,
    vault: Arc<Vault>,
    epoch: i64,
}

impl std::fmt::Debug for PgStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PgStore")
    }
}

impl PgStore {
    /// Connects to a migrated database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it is not reachable or not migrated; [`StoreError::Unreadable`] where it was sealed
    /// with keys that are not on the ring.
    pub async fn connect(config: StoreConfig, keyring: Keyring) -> Result<Self, StoreError> {
        let pools = tokio::task::spawn_blocking(move || {
            let pool = |size| Pool::connect(&config, size);
            Ok::<_, StoreError>((pool(config.writers)?, pool(config.relay)?, pool(config.readers)?))
        });
        let (writers, relay, readers) = pools.await.map_err(|error| StoreError::Unavailable(Box::new(error)))??;
        let (epoch, vault) = readers
            .run(move |connection| {
                let epoch = server::epoch(connection)?;
                let key = server::identity_key(connection, &keyring)?;
                let vault = Vault::new(keyring, &key).ok_or_else(|| unreadable("service_key:identity"))?;
                Ok((epoch, vault))
            })
            .await?;
        Ok(Self {
            writers,
            relay,
            readers,
            vault: Arc::new(vault),
            epoch,
        })
    }

    /// Refuses a server that may lose what it has promised.
    ///
    /// # Errors
    /// [`UnsafeServer`] with the setting and the mend.
    pub async fn check_server(&self) -> Result<(), UnsafeServer> {
        self.readers.run(server::settings).await?.check()
    }

    /// What adapters need to reach Facebook and the bots.
    #[must_use]
    pub fn directory(&self) -> Directory {
        Directory::new(self.readers.clone(), Arc::clone(&self.vault))
    }

    async fn claims<F>(&self, claim: F) -> Result<Vec<ClaimedEffect>, StoreError>
    where
        F: FnOnce(&mut PgConnection) -> Result<Vec<ClaimedRow>, Failure> + Send + 'static,
    {
        let vault = Arc::clone(&self.vault);
        self.relay
            .run(move |connection| {
                let rows = claim(connection)?;
                if rows.is_empty() {
                    return Ok(Vec::new());
                }
                let visitors = vault.visitors(connection, rows.iter().map(|row| row.visitor))?;
                Ok(rows.into_iter().filter_map(|row| claimed(&visitors, row)).collect())
            })
            .await
    }
}

/// Opens an effect. One that does not open stays where it is, claimed by nobody who could do it, and is called out.
pub(crate) fn claimed(visitors: &BTreeMap<VisitorId, Arc<Known>>, row: ClaimedRow) -> Option<ClaimedEffect> {
    let effect = visitors.get(&row.visitor).and_then(|known| {
        let plain = known.open(&place("effect", row.id.0), &row.body).ok()?;
        Some((known, serde_json::from_slice(&plain).ok()?))
    });
    let Some((known, effect)) = effect else {
        tracing::error!(effect.id = %row.id, "an effect does not open");
        return None;
    };
    Some(ClaimedEffect {
        id: row.id,
        visitor: row.visitor,
        page: known.page.clone(),
        party: known.party.clone(),
        effect,
        attempt: u32::try_from(row.attempt).unwrap_or_default(),
        started: row.started,
        leased_until: row.leased_until.unwrap_or_default(),
    })
}

#[derive(Deserialize)]
struct Metadata {
    actor: Actor,
}

/// Opens an event of the log. Its content is empty where the visitor's key was destroyed.
pub(crate) fn opened(vault: &Vault, visitors: &BTreeMap<VisitorId, Arc<Known>>, row: LogRow) -> Result<ReadEvent, Failure> {
    let stream: StreamId = row.stream.parse().map_err(|_not_a_stream| unreadable(&row.stream))?;
    let visitor = row.visitor.map(VisitorId);
    let at = event_place(&row.stream, row.version);
    let content = match (&row.sealed, visitor) {
        (None, _) => None,
        (Some(sealed), None) => Some(vault.open_content(None, &at, sealed)?),
        (Some(sealed), Some(id)) => match visitors.get(&id) {
            Some(known) => Some(vault.open_content(Some(known), &at, sealed)?),
            None => None,
        },
    };
    let payload: Value = row.payload.value().map_err(|_unreadable| unreadable(&row.stream))?;
    let metadata: Metadata = row.metadata.read().map_err(|_unreadable| unreadable(&row.stream))?;
    let event = Event::decode(stream.kind, &row.event_type, row.schema_version, &payload, content);
    Ok(ReadEvent {
        cursor: Cursor {
            epoch: 0,
            recorded_in: row.recorded_in,
            position: row.position,
        },
        stream,
        version: row.version,
        visitor,
        event: event.map_err(|_unreadable| unreadable(&row.stream))?,
        occurred_at: from_pg(row.occurred_at),
        actor: metadata.actor,
        audience: row.audience,
    })
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

impl Store for PgStore {
    async fn transact<T: Send + 'static>(&self, scope: Scope, mut step: Step<T>) -> Result<Committed<T>, StoreError> {
        let (vault, epoch) = (Arc::clone(&self.vault), self.epoch);
        self.writers
            .run(move |connection| Ok(transact::transact(connection, &vault, epoch, &scope, &mut step)?))
            .await
    }

    async fn claim(&self, relay: RelayId, now: Timestamp, most: usize, lease: Duration) -> Result<Vec<ClaimedEffect>, StoreError> {
        let (at, until) = (to_pg(now)?, to_pg(now.plus(lease))?);
        self.claims(move |connection| outbox::claim(connection, relay, at, limit(most), until))
            .await
    }

    async fn start_attempts(&self, relay: RelayId, effects: Vec<EffectRef>) -> Result<BTreeSet<EffectId>, StoreError> {
        self.relay.run(move |connection| outbox::start(connection, relay, &effects)).await
    }

    async fn lapsed(&self, relay: RelayId, now: Timestamp, most: usize, lease: Duration) -> Result<Vec<ClaimedEffect>, StoreError> {
        let (at, until) = (to_pg(now)?, to_pg(now.plus(lease))?);
        self.claims(move |connection| {
            lane::forget_quiet(connection, at, limit(most))?;
            outbox::lapsed(connection, relay, at, limit(most), until)
        })
        .await
    }

    async fn renew(&self, relay: RelayId, effects: Vec<EffectId>, now: Timestamp, lease: Duration) -> Result<(), StoreError> {
        if effects.is_empty() {
            return Ok(());
        }
        let until = to_pg(now.plus(lease))?;
        self.relay
            .run(move |connection| outbox::renew(connection, relay, &effects, until))
            .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.relay.run(lane::next_due).await
    }

    async fn read_log(&self, after: Cursor, most: usize) -> Result<LogPage, StoreError> {
        let (vault, epoch) = (Arc::clone(&self.vault), self.epoch);
        // A place in another cluster's log is no place here.
        let from = if after.epoch == epoch {
            after
        } else {
            Cursor {
                epoch,
                ..Cursor::default()
            }
        };
        self.readers
            .run(move |connection| {
                let rows = event_log::after(connection, from.recorded_in, from.position, limit(most))?;
                let sealed = rows.iter().filter(|row| row.sealed.is_some());
                let visitors = vault.visitors(connection, sealed.filter_map(|row| row.visitor.map(VisitorId)))?;
                let events = rows.into_iter().map(|row| {
                    let mut event = opened(&vault, &visitors, row)?;
                    event.cursor.epoch = epoch;
                    Ok(event)
                });
                let events = events.collect::<Result<Vec<ReadEvent>, Failure>>()?;
                Ok(LogPage {
                    next: events.last().map_or(from, |event| event.cursor),
                    full: events.len() == most && most > 0,
                    events,
                })
            })
            .await
    }

    async fn head(&self) -> Result<Cursor, StoreError> {
        let epoch = self.epoch;
        self.readers.run(move |connection| event_log::horizon(connection, epoch)).await
    }

    async fn floor(&self) -> Result<(Floor, Cursor), StoreError> {
        let epoch = self.epoch;
        self.readers
            .run(move |connection| {
                // One snapshot, so that no change falls between the floor and its cursor.
                let mut transaction = connection.build_transaction().repeatable_read().read_only();
                transaction.run(|connection| Ok((floor(connection)?, event_log::horizon(connection, epoch)?)))
            })
            .await
    }

    async fn lease(&self, name: &'static str, holder: Uuid, now: Timestamp, span: Duration) -> Result<Option<Lease>, StoreError> {
        let (at, until) = (to_pg(now)?, to_pg(now.plus(span))?);
        let epoch = self
            .readers
            .run(move |connection| lease::take(connection, name, holder, at, until))
            .await?;
        Ok(epoch.map(|epoch| Lease { epoch }))
    }

    async fn release(&self, name: &'static str, holder: Uuid) -> Result<(), StoreError> {
        self.readers.run(move |connection| lease::release(connection, name, holder)).await
    }

    async fn redrivable(&self, most: usize) -> Result<Vec<(Uuid, String, Vec<u8>)>, StoreError> {
        let vault = Arc::clone(&self.vault);
        self.readers
            .run(move |connection| quarantine::redrivable(connection, &vault, limit(most)))
            .await
    }
}

fn floor(connection: &mut PgConnection) -> Result<Floor, Failure> {
    let mut floor = Floor::default();
    for (name, head) in streams::on_floor(connection)? {
        let stream: StreamId = name.parse().map_err(|_not_a_stream| unreadable(&name))?;
        match stream.kind {
            StreamKind::Conversation => floor.place(ConversationId(stream.id), &head.state::<Conversation>(&name)?),
            StreamKind::Agent => {
                let agent: Agent = head.state(&name)?;
                floor.seat(PersonId(stream.id), agent.presence, agent.active, agent.last_engaged);
            }
            _ => {}
        }
    }
    for (id, person) in directory::people(connection)? {
        floor.enrol(id, &person);
    }
    Ok(floor)
}
