//! Care for the data folder: `suda backup`, `suda restore`, `suda check`.

use std::path::Path;

use axum::http::Method;
use clap::Args;
use serde_json::json;
use suda_embedded::log::{Position, Tail};
use suda_embedded::store::{self, CheckReport, CheckStep};

use crate::admin::operator::{Question, Running};
use crate::config::Config;
use crate::folder::{self, Folder};
use crate::progress::Progress;
use crate::stop::{Stop, while_trying};

/// Copies everything to a new folder; a running server does it itself.
pub fn backup(config: &Config, to: &Path) -> Result<(), Stop> {
    // The server has another current folder than this command.
    let to = std::path::absolute(to).map_err(while_trying("find the folder to make"))?;
    folder::require(&config.data)?;
    crate::block_on(async {
        match Running::find(config).await? {
            Some(server) => {
                let question = Question::new(Method::POST, &["backup"]).body(json!({ "to": to }));
                Progress::of("backing up").until(server.ask(question)).await?;
            }
            None => {
                let folder = Folder::open_existing(config).await?;
                let copied = Progress::of("backing up").until(folder.store().backup(&to)).await;
                folder.close().await?;
                copied?;
            }
        }
        Ok(())
    })?;
    let to = to.display();
    crate::print(&format!("backed up to {to}\nto bring it back: suda restore --from {to} --data FOLDER\n"))
}

/// Makes a data folder from a backup.
pub fn restore(config: &Config, from: &Path) -> Result<(), Stop> {
    let restoring = async { Ok(Progress::of("restoring").until(store::restore(from, &config.data)).await?) };
    let epoch = crate::block_on(restoring)?;
    let data = config.data.display();
    crate::print(&format!(
        "restored to {data}, epoch {epoch}: devices reload what differs\nto serve it: suda serve --data {data}\n"
    ))
}

/// What `suda check` does before it checks.
#[derive(Args, Debug)]
pub struct Repair {
    /// Derive the index anew from the log first; nothing is lost
    #[arg(long)]
    rebuild_index: bool,
    /// Give up everything in the log from this position on, which an error has named; without a backup the last resort
    #[arg(long, value_name = "SEGMENT:OFFSET", value_parser = position)]
    cut_at: Option<Position>,
}

/// Checks the data folder of a stopped server.
pub fn check(config: &Config, repair: &Repair) -> Result<(), Stop> {
    folder::require(&config.data)?;
    let report = crate::block_on(async {
        if let Some(at) = repair.cut_at {
            Folder::cut(config, at).await?;
        } else if repair.rebuild_index {
            Folder::rebuild(config).await?.close().await?;
        }
        let mut progress = Progress::of("checking");
        Ok(store::check(&config.data, &mut |step| progress.step(name(step))).await?)
    })?;
    crate::print(&told(&report))
}

fn name(step: CheckStep) -> String {
    match step {
        CheckStep::Log { segment } => format!("checking the log, segment {segment}"),
        CheckStep::Index => "comparing the index with the log".to_owned(),
        CheckStep::Database => "checking the database".to_owned(),
    }
}

fn told(report: &CheckReport) -> String {
    let log = &report.log;
    let index = report.index_rows.map_or_else(
        || "absent; the next start derives it".to_owned(),
        |rows| format!("{rows} rows, all as the log says"),
    );
    let tail = match log.tail {
        Tail::Clean => "",
        Tail::Torn { .. } => "; the next start cuts an unfinished write that nobody was told is stored",
    };
    let (records, erased) = (log.records, log.erased_bodies);
    let files = match (log.segments, log.sorted_files) {
        (segments, 0) => format!("{segments} segments"),
        (segments, sorted) => format!("{sorted} sorted files and {segments} segments"),
    };
    format!(
        "the data folder is sound\n\
         \x20 log       {records} records in {files}, {erased} of them erased{tail}\n\
         \x20 index     {index}\n\
         \x20 database  intact\n"
    )
}

/// Reads `SEGMENT:OFFSET`.
fn position(text: &str) -> Result<Position, String> {
    let numbers = || {
        let (segment, offset) = text.split_once(':')?;
        Some(Position { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
    };
    numbers().ok_or_else(|| "a position is two numbers, like 3:65536".to_owned())
}
