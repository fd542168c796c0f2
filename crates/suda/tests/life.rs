//! The life of a server: it starts from nothing, keeps others off its folder, stops when asked, survives being killed.

mod support;

use std::net::TcpListener;

use rustix::process::Signal;
use suda_proto::close::Close;
use support::wire::Person;
use support::{CHEAP_PASSWORDS, PASSWORD, Server, failure_of, log_in, sign_up};

#[tokio::test]
async fn starts_on_an_empty_folder_and_keeps_accounts_through_sigkill_and_sigterm() {
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    assert_eq!(sign_up(&server, "anna").await.0, 200);
    server.kill9();
    let mut server = server.restart();
    assert_eq!(log_in(&server, "anna", PASSWORD).await.0, 200);
    assert_eq!(server.terminate().code(), Some(0));
    let server = server.restart();
    assert_eq!(log_in(&server, "anna", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn a_stopping_server_sends_its_sessions_elsewhere() {
    let mut server = Server::spawn(&CHEAP_PASSWORDS);
    let anna = Person::sign_up(server.url(), "anna").await;
    let mut session = anna.connect().await;
    server.signal(Signal::TERM);
    assert_eq!(session.closed().await, Close::Draining.wire().0);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn stops_on_interrupt_with_exit_code_0() {
    let mut server = Server::spawn(&[]);
    server.signal(Signal::INT);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn being_asked_twice_to_stop_is_enough_for_the_impatient() {
    let mut server = Server::spawn(&["--drain-seconds", "3600"]);
    // A request that never ends keeps the server draining.
    let mut request = std::net::TcpStream::connect(server.address()).expect("it listens");
    std::io::Write::write_all(
        &mut request,
        b"POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{",
    )
    .expect("sent");
    server.signal(Signal::TERM);
    server.wait_for_log("stopping");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_hangup_does_not_end_it() {
    let mut server = Server::spawn(&[]);
    server.signal(Signal::HUP);
    assert_eq!(server.terminate().code(), Some(0));
}

#[tokio::test]
async fn a_second_process_on_the_folder_is_refused_and_the_first_goes_on() {
    let server = Server::spawn(&CHEAP_PASSWORDS);
    let data = server.data().to_str().expect("UTF-8");
    let (code, error) = failure_of(["serve", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(code, 75, "{error}");
    assert!(error.contains(data) && error.contains("another process uses the data folder"), "{error}");
    assert_eq!(sign_up(&server, "anna").await.0, 200);
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("UTF-8");
    let (code, error) = failure_of(["serve", "--listen", &address, "--data", data]);
    assert_eq!(code, 75, "{error}");
    assert!(error.contains(&address) && error.contains("--listen"), "{error}");
}

#[test]
fn the_folder_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::spawn_on(&folder.path().join("data"), &[]);
    let mode = |path: &std::path::Path| path.metadata().expect("there").permissions().mode() & 0o077;
    assert_eq!(mode(server.data()), 0);
    for entry in server.data().read_dir().expect("readable") {
        let path = entry.expect("readable").path();
        assert_eq!(mode(&path), 0, "{}", path.display());
    }
}

#[test]
fn a_small_limit_of_open_files_is_named() {
    let server = Server::spawn_with_files(200, &[]);
    let line = server.wait_for_log("files can be open");
    assert!(line.contains("ulimit -n"), "{line}");
}
