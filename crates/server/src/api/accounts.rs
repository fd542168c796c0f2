//! The own account, and what is seen of others.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use suda_domain::account::{check_password, display_name, line};
use suda_domain::ports::accounts::{Account, Change, Status};
use suda_proto::close::Close;
use suda_proto::reply::Done;
use suda_proto::rest::{
    AccountChange, Accounts, OwnAccount, PasswordChange, PasswordProof, Profile, RecoveryCodes,
};
use suda_proto::{AccountId, Code, ErrorBody, Raw};

use super::auth::{Body, InPath, InQuery};
use super::cookie::Handover;
use super::error::{ApiError, ApiResult};
use super::login::reload;
use super::route::{Access, Route, Routes};
use crate::gateway::Caller;
use crate::presence::seeing;
use crate::secrets::{RECOVERY_CODES, hash_code};
use crate::server::{Server, storage};

/// Most accounts found by a search.
const FOUND: u32 = 20;

/// Longest line about oneself, in characters.
const ABOUT: usize = 160;

pub(super) fn routes(routes: Routes) -> Routes {
    let own = |method, summary| Route::new(method, "/v1/account", Access::Device, summary);
    let device = |method, path, summary| Route::new(method, path, Access::Device, summary);
    routes
        .add(own(Method::GET, "The own account.").gives::<OwnAccount>(), show)
        .add(
            own(Method::PATCH, "Change profile and settings.").takes::<AccountChange>().gives::<OwnAccount>(),
            change,
        )
        .add(
            own(Method::DELETE, "Delete the account and erase what it wrote.")
                .takes::<PasswordProof>()
                .gives::<Done>(),
            delete,
        )
        .add(
            device(
                Method::POST,
                "/v1/account/password",
                "Change the password; other devices are logged out.",
            )
            .takes::<PasswordChange>()
            .gives::<Done>(),
            change_password,
        )
        .add(
            device(
                Method::POST,
                "/v1/account/recovery-codes",
                "Make new recovery codes; earlier ones are void.",
            )
            .takes::<PasswordProof>()
            .gives::<RecoveryCodes>(),
            new_recovery_codes,
        )
        .add(
            device(Method::GET, "/v1/accounts", "Find accounts by the beginning of their name.")
                .asks::<Search>()
                .gives::<Accounts>(),
            search,
        )
        .add(
            device(Method::GET, "/v1/accounts/{account}", "An account's profile.").gives::<Profile>(),
            profile,
        )
}

/// What others see of an account.
pub fn profile_of(account: &Account) -> Profile {
    Profile {
        account: account.id,
        name: account.name.clone(),
        display_name: account.display_name.clone(),
        colour: account.colour,
        about: account.about.clone(),
        data: account.data.clone().map(Raw::trusted),
        deleted: account.status == Status::Deleted,
    }
}

/// What the owner sees of its account.
pub(super) fn own_account(account: &Account) -> OwnAccount {
    OwnAccount {
        profile: profile_of(account),
        who_may_message: account.who_may_message,
        who_may_add: account.who_may_add,
        who_may_see: account.who_may_see,
        language: account.language.clone(),
        created_at: account.created_at,
        recovery_codes_left: account.recovery_codes_left,
    }
}

async fn show(State(server): State<Arc<Server>>, caller: Caller) -> ApiResult<OwnAccount> {
    Ok(Json(own_account(&reload(&server, caller.account).await?)))
}

