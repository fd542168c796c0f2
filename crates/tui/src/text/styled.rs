//! A message's text as styled pieces: the small Markdown subset and mentions. Delimiters that close are not shown.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use suda_proto::Mention;

use super::safe::safe_text;

/// Delimiters and what they do, longest first so that `**` is not read as two `*`.
const DELIMITERS: [(&str, Modifier); 5] = [
    ("**", Modifier::BOLD),
    ("~~", Modifier::CROSSED_OUT),
    ("*", Modifier::ITALIC),
    ("_", Modifier::ITALIC),
    ("`", Modifier::DIM),
];

/// One scalar of the text on its way to a piece.
#[derive(Clone, Copy)]
struct Scalar {
    value: char,
    style: Style,
    shown: bool,
}

/// `text` as safe, styled pieces. `mentions` count Unicode scalars of `text`; those beyond it are ignored.
pub fn styled(text: &str, mentions: &[Mention]) -> Vec<Span<'static>> {
    let mut scalars: Vec<Scalar> =
        text.chars().map(|value| Scalar { value, style: Style::new(), shown: true }).collect();
    for line in scalars.split_mut(|scalar| scalar.value == '\n') {
        emphasise(line);
    }
    for mention in mentions {
        let start = mention.start as usize;
        let end = start.saturating_add(mention.length as usize);
        if let Some(mentioned) = scalars.get_mut(start..end) {
            mark_mention(mentioned);
        }
    }
    pieces(&scalars)
}

fn mark_mention(scalars: &mut [Scalar]) {
    for scalar in scalars {
        scalar.style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
        scalar.shown = true;
    }
}

/// Styles what stands between pairs of delimiters in one line; pairs do not nest.
fn emphasise(line: &mut [Scalar]) {
    let mut at = 0;
    while at < line.len() {
        let Some((inner_end, length, modifier)) = opening(line, at) else {
            at += 1;
            continue;
        };
        for scalar in &mut line[at + length..inner_end] {
            scalar.style = scalar.style.add_modifier(modifier);
        }
        for hidden in [at..at + length, inner_end..inner_end + length] {
            line[hidden].iter_mut().for_each(|scalar| scalar.shown = false);
        }
        at = inner_end + length;
    }
}

/// Where the pair that opens at `at` closes, how long its delimiter is, and what it does.
fn opening(line: &[Scalar], at: usize) -> Option<(usize, usize, Modifier)> {
    let (delimiter, modifier) = DELIMITERS.iter().find(|(delimiter, _)| stands_at(line, at, delimiter))?;
    let length = delimiter.len();
    let before = at.checked_sub(1).map(|index| line[index].value);
    let first = line.get(at + length)?.value;
    if before.is_some_and(char::is_alphanumeric) || first.is_whitespace() {
        return None;
    }
    let closing = (at + length + 1..line.len()).find(|index| {
        let after = line.get(index + length).map(|scalar| scalar.value);
        stands_at(line, *index, delimiter)
            && !line[index - 1].value.is_whitespace()
            && !after.is_some_and(char::is_alphanumeric)
    })?;
    Some((closing, length, *modifier))
}

fn stands_at(line: &[Scalar], at: usize, delimiter: &str) -> bool {
    let values = line[at..].iter().map(|scalar| scalar.value);
    values.take(delimiter.len()).eq(delimiter.chars())
}

fn pieces(scalars: &[Scalar]) -> Vec<Span<'static>> {
    let mut pieces: Vec<(String, Style)> = Vec::new();
    for scalar in scalars.iter().filter(|scalar| scalar.shown) {
        match pieces.last_mut() {
            Some((content, style)) if *style == scalar.style => content.push(scalar.value),
            _ => pieces.push((scalar.value.to_string(), scalar.style)),
        }
    }
    pieces.into_iter().map(|(content, style)| Span::styled(safe_text(&content), style)).collect()
}

#[cfg(test)]
mod tests {
    use suda_proto::Mentioned;

    use super::*;

    fn shown(text: &str) -> String {
        let pieces = styled(text, &[]);
        pieces.iter().map(|piece| piece.content.as_ref()).collect()
    }

    #[test]
    fn pairs_style_and_vanish_and_lonely_signs_stay() {
        for (text, expected) in [
            ("plain", "plain"),
            ("**bold** and *soft*", "bold and soft"),
            ("~~gone~~ `code`", "gone code"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("snake_case_name", "snake_case_name"),
            ("**open", "**open"),
            ("*one\ntwo*", "*one\ntwo*"),
            ("**", "**"),
            ("****", "****"),
        ] {
            assert_eq!(shown(text), expected);
        }
        let pieces = styled("so **bold**", &[]);
        assert!(pieces[1].style.add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn mentions_count_scalars_and_may_lie() {
        let mention = |start, length| Mention { who: Mentioned::All, start, length };
        let pieces = styled("안녕 @mina!", &[mention(3, 5), mention(90, 5), mention(2, u32::MAX)]);
        assert_eq!(pieces[1].content, "@mina");
        assert_eq!(pieces[1].style.fg, Some(Color::Cyan));
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn pieces_are_safe() {
        assert_eq!(shown("*\x1b[2J*"), "␛[2J");
    }
}
