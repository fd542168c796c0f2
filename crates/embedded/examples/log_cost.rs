//! What a record costs: appends 300,000 records of 200 bytes, 2,000 of them in flight, and prints
//! CPU time and rate; then the same with messages of 200 bytes in 100,000 conversations, which the
//! index takes over. For index, merges and reads together see `conversation_cost`. Run with `cargo run --release -p suda-embedded --example log_cost [FOLDER]`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use bytes::Bytes;
use suda_domain::entry::{Entry, Envelope};
use suda_embedded::index::tables::{MemberRow, member_key};
use suda_embedded::index::{Index, IndexOptions};
use suda_embedded::log::{
    AppendError, CommittedGroup, CommittedHook, Log, LogHooks, LogOptions, Position, RealDisk, Record,
};
use suda_embedded::records::entry_record;
use suda_proto::entry::Role;
use suda_proto::{AccountId, ClientId, ConversationId, Kind};

const RECORDS: usize = 300_000;
const IN_FLIGHT: usize = 2_000;
const HEADER_BYTES: usize = 60;
const BODY_BYTES: usize = 140;
const MESSAGE_BYTES: usize = 200;
const CONVERSATIONS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("suda-log-cost-{}", std::process::id()));
    let result = measure(&folder.join("plain")).and_then(|()| measure_messages(&folder.join("indexed")));
    std::fs::remove_dir_all(&folder)?;
    result
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let header = Bytes::from(vec![b'h'; HEADER_BYTES]);
    let body = Bytes::from(vec![b'b'; BODY_BYTES]);
    println!("records of {} bytes:", HEADER_BYTES + BODY_BYTES);
    append_all(folder, Box::new(|_| {}), |_| Record { kind: 1, header: header.clone(), body: body.clone() })
}

fn measure_messages(folder: &Path) -> Result<(), Box<dyn Error>> {
    let index = Arc::new(Index::open(&folder.join("index"), IndexOptions::default())?);
    let applying = Arc::clone(&index);
    let committed = move |group: &CommittedGroup| {
        if let Err(error) = applying.apply_committed(group) {
            eprintln!("{error}");
        }
    };
    index.change(None, |changes| {
        for rank in 0..CONVERSATIONS {
            let id = id(rank);
            let row = MemberRow { role: Some(Role::Member), ..MemberRow::default() };
            changes.put(member_key(AccountId::from_bytes(id), ConversationId::from_bytes(id)), &row);
        }
        Ok(())
    })?;
    index.flush()?;
    let mut heads = vec![0; CONVERSATIONS];
    let body = Bytes::from(vec![b'b'; MESSAGE_BYTES]);
    println!("messages of {MESSAGE_BYTES} bytes, with the index in memory:");
    append_all(&folder.join("log"), Box::new(committed), |number| {
        // Zipf with exponent 1, nearly.
        let uniform = (number as f64 * 0.618_033_988_75).fract();
        let rank = (uniform * (CONVERSATIONS as f64).ln()).exp() as usize - 1;
        heads[rank] += 1;
        let seq = heads[rank];
        let id = id(rank);
        let (kind, author, client_id) = (Kind::Message, AccountId::from_bytes(id), ClientId::from_bytes(id));
        let (at, ordinal) = (1_700_000_000_000 + number as u64, seq);
        let (target, mentions) = (None, Vec::new());
        let envelope = Envelope { seq, at, kind, author, client_id, ordinal, target, mentions };
        let entry = Entry { envelope, body: Some(body.clone()) };
        entry_record(ConversationId::from_bytes(id), &entry).expect("a message can be stored")
    })?;
    let cpu = cpu_seconds()?;
    index.flush()?;
    println!("  writing the index: {:.2} µs CPU each", (cpu_seconds()? - cpu) / RECORDS as f64 * 1e6);
    Ok(())
}

/// The id of a conversation and of the account that writes in it.
fn id(rank: usize) -> [u8; 16] {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&(rank as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    id
}

fn append_all(
    folder: &Path,
    committed: CommittedHook,
    mut next: impl FnMut(usize) -> Record,
) -> Result<(), Box<dyn Error>> {
    let hooks = LogHooks { committed, fatal: Box::new(|what| eprintln!("{what}")) };
    let disk = Arc::new(RealDisk::open(folder)?);
    let (log, _) = Log::open(disk, LogOptions::default(), Position::START, &mut |_| Ok(()), hooks)?;
    let (done, answers) = mpsc::sync_channel::<Result<Vec<Position>, AppendError>>(IN_FLIGHT);
    let (cpu_before, began) = (cpu_seconds()?, Instant::now());
    for sent in 0..RECORDS + IN_FLIGHT {
        if sent >= IN_FLIGHT {
            answers.recv()??;
        }
        if sent < RECORDS {
            let record = next(sent);
            let done = done.clone();
            let tell = move |result| {
                // The receiver outlives all senders unless an append failed.
                let _ = done.send(result);
            };
            log.append(vec![record], Box::new(tell))?;
        }
    }
    let (cpu, wall) = (cpu_seconds()? - cpu_before, began.elapsed().as_secs_f64());
    let count = RECORDS as f64;
    println!(
        "  {RECORDS} of them, {IN_FLIGHT} in flight: {:.2} µs CPU each, {:.0}/s",
        cpu / count * 1e6,
        count / wall
    );
    Ok(())
}

/// CPU time of this process so far, user and system, from the clock ticks in `/proc`.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The fields after the program's name, which may itself contain spaces.
    let fields = stat.rsplit_once(')').ok_or("unreadable /proc/self/stat")?.1;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    const TICKS_PER_SECOND: f64 = 100.0;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
