//! Who is there, of those who are shown. The client knows it; this is what was read of it last.

use std::collections::HashMap;

use suda_proto::presence::Presence;
use suda_proto::{AccountId, ConversationId};

use super::freshness::Freshness;

/// Who is there.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    /// The others of the direct conversations that are shown, as the client was told.
    pub watched: Vec<AccountId>,
    /// Reads of how they stand.
    pub freshness: Freshness,
    presences: HashMap<AccountId, Presence>,
    online: Option<(ConversationId, u32)>,
}

impl Attendance {
    /// Takes over how those who are shown stand, and how many are online in a conversation.
    pub fn replace(&mut self, presences: Vec<Presence>, online: Option<(ConversationId, u32)>) {
        self.presences = presences.into_iter().map(|presence| (presence.account, presence)).collect();
        self.online = online;
    }

    /// How somebody stands, where that was read.
    pub fn of(&self, account: AccountId) -> Option<&Presence> {
        self.presences.get(&account)
    }

    /// How many others are online in a conversation, where that is known.
    pub fn online(&self, conversation: ConversationId) -> Option<u32> {
        self.online.filter(|(counted, _)| *counted == conversation).map(|(_, online)| online)
    }
}
