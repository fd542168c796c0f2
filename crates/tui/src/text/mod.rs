//! Text on a grid of cells: what is safe to draw, how wide it is, and where lines break.

pub mod editor;
pub mod safe;
pub mod styled;
pub mod wrap;

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

/// The width of `text` in cells, as the terminal's buffer counts it.
///
/// Never call it with control characters; see [`safe`].
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(grapheme_width).sum()
}

/// The width of one grapheme cluster in cells; 0 for what cannot stand alone.
pub fn grapheme_width(grapheme: &str) -> usize {
    usize::from(grapheme.cell_width())
}

/// `text` cut to at most `cells`, with an ellipsis where something was cut.
pub fn fit(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = grapheme_width(grapheme);
        if used + wide + 1 > cells {
            break;
        }
        fitted.push_str(grapheme);
        used += wide;
    }
    if cells > 0 {
        fitted.push('…');
    }
    fitted
}

/// `text` cut or filled with spaces to exactly `cells`.
pub fn fill(text: &str, cells: usize) -> String {
    let mut filled = fit(text, cells);
    filled.extend(std::iter::repeat_n(' ', cells.saturating_sub(width(&filled))));
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_cells() {
        for (text, cells) in [("chat", 4), ("대화", 4), ("e\u{301}", 1), ("👨‍👩‍👧", 2), ("❤️", 2), ("שלום", 4)]
        {
            assert_eq!(width(text), cells, "{text}");
        }
    }

    #[test]
    fn cutting_never_splits_a_wide_character() {
        for (text, cells, expected) in [
            ("chat", 4, "chat"),
            ("chats", 4, "cha…"),
            ("대화방", 5, "대화…"),
            ("대화방", 4, "대…"),
            ("👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…"),
            ("chat", 0, ""),
        ] {
            assert_eq!(fit(text, cells), expected);
        }
        assert_eq!(fill("대화방", 4), "대… ");
    }
}
