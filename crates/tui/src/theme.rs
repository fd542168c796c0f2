//! The colours: the terminal's own sixteen, so that light and dark themes both stay readable.

use ratatui::style::{Color, Modifier, Style};

/// Colours of names, by the hue of the account.
const NAMES: [Color; 6] = [Color::Red, Color::Yellow, Color::Green, Color::Cyan, Color::Blue, Color::Magenta];

/// What matters less.
pub const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
/// Titles.
pub const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
/// What is chosen.
pub const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);
/// What is unread, and counts of it.
pub const UNREAD: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD.union(Modifier::REVERSED));
/// The mark of the selected message, and of what has the focus.
pub const FOCUS: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
/// What went wrong.
pub const PROBLEM: Style = Style::new().fg(Color::Red);
/// What waits.
pub const WAITING: Style = Style::new().fg(Color::Yellow);
/// What is well.
pub const WELL: Style = Style::new().fg(Color::Green);
/// Drafts.
pub const DRAFT: Style = Style::new().fg(Color::Yellow);

/// The style of a name whose account has this hue, 0 to 359 degrees.
pub fn name(hue: u16) -> Style {
    let index = usize::from(hue % 360) * NAMES.len() / 360;
    STRONG.fg(NAMES[index])
}
