//! The newest envelopes of a conversation: by them a repeated send is found.

use std::collections::VecDeque;

use suda_proto::{AccountId, ClientId};

use crate::entry::Envelope;

/// How many envelopes are kept when nobody needs more.
const KEPT: usize = 256;

/// A contiguous run of envelopes that ends at the head.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    envelopes: VecDeque<Envelope>,
    /// For each of them a few bits of its client id: looked through for every send, so as small as may be.
    prints: VecDeque<u16>,
    head: u64,
}

impl Recent {
    /// The run `envelopes`, which ends at `head`.
    pub fn new(envelopes: Vec<Envelope>, head: u64) -> Self {
        let prints = envelopes.iter().map(|envelope| print(envelope.client_id)).collect();
        Self { envelopes: envelopes.into(), prints, head }
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
        let wanted = print(client_id);
        let (front, back) = self.prints.as_slices();
        if !front.contains(&wanted) && !back.contains(&wanted) {
            return None;
        }
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
        self.prints.push_back(print(envelope.client_id));
        self.envelopes.push_back(envelope);
        while self.envelopes.len() > KEPT {
            self.envelopes.pop_front();
            self.prints.pop_front();
        }
    }

    /// Extends the run backwards; `older` is contiguous and is ignored unless it ends right below the run.
    pub fn prepend(&mut self, older: Vec<Envelope>) {
        let fits = older.last().is_some_and(|last| last.seq + 1 == self.first());
        if fits {
            for envelope in older.into_iter().rev() {
                self.prints.push_front(print(envelope.client_id));
                self.envelopes.push_front(envelope);
            }
        }
    }
}

/// Bits of a client id that are random in a UUIDv7.
fn print(client_id: ClientId) -> u16 {
    let [.., a, b] = *client_id.bytes();
    u16::from_ne_bytes([a, b])
}
