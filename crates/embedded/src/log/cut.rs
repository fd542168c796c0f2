//! Cutting a log that cannot be read any more: the last resort.

use super::error::while_doing;
use super::segment::{self, HEADER_LENGTH};
use super::{Disk, OpenError, Position, sorted_files};

/// Gives up everything from `at` on: the last resort for a corrupt log without a backup. The
/// group in which `at` lies is cut as a whole when the log is opened next. No process may have
/// the log open; whatever was derived from it has to be rebuilt.
pub fn cut_at(disk: &dyn Disk, at: Position) -> Result<(), OpenError> {
    let segments = segment::numbers(disk).map_err(while_doing("list its segments"))?;
    let sorted = sorted_files::list(disk).map_err(while_doing("list its sorted files"))?;
    let holder = sorted.iter().find(|file| (file.first..=file.last).contains(&at.segment));
    if holder.is_none() && !segments.contains(&at.segment) {
        return Err(OpenError::MissingSegment { segment: at.segment });
    }
    // Of a sorted file nothing in the middle can be told apart by time: it goes as a whole.
    let at = holder.map_or(at, |file| Position { segment: file.first, offset: 0 });
    let whole_segment = at.offset < HEADER_LENGTH;
    // From the last backwards, so that an interruption leaves no gap.
    for number in segments.into_iter().rev() {
        if number > at.segment || (whole_segment && number == at.segment) {
            disk.remove(&segment::name(number))
                .and_then(|()| disk.sync_directory())
                .map_err(while_doing("remove a segment"))?;
        }
    }
    for file in sorted.into_iter().rev().filter(|file| file.first >= at.segment) {
        disk.remove(&file.name())
            .and_then(|()| disk.sync_directory())
            .map_err(while_doing("remove a sorted file"))?;
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
