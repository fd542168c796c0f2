//! When sessions are told what: the first change at once, later ones together after a rest, never more than the caller
//! has time for.

use std::collections::VecDeque;

use super::watched::{Stage, Told, Watched, Watcher};
use super::{Change, Due, Several, Shared};
use crate::presence::table::Table;

/// How many places a queue keeps for the next burst.
const QUEUE_SLACK: usize = 1_024;

/// The sessions that are to be told something.
#[derive(Debug)]
pub struct Pace {
    rest_ms: u64,
    /// Sessions with pending changes, by number and id, the longest waiting first.
    ready: VecDeque<(u32, u64)>,
    /// Sessions that rest, and until when.
    resting: VecDeque<(u64, u32, u64)>,
}

impl Pace {
    /// Nobody. `rest_ms` lies between two times of telling a session.
    pub const fn new(rest_ms: u64) -> Self {
        Self { rest_ms, ready: VecDeque::new(), resting: VecDeque::new() }
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        self.ready.capacity() * size_of::<(u32, u64)>()
            + self.resting.capacity() * size_of::<(u64, u32, u64)>()
    }

    /// Notes what sessions are to be told of the account, where they were told something else.
    pub fn mark(&mut self, number: u32, account: &mut Watched, sessions: &mut Table<Watcher>) {
        let news = [account.news(false), account.news(true)];
        for edge in &mut account.edges {
            if !edge.is_pending && edge.told != news[usize::from(edge.is_permitted)] {
                edge.is_pending = self.note(edge.session, number, sessions);
            }
        }
    }

    fn note(&mut self, session: u32, account: u32, sessions: &mut Table<Watcher>) -> bool {
        let Some(watcher) = sessions.get_mut(session) else { return false };
        watcher.pending.get_or_insert_default().accounts.push(account);
        if watcher.stage == Stage::Idle {
            watcher.stage = Stage::Ready;
            self.ready.push_back((session, watcher.session));
        }
        true
    }

    /// What is to be told now, at most `budget` changes.
    pub fn due(
        &mut self,
        at_ms: u64,
        mut budget: usize,
        accounts: &mut Table<Watched>,
        sessions: &mut Table<Watcher>,
    ) -> Due {
        self.wake(at_ms, sessions);
        let mut singles: Vec<(u32, Told, u64)> = Vec::new();
        let mut several = Vec::new();
        while budget > 0
            && let Some((number, id)) = self.ready.pop_front()
        {
            let Some(watcher) = sessions.get_mut(number).filter(|watcher| watcher.session == id) else {
                continue;
            };
            let told = told_now(number, watcher, &mut budget, accounts);
            if watcher.pending() > 0 {
                self.ready.push_front((number, id));
            } else if told.is_empty() {
                watcher.stage = Stage::Idle;
            } else {
                watcher.stage = Stage::Resting;
                self.resting.push_back((at_ms.saturating_add(self.rest_ms), number, id));
            }
            match told[..] {
                [] => {}
                [(account, told)] => singles.push((account, told, id)),
                _ => several.push(Several { session: id, changes: changes(&told, accounts) }),
            }
        }
        give_back(&mut self.ready);
        let delayed = self.ready.iter().filter_map(|(number, _)| sessions.get(*number));
        let delayed = delayed.map(Watcher::pending).sum();
        Due { shared: shared(singles, accounts), several, delayed }
    }

    fn wake(&mut self, at_ms: u64, sessions: &mut Table<Watcher>) {
        while let Some((until_ms, number, id)) = self.resting.front().copied()
            && until_ms <= at_ms
        {
            self.resting.pop_front();
            let Some(watcher) = sessions.get_mut(number).filter(|watcher| watcher.session == id) else {
                continue;
            };
            if watcher.pending() > 0 {
                watcher.stage = Stage::Ready;
                self.ready.push_back((number, id));
            } else if watcher.lists.is_empty() {
                sessions.remove(number);
            } else {
                watcher.stage = Stage::Idle;
            }
        }
        give_back(&mut self.resting);
    }
}

/// Lets go of the memory that a burst took: most of the time few sessions wait or rest.
fn give_back<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > QUEUE_SLACK + 4 * queue.len() {
        queue.shrink_to(2 * queue.len());
    }
}

/// Takes from what is pending of the session, oldest first, what is still news to it.
fn told_now(
    session: u32,
    watcher: &mut Watcher,
    budget: &mut usize,
    accounts: &mut Table<Watched>,
) -> Vec<(u32, Told)> {
    let mut told = Vec::new();
    let mut looked_at = 0;
    let Some(pending) = &mut watcher.pending else { return told };
    for number in &pending.accounts {
        if *budget == 0 {
            break;
        }
        looked_at += 1;
        let Some(account) = accounts.get_mut(*number) else { continue };
        let news = [account.news(false), account.news(true)];
        let Some(edge) = account.edge(session) else { continue };
        edge.is_pending = false;
        let news = news[usize::from(edge.is_permitted)];
        if edge.told != news {
            edge.told = news;
            told.push((*number, news));
            *budget -= 1;
        }
    }
    pending.accounts.drain(..looked_at);
    if pending.accounts.is_empty() {
        watcher.pending = None;
    }
    told
}

fn changes(told: &[(u32, Told)], accounts: &Table<Watched>) -> Vec<Change> {
    told.iter().filter_map(|(number, told)| change(*number, *told, accounts)).collect()
}

fn change(number: u32, told: Told, accounts: &Table<Watched>) -> Option<Change> {
    let account = accounts.get(number)?;
    Some(Change { account: account.account, view: account.view(told != Told::Hidden) })
}

/// Puts together the sessions that are told the same.
fn shared(mut singles: Vec<(u32, Told, u64)>, accounts: &Table<Watched>) -> Vec<Shared> {
    singles.sort_unstable();
    let groups = singles.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    groups
        .filter_map(|group| {
            let (number, told, _) = *group.first()?;
            let sessions = group.iter().map(|(.., session)| *session).collect();
            Some(Shared { change: change(number, told, accounts)?, sessions })
        })
        .collect()
}
