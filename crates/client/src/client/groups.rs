//! Groups: making, changing, members, roles. All of it needs the server.

use reqwest::Method;
use suda_proto::entry::{History, Role, SettingsBody};
use suda_proto::reply::Sent;
use suda_proto::rest::{AddMembers, ConversationRef, GroupChange, NewGroup, RoleChange};
use suda_proto::{AccountId, ClientId, ConversationId};
use uuid::Uuid;

use super::Client;
use crate::error::ClientError;
use crate::rest::NOTHING;

impl Client {
    /// Makes a group with `members` beside oneself.
    ///
    /// # Errors
    /// `Server` where somebody cannot be added; `Unreachable`.
    pub async fn create_group(
        &self,
        title: Option<String>,
        members: Vec<AccountId>,
        history: History,
    ) -> Result<ConversationId, ClientError> {
        let settings = SettingsBody { title, history: Some(history), ..SettingsBody::default() };
        let body = NewGroup { client_id: new_id(), members, settings };
        let made: ConversationRef = self.inner.rest.call(Method::POST, "/v1/groups", Some(&body)).await?;
        self.refresh_if_online(made.conversation).await?;
        Ok(made.conversation)
    }

    /// Changes a group's title or settings; what is absent stays.
    ///
    /// # Errors
    /// `Server` where the role does not allow it; `Unreachable`.
    pub async fn change_group(
        &self,
        group: ConversationId,
        settings: SettingsBody,
    ) -> Result<(), ClientError> {
        let body = GroupChange { client_id: Some(new_id()), settings };
        let _: Sent =
            self.inner.rest.call(Method::PATCH, &format!("/v1/groups/{group}"), Some(&body)).await?;
        Ok(())
    }

    /// Adds members.
    ///
    /// # Errors
    /// `Server` where the role does not allow it or somebody cannot be added; `Unreachable`.
    pub async fn add_members(
        &self,
        group: ConversationId,
        accounts: Vec<AccountId>,
    ) -> Result<(), ClientError> {
        let body = AddMembers { client_id: Some(new_id()), accounts };
        let path = format!("/v1/groups/{group}/members");
        let _: Sent = self.inner.rest.call(Method::POST, &path, Some(&body)).await?;
        Ok(())
    }

    /// Removes a member.
    ///
    /// # Errors
    /// `Server` where the role does not allow it; `Unreachable`.
    pub async fn remove_member(&self, group: ConversationId, account: AccountId) -> Result<(), ClientError> {
        let path = format!("/v1/groups/{group}/members/{account}");
        let _: Sent = self.inner.rest.call(Method::DELETE, &path, NOTHING).await?;
        Ok(())
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// `Server` where the owner must hand the group over first; `Unreachable`.
    pub async fn leave_group(&self, group: ConversationId) -> Result<(), ClientError> {
        self.remove_member(group, self.inner.me).await
    }

    /// Changes a member's role; `owner` hands the group over.
    ///
    /// # Errors
    /// `Server` where the role does not allow it; `Unreachable`.
    pub async fn change_role(
        &self,
        group: ConversationId,
        account: AccountId,
        role: Role,
    ) -> Result<(), ClientError> {
        let path = format!("/v1/groups/{group}/members/{account}/role");
        let _: Sent = self.inner.rest.call(Method::PUT, &path, Some(&RoleChange { role })).await?;
        Ok(())
    }

    /// Closes a group for good.
    ///
    /// # Errors
    /// `Server` where the account is not its owner; `Unreachable`.
    pub async fn dissolve_group(&self, group: ConversationId) -> Result<(), ClientError> {
        let _: Sent = self.inner.rest.call(Method::DELETE, &format!("/v1/groups/{group}"), NOTHING).await?;
        Ok(())
    }
}

fn new_id() -> ClientId {
    ClientId(Uuid::now_v7())
}
