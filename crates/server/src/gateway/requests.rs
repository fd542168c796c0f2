//! Requests and their replies, whatever carried them.

use std::sync::Arc;

use suda_domain::conversation::{Act, Command};
use suda_proto::entries_text::page_text;
use suda_proto::entry::{SetBody, SetKey};
use suda_proto::presence::Presences;
use suda_proto::reply::{Done, OwnItem, OwnState, Pong, Profiles};
use suda_proto::request::{OwnStateQuery, Request, Send, Set, Watch};
use suda_proto::rest::Profile;
use suda_proto::{Code, ConversationId, ErrorBody, Kind, Raw};

use super::resume::Resume;
use super::{Caller, history, window};
use crate::api::accounts::profile_of;
use crate::host::{Order, Reply};
use crate::jobs::set_own;
use crate::presence::{self, seeing};
use crate::server::{Server, storage};
use crate::session::{Answer, Frame, Session};

/// Most accounts of one `profiles` request.
const PROFILES: usize = 200;

/// Most accounts of one `watch` request.
const WATCHED: usize = 200;

/// Most values of one `own_state` reply.
const OWN_VALUES: u32 = 100;

/// Most values under `app/…` of one account.
const APP_VALUES: u32 = 256;

/// What a send asks the conversation's host to do.
///
/// # Errors
/// `unknown_kind` for kinds that clients cannot send.
pub fn command(send: Send, author: suda_proto::AccountId) -> Result<(ConversationId, Command), ErrorBody> {
    let Send { conversation, client_id, base, after, kind, target, mentions, body } = send;
    if !matches!(kind, Kind::Message | Kind::Edit | Kind::Delete | Kind::Reaction) {
        return Err(Code::UnknownKind.error());
    }
    let act = Act::Post { kind, target, mentions, body };
    Ok((conversation, Command { author, client_id, base: Some(base), after, act }))
}

/// Takes a request of a session that its conversation's host answers, straight into the session's queue; gives back
/// every other request. These are the requests whose order matters and whose number is large.
pub fn hand_over(server: &Server, caller: &Caller, id: u64, request: Request) -> Option<Request> {
    let Some(session) = &caller.session else {
        return Some(request);
    };
    let refuse = |error: ErrorBody| session.push(Frame::error(Some(id), &error));
    let origin = Some(session.id);
    let order = match request {
        Request::Send(send) => command(send, caller.account).map(|(conversation, command)| {
            Order::act(conversation, command, Reply::Session(Answer::new(session, id)), origin)
        }),
        Request::Mark(mark) => {
            let reply = Reply::Session(Answer::new(session, id));
            Ok(Order::mark(mark, (caller.account, caller.who_may_see()), reply, origin))
        }
        other => return Some(other),
    };
    let submitted = order.and_then(|order| server.hosts()?.submit(order));
    if let Err(error) = submitted {
        refuse(error);
    }
    None
}

/// Answers a request; `hello` is not among them.
///
/// # Errors
/// Whatever is wrong with it.
pub async fn answer(server: &Arc<Server>, caller: &Caller, request: Request) -> Result<Raw, ErrorBody> {
    Ok(match request {
        Request::Hello(_) => return Err(Code::HelloFirst.error()),
        Request::Send(send) => {
            let (conversation, command) = command(send, caller.account)?;
            Raw::of(&server.hosts()?.act(conversation, command).await?)
        }
        Request::Mark(mark) => Raw::of(&server.hosts()?.mark(mark, caller).await?),
        Request::History(query) => page_text(&history::page(server, caller, query).await?),
        Request::Reactions(query) => Raw::of(&history::reactions(server, caller, query).await?),
        Request::Window(query) => Raw::of(&window::window(server, caller, &query).await?),
        Request::Conversation(query) => Raw::of(&window::detail(server, caller, query.conversation).await?),
        Request::Open(query) => Raw::of(&window::open(server, caller, query.conversation).await?),
        Request::Close(query) => {
            window::shut(server, caller, query.conversation);
            Raw::of(&Done {})
        }
        Request::Typing(typing) => {
            server.hosts()?.typing(typing, caller.account, caller.who_may_see()).await?;
            Raw::of(&Done {})
        }
        Request::Set(set) => Raw::of(&set_value(server, caller, set).await?),
        Request::OwnState(query) => Raw::of(&own_state(server, caller, query).await?),
        Request::Profiles(query) => {
            if query.accounts.len() > PROFILES {
                return Err(Code::BadRequest.because("more than 200 accounts"));
            }
            Raw::of(&Profiles { profiles: profiles(server, &query.accounts).await? })
        }
        Request::Watch(watch) => Raw::of(&presences(server, caller, &watch).await?),
        Request::Foreground(foreground) => {
            if let Some(session) = &caller.session {
                let Session { account, device, .. } = **session;
                let foreground = foreground.foreground;
                let moved = || server.presence.moved(account, device, foreground);
                session.set_foreground(foreground, moved);
                // It is pinged at other times now.
                session.alarm();
            }
            Raw::of(&Done {})
        }
        Request::Ping(_) => {
            let now = server.clock.now();
            Raw::of(&Pong { now, resume: Resume { epoch: server.ports.log.epoch(), now }.token() })
        }
    })
}

