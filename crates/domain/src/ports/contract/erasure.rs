//! The contract of [`Log`](crate::ports::Log): bodies that are gone. When they have left every file and table is for the
//! implementation's own tests.

use serde_json::json;
use suda_proto::{ConversationId, Kind};

use super::chat::{Chat, Conversations, PLENTY, append, group, load, read, states, with_body};
use super::samples::account_id;

/// Erased bodies read as `None` at once; everything else stays.
pub async fn deleted_bodies_are_gone_at_once(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "deleted").await;
    let mut entries: Vec<_> = (2..=4).map(|number| chat.message("ada", &number.to_string())).collect();
    entries.extend([chat.edit("ada", 3, "once"), chat.edit("ada", 3, "twice"), chat.edit("ada", 4, "other")]);
    append(storage, &chat, entries.clone()).await;
    assert_eq!(with_body(storage, &chat).await, [1, 2, 3, 4, 5, 6, 7]);
    let delete = chat.delete("ada", 3);
    append(storage, &chat, vec![delete]).await;
    assert_eq!(with_body(storage, &chat).await, [1, 2, 4, 7], "a message goes with its edits, and alone");
    let kept = read(storage, &chat, 3, 3, PLENTY).await;
    assert_eq!(kept[0].envelope, entries[1].envelope, "the envelope of a deleted message stays");
    let recent = load(storage, &chat, 8).await.recent;
    assert_eq!(recent.len(), 8, "deleted messages are loaded like others");
}

/// Everything that an author wrote before its `author_erased` entry is gone at once, and nothing else.
pub async fn erased_authors_leave_nothing(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "erased author").await;
    let mut entries: Vec<_> = (0..300).map(|number| chat.message("bob", &number.to_string())).collect();
    let last_message = chat.head;
    let adas = chat.message("ada", "stays");
    let ada = adas.envelope.seq;
    entries.extend([adas, chat.edit("bob", 2, "edited"), chat.react("bob", ada, Some("\u{1F44D}"))]);
    entries.push(chat.react("ada", 2, Some("\u{1F389}")));
    let adas_reaction = chat.head;
    append(storage, &chat, entries).await;
    let left = chat.entry("bob", Kind::MemberLeft, None, None);
    let erased = chat.entry("bob", Kind::AuthorErased, None, None);
    append(storage, &chat, vec![left, erased]).await;
    let later = chat.message("ada", "later");
    append(storage, &chat, vec![later]).await;
    let expected = [1, ada, adas_reaction, chat.head];
    assert_eq!(with_body(storage, &chat).await, expected, "others' words stay");
    let state = states(storage, &chat, ada, ada).await;
    assert!(state.iter().all(|(_, state)| state.reactions.is_empty()), "reactions go with their author");
    let state = states(storage, &chat, 2, last_message).await;
    assert_eq!(state.len(), 1, "others' reactions to what the author wrote are known");
    assert_eq!(load(storage, &chat, 1).await.membership.erased.len(), 1);
}

/// A value is gone at once when its key is set anew.
pub async fn overtaken_values_are_gone_at_once(storage: &mut dyn Conversations) {
    let ada = account_id("ada");
    let mut chat = Chat::with_id(ConversationId::own(ada));
    let created = json!({"kind": "self", "members": [ada]});
    let entries = vec![
        chat.entry("ada", Kind::Created, None, Some(created)),
        chat.set("ada", "pin/b", json!(1)),
        chat.set("ada", "app/x", json!({"text": "old"})),
        chat.set("ada", "pin/a", json!(2)),
        chat.set("ada", "app/x", json!("new")),
    ];
    append(storage, &chat, entries).await;
    assert_eq!(with_body(storage, &chat).await, [1, 2, 4, 5]);
    let removed = chat.set("ada", "pin/b", json!(null));
    append(storage, &chat, vec![removed]).await;
    let kept = with_body(storage, &chat).await;
    assert!([1, 4, 5].iter().all(|seq| kept.contains(seq)), "others stay");
    assert!(!kept.contains(&2), "a removed value is gone");
    let again = chat.set("ada", "pin/b", json!(3));
    append(storage, &chat, vec![again]).await;
    assert!(with_body(storage, &chat).await.contains(&7), "a value set anew is kept");
}
