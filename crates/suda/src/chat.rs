//! `suda chat`: the terminal client, with its place on this machine.

use std::path::PathBuf;

use suda_tui::ChatError;

/// Arguments of `suda chat`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the server is; a login kept on this machine has its own
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7878")]
    pub server: String,
    /// Where messages and the login are kept; a file for each server below ~/.local/share/suda by default
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// The name to log in or sign up with; also tells several logins on this machine apart
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The language of the interface: en or ko
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
}

/// Runs the terminal client until it is left.
pub async fn run(options: Options) -> Result<(), ChatError> {
    let cache = match options.cache {
        Some(cache) => cache,
        None => place(&options.server, options.name.as_deref()),
    };
    if let Some(folder) = cache.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let Options { server, name, language, .. } = options;
    suda_tui::run(suda_tui::Options { server, cache, name, language }).await
}

/// Where the login for a server is kept (XDG base directories), one file for each name given.
fn place(server: &str, name: Option<&str>) -> PathBuf {
    let share = std::env::var_os("XDG_DATA_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
        .unwrap_or_default();
    let host = server.split_once("://").map_or(server, |(_, host)| host).trim_end_matches('/');
    let file = name.map_or_else(|| host.to_owned(), |name| format!("{name}@{host}"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '@');
    let file: String = file.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    share.join("suda").join(format!("{file}.db"))
}
