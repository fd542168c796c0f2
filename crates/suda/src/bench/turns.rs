//! Rounds: the server's and, where it is asked for, the bare relay's in turn (A B A B).

use std::collections::BTreeMap;

use super::error::BenchError;
use super::report::Report;
use super::round::{Length, Round};

/// How often is measured, and beside what.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Turns {
    /// Also run the bare relay, in turn with the server, and tell the ratio
    #[arg(long)]
    pub bare: bool,
    /// Rounds of the server, and of the bare relay; medians are told
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u32,
}

/// Whose round it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server's.
    Server,
    /// The bare relay's.
    Bare,
}

impl Turns {
    /// Runs every round by `run`, which is told whose it is and what to call it, and keeps what it came to.
    ///
    /// # Errors
    /// What kept a round from its end.
    pub async fn take(
        &self,
        report: &mut Report,
        mut run: impl AsyncFnMut(Side, &str) -> Result<Round, BenchError>,
    ) -> Result<(), BenchError> {
        let rounds = self.rounds.max(1);
        for round in 1..=rounds {
            let one = run(Side::Server, &format!("server, round {round} of {rounds}")).await?;
            add(&mut report.errors, one.errors);
            report.server.push(one.figures);
            if self.bare {
                let one = run(Side::Bare, &format!("bare relay, round {round} of {rounds}")).await?;
                add(&mut report.bare_errors, one.errors);
                report.bare.push(one.figures);
            }
        }
        Ok(())
    }
}

impl Round {
    /// Its counts as figures a second of the whole load.
    #[must_use]
    pub fn with_rates(mut self, length: Length) -> Self {
        let seconds = (length.warm_up + length.measured).as_secs_f64();
        let rates = std::mem::take(&mut self.counts).into_iter();
        self.figures
            .more
            .extend(rates.map(|(name, count)| (format!("{name}_per_s"), count as f64 / seconds)));
        self
    }
}

/// Adds counts up by name.
pub fn add(into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (name, count) in from {
        *into.entry(name).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Figures;

    #[tokio::test]
    async fn rounds_alternate() {
        let turns = Turns { bare: true, rounds: 2 };
        let mut report = Report::default();
        let mut order = Vec::new();
        let run = async |side, _: &str| {
            order.push(side);
            let errors = BTreeMap::from([("late".to_owned(), 1)]);
            Ok(Round { figures: Figures::default(), errors, counts: BTreeMap::new() })
        };
        turns.take(&mut report, run).await.expect("every round ends");
        assert_eq!(order, [Side::Server, Side::Bare, Side::Server, Side::Bare]);
        assert_eq!((report.server.len(), report.bare.len()), (2, 2));
        assert_eq!((report.errors["late"], report.bare_errors["late"]), (2, 2));
    }
}
