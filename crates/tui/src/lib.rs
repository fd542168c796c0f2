//! The terminal client of Suda: a model, pure updates and views over it, and a loop that does what updates ask for.
//!
//! Inputs ([`input`]) change the model ([`model`]) and lead to effects ([`effect`]); nothing but [`run`] touches the
//! terminal, the client or the clock.

mod areas;
mod calendar;
mod completion;
mod effect;
mod input;
mod model;
mod run;
mod text;
mod theme;
mod transcript;
mod update;
mod view;
mod words;
mod zone;

#[cfg(test)]
mod sample;

use std::path::PathBuf;

pub use run::run;

/// How the terminal client is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The server's address, such as `https://chat.example`. A login kept in the cache has its own.
    pub server: String,
    /// Where everything is kept, the login included.
    pub cache: PathBuf,
    /// The name to put into the form.
    pub name: Option<String>,
    /// The language of the interface, such as `ko`; else that of the environment, else the account's.
    pub language: Option<String>,
}

/// Why the terminal client could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Standard output is no terminal.
    #[error("this needs a terminal")]
    NoTerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] std::io::Error),
    /// The folder of the cache cannot be made.
    #[error("the folder of what is kept on this device cannot be made: {0}")]
    Folder(std::io::Error),
    /// What is kept on this device cannot be opened.
    #[error("what is kept on this device cannot be opened: {0}")]
    Client(#[from] suda_client::error::ClientError),
}
