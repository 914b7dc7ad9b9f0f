//! One connection with one confirming channel, and the only task that uses it.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, poll_fn};
use futures::stream::{FuturesUnordered, Stream as _, StreamExt as _};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, Event};
use shared::ledger::{Confirmed, ConfirmedPartition, Ranges};
use shared::{Partition, Receipt, Timestamp, envelope};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::batch::{Batch, Outstanding};
use super::{Destination, LinkState, PublishError};
use crate::broker::{Backoff, Broker, BrokerError, short};
use crate::telemetry::Causes;

/// AMQP's delivery mode for messages that survive a restart.
const PERSISTENT: u8 = 2;
/// How often the confirmed ranges are told.
const LEDGER_PERIOD: Duration = Duration::from_secs(1);
/// A link that confirms nothing for this long is made anew. Beyond two missed heartbeats, so that the heartbeat speaks first.
const SILENCE: Duration = Duration::from_secs(12);
/// How long a stop waits for what is outstanding.
const FAREWELL: Duration = Duration::from_secs(4);
/// Batches taken from the queue at once.
const INTAKE: usize = 64;

/// One connection of a [`super::Publisher`]. Run it to its end.
#[derive(Debug)]
pub struct Link {
    broker: Broker,
    received: mpsc::UnboundedReceiver<Batch>,
    state: Arc<LinkState>,
    stop: CancellationToken,
    ledger: Ledger,
    names: Names,
}

/// Names at the broker, made once.
#[derive(Debug)]
struct Names {
    events: ShortString,
    unparsed: ShortString,
    ledger: ShortString,
    receipt: ShortString,
}

/// What was confirmed, until it is told.
#[derive(Debug)]
struct Ledger {
    boot: Uuid,
    /// The last sequence number given to a message, per partition.
    sequences: BTreeMap<Partition, u64>,
    confirmed: BTreeMap<Partition, Ranges>,
}

impl Ledger {
    fn receipt(&mut self, partition: Partition) -> Receipt {
        let sequence = self.sequences.entry(partition).or_default();
        *sequence = sequence.saturating_add(1);
        Receipt {
            boot: self.boot,
            partition,
            sequence: *sequence,
        }
    }

    fn confirm(&mut self, receipt: Receipt) {
        self.confirmed.entry(receipt.partition).or_default().insert(receipt.sequence);
    }

    fn take(&mut self) -> Vec<ConfirmedPartition> {
        let taken = self.confirmed.iter_mut().map(|(partition, ranges)| ConfirmedPartition {
            partition: partition.number(),
            ranges: ranges.take(),
        });
        taken.filter(|partition| !partition.ranges.is_empty()).collect()
    }

    /// Puts back what could not be told.
    fn restore(&mut self, partitions: Vec<ConfirmedPartition>) {
        for told in partitions {
            let Some(partition) = Partition::new(told.partition) else {
                continue;
            };
            let ranges = self.confirmed.entry(partition).or_default();
            told.ranges.into_iter().for_each(|range| ranges.insert_range(range));
        }
    }
}

/// What one confirm was for.
#[derive(Debug, Clone, Copy)]
enum Subject {
    /// A message of this batch, with its receipt if it went to a partition.
    Message { batch: u64, receipt: Option<Receipt> },
    /// The page of the ledger that is under way.
    Page,
}

/// One confirm, or its absence.
struct Settled {
    subject: Subject,
    result: Result<Confirmation, lapin::Error>,
}

/// Why serving ended.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// We were asked to stop.
    Stopped,
    /// The connection is of no use any more.
    Failed(PublishError),
}

impl Link {
    pub(super) fn new(
        broker: Broker,
        boot: Uuid,
        received: mpsc::UnboundedReceiver<Batch>,
        state: Arc<LinkState>,
        stop: CancellationToken,
    ) -> Self {
        let topology = broker.topology();
        let names = Names {
            events: short(&topology.events_exchange()),
            unparsed: short(&topology.unparsed_queue()),
            ledger: short(&topology.ledger_queue()),
            receipt: short(envelope::RECEIPT),
        };
        let ledger = Ledger {
            boot,
            sequences: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        };
        Self {
            broker,
            received,
            state,
            stop,
            ledger,
            names,
        }
    }

