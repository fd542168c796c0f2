//! Configuration from outside: the reference in the repository, precedence, and what is refused.

mod support;

use std::path::Path;

use support::{failure_of, output_of, suda};

/// The line of `suda config` for a key.
fn line_of<'a>(output: &'a str, key: &str) -> &'a str {
    let begin = format!("{key} = ");
    output.lines().find(|line| line.starts_with(&begin)).expect("every key has a line")
}

#[test]
fn the_reference_in_the_repository_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating/configuration.md");
    let generated = output_of(["config", "--markdown"]);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &generated).expect("the reference can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/operating/configuration.md is stale; `BLESS=1 cargo test -p suda --test configuration` writes it anew"
    );
}

#[test]
fn flags_win_over_the_environment_over_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("suda.toml");
    std::fs::write(&file, "drain_seconds = 1\nheartbeat_seconds = 11\nlog.format = 'json'\n")
        .expect("written");
    let mut command = suda(["config", "--drain-seconds", "3"]);
    command.env("SUDA_CONFIG", &file).env("SUDA_DRAIN_SECONDS", "2").env("SUDA_HEARTBEAT_SECONDS", "22");
    let output = command.output().expect("it runs");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(line_of(&output, "drain_seconds"), "drain_seconds = 3  # --drain-seconds");
    let variable = "heartbeat_seconds = 22  # environment variable SUDA_HEARTBEAT_SECONDS";
    assert_eq!(line_of(&output, "heartbeat_seconds"), variable);
    let in_file = format!("log.format = \"json\"  # {}", file.display());
    assert_eq!(line_of(&output, "log.format"), in_file);
    assert_eq!(line_of(&output, "signup"), "signup = \"open\"  # default");
}

#[test]
fn secrets_are_not_shown() {
    let output = suda(["config"]).env("SUDA_APP_KEY", "hunter2").output().expect("it runs");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(line_of(&output, "app.key").starts_with("app.key = \"(set)\""));
    assert!(!output.contains("hunter2"));
}

#[test]
fn what_is_wrong_is_said_with_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("suda.toml");
    std::fs::write(&file, "[tls]\ncret = 'chain.pem'\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let data = folder.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let cases: &[(&[&str], &str)] = &[
        (&["--config", file], "did you mean `tls.cert`?"),
        (&["--config", "absent.toml"], "cannot read absent.toml"),
        (&["--listen", "0.0.0.0:0"], "--insecure"),
        (&["--listen", "nonsense"], "like 127.0.0.1:7878"),
        (&["--signup", "free"], "--signup: `signup` must be one of open, invite, closed"),
        (&["--tls-cert", "a.pem"], "`tls.cert` and `tls.key` belong together"),
        (&["--tls-cert", "a.pem", "--tls-key", "b.pem"], "cannot read a.pem"),
        (&["--log-level", "suda=loud"], "`log.level` must be"),
        (&["--lisen", "x"], "--listen"),
    ];
    for (flags, expected) in cases {
        let (code, error) = failure_of(["serve", "--data", data].iter().chain(*flags));
        assert_eq!(code, 2, "{flags:?}: {error}");
        assert!(error.contains(expected), "{flags:?} says {error:?}, not {expected:?}");
    }
    assert!(!Path::new(data).exists(), "a refused configuration leaves nothing behind");
}
