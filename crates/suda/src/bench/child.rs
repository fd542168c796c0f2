//! The processes of a bench: the server or the bare relay, and generators. They end with what holds them.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::bare::plan::BarePlan;
use super::error::{BenchError, while_trying};
use super::generator::{Answer, Config, Order, Outcome, Schedule};

/// How long a process may take to answer; connecting 18,000 devices is the longest.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a killed process may take to be gone.
const DYING: Duration = Duration::from_secs(5);
/// How long a server may take to end when it is asked to.
const DRAINING: Duration = Duration::from_secs(120);

/// Which cores a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// Any.
    Any,
    /// The first one.
    First,
    /// All but the first one.
    Others,
}

impl Cores {
    /// For the server and the bare relay.
    pub const fn of_target(is_pinned: bool) -> Self {
        if is_pinned { Self::First } else { Self::Any }
    }

    /// For generators.
    pub const fn of_generator(is_pinned: bool) -> Self {
        if is_pinned { Self::Others } else { Self::Any }
    }

    /// Starts a process on these cores: it inherits them from the thread that starts it.
    fn spawn(self, command: &mut Command) -> io::Result<Child> {
        if self == Self::Any {
            return command.spawn();
        }
        let before = sched_getaffinity(None)?;
        let mut cores = CpuSet::new();
        for core in (0..CpuSet::MAX_CPU).filter(|core| before.is_set(*core)) {
            if (core == 0) == (self == Self::First) {
                cores.set(core);
            }
        }
        sched_setaffinity(None, &cores)?;
        let child = command.spawn();
        sched_setaffinity(None, &before)?;
        child
    }
}

/// A process with its standard input and output. It is killed when this is dropped.
struct Process {
    what: &'static str,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Runs this very program with other arguments, and without anything of this process's configuration.
    fn start(
        what: &'static str,
        cores: Cores,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(while_trying("find this program"))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SUDA_")) {
            command.env_remove(name);
        }
        let mut child = cores.spawn(&mut command).map_err(while_trying("start a process"))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or(BenchError::Ended(what))?;
        Ok(Self { what, child, input, output: BufReader::new(output).lines() })
    }

    fn pid(&self) -> Result<u32, BenchError> {
        self.child.id().ok_or(BenchError::Ended(self.what))
    }

    async fn line(&mut self) -> Result<String, BenchError> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        line.map_err(while_trying("read from a process"))?.ok_or(BenchError::Ended(self.what))
    }

    async fn tell(&mut self, value: &impl Serialize) -> Result<(), BenchError> {
        let mut text = serde_json::to_vec(value).map_err(|_| BenchError::Gibberish(self.what))?;
        text.push(b'\n');
        self.input.write_all(&text).await.map_err(while_trying("write to a process"))?;
        self.input.flush().await.map_err(while_trying("write to a process"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.start_kill();
        let began = Instant::now();
        while began.elapsed() < DYING && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Something to bench: a server or the bare relay.
pub struct Target {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
}

impl Target {
    /// Starts a server on this folder.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn server(data: &Path, cores: Cores) -> Result<Self, BenchError> {
        Self::server_with(data, cores, &[]).await
    }

    /// Starts a server on this folder with further arguments.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn server_with(data: &Path, cores: Cores, more: &[&str]) -> Result<Self, BenchError> {
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--data"];
        let arguments = fixed.map(OsStr::new).into_iter().chain([data.as_os_str()]);
        let arguments = arguments.chain(more.iter().map(OsStr::new));
        Self::listening(Process::start("server", cores, arguments)?).await
    }

    /// Starts a bare relay.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn bare(plan: &BarePlan, cores: Cores) -> Result<Self, BenchError> {
        let mut process = Process::start("bare relay", cores, ["bench", "bare"])?;
        process.tell(plan).await?;
        Self::listening(process).await
    }

    async fn listening(mut process: Process) -> Result<Self, BenchError> {
        let line = process.line().await?;
        let address = line.strip_prefix("suda listens on http://").and_then(|address| address.parse().ok());
        let address = address.ok_or(BenchError::Gibberish(process.what))?;
        let pid = process.pid()?;
        Ok(Self { process, address, pid })
    }

    /// Asks it to stop, and waits until it has, so that its folder is complete and free.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn stop(mut self) -> Result<(), BenchError> {
        let pid = Pid::from_raw(self.pid as i32).ok_or(BenchError::Ended(self.process.what))?;
        kill_process(pid, Signal::TERM).map_err(|error| while_trying("stop a process")(error.into()))?;
        let waited = tokio::time::timeout(DRAINING, self.process.child.wait()).await;
        waited
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(while_trying("stop a process"))?;
        Ok(())
    }
}

/// A generator.
pub struct Generator {
    process: Process,
}

impl Generator {
    /// Starts one.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(config: &Config, cores: Cores) -> Result<Self, BenchError> {
        let mut process = Process::start("generator", cores, ["bench", "generate"])?;
        process.tell(config).await?;
        Ok(Self { process })
    }

    /// Has it make connections, `up_to` in all.
    ///
    /// # Errors
    /// If not all could be made.
    pub async fn connect(&mut self, up_to: u32) -> Result<(), BenchError> {
        self.process.tell(&Order::Connect(up_to)).await?;
        match self.answer().await? {
            Answer::Connected(made) if made >= up_to => Ok(()),
            Answer::Connected(made) => Err(BenchError::Connections { made, wanted: up_to }),
            Answer::Done(_) => Err(BenchError::Gibberish("generator")),
        }
    }

    /// Has it do its load.
    ///
    /// # Errors
    /// If it ended.
    pub async fn go(&mut self, schedule: Schedule) -> Result<(), BenchError> {
        self.process.tell(&Order::Go(schedule)).await
    }

    /// Waits until it has done its load.
    ///
    /// # Errors
    /// If it ended.
    pub async fn outcome(&mut self) -> Result<Outcome, BenchError> {
        match self.answer().await? {
            Answer::Done(outcome) => Ok(*outcome),
            Answer::Connected(_) => Err(BenchError::Gibberish("generator")),
        }
    }

    async fn answer(&mut self) -> Result<Answer, BenchError> {
        let line = self.process.line().await?;
        serde_json::from_str(&line).map_err(|_| BenchError::Gibberish("generator"))
    }
}