    /// Connects, publishes, and connects anew as often as needed, until the stop; then tells the rest of the ledger.
    pub async fn run(mut self) {
        let mut backoff = Backoff::default();
        let stop = self.stop.clone();
        while !stop.is_cancelled() {
            let connected = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                connected = self.connect() => connected,
            };
            match connected {
                Ok((connection, channel)) => {
                    backoff.reset();
                    self.state.up();
                    info!("publishing");
                    let ending = self.serve(&connection, &channel).await;
                    self.state.down();
                    part(&connection, ending).await;
                }
                Err(error) => warn!(error = %Causes(&error), "the broker is away"),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = backoff.wait() => {}
            }
        }
    }

    async fn connect(&self) -> Result<(Connection, Channel), BrokerError> {
        let connection = self.broker.connect("publisher").await?;
        let channel = connection.create_channel().await?;
        self.broker.declare(&channel).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok((connection, channel))
    }

    async fn serve(&mut self, connection: &Connection, channel: &Channel) -> Ending {
        let mut session = Session::new(channel);
        let ending = self.publish_until_failure(connection, &mut session).await;
        if let Ending::Failed(error) = ending {
            session.outstanding.fail_all(error);
        }
        if let Some(page) = session.page.take() {
            self.ledger.restore(page);
        }
        ending
    }

    async fn publish_until_failure(&mut self, connection: &Connection, session: &mut Session<'_>) -> Ending {
        let mut events = connection.events_listener();
        let mut ticks = ticks();
        let mut batches = Vec::with_capacity(INTAKE);
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.cancelled());
        loop {
            tokio::select! {
                biased;
                () = session.progress() => {
                    if let Err(error) = self.settle(session) {
                        return Ending::Failed(error);
                    }
                }
                event = events.next() => {
                    if let Some(error) = self.notice(event) {
                        return Ending::Failed(error);
                    }
                }
                taken = self.received.recv_many(&mut batches, INTAKE) => {
                    if taken == 0 {
                        return self.finish(session).await;
                    }
                    batches.drain(..).for_each(|batch| self.submit(batch, session));
                }
                () = &mut stopped => return self.finish(session).await,
                _ = ticks.tick() => {
                    if !self.is_blocked() && session.is_silent() {
                        return Ending::Failed(PublishError::TimedOut);
                    }
                    self.tell(session);
                }
            }
        }
    }

    fn submit(&mut self, batch: Batch, session: &mut Session<'_>) {
        if batch.is_abandoned() {
            return;
        }
        let (batch, messages) = session.outstanding.admit(batch);
        for message in messages {
            let (receipt, exchange, routing_key) = match message.destination {
                Destination::Partition(partition) => (
                    Some(self.ledger.receipt(partition)),
                    self.names.events.clone(),
                    short(partition.routing_key()),
                ),
                Destination::Unparsed => (None, ShortString::default(), self.names.unparsed.clone()),
            };
            let properties = self.stamped(message.properties, message.headers, receipt);
            session.publish(Subject::Message { batch, receipt }, exchange, routing_key, message.body, properties);
        }
    }

    fn stamped(&self, properties: BasicProperties, mut headers: FieldTable, receipt: Option<Receipt>) -> BasicProperties {
        if let Some(receipt) = receipt {
            headers.insert(self.names.receipt.clone(), AMQPValue::LongString(receipt.to_string().into()));
        }
        properties.with_delivery_mode(PERSISTENT).with_headers(headers)
    }

    /// Hears what the broker says about the connection; an error ends it.
    fn notice(&self, event: Option<Event>) -> Option<PublishError> {
        match event {
            Some(Event::ConnectionBlocked(reason)) => {
                warn!(reason, "the broker blocks publishing");
                self.state.blocked.store(true, Ordering::Relaxed);
            }
            Some(Event::ConnectionUnblocked) => {
                info!("the broker takes messages again");
                self.state.blocked.store(false, Ordering::Relaxed);
            }
            Some(Event::Error(error)) => {
                warn!(error = %Causes(&error), "the broker connection failed");
                return Some(PublishError::ConnectionLost);
            }
            None => return Some(PublishError::ConnectionLost),
            Some(_) => {}
        }
        None
    }

    fn is_blocked(&self) -> bool {
        self.state.blocked.load(Ordering::Relaxed)
    }

    /// Releases what is confirmed.
    fn settle(&mut self, session: &mut Session<'_>) -> Result<(), PublishError> {
        let returned = |settled: &Settled| matches!(settled.result, Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))));
        if session.done.iter().any(returned) {
            // Which of them it was is not known for certain, so none of them is.
            return Err(PublishError::Unroutable);
        }
        let mut outcome = Ok(());
        for settled in std::mem::take(&mut session.done) {
            match settled.result {
                Ok(Confirmation::Ack(None)) => self.confirmed(settled.subject, session),
                Ok(_) => self.refused(settled.subject, session),
                Err(_) => outcome = Err(PublishError::ConnectionLost),
            }
        }
        outcome
    }

    fn confirmed(&mut self, subject: Subject, session: &mut Session<'_>) {
        match subject {
            Subject::Message { batch, receipt } => {
                if let Some(receipt) = receipt {
                    self.ledger.confirm(receipt);
                }
                session.outstanding.confirm(batch);
            }
            Subject::Page => session.page = None,
        }
    }

    fn refused(&mut self, subject: Subject, session: &mut Session<'_>) {
        match subject {
            Subject::Message { batch, .. } => session.outstanding.fail(batch, PublishError::Refused),
            Subject::Page => self.ledger.restore(session.page.take().unwrap_or_default()),
        }
    }

    /// Sends the next page of the ledger, unless one is under way.
    fn tell(&mut self, session: &mut Session<'_>) {
        if session.page.is_some() {
            return;
        }
        let partitions = self.ledger.take();
        if partitions.is_empty() {
            return;
        }
        let page = Confirmed {
            boot: self.ledger.boot,
            at: now(),
            partitions,
        };
        let Ok(body) = serde_json::to_vec(&page) else { return };
        let properties = BasicProperties::default()
            .with_content_type(short("application/json"))
            .with_delivery_mode(PERSISTENT);
        session.publish(
            Subject::Page,
            ShortString::default(),
            self.names.ledger.clone(),
            Bytes::from(body),
            properties,
        );
        session.page = Some(page.partitions);
    }

    /// Waits for what is outstanding and tells the rest of the ledger.
    async fn finish(&mut self, session: &mut Session<'_>) -> Ending {
        let farewell = async {
            while let Ok(batch) = self.received.try_recv() {
                self.submit(batch, session);
            }
            loop {
                self.tell(session);
                if session.in_flight.is_empty() && session.done.is_empty() {
                    return Ending::Stopped;
                }
                session.progress().await;
                if let Err(error) = self.settle(session) {
                    return Ending::Failed(error);
                }
            }
        };
        let ending = tokio::time::timeout(FAREWELL, farewell).await;
        ending.unwrap_or(Ending::Failed(PublishError::TimedOut))
    }
}

