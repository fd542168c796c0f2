//! Sign-up, login in its forms, logout.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use suda_domain::account::{check_name, check_password, display_name, line};
use suda_domain::ports::accounts::{Account, Creation, NewAccount, Status};
use suda_domain::ports::devices::Device;
use suda_proto::close::Close;
use suda_proto::reply::Done;
use suda_proto::rest::{AppLogIn, Audience, LogIn, LoggedIn, NewDevice, Recover, SignUp};
use suda_proto::{AccountId, Code, DeviceId, ErrorBody};

use super::accounts::own_account;
use super::auth::{Body, Knocking};
use super::cookie::Handover;
use super::error::{ApiError, ApiResult};
use super::route::{Access, Route, Routes};
use crate::gateway::Caller;
use crate::secrets::{RECOVERY_CODES, hash_code, hash_secret};
use crate::server::{Server, storage};
use crate::settings::Signup;

pub(super) fn routes(routes: Routes) -> Routes {
    let anybody = |path, summary| Route::new(Method::POST, path, Access::Anybody, summary);
    routes
        .add(anybody("/v1/accounts", "Sign up.").takes::<SignUp>().gives::<LoggedIn>(), sign_up)
        .add(anybody("/v1/login", "Log a device in.").takes::<LogIn>().gives::<LoggedIn>(), log_in)
        .add(
            anybody("/v1/login/recovery", "Set a new password with a recovery code.")
                .takes::<Recover>()
                .gives::<LoggedIn>(),
            recover,
        )
        .add(
            anybody("/v1/login/app", "Log a device in with a token of the app's backend.")
                .takes::<AppLogIn>()
                .gives::<LoggedIn>(),
            log_in_by_app,
        )
        .add(
            Route::new(Method::POST, "/v1/logout", Access::Device, "Log this device out.").gives::<Done>(),
            log_out,
        )
}

async fn sign_up(
    State(server): State<Arc<Server>>,
    handover: Handover,
    _: Knocking,
    Body(body): Body<SignUp>,
) -> Result<Response, ApiError> {
    let SignUp { name, password, display_name: shown, invite, device } = body;
    let invite_hash = match (server.settings.signup, invite) {
        (Signup::Closed, _) => return Err(Code::SignupClosed.into()),
        (Signup::Invite, None) => return Err(Code::BadInvite.into()),
        (Signup::Invite, Some(invite)) => Some(hash_code(&invite)),
        (Signup::Open, _) => None,
    };
    check_name(&name)?;
    check_password(&password)?;
    let shown = display_name(shown.as_deref().unwrap_or(&name))?;
    if server.ports.accounts.find_by_name(&name).await.map_err(storage)?.is_some() {
        return Err(Code::NameTaken.into());
    }
    let hash = server.secrets.hash_password(password).await?;
    let account = new_account(&server, name, shown, Some(hash), None);
    let (device, token) = new_device(&server, account.id, &device);
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| server.secrets.code()).collect();
    let new = NewAccount {
        account: account.clone(),
        device: Some(device.clone()),
        recovery_hashes: codes.iter().map(|code| hash_code(code)).collect(),
        invite_hash,
    };
    made(server.ports.accounts.create(new).await.map_err(storage)?)?;
    let account = Account { recovery_codes_left: RECOVERY_CODES as u32, ..account };
    let account = own_account(&account);
    Ok(handover.reply(LoggedIn { account, device: device.id, token: Some(token), recovery_codes: codes }))
}

async fn log_in(
    State(server): State<Arc<Server>>,
    handover: Handover,
    _: Knocking,
    Body(body): Body<LogIn>,
) -> Result<Response, ApiError> {
    let LogIn { name, password, device } = body;
    let account = server.ports.accounts.find_by_name(&name).await.map_err(storage)?;
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let is_right = server.secrets.is_password(password, hash).await?;
    let account = account.filter(|_| is_right).ok_or(Code::WrongPassword)?;
    Ok(handover.reply(add_device(&server, account, &device).await?))
}

