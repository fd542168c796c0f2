//! What every connection should be shown of those whom it watches, and what it is shown.

use foldhash::{HashMap, HashMapExt as _};
use uuid::Uuid;

/// How somebody stands, as the wire names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was told yet, or the server cannot tell.
    Unknown,
    /// Somebody is looking.
    Online,
    /// Nobody is looking.
    Away,
    /// No device is connected.
    Offline,
    /// It may not be seen.
    Hidden,
    /// Never there: offline, or not known yet, since the server has just started. Nobody is told this word.
    Absent,
}

impl State {
    /// By its name.
    pub fn named(name: &[u8]) -> Self {
        match name {
            b"online" => Self::Online,
            b"away" => Self::Away,
            b"offline" => Self::Offline,
            b"hidden" => Self::Hidden,
            _ => Self::Unknown,
        }
    }

    /// Whether it is right to be shown this while that is the truth.
    fn fits(self, truth: Self) -> bool {
        self == truth || truth == Self::Absent && matches!(self, Self::Unknown | Self::Offline)
    }
}

/// Who watches whom: the crowd stands in a ring, and each of it watches those who follow. Whoever is not of the crowd is
/// watched by as many of it, and watches nobody.
pub struct Views {
    numbers: HashMap<Uuid, u32>,
    truth: Vec<State>,
    watchers: Vec<Vec<u32>>,
    /// For each connection whom it watches, and what it is shown.
    shown: Vec<Vec<(u32, State)>>,
    wrong: usize,
    right_at: u64,
}

impl Views {
    /// The crowd is online, the others were never there; nobody was shown anything.
    pub fn new(accounts: &[String], crowd: u32, watchers: u32) -> Self {
        let mut numbers = HashMap::with_capacity(accounts.len());
        let all = accounts.len() as u32;
        for (number, id) in (0..all).zip(accounts) {
            numbers.extend(Uuid::try_parse(id).ok().map(|id| (id, number)));
        }
        let mut views = Self {
            numbers,
            truth: (0..all).map(|one| if one < crowd { State::Online } else { State::Absent }).collect(),
            watchers: vec![Vec::new(); accounts.len()],
            shown: vec![Vec::new(); accounts.len()],
            wrong: 0,
            right_at: 0,
        };
        for account in 0..all {
            for step in 0..watchers {
                let line = match account.checked_sub(crowd) {
                    None => (account + crowd - 1 - step) % crowd,
                    Some(other) => (other * watchers + step) % crowd,
                };
                views.watchers[account as usize].push(line);
                views.shown[line as usize].push((account, State::Unknown));
                views.wrong += usize::from(account < crowd);
            }
        }
        views
    }

    /// The account with this id.
    pub fn number(&self, id: &[u8]) -> Option<u32> {
        self.numbers.get(&Uuid::try_parse_ascii(id).ok()?).copied()
    }

    /// Whom a connection watches.
    pub fn watched(&self, line: u32) -> impl Iterator<Item = u32> {
        self.shown[line as usize].iter().map(|(account, _)| *account)
    }

    /// Who watches an account.
    pub fn watchers(&self, account: u32) -> &[u32] {
        &self.watchers[account as usize]
    }

    /// How an account should be shown.
    pub fn truth(&self, account: u32) -> State {
        self.truth[account as usize]
    }

    /// From now on an account should be shown in another way.
    pub fn turn(&mut self, account: u32, state: State) {
        let before = std::mem::replace(&mut self.truth[account as usize], state);
        for line in &self.watchers[account as usize] {
            let shown = self.shown[*line as usize].iter().find(|(watched, _)| *watched == account);
            if let Some((_, shown)) = shown {
                self.wrong -= usize::from(!shown.fits(before));
                self.wrong += usize::from(!shown.fits(state));
            }
        }
    }

    /// A connection is shown how an account stands; false if it does not watch it.
    pub fn show(&mut self, line: u32, account: u32, state: State, now: u64) -> bool {
        let shown = self.shown[line as usize].iter_mut().find(|(watched, _)| *watched == account);
        let Some((_, shown)) = shown else { return false };
        let truth = self.truth[account as usize];
        let was_wrong = !std::mem::replace(shown, state).fits(truth);
        self.wrong -= usize::from(was_wrong);
        self.wrong += usize::from(!state.fits(truth));
        if was_wrong && self.wrong == 0 {
            self.right_at = now;
        }
        true
    }

    /// A connection is gone, and what it was shown.
    pub fn forget(&mut self, line: u32) {
        for (account, shown) in &mut self.shown[line as usize] {
            let truth = self.truth[*account as usize];
            self.wrong -= usize::from(!shown.fits(truth));
            *shown = State::Unknown;
            self.wrong += usize::from(!shown.fits(truth));
        }
    }

    /// How often something else is shown than should be.
    pub const fn wrong(&self) -> usize {
        self.wrong
    }

    /// When the last one was shown what it should be.
    pub const fn right_at(&self) -> u64 {
        self.right_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: u128) -> Vec<String> {
        (0..count).map(|number| Uuid::from_u128(number).to_string()).collect()
    }

    #[test]
    fn everybody_is_watched_by_as_many_who_are_others() {
        for (crowd, others, watchers) in [(10, 3, 3), (5, 0, 4), (4, 9, 1)] {
            let views = Views::new(&ids(u128::from(crowd + others)), crowd, watchers);
            for account in 0..crowd + others {
                let of_account = views.watchers(account);
                let mut different = of_account.to_vec();
                different.sort_unstable();
                different.dedup();
                assert_eq!((of_account.len(), different.len()), (watchers as usize, watchers as usize));
                for line in of_account {
                    assert!(*line < crowd && *line != account);
                    assert_eq!(views.watched(*line).filter(|watched| *watched == account).count(), 1);
                }
            }
        }
        let views = Views::new(&ids(10), 10, 3);
        assert_eq!(views.watched(8).collect::<Vec<_>>(), [0, 1, 9]);
    }

    #[test]
    fn all_are_right_once_the_last_one_is() {
        let mut views = Views::new(&ids(4), 3, 1);
        assert_eq!(views.wrong(), 3, "nobody needs to know of whom was never there");
        for (line, account) in [(0, 1), (1, 2), (2, 0)] {
            assert!(views.show(line, account, State::Online, 5));
        }
        assert!(!views.show(1, 0, State::Online, 6), "it watches somebody else");
        assert!(views.show(0, 3, State::Offline, 7));
        assert_eq!((views.wrong(), views.right_at()), (0, 5));
        views.turn(1, State::Away);
        views.turn(3, State::Offline);
        assert_eq!(views.wrong(), 1);
        views.forget(0);
        assert_eq!(views.wrong(), 2);
        views.show(0, 3, State::Offline, 8);
        views.show(0, 1, State::Away, 9);
        assert_eq!((views.wrong(), views.right_at()), (0, 9));
    }

    #[test]
    fn ids_are_found() {
        let views = Views::new(&ids(3), 3, 1);
        assert_eq!(views.number(ids(3)[2].as_bytes()), Some(2));
        assert_eq!(views.number(b"nobody"), None);
    }
}
