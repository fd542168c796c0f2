//! Messages: every connection sends into one conversation and receives what the others send there.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::engine::Work;
use super::lines::Lines;
use super::tally::Tally;
use super::text::{self, Stamp};
use super::{Outcome, Schedule};

/// The id of the first send: all ids have as many digits.
const FIRST_ID: u64 = 1_000_000_000;
/// Marks have ids from here on; their replies are not looked at.
const FIRST_MARK_ID: u64 = 2_000_000_000;
/// How many sends of one connection may be unanswered in an open loop; beyond it a send counts as an error.
const IN_FLIGHT_MAX: usize = 4_096;
/// How long receipts are gathered, as the Rust SDK does, in nanoseconds.
const GATHER: u64 = 300_000_000;

/// When messages are sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Pace {
    /// So many a second, whatever comes back.
    Open(f64),
    /// So many of each connection are unanswered at any time.
    Closed(u32),
}

/// What devices tell of what they received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Receipts {
    /// That they stored it.
    Delivered,
    /// That somebody saw it, too.
    Read,
}

/// What is sent, and where.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessagesPlan {
    /// The conversations' ids.
    pub conversations: Vec<String>,
    /// For each connection, which of them it sends into.
    pub of_line: Vec<u32>,
    /// Bytes of each text.
    pub bytes: usize,
    /// When.
    pub pace: Pace,
    /// What is acknowledged by receivers.
    pub receipts: Option<Receipts>,
}

/// An unanswered send.
struct Flight {
    id: u64,
    number: u32,
    intended: u64,
}

/// What a connection's device knows of its conversation.
#[derive(Default)]
struct Device {
    /// The highest number that it heard of.
    head: u64,
    /// The highest that came from others, and the highest that it acknowledged.
    received: u64,
    marked: u64,
    /// How many sends there were.
    sent: u32,
    in_flight: VecDeque<Flight>,
}

/// The load.
pub struct Messages {
    plan: MessagesPlan,
    first: u32,
    devices: Vec<Device>,
    /// What the client ids of this process begin with.
    prefix: String,
    tally: Tally,
    /// Which send of the open loop is next.
    turn: u64,
    next_id: u64,
    next_mark: u64,
    /// Connections that gather receipts, and until when.
    gathering: VecDeque<(u64, u32)>,
}

impl Messages {
    /// A load over `count` connections, the first of which has this number among those of all generators.
    pub fn new(plan: MessagesPlan, first: u32, count: u32) -> Self {
        let id = Uuid::now_v7().to_string();
        Self {
            plan,
            first,
            devices: (0..count).map(|_| Device::default()).collect(),
            prefix: id[..24].to_owned(),
            tally: Tally::default(),
            turn: 0,
            next_id: FIRST_ID,
            next_mark: FIRST_MARK_ID,
            gathering: VecDeque::new(),
        }
    }

    fn due(&self) -> Option<u64> {
        let Pace::Open(rate) = self.plan.pace else { return None };
        self.tally.due(self.turn, rate)
    }

    fn send(&mut self, lines: &mut Lines, line: u32, intended: u64) {
        let device = &mut self.devices[line as usize];
        if device.in_flight.len() >= IN_FLIGHT_MAX {
            return lines.count("too many unanswered");
        }
        let (id, number) = (self.next_id, device.sent);
        let conversation = self.plan.conversations[self.plan.of_line[line as usize] as usize].as_bytes();
        let (prefix, bytes) = (self.prefix.as_bytes(), self.plan.bytes);
        let whole_number = self.first + line;
        let client_id = |out: &mut Vec<u8>, number: u32| {
            out.extend_from_slice(prefix);
            text::push_hexadecimal(out, u64::from(whole_number), 5);
            text::push_hexadecimal(out, u64::from(number), 7);
        };
        let before = device.in_flight.back().map(|flight| flight.number);
        let is_sent = lines.send(line, |out| {
            out.extend_from_slice(b"{\"id\":");
            text::push_number(out, id);
            out.extend_from_slice(b",\"type\":\"send\",\"body\":{\"conversation\":\"");
            out.extend_from_slice(conversation);
            out.extend_from_slice(b"\",\"client_id\":\"");
            client_id(out, number);
            out.extend_from_slice(b"\",\"base\":");
            text::push_number(out, device.head);
            if let Some(before) = before {
                out.extend_from_slice(b",\"after\":\"");
                client_id(out, before);
                out.push(b'"');
            }
            out.extend_from_slice(b",\"kind\":\"message\",\"body\":{\"type\":\"text\",\"text\":\"");
            text::push_text(out, Stamp { at: intended, line: whole_number }, bytes);
            out.extend_from_slice(b"\"}}}");
        });
        if !is_sent {
            return lines.count("not connected when due");
        }
        self.next_id += 1;
        device.sent += 1;
        device.in_flight.push_back(Flight { id, number, intended });
        self.tally.sent();
    }

