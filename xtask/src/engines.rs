//! Real engines for the cluster mode on loopback: three Cassandra nodes, three NATS servers and one
//! PostgreSQL, in a folder of their own, for development and tests. `docs/operating/engines.md`.
//!
//! Engines outlive the command. Every process has a file with its identity; what runs is found
//! again through it, and nothing else is ever signalled.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

mod cassandra;
mod cql;
mod engine;
mod failure;
mod nats;
mod postgres;
mod process;
mod report;
mod request;
mod settings;
mod tools;
mod waiting;

use engine::{Engine, Member};
pub use failure::Failure;
use process::{Signal, State, Whom};
use request::{Action, Request};
use settings::{Choices, Settings};
use waiting::{Look, create_folder, wait_for};

/// Three Java processes on two busy cores need minutes, on idle ones 20 seconds.
const READY_LIMIT: Duration = Duration::from_secs(300);
/// A node flushes before it ends.
const END_LIMIT: Duration = Duration::from_secs(60);
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// Another command may be starting engines.
const TURN_LIMIT: Duration = Duration::from_secs(600);

/// What `cargo xtask engines` understands.
pub const USAGE: &str = "usage: cargo xtask engines ACTION [NAME…] [--dir FOLDER]

  up                   start what does not run, wait until it serves
    --only NAME,…      some of them only; NAME is a kind (cassandra, nats, postgres) or a process (nats-2)
    --ports FIRST      the first of a hundred ports (17000)
    --heap SIZE        each Cassandra node's heap (512M)
    --compile HOW      quick (default): Java starts fast; full: Java runs fast
    --no-wait          do not wait
  down [NAME…]         end them; --wipe deletes their data
  status               what runs, where, with how much memory; --json
  env                  the addresses as shell variables; --json
  kill NAME…           end at once, as when a machine dies
  freeze NAME…         stand still, as when a machine hangs
  thaw NAME…           go on
  start NAME…          start again, wait until it serves; --no-wait";

/// Runs one `engines` command for the repository at `root`.
///
/// # Errors
/// When the arguments are not understood, something has to be installed, or an engine does not do
/// what it should; the failure contains the engine's last words.
pub fn run(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let request = Request::read(root, arguments)?;
    let settings = &request.settings;
    let engines: Vec<Box<dyn Engine + '_>> = vec![
        Box::new(cassandra::Cassandra::new(settings)),
        Box::new(nats::Nats::new(settings)),
        Box::new(postgres::Postgres::new(settings)),
    ];
    let everybody = Member::all(&engines, settings);
    let chosen = choose(&everybody, &request.names)?;
    match request.action {
        Action::Status => report::status(&chosen, &everybody, request.json),
        Action::Env => report::addresses(&everybody, settings, request.json),
        _ => {
            create_folder(&settings.folder)?;
            let _turn = take_turn(settings)?;
            change(&request, &chosen, &everybody)?;
        }
    }
    Ok(())
}

/// Two commands at the same time would start everything twice. The lock ends with the process.
fn take_turn(settings: &Settings) -> Result<File, Failure> {
    let path = settings.folder.join("lock");
    let lock = File::create(&path).map_err(Failure::io(format!("creating {}", path.display())))?;
    wait_for("another engines command in the same folder", TURN_LIMIT, || {
        Ok(if lock.try_lock().is_ok() { Look::Ready(()) } else { Look::NotYet("it runs".to_owned()) })
    })?;
    Ok(lock)
}

/// The processes that `names` mean: a kind's name means all of its kind, no name at all everybody.
fn choose<'a>(everybody: &[Member<'a>], names: &[String]) -> Result<Vec<Member<'a>>, Failure> {
    let means = |name: &String, member: &Member<'_>| *name == member.name() || name == member.engine.name();
    let stranger = names.iter().find(|name| !everybody.iter().any(|member| means(name, member)));
    if let Some(stranger) = stranger {
        return Err(Failure::Argument(stranger.clone()));
    }
    let chosen =
        everybody.iter().filter(|member| names.is_empty() || names.iter().any(|name| means(name, member)));
    Ok(chosen.copied().collect())
}

fn change(request: &Request, chosen: &[Member<'_>], everybody: &[Member<'_>]) -> Result<(), Failure> {
    match request.action {
        Action::Up => up(request, chosen, everybody),
        Action::Start => start(chosen, everybody, request.no_wait),
        Action::Down => down(chosen, request),
        Action::Kill => end_all(chosen, |_| Signal::Kill, KILL_LIMIT),
        Action::Freeze => signal_all(chosen, Signal::Stop, State::Frozen),
        Action::Thaw => signal_all(chosen, Signal::Continue, State::Running),
        Action::Status | Action::Env => Ok(()),
    }
}

