//! What is done in each phase, and when: all of it is known when the phase begins.

use serde::{Deserialize, Serialize};

use super::super::super::poll::SECOND;
use super::super::Schedule;
use super::PresencePlan;

/// Requests to watch are spread, so that the server does little else than answer them.
const WATCHES_PER_SECOND: u64 = 4_000;
/// Between a device's last sign of life and the loss of its connection.
const AFTER_SIGN: u64 = SECOND / 10;
/// The shortest interruption.
const SHORTEST: u64 = SECOND;
/// Before whoever is away comes back, so that nothing else is told at that time.
const REST: u64 = 3 * SECOND;
/// How many come back each second.
const RESTORED_PER_SECOND: u64 = 2_000;

/// A phase: what is measured apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// This part of so many parts of the crowd begins to watch.
    Watch(u32, u32),
    /// Nothing happens.
    Quiet,
    /// So many a second leave the foreground or come back to it.
    Churn(f64),
    /// Those who will die connect.
    ArriveToDie,
    /// Visitors connect.
    Arrive,
    /// Visitors close their connections.
    Close,
    /// Visitors log out.
    LogOut,
    /// So many lose their connections, and are back within so many nanoseconds.
    Blink(u32, u64),
    /// Those who will die fall silent for good.
    Die,
    /// Those who chat write so many messages a second to each other.
    Chat(f64),
    /// The same, and whoever does not stay loses its connection at once and is back within so many nanoseconds.
    Storm(f64, u64),
}

impl Phase {
    /// What of it one generator does, of this share of the crowd.
    pub fn shared(self, share: f64) -> Self {
        match self {
            Self::Churn(rate) => Self::Churn(rate * share),
            Self::Blink(count, longest) => Self::Blink((f64::from(count) * share).round() as u32, longest),
            other => other,
        }
    }
}

/// Something that one connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// It asks to watch.
    Watch(u32),
    /// It leaves the foreground or comes back.
    Toggle(u32),
    /// It comes back to the foreground if it is not there.
    Restore(u32),
    /// It gives a sign of life.
    Sign(u32),
    /// It is reset.
    Reset(u32),
    /// It ends without a word.
    Drop(u32),
    /// It is made again.
    Return(u32),
    /// It is made for the first time.
    Arrive(u32),
    /// It is closed properly.
    Close(u32),
    /// Its device logs out.
    LogOut(u32),
    /// It gives a last sign of life and falls silent.
    Die(u32),
}

/// What is done when, in order of time.
pub fn script(phase: Phase, plan: &PresencePlan, schedule: Schedule) -> Vec<(u64, Act)> {
    let Schedule { start, measure, end } = schedule;
    let crowd = plan.crowd;
    let dying = crowd..crowd + plan.dying;
    let visitors = dying.end..plan.accounts.len() as u32;
    let evenly = |lines: std::ops::Range<u32>, act: fn(u32) -> Act| {
        let step = (end - start) / u64::from(lines.len() as u32).max(1);
        (0u64..).zip(lines).map(|(turn, line)| (start + turn * step, act(line))).collect()
    };
    let mut script: Vec<(u64, Act)> = match phase {
        Phase::Watch(part, parts) => {
            let border = |part: u32| (u64::from(crowd) * u64::from(part) / u64::from(parts.max(1))) as u32;
            let lines = border(part)..border(part + 1);
            let at = |turn: u64| start + turn * SECOND / WATCHES_PER_SECOND;
            (0u64..).zip(lines).map(|(turn, line)| (at(turn), Act::Watch(line))).collect()
        }
        Phase::Quiet => signs(crowd, start, measure),
        Phase::Chat(_) => Vec::new(),
        Phase::Churn(rate) => {
            let mut both = churn(crowd, rate, start, end);
            both.append(&mut signs(crowd, start, measure));
            both
        }
        Phase::ArriveToDie => evenly(dying, Act::Arrive),
        Phase::Arrive => evenly(visitors, Act::Arrive),
        Phase::Close => evenly(visitors, Act::Close),
        Phase::LogOut => evenly(visitors, Act::LogOut),
        Phase::Die => evenly(dying, Act::Die),
        Phase::Blink(count, longest) => blinks(crowd, count, longest, start, end),
        Phase::Storm(_, within) => {
            let lines = plan.staying..crowd;
            let step = within / u64::from(lines.len() as u32).max(1);
            let back = |(turn, line): (u64, u32)| (measure + turn * step, Act::Return(line));
            let gone = lines.clone().map(|line| (measure, cut(line)));
            gone.chain((1u64..).zip(lines.clone()).map(back)).collect()
        }
    };
    script.sort_unstable();
    script
}

/// Everybody gives a sign of life before it is measured, so that the server pings nobody meanwhile.
fn signs(crowd: u32, start: u64, measure: u64) -> Vec<(u64, Act)> {
    let step = (measure - start) / u64::from(crowd).max(1);
    (0..crowd).map(|line| (start + u64::from(line) * step, Act::Sign(line))).collect()
}

