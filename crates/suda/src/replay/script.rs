//! The plan on the stage: which account sends which text into which conversation.

use suda_proto::ConversationId;

use super::copy::fingerprint;
use super::plan::Plan;
use super::stage::StagedAccount;

/// What all devices play by.
pub struct Script {
    /// What the file said.
    pub plan: Plan,
    /// Its accounts.
    pub accounts: Vec<StagedAccount>,
    /// Its conversations.
    pub conversations: Vec<ConversationId>,
}

impl Script {
    /// The conversations of an account.
    pub fn conversations_of(&self, account: usize) -> impl Iterator<Item = ConversationId> {
        self.plan.accounts[account].conversations.iter().map(|place| self.conversations[*place])
    }

    /// Where a message goes.
    pub fn conversation_of(&self, message: usize) -> ConversationId {
        self.conversations[self.plan.messages[message].conversation]
    }

    /// What a message says.
    pub fn text(&self, message: usize) -> &str {
        &self.plan.messages[message].text
    }

    /// The fingerprint of a message's author and text.
    pub fn fingerprint(&self, message: usize) -> u64 {
        let planned = &self.plan.messages[message];
        fingerprint(self.accounts[planned.account].id, &planned.text)
    }
}
