//! The admin socket: a Unix socket in the data folder that only its owner can open. It asks for no credentials.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const NAME: &str = "admin.sock";
/// The shortest limit of a socket's path among the systems that we know, macOS, is 104 bytes.
const PATH_BYTES: usize = 100;

/// A path to a data folder's socket that is short enough, however deep the folder lies.
pub struct SocketPath {
    path: PathBuf,
    /// What a short path goes through has to stay open.
    _folder: Option<File>,
}

impl SocketPath {
    /// The socket of this data folder.
    pub fn of(data: &Path) -> io::Result<Self> {
        let path = data.join(NAME);
        if path.as_os_str().len() < PATH_BYTES {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()));
        Ok(Self { path, _folder: Some(folder) })
    }

    /// The path; valid as long as `self`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a server listens there.
    pub async fn is_answered(&self) -> bool {
        UnixStream::connect(&self.path).await.is_ok()
    }
}

/// The open socket of this process.
pub struct AdminSocket {
    serving: Option<Serving>,
}

struct Serving {
    path: SocketPath,
    task: JoinHandle<io::Result<()>>,
    stop: oneshot::Sender<()>,
}

impl AdminSocket {
    /// Serves `routes` in this data folder, whose lock this process holds. Where that is impossible the server goes on
    /// without, and the log says so.
    pub fn open(data: &Path, routes: Router) -> Self {
        let serving = Serving::start(data, routes);
        let serving = serving.inspect_err(|error| {
            tracing::warn!(
                "cannot open {NAME} in the data folder: {error}; `suda admin` and `suda backup` will not work \
                 while this server runs"
            );
        });
        Self { serving: serving.ok() }
    }

    /// Finishes what was asked, and takes the socket away.
    pub async fn close(self) {
        let Some(Serving { path, task, stop }) = self.serving else {
            return;
        };
        // An error in either means that the task has ended by itself.
        let _ = stop.send(());
        let _ = task.await;
        let _ = fs::remove_file(path.path());
    }
}

impl Serving {
    fn start(data: &Path, routes: Router) -> io::Result<Self> {
        let path = SocketPath::of(data)?;
        // Left behind by a process that was killed: the folder's lock says that it is gone.
        let _ = fs::remove_file(path.path());
        let listener = UnixListener::bind(path.path())?;
        fs::set_permissions(path.path(), Permissions::from_mode(0o600))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = axum::serve(listener, routes).with_graceful_shutdown(async {
            // A dropped sender asks for the same.
            let _ = stopped.await;
        });
        Ok(Self { path, task: tokio::spawn(serve.into_future()), stop })
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    #[tokio::test]
    async fn answers_in_shallow_and_in_deep_folders_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        for data in [folder.path().to_owned(), folder.path().join("x".repeat(120))] {
            fs::create_dir_all(&data).unwrap();
            let path = SocketPath::of(&data).unwrap();
            assert!(!path.is_answered().await);
            for _ in 0..2 {
                let socket = AdminSocket::open(&data, Router::new().route("/", get(|| async {})));
                assert!(path.is_answered().await);
                let mode = fs::metadata(data.join(NAME)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
                socket.close().await;
                assert!(!path.is_answered().await);
            }
        }
    }

    #[tokio::test]
    async fn replaces_what_a_killed_process_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(folder.path().join(NAME)).unwrap());
        let path = SocketPath::of(folder.path()).unwrap();
        assert!(!path.is_answered().await);
        let socket = AdminSocket::open(folder.path(), Router::new());
        assert!(path.is_answered().await);
        socket.close().await;
    }
}
