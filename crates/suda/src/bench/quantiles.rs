//! Times that were measured, added up over processes.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The shortest time that is told apart, in nanoseconds.
const SHORTEST: u64 = 1_000;
/// The longest one: two minutes.
const LONGEST: u64 = 120_000_000_000;
/// Digits that are kept of each time.
const DIGITS: u8 = 3;

/// Times of one kind.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

/// Times as they travel from process to process: nanoseconds, and how often they were seen.
pub type Counted = Vec<(u64, u64)>;

/// Three quantiles and the longest, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// 99 of 100 were at most this.
    pub p99: f64,
    /// 999 of 1,000 were at most this.
    pub p999: f64,
    /// All were at most this.
    pub max: f64,
}

impl Default for Times {
    fn default() -> Self {
        let times = Histogram::new_with_bounds(SHORTEST, LONGEST, DIGITS);
        Self(times.expect("the bounds are constant and valid"))
    }
}

impl Times {
    /// One more time, in nanoseconds.
    pub fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record(nanoseconds);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// All of them, for another process.
    pub fn counted(&self) -> Counted {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
    }

    /// Those of another process as well.
    pub fn add(&mut self, counted: &Counted) {
        for (value, count) in counted {
            self.0.saturating_record_n(*value, *count);
        }
    }

    /// Their quantiles; `None` where there are no times.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e6;
        let max = self.0.max() as f64 / 1e6;
        (self.count() > 0).then(|| Quantiles { p50: at(0.5), p99: at(0.99), p999: at(0.999), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_processes_measured_is_one_distribution() {
        let (mut low, mut high) = (Times::default(), Times::default());
        (1..=500).for_each(|time| low.record(time * 1_000_000));
        (501..=1_000).for_each(|time| high.record(time * 1_000_000));
        let mut all = Times::default();
        assert_eq!(all.quantiles(), None);
        all.add(&low.counted());
        all.add(&high.counted());
        assert_eq!(all.count(), 1_000);
        let quantiles = all.quantiles().expect("there are times");
        for (found, expected) in [
            (quantiles.p50, 500.0),
            (quantiles.p99, 990.0),
            (quantiles.p999, 999.0),
            (quantiles.max, 1_000.0),
        ] {
            assert!((found / expected - 1.0f64).abs() < 0.002, "{found} is not {expected}");
        }
    }
}
