//! The ordinary life of a log: append, read, rotate, open again, erase, scan, copy.

use std::sync::mpsc;

use super::*;

#[test]
fn what_is_committed_can_be_read_and_is_shown_again() {
    let disk = SimulatedDisk::new(1);
    let positions = {
        let log = open(&disk);
        assert_eq!(log.replayed, [""; 0]);
        let mut positions = log.commit(&["one", "two"]);
        positions.extend(log.commit(&["three"]));
        for (position, text) in positions.iter().zip(["one", "two", "three"]) {
            let record = log.log.read(*position, 0).unwrap();
            assert_eq!((record.kind, &record.header[..]), (7, &b"head"[..]));
            assert_eq!(record.encoded_length, super::record(text).encoded_length());
            assert_eq!(log.body(*position), Body::Intact(text.to_owned()));
        }
        positions
    };
    assert!(positions.is_sorted());
    let log = open(&disk);
    assert_eq!(log.replayed, ["one", "two", "three"]);
    assert_eq!(log.report.tail, Tail::Clean);
    assert_eq!(log.body(positions[1]), Body::Intact("two".to_owned()));
}

#[test]
fn the_layer_above_hears_of_a_group_before_its_senders() {
    let log = open(&SimulatedDisk::new(1));
    let (done, answer) = mpsc::sync_channel(2);
    for text in ["one", "two"] {
        let (events, done) = (Arc::clone(&log.events), done.clone());
        let tell = move |result: Result<Vec<Position>, AppendError>| {
            assert_eq!(result.unwrap().len(), 1);
            events.lock().unwrap().push(format!("done {text}"));
            done.send(()).unwrap();
        };
        log.log.append(vec![record(text)], Box::new(tell)).unwrap();
    }
    answer.recv().unwrap();
    answer.recv().unwrap();
    let events = log.events.lock().unwrap();
    let place = |event: &str| events.iter().position(|one| one == event).unwrap();
    assert!(place("committed one") < place("done one"));
    assert!(place("committed two") < place("done two"));
    assert!(place("done one") < place("done two"));
}

#[test]
fn dropping_the_log_commits_what_waits() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    for number in 0..100 {
        let done = Box::new(|result: Result<Vec<Position>, AppendError>| {
            result.unwrap();
        });
        log.log.append(vec![record(&number.to_string())], done).unwrap();
    }
    drop(log);
    assert_eq!(replayed(&disk).len(), 100);
}

#[test]
fn many_segments_keep_order_and_serve_reads() {
    let disk = SimulatedDisk::new(1);
    let texts: Vec<String> = (0..300).map(|number| format!("{number:0>60}")).collect();
    let log = open(&disk);
    let positions: Vec<Position> = texts.iter().map(|text| log.commit(&[text])[0]).collect();
    assert!(positions.is_sorted());
    assert!(positions.last().unwrap().segment > 10);
    drop(log);
    let log = open(&disk);
    assert_eq!(log.replayed, texts);
    for (position, text) in positions.iter().zip(&texts) {
        assert_eq!(log.body(*position), Body::Intact(text.clone()));
    }
}

#[test]
fn opening_from_a_boundary_shows_only_what_is_behind_it() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let texts: Vec<String> = (0..100).map(|number| format!("{number:0>60}")).collect();
    let mut boundaries = Vec::new();
    for text in &texts {
        log.commit(&[text]);
        boundaries.push(log.log.end());
    }
    drop(log);
    for (index, boundary) in boundaries.iter().enumerate() {
        let log = try_open(&disk, *boundary).unwrap();
        assert_eq!(log.replayed, texts[index + 1..]);
        log.log.scan(*boundary, &mut |_| Ok(())).unwrap();
    }
    let log = open(&disk);
    assert_eq!(log.replayed, texts);
}

#[test]
fn a_start_that_is_no_boundary_is_refused() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let inside = log.commit(&["one"])[0];
    let end = log.log.end();
    drop(log);
    let beyond = Position { offset: end.offset + 4096, ..end };
    let next = Position { segment: 2, offset: 64 };
    for start in [inside, beyond, next] {
        // The mark of the opening ends exactly where the first record begins.
        let boundary = inside.offset as usize == FIRST_RECORD && start == inside;
        let opened = try_open(&disk, start);
        assert_eq!(opened.is_ok(), boundary, "{start}");
        if let Err(error) = opened {
            assert!(matches!(error, OpenError::BadStart { .. }), "{error}");
        }
    }
}

#[test]
fn limits_are_refused_before_anything_is_taken() {
    let log = open(&SimulatedDisk::new(1));
    let refused = |texts: &[&str]| {
        let answer = log.try_commit(texts);
        assert!(matches!(answer, Err(AppendError::Unstorable { .. })), "{answer:?}");
    };
    refused(&[]);
    let long = "x".repeat(1900);
    refused(&[&long, &long]);
    log.commit(&[&long]);
}

