//! Where the parts of the chat stand, for a size of the terminal. Drawing and scrolling both need to know.

use std::ops::Range;

use ratatui::layout::Rect;

use crate::model::{Model, Pane};

/// The width of the list beside a conversation, its border included.
const LIST_CELLS: u16 = 27;
/// Rows of the list above the first conversation.
pub const LIST_HEAD_ROWS: u16 = 2;
/// Rows of one conversation in the list.
pub const LIST_ITEM_ROWS: u16 = 2;
/// The most rows of the message box.
const WRITING_ROWS: u16 = 5;
/// Cells before the text in the message box.
pub const PROMPT_CELLS: u16 = 2;

/// The parts of the chat; those that are not shown are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// The list of conversations.
    pub list: Rect,
    /// The border between the panes.
    pub border: Rect,
    /// Title and who types.
    pub header: Rect,
    /// The messages.
    pub transcript: Rect,
    /// The line above the message box.
    pub banner: Rect,
    /// The message box.
    pub writing: Rect,
    /// The last line.
    pub status: Rect,
}

/// The areas for the model's size.
pub fn areas(model: &Model) -> Areas {
    let (width, height) = model.size;
    let body = height.saturating_sub(1);
    let mut areas = Areas { status: Rect::new(0, body, width, height.min(1)), ..Areas::default() };
    let whole = Rect::new(0, 0, width, body);
    if model.is_narrow() {
        match model.pane {
            Pane::List => areas.list = whole,
            Pane::Conversation => conversation_areas(model, whole, &mut areas),
        }
        return areas;
    }
    areas.list = Rect::new(0, 0, LIST_CELLS - 1, body);
    areas.border = Rect::new(LIST_CELLS - 1, 0, 1, body);
    let right = Rect::new(LIST_CELLS, 0, width - LIST_CELLS, body);
    conversation_areas(model, right, &mut areas);
    areas
}

/// Which of the conversations shown in the list are on screen: as many as fit, the chosen one among them.
pub fn listed(model: &Model, list: Rect) -> Range<usize> {
    if list.is_empty() {
        return 0..0;
    }
    let visible = usize::from(list.height.saturating_sub(LIST_HEAD_ROWS) / LIST_ITEM_ROWS).max(1);
    let selected = model.list.selected_index().unwrap_or_default();
    let skipped = selected.saturating_sub(visible - 1);
    skipped..skipped + visible
}

/// How wide text in the message box may be.
pub fn writing_width(areas: &Areas) -> usize {
    usize::from(areas.writing.width.saturating_sub(PROMPT_CELLS))
}

fn conversation_areas(model: &Model, pane: Rect, areas: &mut Areas) {
    let text_width = usize::from(pane.width.saturating_sub(PROMPT_CELLS));
    let rows = model.open.as_ref().map_or(1, |open| open.editor.sheet(text_width).rows.len());
    let most = WRITING_ROWS.min(pane.height.saturating_sub(5)).max(1);
    let writing = u16::try_from(rows).unwrap_or(WRITING_ROWS).min(most);
    let mut top = pane.y;
    let mut take = |rows: u16| {
        let area = Rect::new(pane.x, top, pane.width, rows).intersection(pane);
        top += rows;
        area
    };
    areas.header = take(2);
    areas.transcript = take(pane.height.saturating_sub(3 + writing));
    areas.banner = take(1);
    areas.writing = take(writing);
}
