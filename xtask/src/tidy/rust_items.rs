//! Finds functions, traits, test modules and imports in masked Rust code.
//!
//! Every function takes code from [`super::rust_lexer::code_only`]; with comments and literals
//! gone, counting brackets is enough.

use std::ops::Range;

use super::search::{is_identifier_character, line_of, whole_words};

/// A function or method with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, without the type it belongs to.
    pub name: String,
    /// The line of `fn`, counted from 1.
    pub first_line: usize,
    /// The lines from `fn` to the closing brace, both included.
    pub lines: usize,
}

/// A trait with the number of methods it declares, provided ones included.
#[derive(Debug, PartialEq, Eq)]
pub struct Trait {
    /// Its name.
    pub name: String,
    /// The line of `trait`, counted from 1.
    pub first_line: usize,
    /// How many methods it declares.
    pub methods: usize,
}

/// Every function with a body, nested ones included.
pub fn functions(code: &str) -> Vec<Function> {
    let bodies = whole_words(code, "fn").filter_map(|start| {
        let name = word_after(code, start + "fn".len())?;
        let body = body_after(code, start)?;
        let first_line = line_of(code, start);
        let lines = line_of(code, body.end.saturating_sub(1)) - first_line + 1;
        Some(Function { name: name.to_owned(), first_line, lines })
    });
    bodies.collect()
}

/// Every trait.
pub fn traits(code: &str) -> Vec<Trait> {
    let traits = whole_words(code, "trait").filter_map(|start| {
        let name = word_after(code, start + "trait".len())?;
        let body = &code[body_after(code, start)?];
        let methods = whole_words(body, "fn")
            .filter(|at| word_after(body, at + "fn".len()).is_some() && depth_at(body, *at) == 1);
        Some(Trait { name: name.to_owned(), first_line: line_of(code, start), methods: methods.count() })
    });
    traits.collect()
}

/// The byte ranges of modules under `#[cfg(test)]`, each from its attribute to its closing brace.
pub fn test_modules(code: &str) -> Vec<Range<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let modules = code.match_indices(ATTRIBUTE).filter_map(|(start, _)| {
        let item = after_attributes(code, start + ATTRIBUTE.len());
        let visibility = whole_words(&code[item..], "mod").next()?;
        let is_module = !code[item..item + visibility].contains(['{', ';', '}']);
        let body = body_after(code, item).filter(|_| is_module)?;
        Some(start..body.end)
    });
    modules.collect()
}

/// Every path that a `use` declaration brings in, groups written out, with the declaration's line.
pub fn imports(code: &str) -> Vec<(usize, String)> {
    let mut imports = Vec::new();
    for start in whole_words(code, "use") {
        let declaration = &code[start + "use".len()..];
        // `use<'a>` captures lifetimes and imports nothing.
        if declaration.trim_start().starts_with('<') {
            continue;
        }
        let end = declaration.find(';').unwrap_or(declaration.len());
        let mut paths = Vec::new();
        expand_group("", &declaration[..end], &mut paths);
        let line = line_of(code, start);
        imports.extend(paths.into_iter().map(|path| (line, path)));
    }
    imports
}

/// Writes `prefix` + each member of the use tree into `paths`.
fn expand_group(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        if !tree.is_empty() {
            paths.push(format!("{prefix}{tree}"));
        }
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let members = tree[open + 1..].trim_end();
    let members = members.strip_suffix('}').unwrap_or(members);
    let (mut depth, mut member_start) = (0_i32, 0);
    for (at, character) in members.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand_group(&prefix, &members[member_start..at], paths);
                member_start = at + 1;
            }
            _ => {}
        }
    }
    expand_group(&prefix, &members[member_start..], paths);
}

/// The identifier that follows `from` after white space, if one does.
fn word_after(code: &str, from: usize) -> Option<&str> {
    let rest = code[from..].trim_start();
    let raw = rest.strip_prefix("r#").unwrap_or(rest);
    let end = raw.find(|character| !is_identifier_character(character));
    let word = &raw[..end.unwrap_or(raw.len())];
    (!word.is_empty()).then_some(word)
}

/// The range of the braces, inclusive, that belong to the item starting at `from`; nothing when
/// the item ends with a semicolon.
fn body_after(code: &str, from: usize) -> Option<Range<usize>> {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth <= 0 => return None,
            b'{' if depth <= 0 => return Some(at..closing_brace(code, at)),
            _ => {}
        }
    }
    None
}

/// The offset just behind the brace that closes the one at `open`.
fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// How many braces are open at `offset`.
fn depth_at(code: &str, offset: usize) -> usize {
    let opened = code[..offset].matches('{').count();
    let closed = code[..offset].matches('}').count();
    opened.saturating_sub(closed)
}

/// The offset of the first thing after `from` that is neither white space nor an attribute.
fn after_attributes(code: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = code[at..].trim_start();
        at = code.len() - rest.len();
        if !rest.starts_with("#[") {
            return at;
        }
        let mut depth = 0;
        let end = rest.find(|character| {
            match character {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => return false,
            }
            depth == 0
        });
        at += end.map_or(rest.len(), |end| end + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_from_fn_to_brace() {
        let code = "impl A {\n    pub async fn one(\n        &self,\n    ) -> [u8; 4] {\n        {}\n    }\n    fn declared(&self);\n}\nfn two() {}\n";
        let found = functions(code);
        let found: Vec<_> = found
            .iter()
            .map(|function| (function.name.as_str(), function.first_line, function.lines))
            .collect();
        assert_eq!(found, [("one", 2, 5), ("two", 9, 1)]);
    }

    #[test]
    fn function_pointers_are_not_functions() {
        assert_eq!(functions("const A: [fn(&B) -> C; 2] = [x, y];"), []);
    }

    #[test]
    fn traits_count_their_own_methods_only() {
        let code = "pub trait Log: Send {\n    fn a(&self, f: fn(u8));\n    fn b(&self) { fn inner() {} }\n    type C;\n}";
        let expected = Trait { name: "Log".to_owned(), first_line: 1, methods: 2 };
        assert_eq!(traits(code), [expected]);
    }

    #[test]
    fn test_modules_are_found_behind_other_attributes() {
        let code = "fn a() {}\n#[cfg(test)]\n#[allow(clippy::x)]\nmod tests {\n    fn b() {}\n}\n";
        let modules = test_modules(code);
        assert_eq!(modules.len(), 1);
        assert!(code[modules[0].clone()].starts_with("#[cfg(test)]"));
        assert_eq!(modules[0].end, code.len() - 1);
    }

    #[test]
    fn test_only_functions_and_outer_modules_are_not_test_modules() {
        assert_eq!(test_modules("#[cfg(test)]\nfn a() { mod b {} }"), []);
        assert_eq!(test_modules("#[cfg(test)]\nmod tests;\nfn a() {}"), []);
    }

    #[test]
    fn imports_are_written_out() {
        let code = "use std::{fs, io::{self, Read}};\npub use a::b;\nfn f() -> impl X + use<'a> {}";
        let found = imports(code);
        let found: Vec<_> = found.iter().map(|(line, path)| (*line, path.as_str())).collect();
        assert_eq!(found, [(1, "std::fs"), (1, "std::io::self"), (1, "std::io::Read"), (2, "a::b"),]);
    }
}
