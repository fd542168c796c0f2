//! The bare relay: the yardstick for the server. It moves the same bytes in the same number of system calls, appends the
//! same number of bytes and syncs them as a group, and does nothing else.
//!
//! | as the server | not at all |
//! |---|---|
//! | one read drains a socket, one write a turn for each connection that has something | accounts, tokens, rights |
//! | acknowledgement and event have the server's members, lengths and order | reading or writing JSON |
//! | a record of the server's length for each message, a mark for each group | index, lists, marks, presence |
//! | acknowledged and delivered only after the sync; the next sync begins when the last returns | recovery |
//! | files of 64 MiB, reserved beforehand | limits, rates, timeouts |
//!
//! A connection's token is its number; [`plan`] says which numbers get each other's messages. Receipts are answered,
//! gathered and told; whatever else is asked gets an answer of a given length.
//!
//! Reading order: this file has the turns; [`message`] and [`receipts`] know the frames, [`hearing`] who gets them;
//! [`mod@file`] is the writer thread.

mod file;
mod hearing;
mod message;
pub mod plan;
mod receipts;

use std::io::{self, BufRead as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd as _;

use suda_server::gateway::websocket::decoder::unmask;
use suda_server::session::Opcode;

use super::frame;
use super::poll::{Poll, Ready, SECOND, now};
use super::socket::{Filled, READ_BYTES, Socket};
use file::Writer;
use hearing::Hearing;
use message::{Batch, Request};
use plan::{BarePlan, Circles};
use receipts::{Mark, Receipts};

/// The listening socket's token.
const LISTENER: u64 = u64::MAX - 2;
/// The writer's token.
const SYNCED: u64 = u64::MAX - 3;

/// A connection.
struct Peer {
    socket: Socket,
    is_upgraded: bool,
    number: Option<u32>,
    is_dirty: bool,
}

/// The relay.
struct Bare {
    poll: Poll,
    listener: TcpListener,
    plan: BarePlan,
    hearing: Hearing,
    receipts: Receipts,
    /// When the next part of all connections is pinged, and which.
    beat: Option<(u64, u32)>,
    peers: Vec<Option<Peer>>,
    free: Vec<u32>,
    /// Connection by number.
    numbers: Vec<Option<u32>>,
    dirty: Vec<u32>,
    buffer: Vec<u8>,
    writer: Option<Writer>,
    /// What came since the sync under way began.
    gathering: Batch,
    /// What is being synced.
    syncing: Option<Batch>,
}

/// Runs it, by the plan on standard input, until the process is ended.
///
/// # Errors
/// If the plan cannot be read, or the system refuses.
pub fn run() -> io::Result<()> {
    // Whoever started it may die without a word.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let mut plan: BarePlan = serde_json::from_str(&line)?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    // The standard library's queue of new connections is short.
    rustix::net::listen(&listener, 1_024)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let poll = Poll::new()?;
    poll.add_level(listener.as_fd(), LISTENER)?;
    let writer = match &plan.folder {
        Some(folder) => Some(Writer::start(folder.clone(), poll.bell(SYNCED)?)?),
        None => None,
    };
    let mut output = io::stdout().lock();
    writeln!(output, "suda listens on http://{address}")?;
    output.flush()?;
    drop(output);
    let bare = Bare {
        poll,
        listener,
        hearing: Hearing::new(std::mem::replace(&mut plan.circles, Circles::Even(1))),
        receipts: Receipts::default(),
        beat: (plan.heartbeat_seconds > 0).then(|| (now() + SECOND, 0)),
        plan,
        peers: Vec::new(),
        free: Vec::new(),
        numbers: Vec::new(),
        dirty: Vec::new(),
        buffer: vec![0; READ_BYTES],
        writer,
        gathering: Batch::default(),
        syncing: None,
    };
    bare.run()
}

impl Bare {
    fn run(mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            let until = [self.receipts.due, self.beat.map(|(at, _)| at)].into_iter().flatten().min();
            self.poll.wait(until, &mut ready)?;
            for one in ready.drain(..) {
                match one.token {
                    LISTENER => self.accept()?,
                    SYNCED => self.synced()?,
                    _ => self.take(one),
                }
            }
            if until.is_some_and(|until| until <= now()) {
                self.look_at_the_time();
            }
            self.hand_over()?;
            self.flush();
        }
    }

    /// Tells what receipts were gathered, and pings the next part of all connections.
    fn look_at_the_time(&mut self) {
        let now = now();
        if self.receipts.due.is_some_and(|due| due <= now) {
            let mut receipts = std::mem::take(&mut self.receipts);
            receipts.tell(|moved, marks, event| {
                for author in &moved.authors {
                    self.push(*author, |out| out.extend_from_slice(event));
                }
                self.gathering.push_marks(marks);
            });
            self.receipts = receipts;
        }
        if let Some((_, part)) = self.beat.filter(|(at, _)| *at <= now) {
            let parts = self.plan.heartbeat_seconds;
            for place in (part % parts..self.peers.len() as u32).step_by(parts as usize) {
                if let Some(peer) = &mut self.peers[place as usize] {
                    frame::write(peer.socket.out(), Opcode::Ping, None, |_| {});
                    self.touch(place);
                }
            }
            self.beat = Some((now + SECOND, part + 1));
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let socket = Socket::accepted(stream)?;
            let place = self.free.pop().unwrap_or_else(|| {
                self.peers.push(None);
                self.peers.len() as u32 - 1
            });
            self.poll.add(socket.as_fd(), u64::from(place))?;
            let peer = Peer { socket, is_upgraded: false, number: None, is_dirty: false };
            self.peers[place as usize] = Some(peer);
        }
    }

    fn take(&mut self, ready: Ready) {
        let place = ready.token as u32;
        if ready.is_writable
            && let Some(peer) = &mut self.peers[place as usize]
            && peer.socket.flush().is_err()
        {
            return self.lose(place);
        }
        if ready.is_readable {
            self.read(place);
        }
    }

    fn read(&mut self, place: u32) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(peer) = &mut self.peers[place as usize] {
            let (filled, is_drained) = match peer.socket.fill(&mut buffer) {
                Ok(Filled::More(filled)) => (filled, false),
                Ok(Filled::Drained(filled)) => (filled, true),
                Ok(Filled::Ended) | Err(_) => {
                    self.lose(place);
                    break;
                }
            };
            let used = self.frames(place, &mut buffer[..filled]);
            if let Some(peer) = &mut self.peers[place as usize] {
                peer.socket.keep(&buffer[used..filled]);
            }
            if is_drained {
                break;
            }
        }
        self.buffer = buffer;
    }

    fn frames(&mut self, place: u32, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        if let Some(peer) = self.peers[place as usize].as_mut().filter(|peer| !peer.is_upgraded) {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return 0 };
            at = end + 4;
            peer.is_upgraded = true;
            peer.socket.out().extend_from_slice(message::UPGRADED);
            self.touch(place);
        }
        while let Some(head) = frame::read(&bytes[at..]).filter(|head| bytes.len() - at >= head.frame()) {
            let payload = at + head.length..at + head.frame();
            at += head.frame();
            let payload = &mut bytes[payload];
            unmask(payload, head.mask.unwrap_or_default());
            match head.opcode {
                frame::TEXT => self.hear(place, payload),
                frame::CLOSE => self.lose(place),
                _ => {}
            }
        }
        at
    }

    fn hear(&mut self, place: u32, text: &[u8]) {
        let Some(number) = self.peers[place as usize].as_ref().map(|peer| peer.number) else { return };
        let Some(number) = number else { return self.greet(place, text) };
        if self.writer.is_none() {
            return self.pass_on(number, text);
        }
        let Some(request) = Request::read(text) else { return self.answer(place, number, text) };
        let Some(circle) = self.hearing.circle(number, request.conversation()) else { return };
        let seq = self.hearing.next(circle);
        self.gathering.push(number, circle, seq, &request);
        self.receipts.wrote(circle, number);
    }

    /// Answers what is no send.
    fn answer(&mut self, place: u32, number: u32, text: &[u8]) {
        if let Some(mark) = Mark::read(text) {
            let Some(circle) = self.hearing.circle(number, mark.conversation) else { return };
            self.receipts.moved(circle, number, &mark, now());
            if mark.read.is_some() {
                return self.gathering.push_answer(number, circle, |out| mark.answer(out));
            }
            return self.push(number, |out| mark.answer(out));
        }
        let bytes = self.plan.reply_bytes;
        if let (Some(id), Some(peer)) = (message::id_of(text), &mut self.peers[place as usize]) {
            message::answer(peer.socket.out(), id, bytes);
            self.touch(place);
        }
    }

    fn greet(&mut self, place: u32, text: &[u8]) {
        let Some(number) = message::number_of_hello(text) else { return };
        let number = number as usize;
        self.numbers.resize(self.numbers.len().max(number + 1), None);
        self.numbers[number] = Some(place);
        if let Some(peer) = &mut self.peers[place as usize] {
            peer.number = Some(number as u32);
            message::welcome(peer.socket.out(), self.plan.greeting_bytes);
        }
        self.touch(place);
    }

    /// Passes a frame on at once.
    fn pass_on(&mut self, number: u32, text: &[u8]) {
        let Some(circle) = self.hearing.circle(number, &[]) else { return };
        self.push_others(circle, number, |out| {
            frame::write(out, Opcode::Text, None, |out| out.extend_from_slice(text))
        });
    }

    /// Appends to what goes out to everybody in a conversation but one.
    fn push_others(&mut self, circle: u32, number: u32, render: impl Fn(&mut Vec<u8>)) {
        let hearing = std::mem::take(&mut self.hearing);
        hearing.others(circle, number, |other| self.push(other, &render));
        self.hearing = hearing;
    }

    /// Appends to what goes out to a number at the end of the turn, if it is there.
    fn push(&mut self, number: u32, render: impl FnOnce(&mut Vec<u8>)) {
        let Some(Some(place)) = self.numbers.get(number as usize).copied() else { return };
        if let Some(peer) = &mut self.peers[place as usize] {
            render(peer.socket.out());
            self.touch(place);
        }
    }

    /// The sync under way has returned: acknowledges and delivers.
    fn synced(&mut self) -> io::Result<()> {
        let Some(mut batch) = self.syncing.take() else { return Ok(()) };
        if let Some(writer) = &self.writer {
            batch.records = writer.finished()?;
        }
        for item in &batch.items {
            let (acknowledgement, event) = batch.frames(item);
            self.push(item.sender, |out| out.extend_from_slice(acknowledgement));
            if !event.is_empty() {
                self.push_others(item.circle, item.sender, |out| out.extend_from_slice(event));
            }
        }
        batch.clear();
        if self.gathering.is_empty() {
            // Its buffers are kept.
            self.gathering = batch;
        }
        Ok(())
    }

    /// Gives the writer what came, unless it is busy.
    fn hand_over(&mut self) -> io::Result<()> {
        let Some(writer) = &self.writer else { return Ok(()) };
        if self.syncing.is_some() || self.gathering.is_empty() {
            return Ok(());
        }
        let mut batch = std::mem::take(&mut self.gathering);
        writer.write(batch.take_records())?;
        self.syncing = Some(batch);
        Ok(())
    }

    fn touch(&mut self, place: u32) {
        if let Some(peer) = &mut self.peers[place as usize]
            && !std::mem::replace(&mut peer.is_dirty, true)
        {
            self.dirty.push(place);
        }
    }

    fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for place in dirty.drain(..) {
            let Some(peer) = &mut self.peers[place as usize] else { continue };
            peer.is_dirty = false;
            // What the system does not take now goes out when it says that it would.
            if peer.socket.flush().is_err() {
                self.lose(place);
            }
        }
        self.dirty = dirty;
    }

    fn lose(&mut self, place: u32) {
        if let Some(peer) = self.peers[place as usize].take() {
            // A device that came back already has another connection.
            if let Some(number) = peer.number
                && self.numbers[number as usize] == Some(place)
            {
                self.numbers[number as usize] = None;
            }
            self.free.push(place);
        }
    }
}
