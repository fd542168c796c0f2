//! Cuts Rust source into code, comments and literals, so that no check trips over a word in a
//! string or a brace in a comment.

use std::ops::Range;

use super::search::is_identifier_character;

/// What a stretch of source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    /// A string, byte string, C string or character literal, with its quotes.
    Literal,
}

/// The source with comments and literals replaced by spaces: same length, same lines.
pub fn code_only(source: &str) -> String {
    let mut masked = source.as_bytes().to_vec();
    for (kind, range) in segments(source) {
        if kind != Kind::Code {
            let stretch = masked[range].iter_mut();
            stretch.filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
    }
    // Whole segments are blanked, so no character is cut and nothing is lost here.
    String::from_utf8_lossy(&masked).into_owned()
}

/// The source without comments and without white space outside literals: what a reformatting or
/// a better comment leaves unchanged.
pub fn without_comments_and_space(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    for (kind, range) in segments(source) {
        match kind {
            Kind::Code => kept.extend(source[range].chars().filter(|c| !c.is_whitespace())),
            Kind::Literal => kept.push_str(&source[range]),
            Kind::Comment => {}
        }
    }
    kept
}

/// The segments of `source`, in order and without gaps.
fn segments(source: &str) -> Vec<(Kind, Range<usize>)> {
    let mut segments: Vec<(Kind, Range<usize>)> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let (kind, length) = next_segment(&source[at..]);
        segments.push((kind, at..at + length));
        at += length;
    }
    segments
}

/// The kind and the length in bytes of what `rest` (never empty) starts with.
fn next_segment(rest: &str) -> (Kind, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    if rest.starts_with("//") {
        (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Kind::Comment, block_comment_length(rest))
    } else if first == '"' {
        (Kind::Literal, quoted_length(rest, '"'))
    } else if first == '\'' {
        match character_length(rest) {
            Some(length) => (Kind::Literal, length),
            None => (Kind::Code, 1),
        }
    } else if is_identifier_character(first) {
        word_or_raw_string(rest)
    } else {
        (Kind::Code, first.len_utf8())
    }
}

/// Block comments nest in Rust; one that never ends takes the rest.
fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// The length of a literal that starts with `quote` and ends with the next unescaped one.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal, or nothing when the quote starts a lifetime or a label.
fn character_length(rest: &str) -> Option<usize> {
    let mut inside = rest.chars().skip(1);
    let first = inside.next()?;
    if first == '\\' || inside.next() == Some('\'') { Some(quoted_length(rest, '\'')) } else { None }
}

/// An identifier is taken whole, so that the `r` at the end of a word opens no raw string.
fn word_or_raw_string(rest: &str) -> (Kind, usize) {
    let word_length = rest.find(|character| !is_identifier_character(character)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(word_length);
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !matches!(word, "r" | "br" | "cr") || !after[hashes..].starts_with('"') {
        return (Kind::Code, word_length);
    }
    let body = word_length + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = rest[body..].find(&end).map(|at| body + at + end.len());
    (Kind::Literal, length.unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_masked(source: &str, expected: &str) {
        assert_eq!(code_only(source), expected, "masking {source:?}");
    }

    #[test]
    fn comments_are_blanked() {
        assert_masked("a // {\nb", "a     \nb");
        assert_masked("a /* { /* { */ \n } */ b", "a              \n      b");
        assert_masked("a /* never ends", "a              ");
    }

    #[test]
    fn strings_are_blanked() {
        assert_masked(r#"a("}\"{") b"#, "a(      ) b");
        assert_masked(r##"a(r#"{"}"#) b"##, "a(        ) b");
        assert_masked(r##"br#"{"#;"##, "       ;");
        assert_masked("b\"{\";", "b   ;");
        assert_masked("\"// no comment\" x", "                x");
    }

    #[test]
    fn characters_are_blanked_and_lifetimes_are_not() {
        assert_masked(r"f('{', b'}', '\'', '\u{7d}')", "f(   , b   ,     ,         )");
        assert_masked("fn f<'a>(x: &'a str) {", "fn f<'a>(x: &'a str) {");
        assert_masked("'outer: loop {}", "'outer: loop {}");
    }

    #[test]
    fn raw_identifiers_are_code() {
        assert_masked("r#type { }", "r#type { }");
        assert_masked("for\"{\"", "for   ");
    }

    #[test]
    fn characters_of_several_bytes_keep_the_length() {
        let source = "\"안녕\" // 안녕\nfn";
        let masked = code_only(source);
        assert_eq!(masked.len(), source.len());
        assert!(masked.ends_with("\nfn"));
    }

    #[test]
    fn comments_and_space_do_not_change_what_is_left() {
        let plain = "struct A { name: &'static str }\nconst B: &str = \"a b\";";
        let dressed = "/// Doc.\nstruct A\n{ name: &'static str } // why\nconst B : &str=\"a b\";";
        let kept = without_comments_and_space(dressed);
        assert_eq!(kept, without_comments_and_space(plain));
        assert!(kept.contains("\"a b\""));
    }
}
