//! A schema of its own in the PostgreSQL at `SUDA_TEST_POSTGRES`, for one test.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use suda_cluster::database::{Database, Settings, migrate};
use suda_domain::ports::contract::{Relational, Storage};
use uuid::Uuid;

mod losing;
pub mod proxy;

/// Much longer than any group of rules takes, even on a busy machine.
pub const STUCK: Duration = Duration::from_secs(120);

/// A schema that nobody else uses.
pub struct Schema {
    pub name: String,
}

impl Schema {
    /// Makes it, without tables.
    pub async fn empty() -> Self {
        let schema = Self { name: format!("test_{}", Uuid::now_v7().simple()) };
        schema.run(&format!("CREATE SCHEMA {}", schema.name)).await;
        schema
    }

    /// Makes it, with tables.
    pub async fn new() -> Self {
        let schema = Self::empty().await;
        migrate(&schema.settings(2)).await.expect("migrate");
        schema
    }

    /// How a node finds it; its connections are called after it.
    pub fn settings(&self, connections: u32) -> Settings {
        self.settings_at(&address(), connections)
    }

    /// How a node finds it at another address.
    pub fn settings_at(&self, address: &str, connections: u32) -> Settings {
        let sign = if address.contains('?') { '&' } else { '?' };
        let name = &self.name;
        let address = format!("{address}{sign}options[search_path]={name}&application_name={name}");
        Settings::new(&address, connections).expect("an address")
    }

    /// A node's use of it.
    pub async fn open(&self) -> Database {
        Database::connect(&self.settings(4)).await.expect("connect")
    }

    /// Runs statements as another program would.
    pub async fn run(&self, statements: &str) {
        let mut connection = self.connection().await;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.expect("run the statements");
        connection.close().await.expect("close");
    }

    /// A number that a statement asks for.
    pub async fn number(&self, statement: &str) -> i64 {
        let mut connection = self.connection().await;
        let number = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut connection).await;
        connection.close().await.expect("close");
        number.expect("a number")
    }

    /// Removes it. Schemas of tests that failed stay, to be looked at.
    pub async fn remove(self) {
        self.run(&format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", self.name)).await;
    }

    async fn connection(&self) -> PgConnection {
        let options: PgConnectOptions = address().parse().expect("an address");
        let options = options.options([("search_path", &self.name)]);
        options.connect().await.expect("connect to SUDA_TEST_POSTGRES")
    }
}

/// Where PostgreSQL is.
pub fn address() -> String {
    let help = "set SUDA_TEST_POSTGRES to a database for tests, such as postgres://suda@127.0.0.1:15432/suda";
    std::env::var("SUDA_TEST_POSTGRES").expect(help)
}

/// One node's storage for a contract suite.
pub struct Node {
    settings: Settings,
    database: Option<Database>,
    /// Whether it is closed and opened wherever a suite asks for its ports.
    reopens: bool,
}

impl Node {
    pub fn new(settings: Settings, reopens: bool) -> Self {
        Self { settings, database: None, reopens }
    }

    pub async fn close(self) {
        if let Some(database) = self.database {
            database.close().await;
        }
    }

    /// Connects; over a bad line not always at the first attempt.
    async fn connect(&self) -> Database {
        for _ in 0..20 {
            if let Ok(database) = Database::connect(&self.settings).await {
                return database;
            }
        }
        Database::connect(&self.settings).await.expect("connect")
    }
}

#[async_trait]
impl Storage for Node {
    async fn ports(&mut self) -> Relational {
        let database = match self.database.take() {
            Some(database) if !self.reopens => database,
            before => {
                if let Some(before) = before {
                    before.close().await;
                }
                self.connect().await
            }
        };
        self.database = Some(database.clone());
        ports(database)
    }
}

/// The ports to a database.
pub fn ports(database: Database) -> Relational {
    let database = std::sync::Arc::new(database);
    Relational {
        accounts: database.clone(),
        devices: database.clone(),
        contacts: database.clone(),
        activity: database.clone(),
        jobs: database,
    }
}
