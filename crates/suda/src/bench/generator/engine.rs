//! The turns of a generator: read what is ready, do what is due, write, wait.

use std::io;
use std::os::fd::AsFd as _;

use super::super::frame;
use super::super::poll::{Ready, now};
use super::super::socket::{Filled, READ_BYTES};
use super::lines::{Lines, Stage};
use super::orders::Orders;
use super::{Answer, Order, Outcome, Schedule, answer, text};

/// The token of standard input.
const INPUT: u64 = u64::MAX - 1;

/// What a generator does with its connections.
pub trait Work {
    /// A connection was greeted, at the beginning or again.
    fn greeted(&mut self, _lines: &mut Lines, _line: u32, _welcome: &[u8], _now: u64) {}

    /// A text came.
    fn heard(&mut self, lines: &mut Lines, line: u32, text: &[u8], now: u64);

    /// A connection ended. Unless it was asked to, that is an error; it
    /// stays away unless the work makes it anew.
    fn broken(&mut self, _lines: &mut Lines, _line: u32) {}

    /// The load is to begin.
    fn begin(&mut self, lines: &mut Lines, schedule: Schedule);

    /// Does what is due, and answers when there is more; `None` where only the connections will tell.
    fn act(&mut self, lines: &mut Lines, now: u64) -> Option<u64>;

    /// Whether everything is done.
    fn is_done(&self, now: u64) -> bool;

    /// What came of it; errors are added by the engine.
    fn outcome(&mut self) -> Outcome;
}

/// The connections and what they do.
pub struct Engine {
    lines: Lines,
    work: Box<dyn Work>,
    orders: Orders,
    buffer: Vec<u8>,
    broken: Vec<u32>,
    /// How many connections were asked for, until they are there.
    wanted: Option<u32>,
    is_running: bool,
    has_ended: bool,
}

impl Engine {
    /// Nothing has happened yet.
    pub fn new(lines: Lines, work: Box<dyn Work>, orders: Orders) -> Self {
        let buffer = vec![0; READ_BYTES];
        Self {
            lines,
            work,
            orders,
            buffer,
            broken: Vec::new(),
            wanted: None,
            is_running: false,
            has_ended: false,
        }
    }

    /// Turns until standard input ends.
    ///
    /// # Errors
    /// If the system refuses, or an order cannot be read.
    pub fn run(mut self) -> io::Result<()> {
        self.lines.poll().add_level(io::stdin().as_fd(), INPUT)?;
        self.obey_all()?;
        let mut ready = Vec::new();
        while !self.has_ended {
            let due = self.turn()?;
            self.lines.wait(due, &mut ready)?;
            for one in ready.drain(..) {
                self.take(one)?;
            }
        }
        Ok(())
    }

    /// Does what is due and writes; answers when there is more to do.
    fn turn(&mut self) -> io::Result<Option<u64>> {
        let mut due = None;
        if self.is_running {
            let now = now();
            due = self.work.act(&mut self.lines, now);
            if self.work.is_done(now) {
                self.is_running = false;
                let mut outcome = self.work.outcome();
                outcome.errors.append(&mut self.lines.take_errors());
                answer(&Answer::Done(Box::new(outcome)))?;
                due = None;
            }
        }
        let mut broken = std::mem::take(&mut self.broken);
        self.lines.flush(&mut broken)?;
        for line in broken.drain(..) {
            self.lose(line, "connection lost");
        }
        self.broken = broken;
        if self.wanted.is_some_and(|wanted| self.lines.live() >= wanted as usize || self.lines.is_settled()) {
            self.wanted = None;
            answer(&Answer::Connected(self.lines.live() as u32))?;
        }
        Ok(due)
    }

    fn take(&mut self, ready: Ready) -> io::Result<()> {
        if ready.token == INPUT {
            return self.obey();
        }
        let line = ready.token as u32;
        if ready.is_writable && !self.lines.writable(line) {
            self.lose(line, "connection refused or lost");
        }
        if ready.is_readable {
            self.read(line);
        }
        Ok(())
    }

    fn obey(&mut self) -> io::Result<()> {
        if !self.orders.read()? {
            self.has_ended = true;
        }
        self.obey_all()
    }

    /// Does what was ordered so far.
    fn obey_all(&mut self) -> io::Result<()> {
        while let Some(order) = self.orders.next_line() {
            self.obey_one(serde_json::from_slice(&order)?);
        }
        Ok(())
    }

    fn obey_one(&mut self, order: Order) {
        match order {
            Order::Connect(up_to) => {
                self.wanted = Some(up_to);
                self.lines.connect(up_to);
            }
            Order::Go(schedule) => {
                self.is_running = true;
                self.work.begin(&mut self.lines, schedule);
            }
        }
    }

    /// Reads a connection until nothing is left.
    fn read(&mut self, line: u32) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(socket) = self.lines.socket(line) {
            let (filled, is_drained) = match socket.fill(&mut buffer) {
                Ok(Filled::More(filled)) => (filled, false),
                Ok(Filled::Drained(filled)) => (filled, true),
                Ok(Filled::Ended) => {
                    self.lose(line, "connection closed");
                    break;
                }
                Err(_) => {
                    self.lose(line, "connection lost");
                    break;
                }
            };
            let used = self.frames(line, &buffer[..filled]);
            if let Some(socket) = self.lines.socket(line) {
                socket.keep(&buffer[used..filled]);
            }
            if is_drained {
                break;
            }
        }
        self.buffer = buffer;
    }

    /// Takes every whole frame; answers how many bytes they had.
    fn frames(&mut self, line: u32, bytes: &[u8]) -> usize {
        let mut at = 0;
        if self.lines.stage(line) == Stage::Upgrading {
            match self.lines.upgrade(line, bytes) {
                Some(used) => at = used,
                None => {
                    self.lose(line, "upgrade refused");
                    return bytes.len();
                }
            }
            if at == 0 {
                return 0;
            }
        }
        let now = now();
        while let Some(head) = frame::read(&bytes[at..]).filter(|head| bytes.len() - at >= head.frame()) {
            let payload = at + head.length..at + head.frame();
            at += head.frame();
            let payload = &bytes[payload];
            match head.opcode {
                frame::TEXT if head.is_whole => self.hear(line, payload, now),
                frame::PING => self.lines.pong(line, payload),
                frame::PONG => {}
                frame::CLOSE => {
                    let code = payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                    self.lose(line, &format!("closed with {code}"));
                    return at;
                }
                _ => self.lines.count("unexpected frame"),
            }
        }
        at
    }

    fn hear(&mut self, line: u32, payload: &[u8], now: u64) {
        if self.lines.stage(line) != Stage::Greeting {
            self.work.heard(&mut self.lines, line, payload, now);
        } else if matches!(text::reply_id(payload), Some((1, true))) {
            self.lines.greeted(line);
            self.work.greeted(&mut self.lines, line, payload, now);
        } else {
            self.lines.count(&format!("hello: {}", text::error_code(payload)));
        }
    }

    fn lose(&mut self, line: u32, why: &str) {
        if !self.lines.is_leaving(line) {
            self.lines.count(why);
        }
        self.lines.end(line);
        self.work.broken(&mut self.lines, line);
    }
}
