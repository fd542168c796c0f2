//! One round: a target, generators with their connections, a load, and what it cost.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::child::{Cores, Generator, Target};
use super::error::BenchError;
use super::generator::{Config, Load, Outcome, Schedule};
use super::poll::{SECOND, now};
use super::process::{Cost, flushes, kernel_bytes};
use super::progress::Bar;
use super::quantiles::Times;
use super::report::Figures;

/// Between the order and the beginning, so that all generators begin together.
const LEAD: Duration = Duration::from_millis(200);
/// Source addresses that each generator has for itself.
const SOURCES: u8 = 4;

/// How long a round takes.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Before anything is measured.
    pub warm_up: Duration,
    /// What is measured.
    pub measured: Duration,
}

/// What a round came to.
pub struct Round {
    /// Its figures.
    pub figures: Figures,
    /// What went wrong.
    pub errors: BTreeMap<String, u64>,
    /// The generators' further counts.
    pub counts: BTreeMap<String, u64>,
}

impl Round {
    /// Bytes of an answer, on average, where answers are counted.
    pub fn reply_bytes(&self, length: Length) -> Option<f64> {
        let answers = self.figures.messages_per_s? * length.measured.as_secs_f64();
        let bytes = *self.counts.get("reply_bytes")? as f64;
        (answers > 0.0).then(|| bytes / answers)
    }
}

/// What the generators are given to do.
pub struct Fleet {
    /// For each generator the tokens of its connections and its load.
    pub parts: Vec<(Vec<String>, Load)>,
    /// How many rows each greeting asks for.
    pub window: u32,
    /// Whether somebody is looking.
    pub foreground: bool,
    /// Where the generators run.
    pub cores: Cores,
}

/// Generators with their connections.
pub struct Connected {
    generators: Vec<Generator>,
    /// Memory of the server's process and of the kernel for each of them.
    user: Option<f64>,
    kernel: Option<f64>,
}

impl Fleet {
    /// Starts the generators and makes all connections.
    ///
    /// # Errors
    /// If not all of them can be made.
    pub async fn connect(self, target: &Target) -> Result<Connected, BenchError> {
        let mut generators = Vec::with_capacity(self.parts.len());
        let mut first = 0;
        let mut sizes = Vec::with_capacity(self.parts.len());
        for (place, (tokens, load)) in self.parts.into_iter().enumerate() {
            let count = tokens.len() as u32;
            let present = load.first_connections(count);
            let config = Config {
                address: target.address,
                tokens,
                first,
                source: (place as u8).wrapping_mul(SOURCES).max(1),
                window: self.window,
                foreground: self.foreground,
                load,
            };
            generators.push(Generator::start(&config, self.cores).await?);
            sizes.push(present);
            first += count;
        }
        let before = (Cost::of(target.pid).ok(), kernel_bytes());
        let all: u32 = sizes.iter().sum();
        let bar = Bar::counting("connecting", u64::from(all));
        for (generator, size) in generators.iter_mut().zip(sizes) {
            generator.connect(size).await?;
            bar.advance(u64::from(size));
        }
        let after = (Cost::of(target.pid).ok(), kernel_bytes());
        let each = |before: Option<u64>, after: Option<u64>| {
            Some((after? as f64 - before? as f64) / f64::from(all.max(1)))
        };
        let resident = |cost: &Option<Cost>| cost.map(|cost| cost.resident);
        Ok(Connected {
            generators,
            user: each(resident(&before.0), resident(&after.0)),
            // Both ends are here, and only one of them is the server's.
            kernel: each(before.1, after.1).map(|both| both / 2.0),
        })
    }
}

impl Connected {
    /// Has the generators do their load once, and measures. `receivers` is how many devices should receive each message;
    /// `None` where deliveries are not counted.
    ///
    /// # Errors
    /// If a process ended.
    pub async fn run(
        &mut self,
        what: &str,
        target: &Target,
        folder: &Path,
        length: Length,
        receivers: Option<u64>,
    ) -> Result<Round, BenchError> {
        let start = now() + LEAD.as_nanos() as u64;
        let measure = start + length.warm_up.as_nanos() as u64;
        let schedule = Schedule { start, measure, end: measure + length.measured.as_nanos() as u64 };
        for generator in &mut self.generators {
            generator.go(schedule).await?;
        }
        let bar = Bar::timing(what, LEAD + length.warm_up + length.measured);
        bar.wait(until(schedule.measure)).await;
        let sample = || (now(), Cost::of(target.pid), flushes(folder));
        let before = sample();
        bar.wait(until(schedule.end)).await;
        let after = sample();
        drop(bar);
        let gone = |_| BenchError::Ended("server");
        let spent = after.1.map_err(gone)?.since(before.1.map_err(gone)?);
        let seconds = (after.0 - before.0) as f64 / SECOND as f64;
        let syncs = after.2.zip(before.2).map(|(after, before)| (after - before) as f64 / seconds);
        let mut sum = Sum::default();
        for generator in &mut self.generators {
            sum.add(generator.outcome().await?);
        }
        let mut figures = sum.figures(spent, seconds, length.measured.as_secs_f64());
        figures.syncs_per_s = syncs;
        figures.bytes_per_connection_user = self.user;
        figures.bytes_per_connection_kernel = self.kernel;
        Ok(Round { figures, errors: sum.errors(receivers), counts: sum.all.counts })
    }
}

