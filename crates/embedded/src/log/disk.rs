//! What the log needs from a file system, and the real one.
//!
//! All reads and writes are positioned, so that one file can be used from several threads. What
//! survives a crash: file content after `sync_data` or `sync_all` on that file; that a file
//! exists, or no longer does, or has another name, after `sync_directory`; nothing else.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A flat folder of files that belongs to one log.
pub trait Disk: Send + Sync + 'static {
    /// The names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a new file of `length` zero bytes with its space reserved.
    /// `AlreadyExists` if there is one; after `StorageFull` there is none.
    fn create(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, which no file has; after a crash it has one of the two.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes creations and removals durable.
    fn sync_directory(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset`; `UnexpectedEof` if the file ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`. After an error any part of it may be written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file, or extends it with zero bytes.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes the content durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes content and length durable.
    fn sync_all(&self) -> io::Result<()>;
}

/// The name of the file whose lock keeps a second process out.
const LOCK_NAME: &str = "lock";

/// A folder of the operating system, locked against a second process while this lives.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
    /// Opened once: syncing it makes creations and removals durable.
    directory: File,
    /// Held, never read: the operating system frees the lock when the process ends.
    _lock: File,
}

impl RealDisk {
    /// Opens `folder`, making it if it is not there.
    /// `WouldBlock` means that another process has it open.
    pub fn open(folder: &Path) -> io::Result<RealDisk> {
        std::fs::create_dir_all(folder)?;
        if let Some(parent) = folder.parent().filter(|path| !path.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK_NAME))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another process uses this log: stop it first")
            }
            TryLockError::Error(source) => source,
        })?;
        Ok(RealDisk { directory: File::open(folder)?, folder: folder.to_owned(), _lock: lock })
    }
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            // A name that is not text is not one of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let path = self.folder.join(name);
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        if let Err(error) = preallocate(&file, length) {
            std::fs::remove_file(&path)?;
            return Err(error);
        }
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.folder.join(name))?;
        read_no_more_than_asked(&file);
        Ok(Box::new(RealFile(file)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.folder.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.directory.sync_all()
    }
}

/// Reserves `length` zero bytes; where the file system cannot, only sets the length.
fn preallocate(file: &File, length: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    if length == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, length) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(length),
        Err(error) => Err(error.into()),
    }
}

/// Spares reads of single records what lies around them. The more so because Linux caches what it reads ahead in pieces
/// of up to megabytes, of which each small write behind then dirties a whole one.
fn read_no_more_than_asked(file: &File) {
    // Advice: where it is not taken, everything works as well, only slower.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Random);
}

/// A file of the operating system.
struct RealFile(File);

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}
