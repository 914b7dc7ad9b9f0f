//! Configuration: from the environment, one struct per concern, each documented by `--help`.
//!
//! Invariant: a wrong or missing variable stops the start with one line that names the variable and the mend, and never shows its value.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, Parser};
use secrecy::{ExposeSecret as _, SecretString};
use shared::sealing::{Keyring, SealingKey};
use shared::topology::Topology;
use url::Url;

/// Where PostgreSQL is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseConfig {
    /// PostgreSQL, as postgres://user:password@host:5432/database
    #[arg(long = "database-url", env = "DATABASE_URL", hide_env_values = true, value_parser = database_url)]
    pub database_url: SecretUrl,
}

/// Where RabbitMQ is.
#[derive(Debug, Clone, Args)]
pub struct BrokerConfig {
    /// RabbitMQ, as amqp://user:password@host:5672/%2f (amqps:// for TLS)
    #[arg(long = "amqp-url", env = "AMQP_URL", hide_env_values = true, value_parser = amqp_url)]
    pub amqp_url: SecretUrl,
    /// Put in front of every name at the broker, so that several installations can share one; at most 100 bytes
    #[arg(long = "amqp-prefix", env = "AMQP_PREFIX", default_value = "", value_parser = prefix)]
    pub amqp_prefix: String,
}

/// What opens the sealed columns.
#[derive(Debug, Clone, Args)]
pub struct SealingConfig {
    /// Seals secrets and texts at rest: 32 bytes in base64, made by `openssl rand -base64 32`
    #[arg(long = "encryption-key", env = "ENCRYPTION_KEY", hide_env_values = true, value_parser = sealing_key)]
    pub encryption_key: SealingKey,
    /// Keys that only open, during a rotation: base64, separated by commas
    #[arg(long = "previous-encryption-keys", env = "PREVIOUS_ENCRYPTION_KEYS", hide_env_values = true, value_delimiter = ',', value_parser = sealing_key)]
    pub previous_encryption_keys: Vec<SealingKey>,
}

/// What is logged.
#[derive(Debug, Clone, Args)]
pub struct LogConfig {
    /// What to log, as error, warn, info, debug or target=level, separated by commas
    #[arg(long = "log", env = "RUST_LOG", default_value = "info", value_parser = log_filter)]
    pub log: String,
}

impl DatabaseConfig {
    /// The URL for a connection that notices a dead peer and never holds a lock for long.
    #[must_use]
    pub fn connection_url(&self, application: &str, statement_timeout: Duration) -> SecretString {
        let statement = format!("statement_timeout={}", statement_timeout.as_millis());
        let options = format!("-c {statement} -c idle_in_transaction_session_timeout=5000")
            .replace(' ', "%20")
            .replace('=', "%3D");
        let parameters = format!(
            "application_name={application}&connect_timeout=3&keepalives=1&keepalives_idle=10&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=25000&options={options}"
        );
        let url = self.database_url.0.expose_secret();
        let separator = if url.contains('?') { '&' } else { '?' };
        SecretString::from(format!("{url}{separator}{parameters}"))
    }
}

impl BrokerConfig {
    /// The names at the broker.
    #[must_use]
    pub fn topology(&self) -> Topology {
        Topology::new(&self.amqp_prefix)
    }
}

impl SealingConfig {
    /// The keys as a ring.
    #[must_use]
    pub fn keyring(&self) -> Keyring {
        Keyring {
            current: self.encryption_key.clone(),
            previous: self.previous_encryption_keys.clone(),
        }
    }
}

/// A URL that may hold a password.
#[derive(Clone)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// From a text that was checked already, for tests and tools.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self(SecretString::from(url))
    }

    /// The whole URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redacted(self.expose()))
    }
}

fn database_url(text: &str) -> Result<SecretUrl, String> {
    // The client library takes anything else for a list of settings.
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if is_url && Url::parse(text).is_ok_and(|url| names_server(&url)) {
        Ok(SecretUrl::new(text))
    } else {
        Err("it is no postgres:// URL".to_owned())
    }
}

/// A host in its place, or a socket's folder as a parameter. Without either, libpq would connect to whatever is on this machine.
fn names_server(url: &Url) -> bool {
    url.has_host() || url.query_pairs().any(|(name, _)| name == "host")
}

fn amqp_url(text: &str) -> Result<SecretUrl, String> {
    let parsed: Result<lapin::uri::AMQPUri, String> = text.parse();
    if parsed.is_ok() {
        Ok(SecretUrl::new(text))
    } else {
        Err("it is no amqp:// or amqps:// URL".to_owned())
    }
}

fn sealing_key(text: &str) -> Result<SealingKey, String> {
    SealingKey::from_base64(text).map_err(|error| error.to_string())
}

