//! Who is there: of accounts on screen and in open conversations, and of this account.

use suda_proto::presence::Presence;
use suda_proto::{AccountId, ConversationId};

use super::Client;
use crate::engine::Command;
use crate::error::ClientError;
use crate::model::ConversationPresence;

impl Client {
    /// Names the accounts on screen, in place of those before: their presence is wanted, up to 200, beyond which the
    /// first count. Members of open conversations need not be named. Kept until it is replaced, also over connections
    /// that are lost.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn watch(&self, accounts: Vec<AccountId>) -> Result<(), ClientError> {
        self.command(Command::Watch(accounts)).await
    }

    /// Whether somebody is there. `Unknown` without a connection, and for accounts that are neither watched nor in an
    /// open conversation; [`crate::event::ClientEvent::PresenceChanged`] tells when it is another.
    pub fn presence(&self, account: AccountId) -> Presence {
        self.inner.engine.attendance.borrow().of(account)
    }

    /// Who is there and who types in a conversation.
    ///
    /// # Errors
    /// `Cache` where it cannot be read.
    pub async fn conversation_presence(
        &self,
        conversation: ConversationId,
    ) -> Result<ConversationPresence, ClientError> {
        let row = self.inner.cache.conversation(conversation).await?.and_then(|held| held.row);
        Ok(ConversationPresence {
            peer: row.and_then(|row| row.peer).map(|peer| self.presence(peer)),
            online: self.inner.engine.attendance.borrow().online(conversation),
            typing: self.inner.engine.typists.borrow().of(conversation),
        })
    }

    /// Tells whether somebody is looking; only then is the account online, and only then are its pushes held back.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn set_foreground(&self, foreground: bool) -> Result<(), ClientError> {
        self.command(Command::Foreground(foreground)).await
    }
}
