//! Counters, gauges and histograms, rendered for Prometheus.
//!
//! Invariant: one recorder per process, installed before the first measurement; a handle taken earlier would count into nothing.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// How often collected observations are folded into their buckets. Without it they would pile up until somebody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds of duration histograms in seconds, around the promises that we make (5 ms, 15 ms, 3 s, 5 s).
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.03, 0.1, 0.5, 1.0, 3.0, 5.0];

/// The process's measurements as text.
#[derive(Clone)]
pub struct Exposition(PrometheusHandle);

impl Exposition {
    /// Installs the recorder of this process.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install() -> Result<Self, BuildError> {
        Ok(Self(PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()?))
    }

    /// Everything measured so far, in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps memory bounded for as long as it is polled.
    pub async fn upkeep(self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}
