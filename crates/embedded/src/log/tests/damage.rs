//! Damaged files: what a crash explains is cut, everything else is refused by its place.

use super::super::group::used_length;
use super::*;

const FIRST: &str = "00000001.seg";
const SECOND: &str = "00000002.seg";

/// A disk with the groups `one`, `two three`, `four` in one segment, the last position of each,
/// and where the last begins and ends.
fn three_groups() -> (SimulatedDisk, Vec<Position>, usize, usize) {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let mut positions = vec![log.commit(&["one"])[0]];
    positions.extend(log.commit(&["two", "three"]));
    let last_start = log.log.end().offset as usize;
    positions.extend(log.commit(&["four"]));
    let end = log.log.end().offset as usize;
    (disk, positions, last_start, end)
}

/// The same disk with the first segment changed.
fn damaged(disk: &SimulatedDisk, change: impl FnOnce(&mut Vec<u8>)) -> SimulatedDisk {
    let copy = disk.crash();
    let mut content = copy.content(FIRST).unwrap();
    change(&mut content);
    copy.replace(FIRST, content);
    copy
}

/// Makes the checksum of a changed segment header right again.
fn reseal_header(content: &mut [u8]) {
    let crc = crc32fast::hash(&content[..60]);
    content[60..64].copy_from_slice(&crc.to_le_bytes());
}

fn corruption(disk: &SimulatedDisk) -> (u32, u32) {
    match try_open(disk, Position::START).map(|log| log.replayed) {
        Err(OpenError::Corruption { segment, offset, .. }) => (segment, offset),
        other => panic!("expected corruption, got {other:?}"),
    }
}

#[test]
fn the_last_group_cut_at_any_byte_is_gone_and_the_rest_is_there() {
    let (disk, _, last_start, end) = three_groups();
    // The last bytes of the mark are the high bytes of a length: zero already.
    let end = end - 3;
    for cut in last_start..end {
        let zeroed = damaged(&disk, |content| content[cut..].fill(0));
        let short = damaged(&disk, |content| content.truncate(cut));
        for disk in [zeroed, short] {
            let log = open(&disk);
            assert_eq!(log.replayed, ["one", "two", "three"], "{cut}");
            match log.report.tail {
                Tail::Clean => assert!(cut - last_start < 8),
                Tail::Torn { segment, offset, bytes } => {
                    assert_eq!((segment, offset as usize), (1, last_start));
                    assert!(bytes as usize <= cut - last_start);
                }
            }
            // Opening once more finds a clean log that goes on.
            log.commit(&["five"]);
            drop(log);
            let log = open(&disk.crash());
            assert_eq!(log.replayed, ["one", "two", "three", "five"]);
            assert_eq!(log.report.tail, Tail::Clean);
        }
    }
}

#[test]
fn a_flipped_byte_of_the_last_group_cuts_it() {
    let (disk, positions, last_start, end) = three_groups();
    let padding = last_start + 24 + 4 + 6..last_start + 40;
    assert_eq!(positions[3].offset as usize, last_start);
    for at in (last_start..end).filter(|at| !padding.contains(at)) {
        let disk = damaged(&disk, |content| content[at] ^= 0x40);
        assert_eq!(replayed(&disk), ["one", "two", "three"], "{at}");
        // Nothing of it is left to be found.
        let content = disk.content(FIRST).unwrap();
        assert!(!content.windows(4).any(|bytes| bytes == b"four"));
    }
}

#[test]
fn nothing_of_a_cut_group_is_left_in_the_file() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    log.commit(&["kept"]);
    log.commit(&["secret 1", "secret 2", "secret 3"]);
    let mark = log.log.end().offset as usize - 48;
    drop(log);
    let disk = damaged(&disk, |content| content[mark] ^= 1);
    let log = open(&disk);
    assert_eq!(log.replayed, ["kept"]);
    let content = disk.content(FIRST).unwrap();
    assert_eq!(used_length(&content[log.log.end().offset as usize..]), 0);
    assert!(!content.windows(6).any(|bytes| bytes == b"secret"));
}

#[test]
fn a_flipped_byte_before_the_last_group_is_refused_or_shown() {
    let (disk, positions, last_start, _) = three_groups();
    let places: Vec<usize> = positions.iter().map(|one| one.offset as usize).collect();
    let bodies: Vec<_> = ["one", "two", "three"]
        .iter()
        .zip(&places)
        .map(|(text, at)| at + 28..at + 28 + text.len() + 2)
        .collect();
    let paddings: Vec<_> = places
        .iter()
        .zip(&bodies)
        .map(|(at, body)| body.end..at + record("three").encoded_length().min(40) as usize)
        .collect();
    for at in FIRST_RECORD..last_start {
        let disk = damaged(&disk, |content| content[at] ^= 0x40);
        if let Some(index) = bodies.iter().position(|body| body.contains(&at)) {
            let log = open(&disk);
            assert_eq!(log.replayed[index], "Damaged", "{at}");
            assert_eq!(log.replayed.len(), 4);
            assert_eq!(log.report.damaged_bodies, 1);
        } else if !paddings.iter().any(|padding| padding.contains(&at)) {
            let (segment, offset) = corruption(&disk);
            assert_eq!(segment, 1);
            let offset = offset as usize;
            assert!(offset <= at && at < offset + 48, "{at} reported as {offset}");
        }
    }
}

