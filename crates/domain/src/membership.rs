//! Who belongs to a conversation, in which role, and which of its entries each may see.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use suda_proto::entry::{AccountsBody, ConversationKind, CreatedBody, History, Role, RoleBody, SettingsBody};
use suda_proto::{AccountId, Kind};

use crate::entry::Entry;
use crate::stored::{Stored, StoredError, read_postcard, write_postcard};

/// For how long a message may be edited where the group does not say otherwise: 48 hours.
pub const EDIT_SECONDS: u32 = 48 * 3600;

/// Most intervals kept of one account; beyond it the oldest two become one.
const INTERVALS_MAX: usize = 32;

/// Most former members kept; beyond it the one that left first is forgotten.
const FORMER_MAX: usize = 1_000;

/// What a list of conversations needs of a conversation; stored in front of the rest so that it is read alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What it is.
    pub kind: ConversationKind,
    /// A group's title.
    pub title: Option<String>,
    /// The two accounts of a direct conversation.
    pub pair: Option<[AccountId; 2]>,
    /// How many members it has.
    pub members: u32,
    /// Whether it is closed for good.
    pub dissolved: bool,
}

/// A conversation's members and settings: the fold of its membership and settings entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The part that lists need.
    pub header: Header,
    /// Members in the order in which they joined.
    pub members: Vec<Member>,
    /// Accounts that were members, the one that left first in front.
    pub former: Vec<Former>,
    /// Accounts whose messages were erased, each with the number of the erasing entry.
    pub erased: Vec<(AccountId, u64)>,
    /// Which past new members see.
    pub history: History,
    /// For how many seconds a message may be edited.
    pub edit_seconds: u32,
    /// Opaque data of the app, JSON.
    pub data: Option<Bytes>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub account: AccountId,
    /// What it may do.
    pub role: Role,
    /// The ordinal when it joined; unread counts start here.
    pub joined_ordinal: u64,
    /// What it may see, ascending; the last interval is open.
    pub intervals: Vec<Interval>,
}

/// Somebody who was a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// Who.
    pub account: AccountId,
    /// What it could see.
    pub intervals: Vec<Interval>,
}

/// A run of entries, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The first.
    pub from: u64,
    /// The last; `u64::MAX` while the membership lasts.
    pub to: u64,
}

impl Interval {
    /// Whether it holds `seq`.
    pub const fn contains(&self, seq: u64) -> bool {
        self.from <= seq && seq <= self.to
    }
}

impl Member {
    /// Whether the member may see the entry.
    pub fn sees(&self, seq: u64) -> bool {
        self.intervals.iter().any(|interval| interval.contains(seq))
    }

    /// The lowest sequence that the member may see.
    pub fn floor(&self) -> u64 {
        self.intervals.first().map_or(1, |interval| interval.from)
    }
}

impl Membership {
    /// The membership that a `created` entry begins.
    pub fn created(entry: &Entry) -> Option<Self> {
        let body: CreatedBody = body(entry)?;
        let mut membership = Self {
            header: Header {
                kind: body.kind,
                title: None,
                pair: match (body.kind, body.members.as_slice()) {
                    (ConversationKind::Direct, [a, b]) => Some([*a, *b]),
                    _ => None,
                },
                members: 0,
                dissolved: false,
            },
            members: Vec::new(),
            former: Vec::new(),
            erased: Vec::new(),
            history: History::FromJoin,
            edit_seconds: EDIT_SECONDS,
            data: None,
        };
        membership.change_settings(body.settings);
        for account in body.members {
            membership.join(account, entry.envelope.seq, entry.envelope.ordinal);
        }
        if body.kind == ConversationKind::Group {
            membership.set_role(entry.envelope.author, Role::Owner);
        }
        Some(membership)
    }

    /// Applies an entry; answers whether it changed anything.
    pub fn apply(&mut self, entry: &Entry) -> bool {
        let envelope = &entry.envelope;
        match envelope.kind {
            Kind::MembersAdded => {
                for account in accounts(entry) {
                    self.join(account, envelope.seq, envelope.ordinal);
                }
            }
            Kind::MemberRemoved => {
                accounts(entry).into_iter().for_each(|account| self.part(account, envelope.seq))
            }
            Kind::MemberLeft => self.part(envelope.author, envelope.seq),
            Kind::RoleChanged => {
                if let Some(RoleBody { account, role }) = body(entry) {
                    if role == Role::Owner {
                        self.set_role(envelope.author, Role::Admin);
                    }
                    self.set_role(account, role);
                }
            }
            Kind::SettingsChanged => {
                if let Some(settings) = body(entry) {
                    self.change_settings(settings);
                }
            }
            Kind::Dissolved => self.header.dissolved = true,
            Kind::AuthorErased => self.erased.push((envelope.author, envelope.seq)),
            _ => return false,
        }
        true
    }

    /// The member with this account.
    pub fn member(&self, account: AccountId) -> Option<&Member> {
        self.members.iter().find(|member| member.account == account)
    }

