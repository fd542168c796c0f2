//! What a key of the configuration holds: how its text is read into the configuration and written out of it.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::Config;

/// A way to one value inside [`Config`].
type At<T> = fn(&mut Config) -> &mut T;

/// One value of the configuration: its type, its place and what it may be.
pub enum Field {
    /// On or off.
    Switch(At<bool>),
    /// A whole number.
    Number(At<u32>, RangeInclusive<u64>),
    /// A whole number of things held in memory.
    Size(At<usize>, RangeInclusive<u64>),
    /// A time in seconds.
    Seconds(At<Duration>, RangeInclusive<u64>),
    /// A time in milliseconds.
    Milliseconds(At<Duration>, RangeInclusive<u64>),
    /// Any text.
    Text(At<String>),
    /// Text that is never shown.
    Secret(At<String>),
    /// A path that is always set.
    Folder(At<PathBuf>),
    /// A path that may be absent.
    File(At<Option<PathBuf>>),
    /// Texts separated by commas.
    Texts(At<Vec<String>>),
    /// IP addresses separated by commas.
    Addresses(At<Vec<IpAddr>>),
    /// One of these words; the two functions set and answer the index.
    Choice(&'static [&'static str], fn(&mut Config, usize), fn(&Config) -> usize),
}

impl Field {
    /// Reads `text` into the configuration. Answers what was expected instead if it does not fit.
    pub fn read(&self, config: &mut Config, text: &str) -> Result<(), String> {
        match self {
            Self::Switch(at) => *at(config) = switch(text)?,
            Self::Number(at, range) => *at(config) = number(text, range)?,
            Self::Size(at, range) => *at(config) = number(text, range)?,
            Self::Seconds(at, range) => *at(config) = Duration::from_secs(number(text, range)?),
            Self::Milliseconds(at, range) => {
                *at(config) = Duration::from_millis(number(text, range)?);
            }
            Self::Text(at) | Self::Secret(at) => *at(config) = text.to_owned(),
            Self::Folder(at) if text.is_empty() => {
                let _ = at;
                return Err("a path".to_owned());
            }
            Self::Folder(at) => *at(config) = PathBuf::from(text),
            Self::File(at) => *at(config) = Some(text).filter(|text| !text.is_empty()).map(PathBuf::from),
            Self::Texts(at) => *at(config) = items(text).map(str::to_owned).collect(),
            Self::Addresses(at) => *at(config) = addresses(text)?,
            Self::Choice(words, set, _) => {
                let index = words.iter().position(|word| *word == text);
                set(config, index.ok_or_else(|| format!("one of {}", words.join(", ")))?);
            }
        }
        Ok(())
    }

    /// The value as it would stand in a TOML file; a secret only says whether it is set.
    pub fn show(&self, config: &mut Config) -> String {
        match self {
            Self::Switch(at) => at(config).to_string(),
            Self::Number(at, _) => at(config).to_string(),
            Self::Size(at, _) => at(config).to_string(),
            Self::Seconds(at, _) => at(config).as_secs().to_string(),
            Self::Milliseconds(at, _) => at(config).as_millis().to_string(),
            Self::Text(at) => quoted(at(config)),
            Self::Secret(at) => quoted(if at(config).is_empty() { "" } else { "(set)" }),
            Self::Folder(at) => quoted(at(config).display()),
            Self::File(at) => quoted(at(config).as_deref().unwrap_or("".as_ref()).display()),
            Self::Texts(at) => list(at(config)),
            Self::Addresses(at) => list(at(config)),
            Self::Choice(words, _, index) => quoted(words[index(config)]),
        }
    }

    /// What may stand there, for the reference.
    pub fn describe(&self) -> String {
        match self {
            Self::Switch(_) => "`true` or `false`".to_owned(),
            Self::Number(_, range) | Self::Size(_, range) => between("", range),
            Self::Seconds(_, range) => between("seconds, ", range),
            Self::Milliseconds(_, range) => between("milliseconds, ", range),
            Self::Text(_) => "text".to_owned(),
            Self::Secret(_) => "text, never shown".to_owned(),
            Self::Folder(_) | Self::File(_) => "a path".to_owned(),
            Self::Texts(_) => "a list of texts".to_owned(),
            Self::Addresses(_) => "a list of IP addresses".to_owned(),
            Self::Choice(words, ..) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Whether it is a list, which a file writes as an array and everything else with commas.
    pub const fn is_list(&self) -> bool {
        matches!(self, Self::Texts(_) | Self::Addresses(_))
    }

    /// Whether a flag needs no value.
    pub const fn is_switch(&self) -> bool {
        matches!(self, Self::Switch(_))
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

fn number<T: TryFrom<u64>>(text: &str, range: &RangeInclusive<u64>) -> Result<T, String> {
    let number = u64::from_str(text).ok().filter(|number| range.contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
}

fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    items(text)
        .map(|item| IpAddr::from_str(item).map_err(|_| "IP addresses, like 10.0.0.7".to_owned()))
        .collect()
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn between(unit: &str, range: &RangeInclusive<u64>) -> String {
    format!("{unit}{} to {}", range.start(), range.end())
}

fn quoted(value: impl Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}

fn list<T: Display>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(quoted).collect();
    format!("[{}]", values.join(", "))
}
