//! Numbered packets of one sender as they arrive: put in order, each once, with a note of what is missing.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

/// How long a packet may be missing before it is asked for: most gaps are only packets that overtook others.
pub const PATIENCE_MS: u64 = 20;

/// Time between two questions for the same packet.
pub const REPEAT_MS: u64 = 200;

/// How long a packet is asked for before it is given up.
pub const GIVE_UP_MS: u64 = 10_000;

/// Most ranges of numbers in a question.
pub const RANGES_MAX: usize = 32;

/// Most gaps that are kept apart.
const GAPS_MAX: usize = 1_024;

/// Most packets that wait for earlier ones.
const WAITING_MAX: usize = 8_192;

/// Most bytes that wait for earlier ones.
const WAITING_BYTES: usize = 8 << 20;

/// What comes out: a packet, or `None` where packets will never come.
pub type Arrived = Option<Bytes>;

/// The packets of one sender, from one of its numberings.
///
/// Whatever there is no room for is treated as if it had been lost: it is asked for again.
#[derive(Debug)]
pub struct Lane {
    /// The greatest number that is known to have been sent.
    known: u64,
    /// What is missing, in order; apart from it, everything up to `known` has arrived.
    gaps: VecDeque<Gap>,
    /// What arrived behind the first gap.
    waiting: BTreeMap<u64, Bytes>,
    waiting_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    first: u64,
    last: u64,
    noticed_at: u64,
    asked_at: Option<u64>,
}

impl Gap {
    fn asks_at(&self) -> u64 {
        self.asked_at.map_or(self.noticed_at + PATIENCE_MS, |asked_at| asked_at + REPEAT_MS)
    }

    const fn gives_up_at(&self) -> u64 {
        self.noticed_at + GIVE_UP_MS
    }
}

impl Lane {
    /// Expects the packet after that number.
    pub const fn after(number: u64) -> Self {
        Self { known: number, gaps: VecDeque::new(), waiting: BTreeMap::new(), waiting_bytes: 0 }
    }

    /// A packet arrived.
    pub fn take(&mut self, number: u64, packet: Bytes, now_ms: u64, out: &mut impl FnMut(Arrived)) {
        if number > self.known {
            self.take_new(number, packet, now_ms, out);
        } else {
            self.take_missing(number, packet, out);
        }
    }

    /// The sender says how far it is.
    pub fn told(&mut self, last: u64, now_ms: u64) {
        if last > self.known && self.gaps.len() < GAPS_MAX {
            self.miss(last, now_ms);
            self.known = last;
        }
    }

    /// The sender has nothing below `first` any more.
    pub fn gone(&mut self, first: u64, out: &mut impl FnMut(Arrived)) {
        while let Some(gap) = self.gaps.front_mut()
            && gap.first < first
        {
            out(None);
            if gap.last >= first {
                gap.first = first;
            } else {
                self.gaps.pop_front();
                self.settle(out);
            }
        }
    }

    /// Gives up what has been missing for too long.
    pub fn turn(&mut self, now_ms: u64, out: &mut impl FnMut(Arrived)) {
        while self.gaps.front().is_some_and(|gap| gap.gives_up_at() <= now_ms) {
            self.gaps.pop_front();
            out(None);
            self.settle(out);
        }
    }

    /// The ranges to ask for now, at most [`RANGES_MAX`].
    pub fn missing(&mut self, now_ms: u64) -> Vec<(u64, u64)> {
        let due = self.gaps.iter_mut().filter(|gap| gap.asks_at() <= now_ms).take(RANGES_MAX);
        due.map(|gap| {
            gap.asked_at = Some(now_ms);
            (gap.first, gap.last)
        })
        .collect()
    }

    /// When it needs a turn; `None` while nothing is missing.
    pub fn due_at(&self) -> Option<u64> {
        self.gaps.iter().map(|gap| gap.asks_at().min(gap.gives_up_at())).min()
    }

    fn take_new(&mut self, number: u64, packet: Bytes, now_ms: u64, out: &mut impl FnMut(Arrived)) {
        let is_next = number == self.known + 1;
        if is_next && self.gaps.is_empty() {
            self.known = number;
            out(Some(packet));
        } else if self.has_room(&packet) && (is_next || self.gaps.len() < GAPS_MAX) {
            if !is_next {
                self.miss(number - 1, now_ms);
            }
            self.known = number;
            self.wait(number, packet);
        }
    }

    fn take_missing(&mut self, number: u64, packet: Bytes, out: &mut impl FnMut(Arrived)) {
        let index = self.gaps.partition_point(|gap| gap.last < number);
        let Some(&gap) = self.gaps.get(index).filter(|gap| gap.first <= number) else { return };
        let is_first = index == 0 && gap.first == number;
        let splits = gap.first < number && number < gap.last;
        if !is_first && !self.has_room(&packet) || splits && self.gaps.len() >= GAPS_MAX {
            return;
        }
        self.gaps.remove(index);
        if number < gap.last {
            self.gaps.insert(index, Gap { first: number + 1, ..gap });
        }
        if gap.first < number {
            self.gaps.insert(index, Gap { last: number - 1, ..gap });
        }
        if is_first {
            out(Some(packet));
            self.settle(out);
        } else {
            self.wait(number, packet);
        }
    }

    /// Notes that everything after `known` up to `last` is missing.
    fn miss(&mut self, last: u64, now_ms: u64) {
        self.gaps.push_back(Gap { first: self.known + 1, last, noticed_at: now_ms, asked_at: None });
    }

