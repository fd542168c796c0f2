//! The TOML file: tables flattened to key names, and every name known.

use std::path::Path;

use toml::{Table, Value};

use super::keys::{self, KEYS};
use super::{ConfigurationError, Layer, read_file};

/// Reads the file's values as texts.
pub fn read(path: &Path) -> Result<Layer, ConfigurationError> {
    let text = read_file(path)?;
    let table: Table = text
        .parse()
        .map_err(|source| ConfigurationError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
    let mut layer = Layer::new();
    flatten(path, "", table, &mut layer)?;
    Ok(layer)
}

fn flatten(path: &Path, prefix: &str, table: Table, layer: &mut Layer) -> Result<(), ConfigurationError> {
    for (name, value) in table {
        let name = format!("{prefix}{name}");
        let Some(key) = keys::find(&name) else {
            match value {
                Value::Table(inner) if is_table(&name) => {
                    flatten(path, &format!("{name}."), inner, layer)?;
                    continue;
                }
                _ => {
                    let nearest = nearest(&name);
                    let path = path.to_owned();
                    return Err(ConfigurationError::UnknownKey { path, name, nearest });
                }
            }
        };
        let text = text_of(value, key.field.is_list()).ok_or_else(|| ConfigurationError::Value {
            name: key.name,
            origin: super::Origin::File(path.to_owned()),
            expected: key.field.describe(),
        })?;
        layer.insert(key.name, text);
    }
    Ok(())
}

fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// A scalar as text; an array, where one is expected, with commas.
fn text_of(value: Value, is_list: bool) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(switch) => Some(switch.to_string()),
        Value::Array(values) if is_list => {
            let texts: Option<Vec<_>> = values.into_iter().map(|value| text_of(value, false)).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

/// The key that looks most like `name`, if any looks like it at all.
fn nearest(name: &str) -> Option<&'static str> {
    let distance = |key: &str| {
        let last = key.rsplit('.').next().unwrap_or(key);
        edits(name, key).min(edits(name, last))
    };
    let nearest = KEYS.iter().map(|key| key.name).min_by_key(|key| distance(key))?;
    Some(nearest).filter(|key| distance(key) <= 2 + name.len() / 4)
}

/// The Levenshtein distance: how many characters to insert, delete or replace.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, from) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[row.len() - 1]
}
