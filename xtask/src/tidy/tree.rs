//! The repository as the checks see it: every file that git does not ignore, with its text.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::ignore::IgnoreRules;
use super::rust_items;
use super::rust_lexer;

/// Folders that are never part of the repository, whatever `.gitignore` says.
const SKIPPED_FOLDERS: [&str; 3] = [".git", "target", "node_modules"];

/// All files, sorted by path.
pub struct Tree {
    files: Vec<SourceFile>,
}

/// One file.
pub struct SourceFile {
    /// Relative to the repository's root, with forward slashes.
    pub path: String,
    /// The content; empty for a file that is not UTF-8 text.
    pub text: String,
    /// What the Rust lexer made of it; nothing for other languages.
    pub rust: Option<RustSource>,
}

/// A Rust file's code, prepared once for all checks.
pub struct RustSource {
    /// The text with comments and literals blanked: same offsets, same lines.
    pub code: String,
    /// The byte ranges of modules under `#[cfg(test)]`.
    pub test_modules: Vec<Range<usize>>,
}

impl Tree {
    /// Reads every file under `root` that is not ignored; symbolic links are not followed.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &IgnoreRules::default(), &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// A made-up tree of (path, text) pairs.
    #[cfg(test)]
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| SourceFile::new(path.to_owned(), text.to_owned()));
        Self { files: files.into() }
    }

    /// Every file.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Every Rust file with its prepared code.
    pub fn rust_files(&self) -> impl Iterator<Item = (&SourceFile, &RustSource)> {
        let files = self.files.iter();
        files.filter_map(|file| file.rust.as_ref().map(|rust| (file, rust)))
    }

    /// The file at `path`, if there is one.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl SourceFile {
    fn new(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| {
            let code = rust_lexer::code_only(&text);
            let test_modules = rust_items::test_modules(&code);
            RustSource { code, test_modules }
        });
        Self { path, text, rust }
    }

    /// The name without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What stands behind the name's last dot, or nothing.
    pub fn extension(&self) -> Option<&str> {
        self.name().rsplit_once('.').map(|(_, extension)| extension)
    }

    /// Whether the whole file is test code: in a `tests` folder, or named as a test.
    pub fn is_test(&self) -> bool {
        let in_tests_folder = self.path.split('/').any(|folder| folder == "tests");
        let stem = self.name().rsplit_once('.').map_or("", |(stem, _)| stem);
        let suffixes = ["_test", "_tests", ".test", ".spec"];
        in_tests_folder || stem == "tests" || suffixes.iter().any(|suffix| stem.ends_with(suffix))
    }

    /// Whether the byte at `offset` is test code.
    pub fn is_test_at(&self, offset: usize) -> bool {
        let in_test_module = self.rust.as_ref().is_some_and(|rust| {
            let mut modules = rust.test_modules.iter();
            modules.any(|module| module.contains(&offset))
        });
        self.is_test() || in_test_module
    }
}

/// Reads the folder `base` ("" or ending with a slash) below `root` into `files`.
fn read_folder(root: &Path, base: &str, rules: &IgnoreRules, files: &mut Vec<SourceFile>) -> io::Result<()> {
    let folder = root.join(base);
    let mut rules = rules.clone();
    if let Ok(gitignore) = fs::read_to_string(folder.join(".gitignore")) {
        rules.add(base, &gitignore);
    }
    for entry in fs::read_dir(&folder).map_err(|error| at_path(&folder, &error))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{base}{name}");
        let kind = entry.file_type()?;
        if rules.ignores(&path, kind.is_dir()) {
            continue;
        }
        if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
            read_folder(root, &format!("{path}/"), &rules, files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).map_err(|error| at_path(&entry.path(), &error))?;
            let text = String::from_utf8(bytes).unwrap_or_default();
            files.push(SourceFile::new(path, text));
        }
    }
    Ok(())
}

fn at_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_repository_without_what_git_ignores() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tree = Tree::read(&root).expect("the repository is readable");
        assert!(tree.file("xtask/src/tidy/tree.rs").is_some());
        assert!(tree.file(".gitignore").is_some());
        let skipped = ["target/", ".git/"];
        let mut paths = tree.files().iter().map(|file| &file.path);
        assert!(!paths.any(|path| skipped.iter().any(|skipped| path.starts_with(skipped))));
    }

    #[test]
    fn test_code_is_told_from_the_rest() {
        let is_test = |path: &str| SourceFile::new(path.to_owned(), String::new()).is_test();
        for path in ["a/tests/b.rs", "a/src/b/tests.rs", "web/a.test.ts"] {
            assert!(is_test(path), "{path}");
        }
        for path in ["a/src/latests.rs", "a/src/contests/b.rs", "a/src/b.rs"] {
            assert!(!is_test(path), "{path}");
        }
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {}\n";
        let file = SourceFile::new("a/src/b.rs".to_owned(), text.to_owned());
        assert!(!file.is_test_at(0));
        assert!(file.is_test_at(25));
    }
}
