//! From files to a log that can be appended to.
//!
//! Groups are read in order from a boundary that the caller knows to be good. In a sealed segment
//! every group must be whole. In the last segment the first group that is not whole ends the log:
//! if no valid record of a later group stands behind it, a crash explains it, nothing of it was
//! acknowledged, and it is overwritten with zero bytes; otherwise synced content is damaged and
//! the log is refused.
//!
//! The last whole group may have been written but not synced when the process died, and after a
//! failed sync the operating system may believe to have written what it has not. So that group
//! is written again, byte for byte, and synced before anybody is shown it.

use std::sync::Arc;

use uuid::Uuid;

use super::error::while_doing;
use super::group::{CommitMark, Groups, MARK_LENGTH, ScannedGroup, Step, Stretch, number_after, used_length};
use super::segment::{self, Found, HEADER_LENGTH};
use super::sorted::SortedFile;
use super::sorted_files::{self, OpenFile};
use super::{Body, Disk, DiskFile, OpenError, Position, ReplayedGroup, Visitor, record};

/// What was found when the log was opened or checked.
#[derive(Clone, Debug)]
pub struct OpenReport {
    /// Names the log.
    pub log_id: Uuid,
    /// Sorted files that there are; they are read only from the very start.
    pub sorted_files: u32,
    /// Segments that were read.
    pub segments: u32,
    /// Whole groups that were read, and runs of sorted files.
    pub groups: u64,
    /// Records in them.
    pub records: u64,
    /// Bodies among them that were erased.
    pub erased_bodies: u64,
    /// Bodies among them that are neither intact nor erased.
    pub damaged_bodies: u64,
    /// Where the last whole group ends.
    pub end: Position,
    /// How the log ended.
    pub tail: Tail,
    /// A last segment whose creation a crash had interrupted, and which was removed.
    pub unfinished_segment: Option<u32>,
}

/// How the log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// With a whole group.
    Clean,
    /// With a group that a crash left unfinished and which is cut. None of it was acknowledged.
    Torn {
        /// The segment's number.
        segment: u32,
        /// Where the unfinished group begins.
        offset: u32,
        /// Bytes from there to the last that is not zero.
        bytes: u32,
    },
}

/// The segment that is being written.
pub(super) struct ActiveSegment {
    /// Its number.
    pub segment: u32,
    /// The seed of its checksums.
    pub seed: u32,
    pub file: Box<dyn DiskFile>,
    /// Where the next group goes.
    pub offset: u32,
    /// Bytes of the file.
    pub capacity: u32,
}

impl ActiveSegment {
    /// Where the next group goes.
    pub fn end(&self) -> Position {
        Position { segment: self.segment, offset: self.offset }
    }

    /// Durably removes whatever stands behind the last committed group.
    pub fn cut_back(&self) -> std::io::Result<()> {
        self.file.set_length(u64::from(self.offset))?;
        self.file.set_length(u64::from(self.capacity))?;
        self.file.sync_all()
    }
}

/// A log ready to be written.
pub(super) struct Recovered {
    pub report: OpenReport,
    /// The number of the last segment; 0 if there is none.
    pub last_segment: u32,
    /// The last segment, unless it is sealed.
    pub active: Option<ActiveSegment>,
    pub next_group: u64,
    /// The sorted files in front of the segments, ascending.
    pub sorted: Vec<SortedFile>,
}

/// Where what is not in sorted files begins; [`Position::START`] if there are none. Whoever has
/// applied the log less far has to begin anew.
pub fn merged_end(disk: &dyn Disk) -> Result<Position, OpenError> {
    let files = sorted_files::list(disk).map_err(while_doing("list its sorted files"))?;
    Ok(files.last().map_or(Position::START, |file| file.end()))
}

/// Reads the log from `start`, shows it to `visitor`, and repairs its end.
pub(super) fn recover(
    disk: &dyn Disk,
    start: Position,
    visitor: &mut Visitor<'_>,
) -> Result<Recovered, OpenError> {
    Recovery::new(disk, start, visitor, true).run(start)
}

