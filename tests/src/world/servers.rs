//! The servers that worlds stand on, and what else a person may set for the suites.

use std::str::FromStr;

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok())
}

fn required(name: &str) -> String {
    variable(name)
        .unwrap_or_else(|| panic!("{name} is not set: run these tests through scripts/test, or through scripts/services run -- COMMAND"))
}

/// A PostgreSQL on which databases may be made.
#[must_use]
pub fn database_server() -> String {
    required("FRONTDESK_TEST_DATABASE_URL")
}

/// A RabbitMQ on which anything may be declared.
#[must_use]
pub fn broker_server() -> String {
    required("FRONTDESK_TEST_AMQP_URL")
}

/// A number that a person may set in the environment, such as how often something is killed.
#[must_use]
pub fn number_from_environment<N: FromStr>(name: &str) -> Option<N> {
    let text = variable(name)?;
    Some(
        text.parse()
            .unwrap_or_else(|_not_a_number| panic!("{name} is {text}, which is no such number")),
    )
}
