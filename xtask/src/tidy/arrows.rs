//! Which crate may depend on which, read from the `Cargo.toml` files.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Violation;
use super::search::line_of;
use super::tree::{SourceFile, Tree};

/// Every package of the workspace and the packages of it that its normal code may use.
const ARROWS: [(&str, &[&str]); 11] = [
    ("suda-proto", &[]),
    ("suda-domain", &["suda-proto"]),
    ("suda-server", &["suda-proto", "suda-domain"]),
    ("suda-embedded", &["suda-proto", "suda-domain"]),
    ("suda-cluster", &["suda-proto", "suda-domain"]),
    ("suda-client", &["suda-proto"]),
    ("suda-tui", &["suda-proto", "suda-client"]),
    ("suda-web", &[]),
    (
        "suda",
        &[
            "suda-proto",
            "suda-domain",
            "suda-server",
            "suda-embedded",
            "suda-cluster",
            "suda-client",
            "suda-tui",
            "suda-web",
        ],
    ),
    ("suda-sim", &["suda-proto", "suda-domain", "suda-server", "suda-embedded", "suda-client"]),
    // Code generation reads the wire types.
    ("xtask", &["suda-proto"]),
];

/// Pairs that tests may not join either, since a shared test would tie the two together.
const STRANGERS: [(&str, &str); 4] = [
    ("suda-embedded", "suda-cluster"),
    ("suda-cluster", "suda-embedded"),
    ("suda-server", "suda-embedded"),
    ("suda-server", "suda-cluster"),
];

const REMEDY: &str = "remove the dependency; ARCHITECTURE.md draws the arrows";

/// A dependency as a manifest declares it.
struct Dependency {
    /// The package's name, also where the manifest renames it.
    package: String,
    /// The line of the declaration.
    line: usize,
    /// Whether only tests, examples and benches see it.
    for_tests: bool,
}

/// Reports dependencies against the arrows.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let renames = workspace_renames(tree);
    let manifests = tree.files().iter();
    let manifests = manifests.filter(|file| file.path.ends_with("/Cargo.toml"));
    let found = manifests.flat_map(|manifest| match DeTable::parse(&manifest.text) {
        Ok(table) => check_manifest(manifest, table.get_ref(), &renames),
        Err(error) => vec![Violation::new(
            &manifest.path,
            1,
            format!("unreadable: {}", error.message()),
            "mend the manifest",
        )],
    });
    found.collect()
}

fn check_manifest(
    manifest: &SourceFile,
    table: &DeTable<'_>,
    renames: &BTreeMap<String, String>,
) -> Vec<Violation> {
    let package = table.get("package").and_then(|value| value.get_ref().get("name"));
    let Some(name) = package.and_then(|name| name.get_ref().as_str()) else {
        return Vec::new();
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(package, _)| *package == name) else {
        // A package outside `crates/` (a fuzz target, say) is no part of the layers.
        let is_layer = manifest.path.starts_with("crates/");
        let unplaced = is_layer.then(|| {
            let what = format!("package `{name}` has no place among the arrows");
            let remedy = "make it a module, or add it to xtask/src/tidy/arrows.rs and the layout";
            Violation::new(&manifest.path, 1, what, remedy)
        });
        return unplaced.into_iter().collect();
    };
    let dependencies = dependencies(&manifest.text, table, renames).into_iter();
    dependencies
        .filter(|dependency| is_ours(&dependency.package))
        .filter(|dependency| {
            let other = dependency.package.as_str();
            if dependency.for_tests { STRANGERS.contains(&(name, other)) } else { !allowed.contains(&other) }
        })
        .map(|dependency| {
            let what = format!("`{name}` must not know `{}`", dependency.package);
            Violation::new(&manifest.path, dependency.line, what, REMEDY)
        })
        .collect()
}

fn is_ours(package: &str) -> bool {
    ARROWS.iter().any(|(name, _)| *name == package) || package.starts_with("suda-")
}

/// The dependencies of all kinds, those of single platforms included.
fn dependencies(text: &str, manifest: &DeTable<'_>, renames: &BTreeMap<String, String>) -> Vec<Dependency> {
    let platforms = manifest.get("target").and_then(|t| t.get_ref().as_table());
    let platforms = platforms.into_iter().flat_map(|table| table.values());
    let platforms = platforms.filter_map(|value| value.get_ref().as_table());
    let mut dependencies = Vec::new();
    for table in std::iter::once(manifest).chain(platforms) {
        let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
        for (kind, for_tests) in kinds {
            let declared = table.get(kind).and_then(|value| value.get_ref().as_table());
            let declared = declared.into_iter().flat_map(|table| table.iter());
            dependencies.extend(declared.map(|(key, value)| Dependency {
                package: package_name(key, value, renames),
                line: line_of(text, key.span().start),
                for_tests,
            }));
        }
    }
    dependencies
}

