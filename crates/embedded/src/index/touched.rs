//! When conversations were touched last: remembered for those in lists that were read lately, so that a list need not read
//! the summary of every conversation to find the newest.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use suda_proto::ConversationId;

/// Parts that are locked apart.
const PARTS: usize = 256;

/// Most times in each of the two generations of a part: a million in all.
const GENERATION: usize = 2_048;

/// The times, milliseconds since 1970.
pub struct Touched {
    parts: Vec<Mutex<Part>>,
}

/// Times that were used lately: what is not used while a generation comes into being is forgotten.
#[derive(Default)]
struct Part {
    young: HashMap<ConversationId, u64, RandomState>,
    old: HashMap<ConversationId, u64, RandomState>,
}

impl Default for Touched {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect() }
    }
}

impl Touched {
    /// The time of a conversation; `read` reads it where it is not remembered. A change that comes meanwhile waits, and
    /// is not missed.
    pub fn get<E>(
        &self,
        conversation: ConversationId,
        read: impl FnOnce() -> Result<Option<u64>, E>,
    ) -> Result<Option<u64>, E> {
        let mut part = self.part(conversation);
        if let Some(at) = part.young.get(&conversation) {
            return Ok(Some(*at));
        }
        let at = match part.old.remove(&conversation) {
            Some(at) => Some(at),
            None => read()?,
        };
        if let Some(at) = at {
            part.insert(conversation, at);
        }
        Ok(at)
    }

    /// The conversation was touched then, and readers can see it: if its time is remembered, it is this from now on.
    pub fn set(&self, conversation: ConversationId, at: u64) {
        let mut part = self.part(conversation);
        let Part { young, old } = &mut *part;
        if let Some(known) = young.get_mut(&conversation).or_else(|| old.get_mut(&conversation)) {
            *known = at;
        }
    }

    fn part(&self, conversation: ConversationId) -> MutexGuard<'_, Part> {
        let part = &self.parts[usize::from(conversation.bytes()[15]) % PARTS];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn insert(&mut self, conversation: ConversationId, at: u64) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(conversation, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ConversationId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        ConversationId::from_bytes(bytes)
    }

    fn remembered(touched: &Touched, number: u32) -> Option<u64> {
        touched.get(id(number), || Ok::<_, ()>(None)).expect("reading succeeds")
    }

    #[test]
    fn only_what_is_remembered_is_changed() {
        let touched = Touched::default();
        touched.set(id(1), 5);
        assert_eq!(remembered(&touched, 1), None);
        assert_eq!(touched.get(id(1), || Ok::<_, ()>(Some(7))), Ok(Some(7)));
        assert_eq!(remembered(&touched, 1), Some(7));
        touched.set(id(1), 9);
        assert_eq!(remembered(&touched, 1), Some(9));
        assert_eq!(touched.get(id(2), || Err("broken")), Err("broken"));
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let touched = Touched::default();
        for number in 0..5 * GENERATION as u32 {
            // All of them are in one part.
            touched.get(id(number), || Ok::<_, ()>(Some(1))).expect("reading succeeds");
            assert_eq!(remembered(&touched, 0), Some(1), "what is used stays");
        }
        assert_eq!(remembered(&touched, 1), None);
        touched.set(id(5 * GENERATION as u32 - 1), 2);
        assert_eq!(remembered(&touched, 5 * GENERATION as u32 - 1), Some(2));
        let part = touched.part(id(0));
        assert!(part.young.len() <= GENERATION && part.old.len() <= GENERATION);
    }
}
