//! `suda replay` against a real server: clean at the end, also when the server is killed meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use support::{CHEAP_PASSWORDS, Server, failure_of, output_of, suda};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/sample.tsv");

/// How often the server is killed at most.
const KILLS: u32 = 8;

/// Enough devices for the replay to go forward between two kills.
const HALF_OF_THE_DEVICES: u64 = 34;

/// How many sessions the server has.
fn sessions(server: &Server) -> u64 {
    let data = server.data().to_str().unwrap();
    let status = output_of(["admin", "--data", data, "status", "--json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    status["sessions"].as_u64().unwrap()
}

fn replay(server: &Server, file: &Path, more: &[&str]) -> Value {
    let file = file.to_str().unwrap();
    let arguments = ["replay", file, "--server", server.url(), "--json"];
    let report = output_of(arguments.iter().chain(more));
    serde_json::from_str(&report).unwrap()
}

fn assert_clean(report: &Value, messages: u64) {
    let counts = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name}: {report}"));
    assert_eq!(counts("messages_sent"), messages, "{report}");
    assert_eq!(counts("messages_acknowledged"), messages, "{report}");
    for name in ["missing", "duplicated", "out_of_order"] {
        assert_eq!(counts(name), 0, "{report}");
    }
    assert!(counts("entries_expected") > messages, "{report}");
    assert_eq!(counts("entries_expected"), counts("entries_received"));
    for name in ["ack_ms", "delivery_ms"] {
        let quantiles = &report[name];
        assert!(quantiles["p50"].as_f64() > Some(0.0), "{report}");
        assert!(quantiles["p50"].as_f64() <= quantiles["p99"].as_f64());
    }
}

/// One conversation of 130 authors, the first 30 of whom speak once and the others twice.
fn crowd(folder: &Path) -> PathBuf {
    let mut lines = String::from("conversation\tsecond\tauthor\ttext\n");
    for number in 0..230 {
        writeln!(lines, "square\t{number}\tauthor {}\thello {number}", number % 130).unwrap();
    }
    let file = folder.join("crowd.tsv");
    std::fs::write(&file, lines).unwrap();
    file
}

#[test]
fn the_sample_arrives_everywhere_once_and_in_order_and_can_be_replayed_again() {
    let server = Server::spawn(&CHEAP_PASSWORDS);
    let sample = std::fs::read_to_string(SAMPLE).unwrap();
    let messages = sample.lines().count() as u64 - 1;
    let report = replay(&server, Path::new(SAMPLE), &[]);
    assert_clean(&report, messages);
    // 34 accounts with two devices each and a fresh one.
    assert_eq!(report["devices"], 102);
    assert_clean(&replay(&server, Path::new(SAMPLE), &["--limit", "40"]), 40);
}

#[test]
fn a_crowd_becomes_a_group_of_its_busiest_hundred() {
    let server = Server::spawn(&CHEAP_PASSWORDS);
    let folder = tempfile::tempdir().unwrap();
    let report = replay(&server, &crowd(folder.path()), &[]);
    assert_clean(&report, 200);
    assert_eq!(report["lines_left_out"], 30);
    assert_eq!(report["devices"], 300);
}

#[test]
fn nothing_is_lost_when_the_server_is_killed_again_and_again() {
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    // Recorded over an hour: sent within about twelve seconds.
    let mut replaying = Replaying::start(&server, &["--speed", "300"]);
    let mut kills = 0;
    while kills < KILLS && replaying.lasts_until(|| sessions(&server) >= HALF_OF_THE_DEVICES) {
        server.kill9();
        kills += 1;
        server = server.restart();
    }
    assert!(kills > 0, "it ended before it was disturbed");
    let report = replaying.report();
    assert_clean(&report, 395);
    assert!(report["reconnected"].as_u64() > Some(0), "{report}");
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.tsv");
    std::fs::write(&file, "conversation\tsecond\tauthor\ttext\nlake\tsoon\tmira\thello\n").unwrap();
    let file = file.to_str().unwrap();
    let (code, message) = failure_of(["replay", file]);
    assert_eq!(code, 1);
    assert!(message.contains("line 2"), "{message}");
    let nowhere = "http://127.0.0.1:1";
    let (code, message) = failure_of(["replay", SAMPLE, "--server", nowhere]);
    assert_eq!(code, 1);
    assert!(message.contains("no Suda server answers at"), "{message}");
    let (code, _) = failure_of(["replay", SAMPLE, "--speed", "0"]);
    assert_eq!(code, 2);
}

/// A replay of the sample in the background.
struct Replaying(Child);

impl Replaying {
    fn start(server: &Server, more: &[&str]) -> Self {
        let mut command = suda(["replay", SAMPLE, "--json", "--server", server.url()]);
        let command = command.args(more).stdin(Stdio::null()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Waits for evidence; false if the replay ends before.
    fn lasts_until(&mut self, evidence: impl Fn() -> bool) -> bool {
        while !evidence() {
            if self.0.try_wait().unwrap().is_some() {
                return false;
            }
        }
        true
    }

    fn report(self) -> Value {
        let output = self.0.wait_with_output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{:?}: {report}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
