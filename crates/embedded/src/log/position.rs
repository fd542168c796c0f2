//! Where a record lies in the log.

use std::fmt;

/// The place of a record: its segment and the offset of its first byte in that segment's file.
///
/// Positions order as the records were committed, and stay valid until the segment is removed.
/// Between records, a position names a *group boundary*: the place where the next group begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment's number; the first is 1.
    pub segment: u32,
    /// Bytes from the start of the segment's file; always a multiple of eight.
    pub offset: u32,
}

impl Position {
    /// The beginning of the log, before its first record.
    pub const START: Position = Position { segment: 0, offset: 0 };

    /// The position as one number that orders the same way, for keys and stored values.
    pub fn to_u64(self) -> u64 {
        (u64::from(self.segment) << 32) | u64::from(self.offset)
    }

    /// The position that [`Position::to_u64`] turned into `number`.
    pub fn from_u64(number: u64) -> Position {
        Position { segment: (number >> 32) as u32, offset: (number & u64::from(u32::MAX)) as u32 }
    }
}

impl fmt::Display for Position {
    /// `SEGMENT:OFFSET`, the form in which the command line takes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.segment, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn numbers_keep_order_and_value() {
        let earlier = Position { segment: 1, offset: u32::MAX };
        let later = Position { segment: 2, offset: 64 };
        assert!(Position::START < earlier && earlier < later);
        assert!(earlier.to_u64() < later.to_u64());
        assert_eq!(Position::from_u64(later.to_u64()), later);
        assert_eq!(later.to_string(), "2:64");
    }
}
