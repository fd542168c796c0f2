//! Windows: an account's conversations as rows, and one conversation in detail.

use std::sync::Arc;

use serde_json::json;
use suda_domain::membership::Interval;
use suda_domain::ports::inbox::{InboxCursor, InboxRow};
use suda_domain::ports::log::{Piece, Wanted};
use suda_proto::entry::{ConversationKind, MessageBody};
use suda_proto::presence::{Presence, PresenceState};
use suda_proto::reply::{Detail, Opened, Row, Window};
use suda_proto::request::WindowQuery;
use suda_proto::{AccountId, Code, ConversationId, ErrorBody, Raw};

use super::resume::{Resume, cursor_text, read_cursor};
use super::{Caller, history};
use crate::host::View;
use crate::presence::seeing::{self, Sights};
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
    let mut view = server.hosts()?.view(conversation, caller.account).await?;
    let (_, sights) = sights(server, caller, &view).await?;
    let kind = view.membership.header.kind;
    seeing::redact(&mut view.members, &sights, caller.who_may_see(), kind);
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

/// How the caller stands to the members of a conversation.
pub(super) async fn sights(
    server: &Server,
    caller: &Caller,
    view: &View,
) -> Result<(Vec<AccountId>, Sights), ErrorBody> {
    let members: Vec<AccountId> = view.members.iter().map(|member| member.account).collect();
    let sights = seeing::sights(server, caller.account, &members).await?;
    Ok((members, sights))
}

/// Answers `open`: the members' watermarks and who is there; the session is told of changes from now on.
///
/// # Errors
/// What the conversation has against it.
pub async fn open(
    server: &Arc<Server>,
    caller: &Caller,
    conversation: ConversationId,
) -> Result<Opened, ErrorBody> {
    // Opened before it is read, so that no change falls between.
    let place = caller.session.as_ref().map_or(0, |session| session.open(conversation));
    let opened = open_as(server, caller, conversation, place).await;
    if opened.is_err() {
        shut(server, caller, conversation);
    }
    opened
}

async fn open_as(
    server: &Arc<Server>,
    caller: &Caller,
    conversation: ConversationId,
    place: u8,
) -> Result<Opened, ErrorBody> {
    let mut view = server.hosts()?.view(conversation, caller.account).await?;
    let (online, presences) = who_is_there(server, caller, &mut view, place).await?;
    Ok(Opened { epoch: view.epoch, head: view.summary.head, members: view.members, online, presences })
}

/// How many of the other members are online, and how each stands, for the caller's open conversation at `place`. In
/// groups that are too large to be watched it is only how many, as of now. Takes from the view what the caller may not
/// know.
pub(super) async fn who_is_there(
    server: &Arc<Server>,
    caller: &Caller,
    view: &mut View,
    place: u8,
) -> Result<(Option<u32>, Vec<Presence>), ErrorBody> {
    let kind = view.membership.header.kind;
    if kind == ConversationKind::Own {
        return Ok((None, Vec::new()));
    }
    let (mut members, mut sights) = sights(server, caller, view).await?;
    seeing::redact(&mut view.members, &sights, caller.who_may_see(), kind);
    if let Some(own) = members.iter().position(|member| *member == caller.account) {
        members.remove(own);
        sights.all.remove(own);
    }
    let is_watched = view.members.len() <= server.settings.watch_members as usize;
    let watching = match is_watched {
        true => caller.clone(),
        false => {
            // It may have been watched when it was smaller.
            caller.session.iter().for_each(|session| server.presence.stop(session, place));
            Caller { session: None, who_may_see: caller.who_may_see(), ..caller.clone() }
        }
    };
    let presences = seeing::watch(server, &watching, place, &members, &sights).await?;
    let online = presences.iter().filter(|presence| presence.state == PresenceState::Online).count();
    Ok((Some(online as u32), if is_watched { presences } else { Vec::new() }))
}

/// Answers `close`: the session is told no more of what happens there.
pub fn shut(server: &Server, caller: &Caller, conversation: ConversationId) {
    if let Some(session) = &caller.session
        && let Some(place) = session.shut(conversation)
    {
        server.presence.stop(session, place);
    }
}

/// Whether the account is in as many conversations as it may.
pub(crate) async fn is_full(server: &Server, account: AccountId) -> Result<bool, ErrorBody> {
    let count = server.ports.inbox.count(account).await.map_err(storage)?;
    Ok(count >= server.settings.limits.conversations)
}
