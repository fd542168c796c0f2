//! The table of keys as command line flags.

use std::path::PathBuf;

use clap::builder::{BoolishValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::keys::{KEYS, Key};
use super::{Flags, Layer};

/// Flags for every key.
#[derive(Clone, Debug)]
pub struct AllFlags(pub Flags);

/// Flags for the keys that concern every command: the data folder and logging. They may also stand behind subcommands.
#[derive(Clone, Debug)]
pub struct FolderFlags(pub Flags);

fn concerns_every_command(key: &Key) -> bool {
    matches!(key.name, "data" | "log.level" | "log.format")
}

macro_rules! flags_of {
    ($type:ident, $wanted:expr, global: $is_global:literal) => {
        impl clap::FromArgMatches for $type {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self(given(matches, $wanted)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                self.0 = given(matches, $wanted);
                Ok(())
            }
        }

        impl clap::Args for $type {
            fn augment_args(command: Command) -> Command {
                augment(command, $wanted, $is_global)
            }

            fn augment_args_for_update(command: Command) -> Command {
                augment(command, $wanted, $is_global)
            }
        }
    };
}

flags_of!(AllFlags, |_| true, global: false);
flags_of!(FolderFlags, concerns_every_command, global: true);

fn augment(command: Command, wanted: impl Fn(&Key) -> bool, is_global: bool) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("A TOML file with any of the keys below [env: SUDA_CONFIG]");
    let keys = KEYS.iter().filter(|key| wanted(key)).map(argument);
    command.args(std::iter::once(file).chain(keys).map(|argument| argument.global(is_global)))
}

fn argument(key: &'static Key) -> Arg {
    let parser = if key.field.is_switch() {
        ValueParser::from(BoolishValueParser::new())
    } else {
        ValueParser::string()
    };
    let argument = Arg::new(key.name)
        .long(key.flag())
        .value_name(value_name(key))
        .value_parser(parser)
        .help(format!("{} [env: {}]", key.help, key.variable()))
        .allow_hyphen_values(true);
    let argument = if key.flag() == key.name { argument } else { argument.alias(key.name) };
    if key.field.is_switch() {
        argument.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else if key.field.is_list() {
        argument.action(ArgAction::Append)
    } else {
        argument
    }
}

fn value_name(key: &Key) -> String {
    let last = key.name.rsplit(['.', '_']).next().unwrap_or(key.name);
    last.to_uppercase()
}

fn given(matches: &ArgMatches, wanted: impl Fn(&Key) -> bool) -> Flags {
    let mut values = Layer::new();
    for key in KEYS.iter().filter(|key| wanted(key)) {
        let text = if key.field.is_switch() {
            matches.get_one::<bool>(key.name).map(bool::to_string)
        } else {
            let texts = matches.get_many::<String>(key.name);
            texts.map(|texts| texts.map(String::as_str).collect::<Vec<_>>().join(","))
        };
        values.extend(text.map(|text| (key.name, text)));
    }
    Flags { file: matches.get_one("config").cloned(), values }
}
