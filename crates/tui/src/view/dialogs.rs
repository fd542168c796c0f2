//! Dialogs: help, a message's readers, reactions and questions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use suda_client::model::Message;
use suda_proto::reply::Reacted;

use super::{canvas, people};
use crate::model::Model;
use crate::model::dialog::{Dialog, PALETTE, Question};
use crate::text::editor::Editor;
use crate::text::safe::safe_line;
use crate::text::wrap::wrap_plain;
use crate::text::{fill, fit};
use crate::theme;
use crate::transcript::preview;
use crate::words::Word;
use crate::words::help::HELP;

/// The width of the boxes.
const COLUMNS: u16 = 56;
/// Cells for the keys in the page of keys.
const KEY_CELLS: usize = 15;

/// Draws a dialog over everything and returns where the cursor stands.
pub fn draw(model: &Model, dialog: &Dialog, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    match dialog {
        Dialog::Help { skipped } => {
            draw_help(model, *skipped, area, buffer);
            None
        }
        Dialog::Picker(picker) => Some(people::draw_picker(model, picker, area, buffer)),
        Dialog::Members { selected } => {
            people::draw_members(model, *selected, area, buffer);
            None
        }
        Dialog::Info { message, reactions } => {
            draw_info(model, message, reactions.as_deref(), area, buffer);
            None
        }
        Dialog::React { editor, .. } => Some(draw_react(model, editor, area, buffer)),
        Dialog::Confirm(question) => {
            draw_question(model, *question, area, buffer);
            None
        }
    }
}

/// Writes the hint into the last row of a dialog.
pub fn write_hint(model: &Model, inside: Rect, word: Word, buffer: &mut Buffer) {
    let last = inside.height.saturating_sub(1);
    let hint = match &model.notice {
        Some(notice) => (safe_line(&notice.text), theme::WAITING),
        None => (model.language.say(word).to_owned(), theme::FAINT),
    };
    canvas::write(buffer, inside, last, &hint.0, hint.1);
}

fn draw_help(model: &Model, skipped: usize, area: Rect, buffer: &mut Buffer) {
    let title = model.language.say(Word::HelpTitle);
    let rows = u16::try_from(HELP.len() + 3).unwrap_or(u16::MAX);
    let inside = canvas::framed(buffer, area, COLUMNS, rows, title);
    let height = usize::from(inside.height.saturating_sub(1));
    let skipped = skipped.min(HELP.len().saturating_sub(height));
    for (row, line) in HELP.iter().skip(skipped).take(height).enumerate() {
        let row = u16::try_from(row).unwrap_or_default();
        let meaning = line.meaning(model.language);
        if line.key.is_empty() {
            canvas::write(buffer, inside, row, meaning, theme::STRONG);
        } else {
            let text = format!("  {}{meaning}", fill(line.key, KEY_CELLS));
            canvas::write(buffer, inside, row, &text, Style::new());
        }
    }
    let more = if skipped + height < HELP.len() { "↓ " } else { "" };
    let hint = format!("{more}{}", model.language.say(Word::Close));
    let last = inside.height.saturating_sub(1);
    canvas::write(buffer, inside, last, &hint, theme::FAINT);
}

fn draw_info(
    model: &Model,
    message: &Message,
    reactions: Option<&[Reacted]>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let cells = usize::from(COLUMNS.min(area.width).saturating_sub(4));
    let mut lines = vec![Line::styled(fit(&preview(model, message), cells), theme::STRONG)];
    let mut section = |word: Word, text: String| {
        if !text.is_empty() {
            lines.push(Line::styled(model.language.say(word), theme::FAINT));
            lines.extend(wrap_plain(&text, Style::new(), cells));
        }
    };
    let (read, delivered, waiting) = receipts(model, message);
    section(Word::ReadBy, read);
    section(Word::DeliveredTo, delivered);
    section(Word::NotYet, waiting);
    let reacted = match reactions {
        None => model.language.say(Word::Loading).to_owned(),
        Some(reactions) => reacted(model, reactions),
    };
    section(Word::Reactions, reacted);
    let rows = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let title = model.language.say(Word::Info);
    let inside = canvas::framed(buffer, area, COLUMNS, rows, title);
    let room = inside.height.saturating_sub(1);
    for (row, line) in (0..room).zip(&lines) {
        canvas::write_line(buffer, inside, row, line);
    }
    write_hint(model, inside, Word::Close, buffer);
}

/// Names of those who read a message, those who only received it, and those who did neither.
fn receipts(model: &Model, message: &Message) -> (String, String, String) {
    let seq = message.seq.unwrap_or(u64::MAX);
    let (mut read, mut delivered, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let members = model.open.iter().flat_map(|open| &open.members);
    for member in members.filter(|member| member.account != message.author) {
        if member.read >= seq {
            read.push(member.account);
        } else if member.delivered >= seq {
            delivered.push(member.account);
        } else {
            waiting.push(member.account);
        }
    }
    let names = |accounts: &[_]| model.people.names(accounts, model.language);
    (names(&read), names(&delivered), names(&waiting))
}

fn reacted(model: &Model, reactions: &[Reacted]) -> String {
    let one = |reacted: &Reacted| {
        let name = model.people.name(reacted.account, model.language);
        format!("{} {name}", safe_line(&reacted.emoji))
    };
    reactions.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn draw_react(model: &Model, editor: &Editor, area: Rect, buffer: &mut Buffer) -> Position {
    let title = model.language.say(Word::ReactTitle);
    let inside = canvas::framed(buffer, area, COLUMNS, 6, title);
    let mut column = 0;
    for (number, emoji) in (1..).zip(PALETTE) {
        canvas::write_at(buffer, inside, column, 0, &format!("{number} {emoji}"), Style::new());
        column += 7;
    }
    canvas::write(buffer, inside, 2, ">", theme::FOCUS);
    write_hint(model, inside, Word::ReactHint, buffer);
    let field = Rect::new(inside.x + 2, inside.y, inside.width.saturating_sub(2), inside.height);
    canvas::field(buffer, field, 2, editor, Style::new())
}

fn draw_question(model: &Model, question: Question, area: Rect, buffer: &mut Buffer) {
    let text = match question {
        Question::Delete { .. } => model.language.say(Word::ConfirmDelete).to_owned(),
        Question::Leave(_) => model.language.say(Word::ConfirmLeave).to_owned(),
        Question::Dissolve(_) => model.language.say(Word::ConfirmDissolve).to_owned(),
        Question::LogOut => model.language.say(Word::ConfirmLogOut).to_owned(),
        Question::Remove { account, .. } => {
            let name = model.people.name(account, model.language);
            model.language.confirm_remove(&fit(&name, 24))
        }
    };
    let cells = usize::from(COLUMNS.min(area.width).saturating_sub(4));
    let lines = wrap_plain(&text, Style::new(), cells);
    let rows = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let title = model.language.say(Word::ConfirmTitle);
    let inside = canvas::framed(buffer, area, COLUMNS, rows, title);
    for (row, line) in (0..).zip(&lines) {
        canvas::write_line(buffer, inside, row, line);
    }
    write_hint(model, inside, Word::ConfirmHint, buffer);
}
