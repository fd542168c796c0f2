//! A small text editor: the message box, and every field of a form.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use super::grapheme_width;
use super::safe::typed_text;

/// What a key did to an editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The text changed.
    Edited,
    /// Only the cursor moved.
    Moved,
    /// The key is not the editor's, or it can do nothing here.
    Ignored,
}

/// Text with a cursor. It holds only what is safe to draw, up to a number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// In bytes, on a border of grapheme clusters.
    cursor: usize,
    limit_bytes: usize,
    lines: bool,
}

/// How an editor looks in a width: its rows, and the cursor's place among them in cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The rows, at least one.
    pub rows: Vec<String>,
    /// The cursor's column.
    pub column: usize,
    /// The cursor's row.
    pub row: usize,
}

impl Editor {
    /// An empty editor for one line.
    pub fn line(limit_bytes: usize) -> Self {
        Self { text: String::new(), cursor: 0, limit_bytes, lines: false }
    }

    /// An empty editor for several lines.
    pub fn lines(limit_bytes: usize) -> Self {
        Self { lines: true, ..Self::line(limit_bytes) }
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Replaces everything and puts the cursor at the end.
    pub fn set(&mut self, text: &str) {
        self.text.clear();
        self.cursor = 0;
        self.insert(text);
    }

    /// Inserts typed or pasted text at the cursor, as much as fits. False where some of it does not.
    pub fn insert(&mut self, text: &str) -> bool {
        let mut typed = typed_text(text);
        if !self.lines {
            typed = typed.replace('\n', " ");
        }
        let room = self.limit_bytes.saturating_sub(self.text.len());
        let fitting = typed
            .grapheme_indices(true)
            .map(|(at, cluster)| at + cluster.len())
            .take_while(|end| *end <= room)
            .last()
            .unwrap_or(0);
        self.text.insert_str(self.cursor, &typed[..fitting]);
        self.cursor += fitting;
        self.cursor = self.border_at_or_after(self.cursor);
        fitting == typed.len()
    }

    /// Replaces the last `bytes` before the cursor, for completions.
    pub fn replace_before_cursor(&mut self, bytes: usize, text: &str) {
        let start = self.cursor.saturating_sub(bytes);
        self.remove(start, self.cursor);
        self.insert(text);
    }

    /// Does what `key` means in an editor that is shown `width` cells wide.
    pub fn press(&mut self, key: KeyEvent, width: usize) -> Pressed {
        let word = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char(character) if key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.press_control(character)
            }
            KeyCode::Char('b') if alt => self.move_to(self.word_start()),
            KeyCode::Char('f') if alt => self.move_to(self.word_end()),
            KeyCode::Char('d') if alt => self.remove(self.cursor, self.word_end()),
            KeyCode::Char(_) if alt => Pressed::Ignored,
            KeyCode::Char(character) => {
                self.insert(character.encode_utf8(&mut [0; 4]));
                Pressed::Edited
            }
            KeyCode::Backspace if word => self.remove(self.word_start(), self.cursor),
            KeyCode::Backspace => self.remove(self.before(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.after()),
            KeyCode::Left if word => self.move_to(self.word_start()),
            KeyCode::Right if word => self.move_to(self.word_end()),
            KeyCode::Left => self.move_to(self.before()),
            KeyCode::Right => self.move_to(self.after()),
            KeyCode::Home => self.move_to(self.line_start()),
            KeyCode::End => self.move_to(self.line_end()),
            KeyCode::Up if key.modifiers.is_empty() => self.move_rows(width, -1),
            KeyCode::Down if key.modifiers.is_empty() => self.move_rows(width, 1),
            _ => Pressed::Ignored,
        }
    }

    fn press_control(&mut self, character: char) -> Pressed {
        match character {
            'a' => self.move_to(self.line_start()),
            'e' => self.move_to(self.line_end()),
            'b' => self.move_to(self.before()),
            'f' => self.move_to(self.after()),
            'h' => self.remove(self.before(), self.cursor),
            'd' => self.remove(self.cursor, self.after()),
            'w' => self.remove(self.word_start(), self.cursor),
            'u' => self.remove(self.line_start(), self.cursor),
            'k' => self.remove(self.cursor, self.line_end()),
            'j' if self.lines => {
                self.insert("\n");
                Pressed::Edited
            }
            _ => Pressed::Ignored,
        }
    }

    /// Its rows in `width` cells. A cursor behind a full row stands at the start of the next one.
    pub fn sheet(&self, width: usize) -> Sheet {
        let width = width.max(2);
        let mut rows = vec![String::new()];
        let (mut column, mut cursor) = (0, (0, 0));
        for (at, cluster) in self.text.grapheme_indices(true) {
            let wide = grapheme_width_or_zero(cluster);
            if column + wide > width {
                rows.push(String::new());
                column = 0;
            }
            if at == self.cursor {
                cursor = (column, rows.len() - 1);
            }
            if cluster == "\n" {
                rows.push(String::new());
                column = 0;
            } else if let Some(row) = rows.last_mut() {
                row.push_str(cluster);
                column += wide;
            }
        }
        if self.cursor == self.text.len() {
            if column >= width {
                rows.push(String::new());
                column = 0;
            }
            cursor = (column, rows.len() - 1);
        }
        Sheet { rows, column: cursor.0, row: cursor.1 }
    }

