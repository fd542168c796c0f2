//! Why an `engines` command did not do what it was asked for, in words that say what to do next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// How many of an engine's last log lines a failure shows.
const TAIL_LINES: usize = 15;
/// How much of the end of a log is read for them.
const TAIL_BYTES: usize = 64 * 1024;

/// A program that is not there, and the Debian package that brings it.
#[derive(Debug)]
pub struct Missing {
    /// What was looked for, with its version where that matters.
    pub what: &'static str,
    /// The package to install.
    pub package: &'static str,
}

/// The end of an engine's log.
#[derive(Debug)]
pub struct LogTail {
    path: PathBuf,
    lines: Vec<String>,
}

impl LogTail {
    /// Reads the last lines of the first of `logs` that says anything.
    pub fn of(logs: &[PathBuf]) -> Self {
        let tails = logs.iter().map(|path| Self { path: path.clone(), lines: last_lines(path) });
        let mut spoken = tails.filter(|tail| !tail.lines.is_empty());
        spoken
            .next()
            .unwrap_or_else(|| Self { path: logs.first().cloned().unwrap_or_default(), lines: Vec::new() })
    }
}

/// The last lines of the log at `path`, oldest first; none when it cannot be read.
pub fn last_lines(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let end = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let text = String::from_utf8_lossy(end);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let kept = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    kept.iter().map(|line| (*line).to_owned()).collect()
}

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// An argument that the command does not know or understand.
    Argument(String),
    /// Programs that have to be installed first.
    Missing(Vec<Missing>),
    /// A tool (Maven, Go, initdb) failed or took too long.
    Tool {
        /// What it was to do.
        what: String,
        /// Its last words.
        log: LogTail,
    },
    /// An engine ended while it should run.
    Died {
        /// The process's name.
        name: String,
        /// Its last words.
        log: LogTail,
    },
    /// An engine is not ready in time.
    Late {
        /// What was waited for.
        what: String,
        /// For how long, in seconds.
        seconds: u64,
        /// What was the case instead.
        instead: String,
        /// The last words of the engine that was waited for.
        log: Option<LogTail>,
    },
    /// Somebody else listens where an engine should.
    PortTaken {
        /// The process's name.
        name: String,
        /// The address with its port.
        address: String,
    },
    /// The settings cannot change under running engines.
    Running(Vec<String>),
    /// An engine's user cannot reach the folder.
    Closed {
        /// The user.
        user: &'static str,
        /// The folder that it cannot enter.
        folder: PathBuf,
    },
    /// A file or process cannot be used.
    Io {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl Failure {
    /// Turns an I/O error into a failure of `doing`.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(argument) => write!(formatter, "`{argument}` is not understood"),
            Self::Missing(missing) => write_missing(formatter, missing),
            Self::Tool { what, log } => write!(formatter, "{what} failed{log}"),
            Self::Died { name, log } => write!(formatter, "{name} ended by itself{log}"),
            Self::Late { what, seconds, instead, log } => {
                write!(formatter, "{what} is not ready after {seconds} s: {instead}")?;
                log.as_ref().map_or(Ok(()), |log| write!(formatter, "{log}"))
            }
            Self::PortTaken { name, address } => {
                write!(formatter, "{name} cannot listen on {address}: somebody does already (see --ports)")
            }
            Self::Running(names) => {
                let names = names.join(", ");
                write!(formatter, "settings cannot change while {names} run: `engines down` first")
            }
            Self::Closed { user, folder } => {
                let folder = folder.display();
                write!(formatter, "user {user} cannot enter {folder}: choose another folder with --dir")
            }
            Self::Io { doing, source } => write!(formatter, "{doing}: {source}"),
        }
    }
}

fn write_missing(formatter: &mut fmt::Formatter<'_>, missing: &[Missing]) -> fmt::Result {
    for Missing { what, .. } in missing {
        writeln!(formatter, "{what} is missing")?;
    }
    let packages: Vec<&str> = missing.iter().map(|missing| missing.package).collect();
    write!(
        formatter,
        "install it, on Debian: apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}

impl fmt::Display for LogTail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, ", the end of {}:", self.path.display())?;
        for line in &self.lines {
            write!(formatter, "\n  | {line}")?;
        }
        Ok(())
    }
}
