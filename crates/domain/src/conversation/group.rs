//! Members, roles and settings of a group.

use std::collections::BTreeSet;

use suda_proto::entry::{AccountsBody, ConversationKind, CreatedBody, Role, RoleBody, SettingsBody};
use suda_proto::{AccountId, ClientId, Code, ErrorBody, Kind, Limits};

use super::Conversation;
use super::step::{Checked, Draft, Step};
use crate::account::line;
use crate::rights::Right;

/// Longest title, in characters.
const TITLE_CHARACTERS: usize = 128;

/// Longest time for editing: a year.
const EDIT_SECONDS_MAX: u32 = 366 * 24 * 3600;

/// Checks what a conversation is to begin with, and brings it into form.
pub(super) fn check_creation(
    author: AccountId,
    body: &mut CreatedBody,
    limits: &Limits,
) -> Result<(), ErrorBody> {
    let mut seen = BTreeSet::new();
    body.members.retain(|account| seen.insert(*account));
    if !seen.contains(&author) {
        return Err(Code::NotAllowed.error());
    }
    match (body.kind, body.members.len()) {
        (ConversationKind::Direct, 2) | (ConversationKind::Own, 1) => {}
        (ConversationKind::Group, count) if count <= limits.members as usize => {}
        (ConversationKind::Group, _) => return Err(Code::GroupFull.error()),
        _ => return Err(Code::BadRequest.because("members do not fit the kind")),
    }
    check_settings(&mut body.settings, limits)
}

fn check_settings(settings: &mut SettingsBody, limits: &Limits) -> Result<(), ErrorBody> {
    if let Some(title) = &mut settings.title {
        *title = line(title, TITLE_CHARACTERS).ok_or_else(|| Code::BadRequest.because("title"))?;
    }
    if settings.edit_seconds.is_some_and(|seconds| seconds > EDIT_SECONDS_MAX) {
        return Err(Code::BadRequest.because("edit_seconds"));
    }
    if settings.data.as_ref().is_some_and(|data| data.bytes().len() > limits.data_bytes as usize) {
        return Err(Code::DataTooLarge.error());
    }
    Ok(())
}

impl Conversation {
    pub(super) fn add_members(
        &self,
        author: AccountId,
        client_id: ClientId,
        accounts: &[AccountId],
        limits: &Limits,
    ) -> Checked<Vec<Draft>> {
        self.require_open(author, Right::AddMembers)?;
        let accounts: BTreeSet<AccountId> = accounts.iter().copied().collect();
        if accounts.is_empty() {
            return Err(Step::Refuse(Code::BadRequest.because("nobody to add")));
        }
        if accounts.iter().any(|account| self.membership.member(*account).is_some()) {
            return Err(Code::AlreadyMember.into());
        }
        if self.membership.members.len() + accounts.len() > limits.members as usize {
            return Err(Code::GroupFull.into());
        }
        let body = AccountsBody { accounts: accounts.into_iter().collect() };
        Ok(vec![Draft::new(Kind::MembersAdded, client_id).body(&body)])
    }

    pub(super) fn remove_member(
        &self,
        author: AccountId,
        client_id: ClientId,
        account: AccountId,
    ) -> Checked<Vec<Draft>> {
        if author == account {
            return self.leave(author, client_id);
        }
        self.require_open(author, Right::RemoveMembers)?;
        let theirs = self.membership.member(account).ok_or(Code::NoSuchAccount)?.role;
        if theirs >= self.role(author)? {
            return Err(Code::NotAllowed.into());
        }
        let body = AccountsBody { accounts: vec![account] };
        Ok(vec![Draft::new(Kind::MemberRemoved, client_id).body(&body)])
    }

    fn leave(&self, author: AccountId, client_id: ClientId) -> Checked<Vec<Draft>> {
        let role = self.role(author)?;
        let is_last = self.membership.members.len() == 1;
        let must_hand_over = role == Role::Owner && !is_last && !self.membership.header.dissolved;
        if !Right::Leave.is_given(self.kind(), role) || must_hand_over {
            return Err(Code::NotAllowed.into());
        }
        Ok(vec![Draft::new(Kind::MemberLeft, client_id)])
    }

    pub(super) fn change_role(
        &self,
        author: AccountId,
        client_id: ClientId,
        account: AccountId,
        role: Role,
    ) -> Checked<Vec<Draft>> {
        self.require_open(author, Right::ChangeRoles)?;
        if self.membership.member(account).is_none() {
            return Err(Code::NoSuchAccount.into());
        }
        if author == account {
            return Err(Code::NotAllowed.into());
        }
        Ok(vec![Draft::new(Kind::RoleChanged, client_id).body(&RoleBody { account, role })])
    }

    pub(super) fn change_settings(
        &self,
        author: AccountId,
        client_id: ClientId,
        settings: &SettingsBody,
        limits: &Limits,
    ) -> Checked<Vec<Draft>> {
        self.require_open(author, Right::ChangeSettings)?;
        let mut settings = settings.clone();
        check_settings(&mut settings, limits)?;
        Ok(vec![Draft::new(Kind::SettingsChanged, client_id).body(&settings)])
    }

    pub(super) fn dissolve(&self, author: AccountId, client_id: ClientId) -> Checked<Vec<Draft>> {
        self.require_open(author, Right::Dissolve)?;
        Ok(vec![Draft::new(Kind::Dissolved, client_id)])
    }

    /// Hands over what the author owns, takes it out, and erases what it wrote; nothing is refused, and repeating it
    /// repeats only what is missing.
    pub(super) fn erase_author(&self, author: AccountId, client_id: ClientId) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let part = |label: &str| ClientId::caused_by(label, &[client_id.bytes()]);
        if let Some(member) = self.membership.member(author) {
            let heir = self.membership.heir().filter(|_| member.role == Role::Owner);
            if let Some(account) = heir {
                let body = RoleBody { account, role: Role::Owner };
                drafts.push(Draft::new(Kind::RoleChanged, part("suda.heir.1")).body(&body));
            }
            drafts.push(Draft::new(Kind::MemberLeft, part("suda.left.1")));
        }
        drafts.push(Draft::new(Kind::AuthorErased, client_id));
        drafts
    }
}
