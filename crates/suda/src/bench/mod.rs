//! `suda bench`: what the server costs and how fast it answers, measured from outside.
//!
//! The parent process fills a data folder, starts the server, starts generators, and reads the server's cost from
//! `/proc`, so that neither itself nor the generators count. With `--bare` the same load goes over a relay that does only
//! what the kernel makes everybody do.
//!
//! Reading order: [`talk`] has the scenarios `pairs` and `group`, the other scenarios stand beside it; [`turns`] has the
//! rounds, [`round`] is one; [`seed`] fills the folder; [`generator`] and [`bare`] are the other processes; [`report`] tells.

mod bare;
mod boot;
mod child;
mod error;
mod frame;
mod generator;
mod history;
mod idle;
mod kernel;
mod mixture;
mod plot;
mod poll;
mod presence;
mod process;
mod progress;
mod quantiles;
mod report;
mod round;
mod seed;
mod socket;
mod talk;
mod turns;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
pub use error::BenchError;
use error::while_trying;
use report::Report;
use round::Length;
use tokio::signal::unix::{SignalKind, signal};

use crate::file_limit;
use crate::stop::Stop;

/// More files than any process of a bench needs; the system's limit is what is taken.
const FILES: usize = 1 << 20;

/// Arguments of `suda bench`.
#[derive(Args, Debug)]
pub struct Options {
    /// What to measure.
    #[command(subcommand)]
    pub scenario: Scenario,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum Scenario {
    /// Messages between two: cost, rate, latency
    Pairs(talk::PairsOptions),
    /// Messages to groups, with receipts or without
    Group(talk::GroupOptions),
    /// Connections that do nothing: memory and processor time of each
    Idle(idle::IdleOptions),
    /// Logins and the first window of the list
    Boot(boot::BootOptions),
    /// Pages of a large log
    History(history::HistoryOptions),
    /// A day's mixture: messages, edits, reactions, receipts, typing, reconnects
    Mixed(mixture::MixedOptions),
    /// Who is there: changes, connects, logouts, interruptions, deaths and storms, until each watcher was told
    Presence(presence::PresenceOptions),
    /// Frames passed on and nothing else: what the kernel's part costs here
    Relay(kernel::RelayOptions),
    /// Draw saved results (SVG)
    Plot(plot::PlotOptions),
    /// Run the bare relay
    #[command(hide = true)]
    Bare,
    /// Run a generator
    #[command(hide = true)]
    Generate,
}

/// Arguments of every scenario.
#[derive(Args, Clone, Debug)]
pub struct General {
    /// Where the data folder is made, and kept; a folder in the system's place for temporary files if absent
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// How long to measure
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub seconds: f64,
    /// How long before that the load begins
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub warm_up: f64,
    /// Processes that generate the load
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub generators: u32,
    /// The server on the first core, generators on the others
    #[arg(long)]
    pub pin: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

impl General {
    /// How long a round takes; less than a tenth of a second is no measurement.
    fn length(&self) -> Length {
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds.clamp(0.0, 1e6)).unwrap_or_default();
        Length { warm_up: seconds(self.warm_up), measured: seconds(self.seconds.max(0.1)) }
    }
}

/// Where a bench keeps its files.
struct Folder {
    path: PathBuf,
    /// Removes the folder at the end, unless it was asked for.
    _scratch: Option<seed::Scratch>,
}

impl Folder {
    fn of(general: &General) -> Self {
        match &general.data {
            Some(path) => Self { path: path.clone(), _scratch: None },
            None => {
                let scratch = seed::Scratch::new(std::env::temp_dir());
                Self { path: scratch.0.clone(), _scratch: Some(scratch) }
            }
        }
    }

    /// The server's data folder.
    fn data(&self) -> PathBuf {
        self.path.join("server")
    }

    /// The bare relay's.
    fn bare(&self) -> PathBuf {
        self.path.join("bare")
    }
}

/// Runs a bench: prints the report to standard output, progress to standard error.
///
/// # Errors
/// What kept it from the end, or [`BenchError::Flawed`] if something went wrong on the way.
pub fn run(options: &Options) -> Result<(), Stop> {
    file_limit::raise(FILES);
    let done = match &options.scenario {
        Scenario::Plot(options) => return Ok(plot::run(options)?),
        Scenario::Bare => bare::run(),
        Scenario::Generate => generator::run(),
        scenario => return crate::block_on(async { Ok(measure(scenario).await?) }),
    };
    Ok(done.map_err(while_trying("go on"))?)
}

async fn measure(scenario: &Scenario) -> Result<(), BenchError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(while_trying("catch signals"))?;
    // Whoever loses the race is dropped, and takes its processes and its folder along.
    let report = tokio::select! {
        report = perform(scenario) => report?,
        _ = tokio::signal::ctrl_c() => return Err(BenchError::Interrupted),
        _ = terminate.recv() => return Err(BenchError::Interrupted),
    };
    let is_json = scenario.general().is_some_and(|general| general.json);
    let text = if is_json { format!("{}\n", report.json()) } else { report.to_string() };
    crate::print(&text).map_err(|_| BenchError::Ended("reader of standard output"))?;
    if report.is_clean() { Ok(()) } else { Err(BenchError::Flawed) }
}

async fn perform(scenario: &Scenario) -> Result<Report, BenchError> {
    match scenario {
        Scenario::Pairs(options) => talk::pairs(options).await,
        Scenario::Group(options) => talk::group(options).await,
        Scenario::Idle(options) => idle::run(options).await,
        Scenario::Boot(options) => boot::run(options).await,
        Scenario::History(options) => history::run(options).await,
        Scenario::Mixed(options) => mixture::run(options).await,
        Scenario::Presence(options) => presence::run(options).await,
        Scenario::Relay(options) => kernel::run(options).await,
        Scenario::Plot(_) | Scenario::Bare | Scenario::Generate => Ok(Report::default()),
    }
}

impl Scenario {
    fn general(&self) -> Option<&General> {
        match self {
            Self::Pairs(options) => Some(&options.general),
            Self::Group(options) => Some(&options.general),
            Self::Idle(options) => Some(&options.general),
            Self::Boot(options) => Some(&options.general),
            Self::History(options) => Some(&options.general),
            Self::Mixed(options) => Some(&options.general),
            Self::Presence(options) => Some(&options.general),
            Self::Relay(options) => Some(&options.general),
            Self::Plot(_) | Self::Bare | Self::Generate => None,
        }
    }
}
