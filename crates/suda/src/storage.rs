//! What a server keeps everything in: a data folder, or the engines of a cluster.

use std::fs::{File, OpenOptions};
use std::sync::Arc;

use axum::Router;
use suda_domain::ports::Ports;
use suda_server::clock::{SystemClock, SystemEntropy};
use suda_server::settings::Settings;
use suda_server::{Server, Setup};

use crate::admin;
use crate::config::Config;
use crate::engines::Engines;
use crate::folder::Folder;
use crate::stop::{Stop, while_trying};

/// Where a server keeps everything.
pub enum Storage {
    /// One folder.
    Folder(Folder),
    /// Engines; of the data folder only the admin socket is used.
    Engines {
        /// The connections.
        engines: Engines,
        /// Held by the process whose admin socket stands in the folder.
        _lock: File,
    },
}

impl Storage {
    /// Opens what is configured.
    pub async fn open(config: &Config) -> Result<Self, Stop> {
        if !config.cluster.is_on {
            return Ok(Self::Folder(Folder::open(config).await?));
        }
        let lock = lock(config)?;
        Ok(Self::Engines { engines: Engines::open(config).await?, _lock: lock })
    }

    /// Starts a server on it.
    pub fn serve(&self, settings: Settings) -> Result<Arc<Server>, Stop> {
        match self {
            Self::Folder(folder) => folder.serve(settings),
            Self::Engines { engines, .. } => serve(engines.ports(), settings),
        }
    }

    /// A time not before any message that is known to be stored, milliseconds since 1970.
    pub fn latest(&self) -> u64 {
        match self {
            Self::Folder(folder) => folder.latest(),
            Self::Engines { .. } => 0,
        }
    }

    /// What can be asked on the admin socket.
    pub fn admin_routes(&self, server: &Arc<Server>) -> Router {
        match self {
            Self::Folder(folder) => admin::routes(server, folder.store()),
            Self::Engines { .. } => server.admin_router(),
        }
    }

    /// Stores what waits, and lets go of it.
    pub async fn close(self) -> Result<(), Stop> {
        match self {
            Self::Folder(folder) => folder.close().await,
            Self::Engines { engines, .. } => {
                engines.close().await;
                Ok(())
            }
        }
    }
}

/// Starts a server over ports.
pub fn serve(ports: Ports, settings: Settings) -> Result<Arc<Server>, Stop> {
    let setup = Setup {
        clock: Arc::new(SystemClock::starting_at(ports.log.latest())),
        entropy: Arc::new(SystemEntropy),
        settings: Arc::new(settings),
        ports,
    };
    Ok(Server::start(setup)?)
}

fn lock(config: &Config) -> Result<File, Stop> {
    std::fs::create_dir_all(&config.data).map_err(while_trying("make the data folder"))?;
    let path = config.data.join("lock");
    let lock =
        OpenOptions::new().create(true).append(true).open(path).map_err(while_trying("open the lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => Err(Stop::FolderInUse(config.data.clone())),
    }
}
