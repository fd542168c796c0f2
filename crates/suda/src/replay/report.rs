//! What a replay found, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::ledger::Quantiles;

/// The outcome of a replay.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Messages handed to the server.
    pub messages_sent: u64,
    /// Messages that it acknowledged.
    pub messages_acknowledged: u64,
    /// Devices whose copies were compared, the fresh ones included.
    pub devices: u64,
    /// Acknowledged messages that should be in the devices' copies, summed over all devices.
    pub entries_expected: u64,
    /// Those that are there.
    pub entries_received: u64,
    /// Those that are not, or read differently, and numbers without an entry.
    pub missing: u64,
    /// Messages that are there again or that nobody sent, and numbers or acknowledgements that contradict each other.
    pub duplicated: u64,
    /// Entries that stand elsewhere than acknowledged, or before their predecessor.
    pub out_of_order: u64,
    /// From first send to acknowledgement, milliseconds.
    pub ack_ms: Quantiles,
    /// From first send to live arrival at each other device, milliseconds.
    pub delivery_ms: Quantiles,
    /// Messages that the file holds for the replay.
    pub messages_planned: u64,
    /// Lines that were left out: their author is not among the busiest of a large group.
    pub lines_left_out: u64,
    /// Sends that were repeated.
    pub resent: u64,
    /// Connections that had to be made again.
    pub reconnected: u64,
    /// For how long messages were sent, in seconds.
    pub seconds: f64,
    /// Errors that the server answered with, and close codes, by how often they came.
    pub errors: BTreeMap<String, u64>,
}

impl Report {
    /// One JSON object, its fields in the order above.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("plain fields serialise")
    }

    /// Whether every line was acknowledged and nothing is missing, duplicated or out of order.
    pub const fn is_clean(&self) -> bool {
        self.messages_acknowledged == self.messages_planned
            && self.missing == 0
            && self.duplicated == 0
            && self.out_of_order == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = self.messages_acknowledged as f64 / self.seconds.max(0.001);
        writeln!(
            f,
            "messages      {} sent of {}, {} acknowledged in {:.1} s ({per_second:.0} a second); {} lines left out",
            self.messages_sent,
            self.messages_planned,
            self.messages_acknowledged,
            self.seconds,
            self.lines_left_out,
        )?;
        writeln!(
            f,
            "devices       {} compared; {} of {} entries are there",
            self.devices, self.entries_received, self.entries_expected,
        )?;
        writeln!(
            f,
            "differences   {} missing, {} duplicated, {} out of order",
            self.missing, self.duplicated, self.out_of_order
        )?;
        writeln!(f, "acknowledged  {:.1} ms median, {:.1} ms p99", self.ack_ms.p50, self.ack_ms.p99)?;
        writeln!(
            f,
            "delivered     {:.1} ms median, {:.1} ms p99",
            self.delivery_ms.p50, self.delivery_ms.p99
        )?;
        write!(f, "on the way    {} connected again, {} sent again", self.reconnected, self.resent)?;
        for (code, count) in &self.errors {
            write!(f, ", {count} × {code}")?;
        }
        writeln!(f)
    }
}
