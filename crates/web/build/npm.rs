//! Runs npm: looks for it, installs what the lock file names, builds.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use super::Missing;

/// The oldest Node that the client is built with.
const NODE: u32 = 20;

/// Most lines kept of what npm said, and most characters of each.
const LINES: usize = 40;
const CHARACTERS: usize = 200;

/// Builds the client into `app/dist`.
pub fn build(web: &Path) -> Result<(), Missing> {
    find_node()?;
    let lock_file = web.join("package-lock.json");
    // Builds of several profiles at the same time take turns; the lock goes with the file handle.
    let turn = File::open(&lock_file).and_then(|file| file.lock().map(|()| file));
    let _turn = turn.map_err(|error| Missing::Failed("npm ci".to_owned(), error.to_string()))?;
    if !is_installed(web, &lock_file) {
        run(web, &["ci", "--include=dev", "--no-audit", "--no-fund"])?;
    }
    run(web, &["run", "build"])
}

fn find_node() -> Result<(), Missing> {
    let version = said(Command::new("node").arg("--version"));
    let version = version.ok_or(Missing::Node(None))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        return Err(Missing::Node(Some(format!("Node {version}"))));
    }
    let npm = said(Command::new("npm").arg("--version"));
    npm.map(|_| ()).ok_or_else(|| Missing::Node(Some(format!("Node {version} without npm"))))
}

/// What a command says when it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether npm has installed what the lock file names: it notes at the end what it has done.
fn is_installed(web: &Path, lock_file: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let installed = changed(&web.join("node_modules/.package-lock.json"));
    installed.is_some_and(|installed| changed(lock_file).is_some_and(|wanted| installed >= wanted))
}

fn run(web: &Path, arguments: &[&str]) -> Result<(), Missing> {
    let failed = |said: String| Missing::Failed(format!("npm {}", arguments.join(" ")), said);
    // Without colours, since what it says goes into a page; and never asking.
    let output =
        Command::new("npm").args(arguments).current_dir(web).env("NO_COLOR", "1").env("CI", "1").output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(end_of(&output, web))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The last lines of what a command said. Whoever asks the server sees them, so they do not tell where it was built.
fn end_of(output: &Output, web: &Path) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let folder = fs::canonicalize(web).unwrap_or_else(|_| web.to_owned());
    let text = String::from_utf8_lossy(&text).replace(&*folder.to_string_lossy(), "web");
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(CHARACTERS).collect()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
