//! What new entries mean for a row of the list and for the account's own state: pure, without clock or I/O.

use std::collections::BTreeMap;

use suda_proto::entry::{Mentioned, SetBody, SettingsBody};
use suda_proto::reply::{OwnItem, Row};
use suda_proto::{AccountId, Entry, Kind};

/// A row counts mentions up to here.
const MOST_MENTIONS: u32 = 100;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowChange {
    /// Nothing: the row is as new as the entry.
    None,
    /// The row was brought forward.
    Advanced,
    /// The row was brought forward, but members or settings changed: ask for the conversation.
    Outdated,
}

/// Brings a row forward by one entry. Unread counts are differences of ordinals, as on the server.
pub fn advance(row: &mut Row, entry: &Entry, me: AccountId) -> RowChange {
    if entry.seq <= row.head {
        return RowChange::None;
    }
    let countable = entry.ordinal.saturating_sub(row.ordinal);
    row.head = entry.seq;
    row.at = row.at.max(entry.at);
    row.ordinal = row.ordinal.max(entry.ordinal);
    match entry.kind {
        Kind::Message if entry.author == me => (row.unread, row.mentions) = (0, 0),
        _ => row.unread += countable,
    }
    match entry.kind {
        Kind::Message => {
            if entry.author != me && mentions(entry, me) {
                row.mentions = (row.mentions + 1).min(MOST_MENTIONS);
            }
            row.last = Some(entry.clone());
            RowChange::Advanced
        }
        Kind::Edit | Kind::Delete => {
            change_last(row, entry);
            RowChange::Advanced
        }
        Kind::Reaction | Kind::Set | Kind::Unknown => RowChange::Advanced,
        Kind::SettingsChanged => {
            let settings = entry.body.as_ref().and_then(|body| body.parse::<SettingsBody>().ok());
            row.title = settings.and_then(|settings| settings.title).or(row.title.take());
            RowChange::Outdated
        }
        Kind::AuthorErased => {
            if let Some(last) = row.last.as_mut().filter(|last| last.author == entry.author) {
                last.body = None;
            }
            RowChange::Outdated
        }
        Kind::Created | Kind::MembersAdded | Kind::MemberRemoved | Kind::MemberLeft | Kind::RoleChanged => {
            RowChange::Outdated
        }
        Kind::Dissolved => RowChange::Outdated,
    }
}

fn change_last(row: &mut Row, act: &Entry) {
    if let Some(last) = row.last.as_mut().filter(|last| Some(last.seq) == act.target) {
        last.body = act.body.clone().filter(|_| act.kind == Kind::Edit);
        last.mentions = act.mentions.clone();
    }
}

/// Whether an entry mentions an account, by itself or with everybody.
pub fn mentions(entry: &Entry, account: AccountId) -> bool {
    entry.mentions.iter().any(|mention| match mention.who {
        Mentioned::All => true,
        Mentioned::Account(who) => who == account,
    })
}

/// Brings a row forward after the account has read up to `read` on this device, before the server has answered.
pub fn read_locally(row: &mut Row, read: u64) {
    row.read = row.read.max(read.min(row.head));
    if row.read == row.head {
        (row.unread, row.mentions) = (0, 0);
    }
}

/// The values that `set` entries leave behind, newest per key; `None` for an entry that is no readable `set`.
pub fn own_items(entries: &[Entry]) -> Vec<OwnItem> {
    let mut items = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Set) {
        let Some(body) = entry.body.as_ref().and_then(|body| body.parse::<SetBody>().ok()) else {
            continue;
        };
        items.insert(body.key.clone(), OwnItem { key: body.key, value: body.value, seq: entry.seq });
    }
    items.into_values().collect()
}
