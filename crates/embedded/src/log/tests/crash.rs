//! Random appends, erasures and crashes, checked after every restart: what was acknowledged is
//! there, in order, once; what was not is there as a whole or not at all.
//!
//! The writer is driven without its thread, so that a seed always gives the same run.

use std::collections::VecDeque;

use super::super::queue::Append;
use super::super::reader::Reader;
use super::super::recovery::recover;
use super::super::simulated_disk::Random;
use super::super::writer::{Shared, Writer};
use super::*;

type Answers = Arc<Mutex<Vec<(u64, Result<Vec<Position>, AppendError>)>>>;

/// What the world knows of the log across crashes.
struct Model {
    random: Random,
    disk: SimulatedDisk,
    /// What must be shown at the next opening, in order: number of the append and of the record
    /// in it, its position, and whether the body may be or must be erased.
    expected: Vec<Known>,
    /// Appends that were sent and not acknowledged since the last opening, with their sizes.
    unknown: Vec<(u64, u64)>,
    next_append: u64,
}

#[derive(Clone, Debug)]
struct Known {
    text: String,
    position: Position,
    erased: Erasure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Erasure {
    No,
    Begun,
    Done,
}

/// The text of a record: long enough to span sectors now and then.
fn text(append: u64, index: u64) -> String {
    let length = (append * 7 + index * 13) % 11 * 70;
    format!("{append}/{index}/{}", "x".repeat(length as usize))
}

impl Model {
    fn new(seed: u64) -> Model {
        Model {
            random: Random(seed),
            disk: SimulatedDisk::new(seed),
            expected: Vec::new(),
            unknown: Vec::new(),
            next_append: 0,
        }
    }

    /// Opens, checks, works until something goes wrong, crashes.
    fn live_once(&mut self) {
        let boundary = self.random.below(3) == 0;
        let mut seen = Vec::new();
        let after = if boundary { 20 } else { 1000 };
        self.disk.inject(SimulatedFault::PowerLoss(1 + self.random.below(after)));
        let opened = recover(&self.disk, Position::START, &mut |group| {
            for (position, record) in &group.records {
                seen.push((*position, shown(&record.body)));
            }
            Ok(())
        });
        let recovered = match opened {
            Ok(recovered) => recovered,
            Err(error) => {
                // The only excuse for not opening is that the power went.
                assert!(self.disk.is_off(), "{error}");
                self.disk = self.disk.crash();
                return;
            }
        };
        self.check(&seen);
        self.disk.heal();
        let shared = Arc::new(Shared::new(&small(), &recovered));
        let id = recovered.report.log_id;
        let reader = Reader::new(Arc::new(self.disk.clone()), id, 2, Arc::clone(&shared), &[]);
        let hooks = LogHooks { committed: Box::new(|_| {}), fatal: Box::new(|_| {}) };
        let disk = Arc::new(self.disk.clone());
        let mut writer = Writer::new(disk, small(), recovered, hooks, Arc::clone(&shared));
        self.plan_trouble();
        if writer.begin().is_ok() {
            self.work(&mut writer, &reader, &shared);
        }
        // Not every failure of the process is one of the machine.
        if self.disk.is_off() || self.random.below(2) == 0 {
            self.disk = self.disk.crash();
        } else {
            self.disk.heal();
        }
    }

    fn plan_trouble(&mut self) {
        let nth = 1 + self.random.below(40);
        self.disk.inject(match self.random.below(6) {
            0 => SimulatedFault::Sync(nth),
            1 => SimulatedFault::Write(nth),
            2 => SimulatedFault::WriteFull(nth),
            _ => SimulatedFault::PowerLoss(nth),
        });
        self.disk.inject(SimulatedFault::PowerLoss(60 + self.random.below(60)));
    }

    fn work(&mut self, writer: &mut Writer, reader: &Reader, shared: &Shared) {
        let mut failed = false;
        while !failed && !self.disk.is_off() {
            if self.random.below(4) == 0 {
                failed = !self.erase_one(reader, shared);
            } else {
                failed = !self.append_some(writer);
            }
        }
    }

