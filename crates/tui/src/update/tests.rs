//! What keys, events and answers do.

use suda_client::event::ClientEvent;
use suda_client::model::{ConversationSummary, Message, MessageList};
use suda_proto::entry::ConversationKind;
use suda_proto::presence::{Presence, PresenceState};
use suda_proto::{AccountId, Code, ConversationId, Mentioned};

use super::update;
use crate::effect::{Act, Ask, Effect, Reading, Secret, Stretch};
use crate::input::{Answer, Input};
use crate::model::conversation::{HELD_MESSAGES, Intent, Scroll};
use crate::model::dialog::{Dialog, Question};
use crate::model::entrance::{Entrance, Purpose};
use crate::model::{Model, Pane, Screen};
use crate::sample::{self, DIRECT, GROUP, JUN, MINA, NOW, SORA};
use crate::transcript;
use crate::words::{Language, Word};

fn open_model() -> Model {
    sample::open_model(Language::English, 80, 24)
}

/// Presses keys one after the other and returns the effects of all.
fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let keys = keys.split(' ').map(|key| Input::Key(sample::key(key)));
    keys.flat_map(|input| update(model, input)).collect()
}

fn write(model: &mut Model, text: &str) -> Vec<Effect> {
    update(model, Input::Paste(text.to_owned()))
}

/// The acts among effects, save typing.
fn acts(effects: Vec<Effect>) -> Vec<Act> {
    let acts = effects.into_iter().filter_map(|effect| match effect {
        Effect::Act(Act::Typing(..)) | Effect::Ask(_) => None,
        Effect::Act(act) => Some(act),
    });
    acts.collect()
}

fn asks(effects: Vec<Effect>) -> Vec<Ask> {
    let asks = effects.into_iter().filter_map(|effect| match effect {
        Effect::Ask(ask) => Some(ask),
        Effect::Act(_) => None,
    });
    asks.collect()
}

fn sent(text: &str, reply_to: Option<u64>) -> Act {
    Act::Send { conversation: GROUP, text: text.to_owned(), reply_to, mentions: Vec::new() }
}

#[test]
fn enter_sends_what_is_written_and_nothing_blank() {
    let mut model = open_model();
    assert_eq!(acts(press(&mut model, "H i Enter")), [sent("Hi", None)]);
    assert_eq!(acts(press(&mut model, "Space Enter")), []);
    press(&mut model, "Backspace a Alt-Enter b");
    assert_eq!(acts(press(&mut model, "Enter")), [sent("a\nb", None)]);
    write(&mut model, "//slash");
    assert_eq!(acts(press(&mut model, "Enter")), [sent("/slash", None)]);
}

#[test]
fn a_selected_message_can_be_answered() {
    let mut model = open_model();
    press(&mut model, "Alt-Up Alt-Up r");
    write(&mut model, "좋아요");
    assert_eq!(acts(press(&mut model, "Enter")), [sent("좋아요", Some(8))]);
    press(&mut model, "Up r Esc");
    write(&mut model, "never mind");
    let effects = press(&mut model, "Enter");
    assert_eq!(acts(effects), [sent("never mind", None)]);
}

#[test]
fn only_own_messages_can_be_edited_and_the_draft_comes_back() {
    let mut model = open_model();
    write(&mut model, "half a thought");
    press(&mut model, "Alt-Up e");
    assert!(model.notice.is_some());
    press(&mut model, "Alt-Up Alt-Up Alt-Up e");
    let open = model.open.as_ref().expect("open");
    assert_eq!(open.editor.text(), "11 at the *north* gate?");
    write(&mut model, " Yes.");
    let expected = Act::Edit {
        conversation: GROUP,
        seq: 5,
        text: "11 at the *north* gate? Yes.".to_owned(),
        mentions: Vec::new(),
    };
    assert!(acts(press(&mut model, "Enter")).contains(&expected));
    let open = model.open.as_ref().expect("open");
    assert_eq!(open.editor.text(), "half a thought");
    assert_eq!(open.intent, Intent::New);
}

#[test]
fn notices_do_not_outlive_the_next_key_or_six_seconds() {
    let mut model = open_model();
    press(&mut model, "Alt-Up e");
    assert!(model.notice.is_some(), "somebody else wrote it");
    press(&mut model, "d");
    assert!(model.notice.is_none());
    update(&mut model, Input::Answer(Answer::Done(Word::Done)));
    update(&mut model, Input::Tick(NOW + 5_999));
    assert!(model.notice.is_some());
    update(&mut model, Input::Tick(NOW + 6_000));
    assert!(model.notice.is_none());
}

