use tests::simulation::Chance;
use tests::world::{PrivateBroker, World, WorldConfig, number_from_environment};

use crate::trouble::{BETWEEN, DRAIN, a_while, load_on, seed, until_pace_is_made_up};

#[derive(Debug, Clone, Copy)]
enum Victim {
    Ingress,
    Dispatcher,
    Broker,
}

/// Each of the three once in a row of three, in an order that chance decides.
fn victims(kills: usize, chance: &mut Chance) -> Vec<Victim> {
    let mut victims = Vec::with_capacity(kills);
    while victims.len() < kills {
        let mut row = vec![Victim::Ingress, Victim::Dispatcher, Victim::Broker];
        while !row.is_empty() {
            let bound = u64::try_from(row.len()).unwrap();
            victims.push(row.swap_remove(usize::try_from(chance.below(bound)).unwrap()));
        }
    }
    victims.truncate(kills);
    victims
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_after_kills_at_random_under_load_every_acknowledged_message_is_in_the_log_once_and_in_order() {
    kill_at_random(number_from_environment("FRONTDESK_KILLS").unwrap_or(6)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: scripts/test --long"]
async fn serial_after_thirty_kills_at_random_under_load_every_acknowledged_message_is_in_the_log_once_and_in_order() {
    kill_at_random(number_from_environment("FRONTDESK_KILLS").unwrap_or(30)).await;
}

async fn kill_at_random(kills: usize) {
    let seed = seed();
    let mut chance = Chance::new(seed);
    let mut broker = PrivateBroker::start().await;
    let mut world = World::build(WorldConfig {
        broker: Some(broker.url().to_owned()),
        ..WorldConfig::default()
    })
    .await;
    let load = load_on(&world);
    for victim in victims(kills, &mut chance) {
        a_while(&mut chance, BETWEEN).await;
        let before = load.acknowledged();
        match victim {
            Victim::Ingress => world.kill_and_restart_ingress().await,
            Victim::Dispatcher => world.kill_and_restart_dispatcher(0).await,
            Victim::Broker => {
                broker.kill().await;
                broker.restart().await;
            }
        }
        let what = format!("messages are acknowledged again after {victim:?} was killed (FRONTDESK_SEED={seed})");
        tests::world::eventually(&what, async || (load.acknowledged() > before).then_some(())).await;
    }
    until_pace_is_made_up(&load, seed).await;
    let (acknowledged, elapsed) = (load.acknowledged(), load.elapsed());
    let ledger = load.stop().await;
    report(&format!(
        "FRONTDESK_SEED={seed}: {kills} kills, {acknowledged} messages acknowledged in {elapsed:.1?}, {} in all",
        ledger.len()
    ));
    world.check_everything_happened_once(&ledger, DRAIN).await;
    drop(world);
    broker.stop().await;
}

pub(crate) fn report(line: &str) {
    use std::io::Write as _;
    // A test that cannot speak goes on.
    let _unheard = writeln!(std::io::stderr(), "{line}");
}
