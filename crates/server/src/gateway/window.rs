//! Windows: an account's conversations as rows, and one conversation in detail.

use serde_json::json;
use suda_domain::membership::Interval;
use suda_domain::ports::inbox::{InboxCursor, InboxRow};
use suda_domain::ports::log::{Piece, Wanted};
use suda_proto::entry::MessageBody;
use suda_proto::reply::{Detail, Opened, Row, Window};
use suda_proto::request::WindowQuery;
use suda_proto::{AccountId, Code, ConversationId, ErrorBody, Raw};

use super::resume::{Resume, cursor_text, read_cursor};
use super::{Caller, history};
use crate::host::View;
use crate::server::{Server, storage};

/// How many rows a window has where nobody says.
const ROWS: u32 = 50;

/// Longest text of a row's last message, in characters.
const PREVIEW: usize = 160;

/// Answers `window`.
///
/// # Errors
/// `bad_request` for tokens that are none, or the storage's failure.
pub async fn window(server: &Server, caller: &Caller, query: &WindowQuery) -> Result<Window, ErrorBody> {
    let not_ours = |what: &str| Code::BadRequest.because(what);
    let since = match &query.since {
        Some(token) => Resume::read(token).ok_or_else(|| not_ours("since"))?.since(),
        None => 0,
    };
    let after = match &query.after {
        Some(text) => Some(read_cursor(text).ok_or_else(|| not_ours("after"))?),
        None => None,
    };
    read(server, caller.account, since, after, query.limit).await
}

/// Reads a window: rows touched since, newest first, behind `after`.
pub(super) async fn read(
    server: &Server,
    account: AccountId,
    since: u64,
    after: Option<InboxCursor>,
    limit: Option<u32>,
) -> Result<Window, ErrorBody> {
    let resume = Resume { epoch: server.ports.log.epoch(), now: server.clock.now() }.token();
    let limit = limit.unwrap_or(ROWS).clamp(1, server.settings.limits.window_rows);
    let rows = server.ports.inbox.rows(account, since, after, limit).await.map_err(storage)?;
    let next = rows
        .last()
        .filter(|_| rows.len() == limit as usize)
        .map(|last| cursor_text(InboxCursor { touched: last.touched(), conversation: last.conversation }));
    Ok(Window { rows: complete(server, account, rows).await?, next, resume })
}

/// Rows for the wire, each with its last message as it stands; all messages are read at once.
pub(super) async fn complete(
    server: &Server,
    account: AccountId,
    rows: Vec<InboxRow>,
) -> Result<Vec<Row>, ErrorBody> {
    let wanted = rows.iter().filter_map(wanted_message).collect();
    let mut pieces = server.ports.log.pieces(wanted).await.map_err(storage)?.into_iter();
    let mut completed = Vec::with_capacity(rows.len());
    for row in rows {
        let piece = wanted_message(&row).and_then(|_| pieces.next());
        let last = last_message(server, account, &row, piece.unwrap_or_default()).await?;
        completed.push(wire_row(account, row, last));
    }
    Ok(completed)
}

fn wire_row(account: AccountId, row: InboxRow, last: Option<suda_proto::Entry>) -> Row {
    let unread = match row.role {
        Some(_) => row.marks.unread(row.summary.ordinal, row.joined_ordinal),
        None => 0,
    };
    Row {
        conversation: row.conversation,
        kind: row.header.kind,
        epoch: row.epoch,
        head: row.summary.head,
        floor: row.floor,
        ordinal: row.summary.ordinal,
        at: row.touched(),
        peer: peer(row.header.pair, account),
        title: row.header.title,
        members: row.header.members,
        role: row.role,
        read: row.marks.seen(),
        unread,
        mentions: if unread == 0 { 0 } else { row.marks.mentions.len() as u32 },
        last,
    }
}

fn peer(pair: Option<[AccountId; 2]>, account: AccountId) -> Option<AccountId> {
    pair.and_then(|pair| pair.into_iter().find(|other| *other != account))
}

/// Where a row's last message is, if it may have one.
fn wanted_message(row: &InboxRow) -> Option<Wanted> {
    let seq = row.summary.last_message;
    let is_there = seq >= row.floor.max(1) && row.role.is_some();
    is_there.then_some(Wanted { conversation: row.conversation, from: seq, to: seq, most_bytes: 0 })
}