/// Reads the whole log as opening would, without changing anything. No process may have it open.
/// Damaged bodies are shown to `visitor` and counted; anything worse is an error.
pub fn check(disk: &dyn Disk, visitor: &mut Visitor<'_>) -> Result<OpenReport, OpenError> {
    let recovery = Recovery::new(disk, Position::START, visitor, false);
    Ok(recovery.run(Position::START)?.report)
}

/// One reading of the log.
struct Recovery<'a, 'v> {
    disk: &'a dyn Disk,
    visitor: &'a mut Visitor<'v>,
    /// Whether the end may be repaired, or must be left as it is.
    repair: bool,
    report: OpenReport,
    /// Known once the first segment's header, or the mark before the start, has been read.
    next_group: Option<u64>,
    /// The number of the first group that is in no sorted file.
    behind_sorted: Option<u64>,
}

impl<'a, 'v> Recovery<'a, 'v> {
    fn new(
        disk: &'a dyn Disk,
        start: Position,
        visitor: &'a mut Visitor<'v>,
        repair: bool,
    ) -> Recovery<'a, 'v> {
        Recovery {
            disk,
            visitor,
            repair,
            report: OpenReport {
                log_id: Uuid::now_v7(),
                sorted_files: 0,
                segments: 0,
                groups: 0,
                records: 0,
                erased_bodies: 0,
                damaged_bodies: 0,
                end: start,
                tail: Tail::Clean,
                unfinished_segment: None,
            },
            next_group: None,
            behind_sorted: None,
        }
    }

    fn run(mut self, start: Position) -> Result<Recovered, OpenError> {
        let sorted = self.read_sorted(start)?;
        let merged = sorted.last().map_or(0, |file| file.last);
        let mut present = segment::numbers(self.disk).map_err(while_doing("list its segments"))?;
        // Segments that were merged may have outlived a crash.
        present.retain(|number| *number > merged);
        self.set_aside_unfinished(&mut present)?;
        let Some(last) = present.last().copied() else {
            return self.begin_new(start, sorted);
        };
        let first = start.segment.max(merged + 1);
        if first > last {
            return Err(OpenError::BadStart { start });
        }
        let mut active = None;
        for number in first..=last {
            if !present.contains(&number) {
                return Err(missing(number));
            }
            active = self.read_segment(number, start, number == last)?;
        }
        Ok(Recovered {
            report: self.report,
            last_segment: last,
            active,
            next_group: self.next_group.unwrap_or(1),
            sorted,
        })
    }

    /// Finds the sorted files, and shows what is in them if `start` is before it all.
    fn read_sorted(&mut self, start: Position) -> Result<Vec<SortedFile>, OpenError> {
        if self.repair {
            sorted_files::remove_unfinished(self.disk).map_err(while_doing("remove an unfinished merge"))?;
        }
        let files = sorted_files::list(self.disk).map_err(while_doing("list its sorted files"))?;
        let mut before = Position::START;
        for name in &files {
            let expected = before.segment.max(1);
            if name.first < expected || (start == Position::START && name.first > expected) {
                return Err(missing(expected));
            }
            let known_id = (self.report.sorted_files > 0).then_some(self.report.log_id);
            let file = Arc::new(OpenFile::open(self.disk, *name, known_id)?);
            self.report.log_id = file.header.log_id;
            self.report.sorted_files += 1;
            self.behind_sorted = Some(file.header.next_group);
            if start == Position::START {
                self.show_sorted(&file, before)?;
            }
            before = name.end();
        }
        if start != Position::START && start < before {
            return Err(OpenError::BadStart { start });
        }
        Ok(files)
    }

    fn show_sorted(&mut self, file: &Arc<OpenFile>, before: Position) -> Result<(), OpenError> {
        if self.next_group.is_some_and(|next| next != file.header.first_group) {
            return Err(OpenError::SortedCorruption {
                file: file.header.file.name(),
                segment: file.header.file.first,
                offset: 0,
                what: "a file that does not continue the one before",
            });
        }
        file.replay(before, &mut |group| {
            count(&mut self.report, group);
            (self.visitor)(group)
        })?;
        self.report.end = file.header.file.end();
        self.next_group = Some(file.header.next_group);
        Ok(())
    }

