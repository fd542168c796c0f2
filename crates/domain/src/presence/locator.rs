//! A host's side: on which nodes do these accounts have sessions?
//!
//! It asks an account's first owner; where that does not know, believes other nodes live or does not answer in time,
//! the second; and where that does not help, the answer is *everywhere*. *Nowhere* is said only by an owner that knows.

use std::collections::{BTreeMap, HashMap, VecDeque};

use foldhash::fast::FixedState;
use suda_proto::AccountId;

use super::packet::{ACCOUNTS_MAX, Body, Outgoing};
use super::{Now, packet::Packet};
use crate::placement::{LiveSet, NodeId};

/// How long an owner has to answer.
pub const ANSWER_MS: u64 = 300;

/// How long an answer is believed.
pub const CACHE_MS: u64 = 2_000;

/// Most answers that are remembered.
const CACHE_MAX: usize = 65_536;

/// Most questions that are open; whoever asks more is told *everywhere*.
const QUESTIONS_MAX: usize = 16_384;

/// Where an account has sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On these nodes; on none, if there is none.
    Nodes(Vec<NodeId>),
    /// Perhaps on any: ask all that are live.
    Everywhere,
}

/// What is known at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Where these are.
    pub known: Vec<(AccountId, Place)>,
    /// How many answers follow, each once, as [`Found`] with the ticket.
    pub awaited: usize,
}

/// Answers to an earlier call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the caller gave with its question.
    pub ticket: u64,
    /// Where these are.
    pub places: Vec<(AccountId, Place)>,
}

/// Questions and answers about where accounts are.
#[derive(Debug)]
pub struct Locator {
    live: LiveSet,
    next: u64,
    questions: HashMap<u64, Question, FixedState>,
    /// Open questions and some that were answered, by when their time is over.
    deadlines: VecDeque<(u64, u64)>,
    cache: HashMap<AccountId, (Vec<NodeId>, u64), FixedState>,
    /// What is in the cache and some that is not any more, oldest first.
    remembered: VecDeque<(u64, AccountId)>,
}

#[derive(Debug)]
struct Question {
    ticket: u64,
    to: NodeId,
    is_first: bool,
    accounts: Vec<AccountId>,
}

impl Locator {
    /// Without answers. Its questions count from `first_question`, which should differ with every start of the node, so
    /// that no answer to an earlier start fits.
    pub fn new(first_question: u64) -> Self {
        Self {
            live: LiveSet::default(),
            next: first_question,
            questions: HashMap::default(),
            deadlines: VecDeque::new(),
            cache: HashMap::default(),
            remembered: VecDeque::new(),
        }
    }

    /// Other nodes are live now: what was believed is forgotten. Open questions will time out or be answered by the
    /// owners of before, which is not believed.
    pub fn live(&mut self, live: &LiveSet) {
        if *live != self.live {
            self.live = live.clone();
            self.cache.clear();
            self.remembered.clear();
        }
    }

    /// Where are these? What is not known at once follows under `ticket`.
    pub fn ask(&mut self, ticket: u64, accounts: &[AccountId], now: Now, out: &mut Vec<Outgoing>) -> Asked {
        let mut known = Vec::new();
        let mut by_owner: BTreeMap<NodeId, Vec<AccountId>> = BTreeMap::new();
        for account in accounts {
            if let Some((nodes, _)) = self.cache.get(account).filter(|(_, until_ms)| *until_ms > now.at_ms) {
                known.push((*account, Place::Nodes(nodes.clone())));
            } else if let Some(owners) = self.live.owners(*account) {
                by_owner.entry(owners.first).or_default().push(*account);
            } else {
                known.push((*account, Place::Everywhere));
            }
        }
        let mut awaited = 0;
        for (to, accounts) in by_owner {
            for accounts in accounts.chunks(ACCOUNTS_MAX) {
                let question = Question { ticket, to, is_first: true, accounts: accounts.to_vec() };
                match self.send(question, now, out) {
                    Ok(()) => awaited += accounts.len(),
                    Err(refused) => known.extend(everywhere(refused.accounts)),
                }
            }
        }
        Asked { known, awaited }
    }

