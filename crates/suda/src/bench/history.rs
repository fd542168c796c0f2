//! The scenario `history`: pages of a large log, of popular conversations and of any.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use suda_domain::ports::log::Append;

use super::bare::plan::BarePlan;
use super::child::{Cores, Target};
use super::error::{BenchError, while_trying};
use super::generator::{Ask, Load, PagesPlan, ReadConversation, RequestsPlan};
use super::progress::Bar;
use super::report::Report;
use super::round::{Fleet, Length, Round};
use super::seed::{self, Cast, Filling, Planned, message, now_ms};
use super::turns::{Side, Turns, add};
use super::{Folder, General};

/// Accounts, each with a connection.
const ACCOUNTS: u32 = 1_000;
/// Entries are written in so many passes over all conversations, so that those of one lie apart as in a real log.
const PASSES: u64 = 64;
/// Most entries of one append.
const BATCH: u64 = 64;
/// Conversations that are written at once.
const AT_ONCE: usize = 512;
/// Popular conversations are not neighbours: their places are this far apart.
const STRIDE: u64 = 7_919;
/// What messages say, cut to a length that differs.
const TEXT: &str = "The ferry leaves at nine and comes back at six, so we have the whole day on the island; \
    take something warm, it was windy last time";

/// Arguments of `suda bench history`.
#[derive(Clone, Debug, clap::Args)]
pub struct HistoryOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// Entries of the whole log, about
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub entries: u64,
    /// Direct conversations they are in
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub conversations: u32,
    /// Entries of a page
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub page: u32,
    /// How much more popular and longer the first conversations are (Zipf's exponent)
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub zipf: f64,
    /// Pages asked for at once while the log is warm
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub at_once: u32,
    /// How long cold pages are measured; the longer, the more of them are warm
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub cold_seconds: f64,
    /// How often, and beside what: a bare relay whose answers are as long as the server's warm pages were.
    #[command(flatten)]
    pub turns: Turns,
}

/// How the folder is filled.
#[derive(Serialize)]
struct Shape {
    scenario: &'static str,
    entries: u64,
    conversations: u32,
    zipf: f64,
}

/// Runs `history`.
///
/// # Errors
/// What kept it from the end.
pub async fn run(options: &HistoryOptions) -> Result<Report, BenchError> {
    let most = ACCOUNTS * (ACCOUNTS / 2 - 1);
    if options.conversations == 0 || options.conversations > most {
        return Err(BenchError::Arguments("there can be 1 to 499,000 conversations"));
    }
    let folder = Folder::of(&options.general);
    let sizes = sizes(options);
    fill(&folder.data(), options, &sizes).await?;
    let mut report = Report { scenario: "history", ..Report::default() };
    let asked = &mut report.asked;
    asked.insert("entries", sizes.iter().sum::<u64>().into());
    asked.insert("conversations", options.conversations.into());
    asked.insert("page", options.page.into());
    asked.insert("zipf", options.zipf.into());
    asked.insert("seconds", options.general.seconds.into());
    let cores = Cores::of_target(options.general.pin);
    let length = options.general.length();
    let mut reply_bytes = 0;
    let run = async |side: Side, _: &str| match side {
        Side::Server => {
            let round = warm_and_cold(options, &folder, &sizes).await?;
            reply_bytes = round.reply_bytes(length).unwrap_or_default() as usize;
            Ok(Round { counts: BTreeMap::new(), ..round })
        }
        Side::Bare => {
            let even = BarePlan::even(Some(folder.bare()), 2);
            let target = Target::bare(&BarePlan { reply_bytes, ..even }, cores).await?;
            let reading = Reading { what: "bare answers", exponent: options.zipf, at_once: options.at_once };
            let mut round =
                pages(options, &folder, &target, BarePlan::token, &sizes, reading, length).await?;
            round.figures.bytes_written_per_message = None;
            Ok(Round { counts: BTreeMap::new(), ..round })
        }
    };
    options.turns.take(&mut report, run).await?;
    Ok(report)
}