/// The row's last message as its reader may see it; `piece` has nothing else.
async fn last_message(
    server: &Server,
    account: AccountId,
    row: &InboxRow,
    piece: Piece,
) -> Result<Option<suda_proto::Entry>, ErrorBody> {
    let Some(entry) = piece.entries.first() else {
        return Ok(None);
    };
    let seq = entry.envelope.seq;
    if entry.envelope.ordinal <= row.joined_ordinal {
        // It may lie in a time of absence; only the host knows every interval.
        let view = server.hosts()?.view(row.conversation, account).await?;
        if !view.member.sees(seq) {
            return Ok(None);
        }
    }
    let visible = [Interval { from: seq, to: seq }];
    let reader = history::Reader {
        account,
        // What an erased author wrote reads as erased already.
        erased: &[],
        visible: &visible,
    };
    let entry = history::standing(server, row.conversation, &reader, &piece).await?.pop();
    Ok(entry.map(|mut entry| {
        entry.body = entry.body.map(shorten);
        entry
    }))
}

fn shorten(body: Raw) -> Raw {
    match body.parse::<MessageBody>() {
        Ok(MessageBody::Text { text, .. }) if text.chars().count() > PREVIEW => {
            let text: String = text.chars().take(PREVIEW).collect();
            Raw::of(&json!({ "type": "text", "text": text }))
        }
        Ok(MessageBody::Custom { .. }) => Raw::of(&json!({ "type": "custom", "data": null })),
        _ => body,
    }
}

/// Answers `conversation`.
///
/// # Errors
/// What the conversation or the storage has against it.
pub async fn detail(
    server: &Server,
    caller: &Caller,
    conversation: ConversationId,
) -> Result<Detail, ErrorBody> {
    let view = server.hosts()?.view(conversation, caller.account).await?;
    let row = inbox_row(conversation, &view);
    let wanted = wanted_message(&row).into_iter().collect();
    let pieces = server.ports.log.pieces(wanted).await.map_err(storage)?;
    let piece = pieces.into_iter().next().unwrap_or_default();
    let last = last_message(server, caller.account, &row, piece).await?;
    let membership = view.membership;
    Ok(Detail {
        row: Row {
            conversation,
            kind: membership.header.kind,
            epoch: view.epoch,
            head: view.summary.head,
            floor: view.member.floor(),
            ordinal: view.summary.ordinal,
            at: view.summary.at.max(view.marks.touched),
            title: membership.header.title,
            peer: peer(membership.header.pair, caller.account),
            members: membership.header.members,
            role: Some(view.member.role),
            read: view.marks.seen(),
            unread: view.unread.0,
            mentions: view.unread.1,
            last,
        },
        members: view.members,
        history: membership.history,
        edit_seconds: membership.edit_seconds,
        dissolved: membership.header.dissolved,
        data: membership.data.map(Raw::trusted),
    })
}

fn inbox_row(conversation: ConversationId, view: &View) -> InboxRow {
    InboxRow {
        conversation,
        epoch: view.epoch,
        header: view.membership.header.clone(),
        summary: view.summary,
        role: Some(view.member.role),
        floor: view.member.floor(),
        joined_ordinal: view.member.joined_ordinal,
        marks: view.marks.clone(),
    }
}

/// Answers `open`: the members' watermarks; the session is told of changes from now on.
///
/// # Errors
/// What the conversation has against it.
pub async fn open(
    server: &Server,
    caller: &Caller,
    conversation: ConversationId,
) -> Result<Opened, ErrorBody> {
    // Opened before it is read, so that no change falls between.
    if let Some(session) = &caller.session {
        session.open(conversation);
    }
    match server.hosts()?.view(conversation, caller.account).await {
        Ok(view) => Ok(Opened {
            epoch: view.epoch,
            head: view.summary.head,
            members: view.members,
            online: None,
            presences: Vec::new(),
        }),
        Err(error) => {
            if let Some(session) = &caller.session {
                session.shut(conversation);
            }
            Err(error)
        }
    }
}

/// Whether the account is in as many conversations as it may.
pub(crate) async fn is_full(server: &Server, account: AccountId) -> Result<bool, ErrorBody> {
    let count = server.ports.inbox.count(account).await.map_err(storage)?;
    Ok(count >= server.settings.limits.conversations)
}
