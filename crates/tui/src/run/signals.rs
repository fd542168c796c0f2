//! Signals that end the client, so that the terminal is put in order first.

/// Waits for SIGTERM and SIGHUP.
#[cfg(unix)]
pub struct Ending {
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Ending {
    /// Begins to listen.
    pub fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, hang_up: signal(SignalKind::hangup())? })
    }

    /// Returns once the client is to end. May be dropped while it waits.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// Other systems close the terminal instead.
#[cfg(not(unix))]
pub struct Ending;

#[cfg(not(unix))]
impl Ending {
    /// There is nothing to listen to.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Never returns.
    pub async fn wait(&mut self) {
        std::future::pending().await
    }
}
