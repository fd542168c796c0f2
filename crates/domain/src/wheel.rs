//! A timer wheel: what is due at which tick, for millions of waits at the price of a list entry each.
//!
//! Six levels of 64 slots divide the 32 bits of a tick. A far deadline lies in a coarse slot and moves to finer ones as
//! its time comes near. Nothing is ever cancelled: whoever gets a key looks whether it still matters.

/// Bits of a tick that one level divides.
const BITS: u32 = 6;

/// Slots of a level.
const SLOTS: usize = 1 << BITS;

/// Levels; together they reach as far as a tick can.
const LEVELS: usize = 6;

/// Keys by the tick at which they are due.
#[derive(Clone, Debug)]
pub struct Wheel<K> {
    slots: Vec<Vec<(u32, K)>>,
    /// Per level, which slots hold something.
    occupied: [u64; LEVELS],
    now: u32,
    count: usize,
}

impl<K> Wheel<K> {
    /// An empty wheel that stands at tick `now`.
    pub fn new(now: u32) -> Self {
        Self {
            slots: (0..LEVELS * SLOTS).map(|_| Vec::new()).collect(),
            occupied: [0; LEVELS],
            now,
            count: 0,
        }
    }

    /// The tick up to which it has turned.
    pub const fn now(&self) -> u32 {
        self.now
    }

    /// How many keys wait.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        let entries: usize = self.slots.iter().map(Vec::capacity).sum();
        entries * size_of::<(u32, K)>() + self.slots.capacity() * size_of::<Vec<(u32, K)>>()
    }

    /// Lets `key` be due at tick `at`; what is past comes with the next tick.
    pub fn schedule(&mut self, at: u32, key: K) {
        self.count += 1;
        self.put(at.max(self.now.saturating_add(1)), key);
    }

    /// Turns on to tick `to` and hands out what is due until then, in the order of ticks.
    pub fn turn(&mut self, to: u32, mut due: impl FnMut(K)) {
        while let Some((level, slot, start)) = self.next()
            && start <= to
        {
            self.now = start;
            self.occupied[level] &= !(1 << slot);
            let entries = std::mem::take(&mut self.slots[level * SLOTS + slot]);
            for (at, key) in entries {
                if at <= start {
                    self.count -= 1;
                    due(key);
                } else {
                    self.put(at, key);
                }
            }
        }
        self.now = self.now.max(to);
    }

    /// The slot that comes first: its level, its index and the tick at which it begins. Whatever a finer level holds
    /// lies within the slot of the coarser level that has begun, so it comes before all that the coarser one holds.
    fn next(&self) -> Option<(usize, usize, u32)> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        let slot = self.occupied[level].trailing_zeros();
        let shift = level as u32 * BITS;
        let above = u64::from(self.now) >> (shift + BITS) << (shift + BITS);
        let start = above | u64::from(slot) << shift;
        Some((level, slot as usize, u32::try_from(start).unwrap_or(u32::MAX)))
    }

    fn put(&mut self, at: u32, key: K) {
        let level = (u32::BITS - (at ^ self.now).leading_zeros()).saturating_sub(1) / BITS;
        let slot = (at >> (level * BITS)) as usize % SLOTS;
        self.occupied[level as usize] |= 1 << slot;
        self.slots[level as usize * SLOTS + slot].push((at, key));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turned(wheel: &mut Wheel<u32>, to: u32) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.turn(to, |key| due.push(key));
        due
    }

    #[test]
    fn far_deadlines_come_in_their_tick() {
        let deadlines = [1, 63, 64, 65, 4_095, 4_096, 262_144, 300_000_000, u32::MAX - 1, u32::MAX];
        for at in deadlines {
            let mut wheel = Wheel::new(0);
            wheel.schedule(at, at);
            assert!(turned(&mut wheel, at - 1).is_empty());
            assert_eq!(turned(&mut wheel, at), [at]);
            assert!(wheel.is_empty());
        }
    }

    #[test]
    fn what_is_past_comes_with_the_next_tick() {
        let mut wheel = Wheel::new(100);
        wheel.schedule(7, 7);
        assert!(turned(&mut wheel, 100).is_empty());
        assert_eq!(turned(&mut wheel, 101), [7]);
    }

    #[test]
    fn a_long_jump_hands_out_everything_in_order() {
        let mut wheel = Wheel::new(0);
        for at in [9_000_000, 3, 70, 5_000, 64, 4_000_000_000] {
            wheel.schedule(at, at);
        }
        assert_eq!(turned(&mut wheel, u32::MAX), [3, 64, 70, 5_000, 9_000_000, 4_000_000_000]);
    }

    proptest! {
        #[test]
        fn nothing_comes_early_late_or_never(
            acts in proptest::collection::vec((0_u32..3, 0_u32..300_000), 1..200),
            began in 0_u32..100_000,
        ) {
            let mut wheel = Wheel::new(began);
            let mut waiting: Vec<u32> = Vec::new();
            for (act, amount) in acts {
                let amount = amount >> (act * 6);
                if act == 2 {
                    let to = wheel.now() + amount * 3;
                    let due = turned(&mut wheel, to);
                    let (mut expected, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|at| *at <= to);
                    expected.sort_unstable();
                    prop_assert_eq!(due, expected);
                    waiting = later;
                } else {
                    let at = wheel.now() + 1 + amount;
                    wheel.schedule(at, at);
                    waiting.push(at);
                }
                prop_assert_eq!(wheel.len(), waiting.len());
            }
        }
    }
}
