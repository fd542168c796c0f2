//! The process dies at each named place of the log; what it had acknowledged is there afterwards.
//!
//! The dying process is this test program itself, started again to run only [`dying_process`].

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use suda_embedded::log::{
    Body, Log, LogHooks, LogOptions, Position, RealDisk, Record, ReplayedGroup, VisitorError,
};

const FOLDER: &str = "SUDA_LOG_TEST_FOLDER";

fn open(folder: &Path, mut show: impl FnMut(&Body<&[u8]>)) -> Log {
    let options = LogOptions { segment_bytes: 16 * 1024, ..LogOptions::default() };
    let hooks = LogHooks { committed: Box::new(|_| {}), fatal: Box::new(|what| panic!("{what}")) };
    let mut visitor = |group: &ReplayedGroup<'_>| -> Result<(), VisitorError> {
        for (_, record) in &group.records {
            show(&record.body);
        }
        Ok(())
    };
    let disk = Arc::new(RealDisk::open(folder).unwrap());
    Log::open(disk, options, Position::START, &mut visitor, hooks).unwrap().0
}

fn body(number: u32) -> String {
    format!("{{\"number\":{number:0>300}}}")
}

/// Appends and erases for ever, and says on standard output what was acknowledged.
/// Does nothing unless it is started by the tests below.
#[test]
fn dying_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let log = open(Path::new(&folder), |_| {});
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let mut previous = None;
    for number in 0.. {
        let (done, answer) = mpsc::sync_channel(1);
        let record = Record { kind: 1, header: Bytes::new(), body: Bytes::from(body(number)) };
        let tell = move |result| {
            say(format!("kept {number}\n"));
            done.send(result).unwrap();
        };
        log.append(vec![record], Box::new(tell)).unwrap();
        let positions: Vec<Position> = answer.recv().unwrap().unwrap();
        if let Some(previous) = previous.replace(positions[0])
            && number % 5 == 0
        {
            log.erase(&[previous]).unwrap();
            say(format!("erased {}\n", number - 1));
        }
    }
}

/// Lets a process die at `point` and checks what it leaves. Returns how much it had acknowledged.
fn dies_at(point: &str, nth: u32) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "dying_process", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SUDA_FAULT", format!("{point}:{nth}"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("fault point {point} reached")), "{said}");
    let (mut kept, mut erased) = (BTreeSet::new(), BTreeSet::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some((_, number)) = line.split_once("kept ") {
            kept.insert(number.parse::<usize>().unwrap());
        } else if let Some(number) = line.strip_prefix("erased ") {
            erased.insert(number.parse::<usize>().unwrap());
        }
    }
    let mut found = Vec::new();
    open(folder.path(), |body| {
        found.push(match body {
            Body::Intact(body) => String::from_utf8(body.to_vec()).unwrap(),
            other => format!("{other:?}"),
        });
    });
    let missing = kept.len()..kept.len() + 2;
    assert!(missing.contains(&found.len()), "{point}: {}", found.len());
    for (number, text) in found.iter().enumerate() {
        let was_chosen = number % 5 == 4;
        if erased.contains(&number) {
            assert_eq!(text, "Erased", "{point} {number}");
        } else if !was_chosen {
            assert_eq!(*text, body(number as u32), "{point} {number}");
        }
    }
    kept.len()
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_process_dies() {
    for point in [
        "log.before_write",
        "log.mid_write",
        "log.after_write",
        "log.after_sync",
        "log.after_publish",
        "log.after_done",
    ] {
        dies_at(point, 1);
        assert!(dies_at(point, 60) > 40);
    }
}

#[test]
fn rotation_may_be_interrupted_anywhere() {
    for point in ["segment.before_seal", "segment.after_seal"] {
        assert!(dies_at(point, 2) > 50);
    }
    assert_eq!(dies_at("segment.after_create", 1), 0);
    assert!(dies_at("segment.after_create", 3) > 50);
}

#[test]
fn erasing_may_be_interrupted_anywhere() {
    for point in ["erase.before_write", "erase.mid", "erase.after_write", "erase.after_sync"] {
        assert!(dies_at(point, 7) > 30);
    }
}
