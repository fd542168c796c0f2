//! When each message is due: as fast as possible, or at a multiple of the recorded time.

use std::collections::HashSet;
use std::str::FromStr;
use std::time::Duration;

use super::plan::PlannedMessage;

/// How fast to replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as the server acknowledges.
    Max,
    /// So many times faster than it was recorded.
    Times(f64),
}

/// A speed that is none.
#[derive(Debug, thiserror::Error)]
#[error("a speed is `max` or a number above 0, such as 60: a minute in a second")]
pub struct BadSpeed;

impl FromStr for Speed {
    type Err = BadSpeed;

    fn from_str(text: &str) -> Result<Self, BadSpeed> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let factor: f64 = text.parse().map_err(|_| BadSpeed)?;
        if factor.is_finite() && factor > 0.0 { Ok(Self::Times(factor)) } else { Err(BadSpeed) }
    }
}

/// The clock of a replay.
#[derive(Debug)]
pub struct Pace {
    speed: Speed,
    seconds: u64,
    last: u64,
    begun: HashSet<usize>,
}

impl Pace {
    /// A clock that stands at the beginning.
    pub fn new(speed: Speed) -> Self {
        Self { speed, seconds: 0, last: 0, begun: HashSet::new() }
    }

    /// How long after the beginning the message is due. Asked for every message, in the file's order: a new
    /// conversation and a step back in time cost nothing.
    pub fn due(&mut self, message: &PlannedMessage) -> Duration {
        if !self.begun.insert(message.conversation) {
            self.seconds = self.seconds.saturating_add(message.second.saturating_sub(self.last));
        }
        self.last = message.second;
        match self.speed {
            Speed::Max => Duration::ZERO,
            Speed::Times(factor) => {
                Duration::try_from_secs_f64(self.seconds as f64 / factor).unwrap_or(Duration::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_at(speed: Speed) -> Vec<u64> {
        let mut pace = Pace::new(speed);
        let said = [(0, 100), (0, 160), (1, 900), (1, 960), (0, 900), (1, 1020)];
        let messages = said.map(|(conversation, second)| PlannedMessage {
            conversation,
            account: 0,
            second,
            text: "hello".to_owned(),
        });
        messages.iter().map(|message| pace.due(message).as_secs()).collect()
    }

    #[test]
    fn recorded_time_runs_faster_and_never_back() {
        assert_eq!(seconds_at(Speed::Times(1.0)), [0, 60, 60, 120, 120, 240]);
        assert_eq!(seconds_at(Speed::Times(60.0)), [0, 1, 1, 2, 2, 4]);
        assert_eq!(seconds_at(Speed::Max), [0; 6]);
    }

    #[test]
    fn a_speed_is_max_or_a_factor() {
        assert_eq!("max".parse::<Speed>().expect("max"), Speed::Max);
        assert_eq!("0.5".parse::<Speed>().expect("a factor"), Speed::Times(0.5));
        for text in ["", "fast", "0", "-1", "inf", "NaN"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }
}