    /// The number of the entry that erased what the author wrote at `seq`, 0 if none did.
    pub fn erased_at(&self, author: AccountId, seq: u64) -> u64 {
        erased_at(&self.erased, author, seq)
    }

    /// Who inherits the group when its owner's account is deleted: the admin, else the member, that joined first.
    pub fn heir(&self) -> Option<AccountId> {
        let others = || self.members.iter().filter(|member| member.role != Role::Owner);
        others()
            .find(|member| member.role == Role::Admin)
            .or_else(|| others().next())
            .map(|member| member.account)
    }

    fn join(&mut self, account: AccountId, seq: u64, ordinal: u64) {
        if self.member(account).is_some() {
            return;
        }
        let mut intervals = match self.former.iter().position(|former| former.account == account) {
            Some(place) => self.former.remove(place).intervals,
            None => Vec::new(),
        };
        match self.history {
            History::All => intervals = vec![Interval { from: 1, to: u64::MAX }],
            History::FromJoin => intervals.push(Interval { from: seq, to: u64::MAX }),
        }
        if intervals.len() > INTERVALS_MAX {
            let oldest = intervals.remove(0);
            intervals[0].from = oldest.from;
        }
        self.members.push(Member { account, role: Role::Member, joined_ordinal: ordinal, intervals });
        self.header.members = self.members.len() as u32;
    }

    fn part(&mut self, account: AccountId, seq: u64) {
        let Some(place) = self.members.iter().position(|member| member.account == account) else {
            return;
        };
        let mut member = self.members.remove(place);
        if let Some(last) = member.intervals.last_mut() {
            last.to = seq;
        }
        self.former.push(Former { account, intervals: member.intervals });
        if self.former.len() > FORMER_MAX {
            self.former.remove(0);
        }
        self.header.members = self.members.len() as u32;
    }

    fn set_role(&mut self, account: AccountId, role: Role) {
        if let Some(member) = self.members.iter_mut().find(|member| member.account == account) {
            member.role = role;
        }
    }

    fn change_settings(&mut self, settings: SettingsBody) {
        if let Some(title) = settings.title {
            self.header.title = Some(title);
        }
        if let Some(history) = settings.history {
            self.history = history;
        }
        if let Some(seconds) = settings.edit_seconds {
            self.edit_seconds = seconds;
        }
        if let Some(data) = settings.data {
            self.data = Some(data.bytes().clone());
        }
    }
}

/// The number of the entry among `erased` that erased what the author wrote at `seq`, 0 if none did.
pub fn erased_at(erased: &[(AccountId, u64)], author: AccountId, seq: u64) -> u64 {
    let erasing = erased.iter().find(|(who, at)| *who == author && seq < *at);
    erasing.map_or(0, |(_, at)| *at)
}

fn body<T: serde::de::DeserializeOwned>(entry: &Entry) -> Option<T> {
    serde_json::from_slice(entry.body.as_deref()?).ok()
}

fn accounts(entry: &Entry) -> Vec<AccountId> {
    body::<AccountsBody>(entry).map_or_else(Vec::new, |body| body.accounts)
}

/// What stands behind the header in the stored form.
#[derive(Serialize, Deserialize)]
struct Rest {
    members: Vec<Member>,
    former: Vec<Former>,
    erased: Vec<(AccountId, u64)>,
    history: History,
    edit_seconds: u32,
    data: Option<Vec<u8>>,
}

/// Version 1: the header, then the rest, both postcard; the header's length (u16, little endian) in front.
impl Stored for Membership {
    const VERSION: u8 = 1;

    fn write(&self, out: &mut Vec<u8>) {
        let mut header = Vec::new();
        write_postcard(&self.header, &mut header);
        out.extend_from_slice(&(header.len() as u16).to_le_bytes());
        out.extend_from_slice(&header);
        let rest = Rest {
            members: self.members.clone(),
            former: self.former.clone(),
            erased: self.erased.clone(),
            history: self.history,
            edit_seconds: self.edit_seconds,
            data: self.data.as_ref().map(|data| data.to_vec()),
        };
        write_postcard(&rest, out);
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        let (length, bytes) = bytes.split_first_chunk::<2>().ok_or(StoredError::Malformed("membership"))?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (header, rest) = bytes.split_at_checked(length).ok_or(StoredError::Malformed("membership"))?;
        let header = read_postcard(header, "membership")?;
        let Rest { members, former, erased, history, edit_seconds, data } =
            read_postcard(rest, "membership")?;
        Ok(Self { header, members, former, erased, history, edit_seconds, data: data.map(Bytes::from) })
    }
}

/// The header alone, from the bytes of a stored [`Membership`].
impl Header {
    /// Reads the front of a stored membership.
    ///
    /// # Errors
    /// As [`Stored::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StoredError> {
        match bytes {
            [Membership::VERSION, _, _, rest @ ..] => read_postcard(rest, "membership"),
            [version, ..] if *version > Membership::VERSION => Err(StoredError::Newer(*version)),
            _ => Err(StoredError::Malformed("membership")),
        }
    }
}
