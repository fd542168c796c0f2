//! Log lines: to standard error, as text or JSON. Nothing in this repository logs texts, tokens or addresses.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::stop::Stop;

/// What the engines' drivers say of their own connections is of no use to operators, and names addresses.
const DRIVERS: &str = "scylla=error,sqlx=warn,async_nats=error";

/// Starts logging as configured. A second call changes nothing.
pub fn start(config: &Config) -> Result<(), Stop> {
    // Of directives for the same target the last one counts.
    let filter = EnvFilter::builder().parse(format!("{DRIVERS},{}", config.log_level))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // An error means that a subscriber is there already.
    let _ = if config.log_json { lines.json().try_init() } else { lines.try_init() };
    Ok(())
}
