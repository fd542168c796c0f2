//! Writes the table of files as Rust source that embeds them.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

/// What the build of the client puts beside a file that is worth compressing.
const COMPRESSED: [&str; 2] = ["gz", "br"];

/// The source of the table.
pub fn written(site: &Path, is_built: bool) -> io::Result<String> {
    let mut paths = Vec::new();
    collect(site, &mut paths)?;
    paths.sort();
    let originals = paths.iter().filter(|path| original(path).is_none_or(|original| !original.exists()));
    let mut source = format!("Site {{\n    is_built: {is_built},\n    files: &[\n");
    for path in originals {
        write_file(&mut source, site, path)?;
    }
    source.push_str("    ],\n}\n");
    Ok(source)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), paths)?;
        } else {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// The file that this one is a compressed form of, by its name.
fn original(path: &Path) -> Option<PathBuf> {
    let extension = path.extension()?.to_str()?;
    COMPRESSED.contains(&extension).then(|| path.with_extension(""))
}

fn write_file(source: &mut String, site: &Path, path: &Path) -> io::Result<()> {
    let below = path.strip_prefix(site).map_err(io::Error::other)?;
    let name = below.to_str().ok_or_else(|| io::Error::other("names are UTF-8"))?;
    // Tells versions of one file apart; nobody gains from making two of them alike.
    let mut hasher = DefaultHasher::new();
    fs::read(path)?.hash(&mut hasher);
    let variant = |extension: &str| {
        let file = PathBuf::from(format!("{}.{extension}", path.display()));
        if file.exists() { format!("Some(include_bytes!({file:?}))") } else { "None".to_owned() }
    };
    let (gzip, brotli) = (variant("gz"), variant("br"));
    let line = format!(
        "        File {{ path: {:?}, version: \"{:016x}\", plain: include_bytes!({path:?}), gzip: {gzip}, brotli: {brotli} }},",
        format!("/{name}"),
        hasher.finish(),
    );
    writeln!(source, "{line}").map_err(io::Error::other)
}
