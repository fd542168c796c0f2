//! An entry as it is kept: an envelope that is always readable and a body that can be erased.

use bytes::Bytes;
use suda_proto::{AccountId, ClientId, Kind, Mention, Mentioned};

use crate::stored::{Stored, StoredError};

/// What surrounds a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The number in the conversation, from 1.
    pub seq: u64,
    /// When it was committed, milliseconds since 1970; never smaller than the entry's before it.
    pub at: u64,
    /// What it does.
    pub kind: Kind,
    /// Who did it.
    pub author: AccountId,
    /// The act's name.
    pub client_id: ClientId,
    /// Countable entries here and before.
    pub ordinal: u64,
    /// The earlier entry it is about.
    pub target: Option<u64>,
    /// Who is mentioned.
    pub mentions: Vec<Mention>,
}

impl Envelope {
    /// Whether it mentions the account, by itself or with all others.
    pub fn mentions(&self, account: AccountId) -> bool {
        self.mentions.iter().any(|mention| match mention.who {
            Mentioned::Account(who) => who == account,
            Mentioned::All => true,
        })
    }
}

/// An envelope with its body: JSON bytes, `None` once erased or where the kind has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The envelope.
    pub envelope: Envelope,
    /// The body.
    pub body: Option<Bytes>,
}

/// Whether entries of this kind count as unread.
pub const fn is_countable(kind: Kind) -> bool {
    matches!(kind, Kind::Message)
}

/// The stored number of a kind; numbers are for ever.
const KINDS: [(u8, Kind); 13] = [
    (1, Kind::Message),
    (2, Kind::Edit),
    (3, Kind::Delete),
    (4, Kind::Reaction),
    (5, Kind::Created),
    (6, Kind::MembersAdded),
    (7, Kind::MemberRemoved),
    (8, Kind::MemberLeft),
    (9, Kind::RoleChanged),
    (10, Kind::SettingsChanged),
    (11, Kind::Dissolved),
    (12, Kind::AuthorErased),
    (13, Kind::Set),
];

/// The number under which a kind is stored; 0 for one that this version does not know.
pub fn kind_number(kind: Kind) -> u8 {
    KINDS.iter().find(|(_, known)| *known == kind).map_or(0, |(number, _)| *number)
}

/// The kind that is stored under this number.
pub fn kind_of(number: u8) -> Kind {
    KINDS.iter().find(|(known, _)| *known == number).map_or(Kind::Unknown, |(_, kind)| *kind)
}

/// Version 1: kind, target presence and mention count as bytes; numbers little endian; ids as sixteen bytes.
impl Stored for Envelope {
    const VERSION: u8 = 1;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[
            kind_number(self.kind),
            u8::from(self.target.is_some()),
            self.mentions.len().min(255) as u8,
        ]);
        for number in [self.seq, self.at, self.ordinal] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(self.author.bytes());
        out.extend_from_slice(self.client_id.bytes());
        if let Some(target) = self.target {
            out.extend_from_slice(&target.to_le_bytes());
        }
        for mention in self.mentions.iter().take(255) {
            let who = match mention.who {
                Mentioned::Account(account) => *account.bytes(),
                Mentioned::All => [0; 16],
            };
            out.extend_from_slice(&who);
            out.extend_from_slice(&mention.start.to_le_bytes());
            out.extend_from_slice(&mention.length.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut bytes = Reader(bytes);
        let [kind, has_target, mentions] = bytes.take()?;
        let seq = bytes.number()?;
        let at = bytes.number()?;
        let ordinal = bytes.number()?;
        let author = AccountId::from_bytes(bytes.take()?);
        let client_id = ClientId::from_bytes(bytes.take()?);
        let target = if has_target == 0 { None } else { Some(bytes.number()?) };
        let mentions = (0..mentions).map(|_| read_mention(&mut bytes)).collect::<Result<_, _>>()?;
        Ok(Self { seq, at, kind: kind_of(kind), author, client_id, ordinal, target, mentions })
    }
}

fn read_mention(bytes: &mut Reader<'_>) -> Result<Mention, StoredError> {
    let who: [u8; 16] = bytes.take()?;
    let who = if who == [0; 16] { Mentioned::All } else { Mentioned::Account(AccountId::from_bytes(who)) };
    Ok(Mention { who, start: u32::from_le_bytes(bytes.take()?), length: u32::from_le_bytes(bytes.take()?) })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoredError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(StoredError::Malformed("envelope"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u64, StoredError> {
        Ok(u64::from_le_bytes(self.take()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            seq: 7,
            at: 1_700_000_000_000,
            kind: Kind::Message,
            author: AccountId::from_bytes([1; 16]),
            client_id: ClientId::from_bytes([2; 16]),
            ordinal: 5,
            target: Some(3),
            mentions: vec![Mention { who: Mentioned::All, start: 1, length: 4 }],
        }
    }

    #[test]
    fn an_envelope_survives_storage() {
        assert_eq!(Envelope::decode(&envelope().encode()).expect("reads"), envelope());
    }

    #[test]
    fn every_kind_has_its_number() {
        for (number, kind) in KINDS {
            assert_eq!((kind_number(kind), kind_of(number)), (number, kind));
        }
        assert_eq!((kind_number(Kind::Unknown), kind_of(0), kind_of(255)), (0, Kind::Unknown, Kind::Unknown));
    }

    /// The bytes that version 1 wrote; must be readable for ever.
    #[test]
    fn version_1_is_read() {
        let mut old = vec![1, 1, 1, 1];
        old.extend(7u64.to_le_bytes());
        old.extend(1_700_000_000_000u64.to_le_bytes());
        old.extend(5u64.to_le_bytes());
        old.extend([1; 16]);
        old.extend([2; 16]);
        old.extend(3u64.to_le_bytes());
        old.extend([0; 16]);
        old.extend([1, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(Envelope::decode(&old).expect("reads"), envelope());
    }

    #[test]
    fn every_cut_is_an_error() {
        let bytes = envelope().encode();
        for length in 0..bytes.len() {
            assert!(Envelope::decode(&bytes[..length]).is_err(), "{length}");
        }
    }
}
