//! Merging segments into sorted files, and everything else on a log that has some.

use super::*;

/// A log with many records of three keys in several segments, and their texts.
fn many(disk: &SimulatedDisk) -> (TestLog, Vec<String>) {
    let texts: Vec<String> = (0..180).map(|number| format!("{} {number:0>60}", number % 3)).collect();
    let log = open(disk);
    for text in &texts {
        log.commit(&[text]);
    }
    assert!(log.log.end().segment > 4);
    (log, texts)
}

fn key(text: &str) -> RecordKey {
    [text.as_bytes()[0]; 16]
}

/// Merges the segments up to `last`, without removing them. Each key numbers its records from 1.
fn merge_upto(log: &Log, last: u32) -> Vec<Run> {
    let mut records = Vec::new();
    log.locate(*log.sealed().start()..=last, &mut |located| {
        let record = log.read(located.position, located.length)?;
        records.push((text_of(record.body.as_slice().intact().unwrap_or(b"0")), record));
        Ok(())
    })
    .unwrap();
    records.sort_by_key(|(text, _)| key(text));
    let mut writer = log.begin_merge(last).unwrap();
    for (number, (text, record)) in records.iter().enumerate() {
        let number = Some(number as u64 + 1);
        writer.push(&key(text), number, record.kind, &record.header, &record.body.as_slice()).unwrap();
    }
    log.finish_merge(writer).unwrap()
}

/// The texts in the order in which the log shows them once the first `merged` are merged.
fn in_order(texts: &[String], merged: usize) -> Vec<String> {
    let mut expected = texts.to_vec();
    expected[..merged].sort_by_key(|text| key(text));
    expected
}

/// How many records stand in segments up to `last`.
fn count_upto(log: &Log, last: u32) -> usize {
    let mut count = 0;
    log.locate(*log.sealed().start()..=last, &mut |_| {
        count += 1;
        Ok(())
    })
    .unwrap();
    count
}

#[test]
fn merged_records_are_shown_in_the_order_of_their_keys() {
    let disk = SimulatedDisk::new(1);
    let (log, texts) = many(&disk);
    let merged = count_upto(&log.log, 3);
    let runs = merge_upto(&log.log, 3);
    let read: Vec<String> = runs
        .iter()
        .flat_map(|run| {
            let read = log.log.read_run(run).unwrap();
            let texts = read.records().map(|record| shown(&record.unwrap().body())).collect::<Vec<_>>();
            assert!(texts.iter().all(|text| key(text) == run.key));
            assert_eq!(texts.len() as u32, run.count);
            texts
        })
        .collect();
    assert_eq!(read, in_order(&texts, merged)[..merged]);
    log.log.retire().unwrap();
    log.log.retire().unwrap();
    let mut scanned = Vec::new();
    let mut ends = vec![Position::START];
    log.log
        .scan(Position::START, &mut |group| {
            scanned.extend(group.records.iter().map(|(_, record)| shown(&record.body)));
            ends.push(group.end);
            Ok(())
        })
        .unwrap();
    assert_eq!(scanned, in_order(&texts, merged));
    assert!(ends.is_sorted() && ends.contains(&SortedFile { first: 1, last: 3 }.end()));
    drop(log);
    let log = open(&disk.crash());
    assert_eq!(log.replayed, in_order(&texts, merged));
    assert_eq!((log.report.sorted_files, log.report.records), (1, texts.len() as u64));
}

#[test]
fn a_removed_segment_is_told_apart_from_damage() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let positions: Vec<Position> =
        (0..60).map(|number| log.commit(&[&format!("0 {number:0>60}")])[0]).collect();
    merge_upto(&log.log, 2);
    assert!(log.log.read(positions[0], 0).is_ok(), "readers may still be on their way");
    let erased = log.log.erase(&positions[..1]);
    assert!(matches!(erased, Err(EraseError::Read(ReadError::Merged { segment: 1 }))), "{erased:?}");
    log.log.retire().unwrap();
    for position in positions {
        match log.log.read(position, 0) {
            Err(ReadError::Merged { segment }) => assert!(segment <= 2),
            other => assert!(other.is_ok() && position.segment > 2, "{other:?}"),
        }
    }
}

#[test]
fn opening_begins_behind_what_is_merged_or_at_the_very_start() {
    let disk = SimulatedDisk::new(1);
    let (log, texts) = many(&disk);
    let end = log.log.end();
    let merged = count_upto(&log.log, 3);
    merge_upto(&log.log, 3);
    log.log.retire().unwrap();
    drop(log);
    assert_eq!(merged_end(&disk).unwrap(), Position { segment: 4, offset: 64 });
    assert_eq!(try_open(&disk, end).unwrap().replayed, [""; 0]);
    assert_eq!(try_open(&disk, merged_end(&disk).unwrap()).unwrap().replayed, texts[merged..]);
    let inside = try_open(&disk, Position { segment: 3, offset: 64 }).map(|log| log.replayed);
    assert!(matches!(inside, Err(OpenError::BadStart { .. })), "{inside:?}");
}

