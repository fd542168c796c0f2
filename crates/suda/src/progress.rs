//! Progress on terminals, for what takes longer than a glance.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

/// What is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// The progress of one command. It draws on standard error, and only if that is a terminal.
pub struct Progress {
    what: String,
    began: Instant,
    spinner: Option<ProgressBar>,
}

impl Progress {
    /// Begins; `what` names the work, as in "backing up".
    pub fn of(what: &str) -> Self {
        Self { what: what.to_owned(), began: Instant::now(), spinner: None }
    }

    /// Goes on to this step.
    pub fn step(&mut self, what: String) {
        self.what = what;
        if self.began.elapsed() >= PATIENCE {
            self.show();
        }
    }

    /// Waits for work that does not say how far it is.
    pub async fn until<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => self.show(),
        }
        work.await
    }

    fn show(&mut self) {
        let spinner = self.spinner.get_or_insert_with(|| {
            let spinner = ProgressBar::new_spinner();
            spinner.enable_steady_tick(TURN);
            spinner
        });
        spinner.set_message(self.what.clone());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
