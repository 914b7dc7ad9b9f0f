//! A wrong or missing variable stops the start of a service: exit code 2, and one line that names the variable and the mend.

#![expect(clippy::expect_used, reason = "clippy knows tests by their attribute; this whole crate is tests")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::Duration;

use tests::world::binary;
use tokio::process::Command;

/// A start that is refused is refused at once, before anything is connected.
const AT_ONCE: Duration = Duration::from_secs(20);
/// What no line may repeat.
const SECRET: &str = "geheim";

type Environment = BTreeMap<&'static str, String>;

/// A service and how it is started.
#[derive(Clone, Copy, Debug)]
struct Start {
    binary: &'static str,
    arguments: &'static [&'static str],
    listen: &'static str,
}

const INGRESS: Start = Start {
    binary: "ingress",
    arguments: &[],
    listen: "INGRESS_LISTEN",
};
const DISPATCHER: Start = Start {
    binary: "dispatcher",
    arguments: &["serve"],
    listen: "DISPATCHER_LISTEN",
};
/// Every command that reads the configuration of a service.
const ALL: [Start; 4] = [
    INGRESS,
    Start {
        arguments: &["check-config"],
        ..INGRESS
    },
    DISPATCHER,
    Start {
        arguments: &["check-config"],
        ..DISPATCHER
    },
];

impl Start {
    /// Everything that is needed, of the right form. Nobody listens at these addresses.
    fn environment(self) -> Environment {
        BTreeMap::from([
            ("DATABASE_URL", format!("postgres://user:{SECRET}@127.0.0.1:9/frontdesk")),
            ("AMQP_URL", format!("amqp://user:{SECRET}@127.0.0.1:9/%2f")),
            ("ENCRYPTION_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned()),
            (self.listen, "127.0.0.1:0".to_owned()),
        ])
    }

    async fn ends(self, environment: &Environment) -> Output {
        let mut command = Command::new(binary(self.binary));
        command.args(self.arguments).env_clear().envs(environment);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(AT_ONCE, command.output()).await;
        output
            .unwrap_or_else(|_late| panic!("{self:?} did not refuse to start with {environment:?}"))
            .expect("it runs")
    }

    /// Checks that the start is refused with one line about a variable; the line.
    async fn refuses(self, environment: &Environment, variable: &str) -> String {
        let output = self.ends(environment).await;
        let line = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{self:?} and {variable}: {line}");
        assert!(output.stdout.is_empty(), "{self:?} and {variable}: {:?}", output.stdout);
        assert_eq!(line.lines().count(), 1, "{self:?} and {variable}: {line}");
        assert!(line.starts_with(variable), "{self:?} does not name {variable}: {line}");
        line
    }
}

#[tokio::test]
async fn a_missing_variable_stops_the_start_with_one_line_that_names_it_and_the_mend() {
    for start in ALL {
        for variable in ["DATABASE_URL", "AMQP_URL", "ENCRYPTION_KEY"] {
            let mut environment = start.environment();
            environment.remove(variable);
            let line = start.refuses(&environment, variable).await;
            let (_, mend) = line
                .split_once(" is missing: set it to ")
                .expect("the line says what is wrong and how to mend it");
            assert!(mend.trim().len() > 10, "{line}");
        }
    }
}

#[tokio::test]
async fn an_empty_or_wrong_variable_stops_the_start_with_one_line_that_names_it_and_never_its_value() {
    let of_both: &[(&str, &[&str])] = &[
        (
            "DATABASE_URL",
            &["", SECRET, "mysql://user:geheim@127.0.0.1/frontdesk", "postgres:/geheim"],
        ),
        ("AMQP_URL", &["", SECRET, "http://user:geheim@127.0.0.1", "amqp//geheim"]),
        (
            "ENCRYPTION_KEY",
            &["", SECRET, "Z2VoZWlt", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=geheim"],
        ),
        (
            "PREVIOUS_ENCRYPTION_KEYS",
            &[SECRET, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,geheim"],
        ),
        ("AMQP_PREFIX", &["geheim\u{7}geheim"]),
        ("RUST_LOG", &["frontdesk=loud"]),
    ];
    let of_ingress: &[(&str, &[&str])] = &[
        ("INGRESS_LISTEN", &["", SECRET, "127.0.0.1", "127.0.0.1:70000"]),
        ("INGRESS_WORKERS", &["0", "17", SECRET]),
        ("INGRESS_PUBLISHING_CONNECTIONS", &["0", "3", SECRET]),
    ];
    let of_dispatcher: &[(&str, &[&str])] = &[
        ("DISPATCHER_LISTEN", &["", SECRET, "127.0.0.1", "127.0.0.1:70000"]),
        ("PUBLIC_URL", &["", SECRET, "ftp://geheim", "http://"]),
        ("GRAPH_API_URL", &["", SECRET, "file:///geheim"]),
        ("GRAPH_PROXY", &["", SECRET, "ftp://user:geheim@127.0.0.1"]),
        ("CHATOPERA_URL", &["", SECRET, "chatopera:geheim"]),
        ("QUIET_PERIOD", &["", "-1", "3601", SECRET]),
    ];
    for start in ALL {
        let own = if start.binary == INGRESS.binary {
            of_ingress
        } else {
            of_dispatcher
        };
        for (variable, values) in of_both.iter().chain(own) {
            for value in *values {
                let mut environment = start.environment();
                environment.insert(variable, (*value).to_owned());
                let line = start.refuses(&environment, variable).await;
                let (_, rest) = line.split_once(" is wrong, ").expect("the line says that it is wrong");
                assert!(rest.contains(": set it to "), "{line}");
                assert!(!line.contains(SECRET), "{variable}'s value stands in the line: {line}");
            }
        }
    }
}

#[tokio::test]
async fn a_port_in_use_stops_the_start_and_names_the_variable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    for start in [INGRESS, DISPATCHER] {
        let mut environment = start.environment();
        environment.insert(start.listen, taken.local_addr().unwrap().to_string());
        start.refuses(&environment, start.listen).await;
    }
}

#[tokio::test]
async fn check_config_lists_every_variable_and_shows_no_secret() {
    let of_both = [
        "DATABASE_URL",
        "AMQP_URL",
        "AMQP_PREFIX",
        "ENCRYPTION_KEY",
        "PREVIOUS_ENCRYPTION_KEYS",
        "RUST_LOG",
    ];
    let of_dispatcher = [
        "DISPATCHER_LISTEN",
        "PUBLIC_URL",
        "CONSOLE_DIR",
        "GRAPH_API_URL",
        "GRAPH_PROXY",
        "CHATOPERA_URL",
    ];
    for (start, own) in [(ALL[1], &["INGRESS_LISTEN"][..]), (ALL[3], &of_dispatcher[..])] {
        let environment = start.environment();
        let output = start.ends(&environment).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{start:?}: {text}");
        for variable in of_both.iter().chain(own) {
            assert!(
                text.lines().any(|line| line.starts_with(&format!("{variable}="))),
                "{variable} in {text}"
            );
        }
        assert!(!text.contains(SECRET) && !text.contains(&environment["ENCRYPTION_KEY"]), "{text}");
    }
}

#[tokio::test]
async fn help_names_every_variable_and_is_no_failure() {
    for start in [INGRESS, DISPATCHER] {
        let mut command = Command::new(binary(start.binary));
        let output = command.args(start.arguments).arg("--help").env_clear().output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{start:?}: {text}");
        for variable in ["DATABASE_URL", "AMQP_URL", "ENCRYPTION_KEY", "RUST_LOG", start.listen] {
            assert!(text.contains(variable), "{variable} in {text}");
        }
    }
}
