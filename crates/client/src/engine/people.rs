//! Names and colours: asks for those that are not known yet, many at a time.

use suda_proto::reply::{Profiles, Row};
use suda_proto::request::{ProfilesQuery, Request};
use suda_proto::{AccountId, ErrorBody};

use super::request::Purpose;
use super::{Engine, Step};
use crate::cache::Write;
use crate::event::ClientEvent;

/// How many profiles are asked for at a time.
const PROFILES: usize = 200;

impl Engine {
    /// Somebody was mentioned: the profile is asked for if it is not known.
    pub(super) fn meet(&mut self, account: AccountId) {
        if !self.known_people.contains(&account) {
            self.strangers.insert(account);
        }
    }

    /// Everybody in a row.
    pub(super) fn meet_row(&mut self, row: &Row) {
        row.peer
            .into_iter()
            .chain(row.last.as_ref().map(|last| last.author))
            .for_each(|account| self.meet(account));
    }

    pub(super) fn ask_about_strangers(&mut self) {
        let is_asking = |purpose: &Purpose| matches!(purpose, Purpose::Profiles(_));
        if self.strangers.is_empty() || self.contact.line.is_none() || self.requests.is_asking(is_asking) {
            return;
        }
        let some: Vec<AccountId> = self.strangers.iter().take(PROFILES).copied().collect();
        for account in &some {
            self.strangers.remove(account);
            // Whoever does not exist is not asked for again.
            self.known_people.insert(*account);
        }
        self.ask_profiles(some);
    }

    /// Asks for profiles, known or not.
    pub(super) fn ask_profiles(&mut self, accounts: Vec<AccountId>) {
        let request = Request::Profiles(ProfilesQuery { accounts: accounts.clone() });
        self.ask(request, Purpose::Profiles(accounts));
    }

    pub(super) async fn on_profiles(
        &mut self,
        accounts: Vec<AccountId>,
        answer: Result<Profiles, ErrorBody>,
    ) -> Step {
        let Ok(Profiles { profiles }) = answer else {
            // Asked for again when they are met again.
            accounts.iter().for_each(|account| _ = self.known_people.remove(account));
            return Ok(());
        };
        self.cache.write(vec![Write::Profiles(profiles)]).await?;
        self.announce(ClientEvent::ProfilesChanged);
        Ok(())
    }
}