async fn profiles(server: &Server, accounts: &[suda_proto::AccountId]) -> Result<Vec<Profile>, ErrorBody> {
    let accounts = server.ports.accounts.find(accounts).await.map_err(storage)?;
    Ok(accounts.iter().map(profile_of).collect())
}

/// Answers `watch`.
async fn presences(server: &Arc<Server>, caller: &Caller, watch: &Watch) -> Result<Presences, ErrorBody> {
    if watch.accounts.len() > WATCHED {
        return Err(Code::BadRequest.because("more than 200 accounts"));
    }
    let sights = seeing::sights(server, caller.account, &watch.accounts).await?;
    let accounts = seeing::watch(server, caller, presence::NAMED, &watch.accounts, &sights).await?;
    Ok(Presences { accounts })
}

async fn set_value(server: &Server, caller: &Caller, set: Set) -> Result<suda_proto::reply::Sent, ErrorBody> {
    let Set { client_id, base, key, value } = set;
    let bad = |detail: &str| Code::BadRequest.because(detail);
    let parsed = SetKey::parse(&key).ok_or_else(|| bad("there is no such key"))?;
    // Each value has one key, however its ids were written.
    let key = parsed.to_string();
    let limits = &server.settings.limits;
    let most = match &parsed {
        SetKey::Draft(_) => limits.text_bytes,
        _ => limits.data_bytes,
    };
    if value.bytes().len() > most as usize {
        return Err(Code::DataTooLarge.error());
    }
    match &parsed {
        SetKey::Mute(id) | SetKey::Archive(id) | SetKey::Pin(id) | SetKey::Draft(id) => {
            let row = server.ports.inbox.row(caller.account, *id).await.map_err(storage)?;
            row.ok_or_else(|| Code::NoSuchConversation.error())?;
        }
        SetKey::App(_) if is_null(&value) => {}
        SetKey::App(_) => check_app_values(server, caller, &key).await?,
        _ => return Err(Code::NotAllowed.error()),
    }
    set_own(server, caller.account, (client_id, base), SetBody { key, value }).await
}

/// Refuses a new value of the app's own where there are as many as may be.
async fn check_app_values(server: &Server, caller: &Caller, key: &str) -> Result<(), ErrorBody> {
    let own = ConversationId::own(caller.account);
    let values = server.ports.log.own_values(own, Some("app/"), APP_VALUES).await.map_err(storage)?;
    let of_app = values.iter().filter(|(key, _)| key.starts_with("app/"));
    if of_app.count() >= APP_VALUES as usize && !values.iter().any(|(known, _)| known == key) {
        return Err(Code::DataTooLarge.because("too many app values"));
    }
    Ok(())
}

fn is_null(value: &Raw) -> bool {
    value.bytes().as_ref() == b"null"
}

async fn own_state(server: &Server, caller: &Caller, query: OwnStateQuery) -> Result<OwnState, ErrorBody> {
    let own = ConversationId::own(caller.account);
    let log = &server.ports.log;
    let values = log.own_values(own, query.after.as_deref(), OWN_VALUES).await.map_err(storage)?;
    let more = values.len() == OWN_VALUES as usize;
    let mut items = Vec::with_capacity(values.len());
    for (key, seq) in values {
        let entries = log.read(own, seq, seq, 0).await.map_err(storage)?;
        let body = entries.first().and_then(|entry| entry.body.as_deref());
        if let Some(set) = body.and_then(|body| serde_json::from_slice::<SetBody>(body).ok()) {
            items.push(OwnItem { key, value: set.value, seq });
        }
    }
    Ok(OwnState { items, more })
}
