//! `suda replay`: plays recorded conversations against a server and compares every device's copy with what was
//! acknowledged.
//!
//! Reading order: [`input`] and [`plan`] read the file; [`stage`] makes accounts and conversations; [`play`] runs the
//! devices, each a [`device`] around a [`state`]; [`checker`] compares; [`report`] tells.

mod checker;
mod copy;
mod device;
mod input;
mod ledger;
mod outbox;
mod pace;
mod plan;
mod play;
mod report;
mod rest;
mod script;
mod stage;
mod state;
mod steps;

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use crate::file_limit;
use crate::stop::Stop;
use input::InputError;
use pace::Speed;
use plan::Plan;
use play::{Play, PlayError};
use report::Report;
use rest::{Rest, RestError};
use script::Script;
use stage::Run;
use steps::Step;

/// How many devices each account has from the beginning.
const DEVICES: usize = 2;

/// Arguments of `suda replay`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Tab-separated lines `conversation, second, author, text` under a header line
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7878")]
    pub server: String,
    /// As fast as the server acknowledges (max), or so many times faster than recorded
    #[arg(long, value_name = "max|FACTOR", default_value = "max")]
    pub speed: Speed,
    /// Only the first so many messages of the file
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Print the outcome as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be used.
    #[error("{}: {source}", file.display())]
    Input {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        source: InputError,
    },
    /// The server does not answer, or refuses.
    #[error("{0}\n`suda serve` starts a server; --server says where it is")]
    Server(#[from] RestError),
    /// The system does not permit enough open files.
    #[error(
        "{devices} devices need as many open files, and the system permits {permitted}; \
         raise the limit (`ulimit -n`) or replay less with --limit"
    )]
    Files {
        /// Connections needed.
        devices: usize,
        /// Connections possible.
        permitted: usize,
    },
    /// The devices could not do their work.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The replay ended, and not everything was as it should be; the report says what.
    #[error("not every line was acknowledged and received exactly once, in order; see the report")]
    Differences,
}

/// The texts of up to `limit` recorded messages.
///
/// # Errors
/// The first line that does not fit.
pub fn read_lines(source: impl std::io::BufRead, limit: usize) -> Result<Vec<String>, InputError> {
    Ok(input::read(source, limit)?.into_iter().map(|line| line.text).collect())
}

/// Replays a file. Prints the report to standard output, progress to standard error.
///
/// # Errors
/// What kept it from the end, or [`ReplayError::Differences`] if the report is not clean.
pub async fn run(options: Options) -> Result<(), Stop> {
    let report = perform(&options).await?;
    if options.json {
        crate::print(&format!("{}\n", report.json()))?;
    } else {
        crate::print(&report.to_string())?;
    }
    if report.is_clean() { Ok(()) } else { Err(ReplayError::Differences.into()) }
}

async fn perform(options: &Options) -> Result<Report, ReplayError> {
    let plan = read(options)?;
    let devices = plan.accounts.len() * DEVICES;
    let permitted = file_limit::raise(devices);
    if permitted < devices {
        return Err(ReplayError::Files { devices, permitted });
    }
    let rest = Rest::new(&options.server)?;
    rest.health().await?;
    let run = Run::new();
    let script = Arc::new(set_the_stage(&run, &rest, plan).await?);
    Ok(Play::new(script, rest, run).perform(options.speed).await?)
}

fn read(options: &Options) -> Result<Plan, ReplayError> {
    let input = |source| ReplayError::Input { file: options.file.clone(), source };
    let file = File::open(&options.file).map_err(|error| input(error.into()))?;
    let lines = input::read(BufReader::new(file), options.limit.unwrap_or(usize::MAX)).map_err(input)?;
    Ok(Plan::of(lines))
}

async fn set_the_stage(run: &Run, rest: &Rest, plan: Plan) -> Result<Script, RestError> {
    let step = Step::of("signing up", plan.accounts.len());
    let accounts = run.sign_up(rest, &plan, &step).await?;
    drop(step);
    let step = Step::of("making conversations", plan.conversations.len());
    let conversations = stage::converse(rest, &plan, &accounts, &step).await?;
    Ok(Script { plan, accounts, conversations })
}
