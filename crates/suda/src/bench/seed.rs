//! Fills a data folder before its server starts: accounts with devices, and conversations, straight through the ports.
//!
//! Ids and tokens follow from numbers, so that a folder that is kept can be used again.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use suda_domain::entry::{Entry, Envelope};
use suda_domain::ports::accounts::{Account, NewAccount, Status};
use suda_domain::ports::devices::Device;
use suda_domain::ports::log::{Append, AppendError, Log};
use suda_domain::ports::{Accounts, Devices, Failure, Jobs, Ports};
use suda_embedded::database::Database;
use suda_embedded::store::{Store, StoreOptions};
use suda_proto::entry::{ConversationKind, CreatedBody, SettingsBody};
use suda_proto::ids::derived;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, ClientId, ConversationId, DeviceId, Kind, Raw};
use suda_server::secrets::hash_secret;

use super::error::{BenchError, while_trying};
use super::progress::Bar;

/// How many appends are under way at once.
const AT_ONCE: usize = 1_024;
/// The pause after the log said that too much waits.
const PAUSE: Duration = Duration::from_millis(5);
/// What a seeded folder is known by.
const MANIFEST: &str = "bench.json";
/// A folder in memory, if there is one: thousands of small transactions need no disk before anybody relies on them.
const MEMORY: &str = "/dev/shm";
/// Jobs are due when they are promised; a day is more than clocks differ, in milliseconds.
const A_DAY_MS: u64 = 86_400_000;
/// How many jobs are read at once.
const JOBS: u32 = 1_000;

/// Who there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// How many accounts.
    pub accounts: u32,
    /// How many devices each has.
    pub devices: u32,
}

/// A conversation to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its members by number; two of a direct conversation.
    pub members: Vec<u32>,
    /// What it is.
    pub kind: ConversationKind,
    /// Tells groups of the same owner apart.
    pub number: u32,
}

impl Planned {
    /// The direct conversation of two accounts.
    pub fn direct(first: u32, second: u32) -> Self {
        Self { members: vec![first, second], kind: ConversationKind::Direct, number: 0 }
    }

    /// A group.
    pub const fn group(members: Vec<u32>, number: u32) -> Self {
        Self { members, kind: ConversationKind::Group, number }
    }

    /// Its id.
    pub fn id(&self) -> ConversationId {
        match (self.kind, &self.members[..]) {
            (ConversationKind::Direct, [first, second]) => {
                ConversationId::direct(account(*first), account(*second))
            }
            _ => ConversationId::group(account(self.members[0]), self.client_id()),
        }
    }

    fn client_id(&self) -> ClientId {
        ClientId::caused_by(
            "suda.bench.created",
            &[account(self.members[0]).bytes(), &self.number.to_be_bytes()],
        )
    }

    /// Its first entry.
    pub fn created(&self, at: u64) -> Entry {
        let title = (self.kind == ConversationKind::Group).then(|| format!("Group {}", self.number));
        let body = CreatedBody {
            kind: self.kind,
            members: self.members.iter().map(|member| account(*member)).collect(),
            settings: SettingsBody { title, ..SettingsBody::default() },
        };
        let envelope = Envelope {
            seq: 1,
            at,
            kind: Kind::Created,
            author: account(self.members[0]),
            client_id: self.client_id(),
            ordinal: 0,
            target: None,
            mentions: Vec::new(),
        };
        Entry { envelope, body: Some(Raw::of(&body).bytes().clone()) }
    }
}

/// A message of a seeded conversation.
pub fn message(author: u32, seq: u64, at: u64, text: &str) -> Entry {
    let body = serde_json::json!({ "type": "text", "text": text });
    let number = seq.to_be_bytes();
    let envelope = Envelope {
        seq,
        at,
        kind: Kind::Message,
        author: account(author),
        client_id: ClientId::caused_by("suda.bench.message", &[account(author).bytes(), &number]),
        ordinal: seq - 1,
        target: None,
        mentions: Vec::new(),
    };
    Entry { envelope, body: Some(Raw::of(&body).bytes().clone()) }
}

/// The id of the account with this number.
pub fn account(number: u32) -> AccountId {
    AccountId(derived("suda.bench.account", &[&number.to_be_bytes()]))
}

/// The token of a device, by the number of its account and its own.
pub fn token(account: u32, device: u32) -> String {
    let half = |part: u8| {
        let parts: [&[u8]; 3] = [&account.to_be_bytes(), &device.to_be_bytes(), &[part]];
        derived("suda.bench.token", &parts).simple().to_string()
    };
    let mut token = half(0) + &half(1);
    // As long as the server's own.
    token.truncate(43);
    token
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}

/// Whether the folder is already filled as `shape` says.
///
/// # Errors
/// If it is filled in another way.
pub fn is_filled(data: &Path, shape: &impl Serialize) -> Result<bool, BenchError> {
    let is_empty = match fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(while_trying("read the data folder")(error)),
    };
    if is_empty {
        return Ok(false);
    }
    let found = fs::read_to_string(data.join(MANIFEST)).ok();
    let found = found.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    if found.is_some() && found == serde_json::to_value(shape).ok() {
        return Ok(true);
    }
    Err(BenchError::OtherFolder(data.to_owned()))
}

/// Notes that the folder is filled as `shape` says.
///
/// # Errors
/// If it cannot be written.
pub fn note_filled(data: &Path, shape: &impl Serialize) -> Result<(), BenchError> {
    let text = serde_json::to_string(shape).map_err(|error| while_trying("write")(error.into()))?;
    fs::write(data.join(MANIFEST), text).map_err(while_trying("write into the data folder"))
}

