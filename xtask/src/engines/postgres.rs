//! One PostgreSQL server from the distribution, on 127.0.0.1, with a superuser and a database `suda`.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::engine::Engine;
use super::failure::{Failure, Missing};
use super::process::{Launch, Signal};
use super::settings::Settings;
use super::tools::{self, User};
use super::waiting::{create_folder, run_tool};

const TOOL_LIMIT: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_MESSAGE: usize = 64 * 1024;
/// Protocol version 3.0, and the parameters that we greet with.
const GREETING: &[u8] = b"\0\x03\0\0user\0suda\0database\0suda\0application_name\0engines\0\0";

/// Durable as in production; only small.
const CONFIGURATION: &str = "\
# Settings of PostgreSQL for development and tests, written by `cargo xtask engines`.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
log_min_messages = warning
max_wal_size = 512MB
";

/// The server.
pub struct Postgres<'a> {
    settings: &'a Settings,
}

impl<'a> Postgres<'a> {
    /// The server of these settings.
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    fn folder(&self) -> PathBuf {
        self.settings.folder.join("postgres")
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.settings.port(54)).into()
    }

    /// Creates the data folder and the database aside and moves them into place at the end, so that
    /// what is in place is complete.
    fn create(&self, user: Option<User>) -> Result<(), Failure> {
        let (programs, log) = (programs(), self.folder().join("output.log"));
        let partial = self.folder().join("data.partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(Failure::io("removing a half-made data folder"))?;
        }
        let folder = partial.display().to_string();
        let mut initdb = command(user, &programs.join("initdb"));
        initdb.args(["--pgdata", &folder, "--username=suda", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C.UTF-8", "--no-instructions"]).current_dir(self.folder());
        run_tool("creating PostgreSQL's data folder", &mut initdb, &log, TOOL_LIMIT)?;
        let mut single = command(user, Path::new("sh"));
        let create = "echo 'CREATE DATABASE suda' | exec \"$0\" --single -D \"$1\" postgres";
        single.args(["-c", create]).arg(programs.join("postgres")).arg(&folder).current_dir(self.folder());
        run_tool("creating PostgreSQL's database", &mut single, &log, TOOL_LIMIT)?;
        fs::rename(&partial, self.data()).map_err(Failure::io("moving PostgreSQL's data into place"))
    }
}

impl Engine for Postgres<'_> {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn count(&self) -> usize {
        1
    }

    fn missing(&self) -> Vec<Missing> {
        match tools::postgres_programs() {
            Some(_) => Vec::new(),
            None => vec![Missing { what: "PostgreSQL 15 or newer", package: "postgresql" }],
        }
    }

    fn prepare(&self) -> Result<(), Failure> {
        create_folder(&self.folder())?;
        let user = user();
        if let Some(user) = user {
            let folder = self.folder();
            chown(&folder, Some(user.id), Some(user.group)).map_err(Failure::io(format!(
                "giving {} to {}",
                folder.display(),
                user.name
            )))?;
            let entered = command(Some(user), Path::new("test")).arg("-w").arg(&folder).status();
            if !entered.is_ok_and(|status| status.success()) {
                return Err(Failure::Closed { user: user.name, folder });
            }
        }
        if self.data().is_dir() { Ok(()) } else { self.create(user) }
    }

    fn launch(&self, _number: usize) -> Result<Launch, Failure> {
        let configuration = self.folder().join("postgresql.conf");
        let text = format!("{CONFIGURATION}port = {}\n", self.address().port());
        fs::write(&configuration, text).map_err(Failure::io("writing PostgreSQL's settings"))?;
        let program = programs().join("postgres").display().to_string();
        let (data, configuration) = (self.data(), configuration.display());
        let own = ["-D".to_owned(), data.display().to_string(), format!("--config-file={configuration}")];
        let hba = format!("--hba-file={}", data.join("pg_hba.conf").display());
        let words = become_user(user()).into_iter().chain([program]).chain(own).chain([hba]);
        let mut words = words.collect::<Vec<String>>();
        Ok(Launch {
            program: words.remove(0).into(),
            arguments: words,
            folder: self.folder(),
            output: self.folder().join("output.log"),
        })
    }

    fn listens(&self, _number: usize) -> Vec<(&'static str, SocketAddr)> {
        vec![("clients", self.address())]
    }

    fn ask(&self, _number: usize, _running: usize) -> Result<String, String> {
        let mut stream = TcpStream::connect_timeout(&self.address(), PATIENCE).map_err(text)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(text)?;
        greet(&mut stream)
    }

    fn logs(&self, _number: usize) -> Vec<PathBuf> {
        vec![self.folder().join("output.log")]
    }

    fn data(&self, _number: usize) -> PathBuf {
        self.folder()
    }

    /// Ending "fast": clients are disconnected.
    fn end(&self) -> Signal {
        Signal::Interrupt
    }
}

fn programs() -> PathBuf {
    tools::postgres_programs().unwrap_or_default()
}

/// PostgreSQL refuses to run as root.
fn user() -> Option<User> {
    if tools::is_root() { User::first_of(&["postgres", "nobody"]) } else { None }
}

/// The words before a command that make it run as `user`.
fn become_user(user: Option<User>) -> Vec<String> {
    let words = |user: User| {
        let (id, group) = (format!("--reuid={}", user.id), format!("--regid={}", user.group));
        vec!["setpriv".to_owned(), id, group, "--clear-groups".to_owned()]
    };
    user.map(words).unwrap_or_default()
}

fn command(user: Option<User>, program: &Path) -> Command {
    let words = become_user(user);
    match words.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Connects as a client does, until the server is ready for its first statement; returns its version.
fn greet(stream: &mut (impl Read + Write)) -> Result<String, String> {
    stream.write_all(&(GREETING.len() as u32 + 4).to_be_bytes()).map_err(text)?;
    stream.write_all(GREETING).map_err(text)?;
    let mut version = None;
    loop {
        let (kind, body) = message(stream).map_err(text)?;
        match kind {
            b'Z' => return version.ok_or_else(|| "does not tell its version".to_owned()),
            b'S' => version = body.strip_prefix("server_version\0").map(version_of).or(version),
            b'E' => {
                return Err(body
                    .split('\0')
                    .find_map(|field| field.strip_prefix('M'))
                    .unwrap_or("")
                    .to_owned());
            }
            _ => {}
        }
    }
}

/// `15.13 (Debian 15.13-0+deb12u1)` and an end.
fn version_of(text: &str) -> String {
    text.split([' ', '\0']).next().unwrap_or_default().to_owned()
}

fn message(stream: &mut impl Read) -> std::io::Result<(u8, String)> {
    let mut header = [0; 5];
    stream.read_exact(&mut header)?;
    let [kind, a, b, c, d] = header;
    let length = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
    if length > LONGEST_MESSAGE {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "an answer that is not PostgreSQL's",
        ));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((kind, String::from_utf8_lossy(&body).into_owned()))
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}
