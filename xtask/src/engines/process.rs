//! Processes that outlive the command that started them: found again by a file with their identity,
//! and never mistaken for somebody else's that got the same number later.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// The kernel's unit of CPU time in `/proc`; the same on every Linux we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Starts a program in a session of its own and says its number. Everything inherited beyond the
/// three standard streams is closed: a lock that our caller holds must not live as long as an engine.
const DETACH: &str = r#"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
log=$1; shift
setsid "$@" </dev/null >"$log" 2>&1 &
echo $!"#;

/// What to start.
#[derive(Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its working folder.
    pub folder: PathBuf,
    /// The file for its output, replaced at every start.
    pub output: PathBuf,
}

/// A process's identity: its number is used again one day, together with the start it is unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The process's number.
    pub pid: u32,
    /// When it started, in the kernel's ticks since the machine started.
    started_ticks: u64,
    /// Which start of the machine that was.
    boot: String,
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It is stopped by a signal and does nothing until it is continued.
    Frozen,
    /// It does not exist any more.
    Gone,
}

/// What to tell a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End in good order.
    Terminate,
    /// End in good order without waiting for connected clients (PostgreSQL's meaning).
    Interrupt,
    /// End at once.
    Kill,
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
}

/// What a process and those that it started use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Memory, with shared parts divided among those who share them.
    pub memory_mebibytes: u64,
    /// CPU time since the start.
    pub cpu_seconds: f64,
}

impl Process {
    /// Starts `launch` detached from this command.
    ///
    /// # Errors
    /// `Io` when it cannot be started.
    pub fn start(launch: &Launch) -> Result<Self, Failure> {
        let program = launch.program.display();
        let output = Command::new("sh")
            .args(["-c", DETACH, "detach"])
            .arg(&launch.output)
            .arg(&launch.program)
            .args(&launch.arguments)
            .current_dir(&launch.folder)
            .output()
            .map_err(Failure::io(format!("starting {program}")))?;
        let pid = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0);
        // Gone already: an identity that no process has says so at the next look.
        let started_ticks = Stat::read(pid).map_or(0, |stat| stat.started_ticks);
        Ok(Self { pid, started_ticks, boot: boot() })
    }

    /// The process that is on record in `file`, if it is still there.
    pub fn recorded(file: &Path) -> Option<Self> {
        let text = fs::read(file).ok()?;
        let process: Self = serde_json::from_slice(&text).ok()?;
        (process.state() != State::Gone).then_some(process)
    }

    /// Writes the identity to `file`.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn record(&self, file: &Path) -> Result<(), Failure> {
        let doing = || Failure::io(format!("writing {}", file.display()));
        let text = serde_json::to_vec(self).map_err(|error| doing()(error.into()))?;
        fs::write(file, text).map_err(doing())
    }

    /// What it is doing now.
    pub fn state(&self) -> State {
        match Stat::read(self.pid) {
            Some(stat) if stat.started_ticks != self.started_ticks || boot() != self.boot => State::Gone,
            Some(stat) if matches!(stat.state, 'Z' | 'X') => State::Gone,
            Some(stat) if matches!(stat.state, 'T' | 't') => State::Frozen,
            Some(_) => State::Running,
            None => State::Gone,
        }
    }

    /// Sends `signal` to the process, or to it and all that it started.
    ///
    /// # Errors
    /// `Io` when no signal can be sent.
    pub fn signal(&self, signal: Signal, whom: Whom) -> Result<(), Failure> {
        if self.state() == State::Gone {
            return Ok(());
        }
        let pids = match whom {
            Whom::Alone => vec![self.pid],
            Whom::WithChildren => self.family(),
        };
        // Some of a family may have ended meanwhile: what counts is the state afterwards.
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$@\" 2>/dev/null", signal.name()])
            .args(pids.iter().map(u32::to_string))
            .status();
        status.map(|_| ()).map_err(Failure::io("sending a signal"))
    }

    /// What it uses together with all that it started.
    pub fn usage(&self) -> Usage {
        let family = self.family();
        let kibibytes: u64 = family.iter().map(|pid| memory_kibibytes(*pid)).sum();
        let ticks = family.iter().filter_map(|pid| Stat::read(*pid)).map(|stat| stat.cpu_ticks);
        let cpu_seconds = ticks.sum::<u64>() as f64 / TICKS_PER_SECOND;
        Usage { memory_mebibytes: kibibytes / 1024, cpu_seconds }
    }

    /// Its number and those of all that it started, itself first.
    fn family(&self) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, Stat::read(pid)?))) {
                children.entry(stat.parent).or_default().push(pid);
            }
        }
        let mut family = vec![self.pid];
        let mut looked_at = 0;
        while let Some(pid) = family.get(looked_at).copied() {
            family.extend(children.remove(&pid).unwrap_or_default());
            looked_at += 1;
        }
        family
    }
}

