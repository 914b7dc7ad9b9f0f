//! Logs: one JSON object a line on standard output.
//!
//! Invariant: no library that prints message bodies gets through, whatever `RUST_LOG` says.

use std::error::Error;
use std::fmt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

/// What is never logged: lapin prints a returned message with its body, which is what a visitor wrote; at trace it prints every frame.
const SILENCED: [&str; 3] = ["lapin::returned_messages=off", "lapin::channel=info", "lapin::io_loop=info"];

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("RUST_LOG is no filter")]
    Filter(#[from] ParseError),
    /// Something else logs already.
    #[error("logging is set up already")]
    AlreadyInitialised(#[from] TryInitError),
}

/// Starts logging what `filter` lets through.
///
/// # Errors
/// See [`TelemetryError`].
pub fn init(filter: &str) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt as _;
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(parse(filter)?);
    Ok(subscriber.finish().try_init()?)
}

/// Checks a filter the way [`init`] will.
///
/// # Errors
/// When it is none.
pub fn parse(filter: &str) -> Result<EnvFilter, ParseError> {
    let silenced = SILENCED.iter().map(|directive| directive.parse());
    silenced.into_iter().try_fold(
        EnvFilter::try_new(filter)?,
        |filter, directive| Ok(filter.add_directive(directive?)),
    )
}

/// An error with everything that caused it, in one line.
pub struct Causes<'a>(pub &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let filter = parse("nonsense=loudest").unwrap_err();
        let shown = Causes(&TelemetryError::Filter(filter)).to_string();
        assert!(shown.starts_with("RUST_LOG is no filter: "), "{shown}");
    }

    #[test]
    fn a_filter_is_checked_and_never_lets_message_bodies_through() {
        let filter = parse("trace").unwrap().to_string();
        assert!(SILENCED.iter().all(|directive| filter.contains(directive)), "{filter}");
        assert!(parse("info,nonsense=loudest").is_err());
    }
}
