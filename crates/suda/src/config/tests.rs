//! Tests of the configuration: what wins, what is refused, what is shown.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args as _;

use super::keys::{KEYS, Key};
use super::*;

/// Loads with these flags and variables, and this file if any.
fn loaded(
    flags: &[&str],
    variables: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Loaded, ConfigurationError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suda.toml");
    let mut arguments: Vec<String> = vec!["suda".to_owned()];
    arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
        arguments.push(format!("--config={}", path.display()));
    }
    let matches = AllFlags::augment_args(clap::Command::new("suda")).get_matches_from(arguments);
    let AllFlags(flags) = clap::FromArgMatches::from_arg_matches(&matches).unwrap();
    load(&flags, |name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn listen(flags: &[&str], variables: &[(&str, &str)], file: Option<&str>) -> String {
    loaded(flags, variables, file).map(|loaded| loaded.config.listen).unwrap()
}

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    let file = Some("listen = '127.0.0.1:1'");
    let variable = [("SUDA_LISTEN", "127.0.0.1:2")];
    let flag = ["--listen", "127.0.0.1:3"];
    assert_eq!(listen(&[], &[], None), "127.0.0.1:7878");
    assert_eq!(listen(&[], &[], file), "127.0.0.1:1");
    assert_eq!(listen(&[], &[("SUDA_LISTEN", "")], file), "127.0.0.1:1");
    assert_eq!(listen(&[], &variable, file), "127.0.0.1:2");
    assert_eq!(listen(&flag, &variable, file), "127.0.0.1:3");
}

#[test]
fn what_does_not_fit_is_named() {
    let cases: &[(&str, &str)] = &[
        ("listn = 'x'", "did you mean `listen`?"),
        ("[tls]\ncertificate = 'x'", "there is no key `tls.certificate`"),
        ("[limits]\ntext_byte = 3", "did you mean `limits.text_bytes`?"),
        ("text_bytes = 3", "did you mean `limits.text_bytes`?"),
        ("[quantum]\nfoam = 1", "`suda config` lists all keys"),
        ("tls = 3", "there is no key `tls`"),
        ("listen = ['a']", "`listen` must be text"),
        ("limits.members = 1", "`limits.members` must be a whole number from 2 to 10000"),
        ("limits.members = -1", "must be a whole number"),
        ("signup = 'free'", "must be one of open, invite, closed"),
        ("trusted_proxies = ['proxy']", "must be IP addresses"),
        ("insecure = 'maybe'", "must be true or false"),
        ("tls.cert = 'a.pem'", "`tls.cert` and `tls.key` belong together"),
        ("limits.frame_bytes = 2000", "must not exceed `limits.frame_bytes`"),
        ("listen", "is not valid TOML"),
    ];
    for (file, expected) in cases {
        let error = loaded(&[], &[], Some(file)).err().map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("{file:?} is accepted"));
        assert!(error.contains(expected), "{file:?} says {error:?}, not {expected:?}");
    }
}

#[test]
fn an_error_names_where_the_value_was_given() {
    let error = |flags: &[&str], variables: &[(&str, &str)]| {
        loaded(flags, variables, None).err().map(|error| error.to_string()).unwrap()
    };
    assert!(error(&["--drain-seconds=0"], &[]).starts_with("--drain-seconds: "));
    assert!(
        error(&[], &[("SUDA_DRAIN_SECONDS", "x")]).starts_with("environment variable SUDA_DRAIN_SECONDS: ")
    );
}

#[test]
fn every_key_can_be_written_and_read_back_in_every_way() {
    let mut defaults = Config::default();
    for key in KEYS {
        let shown = key.field.show(&mut defaults);
        let file = format!("{} = {shown}", key.name);
        let from_file = loaded(&[], &[], Some(&file)).unwrap();
        assert!(effective(&from_file).contains(&file), "{file}");
        assert!(matches!(from_file.origins[key.name], Origin::File(_)));
        let text = shown.trim_matches(['"', '[', ']']);
        if !text.is_empty() {
            let flag = format!("--{}={text}", key.flag());
            assert!(matches!(loaded(&[&flag], &[], None).unwrap().origins[key.name], Origin::Flag(_)));
            let alias = format!("--{}={text}", key.name);
            assert!(matches!(loaded(&[&alias], &[], None).unwrap().origins[key.name], Origin::Flag(_)));
            let variable = [(&*key.variable(), text)];
            let origin = &loaded(&[], &variable, None).unwrap().origins[key.name];
            assert!(matches!(origin, Origin::Variable(_)));
        }
    }
}

#[test]
fn names_are_unique_in_every_form() {
    let flags: BTreeSet<_> = KEYS.iter().map(Key::flag).collect();
    let variables: BTreeSet<_> = KEYS.iter().map(Key::variable).collect();
    assert_eq!((flags.len(), variables.len()), (KEYS.len(), KEYS.len()));
}

#[test]
fn lists_are_arrays_in_files_and_commas_elsewhere() {
    let origins = |loaded: Loaded| loaded.config.server.allowed_origins;
    let expected = ["https://a.example".to_owned(), "https://b.example".to_owned()];
    let file = "allowed_origins = ['https://a.example', 'https://b.example']";
    assert_eq!(origins(loaded(&[], &[], Some(file)).unwrap()), expected);
    let repeated = ["--allowed-origins=https://a.example", "--allowed-origins", "https://b.example"];
    assert_eq!(origins(loaded(&repeated, &[], None).unwrap()), expected);
    let variable = [("SUDA_ALLOWED_ORIGINS", "https://a.example, https://b.example")];
    assert_eq!(origins(loaded(&[], &variable, None).unwrap()), expected);
}

#[test]
fn switches_need_no_value() {
    let insecure = |flags: &[&str]| loaded(flags, &[], None).unwrap().config.insecure;
    assert!(!insecure(&[]));
    assert!(insecure(&["--insecure"]));
    assert!(!insecure(&["--insecure=false"]));
}

#[test]
fn secrets_are_never_shown() {
    let loaded = loaded(&["--app-key", "hunter2"], &[], None).unwrap();
    let shown = effective(&loaded);
    assert!(shown.contains("app.key = \"(set)\""), "{shown}");
    assert!(!shown.contains("hunter2"));
    assert_eq!(loaded.config.settings().unwrap().app_key, "hunter2");
}

#[test]
fn named_files_are_read_into_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "hunter2\nsecond line\n").unwrap();
    let flag = format!("--app-key-file={}", path.display());
    assert_eq!(loaded(&[&flag], &[], None).unwrap().config.settings().unwrap().app_key, "hunter2");
    let missing = Path::new("absent").display();
    let config = loaded(&[&format!("--app-keys-file={missing}")], &[], None).unwrap().config;
    let error = config.settings().err().map(|error| error.to_string()).unwrap();
    assert!(error.starts_with("cannot read absent: "), "{error}");
}