#[test]
fn deleting_asks_first() {
    let mut model = open_model();
    press(&mut model, "Alt-Up d");
    assert!(matches!(model.dialog, Some(Dialog::Confirm(_))), "owners may delete what others wrote");
    assert_eq!(acts(press(&mut model, "n")), []);
    press(&mut model, "d");
    assert_eq!(acts(press(&mut model, "y")), [Act::Delete(GROUP, 9)]);
}

#[test]
fn reactions_are_one_key_or_typed() {
    let mut model = open_model();
    let reacted = |emoji: Option<&str>| [Act::React(GROUP, 9, emoji.map(str::to_owned))];
    assert_eq!(acts(press(&mut model, "Alt-Up + 1")), reacted(Some("👍")));
    assert_eq!(acts(press(&mut model, "Alt-Up + 0")), reacted(None));
    press(&mut model, "Alt-Up +");
    write(&mut model, "🧺");
    assert_eq!(acts(press(&mut model, "Enter")), reacted(Some("🧺")));
}

#[test]
fn mentions_are_completed_and_found_in_any_text() {
    let mut model = open_model();
    press(&mut model, "H i Space @ s Tab");
    let open = model.open.as_ref().expect("open");
    assert_eq!(open.editor.text(), "Hi @sora.kim ");
    write(&mut model, "와 @jun님, a@mina @nobody @all");
    let effects = acts(press(&mut model, "Enter"));
    let Some(Act::Send { mentions, .. }) = effects.first() else {
        panic!("nothing sent");
    };
    let found = mentions.iter().map(|mention| (mention.who, mention.start, mention.length));
    let found: Vec<_> = found.collect();
    let expected =
        [(Mentioned::Account(SORA), 3, 9), (Mentioned::Account(JUN), 15, 4), (Mentioned::All, 37, 4)];
    assert_eq!(found, expected);
}

#[test]
fn commands_ask_for_what_they_need() {
    let mut model = open_model();
    let mut run = |command: &str| {
        if let Some(open) = &mut model.open {
            open.editor.set("");
        }
        model.dialog = None;
        write(&mut model, command);
        let effects = press(&mut model, "Enter");
        model.pane = Pane::Conversation;
        (asks(effects), model.dialog.clone(), model.open.clone())
    };
    let (asked, _, open) = run("/title River picnic ");
    assert_eq!(asked, [Ask::SetTitle(GROUP, "River picnic".to_owned())]);
    assert_eq!(open.expect("open").editor.text(), "");
    assert_eq!(run("/add @Haru ").0, [Ask::AddNamed(GROUP, "haru".to_owned())]);
    assert!(matches!(run("/leave ").1, Some(Dialog::Confirm(Question::Leave(_)))));
    let removal = run("/remove jun ").1;
    assert!(matches!(removal, Some(Dialog::Confirm(Question::Remove { account: JUN, .. }))));
    for refused in ["/title ", "/nonsense ", "/block ", "/remove haru "] {
        let (asked, dialog, open) = run(refused);
        assert!(asked.is_empty() && dialog.is_none(), "{refused}");
        assert!(!open.expect("open").editor.is_blank(), "{refused} stays");
    }
}

#[test]
fn drafts_stay_with_their_conversation() {
    let mut model = open_model();
    write(&mut model, "for the group");
    press(&mut model, "Tab Down");
    let effects = acts(press(&mut model, "Enter"));
    let draft = Act::SaveDraft(GROUP, Some("for the group".to_owned()));
    assert_eq!(effects, [draft, Act::Hide(GROUP), Act::Show(DIRECT)]);
    write(&mut model, "for Jun");
    press(&mut model, "Tab Up Enter");
    let open = model.open.as_ref().expect("open");
    assert_eq!((open.id, open.editor.text()), (GROUP, "for the group"));
    let effects = acts(press(&mut model, "Enter"));
    assert!(effects.contains(&Act::SaveDraft(GROUP, None)), "{effects:?}");
    let effects = acts(press(&mut model, "Ctrl-q"));
    assert!(model.quitting && effects.is_empty());
}

