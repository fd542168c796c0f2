//! A day's mixture: messages between two and in groups, edits, reactions, receipts, typing, and connections that come
//! and go.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::engine::Work;
use super::lines::{Lines, Stage};
use super::tally::Tally;
use super::text::{self, Stamp};
use super::{Outcome, Schedule};

/// The id of the first send; requests with smaller ids are not sends.
const FIRST_SEND: u64 = 1_000_000_000;
/// How long receipts are gathered, as the Rust SDK does, in nanoseconds.
const GATHER: u64 = 300_000_000;
/// Of a thousand acts: how many are edits, then how many are reactions; the rest are messages.
const EDITS: u64 = 30;
const REACTIONS: u64 = 80;
/// Of a thousand messages: how many go to the group, and before how many somebody is told to be typing.
const TO_GROUP: u64 = 200;
const TYPING: u64 = 300;
/// Every other device has somebody looking, who reads at once.
const LOOKING: u32 = 2;

/// Who writes what.
#[derive(Debug, Serialize, Deserialize)]
pub struct MixedPlan {
    /// The conversations' ids.
    pub conversations: Vec<String>,
    /// For each connection its direct conversation and its group.
    pub of_line: Vec<[u32; 2]>,
    /// Texts, escaped for JSON.
    pub texts: Vec<String>,
    /// Acts a second.
    pub rate: f64,
    /// Connections made anew a second.
    pub reconnects: f64,
}

/// What a device knows of one conversation.
#[derive(Clone, Copy, Default)]
struct Copy {
    head: u64,
    own_message: u64,
    others_message: u64,
    marked: u64,
    is_gathering: bool,
}

/// A connection's device.
#[derive(Default)]
struct Device {
    copies: [Copy; 2],
    sent: u32,
    /// The send under way: its id, which conversation, whether it is a message, when it was due.
    in_flight: Option<(u64, usize, bool, u64)>,
}

/// The load.
pub struct Mixed {
    plan: MixedPlan,
    first: u32,
    devices: Vec<Device>,
    prefix: String,
    tally: Tally,
    turn: u64,
    reconnected: u64,
    next_send: u64,
    next_other: u64,
    gathering: VecDeque<(u64, u32, usize)>,
}

impl Mixed {
    /// A load over `count` connections, the first of which has this number among those of all generators.
    pub fn new(plan: MixedPlan, first: u32, count: u32) -> Self {
        let id = Uuid::now_v7().to_string();
        Self {
            plan,
            first,
            devices: (0..count).map(|_| Device::default()).collect(),
            prefix: id[..24].to_owned(),
            tally: Tally::default(),
            turn: 0,
            reconnected: 0,
            next_send: FIRST_SEND,
            next_other: 10,
            gathering: VecDeque::new(),
        }
    }

    /// A number for choices, the same in every run.
    fn choice(&self) -> u64 {
        self.turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
    }

    /// One act of a device that has none under way.
    fn act_once(&mut self, lines: &mut Lines, intended: u64) {
        let line = Tally::line(self.turn, self.devices.len());
        let choice = self.choice();
        self.turn += 1;
        let device = &self.devices[line as usize];
        if device.in_flight.is_some() || lines.stage(line) != Stage::Live {
            return self.tally.count("acts_skipped", 1);
        }
        let place = usize::from(choice / 1_000 % 1_000 < TO_GROUP);
        let copy = device.copies[place];
        match choice % 1_000 {
            part if part < EDITS && copy.own_message > 0 => {
                self.send(lines, line, place, intended, "edit", copy.own_message);
            }
            part if (EDITS..EDITS + REACTIONS).contains(&part) && copy.others_message > 0 => {
                self.send(lines, line, place, intended, "reaction", copy.others_message);
            }
            _ => {
                if choice / 7 % 1_000 < TYPING {
                    self.tell(lines, line, place, b"typing", b",\"typing\":true");
                    self.tally.count("typings", 1);
                }
                self.send(lines, line, place, intended, "message", 0);
            }
        }
    }

