//! What every store promises, as one suite that runs against the store in memory and against PostgreSQL.
//!
//! A behaviour is a function over any store; the macro below makes a test of it for each. The simulation proves the loops on the store in
//! memory: that proof is worth as much as this suite says the two are alike.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests by their attribute; this whole crate is tests"
)]

mod desk;
mod floor;
mod idempotency;
mod inbox;
mod lanes;
mod leases;
mod loading;
mod log;
mod manners;
mod outcomes;
mod quarantine;
mod streams;
mod withdrawal;

/// One test per behaviour and store.
macro_rules! every_store {
    ($($behaviour:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $behaviour() {
                super::$behaviour(crate::desk::in_memory()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(crate::desk::in_postgres().await).await;
            })+
        }
    };
}
pub(crate) use every_store;
