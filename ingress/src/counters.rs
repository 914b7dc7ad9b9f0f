//! What this service counts.
//!
//! Invariant: handles are looked up once; counting is one atomic addition. No label holds anything that a visitor or an attacker chooses.

use metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    BadSignature,
    UnknownPage,
    BadRequest,
    TooLarge,
    Unavailable,
}

/// All handles.
#[derive(Clone)]
pub(crate) struct Counters {
    accepted: Counter,
    bad_signature: Counter,
    unknown_page: Counter,
    bad_request: Counter,
    too_large: Counter,
    unavailable: Counter,
    /// Events published.
    pub(crate) events: Counter,
    /// Events of Pages that another app connected.
    pub(crate) foreign: Counter,
    /// Bodies kept whole.
    pub(crate) unparsed: Counter,
    /// From the whole body to its last confirm.
    pub(crate) confirm_seconds: Histogram,
    /// Bytes that are promised to nobody yet.
    pub(crate) unconfirmed_bytes: Gauge,
}

impl Counters {
    pub(crate) fn new() -> Self {
        describe();
        let outcome = |outcome: &'static str| counter!("ingress_webhooks_total", "outcome" => outcome);
        Self {
            accepted: outcome("accepted"),
            bad_signature: outcome("bad_signature"),
            unknown_page: outcome("unknown_page"),
            bad_request: outcome("bad_request"),
            too_large: outcome("too_large"),
            unavailable: outcome("unavailable"),
            events: counter!("ingress_events_published_total"),
            foreign: counter!("ingress_foreign_events_refused_total"),
            unparsed: counter!("ingress_unparsed_bodies_total"),
            confirm_seconds: histogram!("ingress_confirm_seconds"),
            unconfirmed_bytes: gauge!("ingress_unconfirmed_bytes"),
        }
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Accepted => &self.accepted,
            Outcome::BadSignature => &self.bad_signature,
            Outcome::UnknownPage => &self.unknown_page,
            Outcome::BadRequest => &self.bad_request,
            Outcome::TooLarge => &self.too_large,
            Outcome::Unavailable => &self.unavailable,
        };
        counter.increment(1);
    }
}

fn describe() {
    describe_counter!("ingress_webhooks_total", "Webhook requests by how they ended");
    describe_counter!("ingress_events_published_total", "Events confirmed by the broker");
    describe_counter!(
        "ingress_foreign_events_refused_total",
        "Events refused because another app connected their Page"
    );
    describe_counter!(
        "ingress_unparsed_bodies_total",
        "Signed bodies kept whole because they, or parts of them, could not be read"
    );
    describe_histogram!("ingress_confirm_seconds", "Time from a whole body to its last confirm");
    describe_gauge!("ingress_unconfirmed_bytes", "Bytes published and not confirmed yet");
}
