//! Finds the answers to questions.

use suda_client::Client;
use suda_client::error::ClientError;
use suda_client::model::{CacheLocation, ConversationPresence};
use suda_proto::entry::{History, SettingsBody};
use suda_proto::{AccountId, Code, ConversationId, rest};

use super::device::this_device;
use super::reading;
use super::world::Reply;
use crate::effect::Ask;
use crate::input::Answer;
use crate::words::{Language, Word};

/// Whether a question reads something that is shown; there is at most one of each kind at a time.
pub fn is_reading(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Account
            | Ask::Conversations
            | Ask::Messages(_)
            | Ask::Members(_)
            | Ask::Presence { .. }
            | Ask::Search(_)
    )
}

/// Asks the server to let somebody in.
pub async fn enter(server: String, cache: CacheLocation, ask: Ask, language: Language) -> Reply {
    let entered = match ask {
        Ask::LogIn { name, password } => {
            let request = rest::LogIn { name, password: password.0, device: this_device() };
            Client::log_in(server, cache, request).await.map(|client| (client, Vec::new()))
        }
        Ask::SignUp { name, display_name, password, invite } => {
            let request =
                rest::SignUp { name, password: password.0, display_name, invite, device: this_device() };
            Client::sign_up(server, cache, request)
                .await
                .map(|signed_up| (signed_up.client, signed_up.recovery_codes))
        }
        Ask::Recover { name, code, password } => {
            let request = rest::Recover {
                name,
                recovery_code: code.0,
                new_password: password.0,
                device: this_device(),
            };
            Client::recover(server, cache, request).await.map(|client| (client, Vec::new()))
        }
        _ => Err(ClientError::NoSession),
    };
    match entered {
        Ok((client, recovery_codes)) => Reply::Entered { client: Box::new(client), recovery_codes },
        Err(error) => Reply::Answer(Answer::EntranceRefused(language.problem(&error))),
    }
}

/// Asks the client of somebody who is in.
pub async fn answer(client: &Client, ask: Ask, language: Language) -> Reply {
    let failed = |error: ClientError| Answer::Failed(language.problem(&error));
    let answer = match ask {
        Ask::LogIn { .. } | Ask::SignUp { .. } | Ask::Recover { .. } => {
            Answer::EntranceRefused(language.say(Word::Busy).to_owned())
        }
        Ask::LogOut => client.log_out().await.map_or_else(failed, |()| Answer::LoggedOut),
        Ask::Messages(wanted) => {
            Answer::Messages { reading: wanted, list: reading::read(client, wanted).await.ok() }
        }
        Ask::Members(conversation) => {
            Answer::Members { conversation, members: client.members(conversation).await.ok() }
        }
        Ask::Presence { accounts, conversation } => presence(client, accounts, conversation).await,
        Ask::Search(prefix) => {
            let found = client.search_accounts(prefix.clone()).await.ok();
            Answer::Found { prefix, profiles: found }
        }
        ask => read_or_change(client, ask).await.unwrap_or_else(failed),
    };
    Reply::Answer(answer)
}

/// Who is there. What cannot be read now is not known.
async fn presence(client: &Client, accounts: Vec<AccountId>, conversation: Option<ConversationId>) -> Answer {
    let presences = accounts.into_iter().map(|account| client.presence(account)).collect();
    let mut online = None;
    if let Some(conversation) = conversation
        && let Ok(ConversationPresence { online: Some(count), .. }) =
            client.conversation_presence(conversation).await
    {
        online = Some((conversation, count));
    }
    Answer::Presence { presences, online }
}

async fn read_or_change(client: &Client, ask: Ask) -> Result<Answer, ClientError> {
    Ok(match ask {
        Ask::Account => {
            let account = client.account().await?;
            Answer::Account(account.profile, account.language)
        }
        Ask::Conversations => Answer::Conversations(client.conversations().await?),
        Ask::MoreConversations => Answer::MoreConversations(client.load_more_conversations().await?),
        Ask::People(accounts) => Answer::People(client.profiles(accounts).await?),
        Ask::Reactions(conversation, seq) => {
            Answer::Reactions { conversation, seq, reactions: client.reactions(conversation, seq).await? }
        }
        Ask::OpenDirect(account) => Answer::Opened(client.open_direct(account).await?),
        Ask::CreateGroup { title, members } => {
            Answer::Opened(client.create_group(title, members, History::FromJoin).await?)
        }
        ask => {
            change(client, ask).await?;
            Answer::Done(Word::Done)
        }
    })
}

async fn change(client: &Client, ask: Ask) -> Result<(), ClientError> {
    match ask {
        Ask::AddMembers(conversation, accounts) => client.add_members(conversation, accounts).await,
        Ask::AddNamed(conversation, name) => add_named(client, conversation, name).await,
        Ask::RemoveMember(conversation, account) => client.remove_member(conversation, account).await,
        Ask::ChangeRole(conversation, account, role) => client.change_role(conversation, account, role).await,
        Ask::SetTitle(conversation, title) => {
            let settings = SettingsBody { title: Some(title), ..SettingsBody::default() };
            client.change_group(conversation, settings).await
        }
        Ask::Leave(conversation) => client.leave_group(conversation).await,
        Ask::Dissolve(conversation) => client.dissolve_group(conversation).await,
        Ask::Block(account, true) => client.block(account).await,
        Ask::Block(account, false) => client.unblock(account).await,
        _ => Ok(()),
    }
}

async fn add_named(client: &Client, conversation: ConversationId, name: String) -> Result<(), ClientError> {
    let found = client.search_accounts(name.clone()).await?;
    let profile = found.into_iter().find(|profile| profile.name == name);
    let profile = profile.ok_or_else(|| ClientError::Server(Code::NoSuchAccount.error()))?;
    client.add_members(conversation, vec![profile.account]).await
}
