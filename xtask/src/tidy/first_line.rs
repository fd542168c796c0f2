//! Every source file opens by saying what it is for.

use super::Violation;
use super::tree::{SourceFile, Tree};

/// Reports source files that do not open with a comment.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let files = tree.files().iter();
    files
        .filter_map(|file| {
            let (line, openings) = wanted_opening(file)?;
            let text = file.text.lines().nth(line - 1).unwrap_or("");
            let opens_well = openings.iter().any(|opening| text.starts_with(opening));
            (!opens_well).then(|| {
                Violation::new(
                    &file.path,
                    line,
                    "the file does not say what it is for",
                    format!("open it with a `{}` comment", openings[0]),
                )
            })
        })
        .collect()
}

/// The line that must be a comment and how one may start there; nothing for other files.
fn wanted_opening(file: &SourceFile) -> Option<(usize, &'static [&'static str])> {
    let is_script = file.text.starts_with("#!/");
    match file.extension() {
        Some("rs") => Some((1, &["//!"])),
        Some("ts") => Some((1, &["//", "/*"])),
        Some("svelte") => Some((1, &["<!--"])),
        _ if is_script => Some((2, &["#", "//"])),
        Some("sh") => Some((1, &["#"])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_say_what_they_are_for_pass() {
        let tree = Tree::of([
            ("a.rs", "//! What.\n"),
            ("a.ts", "// What.\n"),
            ("b.ts", "/** What. */\n"),
            ("a.svelte", "<!-- What. -->\n"),
            ("a.sh", "#!/bin/sh\n# What.\n"),
            ("a.md", "no comment needed"),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn files_that_do_not_are_reported_at_the_line() {
        let tree = Tree::of([
            ("a.rs", "use x;\n//! Late.\n"),
            ("a.ts", "const x = 1;\n"),
            ("a.svelte", "<script>\n"),
            ("run", "#!/bin/sh\nset -e\n"),
            ("empty.rs", ""),
        ]);
        let found = check(&tree);
        let found: Vec<_> = found.iter().map(|v| (v.path.as_str(), v.line)).collect();
        assert_eq!(found, [("a.rs", 1), ("a.ts", 1), ("a.svelte", 1), ("run", 2), ("empty.rs", 1),]);
    }
}