fn log_filter(text: &str) -> Result<String, String> {
    crate::telemetry::parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

/// Queue names are AMQP short texts; the longest of ours has 20 bytes.
fn prefix(text: &str) -> Result<String, String> {
    if text.len() <= 100 && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("it is too long or has control characters".to_owned())
    }
}

/// Checks an address to listen on.
///
/// # Errors
/// The reason as text, for clap.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_malformed: std::net::AddrParseError| "it is no address with a port, such as 0.0.0.0:8035".to_owned())
}

/// A command line, read.
#[derive(Debug)]
pub struct Parsed<C> {
    /// The typed values.
    pub command: C,
    /// Every variable with its value as far as it may be shown.
    pub settings: Vec<Setting>,
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub variable: String,
    /// Its value; secrets are replaced.
    pub shown: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.variable, self.shown)
    }
}

/// Why a command line starts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What to print.
    pub message: String,
    /// 0 for help and version, 2 for everything wrong.
    pub exit_code: u8,
}

/// Reads the command line and the environment.
///
/// # Errors
/// A [`Refusal`] to print and to exit with; also for `--help` and `--version`.
pub fn parse<C: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed<C>, Refusal> {
    let mut definition = C::command();
    // Subcommands that were not called would otherwise be unfinished when a refusal looks through them.
    definition.build();
    let refuse = |definition: &Command, error: &clap::Error| refusal(definition, error);
    let matches = definition
        .try_get_matches_from_mut(arguments)
        .map_err(|error| refuse(&definition, &error))?;
    let command = C::from_arg_matches(&matches).map_err(|error| refuse(&definition, &error))?;
    Ok(Parsed {
        command,
        settings: settings(&definition, &matches),
    })
}

fn settings(definition: &Command, matches: &ArgMatches) -> Vec<Setting> {
    let mut found: Vec<_> = definition
        .get_arguments()
        .filter_map(|argument| setting(argument, matches))
        .collect();
    if let Some((name, below)) = matches.subcommand()
        && let Some(subcommand) = definition.find_subcommand(name)
    {
        found.extend(settings(subcommand, below));
    }
    found
}

fn setting(argument: &Arg, matches: &ArgMatches) -> Option<Setting> {
    let variable = argument.get_env()?.to_string_lossy().into_owned();
    let raw = matches.get_raw(argument.get_id().as_str());
    let value = raw.map(|values| values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(","));
    let shown = match value {
        None => "(not set)".to_owned(),
        Some(value) if argument.is_hide_env_values_set() => redacted(&value),
        Some(value) => value,
    };
    Some(Setting { variable, shown })
}

/// A URL without its password, and of anything else only that it is there.
fn redacted(value: &str) -> String {
    let Ok(mut url) = Url::parse(value) else {
        return "(set)".to_owned();
    };
    if !url.has_host() {
        return "(set)".to_owned();
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "(set)".to_owned();
    }
    // A query may carry another password (libpq accepts one there).
    if url.query().is_some() {
        url.set_query(Some("***"));
    }
    url.to_string()
}

fn refusal(definition: &Command, error: &clap::Error) -> Refusal {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Refusal {
            message: error.to_string(),
            exit_code: 0,
        },
        ErrorKind::MissingRequiredArgument => Refusal {
            message: missing(definition, error),
            exit_code: 2,
        },
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => Refusal {
            message: invalid(definition, error),
            exit_code: 2,
        },
        _ => Refusal {
            message: first_line(error),
            exit_code: 2,
        },
    }
}

fn missing(definition: &Command, error: &clap::Error) -> String {
    let names = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) => names.as_slice(),
        _ => return first_line(error),
    };
    let explain = |name: &String| {
        let (variable, mend) = described(definition, name);
        format!("{variable} is missing: set it to {mend}")
    };
    names.iter().map(explain).collect::<Vec<_>>().join("; ")
}

fn invalid(definition: &Command, error: &clap::Error) -> String {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidArg) else {
        return first_line(error);
    };
    let (variable, mend) = described(definition, name);
    // The source is the parser's own reason; clap's message would repeat the value, which may be a secret.
    let reason = std::error::Error::source(error).map_or_else(|| "it is not valid".to_owned(), ToString::to_string);
    format!("{variable} is wrong, {reason}: set it to {mend}")
}

/// The variable behind clap's name of an argument, and its help as the mend.
fn described(definition: &Command, name: &str) -> (String, String) {
    let Some(argument) = find(definition, name) else {
        return (name.to_owned(), "what --help says".to_owned());
    };
    let variable = argument
        .get_env()
        .map_or_else(|| name.to_owned(), |variable| variable.to_string_lossy().into_owned());
    let mend = argument.get_help().map(StyledStr::to_string).unwrap_or_default();
    (variable, mend)
}

