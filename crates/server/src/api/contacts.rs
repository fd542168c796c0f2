//! Contacts and blocks.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use suda_domain::ports::contacts::Asked;
use suda_proto::reply::Done;
use suda_proto::rest::{Contact, Contacts, Relation};
use suda_proto::{AccountId, Code, ConversationId, ErrorBody};

use super::accounts::profile_of;
use super::auth::InPath;
use super::error::ApiResult;
use super::login::reload;
use super::route::{Access, Route, Routes};
use crate::gateway::Caller;
use crate::host::Order;
use crate::presence::seeing;
use crate::server::{Server, storage};

pub(super) fn routes(routes: Routes) -> Routes {
    let contact = |method, summary| Route::new(method, "/v1/contacts/{account}", Access::Device, summary);
    let blocked = |method, summary| Route::new(method, "/v1/blocks/{account}", Access::Device, summary);
    let list_route =
        Route::new(Method::GET, "/v1/contacts", Access::Device, "Contacts, requests and blocks.");
    routes
        .add(list_route.gives::<Contacts>(), list)
        .add(contact(Method::PUT, "Ask somebody to be a contact, or accept.").gives::<Contact>(), ask)
        .add(contact(Method::DELETE, "End a contact, withdraw or decline a request.").gives::<Done>(), remove)
        .add(blocked(Method::PUT, "Block somebody.").gives::<Done>(), block)
        .add(blocked(Method::DELETE, "Lift a block.").gives::<Done>(), unblock)
}

async fn list(State(server): State<Arc<Server>>, caller: Caller) -> ApiResult<Contacts> {
    let relations = server.ports.contacts.list(caller.account).await.map_err(storage)?;
    let ids: Vec<AccountId> = relations.iter().map(|(account, _)| *account).collect();
    let accounts = server.ports.accounts.find(&ids).await.map_err(storage)?;
    let contact = |(id, relation): &(AccountId, Relation)| {
        let account = accounts.iter().find(|account| account.id == *id)?;
        Some(Contact { profile: profile_of(account), relation: *relation })
    };
    Ok(Json(Contacts { contacts: relations.iter().filter_map(contact).collect() }))
}

async fn ask(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(other): InPath<AccountId>,
) -> ApiResult<Contact> {
    let account = another(&server, &caller, other).await?;
    let asked =
        server.ports.contacts.ask(caller.account, other, server.settings.contacts).await.map_err(storage)?;
    seeing::relation_changed(&server, caller.account, other).await?;
    match asked {
        Asked::Now(relation) => Ok(Json(Contact { profile: profile_of(&account), relation })),
        Asked::Blocked => Err(Code::Blocked.into()),
        Asked::TooMany => Err(Code::TooManyContacts.into()),
    }
}

async fn remove(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(other): InPath<AccountId>,
) -> ApiResult<Done> {
    require_another(&caller, other)?;
    server.ports.contacts.remove(caller.account, other).await.map_err(storage)?;
    seeing::relation_changed(&server, caller.account, other).await?;
    Ok(Json(Done {}))
}

async fn block(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(other): InPath<AccountId>,
) -> ApiResult<Done> {
    another(&server, &caller, other).await?;
    let list = server.ports.contacts.list(caller.account).await.map_err(storage)?;
    let is_known = list.iter().any(|(account, _)| *account == other);
    if !is_known && list.len() >= server.settings.contacts as usize {
        return Err(Code::TooManyContacts.into());
    }
    server.ports.contacts.block(caller.account, other).await.map_err(storage)?;
    tell_host(&server, caller.account, other)?;
    seeing::relation_changed(&server, caller.account, other).await?;
    Ok(Json(Done {}))
}

async fn unblock(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(other): InPath<AccountId>,
) -> ApiResult<Done> {
    require_another(&caller, other)?;
    server.ports.contacts.unblock(caller.account, other).await.map_err(storage)?;
    tell_host(&server, caller.account, other)?;
    seeing::relation_changed(&server, caller.account, other).await?;
    Ok(Json(Done {}))
}

/// The direct conversation's host enforces blocks; told of a change, it reads again how the two stand.
fn tell_host(server: &Server, account: AccountId, other: AccountId) -> Result<(), ErrorBody> {
    let conversation = ConversationId::direct(account, other);
    server.hosts()?.submit(Order::relation_changed(conversation))
}

fn require_another(caller: &Caller, other: AccountId) -> Result<(), ErrorBody> {
    if caller.account == other {
        return Err(Code::BadRequest.because("that is you"));
    }
    Ok(())
}

/// The account that a request is about, which must exist and be another than the caller's.
async fn another(
    server: &Server,
    caller: &Caller,
    other: AccountId,
) -> Result<suda_domain::ports::accounts::Account, ErrorBody> {
    require_another(caller, other)?;
    reload(server, other).await
}
