//! Spawns the real binary for tests: a server on a folder of its own and a free port, or one command to its end.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

pub mod presence;
pub mod wire;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine; what waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most log lines that are kept unread.
const LOG_LINES: usize = 100_000;

/// A running server.
pub struct Server {
    child: Child,
    url: String,
    folder: Folder,
    arguments: Vec<String>,
    /// Lines of standard error that nobody has waited for yet.
    log: Receiver<String>,
    readers: Vec<JoinHandle<()>>,
}

/// A data folder: the server's own, removed with it, or somebody else's.
enum Folder {
    Own(TempDir),
    Given(PathBuf),
}

impl Server {
    /// Starts a server on a new folder and a free port of this machine, and waits until it listens.
    pub fn spawn(arguments: &[&str]) -> Self {
        Self::start(Folder::Own(tempfile::tempdir().unwrap()), "127.0.0.1:0", arguments)
    }

    /// Starts a server on this folder, which stays when the server is dropped.
    pub fn spawn_on(data: &Path, arguments: &[&str]) -> Self {
        Self::start(Folder::Given(data.to_owned()), "127.0.0.1:0", arguments)
    }

    /// Starts a server that listens where `arguments` say.
    pub fn spawn_anywhere(data: &Path, arguments: &[&str]) -> Self {
        let mut command = suda(["serve"]);
        command.arg("--data").arg(data).args(arguments);
        Self::from_command(command, Folder::Given(data.to_owned()), arguments)
    }

    fn start(folder: Folder, listen: &str, arguments: &[&str]) -> Self {
        let mut command = suda(["serve"]);
        command.arg("--data").arg(folder.path()).args(["--listen", listen]).args(arguments);
        Self::from_command(command, folder, arguments)
    }

    /// Starts a server with no more than `files` open files.
    pub fn spawn_with_files(files: u32, arguments: &[&str]) -> Self {
        let folder = Folder::Own(tempfile::tempdir().unwrap());
        let script = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        let command = through(&script, &[], folder.path(), arguments);
        Self::from_command(command, folder, arguments)
    }

    /// Starts a server on this folder through a shell script that ends with `exec "$0" "$@"`.
    pub fn spawn_through(script: &str, variables: &[(&str, &Path)], data: &Path, arguments: &[&str]) -> Self {
        let command = through(script, variables, data, arguments);
        Self::from_command(command, Folder::Given(data.to_owned()), arguments)
    }

    fn from_command(mut command: Command, folder: Folder, arguments: &[&str]) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (log, errors) = lines(child.stderr.take().unwrap());
        let (output, outputs) = lines(child.stdout.take().unwrap());
        let Ok(first) = output.recv_timeout(PATIENCE) else {
            let log: Vec<_> = log.try_iter().collect();
            panic!("the server did not start: {:?}\n{}", child.try_wait(), log.join("\n"));
        };
        let url = first.strip_prefix("suda listens on ").expect("the first line says where").to_owned();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { child, url, folder, arguments, log, readers: vec![errors, outputs] }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.split_once("://").expect("a URL").1
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the next log line that contains `text`, and answers it.
    pub fn wait_for_log(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("the log never says {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Every log line that nobody has waited for yet.
    pub fn log(&self) -> String {
        self.log.try_iter().collect::<Vec<_>>().join("\n")
    }

    /// Kills it without warning, and waits until it is gone.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, waits until it has, and answers how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        self.child.wait().unwrap()
    }

    /// Starts it again on its folder and its port, after it has ended.
    pub fn restart(self) -> Self {
        let listen = self.address().to_owned();
        self.restart_on(&listen)
    }

    fn restart_on(mut self, listen: &str) -> Self {
        self.child.wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, Folder::Given(PathBuf::new()));
        let arguments = std::mem::take(&mut self.arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Self::start(folder, listen, &arguments)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Given(path) => path,
        }
    }
}

/// The binary with these arguments, and nothing of this process's configuration.
pub fn suda<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suda"));
    command.args(arguments);
    clean(command)
}

/// Runs the binary to its end.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    suda(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Standard output of a run that ended well.
pub fn output_of<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {error}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and standard error of a run that ended badly.
pub fn failure_of<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> (i32, String) {
    let output = run(arguments);
    let code = output.status.code().expect("it exits");
    assert_ne!(code, 0, "{}", String::from_utf8_lossy(&output.stdout));
    (code, String::from_utf8(output.stderr).unwrap())
}

fn through(script: &str, variables: &[(&str, &Path)], data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_suda"), "serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(data).args(arguments);
    let mut command = clean(command);
    command.envs(variables.iter().copied());
    command
}

fn clean(mut command: Command) -> Command {
    let known = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SUDA_"));
    known.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command
}

/// Reads lines in the background, so that the process never waits for a reader.
fn lines(stream: impl std::io::Read + Send + 'static) -> (Receiver<String>, JoinHandle<()>) {
    let (sender, receiver) = sync_channel(LOG_LINES);
    let reader = std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        for line in stream.by_ref().lines().map_while(Result::ok) {
            // Beyond the bound, or without a reader, lines are dropped.
            let _ = sender.try_send(line);
        }
    });
    (receiver, reader)
}

/// An HTTP client that trusts `certificates` (PEM) alone.
pub fn http(certificates: &[String]) -> reqwest::Client {
    // An error means that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = certificates.iter().map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).unwrap());
    reqwest::Client::builder().tls_certs_only(certificates).timeout(PATIENCE).build().unwrap()
}

/// Hashing that costs as little as possible: tests are no attackers.
pub const CHEAP_PASSWORDS: [&str; 2] = ["--password-memory-kib=8", "--password-passes=1"];

/// Posts JSON to a path of the server; answers status and body.
pub async fn post(server: &Server, path: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
    let reply = http(&[]).post(format!("{}{path}", server.url())).json(&body).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

/// Signs up; answers status and body.
pub async fn sign_up(server: &Server, name: &str) -> (u16, serde_json::Value) {
    post(server, "/v1/accounts", serde_json::json!({ "name": name, "password": PASSWORD })).await
}

/// Logs in; answers status and body.
pub async fn log_in(server: &Server, name: &str, password: &str) -> (u16, serde_json::Value) {
    post(server, "/v1/login", serde_json::json!({ "name": name, "password": password })).await
}

/// The password of every account in tests.
pub const PASSWORD: &str = "correct horse battery staple";
