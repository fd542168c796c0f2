//! The sorted files of one log: finding, opening, reading, erasing.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use uuid::Uuid;

use super::error::while_doing;
use super::segment::HeaderFault;
use super::sorted::{
    HEADER_LENGTH, Run, SortedFile, SortedHeader, SortedRecord, TRAILER_LENGTH, UNFINISHED, decode_runs,
    decode_trailer, key_seed,
};
use super::{
    Disk, DiskFile, EraseError, OpenError, Position, ReadError, RecordView, ReplayedGroup, Visitor, fault,
};

/// All sorted files in a folder, ascending.
pub(super) fn list(disk: &dyn Disk) -> io::Result<Vec<SortedFile>> {
    let mut files: Vec<SortedFile> = disk.list()?.iter().filter_map(|name| SortedFile::parse(name)).collect();
    files.sort_unstable();
    Ok(files)
}

/// Removes what a merge has left that did not come to its end.
pub(super) fn remove_unfinished(disk: &dyn Disk) -> io::Result<()> {
    for name in disk.list()? {
        if name.strip_suffix(UNFINISHED).is_some_and(|name| SortedFile::parse(name).is_some()) {
            disk.remove(&name)?;
        }
    }
    Ok(())
}

/// A sorted file that is open.
pub(super) struct OpenFile {
    pub header: SortedHeader,
    seed: u32,
    disk_file: Box<dyn DiskFile>,
    /// Offset of the footer, which ends the last run.
    footer_offset: u64,
    runs: u32,
    footer_crc: u32,
    length: u64,
}

impl OpenFile {
    /// Opens a file and checks its two ends, against `log_id` if that is known.
    pub fn open(disk: &dyn Disk, name: SortedFile, log_id: Option<Uuid>) -> Result<OpenFile, OpenError> {
        let reading = while_doing("read a sorted file");
        let file = disk.open(&name.name()).map_err(while_doing("open a sorted file"))?;
        let length = file.length().map_err(while_doing("measure a sorted file"))?;
        if length < HEADER_LENGTH + TRAILER_LENGTH {
            return Err(corrupt(name, length, "a sorted file without an end"));
        }
        let mut bytes = [0; HEADER_LENGTH as usize];
        file.read_at(0, &mut bytes).map_err(while_doing("read a sorted file"))?;
        let header = match SortedHeader::decode(&bytes) {
            Ok(header) => header,
            Err(HeaderFault::Damaged) => return Err(corrupt(name, 0, "a damaged header")),
            Err(HeaderFault::Version(version)) => {
                return Err(OpenError::UnsupportedVersion { segment: name.first, version });
            }
        };
        if log_id.is_some_and(|log_id| log_id != header.log_id) {
            return Err(OpenError::Foreign { segment: name.first });
        }
        if header.file != name {
            return Err(corrupt(name, 0, "the header of another file"));
        }
        let seed = header.seed();
        let mut bytes = [0; TRAILER_LENGTH as usize];
        let trailer_offset = length - TRAILER_LENGTH;
        file.read_at(trailer_offset, &mut bytes).map_err(reading)?;
        let trailer = decode_trailer(seed, &bytes)
            .filter(|(footer_offset, _, _)| (HEADER_LENGTH..=trailer_offset).contains(footer_offset));
        let (footer_offset, runs, footer_crc) =
            trailer.ok_or_else(|| corrupt(name, trailer_offset, "a damaged end"))?;
        Ok(OpenFile { header, seed, disk_file: file, footer_offset, runs, footer_crc, length })
    }

    fn name(&self) -> SortedFile {
        self.header.file
    }

    /// All runs, as the footer lists them.
    pub fn runs(&self) -> Result<Vec<Run>, OpenError> {
        let mut footer = vec![0; (self.length - TRAILER_LENGTH - self.footer_offset) as usize];
        self.disk_file.read_at(self.footer_offset, &mut footer).map_err(while_doing("read a sorted file"))?;
        let sound = crc32fast::hash(&footer) == self.footer_crc;
        let runs = decode_runs(self.name().first, &footer, self.runs, self.footer_offset);
        runs.filter(|_| sound).ok_or_else(|| corrupt(self.name(), self.footer_offset, "a damaged footer"))
    }

    /// The records of a run.
    pub fn read(self: &Arc<Self>, run: &Run) -> Result<ReadRun, ReadError> {
        let name = self.name();
        if run.offset < HEADER_LENGTH || run.offset + u64::from(run.bytes) > self.footer_offset {
            return Err(ReadError::Sorted {
                file: name.name(),
                offset: run.offset,
                what: "no place for a run",
            });
        }
        let mut bytes = vec![0; run.bytes as usize];
        self.disk_file
            .read_at(run.offset, &mut bytes)
            .map_err(|source| ReadError::SortedIo { file: name.name(), source })?;
        let seed = key_seed(self.seed, &run.key);
        Ok(ReadRun { file: Arc::clone(self), seed, offset: run.offset, bytes: bytes.into() })
    }

