//! `suda backup`, `suda restore` and `suda check`, of running and stopped servers.

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::wire::Person;
use support::{CHEAP_PASSWORDS, Server, failure_of, output_of, run, suda};

fn text_of(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Two people who have said something to each other.
async fn talk(server: &Server) -> (Person, String) {
    let anna = Person::sign_up(server.url(), "anna").await;
    let berta = Person::sign_up(server.url(), "berta").await;
    let conversation = anna.direct(&berta).await;
    for text in ["one", "two", "three"] {
        anna.say(&conversation, 0, text).await;
    }
    (anna, conversation)
}

/// What the same person sees on another server.
async fn history_on(server: &Server, person: &Person, conversation: &str) -> Vec<Value> {
    let there = Person { url: server.url().to_owned(), ..person.clone() };
    there.history(conversation).await.expect("a member reads")
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_brought_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    let (anna, conversation) = talk(&server).await;
    let before = anna.history(&conversation).await.expect("a member reads");

    let data = text_of(server.data()).to_owned();
    let mut relative = suda(["backup", "--data", &data, "--to", "copy"]);
    let output = relative.current_dir(folder.path()).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("suda restore"));
    let (copy, restored) = (path("copy"), path("restored"));
    let (code, error) = failure_of(["backup", "--data", &data, "--to", text_of(&copy)]);
    assert!(code == 1 && error.contains("exists already"), "{error}");
    anna.say(&conversation, 0, "too late for the backup").await;
    server.terminate();

    let restore = ["restore", "--from", text_of(&copy), "--data", text_of(&restored)];
    assert!(output_of(restore).contains("suda serve"));
    let (code, error) = failure_of(restore);
    assert!(code == 1 && error.contains("exists already"), "{error}");
    let mut again = Server::spawn_on(&restored, &CHEAP_PASSWORDS);
    assert_eq!(history_on(&again, &anna, &conversation).await, before);
    again.terminate();
    assert!(output_of(["check", "--data", text_of(&restored)]).contains("is sound"));
}

#[tokio::test]
async fn a_stopped_server_is_backed_up_checked_and_its_index_rebuilt() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    let (anna, conversation) = talk(&server).await;
    let before = anna.history(&conversation).await.expect("a member reads");
    let data = text_of(server.data()).to_owned();
    let (code, error) = failure_of(["check", "--data", &data]);
    assert!(code == 75 && error.contains("another process"), "{code}: {error}");
    server.terminate();

    let copy = folder.path().join("copy");
    output_of(["backup", "--data", &data, "--to", text_of(&copy)]);
    assert!(output_of(["check", "--data", &data]).contains("is sound"));
    assert!(output_of(["check", "--data", &data, "--rebuild-index"]).contains("is sound"));
    let server = server.restart();
    assert_eq!(history_on(&server, &anna, &conversation).await, before);
}

#[tokio::test]
async fn damage_is_found_and_the_last_resort_gives_up_what_follows_it() {
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    let (anna, conversation) = talk(&server).await;
    // Synced: what comes later proves that "two" must be whole.
    server.terminate();
    let data = text_of(server.data()).to_owned();
    let segment = segment_of(server.data());
    let mut bytes = std::fs::read(&segment).expect("readable");
    let at = last_place_of(&bytes, b"two");
    // More than the body's first bytes: the end of the record's header is hit as well.
    bytes[at - 60..at].fill(0xA5);
    std::fs::write(&segment, bytes).expect("written");

    let (code, error) = failure_of(["check", "--data", &data]);
    assert_eq!(code, 65, "{error}");
    let cut_at = error.split("--cut-at ").nth(1).and_then(|rest| rest.split('`').next());
    let cut_at = cut_at.expect("it names the last resort");
    assert!(output_of(["check", "--data", &data, "--cut-at", cut_at]).contains("is sound"));
    let server = server.restart();
    let left = history_on(&server, &anna, &conversation).await;
    let left = serde_json::to_string(&left).expect("JSON");
    assert!(left.contains("one") && !left.contains("three"), "{left}");
}

fn segment_of(data: &Path) -> PathBuf {
    let files = data.join("log").read_dir().expect("readable").map(|file| file.expect("readable").path());
    let largest = files.max_by_key(|path| path.metadata().map(|data| data.len()).unwrap_or_default());
    largest.expect("a segment")
}

fn last_place_of(bytes: &[u8], text: &[u8]) -> usize {
    bytes.windows(text.len()).rposition(|window| window == text).expect("it is stored")
}

#[test]
fn what_is_not_there_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let absent = text_of(folder.path()).to_owned() + "/absent";
    for command in ["check", "backup"] {
        let mut arguments = vec![command, "--data", &absent];
        if command == "backup" {
            arguments.extend(["--to", "copy"]);
        }
        let (code, error) = failure_of(arguments);
        assert!(code == 1 && error.contains("no data folder"), "{error}");
    }
    let (code, error) = failure_of(["restore", "--from", &absent, "--data", &(absent.clone() + "2")]);
    assert!(code == 1 && error.contains("is no backup"), "{error}");
    let (code, error) = failure_of(["check", "--cut-at", "nonsense"]);
    assert!(code == 2 && error.contains("like 3:65536"), "{error}");
    assert!(!run(["check", "--data", &absent]).status.success());
    assert!(!Path::new(&absent).exists());
}
