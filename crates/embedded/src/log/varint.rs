//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the high bit set on
//! all bytes but the last.

/// The most bytes of a number.
const LONGEST: usize = 10;

/// Appends a number to `buffer`.
pub(crate) fn put(buffer: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        buffer.push(number as u8 | 0x80);
        number >>= 7;
    }
    buffer.push(number as u8);
}

/// The number that `bytes` begin with, and what follows it; `None` if there is none.
pub(crate) fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(LONGEST).enumerate() {
        let bits = u64::from(byte & 0x7F);
        if at + 1 == LONGEST && bits > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

/// As [`take`], for numbers that must fit 32 bits.
pub(crate) fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = take(bytes)?;
    Some((u32::try_from(number).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written_and_cuts_are_noticed() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), 1 << 41, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(take(&bytes), Some((number, &[][..])));
            assert_eq!(take_u32(&bytes).is_some(), number <= u64::from(u32::MAX));
            assert_eq!(take(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(take(&[0xFF; 12]), None, "too long");
        assert_eq!(take(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]), None, "too large");
    }
}