    /// Shows every run as a group. Until the last, the log counts as read up to `before`.
    pub fn replay(self: &Arc<Self>, before: Position, visitor: &mut Visitor<'_>) -> Result<(), OpenError> {
        let runs = self.runs()?;
        for (number, run) in runs.iter().enumerate() {
            let read = self.read(run).map_err(|error| self.unreadable(error))?;
            let mut records = Vec::new();
            for item in read.records() {
                let record = item.map_err(|error| self.unreadable(error))?;
                let view = RecordView {
                    kind: record.kind,
                    header: record.header,
                    body: record.body(),
                    encoded_length: record.length(),
                };
                records.push((Position { segment: run.file, offset: 0 }, view));
            }
            let end = if number + 1 == runs.len() { self.name().end() } else { before };
            visitor(&ReplayedGroup { records, end, run: Some(*run) }).map_err(OpenError::Visitor)?;
        }
        Ok(())
    }

    fn unreadable(&self, error: ReadError) -> OpenError {
        match error {
            ReadError::Sorted { offset, what, .. } => corrupt(self.name(), offset, what),
            ReadError::SortedIo { source, .. } => while_doing("read a sorted file")(source),
            _ => corrupt(self.name(), 0, "an unreadable run"),
        }
    }

    fn erase(&self, bodies: &[(u64, u32)]) -> io::Result<()> {
        for (offset, length) in bodies {
            let zeros = vec![0; *length as usize];
            fault::point_after("erase.sorted", || {
                // The process aborts next: the body is left half erased, or not at all.
                let _ = self.disk_file.write_at(*offset, &zeros[..zeros.len() / 2]);
            });
            self.disk_file.write_at(*offset, &zeros)?;
        }
        self.disk_file.sync_data()
    }
}

/// A run as it was read.
pub struct ReadRun {
    file: Arc<OpenFile>,
    seed: u32,
    /// Where it begins in the file.
    offset: u64,
    bytes: Bytes,
}

/// The place of a body in a sorted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortedBody {
    file: u32,
    offset: u64,
    length: u32,
}

impl ReadRun {
    /// Its records in order. After an error there is nothing more.
    pub fn records(&self) -> impl Iterator<Item = Result<SortedRecord<'_>, ReadError>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
            let record = SortedRecord::decode(rest, self.seed);
            let offset = self.offset + at as u64;
            at = record.as_ref().map_or(self.bytes.len(), |record| at + record.length() as usize);
            let file = || self.file.name().name();
            Some(record.map_err(|what| ReadError::Sorted { file: file(), offset, what }))
        })
    }

    /// Part of the run without a copy.
    pub fn share(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }

    /// Where the body of one of its records is.
    pub fn body_place(&self, record: &SortedRecord<'_>) -> SortedBody {
        let body = record.body_bytes();
        let in_run = body.as_ptr() as usize - self.bytes.as_ptr() as usize;
        let (file, length) = (self.file.name().first, body.len() as u32);
        SortedBody { file, offset: self.offset + in_run as u64, length }
    }
}

/// The sorted files of a log that is open.
pub(super) struct SortedFiles {
    disk: Arc<dyn Disk>,
    log_id: Uuid,
    most_open: usize,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// By their first segment.
    files: BTreeMap<u32, SortedFile>,
    open: BTreeMap<u32, Arc<OpenFile>>,
}

impl SortedFiles {
    pub fn new(disk: Arc<dyn Disk>, log_id: Uuid, most_open: usize, files: &[SortedFile]) -> SortedFiles {
        let files = files.iter().map(|file| (file.first, *file)).collect();
        let state = RwLock::new(State { files, open: BTreeMap::new() });
        SortedFiles { disk, log_id, most_open, state }
    }

    /// All files, ascending.
    pub fn list(&self) -> Vec<SortedFile> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.files.values().copied().collect()
    }

    /// The last segment of which there is a sorted file; 0 if there is none.
    pub fn merged(&self) -> u32 {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.files.values().next_back().map_or(0, |file| file.last)
    }

    /// Makes a complete file known.
    pub fn add(&self, file: SortedFile) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.files.insert(file.first, file);
    }

    /// The open file whose first segment this is.
    pub fn file(&self, first: u32) -> Result<Arc<OpenFile>, OpenError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = state.open.get(&first) {
            return Ok(Arc::clone(file));
        }
        let name = state.files.get(&first).copied();
        drop(state);
        let name = name.ok_or(OpenError::MissingSegment { segment: first })?;
        let file = Arc::new(OpenFile::open(self.disk.as_ref(), name, Some(self.log_id))?);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.open.insert(first, Arc::clone(&file));
        if state.open.len() > self.most_open {
            state.open.pop_first();
        }
        Ok(file)
    }

    /// Overwrites bodies with zero bytes and syncs.
    pub fn erase(&self, bodies: &[SortedBody]) -> Result<(), EraseError> {
        let mut files: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
        for body in bodies.iter().filter(|body| body.length > 0) {
            files.entry(body.file).or_default().push((body.offset, body.length));
        }
        for (first, bodies) in files {
            let file = self.file(first).map_err(ReadError::Segment)?;
            file.erase(&bodies).map_err(|source| EraseError::Io { segment: first, source })?;
        }
        Ok(())
    }
}

fn corrupt(file: SortedFile, offset: u64, what: &'static str) -> OpenError {
    OpenError::SortedCorruption { file: file.name(), segment: file.first, offset, what }
}
