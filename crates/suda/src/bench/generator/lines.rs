//! The connections of a generator: connecting a few at a time, greeting, writing once a turn.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use suda_server::session::Opcode;

use super::super::frame;
use super::super::poll::{Poll, Ready, now};
use super::super::socket::Socket;

/// How many connections are being made at once. The server's queue of new ones is not much longer.
const CONNECTING: usize = 128;
/// How many connections share a source address: it has 28,000 ports.
const PER_SOURCE: usize = 10_000;
/// Most different errors that are told apart.
const ERRORS: usize = 64;
/// The mask of every frame. It protects proxies from browsers (RFC 6455, 10.3), and here there are neither.
const MASK: [u8; 4] = [0x5c, 0xa3, 0x96, 0x1f];
/// Close code 1000: done.
const NORMAL: [u8; 2] = 1_000u16.to_be_bytes();
/// How long a call of its own may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How each connection introduces itself.
pub struct Greeting {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The tokens of the connections' devices.
    pub tokens: Vec<String>,
    /// The last byte of the first source address.
    pub source: u8,
    /// How many rows the greeting asks for.
    pub window: u32,
    /// Whether somebody is looking.
    pub foreground: bool,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// There is none.
    Absent,
    /// It waits for its turn to be made.
    Queued,
    /// TCP connects.
    Connecting,
    /// The upgrade was asked for.
    Upgrading,
    /// Hello was said.
    Greeting,
    /// It is greeted.
    Live,
}

struct Line {
    socket: Option<Socket>,
    stage: Stage,
    is_dirty: bool,
    /// It neither reads nor answers.
    is_silent: bool,
    /// It was asked to end, so its end is no error.
    is_leaving: bool,
    /// When it last gave a sign of life.
    said_at: u64,
}

impl Line {
    const fn absent() -> Self {
        let stage = Stage::Absent;
        Self { socket: None, stage, is_dirty: false, is_silent: false, is_leaving: false, said_at: 0 }
    }
}

/// The connections.
pub struct Lines {
    greeting: Greeting,
    lines: Vec<Line>,
    poll: Poll,
    dirty: Vec<u32>,
    queue: VecDeque<u32>,
    connecting: usize,
    live: usize,
    errors: BTreeMap<String, u64>,
}

impl Lines {
    /// No connection yet.
    ///
    /// # Errors
    /// If the system has no files left.
    pub fn new(greeting: Greeting) -> io::Result<Self> {
        Ok(Self {
            lines: greeting.tokens.iter().map(|_| Line::absent()).collect(),
            greeting,
            poll: Poll::new()?,
            dirty: Vec::new(),
            queue: VecDeque::new(),
            connecting: 0,
            live: 0,
            errors: BTreeMap::new(),
        })
    }

    /// What waits for the connections.
    pub fn poll(&mut self) -> &mut Poll {
        &mut self.poll
    }

    /// How many are greeted.
    pub fn live(&self) -> usize {
        self.live
    }

    /// Whether no connection is being made, or waits to be.
    pub fn is_settled(&self) -> bool {
        self.connecting == 0 && self.queue.is_empty()
    }

    /// How far one is.
    pub fn stage(&self, line: u32) -> Stage {
        self.lines[line as usize].stage
    }

    /// Its socket; none of one that is silent.
    pub fn socket(&mut self, line: u32) -> Option<&mut Socket> {
        let one = &mut self.lines[line as usize];
        one.socket.as_mut().filter(|_| !one.is_silent)
    }

    /// When it last gave a sign of life: at the latest when it was last written to.
    pub fn said_at(&self, line: u32) -> u64 {
        self.lines[line as usize].said_at
    }

    /// Whether it was asked to end.
    pub fn is_leaving(&self, line: u32) -> bool {
        self.lines[line as usize].is_leaving
    }

    /// Counts an error.
    pub fn count(&mut self, error: &str) {
        if self.errors.len() < ERRORS || self.errors.contains_key(error) {
            *self.errors.entry(error.to_owned()).or_default() += 1;
        }
    }

