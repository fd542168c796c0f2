//! Long polling and plain polling: the same events as over WebSocket, correct whichever gateway answers.
//!
//! A poll keeps nothing on the server. Its cursor says when it was made and, of everything touched shortly before, what
//! the device was told already; a poll answers at once if anything else is so by now, and otherwise waits with a
//! session of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use suda_domain::ports::inbox::{InboxCursor, InboxRow};
use suda_proto::close::Close;
use suda_proto::event::{Event, Marks, MemberMarks, Rows, Synced};
use suda_proto::presence::{Presence, Presences};
use suda_proto::{Code, ConversationId, ErrorBody};
use tokio::time::Instant;

use super::resume::Resume;
use super::{Caller, window};
use crate::presence::Parting;
use crate::server::{Server, storage};
use crate::session::Session;

/// Longest wait of a long poll.
pub const WAIT_MAX: Duration = Duration::from_secs(55);

/// Rows read at once. A first answer has no more of them; a later one has all that changed, whose number the limit of
/// conversations bounds.
const ROWS: u32 = 200;

/// After the first event of a long poll, others that follow closely ride along.
const GATHER: Duration = Duration::from_millis(20);

/// Most fingerprints in a cursor; what is beyond is told again.
const TOLD: usize = 256;

/// What the fingerprint of members' presence begins with, so that it is none of watermarks.
const PRESENCE_PRINT: u64 = u64::MAX;

/// Bytes of a row's fingerprint in a cursor.
const PRINT: usize = 8;

/// What a device has been told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    resume: Resume,
    told: BTreeSet<[u8; PRINT]>,
}

impl Cursor {
    fn text(&self) -> String {
        let prints: Vec<u8> = self.told.iter().flatten().copied().collect();
        format!("{}.{}", self.resume.token(), URL_SAFE_NO_PAD.encode(prints))
    }

    fn read(text: &str) -> Option<Self> {
        let (resume, told) = text.split_once('.')?;
        let told = URL_SAFE_NO_PAD.decode(told).ok()?;
        let prints = told.as_chunks::<PRINT>();
        prints.1.is_empty().then_some(())?;
        Some(Self { resume: Resume::read(resume)?, told: prints.0.iter().copied().collect() })
    }
}

/// What a poll asks.
#[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
pub struct SyncQuery {
    /// The cursor of the answer before; absent at the first poll.
    pub cursor: Option<String>,
    /// For how many seconds to wait for something to happen, at most 55 and at most `heartbeat_seconds`; 0 or absent: not
    /// at all.
    pub wait: Option<u32>,
    /// The conversation that is on screen, whose marks and typing are wanted.
    pub open: Option<ConversationId>,
}

/// Answers a poll.
///
/// # Errors
/// `bad_request` for a cursor that is none, or the storage's failure.
pub async fn sync(server: &Arc<Server>, caller: &Caller, query: SyncQuery) -> Result<Synced, ErrorBody> {
    let before = match &query.cursor {
        Some(text) => Some(Cursor::read(text).ok_or_else(|| Code::BadRequest.because("cursor"))?),
        None => None,
    };
    // Opened before anything is read, so that nothing falls between.
    let opened = server.registry.open(caller.account, caller.device, true);
    let mut opened = opened.ok_or_else(|| Code::Overloaded.error())?;
    // The device counts as long as its next poll comes in time.
    opened.parting = Parting::Polled { at: Instant::now() };
    if server.is_draining() {
        return Err(Code::Draining.error());
    }
    // Again, now that a revocation would find the session: none can fall between the two.
    let devices = server.ports.devices.list(caller.account).await.map_err(storage)?;
    if !devices.iter().any(|device| device.id == caller.device) {
        opened.parting = Parting::LoggedOut;
        return Err(Code::Unauthenticated.error());
    }
    opened.session.set_who_may_see(caller.who_may_see);
    let caller = &Caller { session: Some(Arc::clone(&opened.session)), ..caller.clone() };
    let open = query.open.map(|open| (open, opened.session.open(open)));
    let (mut events, mut cursor, mut presences) = news(server, caller, before.as_ref(), open).await?;
    // Who waits gives no sign of life meanwhile, and must come again before it counts as gone.
    let most = WAIT_MAX.min(server.settings.heartbeat);
    let wait = Duration::from_secs(u64::from(query.wait.unwrap_or(0))).min(most);
    if !events.is_empty() || wait.is_zero() || before.is_none() {
        return Ok(Synced { events, cursor: cursor.text() });
    }
    events.extend(listen(&opened.session, wait).await?);
    // The cursor is the one from before the wait: rows that these events moved are told again by the next poll, as
    // heads that the device then has already. Who is there is not told again.
    if let Some((open, _)) = open {
        cursor.told.remove(&presence_print(open, &presences));
        events.iter().for_each(|event| follow(&mut presences, event));
        cursor.told.insert(presence_print(open, &presences));
    }
    Ok(Synced { events, cursor: cursor.text() })
}

