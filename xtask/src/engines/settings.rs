//! What can be chosen about the engines. `up` keeps it in the folder, so that later commands need
//! nothing but the folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// The choices of one set of engines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The first of the hundred ports that the engines use.
    pub ports: u16,
    /// Each Cassandra node's heap, in the words of `java -Xmx`.
    pub heap: String,
    /// How thoroughly Java compiles.
    pub compile: Compile,
}

/// How thoroughly Java compiles: the time to start against the speed afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compile {
    /// With the first compiler only: a node starts with half the CPU time. For tests.
    Quick,
    /// As in production. For measurements.
    Full,
}

impl Default for Choices {
    fn default() -> Self {
        Self { ports: 17_000, heap: "512M".to_owned(), compile: Compile::Quick }
    }
}

impl Choices {
    /// What the last `up` chose for `folder`, or the defaults.
    pub fn kept(folder: &Path) -> Self {
        let kept = fs::read(file(folder)).ok();
        kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Keeps the choices for later commands.
    ///
    /// # Errors
    /// `Io` when the folder cannot be written.
    pub fn keep(&self, folder: &Path) -> Result<(), Failure> {
        let doing = || Failure::io(format!("writing {}", file(folder).display()));
        let text = serde_json::to_vec_pretty(self).map_err(|error| doing()(error.into()))?;
        fs::write(file(folder), text).map_err(doing())
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("choices.json")
}

/// The choices together with the place.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engines' own folder, absolute.
    pub folder: PathBuf,
    /// What was chosen.
    pub choices: Choices,
}

impl Settings {
    /// One of the hundred ports.
    pub fn port(&self, offset: u16) -> u16 {
        self.choices.ports + offset
    }
}
