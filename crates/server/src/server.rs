//! A server: every role of this node, put together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use suda_domain::ports::Ports;
use suda_domain::ports::activity::GatewayId;
use suda_domain::ports::jobs::Task;
use suda_proto::close::Close;
use suda_proto::{AccountId, Code, DeviceId, ErrorBody};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::activity::Noted;
use crate::api::app::AppKeys;
use crate::api::limit::Limiters;
use crate::clock::{Clock, Entropy};
use crate::host::{Hosts, Surroundings};
use crate::presence::{self, Presence};
use crate::secrets::Secrets;
use crate::session::wheel::{self, Wheel};
use crate::session::{QueueLimits, Registry};
use crate::settings::Settings;

/// How many broken connections are cleared away at the same time.
const PARTINGS: usize = 4;

/// What a server is made from.
pub struct Setup {
    /// Storage.
    pub ports: Ports,
    /// Settings.
    pub settings: Arc<Settings>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a server could not be made from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The cost of hashing passwords is outside what Argon2 allows.
    #[error("the password cost is not allowed: {0}")]
    PasswordCost(String),
    /// The app's keys are no JWK set.
    #[error("the app's keys cannot be used: {0}")]
    AppKeys(String),
}

/// Everything of this node that is shared by its connections.
pub struct Server {
    pub(crate) ports: Ports,
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) wheel: Arc<Wheel>,
    /// Connections that are cleared away at the same time.
    pub(crate) partings: Semaphore,
    pub(crate) secrets: Secrets,
    pub(crate) limiters: Limiters,
    pub(crate) app_keys: AppKeys,
    pub(crate) noted: Arc<Noted>,
    pub(crate) presence: Presence,
    /// This run of the process.
    pub(crate) gateway: GatewayId,
    hosts: Mutex<Option<Hosts>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    draining: watch::Sender<bool>,
}

impl Server {
    /// Starts the node's tasks. To be called within a tokio runtime.
    ///
    /// # Errors
    /// If the settings do not fit.
    pub fn start(setup: Setup) -> Result<Arc<Self>, SetupError> {
        let Setup { ports, settings, clock, entropy } = setup;
        let queue = QueueLimits { frames: settings.session_frames, bytes: settings.session_bytes };
        let presence = Presence::default();
        let registry = Registry::new(queue, settings.sessions, settings.device_sessions, presence.clone());
        let registry = Arc::new(registry);
        let surroundings = Arc::new(Surroundings {
            ports: ports.clone(),
            registry: Arc::clone(&registry),
            presence: presence.clone(),
            settings: Arc::clone(&settings),
            clock: Arc::clone(&clock),
        });
        let (hosts, tasks) = Hosts::start(&surroundings);
        let secrets = Secrets::new(Arc::clone(&entropy), settings.password_cost)
            .map_err(|error| SetupError::PasswordCost(error.to_string()))?;
        let server = Arc::new(Self {
            ports,
            limiters: Limiters::new(&settings),
            noted: Arc::default(),
            presence,
            gateway: GatewayId(entropy.uuid(clock.now()).into_bytes()),
            app_keys: AppKeys::read(&settings).map_err(SetupError::AppKeys)?,
            settings,
            clock,
            entropy,
            registry,
            wheel: Arc::default(),
            partings: Semaphore::new(PARTINGS),
            secrets,
            hosts: Mutex::new(Some(hosts)),
            tasks: Mutex::new(tasks),
            draining: watch::Sender::new(false),
        });
        tokio::spawn(wheel::run(Arc::downgrade(&server.wheel)));
        let surroundings = presence::Surroundings {
            settings: Arc::clone(&server.settings),
            clock: Arc::clone(&server.clock),
            gateway: server.gateway,
            noted: Arc::clone(&server.noted),
        };
        tokio::spawn(presence::run(server.presence.clone(), surroundings));
        let jobs = tokio::spawn(crate::jobs::run(Arc::clone(&server)));
        let sweep = tokio::spawn(crate::api::limit::sweep(Arc::clone(&server)));
        let activity = tokio::spawn(crate::activity::store(Arc::clone(&server)));
        server.lock_tasks().extend([jobs, sweep, activity]);
        Ok(server)
    }

    /// The public HTTP and WebSocket API; serve it with the connections' addresses
    /// (`into_make_service_with_connect_info::<SocketAddr>`). `pages` answers whatever is not under `/v1`, if there is
    /// anything.
    pub fn router(self: &Arc<Self>, pages: Option<axum::Router>) -> axum::Router {
        crate::api::router(self, pages)
    }

    /// The operator's API. It asks for no credentials: serve it only where nobody else can reach it.
    pub fn admin_router(self: &Arc<Self>) -> axum::Router {
        crate::api::admin::router(self)
    }

    /// Takes no new work, tells every session to connect elsewhere, and returns once everything accepted is stored, or
    /// after `deadline`.
    pub async fn drain(self: &Arc<Self>, deadline: Duration) {
        self.draining.send_replace(true);
        self.registry.close_all(Close::Draining);
        let tasks = std::mem::take(&mut *self.lock_tasks());
        let ended = async {
            self.registry.emptied().await;
            self.hosts.lock().unwrap_or_else(PoisonError::into_inner).take();
            for task in tasks {
                // A task that panicked has nothing left to store.
                drop(task.await);
            }
        };
        if tokio::time::timeout(deadline, ended).await.is_err() {
            tracing::warn!("draining took longer than its deadline");
        }
    }

    /// How many sessions are live.
    pub fn sessions(&self) -> usize {
        self.registry.count()
    }

    /// Whether the server is going down.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits until the server is going down.
    pub(crate) async fn drained(&self) {
        // The sender lives as long as the server, so waiting cannot fail.
        drop(self.draining.subscribe().wait_for(|draining| *draining).await);
    }

    /// The hosts.
    ///
    /// # Errors
    /// `draining` once the server is going down.
    pub(crate) fn hosts(&self) -> Result<Hosts, ErrorBody> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.clone().ok_or_else(|| Code::Draining.error())
    }

    /// Notes that a device was seen now.
    pub(crate) fn seen(&self, device: DeviceId) {
        self.noted.seen(device, self.clock.now());
    }

    /// Closes the sessions of devices that were logged out.
    pub(crate) fn revoke(&self, account: AccountId, devices: &[DeviceId], why: Close) {
        devices.iter().for_each(|device| self.registry.close(account, Some(*device), why));
    }

    /// What a job asks for, carried out.
    pub(crate) async fn carry_out(&self, job: &suda_domain::ports::jobs::Job) -> Result<(), ErrorBody> {
        match &job.task {
            Task::Set { account, key, value } => crate::jobs::set(self, job.id, *account, key, value).await,
            Task::EraseAccount { account } => crate::jobs::erase_account(self, job.id, *account).await,
        }
    }

    fn lock_tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wire's word for a storage failure; its details go to the log.
pub(crate) fn storage(failure: suda_domain::ports::Failure) -> ErrorBody {
    use suda_domain::ports::Failure;
    tracing::error!(%failure, "storage");
    match failure {
        Failure::Full => Code::StorageFull.error(),
        Failure::Unavailable(_) => Code::TimedOut.error(),
        Failure::Refused(_) | Failure::Damaged(_) => Code::Internal.error(),
    }
}
