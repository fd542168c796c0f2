//! A disk that refuses: what the senders hear, and what is there afterwards.

use super::*;

#[test]
fn a_failed_sync_ends_the_log_and_loses_nothing_acknowledged() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new(seed);
        let log = open(&disk);
        let first = log.commit(&["one"])[0];
        disk.inject(SimulatedFault::Sync(1));
        assert_eq!(log.try_commit(&["two"]), Err(AppendError::Failed));
        assert_eq!(log.try_commit(&["three"]), Err(AppendError::Failed));
        let fatal = |event: &String| event.starts_with("fatal the log could not sync");
        let events = log.events.lock().unwrap().clone();
        assert_eq!(events.iter().filter(|event| fatal(event)).count(), 1);
        assert_eq!(log.body(first), Body::Intact("one".to_owned()));
        drop(log);
        let replayed = replayed(&disk.crash());
        assert!(replayed == ["one"] || replayed == ["one", "two"], "{replayed:?}");
    }
}

#[test]
fn what_was_found_unsynced_is_durable_once_it_was_shown() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new(seed);
        let log = open(&disk);
        log.commit(&["one"]);
        disk.inject(SimulatedFault::Sync(1));
        assert_eq!(log.try_commit(&["two"]), Err(AppendError::Failed));
        drop(log);
        // The process starts again without a crash of the machine and sees the group in the
        // page cache. Only then the power goes.
        let mut seen = Vec::new();
        let mut visitor = |group: &ReplayedGroup<'_>| {
            seen.extend(group.records.iter().map(|(_, record)| shown(&record.body)));
            Ok(())
        };
        recovery::recover(&disk, Position::START, &mut visitor).unwrap();
        assert_eq!(seen, ["one", "two"], "seed {seed}");
        assert_eq!(replayed(&disk.crash()), seen, "seed {seed}");
    }
}

#[test]
fn a_failed_write_ends_the_log() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk);
    log.commit(&["one"]);
    disk.inject(SimulatedFault::Write(1));
    assert_eq!(log.try_commit(&["two"]), Err(AppendError::Failed));
    assert_eq!(log.try_commit(&["three"]), Err(AppendError::Failed));
    drop(log);
    disk.heal();
    assert_eq!(replayed(&disk), ["one"]);
}

#[test]
fn a_full_disk_refuses_new_segments_until_there_is_room() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk);
    disk.inject(SimulatedFault::Full);
    let text = "0123456789".repeat(20);
    let mut stored = 0;
    let refused = loop {
        match log.try_commit(&[&text]) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AppendError::DiskFull);
    assert_eq!(log.try_commit(&["small"]), Err(AppendError::DiskFull));
    // Even a log that is opened without room can be read.
    drop(log);
    let log = open(&disk);
    assert_eq!(log.replayed.len(), stored);
    assert_eq!(log.try_commit(&["small"]), Err(AppendError::DiskFull));
    disk.heal();
    log.commit(&["room"]);
    drop(log);
    let replayed = replayed(&disk.crash());
    assert_eq!(replayed.len(), stored + 1);
    assert_eq!(replayed[stored], "room");
}

#[test]
fn a_write_that_finds_no_room_leaves_nothing_behind() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new(seed);
        let log = open(&disk);
        log.commit(&["one"]);
        disk.inject(SimulatedFault::WriteFull(1));
        assert_eq!(log.try_commit(&["refused"]), Err(AppendError::DiskFull));
        let content = disk.content("00000001.seg").unwrap();
        assert!(!content.windows(7).any(|bytes| bytes == b"refused"));
        log.commit(&["two"]);
        drop(log);
        assert_eq!(replayed(&disk.crash()), ["one", "two"]);
    }
}

#[test]
fn a_disk_that_cannot_read_is_an_error_not_an_empty_log() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk);
    let position = log.commit(&["one"])[0];
    disk.inject(SimulatedFault::Read);
    let error = log.log.read(position, 0).unwrap_err();
    assert!(matches!(error, ReadError::Segment(_) | ReadError::Io { .. }), "{error}");
    assert!(log.log.erase(&[position]).is_err());
    drop(log);
    let error = try_open(&disk, Position::START).err().unwrap();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    disk.heal();
    assert_eq!(replayed(&disk), ["one"]);
}

#[test]
fn a_panic_in_a_hook_ends_the_log() {
    let (told, fatal) = std::sync::mpsc::sync_channel(1);
    let hooks = LogHooks {
        committed: Box::new(|_| panic!("a fault of the layer above")),
        fatal: Box::new(move |what| told.send(what.to_owned()).unwrap()),
    };
    let disk = Arc::new(SimulatedDisk::new(1));
    let opened = Log::open(disk, small(), Position::START, &mut |_| Ok(()), hooks);
    let (log, _) = opened.unwrap();
    log.append(vec![record("one")], Box::new(|_| {})).unwrap();
    assert!(fatal.recv().unwrap().contains("panicked"));
    let refused = log.append(vec![record("two")], Box::new(|_| {}));
    assert_eq!(refused, Err(AppendError::Failed));
}

#[test]
fn options_that_cannot_work_are_refused() {
    for options in [
        LogOptions { segment_bytes: 100, ..small() },
        LogOptions { segment_bytes: 4097, ..small() },
        LogOptions { group_appends: 0, ..small() },
    ] {
        let hooks = LogHooks { committed: Box::new(|_| {}), fatal: Box::new(|_| {}) };
        let disk = Arc::new(SimulatedDisk::new(1));
        let opened = Log::open(disk, options, Position::START, &mut |_| Ok(()), hooks);
        assert!(matches!(opened, Err(OpenError::Options { .. })));
    }
}
