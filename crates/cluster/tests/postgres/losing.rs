//! What becomes of calls when connections are killed, the network is cut, or two nodes do the same at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use suda_cluster::database::{Database, OpenError, migrate};
use suda_domain::ports::accounts::{Account, Change, Creation, NewAccount, Status};
use suda_domain::ports::activity::{Activity, GatewayId};
use suda_domain::ports::{Accounts, Activities, Contacts, Failure, Jobs};
use suda_proto::AccountId;
use suda_proto::rest::Audience;
use uuid::Uuid;

use super::Schema;
use super::proxy::{Line, Proxy};

/// Far in the future, for jobs that are due.
const LATE: u64 = u64::MAX;

async fn make(database: &Database) -> AccountId {
    let id = AccountId(Uuid::now_v7());
    let account = Account {
        id,
        name: id.to_string(),
        display_name: "somebody".to_owned(),
        colour: 1,
        about: String::new(),
        data: None,
        who_may_message: Audience::Everyone,
        who_may_add: Audience::Everyone,
        who_may_see: Audience::Everyone,
        language: "en".to_owned(),
        status: Status::Active,
        external_id: None,
        password_hash: None,
        created_at: 1,
        recovery_codes_left: 0,
    };
    let new = NewAccount { account, device: None, recovery_hashes: Vec::new(), invite_hash: None };
    assert_eq!(database.create(new).await.expect("create"), Creation::Made);
    id
}

#[tokio::test]
async fn migrating_twice_or_at_once_does_it_once() {
    let schema = Schema::empty().await;
    let settings = schema.settings(2);
    let error = Database::connect(&settings).await.expect_err("no schema");
    assert!(matches!(error, OpenError::Older { found: 0, known: 1 }), "{error}");
    assert!(error.to_string().contains("`suda migrate`"), "{error}");

    let (one, other) = tokio::join!(migrate(&settings), migrate(&settings));
    let results = [one.expect("migrate"), other.expect("migrate at the same time")];
    assert!(results.iter().all(|(_, now)| *now == 1), "{results:?}");
    assert_eq!(migrate(&settings).await.expect("migrate again"), (1, 1));
    assert_eq!(schema.number("SELECT count(*) FROM compatibility").await, 1, "it was done once");
    schema.open().await.close().await;
    schema.remove().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_unless_it_says_that_it_fits() {
    let schema = Schema::new().await;
    schema
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
              VALUES (1000, 'later', TRUE, '', 0)",
        )
        .await;
    schema.open().await.close().await;
    schema.run("UPDATE compatibility SET oldest = 1000").await;
    let error = Database::connect(&schema.settings(2)).await.expect_err("a later schema");
    assert!(matches!(error, OpenError::Newer { found: 1000, known: 1 }), "{error}");
    let error = migrate(&schema.settings(2)).await.expect_err("a later schema");
    assert!(matches!(error, OpenError::Newer { found: 1000, known: 1 }), "{error}");
    schema.remove().await;
}

#[tokio::test]
async fn what_the_engine_refuses_is_not_attempted_again() {
    let schema = Schema::new().await;
    let database = schema.open().await;
    schema.run("DROP TABLE invites").await;
    let started = Instant::now();
    let failure = database.add_invite([1; 32], 1, 1).await.expect_err("no such table");
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert!(started.elapsed() < Duration::from_secs(3));
    database.close().await;
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_survive_killed_connections_and_happen_once() {
    const WRITERS: usize = 4;
    const CHANGES: usize = 40;
    let schema = Schema::new().await;
    let database = schema.open().await;
    let mut writers = Vec::new();
    let (done, mut progress) = tokio::sync::mpsc::channel(1);
    for _ in 0..WRITERS {
        let (database, account, done) = (database.clone(), make(&database).await, done.clone());
        writers.push(tokio::spawn(async move {
            for _ in 0..CHANGES {
                let changed = database.change(account, Change::default()).await;
                changed.expect("change").expect("the account");
                done.send(()).await.expect("somebody counts");
            }
        }));
    }
    drop(done);
    let kill = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{}'",
        schema.name
    );
    let mut killed = 0;
    let mut changes = 0;
    while progress.recv().await.is_some() {
        changes += 1;
        if changes % 5 == 0 {
            killed += schema.number(&kill).await;
        }
    }
    for writer in writers {
        writer.await.expect("every call succeeds");
    }
    assert!(killed > 0, "connections were killed");
    println!("{killed} connections were killed");
    let promised = schema.number("SELECT count(*) FROM jobs").await;
    assert_eq!(usize::try_from(promised).ok(), Some(WRITERS * CHANGES), "each change was promised once");
    database.close().await;
    schema.remove().await;
}

