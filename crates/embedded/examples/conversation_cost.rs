//! What a message costs in the whole embedded log: appends, index and merges. Prints CPU time of
//! each thread, bytes written and kept, pages of history warm and cold, and how long a start takes
//! after a kill with everything unapplied that may be.
//!
//! Run with `cargo run --release -p suda-embedded --example conversation_cost [FOLDER [MESSAGES]]`;
//! by default 2,000,000 messages of 200 bytes in 100,000 conversations (Zipf).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use suda_domain::entry::{self, Envelope};
use suda_domain::ports::Log;
use suda_domain::ports::log::Append;
use suda_domain::receipts::Marks;
use suda_embedded::store::{Store, StoreOptions};
use suda_proto::{AccountId, ClientId, ConversationId, Kind};

const CONVERSATIONS: u64 = 100_000;
const MESSAGES: u64 = 2_000_000;
const BODY_BYTES: usize = 200;
/// Appends that wait for their answers at the same time.
const IN_FLIGHT: usize = 2_000;
/// Messages that are written last and are not in the index when the process dies.
const TAIL: u64 = 340_000;
const PAGE: u64 = 50;
const PAGES: u64 = 2_000;
const COLD_PAGES: usize = 100;
/// Conversations that have some pages.
const LONG: u64 = 500;
/// Where this process is described.
const SELF: &str = "/proc/self";
/// With this in the environment the process fills the folder, and dies.
const FILL: &str = "SUDA_CONVERSATION_COST_FILL";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let messages = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(MESSAGES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let Some(folder) = std::env::var_os(FILL) {
        return runtime.block_on(fill(Path::new(&folder), messages));
    }
    let folder = parent.join(format!("suda-conversation-cost-{}", std::process::id()));
    let filling = Command::new(std::env::current_exe()?)
        .args([parent.as_os_str(), messages.to_string().as_ref()])
        .env(FILL, &folder)
        .status()?;
    println!("the filling process was killed: {}", !filling.success());
    let result = runtime.block_on(read(&folder));
    std::fs::remove_dir_all(&folder)?;
    result
}

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// One of the conversations, the first most often (Zipf with exponent 1, nearly).
    fn conversation(&mut self) -> u64 {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = (uniform * (CONVERSATIONS as f64).ln()).exp();
        (rank as u64 - 1).min(CONVERSATIONS - 1)
    }
}

