//! What must hold after any amount of trouble.

use std::collections::HashSet;
use std::time::Duration;

use super::acknowledged::Ledger;
use super::eventually::within;
use super::installation::World;

impl World {
    /// Waits until everything that was acknowledged is in the log and all that follows from it is done, and checks that each thing
    /// happened once: in the log, in the order of each visitor, and on the visitors' phones. Nothing was dead-lettered or quarantined.
    ///
    /// # Panics
    /// When it is not so; says what is wrong.
    pub async fn check_everything_happened_once(&self, ledger: &Ledger, patience: Duration) {
        let mut missing = usize::MAX;
        let what = format!("all {} acknowledged messages are in the log", ledger.len());
        let stored = within(patience, &what, async || {
            missing = ledger.missing_in(&self.database);
            (missing == 0).then_some(())
        });
        stored.await;
        ledger.check(&self.database);
        self.until_settled(patience).await;
        self.check_nothing_was_said_twice();
        assert_eq!(self.broker.dead().await, 0, "messages were dead-lettered");
        assert_eq!(
            self.database.count("SELECT count(*) AS count FROM quarantine"),
            0,
            "healthy events were quarantined"
        );
    }

    /// Checks that no intended message reached a phone twice, that nothing arrived that nobody intended, and that no question of the
    /// bot was answered twice.
    ///
    /// # Panics
    /// When it is not so.
    pub fn check_nothing_was_said_twice(&self) {
        let of = |event_type: &str, field: &str| -> Vec<String> {
            let events = self.database.events_of_type(event_type);
            events
                .iter()
                .map(|event| event.payload[field].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        let intended: HashSet<String> = of("message_intended", "message").into_iter().collect();
        let mut arrived = HashSet::new();
        for sent in self.facebook.sent() {
            let ours = sent.metadata.clone().unwrap_or_default();
            assert!(
                intended.contains(&ours),
                "{} got a message that nobody intended: {:?}",
                sent.psid,
                sent.message
            );
            assert!(arrived.insert(ours), "{} got the same message twice: {:?}", sent.psid, sent.message);
        }
        for (event_type, field) in [
            ("bot_asked", "turn"),
            ("bot_answered", "turn"),
            ("message_intended", "message"),
            ("message_sent", "message"),
        ] {
            let all = of(event_type, field);
            let once: HashSet<&String> = all.iter().collect();
            assert_eq!(once.len(), all.len(), "{event_type} happened twice for one {field}");
        }
    }
}
