//! The contract of [`Accounts`](crate::ports::Accounts): disabling and deleting them.

use suda_proto::rest::Audience;

use super::samples::{
    account, account_id, change, complete, create, device, device_id, hash, make_accounts, stored, take_tasks,
};
use super::{Relational, Storage};
use crate::ports::accounts::{Account, Change, Creation, Status};
use crate::ports::contacts::{Asked, Between};
use crate::ports::jobs::Task;

/// Disabling logs every device out and keeps the rest; enabling brings the account back.
pub async fn disabling(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    create(&ports, complete("bob", None)).await;
    take_tasks(&ports).await;
    let to = |status| Change { status: Some(status), ..Change::default() };
    let expected = Account { status: Status::Disabled, recovery_codes_left: 2, ..account("ada") };
    assert_eq!(change(&ports, "ada", to(Status::Disabled)).await, Some(expected.clone()));

    let ports = storage.ports().await;
    let by_token = ports.devices.find_by_token(device("ada's phone", "ada", 0).token_hash).await;
    assert_eq!(by_token.expect("find by token"), None, "disabling removes the devices");
    let bobs = ports.devices.list(account_id("bob")).await.expect("list devices");
    assert_eq!(bobs.len(), 1, "but no other account's");
    let promised =
        [Task::profile_changed(expected.id), Task::device_removed(expected.id, device_id("ada's phone"))];
    assert_eq!(take_tasks(&ports).await, promised, "both changes are promised");
    let found = ports.accounts.find_by_name("ada").await.expect("find by name");
    assert_eq!(found, Some(expected.clone()), "a disabled account keeps its name and data");
    let back = change(&ports, "ada", to(Status::Active)).await;
    assert_eq!(back.map(|account| account.status), Some(Status::Active), "an account can be enabled again");
}

/// Deleting leaves the id alone, on every side, frees the names and promises the rest of the work.
pub async fn deletion(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    make_accounts(&ports, &["bob", "cleo"]).await;
    let [ada, bob, cleo] = ["ada", "bob", "cleo"].map(account_id);
    for (asking, asked) in [(ada, bob), (bob, ada), (bob, cleo)] {
        let answer = ports.contacts.ask(asking, asked, 9).await.expect("ask for a contact");
        assert!(matches!(answer, Asked::Now(_)));
    }
    ports.contacts.block(cleo, ada).await.expect("block");
    let removed = ports.accounts.delete(ada).await.expect("delete");
    assert_eq!(removed, [device_id("ada's phone")], "the removed devices are answered");

    let ports = storage.ports().await;
    let nothing = Account {
        id: ada,
        name: String::new(),
        display_name: String::new(),
        colour: 0,
        about: String::new(),
        data: None,
        who_may_message: Audience::Everyone,
        who_may_add: Audience::Everyone,
        who_may_see: Audience::Everyone,
        language: String::new(),
        status: Status::Deleted,
        external_id: None,
        password_hash: None,
        created_at: 0,
        recovery_codes_left: 0,
    };
    assert_eq!(stored(&ports, ada).await, nothing, "only the id remains");
    assert_eq!(ports.accounts.find_by_name("ada").await.expect("find by name"), None);
    let by_external_id = ports.accounts.find_by_external_id("external ada").await;
    assert_eq!(by_external_id.expect("find by external id"), None);
    let by_token = ports.devices.find_by_token(hash("token of ada's phone")).await;
    assert_eq!(by_token.expect("find by token"), None, "its devices are gone");
    for other in [bob, cleo] {
        let between = ports.contacts.between(ada, other).await.expect("between");
        assert_eq!(between, Between::default(), "its contacts and blocks are gone on both sides");
    }
    expect_deletion_promised(&ports).await;
}

/// Deleting again, or nobody, changes nothing, also once somebody else has the names.
pub async fn repeated_deletion(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    let ada = account_id("ada");
    ports.accounts.delete(ada).await.expect("delete");
    take_tasks(&ports).await;
    let mut heir = complete("heir", None);
    "ada".clone_into(&mut heir.account.name);
    heir.account.external_id = account("ada").external_id;
    let made = create(&ports, heir).await;
    assert_eq!(made, Creation::Made, "the names are free");
    take_tasks(&ports).await;

    let ports = storage.ports().await;
    for id in [ada, account_id("unknown")] {
        let removed = ports.accounts.delete(id).await.expect("delete");
        assert!(removed.is_empty(), "there is nothing to remove");
    }
    assert!(take_tasks(&ports).await.is_empty(), "nothing is promised");
    let found = ports.accounts.find_by_name("ada").await;
    let found = found.expect("find by name").map(|account| account.id);
    assert_eq!(found, Some(account_id("heir")), "the heir keeps the name");
}

/// After Bob's contact and Cleo's block of Ada: nothing for Ada but the erasure, one end for each of them.
async fn expect_deletion_promised(ports: &Relational) {
    let [ada, bob, cleo] = ["ada", "bob", "cleo"].map(account_id);
    let tasks = take_tasks(ports).await;
    assert_eq!(tasks.last(), Some(&Task::EraseAccount { account: ada }), "the erasure is promised");
    let hers = tasks.iter().filter(|task| task.account() == ada).count();
    assert_eq!(hers, 1, "what was promised her before is forgotten");
    for other in [bob, cleo] {
        let ended = Task::contact_changed(other, ada, None);
        let times = tasks.iter().filter(|task| **task == ended).count();
        assert_eq!(times, 1, "whoever saw her is told once");
    }
}