fn find<'a>(definition: &'a Command, name: &str) -> Option<&'a Arg> {
    let here = definition.get_arguments().find(|argument| argument.to_string() == name);
    here.or_else(|| definition.get_subcommands().find_map(|subcommand| find(subcommand, name)))
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Service {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        broker: BrokerConfig,
        #[command(flatten)]
        sealing: SealingConfig,
    }

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn parse_with(arguments: &[&str]) -> Result<Parsed<Service>, Refusal> {
        parse(std::iter::once("service").chain(arguments.iter().copied()).map(OsString::from))
    }

    fn complete<'a>(database: &'a str, key: &'a str) -> [&'a str; 6] {
        [
            "--database-url",
            database,
            "--amqp-url",
            "amqp://guest:secret2@127.0.0.1:5672/%2f",
            "--encryption-key",
            key,
        ]
    }

    /// Needs a variable that no environment has.
    #[derive(Debug, Parser)]
    struct Needy {
        /// the moon, as moon://user:password@sky
        #[arg(long = "moon-url", env = "FRONTDESK_NOWHERE_SET")]
        _moon: String,
    }

    #[test]
    fn a_missing_variable_is_named_with_its_mend_in_one_line() {
        let refusal = parse::<Needy>([OsString::from("service")]).unwrap_err();
        let message = "FRONTDESK_NOWHERE_SET is missing: set it to the moon, as moon://user:password@sky";
        assert_eq!(
            refusal,
            Refusal {
                message: message.to_owned(),
                exit_code: 2
            }
        );
    }

    #[test]
    fn a_wrong_variable_is_named_with_its_mend_and_without_its_value() {
        let refusal = parse_with(&complete("mysql://u:geheim@h/d", KEY)).unwrap_err();
        assert_eq!(
            refusal.message,
            "DATABASE_URL is wrong, it is no postgres:// URL: set it to PostgreSQL, as postgres://user:password@host:5432/database"
        );
        let refusal = parse_with(&complete("postgres://u:p@h/d", "geheim")).unwrap_err();
        assert!(
            refusal
                .message
                .starts_with("ENCRYPTION_KEY is wrong, a sealing key is 32 bytes in base64: set it to"),
            "{}",
            refusal.message
        );
        assert!(
            !refusal.message.contains("geheim") && !refusal.message.contains('\n'),
            "{}",
            refusal.message
        );
    }

    #[test]
    fn a_database_url_names_a_server_and_is_no_list_of_settings() {
        for right in ["postgres://u:p@h/d", "postgresql://h", "postgres:///d?host=/run/postgresql"] {
            assert!(database_url(right).is_ok(), "{right}");
        }
        for wrong in ["postgres:/d", "postgres:d", "postgres:///d", "host=h dbname=d", "http://h/d"] {
            assert!(database_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_empty_variable_is_as_wrong_as_any_other() {
        assert!(
            parse_with(&complete("", KEY))
                .unwrap_err()
                .message
                .starts_with("DATABASE_URL is wrong")
        );
    }

    #[test]
    fn help_lists_every_variable_and_is_no_failure() {
        let refusal = parse_with(&["--help"]).unwrap_err();
        assert_eq!(refusal.exit_code, 0);
        for variable in [
            "DATABASE_URL",
            "AMQP_URL",
            "AMQP_PREFIX",
            "ENCRYPTION_KEY",
            "PREVIOUS_ENCRYPTION_KEYS",
        ] {
            assert!(refusal.message.contains(variable), "{variable}");
        }
    }

    #[test]
    fn settings_show_where_things_are_and_no_secret() {
        let parsed = parse_with(&complete("postgres://user:secret1@db:5432/frontdesk?password=secret3", KEY)).unwrap();
        let shown: Vec<_> = parsed.settings.iter().map(ToString::to_string).collect();
        assert!(
            shown.contains(&"DATABASE_URL=postgres://user:***@db:5432/frontdesk?***".to_owned()),
            "{shown:?}"
        );
        assert!(shown.contains(&"ENCRYPTION_KEY=(set)".to_owned()), "{shown:?}");
        assert!(shown.contains(&"PREVIOUS_ENCRYPTION_KEYS=(not set)".to_owned()), "{shown:?}");
        let everything = format!("{shown:?} {:?}", parsed.command);
        assert!(!everything.contains("secret") && !everything.contains(KEY), "{everything}");
    }

    #[test]
    fn a_database_connection_notices_a_dead_peer_and_a_long_statement() {
        let config = DatabaseConfig {
            database_url: SecretUrl::new("postgres://u:p@h/d?sslmode=disable"),
        };
        let url = config.connection_url("ingress", Duration::from_secs(2));
        let url = url.expose_secret();
        assert!(
            url.starts_with("postgres://u:p@h/d?sslmode=disable&application_name=ingress&"),
            "{url}"
        );
        assert!(
            url.ends_with("options=-c%20statement_timeout%3D2000%20-c%20idle_in_transaction_session_timeout%3D5000"),
            "{url}"
        );
    }
}
