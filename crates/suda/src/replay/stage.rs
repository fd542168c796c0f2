//! Sets the stage: accounts with two devices each, and their conversations.

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use suda_proto::entry::{ConversationKind, SettingsBody};
use suda_proto::rest::{ConversationRef, LogIn, NewDevice, NewGroup, OpenDirect, OwnAccount, SignUp};
use suda_proto::{AccountId, ClientId, Code, ConversationId};
use uuid::Uuid;

use super::plan::{Plan, PlannedAccount};
use super::rest::{Rest, RestError};
use super::steps::Step;

/// How many requests are under way at once. The server hashes two passwords at a time.
const AT_ONCE: usize = 8;

/// Longest display name, in characters.
const DISPLAY_NAME_MAX: usize = 64;

/// Longest title of a group, in characters.
const TITLE_MAX: usize = 128;

/// What a run's names are made from: a replay never meets the accounts of an earlier one.
pub struct Run {
    id: Uuid,
    password: String,
}

/// An account that exists.
pub struct StagedAccount {
    /// Its id.
    pub id: AccountId,
    /// The tokens of its two devices; the first one sends.
    pub tokens: [String; 2],
}

/// What is needed of the answer to a log-in; whoever wants no cookie gets the token.
#[derive(Deserialize)]
pub struct NewLogIn {
    account: OwnAccount,
    /// The device's token.
    pub token: String,
}

impl Run {
    /// A run that nobody else has.
    pub fn new() -> Self {
        Self { id: Uuid::now_v7(), password: format!("{:032x}", rand::random::<u128>()) }
    }

    /// The account's name: up to 32 characters, not to be guessed from the author's.
    fn name(&self, account: &PlannedAccount) -> String {
        let mut hash = Sha256::new();
        hash.update(self.id.as_bytes());
        hash.update(account.only_in.as_deref().unwrap_or_default());
        hash.update([0]);
        hash.update(&account.author);
        let digest: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("replay.{digest}")
    }

    /// Signs everybody up, with two devices each; in the order of the plan.
    ///
    /// # Errors
    /// The first refusal, or that the server stayed away.
    pub async fn sign_up(
        &self,
        rest: &Rest,
        plan: &Plan,
        step: &Step,
    ) -> Result<Vec<StagedAccount>, RestError> {
        let sign_up = |account| async move {
            let first = self.first_device(rest, account).await?;
            let second = self.log_in(rest, account, "second").await?;
            step.advance();
            Ok(StagedAccount { id: first.account.profile.account, tokens: [first.token, second.token] })
        };
        stream::iter(&plan.accounts).map(sign_up).buffered(AT_ONCE).try_collect().await
    }

    async fn first_device(&self, rest: &Rest, account: &PlannedAccount) -> Result<NewLogIn, RestError> {
        let request = SignUp {
            name: self.name(account),
            password: self.password.clone(),
            display_name: visible(&account.author, DISPLAY_NAME_MAX),
            invite: None,
            device: device("first"),
        };
        match rest.post("/v1/accounts", None, &request).await {
            // An earlier try succeeded, and its answer was lost.
            Err(RestError::Refused(error)) if error.known() == Some(Code::NameTaken) => {
                self.log_in(rest, account, "first").await
            }
            outcome => outcome,
        }
    }

    /// Logs another device of the account in.
    ///
    /// # Errors
    /// The refusal, or that the server stayed away.
    pub async fn log_in(
        &self,
        rest: &Rest,
        account: &PlannedAccount,
        name: &str,
    ) -> Result<NewLogIn, RestError> {
        let password = self.password.clone();
        let request = LogIn { name: self.name(account), password, device: device(name) };
        rest.post("/v1/login", None, &request).await
    }
}

/// Makes the conversations; in the order of the plan.
///
/// # Errors
/// The first refusal, or that the server stayed away.
pub async fn converse(
    rest: &Rest,
    plan: &Plan,
    accounts: &[StagedAccount],
    step: &Step,
) -> Result<Vec<ConversationId>, RestError> {
    let create = |place: usize| async move {
        let planned = &plan.conversations[place];
        let mut members = planned.members.iter().map(|account| &accounts[*account]);
        let owner = members.next().expect("somebody wrote the conversation's first line");
        let others: Vec<AccountId> = members.map(|account| account.id).collect();
        let token = Some(owner.tokens[0].as_str());
        let made: ConversationRef = match (planned.kind, others.first()) {
            (ConversationKind::Direct, Some(other)) => {
                rest.post("/v1/direct", token, &OpenDirect { account: *other }).await?
            }
            _ => {
                let title = visible(&planned.name, TITLE_MAX);
                let settings = SettingsBody { title, ..SettingsBody::default() };
                let client_id = ClientId(Uuid::now_v7());
                rest.post("/v1/groups", token, &NewGroup { client_id, members: others, settings }).await?
            }
        };
        step.advance();
        Ok(made.conversation)
    };
    stream::iter(0..plan.conversations.len()).map(create).buffered(AT_ONCE).try_collect().await
}

fn device(name: &str) -> NewDevice {
    NewDevice { name: name.to_owned(), platform: "replay".to_owned() }
}

/// The first characters of `text` that can be shown; `None` where there are none.
fn visible(text: &str, most: usize) -> Option<String> {
    let shown: String = text.trim().chars().filter(|one| !one.is_control()).take(most).collect();
    (!shown.trim().is_empty()).then_some(shown)
}
