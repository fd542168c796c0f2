//! Every scenario of `suda bench` in a short form: it works, and its JSON has what it promises. No timing.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use support::{failure_of, output_of, run, suda};

/// What every scenario's JSON has, be it null.
const FIELDS: [&str; 10] = [
    "scenario",
    "server_cpu_us_per_message",
    "server_cpu_us_per_delivery",
    "messages_per_s",
    "deliveries_per_s",
    "ack_ms",
    "delivery_ms",
    "bytes_per_connection_user",
    "bytes_per_connection_kernel",
    "bytes_written_per_message",
];

fn bench(scenario: &str, more: &[&str]) -> Value {
    let fixed = ["bench", scenario, "--json", "--seconds", "1", "--warm-up", "0.2"];
    let json: Value = serde_json::from_str(&output_of(fixed.iter().chain(more))).unwrap();
    assert_eq!(json["scenario"], scenario);
    for name in FIELDS {
        assert!(json.get(name).is_some(), "{name}: {json}");
    }
    assert_eq!(json["errors"], serde_json::json!({}), "{json}");
    json
}

fn is_positive(json: &Value, pointer: &str) {
    assert!(json.pointer(pointer).and_then(Value::as_f64) > Some(0.0), "{pointer}: {json}");
}

fn has_times(json: &Value, name: &str) {
    for quantile in ["p50", "p99", "p999"] {
        is_positive(json, &format!("/{name}/{quantile}"));
    }
}

#[test]
fn pairs_beside_the_bare_relay() {
    let json = bench("pairs", &["--connections", "20", "--rate", "200", "--bare", "--rounds", "1"]);
    for name in ["server_cpu_us_per_message", "messages_per_s", "ratio_to_bare"] {
        is_positive(&json, &format!("/{name}"));
    }
    is_positive(&json, "/bare/messages_per_s");
    has_times(&json, "ack_ms");
    has_times(&json, "delivery_ms");
    has_times(&json["bare"], "ack_ms");
    assert_eq!(json["bare_errors"], serde_json::json!({}));
}

