//! Small strokes that every view is made of. What lies outside the buffer is not drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget};

use crate::text::editor::Editor;
use crate::text::{fit, width};
use crate::theme;

/// Writes safe text at a row of `area`, cut to its width.
pub fn write(buffer: &mut Buffer, area: Rect, row: u16, text: &str, style: Style) {
    write_at(buffer, area, 0, row, text, style);
}

/// Writes safe text from a column of a row on, cut to the area.
pub fn write_at(buffer: &mut Buffer, area: Rect, column: u16, row: u16, text: &str, style: Style) {
    let area = area.intersection(buffer.area);
    if row >= area.height || column >= area.width {
        return;
    }
    let cells = usize::from(area.width - column);
    let text = fit(text, cells);
    buffer.set_stringn(area.x + column, area.y + row, text, cells, style);
}

/// Writes safe text so that it ends at the right border. Returns its width.
pub fn write_right(buffer: &mut Buffer, area: Rect, row: u16, text: &str, style: Style) -> u16 {
    let cells = u16::try_from(width(text)).unwrap_or(u16::MAX);
    let column = area.width.saturating_sub(cells);
    write_at(buffer, area, column, row, text, style);
    cells.min(area.width)
}

/// Writes a styled line at a row of `area`.
pub fn write_line(buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    let area = area.intersection(buffer.area);
    if row < area.height {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// Gives a row another style.
pub fn paint(buffer: &mut Buffer, area: Rect, row: u16, style: Style) {
    let stripe = Rect::new(area.x, area.y + row, area.width, 1);
    buffer.set_style(stripe.intersection(buffer.area), style);
}

/// A horizontal rule through a row.
pub fn rule(buffer: &mut Buffer, area: Rect, row: u16) {
    let drawn = "─".repeat(usize::from(area.width));
    write(buffer, area, row, &drawn, theme::FAINT);
}

/// An empty framed box in the middle of `area`, at most `columns` × `rows`. Returns its inside.
pub fn framed(buffer: &mut Buffer, area: Rect, columns: u16, rows: u16, title: &str) -> Rect {
    let columns = columns.min(area.width);
    let rows = rows.min(area.height);
    let left = area.x + (area.width - columns) / 2;
    let top = area.y + (area.height - rows) / 2;
    let outer = Rect::new(left, top, columns, rows).intersection(buffer.area);
    // A wide character that the frame would cut in half leaves its other half behind.
    let margin = Rect::new(left.saturating_sub(1), top, columns + 2, rows);
    clear_halves(buffer, margin.intersection(buffer.area), outer);
    Clear.render(outer, buffer);
    let block = Block::bordered().title(format!(" {title} ")).title_style(theme::STRONG);
    let inside = block.inner(outer);
    block.render(outer, buffer);
    let padding = u16::from(inside.width > 4);
    Rect::new(inside.x + padding, inside.y, inside.width - 2 * padding, inside.height)
}

/// Clears wide characters that begin left of the box and reach into it.
fn clear_halves(buffer: &mut Buffer, margin: Rect, outer: Rect) {
    if margin.x == outer.x {
        return;
    }
    for row in margin.y..margin.bottom() {
        let cell = &mut buffer[(margin.x, row)];
        if width(cell.symbol()) > 1 {
            cell.reset();
        }
    }
}

/// Draws a one-line editor, scrolled so that its cursor is visible, and returns where the cursor stands.
pub fn field(buffer: &mut Buffer, area: Rect, row: u16, editor: &Editor, style: Style) -> Position {
    let cells = usize::from(area.width.max(1));
    let before = width(editor.before_cursor());
    let hidden = (before + 1).saturating_sub(cells);
    let mut column = 0;
    let mut shown = String::new();
    let mut skipped = 0;
    for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(editor.text(), true) {
        let wide = crate::text::grapheme_width(grapheme);
        if skipped < hidden {
            skipped += wide;
            continue;
        }
        if column + wide > cells {
            break;
        }
        shown.push_str(grapheme);
        column += wide;
    }
    write(buffer, area, row, &shown, style);
    let at = u16::try_from(before - skipped.min(before)).unwrap_or(u16::MAX);
    Position::new(area.x.saturating_add(at), area.y + row)
}
