//! Waiting with a bound, telling what is waited for when it takes longer than two seconds.

use std::fs::{self, File};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::{Failure, LogTail, last_lines};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Whoever waits longer than this wants to know for what.
const QUIET_AT_FIRST: Duration = Duration::from_secs(2);
/// Where lines cannot be overwritten, they come less often.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How much of a line fits beside the words around it.
const DETAIL_CHARACTERS: usize = 70;

/// What a look at the awaited thing found.
pub enum Look<T> {
    /// It is there.
    Ready(T),
    /// It is not, because of this.
    NotYet(String),
}

/// Looks again and again until the thing is there, at most for `limit`.
///
/// # Errors
/// `Late` when the limit is over, or what `look` fails with.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Look<T>, Failure>,
) -> Result<T, Failure> {
    let started = Instant::now();
    let mut progress = Progress::new(what, limit);
    loop {
        let instead = match look()? {
            Look::Ready(found) => return Ok(found),
            Look::NotYet(instead) => instead,
        };
        if started.elapsed() > limit {
            let seconds = limit.as_secs();
            return Err(Failure::Late { what: what.to_owned(), seconds, instead, log: None });
        }
        progress.tell(started.elapsed(), &instead);
        thread::sleep(LOOK_EVERY);
    }
}

/// Runs a tool with its output in the file `log`; the log's last line is shown as progress.
///
/// # Errors
/// `Tool` when it fails or takes longer than `limit`, `Io` when it cannot be started.
pub fn run_tool(what: &str, command: &mut Command, log: &Path, limit: Duration) -> Result<(), Failure> {
    let output = File::create(log).map_err(Failure::io(format!("creating {}", log.display())))?;
    let errors = output.try_clone().map_err(Failure::io("sharing a log file"))?;
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let mut child = command.spawn().map_err(Failure::io(format!("starting {what}")))?;
    let ended = wait_for(what, limit, || match child.try_wait() {
        Ok(Some(status)) => Ok(Look::Ready(status)),
        Ok(None) => Ok(Look::NotYet(last_lines(log).pop().unwrap_or_default())),
        Err(source) => Err(Failure::Io { doing: format!("waiting for {what}"), source }),
    });
    if ended.as_ref().is_ok_and(std::process::ExitStatus::success) {
        return Ok(());
    }
    // A tool that failed has ended already; one that is too late must not go on unseen.
    let _ = child.kill();
    let _ = child.wait();
    Err(Failure::Tool { what: what.to_owned(), log: LogTail::of(&[log.to_owned()]) })
}

/// Creates a folder with those above it.
///
/// # Errors
/// `Io` when it cannot be created.
pub fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(Failure::io(format!("creating {}", folder.display())))
}

/// One line that is overwritten on a terminal, and repeated elsewhere.
struct Progress<'a> {
    what: &'a str,
    limit: Duration,
    told: Option<Instant>,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str, limit: Duration) -> Self {
        Self { what, limit, told: None, terminal: std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, elapsed: Duration, instead: &str) {
        let silent = self.told.is_some_and(|told| !self.terminal && told.elapsed() < LINE_EVERY);
        if elapsed < QUIET_AT_FIRST || silent {
            return;
        }
        self.told = Some(Instant::now());
        let detail: String = instead.trim().chars().take(DETAIL_CHARACTERS).collect();
        let (what, seconds, limit) = (self.what, elapsed.as_secs(), self.limit.as_secs());
        let (before, after) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        // Nobody is left to tell when standard error is closed.
        let _ = write!(
            std::io::stderr(),
            "{before}engines: {what}: {seconds} s of at most {limit} s: {detail}{after}"
        );
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.terminal && self.told.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
