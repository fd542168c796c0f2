//! Names and colours of accounts.

use std::collections::{HashMap, HashSet};

use suda_proto::AccountId;
use suda_proto::rest::Profile;

use crate::text::safe::safe_line;
use crate::words::{Language, Word};

/// How many accounts are remembered to have been asked for; beyond it they may be asked for again.
const ASKED_LIMIT: usize = 10_000;

/// The profiles known to the interface. The client keeps them all; these are those that were shown.
#[derive(Clone, Debug, Default)]
pub struct People {
    profiles: HashMap<AccountId, Profile>,
    asked: HashSet<AccountId>,
}

impl People {
    /// Takes profiles over.
    pub fn learn(&mut self, profiles: Vec<Profile>) {
        if self.profiles.len() + profiles.len() > ASKED_LIMIT {
            self.profiles.clear();
        }
        for profile in profiles {
            self.profiles.insert(profile.account, profile);
        }
    }

    /// Which of `accounts` are neither known nor asked for; they count as asked for from now on.
    pub fn ask_for(&mut self, accounts: impl IntoIterator<Item = AccountId>) -> Vec<AccountId> {
        if self.asked.len() > ASKED_LIMIT {
            self.asked.clear();
        }
        let unknown = accounts.into_iter().filter(|account| !self.profiles.contains_key(account));
        unknown.filter(|account| self.asked.insert(*account)).collect()
    }

    /// Everybody's profile may be another one by now: all that were asked for, to be asked for again.
    pub fn ask_again(&self) -> Vec<AccountId> {
        self.asked.iter().copied().collect()
    }

    /// The profile, if it is known.
    pub fn profile(&self, account: AccountId) -> Option<&Profile> {
        self.profiles.get(&account)
    }

    /// The name to show, safe to draw.
    pub fn name(&self, account: AccountId, language: Language) -> String {
        match self.profiles.get(&account) {
            None => language.say(Word::Somebody).to_owned(),
            Some(profile) if profile.deleted => language.say(Word::DeletedAccount).to_owned(),
            Some(profile) => shown_name(profile),
        }
    }

    /// The names to show, joined.
    pub fn names(&self, accounts: &[AccountId], language: Language) -> String {
        let names: Vec<String> = accounts.iter().map(|account| self.name(*account, language)).collect();
        language.and(&names)
    }
}

/// A profile's display name, or its name where that is empty; safe to draw.
pub fn shown_name(profile: &Profile) -> String {
    let display = safe_line(&profile.display_name);
    if display.trim().is_empty() { safe_line(&profile.name) } else { display }
}
