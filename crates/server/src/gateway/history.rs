//! Pages of history, as the messages stand, for one reader.

use std::collections::HashMap;

use suda_domain::entry::Entry;
use suda_domain::membership::Interval;
use suda_domain::page::{Sources, wanted_edits};
use suda_domain::ports::log::{Piece, Wanted};
use suda_proto::reply::{Page, Reacted, Reactions};
use suda_proto::request::{HistoryQuery, Range, ReactionsQuery};
use suda_proto::{AccountId, Code, ConversationId, ErrorBody};

use super::Caller;
use crate::server::{Server, storage};

/// Most bytes of bodies on a page.
const PAGE_BYTES: usize = 256 * 1024;

/// Answers `history`.
///
/// # Errors
/// What the conversation or the storage has against it.
pub async fn page(server: &Server, caller: &Caller, query: HistoryQuery) -> Result<Page, ErrorBody> {
    let HistoryQuery { conversation, range } = query;
    let view = server.hosts()?.view(conversation, caller.account).await?;
    let head = view.summary.head;
    let (from, to) = bounds(range, head, server.settings.limits.page_entries)?;
    let (mut from, to) = clamp(from, to, &view.member.intervals);
    let mut page =
        Page { conversation, epoch: view.epoch, head, from, to: from.saturating_sub(1), entries: Vec::new() };
    if from > to {
        return Ok(page);
    }
    let is_cut_in_front = matches!(range, Range::Newest { .. } | Range::Before { .. });
    let piece = loop {
        let wanted = Wanted { conversation, from, to, most_bytes: PAGE_BYTES };
        let pieces = server.ports.log.pieces(vec![wanted]).await.map_err(storage)?;
        let piece = pieces.into_iter().next().unwrap_or_default();
        let last = piece.entries.last().map_or(0, |last| last.envelope.seq);
        if last == to || !is_cut_in_front || from == to {
            break piece;
        }
        // Too large for one page: the newer half.
        from += (to - from).div_ceil(2);
    };
    page.from = from;
    if let Some(last) = piece.entries.last() {
        page.to = last.envelope.seq;
    }
    let reader =
        Reader { account: caller.account, erased: &view.membership.erased, visible: &view.member.intervals };
    page.entries = standing(server, conversation, &reader, &piece).await?;
    Ok(page)
}

/// Answers `reactions`.
///
/// # Errors
/// `no_such_message` where the reader cannot see it.
pub async fn reactions(
    server: &Server,
    caller: &Caller,
    query: ReactionsQuery,
) -> Result<Reactions, ErrorBody> {
    let ReactionsQuery { conversation, seq } = query;
    let view = server.hosts()?.view(conversation, caller.account).await?;
    if seq > view.summary.head || !view.member.sees(seq) {
        return Err(Code::NoSuchMessage.error());
    }
    let states = server.ports.log.message_states(conversation, seq, seq).await.map_err(storage)?;
    let reactions = states.into_iter().flat_map(|(_, state)| state.reactions);
    Ok(Reactions { reactions: reactions.map(|(account, emoji)| Reacted { account, emoji }).collect() })
}

/// Who reads, and what it may see.
pub(super) struct Reader<'a> {
    pub account: AccountId,
    pub erased: &'a [(AccountId, u64)],
    pub visible: &'a [Interval],
}

/// Entries as they stand; the bodies of edits that are not among them are read as needed.
pub(super) async fn standing(
    server: &Server,
    conversation: ConversationId,
    reader: &Reader<'_>,
    piece: &Piece,
) -> Result<Vec<suda_proto::Entry>, ErrorBody> {
    let Piece { entries, states } = piece;
    let from = entries.first().map_or(0, |first| first.envelope.seq);
    let mut edits: HashMap<u64, Entry> = HashMap::new();
    for seq in wanted_edits(states) {
        let here = seq.checked_sub(from).and_then(|place| entries.get(place as usize)).cloned();
        let edit = match here {
            Some(entry) => Some(entry),
            None => {
                let log = &server.ports.log;
                log.read(conversation, seq, seq, 0).await.map_err(storage)?.into_iter().next()
            }
        };
        if let Some(edit) = edit {
            edits.insert(seq, edit);
        }
    }
    let Reader { account, erased, visible } = *reader;
    Ok(Sources { erased, visible, states, edits: &edits, reader: account }.compose(entries))
}

/// The ends of a range, both included.
fn bounds(range: Range, head: u64, most: u32) -> Result<(u64, u64), ErrorBody> {
    let most = u64::from(most);
    let at_most = |limit: u32| u64::from(limit).clamp(1, most);
    Ok(match range {
        Range::Between { from, to } => {
            if from == 0 || from > to {
                return Err(Code::BadRequest.because("from and to"));
            }
            if from > head + 1 {
                return Err(Code::BeyondHead.error());
            }
            (from, to.min(head).min(from + most - 1))
        }
        Range::Newest { limit } => ((head + 1).saturating_sub(at_most(limit)).max(1), head),
        Range::Before { before, limit } => {
            let to = before.saturating_sub(1).min(head);
            ((to + 1).saturating_sub(at_most(limit)).max(1), to)
        }
        Range::Around { seq, limit } => {
            let from = seq.min(head).saturating_sub(at_most(limit) / 2).max(1);
            (from, (from + at_most(limit) - 1).min(head))
        }
    })
}

/// Cuts a range to what the reader may see at its ends.
fn clamp(from: u64, to: u64, visible: &[Interval]) -> (u64, u64) {
    let first = visible.first().map_or(u64::MAX, |interval| interval.from);
    let last = visible.last().map_or(0, |interval| interval.to);
    (from.max(first), to.min(last))
}