    /// A one-line editor's text with every character hidden.
    pub fn hidden(&self) -> Self {
        let dots = |text: &str| "•".repeat(text.graphemes(true).count());
        let before = dots(self.before_cursor());
        Self {
            text: format!("{before}{}", dots(&self.text[self.cursor..])),
            cursor: before.len(),
            ..self.clone()
        }
    }

    fn move_to(&mut self, cursor: usize) -> Pressed {
        if cursor == self.cursor {
            return Pressed::Ignored;
        }
        self.cursor = cursor;
        Pressed::Moved
    }

    fn remove(&mut self, start: usize, end: usize) -> Pressed {
        if start == end {
            return Pressed::Ignored;
        }
        self.text.replace_range(start..end, "");
        self.cursor = self.border_at_or_after(start);
        Pressed::Edited
    }

    /// Moves up or down by one row, to the nearest column.
    fn move_rows(&mut self, width: usize, rows: isize) -> Pressed {
        let here = self.sheet(width);
        let Some(row) = here.row.checked_add_signed(rows) else {
            return Pressed::Ignored;
        };
        if row >= here.rows.len() {
            return Pressed::Ignored;
        }
        let mut probe = self.clone();
        let mut best = (usize::MAX, self.cursor);
        for border in self.borders() {
            probe.cursor = border;
            let sheet = probe.sheet(width);
            if sheet.row == row {
                best = best.min((sheet.column.abs_diff(here.column), border));
            }
        }
        self.move_to(best.1)
    }

    fn borders(&self) -> impl Iterator<Item = usize> {
        let starts = self.text.grapheme_indices(true).map(|(at, _)| at);
        starts.chain([self.text.len()])
    }

    fn border_at_or_after(&self, at: usize) -> usize {
        self.borders().find(|border| *border >= at).unwrap_or(self.text.len())
    }

    fn before(&self) -> usize {
        let last = self.before_cursor().graphemes(true).next_back();
        self.cursor - last.map_or(0, str::len)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn line_start(&self) -> usize {
        self.before_cursor().rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        let rest = &self.text[self.cursor..];
        self.cursor + rest.find('\n').unwrap_or(rest.len())
    }

    fn word_start(&self) -> usize {
        let before = self.before_cursor().trim_end();
        before
            .char_indices()
            .rev()
            .find(|(_, character)| character.is_whitespace())
            .map_or(0, |(at, space)| at + space.len_utf8())
    }

    fn word_end(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let spaces = rest.len() - rest.trim_start().len();
        let word = rest[spaces..].find(char::is_whitespace);
        self.cursor + word.map_or(rest.len(), |length| spaces + length)
    }
}

fn grapheme_width_or_zero(cluster: &str) -> usize {
    if cluster == "\n" { 0 } else { grapheme_width(cluster) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut Editor, code: KeyCode, modifiers: KeyModifiers) -> Pressed {
        editor.press(KeyEvent::new(code, modifiers), 10)
    }

    fn editor(text: &str) -> Editor {
        let mut editor = Editor::lines(100);
        editor.set(text);
        editor
    }

    #[test]
    fn keys_move_and_remove_whole_characters_as_people_see_them() {
        let mut editor = editor("안녕👨‍👩‍👧e\u{301}");
        press(&mut editor, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(editor.text(), "안녕👨‍👩‍👧");
        press(&mut editor, KeyCode::Left, KeyModifiers::NONE);
        assert_eq!(editor.before_cursor(), "안녕");
        press(&mut editor, KeyCode::Delete, KeyModifiers::NONE);
        assert_eq!(editor.text(), "안녕");
    }

    #[test]
    fn words_and_lines_are_units_as_in_a_shell() {
        let mut editor = editor("one two three");
        press(&mut editor, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(editor.text(), "one two ");
        press(&mut editor, KeyCode::Char('b'), KeyModifiers::ALT);
        assert_eq!(editor.before_cursor(), "one ");
        press(&mut editor, KeyCode::Char('k'), KeyModifiers::CONTROL);
        assert_eq!(editor.text(), "one ");
        press(&mut editor, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(editor.text(), "");
        let nothing = press(&mut editor, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(nothing, Pressed::Ignored);
    }

    #[test]
    fn the_cursor_counts_cells() {
        let sheet = editor("안녕 hello").sheet(80);
        assert_eq!((sheet.column, sheet.row), (10, 0));
        let sheet = editor("안녕하세요").sheet(5);
        assert_eq!(sheet.rows, ["안녕", "하세", "요"]);
        assert_eq!((sheet.column, sheet.row), (2, 2));
        let sheet = editor("abcde").sheet(5);
        assert_eq!((sheet.column, sheet.row), (0, 1));
        let sheet = editor("ab\n").sheet(5);
        assert_eq!((sheet.column, sheet.row), (0, 1));
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut editor = editor("대화방\nabcdef\nx");
        assert_eq!(press(&mut editor, KeyCode::Up, KeyModifiers::NONE), Pressed::Moved);
        assert_eq!(editor.before_cursor(), "대화방\na");
        press(&mut editor, KeyCode::End, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Up, KeyModifiers::NONE);
        assert_eq!(editor.before_cursor(), "대화방");
        assert_eq!(press(&mut editor, KeyCode::Up, KeyModifiers::NONE), Pressed::Ignored);
    }

    #[test]
    fn text_beyond_the_limit_is_not_taken() {
        let mut editor = Editor::line(7);
        editor.insert("안녕\n하");
        assert_eq!(editor.text(), "안녕 ");
        assert_eq!(editor.hidden().text(), "•••");
    }
}
