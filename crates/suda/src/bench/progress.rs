//! Shows how far a bench is, on standard error, if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar is drawn.
const TICK: Duration = Duration::from_millis(200);

/// One step.
pub struct Bar(ProgressBar);

impl Bar {
    /// A step of `total` parts.
    pub fn counting(what: &str, total: u64) -> Self {
        Self::of(what, total, "{msg:34} {wide_bar} {pos}/{len}, {elapsed}, {eta} left")
    }

    /// A step that takes as long as is known.
    pub fn timing(what: &str, length: Duration) -> Self {
        Self::of(what, length.as_millis() as u64, "{msg:34} {wide_bar} {elapsed}, {eta} left")
    }

    fn of(what: &str, total: u64, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).expect("both templates are valid");
        let bar = ProgressBar::new(total).with_style(style).with_message(what.to_owned());
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// So many more parts are done.
    pub fn advance(&self, parts: u64) {
        self.0.inc(parts);
    }

    /// Waits until this much of the time has passed.
    pub async fn wait(&self, length: Duration) {
        let end = tokio::time::Instant::now() + length;
        let start = self.0.position();
        let began = tokio::time::Instant::now();
        while tokio::time::Instant::now() < end {
            tokio::time::sleep_until(end.min(tokio::time::Instant::now() + TICK)).await;
            self.0.set_position(start + began.elapsed().as_millis() as u64);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
