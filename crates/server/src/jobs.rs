//! The worker that keeps promises: values for accounts' own conversations, and the erasure of deleted accounts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use suda_domain::conversation::{Act, Command};
use suda_domain::ports::inbox::InboxCursor;
use suda_domain::ports::jobs::{Job, Task};
use suda_proto::entry::{ConversationKind, CreatedBody, SetBody, SettingsBody};
use suda_proto::{AccountId, ClientId, Code, ConversationId, ErrorBody, Raw};
use uuid::Uuid;

use crate::server::{Server, storage};

/// Most jobs taken at once.
const AT_ONCE: u32 = 64;

/// The worker looks at least this often, for jobs that were postponed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Most conversations of an account taken at once.
const PAGE: u32 = 200;

/// How a job fared.
enum Kept {
    /// It is done, or can never be.
    Yes,
    /// It must wait, and with it what was promised later.
    NotYet,
}

/// Keeps promises, in their order, until the server goes down.
pub(crate) async fn run(server: Arc<Server>) {
    while !server.is_draining() {
        let kept = match server.ports.jobs.due(server.clock.now(), AT_ONCE).await {
            Ok(jobs) => keep_all(&server, jobs).await,
            Err(failure) => {
                drop(storage(failure));
                Kept::NotYet
            }
        };
        tokio::select! {
            () = server.ports.jobs.wait(), if matches!(kept, Kept::Yes) => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = server.drained() => {}
        }
    }
}

/// Keeps these jobs and those that follow them, until there is none or one must wait.
async fn keep_all(server: &Server, mut jobs: Vec<Job>) -> Kept {
    while !jobs.is_empty() {
        for job in jobs {
            if let Kept::NotYet = keep(server, job).await {
                return Kept::NotYet;
            }
        }
        jobs = match server.ports.jobs.due(server.clock.now(), AT_ONCE).await {
            Ok(jobs) => jobs,
            Err(failure) => {
                drop(storage(failure));
                return Kept::NotYet;
            }
        };
    }
    Kept::Yes
}

/// Keeps one promise. A value that cannot be set yet holds up later ones, which may be of the same key; an erasure that
/// cannot be done yet is postponed, since it may be long.
async fn keep(server: &Server, job: Job) -> Kept {
    let noted = match (server.carry_out(&job).await, &job.task) {
        (Ok(()), _) => server.ports.jobs.finish(job.id).await,
        (Err(error), Task::Set { .. }) if error.retry_after_ms.is_some() => {
            tracing::warn!(job = %job.id, code = error.code, "a promised value must wait");
            return Kept::NotYet;
        }
        (Err(error), Task::Set { .. }) => {
            tracing::error!(job = %job.id, code = error.code, "a promised value cannot be set");
            server.ports.jobs.finish(job.id).await
        }
        (Err(error), Task::EraseAccount { .. }) => {
            tracing::warn!(job = %job.id, code = error.code, attempts = job.attempts, "an erasure must wait");
            let pause = 1_000 << job.attempts.min(8);
            let until = server.clock.now() + pause;
            server.ports.jobs.postpone(job.id, until).await
        }
    };
    match noted {
        Ok(()) => Kept::Yes,
        Err(failure) => {
            drop(storage(failure));
            Kept::NotYet
        }
    }
}

/// Sets a value of the account's own conversation, which is created at its first value.
pub(crate) async fn set_own(
    server: &Server,
    account: AccountId,
    (client_id, base): (ClientId, Option<u64>),
    set: SetBody,
) -> Result<suda_proto::reply::Sent, ErrorBody> {
    let conversation = ConversationId::own(account);
    let command = |client_id, base, act| Command { author: account, client_id, base, after: None, act };
    let hosts = server.hosts()?;
    match hosts.act(conversation, command(client_id, base, Act::Set(set.clone()))).await {
        Err(error) if error.known() == Some(Code::NoSuchConversation) => {}
        answer => return answer,
    }
    let create = CreatedBody {
        kind: ConversationKind::Own,
        members: vec![account],
        settings: SettingsBody::default(),
    };
    let creation = ClientId::caused_by("suda.own.1", &[account.bytes()]);
    hosts.act(conversation, command(creation, None, Act::Create(create))).await?;
    hosts.act(conversation, command(client_id, base, Act::Set(set))).await
}

/// Keeps the promise to set a value.
pub(crate) async fn set(
    server: &Server,
    job: Uuid,
    account: AccountId,
    key: &str,
    value: &str,
) -> Result<(), ErrorBody> {
    let value = Raw::checked(Bytes::copy_from_slice(value.as_bytes()))
        .map_err(|error| Code::Internal.because(&error.to_string()))?;
    let client_id = ClientId::caused_by("suda.job.1", &[job.as_bytes()]);
    match set_own(server, account, (client_id, None), SetBody { key: key.to_owned(), value }).await {
        // The account was deleted meanwhile: nobody is left to be told.
        Err(error) if error.known() == Some(Code::NotMember) => Ok(()),
        answer => answer.map(|_| ()),
    }
}

/// Takes a deleted account out of all its conversations and erases what it wrote there.
pub(crate) async fn erase_account(server: &Server, job: Uuid, account: AccountId) -> Result<(), ErrorBody> {
    let mut after: Option<InboxCursor> = None;
    let mut conversations = vec![ConversationId::own(account)];
    loop {
        // Any time but 0 lists conversations that it left before, too.
        let rows = server.ports.inbox.rows(account, 1, after, PAGE).await.map_err(storage)?;
        conversations.extend(rows.iter().map(|row| row.conversation));
        match rows.last() {
            Some(last) if rows.len() == PAGE as usize => {
                after = Some(InboxCursor { touched: last.touched(), conversation: last.conversation });
            }
            _ => break,
        }
    }
    for conversation in conversations {
        let client_id = ClientId::caused_by("suda.erase.1", &[job.as_bytes(), conversation.bytes()]);
        let command = Command { author: account, client_id, base: None, after: None, act: Act::EraseAuthor };
        match server.hosts()?.act(conversation, command).await {
            Err(error) if error.known() == Some(Code::NoSuchConversation) => {}
            answer => drop(answer?),
        }
    }
    Ok(())
}