    fn send(
        &mut self,
        lines: &mut Lines,
        line: u32,
        place: usize,
        intended: u64,
        kind: &'static str,
        target: u64,
    ) {
        let (id, number) = (self.next_send, self.first + line);
        let device = &mut self.devices[line as usize];
        let conversation = self.plan.of_line[line as usize][place] as usize;
        let words = &self.plan.texts[id as usize % self.plan.texts.len()];
        lines.send(line, |out| {
            out.extend_from_slice(b"{\"id\":");
            text::push_number(out, id);
            out.extend_from_slice(b",\"type\":\"send\",\"body\":{\"conversation\":\"");
            out.extend_from_slice(self.plan.conversations[conversation].as_bytes());
            out.extend_from_slice(b"\",\"client_id\":\"");
            out.extend_from_slice(self.prefix.as_bytes());
            text::push_hexadecimal(out, u64::from(number), 5);
            text::push_hexadecimal(out, u64::from(device.sent), 7);
            out.extend_from_slice(b"\",\"base\":");
            text::push_number(out, device.copies[place].head);
            out.extend_from_slice(b",\"kind\":\"");
            out.extend_from_slice(kind.as_bytes());
            if target > 0 {
                out.extend_from_slice(b"\",\"target\":");
                text::push_number(out, target);
                out.extend_from_slice(b",\"body\":");
            } else {
                out.extend_from_slice(b"\",\"body\":");
            }
            if kind == "reaction" {
                out.extend_from_slice("{\"emoji\":\"👍\"}".as_bytes());
            } else {
                out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"");
                text::push_text(out, Stamp { at: intended, line: number }, text::STAMPED);
                out.extend_from_slice(words.as_bytes());
                out.extend_from_slice(b"\"}");
            }
            out.extend_from_slice(b"}}");
        });
        device.sent += 1;
        device.in_flight = Some((id, place, kind == "message", intended));
        self.next_send += 1;
        self.tally.sent();
        let name = match kind {
            "edit" => "edits",
            "reaction" => "reactions",
            _ => "messages",
        };
        self.tally.count(name, 1);
    }

    /// A request that is not waited for.
    fn tell(&mut self, lines: &mut Lines, line: u32, place: usize, kind: &[u8], rest: &[u8]) {
        let id = self.next_other;
        self.next_other = 10 + (self.next_other - 9) % 1_000_000;
        let conversation = self.plan.of_line[line as usize][place] as usize;
        lines.send(line, |out| {
            out.extend_from_slice(b"{\"id\":");
            text::push_number(out, id);
            out.extend_from_slice(b",\"type\":\"");
            out.extend_from_slice(kind);
            out.extend_from_slice(b"\",\"body\":{\"conversation\":\"");
            out.extend_from_slice(self.plan.conversations[conversation].as_bytes());
            out.push(b'"');
            out.extend_from_slice(rest);
            out.extend_from_slice(b"}}");
        });
    }

    fn mark(&mut self, lines: &mut Lines, line: u32, place: usize) {
        let copy = &mut self.devices[line as usize].copies[place];
        copy.is_gathering = false;
        copy.marked = copy.head;
        let head = copy.head;
        let read = if line.is_multiple_of(LOOKING) { format!(",\"read\":{head}") } else { String::new() };
        let rest = format!(",\"delivered\":{head}{read}");
        self.tell(lines, line, place, b"mark", rest.as_bytes());
        self.tally.count("marks", 1);
    }

    fn take_reply(&mut self, lines: &mut Lines, line: u32, reply: &[u8], id: u64, is_ok: bool) {
        if !is_ok {
            lines.count(&text::error_code(reply));
        }
        let device = &mut self.devices[line as usize];
        let Some((_, place, is_message, intended)) = device.in_flight.take_if(|(sent, ..)| *sent == id)
        else {
            return;
        };
        self.tally.settled(1);
        if is_ok {
            let seq = text::first_number(reply, b"\"seq\":").unwrap_or(0);
            let copy = &mut device.copies[place];
            copy.head = copy.head.max(seq);
            if is_message {
                copy.own_message = seq;
            }
            self.tally.acknowledged(intended);
        }
    }

    fn take_event(&mut self, line: u32, event: &[u8]) {
        if !event.starts_with(b"{\"event\":\"entries\"") {
            return self.tally.count("other_events", 1);
        }
        let id = text::word(event, b"\"conversation\":\"");
        let of_line = self.plan.of_line[line as usize];
        let is_it = |place: &usize| Some(self.plan.conversations[of_line[*place] as usize].as_bytes()) == id;
        let Some(place) = (0..2).find(is_it) else { return };
        let head = text::last_number(event, b"\"seq\":").unwrap_or(0);
        let number = self.first + line;
        let mut rest = event;
        while let Some((stamp, after)) = text::next_stamp(rest) {
            rest = after;
            if stamp.line != number {
                self.tally.delivered(stamp.at);
            }
        }
        let copy = &mut self.devices[line as usize].copies[place];
        copy.head = copy.head.max(head);
        let is_message = memchr::memmem::find(event, b"\"kind\":\"message\"").is_some();
        if is_message && rest.len() < event.len() {
            copy.others_message = head;
        }
        if !copy.is_gathering && copy.head > copy.marked {
            copy.is_gathering = true;
            self.gathering.push_back((self.tally.now + GATHER, line, place));
        }
    }
}

