//! House rules that a compiler does not know, checked over every file of the repository.
//!
//! A check is a function from the `Tree` to its violations: it reads nothing else, so each one
//! is tested on a made-up tree. `STYLE.md` gives the reason for each rule.

use std::fmt;
use std::io;
use std::path::Path;

mod arrows;
mod banned;
mod first_line;
mod ignore;
mod length;
mod names;
mod ports;
mod purity;
mod rust_items;
mod rust_lexer;
mod search;
mod tree;
mod wire;

use tree::Tree;

/// Every check, in the order in which a reader meets the rules in `STYLE.md`.
const CHECKS: [fn(&Tree) -> Vec<Violation>; 8] = [
    first_line::check,
    length::check,
    names::check,
    arrows::check,
    purity::check,
    ports::check,
    banned::check,
    wire::check,
];

/// One place where the repository breaks a house rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, relative to the repository's root, with forward slashes.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Violation {
    fn new(path: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, remedy } = self;
        write!(formatter, "{path}:{line}: {what}: {remedy}")
    }
}

/// Checks the repository at `root`; the violations come sorted by path and line.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn check(root: &Path) -> io::Result<Vec<Violation>> {
    let tree = Tree::read(root)?;
    let mut violations: Vec<Violation> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    violations.sort();
    violations.dedup();
    Ok(violations)
}

/// Writes the present wire hash into `docs/protocol.md` under `root` and returns it.
///
/// # Errors
/// When the repository cannot be read or `docs/protocol.md` does not exist or cannot be written.
pub fn bless_wire(root: &Path) -> io::Result<String> {
    let tree = Tree::read(root)?;
    let (document, hash) = wire::blessed_document(&tree).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("{} does not exist: write it first", wire::DOCUMENT))
    })?;
    std::fs::write(root.join(wire::DOCUMENT), document)?;
    Ok(hash)
}
