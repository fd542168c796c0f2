//! The contract of [`Jobs`](crate::ports::Jobs). What each cause promises stands in the other ports' contracts.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use uuid::Uuid;

use super::samples::{NOW, account_id, make_accounts, take_tasks};
use super::{Relational, Storage};
use crate::ports::accounts::Change;
use crate::ports::jobs::{Job, Task};

/// Promises a `Set` to each of the accounts, in this order.
async fn promise(ports: &Relational, names: &[&str]) {
    for name in names {
        let changed = ports.accounts.change(account_id(name), Change::default()).await;
        changed.expect("change an account").expect("the account");
    }
}

async fn due(ports: &Relational, now: u64, limit: u32) -> Vec<Job> {
    ports.jobs.due(now, limit).await.expect("read due jobs")
}

fn tasks(jobs: &[Job]) -> Vec<Task> {
    jobs.iter().map(|job| job.task.clone()).collect()
}

fn expected(names: &[&str]) -> Vec<Task> {
    let changed = |name: &&str| Task::profile_changed(account_id(name));
    names.iter().map(changed).collect()
}

/// Jobs are due at once, in the order of promising, until they are finished.
pub async fn order(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    let names = ["ada", "bob", "cleo", "dan"];
    make_accounts(&ports, &names).await;
    promise(&ports, &["dan", "ada"]).await;

    let ports = storage.ports().await;
    promise(&ports, &["cleo", "ada", "bob"]).await;
    let jobs = due(&ports, 0, 100).await;
    let promised = ["dan", "ada", "cleo", "ada", "bob"];
    assert_eq!(tasks(&jobs), expected(&promised), "all, in the order of promising");
    let ascend = jobs.windows(2).all(|pair| pair[0].id < pair[1].id);
    assert!(ascend, "ids are unique and in the order of promising");
    assert!(jobs.iter().all(|job| job.attempts == 0), "none was tried");
    assert_eq!(due(&ports, NOW, 2).await, jobs[..2], "as many as asked for, from the first");
    ports.jobs.finish(jobs[1].id).await.expect("finish");
    ports.jobs.finish(jobs[1].id).await.expect("finish again");
    let unknown = ports.jobs.finish(Uuid::nil()).await;
    unknown.expect("finish an unknown job");

    let ports = storage.ports().await;
    let left = [jobs[0].clone(), jobs[2].clone(), jobs[3].clone(), jobs[4].clone()];
    assert_eq!(due(&ports, NOW, 100).await, left, "a finished job is gone, the others stay");
    take_tasks(&ports).await;
    promise(&ports, &["bob"]).await;
    let next = due(&ports, NOW, 100).await;
    assert_eq!(tasks(&next), expected(&["bob"]));
    assert!(jobs.iter().all(|job| job.id != next[0].id), "an id is used once");
}

/// A postponed job waits for its time, counts its attempts and keeps its place.
pub async fn postponing(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    promise(&ports, &["ada", "bob"]).await;
    let jobs = due(&ports, NOW, 9).await;
    let postpone = async |ports: &Relational, id, until| {
        let postponed = ports.jobs.postpone(id, until).await;
        postponed.expect("postpone a job");
    };
    postpone(&ports, jobs[0].id, NOW + 100).await;
    postpone(&ports, Uuid::nil(), NOW).await;

    let ports = storage.ports().await;
    let early = due(&ports, NOW + 99, 9).await;
    assert_eq!(early, jobs[1..], "a postponed job is not due yet");
    let tried = Job { attempts: 1, ..jobs[0].clone() };
    assert_eq!(
        due(&ports, NOW + 100, 9).await,
        [tried, jobs[1].clone()],
        "at its time it is due, in its old place, with one attempt more"
    );
    postpone(&ports, jobs[0].id, NOW + 200).await;

    let ports = storage.ports().await;
    let later = due(&ports, NOW + 200, 9).await;
    assert_eq!(later[0].attempts, 2, "every vain attempt counts");
    ports.jobs.finish(jobs[0].id).await.expect("finish");
    postpone(&ports, jobs[0].id, NOW).await;
    assert_eq!(due(&ports, u64::MAX, 9).await, jobs[1..], "a finished job does not come back");
}

/// Waiting ends when a job was added, before or during the wait. If this never returns, the rule is broken.
pub async fn waiting(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada"]).await;
    promise(&ports, &["ada"]).await;
    assert_eq!(due(&ports, NOW, 9).await.len(), 1, "a job was added");
    ports.jobs.wait().await;

    let mut wait = pin!(ports.jobs.wait());
    let already = poll_fn(|context| Poll::Ready(wait.as_mut().poll(context).is_ready())).await;
    promise(&ports, &["ada"]).await;
    if !already {
        wait.await;
    }
}

/// Of two nodes, one has the jobs of an account in its hands, until they are done, postponed or given up. Both storages
/// keep the same data, each for a node of its own; the first closes its ports whenever it is asked for them anew.
pub async fn nodes(first: &mut dyn Storage, second: &mut dyn Storage) {
    let (one, other) = (first.ports().await, second.ports().await);
    make_accounts(&one, &["ada", "bob"]).await;
    promise(&one, &["ada", "ada", "bob"]).await;
    let jobs = due(&one, NOW, 1).await;
    assert_eq!(tasks(&jobs), expected(&["ada"]), "as many as asked for");
    let others = due(&other, NOW, 9).await;
    assert_eq!(tasks(&others), expected(&["bob"]), "what belongs to an account in hand stays with its node");
    assert_eq!(due(&one, NOW, 1).await, jobs, "a node may ask again for what it has in its hands");
    one.jobs.postpone(jobs[0].id, NOW + 100).await.expect("postpone");
    let rest = due(&other, NOW, 9).await;
    assert_eq!(tasks(&rest), expected(&["ada", "bob"]), "a job that was postponed is in nobody's hands");
    assert!(due(&one, NOW + 100, 9).await.is_empty(), "now the account is in the other's");
    other.jobs.finish(rest[0].id).await.expect("finish");
    let again = due(&one, NOW + 100, 9).await;
    assert_eq!(tasks(&again), expected(&["ada"]), "a job that is done is in nobody's hands");
    assert_eq!(again[0].attempts, 1, "attempts count, whoever made them");

    assert_eq!(tasks(&due(&other, NOW + 100, 9).await), expected(&["bob"]));
    first.ports().await;
    let left = due(&other, NOW + 100, 9).await;
    assert_eq!(
        tasks(&left),
        expected(&["ada", "bob"]),
        "a node that closes gives up what it has in its hands"
    );
}
