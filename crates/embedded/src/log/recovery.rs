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

use uuid::Uuid;

use super::error::while_doing;
use super::group::{CommitMark, Groups, MARK_LENGTH, ScannedGroup, Step, Stretch, number_after, used_length};
use super::segment::{self, Found, HEADER_LENGTH};
use super::{Body, Disk, DiskFile, OpenError, Position, Visitor, record};

/// What was found when the log was opened or checked.
#[derive(Clone, Debug)]
pub struct OpenReport {
    /// Names the log.
    pub log_id: Uuid,
    /// Segments that were read.
    pub segments: u32,
    /// Whole groups that were read.
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

/// Gives up everything from `at` on: the last resort for a corrupt log without a backup. The
/// group in which `at` lies is cut as a whole when the log is opened next. No process may have
/// the log open; whatever was derived from it has to be rebuilt.
pub fn cut_at(disk: &dyn Disk, at: Position) -> Result<(), OpenError> {
    let segments = segment::numbers(disk).map_err(while_doing("list its segments"))?;
    if !segments.contains(&at.segment) {
        return Err(OpenError::MissingSegment { segment: at.segment });
    }
    let whole_segment = at.offset < HEADER_LENGTH;
    // From the last backwards, so that an interruption leaves no gap.
    for number in segments.into_iter().rev() {
        if number > at.segment || (whole_segment && number == at.segment) {
            disk.remove(&segment::name(number))
                .and_then(|()| disk.sync_directory())
                .map_err(while_doing("remove a segment"))?;
        }
    }
    if whole_segment {
        return Ok(());
    }
    let found = segment::open(disk, at.segment, None)?;
    let zeros = vec![0; found.length.saturating_sub(at.offset) as usize];
    found
        .file
        .write_at(u64::from(at.offset), &zeros)
        .and_then(|()| found.file.sync_all())
        .map_err(while_doing("cut a segment"))
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
        }
    }

    fn run(mut self, start: Position) -> Result<Recovered, OpenError> {
        let mut present = segment::numbers(self.disk).map_err(while_doing("list its segments"))?;
        self.set_aside_unfinished(&mut present)?;
        let Some(last) = present.last().copied() else {
            return self.begin_new(start);
        };
        let first = start.segment.max(1);
        if first > last {
            return Err(OpenError::BadStart { start });
        }
        let mut active = None;
        for number in first..=last {
            if !present.contains(&number) {
                return Err(OpenError::MissingSegment { segment: number });
            }
            active = self.read_segment(number, start, number == last)?;
        }
        Ok(Recovered {
            report: self.report,
            last_segment: last,
            active,
            next_group: self.next_group.unwrap_or(1),
        })
    }

    fn begin_new(self, start: Position) -> Result<Recovered, OpenError> {
        if start != Position::START {
            return Err(OpenError::BadStart { start });
        }
        Ok(Recovered { report: self.report, last_segment: 0, active: None, next_group: 1 })
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
        let known_id = (self.report.segments > 0).then_some(self.report.log_id);
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
        let report = &mut self.report;
        report.groups += 1;
        report.end = group.replayed.end;
        for (_, record) in &group.replayed.records {
            report.records += 1;
            match record.body {
                Body::Erased => report.erased_bodies += 1,
                Body::Damaged => report.damaged_bodies += 1,
                Body::Empty | Body::Intact(_) => {}
            }
        }
        (self.visitor)(&group.replayed).map_err(OpenError::Visitor)
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