    /// Commits a batch and notes the answers. False once the log has failed.
    fn append_some(&mut self, writer: &mut Writer) -> bool {
        let answers: Answers = Arc::default();
        let mut batch = VecDeque::new();
        for _ in 0..1 + self.random.below(4) {
            let number = self.next_append;
            self.next_append += 1;
            let size = 1 + self.random.below(3);
            self.unknown.push((number, size));
            let records: Vec<Record> = (0..size).map(|index| record(&text(number, index))).collect();
            let bytes = records.iter().map(Record::encoded_length).sum();
            let answers = Arc::clone(&answers);
            batch.push_back(Append {
                records,
                bytes,
                done: Box::new(move |result| answers.lock().unwrap().push((number, result))),
            });
        }
        let asked: Vec<u64> =
            self.unknown[self.unknown.len() - batch.len()..].iter().map(|(number, _)| *number).collect();
        writer.commit_all(batch);
        let answers = std::mem::take(&mut *answers.lock().unwrap());
        let answered: Vec<u64> = answers.iter().map(|(number, _)| *number).collect();
        assert_eq!(answered, asked, "every append is answered once, in order");
        answers.into_iter().all(|(number, result)| self.note(number, result))
    }

    fn note(&mut self, number: u64, result: Result<Vec<Position>, AppendError>) -> bool {
        match result {
            Ok(positions) => {
                self.unknown.retain(|(unknown, _)| *unknown != number);
                for (index, position) in positions.into_iter().enumerate() {
                    self.expected.push(Known {
                        text: text(number, index as u64),
                        position,
                        erased: Erasure::No,
                    });
                }
                true
            }
            Err(AppendError::DiskFull) => {
                // Promised not to be stored.
                self.unknown.retain(|(unknown, _)| *unknown != number);
                true
            }
            Err(_) => false,
        }
    }

    /// Erases a body that needs no empty group, as that would need the writer's thread.
    fn erase_one(&mut self, reader: &Reader, shared: &Shared) -> bool {
        let last_group = shared.last_group();
        let many = self.expected.iter().take_while(|known| known.position < last_group).count() as u64;
        if many == 0 {
            return true;
        }
        let index = self.random.below(many) as usize;
        let known = &mut self.expected[index];
        if known.erased != Erasure::Done {
            known.erased = Erasure::Begun;
        }
        let erased = reader.erase(&[known.position]).is_ok();
        if erased {
            known.erased = Erasure::Done;
        }
        erased
    }

    /// Compares what opening showed with what was acknowledged, and learns the fate of the rest.
    fn check(&mut self, seen: &[(Position, String)]) {
        assert!(seen.is_sorted_by(|one, next| one.0 < next.0));
        assert!(
            seen.len() >= self.expected.len(),
            "acknowledged records are missing: {} of {}",
            seen.len(),
            self.expected.len()
        );
        for (known, (position, body)) in self.expected.iter().zip(seen) {
            assert_eq!(known.position, *position);
            match known.erased {
                Erasure::No => assert_eq!(*body, known.text),
                Erasure::Begun => {
                    let fine = *body == known.text || body == "Erased" || body == "Damaged";
                    assert!(fine, "{body}");
                }
                Erasure::Done => assert_eq!(body, "Erased"),
            }
        }
        let mut rest = &seen[self.expected.len()..];
        for (number, size) in std::mem::take(&mut self.unknown) {
            let is_next =
                |(index, (_, body)): (usize, &(Position, String))| *body == text(number, index as u64);
            let whole = rest.len() >= size as usize && rest[..size as usize].iter().enumerate().all(is_next);
            if whole {
                for (position, body) in &rest[..size as usize] {
                    self.expected.push(Known {
                        text: body.clone(),
                        position: *position,
                        erased: Erasure::No,
                    });
                }
                rest = &rest[size as usize..];
            }
        }
        assert!(rest.is_empty(), "half an append, or one twice: {rest:?}");
    }
}

#[test]
fn acknowledged_appends_survive_any_crash_once_and_in_order() {
    let mut records = 0;
    for seed in 0..400 {
        let mut model = Model::new(seed);
        for life in 0..8 {
            let about = format!("seed {seed}, life {life}");
            let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                model.live_once();
            }));
            assert!(lived.is_ok(), "{about}");
        }
        records += model.expected.len();
    }
    // The test is worth something only if much was acknowledged and checked.
    assert!(records > 20_000, "{records}");
}
