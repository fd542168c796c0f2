//! PostgreSQL keeps the contracts of the relational ports, over a good line and over a bad one, for one node and for two.
#![cfg(feature = "cluster-tests")]

mod postgres;

use suda_domain::ports::contract::{accounts, activity, closing, contacts, credentials, devices, jobs};

use postgres::proxy::{Line, Proxy};
use postgres::{Node, STUCK, Schema};

/// Runs a group of rules three times: on a node that stays open, on one that is reopened between the calls, and over a line
/// that breaks by chance.
macro_rules! suite {
    ($name:ident, $group:path) => {
        #[tokio::test]
        async fn $name() {
            for reopens in [false, true] {
                let schema = Schema::new().await;
                let mut node = Node::new(schema.settings(4), reopens);
                let run = tokio::time::timeout(STUCK, $group(&mut node));
                run.await.expect("a call that never returned");
                node.close().await;
                schema.remove().await;
            }
            let seed = seed();
            println!("SUDA_SEED={seed}");
            let schema = Schema::new().await;
            let proxy = Proxy::start(seed, Line::Bad).await;
            let mut node = Node::new(schema.settings_at(&proxy.through(), 4), false);
            let run = tokio::time::timeout(STUCK, $group(&mut node));
            run.await.expect("a call that never returned");
            println!(
                "the line broke {} times, {} commits lost their answer",
                proxy.broken().0,
                proxy.broken().1
            );
            node.close().await;
            schema.remove().await;
        }
    };
}

suite!(accounts_creation, accounts::creation);
suite!(accounts_repeated_creation, accounts::repeated_creation);
suite!(accounts_unique_names, accounts::unique_names);
suite!(accounts_invitations, accounts::invitations);
suite!(accounts_search, accounts::search);
suite!(accounts_changes, accounts::changes);
suite!(accounts_changes_of_nobody, accounts::changes_of_nobody);
suite!(credentials_passwords, credentials::passwords);
suite!(credentials_recovery, credentials::recovery);
suite!(credentials_recovery_codes, credentials::recovery_codes);
suite!(closing_disabling, closing::disabling);
suite!(closing_deletion, closing::deletion);
suite!(closing_repeated_deletion, closing::repeated_deletion);
suite!(devices_adding, devices::adding);
suite!(devices_limit, devices::limit);
suite!(devices_inactive_accounts, devices::inactive_accounts);
suite!(devices_removing, devices::removing);
suite!(devices_touching, devices::touching);
suite!(contacts_transitions, contacts::transitions);
suite!(contacts_both_sides, contacts::both_sides);
suite!(contacts_among, contacts::among);
suite!(contacts_asking_at_once, contacts::asking_at_once);
suite!(contacts_limit, contacts::limit);
suite!(contacts_missing_accounts, contacts::missing_accounts);
suite!(activity_online_accounts, activity::online_accounts);
suite!(activity_gone_accounts, activity::gone_accounts);
suite!(activity_another_gateway, activity::another_gateway);
suite!(activity_forgotten_gateways, activity::forgotten_gateways);
suite!(activity_missing_accounts, activity::missing_accounts);
suite!(jobs_order, jobs::order);
suite!(jobs_postponing, jobs::postponing);
suite!(jobs_waiting, jobs::waiting);

#[tokio::test]
async fn jobs_nodes() {
    let schema = Schema::new().await;
    let mut first = Node::new(schema.settings(4), true);
    let mut second = Node::new(schema.settings(4), false);
    let run = tokio::time::timeout(STUCK, jobs::nodes(&mut first, &mut second));
    run.await.expect("a call that never returned");
    first.close().await;
    second.close().await;
    schema.remove().await;
}

/// The seed of the line's chances, from `SUDA_SEED` if that is set.
fn seed() -> u64 {
    std::env::var("SUDA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random)
}
