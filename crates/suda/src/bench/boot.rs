//! The scenario `boot`: devices that log in and read their list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::bare::plan::BarePlan;
use super::child::{Cores, Target};
use super::error::BenchError;
use super::generator::{Ask, Load, RequestsPlan};
use super::report::Report;
use super::round::{Fleet, Round};
use super::seed::{self, Cast, Filling, Planned, message, now_ms};
use super::turns::{Side, Turns, add};
use super::{Folder, General};
use crate::bench::progress::Bar;
use suda_domain::ports::log::Append;

/// Members of each group.
const MEMBERS: u32 = 20;
/// What the newest message of every conversation says.
const TEXT: &str = "See you at the station at seven, and bring the tickets";

/// Arguments of `suda bench boot`.
#[derive(Clone, Debug, clap::Args)]
pub struct BootOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// Accounts, each with a device
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub accounts: u32,
    /// Conversations of each, half of them direct as far as there are accounts
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub conversations: u32,
    /// Rows of the window
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub window: u32,
    /// How many log in or ask at once, for each generator
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub at_once: u32,
    /// How often, and beside what: a bare relay whose answers are as long as the server's were.
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

/// Runs `boot`: logins first, then windows over connections that stay.
///
/// # Errors
/// What kept it from the end.
pub async fn run(options: &BootOptions) -> Result<Report, BenchError> {
    if options.accounts < 2 {
        return Err(BenchError::Arguments("there must be somebody to talk to: at least two accounts"));
    }
    let folder = Folder::of(&options.general);
    fill(&folder.data(), options).await?;
    let mut report = Report { scenario: "boot", ..Report::default() };
    let asked = [
        ("accounts", options.accounts),
        ("conversations", options.conversations),
        ("window", options.window),
        ("at_once", options.at_once),
    ];
    report.asked.extend(asked.map(|(name, value)| (name, value.into())));
    report.asked.insert("seconds", options.general.seconds.into());
    let cores = Cores::of_target(options.general.pin);
    let mut bytes = [0; 2];
    let run = async |side: Side, _: &str| match side {
        Side::Server => {
            let target = Target::server(&folder.data(), cores).await?;
            let token = |account| seed::token(account, 0);
            let round = both(options, &folder, &target, token, &mut bytes).await?;
            target.stop().await?;
            Ok(round)
        }
        Side::Bare => {
            let [greeting_bytes, reply_bytes] = bytes;
            let even = BarePlan::even(Some(folder.bare()), 2);
            let target = Target::bare(&BarePlan { greeting_bytes, reply_bytes, ..even }, cores).await?;
            both(options, &folder, &target, BarePlan::token, &mut [0; 2]).await
        }
    };
    options.turns.take(&mut report, run).await?;
    Ok(report)
}

/// Logins, then windows; `bytes` are those of an answer of each.
async fn both(
    options: &BootOptions,
    folder: &Folder,
    target: &Target,
    token: impl Fn(u32) -> String,
    bytes: &mut [usize; 2],
) -> Result<Round, BenchError> {
    let login = phase(options, folder, target, &token, "logins", Ask::Login).await?;
    let ask = Ask::Window { limit: options.window };
    let window = phase(options, folder, target, &token, "windows", ask).await?;
    let mut figures = login.figures.clone();
    for ((name, one), bytes) in [("login", &login), ("window", &window)].into_iter().zip(bytes) {
        let answers = one.figures.messages_per_s.unwrap_or_default();
        let mean = one.reply_bytes(options.general.length());
        *bytes = mean.unwrap_or_default() as usize;
        let mut more = |what: &str, value: Option<f64>| {
            figures.more.extend(value.map(|value| (format!("{name}_{what}"), value)));
        };
        more("cpu_us", one.figures.server_cpu_us_per_message);
        more("per_s", Some(answers));
        more("reply_bytes", mean);
        more("largest_reply_bytes", one.counts.get("largest_reply_bytes").map(|bytes| *bytes as f64));
        more("p50_ms", one.figures.ack_ms.map(|times| times.p50));
        more("p99_ms", one.figures.ack_ms.map(|times| times.p99));
    }
    figures.bytes_written_per_message = None;
    let mut errors = login.errors;
    add(&mut errors, window.errors);
    Ok(Round { figures, errors, counts: BTreeMap::new() })
}

async fn phase(
    options: &BootOptions,
    folder: &Folder,
    target: &Target,
    token: impl Fn(u32) -> String,
    what: &str,
    ask: Ask,
) -> Result<Round, BenchError> {
    // All connections are one generator's: it does little beside waiting.
    let tokens = (0..options.accounts).map(token).collect();
    let load = Load::Requests(RequestsPlan { at_once: options.at_once, ask });
    let fleet = Fleet {
        parts: vec![(tokens, load)],
        window: options.window,
        foreground: true,
        cores: Cores::of_generator(options.general.pin),
    };
    let mut connected = fleet.connect(target).await?;
    connected.run(what, target, &folder.data(), options.general.length(), None).await
}

async fn fill(data: &Path, options: &BootOptions) -> Result<(), BenchError> {
    let BootOptions { accounts, conversations, .. } = *options;
    let shape = Shape { scenario: "boot", accounts, conversations };
    if seed::is_filled(data, &shape)? {
        return Ok(());
    }
    seed::make_accounts(data, &Cast { accounts, devices: 1 }).await?;
    let planned = plan(accounts, conversations);
    let filling = Filling::open(data).await?;
    let bar = Bar::counting("making conversations", planned.len() as u64);
    let at = now_ms();
    let append = |(number, planned): (usize, Planned)| {
        // Each is touched at another time, as real ones are.
        let at = at - (number as u64 * 7_919 % 86_400_000);
        let entries = vec![planned.created(at), message(planned.members[0], 2, at, TEXT)];
        Append { conversation: planned.id(), after: 0, entries, marks: Vec::new() }
    };
    filling.append(&bar, planned.into_iter().enumerate().map(append)).await?;
    drop(bar);
    filling.close().await?;
    seed::note_filled(data, &shape)
}

/// Conversations of which every account has about as many as are asked for.
fn plan(accounts: u32, conversations: u32) -> Vec<Planned> {
    // Each account talks with its next neighbours, so with as many on the other side.
    let neighbours = (conversations / 4).min((accounts - 1) / 2);
    let mut pairs = BTreeSet::new();
    for account in 0..accounts {
        for step in 1..=neighbours {
            let other = (account + step) % accounts;
            pairs.insert((account.min(other), account.max(other)));
        }
    }
    let mut all: Vec<Planned> =
        pairs.into_iter().map(|(first, second)| Planned::direct(first, second)).collect();
    let members = MEMBERS.min(accounts);
    let groups_of_each = conversations.saturating_sub(2 * neighbours);
    let groups = (u64::from(groups_of_each) * u64::from(accounts) / u64::from(members)) as u32;
    all.extend((0..groups).map(|group| {
        let first = (u64::from(group) * u64::from(members) % u64::from(accounts)) as u32;
        Planned::group((0..members).map(|member| (first + member) % accounts).collect(), group)
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_as_many_conversations_as_asked_for() {
        for (accounts, conversations) in [(200, 1_000), (40, 100), (2, 3)] {
            let planned = plan(accounts, conversations);
            let ids: BTreeSet<_> = planned.iter().map(Planned::id).collect();
            assert_eq!(ids.len(), planned.len(), "they are different ones");
            for account in [0, accounts / 2, accounts - 1] {
                let own = planned.iter().filter(|one| one.members.contains(&account)).count() as u32;
                assert_eq!(own, conversations, "account {account} of {accounts}");
            }
        }
    }
}
