//! The contract of [`Contacts`](crate::ports::Contacts).

use suda_proto::AccountId;
use suda_proto::rest::Relation;

use super::samples::{account_id, make_accounts, take_tasks};
use super::{Relational, Storage, both};
use crate::ports::contacts::{Asked, Between};
use crate::ports::jobs::Task;

/// The limit where it does not matter.
const PLENTY: u32 = 100;

/// What a call does to Ada and Bob.
#[derive(Clone, Copy, Debug)]
enum Act {
    Ask,
    Remove,
    Block,
    Unblock,
}

async fn ask(ports: &Relational, account: &str, other: &str, most: u32) -> Asked {
    let (account, other) = (account_id(account), account_id(other));
    ports.contacts.ask(account, other, most).await.expect("ask for a contact")
}

async fn between(ports: &Relational, first: &str, second: &str) -> Between {
    let (first, second) = (account_id(first), account_id(second));
    ports.contacts.between(first, second).await.expect("how two accounts stand")
}

/// Brings Ada and Bob to stand as `wanted`, by the calls that lead there.
async fn bring_to(ports: &Relational, wanted: Between) {
    use Relation::{Asked, Blocked, Contact, Requested};
    let (ada, bob) = (account_id("ada"), account_id("bob"));
    let contacts = &ports.contacts;
    for (one, other) in [(ada, bob), (bob, ada)] {
        contacts.unblock(one, other).await.expect("unblock");
        contacts.remove(one, other).await.expect("remove");
    }
    if matches!(wanted.first, Some(Requested | Contact)) {
        ask(ports, "ada", "bob", PLENTY).await;
    }
    if matches!(wanted.second, Some(Requested | Contact)) {
        ask(ports, "bob", "ada", PLENTY).await;
    }
    for (one, other, relation) in [(ada, bob, wanted.first), (bob, ada, wanted.second)] {
        match relation {
            Some(Blocked) => contacts.block(one, other).await.expect("block"),
            None | Some(Requested | Asked | Contact) => {}
        }
    }
    assert_eq!(between(ports, "ada", "bob").await, wanted, "the calls lead where they should");
    take_tasks(ports).await;
}

/// Ada acts on Bob.
async fn act(ports: &Relational, act: Act) -> Option<Asked> {
    let (ada, bob) = (account_id("ada"), account_id("bob"));
    let contacts = &ports.contacts;
    match act {
        Act::Ask => return Some(ask(ports, "ada", "bob", PLENTY).await),
        Act::Remove => contacts.remove(ada, bob).await.expect("remove"),
        Act::Block => contacts.block(ada, bob).await.expect("block"),
        Act::Unblock => contacts.unblock(ada, bob).await.expect("unblock"),
    }
    None
}

/// What must be promised when two accounts come to stand otherwise.
fn promised(before: Between, after: Between) -> Vec<Task> {
    let (ada, bob) = (account_id("ada"), account_id("bob"));
    let sides = [(ada, bob, before.first, after.first), (bob, ada, before.second, after.second)];
    let changed = sides.into_iter().filter(|(_, _, before, after)| before != after);
    changed.map(|(account, other, _, now)| Task::contact_changed(account, other, now)).collect()
}