/// Warm pages of the server, then cold ones after a new start without cached files. The counts are those of warm ones.
async fn warm_and_cold(
    options: &HistoryOptions,
    folder: &Folder,
    sizes: &[u64],
) -> Result<Round, BenchError> {
    let cores = Cores::of_target(options.general.pin);
    let token = |account| seed::token(account, 0);
    let target = Target::server(&folder.data(), cores).await?;
    let reading = Reading { what: "warm pages", exponent: options.zipf, at_once: options.at_once };
    let mut warm = pages(options, folder, &target, token, sizes, reading, options.general.length()).await?;
    target.stop().await?;
    forget(&folder.data())?;
    let target = Target::server(&folder.data(), cores).await?;
    let measured = Duration::try_from_secs_f64(options.cold_seconds).unwrap_or_default();
    let length = Length { warm_up: Duration::ZERO, measured: measured.max(Duration::from_millis(100)) };
    let reading = Reading { what: "cold pages", exponent: 0.0, at_once: 1 };
    let cold = pages(options, folder, &target, token, sizes, reading, length).await?;
    target.stop().await?;
    warm.figures.bytes_written_per_message = None;
    let largest = warm.counts.get("largest_reply_bytes").map(|bytes| *bytes as f64);
    let mut more = |name: &str, value: Option<f64>| {
        warm.figures.more.extend(value.map(|value| (name.to_owned(), value)));
    };
    more("cold_cpu_us", cold.figures.server_cpu_us_per_message);
    more("cold_pages_per_s", cold.figures.messages_per_s);
    more("cold_p50_ms", cold.figures.ack_ms.map(|times| times.p50));
    more("cold_p99_ms", cold.figures.ack_ms.map(|times| times.p99));
    more("largest_reply_bytes", largest);
    add(&mut warm.errors, cold.errors);
    Ok(warm)
}

/// How pages are read.
#[derive(Clone, Copy)]
struct Reading {
    what: &'static str,
    /// How much more popular the first conversations are.
    exponent: f64,
    at_once: u32,
}

/// How many entries each conversation has, its first one not counted, by rank: at least one.
fn sizes(options: &HistoryOptions) -> Vec<u64> {
    let weight = |rank: u32| f64::from(rank).powf(-options.zipf);
    let total: f64 = (1..=options.conversations).map(weight).sum();
    let size = |rank| (options.entries as f64 * weight(rank) / total).round() as u64;
    (1..=options.conversations).map(|rank| size(rank).max(1)).collect()
}

/// The conversation of this rank.
fn planned(rank: u32, conversations: u32) -> Planned {
    let place = (u64::from(rank) * STRIDE % u64::from(conversations)) as u32;
    // Where the stride divides the count, ranks keep their places.
    let place = if u64::from(conversations).is_multiple_of(STRIDE) { rank } else { place };
    let first = place % ACCOUNTS;
    Planned::direct(first, (first + 1 + place / ACCOUNTS) % ACCOUNTS)
}

async fn fill(data: &Path, options: &HistoryOptions, sizes: &[u64]) -> Result<(), BenchError> {
    let HistoryOptions { entries, conversations, zipf, .. } = *options;
    let shape = Shape { scenario: "history", entries, conversations, zipf };
    if seed::is_filled(data, &shape)? {
        return Ok(());
    }
    seed::make_accounts(data, &Cast { accounts: ACCOUNTS, devices: 1 }).await?;
    let filling = Filling::open(data).await?;
    let all: Vec<Planned> = (0..conversations).map(|rank| planned(rank, conversations)).collect();
    filling.make(all.clone().into_iter()).await?;
    let bar = Bar::counting("writing entries", sizes.iter().sum());
    let (filling_ref, bar_ref) = (&filling, &bar);
    for pass in 0..PASSES {
        let part = |(planned, size): (&Planned, &u64)| {
            let range = size * pass / PASSES..size * (pass + 1) / PASSES;
            (planned.clone(), range)
        };
        let parts = all.iter().zip(sizes).map(part).filter(|(_, range)| !range.is_empty());
        stream::iter(parts)
            .map(Ok::<_, BenchError>)
            .try_for_each_concurrent(AT_ONCE, |(planned, range)| async move {
                let mut from = range.start;
                while from < range.end {
                    let to = (from + BATCH).min(range.end);
                    filling_ref.append_one(batch(&planned, from, to)).await?;
                    bar_ref.advance(to - from);
                    from = to;
                }
                Ok(())
            })
            .await?;
    }
    drop(bar);
    filling.close().await?;
    seed::note_filled(data, &shape)
}

