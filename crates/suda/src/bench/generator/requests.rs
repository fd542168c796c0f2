//! Requests in a closed loop, so many at once: logins, windows of the list, pages of history.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::poll::SECOND;
use super::super::quantiles::Times;
use super::engine::Work;
use super::lines::Lines;
use super::text;
use super::{Outcome, Schedule};

/// The id of the first request.
const FIRST_ID: u64 = 10;
/// After the end, answers are waited for so long.
const PATIENCE: u64 = 15 * SECOND;
/// How often it is looked whether all have come.
const LOOK: u64 = SECOND / 50;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct RequestsPlan {
    /// How many are under way at once.
    pub at_once: u32,
    /// What.
    pub ask: Ask,
}

/// One kind of request.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Connect anew and be greeted.
    Login,
    /// The newest rows of the list.
    Window {
        /// How many.
        limit: u32,
    },
    /// Pages of history.
    Pages(PagesPlan),
}

/// Which pages are asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct PagesPlan {
    /// The conversations, the most popular first.
    pub conversations: Vec<ReadConversation>,
    /// How much more popular the first ones are: 0 for not at all, 1 for as often as their rank says.
    pub exponent: f64,
    /// Entries of a page.
    pub limit: u32,
}

/// A conversation that is read.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadConversation {
    /// Its id.
    pub id: String,
    /// The connection of a member.
    pub line: u32,
    /// How many entries it has.
    pub entries: u64,
}

/// The load.
pub struct Requests {
    plan: RequestsPlan,
    schedule: Schedule,
    has_begun: bool,
    /// Connections that ask nothing, whoever waited longest in front; pages do not look at it.
    free: VecDeque<u32>,
    next_id: u64,
    /// For each connection the request under way: its id, and when it began.
    under_way: Vec<Option<(u64, u64)>>,
    outstanding: u32,
    now: u64,
    ranks: Ranks,
    outcome: Outcome,
    answering: Times,
    bytes: u64,
    largest: u64,
}

impl Requests {
    /// A load over `count` connections.
    pub fn new(plan: RequestsPlan, first: u32, count: u32) -> Self {
        let ranks = match &plan.ask {
            Ask::Pages(pages) => Ranks::new(pages.conversations.len(), pages.exponent, first),
            Ask::Login | Ask::Window { .. } => Ranks::new(1, 0.0, first),
        };
        Self {
            plan,
            schedule: Schedule::default(),
            has_begun: false,
            free: (0..count).collect(),
            next_id: FIRST_ID,
            under_way: vec![None; count as usize],
            outstanding: 0,
            now: 0,
            ranks,
            outcome: Outcome::default(),
            answering: Times::default(),
            bytes: 0,
            largest: 0,
        }
    }

    /// Begins the next request.
    fn ask(&mut self, lines: &mut Lines) {
        let (id, now) = (self.next_id, self.now);
        self.next_id += 1;
        let line = match &self.plan.ask {
            Ask::Login => {
                let Some(line) = self.free.pop_front() else { return };
                lines.reconnect(line);
                line
            }
            Ask::Window { limit } => {
                let limit = *limit;
                let Some(line) = self.free.pop_front() else { return };
                lines.send(line, |out| {
                    out.extend_from_slice(b"{\"id\":");
                    text::push_number(out, id);
                    out.extend_from_slice(b",\"type\":\"window\",\"body\":{\"limit\":");
                    text::push_number(out, u64::from(limit));
                    out.extend_from_slice(b"}}");
                });
                line
            }
            Ask::Pages(pages) => {
                let (rank, random) = self.ranks.next();
                let conversation = &pages.conversations[rank];
                lines.send(conversation.line, |out| page_request(out, id, conversation, pages.limit, random));
                conversation.line
            }
        };
        // A connection may have several pages under way; their times are kept by the last.
        self.under_way[line as usize] = Some((id, now));
        self.outstanding += 1;
        self.outcome.all_sent += 1;
    }

    fn answered(&mut self, lines: &mut Lines, line: u32, id: Option<u64>, bytes: usize) {
        self.outstanding -= 1;
        self.outcome.all_acknowledged += 1;
        if self.schedule.measures(self.now) {
            self.outcome.acknowledged += 1;
            self.bytes += bytes as u64;
            self.largest = self.largest.max(bytes as u64);
            let begun = self.under_way[line as usize].filter(|(begun, _)| id.is_none_or(|id| id == *begun));
            if let Some((_, begun)) = begun {
                self.answering.record(self.now.saturating_sub(begun));
            }
        }
        if !matches!(self.plan.ask, Ask::Pages(_)) {
            self.free.push_back(line);
        }
        if self.now < self.schedule.end {
            self.ask(lines);
        }
    }
}

