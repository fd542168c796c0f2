//! A disk in memory that fails and crashes on request, for tests.
//!
//! It keeps what is durable apart from what was only written. A crash leaves what is durable and,
//! of the rest, whatever the seed decides: each unsynced write is kept, dropped or torn into
//! sectors independently of the others, so that a later one can survive an earlier one; each
//! unsynced creation, removal or renaming happened or did not.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile};

/// Bytes that a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// What is to go wrong. Counts begin with 1 at the time of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedFault {
    /// The nth write fails; some of it may have been written.
    Write(u64),
    /// The nth write finds the disk full; some of it may have been written.
    WriteFull(u64),
    /// The nth sync of a file fails. As with Linux, what was to be synced counts as clean from
    /// then on: a later sync does not try again, and any part of it may be durable.
    Sync(u64),
    /// From now on, reading fails.
    Read,
    /// From now on, there is no room for new files.
    Full,
    /// The nth change (write, sync, creation, removal, renaming) and everything after it fails.
    PowerLoss(u64),
}

/// The disk. Clones are handles to the same one.
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
    random: Random,
    faults: Vec<SimulatedFault>,
    off: bool,
}

/// What one file holds.
#[derive(Clone, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Length(u64),
}

#[derive(Clone)]
enum NameChange {
    Add(String, usize),
    Remove(String),
    Rename(String, String),
}

impl SimulatedDisk {
    /// An empty disk whose crashes follow from `seed`.
    pub fn new(seed: u64) -> SimulatedDisk {
        SimulatedDisk {
            state: Arc::new(Mutex::new(State {
                files: Vec::new(),
                names: BTreeMap::new(),
                durable_names: BTreeMap::new(),
                unsynced_names: Vec::new(),
                random: Random(seed),
                faults: Vec::new(),
                off: false,
            })),
        }
    }

    /// Requests a fault, beside those already requested.
    pub fn inject(&self, fault: SimulatedFault) {
        self.lock().faults.push(fault);
    }

    /// Takes back all faults that did not happen yet.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Whether a requested power loss has happened.
    pub fn is_off(&self) -> bool {
        self.lock().off
    }

    /// Cuts the power and returns the disk as it is when the machine starts again.
    /// This one fails from now on.
    pub fn crash(&self) -> SimulatedDisk {
        let mut state = self.lock();
        state.off = true;
        let mut names = state.durable_names.clone();
        for change in state.unsynced_names.clone() {
            if state.random.below(2) == 0 {
                change.apply(&mut names);
            }
        }
        let mut files = Vec::new();
        for file in &state.files.clone() {
            let content = file.after_crash(&mut state.random);
            files.push(Content { now: content.clone(), durable: content, unsynced: Vec::new() });
        }
        SimulatedDisk {
            state: Arc::new(Mutex::new(State {
                files,
                durable_names: names.clone(),
                names,
                unsynced_names: Vec::new(),
                random: Random(state.random.next()),
                faults: Vec::new(),
                off: false,
            })),
        }
    }

    /// All of a file as readers see it now; `None` if there is none of that name.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        Some(state.files[*state.names.get(name)?].now.clone())
    }

    /// Replaces a file's content, durably: for damaging it.
    pub fn replace(&self, name: &str, content: Vec<u8>) {
        let mut state = self.lock();
        let number = state.files.len();
        state.files.push(Content { now: content.clone(), durable: content, unsynced: Vec::new() });
        state.names.insert(name.to_owned(), number);
        state.durable_names.insert(name.to_owned(), number);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a change of the disk; an error if the power goes, or is, off.
    fn change(&mut self) -> io::Result<()> {
        if self.off || self.due(|fault| matches!(fault, SimulatedFault::PowerLoss(_))) {
            self.off = true;
            return Err(io::Error::other("the power is off"));
        }
        Ok(())
    }

    /// Counts down the requested faults that `which` selects; whether one is due now.
    fn due(&mut self, which: impl Fn(&SimulatedFault) -> bool) -> bool {
        let mut due = false;
        self.faults.retain_mut(|fault| {
            if !which(fault) {
                return true;
            }
            let (SimulatedFault::Write(left)
            | SimulatedFault::WriteFull(left)
            | SimulatedFault::Sync(left)
            | SimulatedFault::PowerLoss(left)) = fault
            else {
                return true;
            };
            *left -= 1;
            due |= *left == 0;
            *left > 0
        });
        due
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.now, |_| true);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable, |_| true);
        }
    }

    fn fail_to_sync(&mut self, random: &mut Random) {
        self.durable = self.after_crash(random);
        self.unsynced.clear();
    }

    fn after_crash(&self, random: &mut Random) -> Vec<u8> {
        let mut content = self.durable.clone();
        // Now and then everything or nothing survives, or all but one change.
        let mood = random.below(4);
        for change in &self.unsynced {
            match (mood, random.below(3)) {
                (0, _) | (2.., 0) => change.apply(&mut content, |_| true),
                (1, _) | (2.., 1) => {}
                _ => change.apply(&mut content, |_| random.below(2) == 0),
            }
        }
        content
    }
}