#[test]
fn only_what_is_seen_counts_as_read() {
    let mut model = open_model();
    let arrive = |model: &mut Model| {
        let mut messages = model.open.as_ref().expect("open").messages.clone();
        let next = messages.len() as u64 + 1;
        messages.push(sample::text(next, JUN, "more"));
        acts(sample::deliver(model, messages))
    };
    assert_eq!(arrive(&mut model), [Act::MarkRead(GROUP, 10)]);
    update(&mut model, Input::Focus(false));
    assert_eq!(arrive(&mut model), []);
    let effects = acts(update(&mut model, Input::Focus(true)));
    assert_eq!(effects, [Act::Foreground(true), Act::MarkRead(GROUP, 11)]);
    press(&mut model, "PageUp");
    assert_eq!(arrive(&mut model), []);
    assert_eq!(acts(press(&mut model, "PageDown")), [Act::MarkRead(GROUP, 12)]);
    model.size = (40, 12);
    model.pane = Pane::List;
    assert_eq!(arrive(&mut model), [], "the list hides the conversation");
}

#[test]
fn others_are_told_now_and_then_that_somebody_types() {
    let mut model = open_model();
    let typing = |typing| [Effect::Act(Act::Typing(GROUP, typing))];
    assert_eq!(press(&mut model, "a"), typing(true));
    assert_eq!(press(&mut model, "b c"), []);
    update(&mut model, Input::Tick(NOW + 1_000));
    assert_eq!(press(&mut model, "d"), typing(true));
    assert_eq!(press(&mut model, "Ctrl-u"), typing(false));
    assert_eq!(press(&mut model, "/"), []);
}

/// Direct conversations with so many people.
fn directs(count: u8) -> Vec<ConversationSummary> {
    let numbered = |number: u8| {
        let id = ConversationId::from_bytes([100 + number; 16]);
        let summary = sample::summary(id, ConversationKind::Direct, "Somebody", 0, "hi");
        ConversationSummary { peer: Some(person(number)), ..summary }
    };
    (0..count).map(numbered).collect()
}

fn person(number: u8) -> AccountId {
    AccountId::from_bytes([100 + number; 16])
}

/// The lists of whom is shown among effects.
fn watched(effects: Vec<Effect>) -> Vec<Vec<AccountId>> {
    let lists = acts(effects).into_iter().filter_map(|act| match act {
        Act::Watch(accounts) => Some(accounts),
        _ => None,
    });
    lists.collect()
}

#[test]
fn those_on_screen_are_watched_and_whoever_the_open_conversation_is_with() {
    let people = |numbers: std::ops::Range<u8>| numbers.map(person).collect::<Vec<_>>();
    // Of 12 rows the list has 9 below its head and above the last line: room for 4 conversations.
    let mut model = sample::model(Language::English, 80, 12);
    let list = || Input::Answer(Answer::Conversations(directs(6)));
    assert_eq!(watched(update(&mut model, list())), [people(0..4)]);
    assert_eq!(watched(update(&mut model, list())), [] as [Vec<AccountId>; 0], "nobody else");
    assert_eq!(watched(press(&mut model, "Down Down Down Down Down")), [people(1..5), people(2..6)]);
    let effects = press(&mut model, "Enter Tab Up Up Up Up Up");
    let first = |others| [vec![person(5)], others].concat();
    assert_eq!(watched(effects), [first(people(2..5)), first(people(1..5)), first(people(0..4))]);
    assert_eq!(watched(update(&mut model, Input::Resize(50, 12))), [] as [Vec<AccountId>; 0]);
    assert_eq!(watched(press(&mut model, "Tab")), [[person(5)]], "the conversation hides the list");
}

#[test]
fn who_is_there_is_read_when_it_changes_and_is_shown() {
    let mut model = open_model();
    let changed = |account| Input::Client(ClientEvent::PresenceChanged { accounts: vec![account] });
    let ask = || [Ask::Presence { accounts: vec![JUN], conversation: Some(GROUP) }];
    assert_eq!(update(&mut model, changed(SORA)), [], "not shown");
    assert_eq!(asks(update(&mut model, changed(JUN))), ask());
    assert_eq!(update(&mut model, changed(JUN)), [], "one read at a time");
    let answer = |online| {
        let presence = Presence { account: JUN, state: PresenceState::Online, last_active_at: None };
        Input::Answer(Answer::Presence { presences: vec![presence], online: Some((GROUP, online)) })
    };
    assert_eq!(asks(update(&mut model, answer(1))), ask(), "it changed meanwhile");
    assert_eq!(update(&mut model, answer(2)), []);
    assert!(model.attendance.of(JUN).is_some());
    assert_eq!((model.attendance.online(GROUP), model.attendance.online(DIRECT)), (Some(2), None));
    let counted = |conversation| Input::Client(ClientEvent::OnlineChanged { conversation });
    assert_eq!(update(&mut model, counted(DIRECT)), []);
    assert_eq!(asks(update(&mut model, counted(GROUP))), ask());
}

