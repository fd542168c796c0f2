//! Dialogs with people in them: the search, and the members of a conversation.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use suda_proto::entry::Role;
use suda_proto::rest::Profile;

use super::canvas;
use super::dialogs::write_hint;
use crate::model::Model;
use crate::model::dialog::{PickFor, Picker};
use crate::model::people::shown_name;
use crate::text::editor::Editor;
use crate::text::safe::safe_line;
use crate::text::{fit, width};
use crate::theme;
use crate::words::Word;

/// The size of the boxes.
const COLUMNS: u16 = 56;
const ROWS: u16 = 18;

/// Draws the search and returns where the cursor stands.
pub fn draw_picker(model: &Model, picker: &Picker, area: Rect, buffer: &mut Buffer) -> Position {
    let (title, hint) = match picker.purpose {
        PickFor::Direct => (Word::NewChat, Word::PickerHint),
        PickFor::Group => (Word::NewGroup, Word::GroupHint),
        PickFor::Add(_) => (Word::AddPeople, Word::AddHint),
    };
    let inside = canvas::framed(buffer, area, COLUMNS, ROWS, model.language.say(title));
    let mut row = 0;
    let mut cursor = None;
    if picker.purpose == PickFor::Group {
        let field = (Word::Title, &picker.title);
        let place = draw_field(model, field, picker.is_in_title, inside, row, buffer);
        cursor = picker.is_in_title.then_some(place);
        row += 1;
    }
    let field = (Word::SearchName, &picker.query);
    let place = draw_field(model, field, !picker.is_in_title, inside, row, buffer);
    row += 1;
    if !picker.chosen.is_empty() {
        let names: Vec<String> = picker.chosen.iter().map(shown_name).collect();
        let chosen = format!("+ {}", names.join(", "));
        canvas::write(buffer, inside, row, &chosen, theme::WELL);
        row += 1;
    }
    row += 1;
    let room = inside.height.saturating_sub(row + 2);
    let results = Rect::new(inside.x, inside.y + row, inside.width, room);
    draw_results(model, picker, results.intersection(inside), buffer);
    write_hint(model, inside, hint, buffer);
    cursor.unwrap_or(place)
}

fn draw_field(
    model: &Model,
    (label, editor): (Word, &Editor),
    has_focus: bool,
    inside: Rect,
    row: u16,
    buffer: &mut Buffer,
) -> Position {
    let label = format!("{}: ", model.language.say(label));
    let style = if has_focus { theme::FOCUS } else { theme::FAINT };
    canvas::write(buffer, inside, row, &label, style);
    let left = u16::try_from(width(&label)).unwrap_or_default().min(inside.width);
    let area = Rect::new(inside.x + left, inside.y, inside.width - left, inside.height);
    canvas::field(buffer, area, row, editor, Style::new())
}

fn draw_results(model: &Model, picker: &Picker, area: Rect, buffer: &mut Buffer) {
    let results = picker.results();
    if results.is_empty() {
        let word = match (&picker.found, picker.is_asking) {
            (_, true) => Word::Asking,
            (Some(_), false) => Word::NobodyFound,
            (None, false) => Word::TypeToSearch,
        };
        canvas::write(buffer, area, 0, model.language.say(word), theme::FAINT);
        return;
    }
    let height = usize::from(area.height.max(1));
    let skipped = (picker.selected + 1).saturating_sub(height);
    for (index, profile) in results.iter().enumerate().skip(skipped).take(height) {
        let row = u16::try_from(index - skipped).unwrap_or_default();
        let is_in = picker.chosen.iter().any(|chosen| chosen.account == profile.account);
        let mark = if is_in { "✓" } else { " " };
        let text = format!("{mark} {}", both_names(profile));
        canvas::write(buffer, area, row, &text, Style::new());
        if index == picker.selected && !picker.is_in_title {
            canvas::paint(buffer, area, row, theme::CHOSEN);
        }
    }
}

/// The name to show, and the unique one behind it.
fn both_names(profile: &Profile) -> String {
    format!("{}  @{}", fit(&shown_name(profile), 30), safe_line(&profile.name))
}

/// Draws the members of the open conversation.
pub fn draw_members(model: &Model, selected: usize, area: Rect, buffer: &mut Buffer) {
    let members = model.open.as_ref().map_or(&[][..], |open| &open.members);
    let rows = u16::try_from(members.len() + 4).unwrap_or(u16::MAX);
    let title = model.language.say(Word::Members);
    let inside = canvas::framed(buffer, area, COLUMNS, rows.clamp(6, ROWS), title);
    let height = usize::from(inside.height.saturating_sub(2).max(1));
    let selected = selected.min(members.len().saturating_sub(1));
    let skipped = (selected + 1).saturating_sub(height);
    for (index, member) in members.iter().enumerate().skip(skipped).take(height) {
        let row = u16::try_from(index - skipped).unwrap_or_default();
        let role = match member.role {
            Role::Owner => model.language.say(Word::Owner),
            Role::Admin => model.language.say(Word::Admin),
            Role::Member => "",
        };
        let used = canvas::write_right(buffer, inside, row, role, theme::FAINT);
        let room = inside.width.saturating_sub(used + 1);
        let line = Rect::new(inside.x, inside.y, room, inside.height);
        let name = match model.people.profile(member.account) {
            Some(profile) if !profile.deleted => both_names(profile),
            _ => model.people.name(member.account, model.language),
        };
        let you = if Some(member.account) == model.me {
            format!("{name} ({})", model.language.say(Word::You))
        } else {
            name
        };
        canvas::write(buffer, line, row, &you, Style::new());
        if index == selected {
            canvas::paint(buffer, inside, row, theme::CHOSEN);
        }
    }
    write_hint(model, inside, Word::MembersHint, buffer);
}
