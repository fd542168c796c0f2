//! The scenario `idle`: what connections cost that do nothing, in memory and in processor time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::bare::plan::BarePlan;
use super::child::{Cores, Generator, Target};
use super::error::BenchError;
use super::generator::{Config, Load, Schedule};
use super::poll::{SECOND, now};
use super::process::{Cost, kernel_bytes};
use super::progress::Bar;
use super::report::{Figures, Report};
use super::round::Round;
use super::seed::{self, Cast, Filling, Planned};
use super::turns::{Side, Turns, add};
use super::{Folder, General};

/// Members of each group.
const MEMBERS: u32 = 100;
/// Connections of a generator: with what else it needs they fit into 20,000 open files.
const PER_GENERATOR: u32 = 18_000;
/// Rows of each greeting, as an app would ask for.
const WINDOW: u32 = 50;
/// How often the server asks a silent device for a sign of life, and so does the bare relay.
const HEARTBEAT_SECONDS: u32 = 25;

/// Arguments of `suda bench idle`.
#[derive(Clone, Debug, clap::Args)]
pub struct IdleOptions {
    /// What every scenario has; `--seconds` is how long the connections idle, and should be some heartbeats.
    #[command(flatten)]
    pub general: General,
    /// Connections at the first step
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub from: u32,
    /// Connections at the last step, each of an account of its own
    #[arg(long, value_name = "N", default_value_t = 18_000)]
    pub to: u32,
    /// Steps; memory is the slope over them
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub steps: u32,
    /// Conversations of every account
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub conversations: u32,
    /// How long each step settles before memory is read
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub settle: f64,
    /// The devices are in the background
    #[arg(long)]
    pub background: bool,
    /// How often, and beside what.
    #[command(flatten)]
    pub turns: Turns,
}

/// How the folder is filled.
#[derive(Serialize)]
struct Shape {
    scenario: &'static str,
    accounts: u32,
    conversations: u32,
}

/// Memory at one step.
struct Sample {
    connections: f64,
    resident: f64,
    kernel: Option<f64>,
}

/// Runs `idle`.
///
/// # Errors
/// What kept it from the end.
pub async fn run(options: &IdleOptions) -> Result<Report, BenchError> {
    let IdleOptions { from, to, steps, .. } = *options;
    if from == 0 || to < from || steps < 2 && to > from {
        return Err(BenchError::Arguments("connections grow in at least two steps"));
    }
    let folder = Folder::of(&options.general);
    fill(&folder.data(), to, options.conversations).await?;
    let mut report = Report { scenario: "idle", ..Report::default() };
    let asked = [("from", from), ("to", to), ("steps", steps), ("conversations", options.conversations)];
    report.asked.extend(asked.map(|(name, value)| (name, value.into())));
    report.asked.insert("foreground", (!options.background).into());
    report.asked.insert("seconds", options.general.seconds.into());
    let cores = Cores::of_target(options.general.pin);
    let run = async |side: Side, _: &str| match side {
        Side::Server => {
            let target = Target::server(&folder.data(), cores).await?;
            let round = hold(&target, |account| seed::token(account, 0), options).await?;
            target.stop().await?;
            Ok(round)
        }
        Side::Bare => {
            let heartbeat_seconds = if options.background { 0 } else { HEARTBEAT_SECONDS };
            let plan = BarePlan { heartbeat_seconds, ..BarePlan::even(Some(folder.bare()), 2) };
            hold(&Target::bare(&plan, cores).await?, BarePlan::token, options).await
        }
    };
    options.turns.take(&mut report, run).await?;
    Ok(report)
}

/// Makes the connections step by step and has them idle.
async fn hold(
    target: &Target,
    token: impl Fn(u32) -> String,
    options: &IdleOptions,
) -> Result<Round, BenchError> {
    let IdleOptions { from, to, steps, .. } = *options;
    let mut fleet = start(target, token, options).await?;
    let mut samples = Vec::new();
    for step in 0..steps.max(1) {
        let connections = from + (to - from) * step / (steps - 1).max(1);
        connect(&mut fleet, connections).await?;
        let settle = Duration::try_from_secs_f64(options.settle).unwrap_or_default();
        Bar::timing(&format!("{connections} connections settle"), settle).wait(settle).await;
        let cost = Cost::of(target.pid).map_err(|_| BenchError::Ended("server"))?;
        samples.push(Sample {
            connections: f64::from(connections),
            resident: cost.resident as f64,
            kernel: kernel_bytes().map(|bytes| bytes as f64),
        });
    }
    let mut round = Round { figures: memory(&samples), errors: BTreeMap::new(), counts: BTreeMap::new() };
    idle(&mut round, &mut fleet, target, options).await?;
    Ok(round)
}

