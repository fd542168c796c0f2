//! What runs, where, and with how much memory; and the addresses for tests.

use serde_json::{Value, json};

use super::engine::{Engine, Member};
use super::process::{State, Usage};
use super::settings::Settings;

/// What is known of one process.
struct Line {
    name: String,
    state: State,
    pid: Option<u32>,
    health: Result<String, String>,
    usage: Usage,
    listens: Vec<(&'static str, String)>,
}

impl Line {
    fn of(member: &Member<'_>, running: usize) -> Self {
        let process = member.process();
        let state = process.as_ref().map_or(State::Gone, super::process::Process::state);
        let health = match state {
            State::Running => member.engine.ask(member.number, running),
            other => Err(word(other).to_owned()),
        };
        let listens = member.engine.listens(member.number).into_iter();
        Self {
            name: member.name(),
            state,
            pid: process.as_ref().map(|process| process.pid),
            health,
            usage: process.map(|process| process.usage()).unwrap_or_default(),
            listens: listens.map(|(what, address)| (what, address.to_string())).collect(),
        }
    }

    fn text(&self) -> String {
        let pid = self.pid.map(|pid| pid.to_string()).unwrap_or_default();
        let Usage { memory_mebibytes, cpu_seconds } = self.usage;
        let health = match &self.health {
            Ok(version) => version.clone(),
            Err(why) if self.state == State::Running => format!("not ready: {why}"),
            Err(_) => String::new(),
        };
        let listens: Vec<String> =
            self.listens.iter().map(|(what, address)| format!("{what} {address}")).collect();
        format!(
            "{:<12} {:<8} {pid:>8} {memory_mebibytes:>6} MiB {cpu_seconds:>7.1} s CPU  {health:<10} {}",
            self.name,
            word(self.state),
            listens.join(", "),
        )
    }

    fn json(&self) -> Value {
        let listens = self.listens.iter().map(|(what, address)| ((*what).to_owned(), json!(address)));
        json!({
            "name": self.name,
            "state": word(self.state),
            "pid": self.pid,
            "ready": self.health.is_ok(),
            "version": self.health.as_ref().ok(),
            "memory_mebibytes": self.usage.memory_mebibytes,
            "cpu_seconds": self.usage.cpu_seconds,
            "listens": listens.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// Prints a line for each of `chosen`.
pub fn status(chosen: &[Member<'_>], everybody: &[Member<'_>], json: bool) {
    let lines = chosen.iter().map(|member| Line::of(member, running(member.engine, everybody)));
    if json {
        println!("{}", Value::Array(lines.map(|line| line.json()).collect()));
    } else {
        lines.for_each(|line| println!("{}", line.text()));
    }
}

/// Prints where clients find the engines, for a shell or as JSON.
pub fn addresses(everybody: &[Member<'_>], settings: &Settings, json: bool) {
    let clients = |kind: &str| -> Vec<String> {
        let members = everybody.iter().filter(|member| member.engine.name() == kind);
        let listens = members.filter_map(|member| member.engine.listens(member.number).into_iter().next());
        listens.map(|(_, address)| address.to_string()).collect()
    };
    let nats: Vec<String> = clients("nats").iter().map(|address| format!("nats://{address}")).collect();
    let postgres = format!("postgres://suda@{}/suda", clients("postgres").concat());
    let cassandra = clients("cassandra");
    let folder = settings.folder.display().to_string();
    if json {
        println!(
            "{}",
            json!({ "cassandra": cassandra, "nats": nats, "postgres": postgres, "folder": folder })
        );
        return;
    }
    println!("export SUDA_ENGINES_CASSANDRA='{}'", cassandra.join(","));
    println!("export SUDA_ENGINES_NATS='{}'", nats.join(","));
    println!("export SUDA_ENGINES_POSTGRES='{postgres}'");
    println!("export SUDA_ENGINES_FOLDER='{folder}'");
}

/// How many processes of a kind run.
pub fn running(engine: &dyn Engine, everybody: &[Member<'_>]) -> usize {
    let kind = everybody.iter().filter(|member| member.engine.name() == engine.name());
    kind.filter(|member| member.state() == State::Running).count()
}

/// A state in one word.
pub fn word(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Frozen => "frozen",
        State::Gone => "gone",
    }
}
