//! Writes segment files by the tables in the log's documentation, apart from its own code: with right checksums around
//! contents that the log itself would never write, and with the same bytes in every run.

use crc32fast::Hasher;

/// Names the log in every segment.
const LOG_ID: [u8; 16] = *b"a log of fuzzing";
const HEADER_LENGTH: usize = 64;
const MARK_KIND: u8 = 0xFF;
const SEAL_KIND: u8 = 0xFE;

/// The header of a segment.
pub fn segment_header(segment: u32, first_group: u64) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LENGTH];
    bytes[..8].copy_from_slice(b"SUDALOG\0");
    bytes[8..10].copy_from_slice(&1u16.to_le_bytes());
    bytes[12..16].copy_from_slice(&segment.to_le_bytes());
    bytes[16..32].copy_from_slice(&LOG_ID);
    bytes[32..40].copy_from_slice(&first_group.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..60]);
    bytes[60..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// A segment file that grows at its end.
pub struct SegmentFile {
    segment: u32,
    /// What is in the file so far.
    pub bytes: Vec<u8>,
    /// The number of the group that is being written.
    pub group: u64,
    group_start: usize,
    /// How many records the group has so far.
    pub records: u32,
}

impl SegmentFile {
    /// A segment with nothing but its header.
    pub fn new(segment: u32, first_group: u64) -> Self {
        Self {
            segment,
            bytes: segment_header(segment, first_group),
            group: first_group,
            group_start: HEADER_LENGTH,
            records: 0,
        }
    }

    /// Appends a record of the present group.
    pub fn record(&mut self, kind: u8, header: &[u8], body: &[u8]) {
        let mut fields = vec![1, kind, 0, 0];
        fields.extend_from_slice(&(self.group as u32).to_le_bytes());
        fields.extend_from_slice(&(header.len() as u32).to_le_bytes());
        fields.extend_from_slice(&(body.len() as u32).to_le_bytes());
        fields.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
        fields.extend_from_slice(header);
        let mut sum = Hasher::new_with_initial(self.seed());
        sum.update(&fields);
        self.bytes.extend_from_slice(&sum.finalize().to_le_bytes());
        self.bytes.extend_from_slice(&fields);
        self.bytes.extend_from_slice(body);
        let length = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(length, 0);
        self.records += 1;
    }

    /// Ends the present group with its commit mark.
    pub fn mark(&mut self) {
        let start = u64::from(self.segment) << 32 | self.group_start as u64;
        let length = self.bytes.len() - self.group_start;
        let mut header = Vec::new();
        header.extend_from_slice(&self.group.to_le_bytes());
        header.extend_from_slice(&start.to_le_bytes());
        header.extend_from_slice(&self.records.to_le_bytes());
        header.extend_from_slice(&(length as u32).to_le_bytes());
        self.record(MARK_KIND, &header, &[]);
        self.group = self.group.wrapping_add(1);
        self.group_start = self.bytes.len();
        self.records = 0;
    }

    /// Ends the segment.
    pub fn seal(&mut self) {
        let next_group = self.group.to_le_bytes();
        self.record(SEAL_KIND, &next_group, &[]);
    }

    fn seed(&self) -> u32 {
        let mut sum = Hasher::new();
        sum.update(&LOG_ID);
        sum.update(&self.segment.to_le_bytes());
        sum.finalize()
    }
}

/// How many records the whole log has.
pub const RECORDS: usize = 6;

/// A small whole log: a sealed segment and one with free room.
pub fn whole_log() -> Vec<Vec<u8>> {
    let mut first = SegmentFile::new(1, 1);
    first.mark();
    first.record(1, b"head", b"{\"text\":\"one\"}");
    first.record(2, b"longer head", b"");
    first.mark();
    first.record(1, b"", b"{\"text\":\"two\"}");
    first.mark();
    first.seal();
    let mut second = SegmentFile::new(2, first.group);
    second.record(1, b"head", b"{\"text\":\"three\"}");
    second.mark();
    second.record(3, b"head", b"{\"text\":\"four\"}");
    second.record(3, b"head", b"{\"text\":\"five\"}");
    second.mark();
    second.bytes.resize(1024, 0);
    vec![first.bytes, second.bytes]
}
