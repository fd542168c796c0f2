//! A session's lists of accounts, all in one piece of memory: most sessions have one short list.

/// How many bits of a list's head say how long it is; those above say its source.
const LENGTH_BITS: u32 = 24;

/// Lists one behind the other, each behind a head with its source and length.
#[derive(Debug, Default)]
pub struct Lists(Box<[u32]>);

impl Lists {
    /// Every list: its source, and numbers of accounts in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u32])> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (head, behind) = rest.split_first()?;
            let length = (head & ((1 << LENGTH_BITS) - 1)) as usize;
            let (list, next) = behind.split_at_checked(length)?;
            rest = next;
            Some(((head >> LENGTH_BITS) as u8, list))
        })
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces the list of a source; the old one. An empty list is none.
    pub fn put(&mut self, source: u8, list: &[u32]) -> Vec<u32> {
        let mut all = Vec::new();
        let mut old = Vec::new();
        let others = self.iter().filter(|(known, _)| *known != source);
        let wanted = others.chain(std::iter::once((source, list)).filter(|(_, list)| !list.is_empty()));
        for (source, list) in wanted {
            all.push(u32::from(source) << LENGTH_BITS | list.len() as u32);
            all.extend_from_slice(list);
        }
        if let Some((_, known)) = self.iter().find(|(known, _)| *known == source) {
            old.extend_from_slice(known);
        }
        self.0 = all.into_boxed_slice();
        old
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_replaced_by_their_source() {
        let mut lists = Lists::default();
        assert!(lists.put(0, &[1, 2, 3]).is_empty());
        assert!(lists.put(7, &[2]).is_empty());
        assert_eq!(lists.put(0, &[4, 5]), [1, 2, 3]);
        let all: Vec<_> = lists.iter().collect();
        assert_eq!(all, [(7, [2].as_slice()), (0, &[4, 5])]);
        assert_eq!(lists.put(7, &[]), [2]);
        assert_eq!((lists.put(9, &[]), lists.heap_bytes()), (Vec::new(), 12));
        assert_eq!(lists.put(0, &[]), [4, 5]);
        assert!(lists.is_empty());
    }
}
