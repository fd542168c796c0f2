//! The web client and the TypeScript SDK: their own tests, against the server that was built beside this test. Needs what
//! building them needs, Node with npm; the tests in a browser need Chromium, too.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the web client is.
const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web");

/// Says that whatever is missing is a failure, as in continuous integration.
const EVERYTHING: &str = "SUDA_TEST_EVERYTHING";

#[test]
fn the_web_client_and_its_sdk() {
    let Some(npm) = npm() else { return missing("Node 20 with npm") };
    if !Path::new(WEB).join("node_modules/.package-lock.json").exists() {
        run(&npm, &["ci", "--include=dev", "--no-audit", "--no-fund"]);
    }
    run(&npm, &["run", "test"]);
    match chromium() {
        Some(_) => run(&npm, &["run", "e2e"]),
        None => missing("Chromium (`apt install chromium`, or its path in CHROMIUM)"),
    }
}

/// Runs npm in `web`, and shows what it says where it fails.
fn run(npm: &Path, arguments: &[&str]) {
    let mut command = Command::new(npm);
    command.args(arguments).current_dir(WEB);
    // The pages as the server serves them, with its content policy.
    command.env("SUDA_BINARY", env!("CARGO_BIN_EXE_suda")).env("SUDA_PAGE", "server");
    if let Some(chromium) = chromium() {
        command.env("CHROMIUM", chromium);
    }
    let output = command.env("NO_COLOR", "1").env("CI", "1").output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "npm {arguments:?}: {}", String::from_utf8_lossy(&said));
}

/// Leaves tests out where a tool is missing, unless everything has to run.
#[expect(clippy::print_stderr, reason = "whoever runs the tests should know what they did not test")]
fn missing(what: &str) {
    assert!(std::env::var_os(EVERYTHING).is_none(), "{what} is missing");
    eprintln!("{what} is missing: tests of the web client are left out");
}

fn npm() -> Option<PathBuf> {
    on_path("npm").filter(|_| on_path("node").is_some())
}

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| on_path("chromium")).or_else(|| on_path("chromium-browser"))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