/// Every way two accounts can stand, every act of the first, and how they stand then.
pub async fn transitions(storage: &mut dyn Storage) {
    use Relation::{Asked as WasAsked, Blocked, Contact, Requested};
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    let stands = |first, second| Between { first, second };
    let none = stands(None, None);
    let requested = stands(Some(Requested), Some(WasAsked));
    let asked = stands(Some(WasAsked), Some(Requested));
    let contact = stands(Some(Contact), Some(Contact));
    let blocking = stands(Some(Blocked), None);
    let blocked = stands(None, Some(Blocked));
    let each_other = stands(Some(Blocked), Some(Blocked));
    // From, then after asking, removing, blocking, unblocking.
    let table = [
        (none, [requested, none, blocking, none]),
        (requested, [requested, none, blocking, requested]),
        (asked, [contact, none, blocking, asked]),
        (contact, [contact, none, blocking, contact]),
        (blocking, [blocking, blocking, blocking, none]),
        (blocked, [blocked, blocked, each_other, blocked]),
        (each_other, [each_other, each_other, each_other, blocked]),
    ];
    for (from, afters) in table {
        let acts = [Act::Ask, Act::Remove, Act::Block, Act::Unblock];
        for (what, after) in acts.into_iter().zip(afters) {
            bring_to(&ports, from).await;
            for expected in [promised(from, after), Vec::new()] {
                let answer = act(&ports, what).await;
                let now = between(&ports, "ada", "bob").await;
                assert_eq!(now, after, "{what:?} from {from:?}");
                let tasks = take_tasks(&ports).await;
                assert_eq!(tasks, expected, "promised by {what:?} from {from:?}");
                check_answer(answer, after);
            }
        }
    }
}

/// An answer to asking tells how the two stand, or that one of them blocks.
fn check_answer(answer: Option<Asked>, after: Between) {
    let Some(answer) = answer else { return };
    let expected = match after.first {
        Some(relation) if !after.is_blocked() => Asked::Now(relation),
        _ => Asked::Blocked,
    };
    assert_eq!(answer, expected, "the answer when they stand as {after:?}");
}

/// What one side did, the other sees, and it is kept; third parties are not concerned.
pub async fn both_sides(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob", "cleo", "dan"]).await;
    ask(&ports, "ada", "bob", PLENTY).await;
    ask(&ports, "bob", "ada", PLENTY).await;
    ask(&ports, "cleo", "ada", PLENTY).await;
    let block = ports.contacts.block(account_id("ada"), account_id("dan")).await;
    block.expect("block");

    let ports = storage.ports().await;
    let list = async |name: &str| {
        let listed = ports.contacts.list(account_id(name)).await;
        listed.expect("list contacts")
    };
    let mut expected: Vec<(AccountId, Relation)> = vec![
        (account_id("bob"), Relation::Contact),
        (account_id("cleo"), Relation::Asked),
        (account_id("dan"), Relation::Blocked),
    ];
    expected.sort_by_key(|(account, _)| *account);
    assert_eq!(list("ada").await, expected, "everybody Ada stands in a relation to, by account");
    assert_eq!(list("bob").await, [(account_id("ada"), Relation::Contact)], "and the other side of it");
    assert_eq!(list("cleo").await, [(account_id("ada"), Relation::Requested)]);
    assert!(list("dan").await.is_empty(), "a blocked account sees nothing of it");
    assert_eq!(between(&ports, "bob", "cleo").await, Between::default(), "others are not concerned");
    let seen = between(&ports, "dan", "ada").await;
    assert_eq!(
        (seen.first, seen.second),
        (None, Some(Relation::Blocked)),
        "the order of the question counts"
    );
}

/// How one account and many others stand, asked at once, is what asking for each of them tells.
pub async fn among(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    let names = ["ada", "asked", "asking", "blocked", "blocking", "both", "contact", "stranger"];
    make_accounts(&ports, &names).await;
    ask(&ports, "ada", "asked", PLENTY).await;
    ask(&ports, "asking", "ada", PLENTY).await;
    ask(&ports, "ada", "contact", PLENTY).await;
    ask(&ports, "contact", "ada", PLENTY).await;
    ask(&ports, "stranger", "contact", PLENTY).await;
    for (account, other) in [("ada", "blocked"), ("blocking", "ada"), ("ada", "both"), ("both", "ada")] {
        let block = ports.contacts.block(account_id(account), account_id(other)).await;
        block.expect("block");
    }

    let ports = storage.ports().await;
    let among = async |names: &[&str]| {
        let others: Vec<AccountId> = names.iter().copied().map(account_id).collect();
        ports.contacts.among(account_id("ada"), &others).await.expect("how an account stands among others")
    };
    let mut expected = Vec::new();
    for name in ["asked", "asking", "blocked", "blocking", "both", "contact"] {
        expected.push((account_id(name), between(&ports, "ada", name).await));
    }
    expected.sort_by_key(|(account, _)| *account);
    let everybody = [names.as_slice(), &["unknown", "asked"]].concat();
    assert_eq!(
        among(&everybody).await,
        expected,
        "everybody in a relation once, by account, as `between` says"
    );
    let stands = Between { first: None, second: Some(Relation::Blocked) };
    assert_eq!(
        among(&["blocking"]).await,
        [(account_id("blocking"), stands)],
        "whoever is not asked for is left out"
    );
    assert!(among(&["ada", "stranger", "unknown"]).await.is_empty(), "strangers are left out");
    assert!(among(&[]).await.is_empty(), "nobody was asked for");
}

