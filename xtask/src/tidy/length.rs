//! Files and functions stay short enough to be read in one go.
//!
//! What was too long when its limit came stands in `xtask/ratchet.toml` and may only shrink.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Violation;
use super::rust_items;
use super::search::line_of;
use super::tree::{SourceFile, Tree};

/// Where the recorded lengths stand.
const RATCHET: &str = "xtask/ratchet.toml";

const SOURCE_EXTENSIONS: [&str; 4] = ["rs", "ts", "svelte", "sh"];
/// What stands in the first line of a generated file, in front of the command that makes it.
const GENERATED: &str = "Written by: ";
const FILE_LINES: usize = 500;
const TEST_FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;
/// Beyond this a function is not excused by an entry either.
const FUNCTION_CEILING: usize = 100;

/// The recorded lengths, in lines.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    /// By path.
    #[serde(default)]
    files: BTreeMap<String, usize>,
    /// By `path::function`.
    #[serde(default)]
    functions: BTreeMap<String, usize>,
}

/// Something with a length that the rule is about.
struct Measured {
    /// Its key in the ratchet.
    key: String,
    path: String,
    first_line: usize,
    lines: usize,
    limit: usize,
    /// The length from which no entry helps, if there is one.
    ceiling: Option<usize>,
}

/// Reports files and functions over their limit, and entries of the ratchet that should shrink.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let text = tree.file(RATCHET).map_or("", |file| file.text.as_str());
    let ratchet: Ratchet = match toml::from_str(text) {
        Ok(ratchet) => ratchet,
        Err(error) => {
            let what = format!("unreadable: {}", error.message());
            return vec![Violation::new(RATCHET, 1, what, "mend the entry")];
        }
    };
    let mut violations = judge_all(&measured_files(tree), &ratchet.files, text);
    violations.extend(judge_all(&measured_functions(tree), &ratchet.functions, text));
    violations
}

fn measured_files(tree: &Tree) -> Vec<Measured> {
    let sources = tree
        .files()
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| SOURCE_EXTENSIONS.contains(&extension)))
        .filter(|file| !is_generated(file));
    let measured = sources.map(|file| Measured {
        key: file.path.clone(),
        path: file.path.clone(),
        first_line: 1,
        lines: counted_lines(file),
        limit: if file.is_test() { TEST_FILE_LINES } else { FILE_LINES },
        ceiling: None,
    });
    measured.collect()
}

/// Whether a program wrote it, as its first line says: nobody has to read it in one go.
fn is_generated(file: &SourceFile) -> bool {
    file.text.lines().next().is_some_and(|first| first.contains(GENERATED))
}

/// The lines of a file without the test module at its end: tests should never be saved on.
fn counted_lines(file: &SourceFile) -> usize {
    let lines = file.text.lines().count();
    let last_module = file.rust.as_ref().and_then(|rust| rust.test_modules.last());
    match last_module {
        Some(module) if file.text[module.end..].trim().is_empty() => line_of(&file.text, module.start) - 1,
        _ => lines,
    }
}

/// Functions of the same name in one file share a key; the longest stands for them.
fn measured_functions(tree: &Tree) -> Vec<Measured> {
    let mut longest: BTreeMap<String, Measured> = BTreeMap::new();
    for (file, rust) in tree.rust_files() {
        for function in rust_items::functions(&rust.code) {
            let measured = Measured {
                key: format!("{}::{}", file.path, function.name),
                path: file.path.clone(),
                first_line: function.first_line,
                lines: function.lines,
                limit: FUNCTION_LINES,
                ceiling: Some(FUNCTION_CEILING),
            };
            let known = longest.get(&measured.key);
            if known.is_none_or(|known| known.lines < measured.lines) {
                longest.insert(measured.key.clone(), measured);
            }
        }
    }
    longest.into_values().collect()
}

/// Judges everything measured, and the entries that nothing answers to.
fn judge_all(
    measured: &[Measured],
    recorded: &BTreeMap<String, usize>,
    ratchet_text: &str,
) -> Vec<Violation> {
    let known = measured.iter();
    let mut violations: Vec<Violation> =
        known.filter_map(|one| judge(one, recorded.get(&one.key).copied())).collect();
    let stale = recorded.keys().filter(|key| !measured.iter().any(|one| one.key == **key));
    violations.extend(stale.map(|key| {
        let offset = ratchet_text.find(key.as_str()).unwrap_or(0);
        let line = line_of(ratchet_text, offset);
        Violation::new(RATCHET, line, format!("nothing is called `{key}`"), "remove the entry")
    }));
    violations
}

