//! The newest envelopes of a conversation: by them a repeated send is found.

use std::collections::VecDeque;

use suda_proto::{AccountId, ClientId};

use crate::entry::Envelope;

/// How many envelopes are kept when nobody needs more.
const KEPT: usize = 512;

/// A contiguous run of envelopes that ends at the head.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    envelopes: VecDeque<Envelope>,
    head: u64,
}

impl Recent {
    /// The run `envelopes`, which ends at `head`.
    pub fn new(envelopes: Vec<Envelope>, head: u64) -> Self {
        Self { envelopes: envelopes.into(), head }
    }

    /// The lowest sequence in the run; one above the head if it is empty.
    pub fn first(&self) -> u64 {
        self.head + 1 - self.envelopes.len() as u64
    }

    /// The envelope with this number, if it is in the run.
    pub fn get(&self, seq: u64) -> Option<&Envelope> {
        let place = seq.checked_sub(self.first())?;
        self.envelopes.get(usize::try_from(place).ok()?)
    }

    /// The entry that the account made under this client id, newest first.
    pub fn find(&self, account: AccountId, client_id: ClientId) -> Option<&Envelope> {
        let mut newest_first = self.envelopes.iter().rev();
        newest_first.find(|envelope| envelope.client_id == client_id && envelope.author == account)
    }

    /// The run, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Envelope> {
        self.envelopes.iter()
    }

    /// Takes the next entry's envelope.
    pub fn push(&mut self, envelope: Envelope) {
        self.head = envelope.seq;
        self.envelopes.push_back(envelope);
        while self.envelopes.len() > KEPT {
            self.envelopes.pop_front();
        }
    }

    /// Extends the run backwards; `older` is contiguous and is ignored unless it ends right below the run.
    pub fn prepend(&mut self, older: Vec<Envelope>) {
        let fits = older.last().is_some_and(|last| last.seq + 1 == self.first());
        if fits {
            older.into_iter().rev().for_each(|envelope| self.envelopes.push_front(envelope));
        }
    }
}
