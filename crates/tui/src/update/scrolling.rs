//! Scrolling through the transcript, which loads more at its ends.

use crate::areas::areas;
use crate::effect::{Ask, Effect, Reading, Stretch};
use crate::model::Model;
use crate::model::conversation::Scroll;
use crate::transcript;

/// Scrolls by a page less two rows, so that the eye keeps its place: `-1` back, `1` forth.
pub fn by_pages(model: &mut Model, pages: isize, effects: &mut Vec<Effect>) {
    let height = areas(model).transcript.height as isize;
    by_rows(model, pages * (height - 2).max(1), effects);
}

/// Scrolls by some rows: negative back, positive forth.
pub fn by_rows(model: &mut Model, by: isize, effects: &mut Vec<Effect>) {
    let area = areas(model).transcript;
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let Some(open) = &model.open else {
        return;
    };
    let rows = transcript::rows(model, open, width, 2 * height + by.unsigned_abs());
    let last = rows.len().saturating_sub(1);
    let lowest = height.saturating_sub(1).min(last);
    let wanted = transcript::bottom(open, &rows).max(lowest).saturating_add_signed(by);
    let bottom = wanted.clamp(lowest, last);
    let is_at_end = bottom >= last;
    let starts_near = rows.first().is_none_or(|row| row.message == 0);
    let scroll = match rows.get(bottom) {
        Some(row) if !is_at_end || open.has_later => {
            Scroll::At { message: open.messages[row.message].client_id, line: row.within }
        }
        _ => Scroll::Newest,
    };
    let is_near_start = starts_near && bottom < 2 * height;
    if let Some(open) = &mut model.open {
        open.scroll = scroll;
    }
    if by < 0 && is_near_start {
        load_earlier(model, effects);
    } else if by > 0 && is_at_end {
        load_later(model, effects);
    }
}

/// Goes to the newest message.
pub fn to_newest(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = &mut model.open else {
        return;
    };
    open.scroll = Scroll::Newest;
    open.selected = None;
    if open.has_later {
        open.messages.clear();
        open.has_later = false;
        open.is_loaded = false;
        super::navigation::want_messages(model, effects);
    }
}

/// Scrolls as far as is needed to see the selected message.
pub fn to_selected(model: &mut Model, effects: &mut Vec<Effect>) {
    let area = areas(model).transcript;
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let Some(open) = &model.open else {
        return;
    };
    let mut messages = open.messages.iter();
    let selected = messages.position(|message| Some(message.client_id) == open.selected);
    let bottom = transcript::bottom_message(open);
    let distance = selected.map_or(0, |selected| selected.abs_diff(bottom));
    let rows = transcript::rows(model, open, width, height + distance);
    let is_selected = |row: &transcript::Row| Some(open.messages[row.message].client_id) == open.selected;
    let (Some(first), Some(last)) = (rows.iter().position(is_selected), rows.iter().rposition(is_selected))
    else {
        return;
    };
    let bottom = (transcript::bottom(open, &rows) + 1).max(height).min(rows.len());
    let top = bottom.saturating_sub(height);
    let signed = |number: usize| isize::try_from(number).unwrap_or(isize::MAX);
    if first < top {
        by_rows(model, signed(first) - signed(top), effects);
    } else if last >= bottom {
        by_rows(model, signed(last + 1) - signed(bottom), effects);
    }
}

fn load_earlier(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(open) = &mut model.open
        && open.has_earlier
        && let Some(first) = open.first_seq()
        && !open.freshness.is_reading()
        && open.freshness.want()
    {
        effects.push(Effect::Ask(Ask::Messages(Reading {
            conversation: open.id,
            stretch: Stretch::Before(first),
        })));
    }
}

fn load_later(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(open) = &mut model.open
        && open.has_later
        && let Some(last) = open.last_seq()
        && !open.freshness.is_reading()
        && open.freshness.want()
    {
        effects.push(Effect::Ask(Ask::Messages(Reading {
            conversation: open.id,
            stretch: Stretch::After(last),
        })));
    }
}
