//! Whatever comes in whatever order: what is known is what the server would tell changes of, changes are told once,
//! and nothing is known without a line.

use proptest::prelude::*;
use suda_proto::entry::Role;
use suda_proto::reply::Member;

use super::*;

const ME: AccountId = AccountId::from_bytes([0; 16]);
const GROUP: ConversationId = ConversationId::from_bytes([1; 16]);
const CROWD: ConversationId = ConversationId::from_bytes([2; 16]);

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn presence(number: u8, state: PresenceState) -> Presence {
    let last_active_at = (state == PresenceState::Offline).then_some(7);
    Presence { account: account(number), state, last_active_at }
}

/// A reply to `open` with these other members; the states of none in a crowd.
fn opened(others: &[(u8, PresenceState)], is_crowd: bool) -> Opened {
    let member = |account| Member { account, role: Role::Member, delivered: 0, read: 0 };
    let members = others.iter().map(|(number, _)| account(*number)).chain([ME]);
    let presences = others.iter().map(|(number, state)| presence(*number, *state));
    let online = others.iter().filter(|(_, state)| *state == PresenceState::Online).count();
    Opened {
        epoch: 1,
        head: 1,
        members: members.map(member).collect(),
        online: Some(online as u32),
        presences: if is_crowd { Vec::new() } else { presences.collect() },
    }
}

fn state() -> impl Strategy<Value = PresenceState> {
    use PresenceState::{Away, Hidden, Offline, Online, Unknown};
    prop::sample::select(vec![Online, Away, Offline, Hidden, Unknown])
}

#[derive(Clone, Debug)]
enum Happening {
    Want(Vec<u8>),
    Tell,
    TellAgain,
    Hear(Vec<(u8, PresenceState)>),
    Enter(ConversationId, Vec<(u8, PresenceState)>),
    Leave(ConversationId),
    Lose,
}

fn happening() -> impl Strategy<Value = Happening> {
    let states =
        || prop::collection::btree_map(1..7u8, state(), 0..5).prop_map(|map| map.into_iter().collect());
    let place = || prop::sample::select(vec![GROUP, CROWD]);
    prop_oneof![
        2 => prop::collection::vec(1..7u8, 0..5).prop_map(Happening::Want),
        2 => Just(Happening::Tell),
        1 => Just(Happening::TellAgain),
        5 => states().prop_map(Happening::Hear),
        2 => (place(), states()).prop_map(|(place, states)| Happening::Enter(place, states)),
        1 => place().prop_map(Happening::Leave),
        1 => Just(Happening::Lose),
    ]
}

fn happen(attendance: &mut Attendance, happening: &Happening) -> Changed {
    match happening {
        Happening::Want(accounts) => {
            attendance.want(accounts.iter().map(|number| account(*number)).collect());
            Changed::default()
        }
        Happening::Tell if attendance.has_to_tell() => attendance.tell().1,
        Happening::Tell => Changed::default(),
        Happening::TellAgain => {
            attendance.tell_again();
            Changed::default()
        }
        Happening::Hear(states) => {
            let states: Vec<_> = states.iter().map(|(number, state)| presence(*number, *state)).collect();
            attendance.hear(&states)
        }
        Happening::Enter(place, states) => attendance.enter(*place, ME, &opened(states, *place == CROWD)),
        Happening::Leave(place) => attendance.leave(*place),
        Happening::Lose => attendance.lose(),
    }
}

proptest! {
    #[test]
    fn changes_are_told_exactly_and_nothing_is_kept_that_could_be_old(
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        let mut attendance = Attendance::default();
        for happening in happenings {
            let before = attendance.clone();
            let changed = happen(&mut attendance, &happening);
            let others = (1..7u8).map(account);
            let accounts = others.filter(|one| attendance.of(*one) != before.of(*one)).collect();
            let places = [GROUP, CROWD].into_iter();
            let conversations =
                places.filter(|one| attendance.online(*one) != before.online(*one)).collect();
            prop_assert_eq!(changed, Changed { accounts, conversations }, "{:?}", happening);
            for known in attendance.said.keys() {
                prop_assert!(attendance.is_followed(*known), "{:?}", happening);
            }
            if matches!(happening, Happening::Tell) {
                prop_assert!(!attendance.has_to_tell());
            }
            if matches!(happening, Happening::Lose) {
                prop_assert!(attendance.said.is_empty() && attendance.open.is_empty());
                prop_assert_eq!(attendance.has_to_tell(), !attendance.wanted.is_empty());
            }
        }
    }
}

#[test]
fn a_server_that_cannot_tell_takes_nothing_back() {
    let mut attendance = Attendance::default();
    attendance.want(vec![account(1)]);
    attendance.tell();
    attendance.hear(&[presence(1, PresenceState::Away)]);
    assert_eq!(attendance.hear(&[presence(1, PresenceState::Unknown)]), Changed::default());
    assert_eq!(attendance.of(account(1)).state, PresenceState::Away);
    attendance.lose();
    assert_eq!(attendance.of(account(1)), presence(1, PresenceState::Unknown));
}

#[test]
fn a_list_that_is_wanted_again_in_time_was_never_another() {
    let mut attendance = Attendance::default();
    attendance.want(vec![account(1), account(2), account(1)]);
    assert_eq!(attendance.tell().0, [account(1), account(2)]);
    attendance.hear(&[presence(1, PresenceState::Online)]);
    attendance.want(vec![account(2)]);
    attendance.want(vec![account(2), account(1)]);
    assert!(!attendance.has_to_tell());
    assert_eq!(attendance.of(account(1)).state, PresenceState::Online);
    attendance.want(Vec::new());
    assert_eq!(attendance.tell().0, [], "the server is told that it ended");
}

#[test]
fn the_first_two_hundred_are_watched() {
    let numbered = |number: u16| {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        AccountId::from_bytes(bytes)
    };
    let mut attendance = Attendance::default();
    attendance.want((0..500).rev().flat_map(|number| [numbered(number); 2]).collect());
    assert_eq!(attendance.tell().0, (300..500).map(numbered).collect::<Vec<_>>());
}

#[test]
fn groups_are_counted_by_state_and_crowds_as_the_server_says() {
    use PresenceState::{Hidden, Offline, Online, Unknown};
    let mut attendance = Attendance::default();
    attendance.enter(GROUP, ME, &opened(&[(1, Online), (2, Hidden), (3, Offline)], false));
    assert_eq!(attendance.online(GROUP), Some(1));
    attendance.hear(&[presence(3, Online)]);
    assert_eq!(attendance.online(GROUP), Some(2));
    assert!(!attendance.is_counted(GROUP));
    attendance.enter(CROWD, ME, &opened(&[(3, Online), (4, Online), (5, Offline)], true));
    attendance.hear(&[presence(3, Offline), presence(5, Online)]);
    assert_eq!((attendance.online(GROUP), attendance.online(CROWD)), (Some(1), Some(2)));
    assert_eq!(attendance.of(account(5)).state, Unknown, "nobody would say when that changes");
    assert!(attendance.is_counted(CROWD));
    let members = [3, 4, 5, 6].map(account).into_iter().collect();
    assert!(
        attendance.is_outdated(CROWD, &members)
            && !attendance.is_outdated(GROUP, &[1, 2, 3].map(account).into())
    );
    attendance.enter(GROUP, ME, &opened(&[(1, Unknown)], false));
    assert_eq!(attendance.online(GROUP), Some(1), "what was known of who stays");
    attendance.leave(GROUP);
    assert_eq!(attendance.online(GROUP), None);
    assert_eq!(attendance.of(account(1)).state, Unknown);
}
