//! The app's own backend: signed tokens that log its users in, and what it may do with the application key.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use suda_domain::account::{check_name, display_name};
use suda_domain::ports::accounts::{Account, Creation, NewAccount};
use suda_proto::reply::Sent;
use suda_proto::rest::{AppAccount, AppGroup, AppMessage, ConversationRef, OwnAccount};
use suda_proto::{Code, ErrorBody};

use super::accounts::own_account;
use super::auth::{AppCaller, Body};
use super::error::ApiResult;
use super::login::new_account;
use super::route::{Access, Route, Routes};
use crate::gateway::requests::command;
use crate::secrets::hash_secret;
use crate::server::{Server, storage};
use crate::settings::Settings;

/// Longest external id, in bytes.
const EXTERNAL_ID: usize = 256;

pub(super) fn routes(routes: Routes) -> Routes {
    let app = |path, summary| Route::new(Method::POST, path, Access::App, summary);
    routes
        .add(
            app("/v1/app/accounts", "Make an account.").takes::<AppAccount>().gives::<OwnAccount>(),
            make_account,
        )
        .add(
            app("/v1/app/groups", "Make a group.").takes::<AppGroup>().gives::<ConversationRef>(),
            make_group,
        )
        .add(
            app("/v1/app/messages", "Send a message in a member's name.")
                .takes::<AppMessage>()
                .gives::<Sent>(),
            send_message,
        )
}

/// What a signed token says.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// The account's id in the app's backend.
    pub sub: String,
    /// The unique name it is to have.
    pub name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    exp: u64,
}

/// The keys that the app's backend signs with.
pub struct AppKeys {
    keys: JwkSet,
    audience: String,
}

impl AppKeys {
    /// Reads the settings' keys.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(settings: &Settings) -> Result<Self, String> {
        let keys = match settings.app_keys.trim() {
            "" => JwkSet { keys: Vec::new() },
            text => serde_json::from_str(text).map_err(|error| format!("no JWK set: {error}"))?,
        };
        for key in &keys.keys {
            algorithm(key).ok_or("a key must be of type oct (HS256) or OKP Ed25519 (EdDSA)")?;
            if key.common.key_id.is_none() {
                return Err("a key needs a kid".to_owned());
            }
        }
        Ok(Self { keys, audience: settings.app_audience.clone() })
    }

    /// The claims of a token whose key, signature, audience and time are right.
    ///
    /// # Errors
    /// `bad_token`.
    pub fn verify(&self, token: &str, now: u64) -> Result<Claims, ErrorBody> {
        let bad = |why: &str| Code::BadToken.because(why);
        let header = jsonwebtoken::decode_header(token).map_err(|_| bad("not a token"))?;
        let kid = header.kid.ok_or_else(|| bad("kid is missing"))?;
        let key = self.keys.find(&kid).ok_or_else(|| bad("kid is unknown"))?;
        let algorithm = algorithm(key).ok_or_else(|| bad("key"))?;
        if header.alg != algorithm {
            return Err(bad("alg is not the key's"));
        }
        let decoding = DecodingKey::from_jwk(key).map_err(|_| bad("key"))?;
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        // The server's clock decides, below.
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<Claims>(token, &decoding, &validation);
        let claims = token.map_err(|_| bad("signature, aud or sub"))?.claims;
        if claims.exp.saturating_mul(1_000) <= now {
            return Err(bad("exp is over"));
        }
        check_external_id(&claims.sub)?;
        Ok(claims)
    }
}

fn algorithm(key: &Jwk) -> Option<Algorithm> {
    match &key.algorithm {
        AlgorithmParameters::OctetKey(_) => Some(Algorithm::HS256),
        AlgorithmParameters::OctetKeyPair(_) => Some(Algorithm::EdDSA),
        _ => None,
    }
}

fn check_external_id(id: &str) -> Result<(), ErrorBody> {
    let fits = !id.is_empty() && id.len() <= EXTERNAL_ID && !id.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Code::BadRequest.because("the external id has 1 to 256 bytes")) }
}

async fn make_account(
    State(server): State<Arc<Server>>,
    _: AppCaller,
    Body(body): Body<AppAccount>,
) -> ApiResult<OwnAccount> {
    check_external_id(&body.external_id)?;
    let account = account_of(&server, body.external_id, body.name, body.display_name).await?;
    Ok(Json(own_account(&account)))
}

async fn make_group(
    State(server): State<Arc<Server>>,
    _: AppCaller,
    Body(body): Body<AppGroup>,
) -> ApiResult<ConversationRef> {
    Ok(Json(super::groups::create_group(&server, body.owner, body.group).await?))
}

async fn send_message(
    State(server): State<Arc<Server>>,
    _: AppCaller,
    Body(body): Body<AppMessage>,
) -> ApiResult<Sent> {
    let (conversation, command) = command(body.send, body.author)?;
    Ok(Json(server.hosts()?.act(conversation, command).await?))
}

/// The account with this external id; made at first sight.
pub(super) async fn account_of(
    server: &Server,
    external_id: String,
    name: Option<String>,
    shown: Option<String>,
) -> Result<Account, ErrorBody> {
    if let Some(account) = server.ports.accounts.find_by_external_id(&external_id).await.map_err(storage)? {
        return Ok(account);
    }
    let is_named = name.is_some();
    let name = name.unwrap_or_else(|| derived_name(&external_id));
    check_name(&name)?;
    let shown = display_name(shown.as_deref().unwrap_or(&name))?;
    let account = new_account(server, name, shown, None, Some(external_id.clone()));
    let new =
        NewAccount { account: account.clone(), device: None, recovery_hashes: Vec::new(), invite_hash: None };
    match server.ports.accounts.create(new).await.map_err(storage)? {
        Creation::Made => Ok(account),
        Creation::NameTaken if is_named => Err(Code::NameTaken.error()),
        // Somebody else made it meanwhile.
        _ => {
            let found = server.ports.accounts.find_by_external_id(&external_id).await.map_err(storage)?;
            found.ok_or_else(|| Code::NameTaken.error())
        }
    }
}

/// A name for an account whose app names none: the same for the same external id.
fn derived_name(external_id: &str) -> String {
    let hash = hash_secret(external_id);
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("u_{digits}")
}
