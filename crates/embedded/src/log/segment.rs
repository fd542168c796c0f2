//! Segment files: their names, their header, making and opening them.
//!
//! The header, 64 bytes, little endian:
//!
//! | bytes | field |
//! |---|---|
//! | 0–7 | `SUDALOG\0` |
//! | 8–9 | version, 1 |
//! | 12–15 | number of the segment |
//! | 16–31 | id of the log |
//! | 32–39 | number of the first group |
//! | 60–63 | CRC-32 of bytes 0–59 |
//!
//! The rest is zero. Magic, version and sum stay where they are in every later version.

use std::io;

use uuid::Uuid;

use super::error::{is_full, while_doing};
use super::record::{u32_at, u64_at};
use super::{Disk, DiskFile, OpenError};

/// Bytes before the first record.
pub(super) const HEADER_LENGTH: u32 = 64;
const MAGIC: &[u8; 8] = b"SUDALOG\0";
const VERSION: u16 = 1;

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub segment: u32,
    pub log_id: Uuid,
    pub first_group: u64,
}

/// Why bytes are not the header of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    /// The sum is wrong.
    Damaged,
    /// It is of another version.
    Version(u16),
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LENGTH as usize] {
        let mut bytes = [0; HEADER_LENGTH as usize];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..32].copy_from_slice(self.log_id.as_bytes());
        bytes[32..40].copy_from_slice(&self.first_group.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads what [`Header::encode`] made.
    pub fn decode(bytes: &[u8; HEADER_LENGTH as usize]) -> Result<Header, HeaderFault> {
        if !bytes.starts_with(MAGIC) || crc32fast::hash(&bytes[..60]) != u32_at(bytes, 60) {
            return Err(HeaderFault::Damaged);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(HeaderFault::Version(version));
        }
        let mut log_id = [0; 16];
        log_id.copy_from_slice(&bytes[16..32]);
        Ok(Header {
            segment: u32_at(bytes, 12),
            log_id: Uuid::from_bytes(log_id),
            first_group: u64_at(bytes, 32),
        })
    }

    /// What the header checksums of this segment's records begin with.
    pub fn seed(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.log_id.as_bytes());
        hasher.update(&self.segment.to_le_bytes());
        hasher.finalize()
    }
}

/// The file name of a segment.
pub(super) fn name(segment: u32) -> String {
    format!("{segment:08}.seg")
}

/// The numbers of all segments, ascending. Other files are not looked at.
pub(super) fn numbers(disk: &dyn Disk) -> io::Result<Vec<u32>> {
    let parse = |file: &String| {
        let number = file.strip_suffix(".seg")?.parse().ok()?;
        (name(number) == *file).then_some(number)
    };
    let mut numbers: Vec<u32> = disk.list()?.iter().filter_map(parse).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a segment of `bytes` bytes that is durable when this returns.
/// After `StorageFull` it is gone again.
pub(super) fn create(disk: &dyn Disk, header: &Header, bytes: u32) -> io::Result<Box<dyn DiskFile>> {
    let name = name(header.segment);
    let file = disk.create(&name, u64::from(bytes))?;
    let written = file
        .write_at(0, &header.encode())
        .and_then(|()| file.sync_all())
        .and_then(|()| disk.sync_directory());
    match written {
        Ok(()) => Ok(file),
        Err(error) if is_full(&error) => {
            disk.remove(&name)?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// A segment file that was found on the disk.
pub(super) struct Found {
    pub file: Box<dyn DiskFile>,
    pub header: Header,
    /// Its length in bytes, a multiple of eight.
    pub length: u32,
}

/// Opens a segment and checks its header, against `log_id` if that is known.
pub(super) fn open(disk: &dyn Disk, segment: u32, log_id: Option<Uuid>) -> Result<Found, OpenError> {
    let file = disk.open(&name(segment)).map_err(while_doing("open a segment"))?;
    let corrupt = |what| OpenError::Corruption { segment, offset: 0, what };
    let header = match read_header(file.as_ref())? {
        Ok(header) => header,
        Err(HeaderFault::Damaged) => return Err(corrupt("a damaged segment header")),
        Err(HeaderFault::Version(version)) => {
            return Err(OpenError::UnsupportedVersion { segment, version });
        }
    };
    if log_id.is_some_and(|log_id| log_id != header.log_id) {
        return Err(OpenError::Foreign { segment });
    }
    if header.segment != segment {
        return Err(corrupt("the header of another segment"));
    }
    let length = file.length().map_err(while_doing("measure a segment"))?;
    let length = u32::try_from(length).map_err(|_| corrupt("a segment of over 4 GiB"))? / 8 * 8;
    Ok(Found { file, header, length })
}

/// Reads the header of a file; one too short for it counts as damaged.
pub(super) fn read_header(file: &dyn DiskFile) -> Result<Result<Header, HeaderFault>, OpenError> {
    let mut bytes = [0; HEADER_LENGTH as usize];
    match file.read_at(0, &mut bytes) {
        Ok(()) => Ok(Header::decode(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(HeaderFault::Damaged)),
        Err(error) => Err(while_doing("read a segment header")(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::SimulatedDisk;
    use super::*;

    const HEADER: Header = Header { segment: 7, log_id: Uuid::from_u128(42), first_group: 1 << 40 };

    #[test]
    fn header_round_trip_and_every_flipped_bit() {
        let bytes = HEADER.encode();
        assert_eq!(Header::decode(&bytes), Ok(HEADER));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&flipped), Err(HeaderFault::Damaged));
        }
    }

    #[test]
    fn every_segment_of_every_log_has_its_own_seed() {
        let other_log = Header { log_id: Uuid::from_u128(43), ..HEADER };
        let other_segment = Header { segment: 8, ..HEADER };
        assert_ne!(HEADER.seed(), other_log.seed());
        assert_ne!(HEADER.seed(), other_segment.seed());
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = HEADER.encode();
        bytes[8] = 2;
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Header::decode(&bytes), Err(HeaderFault::Version(2)));
    }

    #[test]
    fn only_exact_names_are_segments() {
        let disk = SimulatedDisk::new(1);
        for file in
            ["00000002.seg", "123456789.seg", "00000001.seg", "1.seg", "000000003.seg", "lock", "x.seg"]
        {
            disk.create(file, 8).unwrap();
        }
        assert_eq!(numbers(&disk).unwrap(), [1, 2, 123_456_789]);
    }
}
