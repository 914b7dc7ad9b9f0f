//! One transaction of the port: find, lock, load, step, write, commit.
//!
//! Invariant: the advisory locks come in one statement, sorted, before the first write. Inserting anything before them would
//! give the transaction its number too early, and the log would be read in another order than the streams have (two transactions
//! of one stream, the earlier number committing later).

mod find;
mod lanes;
mod load;
mod locks;
pub(crate) mod write;

use std::sync::Arc;

use diesel::Connection as _;
use diesel::pg::PgConnection;
use domain::event::StreamId;
use engine::ports::{Changes, ClaimedEffect, Committed, Cursor, Scope, Step, StoreError};
use serde_json::Value;

use crate::failure::Failure;
use crate::tables::idempotency;
use crate::vault::{Identity, Known, Vault};

/// How often the locks may turn out to be the wrong ones, because a visitor became known in between.
const TRIES: usize = 3;

/// How one try ended.
enum Outcome<T> {
    Done {
        value: T,
        cursor: Option<Cursor>,
        claimed: Vec<ClaimedEffect>,
        more_effects: bool,
        met: Vec<(Identity, Arc<Known>)>,
    },
    Replayed(Value),
    KeyReused,
}

/// Carries out a step.
pub(crate) fn transact<T>(
    connection: &mut PgConnection,
    vault: &Vault,
    epoch: i64,
    scope: &Scope,
    step: &mut Step<T>,
) -> Result<Committed<T>, StoreError> {
    let mut stake = None;
    for _ in 0..TRIES {
        match connection.transaction(|connection| attempt(connection, vault, epoch, scope, step, &mut stake)) {
            Ok(outcome) => return Ok(committed(outcome, vault)),
            Err(Failure::Outdated) => {}
            Err(failure) => return Err(failure.into_store_error(stake)),
        }
    }
    Err(Failure::Outdated.into_store_error(stake))
}

fn committed<T>(outcome: Outcome<T>, vault: &Vault) -> Committed<T> {
    let nothing = Committed {
        value: None,
        replayed: None,
        key_reused: false,
        cursor: None,
        claimed: Vec::new(),
        more_effects: false,
    };
    match outcome {
        Outcome::Done {
            value,
            cursor,
            claimed,
            more_effects,
            met,
        } => {
            for (identity, known) in met {
                vault.remember(identity, known);
            }
            Committed {
                value: Some(value),
                cursor,
                claimed,
                more_effects,
                ..nothing
            }
        }
        Outcome::Replayed(answer) => Committed {
            replayed: Some(answer),
            ..nothing
        },
        Outcome::KeyReused => Committed {
            key_reused: true,
            ..nothing
        },
    }
}

fn attempt<T>(
    connection: &mut PgConnection,
    vault: &Vault,
    epoch: i64,
    scope: &Scope,
    step: &mut Step<T>,
    stake: &mut Option<(StreamId, i64)>,
) -> Result<Outcome<T>, Failure> {
    let mut found = find::find(connection, vault, scope)?;
    let now = locks::take(connection, scope, &found)?;
    find::look_again(connection, &found)?;
    if let Some(key) = &scope.idempotency
        && let Some(kept) = idempotency::find(connection, key)?
    {
        return Ok(if kept.fingerprint == key.fingerprint {
            Outcome::Replayed(kept.response)
        } else {
            Outcome::KeyReused
        });
    }
    let (loaded, lanes) = load::load(connection, vault, scope, &mut found)?;
    let (changes, value) = step(&loaded);
    *stake = at_stake(&changes);
    let written = write::write(connection, vault, scope, found, lanes, changes, now)?;
    Ok(Outcome::Done {
        value,
        cursor: written.place.map(|(recorded_in, position)| Cursor {
            epoch,
            recorded_in,
            position,
        }),
        claimed: written.claimed,
        more_effects: written.more_effects,
        met: written.met,
    })
}

/// Which stream to name where the database only says that two transactions collided.
fn at_stake(changes: &Changes) -> Option<(StreamId, i64)> {
    changes.appends.first().map(|append| (append.stream, append.expected))
}
