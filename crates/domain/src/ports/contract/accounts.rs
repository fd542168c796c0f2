//! The contract of [`Accounts`](crate::ports::Accounts).

use bytes::Bytes;
use suda_proto::rest::Audience;

use super::samples::{
    NOW, account, account_id, change, complete, create, device, hash, make_accounts, new_account, stored,
    take_tasks,
};
use super::{Relational, Storage, both};
use crate::ports::accounts::{Account, Change, Creation, NewAccount, Status};
use crate::ports::jobs::Task;

/// What is made is found, whole, by its id and both its names.
pub async fn creation(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    let bare = Account { external_id: None, password_hash: None, data: None, ..account("bare") };
    assert_eq!(create(&ports, complete("ada", None)).await, Creation::Made, "an account is made");
    let new = NewAccount { account: bare.clone(), ..new_account("bare") };
    assert_eq!(create(&ports, new).await, Creation::Made, "what is optional may be absent");

    let ports = storage.ports().await;
    let ada = Account { recovery_codes_left: 2, ..account("ada") };
    let accounts = &ports.accounts;
    let unknown = account_id("unknown");
    let mut found = accounts.find(&[ada.id, unknown, bare.id, ada.id]).await.expect("find");
    found.sort_by_key(|account| account.id != ada.id);
    assert_eq!(found, [ada.clone(), bare], "accounts are found by id, once each, and unknown ids left out");
    assert!(accounts.find(&[]).await.expect("find").is_empty(), "no ids, no accounts");
    let by_name = accounts.find_by_name("ada").await.expect("find by name");
    assert_eq!(by_name, Some(ada.clone()), "an account is found by name");
    let external = accounts.find_by_external_id("external ada").await.expect("find by external id");
    assert_eq!(external, Some(ada.clone()), "an account is found by external id");
    let nobody = accounts.find_by_name("").await.expect("find by name");
    assert_eq!(nobody, None, "nobody has the empty name");
    let phone = device("ada's phone", "ada", 0);
    let devices = ports.devices.list(ada.id).await.expect("list devices");
    assert_eq!(devices, std::slice::from_ref(&phone), "the first device is made with the account");
}

/// Making an account again answers the same and changes nothing, whatever became of it.
pub async fn repeated_creation(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    let phone = device("ada's phone", "ada", 0);
    let about = Change { about: Some("new".to_owned()), ..Change::default() };
    let changed = change(&ports, "ada", about).await.expect("the account");
    assert_eq!(
        take_tasks(&ports).await,
        [Task::device_added(&phone), Task::profile_changed(changed.id)],
        "the first device is promised"
    );

    let ports = storage.ports().await;
    let again = create(&ports, complete("ada", None)).await;
    assert_eq!(again, Creation::Made, "making it again answers the same");
    assert_eq!(stored(&ports, changed.id).await, changed, "it stays");
    ports.accounts.delete(changed.id).await.expect("delete");
    take_tasks(&ports).await;
    let again = create(&ports, complete("ada", None)).await;
    assert_eq!(again, Creation::Made, "its id was made");
    let status = stored(&ports, changed.id).await.status;
    assert_eq!(status, Status::Deleted, "and does not come back");
    assert!(take_tasks(&ports).await.is_empty(), "nothing is promised");
}

/// A name or an external id in use is refused, and a refused account leaves nothing behind.
pub async fn unique_names(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada"]).await;
    let mut same_name = complete("bob", None);
    "ada".clone_into(&mut same_name.account.name);
    assert_eq!(create(&ports, same_name).await, Creation::NameTaken, "a name is given once");
    let mut same_external = complete("bob", None);
    same_external.account.external_id = Some("external ada".to_owned());
    assert_eq!(
        create(&ports, same_external).await,
        Creation::ExternalIdTaken,
        "an external id is given once"
    );

    let ports = storage.ports().await;
    let bob = account_id("bob");
    assert!(ports.accounts.find(&[bob]).await.expect("find").is_empty(), "a refused account is not made");
    assert!(ports.devices.list(bob).await.expect("list").is_empty(), "nor is its device");
    assert!(take_tasks(&ports).await.is_empty(), "nor is anything promised");
    assert_eq!(create(&ports, complete("bob", None)).await, Creation::Made, "its id stays free");
    assert_eq!(stored(&ports, bob).await.recovery_codes_left, 2, "its codes too");

    let (mut one, mut two) = (complete("one", None), complete("two", None));
    for new in [&mut one, &mut two] {
        "wanted".clone_into(&mut new.account.name);
    }
    let answers: [Creation; 2] = both(create(&ports, one), create(&ports, two)).await.into();
    assert_eq!(
        answers.iter().filter(|a| **a == Creation::Made).count(),
        1,
        "of two who ask at once, one gets the name: {answers:?}"
    );
    assert!(answers.contains(&Creation::NameTaken), "the other is refused: {answers:?}");
}

