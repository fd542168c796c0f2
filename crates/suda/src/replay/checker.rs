//! Compares a device's copy of a conversation with what the server acknowledged.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use suda_proto::ClientId;

use super::copy::Held;

/// A message that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The number under which it was acknowledged; absent if it never was, so that it may be there or not.
    pub seq: Option<u64>,
    /// Whose it is.
    pub account: usize,
    /// Its place among all messages, in the order of sending.
    pub order: usize,
    /// The fingerprint of author and text.
    pub message: u64,
}

/// The messages of one conversation that were sent.
pub type Sent = HashMap<ClientId, Expected>;

/// What a comparison found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Acknowledged messages that should be there.
    pub expected: u64,
    /// Acknowledged messages that are there, as they were sent.
    pub received: u64,
    /// Acknowledged messages that are not there or read differently, and numbers without an entry.
    pub missing: u64,
    /// Messages that are there again or that nobody sent, and numbers that were given twice.
    pub duplicated: u64,
    /// Entries under another number than acknowledged, before their predecessor in number or time, or swapped with
    /// another message of their author.
    pub out_of_order: u64,
}

impl AddAssign for Findings {
    fn add_assign(&mut self, other: Self) {
        self.expected += other.expected;
        self.received += other.received;
        self.missing += other.missing;
        self.duplicated += other.duplicated;
        self.out_of_order += other.out_of_order;
    }
}

/// Compares `copy`, in the order in which the device keeps it, with what was `sent`.
pub fn check(copy: &[Held], sent: &Sent) -> Findings {
    let mut findings = Findings::default();
    check_numbers(copy, &mut findings);
    let found = check_messages(copy, sent, &mut findings);
    let present: HashSet<u64> = copy.iter().map(|held| held.seq).collect();
    let head = present.iter().copied().max().unwrap_or(0);
    let acknowledged = || sent.iter().filter_map(|(id, message)| message.seq.map(|seq| (id, seq)));
    findings.expected = acknowledged().count() as u64;
    findings.missing += acknowledged().filter(|(id, _)| !found.contains(id)).count() as u64;
    // A number whose message is missing is counted with the message.
    let told: HashSet<u64> = acknowledged().map(|(_, seq)| seq).collect();
    findings.missing += (1..=head).filter(|seq| !present.contains(seq) && !told.contains(seq)).count() as u64;
    findings
}

/// Numbers ascend and times do not go back.
fn check_numbers(copy: &[Held], findings: &mut Findings) {
    let mut seen = HashSet::with_capacity(copy.len());
    for held in copy {
        findings.duplicated += u64::from(!seen.insert(held.seq));
    }
    for pair in copy.windows(2) {
        findings.out_of_order += u64::from(pair[1].seq < pair[0].seq || pair[1].at < pair[0].at);
    }
}

