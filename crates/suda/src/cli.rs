//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::admin::AdminCommand;
use crate::config::{AllFlags, FolderFlags};
use crate::maintenance::Repair;
use crate::stop::EXIT_CODES;

/// A chat server in one process on one folder.
///
/// Without a command it serves: on 127.0.0.1:7878, with everything stored in ./suda-data.
#[derive(Debug, Parser)]
#[command(name = "suda", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server (the default)
    #[command(after_help = EXIT_CODES)]
    Serve(AllFlags),
    /// Chat in the terminal
    Chat(crate::chat::Options),
    /// Manage accounts and invitations, of a running or a stopped server
    Admin(AdminArguments),
    /// Play recorded conversations against a server and compare every copy with what was acknowledged
    Replay(crate::replay::Options),
    /// Measure what messages, connections and reads cost, on a data folder of its own
    #[cfg(target_os = "linux")]
    Bench(crate::bench::Options),
    /// Copy everything to another folder, also while the server runs
    Backup(BackupArguments),
    /// Make a data folder from a backup
    Restore(RestoreArguments),
    /// Verify every checksum and reference in the data folder of a stopped server
    #[command(after_help = EXIT_CODES)]
    Check(CheckArguments),
    /// Prepare a cluster's engines for this version; safe to run twice, and by several at once
    Migrate(AllFlags),
    /// Show what the configuration comes to, and where each value is from
    Config(ConfigArguments),
}

/// Arguments of `suda admin`.
#[derive(Args, Debug)]
pub struct AdminArguments {
    /// Which server.
    #[command(flatten)]
    pub flags: FolderFlags,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// Arguments of `suda backup`.
#[derive(Args, Debug)]
pub struct BackupArguments {
    /// Which server.
    #[command(flatten)]
    pub flags: FolderFlags,
    /// The folder to make; it must not exist yet
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
}

/// Arguments of `suda restore`.
#[derive(Args, Debug)]
pub struct RestoreArguments {
    /// Where to.
    #[command(flatten)]
    pub flags: FolderFlags,
    /// The backup's folder
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,
}

/// Arguments of `suda check`.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Which folder.
    #[command(flatten)]
    pub flags: FolderFlags,
    /// What to do before checking.
    #[command(flatten)]
    pub repair: Repair,
}

/// Arguments of `suda config`.
#[derive(Args, Debug)]
pub struct ConfigArguments {
    /// Any key.
    #[command(flatten)]
    pub flags: AllFlags,
    /// Print the reference of all keys instead, as Markdown
    #[arg(long)]
    pub markdown: bool,
}

/// Reads the process's arguments; ends the process with help where they do not fit.
pub fn read() -> CommandLine {
    CommandLine::parse_from(with_default_command(std::env::args_os().collect()))
}

/// Without a command, and with flags only, `serve` is meant.
fn with_default_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).and_then(|first| first.to_str());
    let is_about_all = matches!(first, Some("-h" | "--help" | "-V" | "--version"));
    let is_flag = first.is_some_and(|first| first.starts_with('-'));
    if arguments.len() < 2 || (is_flag && !is_about_all) {
        let at = arguments.len().min(1);
        arguments.insert(at, "serve".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn serves_without_a_command() {
        let serves = |arguments: &[&str]| {
            let arguments = arguments.iter().map(OsString::from).collect();
            let line = CommandLine::try_parse_from(with_default_command(arguments));
            line.is_ok_and(|line| matches!(line.command, Command::Serve(_)))
        };
        assert!(serves(&["suda"]));
        assert!(serves(&["suda", "--data", "here"]));
        assert!(serves(&["suda", "serve", "--insecure"]));
        assert!(!serves(&["suda", "--help"]));
        assert!(!serves(&["suda", "check"]));
        assert!(!serves(&["suda", "typing-error"]));
    }

    #[test]
    fn the_data_folder_may_stand_before_or_behind_admin_commands() {
        for arguments in [
            ["suda", "admin", "--data", "here", "account", "list"],
            ["suda", "admin", "account", "list", "--data", "here"],
        ] {
            let line = CommandLine::try_parse_from(arguments).expect("both are accepted");
            let Command::Admin(admin) = line.command else { panic!("not admin") };
            let loaded = crate::config::load(&admin.flags.0, |_| None).expect("valid");
            assert_eq!(loaded.config.data, PathBuf::from("here"));
        }
    }
}
