//! The closed loop: so many connections, each sends its next request as soon as the last one was answered.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use super::BenchError;
use super::histogram::{Quantiles, real, rounded};
use super::http::Connection;
use serde::Serialize;

/// How a load is applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pump {
    pub(super) connections: usize,
    /// A run that takes longer is cut here; its rate still counts.
    pub(super) longest: Duration,
}

/// What one run gave.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Run {
    /// Acknowledged a second.
    pub(super) rate: f64,
    /// From the first byte sent to the whole answer.
    pub(super) latency: Quantiles,
}

impl Pump {
    /// Sends every request once, or as many as fit into the time. Runs on the thread that calls it; must be called on a current-thread runtime.
    pub(super) async fn run(self, address: SocketAddr, requests: Rc<Vec<Vec<u8>>>) -> Result<Run, BenchError> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(address).await?);
        }
        let next = Rc::new(Cell::new(0));
        let local = LocalSet::new();
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for connection in connections {
            let lane = Lane {
                connection,
                requests: Rc::clone(&requests),
                next: Rc::clone(&next),
                deadline: started + self.longest,
            };
            tasks.spawn_local_on(lane.run(), &local);
        }
        let durations = local
            .run_until(async {
                let mut durations = Vec::with_capacity(requests.len());
                while let Some(lane) = tasks.join_next().await {
                    durations.extend(lane??);
                }
                Ok::<_, BenchError>(durations)
            })
            .await?;
        let elapsed = started.elapsed();
        let latency = Quantiles::of(durations)?;
        Ok(Run {
            rate: rounded(real(latency.count) / elapsed.as_secs_f64()),
            latency,
        })
    }
}

/// One connection's share.
struct Lane {
    connection: Connection,
    requests: Rc<Vec<Vec<u8>>>,
    next: Rc<Cell<usize>>,
    deadline: Instant,
}

impl Lane {
    async fn run(mut self) -> Result<Vec<Duration>, BenchError> {
        let mut durations = Vec::new();
        loop {
            let began = Instant::now();
            let index = self.next.get();
            let Some(request) = self.requests.get(index).filter(|_| began < self.deadline) else {
                return Ok(durations);
            };
            self.next.set(index.saturating_add(1));
            match self.connection.exchange(request).await? {
                200 => durations.push(began.elapsed()),
                status => return Err(BenchError::Refused(status)),
            }
        }
    }
}
