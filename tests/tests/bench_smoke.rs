//! The benchmarks run, lose nothing and print what machines can read. What they measure here, unoptimised and beside other tests, says nothing.

#![expect(clippy::unwrap_used, reason = "clippy knows tests by their attribute; this whole crate is tests")]

use std::process::Command;

use serde_json::Value;

/// Runs a benchmark to its end; its JSON and its table.
fn bench(name: &str, arguments: &[&str]) -> (Value, String) {
    let json = std::env::temp_dir().join(format!("frontdesk-{name}-{}.json", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg(name)
        .args(arguments)
        .arg("--json")
        .arg(&json)
        .env("DATABASE_URL", required("FRONTDESK_TEST_DATABASE_URL"))
        .env("AMQP_URL", required("FRONTDESK_TEST_AMQP_URL"))
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
    let report = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    std::fs::remove_file(json).unwrap();
    (report, table)
}

/// A variable that `scripts/services` sets.
fn required(variable: &str) -> String {
    let value = std::env::var_os(variable).and_then(|value| value.into_string().ok());
    value.unwrap_or_else(|| {
        panic!("{variable} is not set: run these tests through scripts/test, or through scripts/services run -- COMMAND")
    })
}

#[test]
fn ingest_counts_every_request_of_both_sides_and_loses_none() {
    let (report, table) = bench(
        "ingest",
        &["--pairs", "2", "--requests", "400", "--warm-up", "50", "--connections", "8"],
    );
    for side in ["floor", "ingress", "bare_floor"] {
        let runs = report[side]["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 2, "{report}");
        for run in runs {
            assert_eq!(run["latency"]["count"], 400, "{report}");
            assert!(run["rate"].as_f64().unwrap() > 0.0, "{report}");
        }
    }
    let rates = ["ingress", "floor"].map(|side| report[side]["median_rate"].as_f64().unwrap());
    let ratio = report["rate_ratio"].as_f64().unwrap();
    assert!((ratio - rates[0] / rates[1]).abs() < 0.01, "{report}");
    assert_eq!(report["lost"], 0);
    assert!(report["process"]["resident_mib"].as_f64().unwrap() > 1.0, "{report}");
    assert!(table.contains("rate / floor:"), "{table}");
}

#[test]
fn latency_follows_every_message_to_the_console_and_to_the_bots_answer() {
    let (report, table) = bench(
        "latency",
        &["--rates", "20", "--seconds", "3", "--warm-up-seconds", "1", "--visitors", "30"],
    );
    let phase = &report["phases"][0];
    for side in ["floor", "product"] {
        let measured = &phase[side];
        assert_eq!(measured["sent"], 80, "{report}");
        assert_eq!(measured["repeated"], 0, "{report}");
        for what in ["acknowledged", "feed", "answer", "bot"] {
            assert_eq!(measured[what]["count"], 60, "{what}: {report}");
        }
        let (feed, answer) = (&measured["feed"]["p50_ms"], &measured["answer"]["p50_ms"]);
        assert!(feed.as_f64().unwrap() > 0.0 && answer.as_f64().unwrap() > 0.0, "{report}");
    }
    assert_eq!(report["lost"], 0);
    for process in ["ingress", "dispatcher"] {
        assert!(phase["processes"][process]["resident_peak_mib"].as_f64().unwrap() > 1.0, "{report}");
    }
    assert!(table.contains("webhook to answer"), "{table}");
}