#[test]
fn reading_elsewhere_than_at_a_record_is_an_error() {
    let log = open(&SimulatedDisk::new(1));
    let position = log.commit(&["one"])[0];
    let at = |segment, offset| Position { segment, offset };
    for wrong in [
        Position::START,
        at(1, 64),
        at(1, position.offset + 4),
        at(1, position.offset + 8),
        log.log.end(),
        at(2, 64),
    ] {
        let error = log.log.read(wrong, 0).unwrap_err();
        assert!(matches!(error, ReadError::NoRecord { .. }), "{error}");
    }
}

#[test]
fn erased_text_is_in_no_file_and_the_rest_stays() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let mut positions = log.commit(&["before", "the secret word", "after"]);
    positions.extend(log.commit(&["next"]));
    let contains = || {
        let content = disk.content("00000001.seg").unwrap();
        content.windows(10).any(|bytes| bytes == b"secret wor")
    };
    assert!(contains());
    log.log.erase(&positions[1..2]).unwrap();
    log.log.erase(&positions[1..2]).unwrap();
    assert!(!contains());
    let check = |log: &TestLog| {
        let bodies: Vec<_> = positions.iter().map(|one| log.body(*one)).collect();
        let intact = |text: &str| Body::Intact(text.to_owned());
        let expected = [intact("before"), Body::Erased, intact("after"), intact("next")];
        assert_eq!(bodies, expected);
    };
    check(&log);
    drop(log);
    let log = open(&disk.crash());
    assert_eq!(log.replayed, ["before", "Erased", "after", "next"]);
    assert_eq!(log.report.erased_bodies, 1);
    check(&log);
}

#[test]
fn erasing_in_the_last_group_does_not_make_it_look_torn() {
    for seed in 0..40 {
        let disk = SimulatedDisk::new(seed);
        let log = open(&disk);
        let long = "x".repeat(1500);
        let positions = log.commit(&["kept", &long]);
        // The power goes while the body is written, or while that is synced.
        disk.inject(SimulatedFault::PowerLoss(3 + seed % 2));
        assert!(log.log.erase(&positions[1..]).is_err());
        drop(log);
        let disk = disk.crash();
        let log = open(&disk);
        assert_eq!(log.replayed[0], "kept", "seed {seed}");
        assert_eq!(log.replayed.len(), 2, "seed {seed}");
        log.log.erase(&positions[1..]).unwrap();
        assert_eq!(log.body(positions[1]), Body::Erased);
    }
}

#[test]
fn scanning_shows_what_opening_would() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let texts: Vec<String> = (0..100).map(|number| format!("{number:0>60}")).collect();
    for text in &texts {
        log.commit(&[text]);
    }
    let mut seen = Vec::new();
    let mut end = Position::START;
    let mut visitor = |group: &ReplayedGroup<'_>| {
        seen.extend(group.records.iter().map(|(_, record)| shown(&record.body)));
        end = group.end;
        Ok(())
    };
    log.log.scan(Position::START, &mut visitor).unwrap();
    assert_eq!(seen, texts);
    assert_eq!(end, log.log.end());
    let stopped = log.log.scan(Position::START, &mut |_| Err("enough".into()));
    assert!(matches!(stopped, Err(OpenError::Visitor(_))));
}

#[test]
fn a_copy_holds_everything_up_to_its_position_and_lives_on() {
    let disk = SimulatedDisk::new(1);
    let log = open(&disk);
    let texts: Vec<String> = (0..100).map(|number| format!("{number:0>60}")).collect();
    let mut boundaries = vec![Position::START];
    for text in &texts {
        log.commit(&[text]);
        boundaries.push(log.log.end());
    }
    for count in [0, 1, 30, 31, 32, 99, 100] {
        let copy = SimulatedDisk::new(count as u64);
        log.log.copy_to(&copy, boundaries[count]).unwrap();
        let copied = open(&copy.crash());
        assert_eq!(copied.replayed, texts[..count], "{count}");
        copied.commit(&["more"]);
        if count > 0 {
            assert_eq!(copied.log.id(), log.log.id());
            assert_eq!(copied.report.tail, Tail::Clean);
            let again = log.log.copy_to(&copy, boundaries[count]);
            assert!(matches!(again, Err(CopyError::NotEmpty)));
        }
    }
    let beyond = Position { segment: 99, offset: 64 };
    let refused = log.log.copy_to(&SimulatedDisk::new(2), beyond);
    assert!(matches!(refused, Err(CopyError::BeyondEnd { .. })));
}
