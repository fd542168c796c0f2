//! Writing a sorted file: under another name until it is complete and durable.

use std::io;
use std::sync::Arc;

use super::sorted::{
    RUN_BYTES, RecordKey, Run, SortedFile, SortedHeader, encode, encode_run, encode_trailer, key_seed,
};
use super::{Body, Disk, DiskFile, MergeError, RESERVED_KINDS, fault};

/// Bytes that are written at once.
const CHUNK: usize = 1 << 20;
/// Bytes after which they are synced, so that the writer of the log never waits behind many.
const SYNC_BYTES: u64 = 8 << 20;
/// Kinds from here on do not fit the byte of the kind.
const KIND_LIMIT: u8 = 0x80;
const _: () = assert!(KIND_LIMIT < RESERVED_KINDS);

/// Writes one sorted file. Dropped before [`SortedWriter::finish`], it leaves nothing.
pub struct SortedWriter {
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    header: SortedHeader,
    seed: u32,
    buffer: Vec<u8>,
    /// Bytes in the file before those in the buffer.
    written: u64,
    synced: u64,
    runs: Vec<Run>,
    /// What the checksums of the last run begin with.
    run_seed: u32,
    finished: bool,
}

impl SortedWriter {
    pub(super) fn begin(disk: Arc<dyn Disk>, header: SortedHeader) -> io::Result<SortedWriter> {
        super::sorted_files::remove_unfinished(disk.as_ref())?;
        let file = disk.create(&header.file.unfinished_name(), 0)?;
        Ok(SortedWriter {
            disk,
            file,
            seed: header.seed(),
            buffer: header.encode().to_vec(),
            header,
            written: 0,
            synced: 0,
            runs: Vec::new(),
            run_seed: 0,
            finished: false,
        })
    }

    /// Adds the next record. Records come ordered by key, those of one key as they were committed;
    /// `number` is the record's number among those of its key, if it has one. Answers whether a
    /// chunk was written, after which a merge may rest.
    ///
    /// # Errors
    /// If the disk refuses; the file is unfinished then.
    pub fn push(
        &mut self,
        key: &RecordKey,
        number: Option<u64>,
        kind: u8,
        header: &[u8],
        body: &Body<&[u8]>,
    ) -> io::Result<bool> {
        if kind >= KIND_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a kind that no sorted file can hold"));
        }
        let file = self.header.file.first;
        let offset = self.end();
        if !self.runs.last().is_some_and(|run| run.key == *key && run.bytes < RUN_BYTES) {
            self.run_seed = key_seed(self.seed, key);
            self.runs.push(Run { file, key: *key, first: 0, count: 0, offset, bytes: 0 });
        }
        encode(&mut self.buffer, self.run_seed, kind, header, body);
        let end = self.end();
        if let Some(run) = self.runs.last_mut() {
            run.bytes += (end - offset) as u32;
            if let Some(number) = number {
                run.first = if run.count == 0 { number } else { run.first };
                run.count += 1;
            }
        }
        if self.buffer.len() < CHUNK {
            return Ok(false);
        }
        self.write()?;
        Ok(true)
    }

    /// Writes the rest, makes the file durable and gives it its name. Answers its runs.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn finish(mut self) -> Result<Vec<Run>, MergeError> {
        let mut footer = Vec::new();
        self.runs.iter().for_each(|run| encode_run(&mut footer, run));
        let trailer = encode_trailer(self.seed, self.end(), self.runs.len() as u32, &footer);
        self.buffer.append(&mut footer);
        self.buffer.extend_from_slice(&trailer);
        self.write()?;
        self.file.sync_all()?;
        fault::point("merge.before_rename");
        // From here on the file may have its name, and must not be removed.
        self.finished = true;
        let file = self.header.file;
        self.disk.rename(&file.unfinished_name(), &file.name()).map_err(MergeError::Failed)?;
        fault::point("merge.after_rename");
        self.disk.sync_directory().map_err(MergeError::Failed)?;
        fault::point("merge.after_sync");
        Ok(std::mem::take(&mut self.runs))
    }

    /// The file that it will be.
    pub(super) fn file(&self) -> SortedFile {
        self.header.file
    }

    fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn write(&mut self) -> io::Result<()> {
        fault::point("merge.before_write");
        fault::point_after("merge.mid_write", || {
            // The process aborts next: whether this worked does not matter.
            let _ = self.file.write_at(self.written, &self.buffer[..self.buffer.len() / 2]);
        });
        self.file.write_at(self.written, &self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        if self.written - self.synced >= SYNC_BYTES {
            self.file.sync_data()?;
            self.synced = self.written;
        }
        Ok(())
    }
}

impl Drop for SortedWriter {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = self.disk.remove(&self.header.file.unfinished_name())
        {
            // It is removed at the next merge or start.
            tracing::debug!(%error, "an unfinished sorted file could not be removed");
        }
    }
}
