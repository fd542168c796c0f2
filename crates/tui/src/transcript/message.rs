//! One message as lines: name and time, quote, text with ticks, reactions, and what went wrong.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use suda_client::model::{Message, MessageContent, MessageState};

use super::{GUTTER_CELLS, TICKS_CELLS, note};
use crate::calendar::Moment;
use crate::model::Model;
use crate::model::conversation::OpenConversation;
use crate::text::safe::safe_line;
use crate::text::styled::styled;
use crate::text::wrap::{wrap, wrap_plain};
use crate::text::{self, width};
use crate::theme;
use crate::words::Word;

/// The most reactions shown; the page of the message lists all.
const SHOWN_REACTIONS: usize = 12;

/// The lines of `message`. It `continues` where it stands under the name of the one before.
pub fn lines(
    model: &Model,
    open: &OpenConversation,
    message: &Message,
    continues: bool,
    width: usize,
) -> Vec<Line<'static>> {
    if let Some(sentence) = note::sentence(model, message) {
        return centred(&sentence, width);
    }
    let text_width = width.saturating_sub(GUTTER_CELLS + TICKS_CELLS).max(8);
    let mut lines = Vec::new();
    if !continues {
        lines.push(head(model, message, text_width));
    }
    lines.extend(quote(model, open, message, text_width));
    let mut text = text_lines(model, message, text_width);
    if let Some(last) = text.last_mut() {
        push_ticks(model, open, message, last, text_width);
    }
    lines.extend(text);
    lines.extend(reactions(message, text_width));
    lines.extend(failure(model, message, text_width));
    let is_selected = open.selected == Some(message.client_id);
    let mark = if is_selected { "▌" } else { " " };
    for (index, line) in lines.iter_mut().enumerate() {
        let is_head = index == 0 && !continues;
        let indent = if is_head { "" } else { "  " };
        let gutter = Span::styled(format!("{mark}{indent}"), theme::FOCUS);
        line.spans.insert(0, gutter);
    }
    lines
}

fn head(model: &Model, message: &Message, text_width: usize) -> Line<'static> {
    let hue = model.people.profile(message.author);
    let name = text::fit(&note::author(model, message), text_width.saturating_sub(7));
    let time = Moment::local(message.at, &model.zone).clock();
    Line::from(vec![
        Span::styled(name, theme::name(hue.map_or(200, |profile| profile.colour))),
        Span::styled(format!("  {time}"), theme::FAINT),
    ])
}

fn quote(
    model: &Model,
    open: &OpenConversation,
    message: &Message,
    text_width: usize,
) -> Option<Line<'static>> {
    let original = open.by_seq(message.reply_to?);
    let quoted = match original {
        Some(original) => {
            let author = note::author(model, original);
            format!("{author}: {}", note::preview(model, original))
        }
        None => model.language.say(Word::OriginalGone).to_owned(),
    };
    let quoted = text::fit(&quoted, text_width.saturating_sub(2));
    Some(Line::from(vec![Span::styled("│ ", theme::FOCUS), Span::styled(quoted, theme::FAINT)]))
}

fn text_lines(model: &Model, message: &Message, text_width: usize) -> Vec<Line<'static>> {
    let say = |word| model.language.say(word);
    match &message.content {
        MessageContent::Text { text, mentions, .. } => {
            let mut pieces = styled(text, mentions);
            if message.edited {
                let mark = format!(" {}", say(Word::Edited));
                pieces.push(Span::styled(mark, theme::FAINT));
            }
            wrap(&pieces, text_width)
        }
        MessageContent::Deleted => wrap_plain(say(Word::Deleted), theme::FAINT.italic(), text_width),
        _ => wrap_plain(say(Word::Unsupported), theme::FAINT.italic(), text_width),
    }
}

/// How far an own message has come, at the right end of its last line.
fn push_ticks(
    model: &Model,
    open: &OpenConversation,
    message: &Message,
    line: &mut Line<'static>,
    text_width: usize,
) {
    let Some((ticks, style)) = ticks(model, open, message) else {
        return;
    };
    let used: usize = line.spans.iter().map(|span| width(&span.content)).sum();
    let end = text_width + TICKS_CELLS - 1;
    let free = end.saturating_sub(used + width(&ticks));
    line.spans.push(Span::raw(" ".repeat(free)));
    line.spans.push(Span::styled(ticks, style));
}

fn ticks(model: &Model, open: &OpenConversation, message: &Message) -> Option<(String, Style)> {
    if Some(message.author) != model.me || message.content == MessageContent::Deleted {
        return None;
    }
    if message.changing {
        return Some(("…".to_owned(), theme::WAITING));
    }
    match (&message.state, message.seq) {
        (MessageState::Failed { .. }, _) => Some(("!".to_owned(), theme::PROBLEM)),
        (MessageState::Sent, Some(seq)) => {
            let (delivered, read) = open.receipts(seq, model.me);
            let others = open.others(model.me);
            Some(match (delivered, read) {
                (_, 1..) => (format!("✓✓ {read}"), theme::FOCUS),
                _ if others > 0 && delivered == others => ("✓✓".to_owned(), theme::FAINT),
                _ => ("✓".to_owned(), theme::FAINT),
            })
        }
        _ => Some(("…".to_owned(), theme::WAITING)),
    }
}

fn reactions(message: &Message, text_width: usize) -> Vec<Line<'static>> {
    let mut pieces: Vec<Span<'static>> = Vec::new();
    for reaction in message.reactions.iter().take(SHOWN_REACTIONS) {
        // A space that is no break keeps an emoji and its number on one line.
        let emoji = text::fit(&safe_line(&reaction.emoji), 12);
        let (shown, style) = if reaction.mine {
            (format!("[{emoji}\u{a0}{}]", reaction.count), theme::FOCUS)
        } else {
            (format!("{emoji}\u{a0}{}", reaction.count), Style::new())
        };
        if !pieces.is_empty() {
            pieces.push(Span::raw("  "));
        }
        pieces.push(Span::styled(shown, style));
    }
    if pieces.is_empty() { Vec::new() } else { wrap(&pieces, text_width) }
}

fn failure(model: &Model, message: &Message, text_width: usize) -> Vec<Line<'static>> {
    let MessageState::Failed { error } = &message.state else {
        return Vec::new();
    };
    let why = safe_line(&model.language.not_sent(error));
    let mut lines = wrap_plain(&why, theme::PROBLEM, text_width);
    let remedy = model.language.say(Word::RetryOrDiscard);
    lines.extend(wrap_plain(remedy, theme::FAINT, text_width));
    lines
}

fn centred(sentence: &str, width: usize) -> Vec<Line<'static>> {
    let mut lines = wrap_plain(sentence, theme::FAINT, width.saturating_sub(4));
    for line in &mut lines {
        let used: usize = line.spans.iter().map(|span| text::width(&span.content)).sum();
        let indent = " ".repeat(width.saturating_sub(used) / 2);
        line.spans.insert(0, Span::raw(indent));
    }
    lines
}
