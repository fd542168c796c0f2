//! The scenario `relay`: what passing frames on costs without storing, acknowledging or knowing anything, to see
//! whether the bare relay is as lean as it should be.

use super::bare::plan::BarePlan;
use super::child::{Cores, Target};
use super::error::BenchError;
use super::generator::{Load, RelayPlan};
use super::report::Report;
use super::round::Fleet;
use super::{Folder, General};

/// Arguments of `suda bench relay`.
#[derive(Clone, Debug, clap::Args)]
pub struct RelayOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub connections: u32,
    /// How many belong together: 2 play ping-pong, in larger groups one is heard by all others
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub members: u32,
    /// Frames on their way in each group at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub in_flight: u32,
    /// Bytes of each frame's payload, at least 34
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub bytes: usize,
    /// Rounds; medians are told
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u32,
}

/// Runs `relay`.
///
/// # Errors
/// What kept it from the end.
pub async fn run(options: &RelayOptions) -> Result<Report, BenchError> {
    let RelayOptions { members, in_flight, bytes, .. } = *options;
    if members < 2 || options.connections < members {
        return Err(BenchError::Arguments("at least two connections belong together"));
    }
    let folder = Folder::of(&options.general);
    let mut report = Report { scenario: "relay", ..Report::default() };
    let groups = options.connections / members;
    let asked = [("connections", groups * members), ("members", members), ("in_flight", in_flight)];
    report.asked.extend(asked.map(|(name, value)| (name, value.into())));
    report.asked.insert("bytes", bytes.into());
    for round in 1..=options.rounds.max(1) {
        let target =
            Target::bare(&BarePlan::even(None, members), Cores::of_target(options.general.pin)).await?;
        let generators = options.general.generators.clamp(1, groups);
        let plan = RelayPlan { bytes: bytes.max(34), in_flight: in_flight.max(1), members };
        let part = |place: u32| {
            let range = groups * place / generators * members..groups * (place + 1) / generators * members;
            (range.map(BarePlan::token).collect(), Load::Relay(plan))
        };
        let parts = (0..generators).map(part).collect();
        let fleet =
            Fleet { parts, window: 1, foreground: true, cores: Cores::of_generator(options.general.pin) };
        let mut connected = fleet.connect(&target).await?;
        let what = format!("relay, round {round} of {}", options.rounds.max(1));
        let length = options.general.length();
        let one = connected.run(&what, &target, &folder.data(), length, None).await?;
        report.errors.extend(one.errors);
        report.server.push(one.figures);
    }
    Ok(report)
}
