//! Who types: others, until they stop or are not heard of, and the account itself, told to others now and then. Pure
//! but for the clock, which comes from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use suda_proto::{AccountId, ConversationId};
use tokio::time::Instant;

/// Whoever is not heard of for so long has stopped.
const TYPING_FOR: Duration = Duration::from_secs(6);

/// Servers pass on at most so often that the account types, counted from whatever was told last.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How many may type at a time; more are not shown.
const MOST_TYPISTS: usize = 256;

/// In how many conversations the account's own typing is told at a time.
const MOST_PLACES: usize = 64;

/// Others who type.
#[derive(Clone, Debug, Default)]
pub struct Typists(Vec<Typist>);

#[derive(Clone, Copy, Debug)]
struct Typist {
    conversation: ConversationId,
    account: AccountId,
    until: Instant,
}

impl Typists {
    /// Somebody types or stopped; true where that is news.
    pub fn note(
        &mut self,
        conversation: ConversationId,
        account: AccountId,
        typing: bool,
        now: Instant,
    ) -> bool {
        let found = self.0.iter().position(|one| (one.conversation, one.account) == (conversation, account));
        match found {
            Some(index) if typing => self.0[index].until = now + TYPING_FOR,
            Some(index) => _ = self.0.remove(index),
            None if typing && self.0.len() < MOST_TYPISTS => {
                self.0.push(Typist { conversation, account, until: now + TYPING_FOR });
            }
            None => return false,
        }
        found.is_none() || !typing
    }

    /// Who types in a conversation, whoever began first in front.
    pub fn of(&self, conversation: ConversationId) -> Vec<AccountId> {
        let here = self.0.iter().filter(|one| one.conversation == conversation);
        here.map(|one| one.account).collect()
    }

    /// Forgets those who were not heard of for a while.
    pub fn expire(&mut self, now: Instant) -> Vec<(ConversationId, AccountId)> {
        self.forget(|one| one.until <= now)
    }

    /// Forgets everybody in a conversation, or everywhere.
    pub fn leave(&mut self, conversation: Option<ConversationId>) -> Vec<(ConversationId, AccountId)> {
        self.forget(|one| conversation.is_none_or(|left| left == one.conversation))
    }

    /// When the next is to be forgotten.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.0.iter().map(|one| one.until).min()
    }

    fn forget(&mut self, is_gone: impl Fn(&Typist) -> bool) -> Vec<(ConversationId, AccountId)> {
        let gone = self.0.extract_if(.., |one| is_gone(one));
        gone.map(|one| (one.conversation, one.account)).collect()
    }
}

/// What the others were told of the account's own typing: when, and whether it goes on.
#[derive(Debug, Default)]
pub struct OwnTyping(BTreeMap<ConversationId, (Instant, bool)>);

impl OwnTyping {
    /// The account types or stopped; true where the others are to be told.
    pub fn is_to_tell(&mut self, conversation: ConversationId, typing: bool, now: Instant) -> bool {
        self.0.retain(|_, (told_at, _)| now.saturating_duration_since(*told_at) < TYPING_FOR);
        let is_full = self.0.len() >= MOST_PLACES;
        match self.0.get_mut(&conversation) {
            Some((told_at, is_typing)) if !typing => {
                if *is_typing {
                    *told_at = now;
                }
                std::mem::take(is_typing)
            }
            None if !typing => false,
            Some((told_at, _)) if now.saturating_duration_since(*told_at) < TELL_EVERY => false,
            None if is_full => false,
            _ => {
                self.0.insert(conversation, (now, true));
                true
            }
        }
    }

    /// A message ends typing without a word, which would only hold up what is told of the next one.
    pub fn sent(&mut self, conversation: ConversationId) {
        if let Some((_, is_typing)) = self.0.get_mut(&conversation) {
            *is_typing = false;
        }
    }

    /// The line is gone, and with it what was told.
    pub fn lose(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ConversationId = ConversationId::from_bytes([1; 16]);
    const THERE: ConversationId = ConversationId::from_bytes([2; 16]);
    const MINA: AccountId = AccountId::from_bytes([3; 16]);
    const JUN: AccountId = AccountId::from_bytes([4; 16]);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn typists_stop_or_are_forgotten_six_seconds_after_they_were_heard_of() {
        let (mut typists, start) = (Typists::default(), Instant::now());
        assert!(typists.note(HERE, MINA, true, start));
        assert!(typists.note(HERE, JUN, true, start + seconds(1)));
        assert!(!typists.note(HERE, MINA, true, start + seconds(4)), "goes on");
        assert!(!typists.note(THERE, MINA, false, start), "never began");
        assert_eq!(typists.of(HERE), [MINA, JUN], "the order stays");
        assert_eq!(typists.next_expiry(), Some(start + seconds(7)));
        assert_eq!(typists.expire(start + seconds(7)), [(HERE, JUN)]);
        assert!(typists.note(HERE, MINA, false, start + seconds(8)));
        assert_eq!(typists.next_expiry(), None);
    }

    #[test]
    fn typists_are_left_behind_with_their_conversation() {
        let (mut typists, now) = (Typists::default(), Instant::now());
        for conversation in [HERE, THERE] {
            typists.note(conversation, MINA, true, now);
        }
        assert_eq!(typists.leave(Some(HERE)), [(HERE, MINA)]);
        assert_eq!(typists.leave(None), [(THERE, MINA)]);
        for number in 0..=u8::MAX {
            typists.note(HERE, AccountId::from_bytes([number; 16]), true, now);
        }
        assert!(!typists.note(THERE, MINA, true, now), "there are enough");
    }

    #[test]
    fn own_typing_is_told_once_a_second_and_stopped_once() {
        let (mut own, start) = (OwnTyping::default(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for (conversation, typing, now, is_told) in [
            (HERE, false, 0, false),
            (HERE, true, 0, true),
            (HERE, true, 999, false),
            (THERE, true, 999, true),
            (HERE, true, 1_000, true),
            (HERE, false, 1_100, true),
            (HERE, false, 1_200, false),
            (HERE, true, 1_300, false),
            (HERE, true, 2_000, false),
            (HERE, true, 2_100, true),
            (HERE, false, 8_100, false),
        ] {
            assert_eq!(own.is_to_tell(conversation, typing, at(now)), is_told, "{typing} at {now}");
        }
    }
}
