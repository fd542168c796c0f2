//! The contract of [`Activities`](crate::ports::Activities).

use super::samples::{NOW, account_id, make_accounts, take_tasks};
use super::{Relational, Storage};
use crate::ports::activity::{Activity, GatewayId};

const HERE: GatewayId = GatewayId([1; 16]);
const THERE: GatewayId = GatewayId([2; 16]);

/// Online at a gateway, so many milliseconds after [`NOW`].
const fn online(gateway: GatewayId, since: u64) -> Activity {
    Activity::Online { gateway, since: NOW + since }
}

/// Offline, last active so many milliseconds after [`NOW`].
const fn offline(at: u64) -> Activity {
    Activity::Offline { at: NOW + at }
}

async fn store(ports: &Relational, changes: &[(&str, Activity)]) {
    let changes: Vec<_> = changes.iter().map(|(name, activity)| (account_id(name), *activity)).collect();
    ports.activity.store(&changes).await.expect("store activity");
}

async fn alive(ports: &Relational, gateway: GatewayId, at: u64) {
    ports.activity.alive(gateway, NOW + at).await.expect("note that a gateway is alive");
}

/// When an account was last active, in milliseconds after [`NOW`].
async fn last_active(ports: &Relational, name: &str) -> Option<u64> {
    let account = account_id(name);
    let found = ports.activity.last_active(&[account]).await.expect("read the last activity");
    assert!(found.iter().all(|(found, _)| *found == account) && found.len() <= 1, "what was asked for, once");
    found.first().map(|(_, at)| at - NOW)
}

/// Whoever is online is active for as long as its gateway is alive.
pub async fn online_accounts(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob", "cleo"]).await;
    take_tasks(&ports).await;
    assert_eq!(last_active(&ports, "ada").await, None, "nobody was active");
    alive(&ports, HERE, 40).await;
    store(&ports, &[("ada", online(HERE, 10)), ("bob", online(HERE, 50)), ("cleo", online(THERE, 5))]).await;

    let ports = storage.ports().await;
    assert_eq!(last_active(&ports, "ada").await, Some(50), "being online somewhere shows that it is alive");
    assert_eq!(last_active(&ports, "bob").await, Some(50), "not before it came");
    assert_eq!(last_active(&ports, "cleo").await, Some(5), "a gateway need not have said that it is alive");
    for at in [70, 60] {
        alive(&ports, HERE, at).await;
    }

    let ports = storage.ports().await;
    assert_eq!(last_active(&ports, "ada").await, Some(70), "as long as the gateway is alive");
    assert_eq!(last_active(&ports, "cleo").await, Some(5), "another gateway does not matter");
    assert!(take_tasks(&ports).await.is_empty(), "nothing is promised");
}

/// The last activity never moves back, and stays once somebody is gone.
pub async fn gone_accounts(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob", "cleo", "dan"]).await;
    alive(&ports, HERE, 30).await;
    store(&ports, &[("ada", online(HERE, 10)), ("bob", online(HERE, 10)), ("cleo", offline(20))]).await;
    store(
        &ports,
        &[("ada", offline(40)), ("bob", offline(20)), ("dan", online(HERE, 10)), ("dan", offline(35))],
    )
    .await;
    alive(&ports, HERE, 90).await;

    let ports = storage.ports().await;
    assert_eq!(last_active(&ports, "ada").await, Some(40), "whoever is gone is active no longer");
    assert_eq!(last_active(&ports, "bob").await, Some(30), "an earlier time does not move it back");
    assert_eq!(last_active(&ports, "dan").await, Some(35), "the last change of a call counts");
    store(&ports, &[("cleo", offline(10))]).await;
    assert_eq!(
        last_active(&ports, "cleo").await,
        Some(20),
        "whoever was gone already does not move back either"
    );
    store(&ports, &[("cleo", online(THERE, 15))]).await;
    assert_eq!(last_active(&ports, "cleo").await, Some(20), "nor does whoever comes back");
}

/// Somebody who comes back elsewhere is no longer where it was, and does not move back.
pub async fn another_gateway(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada"]).await;
    store(&ports, &[("ada", online(HERE, 10))]).await;
    alive(&ports, HERE, 60).await;
    store(&ports, &[("ada", online(THERE, 50))]).await;

    let ports = storage.ports().await;
    assert_eq!(last_active(&ports, "ada").await, Some(60), "what the gateway before had said stands");
    alive(&ports, HERE, 90).await;
    assert_eq!(last_active(&ports, "ada").await, Some(60), "it has no more to say");
    alive(&ports, THERE, 80).await;
    assert_eq!(last_active(&ports, "ada").await, Some(80), "the new one has");
}

/// A gateway is forgotten when it has been silent and nobody is online there; nobody's last activity changes by it.
pub async fn forgotten_gateways(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob", "cleo"]).await;
    store(&ports, &[("ada", online(HERE, 10)), ("bob", online(THERE, 10))]).await;
    for gateway in [HERE, THERE] {
        alive(&ports, gateway, 50).await;
    }
    store(&ports, &[("bob", offline(60))]).await;
    ports.activity.forget(NOW + 50).await.expect("forget gateways");
    store(&ports, &[("cleo", online(THERE, 10))]).await;
    assert_eq!(last_active(&ports, "cleo").await, Some(50), "one that was alive since then is not forgotten");
    store(&ports, &[("cleo", offline(10))]).await;
    ports.activity.forget(NOW + 99).await.expect("forget gateways");

    let ports = storage.ports().await;
    assert_eq!(last_active(&ports, "ada").await, Some(50), "one where somebody is online is not forgotten");
    assert_eq!(last_active(&ports, "bob").await, Some(60), "whoever is gone does not need it");
    make_accounts(&ports, &["dan"]).await;
    store(&ports, &[("dan", online(THERE, 10))]).await;
    assert_eq!(last_active(&ports, "dan").await, Some(10), "the other is forgotten");
}

/// Nothing is kept of accounts that do not exist, and many are read at once.
pub async fn missing_accounts(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob", "gone", "never"]).await;
    store(&ports, &[("gone", online(HERE, 1))]).await;
    ports.accounts.delete(account_id("gone")).await.expect("delete");
    store(&ports, &[("ada", offline(1)), ("unknown", online(HERE, 2)), ("bob", online(HERE, 3))]).await;
    store(&ports, &[]).await;

    let ports = storage.ports().await;
    assert_eq!(last_active(&ports, "gone").await, None, "a deleted account leaves nothing");
    store(&ports, &[("gone", offline(4)), ("unknown", offline(4))]).await;
    let asked = ["bob", "gone", "ada", "never", "unknown", "ada"].map(account_id);
    let mut found = ports.activity.last_active(&asked).await.expect("read the last activity");
    found.sort_by_key(|(_, at)| *at);
    let expected = [(account_id("ada"), NOW + 1), (account_id("bob"), NOW + 3)];
    assert_eq!(found, expected, "whoever was active, once each");
    assert!(ports.activity.last_active(&[]).await.expect("read nothing").is_empty(), "nobody was asked for");
}
