//! Which files git ignores, read from `.gitignore` files without asking git.
//!
//! Covers what this repository writes: `name`, `/anchored`, `folder/`, `*`, `?`, `**/` and `!`.

/// The patterns of all `.gitignore` files on the way down to a folder.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// The folder of the `.gitignore` file: empty for the root, otherwise ending with a slash.
    base: String,
    glob: String,
    /// Whether the pattern names a path under `base` rather than a name anywhere below it.
    anchored: bool,
    folders_only: bool,
    negated: bool,
}

impl IgnoreRules {
    /// Adds the lines of the `.gitignore` file in folder `base` ("" or ending with a slash).
    pub fn add(&mut self, base: &str, gitignore: &str) {
        let lines = gitignore.lines().map(str::trim_end);
        let patterns = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| Pattern::parse(base, line));
        self.patterns.extend(patterns);
    }

    /// Whether `path`, relative to the repository's root, is ignored; the last match decides.
    pub fn ignores(&self, path: &str, is_folder: bool) -> bool {
        let decisive = self.patterns.iter().rev();
        decisive
            .filter(|pattern| pattern.matches(path, is_folder))
            .map(|pattern| !pattern.negated)
            .next()
            .unwrap_or(false)
    }
}

impl Pattern {
    fn parse(base: &str, line: &str) -> Self {
        let (negated, line) = strip(line, |line| line.strip_prefix('!'));
        let (folders_only, line) = strip(line, |line| line.strip_suffix('/'));
        let (_, glob) = strip(line, |line| line.strip_prefix('/'));
        Self {
            base: base.to_owned(),
            glob: glob.to_owned(),
            anchored: line.contains('/'),
            folders_only,
            negated,
        }
    }

    fn matches(&self, path: &str, is_folder: bool) -> bool {
        let Some(below) = path.strip_prefix(&self.base) else {
            return false;
        };
        let subject = if self.anchored { below } else { below.rsplit('/').next().unwrap_or(below) };
        (is_folder || !self.folders_only) && glob_matches(self.glob.as_bytes(), subject.as_bytes())
    }
}

/// Whether `cut` applied, and what is left.
fn strip(line: &str, cut: fn(&str) -> Option<&str>) -> (bool, &str) {
    cut(line).map_or((false, line), |rest| (true, rest))
}

/// `*` and `?` stay within a path segment; `**/` spans any number of them.
fn glob_matches(glob: &[u8], subject: &[u8]) -> bool {
    if let Some(rest) = glob.strip_prefix(b"**/") {
        let next_segment = subject.iter().position(|byte| *byte == b'/');
        return glob_matches(rest, subject)
            || next_segment.is_some_and(|slash| glob_matches(glob, &subject[slash + 1..]));
    }
    match (glob.split_first(), subject.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if glob_matches(rest, subject) => true,
        (Some((b'*', _)), Some((byte, rest))) => *byte != b'/' && glob_matches(glob, rest),
        (Some((b'?', glob)), Some((byte, rest))) => *byte != b'/' && glob_matches(glob, rest),
        (Some((wanted, glob)), Some((byte, rest))) => wanted == byte && glob_matches(glob, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> IgnoreRules {
        let mut rules = IgnoreRules::default();
        rules.add("", "# built\n/target\n*.sock\nfuzz/corpus\ndist/\n");
        rules.add("web/", "/build\n!kept.sock\n**/cache\n");
        rules
    }

    #[test]
    fn anchored_patterns_hold_at_their_folder_only() {
        assert!(rules().ignores("target", true));
        assert!(!rules().ignores("crates/target", true));
        assert!(rules().ignores("fuzz/corpus", true));
        assert!(rules().ignores("web/build", true));
        assert!(!rules().ignores("build", true));
    }

    #[test]
    fn names_hold_anywhere_below() {
        assert!(rules().ignores("a/b/x.sock", false));
        assert!(!rules().ignores("a/b/x.socket", false));
        assert!(rules().ignores("web/a/b/cache", true));
    }

    #[test]
    fn folder_patterns_spare_files_and_negation_wins_when_later() {
        assert!(rules().ignores("web/dist", true));
        assert!(!rules().ignores("web/dist", false));
        assert!(!rules().ignores("web/kept.sock", false));
        assert!(rules().ignores("kept.sock", false));
    }
}
