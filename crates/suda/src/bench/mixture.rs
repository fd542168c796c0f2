//! The scenario `mixed`: a day's mixture over direct conversations and groups, with real texts.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::child::{Cores, Target};
use super::error::BenchError;
use super::generator::{Load, MixedPlan};
use super::report::Report;
use super::round::Fleet;
use super::seed::{self, Cast, Filling, Planned};
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
    /// Rounds; medians are told
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u32,
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
    for round in 1..=options.rounds.max(1) {
        let target = Target::server(&folder.data(), Cores::of_target(options.general.pin)).await?;
        let mut connected = fleet(options, accounts, &texts).connect(&target).await?;
        report.asked.insert("connections", connected.connections.into());
        let what = format!("server, round {round} of {}", options.rounds.max(1));
        let length = options.general.length();
        let one = connected.run(&what, &target, &folder.data(), length, None).await?;
        drop(connected);
        target.stop().await?;
        let mut figures = one.figures;
        let seconds = (length.warm_up + length.measured).as_secs_f64();
        let rates =
            one.counts.into_iter().map(|(name, count)| (format!("{name}_per_s"), count as f64 / seconds));
        figures.more.extend(rates);
        report.server.push(figures);
        for (name, count) in one.errors {
            *report.errors.entry(name).or_default() += count;
        }
    }
    Ok(report)
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

fn fleet(options: &MixedOptions, accounts: u32, texts: &[String]) -> Fleet {
    let planned = conversations(accounts);
    let ids: Vec<String> = planned.iter().map(|one| one.id().to_string()).collect();
    let generators = options.general.generators.clamp(1, accounts / MEMBERS);
    let groups = accounts / MEMBERS;
    let mut parts = Vec::new();
    for place in 0..generators {
        let here = groups * place / generators * MEMBERS..groups * (place + 1) / generators * MEMBERS;
        let share = f64::from(here.len() as u32) / f64::from(accounts);
        let second = here.clone().filter(|account| account % 10 < 3).map(|account| (account, 1));
        let devices: Vec<(u32, u32)> = here.map(|account| (account, 0)).chain(second).collect();
        let plan = MixedPlan {
            conversations: ids.clone(),
            of_line: devices
                .iter()
                .map(|(account, _)| [account / 2, accounts / 2 + account / MEMBERS])
                .collect(),
            texts: texts.to_vec(),
            rate: options.rate * share,
            reconnects: options.reconnects / 1_000.0 * devices.len() as f64,
        };
        let tokens = devices.iter().map(|(account, device)| seed::token(*account, *device)).collect();
        parts.push((tokens, Load::Mixed(plan)));
    }
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
            let [pair, group] = [account / 2, 8 + account / MEMBERS].map(|place| &planned[place as usize]);
            assert!(pair.members.contains(&account) && pair.members.len() == 2);
            assert!(group.members.contains(&account) && group.members.len() == MEMBERS as usize);
        }
    }
}