/// Waits for something to happen, and gathers what follows closely.
async fn listen(session: &Session, wait: Duration) -> Result<Vec<Event>, ErrorBody> {
    if tokio::time::timeout(wait, session.ready()).await.is_err() {
        return Ok(Vec::new());
    }
    tokio::time::sleep(GATHER).await;
    let waiting = session.take();
    match waiting.closed {
        Some(Close::Draining) => Err(Code::Draining.error()),
        Some(Close::Unauthenticated) => Err(Code::Unauthenticated.error()),
        Some(Close::AccountClosed) => Err(Code::AccountDisabled.error()),
        Some(_) => Ok(vec![Event::Resync {}]),
        None => {
            let frames = waiting.frames.iter();
            Ok(frames.filter_map(|frame| serde_json::from_slice(frame.payload()).ok()).collect())
        }
    }
}

/// What the device was not told yet, the cursor after it, and who is there in the conversation on screen.
async fn news(
    server: &Arc<Server>,
    caller: &Caller,
    before: Option<&Cursor>,
    open: Option<(ConversationId, u8)>,
) -> Result<(Vec<Event>, Cursor, Vec<Presence>), ErrorBody> {
    let epoch = server.ports.log.epoch();
    let now = server.clock.now();
    let known = before.filter(|cursor| cursor.resume.epoch == epoch);
    let since = known.map_or(0, |cursor| cursor.resume.since());
    let nothing = BTreeSet::new();
    let told = known.map_or(&nothing, |cursor| &cursor.told);
    let mut next = Cursor { resume: Resume { epoch, now }, told: BTreeSet::new() };
    let recent = next.resume.since();
    let mut fresh: Vec<InboxRow> = Vec::new();
    let mut after = None;
    loop {
        let rows = server.ports.inbox.rows(caller.account, since, after, ROWS).await.map_err(storage)?;
        for row in &rows {
            let print = row_print(row);
            if row.touched() >= recent && next.told.len() < TOLD {
                next.told.insert(print);
            }
            if !told.contains(&print) {
                fresh.push(row.clone());
            }
        }
        // A first poll gets one window; the rest on demand, by `window`.
        match rows.last() {
            Some(last) if rows.len() == ROWS as usize && known.is_some() => {
                after = Some(InboxCursor { touched: last.touched(), conversation: last.conversation });
            }
            _ => break,
        }
    }
    let mut events = Vec::new();
    if !fresh.is_empty() || before.is_none() {
        let rows = window::complete(server, caller.account, fresh).await?;
        events.push(Event::Rows(Rows { rows }));
    }
    events.extend(own_row(server, caller, told, &mut next).await?);
    let mut presences = Vec::new();
    if let Some(open) = open {
        let (told, accounts) = members_of_open(server, caller, open, told, &mut next).await?;
        events.extend(told);
        presences = accounts;
    }
    Ok((events, next, presences))
}

