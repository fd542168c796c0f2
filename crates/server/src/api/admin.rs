//! The operator's API, for `suda admin`: served only where nobody else can reach it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use suda_domain::ports::accounts::{Account, Change, Status};
use suda_domain::presence::locator::Place;
use suda_proto::close::Close;
use suda_proto::presence::Presence;
use suda_proto::reply::Done;
use suda_proto::rest::Profile;
use suda_proto::{Code, ErrorBody};

use super::accounts::{delete_account, profile_of};
use super::auth::{Body, InPath, InQuery};
use super::error::{ApiError, ApiResult};
use crate::presence::seeing;
use crate::secrets::hash_code;
use crate::server::{Server, storage};

/// Most accounts of one page of the list.
const PAGE: u32 = 500;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1_000;

/// The operator's API as one service.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    Router::new()
        .route("/accounts", get(list))
        .route("/accounts/{name}", delete(remove))
        .route("/accounts/{name}/disable", post(disable))
        .route("/accounts/{name}/enable", post(enable))
        .route("/accounts/{name}/reset-password", post(reset_password))
        .route("/accounts/{name}/presence", get(presence))
        .route("/invites", post(invite))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .fallback(|| async { ApiError::from(Code::NoSuchRoute) })
        .with_state(Arc::clone(server))
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

/// An account as the operator sees it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    profile: Profile,
    disabled: bool,
}

#[derive(Serialize)]
struct List {
    accounts: Vec<Listed>,
}

async fn list(State(server): State<Arc<Server>>, InQuery(query): InQuery<ListQuery>) -> ApiResult<List> {
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let found = server.ports.accounts.search(&query.prefix, &query.after, limit).await.map_err(storage)?;
    let listed = found
        .iter()
        .map(|account| Listed { profile: profile_of(account), disabled: account.status == Status::Disabled });
    Ok(Json(List { accounts: listed.collect() }))
}

async fn disable(State(server): State<Arc<Server>>, InPath(name): InPath<String>) -> ApiResult<Profile> {
    let account = set_status(&server, &name, Status::Disabled).await?;
    server.registry.close(account.id, None, Close::AccountClosed);
    Ok(Json(profile_of(&account)))
}

async fn enable(State(server): State<Arc<Server>>, InPath(name): InPath<String>) -> ApiResult<Profile> {
    Ok(Json(profile_of(&set_status(&server, &name, Status::Active).await?)))
}

async fn set_status(server: &Server, name: &str, status: Status) -> Result<Account, ErrorBody> {
    let account = find(server, name).await?;
    let change = Change { status: Some(status), ..Change::default() };
    let changed = server.ports.accounts.change(account.id, change).await.map_err(storage)?;
    changed.ok_or_else(|| Code::NoSuchAccount.error())
}

#[derive(Serialize)]
struct NewPassword {
    password: String,
}

async fn reset_password(
    State(server): State<Arc<Server>>,
    InPath(name): InPath<String>,
) -> ApiResult<NewPassword> {
    let account = find(&server, &name).await?;
    let password = server.secrets.code();
    let hash = server.secrets.hash_password(password.clone()).await?;
    let removed = server.ports.accounts.set_password(account.id, hash, None, None).await.map_err(storage)?;
    server.revoke(account.id, &removed.ok_or(Code::NoSuchAccount)?, Close::Unauthenticated);
    Ok(Json(NewPassword { password }))
}

async fn remove(State(server): State<Arc<Server>>, InPath(name): InPath<String>) -> ApiResult<Done> {
    let account = find(&server, &name).await?;
    delete_account(&server, account.id).await?;
    Ok(Json(Done {}))
}

#[derive(Deserialize)]
struct NewInvite {
    uses: u32,
    days: u32,
}

#[derive(Serialize)]
struct Invite {
    invite: String,
}

async fn invite(State(server): State<Arc<Server>>, Body(body): Body<NewInvite>) -> ApiResult<Invite> {
    let invite = server.secrets.code();
    let until = server.clock.now() + u64::from(body.days) * DAY_MS;
    server.ports.accounts.add_invite(hash_code(&invite), body.uses, until).await.map_err(storage)?;
    Ok(Json(Invite { invite }))
}

#[derive(Serialize)]
struct NodeStatus {
    version: &'static str,
    draining: bool,
    epoch: u32,
    /// Further counts, as `/metrics` has them.
    #[serde(flatten)]
    counts: BTreeMap<&'static str, u64>,
}

async fn status(State(server): State<Arc<Server>>) -> ApiResult<NodeStatus> {
    Ok(Json(NodeStatus {
        version: env!("CARGO_PKG_VERSION"),
        draining: server.is_draining(),
        epoch: server.ports.log.epoch(),
        counts: crate::metrics::counts(&server).map(|count| (count.name, count.value)).into(),
    }))
}

/// How an account stands, for the operator, who may see everybody.
#[derive(Serialize)]
struct Standing {
    #[serde(flatten)]
    presence: Presence,
    /// The numbers of the nodes where it has sessions; absent where that is not sure.
    nodes: Option<Vec<u16>>,
}

async fn presence(State(server): State<Arc<Server>>, InPath(name): InPath<String>) -> ApiResult<Standing> {
    let account = find(&server, &name).await?.id;
    let presence = seeing::look(&server, account).await?;
    let places = server.presence.locate(vec![account]).await?;
    let nodes = places.into_iter().find_map(|(_, place)| match place {
        Place::Nodes(nodes) => Some(nodes.into_iter().map(|node| node.0).collect()),
        Place::Everywhere => None,
    });
    Ok(Json(Standing { presence, nodes }))
}

/// Counts in the text format of Prometheus.
async fn metrics(State(server): State<Arc<Server>>) -> String {
    crate::metrics::text(&server)
}

async fn find(server: &Server, name: &str) -> Result<Account, ErrorBody> {
    let found = server.ports.accounts.find_by_name(name).await.map_err(storage)?;
    found.ok_or_else(|| Code::NoSuchAccount.error())
}
