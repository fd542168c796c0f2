//! Plays the corpus that this SDK and the TypeScript SDK share (`web/corpus`): the same steps, the same outcomes. The
//! TypeScript SDK writes new outcomes down; here they must come out as well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use suda_proto::presence::Presence;
use suda_proto::reply::{Opened, Row};
use suda_proto::{AccountId, ClientId, ConversationId, Entry, ErrorBody, Kind};
use tokio::time::Instant;

use crate::attendance::{Attendance, Changed};
use crate::backoff::Backoff;
use crate::conversation::{Batch, Conversation, Slice};
use crate::engine::reconnect::{Failure, Next, Reconnect};
use crate::error::ConnectionError;
use crate::outbox::{Item, Outbox, Refusal};
use crate::ranges::Ranges;
use crate::standing::CachedEntry;
use crate::sync;
use crate::typing::{OwnTyping, Typists};

/// The account whose device the cases are about.
const ME: &str = "00000001-0000-7000-8000-000000000001";

#[derive(Deserialize)]
struct Corpus {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    given: Value,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "do")]
    act: BTreeMap<String, Value>,
    is: Value,
}

/// Plays the steps of one case: the name of a step and what it is given, to what comes of it.
type Player = Box<dyn FnMut(&str, &Value) -> Value>;