async fn fill(data: &std::path::Path, accounts: u32, conversations: u32) -> Result<(), BenchError> {
    // Whole groups: a few accounts may be without a connection.
    let accounts = accounts.next_multiple_of(MEMBERS);
    let shape = Shape { scenario: "idle", accounts, conversations };
    if seed::is_filled(data, &shape)? {
        return Ok(());
    }
    seed::make_accounts(data, &Cast { accounts, devices: 1 }).await?;
    let groups: Vec<Planned> = (0..accounts / MEMBERS * conversations)
        .map(|group| {
            let first = group / conversations.max(1) * MEMBERS;
            // A different owner for each, so that their ids differ.
            let members = (0..MEMBERS).map(|member| first + (member + group) % MEMBERS).collect();
            Planned::group(members, group)
        })
        .collect();
    let filling = Filling::open(data).await?;
    filling.make(groups.into_iter()).await?;
    filling.close().await?;
    seed::note_filled(data, &shape)
}

/// A generator, and how many connections it can have.
struct Part {
    generator: Generator,
    most: u32,
}

async fn start(
    target: &Target,
    token: impl Fn(u32) -> String,
    options: &IdleOptions,
) -> Result<Vec<Part>, BenchError> {
    let connections = options.to;
    let mut fleet = Vec::new();
    for first in (0..connections).step_by(PER_GENERATOR as usize) {
        let most = (connections - first).min(PER_GENERATOR);
        let config = Config {
            address: target.address,
            tokens: (first..first + most).map(&token).collect(),
            first,
            source: 1 + (first / PER_GENERATOR * 4) as u8,
            window: WINDOW,
            foreground: !options.background,
            load: Load::Idle,
        };
        fleet.push(Part {
            generator: Generator::start(&config, Cores::of_generator(options.general.pin)).await?,
            most,
        });
    }
    Ok(fleet)
}

async fn connect(fleet: &mut [Part], connections: u32) -> Result<(), BenchError> {
    let bar = Bar::counting("connecting", u64::from(connections));
    let mut left = connections;
    for part in fleet {
        let here = left.min(part.most);
        left -= here;
        part.generator.connect(here).await?;
        bar.advance(u64::from(here));
    }
    Ok(())
}

/// Has all connections idle, and measures what that costs.
async fn idle(
    round: &mut Round,
    fleet: &mut [Part],
    target: &Target,
    options: &IdleOptions,
) -> Result<(), BenchError> {
    let length = options.general.length().measured;
    let start = now();
    let end = start + length.as_nanos() as u64;
    for part in fleet.iter_mut() {
        part.generator.go(Schedule { start, measure: start, end }).await?;
    }
    let gone = |_| BenchError::Ended("server");
    let before = Cost::of(target.pid).map_err(gone)?;
    Bar::timing("idling", length).wait(length).await;
    let spent = Cost::of(target.pid).map_err(gone)?.since(before);
    let seconds = (now() - start) as f64 / SECOND as f64;
    let cpu_us = spent.cpu_us as f64 / seconds;
    round.figures.server_cores = Some(cpu_us / 1e6);
    round.figures.more.insert("cpu_us_per_connection_second".to_owned(), cpu_us / f64::from(options.to));
    for part in fleet {
        add(&mut round.errors, part.generator.outcome().await?.errors);
    }
    Ok(())
}

/// Bytes per connection: the slope through all steps.
fn memory(samples: &[Sample]) -> Figures {
    let user: Vec<_> = samples.iter().map(|sample| (sample.connections, sample.resident)).collect();
    let kernel: Option<Vec<_>> =
        samples.iter().map(|sample| Some((sample.connections, sample.kernel?))).collect();
    let mut figures = Figures {
        bytes_per_connection_user: slope(&user),
        // Both ends are here, and only one of them is the server's.
        bytes_per_connection_kernel: kernel.and_then(|points| slope(&points)).map(|both| both / 2.0),
        ..Figures::default()
    };
    for sample in samples {
        let name = format!("resident_mib_at_{}", sample.connections);
        figures.more.insert(name, sample.resident / f64::from(1 << 20));
    }
    figures
}

/// The slope of the straight line with the least squares.
pub(super) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let over: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let under: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (under > 0.0).then(|| over / under)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_what_one_more_takes() {
        assert_eq!(slope(&[(0.0, 5.0), (10.0, 25.0), (20.0, 45.0)]), Some(2.0));
        assert_eq!(slope(&[(3.0, 5.0)]), None);
    }

    #[test]
    fn kernel_memory_is_halved_and_may_be_unknown() {
        let sample = |connections, kernel| Sample { connections, resident: connections * 3.0, kernel };
        let figures = memory(&[sample(10.0, Some(100.0)), sample(20.0, Some(300.0))]);
        assert_eq!(figures.bytes_per_connection_user, Some(3.0));
        assert_eq!(figures.bytes_per_connection_kernel, Some(10.0));
        assert_eq!(memory(&[sample(10.0, Some(1.0)), sample(20.0, None)]).bytes_per_connection_kernel, None);
    }
}