    /// Takes the errors counted so far.
    pub fn take_errors(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.errors)
    }

    /// Makes the connections up to this many.
    pub fn connect(&mut self, up_to: u32) {
        (0..up_to.min(self.lines.len() as u32)).for_each(|line| self.connect_one(line));
    }

    /// Makes a connection, unless it is there.
    pub fn connect_one(&mut self, line: u32) {
        if self.stage(line) == Stage::Absent {
            self.lines[line as usize].stage = Stage::Queued;
            self.queue.push_back(line);
        }
    }

    /// Ends a connection, and makes it anew when its turn comes.
    pub fn reconnect(&mut self, line: u32) {
        self.reset(line);
        self.connect_one(line);
    }

    /// Ends a connection by a reset.
    pub fn reset(&mut self, line: u32) {
        if let Some(socket) = self.socket(line) {
            socket.reset_on_close();
        }
        self.end(line);
    }

    /// Asks for a proper end: the server answers the close frame and goes.
    pub fn leave(&mut self, line: u32) {
        self.expect_end(line);
        if let Some(socket) = self.socket(line) {
            frame::write(socket.out(), Opcode::Close, Some(MASK), |out| out.extend_from_slice(&NORMAL));
            self.touch(line);
        }
    }

    /// The connection is about to end, which is no error.
    pub fn expect_end(&mut self, line: u32) {
        self.lines[line as usize].is_leaving = true;
    }

    /// What was sent goes out; from then on it is neither read nor answered, but stays open.
    pub fn fall_silent(&mut self, line: u32) {
        let one = &mut self.lines[line as usize];
        if one.socket.as_mut().is_none_or(|socket| socket.flush().is_err()) {
            self.count("not connected when due");
        }
        let one = &mut self.lines[line as usize];
        (one.is_silent, one.is_leaving) = (true, true);
    }

    /// Logs the connection's device out with a call of its own. The server's answer waits in what is returned.
    ///
    /// # Errors
    /// If the server does not take the call.
    pub fn log_out(&mut self, line: u32) -> io::Result<TcpStream> {
        self.expect_end(line);
        let Greeting { address, tokens, .. } = &self.greeting;
        let request = format!(
            "POST /v1/logout HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
             Connection: close\r\nContent-Length: 0\r\n\r\n",
            tokens[line as usize]
        );
        let mut stream = TcpStream::connect_timeout(address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }

    /// Ends a connection.
    pub fn end(&mut self, line: u32) {
        let one = &mut self.lines[line as usize];
        one.socket = None;
        (one.is_silent, one.is_leaving) = (false, false);
        match std::mem::replace(&mut one.stage, Stage::Absent) {
            Stage::Connecting | Stage::Upgrading | Stage::Greeting => self.connecting -= 1,
            Stage::Live => self.live -= 1,
            Stage::Absent | Stage::Queued => {}
        }
    }

    /// Appends a text frame to what goes out at the end of the turn; false if there is no connection.
    pub fn send(&mut self, line: u32, render: impl FnOnce(&mut Vec<u8>)) -> bool {
        let one = &mut self.lines[line as usize];
        let Some(socket) = one.socket.as_mut().filter(|_| one.stage == Stage::Live) else {
            return false;
        };
        frame::write(socket.out(), Opcode::Text, Some(MASK), render);
        self.touch(line);
        true
    }

    /// Answers a ping.
    pub fn pong(&mut self, line: u32, payload: &[u8]) {
        if let Some(socket) = self.socket(line) {
            frame::write(socket.out(), Opcode::Pong, Some(MASK), |out| out.extend_from_slice(payload));
            self.touch(line);
        }
    }

    fn touch(&mut self, line: u32) {
        let one = &mut self.lines[line as usize];
        one.said_at = now();
        if !std::mem::replace(&mut one.is_dirty, true) {
            self.dirty.push(line);
        }
    }

    /// Writes what waits, and begins to connect who is next. Calls `broken` for connections that are gone.
    ///
    /// # Errors
    /// If the system refuses a socket.
    pub fn flush(&mut self, broken: &mut Vec<u32>) -> io::Result<()> {
        let mut dirty = std::mem::take(&mut self.dirty);
        for line in dirty.drain(..) {
            let one = &mut self.lines[line as usize];
            one.is_dirty = false;
            // What the system does not take now goes out when it says that it would.
            if one.socket.as_mut().is_some_and(|socket| socket.flush().is_err()) {
                broken.push(line);
            }
        }
        self.dirty = dirty;
        while self.connecting < CONNECTING {
            let Some(line) = self.queue.pop_front() else { break };
            if self.stage(line) == Stage::Queued {
                self.begin(line)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, line: u32) -> io::Result<()> {
        let source = usize::from(self.greeting.source) + line as usize / PER_SOURCE;
        let socket = Socket::connect(self.greeting.address, source.clamp(1, 254) as u8)?;
        self.poll.add(socket.as_fd(), u64::from(line))?;
        let one = &mut self.lines[line as usize];
        one.socket = Some(socket);
        one.stage = Stage::Connecting;
        self.connecting += 1;
        Ok(())
    }

    /// A socket can be written: goes on with the handshake or with what waits. False if it is gone.
    pub fn writable(&mut self, line: u32) -> bool {
        let address = self.greeting.address;
        let one = &mut self.lines[line as usize];
        let Some(socket) = &mut one.socket else { return true };
        if one.stage == Stage::Connecting {
            let request = format!(
                "GET /v1/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            socket.out().extend_from_slice(request.as_bytes());
            one.stage = Stage::Upgrading;
        }
        socket.flush().is_ok()
    }

    /// Reads the answer to the upgrade; says hello once it is all there. Answers how much of it was used: nothing while
    /// it is not all there, `None` if it is a refusal.
    pub fn upgrade(&mut self, line: u32, bytes: &[u8]) -> Option<usize> {
        let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Some(0) };
        if !bytes.starts_with(b"HTTP/1.1 101") {
            let status = bytes.get(9..12).unwrap_or_default();
            let status = String::from_utf8_lossy(status).into_owned();
            self.count(&format!("upgrade answered with {status}"));
            return None;
        }
        let Greeting { window, foreground, .. } = self.greeting;
        let token = &self.greeting.tokens[line as usize];
        let hello = format!(
            "{{\"id\":1,\"type\":\"hello\",\"body\":{{\"protocol\":1,\"features\":[],\"token\":\"{token}\",\
             \"foreground\":{foreground},\"window\":{window}}}}}"
        );
        let one = &mut self.lines[line as usize];
        one.stage = Stage::Greeting;
        if let Some(socket) = &mut one.socket {
            frame::write(socket.out(), Opcode::Text, Some(MASK), |out| {
                out.extend_from_slice(hello.as_bytes())
            });
        }
        self.touch(line);
        Some(end + 4)
    }

    /// The greeting was answered.
    pub fn greeted(&mut self, line: u32) {
        self.lines[line as usize].stage = Stage::Live;
        self.connecting -= 1;
        self.live += 1;
    }

    /// Waits until something is ready or it is time.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn wait(&mut self, until: Option<u64>, ready: &mut Vec<Ready>) -> io::Result<()> {
        self.poll.wait(until, ready)
    }
}