/// Messages `from..to` of a conversation, counted from 0, behind its first entry.
fn batch(planned: &Planned, from: u64, to: u64) -> Append {
    let at = now_ms();
    let one = |number: u64| {
        let author = planned.members[(number % 2) as usize];
        let length = 20 + (number * 37 % (TEXT.len() as u64 - 20)) as usize;
        message(author, number + 2, at, &TEXT[..length])
    };
    let entries = (from..to).map(one).collect();
    Append { conversation: planned.id(), after: from + 1, entries, marks: Vec::new() }
}

async fn pages(
    options: &HistoryOptions,
    folder: &Folder,
    target: &Target,
    token: impl Fn(u32) -> String,
    sizes: &[u64],
    reading: Reading,
    length: Length,
) -> Result<Round, BenchError> {
    let read = |(rank, entries): (usize, &u64)| {
        let planned = planned(rank as u32, options.conversations);
        ReadConversation {
            id: planned.id().to_string(),
            line: planned.members[rank % 2],
            entries: entries + 1,
        }
    };
    let conversations = sizes.iter().enumerate().map(read).collect();
    let plan = PagesPlan { conversations, exponent: reading.exponent, limit: options.page };
    let tokens = (0..ACCOUNTS).map(token).collect();
    let load = Load::Requests(RequestsPlan { at_once: reading.at_once, ask: Ask::Pages(plan) });
    let fleet = Fleet {
        parts: vec![(tokens, load)],
        window: 1,
        foreground: true,
        cores: Cores::of_generator(options.general.pin),
    };
    let mut connected = fleet.connect(target).await?;
    connected.run(reading.what, target, &folder.data(), length, None).await
}

/// Has the system forget what it keeps in memory of the folder's files, as far as it will.
fn forget(data: &Path) -> Result<(), BenchError> {
    let entries = fs::read_dir(data).map_err(while_trying("read the data folder"))?;
    for entry in entries {
        let path = entry.map_err(while_trying("read the data folder"))?.path();
        if path.is_dir() {
            forget(&path)?;
        } else if let Ok(file) = fs::File::open(&path) {
            // Only what is on the disk can be forgotten.
            file.sync_all().map_err(while_trying("sync the data folder"))?;
            let advice = rustix::fs::Advice::DontNeed;
            let forgotten = rustix::fs::fadvise(&file, 0, None, advice);
            forgotten.map_err(|error| while_trying("drop cached files")(error.into()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rank_is_another_conversation() {
        for conversations in [1, 10, 999, 7_919, 100_000] {
            let ids: BTreeSet<_> =
                (0..conversations).map(|rank| planned(rank, conversations).members).collect();
            assert_eq!(ids.len() as u32, conversations);
        }
    }

    #[test]
    fn a_batch_goes_on_where_the_one_before_ended() {
        let planned = planned(0, 10);
        let append = batch(&planned, 64, 67);
        assert_eq!(append.after, 65);
        let numbers: Vec<u64> = append.entries.iter().map(|entry| entry.envelope.seq).collect();
        assert_eq!(numbers, [66, 67, 68]);
    }
}
