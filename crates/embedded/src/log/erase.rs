//! Erasing bodies where they stand.
//!
//! In the last group of the log a body that does not match its checksum means that the group was
//! never synced, and recovery would cut the group. So before a body of the last group is touched,
//! an empty group is committed behind it as proof.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, mpsc};

use super::queue::Append;
use super::reader::Reader;
use super::segment::Found;
use super::{AppendError, EraseError, Position, ReadError, SortedBody, fault};

/// Bodies to erase in one segment.
struct Bodies {
    found: Arc<Found>,
    /// Offset and length in the file.
    places: Vec<(u32, u32)>,
}

impl Reader {
    /// See [`super::Log::erase`].
    pub fn erase(&self, positions: &[Position]) -> Result<(), EraseError> {
        let _one_at_a_time = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let merged = self.sorted.merged();
        if let Some(position) = positions.iter().find(|position| position.segment <= merged) {
            // A sorted file has the body, too, or instead: it is to be erased there.
            return Err(ReadError::Merged { segment: position.segment }.into());
        }
        let mut segments: BTreeMap<u32, Bodies> = BTreeMap::new();
        for position in positions {
            let (found, offset, length) = self.body_place(*position)?;
            segments
                .entry(position.segment)
                .or_insert_with(|| Bodies { found, places: Vec::new() })
                .places
                .push((offset, length));
        }
        if positions.iter().any(|one| *one >= self.shared.last_group()) {
            self.commit_empty_group()?;
        }
        for (segment, bodies) in segments {
            bodies.erase().map_err(|source| EraseError::Io { segment, source })?;
        }
        Ok(())
    }

    /// See [`super::Log::erase_sorted`].
    pub fn erase_sorted(&self, bodies: &[SortedBody]) -> Result<(), EraseError> {
        let _one_at_a_time = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        self.sorted.erase(bodies)
    }

    fn commit_empty_group(&self) -> Result<(), AppendError> {
        let (done, committed) = mpsc::sync_channel(1);
        // Erasing is one at a time, so at most one of these stands in the queue.
        self.shared.queue.push_always(Append {
            records: Vec::new(),
            bytes: 0,
            done: Box::new(move |result| {
                // Whoever waited has gone: then nobody needs to know.
                let _ = done.send(result.map(drop));
            }),
        })?;
        committed.recv().unwrap_or(Err(AppendError::Failed))
    }
}

impl Bodies {
    fn erase(&self) -> std::io::Result<()> {
        fault::point("erase.before_write");
        for (offset, length) in &self.places {
            let (offset, zeros) = (u64::from(*offset), vec![0; *length as usize]);
            fault::point_after("erase.mid", || {
                // The process aborts next: the body is left half erased, or not at all.
                let _ = self.found.file.write_at(offset, &zeros[..zeros.len() / 2]);
            });
            self.found.file.write_at(offset, &zeros)?;
        }
        fault::point("erase.after_write");
        self.found.file.sync_data()?;
        fault::point("erase.after_sync");
        Ok(())
    }
}
