//! Makes foreign text harmless: no control character reaches the terminal, no override turns a line round.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// The most scalars of one grapheme cluster; beyond it lies ornament that spills over its neighbours.
const CLUSTER_SCALARS: usize = 24;

/// `text` with line breaks kept, tabs as spaces, and everything else that commands a terminal made visible or left out.
pub fn safe_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut safe = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        for scalar in cluster.chars().take(CLUSTER_SCALARS) {
            push_safe(&mut safe, scalar);
        }
    }
    safe
}

/// `text` as one safe line: line breaks become spaces.
pub fn safe_line(text: &str) -> String {
    safe_text(text).replace('\n', " ")
}

/// What may stand in an editor: like [`safe_text`], but what cannot be shown is left out, because it would be sent.
pub fn typed_text(text: &str) -> String {
    let joined: Cow<'_, str> =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() };
    let kept = joined.chars().filter(|scalar| matches!(scalar, '\n' | '\t') || !scalar.is_control());
    safe_text(&kept.collect::<String>())
}

fn push_safe(safe: &mut String, scalar: char) {
    match scalar {
        '\n' | '\u{2028}' | '\u{2029}' => safe.push('\n'),
        '\t' => safe.push_str("    "),
        '\0'..='\u{1f}' => safe.push(picture_of(scalar)),
        '\u{7f}' => safe.push('␡'),
        '\u{80}'..='\u{9f}' => safe.push('\u{fffd}'),
        _ if is_invisible_order(scalar) => {}
        _ => safe.push(scalar),
    }
}

/// The visible picture of a C0 control character.
fn picture_of(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or('\u{fffd}')
}

/// Characters without a shape which reorder, join lines or hide text. Joiners inside emoji stay.
fn is_invisible_order(scalar: char) -> bool {
    matches!(
        scalar,
        '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_for_the_terminal_become_pictures() {
        for (text, expected) in [
            ("a\x1b[31mb", "a␛[31mb"),
            ("bell\x07", "bell␇"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("x\u{7f}", "x␡"),
            ("one\r\ntwo\rthree", "one\ntwo␍three"),
            ("a\tb", "a    b"),
        ] {
            assert_eq!(safe_text(text), expected);
        }
        assert_eq!(safe_line("a\nb"), "a b");
    }

    #[test]
    fn overrides_of_direction_are_left_out_and_right_to_left_text_stays() {
        assert_eq!(safe_text("safe\u{202e}exe.txt\u{202c}"), "safeexe.txt");
        assert_eq!(safe_text("\u{2066}שלום\u{2069}"), "שלום");
    }

    #[test]
    fn emoji_keep_their_joiners_and_ornament_has_an_end() {
        assert_eq!(safe_text("👨‍👩‍👧 ❤️"), "👨‍👩‍👧 ❤️");
        let tower = format!("a{}", "\u{301}".repeat(500));
        assert_eq!(safe_text(&tower).chars().count(), CLUSTER_SCALARS);
    }

    #[test]
    fn pasted_text_loses_what_cannot_be_shown() {
        assert_eq!(typed_text("one\rtwo\x1b[0m\u{202e}"), "one\ntwo[0m");
    }
}