#[test]
fn whoever_presses_a_key_looks_even_where_the_terminal_does_not_say_so() {
    let mut model = open_model();
    let effects = acts(update(&mut model, Input::Focus(false)));
    assert_eq!(effects, [Act::Foreground(false)]);
    assert_eq!(acts(press(&mut model, "PageUp")), [Act::Foreground(true)]);
    assert_eq!(acts(press(&mut model, "PageDown")), []);
}

#[test]
fn who_types_is_forgotten() {
    let mut model = open_model();
    let types = ClientEvent::Typing { conversation: GROUP, account: JUN, typing: true };
    update(&mut model, Input::Client(types));
    update(&mut model, Input::Tick(NOW + 5_000));
    assert_eq!(model.open.as_ref().expect("open").typing.len(), 1);
    update(&mut model, Input::Tick(NOW + 6_000));
    assert_eq!(model.open.as_ref().expect("open").typing.len(), 0);
}

/// Answers a reading with messages of these numbers.
fn answer(model: &mut Model, stretch: Stretch, numbers: std::ops::RangeInclusive<u64>) -> Vec<Effect> {
    let list = MessageList {
        has_earlier: *numbers.start() > 1,
        has_later: false,
        messages: numbers.map(|seq| sample::text(seq, JUN, &format!("{seq}\nsecond\nthird"))).collect(),
    };
    let reading = Reading { conversation: GROUP, stretch };
    update(model, Input::Answer(Answer::Messages { reading, list: Some(list) }))
}

/// The rows of the transcript that are on screen.
fn window(model: &Model) -> Vec<String> {
    let area = crate::areas::areas(model).transcript;
    let open = model.open.as_ref().expect("open");
    let height = usize::from(area.height);
    let rows = transcript::rows(model, open, usize::from(area.width), height);
    let window = transcript::window(open, &rows, height);
    window.iter().map(|row| row.line.to_string()).collect()
}

fn shown(model: &Model) -> (u64, u64) {
    let open = model.open.as_ref().expect("open");
    let seq = |message: Option<&Message>| message.and_then(|message| message.seq);
    (seq(open.messages.first()).expect("a message"), seq(open.messages.last()).expect("a message"))
}

#[test]
fn scrolling_back_loads_earlier_messages_within_a_bound() {
    let mut model = open_model();
    update(&mut model, Input::Client(ClientEvent::MessagesChanged { conversation: GROUP }));
    answer(&mut model, Stretch::Newest(Some(1)), 901..=1000);
    let mut first = 901;
    while first > 301 {
        let mut effects = Vec::new();
        while effects.is_empty() {
            effects = asks(press(&mut model, "PageUp"));
        }
        let stretch = Stretch::Before(first);
        let reading = Reading { conversation: GROUP, stretch };
        assert_eq!(effects, [Ask::Messages(reading)]);
        first -= 100;
        answer(&mut model, stretch, first..=first + 99);
        assert!(matches!(model.open.as_ref().expect("open").scroll, Scroll::At { .. }));
    }
    assert_eq!(shown(&model), (301, 300 + HELD_MESSAGES as u64));
    assert!(model.open.as_ref().expect("open").has_later);
    let mut effects = Vec::new();
    while effects.is_empty() {
        effects = asks(press(&mut model, "PageDown"));
    }
    assert_eq!(effects, [Ask::Messages(Reading { conversation: GROUP, stretch: Stretch::After(900) })]);
}

#[test]
fn new_messages_do_not_move_what_is_being_read() {
    let mut model = open_model();
    update(&mut model, Input::Client(ClientEvent::MessagesChanged { conversation: GROUP }));
    answer(&mut model, Stretch::Newest(Some(1)), 1..=50);
    let newest = window(&model);
    press(&mut model, "PageUp");
    let before = window(&model);
    assert_eq!(before[17..], newest[..2], "a page keeps two rows");
    update(&mut model, Input::Client(ClientEvent::MessagesChanged { conversation: GROUP }));
    answer(&mut model, Stretch::Newest(Some(1)), 1..=60);
    assert_eq!(window(&model), before);
    press(&mut model, "Enter");
    press(&mut model, "x Enter");
    assert_eq!(model.open.as_ref().expect("open").scroll, Scroll::Newest);
}

#[test]
fn selecting_begins_at_what_is_on_screen() {
    let mut model = open_model();
    let changed = ClientEvent::MessagesChanged { conversation: GROUP };
    update(&mut model, Input::Client(changed));
    answer(&mut model, Stretch::Newest(Some(1)), 1..=50);
    press(&mut model, "PageUp PageUp");
    press(&mut model, "Alt-Up");
    let selected = model.open.as_ref().and_then(|open| open.selected());
    assert_eq!(selected.and_then(|message| message.seq), Some(39));
}

