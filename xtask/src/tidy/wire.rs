//! The wire cannot change without its description: `docs/protocol.md` carries a hash of `proto`.

use super::Violation;
use super::rust_lexer::without_comments_and_space;
use super::search::line_of;
use super::tree::Tree;

/// The document that describes the wire.
pub const DOCUMENT: &str = "docs/protocol.md";

const FOLDER: &str = "crates/proto/src/";
const PIN_START: &str = "<!-- wire: ";
const PIN_END: &str = " -->";

/// Reports a description that was written for another wire.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let Some(document) = tree.file(DOCUMENT) else {
        return Vec::new();
    };
    let (line, what) = match pin(&document.text) {
        Some((_, pinned)) if pinned == hash(tree) => return Vec::new(),
        Some((offset, _)) => (line_of(&document.text, offset), "the wire changed"),
        None => (1, "the document does not say which wire it describes"),
    };
    let remedy = "update docs/protocol.md, then `cargo xtask tidy --bless-wire`";
    vec![Violation::new(DOCUMENT, line, what, remedy)]
}

/// The document with the present hash in its pin, which is added at the end where it is missing,
/// and the hash; nothing when there is no document.
pub fn blessed_document(tree: &Tree) -> Option<(String, String)> {
    let text = &tree.file(DOCUMENT)?.text;
    let hash = hash(tree);
    let blessed = match pin(text) {
        Some((offset, pinned)) => {
            let (before, after) = (&text[..offset], &text[offset + pinned.len()..]);
            format!("{before}{hash}{after}")
        }
        None => format!("{}\n\n{PIN_START}{hash}{PIN_END}\n", text.trim_end()),
    };
    Some((blessed, hash))
}

/// The offset and the text of the pinned hash.
fn pin(document: &str) -> Option<(usize, &str)> {
    let start = document.find(PIN_START)? + PIN_START.len();
    let length = document[start..].find(PIN_END)?;
    Some((start, &document[start..start + length]))
}

/// A hash of what `proto` declares: comments, layout and tests do not count.
fn hash(tree: &Tree) -> String {
    let mut hash = Fnv1a::new();
    let sources = tree.rust_files().filter(|(file, _)| {
        let in_proto = file.path.starts_with(FOLDER);
        in_proto && !file.is_test()
    });
    for (file, rust) in sources {
        let mut from = 0;
        for tests in &rust.test_modules {
            hash.write(&without_comments_and_space(&file.text[from..tests.start]));
            from = tests.end;
        }
        hash.write(&without_comments_and_space(&file.text[from..]));
    }
    format!("{:016x}", hash.0)
}

/// FNV-1a with 64 bits: it has to notice a change, not to withstand an attacker.
struct Fnv1a(u64);

impl Fnv1a {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTO: &str = "//! Wire.\npub struct Hello { pub token: String }\n";

    fn hash_of(source: &str) -> String {
        hash(&Tree::of([("crates/proto/src/lib.rs", source)]))
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Fnv1a::new();
        hash.write("foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn comments_layout_and_tests_do_not_change_the_hash() {
        let dressed = "//! The wire.\npub struct Hello {\n    /// Secret.\n    pub token: String\n}\n\n#[cfg(test)]\nmod tests { fn a() {} }\n";
        assert_eq!(hash_of(PROTO), hash_of(dressed));
        let tree = Tree::of([
            ("crates/proto/src/lib.rs", PROTO),
            ("crates/proto/src/tests.rs", "fn a() {}"),
            ("crates/server/src/lib.rs", "fn a() {}"),
        ]);
        assert_eq!(hash_of(PROTO), hash(&tree));
    }

    #[test]
    fn declarations_and_strings_change_the_hash() {
        assert_ne!(hash_of(PROTO), hash_of(&PROTO.replace("token", "ticket")));
        assert_ne!(hash_of("const A: &str = \"a b\";"), hash_of("const A: &str = \"ab\";"));
    }

    #[test]
    fn a_document_of_another_wire_is_reported_until_blessed() {
        let source = ("crates/proto/src/lib.rs", PROTO);
        let tree = Tree::of([source, (DOCUMENT, "# Wire\n<!-- wire: 00 -->\nend\n")]);
        let found = check(&tree);
        assert_eq!((found[0].line, found[0].what.as_str()), (2, "the wire changed"));

        let (blessed, hash) = blessed_document(&tree).expect("the document exists");
        assert_eq!(blessed, format!("# Wire\n<!-- wire: {hash} -->\nend\n"));
        assert_eq!(check(&Tree::of([source, (DOCUMENT, &blessed)])), []);
    }

    #[test]
    fn a_document_without_a_pin_gets_one() {
        let tree = Tree::of([(DOCUMENT, "# Wire\n")]);
        assert_eq!(check(&tree).len(), 1);
        let (blessed, _) = blessed_document(&tree).expect("the document exists");
        assert_eq!(check(&Tree::of([(DOCUMENT, &blessed)])), []);
    }

    #[test]
    fn without_a_document_there_is_nothing_to_pin() {
        let tree = Tree::of([("crates/proto/src/lib.rs", PROTO)]);
        assert_eq!(check(&tree), []);
        assert_eq!(blessed_document(&tree), None);
    }
}
