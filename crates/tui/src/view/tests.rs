//! What stands on the screen, as text: every expected screen is a file in `snapshots`. With the variable
//! `BLESS_SCREENS` set, the files are written instead of compared; look at the difference before you commit it.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use suda_client::event::{ClientEvent, ConnectionState};
use suda_client::model::{MessageContent, MessageState};
use suda_proto::presence::{Presence, PresenceState};
use suda_proto::{AccountId, Code};

use super::draw;
use crate::input::Input;
use crate::model::dialog::{Dialog, PickFor, Picker, Question};
use crate::model::entrance::{Entrance, Purpose};
use crate::model::{Model, Pane, Screen};
use crate::sample::{self, DIRECT, GROUP, JUN, MINA, NOW, SORA};
use crate::text::editor::Editor;
use crate::text::width;
use crate::update::update;
use crate::words::Language;

/// The screen as lines; the second cell of a wide character is left out.
fn screen(model: &Model) -> String {
    let buffer = buffer(model);
    let area = buffer.area;
    let mut lines = String::new();
    for row in 0..area.height {
        let (mut line, mut column) = (String::new(), 0);
        while column < area.width {
            let symbol = buffer[(column, row)].symbol();
            line.push_str(symbol);
            column += u16::try_from(width(symbol).max(1)).expect("a cell's width");
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

fn buffer(model: &Model) -> Buffer {
    let backend = TestBackend::new(model.size.0, model.size.1);
    let mut terminal = Terminal::new(backend).expect("a terminal");
    terminal.draw(|frame| draw(model, frame)).expect("a drawing");
    terminal.backend().buffer().clone()
}

/// The screen is the one in the file of that name.
#[track_caller]
fn assert_screen(model: &Model, name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/view/snapshots");
    let path = format!("{folder}/{name}.txt");
    let shown = screen(model);
    if std::env::var_os("BLESS_SCREENS").is_some() {
        std::fs::write(&path, &shown).expect("the file is written");
    }
    let expected = std::fs::read_to_string(&path).expect("the file is there");
    assert!(shown == expected, "{name} shows:\n{shown}instead of:\n{expected}");
}

#[test]
fn eighty_columns_show_both_panes() {
    let model = sample::open_model(Language::English, 80, 24);
    assert_screen(&model, "both_panes");
}

#[test]
fn narrow_terminals_show_one_pane_at_a_time() {
    let mut model = sample::open_model(Language::Korean, 40, 12);
    assert_screen(&model, "narrow_conversation");
    model.pane = Pane::List;
    assert_screen(&model, "narrow_list");
}

#[test]
fn what_has_not_arrived_says_so() {
    let mut model = sample::open_model(Language::English, 80, 24);
    let state = ConnectionState::Waiting { retry_in_ms: 12_000 };
    update(&mut model, Input::Client(ClientEvent::Connection { state }));
    let mut waiting = sample::text(2, MINA, "Is anybody there?");
    waiting.state = MessageState::Pending;
    waiting.seq = None;
    let mut failed = sample::text(3, MINA, "Let me in!");
    failed.state = MessageState::Failed { error: Code::NotMember.error() };
    failed.seq = None;
    let newer = sample::message(1, SORA, MessageContent::Unsupported);
    sample::deliver(&mut model, vec![newer, waiting, failed]);
    assert_screen(&model, "unsent");
}

#[test]
fn writing_shows_what_it_answers_and_what_may_be_meant() {
    let mut model = sample::open_model(Language::English, 80, 24);
    update(
        &mut model,
        Input::Client(ClientEvent::Typing { conversation: GROUP, account: JUN, typing: true }),
    );
    press(&mut model, "Alt-Up Alt-Up r");
    update(&mut model, Input::Paste("좋아요\nask @".to_owned()));
    assert_screen(&model, "writing");
}

#[test]
fn who_is_there_stands_beside_names_and_in_the_head() {
    let mut model = sample::open_model(Language::English, 80, 24);
    sample::attend(&mut model, &[(JUN, PresenceState::Online, None)], Some(1));
    assert_screen(&model, "presence");
    model.language = Language::Korean;
    model.list.conversations[1].title = "아주 긴 이름을 가진 사람 Jun".to_owned();
    sample::attend(&mut model, &[(JUN, PresenceState::Away, Some(NOW - 60_000))], Some(2));
    assert_screen(&model, "presence_korean");
}

#[test]
fn the_head_of_a_direct_conversation_says_who_is_there() {
    use PresenceState::{Away, Hidden, Offline, Online, Unknown};
    let yesterday = NOW - 25 * 3_600_000;
    for (state, last_active_at, columns, english, korean) in [
        (Online, None, 80, "@jun  online ", "@jun  접속 중 "),
        (Away, Some(NOW), 80, "@jun  away ", "@jun  자리 비움 "),
        (Offline, Some(NOW - 5 * 60_000), 80, "@jun  last seen 5 min ago ", "@jun  5분 전 접속 "),
        (Offline, Some(yesterday), 100, "@jun  last seen yesterday at 14:30 ", "@jun  어제 14:30 접속 "),
        (Offline, Some(yesterday), 80, " last seen yesterday at 14:30 ", "@jun  어제 14:30 접속 "),
        (Offline, None, 80, "@jun  offline ", "@jun  오프라인 "),
        (Hidden, None, 80, " @jun ", " @jun "),
        (Unknown, None, 80, " @jun ", " @jun "),
    ] {
        for (language, expected) in [(Language::English, english), (Language::Korean, korean)] {
            let mut model = sample::open_model(language, columns, 24);
            crate::update::open(&mut model, DIRECT, &mut Vec::new());
            sample::attend(&mut model, &[(JUN, state, last_active_at)], None);
            let shown = screen(&model);
            let head = format!("{} ", shown.lines().next().expect("a line"));
            assert!(head.ends_with(expected), "{head}");
            let sign = [(Online, "Jun ◉"), (Away, "Jun ◦")].into_iter().find(|(shown, _)| *shown == state);
            let count = shown.matches(sign.map_or("Jun ", |(_, sign)| sign)).count();
            assert_eq!(count, 2, "in the list and in the head: {shown}");
            assert!(sign.is_some() || !shown.contains(['◉', '◦']), "{shown}");
        }
    }
}

#[test]
fn times_get_older_by_themselves() {
    let mut model = sample::open_model(Language::English, 80, 24);
    crate::update::open(&mut model, DIRECT, &mut Vec::new());
    sample::attend(&mut model, &[(JUN, PresenceState::Offline, Some(NOW))], None);
    for (minutes, expected) in
        [(0, "last seen just now"), (1, "last seen 1 min ago"), (61, "last seen at 15:30")]
    {
        update(&mut model, Input::Tick(NOW + minutes * 60_000));
        assert!(screen(&model).contains(expected), "{expected}");
    }
}

#[test]
fn everybody_who_types_is_named_or_counted() {
    let typing = |account| ClientEvent::Typing { conversation: GROUP, account, typing: true };
    for (language, expected) in [
        (Language::English, ["Jun is typing…", "Jun and 김소라 are typing…", "3 people are typing…"]),
        (Language::Korean, ["Jun 님이 입력 중…", "Jun, 김소라 님이 입력 중…", "3명이 입력 중…"]),
    ] {
        let mut model = sample::open_model(language, 80, 24);
        for (account, expected) in [JUN, SORA, AccountId::from_bytes([4; 16])].into_iter().zip(expected) {
            update(&mut model, Input::Client(typing(account)));
            let shown = screen(&model);
            assert!(shown.lines().next().expect("a line").ends_with(expected), "{shown}");
        }
    }
}

#[test]
fn signs_of_presence_are_one_cell_wide_everywhere() {
    for state in [PresenceState::Online, PresenceState::Away] {
        let presence = Presence { account: JUN, state, last_active_at: None };
        let (sign, _) = super::presence::sign(Some(&presence)).expect("a sign");
        assert_eq!(width(sign), 1);
        // Those of ambiguous width that look alike are drawn in two cells by East Asian terminals.
        assert!(!"●○◎◯•".contains(sign));
    }
}

#[test]
fn dialogs_lie_over_the_panes() {
    let mut model = sample::open_model(Language::English, 80, 24);
    let mut picker = Picker::new(PickFor::Group);
    picker.title.insert("소풍");
    picker.is_in_title = false;
    picker.query.insert("s");
    picker.chosen.push(sample::profile(JUN, "jun", "Jun", 0));
    let found = vec![sample::profile(SORA, "sora.kim", "김소라", 0)];
    picker.found = Some(("s".to_owned(), found));
    let info = Dialog::Info { message: Box::new(sample::picnic()[6].clone()), reactions: Some(Vec::new()) };
    for (dialog, expected) in [
        (Dialog::Help { skipped: 0 }, "help"),
        (Dialog::Picker(Box::new(picker)), "new_group"),
        (Dialog::Members { selected: 1 }, "members"),
        (info, "info"),
        (Dialog::React { seq: 7, editor: Editor::line(10) }, "react"),
        (Dialog::Confirm(Question::Leave(GROUP)), "question"),
    ] {
        model.dialog = Some(dialog);
        assert_screen(&model, expected);
    }
}

#[test]
fn the_entrance_hides_passwords() {
    let mut model = sample::model(Language::English, 80, 24);
    model.screen = Screen::Entrance(Entrance::new(Purpose::SignUp, "mina"));
    press(&mut model, "Down s e c r e t");
    let shown = screen(&model);
    assert!(!shown.contains("secret") && shown.contains("••••••"), "{shown}");
    assert_screen(&model, "entrance");
    let codes = (1..=10).map(|number| format!("abcd-efgh-{number:04}"));
    model.screen = Screen::RecoveryCodes { codes: codes.collect(), answer: Editor::line(10) };
    assert_screen(&model, "recovery_codes");
}

/// Whatever anybody wrote or is called, in every view and size: no cell commands the terminal, and nothing panics.
#[test]
fn foreign_text_cannot_command_the_terminal() {
    let evil = "\x1b]0;owned\x07\u{9b}2J\u{202e}gnp.exe\u{2066}\r\n\t\u{200b}";
    let long = format!("{evil}{}{}שלום한국어👨‍👩‍👧", "e\u{301}".repeat(300), "W".repeat(300));
    for (columns, rows) in [(80, 24), (40, 12), (61, 9), (20, 5), (3, 3), (1, 1)] {
        let mut model = sample::open_model(Language::English, columns, rows);
        sample::attend(&mut model, &[(JUN, PresenceState::Away, None)], Some(u32::MAX));
        for account in [MINA, JUN, SORA] {
            model.people.learn(vec![sample::profile(account, &long, &long, 0)]);
        }
        for summary in &mut model.list.conversations {
            summary.title = long.clone();
            summary.draft = Some(long.clone());
        }
        let mut said = sample::text(1, JUN, &long);
        said.reactions = sample::picnic()[3].reactions.clone();
        said.reactions[0].emoji = long.clone();
        let named = MessageContent::SettingsChanged { title: Some(long.clone()) };
        let mut answer = sample::text(3, MINA, evil);
        answer.reply_to = Some(1);
        sample::deliver(&mut model, vec![said.clone(), sample::message(2, JUN, named), answer]);
        update(&mut model, Input::Paste(format!("{long} @")));
        let dialogs = [
            None,
            Some(Dialog::Help { skipped: 90 }),
            Some(Dialog::Members { selected: 2 }),
            Some(Dialog::Info { message: Box::new(said), reactions: None }),
            Some(Dialog::Picker(Box::new(Picker::new(PickFor::Group)))),
            Some(Dialog::Confirm(Question::Remove { conversation: GROUP, account: JUN })),
        ];
        model.notify(evil);
        for dialog in dialogs {
            model.dialog = dialog;
            assert_harmless(&buffer(&model));
            model.pane = Pane::List;
            assert_harmless(&buffer(&model));
            model.pane = Pane::Conversation;
        }
        let mut form = Entrance::new(Purpose::Recover, &long);
        form.problem = Some(evil.to_owned());
        model.screen = Screen::Entrance(form);
        assert_harmless(&buffer(&model));
    }
}

#[track_caller]
fn assert_harmless(buffer: &Buffer) {
    for cell in &buffer.content {
        for scalar in cell.symbol().chars() {
            let is_order =
                matches!(scalar, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!scalar.is_control() && !is_order, "{scalar:?} in a cell");
        }
    }
}

/// Presses keys that are named as people write them.
fn press(model: &mut Model, keys: &str) {
    for key in keys.split(' ') {
        update(model, Input::Key(sample::key(key)));
    }
}
