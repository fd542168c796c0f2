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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use suda_proto::entry::{ConversationKind, MessageBody, Role};
    use suda_proto::{ClientId, ConversationId, Mention, Raw};

    use super::*;

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 16])
    }

    fn row() -> Row {
        Row {
            conversation: ConversationId::from_bytes([7; 16]),
            kind: ConversationKind::Group,
            epoch: 1,
            head: 0,
            floor: 1,
            ordinal: 0,
            at: 0,
            title: Some("before".to_owned()),
            peer: None,
            members: 3,
            role: Some(Role::Member),
            read: 0,
            unread: 0,
            mentions: 0,
            last: None,
        }
    }

    fn entry(seq: u64, ordinal: u64, kind: Kind, author: u8, body: Option<Raw>) -> Entry {
        Entry {
            seq,
            at: seq,
            kind,
            author: account(author),
            client_id: ClientId::caused_by("test", &[&seq.to_be_bytes()]),
            ordinal,
            target: None,
            mentions: Vec::new(),
            body,
            standing: None,
        }
    }

    fn text(text: &str) -> Option<Raw> {
        Some(Raw::of(&MessageBody::Text { text: text.to_owned(), data: None }))
    }

    #[derive(Clone, Debug)]
    enum Step {
        Message { author: u8, mentions: bool },
        Reaction,
        Read { back: u64 },
        Repeat { pick: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => (1u8..4, any::<bool>()).prop_map(|(author, mentions)| Step::Message { author, mentions }),
            2 => Just(Step::Reaction),
            2 => (0u64..3).prop_map(|back| Step::Read { back }),
            1 => any::<usize>().prop_map(|pick| Step::Repeat { pick }),
        ]
    }

    /// The server's formula over the whole log.
    fn counted(log: &[Entry], read: u64) -> (u64, u32) {
        let own = log.iter().filter(|entry| entry.kind == Kind::Message && entry.author == account(1));
        let seen = own.map(|entry| entry.seq).max().unwrap_or(0).max(read);
        let unread = log.iter().filter(|entry| entry.seq > seen && entry.kind == Kind::Message);
        let mentioned = unread.clone().filter(|entry| mentions(entry, account(1)));
        (unread.count() as u64, mentioned.count() as u32)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_row_brought_forward_counts_as_the_server_does(steps in prop::collection::vec(step(), 0..60)) {
            let (mut row, mut log, mut read) = (row(), Vec::<Entry>::new(), 0);
            for step in steps {
                let seq = log.len() as u64 + 1;
                let ordinal = log.last().map_or(0, |last| last.ordinal);
                match step {
                    Step::Message { author, mentions } => {
                        let mut entry = entry(seq, ordinal + 1, Kind::Message, author, text("said"));
                        let mention = Mention { who: Mentioned::All, start: 0, length: 1 };
                        entry.mentions.extend(mentions.then_some(mention));
                        log.push(entry.clone());
                        prop_assert_eq!(advance(&mut row, &entry, account(1)), RowChange::Advanced);
                    }
                    Step::Reaction => {
                        let entry = entry(seq, ordinal, Kind::Reaction, 2, None);
                        log.push(entry.clone());
                        advance(&mut row, &entry, account(1));
                    }
                    Step::Read { back } => {
                        // A mark that is not at the head is counted by the server's answer.
                        read = read.max((seq - 1).saturating_sub(back));
                        read_locally(&mut row, read);
                        (row.unread, row.mentions) = counted(&log, read);
                    }
                    Step::Repeat { pick } => {
                        if let Some(index) = pick.checked_rem(log.len()) {
                            prop_assert_eq!(advance(&mut row, &log[index], account(1)), RowChange::None);
                        }
                    }
                }
                prop_assert_eq!((row.unread, row.mentions), counted(&log, read));
                prop_assert_eq!(row.head, log.len() as u64);
            }
        }
    }

    #[test]
    fn the_preview_follows_edits_and_deletions_of_the_last_message() {
        let mut row = row();
        advance(&mut row, &entry(1, 1, Kind::Message, 2, text("hello")), account(1));
        let edit = Entry { target: Some(1), ..entry(2, 1, Kind::Edit, 2, text("hallo")) };
        advance(&mut row, &edit, account(1));
        assert_eq!(row.last.as_ref().and_then(|last| last.body.clone()), text("hallo"));
        let elsewhere = Entry { target: Some(9), ..entry(3, 1, Kind::Delete, 2, None) };
        advance(&mut row, &elsewhere, account(1));
        assert_eq!(row.last.as_ref().and_then(|last| last.body.clone()), text("hallo"));
        let delete = Entry { target: Some(1), ..entry(4, 1, Kind::Delete, 2, None) };
        advance(&mut row, &delete, account(1));
        assert_eq!(row.last.expect("stays").body, None);
    }

    #[test]
    fn a_new_title_shows_at_once_and_the_rest_is_asked_for() {
        let mut row = row();
        let settings = |title: Option<&str>| {
            Some(Raw::of(&SettingsBody { title: title.map(str::to_owned), ..SettingsBody::default() }))
        };
        let change = entry(1, 0, Kind::SettingsChanged, 2, settings(None));
        assert_eq!(advance(&mut row, &change, account(1)), RowChange::Outdated);
        assert_eq!(row.title.as_deref(), Some("before"));
        advance(&mut row, &entry(2, 0, Kind::SettingsChanged, 2, settings(Some("after"))), account(1));
        assert_eq!(row.title.as_deref(), Some("after"));
    }

    #[test]
    fn the_newest_value_of_a_key_counts() {
        let set = |seq, key: &str, value: u8| {
            let body = Raw::of(&SetBody { key: key.to_owned(), value: Raw::of(&value) });
            entry(seq, 0, Kind::Set, 1, Some(body))
        };
        let items =
            own_items(&[set(1, "a", 1), set(2, "b", 2), set(3, "a", 3), entry(4, 0, Kind::Set, 1, None)]);
        let values: Vec<(&str, u64)> = items.iter().map(|item| (item.key.as_str(), item.seq)).collect();
        assert_eq!(values, [("a", 3), ("b", 2)]);
    }
}
