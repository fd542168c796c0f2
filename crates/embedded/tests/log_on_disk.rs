//! The log on a real file system: files, lock, erasing, copying, readers beside the writer.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use suda_embedded::log::{Body, Log, LogHooks, LogOptions, OpenReport, Position, RealDisk, Record, check};

fn open(folder: &Path) -> (Log, OpenReport, Vec<String>) {
    let mut replayed = Vec::new();
    let hooks = LogHooks { committed: Box::new(|_| {}), fatal: Box::new(|what| panic!("{what}")) };
    let options = LogOptions { segment_bytes: 64 * 1024, open_segments: 2, ..LogOptions::default() };
    let disk = Arc::new(RealDisk::open(folder).unwrap());
    let mut visitor = |group: &suda_embedded::log::ReplayedGroup<'_>| {
        for (_, record) in &group.records {
            replayed.push(match &record.body {
                Body::Intact(body) => String::from_utf8(body.to_vec())?,
                other => format!("{other:?}"),
            });
        }
        Ok(())
    };
    let (log, report) = Log::open(disk, options, Position::START, &mut visitor, hooks).unwrap();
    (log, report, replayed)
}

fn text(number: usize) -> String {
    format!("{{\"text\":\"message {number:0>200}\"}}")
}

fn commit(log: &Log, texts: &[String]) -> Vec<Position> {
    let (done, answers) = mpsc::sync_channel(texts.len());
    for text in texts {
        let record =
            Record { kind: 1, header: Bytes::from_static(b"header"), body: Bytes::from(text.clone()) };
        let done = done.clone();
        let tell = move |result| done.send(result).unwrap();
        log.append(vec![record], Box::new(tell)).unwrap();
    }
    drop(done);
    answers.iter().map(|answer| answer.unwrap()[0]).collect()
}

/// Whether any file in `folder` contains `text`.
fn on_disk(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    })
}

#[test]
fn lives_through_restarts_in_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data/log");
    let texts: Vec<String> = (0..2000).map(text).collect();
    let (log, report, _) = open(&folder);
    let positions = commit(&log, &texts);
    drop(log);
    assert!(positions.last().unwrap().segment > 5);
    let (log, again, replayed) = open(&folder);
    assert_eq!(replayed, texts);
    assert_eq!(again.log_id, report.log_id);
    for (position, text) in positions.iter().zip(&texts).step_by(37) {
        let record = log.read(*position, 300).unwrap();
        assert_eq!(record.body.intact().unwrap(), text.as_bytes());
    }
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let first = RealDisk::open(folder.path()).unwrap();
    let error = RealDisk::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    RealDisk::open(folder.path()).unwrap();
}

#[test]
fn erased_text_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..1000).map(text).collect();
    let (log, ..) = open(folder.path());
    let positions = commit(&log, &texts);
    let chosen: Vec<usize> = (0..1000).step_by(9).collect();
    assert_eq!(chosen.last(), Some(&999), "the last record is in the last group");
    let erase: Vec<Position> = chosen.iter().map(|index| positions[*index]).collect();
    log.erase(&erase).unwrap();
    for index in &chosen {
        assert!(!on_disk(folder.path(), &texts[*index]));
    }
    assert!(on_disk(folder.path(), &texts[1]));
    drop(log);
    let report = check(&RealDisk::open(folder.path()).unwrap(), &mut |_| Ok(())).unwrap();
    assert_eq!(report.erased_bodies, chosen.len() as u64);
    assert_eq!((report.records, report.damaged_bodies), (1000, 0));
    let (_, _, replayed) = open(folder.path());
    for (index, (body, text)) in replayed.iter().zip(&texts).enumerate() {
        let expected = if chosen.contains(&index) { "Erased" } else { text };
        assert_eq!(body, expected);
    }
}

#[test]
fn readers_copies_and_erasures_go_on_beside_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..3000).map(text).collect();
    let (log, ..) = open(folder.path());
    let early = commit(&log, &texts[..500]);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| commit(&log, &texts[500..]));
        scope.spawn(|| {
            for position in early.iter().step_by(2) {
                log.erase(&[*position]).unwrap();
            }
        });
        scope.spawn(|| {
            for (position, text) in early.iter().zip(&texts).skip(1).step_by(2) {
                let body = log.read(*position, 0).unwrap().body;
                assert_eq!(body.intact().unwrap(), text.as_bytes());
            }
        });
        log.copy_to(&RealDisk::open(copy.path()).unwrap(), log.end()).unwrap();
        assert_eq!(writing.join().unwrap().len(), 2500);
    });
    drop(log);
    let (_, _, replayed) = open(folder.path());
    assert_eq!(replayed.len(), 3000);
    let (_, _, copied) = open(copy.path());
    assert!(copied.len() >= 500);
    for index in (1..500).step_by(2).chain(500..copied.len()) {
        assert_eq!(copied[index], texts[index]);
    }
}
