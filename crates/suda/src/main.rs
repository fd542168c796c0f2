//! The binary `suda`: reads what it is told, then runs one command.
//!
//! Reading order: [`cli`] and [`config`], then [`serve`]; the other commands are in [`admin`] and [`maintenance`].

mod admin;
#[cfg(target_os = "linux")]
mod bench;
mod chat;
mod cli;
mod config;
mod engines;
mod file_limit;
mod folder;
mod listener;
mod logging;
mod maintenance;
mod progress;
mod replay;
mod serve;
mod stop;
mod storage;
mod tls;

use std::io::{self, Write as _};
use std::process::ExitCode;

use rustix::fs::Mode;

use cli::Command;
use config::{Flags, Loaded};
use stop::Stop;

/// Messages are made in one thread and freed in another, where the system's allocator is slow and keeps what it had.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Whatever is made belongs to this account alone: it holds what people wrote.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    // An error means that there is a provider already, which is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli::read().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            // Where standard error is closed, the exit code still tells.
            let _ = writeln!(io::stderr(), "suda: {stop}");
            stop.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Stop> {
    match command {
        Command::Serve(flags) => serve::run(&load(&flags.0)?.config),
        Command::Admin(arguments) => {
            let config = load(&arguments.flags.0)?.config;
            admin::run(&config, &arguments.command, arguments.json)
        }
        Command::Chat(options) => block_on(async { Ok(chat::run(options).await?) }),
        Command::Replay(options) => block_on(replay::run(options)),
        #[cfg(target_os = "linux")]
        Command::Bench(options) => bench::run(&options),
        Command::Backup(arguments) => maintenance::backup(&load(&arguments.flags.0)?.config, &arguments.to),
        Command::Restore(arguments) => {
            maintenance::restore(&load(&arguments.flags.0)?.config, &arguments.from)
        }
        Command::Check(arguments) => maintenance::check(&load(&arguments.flags.0)?.config, &arguments.repair),
        Command::Migrate(flags) => engines::migrate(&load(&flags.0)?.config),
        Command::Config(arguments) if arguments.markdown => print(&config::markdown()),
        Command::Config(arguments) => print(&config::effective(&load(&arguments.flags.0)?)),
    }
}

/// Puts the configuration together and starts logging by it.
fn load(flags: &Flags) -> Result<Loaded, Stop> {
    let loaded = config::load(flags, |name| std::env::var(name).ok())?;
    logging::start(&loaded.config)?;
    Ok(loaded)
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(stop::while_trying("print")(error)),
        _ => Ok(()),
    }
}

/// Runs a command's asynchronous part.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(stop::while_trying("start threads"))?.block_on(work)
}
