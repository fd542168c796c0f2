//! Which nodes are live, concluded from heartbeats alone, so that all who hear the same conclude the same.
//!
//! A node is dead when it missed three heartbeats or said goodbye. A node that does not hear the bus any more, or that
//! stood still itself, is *isolated*: it may have missed that sessions were revoked, and must deliver nothing until it
//! hears the bus again and has then checked its sessions where they are stored.
//!
//! The bus brings a node's own heartbeats back to it. That proves that the bus is there even if nobody else is, and that
//! the others hear this node: only then do they wait for it when something is revoked. A node whose heartbeats do not come
//! back is isolated before the others declare it dead, since it counts from when it sent them and the others from when
//! they heard them. So whoever is not live delivers nothing. Where a bus does not bring them back, its adapter calls
//! [`Liveness::bus_heard`] on other evidence.

mod rank;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use super::heartbeat::{BEAT_MS, Heartbeat, Profile, Roles, Sent, Stage};
use crate::placement::{LiveSet, NodeId};
use crate::presence::Now;

pub use rank::Gateway;

/// How long a node may be silent: three heartbeats, and time for the way.
pub const DEAD_MS: u64 = 3 * BEAT_MS + 200;

/// How old the newest heartbeat that came back may be, and how long this node may stand still, before it is isolated.
pub const ISOLATED_MS: u64 = 3 * BEAT_MS;

/// How far a clock may be off the others for numbering entries.
pub const CLOCK_OFF_MS: u64 = 1_000;

/// How near it must come before it is good again.
const CLOCK_GOOD_MS: u64 = 750;

/// How long a dead node is remembered, so that late heartbeats do not bring it back.
const REMEMBERED_MS: u64 = 60_000;

/// How many of its own heartbeats a node waits for.
const AWAITED_MAX: usize = 8;

/// Most nodes; heartbeats of others are not heard.
pub const NODES_MAX: usize = 4_096;

/// The live nodes, by what they may be chosen for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// All of them, draining ones included: whoever must hear something.
    pub nodes: LiveSet,
    /// Those that host conversations.
    pub hosts: LiveSet,
    /// Those that keep who is online.
    pub presence: LiveSet,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These are live now.
    Changed(Live),
    /// A node is live that was not.
    Joined(NodeId),
    /// A node is live no more.
    Gone(NodeId),
    /// A node was started anew, faster than it could be missed.
    Restarted(NodeId),
    /// This node is cut off or stood still: it delivers nothing from now on.
    Isolated,
    /// The bus is heard again: it is time to check the sessions, and then to say [`Liveness::checked`].
    Restored,
    /// A later start of this same node is running elsewhere: this one must end.
    Superseded,
}

/// One node's view of all nodes.
#[derive(Debug)]
pub struct Liveness {
    node: NodeId,
    incarnation: u64,
    number: u64,
    known: BTreeMap<NodeId, Known>,
    live: Live,
    may_host: bool,
    isolation: Isolation,
    /// When the newest heartbeat was sent that came back.
    proved_at: u64,
    /// The newest heartbeats by number, and when they were sent.
    awaited: VecDeque<(u64, u64)>,
    turned: Now,
    is_superseded: bool,
}

#[derive(Debug)]
struct Known {
    beat: Heartbeat,
    heard_at: u64,
    is_live: bool,
    /// What its clock shows at the zero of this node's steady clock.
    clock_zero: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isolation {
    None,
    /// The bus has brought back no heartbeat after this number.
    Silent {
        after: u64,
    },
    /// It is heard again since then, but nothing was checked.
    Restored {
        at_ms: u64,
    },
}

impl Liveness {
    /// Knows nobody; the node itself is live with its first heartbeat.
    pub fn new(node: NodeId, incarnation: u64, now: Now) -> Self {
        Self {
            node,
            incarnation,
            number: 0,
            known: BTreeMap::new(),
            live: Live::default(),
            may_host: true,
            isolation: Isolation::None,
            proved_at: now.at_ms,
            awaited: VecDeque::new(),
            turned: now,
            is_superseded: false,
        }
    }

