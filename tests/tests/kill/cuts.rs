use tests::simulation::Chance;
use tests::world::{World, WorldConfig, number_from_environment};

use crate::kills::report;
use crate::trouble::{BETWEEN, DRAIN, a_while, load_on, seed, until_pace_is_made_up};

/// How long a wire stalls or stays cut, in milliseconds: on both sides of every deadline of the services.
const OUTAGE: std::ops::Range<u64> = 200..4_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_after_cuts_and_stalls_at_random_under_load_every_acknowledged_message_is_in_the_log_once_and_in_order() {
    cut_at_random(number_from_environment("FRONTDESK_KILLS").unwrap_or(8)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: scripts/test --long"]
async fn serial_after_forty_cuts_and_stalls_at_random_under_load_every_acknowledged_message_is_in_the_log_once_and_in_order() {
    cut_at_random(number_from_environment("FRONTDESK_KILLS").unwrap_or(40)).await;
}

async fn cut_at_random(cuts: usize) {
    let seed = seed();
    let mut chance = Chance::new(seed);
    let world = World::build(WorldConfig {
        wired: true,
        ..WorldConfig::default()
    })
    .await;
    let load = load_on(&world);
    let wires = [world.to_broker.as_ref().unwrap(), world.to_database.as_ref().unwrap()];
    for number in 0..cuts {
        a_while(&mut chance, BETWEEN).await;
        let wire = wires.get(number % wires.len()).unwrap();
        match chance.below(3) {
            0 => wire.cut_once(),
            1 => wire.cut(),
            _ => wire.stall(),
        }
        a_while(&mut chance, OUTAGE).await;
        wire.mend();
        let (before, what) = (
            load.acknowledged(),
            format!("messages are acknowledged again after outage {number} (FRONTDESK_SEED={seed})"),
        );
        tests::world::eventually(&what, async || (load.acknowledged() > before).then_some(())).await;
    }
    until_pace_is_made_up(&load, seed).await;
    let (acknowledged, elapsed) = (load.acknowledged(), load.elapsed());
    let ledger = load.stop().await;
    report(&format!(
        "FRONTDESK_SEED={seed}: {cuts} outages, {acknowledged} messages acknowledged in {elapsed:.1?}, {} in all",
        ledger.len()
    ));
    world.check_everything_happened_once(&ledger, DRAIN).await;
}
