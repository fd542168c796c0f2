//! The writer thread of the bare relay: appends what it is given, syncs it, and says so.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rustix::fs::{FallocateFlags, fallocate};

use super::super::poll::Bell;

/// Bytes of a file, as of the server's segments.
const FILE_BYTES: u64 = 64 << 20;

/// The thread.
pub struct Writer {
    work: SyncSender<Vec<u8>>,
    done: Receiver<io::Result<Vec<u8>>>,
}

/// The file that is written.
struct Segment {
    file: File,
    path: PathBuf,
    used: u64,
}

impl Writer {
    /// Starts it; it rings `bell` after each sync.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn start(folder: PathBuf, bell: Bell) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut segment = Segment::create(&folder, 0)?;
        let (work, to_do) = sync_channel::<Vec<u8>>(1);
        let (finish, done) = sync_channel(1);
        std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let mut number = 0;
            while let Ok(records) = to_do.recv() {
                let written = segment.write(&folder, &mut number, &records);
                if finish.send(written.map(|()| records)).is_err() {
                    return;
                }
                bell.ring();
            }
        })?;
        Ok(Self { work, done })
    }

    /// Hands over what is to be written. One at a time.
    ///
    /// # Errors
    /// If the thread has ended.
    pub fn write(&self, records: Vec<u8>) -> io::Result<()> {
        self.work.send(records).map_err(io::Error::other)
    }

    /// Takes back what was written and synced.
    ///
    /// # Errors
    /// If the disk refused.
    pub fn finished(&self) -> io::Result<Vec<u8>> {
        self.done.recv().map_err(io::Error::other)?
    }
}

impl Segment {
    /// A file whose place is reserved, durable when this returns.
    fn create(folder: &Path, number: u32) -> io::Result<Self> {
        let path = folder.join(format!("bare-{number:08}"));
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, FILE_BYTES) {
            Ok(()) => {}
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(FILE_BYTES)?,
            Err(error) => return Err(error.into()),
        }
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { file, path, used: 0 })
    }

    fn write(&mut self, folder: &Path, number: &mut u32, records: &[u8]) -> io::Result<()> {
        if self.used + records.len() as u64 > FILE_BYTES {
            *number += 1;
            let next = Self::create(folder, *number)?;
            // Nobody reads it.
            fs::remove_file(&std::mem::replace(self, next).path)?;
        }
        self.file.write_all_at(records, self.used)?;
        self.used += records.len() as u64;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::poll::Poll;
    use super::*;

    #[test]
    fn everything_handed_over_is_on_disk_when_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut poll = Poll::new().unwrap();
        let writer = Writer::start(folder.path().to_owned(), poll.bell(1).unwrap()).unwrap();
        let mut ready = Vec::new();
        for round in 1..=3u8 {
            writer.write(vec![round; 100]).unwrap();
            poll.wait(None, &mut ready).unwrap();
            assert_eq!(writer.finished().unwrap(), [round; 100]);
        }
        let bytes = fs::read(folder.path().join("bare-00000000")).unwrap();
        assert_eq!(bytes.len() as u64, FILE_BYTES);
        assert_eq!((bytes[0], bytes[100], bytes[299], bytes[300]), (1, 2, 3, 0));
    }
}