impl Work for Mixed {
    fn greeted(&mut self, _lines: &mut Lines, line: u32, welcome: &[u8], _now: u64) {
        self.tally.count("greetings", 1);
        self.tally.count("greeting_bytes", welcome.len() as u64);
        // Rows name their conversation before their head.
        let of_line = self.plan.of_line[line as usize];
        for (place, conversation) in of_line.into_iter().enumerate() {
            let id = self.plan.conversations[conversation as usize].as_bytes();
            let row = memchr::memmem::find(welcome, id).map(|at| &welcome[at..]);
            let head = row.and_then(|row| text::first_number(row, b"\"head\":")).unwrap_or(0);
            let copy = &mut self.devices[line as usize].copies[place];
            copy.head = copy.head.max(head);
        }
    }

    fn heard(&mut self, lines: &mut Lines, line: u32, heard: &[u8], now: u64) {
        self.tally.hear(now);
        match text::reply_id(heard) {
            Some((id, is_ok)) => self.take_reply(lines, line, heard, id, is_ok),
            None => self.take_event(line, heard),
        }
    }

    fn broken(&mut self, _lines: &mut Lines, line: u32) {
        let lost = self.devices[line as usize].in_flight.take();
        self.tally.settled(usize::from(lost.is_some()));
    }

    fn begin(&mut self, _lines: &mut Lines, schedule: Schedule) {
        self.tally.begin(schedule);
    }

    fn act(&mut self, lines: &mut Lines, now: u64) -> Option<u64> {
        self.tally.now = now;
        while let Some(due) = self.tally.due(self.turn, self.plan.rate).filter(|due| *due <= now) {
            self.act_once(lines, due);
        }
        while self.tally.due(self.reconnected, self.plan.reconnects).is_some_and(|due| due <= now) {
            let line = Tally::line(self.reconnected, self.devices.len());
            self.reconnected += 1;
            if self.devices[line as usize].in_flight.is_none() && lines.stage(line) == Stage::Live {
                lines.reconnect(line);
                self.tally.count("reconnects", 1);
            }
        }
        while let Some((_, line, place)) = self.gathering.pop_front_if(|(until, ..)| *until <= now) {
            self.mark(lines, line, place);
        }
        let receipts = self.gathering.front().map(|(until, ..)| *until);
        let look = self.tally.look();
        let next = [
            self.tally.due(self.turn, self.plan.rate),
            self.tally.due(self.reconnected, self.plan.reconnects),
        ];
        next.into_iter().chain([receipts, Some(look)]).flatten().min()
    }

    fn is_done(&self, now: u64) -> bool {
        self.tally.is_done(now)
    }

    fn outcome(&mut self) -> Outcome {
        self.tally.outcome()
    }
}
