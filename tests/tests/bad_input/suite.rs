use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use tests::wall_clock;
use tests::world::{Sender, World, WorldConfig, number_from_environment, within};

use crate::account::Account;
use crate::bodies::{Case, case};
use crate::samples::{self, PAGE, Sample};

/// Bodies under way at once.
const AT_ONCE: u64 = 32;
/// Every so manieth body is also posted with a wrong signature.
const UNSIGNED: u64 = 10;
/// Before a body is posted again that could not be taken for the moment.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Until everything that was acknowledged is taken in.
const DRAIN: Duration = Duration::from_secs(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_every_sample_and_twenty_thousand_mutated_bodies_end_in_something_kept_or_a_clear_refusal() {
    post_mutations(number_from_environment("FRONTDESK_MUTATIONS").unwrap_or(20_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: scripts/test --long"]
async fn serial_every_sample_and_a_hundred_thousand_mutated_bodies_end_in_something_kept_or_a_clear_refusal() {
    post_mutations(number_from_environment("FRONTDESK_MUTATIONS").unwrap_or(100_000)).await;
}

/// A world in which nobody answers: this is about what comes in.
async fn silent_world() -> World {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    assert_eq!(world.page(), PAGE);
    let silence = json!({"bot_id": null, "texts": {"no_agent": "", "queued": ""}});
    world
        .administrator()
        .await
        .patch(&format!("/channels/{}", world.seed.channel_id), silence)
        .await;
    world
}

async fn post_mutations(mutations: u64) {
    let seed = number_from_environment("FRONTDESK_SEED").unwrap_or_else(|| wall_clock::now_us().unsigned_abs());
    let (mut world, samples) = (silent_world().await, Arc::new(samples::all()));
    let (sender, stranger) = (world.sender(), Sender::new(world.ingress.addresses(), "not the app's secret"));
    let mut account = Account::default();
    for sample in samples.iter() {
        let case = Case {
            body: sample.body.clone().into_bytes(),
            siblings: Vec::new(),
        };
        post(&sender, case, &mut account, &sample.name).await;
    }
    let started = Instant::now();
    let workers = (0..AT_ONCE).map(|worker| {
        let numbers = (worker..mutations).step_by(usize::try_from(AT_ONCE).unwrap());
        tokio::spawn(work(
            numbers.collect(),
            seed,
            Arc::clone(&samples),
            sender.clone(),
            stranger.clone(),
        ))
    });
    for done in join_all(workers).await {
        account.add(done.unwrap());
    }
    let pace = f64::from(u32::try_from(mutations).unwrap()) / started.elapsed().as_secs_f64();
    say(&format!("FRONTDESK_SEED={seed}: {mutations} mutated bodies at {pace:.0}/s"));
    settle_up(&mut world, &account).await;
    is_well(&mut world, &sender).await;
}

/// One worker: posts its cases one after the other.
async fn work(numbers: Vec<u64>, seed: u64, samples: Arc<Vec<Sample>>, sender: Sender, stranger: Sender) -> Account {
    let mut account = Account::default();
    for number in numbers {
        let case = case(&samples, seed, number);
        let what = format!("body {number} (FRONTDESK_SEED={seed})");
        if number % UNSIGNED == 0 {
            refused(&stranger, &case.body, &what).await;
        }
        post(&sender, case, &mut account, &what).await;
    }
    account
}

async fn post(sender: &Sender, case: Case, account: &mut Account, what: &str) {
    let begun = Instant::now();
    let answer = loop {
        match sender.post(PAGE, case.body.clone()).await {
            // A busy machine's broker may be late; Facebook would send it again, and so do we.
            Some(StatusCode::SERVICE_UNAVAILABLE) if begun.elapsed() < DRAIN => tokio::time::sleep(RETRY_AFTER).await,
            answer => break answer,
        }
    };
    assert_eq!(answer, Some(StatusCode::OK), "{what}: {}", String::from_utf8_lossy(&case.body));
    account.acknowledge(&case.body, case.siblings);
}

/// A wrong signature: 401 for what is JSON, 400 for what is not.
async fn refused(stranger: &Sender, body: &[u8], what: &str) {
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    let expected = if is_json {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    };
    assert_eq!(
        stranger.post(PAGE, body.to_vec()).await,
        Some(expected),
        "{what}: {}",
        String::from_utf8_lossy(body)
    );
}

/// Everything that was acknowledged is found, and nothing else.
async fn settle_up(world: &mut World, account: &Account) {
    let database = &world.database;
    let owed = i64::try_from(account.distinct.len()).unwrap();
    let taken_in = || database.count("SELECT count(*) AS count FROM inbox");
    within(DRAIN, &format!("all {owed} distinct events are taken in"), async || {
        (taken_in() >= owed).then_some(())
    })
    .await;
    within(DRAIN, "nothing waits at the broker", async || {
        (world.broker.waiting_events().await == 0).then_some(())
    })
    .await;
    assert_eq!(taken_in(), owed, "of {} events", account.events);

    let quarantined = database.count("SELECT count(*) AS count FROM quarantine");
    let stored = database.count_events("message_received") + database.count_events("noted");
    let poison = database.count("SELECT count(*) AS count FROM quarantine WHERE kind = 'poison'");
    for (reason, count) in database.quarantine_reasons() {
        say(&format!("{count} in quarantine: {reason}"));
    }
    say(&format!(
        "{} events: {owed} distinct, {stored} in the log, {quarantined} in quarantine ({poison} as poison); {} bodies kept whole",
        account.events,
        account.unparsed.len()
    ));
    assert_eq!(stored + quarantined, owed, "each distinct event is in the log or in quarantine");

    let stored: HashSet<String> = database.received().into_iter().map(|received| received.mid).collect();
    let lost: Vec<&String> = account.siblings.iter().filter(|mid| !stored.contains(*mid)).collect();
    assert!(
        lost.is_empty(),
        "{} of {} healthy siblings are lost: {:?}",
        lost.len(),
        account.siblings.len(),
        &lost[..lost.len().min(5)]
    );

    let kept: HashSet<Vec<u8>> = world.broker.take_unparsed().await.into_iter().collect();
    let whole: HashSet<Vec<u8>> = account.unparsed.iter().cloned().collect();
    assert!(kept == whole, "{} bodies are kept whole, not {}", kept.len(), whole.len());
    assert_eq!(world.broker.dead().await, 0);
}

/// Both services still do their job.
async fn is_well(world: &mut World, sender: &Sender) {
    assert!(world.ingress.is_running() && world.dispatchers[0].is_running());
    for log in [world.ingress.log(), world.dispatchers[0].log()] {
        assert!(!log.contains("panicked"), "something panicked: {log}");
    }
    let body = Sender::message(PAGE, "6011223344556677", "m_the_last", "还好吗");
    assert_eq!(sender.post(PAGE, body).await, Some(StatusCode::OK));
    let arrived = "SELECT count(*) AS count FROM event_log WHERE payload->>'mid' = 'm_the_last'";
    tests::world::eventually("the next visitor is heard", async || {
        (world.database.count(arrived) == 1).then_some(())
    })
    .await;
}

fn say(line: &str) {
    // A test that cannot speak goes on.
    let _unheard = writeln!(std::io::stderr(), "{line}");
}
