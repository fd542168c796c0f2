//! `suda admin`: the same commands over the socket of a running server and on the folder of a stopped one.

mod support;

use std::path::Path;

use support::{CHEAP_PASSWORDS, PASSWORD, Server, failure_of, log_in, output_of, sign_up};

/// Runs an admin command on a data folder.
fn admin(data: &Path, arguments: &[&str]) -> String {
    output_of(line(data, arguments))
}

fn line<'a>(data: &'a Path, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec!["admin", "--data", data.to_str().expect("UTF-8"), "--log-level=warn"];
    line.extend(arguments);
    line
}

fn new_password(output: &str) -> &str {
    output.trim_end().rsplit(' ').next().expect("the last word")
}

#[tokio::test]
async fn accounts_are_managed_while_the_server_runs() {
    let server = Server::spawn(&CHEAP_PASSWORDS);
    let data = server.data();
    assert_eq!(sign_up(&server, "anna").await.0, 200);
    assert_eq!(sign_up(&server, "berta").await.0, 200);

    let list = admin(data, &["account", "list"]);
    assert!(list.starts_with("anna ") && list.contains("\nberta "), "{list}");
    let list = admin(data, &["account", "list", "--prefix", "b"]);
    assert!(list.starts_with("berta ") && list.lines().count() == 1, "{list}");

    assert_eq!(admin(data, &["account", "disable", "anna"]), "anna is disabled\n");
    assert_eq!(log_in(&server, "anna", PASSWORD).await.0, 403);
    assert_eq!(admin(data, &["account", "enable", "anna"]), "anna is enabled\n");
    assert_eq!(log_in(&server, "anna", PASSWORD).await.0, 200);

    let output = admin(data, &["account", "reset-password", "anna"]);
    assert_eq!(log_in(&server, "anna", PASSWORD).await.0, 401);
    assert_eq!(log_in(&server, "anna", new_password(&output)).await.0, 200);

    assert_eq!(admin(data, &["account", "delete", "anna", "--yes"]), "anna is deleted\n");
    assert!(!admin(data, &["account", "list"]).contains("anna"));
}

#[tokio::test]
async fn accounts_are_managed_while_no_server_runs() {
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    for name in ["anna", "berta", "clara"] {
        assert_eq!(sign_up(&server, name).await.0, 200);
    }
    server.terminate();
    let data = server.data().to_owned();
    assert!(admin(&data, &["account", "list"]).starts_with("anna "));
    admin(&data, &["account", "disable", "anna"]);
    let output = admin(&data, &["account", "reset-password", "berta"]);
    admin(&data, &["account", "delete", "clara", "--yes"]);
    let server = server.restart();
    assert_eq!(log_in(&server, "anna", PASSWORD).await.0, 403);
    assert_eq!(log_in(&server, "berta", new_password(&output)).await.0, 200);
    assert!(!admin(&data, &["account", "list"]).contains("clara"));
}

#[tokio::test]
async fn an_invitation_lets_in_as_many_as_it_says() {
    let mut flags = CHEAP_PASSWORDS.to_vec();
    flags.extend(["--signup", "invite"]);
    let server = Server::spawn(&flags);
    assert_eq!(sign_up(&server, "anna").await.0, 403);
    let invite = admin(server.data(), &["invite", "--uses", "1", "--days", "1"]);
    let with_invite = |name: &str| {
        let body = serde_json::json!({ "name": name, "password": PASSWORD, "invite": invite.trim_end() });
        support::post(&server, "/v1/accounts", body)
    };
    assert_eq!(with_invite("anna").await.0, 200);
    assert_eq!(with_invite("berta").await.0, 403);
}

#[test]
fn the_status_is_told_in_words_and_as_json() {
    let server = Server::spawn(&[]);
    assert!(admin(server.data(), &["status"]).contains("sessions"));
    let json = admin(server.data(), &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(status["sessions"], 0);
}

#[test]
fn what_cannot_be_done_is_explained() {
    let server = Server::spawn(&[]);
    let (code, error) = failure_of(line(server.data(), &["account", "disable", "nobody"]));
    assert_eq!((code, error.trim_end()), (1, "suda: There is no such account."));
    let (code, error) = failure_of(line(server.data(), &["account", "delete", "nobody"]));
    assert!(code == 1 && error.contains("--yes"), "{error}");
    let absent = server.data().join("absent");
    let (code, error) = failure_of(line(&absent, &["account", "list"]));
    assert!(code == 1 && error.contains("no data folder"), "{error}");
    assert!(!absent.exists());
}