/// Makes the accounts and their devices.
///
/// # Errors
/// If they cannot be stored.
pub async fn make_accounts(data: &Path, cast: &Cast) -> Result<(), BenchError> {
    fs::create_dir_all(data).map_err(while_trying("make the data folder"))?;
    let bar = Bar::counting("making accounts", u64::from(cast.accounts));
    let memory = Path::new(MEMORY).is_dir().then(|| Scratch::new(MEMORY));
    let folder = memory.as_ref().map_or(data, |scratch| scratch.0.as_path());
    let file = folder.join("suda.db");
    let database = Database::open(&file).await?;
    for number in 0..cast.accounts {
        make_account(&database, number, cast.devices).await?;
        bar.advance(1);
    }
    database.close().await;
    if memory.is_some() {
        fs::copy(&file, data.join("suda.db")).map_err(while_trying("write into the data folder"))?;
    }
    Ok(())
}

async fn make_account(database: &Database, number: u32, devices: u32) -> Result<(), Failure> {
    let new = Account {
        id: account(number),
        name: format!("bench.{number:06}"),
        display_name: format!("Bench {number}"),
        colour: (number % 360) as u16,
        about: String::new(),
        data: None,
        who_may_message: Audience::Everyone,
        who_may_add: Audience::Everyone,
        who_may_see: Audience::Everyone,
        language: "en".to_owned(),
        status: Status::Active,
        external_id: None,
        // Nobody logs in by password: the devices are there.
        password_hash: None,
        created_at: now_ms(),
        recovery_codes_left: 0,
    };
    let first = (devices > 0).then(|| device(number, 0));
    let new = NewAccount { account: new, device: first, recovery_hashes: Vec::new(), invite_hash: None };
    database.create(new).await?;
    for other in 1..devices {
        database.add(device(number, other), devices).await?;
    }
    forget_jobs(database).await
}

/// Otherwise the server would tell each account's devices of each other, during the bench.
async fn forget_jobs(database: &Database) -> Result<(), Failure> {
    let due = database.due(now_ms() + A_DAY_MS, JOBS).await?;
    for job in due {
        database.finish(job.id).await?;
    }
    Ok(())
}

/// Gives these accounts their first devices again, where they were logged out.
///
/// # Errors
/// If they cannot be stored.
pub async fn renew_devices(data: &Path, accounts: Range<u32>) -> Result<(), BenchError> {
    let database = Database::open(&data.join("suda.db")).await?;
    for number in accounts {
        database.add(device(number, 0), 1).await?;
        forget_jobs(&database).await?;
    }
    database.close().await;
    Ok(())
}

fn device(account_number: u32, number: u32) -> Device {
    let parts: [&[u8]; 2] = [&account_number.to_be_bytes(), &number.to_be_bytes()];
    Device {
        id: DeviceId(derived("suda.bench.device", &parts)),
        account: account(account_number),
        name: "Bench".to_owned(),
        platform: "bench".to_owned(),
        token_hash: hash_secret(&token(account_number, number)),
        created_at: now_ms(),
        last_active_at: now_ms(),
    }
}

/// A store that is being filled.
pub struct Filling {
    store: Store,
    ports: Ports,
}

impl Filling {
    /// Opens the folder, which has its accounts.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn open(data: &Path) -> Result<Self, BenchError> {
        let store = Store::open(data, StoreOptions::default()).await?;
        let ports = store.ports();
        Ok(Self { store, ports })
    }

    /// Appends, many conversations at once, each of which is in `appends` once.
    ///
    /// # Errors
    /// If the disk refuses.
    pub async fn append(
        &self,
        bar: &Bar,
        appends: impl IntoIterator<Item = Append>,
    ) -> Result<(), BenchError> {
        stream::iter(appends)
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, |append| async move {
                self.append_one(append).await?;
                bar.advance(1);
                Ok(())
            })
            .await
    }

    /// Appends to one conversation.
    ///
    /// # Errors
    /// If the disk refuses.
    pub async fn append_one(&self, append: Append) -> Result<(), BenchError> {
        append_when_possible(self.ports.log.as_ref(), append).await
    }

    /// Makes conversations.
    ///
    /// # Errors
    /// If the disk refuses.
    pub async fn make(
        &self,
        conversations: impl ExactSizeIterator<Item = Planned>,
    ) -> Result<(), BenchError> {
        let bar = Bar::counting("making conversations", conversations.len() as u64);
        let at = now_ms();
        let append = |planned: Planned| Append {
            conversation: planned.id(),
            after: 0,
            entries: vec![planned.created(at)],
            marks: Vec::new(),
        };
        self.append(&bar, conversations.map(append)).await
    }

    /// Writes the index and lets go of the folder.
    ///
    /// # Errors
    /// If the disk refuses.
    pub async fn close(self) -> Result<(), BenchError> {
        drop(self.ports);
        Ok(self.store.close().await?)
    }
}

async fn append_when_possible(log: &dyn Log, append: Append) -> Result<(), BenchError> {
    loop {
        match log.append(append.clone()).await {
            Ok(()) | Err(AppendError::Conflict { .. }) => return Ok(()),
            Err(AppendError::Overloaded) => tokio::time::sleep(PAUSE).await,
            Err(AppendError::Failure(failure)) => return Err(failure.into()),
        }
    }
}

/// A folder that is removed with this.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A name in `parent` that nobody else has; the folder is made.
    pub fn new(parent: impl AsRef<Path>) -> Self {
        let name = format!("suda-bench-{}-{:08x}", std::process::id(), rand::random::<u32>());
        let path = parent.as_ref().join(name);
        // What cannot be made is noticed when it is used.
        let _ = fs::create_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder in the way is better than a panic.
        let _ = fs::remove_dir_all(&self.0);
    }
}