#[test]
fn pairs_in_a_closed_loop_by_several_generators() {
    let closed = ["--connections", "8", "--closed", "--in-flight", "3", "--generators", "2", "--rounds", "2"];
    let json = bench("pairs", &closed);
    is_positive(&json, "/deliveries_per_s");
    assert_eq!(json["server_cpu_us_per_message_rounds"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_group_whose_devices_acknowledge() {
    let receipts = ["--members", "5", "--rate", "50", "--receipts", "read", "--bare"];
    let json = bench("group", &receipts);
    is_positive(&json, "/bare/marks_acknowledged_per_s");
    is_positive(&json, "/bare/marks_events_per_s");
    is_positive(&json, "/ratio_to_bare_per_delivery");
    is_positive(&json, "/marks_acknowledged_per_s");
    is_positive(&json, "/server_cpu_us_per_delivery");
    let (sent, told) = (json["messages_per_s"].as_f64(), json["deliveries_per_s"].as_f64());
    // Five members with two devices each: nine hear what the tenth sends.
    let fan_out = told.unwrap() / sent.unwrap();
    assert!((8.0..10.0).contains(&fan_out), "{json}");
}

#[test]
fn idle_connections() {
    let steps = ["--from", "10", "--to", "40", "--steps", "3", "--conversations", "3", "--settle", "0.1"];
    let json = bench("idle", &[&steps[..], &["--bare"]].concat());
    assert!(json["bare"]["bytes_per_connection_user"].is_f64(), "{json}");
    assert_eq!(json["bare_errors"], serde_json::json!({}));
    assert!(json["bytes_per_connection_user"].is_f64(), "{json}");
    assert!(json["cpu_us_per_connection_second"].is_f64(), "{json}");
}

#[test]
fn logins_and_windows() {
    let json = bench("boot", &["--accounts", "10", "--conversations", "12", "--window", "8", "--bare"]);
    assert_eq!(json["bare_errors"], serde_json::json!({}));
    is_positive(&json, "/ratio_to_bare");
    for name in ["login_reply_bytes", "window_reply_bytes"] {
        let [server, bare] = [&json, &json["bare"]].map(|side| side[name].as_f64().unwrap());
        assert!((server - bare).abs() < 8.0, "{name}: {server} and {bare}");
    }
    for name in ["login_cpu_us", "login_per_s", "window_cpu_us", "window_per_s", "window_reply_bytes"] {
        is_positive(&json, &format!("/{name}"));
    }
    // Eight rows with a message each.
    assert!(json["window_reply_bytes"].as_f64() > Some(8.0 * 300.0), "{json}");
}

#[test]
fn pages_warm_and_cold_of_a_folder_that_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let small = ["--entries", "3000", "--conversations", "30", "--cold-seconds", "0.5", "--data", data];
    for more in [["--rounds", "1"].as_slice(), &["--bare", "--rounds", "2"]] {
        let json = bench("history", &[&small[..], more].concat());
        assert_eq!(json["ratio_to_bare"].is_f64(), more.len() == 3, "{json}");
        is_positive(&json, "/server_cpu_us_per_message");
        is_positive(&json, "/cold_pages_per_s");
        is_positive(&json, "/cold_p99_ms");
    }
    let fixed = ["bench", "pairs", "--connections", "2", "--data", data];
    let (code, message) = failure_of(fixed);
    assert_eq!(code, 1);
    assert!(message.contains("was filled for another bench"), "{message}");
}

#[test]
fn a_days_mixture() {
    let json = bench("mixed", &["--accounts", "16", "--rate", "300", "--reconnects", "200", "--bare"]);
    assert_eq!(json["bare_errors"], serde_json::json!({}));
    is_positive(&json, "/ratio_to_bare");
    for name in ["messages", "edits", "reactions", "marks", "typings", "reconnects"] {
        is_positive(&json, &format!("/{name}_per_s"));
        is_positive(&json["bare"], &format!("/{name}_per_s"));
    }
}

#[test]
fn who_is_there() {
    let shape = ["--accounts", "40", "--churn", "20", "--visits", "4", "--settle", "0.1", "--vigil", "5"];
    let gone =
        ["--heartbeat", "2", "--answer", "2", "--blinks", "10", "--blink-seconds", "1.5", "--deaths", "3"];
    let storm = ["--storm", "--storm-seconds", "1", "--chat", "50", "--generators", "2"];
    let json = bench("presence", &[&shape[..], &gone, &storm].concat());
    assert_eq!(json["false_offline"], 0.0, "{json}");
    for name in ["change_ms", "connect_ms", "close_ms", "logout_ms", "death_ms", "delivery_during_ms"] {
        has_times(&json, name);
    }
    // Ten that blink, and one half of all in the storm.
    assert_eq!(json["interruptions"], 30.0, "{json}");
    assert_eq!(json["changes_per_s"], 20.0, "{json}");
    is_positive(&json, "/right_after_ms");
    for name in ["cpu_us_per_change_and_watcher", "bytes_per_account"] {
        assert!(json[name].is_f64(), "{name}: {json}");
    }
}

#[test]
fn the_relay_that_keeps_nothing() {
    let json = bench("relay", &["--connections", "4", "--in-flight", "2", "--rounds", "1"]);
    is_positive(&json, "/server_cpu_us_per_delivery");
    bench("relay", &["--connections", "10", "--members", "5", "--rounds", "1"]);
}

#[test]
fn what_makes_no_sense_is_said() {
    let (code, message) = failure_of(["bench", "pairs", "--rate", "50%"]);
    assert_eq!(code, 1);
    assert!(message.contains("needs --bare"), "{message}");
    let (code, message) = failure_of(["bench", "presence", "--accounts", "10", "--churn", "6"]);
    assert_eq!(code, 1);
    assert!(message.contains("every two seconds"), "{message}");
    let (code, _) = failure_of(["bench", "pairs", "--rate", "fast"]);
    assert_eq!(code, 2);
}

/// The processes whose parent this is.
fn children_of(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = std::fs::read_to_string(path).unwrap_or_default();
    children.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect()
}

#[test]
fn an_interrupted_bench_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["bench", "pairs", "--connections", "4", "--seconds", "600", "--rounds", "1"];
    let mut command = suda(arguments);
    command.env("TMPDIR", folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut bench = command.spawn().unwrap();
    // A server and a generator.
    let children = loop {
        assert!(bench.try_wait().unwrap().is_none(), "it ended early");
        let children = children_of(bench.id());
        if children.len() == 2 {
            break children;
        }
        std::thread::yield_now();
    };
    let pid = rustix::process::Pid::from_child(&bench);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(bench.wait().unwrap().code(), Some(1));
    for child in children {
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "a process is left");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a folder is left");
}

#[test]
fn every_scenario_has_help() {
    let all = output_of(["bench", "--help"]);
    for scenario in ["pairs", "group", "idle", "boot", "history", "mixed", "presence", "relay", "plot"] {
        assert!(all.contains(scenario), "{all}");
        assert!(run(["bench", scenario, "--help"]).status.success());
    }
    for hidden in ["generate", "bare "] {
        assert!(!all.contains(&format!("  {hidden}")), "{all}");
    }
}

#[test]
fn plots_are_made_from_saved_json() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results.jsonl");
    let line = |rate: u32| {
        format!(
            "{{\"scenario\":\"pairs\",\"asked\":{{\"connections\":20,\"rate_per_s\":{rate}}},\
             \"server_cpu_us_per_message\":{},\"delivery_ms\":{{\"p50\":0.5,\"p99\":{},\"p999\":9.0}}}}\n",
            30 - rate / 1_000,
            1 + rate / 500
        )
    };
    std::fs::write(&results, [1_000, 5_000, 10_000].map(line).concat()).unwrap();
    let picture = folder.path().join("latency.svg");
    let paths = [&results, &picture].map(|path| path.to_str().unwrap());
    let figure = "delivery_ms.p99";
    output_of(["bench", "plot", paths[0], "--x", "asked.rate_per_s", "--y", figure, "--out", paths[1]]);
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("polyline") && svg.contains(figure), "{svg}");
    let (code, message) = failure_of(["bench", "plot", paths[0], "--y", "nothing", "--out", paths[1]]);
    assert_eq!(code, 1);
    assert!(message.contains("no result has"), "{message}");
}
