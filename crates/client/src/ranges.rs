//! A set of sequence numbers as ranges: which entries of a conversation the cache holds.

use serde::{Deserialize, Serialize};

/// Ascending ranges, both ends included, that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest number.
    pub fn last(&self) -> Option<u64> {
        self.0.last().map(|range| range.1)
    }

    /// The range that `seq` lies in.
    pub fn around(&self, seq: u64) -> Option<(u64, u64)> {
        let index = self.0.partition_point(|range| range.1 < seq);
        self.0.get(index).copied().filter(|range| range.0 <= seq)
    }

    /// Whether `seq` is in it.
    pub fn contains(&self, seq: u64) -> bool {
        self.around(seq).is_some()
    }

    /// Whether everything from `from` to `to` is in it; true for an empty stretch.
    pub fn covers(&self, from: u64, to: u64) -> bool {
        from > to || self.around(from).is_some_and(|range| to <= range.1)
    }

    /// The first stretch from `from` to `to` that is not in it.
    pub fn first_hole(&self, from: u64, to: u64) -> Option<(u64, u64)> {
        let start = self.around(from).map_or(from, |range| range.1 + 1);
        if start > to {
            return None;
        }
        let next = self.0[self.0.partition_point(|range| range.0 <= start)..].first();
        Some((start, next.map_or(to, |range| to.min(range.0 - 1))))
    }

    /// Adds everything from `from` to `to`; nothing where `from > to`.
    pub fn insert(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        let begin = self.0.partition_point(|range| range.1.saturating_add(1) < from);
        let end = self.0.partition_point(|range| range.0 <= to.saturating_add(1));
        let merged =
            self.0[begin..end].iter().fold((from, to), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        self.0.splice(begin..end, [merged]);
    }

    /// The highest number below `seq`.
    pub fn last_below(&self, seq: u64) -> Option<u64> {
        let index = self.0.partition_point(|range| range.0 < seq);
        index.checked_sub(1).map(|before| self.0[before].1.min(seq - 1))
    }

    /// Where the newest `count` ranges begin; nothing where there are no more than that.
    pub fn start_of_newest(&self, count: usize) -> Option<u64> {
        self.0.len().checked_sub(count).filter(|surplus| *surplus > 0).map(|surplus| self.0[surplus].0)
    }

    /// Removes everything below `from`.
    pub fn keep_from(&mut self, from: u64) {
        self.0.retain(|range| range.1 >= from);
        if let Some(first) = self.0.first_mut() {
            first.0 = first.0.max(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn plain(ranges: &Ranges) -> BTreeSet<u64> {
        ranges.0.iter().flat_map(|range| range.0..=range.1).collect()
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(inserts in prop::collection::vec((1u64..60, 0u64..12), 0..20), from in 1u64..60, length in 0u64..20) {
            let mut ranges = Ranges::default();
            let mut model = BTreeSet::new();
            for (start, length) in inserts {
                ranges.insert(start, start + length);
                model.extend(start..=start + length);
            }
            prop_assert_eq!(plain(&ranges), model.clone());
            prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "ranges touch: {:?}", ranges);
            prop_assert_eq!(ranges.last(), model.last().copied());
            let to = from + length;
            let missing: Vec<u64> = (from..=to).filter(|seq| !model.contains(seq)).collect();
            prop_assert_eq!(ranges.covers(from, to), missing.is_empty());
            match ranges.first_hole(from, to) {
                None => prop_assert!(missing.is_empty()),
                Some((first, last)) => {
                    prop_assert_eq!(first, missing[0]);
                    prop_assert!((first..=last).all(|seq| !model.contains(&seq)));
                    prop_assert!(last == to || model.contains(&(last + 1)));
                }
            }
        }

        #[test]
        fn forgets_what_lies_below(starts in prop::collection::btree_set(1u64..40, 0..12), from in 1u64..50, count in 1usize..6) {
            let mut ranges = Ranges::default();
            for start in &starts {
                ranges.insert(start * 3, start * 3 + 1);
            }
            let model = plain(&ranges);
            prop_assert_eq!(ranges.last_below(from), model.range(..from).next_back().copied());
            let start = ranges.start_of_newest(count);
            prop_assert_eq!(start, starts.iter().rev().nth(count - 1).filter(|_| starts.len() > count).map(|start| start * 3));
            ranges.keep_from(from);
            prop_assert_eq!(plain(&ranges), model.range(from..).copied().collect::<BTreeSet<_>>());
        }
    }

    #[test]
    fn an_empty_stretch_adds_nothing() {
        let mut ranges = Ranges::default();
        ranges.insert(5, 4);
        assert!(ranges.is_empty());
        assert!(ranges.covers(9, 8));
    }
}