/// Everybody in turn, neighbours far apart: they share watchers, who would be told of both together.
fn churn(crowd: u32, rate: f64, start: u64, end: u64) -> Vec<(u64, Act)> {
    let step = SECOND as f64 / rate.max(f64::MIN_POSITIVE);
    let at = |turn: u64| start.saturating_add((turn as f64 * step) as u64);
    let mut script = Vec::new();
    for line in 0..crowd {
        let mut turn = u64::from(spread(line, crowd));
        while at(turn) < end {
            script.push((at(turn), Act::Toggle(line)));
            turn += u64::from(crowd);
        }
    }
    let restored = |line: u32| end + REST + u64::from(line) * SECOND / RESTORED_PER_SECOND;
    script.extend((0..crowd).map(|line| (restored(line), Act::Restore(line))));
    script
}

/// Each is somebody else's, after a sign of life, and takes between the shortest and the longest time.
fn blinks(crowd: u32, count: u32, longest: u64, start: u64, end: u64) -> Vec<(u64, Act)> {
    let count = count.min(crowd);
    let step = (end - start) / u64::from(count).max(1);
    let more = longest.saturating_sub(SHORTEST) / u64::from(count.saturating_sub(1)).max(1);
    let one = |turn: u32| {
        let line = spread(turn, crowd);
        let at = start + u64::from(turn) * step;
        let back = at + AFTER_SIGN + SHORTEST.min(longest) + more * u64::from(spread(turn, count));
        [(at, Act::Sign(line)), (at + AFTER_SIGN, cut(line)), (back, Act::Return(line))]
    };
    (0..count).flat_map(one).collect()
}

/// Half of the connections are reset, the others just end.
const fn cut(line: u32) -> Act {
    if line.is_multiple_of(2) { Act::Reset(line) } else { Act::Drop(line) }
}

/// A place for each of `count`, in which neighbours are far apart.
fn spread(number: u32, count: u32) -> u32 {
    let mut stride = (f64::from(count) * 0.618) as u64;
    while stride > 1 && common_divisor(stride, u64::from(count)) > 1 {
        stride -= 1;
    }
    (u64::from(number) * stride.max(1) % u64::from(count).max(1)) as u32
}

fn common_divisor(mut first: u64, mut second: u64) -> u64 {
    while second > 0 {
        (first, second) = (second, first % second);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    const SCHEDULE: Schedule = Schedule { start: SECOND, measure: 3 * SECOND, end: 13 * SECOND };

    fn plan(crowd: u32, dying: u32, visitors: u32) -> PresencePlan {
        let accounts = vec![String::new(); (crowd + dying + visitors) as usize];
        PresencePlan {
            accounts,
            crowd,
            dying,
            staying: crowd / 2,
            watchers: 1,
            timeouts: [0; 2],
            conversations: Vec::new(),
            vigil: 0,
            phases: Vec::new(),
        }
    }

    #[test]
    fn places_are_different_ones() {
        for count in [1, 2, 3, 10, 7_919, 10_000] {
            let places: BTreeSet<u32> = (0..count).map(|number| spread(number, count)).collect();
            assert_eq!(places.len(), count as usize, "{count}");
        }
    }

    #[test]
    fn nobody_changes_twice_within_two_seconds() {
        let script = script(Phase::Churn(50.0), &plan(100, 0, 0), SCHEDULE);
        let mut last: BTreeMap<u32, u64> = BTreeMap::new();
        let mut toggles = 0;
        for (at, act) in script {
            let Act::Toggle(line) = act else { continue };
            toggles += 1;
            assert!((SCHEDULE.start..SCHEDULE.end).contains(&at));
            let before = last.insert(line, at);
            assert!(before.is_none_or(|before| at - before >= 2 * SECOND - 1), "{line} at {at}");
        }
        assert_eq!(toggles, 600);
    }

    #[test]
    fn everybody_who_blinks_is_back_in_time() {
        let longest = 20 * SECOND;
        let script = script(Phase::Blink(40, longest), &plan(50, 0, 0), SCHEDULE);
        let mut gone = BTreeMap::new();
        let mut gaps = Vec::new();
        for (at, act) in script {
            match act {
                Act::Reset(line) | Act::Drop(line) => assert_eq!(gone.insert(line, at), None),
                Act::Return(line) => gaps.push(at - gone[&line]),
                _ => {}
            }
        }
        assert_eq!(gaps.len(), 40);
        let (shortest, most) = (gaps.iter().min().copied(), gaps.iter().max().copied());
        assert!(shortest.is_some_and(|gap| gap >= SECOND), "{shortest:?}");
        assert!(most.is_some_and(|gap| gap > 19 * SECOND && gap <= longest), "{most:?}");
    }

    #[test]
    fn each_phase_has_its_own_people() {
        let plan = plan(10, 2, 3);
        let lines =
            |phase| script(phase, &plan, SCHEDULE).into_iter().map(|(_, act)| act).collect::<Vec<_>>();
        assert_eq!(lines(Phase::Die), [Act::Die(10), Act::Die(11)]);
        assert_eq!(lines(Phase::LogOut), [Act::LogOut(12), Act::LogOut(13), Act::LogOut(14)]);
        let storm = lines(Phase::Storm(1.0, SECOND));
        assert_eq!(
            storm[..5],
            [6, 8].map(Act::Reset).into_iter().chain([5, 7, 9].map(Act::Drop)).collect::<Vec<_>>()[..]
        );
        assert_eq!(storm[5], Act::Return(5));
    }
}
