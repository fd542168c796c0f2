//! Programs that have to be on the machine already: where they are, and whether they are the right ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions and installers put what is not in everybody's `PATH`.
const FURTHER_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/bin", "/usr/local/go/bin"];

/// The program `name`, from `PATH` or the usual places beside it.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FURTHER_FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Java 17: newer ones lack what Cassandra 5.0 needs.
pub fn java_17() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let installed = newest_in("/usr/lib/jvm", |name| name.contains("17")).map(|home| home.join("bin/java"));
    let mut candidates = home.into_iter().chain(find("java")).chain(installed);
    candidates.find(|java| is_java_17(java))
}

/// PostgreSQL's server programs: the newest of Debian's folders, or those in `PATH`.
pub fn postgres_programs() -> Option<PathBuf> {
    let debian = newest_in("/usr/lib/postgresql", |_| true).map(|version| version.join("bin"));
    let debian = debian.filter(|folder| folder.join("postgres").is_file());
    debian.or_else(|| Some(find("postgres")?.parent()?.to_owned()))
}

/// Whether this command runs as root.
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    user.and_then(|ids| ids.split_whitespace().next()) == Some("0")
}

/// A user of the machine.
#[derive(Debug, Clone, Copy)]
pub struct User {
    /// The user's name.
    pub name: &'static str,
    /// The user's number.
    pub id: u32,
    /// The number of the user's own group.
    pub group: u32,
}

impl User {
    /// The first of `names` that the machine knows.
    pub fn first_of(names: &[&'static str]) -> Option<Self> {
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        names.iter().find_map(|name| Self::of(name, &users))
    }

    fn of(name: &'static str, users: &str) -> Option<Self> {
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
        Some(Self { name, id: user.get(2)?.parse().ok()?, group: user.get(3)?.parse().ok()? })
    }
}

fn is_java_17(java: &Path) -> bool {
    let output = Command::new(java).arg("-version").output();
    // `openjdk version "17.0.15" 2025-04-15`, on the error stream.
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("version \"17."))
}

fn newest_in(folder: &str, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    let newest = named
        .filter(|(name, _)| wanted(name))
        .max_by_key(|(name, _)| (name.parse::<u32>().ok(), name.clone()));
    newest.map(|(_, path)| path)
}