    fn take_reply(&mut self, lines: &mut Lines, line: u32, reply: &[u8], id: u64, is_ok: bool) {
        if !is_ok {
            lines.count(&text::error_code(reply));
        }
        if id >= FIRST_MARK_ID {
            self.tally.count("marks_acknowledged", u64::from(is_ok));
            return;
        }
        let device = &mut self.devices[line as usize];
        // Acknowledgements come in order; refusals may overtake them.
        let Some(place) = device.in_flight.iter().position(|flight| flight.id == id) else {
            return lines.count("unknown reply");
        };
        let Some(flight) = device.in_flight.remove(place) else { return };
        self.tally.settled(1);
        if is_ok {
            device.head = device.head.max(text::first_number(reply, b"\"seq\":").unwrap_or(0));
            self.tally.acknowledged(flight.intended);
        }
        if matches!(self.plan.pace, Pace::Closed(_)) && self.tally.now < self.tally.schedule.end {
            self.send(lines, line, self.tally.now);
        }
    }

    fn take_event(&mut self, lines: &mut Lines, line: u32, event: &[u8]) {
        let Some(entries) = event.strip_prefix(b"{\"event\":\"entries\"") else {
            return self.tally.count(event_name(event), 1);
        };
        let whole_number = self.first + line;
        let head = text::last_number(entries, b"\"seq\":").unwrap_or(0);
        let mut is_from_others = false;
        let mut rest = entries;
        while let Some((stamp, after)) = text::next_stamp(rest) {
            rest = after;
            if stamp.line == whole_number {
                continue;
            }
            is_from_others = true;
            self.tally.delivered(stamp.at);
        }
        self.tally.count("entries_events", 1);
        let device = &mut self.devices[line as usize];
        device.head = device.head.max(head);
        if is_from_others && self.plan.receipts.is_some() {
            if device.received <= device.marked {
                self.gathering.push_back((self.tally.now + GATHER, line));
            }
            device.received = device.received.max(head);
        }
        if rest.len() == entries.len() {
            lines.count("entries without a stamp");
        }
    }

    /// Acknowledges what a device received since it began to gather.
    fn mark(&mut self, lines: &mut Lines, line: u32) {
        let device = &mut self.devices[line as usize];
        let conversation = self.plan.conversations[self.plan.of_line[line as usize] as usize].as_bytes();
        let (id, received) = (self.next_mark, device.received);
        let is_read = self.plan.receipts == Some(Receipts::Read);
        let is_sent = lines.send(line, |out| {
            out.extend_from_slice(b"{\"id\":");
            text::push_number(out, id);
            out.extend_from_slice(b",\"type\":\"mark\",\"body\":{\"conversation\":\"");
            out.extend_from_slice(conversation);
            out.extend_from_slice(b"\",\"delivered\":");
            text::push_number(out, received);
            if is_read {
                out.extend_from_slice(b",\"read\":");
                text::push_number(out, received);
            }
            out.extend_from_slice(b"}}");
        });
        device.marked = received;
        self.next_mark += 1;
        self.tally.count("marks_sent", u64::from(is_sent));
    }
}

/// What other events are counted as.
fn event_name(event: &[u8]) -> &'static str {
    match text::word(event, b"\"event\":\"") {
        Some(b"marks") => "marks_events",
        Some(b"read") => "read_events",
        Some(b"typing") => "typing_events",
        _ => "other_events",
    }
}

impl Work for Messages {
    fn greeted(&mut self, _lines: &mut Lines, line: u32, welcome: &[u8], _now: u64) {
        // The window's only row, where it is the connection's conversation.
        let device = &mut self.devices[line as usize];
        device.head = device.head.max(text::first_number(welcome, b"\"head\":").unwrap_or(0));
    }

    fn heard(&mut self, lines: &mut Lines, line: u32, heard: &[u8], now: u64) {
        self.tally.hear(now);
        match text::reply_id(heard) {
            Some((id, is_ok)) => self.take_reply(lines, line, heard, id, is_ok),
            None => self.take_event(lines, line, heard),
        }
    }

    fn broken(&mut self, _lines: &mut Lines, line: u32) {
        let lost = std::mem::take(&mut self.devices[line as usize].in_flight);
        self.tally.settled(lost.len());
    }

    fn begin(&mut self, _lines: &mut Lines, schedule: Schedule) {
        // It may have run before, with other times.
        self.tally = Tally::default();
        self.turn = 0;
        self.devices.iter_mut().for_each(|device| device.in_flight.clear());
        self.tally.begin(schedule);
    }

    fn act(&mut self, lines: &mut Lines, now: u64) -> Option<u64> {
        self.tally.now = now;
        let count = self.devices.len() as u64;
        match self.plan.pace {
            Pace::Open(_) => {
                while let Some(due) = self.due().filter(|due| *due <= now) {
                    let line = Tally::line(self.turn, self.devices.len());
                    self.turn += 1;
                    self.send(lines, line, due);
                }
            }
            Pace::Closed(in_flight) if self.turn == 0 && now >= self.tally.schedule.start => {
                self.turn = 1;
                for _ in 0..in_flight {
                    (0..count as u32).for_each(|line| self.send(lines, line, now));
                }
            }
            Pace::Closed(_) => {}
        }
        while let Some((_, line)) = self.gathering.pop_front_if(|(until, _)| *until <= now) {
            self.mark(lines, line);
        }
        let start = (now < self.tally.schedule.start).then_some(self.tally.schedule.start);
        let receipts = self.gathering.front().map(|(until, _)| *until);
        let look = self.tally.look();
        [self.due(), start, receipts, Some(look)].into_iter().flatten().min()
    }

    fn is_done(&self, now: u64) -> bool {
        self.tally.is_done(now)
    }

    fn outcome(&mut self) -> Outcome {
        self.tally.outcome()
    }
}
