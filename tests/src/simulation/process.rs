//! One simulated dispatcher: the engine's loops, which live until they are stopped or killed.

use std::sync::Arc;
use std::time::Duration;

use engine::ports::RelayId;
use engine::{Commands, Intake, Relay, RelayHandle, Router, door};
use futures::future::{BoxFuture, FutureExt, join_all};
use shared::Partition;
use tokio_util::sync::CancellationToken;

use super::chance::Chance;
use super::environment::SimulatedEnvironment;
use super::live::SimulatedLive;
use super::memory::MemoryStore;
use super::tape::Entry;
use super::world::World;

/// How long a later message waits after one whose end is unknown, as in production.
const QUIET: Duration = Duration::from_secs(20);
/// How long a graceful stop may take.
const STOP: Duration = Duration::from_secs(10);
/// Intake loops per process.
const INTAKES: u8 = 2;

/// The door for people's commands, as the simulation uses it.
pub type Door = Commands<MemoryStore, SimulatedEnvironment, SimulatedLive>;

/// The door of a process that is up, and the news of its death.
#[derive(Clone)]
pub struct Reception {
    /// For commands.
    pub door: Arc<Door>,
    /// Cancelled when the process is gone: nobody answers any more.
    pub gone: CancellationToken,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    Stopped,
}

/// Lives and dies until trouble is over, and then lives on.
pub async fn run(world: Arc<World>, number: usize, mut chance: Chance) {
    loop {
        let stop = CancellationToken::new();
        let (reception, mut loops) = start(&world, &stop, &mut chance);
        let gone = reception.gone.clone();
        world.open(number, reception);
        let span = Duration::from_millis(chance.within(&(3_000..90_000)));
        let end = if chance.per_mille(700) { End::Killed } else { End::Stopped };
        tokio::select! {
            biased;
            () = &mut loops => {}
            () = world.trouble_in(span) => {}
        }
        world.shut(number);
        world.tape.record(Entry::Befell(format!("dispatcher {number} is {end:?}")));
        if end == End::Stopped {
            stop.cancel();
            if tokio::time::timeout(STOP, &mut loops).await.is_err() {
                world
                    .tape
                    .record(Entry::Befell(format!("dispatcher {number} did not stop in time")));
            }
        }
        drop(loops);
        gone.cancel();
        tokio::time::sleep(Duration::from_millis(chance.within(&(50..9_000)))).await;
    }
}

/// The loops of one life. Dropping them is what kill -9 does.
fn start(world: &Arc<World>, stop: &CancellationToken, chance: &mut Chance) -> (Reception, BoxFuture<'static, ()>) {
    let environment = Arc::new(SimulatedEnvironment::new(world.clock, chance.fork()));
    let live = Arc::new(world.fanout.join());
    let id = RelayId(chance.id_at(world.clock.now().as_millis()));
    let most = usize::try_from(chance.within(&(2..40))).unwrap_or(2);
    let (handle, inbox) = door(id, most);
    let relay = Relay {
        store: Arc::clone(&world.store),
        perform: Arc::clone(&world.platforms),
        environment: Arc::clone(&environment),
        live: Arc::clone(&live),
        handle: handle.clone(),
        quiet_period: QUIET,
    };
    let router = Router {
        store: Arc::clone(&world.store),
        environment: Arc::clone(&environment),
        live: Arc::clone(&live),
        relay: handle.clone(),
        holder: id.0,
    };
    let (for_relay, for_router) = (stop.clone(), stop.clone());
    let mut loops = vec![
        async move { relay.run(inbox, for_relay).await }.boxed(),
        async move { router.run(for_router).await }.boxed(),
    ];
    loops.extend(intakes(world, &environment, &live, &handle, stop));
    let reception = Reception {
        door: Arc::new(Commands::new(Arc::clone(&world.store), environment, live, handle)),
        gone: CancellationToken::new(),
    };
    (reception, join_all(loops).map(drop).boxed())
}

fn intakes(
    world: &Arc<World>,
    environment: &Arc<SimulatedEnvironment>,
    live: &Arc<SimulatedLive>,
    handle: &RelayHandle,
    stop: &CancellationToken,
) -> Vec<BoxFuture<'static, ()>> {
    let intake = || Intake {
        store: Arc::clone(&world.store),
        environment: Arc::clone(environment),
        live: Arc::clone(live),
        relay: handle.clone(),
    };
    let takers = (0..INTAKES).map(|number| {
        let partitions = Partition::all().filter(|partition| partition.number() % INTAKES == number);
        let deliveries = world.broker.subscribe(partitions.collect());
        let (intake, stop) = (intake(), stop.clone());
        async move { intake.run(deliveries, stop).await }.boxed()
    });
    let mut all: Vec<_> = takers.collect();
    let (again, stop) = (intake(), stop.clone());
    all.push(async move { again.redrive(stop).await }.boxed());
    all
}
