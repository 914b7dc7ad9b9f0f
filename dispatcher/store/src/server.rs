//! What the store demands of a server, and what it keeps about the cluster itself.

use diesel::Connection as _;
use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use engine::ports::StoreError;
use rand::RngCore as _;
use shared::sealing::Keyring;

use crate::failure::{Failure, unreadable};
use crate::statement::statement;

/// A server that may lose what it has promised, or whose errors cannot be told apart.
#[derive(Debug, thiserror::Error)]
pub enum UnsafeServer {
    /// A setting that lets committed work disappear.
    #[error("PostgreSQL runs with {setting} = {value}: committed messages may be lost; set {setting} = on")]
    Loses {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// Messages in a language that the store does not read.
    #[error(
        "PostgreSQL writes its messages in {locale}: the store tells errors apart by their English text; \
         run ALTER DATABASE … SET lc_messages = 'C'"
    )]
    Foreign {
        /// The locale of the messages.
        locale: String,
    },
    /// The server did not answer.
    #[error("the server cannot be checked")]
    Unreachable(#[from] StoreError),
}

/// The settings of a server that matter here.
pub(crate) struct Settings {
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
    lc_messages: String,
}

pub(crate) fn settings(connection: &mut PgConnection) -> Result<Settings, Failure> {
    let (fsync, full_page_writes, synchronous_commit, lc_messages) = statement::<(Text, Text, Text, Text)>(
        "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
                current_setting('lc_messages')",
    )
    .get_result(connection)?;
    Ok(Settings {
        fsync,
        full_page_writes,
        synchronous_commit,
        lc_messages,
    })
}

impl Settings {
    pub(crate) fn check(self) -> Result<(), UnsafeServer> {
        let promises = [
            ("fsync", self.fsync),
            ("full_page_writes", self.full_page_writes),
            ("synchronous_commit", self.synchronous_commit),
        ];
        for (setting, value) in promises {
            if value == "off" {
                return Err(UnsafeServer::Loses { setting, value });
            }
        }
        let locale = self.lc_messages;
        let is_english = locale == "C" || locale == "POSIX" || locale.starts_with("C.") || locale.starts_with("en");
        // An empty one means the server's environment, which nobody here can see.
        if is_english {
            Ok(())
        } else {
            Err(UnsafeServer::Foreign { locale })
        }
    }
}

/// The epoch of the log. In another cluster transaction numbers begin anew: then the epoch rises, and what the log brought along
/// counts as older than everything that is written from now on.
pub(crate) fn epoch(connection: &mut PgConnection) -> Result<i64, Failure> {
    connection.transaction(|connection| {
        let (epoch, is_moved, is_foreign): (i64, bool, bool) = statement::<(BigInt, Bool, Bool)>(
            "SELECT e.epoch, e.cluster <> s.system_identifier || '/' || c.timeline_id,
                    split_part(e.cluster, '/', 1) <> s.system_identifier::text
             FROM log_epoch e, pg_control_system() s, pg_control_checkpoint() c FOR UPDATE OF e",
        )
        .get_result(connection)?;
        if is_foreign {
            statement::<()>("UPDATE event_log SET recorded_in = 0 WHERE recorded_in > 0").execute(connection)?;
        }
        if !is_moved {
            return Ok(epoch);
        }
        let (epoch,): (i64,) = statement::<(BigInt,)>(
            "UPDATE log_epoch e SET epoch = e.epoch + 1, cluster = s.system_identifier || '/' || c.timeline_id
             FROM pg_control_system() s, pg_control_checkpoint() c RETURNING e.epoch",
        )
        .get_result(connection)?;
        Ok(epoch)
    })
}

const IDENTITY: &str = "service_key:identity";

/// The key of the visitors' keyed hashes. It is drawn once and kept sealed, not derived from the master key: identities have to stay the
/// same when that one is rotated.
pub(crate) fn identity_key(connection: &mut PgConnection, keyring: &Keyring) -> Result<Vec<u8>, Failure> {
    let mut fresh = [0; 32];
    rand::rng().fill_bytes(&mut fresh);
    let mut nonce = [0; 24];
    rand::rng().fill_bytes(&mut nonce);
    statement::<()>("INSERT INTO service_key (name, sealed) VALUES ('identity', ?) ON CONFLICT (name) DO NOTHING")
        .bind::<Binary, _>(keyring.seal(nonce, IDENTITY.as_bytes(), &fresh))
        .execute(connection)?;
    let (sealed,): (Vec<u8>,) = statement::<(Binary,)>("SELECT sealed FROM service_key WHERE name = 'identity'").get_result(connection)?;
    Ok(keyring
        .open(IDENTITY.as_bytes(), &sealed)
        .map_err(|_refused| unreadable(IDENTITY))?)
}