    /// An answer came. Other packets are left alone.
    pub fn take(&mut self, from: NodeId, packet: Packet, now: Now, out: &mut Vec<Outgoing>) -> Vec<Found> {
        let Body::Located { question: id, mut places, unknown } = packet.body else { return Vec::new() };
        if self.questions.get(&id).is_none_or(|question| question.to != from) {
            return Vec::new();
        }
        let Some(mut question) = self.questions.remove(&id) else { return Vec::new() };
        if packet.live != self.live.hash() {
            return self.ask_on(question, now, out);
        }
        // An owner may leave out what it was asked, but cannot answer what it was not asked.
        question.accounts.sort_unstable();
        places.retain(|(account, _)| question.accounts.binary_search(account).is_ok());
        places.sort_unstable();
        places.dedup_by_key(|(account, _)| *account);
        let is_open = |account: &AccountId| places.binary_search_by_key(account, |place| place.0).is_err();
        question.accounts.retain(|account| is_open(account) || unknown.contains(account));
        places.retain(|(account, _)| question.accounts.binary_search(account).is_err());
        places.iter().for_each(|(account, nodes)| self.remember(*account, nodes, now));
        let places: Vec<_> =
            places.into_iter().map(|(account, nodes)| (account, Place::Nodes(nodes))).collect();
        let mut found = Vec::new();
        if !places.is_empty() {
            found.push(Found { ticket: question.ticket, places });
        }
        found.extend(self.ask_on(question, now, out));
        found
    }

    /// What time has come: answers that did not come in time. To be called at least every [`super::TICK_MS`].
    pub fn turn(&mut self, now: Now, out: &mut Vec<Outgoing>) -> Vec<Found> {
        let mut found = Vec::new();
        while let Some((until_ms, id)) = self.deadlines.front().copied()
            && until_ms <= now.at_ms
        {
            self.deadlines.pop_front();
            if let Some(question) = self.questions.remove(&id) {
                found.extend(self.ask_on(question, now, out));
            }
        }
        while let Some((until_ms, account)) = self.remembered.front().copied()
            && until_ms <= now.at_ms
        {
            self.remembered.pop_front();
            self.forget_if(account, until_ms);
        }
        found
    }

    /// What is remembered of the account is known to be wrong.
    pub fn forget(&mut self, account: AccountId) {
        self.cache.remove(&account);
    }

    /// How many questions are open.
    pub fn open_questions(&self) -> usize {
        self.questions.len()
    }

    /// Asks the second owners what the first could not say; what nobody is left to ask about is everywhere.
    fn ask_on(&mut self, question: Question, now: Now, out: &mut Vec<Outgoing>) -> Vec<Found> {
        let mut by_owner: BTreeMap<NodeId, Vec<AccountId>> = BTreeMap::new();
        let mut given_up = Vec::new();
        for account in question.accounts {
            let owners = self.live.owners(account).filter(|_| question.is_first);
            // Who was asked may be no owner any more.
            match owners.and_then(|owners| owners.iter().filter(|node| *node != question.to).last()) {
                Some(second) => by_owner.entry(second).or_default().push(account),
                None => given_up.push(account),
            }
        }
        for (to, accounts) in by_owner {
            let next = Question { ticket: question.ticket, to, is_first: false, accounts };
            if let Err(refused) = self.send(next, now, out) {
                given_up.extend(refused.accounts);
            }
        }
        if given_up.is_empty() {
            return Vec::new();
        }
        vec![Found { ticket: question.ticket, places: everywhere(given_up).collect() }]
    }

    fn send(&mut self, question: Question, now: Now, out: &mut Vec<Outgoing>) -> Result<(), Question> {
        // Deadlines outlive their questions by a little, so they are what has to be bounded.
        if self.deadlines.len() >= QUESTIONS_MAX {
            return Err(question);
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let body = Body::Locate { question: id, accounts: question.accounts.clone() };
        out.push(body.to(question.to, self.live.hash()));
        self.deadlines.push_back((now.at_ms.saturating_add(ANSWER_MS), id));
        self.questions.insert(id, question);
        Ok(())
    }

    /// Remembers where an account is. That it is nowhere is not remembered: it may come any moment.
    fn remember(&mut self, account: AccountId, nodes: &[NodeId], now: Now) {
        if nodes.is_empty() {
            self.cache.remove(&account);
            return;
        }
        if self.remembered.len() >= CACHE_MAX
            && let Some((until_ms, oldest)) = self.remembered.pop_front()
        {
            self.forget_if(oldest, until_ms);
        }
        let until_ms = now.at_ms.saturating_add(CACHE_MS);
        self.cache.insert(account, (nodes.to_vec(), until_ms));
        self.remembered.push_back((until_ms, account));
    }

    /// Forgets the account, unless it was learnt anew since.
    fn forget_if(&mut self, account: AccountId, until_ms: u64) {
        if self.cache.get(&account).is_some_and(|(_, known)| *known == until_ms) {
            self.cache.remove(&account);
        }
    }
}

fn everywhere(accounts: Vec<AccountId>) -> impl Iterator<Item = (AccountId, Place)> {
    accounts.into_iter().map(|account| (account, Place::Everywhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 16])
    }

