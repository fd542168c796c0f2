//! Shows how far a replay is: one bar a step, on standard error, if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// One step of the replay.
pub struct Step {
    bar: ProgressBar,
}

impl Step {
    /// Begins a step of `total` parts; `what` names it, as in "signing up".
    pub fn of(what: &'static str, total: usize) -> Self {
        let style = ProgressStyle::with_template("{msg:22} {wide_bar} {pos}/{len}, {elapsed}, {eta} left");
        let style = style.expect("the template is valid; every replay reads it");
        let bar = ProgressBar::new(total as u64).with_style(style).with_message(what);
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// One more part is done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// So many parts are done.
    pub fn at(&self, done: u64) {
        self.bar.set_position(done);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish();
    }
}