/// What is under way on one channel.
struct Session<'c> {
    channel: &'c Channel,
    in_flight: FuturesUnordered<BoxFuture<'c, Settled>>,
    /// Settled, but not released yet.
    done: Vec<Settled>,
    outstanding: Outstanding,
    /// The page of the ledger that is under way.
    page: Option<Vec<ConfirmedPartition>>,
}

impl<'c> Session<'c> {
    fn new(channel: &'c Channel) -> Self {
        Self {
            channel,
            in_flight: FuturesUnordered::new(),
            done: Vec::new(),
            outstanding: Outstanding::default(),
            page: None,
        }
    }

    /// Queues a message. It is written when the session is polled next, in the order of the calls.
    fn publish(&mut self, subject: Subject, exchange: ShortString, routing_key: ShortString, body: Bytes, properties: BasicProperties) {
        let channel = self.channel;
        let confirmed = async move {
            let options = BasicPublishOptions {
                mandatory: true,
                ..BasicPublishOptions::default()
            };
            let result = match channel.basic_publish(exchange, routing_key, options, &body, properties).await {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            Settled { subject, result }
        };
        self.in_flight.push(confirmed.boxed());
    }

    /// Returns when something is settled, and only after nothing more is ready: a message that came back unroutable rides on the confirm
    /// that lapin resolved first, which was woken first and is therefore among those collected here.
    async fn progress(&mut self) {
        poll_fn(|context| {
            while let Poll::Ready(Some(settled)) = Pin::new(&mut self.in_flight).poll_next(context) {
                self.done.push(settled);
            }
            if self.done.is_empty() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    fn is_silent(&self) -> bool {
        self.outstanding.oldest().is_some_and(|since| since.elapsed() > SILENCE)
    }
}

async fn part(connection: &Connection, ending: Ending) {
    if let Ending::Failed(error) = ending {
        warn!(reason = %error, "the broker connection is made anew");
    }
    let closing = connection.close(200, short("done"));
    // A dead connection does not answer the farewell; dropping it ends it too.
    if tokio::time::timeout(Duration::from_secs(1), closing).await.is_err() {
        warn!("the broker did not answer the farewell");
    }
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + LEDGER_PERIOD, LEDGER_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        Ledger {
            boot: Uuid::from_u128(1),
            sequences: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        }
    }

    #[test]
    fn receipts_count_per_partition_from_one() {
        let mut ledger = ledger();
        let (one, two) = (Partition::new(1).unwrap(), Partition::new(2).unwrap());
        let sequences: Vec<_> = [one, one, two, one].map(|partition| ledger.receipt(partition).sequence).to_vec();
        assert_eq!(sequences, [1, 2, 1, 3]);
    }

    #[test]
    fn only_confirmed_receipts_are_told_and_what_was_not_told_is_told_next() {
        let mut ledger = ledger();
        let partition = Partition::new(3).unwrap();
        let receipts: Vec<_> = (0..5).map(|_| ledger.receipt(partition)).collect();
        for index in [0, 1, 4] {
            ledger.confirm(receipts[index]);
        }
        let told = ledger.take();
        assert_eq!(
            told,
            [ConfirmedPartition {
                partition: 3,
                ranges: vec![(1, 2), (5, 5)]
            }]
        );
        assert!(ledger.take().is_empty());
        ledger.confirm(receipts[2]);
        ledger.restore(told);
        assert_eq!(
            ledger.take(),
            [ConfirmedPartition {
                partition: 3,
                ranges: vec![(1, 3), (5, 5)]
            }]
        );
    }
}