    fn at(at_ms: u64) -> Now {
        Now { at_ms, clock_ms: 0 }
    }

    struct World {
        locator: Locator,
        out: Vec<Outgoing>,
    }

    impl World {
        fn new() -> Self {
            let mut locator = Locator::new(100);
            locator.live(&LiveSet::new([NodeId(1), NodeId(2), NodeId(3)]));
            Self { locator, out: Vec::new() }
        }

        fn ask(&mut self, at_ms: u64) -> Asked {
            self.locator.ask(9, &[account(1)], at(at_ms), &mut self.out)
        }

        /// The one question that was sent: to whom, and its number.
        fn sent(&mut self) -> (NodeId, u64) {
            let sent = std::mem::take(&mut self.out);
            let [Outgoing { to, packet }] = &sent[..] else { panic!("{sent:?}") };
            let Body::Locate { question, .. } = packet.body else { panic!("{packet:?}") };
            (*to, question)
        }

        fn answer(
            &mut self,
            (from, question): (NodeId, u64),
            nodes: Option<Vec<NodeId>>,
            live: u64,
        ) -> Vec<Found> {
            let unknown = if nodes.is_none() { vec![account(1)] } else { Vec::new() };
            let places = nodes.into_iter().map(|nodes| (account(1), nodes)).collect();
            let packet = Packet { live, body: Body::Located { question, places, unknown } };
            self.locator.take(from, packet, at(0), &mut self.out)
        }
    }

    fn found(place: Place) -> Vec<Found> {
        vec![Found { ticket: 9, places: vec![(account(1), place)] }]
    }

    #[test]
    fn an_answer_is_believed_for_a_while() {
        let mut world = World::new();
        let live = world.locator.live.hash();
        assert_eq!(world.ask(0), Asked { known: Vec::new(), awaited: 1 });
        let sent = world.sent();
        let nodes = Place::Nodes(vec![NodeId(3)]);
        assert_eq!(world.answer(sent, Some(vec![NodeId(3)]), live), found(nodes.clone()));
        assert_eq!(world.ask(1_999), Asked { known: vec![(account(1), nodes)], awaited: 0 });
        assert_eq!(world.ask(2_000).awaited, 1);
        let sent = world.sent();
        assert_eq!(world.answer(sent, Some(Vec::new()), live), found(Place::Nodes(Vec::new())));
        assert_eq!(world.ask(0).awaited, 1, "nowhere is not remembered");
    }

    #[test]
    fn who_does_not_know_disagrees_or_is_silent_is_followed_by_the_second_and_by_everywhere() {
        for kind in 0..3 {
            let mut world = World::new();
            let live = world.locator.live.hash();
            world.ask(0);
            let mut asked = Vec::new();
            for (round, expected) in [Vec::new(), found(Place::Everywhere)].into_iter().enumerate() {
                let sent = world.sent();
                asked.push(sent.0);
                let found = match kind {
                    0 => world.answer(sent, None, live),
                    1 => world.answer(sent, Some(Vec::new()), live + 1),
                    _ => world.locator.turn(at(300 + 300 * round as u64), &mut world.out),
                };
                assert_eq!(found, expected, "{kind}");
            }
            let owners = world.locator.live.owners(account(1)).expect("has owners");
            assert_eq!(asked, owners.iter().collect::<Vec<_>>());
            assert_eq!(world.locator.open_questions(), 0);
        }
    }

    #[test]
    fn other_live_nodes_make_forget() {
        let mut world = World::new();
        let live = world.locator.live.hash();
        world.ask(0);
        let sent = world.sent();
        world.answer(sent, Some(vec![NodeId(3)]), live);
        world.locator.live(&LiveSet::new([NodeId(1), NodeId(2)]));
        assert_eq!(world.ask(0).awaited, 1);
        world.locator.live(&LiveSet::new([]));
        assert_eq!(world.ask(0).known, [(account(1), Place::Everywhere)]);
    }

    #[test]
    fn too_many_questions_are_answered_at_once() {
        let mut world = World::new();
        for _ in 0..QUESTIONS_MAX {
            assert_eq!(world.ask(0).awaited, 1);
        }
        assert_eq!(world.ask(0).known, [(account(1), Place::Everywhere)]);
    }
}
