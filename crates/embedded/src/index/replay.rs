//! Taking over groups that are read back, many at a time.

use bytes::Bytes;
use suda_proto::Kind;

use super::{Index, IndexError};
use crate::log::{Body, Position, ReplayedGroup, Run};
use crate::records::{self, Header};

/// Records that are taken over together.
const BATCH: usize = 1_024;

/// Groups on their way into the index. Where their entries are is found out later, by reading all
/// segments that are not merged.
pub struct Replay<'i> {
    index: &'i Index,
    records: Vec<(Header, Body<Bytes>)>,
    runs: Vec<Run>,
    /// Bytes of the records in the log.
    bytes: u64,
    /// The last segment of which all runs were taken.
    merged: Option<u32>,
    /// Where the last group ends.
    end: Option<Position>,
}

impl Index {
    /// Begins to take over groups that are read back.
    pub fn replay(&self) -> Replay<'_> {
        Replay { index: self, records: Vec::new(), runs: Vec::new(), bytes: 0, merged: None, end: None }
    }
}

impl Replay<'_> {
    /// Takes a group. The index has it after [`Replay::apply`] at the latest.
    pub fn take(&mut self, group: &ReplayedGroup<'_>) -> Result<(), IndexError> {
        for (_, record) in &group.records {
            let header = match &group.run {
                Some(run) => records::decode_sorted(record.kind, &run.key, record.header)?,
                None => records::decode(record.kind, record.header)?,
            };
            let body = record.body.clone().map(|body| match needs_body(&header) {
                true => Bytes::copy_from_slice(body),
                false => Bytes::new(),
            });
            self.bytes += u64::from(record.encoded_length);
            self.records.push((header, body));
        }
        if group.run.is_some() {
            // Of a whole file only its last run says that it has come to its end.
            self.merged = Some(group.end.segment.saturating_sub(1));
        }
        self.runs.extend(group.run);
        self.end = Some(group.end);
        if self.records.len() + self.runs.len() >= BATCH {
            self.apply()?;
        }
        Ok(())
    }

    /// Lets the index have all that was taken, and write rows if there are enough.
    pub fn apply(&mut self) -> Result<(), IndexError> {
        let Some(end) = self.end.take() else {
            return Ok(());
        };
        let (records, runs) = (std::mem::take(&mut self.records), std::mem::take(&mut self.runs));
        let (bytes, merged) = (std::mem::take(&mut self.bytes), self.merged.take());
        self.index.change(Some(end), |changes| {
            changes.log_bytes += bytes;
            for (header, body) in records {
                changes.apply(header, body)?;
            }
            changes.merged = merged;
            runs.iter().for_each(|run| changes.put_run(run));
            Ok(())
        })?;
        self.index.spill_if_full()
    }
}

/// Whether rows follow from the body of such an entry.
fn needs_body(header: &Header) -> bool {
    match header {
        Header::Entry { envelope, .. } => {
            !matches!(envelope.kind, Kind::Message | Kind::Edit | Kind::Delete | Kind::Set)
        }
        Header::Marks { .. } => false,
    }
}
