//! Port [`Inbox`]: an account's conversations, from the same index as their entries.
//!
//! A message rewrites its conversation's summary and its author's row only; what others' lists
//! show is put together when they are read.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use suda_domain::membership::Header;
use suda_domain::ports::Failure;
use suda_domain::ports::inbox::{Inbox, InboxCursor, InboxRow};
use suda_domain::receipts::Summary;
use suda_domain::stored::Stored;
use suda_proto::{AccountId, ConversationId};

use crate::conversation_log::{ConversationLog, Core};
use crate::index::IndexError;
use crate::index::tables::{
    MemberRow, conversation_of_member, member_key, member_keys, membership_key, summary_key,
};
use crate::index::view::View;

/// How often a list is put together again because it changed meanwhile.
const MOST_TRIES: u32 = 8;

/// A place in the order of a list: newest first.
type Place = (Reverse<u64>, ConversationId);

#[async_trait]
impl Inbox for ConversationLog {
    async fn rows(
        &self,
        account: AccountId,
        since: u64,
        after: Option<InboxCursor>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, Failure> {
        self.blocking(move |core| core.inbox_rows(account, since, after, limit as usize)).await
    }

    async fn row(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Option<InboxRow>, Failure> {
        self.reading(move |core| core.row_of(&mut core.index.view()?, account, conversation)).await
    }

    async fn count(&self, account: AccountId) -> Result<u32, Failure> {
        self.blocking(move |core| {
            let mut count = 0;
            each_member_row(&mut core.index.view()?, account, |_, member| {
                count += u32::from(member.role.is_some());
            })?;
            Ok(count)
        })
        .await
    }
}

impl Core {
    fn inbox_rows(
        &self,
        account: AccountId,
        since: u64,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, Failure> {
        let after = after.map(|after| (Reverse(after.touched), after.conversation));
        let mut view = self.index.view()?;
        let mut rows = Vec::new();
        for _ in 0..MOST_TRIES {
            let first = self.first(&mut view, account, since, after, limit)?;
            rows.clear();
            for (Reverse(touched), conversation) in &first {
                // What was touched since belongs elsewhere in the list by now.
                let row = self.row_of(&mut view, account, *conversation)?;
                rows.extend(row.filter(|row| row.touched() == *touched));
            }
            if rows.len() == first.len() {
                break;
            }
        }
        // Whoever still lacks a row is told of what touched it: it happened since the list was asked for.
        Ok(rows)
    }

    /// The first places of the list, behind `after`.
    fn first(
        &self,
        view: &mut View<'_>,
        account: AccountId,
        since: u64,
        after: Option<Place>,
        limit: usize,
    ) -> Result<BTreeSet<Place>, Failure> {
        let mut members = Vec::new();
        each_member_row(view, account, |conversation, member| {
            if member.role.is_some() || since > 0 {
                members.push((conversation, member.marks.touched, member.left.map(|left| left.at)));
            }
        })?;
        let mut first = BTreeSet::new();
        for (conversation, marked, left) in members {
            let at = match left {
                Some(left) => left,
                None => self.touched(view, conversation)?,
            };
            let place = (Reverse(at.max(marked)), conversation);
            let is_wanted = place.0.0 >= since && after.is_none_or(|after| place > after);
            let is_early = first.len() < limit || first.last().is_some_and(|last| place < *last);
            if is_wanted && is_early {
                first.insert(place);
                if first.len() > limit {
                    first.pop_last();
                }
            }
        }
        Ok(first)
    }

    /// When the conversation was touched last.
    fn touched(&self, view: &mut View<'_>, conversation: ConversationId) -> Result<u64, Failure> {
        let read = || {
            let summary: Option<Summary> = view.get(&summary_key(conversation))?;
            Ok::<_, IndexError>(summary.map(|summary| summary.at))
        };
        let what = "the summary";
        Ok(self.index.touched.get(conversation, read)?.ok_or(IndexError::Missing { conversation, what })?)
    }

    /// A conversation's row in the account's list, unless it is the account's own.
    fn row_of(
        &self,
        view: &mut View<'_>,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Option<InboxRow>, Failure> {
        let member: Option<MemberRow> = view.get(&member_key(account, conversation))?;
        let Some(member) = member.filter(|member| !member.own) else {
            return Ok(None);
        };
        let summary = summary(view, conversation, &member)?;
        self.inbox_row(view, conversation, member, summary).map(Some)
    }

    fn inbox_row(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        member: MemberRow,
        summary: Summary,
    ) -> Result<InboxRow, Failure> {
        let header = view.with(&membership_key(conversation), |bytes| Ok(Header::decode(bytes)?))?;
        let what = "the membership";
        Ok(InboxRow {
            conversation,
            epoch: self.epoch.load(Ordering::Acquire),
            header: header.ok_or(IndexError::Missing { conversation, what })?,
            summary,
            role: member.role,
            floor: member.floor,
            joined_ordinal: member.joined_ordinal,
            marks: member.marks,
        })
    }
}

/// How far the conversation has come for this member.
fn summary(
    view: &mut View<'_>,
    conversation: ConversationId,
    member: &MemberRow,
) -> Result<Summary, Failure> {
    if let Some(left) = member.left {
        return Ok(left);
    }
    let what = "the summary";
    let summary = view.get(&summary_key(conversation))?;
    Ok(summary.ok_or(IndexError::Missing { conversation, what })?)
}

/// Calls `visit` with each of the account's rows that belong in its list.
fn each_member_row(
    view: &mut View<'_>,
    account: AccountId,
    mut visit: impl FnMut(ConversationId, MemberRow),
) -> Result<(), Failure> {
    let (from, to) = member_keys(account);
    view.each(&from, &to, |key, value| {
        let member = MemberRow::decode(value)?;
        if let Some(conversation) = conversation_of_member(key).filter(|_| !member.own) {
            visit(conversation, member);
        }
        Ok(())
    })?;
    Ok(())
}
