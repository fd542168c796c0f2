//! Copying a log while it is written, for backups.

use std::io;

use super::reader::Reader;
use super::record::is_zero;
use super::segment;
use super::{CopyError, Disk, Position};

/// Bytes copied at once.
const CHUNK: usize = 1 << 20;

impl Reader {
    /// See [`super::Log::copy_to`].
    pub fn copy_to(&self, destination: &dyn Disk, upto: Position) -> Result<(), CopyError> {
        let end = self.shared.end();
        if upto > end {
            return Err(CopyError::BeyondEnd { upto, end });
        }
        let failed = |segment| move |source| CopyError::Io { segment, source };
        if !segment::numbers(destination).map_err(failed(0))?.is_empty() {
            return Err(CopyError::NotEmpty);
        }
        for number in segment::numbers(self.disk.as_ref()).map_err(failed(0))? {
            if number > upto.segment {
                break;
            }
            let most = if number == upto.segment { u64::from(upto.offset) } else { u64::MAX };
            copy_segment(self.disk.as_ref(), destination, number, most).map_err(failed(number))?;
        }
        destination.sync_directory().map_err(failed(upto.segment))
    }
}

/// Copies the first `most` bytes of a segment into a new file of the same length.
fn copy_segment(from: &dyn Disk, to: &dyn Disk, number: u32, most: u64) -> io::Result<()> {
    let name = segment::name(number);
    let source = from.open(&name)?;
    let length = source.length()?;
    let copy = to.create(&name, length)?;
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    let end = length.min(most);
    while offset < end {
        let size = (end - offset).min(CHUNK as u64);
        let chunk = &mut chunk[..size as usize];
        source.read_at(offset, chunk)?;
        // The new file is zero already.
        if !is_zero(chunk) {
            copy.write_at(offset, chunk)?;
        }
        offset += size;
    }
    copy.sync_all()
}
