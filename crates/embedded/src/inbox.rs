//! Port [`Inbox`]: an account's conversations, from the same index as their entries.
//!
//! A message rewrites its conversation's summary and its author's row only; what others' lists
//! show is put together when they are read.

use std::cmp::Reverse;
use std::collections::BTreeMap;
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

/// Rows read at once.
const CHUNK: usize = 1_024;

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
        self.blocking(move |core| {
            let mut view = core.index.view()?;
            let member: Option<MemberRow> = view.get(&member_key(account, conversation))?;
            let Some(member) = member.filter(|member| !member.own) else {
                return Ok(None);
            };
            let summary = summary(&mut view, conversation, &member)?;
            core.inbox_row(&mut view, conversation, member, summary).map(Some)
        })
        .await
    }

    async fn count(&self, account: AccountId) -> Result<u32, Failure> {
        self.blocking(move |core| {
            let mut count = 0;
            each_member_row(&mut core.index.view()?, account, |_, _, member| {
                count += u32::from(member.role.is_some());
                Ok(())
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
        let place = |touched, conversation| (Reverse(touched), conversation);
        let after = after.map(|after| place(after.touched, after.conversation));
        let mut first = BTreeMap::new();
        let mut view = self.index.view()?;
        each_member_row(&mut view, account, |view, conversation, member| {
            if member.role.is_none() && since == 0 {
                return Ok(());
            }
            let summary = summary(view, conversation, &member)?;
            let touched = summary.at.max(member.marks.touched);
            let place = place(touched, conversation);
            if touched >= since && after.is_none_or(|after| place > after) {
                first.insert(place, (member, summary));
                if first.len() > limit {
                    first.pop_last();
                }
            }
            Ok(())
        })?;
        let rows = first.into_iter().map(|((_, conversation), (member, summary))| {
            self.inbox_row(&mut view, conversation, member, summary)
        });
        rows.collect()
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
    mut visit: impl FnMut(&mut View<'_>, ConversationId, MemberRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut from, to) = member_keys(account);
    loop {
        let rows = view.range(&from, &to, CHUNK)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        from = [last.as_ref(), &[0]].concat().as_slice().into();
        for (key, value) in rows {
            let member = MemberRow::decode(&value).map_err(IndexError::from)?;
            if let Some(conversation) = conversation_of_member(&key).filter(|_| !member.own) {
                visit(view, conversation, member)?;
            }
        }
    }
}
