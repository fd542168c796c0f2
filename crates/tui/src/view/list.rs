//! The list of conversations: title and time in one row, the newest message and the count of unread ones below it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use suda_client::model::{ConversationSummary, Message};
use suda_proto::entry::ConversationKind;

use super::{canvas, presence};
use crate::areas::{LIST_HEAD_ROWS, LIST_ITEM_ROWS, listed};
use crate::calendar::Moment;
use crate::model::{Model, Pane};
use crate::text::safe::safe_line;
use crate::text::{fit, width};
use crate::theme;
use crate::transcript::{preview, sentence};
use crate::words::Word;

/// Draws the list.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    draw_head(model, area, buffer);
    let height = area.height.saturating_sub(LIST_HEAD_ROWS);
    let items = Rect::new(area.x, area.y + LIST_HEAD_ROWS, area.width, height);
    let rows = listed(model, area);
    let selected = model.list.selected_index().unwrap_or_default();
    let shown = model.list.shown().skip(rows.start).take(rows.len());
    let mut count = 0;
    for (index, summary) in shown.enumerate() {
        let top = items.y + u16::try_from(index).unwrap_or_default() * LIST_ITEM_ROWS;
        let item = Rect::new(items.x, top, items.width, LIST_ITEM_ROWS).intersection(items);
        draw_item(model, summary, rows.start + index == selected, item, buffer);
        count += 1;
    }
    if count == 0 {
        draw_nothing(model, items, buffer);
    }
}

fn draw_head(model: &Model, area: Rect, buffer: &mut Buffer) {
    let title = if model.list.shows_archive {
        model.language.say(Word::Archive).to_owned()
    } else {
        let me = model.me.and_then(|me| model.people.profile(me));
        me.map_or("Suda".to_owned(), |profile| format!("Suda · {}", safe_line(&profile.name)))
    };
    let style = if model.pane == Pane::List { theme::FOCUS } else { theme::STRONG };
    let unread = model.list.unread();
    let mut room = area;
    if unread > 0 {
        let badge = format!(" {} ", capped(unread));
        let used = canvas::write_right(buffer, area, 0, &badge, theme::UNREAD);
        room.width = area.width.saturating_sub(used + 1);
    }
    canvas::write(buffer, room, 0, &format!(" {title}"), style);
    canvas::rule(buffer, area, 1);
}

fn draw_nothing(model: &Model, area: Rect, buffer: &mut Buffer) {
    let word = if model.list.is_loaded { Word::NoConversations } else { Word::Loading };
    canvas::write(buffer, area, 1, &format!(" {}", model.language.say(word)), theme::FAINT);
    if model.list.is_loaded && !model.list.shows_archive {
        let hint = format!(" {}", model.language.say(Word::StartOne));
        canvas::write(buffer, area, 2, &hint, theme::FAINT);
    }
}

fn draw_item(
    model: &Model,
    summary: &ConversationSummary,
    is_selected: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let is_open = model.open.as_ref().is_some_and(|open| open.id == summary.conversation);
    let title_style = if summary.unread > 0 { theme::STRONG } else { Style::new() };
    let time = when(model, summary);
    let used = canvas::write_right(buffer, area, 0, &format!("{time} "), theme::FAINT);
    let room = Rect::new(area.x, area.y, area.width.saturating_sub(used + 1), area.height);
    let mark = if is_open { "▌" } else { " " };
    canvas::write(buffer, room, 0, mark, theme::FOCUS);
    let title = format!("{}{}", signs(summary), title(model, summary));
    draw_title(model, summary, &title, title_style, room, buffer);

    let mut room = area;
    if let Some((badge, style)) = badge(summary) {
        let used = canvas::write_right(buffer, area, 1, &badge, style);
        room.width = area.width.saturating_sub(used + 1);
    }
    canvas::write(buffer, room, 1, mark, theme::FOCUS);
    draw_preview(model, summary, room, buffer);
    if is_selected {
        let style = if model.pane == Pane::List { theme::CHOSEN } else { theme::STRONG };
        canvas::paint(buffer, area, 0, style);
    }
}

