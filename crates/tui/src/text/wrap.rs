//! Breaks styled text into lines of a width: at spaces, between ideographs, and inside words only where they are too
//! long.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::grapheme_width;

/// One grapheme cluster with its style.
#[derive(Clone, Copy)]
struct Cluster<'a> {
    symbol: &'a str,
    style: Style,
    width: usize,
}

impl Cluster<'_> {
    fn is_space(&self) -> bool {
        self.symbol == " "
    }

    /// Chinese and Japanese are written without spaces, so that a line may end after any of their characters. Korean
    /// has spaces and reads better when its words stay whole.
    fn is_ideograph(&self) -> bool {
        self.symbol
            .chars()
            .next()
            .is_some_and(|scalar| matches!(scalar, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}'))
    }
}

/// `pieces` as lines of at most `width` cells; `\n` always ends a line. There is at least one line.
pub fn wrap(pieces: &[Span<'_>], width: usize) -> Vec<Line<'static>> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut paragraph = Vec::new();
    for piece in pieces {
        for symbol in piece.content.graphemes(true) {
            if symbol.contains('\n') {
                break_paragraph(&paragraph, width, &mut lines);
                paragraph.clear();
                continue;
            }
            paragraph.push(Cluster { symbol, style: piece.style, width: grapheme_width(symbol).min(width) });
        }
    }
    break_paragraph(&paragraph, width, &mut lines);
    lines
}

/// [`wrap`] for text in one style.
pub fn wrap_plain(text: &str, style: Style, width: usize) -> Vec<Line<'static>> {
    wrap(&[Span::styled(text, style)], width)
}

fn break_paragraph(clusters: &[Cluster<'_>], width: usize, lines: &mut Vec<Line<'static>>) {
    let mut rest = clusters;
    loop {
        let (line, next) = first_line(rest, width);
        lines.push(joined(line));
        rest = next;
        if rest.is_empty() {
            return;
        }
    }
}

/// The clusters of the first line, and those after it. Spaces at a break belong to neither.
fn first_line<'a, 'b>(clusters: &'a [Cluster<'b>], width: usize) -> (&'a [Cluster<'b>], &'a [Cluster<'b>]) {
    let mut used = 0;
    let mut last_break = None;
    for (index, cluster) in clusters.iter().enumerate() {
        if index > 0 && may_break_before(clusters, index) {
            last_break = Some(index);
        }
        used += cluster.width;
        if used > width && !cluster.is_space() {
            let end = last_break.unwrap_or(index).max(1);
            return (trimmed(&clusters[..end]), &clusters[end..]);
        }
    }
    (clusters, &[])
}

fn may_break_before(clusters: &[Cluster<'_>], index: usize) -> bool {
    let (before, after) = (&clusters[index - 1], &clusters[index]);
    !after.is_space() && (before.is_space() || before.is_ideograph() || after.is_ideograph())
}

fn trimmed<'a, 'b>(line: &'a [Cluster<'b>]) -> &'a [Cluster<'b>] {
    let spaces = line.iter().rev().take_while(|cluster| cluster.is_space());
    &line[..line.len() - spaces.count()]
}

/// One line, with neighbours of the same style joined into one span.
fn joined(clusters: &[Cluster<'_>]) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for cluster in clusters {
        match spans.last_mut() {
            Some(last) if last.style == cluster.style => {
                last.content.to_mut().push_str(cluster.symbol);
            }
            _ => spans.push(Span::styled(cluster.symbol.to_owned(), cluster.style)),
        }
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        let lines = wrap_plain(text, Style::new(), width);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_break_where_a_reader_expects() {
        for (text, width, expected) in [
            ("", 5, vec![""]),
            ("see you at noon", 8, vec!["see you", "at noon"]),
            ("see you", 7, vec!["see you"]),
            ("see you ", 7, vec!["see you "]),
            ("unbreakable", 5, vec!["unbre", "akabl", "e"]),
            ("one\n\ntwo", 9, vec!["one", "", "two"]),
            ("내일 만나요", 9, vec!["내일", "만나요"]),
            ("안녕하세요", 4, vec!["안녕", "하세", "요"]),
            ("日本語です", 5, vec!["日本", "語で", "す"]),
            ("see 日本語", 8, vec!["see 日本", "語"]),
            ("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 4, vec!["👨‍👩‍👧👨‍👩‍👧", "👨‍👩‍👧"]),
            ("  indented", 12, vec!["  indented"]),
        ] {
            assert_eq!(lines(text, width), expected, "{text:?} in {width}");
        }
    }

    #[test]
    fn no_line_is_wider_than_asked() {
        let text = "Grüße 안녕하세요, e\u{301}te\u{301} 日本語 👩🏽‍🚀 ok averyveryverylongword";
        for width in 2..30 {
            for line in lines(text, width) {
                assert!(super::super::width(line.trim_end()) <= width, "{line:?} in {width}");
            }
        }
    }

    #[test]
    fn styles_survive_breaks() {
        let bold = Style::new().bold();
        let lines = wrap(&[Span::raw("so "), Span::styled("very bold", bold)], 7);
        assert_eq!(lines[0].spans.last().map(|span| span.style), Some(bold));
        assert_eq!(lines[1].spans[0].style, bold);
    }
}
