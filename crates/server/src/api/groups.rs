//! Direct conversations and groups: making them, members, roles, settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use suda_domain::conversation::{Act, Command};
use suda_domain::ports::accounts::{Account, Status};
use suda_proto::entry::{ConversationKind, CreatedBody, SettingsBody};
use suda_proto::reply::Sent;
use suda_proto::rest::{
    AddMembers, Audience, ConversationRef, GroupChange, NewGroup, OpenDirect, RoleChange,
};
use suda_proto::{AccountId, ClientId, Code, ConversationId, ErrorBody};

use super::auth::{Body, InPath};
use super::error::ApiResult;
use super::login::reload;
use super::route::{Access, Route, Routes};
use crate::gateway::Caller;
use crate::gateway::window::is_full;
use crate::server::{Server, storage};

pub(super) fn routes(routes: Routes) -> Routes {
    let device = |method, path, summary| Route::new(method, path, Access::Device, summary);
    let group = "/v1/groups/{conversation}";
    let members = "/v1/groups/{conversation}/members";
    let member = "/v1/groups/{conversation}/members/{account}";
    let role = "/v1/groups/{conversation}/members/{account}/role";
    routes
        .add(
            device(
                Method::POST,
                "/v1/direct",
                "The direct conversation with somebody; made where there is none.",
            )
            .takes::<OpenDirect>()
            .gives::<ConversationRef>(),
            open_direct,
        )
        .add(
            device(Method::POST, "/v1/groups", "Make a group.")
                .takes::<NewGroup>()
                .gives::<ConversationRef>(),
            new_group,
        )
        .add(
            device(Method::PATCH, group, "Change a group's settings.").takes::<GroupChange>().gives::<Sent>(),
            change,
        )
        .add(device(Method::DELETE, group, "Dissolve a group.").gives::<Sent>(), dissolve)
        .add(device(Method::POST, members, "Add members.").takes::<AddMembers>().gives::<Sent>(), add)
        .add(device(Method::DELETE, member, "Remove a member; oneself: leave.").gives::<Sent>(), remove)
        .add(
            device(Method::PUT, role, "Change a member's role; `owner` hands the group over.")
                .takes::<RoleChange>()
                .gives::<Sent>(),
            change_role,
        )
}

async fn open_direct(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Body(body): Body<OpenDirect>,
) -> ApiResult<ConversationRef> {
    let other = body.account;
    if other == caller.account {
        return Err(Code::BadRequest.because("that is you").into());
    }
    let conversation = ConversationId::direct(caller.account, other);
    if server.ports.inbox.row(caller.account, conversation).await.map_err(storage)?.is_some() {
        return Ok(Json(ConversationRef { conversation }));
    }
    let account = reload(&server, other).await?;
    require_welcome(&server, caller.account, &account, account.who_may_message).await?;
    require_room(&server, &[caller.account, other]).await?;
    let body = CreatedBody {
        kind: ConversationKind::Direct,
        members: vec![caller.account, other],
        settings: SettingsBody::default(),
    };
    // Derived: whoever of the two asks, and however often, it is one act.
    let client_id = ClientId::caused_by("suda.direct.created.1", &[conversation.bytes()]);
    act(&server, caller.account, conversation, client_id, Act::Create(body)).await?;
    Ok(Json(ConversationRef { conversation }))
}

async fn new_group(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Body(body): Body<NewGroup>,
) -> ApiResult<ConversationRef> {
    Ok(Json(create_group(&server, caller.account, body).await?))
}

/// Makes a group that `owner` owns.
pub(super) async fn create_group(
    server: &Server,
    owner: AccountId,
    group: NewGroup,
) -> Result<ConversationRef, ErrorBody> {
    let NewGroup { client_id, members, settings } = group;
    if members.len() >= server.settings.limits.members as usize && !members.contains(&owner) {
        return Err(Code::GroupFull.error());
    }
    let conversation = ConversationId::group(owner, client_id);
    let others: Vec<AccountId> = members.into_iter().filter(|account| *account != owner).collect();
    if server.ports.inbox.row(owner, conversation).await.map_err(storage)?.is_some() {
        // Made before; nothing that changed since undoes it.
        return Ok(ConversationRef { conversation });
    }
    require_addable(server, owner, &others).await?;
    let mut all = vec![owner];
    all.extend(others);
    require_room(server, &all).await?;
    let body = CreatedBody { kind: ConversationKind::Group, members: all, settings };
    act(server, owner, conversation, client_id, Act::Create(body)).await?;
    Ok(ConversationRef { conversation })
}