/// Two who ask each other at once become contacts.
pub async fn asking_at_once(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob"]).await;
    let answers = both(ask(&ports, "ada", "bob", PLENTY), ask(&ports, "bob", "ada", PLENTY)).await;
    let answers: [Asked; 2] = answers.into();
    for relation in [Relation::Requested, Relation::Contact] {
        assert!(answers.contains(&Asked::Now(relation)), "one asks, the other accepts: {answers:?}");
    }
    assert!(between(&ports, "ada", "bob").await.are_contacts(), "they are contacts");
}

/// An account has at most so many contacts and own requests; being asked does not count, nor do blocks.
pub async fn limit(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "bob", "cleo", "dan", "eve"]).await;
    ask(&ports, "bob", "ada", PLENTY).await;
    ask(&ports, "cleo", "ada", PLENTY).await;
    let block = ports.contacts.block(account_id("ada"), account_id("eve")).await;
    block.expect("block");
    assert_eq!(ask(&ports, "ada", "dan", 1).await, Asked::Now(Relation::Requested), "the first fits");
    take_tasks(&ports).await;
    assert_eq!(ask(&ports, "ada", "bob", 1).await, Asked::TooMany, "accepting counts");
    assert_eq!(
        ask(&ports, "ada", "dan", 1).await,
        Asked::Now(Relation::Requested),
        "what is there is no further one"
    );
    let seen = between(&ports, "ada", "bob").await;
    assert_eq!(seen.first, Some(Relation::Asked), "a refused act changes nothing");
    assert!(take_tasks(&ports).await.is_empty(), "and promises nothing");
    assert_eq!(ask(&ports, "ada", "bob", 2).await, Asked::Now(Relation::Contact));
    assert_eq!(ask(&ports, "ada", "cleo", 2).await, Asked::TooMany, "contacts count");
    let remove = ports.contacts.remove(account_id("ada"), account_id("dan")).await;
    remove.expect("remove");
    assert_eq!(
        ask(&ports, "ada", "cleo", 2).await,
        Asked::Now(Relation::Contact),
        "a withdrawn request makes room"
    );
}

/// Nobody stands in a relation to an account that is deleted or was never made.
pub async fn missing_accounts(storage: &mut dyn Storage) {
    let ports = storage.ports().await;
    make_accounts(&ports, &["ada", "gone"]).await;
    let gone = ports.accounts.delete(account_id("gone")).await;
    gone.expect("delete");
    take_tasks(&ports).await;
    for missing in ["gone", "unknown"] {
        for (one, other) in [("ada", missing), (missing, "ada")] {
            assert_eq!(ask(&ports, one, other, PLENTY).await, Asked::Blocked, "{one} asks {other}");
            let (one, other) = (account_id(one), account_id(other));
            ports.contacts.block(one, other).await.expect("block");
            ports.contacts.unblock(one, other).await.expect("unblock");
            ports.contacts.remove(one, other).await.expect("remove");
        }
        let stands = between(&ports, "ada", missing).await;
        assert_eq!(stands, Between::default(), "no relation with {missing}");
    }
    assert!(take_tasks(&ports).await.is_empty(), "nothing is promised");
}
