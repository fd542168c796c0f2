//! The `cargo xtask` command: reads the arguments and runs one chore.

use std::path::Path;
use std::process::ExitCode;

use xtask::{engines, tidy};

const USAGE: &str = "usage: cargo xtask CHORE

  tidy                 check the house rules over every file of the repository
  tidy --bless-wire    record the present wire hash in docs/protocol.md
  engines ACTION       start and stop real engines for the cluster mode; without ACTION: its help";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = repository_root();
    match arguments.as_slice() {
        ["tidy"] => run_tidy(root),
        ["tidy", "--bless-wire"] => bless_wire(root),
        ["engines", arguments @ ..] => run_engines(root, arguments),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The repository's root: the folder above this package.
fn repository_root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

fn run_tidy(root: &Path) -> ExitCode {
    match tidy::check(root) {
        Ok(violations) if violations.is_empty() => ExitCode::SUCCESS,
        Ok(violations) => {
            for violation in &violations {
                println!("{violation}");
            }
            eprintln!("tidy: {} violations", violations.len());
            ExitCode::FAILURE
        }
        Err(error) => fail(&error),
    }
}

fn run_engines(root: &Path, arguments: &[&str]) -> ExitCode {
    match engines::run(root, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(engines::Failure::Argument(argument)) => {
            if !argument.is_empty() {
                eprintln!("engines: `{argument}` is not understood");
            }
            eprintln!("{}", engines::USAGE);
            ExitCode::from(2)
        }
        Err(failure) => {
            eprintln!("engines: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn bless_wire(root: &Path) -> ExitCode {
    match tidy::bless_wire(root) {
        Ok(hash) => {
            println!("tidy: the wire is pinned at {hash}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn fail(error: &std::io::Error) -> ExitCode {
    eprintln!("tidy: {error}");
    ExitCode::FAILURE
}
