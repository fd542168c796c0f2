//! The open conversation: its head, its messages, and the message box with what it offers.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use suda_client::model::ConversationSummary;
use suda_proto::entry::ConversationKind;

use super::{canvas, list, presence};
use crate::areas::{Areas, PROMPT_CELLS, writing_width};
use crate::completion;
use crate::model::conversation::{Intent, OpenConversation, Scroll};
use crate::model::{Model, Pane};
use crate::text::safe::safe_line;
use crate::text::{fill, fit, width};
use crate::theme;
use crate::transcript;
use crate::words::Word;

/// Draws the conversation and returns where the cursor stands in the message box.
pub fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) -> Option<Position> {
    if areas.header.is_empty() {
        return None;
    }
    let Some(open) = &model.open else {
        draw_nothing(model, areas, buffer);
        return None;
    };
    draw_head(model, open, areas.header, buffer);
    draw_transcript(model, open, areas.transcript, buffer);
    draw_banner(model, open, areas.banner, buffer);
    let cursor = draw_box(model, open, areas, buffer);
    draw_offers(model, open, areas, buffer);
    (model.pane == Pane::Conversation && open.selected.is_none()).then_some(cursor)
}

fn draw_nothing(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let hint = model.language.say(Word::ChooseOne);
    let area = areas.transcript;
    let hint = fit(hint, usize::from(area.width));
    let column = (usize::from(area.width) - width(&hint)) / 2;
    let column = u16::try_from(column).unwrap_or_default();
    canvas::write_at(buffer, area, column, area.height / 2, &hint, theme::FAINT);
}

fn draw_head(model: &Model, open: &OpenConversation, area: Rect, buffer: &mut Buffer) {
    let language = model.language;
    let summary = model.list.find(open.id);
    let typists: Vec<String> =
        open.typing.iter().map(|(account, _)| fit(&model.people.name(*account, language), 12)).collect();
    let is_group = summary.is_some_and(|summary| summary.kind == ConversationKind::Group);
    let cells = usize::from(area.width) * 3 / 5;
    let (side, style) = if !typists.is_empty() {
        (language.typing(&typists), theme::WELL)
    } else if is_group {
        (members(model, open, summary), theme::FAINT)
    } else {
        (peer(model, summary, cells), theme::FAINT)
    };
    let side = fit(&side, cells);
    let used = canvas::write_right(buffer, area, 0, &format!("{side} "), style);
    let room = Rect::new(area.x, area.y, area.width.saturating_sub(used + 1), area.height);
    let style = if model.pane == Pane::Conversation { theme::FOCUS } else { theme::STRONG };
    if let Some(summary) = summary {
        list::draw_title(model, summary, &list::title(model, summary), style, room, buffer);
    }
    canvas::rule(buffer, area, 1);
}

/// How many members the group has, and how many of the others are online.
fn members(model: &Model, open: &OpenConversation, summary: Option<&ConversationSummary>) -> String {
    let count = match open.members.len() {
        0 => summary.map_or(0, |summary| summary.members as usize),
        known => known,
    };
    match model.attendance.online(open.id) {
        Some(online) if online > 0 => model.language.members_online(count, online),
        _ => model.language.members(count),
    }
}

/// The other's unique name, and whether it is there. Where both do not fit, the second is what changes.
fn peer(model: &Model, summary: Option<&ConversationSummary>, cells: usize) -> String {
    let Some(peer) = summary.and_then(|summary| summary.peer) else {
        return String::new();
    };
    let name = model.people.profile(peer).map(|profile| format!("@{}", safe_line(&profile.name)));
    let name = name.unwrap_or_default();
    let standing = model.attendance.of(peer).map(|presence| presence::sentence(model, presence));
    let standing = standing.unwrap_or_default();
    let both = format!("{name}  {standing}");
    match (name.is_empty(), standing.is_empty()) {
        (_, true) => name,
        (false, false) if width(&both) <= cells => both,
        _ => standing,
    }
}

