//! Without files for more connections: existing ones go on, new ones wait, and are served when others end.

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use support::Server;

/// Beyond this many open files the server gets none.
const FILES: u32 = 200;
/// More connections than such a server has seats.
const CONNECTIONS: usize = 100;

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).expect("the kernel accepts");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("valid");
        Self(BufReader::new(stream))
    }

    fn ask(&mut self) {
        self.0.get_mut().write_all(b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    }

    /// Reads one whole answer.
    fn is_answered(&mut self) -> bool {
        let mut length = 0;
        let mut line = String::new();
        while self.0.read_line(&mut line).is_ok_and(|read| read > 2) {
            let name_and_value = line.to_ascii_lowercase();
            if let Some(value) = name_and_value.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        length > 0 && self.0.read_exact(&mut body).is_ok()
    }
}

#[test]
fn existing_connections_go_on_and_waiting_ones_are_served_later() {
    let mut server = Server::spawn_with_files(FILES, &[]);
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| Connection::open(&server)).collect();
    server.wait_for_log("no seat is free");
    let (first, last) = (0, CONNECTIONS - 1);
    connections[last].ask();
    for _ in 0..3 {
        connections[first].ask();
        assert!(connections[first].is_answered(), "an existing connection goes on");
    }
    let mut waiting = connections.pop().expect("the last");
    drop(connections);
    assert!(waiting.is_answered(), "a waiting connection is served once others are gone");
    drop(waiting);
    assert_eq!(server.terminate().code(), Some(0));
}
