//! Slows down guessing: failed attempts are counted per login and per address.
//!
//! Invariant: an attempt counts from its beginning, so that many at a time are no way around; a success takes its own count back.
//! What is kept is bounded.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use shared::Timestamp;

/// Failures are forgotten after so long.
const SPAN: Duration = Duration::from_secs(300);
/// Failures per login within the span.
const PER_LOGIN: usize = 10;
/// Failures per address within the span. More than per login: a whole office may sit behind one address.
const PER_ADDRESS: usize = 50;
/// Logins and addresses kept at most. Beyond, the one whose failures are oldest is forgotten.
const MOST_KEPT: usize = 20_000;

/// Counts failed attempts to sign in.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    // Logins are kept hashed: they are as long as the caller likes, and names.
    by_login: HashMap<[u8; 32], VecDeque<Timestamp>>,
    by_address: HashMap<IpAddr, VecDeque<Timestamp>>,
}

/// An attempt under way. Counts as failed unless it succeeds.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    login: [u8; 32],
    address: Option<IpAddr>,
    at: Timestamp,
}

impl Throttle {
    /// Begins an attempt.
    ///
    /// # Errors
    /// How long to wait, after too many failures.
    pub fn begin(&self, login: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Attempt, Duration> {
        let login: [u8; 32] = Sha256::digest(login.trim().to_lowercase()).into();
        let address = address.map(network_of);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [
            wait(&mut failures.by_login, &login, PER_LOGIN, now),
            address.and_then(|address| wait(&mut failures.by_address, &address, PER_ADDRESS, now)),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        count(&mut failures.by_login, login, now);
        if let Some(address) = address {
            count(&mut failures.by_address, address, now);
        }
        Ok(Attempt { login, address, at: now })
    }

    /// The attempt succeeded: whoever knows the password has not been guessing.
    pub fn succeed(&self, attempt: Attempt) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.by_login.remove(&attempt.login);
        if let Some(times) = attempt.address.and_then(|address| failures.by_address.get_mut(&address))
            && let Some(own) = times.iter().rposition(|time| *time == attempt.at)
        {
            times.remove(own);
        }
    }
}

/// A host has 2^64 addresses of IPv6 to itself.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6((six.to_bits() >> 64 << 64).into()),
        },
    }
}

fn wait<K: Hash + Eq>(kept: &mut HashMap<K, VecDeque<Timestamp>>, key: &K, most: usize, now: Timestamp) -> Option<Duration> {
    let times = kept.get_mut(key)?;
    while times.front().is_some_and(|time| now.since(*time) >= SPAN) {
        times.pop_front();
    }
    let first = times.front().filter(|_| times.len() >= most)?;
    Some(SPAN.saturating_sub(now.since(*first)))
}

fn count<K: Hash + Eq + Clone>(kept: &mut HashMap<K, VecDeque<Timestamp>>, key: K, now: Timestamp) {
    if kept.len() >= MOST_KEPT && !kept.contains_key(&key) {
        kept.retain(|_, times| times.back().is_some_and(|time| now.since(*time) < SPAN));
        let oldest = kept
            .iter()
            .min_by_key(|(_, times)| times.back().copied())
            .map(|(key, _)| key.clone());
        if kept.len() >= MOST_KEPT
            && let Some(oldest) = oldest
        {
            kept.remove(&oldest);
        }
    }
    kept.entry(key).or_default().push_back(now);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn office() -> Option<IpAddr> {
        Some("192.0.2.7".parse().unwrap())
    }

    #[test]
    fn the_eleventh_guess_at_a_login_has_to_wait_until_the_first_is_forgotten() {
        let throttle = Throttle::default();
        for second in 0..10 {
            let _failed = throttle.begin("zhangsan", office(), at(second)).unwrap();
        }
        assert_eq!(throttle.begin("ZhangSan ", None, at(100)).unwrap_err(), Duration::from_secs(200));
        assert!(throttle.begin("lisi", office(), at(100)).is_ok());
        assert!(throttle.begin("zhangsan", office(), at(300)).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_logins_has_to_wait() {
        let throttle = Throttle::default();
        for guess in 0..50 {
            let _failed = throttle.begin(&format!("login{guess}"), office(), at(0)).unwrap();
        }
        assert!(throttle.begin("another", office(), at(1)).is_err());
        assert!(throttle.begin("another", Some("192.0.2.8".parse().unwrap()), at(1)).is_ok());
    }

    #[test]
    fn the_addresses_of_one_host_count_as_one() {
        let one: IpAddr = "2001:db8:1:2::3".parse().unwrap();
        let two: IpAddr = "2001:db8:1:2:ffff::4".parse().unwrap();
        assert_eq!(network_of(one), network_of(two));
        assert_eq!(
            network_of("::ffff:192.0.2.7".parse().unwrap()),
            "192.0.2.7".parse::<IpAddr>().unwrap()
        );
    }

    #[test]
    fn a_success_forgets_the_failures_of_the_login_but_not_those_of_the_address() {
        let throttle = Throttle::default();
        for second in 0..9 {
            let _failed = throttle.begin("zhangsan", office(), at(second)).unwrap();
        }
        let attempt = throttle.begin("zhangsan", office(), at(9)).unwrap();
        throttle.succeed(attempt);
        assert!(throttle.begin("zhangsan", office(), at(10)).is_ok());
        for guess in 0..40 {
            let _failed = throttle.begin(&format!("login{guess}"), office(), at(11)).unwrap();
        }
        assert!(throttle.begin("zhangsan", office(), at(12)).is_err());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let throttle = Throttle::default();
        for guess in 0..MOST_KEPT + 100 {
            let _failed = throttle.begin(&format!("login{guess}"), None, at(0)).unwrap();
        }
        assert_eq!(throttle.failures.lock().unwrap().by_login.len(), MOST_KEPT);
    }
}