    /// This node's next heartbeat, to be sent to all every [`BEAT_MS`], and once more when it leaves.
    pub fn beat(&mut self, profile: Profile, now: Now, events: &mut Vec<Event>) -> Heartbeat {
        self.wake(now, events);
        self.judge_clock(now);
        self.number += 1;
        self.awaited.truncate(AWAITED_MAX - 1);
        self.awaited.push_front((self.number, now.at_ms));
        let beat = Heartbeat {
            node: self.node,
            incarnation: self.incarnation,
            number: self.number,
            clock_ms: now.clock_ms,
            may_host: self.may_host,
            profile,
            sent: Sent::default(),
        };
        self.note(&beat, now, events);
        beat
    }

    /// A heartbeat came, perhaps late, repeated, or this node's own.
    pub fn heard(&mut self, beat: &Heartbeat, now: Now, events: &mut Vec<Event>) {
        self.wake(now, events);
        if beat.node != self.node {
            self.note(beat, now, events);
        } else if beat.incarnation == self.incarnation {
            self.came_back(beat.number, now, events);
        } else if beat.incarnation > self.incarnation && !self.is_superseded {
            self.is_superseded = true;
            events.push(Event::Superseded);
        }
    }

    /// There is evidence that what others send arrives here, and that what this node sends reaches them.
    pub fn bus_heard(&mut self, now: Now, events: &mut Vec<Event>) {
        self.proved_at = now.at_ms;
        self.restore(now, events);
    }

    /// What time has come; to be called at least every few hundred milliseconds, and before anything is delivered.
    pub fn turn(&mut self, now: Now, events: &mut Vec<Event>) {
        self.wake(now, events);
        let is_silent = self.proved_at.saturating_add(ISOLATED_MS) <= now.at_ms;
        let is_new = !matches!(self.isolation, Isolation::Silent { .. });
        if is_silent && is_new && self.has_others() {
            self.isolate(events);
        }
        for (node, known) in &mut self.known {
            let is_silent = known.heard_at.saturating_add(DEAD_MS) <= now.at_ms;
            if known.is_live && is_silent && *node != self.node {
                known.is_live = false;
                events.push(Event::Gone(*node));
            }
        }
        let remembers = |known: &Known| known.heard_at.saturating_add(REMEMBERED_MS) > now.at_ms;
        self.known.retain(|_, known| known.is_live || remembers(known));
        self.judge_clock(now);
        self.conclude(events);
    }

    /// All sessions were checked where they are stored, not before `since_ms` by the steady clock. Says whether the node
    /// may deliver again; if not, the bus was silent meanwhile, and [`Event::Restored`] will come.
    pub fn checked(&mut self, since_ms: u64) -> bool {
        if let Isolation::Restored { at_ms } = self.isolation
            && at_ms <= since_ms
        {
            self.isolation = Isolation::None;
        }
        !self.is_isolated()
    }

    /// Whether this node must deliver nothing for now.
    pub fn is_isolated(&self) -> bool {
        self.isolation != Isolation::None
    }

    /// Whether this node's clock is good enough for numbering entries. Others learn it with the next heartbeat.
    pub const fn may_host(&self) -> bool {
        self.may_host
    }

    /// The live nodes.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// Whether others may be there, heard or not: those that are believed dead are remembered for a while.
    fn has_others(&self) -> bool {
        let has_left = |known: &Known| known.beat.profile.stage == Stage::Leaving;
        self.known.iter().any(|(node, known)| *node != self.node && !has_left(known))
    }

    /// Notices that this node stood still: by the steady clock, or by the other where the steady one stood still with it.
    /// Nobody is to be declared dead for what this node slept through.
    fn wake(&mut self, now: Now, events: &mut Vec<Event>) {
        let slept = now.at_ms.saturating_sub(self.turned.at_ms);
        let clock_slept = now.clock_ms.saturating_sub(self.turned.clock_ms);
        self.turned = now;
        if slept.max(clock_slept) < ISOLATED_MS {
            return;
        }
        for known in self.known.values_mut().filter(|known| known.is_live) {
            known.heard_at = now.at_ms;
        }
        self.isolate(events);
    }

    /// The bus brought one of this node's own heartbeats.
    fn came_back(&mut self, number: u64, now: Now, events: &mut Vec<Event>) {
        let sent_at = self.awaited.iter().find(|awaited| awaited.0 == number).map(|awaited| awaited.1);
        self.proved_at = self.proved_at.max(sent_at.unwrap_or(0));
        // One from before may have been on its way while this node stood still.
        if sent_at.is_some() && matches!(self.isolation, Isolation::Silent { after } if number > after) {
            self.restore(now, events);
        }
    }

