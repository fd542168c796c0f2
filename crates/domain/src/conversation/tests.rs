//! Tests of the conversation against a simple model: a list of entries, read from the beginning every time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use suda_proto::entry::{
    ConversationKind, CreatedBody, History, MessageBody, ReactionBody, Role, SettingsBody,
};
use suda_proto::reply::Sent;
use suda_proto::{AccountId, ClientId, Code, ConversationId, Kind, Limits, Mention, Mentioned, Raw};

use super::{Act, Command, Conversation, MessageFacts, Need, Step};
use crate::entry::Entry;
use crate::membership::Membership;
use crate::message::MessageState;
use crate::ports::log::Loaded;
use crate::receipts::{Marks, Summary};
use crate::rights::Right;

const ACCOUNTS: u8 = 5;

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number + 1; 16])
}

fn client_id(number: u16) -> ClientId {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    ClientId::from_bytes(bytes)
}

fn text(text: &str) -> Raw {
    Raw::of(&MessageBody::Text { text: text.to_owned(), data: None })
}

fn post(author: u8, id: u16, base: u64, kind: Kind, target: Option<u64>, body: Option<Raw>) -> Command {
    let act = Act::Post { kind, target, mentions: Vec::new(), body };
    Command { author: account(author), client_id: client_id(id), base: Some(base), after: None, act }
}

fn message(author: u8, id: u16, base: u64) -> Command {
    post(author, id, base, Kind::Message, None, Some(text("hello")))
}

fn act(author: u8, id: u16, act: Act) -> Command {
    Command { author: account(author), client_id: client_id(id), base: None, after: None, act }
}

/// A conversation with its storage: a list.
struct World {
    conversation: Conversation,
    entries: Vec<Entry>,
    marks: BTreeMap<AccountId, Marks>,
    now: u64,
}

impl World {
    fn group(members: &[u8], history: History) -> Self {
        let body = CreatedBody {
            kind: ConversationKind::Group,
            members: members.iter().map(|number| account(*number)).collect(),
            settings: SettingsBody { history: Some(history), ..SettingsBody::default() },
        };
        Self::new(act(members[0], 0, Act::Create(body)))
    }

    fn direct() -> Self {
        let body = CreatedBody {
            kind: ConversationKind::Direct,
            members: vec![account(0), account(1)],
            settings: SettingsBody::default(),
        };
        Self::new(act(0, 0, Act::Create(body)))
    }

    fn new(create: Command) -> Self {
        let id = ConversationId::from_bytes([9; 16]);
        let created = Conversation::create(id, 1, &create, &Limits::default(), 1_000).expect("creates");
        let (conversation, Step::Append { entries, .. }) = created else { panic!("no entries") };
        Self { conversation, entries, marks: BTreeMap::new(), now: 1_000 }
    }

    /// Steps as a host does: learns what is needed, keeps what is appended.
    fn step(&mut self, command: &Command) -> Result<Sent, String> {
        loop {
            match self.conversation.step(command, &Limits::default(), self.now) {
                Step::Append { entries, sent } => {
                    self.entries.extend(entries);
                    return Ok(sent);
                }
                Step::Repeat(sent) => return Ok(sent),
                Step::Refuse(error) => return Err(error.code),
                Step::Need(need) => self.learn(need),
            }
        }
    }