/// Draws what a conversation is called from the second cell on, with the sign of the other of a direct conversation.
pub fn draw_title(
    model: &Model,
    summary: &ConversationSummary,
    title: &str,
    style: Style,
    area: Rect,
    buffer: &mut Buffer,
) {
    let presence = summary.peer.and_then(|peer| model.attendance.of(peer));
    let Some((sign, sign_style)) = presence::sign(presence) else {
        return canvas::write_at(buffer, area, 1, 0, title, style);
    };
    let title = fit(title, usize::from(area.width.saturating_sub(3)));
    let column = 2 + u16::try_from(width(&title)).unwrap_or_default();
    canvas::write_at(buffer, area, 1, 0, &title, style);
    canvas::write_at(buffer, area, column, 0, sign, sign_style);
}

fn draw_preview(model: &Model, summary: &ConversationSummary, area: Rect, buffer: &mut Buffer) {
    let is_open = model.open.as_ref().is_some_and(|open| open.id == summary.conversation);
    let draft = safe_line(model.draft(summary));
    if !draft.is_empty() && !is_open {
        let label = format!("{}: ", model.language.say(Word::Draft));
        let column = 1 + u16::try_from(width(&label)).unwrap_or_default();
        canvas::write_at(buffer, area, 1, 1, &label, theme::DRAFT);
        canvas::write_at(buffer, area, column, 1, &draft, theme::FAINT);
        return;
    }
    if let Some(message) = &summary.last {
        let text = last_line(model, summary, message);
        canvas::write_at(buffer, area, 1, 1, &text, theme::FAINT);
    }
}

/// The newest message, with its author where that is not plain.
fn last_line(model: &Model, summary: &ConversationSummary, message: &Message) -> String {
    let text = preview(model, message);
    if sentence(model, message).is_some() {
        return text;
    }
    if Some(message.author) == model.me {
        return format!("{}: {text}", model.language.say(Word::You));
    }
    if summary.kind == ConversationKind::Group {
        let name = model.people.name(message.author, model.language);
        return format!("{}: {text}", fit(&name, 10));
    }
    text
}

/// What a conversation is called, safe to draw.
pub fn title(model: &Model, summary: &ConversationSummary) -> String {
    let title = safe_line(&summary.title);
    if !title.trim().is_empty() {
        return title;
    }
    match summary.peer {
        Some(peer) => model.people.name(peer, model.language),
        None => model.language.say(Word::Untitled).to_owned(),
    }
}

fn signs(summary: &ConversationSummary) -> String {
    let pin = summary.pin.map_or("", |_| "^");
    let mute = summary.mute.map_or("", |_| "~");
    let space = if pin.len() + mute.len() > 0 { " " } else { "" };
    format!("{pin}{mute}{space}")
}

fn when(model: &Model, summary: &ConversationSummary) -> String {
    let at = summary.last.as_ref().map_or(summary.at, |last| last.at);
    let moment = |at| Moment::local(at, &model.zone);
    model.language.when(&moment(at), &moment(model.now))
}

fn badge(summary: &ConversationSummary) -> Option<(String, Style)> {
    if summary.unsent > 0 {
        return Some(("… ".to_owned(), theme::WAITING));
    }
    if summary.unread == 0 {
        return None;
    }
    let mention = if summary.mentions > 0 { "@" } else { "" };
    let text = format!(" {mention}{} ", capped(summary.unread));
    let is_quiet = summary.mute.is_some() && summary.mentions == 0;
    let style = if is_quiet { theme::CHOSEN } else { theme::UNREAD };
    Some((text, style))
}

fn capped(count: u64) -> String {
    if count > 999 { "999+".to_owned() } else { count.to_string() }
}