#[test]
fn bodies_are_erased_in_sorted_files() {
    let disk = SimulatedDisk::new(1);
    let (log, _) = many(&disk);
    let run = merge_upto(&log.log, 3)[1];
    log.log.retire().unwrap();
    let read = log.log.read_run(&run).unwrap();
    let bodies: Vec<SortedBody> =
        read.records().map(|record| read.body_place(&record.unwrap())).step_by(2).collect();
    log.log.erase_sorted(&bodies).unwrap();
    log.log.erase_sorted(&bodies).unwrap();
    let read = log.log.read_run(&run).unwrap();
    for (number, record) in read.records().enumerate() {
        let body = record.unwrap().body();
        assert_eq!(body == Body::Erased, number % 2 == 0, "{body:?}");
        assert_eq!(body.intact().is_some(), number % 2 == 1);
    }
    drop(log);
    let log = open(&disk.crash());
    assert_eq!(log.report.erased_bodies as usize, bodies.len());
}

#[test]
fn a_merge_that_a_crash_interrupts_is_there_or_not() {
    let mut outcomes = [0, 0];
    for changes in 1..12 {
        for seed in 0..20 {
            let disk = SimulatedDisk::new(seed);
            let (log, texts) = many(&disk);
            let merged = count_upto(&log.log, 3);
            disk.inject(SimulatedFault::PowerLoss(changes));
            let merging = std::panic::AssertUnwindSafe(|| {
                merge_upto(&log.log, 3);
                log.log.retire().unwrap();
            });
            let is_whole = std::panic::catch_unwind(merging).is_ok();
            assert_eq!(is_whole, !disk.is_off());
            drop(log);
            let disk = disk.crash();
            let log = open(&disk);
            let expected = [texts.clone(), in_order(&texts, merged)];
            let outcome = expected.iter().position(|expected| *expected == log.replayed);
            outcomes[outcome.unwrap()] += 1;
            assert!(!disk.list().unwrap().iter().any(|name| name.ends_with(".tmp")));
            log.log.retire().unwrap();
            log.commit(&["0 more"]);
            drop(log);
            let again = open(&disk.crash());
            assert_eq!(again.replayed[..texts.len()], expected[outcome.unwrap()]);
        }
    }
    assert!(outcomes.iter().all(|count| *count > 20), "{outcomes:?}");
}

#[test]
fn a_copy_of_a_merged_log_is_whole() {
    let disk = SimulatedDisk::new(1);
    let (log, texts) = many(&disk);
    let merged = count_upto(&log.log, 3);
    let early = Position { segment: 3, offset: 64 };
    merge_upto(&log.log, 3);
    // The merged segments are still there, and are not copied.
    for is_retired in [false, true] {
        if is_retired {
            log.log.retire().unwrap();
        }
        let copy = SimulatedDisk::new(2);
        log.log.copy_to(&copy, log.log.end()).unwrap();
        assert_eq!(copy.list().unwrap().len(), 1 + log.log.end().segment as usize - 3);
        assert!(matches!(log.log.copy_to(&copy, log.log.end()), Err(CopyError::NotEmpty)));
        assert_eq!(replayed(&copy.crash()), in_order(&texts, merged));
        let refused = log.log.copy_to(&SimulatedDisk::new(3), early);
        assert!(matches!(refused, Err(CopyError::Merged { .. })), "{refused:?}");
    }
}

#[test]
fn damage_to_a_sorted_file_is_refused_by_its_place() {
    let disk = SimulatedDisk::new(1);
    let (log, texts) = many(&disk);
    merge_upto(&log.log, 2);
    log.log.retire().unwrap();
    drop(log);
    let name = SortedFile { first: 1, last: 2 }.name();
    let good = disk.content(&name).unwrap();
    let (mut refused, mut damaged) = (0, 0);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        let copy = disk.crash();
        copy.replace(&name, bad);
        match check(&copy, &mut |_| Ok(())) {
            Err(OpenError::SortedCorruption { file, segment: 1, offset, .. }) => {
                assert_eq!(file, name);
                assert!(offset <= at as u64);
                refused += 1;
            }
            Ok(report) => {
                assert_eq!((report.damaged_bodies, report.records), (1, texts.len() as u64), "{at}");
                damaged += 1;
            }
            Err(other) => panic!("{at}: {other}"),
        }
    }
    assert!(refused > 500 && damaged > 1_000, "{refused} {damaged}");
    let gone = disk.crash();
    gone.remove(&name).unwrap();
    let missing = check(&gone, &mut |_| Ok(())).map(|report| report.records);
    assert!(matches!(missing, Err(OpenError::MissingSegment { segment: 1 })), "{missing:?}");
}

#[test]
fn a_sorted_file_is_given_up_as_a_whole_with_everything_behind_it() {
    let disk = SimulatedDisk::new(1);
    let (log, texts) = many(&disk);
    let merged = count_upto(&log.log, 2);
    merge_upto(&log.log, 2);
    log.log.retire().unwrap();
    merge_upto(&log.log, 4);
    drop(log);
    // The middle of the second file.
    cut_at(&disk, Position { segment: 4, offset: 4000 }).unwrap();
    assert_eq!(disk.list().unwrap(), [SortedFile { first: 1, last: 2 }.name()]);
    let log = open(&disk);
    assert_eq!(log.replayed, in_order(&texts[..merged], merged));
    let position = log.commit(&["0 more"])[0];
    assert_eq!(position.segment, 3);
    drop(log);
    assert_eq!(replayed(&disk).len(), merged + 1);
    cut_at(&disk, Position { segment: 1, offset: 0 }).unwrap();
    assert_eq!(replayed(&disk), [""; 0]);
}
