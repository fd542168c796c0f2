//! What a node sent and keeps for a while, in case it does not arrive.

use std::collections::VecDeque;

use bytes::Bytes;

/// How long a packet is kept in milliseconds; after that the receiver has given it up, too.
pub const KEPT_MS: u64 = 10_000;

/// Most bytes that are kept for one receiver, or for all.
pub const KEPT_BYTES: usize = 8 << 20;

/// What a frame costs beside its bytes.
const FRAME_COST: usize = 64;

/// Numbered frames, without holes up to the newest.
#[derive(Debug, Default)]
pub struct Kept {
    frames: VecDeque<(u64, Bytes)>,
    bytes: usize,
    last: u64,
}

impl Kept {
    /// The number of the newest frame, 0 before the first.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The lowest number that it has, or will have next.
    pub fn first(&self) -> u64 {
        self.last + 1 - self.frames.len() as u64
    }

    /// Keeps the frame under the next number.
    pub fn push(&mut self, frame: Bytes, at_ms: u64) {
        self.last += 1;
        self.bytes += cost(&frame);
        self.frames.push_back((at_ms, frame));
        self.drop_while(|kept, _| kept.bytes > KEPT_BYTES);
    }

    /// The frame with that number.
    pub fn get(&self, number: u64) -> Option<&Bytes> {
        let index = usize::try_from(number.checked_sub(self.first())?).ok()?;
        self.frames.get(index).map(|(_, frame)| frame)
    }

    /// Drops what is too old.
    pub fn expire(&mut self, now_ms: u64) {
        self.drop_while(|_, at_ms| at_ms.saturating_add(KEPT_MS) <= now_ms);
    }

    fn drop_while(&mut self, is_over: impl Fn(&Self, u64) -> bool) {
        while let Some(&(at_ms, _)) = self.frames.front()
            && is_over(self, at_ms)
        {
            self.bytes -= self.frames.pop_front().map_or(0, |(_, frame)| cost(&frame));
        }
    }
}

fn cost(frame: &Bytes) -> usize {
    frame.len() + FRAME_COST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_frames_and_too_many_are_dropped() {
        let mut kept = Kept::default();
        assert_eq!((kept.first(), kept.last()), (1, 0));
        for at_ms in 0..10 {
            kept.push(Bytes::from(vec![at_ms as u8]), at_ms);
        }
        kept.expire(KEPT_MS + 3);
        assert_eq!((kept.first(), kept.last()), (5, 10));
        assert_eq!(kept.get(4), None);
        assert_eq!(kept.get(5).map(|frame| frame[0]), Some(4));
        assert_eq!(kept.get(11), None);
        for _ in 0..9 {
            kept.push(Bytes::from(vec![0; 1 << 20]), 10);
        }
        assert_eq!((kept.first(), kept.last()), (13, 19));
        kept.expire(u64::MAX);
        assert_eq!((kept.first(), kept.bytes), (20, 0));
    }
}