async fn change(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(conversation): InPath<ConversationId>,
    Body(body): Body<GroupChange>,
) -> ApiResult<Sent> {
    let client_id = client_id(&server, body.client_id);
    let change = Act::ChangeSettings(body.settings);
    Ok(Json(act(&server, caller.account, conversation, client_id, change).await?))
}

async fn dissolve(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(conversation): InPath<ConversationId>,
) -> ApiResult<Sent> {
    let client_id = client_id(&server, None);
    Ok(Json(act(&server, caller.account, conversation, client_id, Act::Dissolve).await?))
}

async fn add(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(conversation): InPath<ConversationId>,
    Body(body): Body<AddMembers>,
) -> ApiResult<Sent> {
    if body.accounts.len() > server.settings.limits.members as usize {
        return Err(Code::GroupFull.into());
    }
    // Rights first: whoever may not add learns nothing of the accounts it named.
    let view = server.hosts()?.view(conversation, caller.account).await?;
    let right = suda_domain::rights::Right::AddMembers;
    if !right.is_given(view.membership.header.kind, view.member.role) {
        return Err(Code::NotAllowed.into());
    }
    let is_member = |account: &AccountId| view.membership.member(*account).is_some();
    // Where all are members already, this may be a repetition, which the host finds.
    if !body.accounts.iter().all(is_member) {
        require_addable(&server, caller.account, &body.accounts).await?;
        require_room(&server, &body.accounts).await?;
    }
    let client_id = client_id(&server, body.client_id);
    Ok(Json(act(&server, caller.account, conversation, client_id, Act::AddMembers(body.accounts)).await?))
}

async fn remove(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath((conversation, account)): InPath<(ConversationId, AccountId)>,
) -> ApiResult<Sent> {
    let client_id = client_id(&server, None);
    Ok(Json(act(&server, caller.account, conversation, client_id, Act::RemoveMember(account)).await?))
}

async fn change_role(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath((conversation, account)): InPath<(ConversationId, AccountId)>,
    Body(body): Body<RoleChange>,
) -> ApiResult<Sent> {
    let client_id = client_id(&server, None);
    let change = Act::ChangeRole(account, body.role);
    Ok(Json(act(&server, caller.account, conversation, client_id, change).await?))
}

async fn act(
    server: &Server,
    author: AccountId,
    conversation: ConversationId,
    client_id: ClientId,
    act: Act,
) -> Result<Sent, ErrorBody> {
    let command = Command { author, client_id, base: None, after: None, act };
    server.hosts()?.act(conversation, command).await
}

fn client_id(server: &Server, given: Option<ClientId>) -> ClientId {
    given.unwrap_or_else(|| ClientId(server.entropy.uuid(server.clock.now())))
}

/// Refuses to add accounts that do not exist, are blocked by or block the adding one, or do not want to be added.
async fn require_addable(server: &Server, adder: AccountId, accounts: &[AccountId]) -> Result<(), ErrorBody> {
    let found = server.ports.accounts.find(accounts).await.map_err(storage)?;
    for id in accounts {
        let account = found.iter().find(|account| account.id == *id && account.status != Status::Deleted);
        let account = account.ok_or_else(|| Code::NoSuchAccount.error())?;
        require_welcome(server, adder, account, account.who_may_add).await?;
    }
    Ok(())
}

async fn require_welcome(
    server: &Server,
    account: AccountId,
    other: &Account,
    audience: Audience,
) -> Result<(), ErrorBody> {
    let between = server.ports.contacts.between(account, other.id).await.map_err(storage)?;
    if between.is_blocked() {
        return Err(Code::Blocked.error());
    }
    let welcome = match audience {
        Audience::Everyone => true,
        Audience::Contacts => between.are_contacts(),
        Audience::Nobody => false,
    };
    if welcome { Ok(()) } else { Err(Code::NotAccepting.error()) }
}

async fn require_room(server: &Server, accounts: &[AccountId]) -> Result<(), ErrorBody> {
    for account in accounts {
        if is_full(server, *account).await? {
            return Err(Code::TooManyConversations.error());
        }
    }
    Ok(())
}
