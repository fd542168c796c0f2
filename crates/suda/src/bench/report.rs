//! What a bench found: figures of one round, medians over rounds, a table for people and one JSON object for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::quantiles::Quantiles;

/// What one target did in one round, or the median of several. What a scenario has no figure for is absent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// Processor time of the server for each message (or answer), all its threads, in microseconds.
    pub server_cpu_us_per_message: Option<f64>,
    /// The same for each delivery.
    pub server_cpu_us_per_delivery: Option<f64>,
    /// Messages acknowledged (or answers) a second.
    pub messages_per_s: Option<f64>,
    /// Messages received a second, by all devices together.
    pub deliveries_per_s: Option<f64>,
    /// From the intended send to the acknowledgement, in milliseconds.
    pub ack_ms: Option<Quantiles>,
    /// From the intended send to each arrival.
    pub delivery_ms: Option<Quantiles>,
    /// Resident memory of the server for each connection.
    pub bytes_per_connection_user: Option<f64>,
    /// Memory of the kernel for each connection, the server's end only: half of what both ends take here.
    pub bytes_per_connection_kernel: Option<f64>,
    /// Bytes written to disk by the server's process for each message.
    pub bytes_written_per_message: Option<f64>,
    /// Flushes of the disk a second, by whomever.
    pub syncs_per_s: Option<f64>,
    /// How much of a core the server used.
    pub server_cores: Option<f64>,
    /// Further times, by name.
    #[serde(flatten)]
    pub times: BTreeMap<String, Quantiles>,
    /// Further figures, by name.
    #[serde(flatten)]
    pub more: BTreeMap<String, f64>,
}

impl Figures {
    /// The medians of several rounds.
    pub fn median_of(rounds: &[Self]) -> Self {
        let number = |get: fn(&Self) -> Option<f64>| median(rounds.iter().filter_map(get).collect());
        let times = |get: fn(&Self) -> Option<Quantiles>| middle(rounds.iter().filter_map(get).collect());
        let names: BTreeSet<&String> = rounds.iter().flat_map(|round| round.times.keys()).collect();
        let further = names.into_iter().filter_map(|name| {
            let all = rounds.iter().filter_map(|round| round.times.get(name).copied()).collect();
            middle(all).map(|median| (name.clone(), median))
        });
        let names = rounds.iter().flat_map(|round| round.more.keys().cloned());
        let more = names.filter_map(|name| {
            let values = rounds.iter().filter_map(|round| round.more.get(&name).copied()).collect();
            median(values).map(|median| (name, median))
        });
        Self {
            server_cpu_us_per_message: number(|one| one.server_cpu_us_per_message),
            server_cpu_us_per_delivery: number(|one| one.server_cpu_us_per_delivery),
            messages_per_s: number(|one| one.messages_per_s),
            deliveries_per_s: number(|one| one.deliveries_per_s),
            ack_ms: times(|one| one.ack_ms),
            delivery_ms: times(|one| one.delivery_ms),
            bytes_per_connection_user: number(|one| one.bytes_per_connection_user),
            bytes_per_connection_kernel: number(|one| one.bytes_per_connection_kernel),
            bytes_written_per_message: number(|one| one.bytes_written_per_message),
            syncs_per_s: number(|one| one.syncs_per_s),
            server_cores: number(|one| one.server_cores),
            times: further.collect(),
            more: more.collect(),
        }
    }

    /// Name and value of every figure, as the table shows them.
    fn rows(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Option<f64>| {
            if let Some(value) = value {
                rows.push((name.to_owned(), readable(value)));
            }
        };
        row("server CPU per message, µs", self.server_cpu_us_per_message);
        row("server CPU per delivery, µs", self.server_cpu_us_per_delivery);
        row("server cores", self.server_cores);
        row("messages a second", self.messages_per_s);
        row("deliveries a second", self.deliveries_per_s);
        row("user bytes per connection", self.bytes_per_connection_user);
        row("kernel bytes per connection", self.bytes_per_connection_kernel);
        row("bytes written per message", self.bytes_written_per_message);
        row("disk flushes a second", self.syncs_per_s);
        let main = [("acknowledged", self.ack_ms), ("delivered", self.delivery_ms)];
        let main = main.into_iter().filter_map(|(name, times)| Some((name, times?)));
        let further = self.times.iter().map(|(name, times)| (name.trim_end_matches("_ms"), *times));
        for (name, Quantiles { p50, p99, p999, .. }) in main.chain(further) {
            let value = [p50, p99, p999].map(readable).join(" / ");
            rows.push((format!("{} p50 / p99 / p999, ms", name.replace('_', " ")), value));
        }
        rows.extend(self.more.iter().map(|(name, value)| (name.replace('_', " "), readable(*value))));
        rows
    }
}