/// Each message is there once, under its number, as it was sent, after those that its author sent before. Returns
/// which messages are there at all.
fn check_messages(copy: &[Held], sent: &Sent, findings: &mut Findings) -> HashSet<ClientId> {
    let mut found = HashSet::with_capacity(copy.len());
    let mut last: HashMap<usize, usize> = HashMap::new();
    for held in copy {
        let (Some(message), expected) = (held.message, sent.get(&held.client_id)) else {
            continue;
        };
        let Some(expected) = expected else {
            findings.duplicated += 1;
            continue;
        };
        if expected.message != message {
            continue;
        }
        if !found.insert(held.client_id) {
            findings.duplicated += 1;
            continue;
        }
        findings.received += u64::from(expected.seq.is_some());
        let is_elsewhere = expected.seq.is_some_and(|seq| seq != held.seq);
        let earlier = last.insert(expected.account, expected.order);
        let is_swapped = earlier.is_some_and(|earlier| earlier > expected.order);
        findings.out_of_order += u64::from(is_elsewhere || is_swapped);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ClientId {
        ClientId::from_bytes([number; 16])
    }

    /// The conversation's first entry, then three messages, the last two by the same author.
    fn good() -> (Vec<Held>, Sent) {
        let created = Held { seq: 1, at: 10, client_id: id(99), message: None };
        let message = |number: u8| Held {
            seq: u64::from(number) + 1,
            at: 10 + u64::from(number),
            client_id: id(number),
            message: Some(u64::from(number)),
        };
        let expected = |number: u8| Expected {
            seq: Some(u64::from(number) + 1),
            account: usize::from(number > 1),
            order: usize::from(number),
            message: u64::from(number),
        };
        let copy = vec![created, message(1), message(2), message(3)];
        (copy, (1..=3).map(|number| (id(number), expected(number))).collect())
    }

    /// Missing, duplicated and out of order after `spoil`.
    fn counts(spoil: impl FnOnce(&mut Vec<Held>, &mut Sent)) -> (u64, u64, u64) {
        let (mut copy, mut sent) = good();
        spoil(&mut copy, &mut sent);
        let findings = check(&copy, &sent);
        assert_eq!(findings.expected, sent.values().filter(|message| message.seq.is_some()).count() as u64);
        (findings.missing, findings.duplicated, findings.out_of_order)
    }

    #[test]
    fn a_true_copy_is_clean() {
        let (copy, sent) = good();
        let findings = check(&copy, &sent);
        assert_eq!(findings, Findings { expected: 3, received: 3, ..Findings::default() });
    }

    #[test]
    fn what_is_missing_is_counted_once() {
        let take_out = |copy: &mut Vec<Held>, place: usize| {
            copy.remove(place);
        };
        assert_eq!(counts(|copy, _| copy.truncate(3)), (1, 0, 0), "the last message");
        assert_eq!(counts(|copy, _| take_out(copy, 2)), (1, 0, 0), "one in the middle");
        assert_eq!(counts(|copy, _| take_out(copy, 0)), (1, 0, 0), "an entry that is no message");
        assert_eq!(counts(|copy, _| copy.clear()), (3, 0, 0), "everything");
        assert_eq!(counts(|copy, _| copy[1].message = Some(7)), (1, 0, 0), "another text");
    }

    #[test]
    fn what_is_there_twice_is_counted() {
        let again = |seq, copy: &mut Vec<Held>| copy.push(Held { seq, at: 20, ..copy[3] });
        assert_eq!(counts(|copy, _| again(5, copy)), (0, 1, 0), "under a new number");
        assert_eq!(counts(|copy, _| again(4, copy)), (0, 2, 0), "under its own number");
        assert_eq!(counts(|copy, _| copy[0].message = Some(0)), (0, 1, 0), "what nobody sent");
    }

    #[test]
    fn what_is_out_of_order_is_counted() {
        assert_eq!(counts(|copy, _| copy.swap(1, 2)), (0, 0, 1), "kept in another order");
        assert_eq!(counts(|copy, _| copy[3].at = 9), (0, 0, 1), "a time that goes back");
        let renumber = |copy: &mut Vec<Held>, _: &mut Sent| {
            copy.swap(1, 2);
            copy[1].seq = 2;
            copy[1].at = 11;
            copy[2].seq = 3;
            copy[2].at = 12;
        };
        assert_eq!(counts(renumber), (0, 0, 2), "other numbers than acknowledged");
        let swap_orders = |_: &mut Vec<Held>, sent: &mut Sent| {
            sent.get_mut(&id(2)).expect("sent").order = 9;
        };
        assert_eq!(counts(swap_orders), (0, 0, 1), "one author's messages swapped");
    }

    #[test]
    fn what_was_never_acknowledged_may_be_there_or_not() {
        let unacknowledged =
            |_: &mut Vec<Held>, sent: &mut Sent| sent.get_mut(&id(3)).expect("sent").seq = None;
        assert_eq!(counts(unacknowledged), (0, 0, 0));
        let absent = |copy: &mut Vec<Held>, sent: &mut Sent| {
            unacknowledged(copy, sent);
            copy.pop();
        };
        assert_eq!(counts(absent), (0, 0, 0));
    }
}