impl Change {
    /// Applies the sectors of the change that `keep` wants.
    fn apply(&self, content: &mut Vec<u8>, mut keep: impl FnMut(u64) -> bool) {
        match self {
            Change::Length(length) => content.resize(*length as usize, 0),
            Change::Write { offset, bytes } => {
                let mut at = *offset;
                let end = offset + bytes.len() as u64;
                while at < end {
                    let next = ((at / SECTOR + 1) * SECTOR).min(end);
                    if keep(at / SECTOR) {
                        let length = content.len().max(next as usize);
                        content.resize(length, 0);
                        let part = &bytes[(at - offset) as usize..(next - offset) as usize];
                        content[at as usize..next as usize].copy_from_slice(part);
                    }
                    at = next;
                }
            }
        }
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Add(name, file) => names.insert(name, file),
            NameChange::Remove(name) => names.remove(&name),
            // A file whose creation did not survive has neither name.
            NameChange::Rename(from, to) => names.remove(&from).and_then(|file| names.insert(to, file)),
        };
    }
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.change()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if state.faults.contains(&SimulatedFault::Full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let number = state.files.len();
        let mut content = Content::default();
        content.change(Change::Length(length));
        state.files.push(content);
        state.names.insert(name.to_owned(), number);
        state.unsynced_names.push(NameChange::Add(name.to_owned(), number));
        drop(state);
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        match self.lock().names.get(name) {
            Some(number) => Ok(Box::new(SimulatedFile { disk: self.clone(), number: *number })),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        if state.names.remove(name).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.unsynced_names.push(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        let Some(number) = state.names.remove(from) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        state.names.insert(to.to_owned(), number);
        state.unsynced_names.push(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        state.durable_names = state.names.clone();
        state.unsynced_names.clear();
        Ok(())
    }
}

/// A file of a [`SimulatedDisk`].
struct SimulatedFile {
    disk: SimulatedDisk,
    number: usize,
}

impl DiskFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files[self.number].now.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.disk.lock();
        if state.off || state.faults.contains(&SimulatedFault::Read) {
            return Err(io::Error::other("the disk cannot read"));
        }
        let content = &state.files[self.number].now;
        let source = content
            .get(offset as usize..offset as usize + buffer.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(source);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        if state.off {
            return Err(io::Error::other("the power is off"));
        }
        let power = state.change();
        let fails = state.due(|fault| matches!(fault, SimulatedFault::Write(_)));
        let full = state.due(|fault| matches!(fault, SimulatedFault::WriteFull(_)));
        // A write during which something goes wrong may have reached the disk in part.
        let part = if power.is_ok() && (fails || full) { &bytes[..bytes.len() / 2] } else { bytes };
        state.files[self.number].change(Change::Write { offset, bytes: part.to_vec() });
        power?;
        match (fails, full) {
            (true, _) => Err(io::Error::other("the disk cannot write")),
            (_, true) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.change()?;
        state.files[self.number].change(Change::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.change()?;
        let fails = state.due(|fault| matches!(fault, SimulatedFault::Sync(_)));
        let State { files, random, .. } = &mut *state;
        if fails {
            files[self.number].fail_to_sync(random);
            return Err(io::Error::other("the disk cannot sync"));
        }
        files[self.number].sync();
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// SplitMix64: a few lines are enough to vary crashes.
pub(super) struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
