//! A made-up chat for tests: Mina, Jun and Sora plan a picnic.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use suda_client::event::ConnectionState;
use suda_client::model::{ConversationSummary, Message, MessageContent, MessageList, MessageState};
use suda_proto::entry::{ConversationKind, ReactionCount, Role};
use suda_proto::presence::{Presence, PresenceState};
use suda_proto::reply::Member;
use suda_proto::rest::Profile;
use suda_proto::{AccountId, ClientId, ConversationId};

use crate::effect::{Effect, Reading, Stretch};
use crate::input::{Answer, Input};
use crate::model::{Model, Screen};
use crate::update::update;
use crate::words::Language;
use crate::zone::Zone;

/// Tuesday, 3 March 2026, 15:30 UTC.
pub const NOW: u64 = 20_515 * 86_400_000 + 15 * 3_600_000 + 30 * 60_000;
const MINUTE: u64 = 60_000;

pub const MINA: AccountId = AccountId::from_bytes([1; 16]);
pub const JUN: AccountId = AccountId::from_bytes([2; 16]);
pub const SORA: AccountId = AccountId::from_bytes([3; 16]);
pub const GROUP: ConversationId = ConversationId::from_bytes([10; 16]);
pub const DIRECT: ConversationId = ConversationId::from_bytes([11; 16]);

/// Mina's client, logged in, with two conversations in the list.
pub fn model(language: Language, width: u16, height: u16) -> Model {
    let server = "https://chat.example".to_owned();
    let mut model = Model::new(Some(language), server, Zone::default(), Screen::Chat);
    model.now = NOW;
    model.size = (width, height);
    model.me = Some(MINA);
    model.connection = ConnectionState::Online { polling: false };
    model.people.learn(vec![
        profile(MINA, "mina", "Mina", 20),
        profile(JUN, "jun", "Jun", 100),
        profile(SORA, "sora.kim", "김소라", 250),
    ]);
    let list = vec![
        summary(GROUP, ConversationKind::Group, "Picnic 🧺", 3, "김밥 싸 갈게요!"),
        summary(DIRECT, ConversationKind::Direct, "Jun", 1, "see you at noon"),
    ];
    update(&mut model, Input::Answer(Answer::Conversations(list)));
    // Nothing is known of anybody yet, and no question is under way.
    attend(&mut model, &[], None);
    model
}

/// How people stand, and how many others are online in the picnic.
pub fn attend(model: &mut Model, states: &[(AccountId, PresenceState, Option<u64>)], online: Option<u32>) {
    let presences = states.iter().map(|(account, state, last_active_at)| Presence {
        account: *account,
        state: *state,
        last_active_at: *last_active_at,
    });
    let online = online.map(|online| (GROUP, online));
    update(model, Input::Answer(Answer::Presence { presences: presences.collect(), online }));
}

/// [`model`] with the picnic open.
pub fn open_model(language: Language, width: u16, height: u16) -> Model {
    let mut model = model(language, width, height);
    crate::update::open(&mut model, GROUP, &mut Vec::new());
    deliver(&mut model, picnic());
    let members = [(MINA, Role::Owner, 9), (JUN, Role::Member, 7), (SORA, Role::Member, 4)];
    let members = members.map(|(account, role, read)| Member { account, role, delivered: 9, read });
    let answer = Answer::Members { conversation: GROUP, members: Some(members.to_vec()) };
    update(&mut model, Input::Answer(answer));
    model
}

/// Shows these as the newest messages of the open conversation.
pub fn deliver(model: &mut Model, messages: Vec<Message>) -> Vec<Effect> {
    let answer = Answer::Messages {
        reading: Reading { conversation: GROUP, stretch: Stretch::Newest(None) },
        list: Some(MessageList { messages, has_earlier: false, has_later: false }),
    };
    update(model, Input::Answer(answer))
}

pub fn profile(account: AccountId, name: &str, display_name: &str, colour: u16) -> Profile {
    Profile {
        account,
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        colour,
        about: String::new(),
        data: None,
        deleted: false,
    }
}

pub fn summary(
    conversation: ConversationId,
    kind: ConversationKind,
    title: &str,
    unread: u64,
    last: &str,
) -> ConversationSummary {
    let author = if kind == ConversationKind::Group { SORA } else { JUN };
    let mut last = text(9, author, last);
    last.conversation = conversation;
    ConversationSummary {
        conversation,
        kind,
        title: title.to_owned(),
        peer: (kind == ConversationKind::Direct).then_some(JUN),
        members: if kind == ConversationKind::Direct { 2 } else { 3 },
        role: Some(Role::Owner),
        at: NOW - MINUTE,
        head: 9,
        read: 6,
        unread,
        mentions: 0,
        last: Some(last),
        mute: None,
        archived: false,
        pin: None,
        draft: None,
        unsent: 0,
    }
}

/// A message that the server has, one minute after the one before it.
pub fn text(seq: u64, author: AccountId, text: &str) -> Message {
    let content = MessageContent::Text { text: text.to_owned(), mentions: Vec::new(), data: None };
    message(seq, author, content)
}

pub fn message(seq: u64, author: AccountId, content: MessageContent) -> Message {
    Message {
        conversation: GROUP,
        seq: Some(seq),
        client_id: client_id(seq),
        author,
        at: NOW - (60 - seq.min(60)) * MINUTE,
        content,
        reply_to: None,
        edited: false,
        reactions: Vec::new(),
        state: MessageState::Sent,
        changing: false,
    }
}

pub fn client_id(seq: u64) -> ClientId {
    ClientId::caused_by("sample", &[&seq.to_be_bytes()])
}

/// What was said about the picnic.
pub fn picnic() -> Vec<Message> {
    let created =
        MessageContent::Created { members: vec![MINA, JUN, SORA], title: Some("Picnic 🧺".to_owned()) };
    let mut reacted = text(4, SORA, "저는 좋아요! 몇 시에 만날까요?");
    reacted.reactions = vec![reaction("👍", 2, true), reaction("❤️", 1, false)];
    let mut answer = text(5, MINA, "11 at the *north* gate?");
    answer.reply_to = Some(4);
    answer.edited = true;
    vec![
        message(1, MINA, created),
        text(2, MINA, "Hi! Shall we have a picnic by the river on Saturday?"),
        text(3, JUN, "Great idea 👍🏽 I'll bring the 👨‍👩‍👧 blanket"),
        reacted,
        answer,
        message(6, JUN, MessageContent::Deleted),
        text(7, JUN, "11 is fine"),
        text(8, SORA, "네 알겠습니다"),
        text(9, SORA, "김밥 싸 갈게요!"),
    ]
}

fn reaction(emoji: &str, count: u32, mine: bool) -> ReactionCount {
    ReactionCount { emoji: emoji.to_owned(), count, mine }
}

/// A key as people write it: `Ctrl-N`, `Alt-Up`, `Enter`, `x`.
pub fn key(written: &str) -> KeyEvent {
    let mut modifiers = KeyModifiers::NONE;
    let mut name = written;
    for (prefix, modifier) in [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT)] {
        if let Some(rest) = name.strip_prefix(prefix) {
            modifiers |= modifier;
            name = rest;
        }
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        "Backspace" => KeyCode::Backspace,
        "Space" => KeyCode::Char(' '),
        "F1" => KeyCode::F(1),
        "F2" => KeyCode::F(2),
        _ => KeyCode::Char(name.chars().next().expect("a key")),
    };
    KeyEvent::new(code, modifiers)
}
