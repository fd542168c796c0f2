//! The last line: how the client stands with the server, and what the keys do now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use suda_client::event::ConnectionState;

use super::canvas;
use crate::model::{Model, Pane};
use crate::text::safe::safe_line;
use crate::text::width;
use crate::theme;
use crate::words::Word;

/// From how many milliseconds on it is worth saying how long the next try is away.
const COUNTED_MS: u64 = 2_000;

/// Draws the line.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (state, style) = connection(model);
    canvas::write_at(buffer, area, 1, 0, &state, style);
    let used = u16::try_from(width(&state)).unwrap_or_default() + 4;
    let room =
        Rect::new(area.x + used.min(area.width), area.y, area.width.saturating_sub(used + 1), area.height);
    if let Some(notice) = &model.notice {
        // Where there is no room beside the connection, the sentence is what matters.
        let text = safe_line(&notice.text);
        let room = if width(&text) > usize::from(room.width) {
            Rect::new(area.x + 1, area.y, area.width.saturating_sub(1), area.height)
        } else {
            room
        };
        canvas::write(buffer, room, 0, &" ".repeat(usize::from(room.width)), Style::new());
        canvas::write_right(buffer, room, 0, &text, theme::WAITING);
        return;
    }
    let hint = model.language.say(hint(model));
    if width(hint) <= usize::from(room.width) {
        canvas::write_right(buffer, room, 0, hint, theme::FAINT);
    } else {
        let short = model.language.say(Word::NarrowHint);
        canvas::write_right(buffer, room, 0, short, theme::FAINT);
    }
}

fn connection(model: &Model) -> (String, Style) {
    let say = |word| model.language.say(word).to_owned();
    match &model.connection {
        ConnectionState::Online { polling: false } => (say(Word::Online), theme::WELL),
        ConnectionState::Online { polling: true } => (say(Word::Polling), theme::WELL),
        ConnectionState::Connecting => (say(Word::Connecting), theme::WAITING),
        ConnectionState::Waiting { .. } if model.retry_at >= model.now + COUNTED_MS => {
            let seconds = (model.retry_at - model.now).div_ceil(1_000);
            (model.language.waiting(seconds), theme::WAITING)
        }
        ConnectionState::Offline | ConnectionState::Waiting { .. } | ConnectionState::LoggedOut => {
            (say(Word::Offline), theme::WAITING)
        }
        ConnectionState::Stopped { reason } => {
            let reason = safe_line(reason);
            (format!("{}: {reason}", say(Word::Stopped)), theme::PROBLEM)
        }
    }
}

fn hint(model: &Model) -> Word {
    let selected = model.open.as_ref().and_then(|open| open.selected());
    match (model.pane, selected) {
        (Pane::Conversation, Some(message)) if Some(message.author) == model.me => Word::SelectOwnHint,
        (Pane::Conversation, Some(_)) => Word::SelectHint,
        (Pane::Conversation, None) if model.open.is_some() => Word::WriteHint,
        _ => Word::ListHint,
    }
}
