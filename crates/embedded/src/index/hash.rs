//! A fast hash for maps whose keys are ids and rows' keys, begun with a random number of this
//! process.

use std::hash::{BuildHasher, Hasher, RandomState};

/// An odd number with about as many ones as zeros.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Makes [`FastHasher`]s.
#[derive(Clone)]
pub struct FastHash(u64);

impl Default for FastHash {
    fn default() -> Self {
        Self(RandomState::new().hash_one(FACTOR))
    }
}

impl BuildHasher for FastHash {
    type Hasher = FastHasher;

    fn build_hasher(&self) -> FastHasher {
        FastHasher(self.0)
    }
}

/// Takes eight bytes at a time, and mixes what it has in between.
pub struct FastHasher(u64);

impl FastHasher {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn similar_keys_have_different_hashes() {
        let hash = FastHash::default();
        let keys = (0..10_000_u128).flat_map(|number| [number, number << 64, number << 100]);
        let keys: HashSet<[u8; 16]> = keys.map(u128::to_be_bytes).collect();
        let high: HashSet<u64> = keys.iter().map(|key| hash.hash_one(key) >> 16).collect();
        let low: HashSet<u64> = keys.iter().map(|key| hash.hash_one(key) & 0xFFFF_FFFF).collect();
        assert!(high.len() + 5 > keys.len() && low.len() + 50 > keys.len());
        assert_ne!(hash.hash_one([0_u8; 7].as_slice()), hash.hash_one([0_u8; 8].as_slice()));
    }
}
