//! TLS: served with the configured certificate, which is replaced while the server runs.

mod support;

use std::path::Path;

use rustix::process::Signal;
use support::{Server, http};

/// Writes a new certificate for `localhost` and its key; answers the certificate.
fn write_certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("written");
    made.cert.pem()
}

/// Whether the server proves to hold this certificate.
async fn serves(server: &Server, certificate: &str) -> bool {
    let port = server.address().rsplit(':').next().expect("a port");
    let request = http(&[certificate.to_owned()]).get(format!("https://localhost:{port}/nothing"));
    request.send().await.is_ok_and(|reply| reply.status() == 404)
}

#[tokio::test]
async fn the_certificate_is_replaced_while_the_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let first = write_certificate(folder.path());
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let mut server = Server::spawn(&["--tls-cert", &cert, "--tls-key", &key]);
    assert!(server.url().starts_with("https://"));
    assert!(serves(&server, &first).await);

    std::fs::write(&cert, "half a certificate").expect("written");
    server.signal(Signal::HUP);
    server.wait_for_log("the former one stays");
    assert!(serves(&server, &first).await);

    let second = write_certificate(folder.path());
    assert!(!serves(&server, &second).await);
    server.signal(Signal::HUP);
    server.wait_for_log("certificate was reloaded");
    assert!(serves(&server, &second).await);
    assert!(!serves(&server, &first).await);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn with_tls_other_machines_may_connect() {
    let folder = tempfile::tempdir().expect("a folder");
    write_certificate(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let flags = ["--listen", "0.0.0.0:0", "--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")];
    let data = folder.path().join("data");
    let server = Server::spawn_anywhere(&data, &flags);
    assert!(server.url().starts_with("https://0.0.0.0:"));
}
