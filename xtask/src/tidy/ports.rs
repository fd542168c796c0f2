//! Ports stay narrow: the width of a trait is what every adapter pays for.

use super::Violation;
use super::rust_items;
use super::tree::Tree;

const FOLDER: &str = "crates/domain/src/ports/";
const METHODS: usize = 10;

/// Reports port traits with too many methods.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let ports = tree.rust_files().filter(|(file, _)| file.path.starts_with(FOLDER));
    let traits = ports.flat_map(|(file, rust)| {
        let traits = rust_items::traits(&rust.code).into_iter();
        traits.map(move |found| (file, found))
    });
    traits
        .filter(|(_, found)| found.methods > METHODS)
        .map(|(file, found)| {
            let (name, methods) = (found.name, found.methods);
            let what = format!("port `{name}` has {methods} methods, more than {METHODS}");
            let remedy = "split the trait by what its callers need";
            Violation::new(&file.path, found.first_line, what, remedy)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(methods: usize) -> String {
        let methods = "    async fn read(&self) -> Result<(), Error>;\n".repeat(methods);
        format!("//! Port.\n\npub trait Log: Send + Sync {{\n{methods}}}\n")
    }

    #[test]
    fn ten_methods_pass() {
        let tree = Tree::of([("crates/domain/src/ports/log.rs", &port(10))]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn eleven_methods_are_too_many_for_a_port_only() {
        let wide = port(11);
        let tree =
            Tree::of([("crates/domain/src/ports/log.rs", &wide), ("crates/server/src/host.rs", &wide)]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("crates/domain/src/ports/log.rs", 3));
    }
}
