//! The log on a simulated disk: what it promises, piece by piece and then all at once.

#![allow(clippy::unwrap_used)]

mod crash;
mod damage;
mod failure;
mod life;
mod merge;

use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;

use super::*;

/// Bytes of the first segment's header and of the opening mark behind it.
const FIRST_RECORD: usize = 64 + 48;

/// Everything small, so that a few records fill a segment.
fn small() -> LogOptions {
    LogOptions { segment_bytes: 4096, group_bytes: 2048, ..LogOptions::default() }
}

/// A record whose body says `text`.
fn record(text: &str) -> Record {
    Record { kind: 7, header: Bytes::copy_from_slice(b"head"), body: Bytes::from(format!("{{{text}}}")) }
}

/// What `record` put into the body.
fn text_of(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    text.trim_matches(['{', '}']).to_owned()
}

/// A log and what it told the layer above.
struct TestLog {
    log: Log,
    report: OpenReport,
    /// The texts shown at opening.
    replayed: Vec<String>,
    events: Arc<Mutex<Vec<String>>>,
}

fn open(disk: &SimulatedDisk) -> TestLog {
    try_open(disk, Position::START).unwrap()
}

fn try_open(disk: &SimulatedDisk, start: Position) -> Result<TestLog, OpenError> {
    let mut replayed = Vec::new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let (committed, failed) = (Arc::clone(&events), Arc::clone(&events));
    let hooks = LogHooks {
        committed: Box::new(move |group| {
            for append in &group.appends {
                for record in &append.records {
                    let line = format!("committed {}", text_of(&record.body));
                    committed.lock().unwrap().push(line);
                }
            }
        }),
        fatal: Box::new(move |what| failed.lock().unwrap().push(format!("fatal {what}"))),
    };
    let (log, report) = Log::open(
        Arc::new(disk.clone()),
        small(),
        start,
        &mut |group| {
            for (_, record) in &group.records {
                replayed.push(shown(&record.body));
            }
            Ok(())
        },
        hooks,
    )?;
    Ok(TestLog { log, report, replayed, events })
}

/// A body as the tests compare it.
fn shown(body: &Body<&[u8]>) -> String {
    match body {
        Body::Intact(body) => text_of(body),
        other => format!("{other:?}"),
    }
}

impl TestLog {
    /// Appends `texts` together and waits for the answer.
    fn try_commit(&self, texts: &[&str]) -> Result<Vec<Position>, AppendError> {
        let (done, answer) = mpsc::sync_channel(1);
        let records = texts.iter().map(|text| record(text)).collect();
        let append = self.log.append(records, Box::new(move |result| done.send(result).unwrap()));
        append.and_then(|()| answer.recv().unwrap())
    }

    fn commit(&self, texts: &[&str]) -> Vec<Position> {
        self.try_commit(texts).unwrap()
    }

    fn body(&self, position: Position) -> Body<String> {
        let record = self.log.read(position, 0).unwrap();
        record.body.map(|body| text_of(&body))
    }
}

/// The texts of records whose group is whole, as opening shows them.
fn replayed(disk: &SimulatedDisk) -> Vec<String> {
    open(disk).replayed
}
