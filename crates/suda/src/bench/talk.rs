//! The scenarios `pairs` and `group`: messages between connections, of the server and of the bare relay in turn.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use super::bare::plan::BarePlan;
use super::child::{Cores, Target};
use super::error::BenchError;
use super::generator::{Load, MessagesPlan, Pace, Receipts};
use super::report::Report;
use super::round::{Fleet, Length, Round};
use super::seed::{self, Cast, Filling, Planned};
use super::turns::{Side, Turns};
use super::{Folder, General};

/// How long the bare relay is driven to find its maximum.
const PROBE: Length = Length { warm_up: Duration::from_secs(2), measured: Duration::from_secs(4) };

/// How much is sent in an open loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// So many messages a second.
    PerSecond(f64),
    /// A share of what the bare relay can do in a closed loop.
    OfBare(f64),
}

/// A rate that is none.
#[derive(Debug, thiserror::Error)]
#[error("a rate is a number of messages a second, or with --bare a share of its maximum such as 80%")]
pub struct BadRate;

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let (number, is_share) = text.strip_suffix('%').map_or((text, false), |number| (number, true));
        let number: f64 = number.parse().map_err(|_| BadRate)?;
        match is_share {
            _ if !number.is_finite() || number <= 0.0 => Err(BadRate),
            true => Ok(Self::OfBare(number / 100.0)),
            false => Ok(Self::PerSecond(number)),
        }
    }
}

/// How messages are sent; of `pairs` and `group`.
#[derive(Clone, Debug, clap::Args)]
pub struct Sending {
    /// Messages a second of all connections together (open loop), or a share of the bare relay's maximum: 80%
    #[arg(long, value_name = "RATE", default_value = "5000")]
    pub rate: Rate,
    /// As many as are acknowledged (closed loop) instead of --rate
    #[arg(long, conflicts_with = "rate")]
    pub closed: bool,
    /// In a closed loop: unanswered sends of each connection
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub in_flight: u32,
    /// Bytes of each text, at least 32
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub bytes: usize,
    /// How often, and beside what.
    #[command(flatten)]
    pub turns: Turns,
}

/// Arguments of `suda bench pairs`.
#[derive(Clone, Debug, clap::Args)]
pub struct PairsOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// How messages are sent.
    #[command(flatten)]
    pub sending: Sending,
    /// Connections; two are a pair, and both send
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub connections: u32,
}

/// Arguments of `suda bench group`.
#[derive(Clone, Debug, clap::Args)]
pub struct GroupOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// How messages are sent.
    #[command(flatten)]
    pub sending: Sending,
    /// Members of each group
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub members: u32,
    /// Devices of each member, all of them connected
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub devices: u32,
    /// Groups
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub groups: u32,
    /// Every device tells what it received, gathered for 300 ms as the Rust SDK does; `read` also has it seen at once
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "delivered")]
    pub receipts: Option<Receipts>,
}

/// Who talks with whom.
#[derive(Clone, Debug, Serialize)]
struct Talk {
    scenario: &'static str,
    conversations: u32,
    members: u32,
    devices: u32,
}

/// Runs `pairs`.
///
/// # Errors
/// What kept it from the end.
pub async fn pairs(options: &PairsOptions) -> Result<Report, BenchError> {
    let talk =
        Talk { scenario: "pairs", conversations: (options.connections / 2).max(1), members: 2, devices: 1 };
    run(&options.general, &options.sending, &talk, None).await
}

/// Runs `group`.
///
/// # Errors
/// What kept it from the end.
pub async fn group(options: &GroupOptions) -> Result<Report, BenchError> {
    let GroupOptions { members, devices, groups, .. } = *options;
    if members < 2 || devices == 0 || groups == 0 {
        return Err(BenchError::Arguments("a group has at least two members, and each of them a device"));
    }
    let talk = Talk { scenario: "group", conversations: groups, members, devices };
    run(&options.general, &options.sending, &talk, options.receipts).await
}

async fn run(
    general: &General,
    sending: &Sending,
    talk: &Talk,
    receipts: Option<Receipts>,
) -> Result<Report, BenchError> {
    let folder = Folder::of(general);
    talk.fill(&folder.data()).await?;
    let bench = Bench { general, sending, talk, receipts, folder: &folder };
    let mut report = Report { scenario: talk.scenario, ..Report::default() };
    let pace = match (sending.closed, sending.rate) {
        (true, _) => Pace::Closed(sending.in_flight.max(1)),
        (false, Rate::PerSecond(rate)) => Pace::Open(rate),
        (false, Rate::OfBare(share)) if sending.turns.bare => {
            let probe =
                bench.bare("finding the bare maximum", Pace::Closed(sending.in_flight), PROBE).await?;
            let most = probe.figures.messages_per_s.unwrap_or_default();
            report.asked.insert("bare_maximum_per_s", most.round().into());
            Pace::Open((most * share).max(1.0))
        }
        (false, Rate::OfBare(_)) => return Err(BenchError::Arguments("a share as --rate needs --bare")),
    };
    bench.note(&mut report, pace);
    let length = general.length();
    let run = async |side: Side, what: &str| match side {
        Side::Server => bench.server(what, pace, length).await,
        Side::Bare => bench.bare(what, pace, length).await,
    };
    sending.turns.take(&mut report, run).await?;
    Ok(report)
}

