//! The scenario `mixed`: a day's mixture over direct conversations and groups, with real texts.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::bare::plan::{BarePlan, Circle, Circles};
use super::child::{Cores, Target};
use super::error::BenchError;
use super::generator::{Load, MixedPlan};
use super::report::Report;
use super::round::{Fleet, Round};
use super::seed::{self, Cast, Filling, Planned};
use super::turns::{Side, Turns};
use super::{Folder, General};
use crate::replay;

/// Members of each group.
const MEMBERS: u32 = 8;
/// Devices of each account; of the second ones, three of ten are connected.
const DEVICES: u32 = 2;
/// Most texts that are used.
const TEXTS: usize = 10_000;
/// Longest text, in bytes: long ones are left out.
const LONGEST: usize = 2_000;
/// Rows of each greeting.
const WINDOW: u32 = 50;
/// The repository's own sample, for whoever has no other.
const SAMPLE: &[u8] = include_bytes!("../../samples/sample.tsv");

/// Arguments of `suda bench mixed`.
#[derive(Clone, Debug, clap::Args)]
pub struct MixedOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// Texts to send: tab-separated lines `conversation, second, author, text` under a header line; a small sample if
    /// absent
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Accounts; 1.3 connections for each
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub accounts: u32,
    /// Messages, edits and reactions a second
    #[arg(long, value_name = "RATE", default_value_t = 2_000.0)]
    pub rate: f64,
    /// Connections made anew, each second, of a thousand
    #[arg(long, value_name = "N", default_value_t = 1.6)]
    pub reconnects: f64,
    /// How often, and beside what.
    #[command(flatten)]
    pub turns: Turns,
}

/// How the folder is filled.
#[derive(Serialize)]
struct Shape {
    scenario: &'static str,
    accounts: u32,
}

/// Runs `mixed`. Deliveries are not checked here, since connections come and go; `suda replay` does that.
///
/// # Errors
/// What kept it from the end.
pub async fn run(options: &MixedOptions) -> Result<Report, BenchError> {
    let texts = texts(options.file.as_deref())?;
    let folder = Folder::of(&options.general);
    // Whole groups.
    let accounts = options.accounts.max(MEMBERS).next_multiple_of(MEMBERS);
    fill(&folder.data(), accounts).await?;
    let mut report = Report { scenario: "mixed", ..Report::default() };
    let asked = &mut report.asked;
    asked.insert("accounts", accounts.into());
    asked.insert("rate_per_s", options.rate.into());
    asked.insert("reconnects_per_thousand_s", options.reconnects.into());
    asked.insert("texts", texts.len().into());
    asked.insert("seconds", options.general.seconds.into());
    let parts = parts(options, accounts);
    asked.insert("connections", parts.iter().map(Vec::len).sum::<usize>().into());
    let cores = Cores::of_target(options.general.pin);
    let length = options.general.length();
    let mut greeting_bytes = 0;
    let run = async |side: Side, what: &str| match side {
        Side::Server => {
            let target = Target::server(&folder.data(), cores).await?;
            let token = |_, (account, device)| seed::token(account, device);
            let mut connected = fleet(options, accounts, &texts, &parts, token).connect(&target).await?;
            let mut one = connected.run(what, &target, &folder.data(), length, None).await?;
            drop(connected);
            target.stop().await?;
            greeting_bytes = take_greetings(&mut one).unwrap_or_default();
            Ok(one.with_rates(length))
        }
        Side::Bare => {
            let circles = circles(accounts, &parts);
            let even = BarePlan::even(Some(folder.bare()), 2);
            let target = Target::bare(&BarePlan { circles, greeting_bytes, ..even }, cores).await?;
            let token = |number, _| BarePlan::token(number);
            let mut connected = fleet(options, accounts, &texts, &parts, token).connect(&target).await?;
            let mut one = connected.run(what, &target, &folder.data(), length, None).await?;
            take_greetings(&mut one);
            Ok(one.with_rates(length))
        }
    };
    options.turns.take(&mut report, run).await?;
    Ok(report)
}

/// Bytes of a greeting on average; their counts are no figures of the load.
fn take_greetings(round: &mut Round) -> Option<usize> {
    let [greetings, bytes] = ["greetings", "greeting_bytes"].map(|name| round.counts.remove(name));
    bytes?.checked_div(greetings?).map(|bytes| bytes as usize)
}

