//! Accounts, devices and hashes for the suites: the same label always gives the same ones.

use std::cell::Cell;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use suda_proto::ids::derived;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, ConversationId, DeviceId};

use super::Relational;
use crate::ports::accounts::{Account, Change, Creation, NewAccount, Status};
use crate::ports::devices::Device;
use crate::ports::jobs::Task;

/// When every sample is made, milliseconds since 1970.
pub const NOW: u64 = 1_800_000_000_000;

/// More jobs than any suite promises.
const ALL_JOBS: u32 = 1_000;

/// A hash that stands for the secret `label`.
pub fn hash(label: &str) -> [u8; 32] {
    Sha256::digest(label.as_bytes()).into()
}

thread_local! {
    static RUN: Cell<[u8; 16]> = const { Cell::new([0; 16]) };
}

/// Gives this thread's samples of accounts and conversations other ids than any other run's: for storage in which others
/// have stored something.
pub fn set_apart(run: [u8; 16]) {
    RUN.set(run);
}

/// The id of the conversation `label`.
pub fn conversation_id(label: &str) -> ConversationId {
    ConversationId(derived("suda.contract.conversation", &[&RUN.get(), label.as_bytes()]))
}

/// The id of the account `name`.
pub fn account_id(name: &str) -> AccountId {
    AccountId(derived("suda.contract.account", &[&RUN.get(), name.as_bytes()]))
}

/// The id of the device `label`.
pub fn device_id(label: &str) -> DeviceId {
    DeviceId(derived("suda.contract.device", &[label.as_bytes()]))
}

/// An account in which every field differs from its default.
pub fn account(name: &str) -> Account {
    Account {
        id: account_id(name),
        name: name.to_owned(),
        display_name: format!("{name} 김 \u{1F642}"),
        colour: 359,
        about: format!("about {name}"),
        data: Some(Bytes::from_static(br#"{"plan":"gold"}"#)),
        who_may_message: Audience::Contacts,
        who_may_add: Audience::Nobody,
        who_may_see: Audience::Contacts,
        language: "ko".to_owned(),
        status: Status::Active,
        external_id: Some(format!("external {name}")),
        password_hash: Some(format!("$argon2id$v=19$m=1,t=1,p=1${name}")),
        created_at: NOW,
        recovery_codes_left: 0,
    }
}

/// A device of the account `owner`, one millisecond younger per `number`.
pub fn device(label: &str, owner: &str, number: u64) -> Device {
    Device {
        id: device_id(label),
        account: account_id(owner),
        name: format!("{label}'s name"),
        platform: "terminal".to_owned(),
        token_hash: hash(&format!("token of {label}")),
        created_at: NOW + number,
        last_active_at: NOW + number,
    }
}

/// The account `name` without a device or recovery codes, to be made.
pub fn new_account(name: &str) -> NewAccount {
    NewAccount { account: account(name), device: None, recovery_hashes: Vec::new(), invite_hash: None }
}

/// The account `name` with a device, two recovery codes and perhaps an invitation, to be made.
pub fn complete(name: &str, invite: Option<&str>) -> NewAccount {
    NewAccount {
        device: Some(device(&format!("{name}'s phone"), name, 0)),
        recovery_hashes: vec![hash(&format!("{name} one")), hash(&format!("{name} two"))],
        invite_hash: invite.map(hash),
        ..new_account(name)
    }
}

/// Asks for an account.
pub async fn create(ports: &Relational, new: NewAccount) -> Creation {
    ports.accounts.create(new).await.expect("create an account")
}

/// Asks for a change of the account `name`.
pub async fn change(ports: &Relational, name: &str, change: Change) -> Option<Account> {
    let id = account_id(name);
    ports.accounts.change(id, change).await.expect("change an account")
}

/// Makes accounts without devices or recovery codes.
pub async fn make_accounts(ports: &Relational, names: &[&str]) {
    for name in names {
        assert_eq!(
            create(ports, new_account(name)).await,
            Creation::Made,
            "an account with a free name is made"
        );
    }
}

/// The account with this id; panics if it was never made.
pub async fn stored(ports: &Relational, id: AccountId) -> Account {
    let mut found = ports.accounts.find(&[id]).await.expect("find an account");
    assert_eq!(found.len(), 1, "an account that was made is found once");
    found.remove(0)
}

/// Everything promised so far, in the order of promising; it counts as done then.
pub async fn take_tasks(ports: &Relational) -> Vec<Task> {
    let jobs = ports.jobs.due(u64::MAX, ALL_JOBS).await.expect("read due jobs");
    for job in &jobs {
        ports.jobs.finish(job.id).await.expect("finish a job");
    }
    jobs.into_iter().map(|job| job.task).collect()
}
