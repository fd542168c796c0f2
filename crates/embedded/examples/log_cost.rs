//! What a record costs: appends 300,000 records of 200 bytes, 2,000 of them in flight, and prints
//! CPU time and rate. Run with `cargo run --release -p suda-embedded --example log_cost [FOLDER]`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use bytes::Bytes;
use suda_embedded::log::{AppendError, Log, LogHooks, LogOptions, Position, RealDisk, Record};

const RECORDS: usize = 300_000;
const IN_FLIGHT: usize = 2_000;
const HEADER_BYTES: usize = 60;
const BODY_BYTES: usize = 140;

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("suda-log-cost-{}", std::process::id()));
    let result = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn measure(folder: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let hooks = LogHooks { committed: Box::new(|_| {}), fatal: Box::new(|what| eprintln!("{what}")) };
    let disk = Arc::new(RealDisk::open(folder)?);
    let (log, _) = Log::open(disk, LogOptions::default(), Position::START, &mut |_| Ok(()), hooks)?;
    let header = Bytes::from(vec![b'h'; HEADER_BYTES]);
    let body = Bytes::from(vec![b'b'; BODY_BYTES]);
    let (done, answers) = mpsc::sync_channel::<Result<Vec<Position>, AppendError>>(IN_FLIGHT);
    let (cpu_before, began) = (cpu_seconds()?, Instant::now());
    for sent in 0..RECORDS + IN_FLIGHT {
        if sent >= IN_FLIGHT {
            answers.recv()??;
        }
        if sent < RECORDS {
            let record = Record { kind: 1, header: header.clone(), body: body.clone() };
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
        "{RECORDS} records of {} bytes, {IN_FLIGHT} in flight: {:.2} µs CPU each, {:.0}/s",
        HEADER_BYTES + BODY_BYTES,
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