#[tokio::test]
async fn a_network_that_is_cut_fails_in_time_and_is_forgotten_when_it_is_back() {
    let schema = Schema::new().await;
    let proxy = Proxy::start(1, Line::Good).await;
    let database = Database::connect(&schema.settings_at(&proxy.through(), 2)).await.expect("connect");
    let account = make(&database).await;
    proxy.turn(Line::Dead);
    let started = Instant::now();
    let calls = [account; 6].map(|account| {
        let database = database.clone();
        tokio::spawn(async move { database.change(account, Change::default()).await })
    });
    for call in calls {
        let failure = call.await.expect("no panic").expect_err("no network");
        assert!(matches!(failure, Failure::Unavailable(_)), "{failure:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    proxy.turn(Line::Good);
    let started = Instant::now();
    database.change(account, Change::default()).await.expect("the network is back").expect("the account");
    println!("recovered after {:?}", started.elapsed());
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_act_on_the_same_accounts_leave_two_equal_sides() {
    const ACCOUNTS: usize = 4;
    let schema = Schema::new().await;
    let nodes = [schema.open().await, schema.open().await];
    let mut accounts = Vec::new();
    for _ in 0..ACCOUNTS {
        accounts.push(make(&nodes[0]).await);
    }
    let accounts = Arc::new(accounts);
    let tasks = [0, 1, 2, 3].map(|task: usize| {
        let (node, accounts) = (nodes[task % 2].clone(), Arc::clone(&accounts));
        tokio::spawn(async move {
            for round in 0..40 {
                let one = accounts[(task + round) % ACCOUNTS];
                let other = accounts[(task + round + 1 + round % (ACCOUNTS - 1)) % ACCOUNTS];
                match (round + task) % 3 {
                    0 => drop(node.ask(one, other, 3).await.expect("ask")),
                    1 => drop(node.ask(other, one, 3).await.expect("ask back")),
                    _ => node.remove_contact(one, other).await,
                }
            }
            if task == 3 {
                node.delete(accounts[0]).await.expect("delete");
            }
        })
    });
    for task in tasks {
        task.await.expect("every call succeeds");
    }
    let torn = "SELECT count(*) FROM contacts AS one WHERE NOT EXISTS (
                    SELECT 1 FROM contacts AS other WHERE other.account = one.other AND other.other = one.account)";
    assert_eq!(schema.number(torn).await, 0, "every relation has its other side");
    let ghosts = format!("SELECT count(*) FROM contacts WHERE '{}' IN (account, other)", accounts[0]);
    assert_eq!(schema.number(&ghosts).await, 0, "a deleted account has none");
    schema.remove().await;
}

/// A name that two ports do not share.
trait RemoveContact {
    async fn remove_contact(&self, one: AccountId, other: AccountId);
}

impl RemoveContact for Database {
    async fn remove_contact(&self, one: AccountId, other: AccountId) {
        Contacts::remove(self, one, other).await.expect("remove");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_activity_never_moves_back_between_two_nodes() {
    let schema = Schema::new().await;
    let nodes = [schema.open().await, schema.open().await];
    let account = make(&nodes[0]).await;
    let tasks = [0_u8, 1].map(|task| {
        let node = nodes[usize::from(task)].clone();
        let gateway = GatewayId([task + 1; 16]);
        tokio::spawn(async move {
            for round in 1..60 {
                let come = [(account, Activity::Online { gateway, since: round })];
                node.store(&come).await.expect("store");
                node.alive(gateway, round * 2).await.expect("alive");
                node.forget(round).await.expect("forget");
                let gone = [(account, Activity::Offline { at: round })];
                node.store(&gone).await.expect("store");
            }
        })
    });
    let (mut last, mut reads) = (0, 0);
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        let found = nodes[0].last_active(&[account]).await.expect("read the last activity");
        let now = found.first().map_or(0, |(_, at)| *at);
        assert!(now >= last, "{now} after {last}");
        (last, reads) = (now, reads + 1);
    }
    for task in tasks {
        task.await.expect("every call succeeds");
    }
    assert!(reads > 0 && last > 0);
    schema.remove().await;
}

#[tokio::test]
async fn a_dead_node_loses_its_jobs_to_another() {
    let schema = Schema::new().await;
    let (dying, other) = (schema.open().await, schema.open().await);
    let account = make(&dying).await;
    dying.change(account, Change::default()).await.expect("change");
    assert_eq!(dying.due(LATE, 9).await.expect("due").len(), 1);
    assert!(other.due(LATE, 9).await.expect("due").is_empty(), "it is in hand");
    drop(dying);
    schema.run("UPDATE job_holders SET alive_until = now() - interval '1 ms'").await;
    assert_eq!(other.due(LATE, 9).await.expect("due").len(), 1, "its holder is not alive");
    other.close().await;
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_jobs_without_doing_one_twice() {
    const JOBS: usize = 60;
    let schema = Schema::new().await;
    let nodes = [schema.open().await, schema.open().await];
    let accounts = [make(&nodes[0]).await, make(&nodes[0]).await, make(&nodes[0]).await];
    for number in 0..JOBS {
        nodes[0].change(accounts[number % 3], Change::default()).await.expect("change");
    }
    let workers = nodes.clone().map(|node| {
        tokio::spawn(async move {
            let mut done = Vec::new();
            let mut looks = 0;
            while looks < 200 {
                let jobs = node.due(LATE, 2).await.expect("due");
                looks = if jobs.is_empty() { looks + 1 } else { 0 };
                for job in jobs {
                    node.finish(job.id).await.expect("finish");
                    done.push(job.id);
                }
            }
            done
        })
    });
    let mut done = Vec::new();
    for worker in workers {
        let own = worker.await.expect("every call succeeds");
        println!("a node did {} jobs", own.len());
        done.extend(own);
    }
    assert_eq!(done.len(), JOBS, "each was done once");
    done.sort_unstable();
    done.dedup();
    assert_eq!(done.len(), JOBS, "and none twice");
    schema.remove().await;
}