/// The account's own conversation, which no list has, where it went on.
async fn own_row(
    server: &Server,
    caller: &Caller,
    told: &BTreeSet<[u8; PRINT]>,
    next: &mut Cursor,
) -> Result<Option<Event>, ErrorBody> {
    let own = ConversationId::own(caller.account);
    let detail = match window::detail(server, caller, own).await {
        Ok(detail) => detail,
        Err(error) if error.known() == Some(Code::NoSuchConversation) => return Ok(None),
        Err(error) => return Err(error),
    };
    let print = print(own, &[u64::from(detail.row.epoch), detail.row.head]);
    next.told.insert(print);
    let is_news = !told.contains(&print);
    Ok(is_news.then(|| Event::Rows(Rows { rows: vec![detail.row] })))
}

/// The watermarks of the conversation on screen, and who of its members is there, unless they were told already; and who
/// is there in any case.
async fn members_of_open(
    server: &Arc<Server>,
    caller: &Caller,
    (open, place): (ConversationId, u8),
    told: &BTreeSet<[u8; PRINT]>,
    next: &mut Cursor,
) -> Result<(Vec<Event>, Vec<Presence>), ErrorBody> {
    let mut view = server.hosts()?.view(open, caller.account).await?;
    let (_, accounts) = window::who_is_there(server, caller, &mut view, place).await?;
    let members = view.members.iter();
    let marks: Vec<MemberMarks> = members
        .map(|member| MemberMarks { account: member.account, delivered: member.delivered, read: member.read })
        .collect();
    let numbers: Vec<u64> = marks.iter().flat_map(|mark| [mark.delivered, mark.read]).collect();
    let mut events = Vec::new();
    if is_news(print(open, &numbers), told, next) {
        events.push(Event::Marks(Marks { conversation: open, epoch: view.epoch, marks }));
    }
    if !accounts.is_empty() && is_news(presence_print(open, &accounts), told, next) {
        events.push(Event::Presence(Presences { accounts: accounts.clone() }));
    }
    Ok((events, accounts))
}

/// Takes over what an event says of who is there.
fn follow(presences: &mut [Presence], event: &Event) {
    let Event::Presence(changed) = event else { return };
    for one in &changed.accounts {
        presences.iter_mut().filter(|known| known.account == one.account).for_each(|known| *known = *one);
    }
}

/// Whether this has not been told yet; it is from now on.
fn is_news(print: [u8; PRINT], told: &BTreeSet<[u8; PRINT]>, next: &mut Cursor) -> bool {
    next.told.insert(print);
    !told.contains(&print)
}

/// What of a row must be news for the row to be.
fn row_print(row: &InboxRow) -> [u8; PRINT] {
    let role = row.role.map_or(0, |role| 1 + role as u64);
    print(row.conversation, &[u64::from(row.epoch), row.summary.head, row.marks.read, role])
}

fn presence_print(conversation: ConversationId, accounts: &[Presence]) -> [u8; PRINT] {
    let states = accounts.iter().map(|one| (one.state as u64) << 48 | one.last_active_at.unwrap_or(0));
    let states: Vec<u64> = std::iter::once(PRESENCE_PRINT).chain(states).collect();
    print(conversation, &states)
}

fn print(conversation: ConversationId, numbers: &[u64]) -> [u8; PRINT] {
    let mut hash = Sha256::new();
    hash.update(conversation.bytes());
    numbers.iter().for_each(|number| hash.update(number.to_be_bytes()));
    let mut print = [0; PRINT];
    print.copy_from_slice(&hash.finalize()[..PRINT]);
    print
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_trip() {
        let cursor = Cursor { resume: Resume { epoch: 2, now: 9 }, told: [[1; PRINT], [2; PRINT]].into() };
        assert_eq!(Cursor::read(&cursor.text()), Some(cursor));
        for strange in ["", ".", "x.y", "AQAAAAIAAAAAAAAACQ.AA"] {
            assert_eq!(Cursor::read(strange), None, "{strange}");
        }
    }
}