fn judge(one: &Measured, recorded: Option<usize>) -> Option<Violation> {
    let Measured { key, lines, limit, .. } = one;
    let lines = *lines;
    let beyond_ceiling = one.ceiling.filter(|ceiling| lines > *ceiling);
    let (what, remedy) = match (beyond_ceiling, recorded) {
        (Some(ceiling), _) => (
            format!("`{key}` has {lines} lines, more than {ceiling}"),
            "split it: no ratchet entry excuses this".to_owned(),
        ),
        (None, None) if lines > *limit => (
            format!("`{key}` has {lines} lines, more than {limit}"),
            "split it into parts that each tell one thing".to_owned(),
        ),
        (None, Some(recorded)) if lines > recorded => (
            format!("`{key}` grew from {recorded} to {lines} lines"),
            "split it: what the ratchet lists may only shrink".to_owned(),
        ),
        (None, Some(_)) if lines <= *limit => (
            format!("`{key}` is within its limit of {limit} lines again"),
            format!("remove its entry from {RATCHET}"),
        ),
        (None, Some(recorded)) if lines * 10 <= recorded * 9 => (
            format!("`{key}` shrank from {recorded} to {lines} lines"),
            format!("lower its entry in {RATCHET} to {lines}"),
        ),
        _ => return None,
    };
    Some(Violation::new(&one.path, one.first_line, what, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/server/src/host.rs";

    /// A file of `lines` lines.
    fn file(lines: usize) -> String {
        "// A line.\n".repeat(lines)
    }

    /// A function of `lines` lines.
    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn messages<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let violations = check(&Tree::of(files));
        violations.into_iter().map(|found| found.what).collect()
    }

    fn messages_with_ratchet(path: &str, text: &str, ratchet: &str) -> Vec<String> {
        messages([(path, text), (RATCHET, ratchet)])
    }

    #[test]
    fn a_file_may_have_500_lines_and_a_test_800() {
        assert_eq!(messages([(PATH, &file(500))]), [""; 0]);
        assert_eq!(messages([("a/tests/b.rs", &file(800))]), [""; 0]);
        assert_eq!(messages([("docs/a.md", &file(5000))]), [""; 0]);
        let expected = format!("`{PATH}` has 501 lines, more than 500");
        assert_eq!(messages([(PATH, &file(501))]), [expected]);
        let expected = "`a/tests/b.rs` has 801 lines, more than 800";
        assert_eq!(messages([("a/tests/b.rs", &file(801))]), [expected]);
    }

    #[test]
    fn what_a_program_wrote_may_be_of_any_length() {
        let text = format!("/** Types. Written by: npm run types */\n{}", file(900));
        assert_eq!(messages([("web/sdk/src/wire.ts", &text)]), [""; 0]);
        let text = format!("// Types.\n// Written by: me\n{}", file(900));
        assert_eq!(messages([("web/sdk/src/wire.ts", &text)]).len(), 1);
    }

    #[test]
    fn the_test_module_at_the_end_is_not_counted() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", file(300));
        let text = file(500) + &tests;
        assert_eq!(messages([(PATH, &text)]), [""; 0]);
        let text = tests + &file(500);
        assert_eq!(messages([(PATH, &text)]).len(), 1);
    }

    #[test]
    fn a_function_may_have_70_lines() {
        assert_eq!(messages([(PATH, &function(70))]), [""; 0]);
        let expected = format!("`{PATH}::long` has 71 lines, more than 70");
        assert_eq!(messages([(PATH, &function(71))]), [expected]);
    }

    #[test]
    fn a_recorded_length_may_not_grow() {
        let ratchet = format!("[files]\n\"{PATH}\" = 600\n");
        let found = |lines| messages_with_ratchet(PATH, &file(lines), &ratchet);
        assert_eq!(found(600), [""; 0]);
        assert_eq!(found(541), [""; 0]);
        assert_eq!(found(601), [format!("`{PATH}` grew from 600 to 601 lines")]);
        assert_eq!(found(540), [format!("`{PATH}` shrank from 600 to 540 lines")]);
        let expected = format!("`{PATH}` is within its limit of 500 lines again");
        assert_eq!(found(500), [expected]);
    }

    #[test]
    fn a_recorded_function_stays_below_the_ceiling() {
        let ratchet = format!("[functions]\n\"{PATH}::long\" = 120\n");
        let found = messages_with_ratchet(PATH, &function(101), &ratchet);
        assert_eq!(found, [format!("`{PATH}::long` has 101 lines, more than 100")]);
        let ratchet = format!("[functions]\n\"{PATH}::long\" = 80\n");
        assert_eq!(messages_with_ratchet(PATH, &function(80), &ratchet), [""; 0]);
    }

    #[test]
    fn the_ratchet_itself_is_kept_clean() {
        let ratchet = "[files]\n\"gone.rs\" = 600\n";
        let found = check(&Tree::of([(RATCHET, ratchet)]));
        assert_eq!((found[0].path.as_str(), found[0].line), (RATCHET, 2));
        assert_eq!(found[0].what, "nothing is called `gone.rs`");
        let found = messages([(RATCHET, "[folders]\n")]);
        assert!(found[0].starts_with("unreadable"), "{found:?}");
    }
}
