//! Simulated days: many seeds, each a day with its own accidents, and the same seed twice.
//!
//! `FRONTDESK_SEEDS=1000` runs more of them, `FRONTDESK_SEED=17` only that one.

#![expect(clippy::unwrap_used, reason = "clippy knows tests by their attribute; this whole crate is tests")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tests::simulation::{Trace, simulate};

/// Seeds that are run when nobody says otherwise.
const SEEDS: u64 = 100;

/// A day in a thread of its own: one thread, one paused clock, one seed.
fn day(seed: u64) -> Trace {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(simulate(seed))
}

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

/// Runs seeds on every core. Returns the reports of those that failed.
fn days(seeds: std::ops::Range<u64>) -> Vec<String> {
    let next = Arc::new(AtomicU64::new(seeds.start));
    let failed = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = (0..std::thread::available_parallelism().unwrap().get())
        .map(|_| {
            let (next, failed, end) = (Arc::clone(&next), Arc::clone(&failed), seeds.end);
            std::thread::spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    match std::panic::catch_unwind(|| day(seed)) {
                        Ok(trace) if trace.violations.is_empty() && trace.sends() > 20 => {}
                        Ok(trace) => failed.lock().unwrap().push(trace.report()),
                        Err(_) => failed.lock().unwrap().push(format!("seed {seed}: a panic, see above")),
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    Arc::try_unwrap(failed).unwrap().into_inner().unwrap()
}

#[test]
fn whatever_happens_in_a_day_nothing_is_lost_doubled_or_out_of_turn() {
    let seeds = match number("FRONTDESK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FRONTDESK_SEEDS").unwrap_or(SEEDS),
    };
    let (count, failed) = (seeds.end - seeds.start, days(seeds));
    assert!(
        failed.is_empty(),
        "{} of {count} days went wrong\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another_one() {
    let hashes: Vec<String> = (1..6).map(|seed| day(seed).hash()).collect();
    let again: Vec<String> = (1..6).map(|seed| day(seed).hash()).collect();
    assert_eq!(hashes, again);
    let different: std::collections::BTreeSet<&String> = hashes.iter().collect();
    assert_eq!(different.len(), hashes.len());
}
