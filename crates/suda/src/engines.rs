//! The engines of a cluster: connects a node to them, and prepares them (`suda migrate`).

use std::sync::Arc;

use suda_cluster::conversation_log::{ConversationLog, ConversationLogOptions};
use suda_cluster::database::{self, Claim, Database};
use suda_cluster::schema::Layout;
use suda_cluster::session::prepare_tables;
use suda_domain::ports::Ports;

use crate::config::{Cluster, Config};
use crate::progress::Progress;
use crate::stop::Stop;

/// A node's connections to its engines.
pub struct Engines {
    database: Database,
    log: ConversationLog,
    _claim: Claim,
}

impl Engines {
    /// Connects to the configured engines.
    pub async fn open(config: &Config) -> Result<Self, Stop> {
        let settings = general_data(&config.cluster)?;
        let connecting = async {
            let database = Database::connect(&settings).await?;
            let claim = database::claim(&settings).await?;
            let log = ConversationLog::open(&conversations(&config.cluster)).await?;
            Ok::<_, Stop>(Self { database, log, _claim: claim })
        };
        Progress::of("connecting to PostgreSQL and Cassandra").until(connecting).await
    }

    /// The ports to them.
    pub fn ports(&self) -> Ports {
        let database = Arc::new(self.database.clone());
        let log = Arc::new(self.log.clone());
        Ports {
            log: log.clone(),
            inbox: log,
            accounts: database.clone(),
            devices: database.clone(),
            contacts: database.clone(),
            activity: database.clone(),
            jobs: database,
        }
    }

    /// Lets go of what this node has in hand, and of its connections.
    pub async fn close(self) {
        self.database.close().await;
    }
}

/// Makes the engines' schemas, or brings them up to date.
pub fn migrate(config: &Config) -> Result<(), Stop> {
    if !config.cluster.is_on {
        return Err(Stop::Refused(
            "there is nothing to migrate: a data folder is brought up to date by `suda serve`. For a cluster set \
             `mode = \"cluster\"` and where its engines are; see docs/operating/cluster.md"
                .to_owned(),
        ));
    }
    let settings = general_data(&config.cluster)?;
    let Cluster { keyspace, replication, .. } = config.cluster.clone();
    let layout = Layout { keyspace, replication };
    let (found, now) = crate::block_on(async {
        let migrating = database::migrate_with(&settings, async {
            prepare_tables(&conversations(&config.cluster), &layout).await.map_err(Stop::from)
        });
        Progress::of("migrating").until(migrating).await
    })?;
    let general =
        if found == now { format!("has schema {now} already") } else { format!("now has schema {now}") };
    crate::print(&format!("PostgreSQL {general}; Cassandra's tables are there\n"))
}

fn general_data(cluster: &Cluster) -> Result<database::Settings, Stop> {
    Ok(database::Settings::new(&cluster.postgres, cluster.postgres_connections)?)
}

fn conversations(cluster: &Cluster) -> ConversationLogOptions {
    ConversationLogOptions {
        nodes: cluster.cassandra.clone(),
        keyspace: cluster.keyspace.clone(),
        datacenter: Some(cluster.datacenter.clone()).filter(|name| !name.is_empty()),
    }
}
