//! The repository keeps its house rules: `cargo xtask tidy` as a test.

use std::path::Path;

use xtask::tidy;

#[test]
fn the_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let violations = tidy::check(&root).expect("the repository is readable");
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}