/// The outcomes of all generators together.
#[derive(Default)]
struct Sum {
    all: Outcome,
    acknowledging: Times,
    delivering: Times,
}

impl Sum {
    fn add(&mut self, one: Outcome) {
        let all = &mut self.all;
        all.acknowledged += one.acknowledged;
        all.delivered += one.delivered;
        all.all_sent += one.all_sent;
        all.all_acknowledged += one.all_acknowledged;
        all.all_delivered += one.all_delivered;
        self.acknowledging.add(&one.acknowledging);
        self.delivering.add(&one.delivering);
        for (into, from) in [(&mut all.counts, one.counts), (&mut all.errors, one.errors)] {
            for (name, count) in from {
                *into.entry(name).or_default() += count;
            }
        }
    }

    fn figures(&self, spent: Cost, seconds: f64, measured: f64) -> Figures {
        let each = |total: u64, count: u64| (count > 0).then(|| total as f64 / count as f64);
        let rate = |count: u64| Some(count as f64 / measured);
        Figures {
            server_cpu_us_per_message: each(spent.cpu_us, self.all.acknowledged),
            server_cpu_us_per_delivery: each(spent.cpu_us, self.all.delivered),
            messages_per_s: rate(self.all.acknowledged),
            deliveries_per_s: rate(self.all.delivered),
            ack_ms: self.acknowledging.quantiles(),
            delivery_ms: self.delivering.quantiles(),
            bytes_written_per_message: each(spent.written, self.all.acknowledged),
            server_cores: Some(spent.cpu_us as f64 / 1e6 / seconds),
            ..Figures::default()
        }
    }

    /// What went wrong. Every acknowledged message must have reached every receiver once.
    fn errors(&self, receivers: Option<u64>) -> BTreeMap<String, u64> {
        let mut errors = self.all.errors.clone();
        let Some(receivers) = receivers else { return errors };
        let (expected, came) = (self.all.all_acknowledged * receivers, self.all.all_delivered);
        let mut count = |name: &str, count: u64| {
            if count > 0 {
                errors.insert(name.to_owned(), count);
            }
        };
        count("deliveries lost", expected.saturating_sub(came));
        count("deliveries too many", came.saturating_sub(expected));
        count("not acknowledged", self.all.all_sent - self.all.all_acknowledged);
        errors
    }
}

fn until(at: u64) -> Duration {
    Duration::from_nanos(at.saturating_sub(now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(acknowledged: u64, delivered: u64) -> Outcome {
        let mut times = Times::default();
        times.record(2_000_000);
        Outcome {
            acknowledged,
            delivered,
            all_sent: acknowledged + 1,
            all_acknowledged: acknowledged + 1,
            all_delivered: delivered + 2,
            acknowledging: times.counted(),
            ..Outcome::default()
        }
    }

    #[test]
    fn outcomes_are_added_up_and_divided() {
        let mut sum = Sum::default();
        sum.add(outcome(100, 200));
        sum.add(outcome(300, 600));
        let spent = Cost { cpu_us: 8_000, written: 40_000, resident: 0 };
        let figures = sum.figures(spent, 2.0, 2.0);
        assert_eq!(figures.server_cpu_us_per_message, Some(20.0));
        assert_eq!(figures.server_cpu_us_per_delivery, Some(10.0));
        assert_eq!((figures.messages_per_s, figures.deliveries_per_s), (Some(200.0), Some(400.0)));
        assert_eq!(figures.bytes_written_per_message, Some(100.0));
        assert_eq!(figures.server_cores, Some(0.004));
        assert!(figures.ack_ms.is_some_and(|times| (times.p50 - 2.0).abs() < 0.01));
        assert!(sum.errors(Some(2)).is_empty());
        assert!(sum.errors(None).is_empty());
    }

    #[test]
    fn what_is_missing_or_too_much_is_an_error() {
        let mut sum = Sum::default();
        sum.add(outcome(100, 200));
        assert_eq!(sum.errors(Some(3)), BTreeMap::from([("deliveries lost".to_owned(), 101)]));
        assert_eq!(sum.errors(Some(1)), BTreeMap::from([("deliveries too many".to_owned(), 101)]));
        sum.all.all_sent += 4;
        assert_eq!(sum.errors(Some(2)), BTreeMap::from([("not acknowledged".to_owned(), 4)]));
    }
}
