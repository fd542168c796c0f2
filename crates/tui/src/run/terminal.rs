//! The terminal while the client has it: raw, on the alternate screen, with pasting and focus reported.

use std::io::{Result, stdout};

use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::execute;
use ratatui::{DefaultTerminal, Frame};

/// The terminal; it is put in order when this is dropped, and when the program panics.
pub struct Screenful(DefaultTerminal);

impl Screenful {
    /// Takes the terminal.
    pub fn enter() -> Result<Self> {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            stop_reports();
            hook(panic);
        }));
        let terminal = ratatui::try_init()?;
        execute!(stdout(), EnableBracketedPaste, EnableFocusChange)?;
        Ok(Self(terminal))
    }

    /// Width and height in cells.
    pub fn size(&self) -> Result<(u16, u16)> {
        let size = self.0.size()?;
        Ok((size.width, size.height))
    }

    /// Draws what changed.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
        self.0.draw(draw).map(|_| ())
    }
}

impl Drop for Screenful {
    fn drop(&mut self) {
        stop_reports();
        ratatui::restore();
    }
}

/// A terminal that cannot be told has gone away: then nothing is to be put in order.
fn stop_reports() {
    let _ = execute!(stdout(), DisableFocusChange, DisableBracketedPaste);
}