/// Texts, escaped for JSON.
fn texts(file: Option<&Path>) -> Result<Vec<String>, BenchError> {
    let read = match file {
        None => replay::read_lines(SAMPLE, TEXTS),
        Some(path) => {
            let failed =
                |error: std::io::Error| BenchError::File { file: path.to_owned(), reason: error.to_string() };
            replay::read_lines(BufReader::new(File::open(path).map_err(failed)?), TEXTS)
        }
    };
    let name = file.unwrap_or(Path::new("the sample")).to_owned();
    let lines = read.map_err(|error| BenchError::File { file: name, reason: error.to_string() })?;
    let escaped = |text: String| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    Ok(lines.into_iter().filter(|text| text.len() <= LONGEST).map(escaped).collect())
}

async fn fill(data: &Path, accounts: u32) -> Result<(), BenchError> {
    let shape = Shape { scenario: "mixed", accounts };
    if seed::is_filled(data, &shape)? {
        return Ok(());
    }
    seed::make_accounts(data, &Cast { accounts, devices: DEVICES }).await?;
    let filling = Filling::open(data).await?;
    filling.make(conversations(accounts).into_iter()).await?;
    filling.close().await?;
    seed::note_filled(data, &shape)
}

/// The direct conversations of neighbours, then the groups.
fn conversations(accounts: u32) -> Vec<Planned> {
    let pairs = (0..accounts / 2).map(|pair| Planned::direct(pair * 2, pair * 2 + 1));
    let group = |group| Planned::group((group * MEMBERS..(group + 1) * MEMBERS).collect(), group);
    pairs.chain((0..accounts / MEMBERS).map(group)).collect()
}

/// The connections of each generator: account and device.
fn parts(options: &MixedOptions, accounts: u32) -> Vec<Vec<(u32, u32)>> {
    let groups = accounts / MEMBERS;
    let generators = options.general.generators.clamp(1, groups);
    let part = |place: u32| {
        let here = groups * place / generators * MEMBERS..groups * (place + 1) / generators * MEMBERS;
        let second = here.clone().filter(|account| account % 10 < 3).map(|account| (account, 1));
        here.map(|account| (account, 0)).chain(second).collect()
    };
    (0..generators).map(part).collect()
}

/// Who hears whom, for the bare relay: the connections of each conversation by their numbers.
fn circles(accounts: u32, parts: &[Vec<(u32, u32)>]) -> Circles {
    let mut circles: Vec<Circle> = conversations(accounts)
        .iter()
        .map(|planned| Circle { conversation: planned.id().to_string(), numbers: Vec::new() })
        .collect();
    for (number, (account, _)) in parts.iter().flatten().enumerate() {
        for place in of_account(accounts, *account) {
            circles[place as usize].numbers.push(number as u32);
        }
    }
    Circles::Named(circles)
}

/// The places of an account's direct conversation and of its group.
const fn of_account(accounts: u32, account: u32) -> [u32; 2] {
    [account / 2, accounts / 2 + account / MEMBERS]
}

fn fleet(
    options: &MixedOptions,
    accounts: u32,
    texts: &[String],
    parts: &[Vec<(u32, u32)>],
    token: impl Fn(u32, (u32, u32)) -> String,
) -> Fleet {
    let ids: Vec<String> = conversations(accounts).iter().map(|one| one.id().to_string()).collect();
    let all: usize = parts.iter().map(Vec::len).sum();
    let mut first = 0;
    let part = |devices: &Vec<(u32, u32)>| {
        let share = devices.len() as f64 / all as f64;
        let plan = MixedPlan {
            conversations: ids.clone(),
            of_line: devices.iter().map(|(account, _)| of_account(accounts, *account)).collect(),
            texts: texts.to_vec(),
            rate: options.rate * share,
            reconnects: options.reconnects / 1_000.0 * devices.len() as f64,
        };
        let tokens = (first..).zip(devices).map(|(number, device)| token(number, *device)).collect();
        first += devices.len() as u32;
        (tokens, Load::Mixed(plan))
    };
    let parts = parts.iter().map(part).collect();
    Fleet { parts, window: WINDOW, foreground: true, cores: Cores::of_generator(options.general.pin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_can_stand_in_json_as_they_are() {
        let texts = texts(None).expect("the sample is readable");
        assert!(texts.len() > 300);
        for text in &texts {
            let json = format!("{{\"text\":\"{text}\"}}");
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        }
    }

    #[test]
    fn everybody_is_in_a_pair_and_a_group() {
        let planned = conversations(16);
        for account in 0..16u32 {
            let [pair, group] = of_account(16, account).map(|place| &planned[place as usize]);
            assert!(pair.members.contains(&account) && pair.members.len() == 2);
            assert!(group.members.contains(&account) && group.members.len() == MEMBERS as usize);
        }
    }
}