/// Everything that a bench found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The scenario's name.
    pub scenario: &'static str,
    /// What it was asked to do, by name.
    pub asked: BTreeMap<&'static str, Value>,
    /// The server's rounds.
    pub server: Vec<Figures>,
    /// The bare relay's rounds, where there were any.
    pub bare: Vec<Figures>,
    /// What went wrong with the server, by name.
    pub errors: BTreeMap<String, u64>,
    /// What went wrong with the bare relay.
    pub bare_errors: BTreeMap<String, u64>,
}

impl Report {
    /// Whether nothing went wrong.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty() && self.bare_errors.is_empty()
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("scenario".to_owned(), self.scenario.into());
        object.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
        object.insert("asked".to_owned(), serde_json::json!(self.asked));
        object.insert("rounds".to_owned(), self.server.len().into());
        let server = Figures::median_of(&self.server);
        if let Ok(Value::Object(figures)) = serde_json::to_value(&server) {
            object.extend(figures);
        }
        object.insert("server_cpu_us_per_message_rounds".to_owned(), costs(&self.server));
        if !self.bare.is_empty() {
            let bare = Figures::median_of(&self.bare);
            let [per_message, per_delivery] = ratios(&server, &bare);
            object.insert("ratio_to_bare".to_owned(), per_message.into());
            object.insert("ratio_to_bare_per_delivery".to_owned(), per_delivery.into());
            object.insert("bare".to_owned(), serde_json::json!(bare));
            object.insert("bare_cpu_us_per_message_rounds".to_owned(), costs(&self.bare));
            object.insert("bare_errors".to_owned(), serde_json::json!(self.bare_errors));
        }
        object.insert("errors".to_owned(), serde_json::json!(self.errors));
        Value::Object(object).to_string()
    }
}

/// The cost of a message, then of a delivery, as a multiple of the bare relay's.
fn ratios(server: &Figures, bare: &Figures) -> [Option<f64>; 2] {
    [|one: &Figures| one.server_cpu_us_per_message, |one: &Figures| one.server_cpu_us_per_delivery].map(
        |get| {
            let (server, bare) = get(server).zip(get(bare)).filter(|(_, bare)| *bare > 0.0)?;
            Some(server / bare)
        },
    )
}

/// The cost of a message in each round.
fn costs(rounds: &[Figures]) -> Value {
    rounds.iter().map(|round| round.server_cpu_us_per_message).collect::<Vec<_>>().into()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scenario)?;
        for (name, value) in &self.asked {
            write!(f, ", {} {value}", name.replace('_', " "))?;
        }
        writeln!(f)?;
        let server = Figures::median_of(&self.server);
        let bare = (!self.bare.is_empty()).then(|| Figures::median_of(&self.bare));
        let bare_rows: BTreeMap<String, String> = bare.iter().flat_map(|bare| bare.rows()).collect();
        if bare.is_some() {
            writeln!(f, "{:38} {:>26} {:>26}", "", "server", "bare relay")?;
        }
        for (name, value) in server.rows() {
            let beside = bare_rows.get(&name).map_or("", String::as_str);
            writeln!(f, "{}", format!("{name:38} {value:>26} {beside:>26}").trim_end())?;
        }
        if let Some(bare) = &bare {
            let [per_message, per_delivery] =
                ratios(&server, bare).map(|ratio| ratio.map_or("–".to_owned(), readable));
            writeln!(f, "{:38} {per_message:>26}", "ratio to bare, per message")?;
            writeln!(f, "{:38} {per_delivery:>26}", "ratio to bare, per delivery")?;
        }
        for (whose, errors) in [("server", &self.errors), ("bare relay", &self.bare_errors)] {
            for (name, count) in errors {
                writeln!(f, "ERROR ({whose}): {count} × {name}")?;
            }
        }
        Ok(())
    }
}