fn draw_transcript(model: &Model, open: &OpenConversation, area: Rect, buffer: &mut Buffer) {
    let height = usize::from(area.height);
    let rows = transcript::rows(model, open, usize::from(area.width), height);
    if rows.is_empty() {
        let word = if open.is_loaded { Word::Empty } else { Word::Loading };
        canvas::write_at(buffer, area, 2, 1, model.language.say(word), theme::FAINT);
        return;
    }
    let window = transcript::window(open, &rows, height);
    // A short conversation stands right above the message box.
    let top = height - window.len();
    for (index, row) in window.iter().enumerate() {
        let at = u16::try_from(top + index).unwrap_or(u16::MAX);
        canvas::write_line(buffer, area, at, &row.line);
    }
}

fn draw_banner(model: &Model, open: &OpenConversation, area: Rect, buffer: &mut Buffer) {
    canvas::rule(buffer, area, 0);
    let label = match &open.intent {
        Intent::Reply { seq } => {
            let author = open.by_seq(*seq).map(|message| message.author);
            let name = author.map(|author| model.people.name(author, model.language));
            let name = name.unwrap_or_else(|| model.language.say(Word::Somebody).to_owned());
            model.language.replying(&fit(&name, 20))
        }
        Intent::Edit { .. } => model.language.say(Word::Editing).to_owned(),
        Intent::New => String::new(),
    };
    if !label.is_empty() {
        canvas::write_at(buffer, area, 1, 0, &format!(" {label} "), theme::FOCUS);
    }
    if open.scroll != Scroll::Newest {
        let label = format!(" {} ", model.language.say(Word::Later));
        canvas::write_right(buffer, area, 0, &label, theme::WAITING);
    }
}

fn draw_box(model: &Model, open: &OpenConversation, areas: &Areas, buffer: &mut Buffer) -> Position {
    let area = areas.writing;
    let sheet = open.editor.sheet(writing_width(areas));
    let height = usize::from(area.height.max(1));
    let skipped = (sheet.row + 1).saturating_sub(height);
    canvas::write(buffer, area, 0, ">", theme::FOCUS);
    if open.editor.text().is_empty() {
        let is_member = model.list.find(open.id).is_none_or(|summary| summary.role.is_some());
        let word = if is_member { Word::WriteHere } else { Word::MayNotWrite };
        canvas::write_at(buffer, area, PROMPT_CELLS, 0, model.language.say(word), theme::FAINT);
    }
    for (row, text) in sheet.rows.iter().skip(skipped).take(height).enumerate() {
        let row = u16::try_from(row).unwrap_or_default();
        canvas::write_at(buffer, area, PROMPT_CELLS, row, text, Default::default());
    }
    let column = u16::try_from(sheet.column).unwrap_or_default();
    let row = u16::try_from(sheet.row - skipped).unwrap_or_default();
    Position::new(area.x + PROMPT_CELLS + column, area.y + row)
}

/// The offers lie over the transcript, right above the message box.
fn draw_offers(model: &Model, open: &OpenConversation, areas: &Areas, buffer: &mut Buffer) {
    if model.pane != Pane::Conversation || model.dialog.is_some() || open.selected.is_some() {
        return;
    }
    let Some((_, offers)) = completion::offers(model) else {
        return;
    };
    let area = areas.transcript;
    let count = u16::try_from(offers.len()).unwrap_or_default();
    let top = area.bottom().saturating_sub(count).max(area.y);
    let cells = usize::from(area.width.min(48).saturating_sub(2));
    for (index, offer) in offers.iter().enumerate() {
        let row = u16::try_from(index).unwrap_or_default();
        let stripe = Rect::new(area.x, top + row, area.width, 1).intersection(area);
        let text = fill(&format!(" {}  {}", offer.insert, offer.explanation), cells);
        let style =
            if index == open.completion.min(offers.len() - 1) { theme::CHOSEN } else { Default::default() };
        canvas::write(buffer, stripe, 0, &" ".repeat(usize::from(area.width)), Default::default());
        canvas::write_at(buffer, stripe, 1, 0, &text, style);
    }
}
