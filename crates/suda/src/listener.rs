//! The public listener: accepts connections while there are files for them, and waits while there are none.
//!
//! Every connection holds a seat. Seats are fewer than the files that the process may open, so that storage always has
//! some. Without a free seat new connections wait in the kernel's queue; existing ones go on.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum_server::AddrListener;
use axum_server::Address;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long accepting rests when the system has no file or memory for a connection.
const REST: Duration = Duration::from_millis(100);
/// How often at most a shortage is logged.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

/// A listener that hands out seats.
pub struct SeatedListener {
    listener: TcpListener,
    seats: Arc<Semaphore>,
    complaints: Complaints,
}

impl SeatedListener {
    /// Listens with at most `seats` connections at once.
    pub fn new(listener: TcpListener, seats: usize) -> Self {
        let seats = Arc::new(Semaphore::new(seats));
        Self { listener, seats, complaints: Complaints::default() }
    }

    async fn seat(&self) -> OwnedSemaphorePermit {
        if self.seats.available_permits() == 0 {
            self.complaints.shortage("no seat is free: as many connections as open files permit");
        }
        let seat = Arc::clone(&self.seats).acquire_owned().await;
        seat.expect("the semaphore is never closed")
    }
}

impl AddrListener<Seated, Peer> for SeatedListener {
    async fn bind_to(peer: Peer) -> io::Result<Self> {
        let listener = TcpListener::bind(peer.0).await?;
        Ok(Self::new(listener, Semaphore::MAX_PERMITS))
    }

    async fn accept_stream(&self) -> io::Result<(Seated, Peer)> {
        let seat = self.seat().await;
        let (stream, address) = accept(|| self.listener.accept(), &self.complaints).await;
        // Small frames are what chat is made of; refused only when the peer is gone already.
        let _ = stream.set_nodelay(true);
        Ok((Seated { stream, _seat: seat }, Peer(address)))
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

/// Accepts a connection, however long it takes: resting while the system is short of something.
async fn accept<T, F>(next: impl Fn() -> F, complaints: &Complaints) -> T
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        match next().await {
            Ok(accepted) => return accepted,
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                complaints.shortage(&format!("cannot accept connections: {error}"));
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Whether only the connection that would have been accepted is lost.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Logs shortages, but not each of them.
#[derive(Default)]
struct Complaints {
    last: Mutex<Option<Instant>>,
}

impl Complaints {
    /// Logs `what` unless something was logged in the last minute; answers whether it did.
    fn shortage(&self, what: &str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < COMPLAINT_INTERVAL) {
            return false;
        }
        *last = Some(Instant::now());
        tracing::error!("{what}; new ones wait, existing ones go on; raise `ulimit -n` if this lasts");
        true
    }
}

/// Where a connection comes from. A type of its own, because axum-server ties listeners to address types.
#[derive(Clone, Debug)]
pub struct Peer(pub SocketAddr);

impl Address for Peer {
    type Stream = Seated;
    type Listener = SeatedListener;
}

impl Connected<Peer> for SocketAddr {
    fn connect_info(peer: Peer) -> Self {
        peer.0
    }
}

/// A connection and its seat.
pub struct Seated {
    stream: TcpStream,
    _seat: OwnedSemaphorePermit,
}

impl AsyncRead for Seated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Seated {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const NO_FILES: i32 = 24;

    #[tokio::test(start_paused = true)]
    async fn rests_while_no_file_is_left_and_then_goes_on() {
        let shortage = || Err(io::Error::from_raw_os_error(NO_FILES));
        let answers = RefCell::new(vec![Ok(7), shortage(), shortage(), shortage()]);
        let complaints = Complaints::default();
        let began = Instant::now();
        let next = || std::future::ready(answers.borrow_mut().pop().expect("asked once too often"));
        assert_eq!(accept(next, &complaints).await, 7);
        assert_eq!(began.elapsed(), 3 * REST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_gone_costs_no_rest() {
        let gone = Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        let answers = RefCell::new(vec![Ok(7), gone]);
        let began = Instant::now();
        let next = || std::future::ready(answers.borrow_mut().pop().expect("asked once too often"));
        assert_eq!(accept(next, &Complaints::default()).await, 7);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn complains_once_a_minute() {
        let complaints = Complaints::default();
        assert!(complaints.shortage("one"));
        assert!(!complaints.shortage("two"));
        tokio::time::advance(COMPLAINT_INTERVAL).await;
        assert!(complaints.shortage("three"));
    }

    #[tokio::test]
    async fn a_seat_is_free_again_when_its_connection_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let listener = SeatedListener::new(listener, 1);
        let _first = TcpStream::connect(address).await.expect("the first connects");
        let _second = TcpStream::connect(address).await.expect("the kernel queues the second");
        let (seated, _) = listener.accept_stream().await.expect("never an error");
        let mut next = Box::pin(listener.accept_stream());
        assert!(futures::poll!(&mut next).is_pending());
        drop(seated);
        next.await.expect("never an error");
    }
}
