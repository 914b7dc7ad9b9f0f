//! The faults of the platform, set while it runs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::trigger::{Dice, Trigger};

/// Which faults strike. A field left out of the JSON is off.
///
/// They strike calls that send a message, after the token was checked; signs such as typing are spared, so that a count means messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The call is held and cut; the message is not accepted.
    pub timeout_before: Trigger,
    /// The message is accepted; then the call is held and cut.
    pub timeout_after: Trigger,
    /// How long such a call is held. 0 cuts at once.
    pub hold_ms: u64,
    /// 503 with a gateway's page; the message is not accepted.
    pub server_error: Trigger,
    /// An error of Graph; the message is not accepted.
    pub error: Option<ErrorFault>,
    /// A webhook that was answered with 200 comes once more.
    pub duplicate_webhook: Trigger,
    /// The echo comes `echo_delay_ms` late.
    pub delay_echo: Trigger,
    /// How late.
    pub echo_delay_ms: u64,
    /// The echo never comes.
    pub no_echo: Trigger,
    /// The delivery never comes.
    pub no_delivery: Trigger,
    /// The visitor reads at once.
    pub read: Trigger,
    /// Every send takes so much longer.
    pub latency_ms: u64,
    /// At most so many events share one POST, when so many wait.
    pub batch: usize,
    /// Events that share a POST share one entry's `messaging` array; otherwise each has its own entry.
    pub batch_in_one_entry: bool,
    /// Only this visitor's messages are struck.
    pub only_psid: Option<String>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            timeout_before: Trigger::NEVER,
            timeout_after: Trigger::NEVER,
            hold_ms: 30_000,
            server_error: Trigger::NEVER,
            error: None,
            duplicate_webhook: Trigger::NEVER,
            delay_echo: Trigger::NEVER,
            echo_delay_ms: 1000,
            no_echo: Trigger::NEVER,
            no_delivery: Trigger::NEVER,
            read: Trigger::NEVER,
            latency_ms: 0,
            batch: 1,
            batch_in_one_entry: false,
            only_psid: None,
        }
    }
}

/// An error of Graph and when it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorFault {
    /// Which error.
    #[serde(flatten)]
    pub refusal: Refusal,
    /// When.
    pub when: Trigger,
}

/// What strikes one send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Strike {
    None,
    TimeoutBefore,
    TimeoutAfter,
    ServerError,
    Error(Refusal),
}

/// What one send meets.
#[derive(Debug)]
pub(super) struct Weather {
    pub(super) latency: Duration,
    pub(super) hold: Duration,
    pub(super) strike: Strike,
}

/// What happens after a message was accepted.
#[derive(Debug)]
pub(super) struct Aftermath {
    pub(super) echo: Option<Duration>,
    pub(super) delivery: bool,
    pub(super) read: bool,
}

/// How webhooks are put together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batching {
    pub(super) most: usize,
    pub(super) in_one_entry: bool,
}

/// The faults in force, with the dice that decide.
#[derive(Debug)]
pub(super) struct FaultBoard(Mutex<(Faults, Dice)>);

impl FaultBoard {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new((Faults::default(), Dice::new(seed))))
    }

    pub(super) fn set(&self, faults: Faults) {
        self.with(|current, _dice| *current = faults);
    }

    pub(super) fn current(&self) -> Faults {
        self.with(|faults, _dice| faults.clone())
    }

    pub(super) fn weather(&self, psid: &str) -> Weather {
        self.with(|faults, dice| Weather {
            latency: Duration::from_millis(faults.latency_ms),
            hold: Duration::from_millis(faults.hold_ms),
            strike: if faults.spares(psid) {
                Strike::None
            } else {
                faults.strike(dice, psid)
            },
        })
    }

    pub(super) fn aftermath(&self, psid: &str) -> Aftermath {
        self.with(|faults, dice| {
            if faults.spares(psid) {
                return Aftermath {
                    echo: Some(Duration::ZERO),
                    delivery: true,
                    read: false,
                };
            }
            let late = faults.delay_echo.strikes(dice, "delay_echo", psid);
            let delay = Duration::from_millis(if late { faults.echo_delay_ms } else { 0 });
            Aftermath {
                echo: (!faults.no_echo.strikes(dice, "no_echo", psid)).then_some(delay),
                delivery: !faults.no_delivery.strikes(dice, "no_delivery", psid),
                read: faults.read.strikes(dice, "read", psid),
            }
        })
    }

    pub(super) fn duplicates(&self, psid: &str) -> bool {
        self.with(|faults, dice| !faults.spares(psid) && faults.duplicate_webhook.strikes(dice, "duplicate_webhook", psid))
    }

    pub(super) fn batching(&self) -> Batching {
        self.with(|faults, _dice| Batching {
            most: faults.batch.max(1),
            in_one_entry: faults.batch_in_one_entry,
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Faults, &mut Dice) -> R) -> R {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (faults, dice) = &mut *guard;
        act(faults, dice)
    }
}

impl Faults {
    fn spares(&self, psid: &str) -> bool {
        self.only_psid.as_deref().is_some_and(|only| only != psid)
    }

    fn strike(&mut self, dice: &mut Dice, psid: &str) -> Strike {
        if self.timeout_before.strikes(dice, "timeout_before", psid) {
            Strike::TimeoutBefore
        } else if self.server_error.strikes(dice, "server_error", psid) {
            Strike::ServerError
        } else if let Some(fault) = self.error.as_mut()
            && fault.when.strikes(dice, "error", psid)
        {
            Strike::Error(fault.refusal.clone())
        } else if self.timeout_after.strikes(dice, "timeout_after", psid) {
            Strike::TimeoutAfter
        } else {
            Strike::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_api_reads_faults_with_everything_else_off() {
        let faults: Faults =
            serde_json::from_str(r#"{"timeout_after": {"next": 1}, "error": {"code": 190, "subcode": 460, "when": {"chance": 0.5}}}"#)
                .unwrap();
        assert_eq!(faults.timeout_after, Trigger::next(1));
        assert_eq!(faults.error.unwrap().refusal.status, 400);
        assert_eq!(faults.server_error, Trigger::NEVER);
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"timeout_afte": {"next": 1}}"#).is_err());
    }

    #[test]
    fn faults_for_one_visitor_spare_the_others() {
        let board = FaultBoard::new(1);
        board.set(Faults {
            timeout_before: Trigger::ALWAYS,
            only_psid: Some("7".to_owned()),
            ..Faults::default()
        });
        assert_eq!(board.weather("8").strike, Strike::None);
        assert_eq!(board.weather("7").strike, Strike::TimeoutBefore);
    }
}
