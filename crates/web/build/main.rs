//! Builds the web client with npm and writes the table of its files, which the crate embeds.
//!
//! Where that is impossible the crate still builds: it then serves a page that says what is missing, and the next build
//! tries again. `SUDA_WEB_BUILD=skip` leaves npm alone and serves that page.

mod npm;
mod table;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Says whether to leave npm alone; beside the settings of the server, of which `SUDA_WEB` is one.
const VARIABLE: &str = "SUDA_WEB_BUILD";

/// Folders of `web/` in which sources of the client stand.
const PACKAGES: [&str; 3] = ["", "sdk", "app"];

/// What the client is not made from: what npm writes, and tests.
const BESIDES: [&str; 5] = ["node_modules", "dist", "e2e", "test", "corpus"];

/// Why there is no client.
#[derive(Debug)]
pub enum Missing {
    /// It was not wanted.
    Skipped,
    /// There are no sources of it.
    Sources,
    /// Node is absent or too old, or npm is absent; the version of Node that there is.
    Node(Option<String>),
    /// npm failed: the command, and the end of what it said.
    Failed(String, String),
}

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for what is built"));
    let manifest =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder"));
    let web = manifest.join("../../web");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=page");
    for package in PACKAGES {
        watch(&web.join(package));
    }
    let site = out.join("site");
    if site.exists() {
        fs::remove_dir_all(&site)?;
    }
    match build(&web) {
        Ok(dist) => copy(&dist, &site)?,
        Err(missing) => explain(&missing, &manifest.join("page"), &site, &out)?,
    }
    let is_built = !site.join("missing.css").exists();
    fs::write(out.join("files.rs"), table::written(&site, is_built)?)
}

/// Has cargo run this again when a source in this folder changes.
fn watch(package: &Path) {
    let entries = fs::read_dir(package).into_iter().flatten().flatten();
    let is_source =
        |name: &str| !BESIDES.contains(&name) && !name.starts_with('.') && !PACKAGES.contains(&name);
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(is_source)) {
        println!("cargo::rerun-if-changed={}", entry.path().display());
    }
}

/// Builds the client; answers the folder with its files.
fn build(web: &Path) -> Result<PathBuf, Missing> {
    if env::var_os(VARIABLE).is_some_and(|value| value == "skip") {
        return Err(Missing::Skipped);
    }
    if !web.join("app/package.json").exists() {
        return Err(Missing::Sources);
    }
    npm::build(web)?;
    Ok(web.join("app/dist"))
}

/// Copies a folder with everything in it but hidden files, which tell tools about the build.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Puts a page there instead, which says what is missing.
fn explain(missing: &Missing, page: &Path, site: &Path, out: &Path) -> io::Result<()> {
    let (english, korean, said) = match missing {
        Missing::Skipped => (
            format!("The server was built with {VARIABLE}=skip. Build it again without."),
            format!("{VARIABLE}=skip 으로 빌드되었습니다. 이 변수 없이 다시 빌드하세요."),
            "",
        ),
        Missing::Sources => (
            "The sources of the client, the folder web/app, are not there.".to_owned(),
            "클라이언트 소스 폴더 web/app 이 없습니다.".to_owned(),
            "",
        ),
        Missing::Node(found) => {
            let found = found.as_deref();
            let (english, korean) = (found.unwrap_or("none"), found.unwrap_or("없음"));
            (
                format!(
                    "It needs Node 20 or newer with npm; found: {english}. Install it from https://nodejs.org."
                ),
                format!(
                    "npm 이 포함된 Node 20 이상이 필요합니다(현재: {korean}). https://nodejs.org 에서 설치하세요."
                ),
                "",
            )
        }
        Missing::Failed(command, said) => (
            format!("`{command}` failed. It said:"),
            format!("`{command}` 명령이 실패했습니다. 출력은 다음과 같습니다."),
            said.as_str(),
        ),
    };
    if !matches!(missing, Missing::Skipped) {
        println!("cargo::warning=the web client is not built, the server is. {english}");
        said.lines().for_each(|line| println!("cargo::warning={line}"));
        // A file that is never there: the next build tries again.
        println!("cargo::rerun-if-changed={}", out.join("built").display());
    }
    fs::create_dir_all(site)?;
    fs::copy(page.join("missing.css"), site.join("missing.css"))?;
    let written = fs::read_to_string(page.join("missing.html"))?
        .replace("{english}", &escaped(&english))
        .replace("{korean}", &escaped(&korean))
        .replace("{said}", &escaped(said));
    fs::write(site.join("index.html"), written)
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
