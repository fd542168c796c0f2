//! File and folder names say what is inside.

use super::Violation;
use super::tree::Tree;

/// Words that name a drawer, not a thing.
const EMPTY_WORDS: [&str; 9] =
    ["util", "utils", "common", "manager", "managers", "helper", "helpers", "misc", "miscellaneous"];

/// Reports paths with a word that says nothing.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let files = tree.files().iter();
    files
        .filter_map(|file| {
            let word = words(&file.path).find(|word| EMPTY_WORDS.contains(&word.as_str()))?;
            let what = format!("the path contains `{word}`, which does not say what is inside");
            let remedy = "name it after the one thing it holds, or split it by what it holds";
            Some(Violation::new(&file.path, 1, what, remedy))
        })
        .collect()
}

/// The words of a path in lower case: cut at signs and where a small letter meets a capital.
fn words(path: &str) -> impl Iterator<Item = String> {
    let mut separated = String::with_capacity(path.len());
    let mut after_small_letter = false;
    for character in path.chars() {
        if after_small_letter && character.is_uppercase() {
            separated.push(' ');
        }
        after_small_letter = character.is_lowercase();
        separated.extend(character.to_lowercase());
    }
    let words = separated.split(|character: char| !character.is_alphanumeric());
    words.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_things_pass() {
        let tree = Tree::of([
            ("crates/server/src/host/append.rs", ""),
            ("crates/proto/src/commonmark.rs", ""),
            ("web/sdk/src/outbox.ts", ""),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn names_of_drawers_are_reported() {
        let tree = Tree::of([
            ("crates/server/src/utils.rs", ""),
            ("crates/server/tests/common/mod.rs", ""),
            ("crates/server/src/session_manager.rs", ""),
            ("web/src/DateHelper.ts", ""),
            ("docs/misc/a.md", ""),
        ]);
        assert_eq!(check(&tree).len(), 5);
    }
}