async fn change(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Body(body): Body<AccountChange>,
) -> ApiResult<OwnAccount> {
    let bad = |what: &str| Code::BadRequest.because(what);
    let limits = &server.settings.limits;
    if body.data.as_ref().is_some_and(|data| data.bytes().len() > limits.data_bytes as usize) {
        return Err(Code::DataTooLarge.into());
    }
    if body.colour.is_some_and(|colour| colour >= 360) {
        return Err(bad("colour").into());
    }
    let about = body.about.map(|about| line(&about, ABOUT).ok_or_else(|| bad("about"))).transpose()?;
    let is_tag = |tag: &String| tag.len() <= 35 && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if body.language.as_ref().is_some_and(|tag| tag.is_empty() || !is_tag(tag)) {
        return Err(bad("language").into());
    }
    let change = Change {
        display_name: body.display_name.map(|name| display_name(&name)).transpose()?,
        colour: body.colour,
        about,
        data: body.data.map(|data| data.bytes().clone()),
        who_may_message: body.who_may_message,
        who_may_add: body.who_may_add,
        who_may_see: body.who_may_see,
        language: body.language,
        status: None,
    };
    let changes_sight = change.who_may_see.is_some();
    let changed = server.ports.accounts.change(caller.account, change).await.map_err(storage)?;
    let changed = changed.ok_or(Code::NoSuchAccount)?;
    if changes_sight {
        seeing::setting_changed(&server, caller.account, changed.who_may_see).await?;
    }
    Ok(Json(own_account(&changed)))
}

async fn delete(
    State(server): State<Arc<Server>>,
    handover: Handover,
    caller: Caller,
    Body(body): Body<PasswordProof>,
) -> Result<Response, ApiError> {
    prove(&server, caller.account, body.password).await?;
    delete_account(&server, caller.account).await?;
    Ok(handover.farewell(Json(Done {})))
}

/// Deletes an account: its devices at once, what it wrote by a job.
pub(super) async fn delete_account(server: &Server, account: AccountId) -> Result<(), ErrorBody> {
    server.ports.accounts.delete(account).await.map_err(storage)?;
    server.registry.close(account, None, Close::AccountClosed);
    Ok(())
}

async fn change_password(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Body(body): Body<PasswordChange>,
) -> ApiResult<Done> {
    check_password(&body.new_password)?;
    prove(&server, caller.account, body.old_password).await?;
    let hash = server.secrets.hash_password(body.new_password).await?;
    let keep = Some(caller.device);
    let removed =
        server.ports.accounts.set_password(caller.account, hash, keep, None).await.map_err(storage)?;
    server.revoke(caller.account, &removed.ok_or(Code::NoSuchAccount)?, Close::Unauthenticated);
    Ok(Json(Done {}))
}

async fn new_recovery_codes(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Body(body): Body<PasswordProof>,
) -> ApiResult<RecoveryCodes> {
    prove(&server, caller.account, body.password).await?;
    let recovery_codes: Vec<String> = (0..RECOVERY_CODES).map(|_| server.secrets.code()).collect();
    let hashes = recovery_codes.iter().map(|code| hash_code(code)).collect();
    server.ports.accounts.set_recovery_codes(caller.account, hashes).await.map_err(storage)?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Asks for the password again; accounts without one come from the app, which vouches for them.
async fn prove(server: &Server, account: AccountId, password: String) -> Result<(), ErrorBody> {
    let account = reload(server, account).await?;
    match account.password_hash {
        None => Ok(()),
        hash => match server.secrets.is_password(password, hash).await? {
            true => Ok(()),
            false => Err(Code::WrongPassword.error()),
        },
    }
}

#[derive(Deserialize, JsonSchema)]
struct Search {
    /// What the name begins with; at least one character.
    prefix: String,
}

async fn search(
    State(server): State<Arc<Server>>,
    _: Caller,
    InQuery(query): InQuery<Search>,
) -> ApiResult<Accounts> {
    let prefix = query.prefix.to_lowercase();
    if prefix.is_empty() {
        return Err(Code::BadRequest.because("prefix").into());
    }
    let found = server.ports.accounts.search(&prefix, "", FOUND).await.map_err(storage)?;
    Ok(Json(Accounts { accounts: found.iter().map(profile_of).collect() }))
}

async fn profile(
    State(server): State<Arc<Server>>,
    _: Caller,
    InPath(account): InPath<AccountId>,
) -> ApiResult<Profile> {
    let found = server.ports.accounts.find(&[account]).await.map_err(storage)?;
    Ok(Json(profile_of(found.first().ok_or(Code::NoSuchAccount)?)))
}