fn mixed_id(kind: u64, number: u64) -> [u8; 16] {
    let mut random = Random(kind << 56 | number);
    (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes()
}

fn conversation_id(number: u64) -> ConversationId {
    ConversationId::from_bytes(mixed_id(1, number))
}

/// One of the two members of a conversation.
fn member(conversation: u64, which: u64) -> AccountId {
    AccountId::from_bytes(mixed_id(2, conversation * 2 + which))
}

/// The heads of all conversations.
struct World {
    heads: Vec<u64>,
    random: Random,
    sent: u64,
}

impl World {
    fn append(&mut self, conversation: u64, body: Bytes, kind: Kind) -> Append {
        let head = &mut self.heads[conversation as usize];
        *head += 1;
        self.sent += 1;
        let envelope = Envelope {
            seq: *head,
            at: 1_700_000_000_000 + self.sent,
            kind,
            author: member(conversation, *head % 2),
            client_id: ClientId::from_bytes(mixed_id(3, self.sent)),
            ordinal: *head - 1,
            target: None,
            mentions: Vec::new(),
        };
        let (after, entry) = (*head - 1, entry::Entry { envelope, body: Some(body) });
        let (entries, marks) = (vec![entry], Vec::<(AccountId, Marks)>::new());
        Append { conversation: conversation_id(conversation), after, entries, marks }
    }

    fn created(&mut self, conversation: u64) -> Append {
        let members = [member(conversation, 0), member(conversation, 1)];
        let body = json!({"kind": "group", "members": members, "settings": {"title": "a group"}});
        self.append(conversation, Bytes::from(body.to_string()), Kind::Created)
    }

    fn message(&mut self, conversation: u64) -> Append {
        let text = format!("{{\"type\":\"text\",\"text\":\"{:x<1$}\"}}", self.sent, BODY_BYTES - 25);
        assert_eq!(text.len(), BODY_BYTES);
        self.append(conversation, Bytes::from(text), Kind::Message)
    }
}

/// Appends one entry for each of `count` calls of `next`, many at a time, no conversation twice at
/// the same time. One task does all of it, so that groups are as large as they are under load.
async fn append_all(
    log: &Arc<dyn Log>,
    count: u64,
    mut next: impl FnMut(u64) -> (u64, Append),
) -> Result<()> {
    let mut waiting: BTreeMap<u64, Append> = BTreeMap::new();
    for number in 0..count {
        let (conversation, append) = next(number);
        match waiting.entry(conversation) {
            Entry::Vacant(slot) => drop(slot.insert(append)),
            // As a host does: what waits for one conversation is one append.
            Entry::Occupied(mut slot) => slot.get_mut().entries.extend(append.entries),
        }
        if (number + 1) % IN_FLIGHT as u64 != 0 && number + 1 != count {
            continue;
        }
        let appends = std::mem::take(&mut waiting).into_values();
        let mut under_way: Vec<_> = appends.map(|append| log.append(append)).collect();
        let mut answers: Vec<_> = under_way.iter().map(|_| None).collect();
        poll_fn(|context| {
            for (append, answer) in under_way.iter_mut().zip(&mut answers).filter(|(_, one)| one.is_none()) {
                if let Poll::Ready(done) = append.as_mut().poll(context) {
                    *answer = Some(done);
                }
            }
            if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        answers.into_iter().flatten().collect::<std::result::Result<(), _>>()?;
    }
    Ok(())
}

/// Fills the folder, says what that cost, and dies with a full tail.
async fn fill(folder: &Path, messages: u64) -> Result<()> {
    let mut options = StoreOptions::default();
    let segment_bytes = u64::from(options.conversations.log.segment_bytes);
    let merge_segments = options.conversations.merge_segments as usize;
    options.conversations.index_age = Duration::from_secs(3_600);
    let store = Store::open(folder, options).await?;
    let log = store.ports().log;
    let mut world = World { heads: vec![0; CONVERSATIONS as usize], random: Random(7), sent: 0 };
    append_all(&log, CONVERSATIONS, |number| (number, world.created(number))).await?;
    let (written_before, cpu_before, began) = (bytes_written(Path::new(SELF))?, threads()?, Instant::now());
    let mut send = |_| {
        let conversation = world.random.conversation();
        (conversation, world.message(conversation))
    };
    append_all(&log, messages, &mut send).await?;
    println!("{messages} messages, {:.0} a second", messages as f64 / began.elapsed().as_secs_f64());
    while files(&folder.join("log"), ".seg")?.len() > merge_segments {
        tokio::time::sleep(Duration::from_millis(200)).await; // tidy: sleep because a merge tells nobody
    }
    let (written, payload) =
        (bytes_written(Path::new(SELF))? - written_before, (messages * BODY_BYTES as u64) as f64);
    println!("written {:.2} times the payload", written as f64 / payload);
    say_threads(&cpu_before, messages)?;
    let kept = |name: &str| size_of(&folder.join(name));
    let (log_bytes, index_bytes) = (kept("log")? - segment_bytes, kept("index")?);
    let of_payload = |bytes: u64| bytes as f64 / payload;
    let (log_part, index_part) = (of_payload(log_bytes), of_payload(index_bytes));
    println!("kept {:.2} times the payload: log {log_part:.2}, index {index_part:.2}", log_part + index_part);
    append_all(&log, TAIL.min(messages), &mut send).await?;
    std::process::abort()
}

/// Opens what the killed process has left, and reads pages.
async fn read(folder: &Path) -> Result<()> {
    let (cpu, began) = (process_cpu()?, Instant::now());
    let store = Store::open(folder, StoreOptions::default()).await?;
    let (took, cpu) = (began.elapsed().as_secs_f64(), process_cpu()? - cpu);
    let replayed = store.report().log.records;
    println!("start after the kill: {took:.2} s, {cpu:.2} s CPU, {replayed} records applied");
    store.close().await?;
    forget_cached(folder)?;
    let store = Store::open(folder, StoreOptions::default()).await?;
    forget_cached(folder)?;
    let log = store.ports().log;
    let mut random = Random(98);
    let mut slowest: Vec<Duration> = Vec::new();
    while slowest.len() < COLD_PAGES {
        let conversation = conversation_id(random.next() % LONG);
        let began = Instant::now();
        // Somewhere in it: what is not there is not read.
        let first = 1 + random.next() % 100;
        if log.read(conversation, first, first + PAGE - 1, usize::MAX).await?.len() == PAGE as usize {
            slowest.push(began.elapsed());
        }
    }
    slowest.sort_unstable();
    println!("cold page: median {:?}, worst {:?}", slowest[slowest.len() / 2], slowest[slowest.len() - 1]);
    let mut places = Vec::new();
    while places.len() < PAGES as usize {
        let conversation = conversation_id(random.next() % LONG);
        let Some(loaded) = log.load(conversation, 0).await? else { continue };
        if loaded.summary.head > PAGE {
            places.push((conversation, 1 + random.next() % (loaded.summary.head - PAGE)));
        }
    }
    read_pages(&log, &places).await?;
    // The second time everything is cached.
    let (cpu, began) = (process_cpu()?, Instant::now());
    let entries = read_pages(&log, &places).await?;
    let each = |seconds: f64| seconds / PAGES as f64 * 1e6;
    let (cpu, wall) = (each(process_cpu()? - cpu), each(began.elapsed().as_secs_f64()));
    println!("warm page of {} on average: {cpu:.0} µs CPU, {wall:.0} µs", entries / PAGES as usize);
    drop(log);
    store.close().await?;
    Ok(())
}

/// Reads a page from each of the places on; answers how many entries there were.
async fn read_pages(log: &Arc<dyn Log>, places: &[(ConversationId, u64)]) -> Result<usize> {
    let mut entries = 0;
    for (conversation, first) in places {
        entries += log.read(*conversation, *first, first + PAGE - 1, usize::MAX).await?.len();
    }
    Ok(entries)
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|file| Ok(file?.path()));
    let paths: Result<Vec<PathBuf>> = paths.collect();
    Ok(paths?.into_iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect())
}

/// What the files take on disk.
fn size_of(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for path in files(folder, "")? {
        bytes += std::fs::metadata(path)?.blocks() * 512;
    }
    Ok(bytes)
}

/// Lets the operating system forget what it has cached of the files.
fn forget_cached(folder: &Path) -> Result<()> {
    for name in ["log", "index"] {
        for path in files(&folder.join(name), "")? {
            let file = std::fs::File::open(path)?;
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

/// Bytes that a process or thread has caused to be written to disks.
fn bytes_written(path: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(path.join("io"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.ok_or("unreadable /proc/self/io")?.parse()?)
}

/// CPU seconds of a process or thread, user and system, from its `stat`.
fn cpu_of(path: &Path) -> Result<(String, f64)> {
    let stat = std::fs::read_to_string(path.join("stat"))?;
    let (name, fields) = stat.rsplit_once(") ").ok_or("unreadable stat")?;
    let name = name.split_once('(').map_or("", |(_, name)| name);
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    const TICKS_PER_SECOND: f64 = 100.0;
    Ok((name.to_owned(), ticks as f64 / TICKS_PER_SECOND))
}

fn process_cpu() -> Result<f64> {
    Ok(cpu_of(Path::new(SELF))?.1)
}

/// CPU seconds and bytes written of all threads, by name.
fn threads() -> Result<BTreeMap<String, (f64, u64)>> {
    let mut threads = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        // A thread may end while it is looked at.
        if let (Ok((name, seconds)), Ok(bytes)) = (cpu_of(&path), bytes_written(&path)) {
            let sum: &mut (f64, u64) = threads.entry(name).or_default();
            *sum = (sum.0 + seconds, sum.1 + bytes);
        }
    }
    Ok(threads)
}

fn say_threads(before: &BTreeMap<String, (f64, u64)>, messages: u64) -> Result<()> {
    for (name, (seconds, bytes)) in threads()? {
        let (seconds_before, bytes_before) = before.get(&name).copied().unwrap_or_default();
        let cpu = (seconds - seconds_before) / messages as f64 * 1e6;
        let written = (bytes - bytes_before) as f64 / messages as f64;
        println!("{name}: {cpu:.2} µs CPU and {written:.0} bytes written a message");
    }
    Ok(())
}
