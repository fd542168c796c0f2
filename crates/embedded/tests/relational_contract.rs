//! SQLite keeps the contracts of the relational ports, and what was deleted or secret is in no file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use sqlx::{ConnectOptions, Connection};
use suda_domain::ports::accounts::{Account, Change, Creation, NewAccount, Status};
use suda_domain::ports::activity::Activity;
use suda_domain::ports::contract::{
    Relational, Storage, accounts, activity, closing, contacts, credentials, devices, jobs,
};
use suda_domain::ports::devices::Device;
use suda_domain::ports::{Accounts, Activities, Devices, Failure, Jobs};
use suda_embedded::database::{Database, OpenError};
use suda_proto::rest::Audience;
use suda_proto::{AccountId, DeviceId};
use tempfile::TempDir;

/// A database in a folder of its own.
struct Folder {
    folder: TempDir,
    database: Option<Database>,
    /// Whether it is closed and opened wherever a suite asks for its ports.
    reopens: bool,
}

impl Folder {
    fn new(reopens: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, database: None, reopens }
    }
}

#[async_trait]
impl Storage for Folder {
    async fn ports(&mut self) -> Relational {
        let database = match self.database.take() {
            Some(database) if !self.reopens => database,
            before => {
                if let Some(before) = before {
                    before.close().await;
                }
                open(&file_in(self.folder.path())).await
            }
        };
        self.database = Some(database.clone());
        let database = Arc::new(database);
        Relational {
            accounts: database.clone(),
            devices: database.clone(),
            contacts: database.clone(),
            activity: database.clone(),
            jobs: database,
        }
    }
}

/// Much longer than any group of rules takes, even on a busy machine.
const STUCK: Duration = Duration::from_secs(120);

/// Runs a group of rules twice: on a database that stays open, and on one that is reopened between the calls.
macro_rules! suite {
    ($name:ident, $group:path) => {
        #[tokio::test]
        async fn $name() {
            for reopens in [false, true] {
                let mut folder = Folder::new(reopens);
                let run = tokio::time::timeout(STUCK, $group(&mut folder));
                run.await.expect("a call that never returned");
            }
        }
    };
}

suite!(accounts_creation, accounts::creation);
suite!(accounts_repeated_creation, accounts::repeated_creation);
suite!(accounts_unique_names, accounts::unique_names);
suite!(accounts_invitations, accounts::invitations);
suite!(accounts_search, accounts::search);
suite!(accounts_changes, accounts::changes);
suite!(accounts_changes_of_nobody, accounts::changes_of_nobody);
suite!(credentials_passwords, credentials::passwords);
suite!(credentials_recovery, credentials::recovery);
suite!(credentials_recovery_codes, credentials::recovery_codes);
suite!(closing_disabling, closing::disabling);
suite!(closing_deletion, closing::deletion);
suite!(closing_repeated_deletion, closing::repeated_deletion);
suite!(devices_adding, devices::adding);
suite!(devices_limit, devices::limit);
suite!(devices_inactive_accounts, devices::inactive_accounts);
suite!(devices_removing, devices::removing);
suite!(devices_touching, devices::touching);
suite!(contacts_transitions, contacts::transitions);
suite!(contacts_both_sides, contacts::both_sides);
suite!(contacts_among, contacts::among);
suite!(contacts_asking_at_once, contacts::asking_at_once);
suite!(contacts_limit, contacts::limit);
suite!(contacts_missing_accounts, contacts::missing_accounts);
suite!(activity_online_accounts, activity::online_accounts);
suite!(activity_gone_accounts, activity::gone_accounts);
suite!(activity_another_gateway, activity::another_gateway);
suite!(activity_forgotten_gateways, activity::forgotten_gateways);
suite!(activity_missing_accounts, activity::missing_accounts);
suite!(jobs_order, jobs::order);
suite!(jobs_postponing, jobs::postponing);
suite!(jobs_waiting, jobs::waiting);

fn file_in(folder: &Path) -> PathBuf {
    folder.join("suda.db")
}

async fn open(path: &Path) -> Database {
    Database::open(path).await.expect("open the database")
}

