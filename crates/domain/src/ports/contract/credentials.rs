//! The contract of [`Accounts`](crate::ports::Accounts): passwords and recovery codes.

use suda_proto::DeviceId;

use super::samples::{account, account_id, complete, create, device, device_id, hash, stored, take_tasks};
use super::{Relational, Storage};
use crate::ports::jobs::Task;

/// Sets the password of the account `name`, with a recovery code if there is one, and answers the removed devices.
async fn set(
    ports: &Relational,
    name: &str,
    password: &str,
    keep: Option<DeviceId>,
    code: Option<&str>,
) -> Option<Vec<DeviceId>> {
    ports
        .accounts
        .set_password(account_id(name), password.to_owned(), keep, code.map(hash))
        .await
        .expect("set the password")
}

/// A new password logs the other devices out, and is kept.
pub async fn passwords(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    create(&ports, complete("bob", None)).await;
    let (phone, tablet) = (device_id("ada's phone"), device("tablet", "ada", 1));
    ports.devices.add(tablet.clone(), 9).await.expect("add a device");
    take_tasks(&ports).await;
    let ada = account_id("ada");
    assert_eq!(set(&ports, "nobody", "new", None, None).await, None, "no account, no password");
    assert!(take_tasks(&ports).await.is_empty(), "and nothing is promised");
    let removed = set(&ports, "ada", "second", Some(tablet.id), None).await;
    assert_eq!(removed, Some(vec![phone]), "every device is removed but the one to keep");

    let ports = storage.ports().await;
    assert_eq!(take_tasks(&ports).await, [Task::device_removed(ada, phone)], "the removal is promised");
    let devices = ports.devices.list(ada).await.expect("list devices");
    assert_eq!(devices, std::slice::from_ref(&tablet), "the kept device stays");
    let now = stored(&ports, ada).await;
    assert_eq!((now.password_hash.as_deref(), now.recovery_codes_left), (Some("second"), 2));
}

/// A recovery code stands for the old password, once, and for its own account.
pub async fn recovery(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    create(&ports, complete("bob", None)).await;
    let ada = account_id("ada");
    assert_eq!(set(&ports, "ada", "wrong", None, Some("bob one")).await, None, "another's code is none");
    let now = stored(&ports, ada).await;
    assert_eq!(now.password_hash, account("ada").password_hash, "a refused password is not set");
    let removed = set(&ports, "ada", "third", None, Some("ada one")).await;
    assert_eq!(
        removed,
        Some(vec![device_id("ada's phone")]),
        "a code sets the password and removes all devices"
    );

    let ports = storage.ports().await;
    assert_eq!(set(&ports, "ada", "fourth", None, Some("ada one")).await, None, "a code serves once");
    let now = stored(&ports, ada).await;
    assert_eq!((now.password_hash.as_deref(), now.recovery_codes_left), (Some("third"), 1));
    let bob = stored(&ports, account_id("bob")).await;
    assert_eq!((bob.password_hash, bob.recovery_codes_left), (account("bob").password_hash, 2));
}

/// New recovery codes void the old ones.
pub async fn recovery_codes(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    create(&ports, complete("ada", None)).await;
    let ada = account_id("ada");
    let hashes = vec![hash("ada two"), hash("three"), hash("four")];
    let set = async |ports: &Relational, name: &str| {
        ports.accounts.set_recovery_codes(account_id(name), hashes.clone()).await.expect("set codes");
    };
    for _ in 0..2 {
        set(&ports, "ada").await;
        set(&ports, "nobody").await;
    }

    let ports = storage.ports().await;
    assert_eq!(stored(&ports, ada).await.recovery_codes_left, 3, "the codes are replaced");
    let code = async |label: &str| {
        ports.accounts.set_password(ada, "new".to_owned(), None, Some(hash(label))).await.expect("use a code")
    };
    assert_eq!(code("ada one").await, None, "an old code is void");
    assert!(code("ada two").await.is_some(), "a code given again serves");
    assert!(code("four").await.is_some(), "a new code serves");
    ports.accounts.delete(ada).await.expect("delete");
    set(&ports, "ada").await;
    assert_eq!(stored(&ports, ada).await.recovery_codes_left, 0, "a deleted account gets no codes");
}
