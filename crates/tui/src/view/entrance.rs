//! The entrance: the form, and the recovery codes of a new account.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::canvas;
use crate::model::Model;
use crate::model::entrance::{Entrance, Field, Purpose};
use crate::text::editor::Editor;
use crate::text::safe::safe_line;
use crate::text::wrap::wrap_plain;
use crate::text::{fill, fit, width};
use crate::theme;
use crate::words::Word;

/// The width of the boxes.
const COLUMNS: u16 = 60;
/// Cells for the labels of fields.
const LABEL_CELLS: u16 = 16;

/// Draws the form and returns where the cursor stands.
pub fn draw(model: &Model, form: &Entrance, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let rows = u16::try_from(form.fields.len()).unwrap_or_default() + 8;
    let inside = canvas::framed(buffer, body(area), COLUMNS, rows, "Suda");
    canvas::write(buffer, inside, 0, &safe_line(&model.server), theme::FAINT);
    draw_purposes(model, form, inside, buffer);
    let mut cursor = None;
    for (index, field) in form.fields.iter().enumerate() {
        let row = u16::try_from(index).unwrap_or_default() + 3;
        let has_focus = form.focus == Some(index) && !form.is_asking;
        let place = draw_field(model, field, has_focus, inside, row, buffer);
        if has_focus {
            cursor = Some(place);
        }
    }
    draw_outcome(model, form, inside, buffer);
    draw_hint(model, area, Word::EntranceHint, buffer);
    cursor
}

/// Draws the codes and returns where the cursor stands.
pub fn draw_codes(
    model: &Model,
    codes: &[String],
    answer: &Editor,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let cells = usize::from(COLUMNS.min(area.width).saturating_sub(4));
    let explained = wrap_plain(model.language.say(Word::CodesExplained), Style::new(), cells);
    let asked = wrap_plain(model.language.say(Word::CodesHint), theme::FAINT, cells);
    let codes: Vec<String> = codes.iter().map(|code| safe_line(code)).collect();
    let widest = codes.iter().map(|code| width(code)).max().unwrap_or(1) + 3;
    let columns = (cells / widest).clamp(1, 2);
    let code_rows = codes.len().div_ceil(columns);
    let rows = explained.len() + code_rows + asked.len() + 5;
    let title = model.language.say(Word::CodesTitle);
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let inside = canvas::framed(buffer, area, COLUMNS, rows, title);
    let mut row = 0;
    for line in &explained {
        canvas::write_line(buffer, inside, row, line);
        row += 1;
    }
    row += 1;
    for pair in codes.chunks(columns) {
        let line: String = pair.iter().map(|code| fill(code, widest)).collect();
        canvas::write_at(buffer, inside, 2, row, &line, theme::STRONG);
        row += 1;
    }
    row += 1;
    for line in &asked {
        canvas::write_line(buffer, inside, row, line);
        row += 1;
    }
    canvas::write(buffer, inside, row, ">", theme::FOCUS);
    let field = Rect::new(inside.x + 2, inside.y, inside.width.saturating_sub(2), inside.height);
    Some(canvas::field(buffer, field, row, answer, Style::new()))
}

/// Everything but the last line, which holds the hint.
fn body(area: Rect) -> Rect {
    Rect::new(area.x, area.y, area.width, area.height.saturating_sub(1))
}

fn draw_purposes(model: &Model, form: &Entrance, inside: Rect, buffer: &mut Buffer) {
    let mut column = 0;
    for purpose in Purpose::ALL {
        let label = format!(" {} ", model.language.say(purpose.word()));
        let style = match (purpose == form.purpose, form.focus) {
            (true, None) => theme::CHOSEN.patch(theme::FOCUS),
            (true, Some(_)) => theme::CHOSEN,
            (false, _) => theme::FAINT,
        };
        canvas::write_at(buffer, inside, column, 1, &label, style);
        column += u16::try_from(width(&label)).unwrap_or_default() + 1;
    }
}

fn draw_field(
    model: &Model,
    field: &Field,
    has_focus: bool,
    inside: Rect,
    row: u16,
    buffer: &mut Buffer,
) -> Position {
    let style = if has_focus { theme::FOCUS } else { theme::FAINT };
    let label = fit(model.language.say(field.label), usize::from(LABEL_CELLS) - 1);
    canvas::write(buffer, inside, row, &label, style);
    let left = LABEL_CELLS.min(inside.width);
    let area = Rect::new(inside.x + left, inside.y, inside.width - left, inside.height);
    if field.editor.text().is_empty() {
        let empty = if field.is_optional {
            model.language.say(Word::Optional).to_owned()
        } else {
            "·".repeat(usize::from(area.width.min(24)))
        };
        canvas::write(buffer, area, row, &empty, theme::FAINT);
    }
    if field.is_secret {
        canvas::field(buffer, area, row, &field.editor.hidden(), Style::new())
    } else {
        canvas::field(buffer, area, row, &field.editor, Style::new())
    }
}

fn draw_outcome(model: &Model, form: &Entrance, inside: Rect, buffer: &mut Buffer) {
    let first = u16::try_from(form.fields.len()).unwrap_or_default() + 4;
    if form.is_asking {
        let asking = model.language.say(Word::Asking);
        canvas::write(buffer, inside, first, asking, theme::WAITING);
    } else if let Some(problem) = &form.problem {
        let cells = usize::from(inside.width);
        let lines = wrap_plain(&safe_line(problem), theme::PROBLEM, cells);
        for (row, line) in (first..).zip(&lines) {
            canvas::write_line(buffer, inside, row, line);
        }
    }
}

fn draw_hint(model: &Model, area: Rect, word: Word, buffer: &mut Buffer) {
    let hint = fit(model.language.say(word), usize::from(area.width));
    let column = (usize::from(area.width) - width(&hint)) / 2;
    let column = u16::try_from(column).unwrap_or_default();
    let last = area.height.saturating_sub(1);
    canvas::write_at(buffer, area, column, last, &hint, theme::FAINT);
}