    fn restore(&mut self, now: Now, events: &mut Vec<Event>) {
        if matches!(self.isolation, Isolation::Silent { .. }) {
            self.isolation = Isolation::Restored { at_ms: now.at_ms };
            events.push(Event::Restored);
        }
    }

    fn isolate(&mut self, events: &mut Vec<Event>) {
        if self.isolation == Isolation::None {
            events.push(Event::Isolated);
        }
        self.isolation = Isolation::Silent { after: self.number };
    }

    fn note(&mut self, beat: &Heartbeat, now: Now, events: &mut Vec<Event>) {
        let node = beat.node;
        let known = self.known.get(&node);
        if known.is_none() && self.known.len() >= NODES_MAX
            || known.is_some_and(|known| !known.is_before(beat))
        {
            return;
        }
        let was_live = known.is_some_and(|known| known.is_live);
        let is_same = known.is_some_and(|known| known.beat.incarnation == beat.incarnation);
        let is_live = beat.profile.stage != Stage::Leaving;
        let beat = Heartbeat { sent: Sent::default(), ..beat.clone() };
        let clock_zero = clock_zero(beat.clock_ms, now.at_ms);
        self.known.insert(node, Known { beat, heard_at: now.at_ms, is_live, clock_zero });
        match (was_live, is_live) {
            (false, true) => events.push(Event::Joined(node)),
            (true, false) => events.push(Event::Gone(node)),
            (true, true) if !is_same => events.push(Event::Restarted(node)),
            _ => {}
        }
        self.conclude(events);
    }

    /// Compares this node's clock with the median of all. Of two, the earlier one is right: one of them must be.
    fn judge_clock(&mut self, now: Now) {
        let own = clock_zero(now.clock_ms, now.at_ms);
        let others = self.known.iter().filter(|(node, known)| known.is_live && **node != self.node);
        let mut zeros: Vec<i64> = others.map(|(_, known)| known.clock_zero).chain([own]).collect();
        let middle = (zeros.len() - 1) / 2;
        let (_, median, _) = zeros.select_nth_unstable(middle);
        let limit = if self.may_host { CLOCK_OFF_MS } else { CLOCK_GOOD_MS };
        self.may_host = own.abs_diff(*median) <= limit;
    }

    fn conclude(&mut self, events: &mut Vec<Event>) {
        let live = || self.known.values().filter(|known| known.is_live).map(|known| &known.beat);
        let hosts = |beat: &&Heartbeat| beat.may_host && beat.profile.roles.contains(Roles::HOST);
        let presence = |beat: &&Heartbeat| beat.profile.roles.contains(Roles::PRESENCE);
        let live = Live {
            nodes: LiveSet::new(live().map(|beat| beat.node)),
            hosts: chosen(live().filter(hosts)),
            presence: chosen(live().filter(presence)),
        };
        if live != self.live {
            self.live = live.clone();
            events.push(Event::Changed(live));
        }
    }
}

impl Known {
    /// Whether the heartbeat says something new. A goodbye is the last word of an incarnation.
    fn is_before(&self, beat: &Heartbeat) -> bool {
        let has_left = self.beat.profile.stage == Stage::Leaving && self.beat.incarnation == beat.incarnation;
        let place = |beat: &Heartbeat| (beat.incarnation, beat.number);
        !has_left && place(&self.beat) < place(beat)
    }
}

/// Draining nodes are left out, unless there is nobody else.
fn chosen<'a>(beats: impl Iterator<Item = &'a Heartbeat> + Clone) -> LiveSet {
    let is_serving = |beat: &&Heartbeat| beat.profile.stage == Stage::Serving;
    let serving = LiveSet::new(beats.clone().filter(is_serving).map(|beat| beat.node));
    if serving.nodes().is_empty() { LiveSet::new(beats.map(|beat| beat.node)) } else { serving }
}

fn clock_zero(clock_ms: u64, at_ms: u64) -> i64 {
    // Clocks that no calendar shows count as the end of time.
    clock_ms.min(1 << 60) as i64 - at_ms.min(1 << 60) as i64
}
