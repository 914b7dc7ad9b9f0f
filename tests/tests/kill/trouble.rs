//! What both suites share: the load, the instants, the seed.

use std::ops::Range;
use std::time::Duration;

use tests::simulation::Chance;
use tests::wall_clock;
use tests::world::{Load, LoadPlan, World, number_from_environment, within};

/// The leases of what was begun, quiet periods, and the backlog.
pub(crate) const DRAIN: Duration = Duration::from_secs(75);
/// Between two strokes, in milliseconds: long enough to get to work, short enough to meet what the last one left.
pub(crate) const BETWEEN: Range<u64> = 300..2_500;

/// The seed of a run: a new one every time, unless somebody wants one again.
pub(crate) fn seed() -> u64 {
    number_from_environment("FRONTDESK_SEED").unwrap_or_else(|| wall_clock::now_us().unsigned_abs())
}

/// Two hundred messages a second and a few more, so that the pace is kept when one comes late.
pub(crate) fn load_on(world: &World) -> Load {
    let plan = LoadPlan {
        page_id: world.page().to_owned(),
        visitors: 110,
        per_second: 220,
        most_per_visitor: 100_000,
        text: "运费".to_owned(),
    };
    for number in 0..plan.visitors {
        world.facebook.meet(&plan.page_id, &LoadPlan::psid(number));
    }
    Load::start(&plan, &world.sender())
}

/// Lets the load go on until two hundred messages were acknowledged for every second since its beginning, the outages included.
pub(crate) async fn until_pace_is_made_up(load: &Load, seed: u64) {
    let what = format!("what the outages kept back is made up for (FRONTDESK_SEED={seed})");
    within(DRAIN, &what, async || {
        let wanted = load.elapsed().as_millis() / 5;
        (u128::try_from(load.acknowledged()).unwrap() >= wanted).then_some(())
    })
    .await;
}

/// The next instant. Not waiting for anything: this is the trouble itself.
pub(crate) async fn a_while(chance: &mut Chance, range: Range<u64>) {
    let span = range.end - range.start;
    tokio::time::sleep(Duration::from_millis(range.start + chance.below(span))).await;
}