#[test]
fn events_during_a_read_cause_one_more() {
    let mut model = open_model();
    let changed = || Input::Client(ClientEvent::MessagesChanged { conversation: GROUP });
    assert_eq!(asks(update(&mut model, changed())).len(), 2, "the list and the messages");
    assert_eq!(update(&mut model, changed()), []);
    assert_eq!(update(&mut model, changed()), []);
    let again = asks(answer(&mut model, Stretch::Newest(Some(1)), 1..=9));
    assert_eq!(again.len(), 1);
    assert_eq!(asks(answer(&mut model, Stretch::Newest(Some(1)), 1..=9)), []);
}

#[test]
fn the_form_asks_the_server_and_shows_its_refusal() {
    let mut model = sample::model(Language::Korean, 80, 24);
    model.me = None;
    model.screen = Screen::Entrance(Entrance::new(Purpose::LogIn, ""));
    assert_eq!(press(&mut model, "Enter Enter"), [], "nothing is filled in");
    press(&mut model, "Up M i n a Tab");
    write(&mut model, "correct horse\n");
    let asked = asks(press(&mut model, "Enter"));
    let expected = Ask::LogIn { name: "mina".to_owned(), password: Secret("correct horse".to_owned()) };
    assert_eq!(asked, [expected]);
    assert_eq!(press(&mut model, "Enter x"), [], "one question at a time");
    let refusal = Language::Korean.refusal(&Code::WrongPassword.error());
    update(&mut model, Input::Answer(Answer::EntranceRefused(refusal)));
    let Screen::Entrance(form) = &model.screen else {
        panic!("still at the entrance");
    };
    assert_eq!(form.problem.as_deref(), Some(Code::WrongPassword.korean()));
    assert_eq!(form.text(Word::Password), "correct horse");
}

#[test]
fn recovery_codes_stay_until_they_are_kept() {
    let mut model = sample::model(Language::English, 80, 24);
    let entered = Answer::Entered { account: MINA, recovery_codes: vec!["code".to_owned()] };
    update(&mut model, Input::Answer(entered));
    press(&mut model, "Enter Esc n o Enter");
    assert!(matches!(model.screen, Screen::RecoveryCodes { .. }));
    press(&mut model, "Ctrl-u y e s Enter");
    assert!(matches!(model.screen, Screen::Chat));
}

#[test]
fn picking_people_makes_a_group_once() {
    let mut model = sample::model(Language::English, 80, 24);
    press(&mut model, "Ctrl-g O k Tab");
    assert_eq!(asks(press(&mut model, "@ J")), [Ask::Search("j".to_owned())]);
    assert_eq!(press(&mut model, "u"), [], "one search at a time");
    let found = |prefix: &str| {
        Input::Answer(Answer::Found {
            prefix: prefix.to_owned(),
            profiles: Some(vec![sample::profile(JUN, "jun", "Jun", 0)]),
        })
    };
    let again = asks(update(&mut model, found("j")));
    assert_eq!(again, [Ask::Search("ju".to_owned())]);
    press(&mut model, "Enter");
    update(&mut model, found("ju"));
    let made = asks(press(&mut model, "Ctrl-s Ctrl-s"));
    let group = Ask::CreateGroup { title: Some("Ok".to_owned()), members: vec![JUN] };
    assert_eq!(made, [group]);
    update(&mut model, Input::Answer(Answer::Opened(GROUP)));
    assert!(model.dialog.is_none());
    assert_eq!(model.open.as_ref().map(|open| open.id), Some(GROUP));
}

#[test]
fn a_logged_out_device_is_back_at_the_entrance() {
    let mut model = open_model();
    let state = suda_client::event::ConnectionState::LoggedOut;
    update(&mut model, Input::Client(ClientEvent::Connection { state }));
    let Screen::Entrance(form) = &model.screen else {
        panic!("not at the entrance");
    };
    assert_eq!(form.text(Word::Name), "mina");
    assert!(form.problem.is_some());
    assert!(model.open.is_none() && model.list.conversations.is_empty());
    update(&mut model, Input::Answer(Answer::LoggedOut));
    let Screen::Entrance(form) = &model.screen else {
        panic!("not at the entrance");
    };
    assert_eq!(form.text(Word::Name), "mina", "the name stays");
    assert_eq!(form.problem, None, "it was wanted");
}