    fn has_room(&self, packet: &Bytes) -> bool {
        self.waiting.len() < WAITING_MAX && self.waiting_bytes + packet.len() <= WAITING_BYTES
    }

    fn wait(&mut self, number: u64, packet: Bytes) {
        self.waiting_bytes += packet.len();
        self.waiting.insert(number, packet);
    }

    /// Hands out what no longer waits for anything.
    fn settle(&mut self, out: &mut impl FnMut(Arrived)) {
        let end = self.gaps.front().map_or(u64::MAX, |gap| gap.first);
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() < end
        {
            let packet = entry.remove();
            self.waiting_bytes -= packet.len();
            out(Some(packet));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A lane and what came out of it: numbers, 0 for a gap.
    struct Check(Lane, Vec<u64>);

    impl Check {
        fn new(after: u64) -> Self {
            Self(Lane::after(after), Vec::new())
        }

        fn run(&mut self, act: impl FnOnce(&mut Lane, &mut dyn FnMut(Arrived))) -> Vec<u64> {
            let Self(lane, out) = self;
            act(lane, &mut |packet| out.push(packet.map_or(0, |bytes| number_of(&bytes))));
            std::mem::take(out)
        }

        fn take(&mut self, number: u64, now_ms: u64) -> Vec<u64> {
            self.run(|lane, mut out| lane.take(number, packet(number), now_ms, &mut out))
        }
    }

    const NONE: [u64; 0] = [];

    fn packet(number: u64) -> Bytes {
        Bytes::copy_from_slice(&number.to_be_bytes())
    }

    fn number_of(bytes: &Bytes) -> u64 {
        u64::from_be_bytes(bytes[..8].try_into().expect("eight bytes"))
    }

    #[test]
    fn packets_come_in_order_and_once() {
        let mut check = Check::new(4);
        assert_eq!(check.take(5, 0), [5]);
        assert_eq!(check.take(5, 0), NONE);
        assert_eq!(check.take(4, 0), NONE);
        assert_eq!(check.take(8, 0), NONE);
        assert_eq!(check.take(8, 0), NONE);
        assert_eq!(check.take(7, 0), NONE);
        assert_eq!(check.take(6, 0), [6, 7, 8]);
        assert_eq!(check.0.due_at(), None);
    }

    #[test]
    fn what_is_missing_is_asked_for_after_a_moment_and_again() {
        let mut check = Check::new(0);
        check.take(3, 100);
        check.take(5, 110);
        assert_eq!(check.0.missing(119), []);
        assert_eq!(check.0.due_at(), Some(120));
        assert_eq!(check.0.missing(120), [(1, 2)]);
        assert_eq!(check.0.missing(130), [(4, 4)]);
        assert_eq!(check.0.missing(319), []);
        assert_eq!(check.0.missing(330), [(1, 2), (4, 4)]);
        check.0.told(7, 400);
        assert_eq!(check.0.missing(420), [(6, 7)]);
    }

    #[test]
    fn gaps_are_given_up_in_their_place() {
        let mut check = Check::new(0);
        for number in [2, 4, 7] {
            check.take(number, number);
        }
        assert_eq!(check.run(|lane, mut out| lane.gone(6, &mut out)), [0, 2, 0, 4, 0]);
        assert_eq!(check.run(|lane, mut out| lane.turn(GIVE_UP_MS + 6, &mut out)), NONE);
        assert_eq!(check.run(|lane, mut out| lane.turn(GIVE_UP_MS + 7, &mut out)), [0, 7]);
        assert_eq!(check.run(|lane, mut out| lane.gone(50, &mut out)), NONE);
        assert_eq!(check.take(8, 0), [8]);
    }

    #[test]
    fn what_there_is_no_room_for_is_asked_for_again() {
        let mut check = Check::new(0);
        for number in 2..2 + 2 * WAITING_MAX as u64 {
            check.take(number, 0);
        }
        let first = check.take(1, 0);
        assert_eq!(first.len(), WAITING_MAX + 1);
        let mut check = Check::new(0);
        for number in 1..2 * GAPS_MAX as u64 {
            check.take(2 * number, 0);
        }
        assert_eq!(check.0.gaps.len(), GAPS_MAX);
        assert_eq!(check.0.missing(PATIENCE_MS).len(), RANGES_MAX);
    }

    proptest! {
        #[test]
        fn any_order_with_repetitions_comes_out_in_order(
            numbers in proptest::collection::vec(1_u64..60, 0..200), given_up in 0_u64..60,
        ) {
            let mut check = Check::new(0);
            let mut came = Vec::new();
            for number in &numbers {
                came.extend(check.take(*number, 0));
            }
            check.0.told(60, 0);
            came.extend(check.run(|lane, mut out| lane.gone(given_up, &mut out)));
            came.extend((1..=60).flat_map(|number| check.take(number, 0)));
            prop_assert!(check.0.gaps.is_empty() && check.0.waiting.is_empty() && check.0.waiting_bytes == 0);
            let packets: Vec<u64> = came.iter().copied().filter(|number| *number != 0).collect();
            prop_assert!(packets.is_sorted_by(|a, b| a < b));
            // What did not come was said to be missing, and only what was given up did not come.
            prop_assert_eq!(came.contains(&0), packets.len() < 60);
            let lost = (1..=60).filter(|number| !packets.contains(number));
            prop_assert!(lost.clone().all(|number| number < given_up && !numbers.contains(&number)));
        }
    }
}
