//! Latencies: collected as they come, told as quantiles.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::BenchError;

/// Longer than anything that a benchmark waits for, in microseconds.
const LONGEST: u64 = 120_000_000;

/// A distribution of latencies, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Quantiles {
    /// How many there were.
    pub(super) count: u64,
    /// The median.
    pub(super) p50_ms: f64,
    /// Nine of ten are shorter.
    pub(super) p90_ms: f64,
    /// 99 of 100 are shorter.
    pub(super) p99_ms: f64,
    /// The longest.
    pub(super) max_ms: f64,
}

impl Quantiles {
    /// The distribution of these durations.
    ///
    /// # Errors
    /// None in practice: the bounds are constants.
    pub(super) fn of(durations: impl IntoIterator<Item = Duration>) -> Result<Self, BenchError> {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, LONGEST, 3)?;
        for duration in durations {
            histogram.saturating_record(u64::try_from(duration.as_micros()).unwrap_or(LONGEST).max(1));
        }
        let at = |quantile: f64| millis(histogram.value_at_quantile(quantile));
        Ok(Self {
            count: histogram.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: millis(histogram.max()),
        })
    }
}

fn millis(micros: u64) -> f64 {
    rounded(Duration::from_micros(micros).as_secs_f64() * 1e3)
}

/// To the thousandth, so that the JSON does not pretend to know more.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// The middle one; of an even count the mean of both.
pub(super) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        at(half)
    } else {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    }
}

/// A count as a number to divide by.
pub(super) fn real(count: u64) -> f64 {
    // Counts of a benchmark stay far below 2^32.
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let quantiles = Quantiles::of((1..=1000).map(Duration::from_millis)).unwrap();
        assert_eq!(quantiles.count, 1000);
        assert!((quantiles.p50_ms - 500.0).abs() <= 1.0, "{quantiles:?}");
        assert!((quantiles.p99_ms - 990.0).abs() <= 1.0, "{quantiles:?}");
        assert!((quantiles.max_ms - 1000.0).abs() <= 1.0, "{quantiles:?}");
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3.0, 1.0, 2.0]).total_cmp(&2.0), std::cmp::Ordering::Equal);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]).total_cmp(&2.5), std::cmp::Ordering::Equal);
    }
}