    /// There are no segments: a new log, or one that was cut behind a sorted file.
    fn begin_new(mut self, start: Position, sorted: Vec<SortedFile>) -> Result<Recovered, OpenError> {
        let end = sorted.last().map_or(Position::START, |file| file.end());
        if start != Position::START && start != end {
            return Err(OpenError::BadStart { start });
        }
        self.report.end = end;
        let last_segment = sorted.last().map_or(0, |file| file.last);
        let next_group = self.behind_sorted.unwrap_or(1);
        Ok(Recovered { report: self.report, last_segment, active: None, next_group, sorted })
    }

    /// Removes a last segment that was being made when the machine stopped: its header is not
    /// readable and nothing is behind it.
    fn set_aside_unfinished(&mut self, present: &mut Vec<u32>) -> Result<(), OpenError> {
        let Some(last) = present.last().copied() else {
            return Ok(());
        };
        let name = segment::name(last);
        let file = self.disk.open(&name).map_err(while_doing("open a segment"))?;
        let unreadable = matches!(segment::read_header(file.as_ref())?, Err(segment::HeaderFault::Damaged));
        if !unreadable || !record::is_zero(&read_from(file.as_ref(), HEADER_LENGTH)?) {
            return Ok(());
        }
        if self.repair {
            // Not synced: if it comes back, it is removed again.
            self.disk.remove(&name).map_err(while_doing("remove an unfinished segment"))?;
        }
        self.report.unfinished_segment = Some(last);
        present.pop();
        Ok(())
    }

    /// Reads one segment, from `start` if that lies in it. Returns the segment if it is the one
    /// to go on writing.
    fn read_segment(
        &mut self,
        number: u32,
        start: Position,
        last: bool,
    ) -> Result<Option<ActiveSegment>, OpenError> {
        let is_known = self.report.segments > 0 || self.report.sorted_files > 0;
        let known_id = is_known.then_some(self.report.log_id);
        let found = segment::open(self.disk, number, known_id)?;
        self.report.log_id = found.header.log_id;
        self.report.segments += 1;
        let offset = self.first_boundary(&found, start)?;
        let bytes = read_from(found.file.as_ref(), offset)?;
        let groups = Groups::new(Stretch {
            segment: number,
            seed: found.header.seed(),
            offset,
            bytes: &bytes,
            next_group: self.next_group.unwrap_or(found.header.first_group),
            committed: false,
        });
        if last {
            self.read_last(found, groups)
        } else {
            self.read_sealed(number, groups)?;
            Ok(None)
        }
    }

    /// Where to begin in a segment; learns the number of the group that begins there.
    fn first_boundary(&mut self, found: &Found, start: Position) -> Result<u32, OpenError> {
        let segment = found.header.segment;
        if self.next_group.is_some_and(|next| next != found.header.first_group) {
            return Err(OpenError::Corruption {
                segment,
                offset: 0,
                what: "a segment that does not continue the one before",
            });
        }
        self.next_group = Some(found.header.first_group);
        if start.segment != segment || start.offset == HEADER_LENGTH {
            return Ok(HEADER_LENGTH);
        }
        let mark = mark_before(found, start.offset)?.ok_or(OpenError::BadStart { start })?;
        self.next_group = Some(number_after(mark.group));
        Ok(start.offset)
    }

    /// Reads a segment that has a successor: it must be whole up to its seal.
    fn read_sealed(&mut self, segment: u32, mut groups: Groups<'_>) -> Result<(), OpenError> {
        loop {
            let (offset, what) = match groups.next() {
                Step::Group(group) => {
                    self.visit(&group)?;
                    continue;
                }
                Step::Seal => {
                    self.next_group = Some(groups.next_group());
                    return Ok(());
                }
                Step::End => (groups.offset(), "no seal, although a segment follows"),
                Step::Broken { offset, what } => (offset, what),
            };
            return Err(OpenError::Corruption { segment, offset, what });
        }
    }