impl Talk {
    /// How many connections a conversation has.
    const fn size(&self) -> u32 {
        self.members * self.devices
    }

    fn planned(&self, conversation: u32) -> Planned {
        let first = conversation * self.members;
        match self.members {
            2 => Planned::direct(first, first + 1),
            members => Planned::group((first..first + members).collect(), conversation),
        }
    }

    async fn fill(&self, data: &Path) -> Result<(), BenchError> {
        if seed::is_filled(data, self)? {
            return Ok(());
        }
        let cast = Cast { accounts: self.conversations * self.members, devices: self.devices };
        seed::make_accounts(data, &cast).await?;
        let filling = Filling::open(data).await?;
        let conversations: Vec<Planned> =
            (0..self.conversations).map(|number| self.planned(number)).collect();
        filling.make(conversations.into_iter()).await?;
        filling.close().await?;
        seed::note_filled(data, self)
    }
}

/// What all rounds have in general.
struct Bench<'a> {
    general: &'a General,
    sending: &'a Sending,
    talk: &'a Talk,
    receipts: Option<Receipts>,
    folder: &'a Folder,
}

impl Bench<'_> {
    async fn server(&self, what: &str, pace: Pace, length: Length) -> Result<Round, BenchError> {
        let target = Target::server(&self.folder.data(), Cores::of_target(self.general.pin)).await?;
        let token = |line: u32| seed::token(line / self.talk.devices, line % self.talk.devices);
        let round = self.round(what, &target, pace, length, token).await?;
        target.stop().await?;
        Ok(round)
    }

    async fn bare(&self, what: &str, pace: Pace, length: Length) -> Result<Round, BenchError> {
        let plan = BarePlan::even(Some(self.folder.bare()), self.talk.size());
        let target = Target::bare(&plan, Cores::of_target(self.general.pin)).await?;
        self.round(what, &target, pace, length, BarePlan::token).await
    }

    async fn round(
        &self,
        what: &str,
        target: &Target,
        pace: Pace,
        length: Length,
        token: impl Fn(u32) -> String,
    ) -> Result<Round, BenchError> {
        let receivers = Some(u64::from(self.talk.size() - 1));
        let fleet = self.fleet(pace, token);
        let mut connected = fleet.connect(target).await?;
        Ok(connected.run(what, target, &self.folder.data(), length, receivers).await?.with_rates(length))
    }

    /// Whole conversations are shared out evenly among the generators.
    fn fleet(&self, pace: Pace, token: impl Fn(u32) -> String) -> Fleet {
        let all = self.talk.conversations;
        let generators = self.general.generators.clamp(1, all);
        let mut parts = Vec::new();
        for place in 0..generators {
            let range = all * place / generators..all * (place + 1) / generators;
            let share = f64::from(range.len() as u32) / f64::from(all);
            let size = self.talk.size();
            let tokens = (range.start * size..range.end * size).map(&token).collect();
            let plan = MessagesPlan {
                conversations: range.clone().map(|one| self.talk.planned(one).id().to_string()).collect(),
                of_line: (0..range.len() as u32 * size).map(|line| line / size).collect(),
                bytes: self.sending.bytes.max(32),
                pace: match pace {
                    Pace::Open(rate) => Pace::Open(rate * share),
                    closed @ Pace::Closed(_) => closed,
                },
                receipts: self.receipts,
            };
            parts.push((tokens, Load::Messages(plan)));
        }
        Fleet { parts, window: 1, foreground: true, cores: Cores::of_generator(self.general.pin) }
    }

    /// Writes down what was asked for.
    fn note(&self, report: &mut Report, pace: Pace) {
        let asked = &mut report.asked;
        asked.insert("connections", (self.talk.conversations * self.talk.size()).into());
        if self.talk.scenario == "group" {
            asked.insert("members", self.talk.members.into());
            asked.insert("devices", self.talk.devices.into());
            asked.insert("groups", self.talk.conversations.into());
        }
        if let Some(receipts) = self.receipts {
            asked.insert("receipts", serde_json::json!(receipts));
        }
        match pace {
            Pace::Open(rate) => asked.insert("rate_per_s", rate.into()),
            Pace::Closed(in_flight) => asked.insert("in_flight", in_flight.into()),
        };
        asked.insert("bytes", self.sending.bytes.into());
        asked.insert("seconds", self.general.seconds.into());
        asked.insert("warm_up", self.general.warm_up.into());
        asked.insert("generators", self.general.generators.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_a_share() {
        assert_eq!("5000".parse::<Rate>().expect("a number"), Rate::PerSecond(5_000.0));
        assert_eq!("80%".parse::<Rate>().expect("a share"), Rate::OfBare(0.8));
        for text in ["", "fast", "0", "-1", "inf", "%", "NaN%"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
