//! Words that must not be in the repository: unbounded queues, unfinished work, sleeping tests,
//! and paths that exist on one machine only.

use super::Violation;
use super::search::{is_identifier_character, line_of, line_text, whole_words};
use super::tree::{RustSource, SourceFile, Tree};

const BOUND_IT: &str = "give the queue a bound and decide what happens when it is full";
const FINISH_IT: &str = "finish it, or leave it out";

/// Calls that Rust code outside tests must not contain, and what to do instead.
const CALLS: [(&str, &str); 6] = [
    ("unbounded_channel", BOUND_IT),
    ("mpsc::unbounded", BOUND_IT),
    ("mpsc::channel()", BOUND_IT),
    ("todo!", FINISH_IT),
    ("unimplemented!", FINISH_IT),
    ("dbg!", "trace what operators need, remove the rest"),
];

/// Written in pieces, so that this file passes its own check.
const MARKERS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Written in pieces, so that this file passes its own check.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// The comment that excuses a sleep in a test; its reason follows.
const SLEEP_EXCUSE: &str = "// tidy: sleep because ";

/// Reports every banned word.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        violations.extend(markers(file));
        violations.extend(machine_paths(file));
    }
    for (file, rust) in tree.rust_files() {
        violations.extend(calls(file, rust));
        violations.extend(sleeps(file, rust));
    }
    violations
}

fn calls(file: &SourceFile, rust: &RustSource) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (call, remedy) in CALLS {
        let found = whole_words(&rust.code, call).filter(|at| !file.is_test_at(*at));
        violations.extend(found.map(|at| {
            let what = format!("`{call}` is banned");
            Violation::new(&file.path, line_of(&rust.code, at), what, remedy)
        }));
    }
    violations
}

fn markers(file: &SourceFile) -> Vec<Violation> {
    let mut violations = Vec::new();
    for marker in MARKERS {
        let found = whole_words(&file.text, marker).filter(|at| !file.is_test_at(*at));
        violations.extend(found.map(|at| {
            let what = format!("`{marker}` marks unfinished work");
            Violation::new(&file.path, line_of(&file.text, at), what, FINISH_IT)
        }));
    }
    violations
}

/// A folder name behind a longer path (`src/work/`) or a host name is not a machine path.
fn machine_paths(file: &SourceFile) -> Vec<Violation> {
    let mut violations = Vec::new();
    for path in MACHINE_PATHS {
        let found = file.text.match_indices(path).filter(|(at, _)| {
            let before = file.text[..*at].chars().next_back();
            !before.is_some_and(|character| {
                is_identifier_character(character) || matches!(character, '.' | '-' | '}' | '*')
            })
        });
        violations.extend(found.map(|(at, _)| {
            let what = format!("`{path}` is a path of one machine");
            let remedy = "use a path relative to the repository or a setting";
            Violation::new(&file.path, line_of(&file.text, at), what, remedy)
        }));
    }
    violations
}

/// Sleeps in test code: `sleep(…)` as a free function, however it was imported.
fn sleeps(file: &SourceFile, rust: &RustSource) -> Vec<Violation> {
    let calls = whole_words(&rust.code, "sleep").filter(|at| is_free_call(&rust.code, *at));
    let lines = calls.filter(|at| file.is_test_at(*at)).map(|at| line_of(&rust.code, at));
    lines
        .filter(|line| !is_excused(line_text(&file.text, *line)))
        .map(|line| {
            let remedy = format!("wait for evidence instead, or write `{SLEEP_EXCUSE}<reason>` on the line");
            Violation::new(&file.path, line, "a test sleeps", remedy)
        })
        .collect()
}

/// Whether the word at `at` is called, and neither a method nor being declared.
fn is_free_call(code: &str, at: usize) -> bool {
    let before = code[..at].trim_end();
    let after = &code[at + "sleep".len()..];
    after.starts_with('(') && !before.ends_with('.') && !before.ends_with("fn")
}

fn is_excused(line: &str) -> bool {
    line.split_once(SLEEP_EXCUSE).is_some_and(|(_, reason)| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let violations = check(&Tree::of([(path, text)])).into_iter();
        violations.map(|found| (found.line, found.what)).collect()
    }

    #[test]
    fn banned_calls_are_found_outside_tests_only() {
        for (call, _) in CALLS {
            let text = format!("//! A.\nfn a() {{ {call} }}\n");
            let expected = (2, format!("`{call}` is banned"));
            assert_eq!(found("crates/server/src/a.rs", &text), [expected]);
            assert_eq!(found("crates/server/tests/a.rs", &text), []);
            let text = format!("//! A.\n#[cfg(test)]\nmod tests {{\n    {call}\n}}\n");
            assert_eq!(found("crates/server/src/a.rs", &text), []);
        }
    }

    #[test]
    fn words_in_comments_and_strings_are_no_calls() {
        let text = "//! No unbounded_channel, no todo!.\nconst A: &str = \"dbg!\";\n";
        assert_eq!(found("crates/server/src/a.rs", text), []);
        assert_eq!(found("a.rs", "mpsc::channel(16); mpsc::unbounded_send"), []);
    }

    #[test]
    fn markers_are_found_in_every_language() {
        for marker in MARKERS {
            let text = format!("<!-- A -->\n<!-- {marker}: later -->\n");
            let expected = (2, format!("`{marker}` marks unfinished work"));
            assert_eq!(found("web/a.svelte", &text), [expected]);
            assert_eq!(found("web/a.md", &format!("{marker}S")), []);
        }
    }

    #[test]
    fn machine_paths_are_found_in_tests_too() {
        for path in MACHINE_PATHS {
            let text = format!("open(\"{path}x\")");
            assert_eq!(found("a/tests/b.rs", &text).len(), 1);
            assert_eq!(found("a.md", &format!("see src{path}x")), []);
        }
    }

    #[test]
    fn tests_do_not_sleep() {
        for call in ["tokio::time::sleep(d)", "thread::sleep(d)", "sleep(d)"] {
            let text = format!("//! A.\nfn a() {{ {call} }}\n");
            let expected = (2, "a test sleeps".to_owned());
            assert_eq!(found("a/tests/b.rs", &text), [expected]);
            assert_eq!(found("a/src/b.rs", &text), []);
        }
        let text = "#[cfg(test)]\nmod tests {\n    fn a() { sleep(d) }\n}\n";
        assert_eq!(found("a/src/b.rs", text).len(), 1);
    }

    #[test]
    fn a_sleep_with_a_reason_passes() {
        let excused = "sleep(d); // tidy: sleep because the kernel offers no event\n";
        assert_eq!(found("a/tests/b.rs", excused), []);
        assert_eq!(found("a/tests/b.rs", "sleep(d); // tidy: sleep because \n").len(), 1);
        assert_eq!(found("a/tests/b.rs", "clock.sleep(d); fn sleep(d: D) {}"), []);
    }
}