fn up(request: &Request, chosen: &[Member<'_>], everybody: &[Member<'_>]) -> Result<(), Failure> {
    let settings = &request.settings;
    if settings.choices != Choices::kept(&settings.folder) {
        let running = everybody.iter().filter(|member| member.state() != State::Gone);
        let running: Vec<String> = running.map(Member::name).collect();
        if !running.is_empty() {
            return Err(Failure::Running(running));
        }
    }
    let missing: Vec<_> = kinds(chosen).iter().flat_map(|engine| engine.missing()).collect();
    if !missing.is_empty() {
        return Err(Failure::Missing(missing));
    }
    settings.choices.keep(&settings.folder)?;
    for engine in kinds(chosen) {
        engine.prepare()?;
    }
    start(chosen, everybody, request.no_wait)?;
    if !request.no_wait {
        report::status(chosen, everybody, false);
    }
    Ok(())
}

/// The kinds of `members`, each once.
fn kinds<'a>(members: &[Member<'a>]) -> Vec<&'a dyn Engine> {
    let mut kinds: Vec<&dyn Engine> = members.iter().map(|member| member.engine).collect();
    kinds.dedup_by_key(|engine| engine.name());
    kinds
}

fn start(chosen: &[Member<'_>], everybody: &[Member<'_>], no_wait: bool) -> Result<(), Failure> {
    for member in chosen.iter().filter(|member| member.state() == State::Gone) {
        member.start()?;
        eprintln!("engines: started {}", member.name());
    }
    if no_wait { Ok(()) } else { chosen.iter().try_for_each(|member| wait_until_ready(member, everybody)) }
}

fn wait_until_ready(member: &Member<'_>, everybody: &[Member<'_>]) -> Result<(), Failure> {
    let waited = wait_for(&member.name(), READY_LIMIT, || match member.state() {
        State::Gone => Err(Failure::Died { name: member.name(), log: member.last_words() }),
        State::Frozen => Ok(Look::NotYet("it is frozen".to_owned())),
        State::Running => {
            let answer = member.engine.ask(member.number, report::running(member.engine, everybody));
            Ok(answer.map_or_else(Look::NotYet, |_| Look::Ready(())))
        }
    });
    waited.map_err(|failure| match failure {
        Failure::Late { what, seconds, instead, .. } => {
            Failure::Late { what, seconds, instead, log: Some(member.last_words()) }
        }
        other => other,
    })
}

fn down(chosen: &[Member<'_>], request: &Request) -> Result<(), Failure> {
    if end_all(chosen, |member| member.engine.end(), END_LIMIT).is_err() {
        end_all(chosen, |_| Signal::Kill, KILL_LIMIT)?;
    }
    if request.wipe {
        for folder in chosen.iter().map(|member| member.engine.data(member.number)) {
            if folder.exists() {
                let doing = format!("deleting {}", folder.display());
                std::fs::remove_dir_all(&folder).map_err(Failure::io(doing))?;
            }
        }
    }
    Ok(())
}

/// Sends all of them what ends them, then waits until they are gone.
fn end_all(chosen: &[Member<'_>], signal: fn(&Member<'_>) -> Signal, limit: Duration) -> Result<(), Failure> {
    let running = chosen.iter().filter_map(|member| Some((member, member.process()?)));
    let running: Vec<_> = running.collect();
    for (member, process) in &running {
        let whom = if signal(member) == Signal::Kill { Whom::WithChildren } else { Whom::Alone };
        process.signal(signal(member), whom)?;
        // What stands still takes notice of nothing but its end.
        if process.state() == State::Frozen && whom == Whom::Alone {
            process.signal(Signal::Continue, Whom::WithChildren)?;
        }
    }
    for (member, process) in &running {
        wait_for(&format!("the end of {}", member.name()), limit, || {
            Ok(match process.state() {
                State::Gone => Look::Ready(()),
                state => Look::NotYet(format!("it is {}", report::word(state))),
            })
        })?;
        eprintln!("engines: ended {}", member.name());
    }
    Ok(())
}

/// Freezes or thaws those that exist, and sees to it that they are so; others are an error.
fn signal_all(chosen: &[Member<'_>], signal: Signal, wanted: State) -> Result<(), Failure> {
    for member in chosen {
        let gone = || Failure::Died { name: member.name(), log: member.last_words() };
        let process = member.process().ok_or_else(gone)?;
        process.signal(signal, Whom::WithChildren)?;
        wait_for(&member.name(), KILL_LIMIT, || match process.state() {
            state if state == wanted => Ok(Look::Ready(())),
            State::Gone => Err(gone()),
            state => Ok(Look::NotYet(format!("it is {}", report::word(state)))),
        })?;
    }
    Ok(())
}