    /// Reads the last segment, settles its end and shows what is settled.
    fn read_last(
        &mut self,
        found: Found,
        mut groups: Groups<'_>,
    ) -> Result<Option<ActiveSegment>, OpenError> {
        let segment = found.header.segment;
        let mut held: Option<ScannedGroup<'_>> = None;
        let sealed = loop {
            match groups.next() {
                Step::Group(group) => {
                    // A group is settled once its successor is seen.
                    if let Some(settled) = held.replace(group) {
                        self.visit(&settled)?;
                    }
                }
                Step::Seal => break true,
                Step::End => break false,
                Step::Broken { offset, what } => {
                    if groups.proves_later_group(offset, groups.next_group()) {
                        return Err(OpenError::Corruption { segment, offset, what });
                    }
                    break false;
                }
            }
        };
        let settle_from = held.as_ref().map_or(groups.offset(), |group| group.start);
        self.settle(&found, &groups, settle_from, sealed)?;
        if let Some(group) = held {
            self.visit(&group)?;
        }
        self.next_group = Some(groups.next_group());
        let active = ActiveSegment {
            segment,
            seed: found.header.seed(),
            offset: groups.offset(),
            capacity: found.length,
            file: found.file,
        };
        Ok((!sealed).then_some(active))
    }

    /// Cuts what is behind the last whole group, and makes durable what is to be relied on.
    fn settle(
        &mut self,
        found: &Found,
        groups: &Groups<'_>,
        settle_from: u32,
        sealed: bool,
    ) -> Result<(), OpenError> {
        let end = groups.offset();
        let tail = used_length(groups.bytes_from(end));
        if tail > 0 && !sealed {
            self.report.tail = Tail::Torn { segment: found.header.segment, offset: end, bytes: tail as u32 };
        }
        if !self.repair {
            return Ok(());
        }
        let kept = (end - settle_from) as usize;
        let mut again = groups.bytes_from(settle_from)[..kept + tail].to_vec();
        if !sealed {
            again[kept..].fill(0);
        }
        found
            .file
            .write_at(0, &found.header.encode())
            .and_then(|()| found.file.write_at(u64::from(settle_from), &again))
            .and_then(|()| found.file.sync_all())
            .and_then(|()| self.disk.sync_directory())
            .map_err(while_doing("settle the end of its last segment"))
    }

    fn visit(&mut self, group: &ScannedGroup<'_>) -> Result<(), OpenError> {
        count(&mut self.report, &group.replayed);
        (self.visitor)(&group.replayed).map_err(OpenError::Visitor)
    }
}

fn missing(segment: u32) -> OpenError {
    OpenError::MissingSegment { segment }
}

/// Counts a group that was read.
fn count(report: &mut OpenReport, group: &ReplayedGroup<'_>) {
    report.groups += 1;
    report.end = group.end;
    for (_, record) in &group.records {
        report.records += 1;
        match record.body {
            Body::Erased => report.erased_bodies += 1,
            Body::Damaged => report.damaged_bodies += 1,
            Body::Empty | Body::Intact(_) => {}
        }
    }
}

/// The commit mark that ends just before `offset`; `None` if that is not a group boundary.
pub(super) fn mark_before(found: &Found, offset: u32) -> Result<Option<CommitMark>, OpenError> {
    let in_file = offset >= HEADER_LENGTH + MARK_LENGTH && offset <= found.length;
    if !in_file {
        return Ok(None);
    }
    let mut bytes = [0; MARK_LENGTH as usize];
    found
        .file
        .read_at(u64::from(offset - MARK_LENGTH), &mut bytes)
        .map_err(while_doing("read a commit mark"))?;
    Ok(CommitMark::decode(&bytes, found.header.seed()))
}

/// The file's content from `offset` to its end, in whole words of eight bytes.
pub(super) fn read_from(file: &dyn DiskFile, offset: u32) -> Result<Vec<u8>, OpenError> {
    let length = file.length().map_err(while_doing("measure a segment"))? / 8 * 8;
    let mut bytes = vec![0; length.saturating_sub(u64::from(offset)) as usize];
    if !bytes.is_empty() {
        file.read_at(u64::from(offset), &mut bytes).map_err(while_doing("read a segment"))?;
    }
    Ok(bytes)
}
