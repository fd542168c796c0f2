//! `suda serve`: everything in one process, from an empty folder to a drained one.

use std::net::SocketAddr;
use std::time::SystemTime;

use axum_server::Handle;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::admin::socket::AdminSocket;
use crate::config::Config;
use crate::file_limit;
use crate::listener::{Peer, SeatedListener};
use crate::stop::{Stop, while_trying};
use crate::storage::Storage;
use crate::tls::Certificate;

/// How long a client may take to send the head of a request, an idle connection included.
const HEAD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// Most bytes of a request's head, and of what is read ahead of it.
const HEAD_BYTES: usize = 32 * 1024;

/// Serves until a signal asks it to stop.
pub fn run(config: &Config) -> Result<(), Stop> {
    let connections = file_limit::raise(config.server.sessions);
    let runtime = Builder::new_multi_thread().worker_threads(threads(config)).enable_all().build();
    runtime.map_err(while_trying("start threads"))?.block_on(serve(config, connections))
}

/// How many threads serve: more of them than processors left beside storage only wake each other.
fn threads(config: &Config) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if config.threads > 0 { config.threads } else { processors.saturating_sub(1).max(1) }
}

async fn serve(config: &Config, connections: usize) -> Result<(), Stop> {
    let mut signals = Signals::catch().map_err(while_trying("catch signals"))?;
    // Caught in any case: whoever means "read your files again" does not want the server to end.
    let hangup = signal(SignalKind::hangup()).map_err(while_trying("catch signals"))?;
    let certificate = certificate(config)?;
    let address = resolve(&config.listen).await?;
    refuse_exposure(config, address)?;
    let mut settings = config.settings()?;
    settings.sessions = settings.sessions.min(connections);

    let storage = Storage::open(config).await?;
    warn_of_clock(storage.latest());
    let server = storage.serve(settings)?;
    let listener = bind(&config.listen, address).await?;
    let address = listener.local_addr().map_err(while_trying("ask for the address"))?;
    let admin = AdminSocket::open(&config.data, storage.admin_routes(&server));
    let listener = SeatedListener::new(listener, connections);
    let handle = Handle::new();
    let pages = config.web.then(suda_web::pages);
    let public = spawn_public(listener, server.router(pages), certificate.as_ref(), handle.clone());
    let following = certificate.map(|certificate| tokio::spawn(certificate.follow(hangup)));
    crate::print(&banner(config, address))?;

    signals.asked_to_stop().await;
    tracing::info!("stopping: sessions move on, what was accepted is stored");
    let drained = async {
        handle.graceful_shutdown(Some(config.drain));
        server.drain(config.drain).await;
        // A panic in the listener's task has been reported when it happened.
        let _ = public.await;
    };
    tokio::select! {
        () = drained => {}
        () = signals.asked_to_stop() => tracing::warn!("asked again to stop: not waiting for sessions"),
    }
    following.inspect(JoinHandle::abort);
    admin.close().await;
    drop(server);
    storage.close().await
}

/// The certificate, if there is one.
fn certificate(config: &Config) -> Result<Option<Certificate>, Stop> {
    let pair = config.tls_cert.as_deref().zip(config.tls_key.as_deref());
    Ok(pair.map(|(cert, key)| Certificate::read(cert, key)).transpose()?)
}

async fn resolve(listen: &str) -> Result<SocketAddr, Stop> {
    let bad = |source| Stop::BadAddress { listen: listen.to_owned(), source };
    let mut addresses = tokio::net::lookup_host(listen).await.map_err(bad)?;
    addresses.next().ok_or_else(|| bad(std::io::ErrorKind::NotFound.into()))
}

fn refuse_exposure(config: &Config, address: SocketAddr) -> Result<(), Stop> {
    if address.ip().is_loopback() || config.tls_cert.is_some() || config.insecure {
        return Ok(());
    }
    Err(Stop::Exposed(config.listen.clone()))
}

async fn bind(listen: &str, address: SocketAddr) -> Result<TcpListener, Stop> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => Stop::AddressInUse(listen.to_owned()),
        _ => Stop::Listen { listen: listen.to_owned(), source },
    })
}

/// A clock that was set back is no danger, since stored times never decrease, but people should know.
fn warn_of_clock(latest: u64) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    if let Some(seconds) = seconds_behind(now, latest) {
        tracing::warn!(
            "the clock is {seconds} s behind the newest stored message: it was set back, or was ahead before; \
             the time of new messages stands still until it has caught up"
        );
    }
}

/// How far the clock is behind what is stored, both in milliseconds; within a second all is well.
fn seconds_behind(now: u64, latest: u64) -> Option<u64> {
    Some(latest.saturating_sub(now) / 1_000).filter(|seconds| *seconds > 0)
}

fn spawn_public(
    listener: SeatedListener,
    router: axum::Router,
    certificate: Option<&Certificate>,
    handle: Handle<Peer>,
) -> JoinHandle<std::io::Result<()>> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut public = axum_server::Server::<Peer>::from_listener(listener).handle(handle);
    // Without HTTP/2 a connection need not be looked at first, and the head's timeout covers all of it.
    *public.http_builder() = auto::Builder::new(TokioExecutor::new()).http1_only();
    let mut http = public.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES);
    match certificate {
        None => tokio::spawn(public.serve(service)),
        Some(certificate) => {
            let acceptor = axum_server::tls_rustls::RustlsAcceptor::new(certificate.served());
            tokio::spawn(public.acceptor(acceptor).serve(service))
        }
    }
}

/// What the operator is told: where it is, and where to go next.
fn banner(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls_cert.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    let data = config.data.display();
    let kept = match config.cluster.is_on {
        true => "in the cluster's engines; this folder has the admin socket",
        false => "everything is in this folder",
    };
    let back_up = match config.cluster.is_on {
        true => "see docs/operating/cluster.md".to_owned(),
        false => format!("suda backup --data {data} --to FOLDER"),
    };
    let open = match (config.web, suda_web::is_built()) {
        (true, true) => format!("  open     {url} in a browser\n"),
        (true, false) => format!("  open     {url} says how to build the web client\n"),
        (false, _) => String::new(),
    };
    format!(
        "suda listens on {url}\n\
         {open}\
         \x20 data     {data} ({kept})\n\
         \x20 chat     suda chat --server {url}\n\
         \x20 manage   suda admin --data {data} --help\n\
         \x20 back up  {back_up}\n\
         \x20 set up   suda config; docs/operating/configuration.md explains every key\n\
         \x20 stop     Ctrl-C\n"
    )
}

/// The signals that ask to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on these signals do not end the process by themselves.
    fn catch() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt })
    }

    async fn asked_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_is_noticed() {
        assert_eq!(seconds_behind(10_000, 5_000), None);
        assert_eq!(seconds_behind(10_000, 10_999), None);
        assert_eq!(seconds_behind(10_000, 3_610_000), Some(3_600));
    }
}
