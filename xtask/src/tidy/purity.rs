//! The domain has no runtime, clock, randomness or I/O, so that one seed replays everything.

use super::Violation;
use super::rust_items;
use super::search::{line_of, whole_words};
use super::tree::{RustSource, Tree};

const FOLDER: &str = "crates/domain/src/";

const CLOCK: &str = "take the time as an argument";
const RANDOMNESS: &str = "take ids and randomness as arguments";
const RUNTIME: &str = "the domain only says what is to be done: let the server run it";
const INPUT_OUTPUT: &str = "put the need behind a port and let an adapter do it";

/// What the domain must not mention, and what to do instead.
const BANNED: [(&str, &str); 16] = [
    ("tokio", RUNTIME),
    ("async_std", RUNTIME),
    ("smol", RUNTIME),
    ("futures::executor", RUNTIME),
    ("SystemTime", CLOCK),
    ("Instant::now", CLOCK),
    ("now_v7", RANDOMNESS),
    ("new_v4", RANDOMNESS),
    ("rand::", RANDOMNESS),
    ("getrandom", RANDOMNESS),
    ("std::fs", INPUT_OUTPUT),
    ("std::net", INPUT_OUTPUT),
    ("print!", INPUT_OUTPUT),
    ("println!", INPUT_OUTPUT),
    ("eprint!", INPUT_OUTPUT),
    ("eprintln!", INPUT_OUTPUT),
];

/// Reports what makes the domain impure, in its tests too: they hold the same promise.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let domain = tree.rust_files().filter(|(file, _)| file.path.starts_with(FOLDER));
    for (file, rust) in domain {
        for (needle, remedy) in BANNED {
            let mut lines = mentions(rust, needle);
            lines.sort_unstable();
            lines.dedup();
            violations.extend(lines.into_iter().map(|line| {
                let what = format!("the domain mentions `{needle}`");
                Violation::new(&file.path, line, what, remedy)
            }));
        }
    }
    violations
}

/// The lines that name `needle`, written out or inside a grouped import.
fn mentions(rust: &RustSource, needle: &str) -> Vec<usize> {
    let code = &rust.code;
    let direct = whole_words(code, needle).map(|at| line_of(code, at));
    let imports = rust_items::imports(code).into_iter();
    let grouped =
        imports.filter(|(_, path)| whole_words(path, needle).next().is_some()).map(|(line, _)| line);
    direct.chain(grouped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let violations = check(&Tree::of([(path, text)]));
        violations.into_iter().map(|v| (v.line, v.what)).collect()
    }

    #[test]
    fn pure_code_and_words_about_impurity_pass() {
        let text = "//! No tokio, no SystemTime, no std::fs.\nuse async_trait::async_trait;\nuse std::time::Duration;\nconst A: &str = \"println!\";\nfn operand::x() {}\n";
        assert_eq!(found("crates/domain/src/lib.rs", text), []);
    }

    #[test]
    fn other_crates_may_do_as_they_need() {
        assert_eq!(found("crates/server/src/lib.rs", "use tokio::time;"), []);
    }

    #[test]
    fn every_banned_name_is_found() {
        for (needle, _) in BANNED {
            let text = format!("//! A.\nfn a() {{ {needle} }}\n");
            let expected = (2, format!("the domain mentions `{needle}`"));
            assert_eq!(found("crates/domain/src/a.rs", &text), [expected]);
        }
    }

    #[test]
    fn grouped_imports_are_seen_through() {
        let text = "use std::{collections::BTreeMap, fs::File};\n";
        let expected = (1, "the domain mentions `std::fs`".to_owned());
        assert_eq!(found("crates/domain/src/a.rs", text), [expected]);
    }
}
