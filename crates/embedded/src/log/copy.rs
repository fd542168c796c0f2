//! Copying a log while it is written, for backups.

use std::io;

use super::reader::Reader;
use super::record::is_zero;
use super::{CopyError, Disk, Position, segment, sorted_files};

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
        let segments = segment::numbers(destination).map_err(failed(0))?;
        let sorted = sorted_files::list(destination).map_err(failed(0))?;
        if !segments.is_empty() || !sorted.is_empty() {
            return Err(CopyError::NotEmpty);
        }
        let merged = self.sorted.merged();
        if merged > 0 && upto.segment <= merged {
            return Err(CopyError::Merged { upto });
        }
        let source = self.disk.as_ref();
        for file in self.sorted.list() {
            copy_file(source, destination, &file.name(), u64::MAX).map_err(failed(file.first))?;
        }
        for number in segment::numbers(source).map_err(failed(0))? {
            if number > upto.segment {
                break;
            }
            // Segments that are merged may still be there.
            if number > merged {
                let most = if number == upto.segment { u64::from(upto.offset) } else { u64::MAX };
                copy_file(source, destination, &segment::name(number), most).map_err(failed(number))?;
            }
        }
        destination.sync_directory().map_err(failed(upto.segment))
    }
}

/// Copies the first `most` bytes of a file into a new file of the same length.
fn copy_file(from: &dyn Disk, to: &dyn Disk, name: &str, most: u64) -> io::Result<()> {
    let source = from.open(name)?;
    let length = source.length()?;
    let copy = to.create(name, length)?;
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