async fn recover(
    State(server): State<Arc<Server>>,
    handover: Handover,
    _: Knocking,
    Body(body): Body<Recover>,
) -> Result<Response, ApiError> {
    let Recover { name, recovery_code, new_password, device } = body;
    check_password(&new_password)?;
    // Hashed before the account is looked for, so that the time taken does not tell whether it exists.
    let hash = server.secrets.hash_password(new_password).await?;
    let account =
        server.ports.accounts.find_by_name(&name).await.map_err(storage)?.ok_or(Code::WrongPassword)?;
    if account.status == Status::Disabled {
        return Err(Code::AccountDisabled.into());
    }
    let code = Some(hash_code(&recovery_code));
    let removed = server.ports.accounts.set_password(account.id, hash, None, code).await.map_err(storage)?;
    server.revoke(account.id, &removed.ok_or(Code::WrongPassword)?, Close::Unauthenticated);
    let account = reload(&server, account.id).await?;
    Ok(handover.reply(add_device(&server, account, &device).await?))
}

async fn log_in_by_app(
    State(server): State<Arc<Server>>,
    _: Knocking,
    Body(body): Body<AppLogIn>,
) -> ApiResult<LoggedIn> {
    let claims = server.app_keys.verify(&body.jwt, server.clock.now())?;
    let account = super::app::account_of(&server, claims.sub, claims.name, claims.display_name).await?;
    Ok(Json(add_device(&server, account, &body.device).await?))
}

/// Takes the cookie back also where its token is void already, so that nobody is stuck with it.
async fn log_out(
    State(server): State<Arc<Server>>,
    handover: Handover,
    caller: Result<Caller, ApiError>,
) -> Response {
    let outcome = match caller {
        Ok(caller) => remove_device(&server, &caller).await,
        Err(error) => Err(error),
    };
    handover.farewell(outcome)
}

async fn remove_device(server: &Server, caller: &Caller) -> ApiResult<Done> {
    server.ports.devices.remove(caller.account, caller.device).await.map_err(storage)?;
    server.revoke(caller.account, &[caller.device], Close::Unauthenticated);
    Ok(Json(Done {}))
}

/// An account as it is at first.
pub(super) fn new_account(
    server: &Server,
    name: String,
    display_name: String,
    password_hash: Option<String>,
    external_id: Option<String>,
) -> Account {
    let now = server.clock.now();
    let id = AccountId(server.entropy.uuid(now));
    Account {
        id,
        name,
        display_name,
        colour: u16::from_be_bytes([id.bytes()[14], id.bytes()[15]]) % 360,
        about: String::new(),
        data: None,
        who_may_message: Audience::Everyone,
        who_may_add: Audience::Everyone,
        who_may_see: Audience::Everyone,
        language: "en".to_owned(),
        status: Status::Active,
        external_id,
        password_hash,
        created_at: now,
        recovery_codes_left: 0,
    }
}

/// What came of making an account, as an error where it was not made.
pub(super) fn made(creation: Creation) -> Result<(), ErrorBody> {
    match creation {
        Creation::Made => Ok(()),
        Creation::NameTaken | Creation::ExternalIdTaken => Err(Code::NameTaken.error()),
        Creation::BadInvite => Err(Code::BadInvite.error()),
    }
}

/// Logs a new device of an account in.
async fn add_device(server: &Server, account: Account, new: &NewDevice) -> Result<LoggedIn, ErrorBody> {
    if account.status == Status::Disabled {
        return Err(Code::AccountDisabled.error());
    }
    let (device, token) = new_device(server, account.id, new);
    let id = device.id;
    let most = server.settings.limits.devices;
    if !server.ports.devices.add(device, most).await.map_err(storage)? {
        return Err(Code::TooManyDevices.error());
    }
    Ok(LoggedIn {
        account: own_account(&account),
        device: id,
        token: Some(token),
        recovery_codes: Vec::new(),
    })
}

fn new_device(server: &Server, account: AccountId, new: &NewDevice) -> (Device, String) {
    let now = server.clock.now();
    let token = server.secrets.token();
    let device = Device {
        id: DeviceId(server.entropy.uuid(now)),
        account,
        name: line(&new.name, 64).unwrap_or_default(),
        platform: line(&new.platform, 32).unwrap_or_default(),
        token_hash: hash_secret(&token),
        created_at: now,
        last_active_at: now,
    };
    (device, token)
}

/// The account as it stands.
pub(super) async fn reload(server: &Server, account: AccountId) -> Result<Account, ErrorBody> {
    let found = server.ports.accounts.find(&[account]).await.map_err(storage)?;
    let found = found.into_iter().find(|account| account.status != Status::Deleted);
    found.ok_or_else(|| Code::NoSuchAccount.error())
}