#[test]
fn any_damage_in_a_sealed_segment_is_refused() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    while log.log.end().segment == 1 {
        log.commit(&["0123456789".repeat(20).as_str()]);
    }
    drop(log);
    let content = disk.content(FIRST).unwrap();
    let used = used_length(&content);
    // Cut right before the seal, inside it, and in the middle of everything.
    for cut in [used - 32, used - 8, used / 2, FIRST_RECORD] {
        let disk = damaged(&disk, |content| content[cut / 8 * 8..].fill(0));
        let (segment, offset) = corruption(&disk);
        assert_eq!(segment, 1);
        assert!(offset as usize <= cut, "{cut} reported as {offset}");
    }
}

#[test]
fn a_missing_or_foreign_or_newer_segment_is_named() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    while log.log.end().segment <= 2 {
        log.commit(&["0123456789".repeat(20).as_str()]);
    }
    drop(log);
    let other = SimulatedDisk::new(1);
    open(&other).commit(&["other"]);

    let missing = disk.crash();
    missing.remove(SECOND).unwrap();
    let error = try_open(&missing, Position::START).err().unwrap();
    assert!(matches!(error, OpenError::MissingSegment { segment: 2 }), "{error}");

    let foreign = disk.crash();
    foreign.replace(SECOND, other.content(FIRST).unwrap());
    let error = try_open(&foreign, Position::START).err().unwrap();
    assert!(matches!(error, OpenError::Foreign { segment: 2 }), "{error}");

    let swapped = disk.crash();
    swapped.replace(SECOND, disk.content(FIRST).unwrap());
    let error = try_open(&swapped, Position::START).err().unwrap();
    let expected = matches!(error, OpenError::Corruption { segment: 2, offset: 0, .. });
    assert!(expected, "{error}");

    let elsewhere = disk.crash();
    let mut content = disk.content(SECOND).unwrap();
    content[32] += 1;
    reseal_header(&mut content);
    elsewhere.replace(SECOND, content);
    assert_eq!(corruption(&elsewhere), (2, 0));

    let newer = damaged(&disk, |content| {
        content[8] = 2;
        reseal_header(content);
    });
    let error = try_open(&newer, Position::START).err().unwrap();
    let expected = matches!(error, OpenError::UnsupportedVersion { segment: 1, version: 2 });
    assert!(expected, "{error}");
}

#[test]
fn a_damaged_segment_header_is_refused_unless_nothing_is_behind_it() {
    let (disk, ..) = three_groups();
    let used = damaged(&disk, |content| content[20] ^= 1);
    assert_eq!(corruption(&used), (1, 0));
    let unfinished = damaged(&disk, |content| {
        content[10..].fill(0);
        content.truncate(100);
    });
    let log = open(&unfinished);
    assert_eq!(log.report.unfinished_segment, Some(1));
    assert_eq!(log.replayed, [""; 0]);
    log.commit(&["anew"]);
}

#[test]
fn checking_reports_and_changes_nothing() {
    let (disk, positions, last_start, _) = three_groups();
    let disk = damaged(&disk, |content| {
        content[positions[0].offset as usize + 30] ^= 1;
        content[last_start + 4] ^= 1;
    });
    let before = disk.content(FIRST).unwrap();
    let mut damaged_bodies = Vec::new();
    let report = check(&disk, &mut |group| {
        for (position, record) in &group.records {
            if record.body == Body::Damaged {
                damaged_bodies.push(*position);
            }
        }
        Ok(())
    });
    let report = report.unwrap();
    assert_eq!(damaged_bodies, positions[..1]);
    assert_eq!((report.records, report.damaged_bodies), (3, 1));
    assert!(matches!(report.tail, Tail::Torn { .. }));
    assert_eq!(disk.content(FIRST).unwrap(), before);
}

#[test]
fn cutting_gives_up_the_rest_and_opens() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let texts: Vec<String> = (0..60).map(|number| format!("{number:0>100}")).collect();
    let positions: Vec<Position> = texts.iter().map(|text| log.commit(&[text])[0]).collect();
    drop(log);
    assert!(positions[59].segment >= 3);
    let at = positions[10];
    let disk = damaged(&disk, |content| content[at.offset as usize] ^= 1);
    assert_eq!(corruption(&disk), (1, at.offset));
    cut_at(&disk, at).unwrap();
    let disk = disk.crash();
    let log = open(&disk);
    assert_eq!(log.replayed, texts[..10]);
    log.commit(&["goes on"]);
    drop(log);

    let whole = Position { segment: 1, offset: 0 };
    cut_at(&disk, whole).unwrap();
    assert_eq!(replayed(&disk), [""; 0]);
    let error = cut_at(&disk, positions[59]).unwrap_err();
    assert!(matches!(error, OpenError::MissingSegment { .. }), "{error}");
}