    fn mark(&mut self, who: u8, delivered: Option<u64>, read: Option<u64>) -> Result<(), String> {
        loop {
            match self.conversation.mark(account(who), delivered, read, self.now) {
                Ok(moved) => {
                    if let Some(marks) = moved {
                        self.marks.entry(account(who)).or_default().advance(&marks);
                    }
                    return Ok(());
                }
                Err(Step::Refuse(error)) => return Err(error.code),
                Err(Step::Need(need)) => self.learn(need),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn learn(&mut self, need: Need) {
        let envelope = |seq: u64| self.entries[seq as usize - 1].envelope.clone();
        match need {
            Need::Envelopes { from } => {
                let known = self.conversation.known_from();
                let envelopes = (from..known).map(envelope).collect();
                self.conversation.learn_envelopes(envelopes);
            }
            Need::Envelope { seq } => {
                let envelope = envelope(seq);
                self.conversation.learn_envelope(envelope);
            }
            Need::Message { seq } => {
                let mut state = MessageState::default();
                let pointing = self.entries.iter().filter(|entry| entry.envelope.target == Some(seq));
                pointing.for_each(|entry| {
                    state.apply(entry);
                });
                let facts = MessageFacts::of(&self.entries[seq as usize - 1], Some(state));
                self.conversation.learn_message(seq, facts);
            }
        }
    }

    /// What storage derives from the list.
    fn loaded(&self, recent: usize) -> Loaded {
        let mut membership = Membership::created(&self.entries[0]).expect("begins with created");
        let mut summary = Summary::default();
        summary.apply(&self.entries[0].envelope);
        let mut marks: BTreeMap<AccountId, Marks> = BTreeMap::new();
        for entry in &self.entries[1..] {
            summary.apply(&entry.envelope);
            membership.apply(entry);
            let gone = marks.iter_mut().filter(|(account, _)| membership.member(**account).is_none());
            gone.for_each(|(_, marks)| marks.leave());
            for member in &membership.members {
                marks.entry(member.account).or_default().apply(member.account, &entry.envelope);
            }
        }
        for (account, stored) in &self.marks {
            marks.entry(*account).or_default().advance(stored);
        }
        let skipped = self.entries.len().saturating_sub(recent);
        let recent = self.entries[skipped..].iter().map(|entry| entry.envelope.clone()).collect();
        Loaded { epoch: 1, summary, membership, marks: marks.into_iter().collect(), recent }
    }

    fn reload(&mut self, recent: usize) {
        let loaded = self.loaded(recent);
        self.conversation = Conversation::loaded(self.conversation.id(), loaded);
    }

    /// P2: numbers 1, 2, 3, …, times that never decrease, ordinals that count messages.
    fn check_order(&self) {
        let mut ordinal = 0;
        for (place, entry) in self.entries.iter().enumerate() {
            let envelope = &entry.envelope;
            assert_eq!(envelope.seq, place as u64 + 1);
            assert!(place == 0 || self.entries[place - 1].envelope.at <= envelope.at);
            ordinal += u64::from(envelope.kind == Kind::Message);
            assert_eq!(envelope.ordinal, ordinal);
        }
    }

    /// Unread by definition: messages of others after everything the member has seen.
    fn check_unread(&self) {
        for member in &self.conversation.membership().members {
            let mine = member.account;
            let joined = member.intervals.last().map_or(1, |interval| interval.from);
            let joined = self.joined_at(mine).unwrap_or(joined);
            let read = self.marks.get(&mine).map_or(0, |marks| marks.read);
            let sent = self.entries.iter().rev().map(|entry| &entry.envelope);
            let sent = sent.into_iter().find(|one| one.kind == Kind::Message && one.author == mine);
            let seen = joined.max(read).max(sent.map_or(0, |one| one.seq));
            let unread = self.entries.iter().map(|entry| &entry.envelope);
            let unread = unread.filter(|one| one.kind == Kind::Message && one.seq > seen);
            let unread: Vec<_> = unread.collect();
            let mentions = unread.iter().filter(|one| one.mentions(mine)).count();
            let (count, mentioned) = self.conversation.unread(member);
            assert_eq!(count, unread.len() as u64, "unread of {mine}");
            if count > 0 {
                assert_eq!(mentioned as usize, mentions, "mentions of {mine}");
            }
        }
    }

    fn joined_at(&self, who: AccountId) -> Option<u64> {
        let adds = |entry: &&Entry| match entry.envelope.kind {
            Kind::Created | Kind::MembersAdded => {
                String::from_utf8_lossy(entry.body.as_deref().unwrap_or_default()).contains(&who.to_string())
            }
            _ => false,
        };
        self.entries.iter().rev().find(adds).map(|entry| entry.envelope.seq)
    }
}

/// What a random person does next.
#[derive(Clone, Debug)]
enum Deed {
    Say { who: u8, id: u16, back: u64, mention: Option<u8> },
    Edit { who: u8, id: u16, target: u64 },
    Delete { who: u8, id: u16, target: u64 },
    React { who: u8, id: u16, target: u64, emoji: Option<u8> },
    Add { who: u8, id: u16, whom: u8 },
    Remove { who: u8, id: u16, whom: u8 },
    Promote { who: u8, id: u16, whom: u8, role: u8 },
    Read { who: u8, upto: u64 },
    Deliver { who: u8, upto: u64 },
    Wait { millis: i64 },
    Reload { recent: usize },
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = || 0..ACCOUNTS;
    let id = || 1..400u16;
    let target = || 1..40u64;
    prop_oneof![
        6 => (who(), id(), 0..8u64, proptest::option::of(who()))
            .prop_map(|(who, id, back, mention)| Deed::Say { who, id, back, mention }),
        2 => (who(), id(), target()).prop_map(|(who, id, target)| Deed::Edit { who, id, target }),
        1 => (who(), id(), target()).prop_map(|(who, id, target)| Deed::Delete { who, id, target }),
        2 => (who(), id(), target(), proptest::option::of(0..3u8))
            .prop_map(|(who, id, target, emoji)| Deed::React { who, id, target, emoji }),
        1 => (who(), id(), who()).prop_map(|(who, id, whom)| Deed::Add { who, id, whom }),
        1 => (who(), id(), who()).prop_map(|(who, id, whom)| Deed::Remove { who, id, whom }),
        1 => (who(), id(), who(), 0..3u8).prop_map(|(who, id, whom, role)| Deed::Promote { who, id, whom, role }),
        2 => (who(), target()).prop_map(|(who, upto)| Deed::Read { who, upto }),
        1 => (who(), target()).prop_map(|(who, upto)| Deed::Deliver { who, upto }),
        1 => (-5_000..5_000i64).prop_map(|millis| Deed::Wait { millis }),
        1 => (0..6usize).prop_map(|recent| Deed::Reload { recent }),
    ]
}

impl Deed {
    fn command(&self, head: u64) -> Option<Command> {
        Some(match self {
            Self::Say { who, id, back, mention } => {
                let mut command = message(*who, *id, head.saturating_sub(*back));
                if let (Some(whom), Act::Post { mentions, .. }) = (mention, &mut command.act) {
                    let who = Mentioned::Account(account(*whom));
                    mentions.push(Mention { who, start: 0, length: 5 });
                }
                command
            }
            Self::Edit { who, id, target } => {
                post(*who, *id, head, Kind::Edit, Some(*target), Some(text("hello again")))
            }
            Self::Delete { who, id, target } => post(*who, *id, head, Kind::Delete, Some(*target), None),
            Self::React { who, id, target, emoji } => {
                let emoji = emoji.map(|emoji| ["👍", "❤️", "😂"][usize::from(emoji)].to_owned());
                let body = Raw::of(&ReactionBody { emoji, was: None });
                post(*who, *id, head, Kind::Reaction, Some(*target), Some(body))
            }
            Self::Add { who, id, whom } => act(*who, *id, Act::AddMembers(vec![account(*whom)])),
            Self::Remove { who, id, whom } => act(*who, *id, Act::RemoveMember(account(*whom))),
            Self::Promote { who, id, whom, role } => {
                let role = [Role::Member, Role::Admin, Role::Owner][usize::from(*role)];
                act(*who, *id, Act::ChangeRole(account(*whom), role))
            }
            _ => return None,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever people do: order, once, unread, and the state in memory is what storage derives from the entries.
    #[test]
    fn a_conversation_equals_its_entries(
        all_history: bool,
        deeds in proptest::collection::vec(deed(), 1..120),
    ) {
        let history = if all_history { History::All } else { History::FromJoin };
        let mut world = World::group(&[0, 1, 2], history);
        for deed in deeds {
            let head = world.entries.len() as u64;
            match deed {
                Deed::Read { who, upto } => drop(world.mark(who, None, Some(upto))),
                Deed::Deliver { who, upto } => drop(world.mark(who, Some(upto), None)),
                Deed::Wait { millis } => world.now = world.now.saturating_add_signed(millis),
                Deed::Reload { recent } => world.reload(recent),
                ref other => {
                    let Some(command) = other.command(head) else { continue };
                    drop(world.step(&command));
                }
            }
            world.check_order();
            world.check_unread();
            let owners = world.conversation.membership().members.iter().filter(|member| member.role == Role::Owner);
            let is_empty = world.conversation.membership().members.is_empty();
            prop_assert_eq!(owners.count(), usize::from(!is_empty), "exactly one owner");
            let loaded = world.loaded(0);
            prop_assert_eq!(&loaded.membership, world.conversation.membership());
            prop_assert_eq!(&loaded.summary, world.conversation.summary());
            for member in &loaded.membership.members {
                let stored = loaded.marks.iter().find(|(who, _)| *who == member.account);
                let stored = stored.map(|(_, marks)| marks.clone()).unwrap_or_default();
                let hot = world.conversation.marks(member.account);
                prop_assert_eq!((stored.read, stored.delivered, stored.sent), (hot.read, hot.delivered, hot.sent));
            }
        }
    }

    /// P3: every send again, in any order, after any reloads, with the base of the first: the same acknowledgement.
    #[test]
    fn repeated_sends_yield_the_same_entry(
        sends in proptest::collection::vec((0..3u8, 0..6u64), 1..60),
        again in proptest::collection::vec((any::<prop::sample::Index>(), 0..5usize), 1..60),
    ) {
        let mut world = World::group(&[0, 1, 2], History::FromJoin);
        let mut commands = Vec::new();
        for (number, (who, back)) in sends.into_iter().enumerate() {
            let base = (world.entries.len() as u64).saturating_sub(back);
            let command = message(who, number as u16 + 1, base);
            let sent = world.step(&command).expect("is sent");
            commands.push((command, sent));
        }
        let before = world.entries.len();
        for (which, recent) in again {
            world.reload(recent);
            let (command, sent) = which.get(&commands);
            prop_assert_eq!(world.step(command).expect("is repeated"), *sent);
        }
        prop_assert_eq!(world.entries.len(), before);
    }
}

#[test]
fn a_send_whose_predecessor_is_not_committed_waits_its_turn() {
    let mut world = World::direct();
    let first = message(0, 1, 1);
    let second = Command { after: Some(client_id(1)), ..message(0, 2, 1) };
    assert_eq!(world.step(&second), Err(Code::OutOfTurn.name().to_owned()));
    let one = world.step(&first).expect("is sent");
    let two = world.step(&second).expect("is sent");
    assert!(one.position.seq < two.position.seq);
}

#[test]
fn bases_have_bounds() {
    let mut world = World::direct();
    assert_eq!(world.step(&message(0, 1, 99)), Err(Code::BeyondHead.name().to_owned()));
    let far = u64::from(Limits::default().base_entries);
    for number in 0..far {
        world.step(&message(0, number as u16 + 10, number + 1)).expect("is sent");
    }
    assert_eq!(world.step(&message(0, 5_000, 0)), Err(Code::StaleBase.name().to_owned()));
    assert!(world.step(&message(0, 5_000, 1)).is_ok());
}

#[test]
fn a_client_id_names_one_act() {
    let mut world = World::direct();
    let sent = world.step(&message(0, 1, 1)).expect("is sent");
    let other = post(0, 1, 1, Kind::Delete, Some(sent.position.seq), None);
    assert_eq!(world.step(&other), Err(Code::ClientIdReused.name().to_owned()));
    assert!(world.step(&message(1, 1, 1)).is_ok(), "another account's ids are its own");
}

#[test]
fn members_see_the_intervals_of_their_membership() {
    let mut world = World::group(&[0, 1], History::FromJoin);
    world.step(&message(0, 1, 1)).expect("is sent");
    world.step(&act(0, 2, Act::AddMembers(vec![account(2)]))).expect("is added");
    world.step(&message(0, 3, 1)).expect("is sent");
    world.step(&act(0, 4, Act::RemoveMember(account(2)))).expect("is removed");
    world.step(&message(0, 5, 1)).expect("is sent");
    assert!(world.conversation.member(account(2)).is_err());
    world.step(&act(0, 6, Act::AddMembers(vec![account(2)]))).expect("is added");
    let member = world.conversation.member(account(2)).expect("is a member");
    let seen: Vec<u64> = (1..=7).filter(|seq| member.sees(*seq)).collect();
    assert_eq!(seen, [3, 4, 5, 7]);
}

#[test]
fn edits_end_after_their_time_and_are_the_authors_own() {
    let mut world = World::group(&[0, 1], History::FromJoin);
    let sent = world.step(&message(1, 1, 1)).expect("is sent");
    let edit = |who, id| post(who, id, 1, Kind::Edit, Some(sent.position.seq), Some(text("better")));
    assert_eq!(world.step(&edit(0, 2)), Err(Code::NotAllowed.name().to_owned()));
    assert!(world.step(&edit(1, 3)).is_ok());
    world.now += u64::from(crate::membership::EDIT_SECONDS) * 1_000 + 1;
    assert_eq!(world.step(&edit(1, 4)), Err(Code::EditTooLate.name().to_owned()));
}

#[test]
fn what_was_deleted_takes_nothing_more() {
    let mut world = World::group(&[0, 1], History::FromJoin);
    let sent = world.step(&message(1, 1, 1)).expect("is sent").position.seq;
    assert!(world.step(&post(0, 2, 1, Kind::Delete, Some(sent), None)).is_ok(), "the owner deletes any");
    for kind in [Kind::Edit, Kind::Delete, Kind::Reaction, Kind::Message] {
        let body = if kind == Kind::Reaction {
            Raw::of(&ReactionBody { emoji: Some("👍".to_owned()), was: None })
        } else {
            text("x")
        };
        let late = post(1, 3, 1, kind, Some(sent), Some(body));
        assert_eq!(world.step(&late), Err(Code::NoSuchMessage.name().to_owned()), "{kind:?}");
    }
}

#[test]
fn an_owner_hands_over_before_leaving_and_a_deleted_one_is_inherited() {
    let mut world = World::group(&[0, 1, 2], History::FromJoin);
    let leave = |who, id| act(who, id, Act::RemoveMember(account(who)));
    assert_eq!(world.step(&leave(0, 1)), Err(Code::NotAllowed.name().to_owned()));
    world.step(&act(0, 2, Act::ChangeRole(account(1), Role::Owner))).expect("hands over");
    world.step(&leave(0, 3)).expect("leaves");
    world.step(&act(1, 4, Act::EraseAuthor)).expect("is erased");
    let roles: BTreeSet<_> =
        world.conversation.membership().members.iter().map(|one| (one.account, one.role)).collect();
    assert_eq!(roles, [(account(2), Role::Owner)].into());
    assert_eq!(world.conversation.membership().erased_at(account(1), 1), world.entries.len() as u64);
}

#[test]
fn a_blocked_direct_conversation_takes_nothing() {
    let mut world = World::direct();
    world.conversation.blocked = true;
    for who in [0, 1] {
        assert_eq!(world.step(&message(who, 1, 1)), Err(Code::Blocked.name().to_owned()));
    }
    world.conversation.blocked = false;
    assert!(world.step(&message(0, 1, 1)).is_ok());
}

/// An act that needs the right: by `who`, on a message of its own or of the other's, or on a member of a lower role.
fn act_of(right: Right, who: u8, own: u64, others: u64, lower: u8) -> Command {
    let emoji = Raw::of(&ReactionBody { emoji: Some("👍".to_owned()), was: None });
    match right {
        Right::Send => message(who, 900, 1),
        Right::React => post(who, 900, 1, Kind::Reaction, Some(others), Some(emoji)),
        Right::EditOwn => post(who, 900, 1, Kind::Edit, Some(own), Some(text("better"))),
        Right::DeleteOwn => post(who, 900, 1, Kind::Delete, Some(own), None),
        Right::DeleteAny => post(who, 900, 1, Kind::Delete, Some(others), None),
        Right::Leave => act(who, 900, Act::RemoveMember(account(who))),
        Right::ChangeSettings => {
            let title = Some("title".to_owned());
            act(who, 900, Act::ChangeSettings(SettingsBody { title, ..SettingsBody::default() }))
        }
        Right::AddMembers => act(who, 900, Act::AddMembers(vec![account(7)])),
        Right::RemoveMembers => act(who, 900, Act::RemoveMember(account(lower))),
        Right::ChangeRoles => act(who, 900, Act::ChangeRole(account(lower), Role::Admin)),
        Right::Dissolve => act(who, 900, Act::Dissolve),
    }
}

#[test]
fn the_table_of_rights_is_what_happens() {
    let is_refused = |world: &mut World, command: &Command| match world.step(command) {
        Ok(_) => false,
        Err(code) => {
            assert_eq!(code, Code::NotAllowed.name(), "{command:?}");
            true
        }
    };
    for right in Right::ALL {
        // 0 is the owner, 1 an admin, 2 and 3 members; everybody has said something.
        for (who, role) in [(0, Role::Owner), (1, Role::Admin), (2, Role::Member)] {
            let mut world = World::group(&[0, 1, 2, 3], History::FromJoin);
            world.step(&act(0, 1, Act::ChangeRole(account(1), Role::Admin))).expect("promotes");
            let said = [0, 1, 2, 3]
                .map(|who| world.step(&message(who, 10 + u16::from(who), 1)).expect("is sent").position.seq);
            let is_owner_leaving = right == Right::Leave && role == Role::Owner;
            let command = act_of(right, who, said[usize::from(who)], said[3], 3);
            let is_given = right.is_given(ConversationKind::Group, role) && !is_owner_leaving;
            assert_eq!(is_refused(&mut world, &command), !is_given, "{right:?} of {role:?}");
        }
        let mut world = World::direct();
        let said = [0, 1]
            .map(|who| world.step(&message(who, 10 + u16::from(who), 1)).expect("is sent").position.seq);
        let command = act_of(right, 0, said[0], said[1], 1);
        let is_given = right.is_given(ConversationKind::Direct, Role::Member);
        assert_eq!(is_refused(&mut world, &command), !is_given, "{right:?} in a direct conversation");
    }
}

#[test]
fn reactions_say_what_they_replace() {
    let mut world = World::direct();
    let seq = world.step(&message(0, 1, 1)).expect("is sent").position.seq;
    let react = |id, emoji: Option<&str>| {
        let body = ReactionBody { emoji: emoji.map(str::to_owned), was: Some("forged".to_owned()) };
        post(1, id, 1, Kind::Reaction, Some(seq), Some(Raw::of(&body)))
    };
    let mut was = Vec::new();
    for (id, emoji) in [(2, Some("👍")), (3, Some("❤️")), (4, None)] {
        world.step(&react(id, emoji)).expect("reacts");
        let body = world.entries.last().and_then(|entry| entry.body.clone()).expect("has a body");
        was.push(serde_json::from_slice::<ReactionBody>(&body).expect("is a reaction").was);
    }
    assert_eq!(was, [None, Some("👍".to_owned()), Some("❤️".to_owned())]);
}
