//! What the command needs to know about a kind of engine, and one process of such a kind.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use super::failure::{Failure, LogTail, Missing};
use super::process::{Launch, Process, Signal, State};
use super::settings::Settings;
use super::waiting::{Look, wait_for};

const PORT_LIMIT: Duration = Duration::from_secs(5);

/// A kind of engine. Its processes have numbers from 1.
pub trait Engine {
    /// The kind's name.
    fn name(&self) -> &'static str;
    /// How many processes it has.
    fn count(&self) -> usize;
    /// The programs that have to be installed first.
    fn missing(&self) -> Vec<Missing>;
    /// Fetches and writes all that does not need a running engine; does nothing the second time.
    ///
    /// # Errors
    /// When a tool fails or the folder cannot be written.
    fn prepare(&self) -> Result<(), Failure>;
    /// How process `number` is started; writes its settings.
    ///
    /// # Errors
    /// When its folder cannot be written.
    fn launch(&self, number: usize) -> Result<Launch, Failure>;
    /// Where process `number` listens, and for what; clients come first.
    fn listens(&self, number: usize) -> Vec<(&'static str, SocketAddr)>;
    /// Asks process `number` over its own protocol whether it serves, and whether it sees `running`
    /// processes of its kind, itself included: its version, or why it is not ready.
    ///
    /// # Errors
    /// Why it is not ready.
    fn ask(&self, number: usize, running: usize) -> Result<String, String>;
    /// The log files of process `number`, the most telling first.
    fn logs(&self, number: usize) -> Vec<PathBuf>;
    /// The folder with the data of process `number`, and with nothing that is worth keeping.
    fn data(&self, number: usize) -> PathBuf;
    /// What makes it end in good order.
    fn end(&self) -> Signal;
}

/// One process of a kind.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Its kind.
    pub engine: &'a dyn Engine,
    /// Its number within the kind, from 1.
    pub number: usize,
    settings: &'a Settings,
}

impl<'a> Member<'a> {
    /// All processes of all `engines`, in order.
    pub fn all(engines: &'a [Box<dyn Engine + 'a>], settings: &'a Settings) -> Vec<Self> {
        let members = |engine: &'a (dyn Engine + 'a)| {
            (1..=engine.count()).map(move |number| Self { engine, number, settings })
        };
        engines.iter().map(AsRef::as_ref).flat_map(members).collect()
    }

    /// The process's name: the kind's, with the number where there are several.
    pub fn name(&self) -> String {
        match self.engine.count() {
            1 => self.engine.name().to_owned(),
            _ => format!("{}-{}", self.engine.name(), self.number),
        }
    }

    /// The file with the process's identity.
    pub fn record(&self) -> PathBuf {
        self.settings.folder.join(format!("{}.process.json", self.name()))
    }

    /// The process, when it exists.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.record())
    }

    /// What the process is doing.
    pub fn state(&self) -> State {
        self.process().map_or(State::Gone, |process| process.state())
    }

    /// The end of its log.
    pub fn last_words(&self) -> LogTail {
        LogTail::of(&self.engine.logs(self.number))
    }

    /// Starts it.
    ///
    /// # Errors
    /// When somebody else listens on its ports or it cannot be started.
    pub fn start(&self) -> Result<(), Failure> {
        for (_, address) in self.engine.listens(self.number) {
            self.wait_for_port(address)?;
        }
        let launch = self.engine.launch(self.number)?;
        Process::start(&launch)?.record(&self.record())
    }

    /// The threads of a process that has just ended may hold its ports for a moment.
    fn wait_for_port(&self, address: SocketAddr) -> Result<(), Failure> {
        let free = wait_for(&format!("port {}", address.port()), PORT_LIMIT, || {
            let bound = TcpListener::bind(address);
            Ok(bound.map_or_else(|error| Look::NotYet(error.to_string()), |_| Look::Ready(())))
        });
        free.map_err(|_| Failure::PortTaken { name: self.name(), address: address.to_string() })
    }
}