/// Who gets a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The process alone.
    Alone,
    /// The process and all that it started.
    WithChildren,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// What of `/proc/PID/stat` is of use here.
struct Stat {
    state: char,
    parent: u32,
    cpu_ticks: u64,
    started_ticks: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The program's name, in parentheses, may contain anything: the fields are counted from its end.
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            cpu_ticks: number(11)? + number(12)?,
            started_ticks: number(19)?,
        })
    }
}

/// The proportional set size, or the resident one where the kernel does not tell the former.
fn memory_kibibytes(pid: u32) -> u64 {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    field("smaps_rollup", "Pss:").or_else(|| field("status", "VmRSS:")).unwrap_or(0)
}

fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(name: &str) -> (Process, PathBuf) {
        let folder = std::env::temp_dir().join(format!("suda-engines-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let launch = Launch {
            program: "sh".into(),
            arguments: vec!["-c".to_owned(), "sleep 60 & wait".to_owned()],
            folder: folder.clone(),
            output: folder.join("output"),
        };
        (Process::start(&launch).unwrap(), folder)
    }

    fn until(process: &Process, wanted: State) {
        let look = || {
            let state = process.state();
            Ok(if state == wanted { Look::Ready(()) } else { Look::NotYet(format!("{state:?}")) })
        };
        wait_for("a process", Duration::from_secs(10), look).unwrap();
    }

    use crate::engines::waiting::{Look, wait_for};
    use std::time::Duration;

    #[test]
    fn a_process_is_found_again_frozen_thawed_and_killed_with_its_children() {
        let (process, folder) = sleeper("life");
        let file = folder.join("process.json");
        process.record(&file).unwrap();
        assert_eq!(Process::recorded(&file).as_ref(), Some(&process));
        let with_child = || {
            Ok(match process.family().len() {
                2 => Look::Ready(()),
                other => Look::NotYet(format!("a family of {other}")),
            })
        };
        wait_for("a child", Duration::from_secs(10), with_child).unwrap();
        process.signal(Signal::Stop, Whom::WithChildren).unwrap();
        until(&process, State::Frozen);
        process.signal(Signal::Continue, Whom::WithChildren).unwrap();
        until(&process, State::Running);
        let child = process.family()[1];
        process.signal(Signal::Kill, Whom::WithChildren).unwrap();
        until(&process, State::Gone);
        assert!(Stat::read(child).is_none_or(|stat| stat.state == 'Z' || stat.parent != process.pid));
        assert_eq!(Process::recorded(&file), None);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_number_that_was_given_to_somebody_else_is_not_ours() {
        let (process, folder) = sleeper("number");
        let earlier = Process { started_ticks: process.started_ticks - 1, ..process.clone() };
        let other_boot = Process { boot: "another".to_owned(), ..process.clone() };
        for stranger in [earlier, other_boot] {
            assert_eq!(stranger.state(), State::Gone);
            stranger.signal(Signal::Kill, Whom::WithChildren).unwrap();
        }
        assert_eq!(process.state(), State::Running);
        process.signal(Signal::Kill, Whom::WithChildren).unwrap();
        until(&process, State::Gone);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn names_with_parentheses_do_not_shift_the_fields() {
        let stat = Stat::parse("7 (a) b (c)) T 3 1 1 0 -1 0 0 0 0 0 20 22 0 0 20 0 1 0 4711 0").unwrap();
        assert_eq!((stat.state, stat.parent, stat.cpu_ticks, stat.started_ticks), ('T', 3, 42, 4711));
    }
}
