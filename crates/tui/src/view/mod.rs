//! Draws the model. Pure: the same model gives the same cells.

mod canvas;
mod conversation;
mod dialogs;
mod entrance;
mod list;
mod people;
mod presence;
mod status;

use ratatui::Frame;
use ratatui::buffer::Buffer;

use crate::areas::{Areas, areas};
use crate::model::{Model, Screen};
use crate::theme;

/// The row of the rule below both heads.
const HEAD_RULE: u16 = 1;

/// Draws everything.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let cursor = match &model.screen {
        Screen::Entrance(form) => entrance::draw(model, form, area, frame.buffer_mut()),
        Screen::RecoveryCodes { codes, answer } => {
            entrance::draw_codes(model, codes, answer, area, frame.buffer_mut())
        }
        Screen::Chat => {
            let areas = areas(model);
            let buffer = frame.buffer_mut();
            list::draw(model, areas.list, buffer);
            draw_border(model, &areas, buffer);
            let in_box = conversation::draw(model, &areas, buffer);
            status::draw(model, areas.status, buffer);
            match &model.dialog {
                Some(dialog) => dialogs::draw(model, dialog, area, buffer),
                None => in_box,
            }
        }
    };
    if let Some(position) = cursor.filter(|position| area.contains(*position)) {
        frame.set_cursor_position(position);
    }
}

/// The border between the panes, joined with the rules that meet it.
fn draw_border(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    for row in 0..areas.border.height {
        let sign = match row {
            HEAD_RULE if model.open.is_some() => "┼",
            HEAD_RULE => "┤",
            _ if model.open.is_some() && row == areas.banner.y => "├",
            _ => "│",
        };
        canvas::write(buffer, areas.border, row, sign, theme::FAINT);
    }
}

#[cfg(test)]
mod tests;
