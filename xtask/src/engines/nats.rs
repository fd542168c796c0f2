//! Three NATS servers in a cluster, on different ports of 127.0.0.1.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::engine::Engine;
use super::failure::{Failure, Missing};
use super::process::{Launch, Signal};
use super::settings::Settings;
use super::tools;
use super::waiting::{create_folder, run_tool};

const SERVERS: usize = 3;
const MODULE: &str = "github.com/nats-io/nats-server/v2@latest";
const BUILD_LIMIT: Duration = Duration::from_secs(900);
const PATIENCE: Duration = Duration::from_secs(2);
/// No answer of the monitoring port to our questions is longer.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// As in production, where a frozen peer has to be noticed within seconds.
const CONFIGURATION: &str = r#"# One NATS server for development and tests, written by `cargo xtask engines`.
server_name: "nats-{number}"
listen: "{clients}"
http: "{monitoring}"
log_file: "{folder}/server.log"
logfile_size_limit: 16MB
ping_interval: "5s"
ping_max: 2
write_deadline: "2s"
cluster {
  name: suda
  listen: "{routes}"
  routes: [{peers}]
}
"#;

/// The three servers.
pub struct Nats<'a> {
    settings: &'a Settings,
}

impl<'a> Nats<'a> {
    /// The servers of these settings.
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    fn built(&self) -> PathBuf {
        self.settings.folder.join("bin").join("nats-server")
    }

    /// The newest server, built here, or else the distribution's.
    fn program(&self) -> Option<PathBuf> {
        Some(self.built()).filter(|built| built.is_file()).or_else(|| tools::find("nats-server"))
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.settings.folder.join(format!("nats-{number}"))
    }

    fn clients(&self, number: usize) -> SocketAddr {
        self.address(20, number)
    }

    fn routes(&self, number: usize) -> SocketAddr {
        self.address(30, number)
    }

    fn monitoring(&self, number: usize) -> SocketAddr {
        self.address(80, number)
    }

    fn address(&self, offset: u16, number: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.settings.port(offset + number as u16)).into()
    }

    fn configuration(&self, number: usize) -> String {
        let peers: Vec<String> =
            (1..=SERVERS).map(|peer| format!("\"nats://{}\"", self.routes(peer))).collect();
        CONFIGURATION
            .replace("{number}", &number.to_string())
            .replace("{clients}", &self.clients(number).to_string())
            .replace("{monitoring}", &self.monitoring(number).to_string())
            .replace("{routes}", &self.routes(number).to_string())
            .replace("{folder}", &self.folder(number).display().to_string())
            .replace("{peers}", &peers.join(", "))
    }
}

impl Engine for Nats<'_> {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn count(&self) -> usize {
        SERVERS
    }

    fn missing(&self) -> Vec<Missing> {
        if self.program().is_some() || tools::find("go").is_some() {
            return Vec::new();
        }
        vec![Missing { what: "a NATS server (or Go, to build the newest one)", package: "nats-server" }]
    }

    fn prepare(&self) -> Result<(), Failure> {
        let Some(go) = tools::find("go").filter(|_| !self.built().is_file()) else {
            return Ok(());
        };
        let folder = self.settings.folder.join("bin");
        create_folder(&folder)?;
        let mut install = Command::new(go);
        install.args(["install", MODULE]).env("GOBIN", &folder).env("CGO_ENABLED", "0");
        let built = run_tool("building NATS with Go", &mut install, &folder.join("output.log"), BUILD_LIMIT);
        match (built, self.program()) {
            (Err(failure), Some(other)) => {
                eprintln!("engines: {failure}\nengines: using {} instead", other.display());
                Ok(())
            }
            (built, _) => built,
        }
    }

    fn launch(&self, number: usize) -> Result<Launch, Failure> {
        let folder = self.folder(number);
        create_folder(&folder)?;
        let file = folder.join("server.conf");
        fs::write(&file, self.configuration(number))
            .map_err(Failure::io(format!("writing {}", file.display())))?;
        Ok(Launch {
            program: self.program().unwrap_or_else(|| "nats-server".into()),
            arguments: vec!["--config".to_owned(), file.display().to_string()],
            output: folder.join("output.log"),
            folder,
        })
    }

    fn listens(&self, number: usize) -> Vec<(&'static str, SocketAddr)> {
        vec![
            ("clients", self.clients(number)),
            ("routes", self.routes(number)),
            ("monitoring", self.monitoring(number)),
        ]
    }

    fn ask(&self, number: usize, running: usize) -> Result<String, String> {
        let server = get(self.monitoring(number), "/varz")?;
        let routes = get(self.monitoring(number), "/routez")?;
        let routes = routes["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Newer servers have several routes to each other one.
        let others: HashSet<&str> = routes.iter().filter_map(|route| route["remote_id"].as_str()).collect();
        if others.len() + 1 < running {
            return Err(format!("sees {} of {running} servers", others.len() + 1));
        }
        let version = server["version"].as_str();
        version.map(str::to_owned).ok_or_else(|| "does not tell its version".to_owned())
    }

    fn logs(&self, number: usize) -> Vec<PathBuf> {
        ["server.log", "output.log"].map(|name| self.folder(number).join(name)).into()
    }

    fn data(&self, number: usize) -> PathBuf {
        self.folder(number)
    }

    fn end(&self) -> Signal {
        Signal::Terminate
    }
}

/// Asks the monitoring port, which answers in HTTP with a JSON object.
fn get(address: SocketAddr, path: &str) -> Result<Value, String> {
    let answer = exchange(address, path).map_err(|error| error.to_string())?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("the monitoring port speaks no HTTP")?;
    serde_json::from_str(body).map_err(|error| error.to_string())
}

/// In HTTP 1.0, so that the answer ends with the connection.
fn exchange(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}