/// The `number`th account of a test, all its text marked with `marker`.
fn marked(number: u32, marker: &str) -> NewAccount {
    let id = |kind: u8| u128::from(number).to_be_bytes().map(|byte| byte ^ kind);
    let account = AccountId::from_bytes(id(1));
    let device = Device {
        id: DeviceId::from_bytes(id(2)),
        account,
        name: format!("device {marker}"),
        platform: "terminal".to_owned(),
        token_hash: [id(3), id(4)].concat().try_into().expect("32 bytes"),
        created_at: 1,
        last_active_at: 1,
    };
    let account = Account {
        id: account,
        name: marker.to_lowercase(),
        display_name: format!("display {marker}"),
        colour: 1,
        about: format!("about {marker} {}", "x".repeat(number as usize % 97)),
        data: Some(format!("{{\"data\":\"{marker}\"}}").into()),
        who_may_message: Audience::Everyone,
        who_may_add: Audience::Everyone,
        who_may_see: Audience::Everyone,
        language: "en".to_owned(),
        status: Status::Active,
        external_id: Some(format!("external {marker}")),
        password_hash: Some(format!("hash {marker}")),
        created_at: 1,
        recovery_codes_left: 0,
    };
    NewAccount { account, device: Some(device), recovery_hashes: vec![[7; 32]], invite_hash: None }
}

/// Whether `needle` is in any file of the folder.
fn is_in_a_file(folder: &Path, needle: &[u8]) -> bool {
    let mut files = std::fs::read_dir(folder).expect("the folder");
    files.any(|file| {
        let bytes = std::fs::read(file.expect("a file").path()).expect("read a file");
        bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
    })
}

fn marker(number: u32) -> String {
    format!("Marker-{:08x}-end", number.wrapping_mul(0x9e37_79b1))
}

/// The markers in the files of the folder, in lower case.
fn markers_in(folder: &Path) -> BTreeSet<String> {
    let (start, length) = ("marker-", marker(0).len());
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("read a file");
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let marked = text.match_indices(start);
        found.extend(marked.filter_map(|(at, _)| text.get(at..at + length).map(str::to_owned)));
    }
    found
}

#[tokio::test]
async fn a_deleted_account_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file_in(folder.path());
    let database = open(&path).await;
    let numbers = || 0..120_u32;
    for number in numbers() {
        let creation = database.create(marked(number, &marker(number))).await;
        assert_eq!(creation.expect("create"), Creation::Made);
    }
    // Rows that grow and shrink make pages split and merge, which leaves copies of rows in unused space.
    for (round, number) in (0..4).flat_map(|round| numbers().map(move |number| (round, number))) {
        let times = (number * 7 + round * 13) as usize % 60;
        let data = Some(Bytes::from(marker(number).repeat(1 + times)));
        let change = Change { data, ..Change::default() };
        let id = marked(number, "").account.id;
        database.change(id, change).await.expect("change");
    }
    let mut expected: BTreeSet<String> = numbers().map(|n| marker(n).to_lowercase()).collect();
    assert!(markers_in(folder.path()).is_superset(&expected));

    for number in numbers().filter(|number| number % 2 == 1) {
        let deleted = database.delete(marked(number, "").account.id).await;
        assert_eq!(deleted.expect("delete").len(), 1);
        expected.remove(&marker(number).to_lowercase());
    }
    // The erasure is still due after a restart.
    database.close().await;
    let database = open(&path).await;
    database.erase_free_space().await.expect("erase free space");
    assert_eq!(markers_in(folder.path()), expected);
    database.check().await.expect("an intact database");
}

