//! A full disk and a failing one: what was acknowledged is kept, and the server says what is wrong.
#![cfg(target_os = "linux")]

mod support;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use support::wire::{Person, message};
use support::{CHEAP_PASSWORDS, Server};
use uuid::Uuid;

/// Flags for as many requests as there are.
const UNHURRIED: [&str; 4] = [
    "--rate-account-per-second=1000000",
    "--rate-account-burst=1000000",
    "--rate-address-per-second=1000000",
    "--rate-address-burst=1000000",
];

fn flags() -> Vec<&'static str> {
    let mut flags = CHEAP_PASSWORDS.to_vec();
    flags.extend(UNHURRIED);
    flags.push("--storage-segment-mib=8");
    flags
}

/// Two people and their conversation.
async fn pair(server: &Server) -> (Person, String) {
    let anna = Person::sign_up(server.url(), "anna").await;
    let berta = Person::sign_up(server.url(), "berta").await;
    let conversation = anna.direct(&berta).await;
    (anna, conversation)
}

/// The client ids of the messages in a conversation, in order.
async fn client_ids(person: &Person, conversation: &str) -> Vec<String> {
    let entries = person.history(conversation).await.expect("a member reads");
    let messages = entries.iter().filter(|entry| entry["kind"] == "message");
    messages.map(|entry| entry["client_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_keep_and_goes_on_when_there_is_room() {
    let user_namespaces = Command::new("unshare").args(["-rm", "true"]).status();
    if !user_namespaces.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this system does not permit a small disk of one's own (unshare -rm)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let disk = "exec unshare -rm sh -c 'mount -t tmpfs -o size=48m tmpfs \"$DISK\" && exec \"$0\" \"$@\"' \"$0\" \"$@\"";
    let server =
        Server::spawn_through(disk, &[("DISK", folder.path())], &folder.path().join("data"), &flags());
    let (anna, conversation) = pair(&server).await;
    // The disk as its process sees it.
    let inside = PathBuf::from(format!("/proc/{}/root", server.pid()));
    let ballast = inside.join(folder.path().strip_prefix("/").expect("absolute")).join("ballast");
    fill(&ballast);

    let text = "x".repeat(15_000);
    let mut acknowledged: Vec<String> = Vec::new();
    let refused = loop {
        let id = Uuid::now_v7();
        let base = acknowledged.len() as u64;
        match anna.request("send", message(&conversation, id, base, &text)).await {
            Ok(_) => acknowledged.push(id.to_string()),
            Err(code) => break (id, code),
        }
        assert!(acknowledged.len() < 10_000, "the disk never fills");
    };
    assert_eq!(refused.1, "storage_full");
    assert_eq!(client_ids(&anna, &conversation).await, acknowledged, "what was acknowledged can be read");

    std::fs::remove_file(&ballast).expect("removed");
    let base = acknowledged.len() as u64;
    let again = message(&conversation, refused.0, base, &text);
    anna.request("send", again).await.expect("there is room again");
    acknowledged.push(refused.0.to_string());
    assert_eq!(client_ids(&anna, &conversation).await, acknowledged);
    let mut server = server;
    assert_eq!(server.terminate().code(), Some(0));
}

/// Writes until there is no room.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("made");
    while file.write_all(&[0; 4_096]).is_ok() {}
}

#[tokio::test]
async fn a_failed_write_ends_the_server_at_once_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    // Writing beyond a limit is then an error and not a signal.
    let ignore = "trap '' XFSZ && exec \"$0\" \"$@\"";
    let mut server = Server::spawn_through(ignore, &[], &folder.path().join("data"), &flags());
    let (anna, conversation) = pair(&server).await;
    let mut acknowledged = Vec::new();
    for base in 0..20 {
        let id = Uuid::now_v7();
        anna.request("send", message(&conversation, id, base, "kept")).await.expect("stored");
        acknowledged.push(id.to_string());
    }
    let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    prlimit(pid, Resource::Fsize, nothing).expect("permitted for one's own processes");

    let frame =
        json!({ "id": 1, "type": "send", "body": message(&conversation, Uuid::now_v7(), 20, "lost") });
    let request =
        anna.http.post(format!("{}/v1/requests", server.url())).bearer_auth(&anna.token).json(&frame);
    if let Ok(reply) = request.send().await {
        assert!(!reply.status().is_success(), "what could not be written was acknowledged");
    }
    assert_eq!(server.wait().code(), Some(70));
    server.wait_for_log("storage failed");

    let server = Server::spawn_on(&folder.path().join("data"), &flags());
    let anna = Person { url: server.url().to_owned(), ..anna };
    let kept = client_ids(&anna, &conversation).await;
    assert_eq!(kept[..acknowledged.len()], acknowledged);
}
