//! Progress on terminals, for what takes longer than a glance.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// What is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// The progress of one command. It draws on standard error, and only if that is a terminal.
pub struct Progress {
    what: &'static str,
    began: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins; `what` names the work, as in "checking".
    pub fn of(what: &'static str) -> Self {
        Self { what, began: Instant::now(), bar: None }
    }

    /// So many bytes of `total` are done.
    pub fn at(&mut self, done: u64, total: u64) {
        if self.began.elapsed() >= PATIENCE {
            let bar = self.bar.get_or_insert_with(|| styled(self.what, BYTES));
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    /// Waits for work that cannot say how far it is.
    pub async fn until<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(PATIENCE), if self.bar.is_none() => {
                    let spinner = styled(self.what, SPINNER);
                    spinner.enable_steady_tick(TURN);
                    self.bar = Some(spinner);
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const BYTES: &str = "{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left";
const SPINNER: &str = "{spinner} {msg} for {elapsed}";

fn styled(what: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    let style = style.expect("both templates are valid; a test reads them");
    ProgressBar::new(0).with_style(style).with_message(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_templates_are_valid() {
        styled("checking", BYTES);
        styled("checking", SPINNER);
    }
}
