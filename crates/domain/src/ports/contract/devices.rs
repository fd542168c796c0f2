//! The contract of [`Devices`](crate::ports::Devices).

use super::samples::{NOW, account, account_id, device, device_id, hash, make_accounts, stored, take_tasks};
use super::{Relational, Storage, both};
use crate::ports::accounts::{Change, Status};
use crate::ports::devices::{Device, TokenHolder};
use crate::ports::jobs::Task;

/// The limit where it does not matter.
const PLENTY: u32 = 20;

async fn add(ports: &Relational, device: &Device, most: u32) -> bool {
    ports.devices.add(device.clone(), most).await.expect("add a device")
}

async fn list(ports: &Relational, owner: &str) -> Vec<Device> {
    ports.devices.list(account_id(owner)).await.expect("list devices")
}

/// A device is found by its token's hash and listed by age; adding it again changes nothing.
pub async fn adding(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    let (older, newer) = (device("phone", "ada", 1), device("laptop", "ada", 2));
    let other = device("bob's", "bob", 0);
    for device in [&newer, &older, &other] {
        assert!(add(&ports, device, PLENTY).await, "a device is added");
    }

    let ports = storage.ports().await;
    let promised = [&newer, &older, &other].map(Task::device_added);
    assert_eq!(take_tasks(&ports).await, promised, "each is promised");
    assert!(add(&ports, &newer, PLENTY).await, "adding it again succeeds");
    assert!(take_tasks(&ports).await.is_empty(), "and promises nothing more");
    assert_eq!(list(&ports, "ada").await, [older.clone(), newer], "an account's devices, oldest first");
    assert!(list(&ports, "nobody").await.is_empty(), "nobody has no devices");
    let found = ports.devices.find_by_token(older.token_hash).await.expect("find by token");
    let who_may_see = account("ada").who_may_see;
    let holder = TokenHolder { device: older, status: Status::Active, who_may_see };
    assert_eq!(found, Some(holder), "a token's hash finds its device");
    let unknown = ports.devices.find_by_token(hash("another token")).await;
    assert_eq!(unknown.expect("find by token"), None, "an unknown token finds nothing");
}

/// An account has at most so many devices, even if several log in at once.
pub async fn limit(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    let [first, second, third] = ["first", "second", "third"].map(|label| device(label, "ada", 0));
    assert!(!add(&ports, &first, 0).await, "no device fits where none is allowed");
    assert!(add(&ports, &device("bob's", "bob", 0), 2).await, "another's devices");
    assert!(add(&ports, &first, 2).await, "do not count");
    take_tasks(&ports).await;
    let (one, two) = both(add(&ports, &second, 2), add(&ports, &third, 2)).await;
    assert!(one ^ two, "of two for the last place, one gets it");

    let ports = storage.ports().await;
    assert_eq!(list(&ports, "ada").await.len(), 2, "there are as many as may be");
    assert_eq!(take_tasks(&ports).await.len(), 1, "a refused device is not promised");
    assert!(add(&ports, &first, 2).await, "a device that is there is no further one");
    ports.devices.remove(first.account, first.id).await.expect("remove");
    assert!(add(&ports, &device("fourth", "ada", 0), 2).await, "a removed device makes room");
}

/// Nobody logs in to an account that is not active.
pub async fn inactive_accounts(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["disabled", "deleted"]).await;
    let disable = Change { status: Some(Status::Disabled), ..Change::default() };
    let disabled = ports.accounts.change(account_id("disabled"), disable).await;
    disabled.expect("disable");
    ports.accounts.delete(account_id("deleted")).await.expect("delete");
    take_tasks(&ports).await;
    for owner in ["disabled", "deleted", "unknown"] {
        let late = device(owner, owner, 0);
        assert!(!add(&ports, &late, PLENTY).await, "{owner} gets no device");
        assert!(list(&ports, owner).await.is_empty(), "{owner} has no device");
    }
    assert!(take_tasks(&ports).await.is_empty(), "a refused device is not promised");
    let status = stored(&ports, account_id("deleted")).await.status;
    assert_eq!(status, Status::Deleted, "a deleted account stays deleted");
}

/// A removed device is gone at once; only its account removes it.
pub async fn removing(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    let phone = device("phone", "ada", 0);
    add(&ports, &phone, PLENTY).await;
    take_tasks(&ports).await;
    let remove = async |ports: &Relational, owner: &str| {
        let removed = ports.devices.remove(account_id(owner), phone.id).await;
        removed.expect("remove a device")
    };
    assert!(!remove(&ports, "bob").await, "an account removes only its own devices");
    assert_eq!(list(&ports, "ada").await, std::slice::from_ref(&phone));
    assert!(take_tasks(&ports).await.is_empty(), "nothing is promised");
    assert!(remove(&ports, "ada").await, "a device is removed");

    let ports = storage.ports().await;
    let found = ports.devices.find_by_token(phone.token_hash).await;
    assert_eq!(found.expect("find by token"), None, "its token finds nothing");
    assert!(!remove(&ports, "ada").await, "it is gone");
    assert_eq!(
        take_tasks(&ports).await,
        [Task::device_removed(phone.account, phone.id)],
        "its removal is promised once"
    );
}

/// The time a device was seen last only goes forward.
pub async fn touching(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada"]).await;
    let devices = ["one", "two", "three"].map(|label| device(label, "ada", 0));
    for device in &devices {
        add(&ports, device, PLENTY).await;
    }
    take_tasks(&ports).await;
    let [one, two, _] = devices.each_ref().map(|device| device.id);
    let seen = [(one, NOW + 5), (device_id("unknown"), NOW), (two, NOW - 1), (one, NOW + 3)];
    ports.devices.touch(&seen).await.expect("touch");
    ports.devices.touch(&[]).await.expect("touch nothing");

    let ports = storage.ports().await;
    for device in devices {
        let at = if device.id == one { NOW + 5 } else { NOW };
        let found = ports
            .devices
            .find_by_token(device.token_hash)
            .await
            .expect("find by token")
            .expect("a device that was added is found");
        let expected = Device { last_active_at: at, ..device };
        assert_eq!(found.device, expected, "the latest time stands and nothing else changes");
    }
    assert_eq!(list(&ports, "ada").await.len(), 3, "an unknown device is not made");
    assert!(take_tasks(&ports).await.is_empty(), "being seen is not promised");
}