/// The median of each quantile.
fn middle(all: Vec<Quantiles>) -> Option<Quantiles> {
    let at = |part: fn(&Quantiles) -> f64| median(all.iter().map(part).collect());
    Some(Quantiles { p50: at(|q| q.p50)?, p99: at(|q| q.p99)?, p999: at(|q| q.p999)?, max: at(|q| q.max)? })
}

/// The middle value, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Three significant digits, or all of a large number.
fn readable(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 0.1 || small == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(p50: f64) -> Quantiles {
        Quantiles { p50, p99: 2.0 * p50, p999: 3.0 * p50, max: 4.0 * p50 }
    }

    fn round(cpu: f64, p50: f64) -> Figures {
        Figures {
            server_cpu_us_per_message: Some(cpu),
            ack_ms: Some(times(p50)),
            times: BTreeMap::from([("change_ms".to_owned(), times(p50))]),
            more: BTreeMap::from([("marks_sent".to_owned(), cpu)]),
            ..Figures::default()
        }
    }

    fn report() -> Report {
        Report {
            scenario: "pairs",
            asked: BTreeMap::from([("connections", 10.into())]),
            server: vec![round(30.0, 1.0), round(50.0, 3.0), round(31.0, 2.0)],
            bare: vec![round(20.0, 1.0), round(30.0, 1.0)],
            ..Report::default()
        }
    }

    #[test]
    fn medians_are_taken_figure_by_figure() {
        let median = Figures::median_of(&report().server);
        assert_eq!(median.server_cpu_us_per_message, Some(31.0));
        assert_eq!(median.ack_ms, Some(times(2.0)));
        assert_eq!(median.times["change_ms"], times(2.0));
        assert_eq!(median.more["marks_sent"], 31.0);
        assert_eq!((median.messages_per_s, median.delivery_ms), (None, None));
    }

    #[test]
    fn json_is_one_object_with_every_promised_field() {
        let json: Value = serde_json::from_str(&report().json()).expect("JSON");
        let fields = [
            "scenario",
            "server_cpu_us_per_message",
            "server_cpu_us_per_delivery",
            "messages_per_s",
            "deliveries_per_s",
            "ack_ms",
            "delivery_ms",
            "bytes_per_connection_user",
            "bytes_per_connection_kernel",
            "bytes_written_per_message",
            "ratio_to_bare",
        ];
        for name in fields {
            assert!(json.get(name).is_some(), "{name}");
        }
        assert_eq!(json["ratio_to_bare"], 31.0 / 25.0);
        assert_eq!(json["bare"]["server_cpu_us_per_message"], 25.0);
        assert_eq!(json["server_cpu_us_per_message_rounds"], serde_json::json!([30.0, 50.0, 31.0]));
        assert_eq!(json["marks_sent"], 31.0);
        assert_eq!(json["change_ms"]["p99"], 4.0);
    }

    #[test]
    fn the_table_puts_both_side_by_side_and_names_errors() {
        let mut report = report();
        report.errors.insert("overloaded".to_owned(), 3);
        let table = report.to_string();
        assert!(table.lines().next().is_some_and(|line| line == "pairs, connections 10"), "{table}");
        let line = table.lines().find(|line| line.starts_with("server CPU per message")).expect("the line");
        assert!(line.contains("31.0") && line.ends_with("25.0"), "{table}");
        assert!(table.contains("1.24"), "{table}");
        assert!(table.lines().any(|line| line.starts_with("change p50 / p99 / p999, ms")), "{table}");
        assert!(table.contains("ERROR (server): 3 × overloaded"), "{table}");
        assert!(!report.is_clean());
    }
}
