//! One end of a WebSocket connection that never blocks: what it has read of a frame, and what it has still to write.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Bytes read from a socket at once; also the longest frame that is understood.
pub const READ_BYTES: usize = 1 << 20;
/// A buffer that has grown beyond this is given back when it is empty.
const KEEP_BYTES: usize = 16 * 1024;

/// A connection.
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come.
    partial: Vec<u8>,
    /// What is to be written.
    waiting: Vec<u8>,
    /// How much of it is.
    written: usize,
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// So many bytes are in the buffer, the earlier partial frame in front; more may be waiting in the system.
    More(usize),
    /// So many, and nothing is waiting.
    Drained(usize),
    /// The peer is gone.
    Ended,
}

impl Socket {
    /// Begins to connect; the socket is writable once it has. `from` chooses the source address 127.0.0.`from`, since
    /// one address has 28,000 ports.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn connect(to: SocketAddr, from: u8) -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        if to.ip().is_loopback() && to.is_ipv4() {
            rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, from.max(1)], 0)))?;
        }
        rustix::net::sockopt::set_tcp_nodelay(&socket, true)?;
        match rustix::net::connect(&socket, &to) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self::of(TcpStream::from(socket)))
    }

    /// A connection that was accepted.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn accepted(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self::of(stream))
    }

    const fn of(stream: TcpStream) -> Self {
        Self { stream, partial: Vec::new(), waiting: Vec::new(), written: 0 }
    }

    /// Has the connection reset when it is closed, so that its port is free at once instead of after a minute.
    pub fn reset_on_close(&self) {
        // Without it ports may run out, which is noticed then.
        let _ = rustix::net::sockopt::set_socket_linger(&self.stream, Some(std::time::Duration::ZERO));
    }

    /// What is to be written; whatever is appended goes out with the next [`Socket::flush`].
    pub fn out(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Writes as much as the system takes, in one call. Answers whether all of it is written.
    ///
    /// # Errors
    /// If the peer is gone.
    pub fn flush(&mut self) -> io::Result<bool> {
        if self.waiting.is_empty() {
            return Ok(true);
        }
        match self.stream.write(&self.waiting[self.written..]) {
            Ok(written) => self.written += written,
            Err(error) if is_later(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        if self.written < self.waiting.len() {
            return Ok(false);
        }
        self.written = 0;
        self.waiting.clear();
        if self.waiting.capacity() > KEEP_BYTES {
            self.waiting = Vec::new();
        }
        Ok(true)
    }

    /// Reads into `buffer`, which has [`READ_BYTES`], behind the partial frame.
    ///
    /// # Errors
    /// If the peer is gone, or sends a frame that does not fit.
    pub fn fill(&mut self, buffer: &mut [u8]) -> io::Result<Filled> {
        let have = self.partial.len();
        buffer[..have].copy_from_slice(&self.partial);
        self.partial.clear();
        let room = buffer.len() - have;
        if room == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match self.stream.read(&mut buffer[have..]) {
            Ok(0) => Ok(Filled::Ended),
            // Less than there was room for: the system has no more.
            Ok(read) if read < room => Ok(Filled::Drained(have + read)),
            Ok(read) => Ok(Filled::More(have + read)),
            Err(error) if is_later(&error) => Ok(Filled::Drained(have)),
            Err(error) => Err(error),
        }
    }

    /// Keeps the beginning of a frame until the rest comes.
    pub fn keep(&mut self, partial: &[u8]) {
        if partial.is_empty() {
            // An idle connection holds no memory.
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(partial);
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::NotConnected
    )
}