/// Every other page is the newest one, the others begin anywhere.
fn page_request(out: &mut Vec<u8>, id: u64, conversation: &ReadConversation, limit: u32, random: u64) {
    out.extend_from_slice(b"{\"id\":");
    text::push_number(out, id);
    out.extend_from_slice(b",\"type\":\"history\",\"body\":{\"conversation\":\"");
    out.extend_from_slice(conversation.id.as_bytes());
    out.extend_from_slice(b"\",\"range\":");
    let last = conversation.entries.saturating_sub(u64::from(limit));
    if random & 1 == 0 || last == 0 {
        out.extend_from_slice(b"{\"newest\":{\"limit\":");
    } else {
        out.extend_from_slice(b"{\"before\":{\"before\":");
        text::push_number(out, u64::from(limit) + 1 + (random >> 1) % last);
        out.extend_from_slice(b",\"limit\":");
    }
    text::push_number(out, u64::from(limit));
    out.extend_from_slice(b"}}}}");
}

impl Work for Requests {
    fn greeted(&mut self, lines: &mut Lines, line: u32, welcome: &[u8], now: u64) {
        self.now = now;
        if self.has_begun && matches!(self.plan.ask, Ask::Login) {
            self.answered(lines, line, None, welcome.len());
        }
    }

    fn heard(&mut self, lines: &mut Lines, line: u32, heard: &[u8], now: u64) {
        self.now = now;
        let Some((id, is_ok)) = text::reply_id(heard) else { return };
        if !is_ok {
            lines.count(&text::error_code(heard));
        }
        self.answered(lines, line, Some(id), heard.len());
    }

    fn begin(&mut self, _lines: &mut Lines, schedule: Schedule) {
        self.schedule = schedule;
    }

    fn act(&mut self, lines: &mut Lines, now: u64) -> Option<u64> {
        self.now = now;
        if now < self.schedule.start {
            return Some(self.schedule.start);
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            (0..self.plan.at_once.max(1)).for_each(|_| self.ask(lines));
        }
        Some(if now < self.schedule.end { self.schedule.end } else { now + LOOK })
    }

    fn is_done(&self, now: u64) -> bool {
        now >= self.schedule.end && (self.outstanding == 0 || now >= self.schedule.end + PATIENCE)
    }

    fn outcome(&mut self) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.acknowledging = self.answering.counted();
        outcome.counts.insert("reply_bytes".to_owned(), self.bytes);
        outcome.counts.insert("largest_reply_bytes".to_owned(), self.largest);
        if self.outstanding > 0 {
            outcome.errors.insert("unanswered".to_owned(), u64::from(self.outstanding));
        }
        outcome
    }
}

/// Draws ranks by popularity (Zipf): rank `r`, from 1, as often as `1 / r ^ exponent`.
struct Ranks {
    cumulative: Vec<f64>,
    state: u64,
}

impl Ranks {
    fn new(count: usize, exponent: f64, seed: u32) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count).map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        });
        Self { cumulative: weights.collect(), state: u64::from(seed).wrapping_mul(2) | 0x9e37_79b9_0000_0001 }
    }

    /// A rank from 0, and a random number for whatever else is to be chosen.
    fn next(&mut self) -> (usize, u64) {
        let total = self.cumulative.last().copied().unwrap_or(1.0);
        let share = (self.random() >> 11) as f64 / (1u64 << 53) as f64;
        let rank = self.cumulative.partition_point(|sum| *sum <= share * total);
        (rank.min(self.cumulative.len() - 1), self.random())
    }

    /// Marsaglia's xorshift with a multiplication: even enough, and no lock.
    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_the_most_popular() {
        let mut ranks = Ranks::new(100, 1.0, 7);
        let mut drawn = [0u32; 100];
        (0..100_000).for_each(|_| drawn[ranks.next().0] += 1);
        // The sum of 1/r up to 100 is 5.187.
        assert!((18_000..20_600).contains(&drawn[0]), "{}", drawn[0]);
        assert!((100..300).contains(&drawn[99]), "{}", drawn[99]);
        let mut even = Ranks::new(10, 0.0, 7);
        let mut drawn = [0u32; 10];
        (0..10_000).for_each(|_| drawn[even.next().0] += 1);
        assert!(drawn.iter().all(|count| (850..1_150).contains(count)), "{drawn:?}");
    }

    #[test]
    fn pages_lie_within_the_conversation() {
        let conversation = ReadConversation { id: "c".to_owned(), line: 0, entries: 60 };
        for random in 0..200 {
            let mut out = Vec::new();
            page_request(&mut out, 10, &conversation, 50, random);
            let request: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
            let range = &request["body"]["range"];
            let before = range["before"]["before"].as_u64();
            assert!(before.is_none_or(|before| (51..=60).contains(&before)), "{request}");
            assert!(before.is_some() || range["newest"]["limit"] == 50, "{request}");
        }
    }
}
