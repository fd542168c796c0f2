//! The open conversation as rows of a width: days, authors, messages, and where the window over them stands.

mod message;
mod note;

use ratatui::text::{Line, Span};
use suda_client::model::{Message, MessageContent};

use crate::calendar::Moment;
use crate::model::Model;
use crate::model::conversation::{OpenConversation, Scroll};
use crate::text;
use crate::theme;
use crate::words::Word;

pub use note::{preview, sentence};

/// Messages of one author within so many milliseconds stand under one name.
const GROUP_MS: u64 = 5 * 60 * 1_000;
/// Cells before the text of a message.
const GUTTER_CELLS: usize = 3;
/// Cells behind the text, for ticks.
const TICKS_CELLS: usize = 6;

/// One row of the transcript.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it shows.
    pub line: Line<'static>,
    /// Which of the loaded messages it belongs to.
    pub message: usize,
    /// Which row of that message it is, from 0.
    pub within: usize,
}

/// The messages up to `reach` before and after the one at the bottom of the window, as rows of `width` cells. Every
/// message has a row at least, so that as many rows are there where as many messages are loaded.
pub fn rows(model: &Model, open: &OpenConversation, width: usize, reach: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let unread_from = first_unread(model, open);
    let bottom = bottom_message(open);
    let first = bottom.saturating_sub(reach);
    let near = open.messages.iter().enumerate().skip(first);
    for (index, message) in near.take(bottom + reach + 1 - first) {
        let previous = index.checked_sub(1).map(|before| &open.messages[before]);
        let mut lines = Vec::new();
        if index == 0 && open.has_earlier {
            lines.push(rule(model.language.say(Word::Earlier), width, theme::FAINT));
        }
        let opening = opening_lines(model, message, previous, width);
        let is_interrupted = !opening.is_empty() || unread_from == Some(index);
        lines.extend(opening);
        if unread_from == Some(index) {
            lines.push(rule(model.language.say(Word::New), width, theme::FOCUS));
        }
        let continues = !is_interrupted && continues(message, previous);
        lines.extend(message::lines(model, open, message, continues, width));
        rows.extend(lines.into_iter().enumerate().map(|(within, line)| Row { line, message: index, within }));
    }
    rows
}

/// Which of the loaded messages stands at the bottom of the window.
pub fn bottom_message(open: &OpenConversation) -> usize {
    let last = open.messages.len().saturating_sub(1);
    let Scroll::At { message, .. } = open.scroll else {
        return last;
    };
    let mut messages = open.messages.iter();
    messages.position(|candidate| candidate.client_id == message).unwrap_or(last)
}

/// Which row stands at the bottom of the window.
pub fn bottom(open: &OpenConversation, rows: &[Row]) -> usize {
    let last = rows.len().saturating_sub(1);
    let Scroll::At { message, line } = open.scroll else {
        return last;
    };
    rows.iter()
        .rposition(|row| open.messages[row.message].client_id == message && row.within <= line)
        .unwrap_or(last)
}

/// The rows of a window of `height` rows.
pub fn window<'a>(open: &OpenConversation, rows: &'a [Row], height: usize) -> &'a [Row] {
    let end = (bottom(open, rows) + 1).max(height).min(rows.len());
    &rows[end.saturating_sub(height)..end]
}

fn first_unread(model: &Model, open: &OpenConversation) -> Option<usize> {
    let read = open.unread_after?;
    open.messages.iter().position(|message| {
        let is_others = Some(message.author) != model.me;
        message.seq.is_some_and(|seq| seq > read) && is_others && is_spoken(message)
    })
}

/// The line of a new day.
fn opening_lines(
    model: &Model,
    message: &Message,
    previous: Option<&Message>,
    width: usize,
) -> Vec<Line<'static>> {
    let moment = |at| Moment::local(at, &model.zone);
    let day = moment(message.at);
    let is_new = previous.is_none_or(|before| moment(before.at).day_number != day.day_number);
    if !is_new {
        return Vec::new();
    }
    let label = model.language.day(&day, &moment(model.now));
    vec![rule(&label, width, theme::FAINT)]
}

/// Whether a message stands under the same name as the one before.
fn continues(message: &Message, previous: Option<&Message>) -> bool {
    previous.is_some_and(|before| {
        before.author == message.author
            && is_spoken(before)
            && is_spoken(message)
            && message.reply_to.is_none()
            && message.at.saturating_sub(before.at) < GROUP_MS
    })
}

/// Whether it is what somebody said, other than what happened.
fn is_spoken(message: &Message) -> bool {
    matches!(
        message.content,
        MessageContent::Text { .. }
            | MessageContent::Custom { .. }
            | MessageContent::Unsupported
            | MessageContent::Deleted
    )
}

/// A label in the middle of a line.
fn rule(label: &str, width: usize, style: ratatui::style::Style) -> Line<'static> {
    let label = text::fit(label, width.saturating_sub(6));
    let free = width.saturating_sub(text::width(&label) + 2);
    let left = free / 2;
    let drawn = format!("{} {label} {}", "─".repeat(left), "─".repeat(free - left));
    Line::from(Span::styled(drawn, style))
}
