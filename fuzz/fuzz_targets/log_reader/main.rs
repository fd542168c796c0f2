//! The log's files: whatever they hold, the log opens or says why not; and what it opened stays.
#![no_main]

mod case;
mod layout;

use std::sync::{Arc, mpsc};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use suda_embedded::log::{
    Body, Log, LogHooks, LogOptions, OpenError, OpenReport, Position, Record, RecordView, ReplayedGroup,
    SimulatedDisk, Tail, Visitor, check,
};

use case::Case;
use layout::RECORDS;

/// Most segments that any case has, with those that opening adds.
const SEGMENTS: u32 = 64;

fuzz_target!(|case: Case<'_>| {
    let disk = disk_of(&case);
    let before = contents(&disk);
    let mut checked = Seen::default();
    let verdict = check(&disk, &mut checked.visitor());
    assert_eq!(contents(&disk), before, "checking changes nothing");
    if matches!(&case, Case::Damaged(edits) if edits.is_empty()) {
        assert_eq!(checked.records.len(), RECORDS, "a sound log is read whole");
    }
    opens_from_anywhere(&case, &checked);

    let mut opened = Seen::default();
    match (verdict, open(&disk, Position::START, &mut opened)) {
        (Ok(expected), Ok((log, report))) => {
            assert_eq!(opened, checked, "opening shows what checking shows");
            assert_eq!(counts(&report), counts(&expected));
            stays(&disk, log, opened);
        }
        (Err(_), Err(_)) => {}
        (checking, opening) => panic!("checking: {:?}, opening: {:?}", checking.err(), opening.err()),
    }
});

/// What a visitor was shown.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    records: Vec<SeenRecord>,
    /// Where groups end.
    boundaries: Vec<Position>,
}

/// A record with its position.
type SeenRecord = (Position, u8, Vec<u8>, Body<Vec<u8>>);

impl Seen {
    fn visitor(&mut self) -> Box<Visitor<'_>> {
        Box::new(|group: &ReplayedGroup<'_>| {
            let records = group.records.iter();
            self.records.extend(records.map(|(at, record)| seen(*at, record)));
            self.boundaries.push(group.end);
            Ok(())
        })
    }
}

fn seen(at: Position, record: &RecordView<'_>) -> SeenRecord {
    let body = match record.body {
        Body::Empty => Body::Empty,
        Body::Intact(body) => Body::Intact(body.to_vec()),
        Body::Erased => Body::Erased,
        Body::Damaged => Body::Damaged,
    };
    (at, record.kind, record.header.to_vec(), body)
}

fn disk_of(case: &Case<'_>) -> SimulatedDisk {
    let disk = SimulatedDisk::new(0);
    for (segment, content) in (1..).zip(case.files()) {
        if let Some(content) = content {
            disk.replace(&file_name(segment), content);
        }
    }
    disk
}

fn contents(disk: &SimulatedDisk) -> Vec<Option<Vec<u8>>> {
    (1..SEGMENTS).map(|segment| disk.content(&file_name(segment))).collect()
}

fn file_name(segment: u32) -> String {
    format!("{segment:08}.seg")
}

fn open(disk: &SimulatedDisk, start: Position, seen: &mut Seen) -> Result<(Log, OpenReport), OpenError> {
    let options = LogOptions { segment_bytes: 2048, group_bytes: 1024, ..LogOptions::default() };
    let hooks = LogHooks { committed: Box::new(|_| {}), fatal: Box::new(|what| panic!("{what}")) };
    Log::open(Arc::new(disk.clone()), options, start, &mut seen.visitor(), hooks)
}

fn counts(report: &OpenReport) -> [u64; 5] {
    [report.segments.into(), report.groups, report.records, report.erased_bodies, report.damaged_bodies]
}

/// Starting at a boundary shows what stands behind it; starting elsewhere is refused or shows something, and returns.
fn opens_from_anywhere(case: &Case<'_>, checked: &Seen) {
    let Some(start) = checked.boundaries.get(checked.boundaries.len() / 2).copied() else {
        return;
    };
    let mut seen = Seen::default();
    if open(&disk_of(case), start, &mut seen).is_ok() {
        let behind = checked.records.iter().filter(|(at, ..)| *at >= start);
        assert!(seen.records.iter().eq(behind), "{:?}", seen.records);
    }
    let inside = Position { offset: start.offset.wrapping_add(case.files().len() as u32 * 4), ..start };
    // Whether it is refused depends on what lies there.
    let _ = open(&disk_of(case), inside, &mut Seen::default());
}

/// An open log can be read and written, and opens again with the same records and what was added.
fn stays(disk: &SimulatedDisk, log: Log, opened: Seen) {
    let mut scanned = Seen::default();
    log.scan(Position::START, &mut scanned.visitor()).expect("an open log is scanned");
    assert_eq!(scanned.records, opened.records);
    for (at, kind, header, body) in &opened.records {
        let read = log.read(*at, 0).expect("a shown record is read");
        assert_eq!((&read.kind, &read.header[..]), (kind, &header[..]));
        assert_eq!(&read.body.intact().map(|body| body.to_vec()), &body.clone().intact());
    }
    let added = Record { kind: 9, header: Bytes::from_static(b"added"), body: Bytes::from_static(b"{}") };
    let (done, committed) = mpsc::sync_channel(1);
    let tell = move |result| done.send(result).expect("somebody waits");
    log.append(vec![added], Box::new(tell)).expect("an open log takes records");
    let positions = committed.recv().expect("an answer").expect("committed");
    drop(log);

    let mut again = Seen::default();
    let (_, report) = open(disk, Position::START, &mut again).expect("it opens again");
    assert_eq!(report.tail, Tail::Clean);
    let last = again.records.pop().expect("what was added");
    assert_eq!((last.0, last.1, &last.2[..]), (positions[0], 9, &b"added"[..]));
    assert_eq!(again.records, opened.records);
}