fn check(file: &str, player: impl Fn(&Value) -> Player) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/corpus").join(file);
    let text = std::fs::read_to_string(&path).expect("the corpus is there");
    let corpus: Corpus = serde_json::from_str(&text).expect("the corpus can be read");
    assert!(!corpus.cases.is_empty());
    for case in corpus.cases {
        let mut play = player(&case.given);
        for (index, step) in case.steps.iter().enumerate() {
            let (name, value) = step.act.first_key_value().expect("a step does something");
            let came = play(name, value);
            assert_eq!(came, step.is, "{file}, “{}”, step {index}: {name} {value}", case.name);
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn me() -> AccountId {
    read(&json!(ME))
}

#[test]
fn ranges() {
    check("ranges.json", |_| {
        let mut ranges = Ranges::default();
        Box::new(move |name, value| {
            let numbers: Vec<u64> = if value.is_array() { read(value) } else { vec![read(value)] };
            let second = || numbers[1];
            match name {
                "insert" => ranges.insert(numbers[0], second()),
                "keep_from" => ranges.keep_from(numbers[0]),
                "around" => return json!(ranges.around(numbers[0])),
                "covers" => return json!(ranges.covers(numbers[0], second())),
                "first_hole" => return json!(ranges.first_hole(numbers[0], second())),
                "last_below" => return json!(ranges.last_below(numbers[0])),
                _ => return json!(ranges.start_of_newest(usize::try_from(numbers[0]).expect("small"))),
            }
            json!(ranges)
        })
    });
}

/// A conversation with its whole cache.
struct Device {
    conversation: Conversation,
    entries: BTreeMap<u64, CachedEntry>,
}

impl Device {
    fn absorb(&mut self, value: &Value) -> Value {
        let batch = Batch {
            epoch: read(&value["epoch"]),
            from: read(&value["from"]),
            to: read(&value["to"]),
            head: read(&value["head"]),
            entries: read(&value["entries"]),
        };
        let wanted = batch.wanted();
        let is_act = |kind| matches!(kind, Kind::Edit | Kind::Delete | Kind::Reaction);
        let is_wanted = |cached: &CachedEntry| {
            let target = cached.entry.target.filter(|_| is_act(cached.entry.kind));
            wanted.seqs.contains(&cached.entry.seq)
                || target.is_some_and(|target| wanted.acts_on.contains(&target))
        };
        let entries = self.entries.iter().filter(|(_, cached)| is_wanted(cached));
        let entries = entries.map(|(seq, cached)| (*seq, cached.clone())).collect();
        let mut slice = Slice { entries, ..Slice::default() };
        let outcome = self.conversation.absorb(&mut slice, batch, me());
        if outcome.reset {
            self.entries.clear();
        }
        for seq in &slice.dirty {
            self.entries.insert(*seq, slice.entries[seq].clone());
        }
        let dropped_below = outcome.dropped_below.unwrap_or(0);
        self.entries.retain(|seq, _| *seq >= dropped_below);
        json!({
            "reset": outcome.reset, "dropped_below": dropped_below, "added": outcome.added, "stale": outcome.stale,
            "state": self.conversation, "missing": self.conversation.missing(),
        })
    }

    fn void(&mut self, is_void: bool) -> Value {
        if is_void {
            self.entries.clear();
        }
        json!({"void": is_void, "state": self.conversation, "missing": self.conversation.missing()})
    }
}

fn shown(cached: &CachedEntry) -> Value {
    let mut reactions = cached.reaction_counts();
    reactions.sort_by(|one, other| one.emoji.cmp(&other.emoji));
    let entry = &cached.entry;
    json!({
        "seq": entry.seq, "kind": entry.kind, "edited": cached.edited, "deleted": cached.deleted, "body": entry.body,
        "mentions": entry.mentions, "reactions": reactions,
    })
}

#[test]
fn conversation() {
    check("conversation.json", |given| {
        let conversation = Conversation::new(read(&given["epoch"]), read(&given["head"]));
        let mut device = Device { conversation, entries: BTreeMap::new() };
        Box::new(move |name, value| match name {
            "absorb" => device.absorb(value),
            "entries" => device.entries.values().map(shown).collect(),
            "doubts" => json!(device.conversation.is_doubtful(read(&value[0]), read(&value[1]))),
            "hear" => {
                let is_void = device.conversation.hear(read(&value[0]), read(&value[1]));
                device.void(is_void)
            }
            _ => {
                let is_void = device.conversation.confirm(read(&value[0]), read(&value[1]), read(&value[2]));
                device.void(is_void)
            }
        })
    });
}

#[test]
fn resume() {
    check("resume.json", |given| {
        let before: Conversation = read(&given["state"]);
        Box::new(move |_, value| {
            let (epoch, head): (u32, u64) = read(value);
            let mut state = before.clone();
            if state.is_doubtful(epoch, head) {
                json!({"then": "ask_the_log", "received": state.received()})
            } else if state.hear(epoch, head) {
                json!({"then": "reset", "state": state})
            } else {
                json!({"then": "fill", "missing": state.missing()})
            }
        })
    });
}

#[test]
fn rows() {
    check("rows.json", |given| {
        let mut row: Row = read(&given["row"]);
        Box::new(move |name, value| match name {
            "own_items" => json!(sync::own_items(&read::<Vec<Entry>>(value))),
            "read" => {
                sync::read_locally(&mut row, read(value));
                json!(row)
            }
            _ => {
                let change = match sync::advance(&mut row, &read(value), me()) {
                    sync::RowChange::None => "none",
                    sync::RowChange::Advanced => "advanced",
                    sync::RowChange::Outdated => "outdated",
                };
                json!({"change": change, "row": row})
            }
        })
    });
}

fn play_outbox(outbox: &mut Outbox, place: &mut Option<ConversationId>, name: &str, value: &Value) -> Value {
    if name == "push" {
        let item: Item = read(value);
        *place = Some(item.conversation);
        outbox.push(item);
        return json!(outbox.count());
    }
    let conversation = place.unwrap_or_else(|| ConversationId::from_bytes([0; 16]));
    let ids = |items: Vec<Item>| items.iter().map(|item| json!(item.client_id)).collect();
    match name {
        "take_ready" => {
            let sends = outbox.take_ready(conversation, read(value));
            sends.iter().map(|send| json!([send.client_id, send.after, send.base])).collect()
        }
        "acknowledged" => json!(outbox.acknowledged(conversation, read(value)).is_some()),
        "refused" => {
            let (client_id, error): (ClientId, ErrorBody) = read(value);
            match outbox.refused(conversation, client_id, &error) {
                Refusal::Pause { retry_after_ms, grows } => {
                    json!({"then": "pause", "retry_after_ms": retry_after_ms, "grows": grows})
                }
                Refusal::Rebase => json!({"then": "rebase"}),
                Refusal::Failed => json!({"then": "failed"}),
                Refusal::SessionEnds => json!({"then": "session_ends"}),
            }
        }
        "lowest_base" => json!(outbox.lowest_base(conversation)),
        "rebase" => ids(outbox.rebase(conversation, read(value))),
        "clamp" => ids(outbox.clamp(conversation, read(value))),
        "release" => {
            outbox.release(conversation);
            Value::Null
        }
        _ => {
            outbox.disconnected();
            Value::Null
        }
    }
}

#[test]
fn outbox() {
    check("outbox.json", |_| {
        let (mut outbox, mut place) = (Outbox::default(), None);
        Box::new(move |name, value| play_outbox(&mut outbox, &mut place, name, value))
    });
}

/// A loss is a word, `{"closed": code}` or `{"refused": error}`.
fn loss(value: &Value) -> ConnectionError {
    match value.as_str() {
        Some("closed") => ConnectionError::Closed { code: None },
        Some("silent") => ConnectionError::Silent,
        Some("unreachable") => ConnectionError::Unreachable("refused".to_owned()),
        Some(_) => ConnectionError::BadFrame,
        None if value["refused"].is_object() => ConnectionError::Refused(read(&value["refused"])),
        None => ConnectionError::Closed { code: Some(read(&value["closed"])) },
    }
}

fn milliseconds(pause: Duration) -> Value {
    json!((pause.as_secs_f64() * 1_000.0).round() as u64)
}

fn next(next: Next) -> Value {
    match next {
        Next::Wait(pause) => json!({"then": "wait", "pause_ms": milliseconds(pause)}),
        Next::Poll => json!({"then": "poll"}),
        Next::LogIn => json!({"then": "log_in"}),
        Next::Stop(reason) => json!({"then": "stop", "reason": reason}),
    }
}

#[test]
fn reconnect() {
    check("reconnect.json", |_| {
        let (mut backoff, mut reconnect, start) = (Backoff::default(), Reconnect::default(), Instant::now());
        let at = move |value: &Value| start + Duration::from_millis(read(value));
        Box::new(move |name, value| match name {
            "backoff" => milliseconds(backoff.next(read(value))),
            "reset" => {
                backoff.reset();
                Value::Null
            }
            "succeeded" => {
                reconnect.succeeded(at(&value[0]), read(&value[1]));
                Value::Null
            }
            "failed" => {
                let failure = Failure { error: loss(&value[0]), http_works: read(&value[1]) };
                next(reconnect.failed(&failure, read(&value[2])))
            }
            _ => next(reconnect.lost(&loss(&value[0]), at(&value[1]), read(&value[2]))),
        })
    });
}

#[test]
fn ids() {
    check("ids.json", |_| {
        Box::new(|name, value| {
            json!(match name {
                "direct" => ConversationId::direct(read(&value[0]), read(&value[1])),
                "own" => ConversationId::own(read(value)),
                _ => ConversationId::group(read(&value[0]), read(&value[1])),
            })
        })
    });
}

#[test]
fn typing() {
    check("typing.json", |_| {
        let (mut typists, mut own, start) = (Typists::default(), OwnTyping::default(), Instant::now());
        let at = move |value: &Value| start + Duration::from_millis(read(value));
        Box::new(move |name, value| match name {
            "note" => {
                let typing = read(&value[2]);
                json!(typists.note(read(&value[0]), read(&value[1]), typing, at(&value[3])))
            }
            "of" => json!(typists.of(read(value))),
            "expire" => json!(typists.expire(at(value))),
            "leave" => json!(typists.leave(read(value))),
            "next_expiry" => typists.next_expiry().map_or(Value::Null, |at| milliseconds(at - start)),
            "own_sent" => {
                own.sent(read(value));
                Value::Null
            }
            _ => json!(own.is_to_tell(read(&value[0]), read(&value[1]), at(&value[2]))),
        })
    });
}

fn changed(changed: Changed) -> Value {
    let sorted = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<_>>();
    json!({
        "accounts": sorted(changed.accounts.iter().map(ToString::to_string).collect()),
        "conversations": sorted(changed.conversations.iter().map(ToString::to_string).collect()),
    })
}

fn play_attendance(attendance: &mut Attendance, name: &str, value: &Value) -> Value {
    match name {
        "want" => {
            attendance.want(read(value));
            Value::Null
        }
        "tell" => {
            let (told, change) = attendance.tell();
            let told: BTreeSet<String> = told.iter().map(ToString::to_string).collect();
            json!({"told": told, "changed": changed(change)})
        }
        "tell_again" => {
            attendance.tell_again();
            Value::Null
        }
        "has_to_tell" => json!(attendance.has_to_tell()),
        "hear" => changed(attendance.hear(&read::<Vec<Presence>>(value))),
        "enter" => changed(attendance.enter(read(&value[0]), me(), &read::<Opened>(&value[1]))),
        "leave" => changed(attendance.leave(read(value))),
        "lose" => changed(attendance.lose()),
        "of" => json!(attendance.of(read(value))),
        "online" => json!(attendance.online(read(value))),
        "counted" => json!(attendance.is_counted(read(value))),
        _ => json!(attendance.is_outdated(read(&value[0]), &read(&value[1]))),
    }
}

#[test]
fn attendance() {
    check("attendance.json", |_| {
        let mut attendance = Attendance::default();
        Box::new(move |name, value| play_attendance(&mut attendance, name, value))
    });
}

#[test]
fn mentions() {
    check("mentions.json", |given| {
        let text: String = read(&given["text"]);
        Box::new(move |name, value| {
            let wanted: usize = read(value);
            if name == "units_before" {
                return json!(text.chars().take(wanted).map(char::len_utf16).sum::<usize>());
            }
            let begins = text.chars().scan(0, |units, one| {
                let begin = *units;
                *units += one.len_utf16();
                Some(begin)
            });
            json!(begins.take_while(|begin| *begin < wanted).count())
        })
    });
}
