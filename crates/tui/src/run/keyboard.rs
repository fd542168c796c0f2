//! What the terminal sends, in a bounded queue. The stream behind it wakes only the task that asked it first, so that
//! it has a task of its own.

use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How many events wait; further ones wait in the terminal.
const WAITING_EVENTS: usize = 64;

/// The terminal's events.
pub struct Keyboard {
    events: mpsc::Receiver<std::io::Result<Event>>,
    reader: JoinHandle<()>,
}

impl Keyboard {
    /// Begins to listen.
    pub fn new() -> Self {
        let (sender, events) = mpsc::channel(WAITING_EVENTS);
        let reader = tokio::spawn(async move {
            let mut stream = EventStream::new();
            while let Some(event) = stream.next().await {
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        Self { events, reader }
    }

    /// The next event; `None` once the terminal is gone. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<std::io::Result<Event>> {
        self.events.recv().await
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