/// The name behind a key: the `package` given beside it, here or in the workspace, or the key.
fn package_name(
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    renames: &BTreeMap<String, String>,
) -> String {
    let key = key.get_ref().as_ref();
    let renamed = declared_package(value).map(str::to_owned);
    renamed.or_else(|| renames.get(key).cloned()).unwrap_or_else(|| key.to_owned())
}

fn declared_package<'a>(value: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    let table = value.get_ref().as_table()?;
    table.get("package")?.get_ref().as_str()
}

/// The keys of the workspace's dependencies that stand for a package of another name.
fn workspace_renames(tree: &Tree) -> BTreeMap<String, String> {
    let text = tree.file("Cargo.toml").map_or("", |file| file.text.as_str());
    let Ok(root) = DeTable::parse(text) else {
        return BTreeMap::new();
    };
    let shared = root.get_ref().get("workspace");
    let shared = shared.and_then(|value| value.get_ref().get("dependencies"));
    let shared = shared.and_then(|value| value.get_ref().as_table());
    let shared = shared.into_iter().flat_map(|table| table.iter());
    let renames = shared.filter_map(|(key, value)| {
        let package = declared_package(value)?;
        Some((key.get_ref().to_string(), package.to_owned()))
    });
    renames.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is reported for a manifest of package `name` with these lines below its name.
    fn found(name: &str, rest: &str) -> Vec<(usize, String)> {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        let tree = Tree::of([
            (
                "Cargo.toml",
                "[workspace.dependencies]\nstore = { path = \"x\", package = \"suda-embedded\" }\n",
            ),
            ("crates/x/Cargo.toml", &text),
        ]);
        let violations = check(&tree).into_iter();
        violations.map(|found| (found.line, found.what)).collect()
    }

    #[test]
    fn allowed_arrows_pass() {
        let rest = "[dependencies]\nsuda-proto.workspace = true\ntokio.workspace = true\n";
        assert_eq!(found("suda-domain", rest), []);
        let rest = "[dependencies]\nsuda-tui.workspace = true\nsuda-embedded.workspace = true\n";
        assert_eq!(found("suda", rest), []);
    }

    #[test]
    fn forbidden_arrows_are_reported_at_their_line() {
        let rest = "[dependencies]\nserde = \"1\"\nsuda-embedded.workspace = true\n";
        let expected = (5, "`suda-server` must not know `suda-embedded`".to_owned());
        assert_eq!(found("suda-server", rest), [expected]);
        let rest = "[dependencies.suda-domain]\npath = \"../domain\"\n";
        let expected = (3, "`suda-client` must not know `suda-domain`".to_owned());
        assert_eq!(found("suda-client", rest), [expected]);
    }

    #[test]
    fn platforms_builds_and_renames_are_seen_through() {
        let rest = "[target.'cfg(unix)'.dependencies]\nsuda-server = \"1\"\n";
        assert_eq!(found("suda-domain", rest).len(), 1);
        let rest = "[build-dependencies]\nsuda-server = \"1\"\n";
        assert_eq!(found("suda-domain", rest).len(), 1);
        let rest = "[dependencies]\nhost = { package = \"suda-server\", path = \"x\" }\n";
        assert_eq!(found("suda-domain", rest).len(), 1);
        let rest = "[dependencies]\nstore.workspace = true\n";
        assert_eq!(found("suda-server", rest).len(), 1);
    }

    #[test]
    fn tests_may_use_anything_but_strangers() {
        let rest = "[dev-dependencies]\nsuda-server.workspace = true\n";
        assert_eq!(found("suda-client", rest), []);
        assert_eq!(found("suda-embedded", rest), []);
        let rest = "[dev-dependencies]\nsuda-embedded.workspace = true\n";
        assert_eq!(found("suda-server", rest).len(), 1);
        assert_eq!(found("suda-cluster", rest).len(), 1);
    }

    #[test]
    fn unknown_packages_need_a_place() {
        assert_eq!(found("suda-extra", "").len(), 1);
        let rest = "[dependencies]\nsuda-extra.workspace = true\n";
        assert_eq!(found("suda", rest).len(), 1);
    }

    #[test]
    fn broken_manifests_are_reported() {
        assert!(found("x", "[dependencies\n")[0].1.starts_with("unreadable"));
    }
}
