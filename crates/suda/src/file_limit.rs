//! Open files: each connection costs one, so the limit is raised as far as the system lets us.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that storage, logging and the runtime may need beside connections.
const RESERVED: usize = 128;
/// Below this a server is not fit for more than trying it out.
const MODEST: usize = 4_096;

/// Raises the limit of open files to what the system permits, and answers how many connections fit below it. Logs the
/// number that would be needed if `sessions` do not fit and the limit is a small one.
pub fn raise(sessions: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    let connections = connections(files);
    if connections < sessions && files < MODEST {
        let needed = sessions.min(MODEST - RESERVED) + RESERVED;
        tracing::warn!(
            "at most {files} files can be open, which leaves {connections} connections; \
             raise the limit to {needed} or more (`ulimit -n`, or LimitNOFILE= in a systemd unit)"
        );
    }
    connections
}

/// How many connections fit into a limit of open files.
fn connections(files: usize) -> usize {
    files.saturating_sub(RESERVED).max(files / 4).clamp(1, tokio::sync::Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_always_has_files_left() {
        assert_eq!(connections(20_000), 19_872);
        assert_eq!(connections(200), 72);
        assert_eq!(connections(64), 16);
        assert_eq!(connections(0), 1);
        assert_eq!(connections(usize::MAX), tokio::sync::Semaphore::MAX_PERMITS);
    }
}