#[tokio::test]
async fn a_token_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(&file_in(folder.path())).await;
    let token = b"a token that nobody else may know";
    let mut new = marked(1, "ada");
    let hash: [u8; 32] = Sha256::digest(token).into();
    new.device.as_mut().expect("its device").token_hash = hash;
    database.create(new).await.expect("create");

    assert!(database.find_by_token(hash).await.expect("find by token").is_some());
    assert!(is_in_a_file(folder.path(), &hash), "its hash is stored");
    assert!(!is_in_a_file(folder.path(), token), "the token is not");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file_in(folder.path());
    open(&path).await.close().await;
    run_sql(&path, "PRAGMA user_version = 1000").await;

    let error = Database::open(&path).await.expect_err("a database of a later version");
    assert!(matches!(error, OpenError::Newer { found: 1000, known: 3, .. }), "{error}");

    run_sql(&path, "PRAGMA user_version = 3").await;
    open(&path).await.check().await.expect("an intact database");
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file_in(folder.path());
    let database = open(&path).await;
    let ada = marked(1, "ada");
    database.create(ada.clone()).await.expect("create");
    database.close().await;
    run_sql(
        &path,
        "DROP TABLE activity;
         DROP TABLE gateways;
         ALTER TABLE accounts DROP COLUMN who_may_see;
         DELETE FROM _sqlx_migrations WHERE version > 1;
         PRAGMA user_version = 1",
    )
    .await;

    let database = open(&path).await;
    let found = database.find(&[ada.account.id]).await.expect("find");
    assert_eq!(found, [Account { recovery_codes_left: 1, ..ada.account }], "everybody may see it");
    database.check().await.expect("an intact database");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file_in(folder.path());
    let content = "something else ".repeat(1000);
    std::fs::write(&path, &content).expect("write a file");

    let error = Database::open(&path).await.expect_err("no database");
    assert!(matches!(error, OpenError::Engine { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("read the file"), content);
}

#[tokio::test]
async fn a_copy_is_whole_and_stays_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(&file_in(folder.path())).await;
    let [before, after] = [marked(1, "before"), marked(2, "after")];
    database.create(before.clone()).await.expect("create");
    let seen = [(before.account.id, Activity::Offline { at: 7 })];
    database.store(&seen).await.expect("store activity");
    let path = folder.path().join("copy.db");
    database.copy_to(&path).await.expect("copy");
    database.create(after.clone()).await.expect("create");

    let again = database.copy_to(&path).await.expect_err("a copy onto a file");
    assert!(matches!(again, Failure::Unavailable(_)), "{again}");
    let copy = open(&path).await;
    copy.check().await.expect("an intact copy");
    let found = copy.find(&[before.account.id, after.account.id]).await.expect("find");
    assert_eq!(found, [Account { recovery_codes_left: 1, ..before.account.clone() }]);
    let devices = copy.list(before.account.id).await.expect("list devices");
    assert_eq!(devices, before.device.as_slice());
    assert_eq!(copy.due(0, 9).await.expect("due").len(), 1, "promises are copied too");
    let active = copy.last_active(&[before.account.id]).await.expect("read the last activity");
    assert_eq!(active, [(before.account.id, 7)]);
}

#[tokio::test]
async fn a_check_finds_rows_that_belong_to_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file_in(folder.path());
    let database = open(&path).await;
    database.create(marked(1, "ada")).await.expect("create");
    database.check().await.expect("an intact database");
    database.close().await;
    run_sql(&path, "PRAGMA foreign_keys = OFF; DELETE FROM accounts").await;

    let error = open(&path).await.check().await.expect_err("a device without an account");
    assert!(matches!(error, Failure::Damaged(_)), "{error}");
}

#[tokio::test]
async fn a_check_finds_damaged_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file_in(folder.path());
    let database = open(&path).await;
    database.create(marked(1, "ada")).await.expect("create");
    database.close().await;
    let mut bytes = std::fs::read(&path).expect("read the database");
    let needle = b"external ada";
    let at = bytes.windows(needle.len()).rposition(|window| window == needle).expect("the text");
    bytes[at] = b'f';
    std::fs::write(&path, bytes).expect("write the database");

    let error = open(&path).await.check().await.expect_err("a row that its index contradicts");
    assert!(matches!(error, Failure::Damaged(_)), "{error}");
}

/// Runs statements on a database file as another program would.
async fn run_sql(path: &Path, statements: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.expect("connect");
    sqlx::raw_sql(statements).execute(&mut connection).await.expect("run the statements");
    connection.close().await.expect("close");
}
