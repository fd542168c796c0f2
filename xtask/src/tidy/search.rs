//! Finding needles in a file's text and naming the line they stand on.

/// The byte offsets at which `needle` stands in `text` as a whole word: an end of the needle that
/// is an identifier character does not touch another one.
pub fn whole_words<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let opens_as_word = needle.starts_with(is_identifier_character);
    let closes_as_word = needle.ends_with(is_identifier_character);
    text.match_indices(needle).filter_map(move |(start, _)| {
        let cut_before = opens_as_word && text[..start].ends_with(is_identifier_character);
        let rest = &text[start + needle.len()..];
        let cut_after = closes_as_word && rest.starts_with(is_identifier_character);
        (!cut_before && !cut_after).then_some(start)
    })
}

/// The line, counted from 1, of the byte at `offset`.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

/// The text of line `line` (counted from 1), empty when there is none.
pub fn line_text(text: &str, line: usize) -> &str {
    text.lines().nth(line.saturating_sub(1)).unwrap_or("")
}

/// Whether `character` can stand inside a Rust identifier.
pub fn is_identifier_character(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        let text = "rand::x operand::y rand::z";
        assert_eq!(whole_words(text, "rand::").collect::<Vec<_>>(), [0, 19]);
        assert_eq!(whole_words("tokio tokios", "tokio").count(), 1);
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_of("a\nb\nc", 0), 1);
        assert_eq!(line_of("a\nb\nc", 4), 3);
        assert_eq!(line_text("a\nb", 2), "b");
        assert_eq!(line_text("a\nb", 9), "");
    }
}
