//! The benchmarks: the real binaries under load, each beside a floor that does only what cannot be left out.
//!
//! Invariants: a number counts only when nothing was lost on the way to it; a floor is measured in the same run, on the same broker and
//! database, by the same load; whatever a run makes (processes, a database, broker queues) is gone when it ends.

pub mod error;
pub mod floor;
mod histogram;
mod http;
pub mod ingest;
mod installation;
pub mod latency;
pub mod pipeline;
mod pump;
mod queues;
mod sample;
mod service;
mod table;

pub use error::BenchError;
pub use installation::Servers;