/// An invitation serves as often as it says, until it expires, and only where an account is made.
pub async fn invitations(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    let add = async |ports: &Relational, label: &str, uses, expires_at| {
        ports.accounts.add_invite(hash(label), uses, expires_at).await.expect("add an invitation");
    };
    add(&ports, "twice", 2, NOW + 1).await;
    add(&ports, "late", 1, NOW).await;
    make_accounts(&ports, &["taken"]).await;
    assert_eq!(create(&ports, complete("ada", Some("unknown"))).await, Creation::BadInvite);
    assert_eq!(
        create(&ports, complete("ada", Some("late"))).await,
        Creation::BadInvite,
        "an invitation ends at its expiry"
    );
    let mut refused = complete("ada", Some("twice"));
    "taken".clone_into(&mut refused.account.name);
    assert_eq!(create(&ports, refused.clone()).await, Creation::NameTaken, "the name is looked at as well");
    refused.invite_hash = Some(hash("late"));
    assert_eq!(create(&ports, refused).await, Creation::BadInvite, "the invitation goes before the name");

    let ports = storage.ports().await;
    for _ in 0..3 {
        let ada = create(&ports, complete("ada", Some("twice"))).await;
        assert_eq!(ada, Creation::Made, "a repeated sign-up uses an invitation once");
    }
    let bob = create(&ports, complete("bob", Some("twice"))).await;
    assert_eq!(bob, Creation::Made, "a refused sign-up does not use an invitation up");

    let ports = storage.ports().await;
    add(&ports, "twice", 2, NOW + 1).await;
    let cleo = create(&ports, complete("cleo", Some("twice"))).await;
    assert_eq!(cleo, Creation::BadInvite, "an invitation that is used up stays so, even if added again");
}

/// A search answers names with a prefix, in order, page by page, without the deleted ones.
pub async fn search(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    let names = ["an", "a_z", "ann", "anna", "annb", "anz", "ao", "a%", "b", "gone.an"];
    make_accounts(&ports, &names).await;
    make_accounts(&ports, &["anngone"]).await;
    ports.accounts.delete(account_id("anngone")).await.expect("delete");

    let ports = storage.ports().await;
    let search = async |prefix: &str, after: &str, limit| -> Vec<String> {
        let found = ports.accounts.search(prefix, after, limit).await.expect("search");
        found.into_iter().map(|account| account.name).collect()
    };
    assert_eq!(
        search("an", "", 9).await,
        ["an", "ann", "anna", "annb", "anz"],
        "names with the prefix, in order"
    );
    assert_eq!(search("an", "", 2).await, ["an", "ann"], "as many as asked for");
    assert_eq!(search("an", "ann", 2).await, ["anna", "annb"], "after a name");
    assert_eq!(search("an", "zz", 9).await, [""; 0], "nothing is left");
    assert_eq!(search("a_", "", 9).await, ["a_z"], "an underscore stands for itself");
    assert_eq!(search("a%", "", 9).await, ["a%"], "a percent sign stands for itself");
    assert_eq!(search("", "", 99).await.len(), names.len(), "the empty prefix begins every name");
}

/// A change touches what it names and promises to tell the account's devices.
pub async fn changes(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    take_tasks(&ports).await;
    let about = Change { about: Some(String::new()), ..Change::default() };
    let mut expected = Account { about: String::new(), ..account("ada") };
    assert_eq!(change(&ports, "ada", about).await, Some(expected.clone()), "what is absent stays");

    let ports = storage.ports().await;
    assert_eq!(stored(&ports, expected.id).await, expected, "a change is kept");
    let promised = [Task::profile_changed(expected.id)];
    assert_eq!(take_tasks(&ports).await, promised, "a change is promised");
    let rest = Change {
        display_name: Some("Countess".to_owned()),
        colour: Some(0),
        about: None,
        data: Some(Bytes::from_static(b"null")),
        who_may_message: Some(Audience::Nobody),
        who_may_add: Some(Audience::Everyone),
        who_may_see: Some(Audience::Nobody),
        language: Some("en".to_owned()),
        status: Some(Status::Deleted),
    };
    "Countess".clone_into(&mut expected.display_name);
    expected.colour = 0;
    expected.data = Some(Bytes::from_static(b"null"));
    expected.who_may_message = Audience::Nobody;
    expected.who_may_add = Audience::Everyone;
    expected.who_may_see = Audience::Nobody;
    "en".clone_into(&mut expected.language);
    assert_eq!(
        change(&ports, "ada", rest).await,
        Some(expected.clone()),
        "everything changes but to deleted"
    );
    assert_eq!(stored(&ports, account_id("bob")).await, account("bob"), "another account stays as it is");
}

/// What is not there does not change.
pub async fn changes_of_nobody(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["gone"]).await;
    let gone = ports.accounts.delete(account_id("gone")).await;
    gone.expect("delete");
    take_tasks(&ports).await;
    let about = Change { about: Some("new".to_owned()), ..Change::default() };
    assert_eq!(change(&ports, "nobody", about.clone()).await, None, "an unknown account does not change");
    assert_eq!(change(&ports, "gone", about).await, None, "a deleted account does not change");
    assert!(take_tasks(&ports).await.is_empty(), "what did not change is not promised");
}
