//! A WebSocket connection: messages in, frames out. It holds no buffer while nothing is under way: reads and writes go
//! through buffers of their thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::decoder::{Decoded, Decoder, Message, Violation};
use crate::session::Frame;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// What a thread's write buffer keeps between writes, in bytes.
const WRITE: usize = 64 * 1024;

/// How long a closed connection is read on, so that what the client still sent does not make TCP take back the close.
const LINGER: Duration = Duration::from_secs(1);

/// Most bytes that are read on then.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

thread_local! {
    static READING: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
    static WRITING: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Why nothing more comes in.
#[derive(Debug)]
pub enum Broken {
    /// The peer is gone.
    Gone,
    /// The peer broke a rule.
    Rule(Violation),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Whether the reader of messages takes another one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// It does.
    Ready,
    /// Not before the next call.
    Full,
}

/// One client's connection.
pub struct Connection {
    io: TokioIo<Upgraded>,
    decoder: Decoder,
    /// What came in and was not taken: part of a frame, or whole ones if the taker was full.
    rest: Vec<u8>,
    /// Whether whole frames may be among them.
    was_full: bool,
    /// What the peer has not taken of the last write.
    unsent: Bytes,
}

impl Connection {
    /// Over an upgraded HTTP connection, for messages of at most so many bytes.
    pub fn new(io: Upgraded, most_bytes: usize) -> Self {
        let (rest, unsent) = (Vec::new(), Bytes::new());
        Self { io: TokioIo::new(io), decoder: Decoder::new(most_bytes), rest, was_full: false, unsent }
    }

    /// Reads once and gives every whole message to `take`, until it is full. `Ready` means: there may be more.
    ///
    /// # Errors
    /// If nothing more can come.
    pub fn poll_messages(
        &mut self,
        context: &mut Context<'_>,
        take: &mut dyn FnMut(Message<'_>) -> Taker,
    ) -> Poll<Result<(), Broken>> {
        if self.was_full {
            let mut rest = std::mem::take(&mut self.rest);
            let used = self.decode(&mut rest, take)?;
            self.keep(rest, used);
            if self.was_full {
                return Poll::Ready(Ok(()));
            }
        }
        READING.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut read))?;
            let bytes = read.filled_mut();
            if bytes.is_empty() {
                return Poll::Ready(Err(Broken::Gone));
            }
            if self.rest.is_empty() {
                let used = self.decode(bytes, take)?;
                self.rest = bytes[used..].to_vec();
            } else {
                let mut rest = std::mem::take(&mut self.rest);
                rest.extend_from_slice(bytes);
                let used = self.decode(&mut rest, take)?;
                self.keep(rest, used);
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Takes message after message from the front; answers how many bytes they took.
    fn decode(
        &mut self,
        bytes: &mut [u8],
        take: &mut dyn FnMut(Message<'_>) -> Taker,
    ) -> Result<usize, Broken> {
        let mut used = 0;
        self.was_full = false;
        loop {
            match self.decoder.next(&mut bytes[used..]).map_err(Broken::Rule)? {
                Decoded::Incomplete => return Ok(used),
                Decoded::Fragment(length) => used += length,
                Decoded::Message(length, message) => {
                    used += length;
                    if take(message) == Taker::Full {
                        self.was_full = true;
                        return Ok(used);
                    }
                }
            }
        }
    }

    fn keep(&mut self, mut rest: Vec<u8>, used: usize) {
        if used < rest.len() {
            rest.drain(..used);
            self.rest = rest;
        }
    }

    /// Whether the peer has not taken all of the last write.
    pub fn is_stuck(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Goes on with what the peer has not taken.
    ///
    /// # Errors
    /// If the peer is gone.
    pub fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        self.unsent = Bytes::new();
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Writes frames, at once as far as the peer takes them; the rest by [`Self::poll_unsent`], before any other write.
    ///
    /// # Errors
    /// If the peer is gone.
    pub fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        frames: &VecDeque<Frame>,
    ) -> Poll<io::Result<()>> {
        debug_assert!(!self.is_stuck(), "one write after the other");
        if let (Some(only), 1) = (frames.front(), frames.len()) {
            self.unsent = only.wire().clone();
            return self.poll_unsent(context);
        }
        WRITING.with_borrow_mut(|buffer| {
            buffer.clear();
            frames.iter().for_each(|frame| buffer.extend_from_slice(frame.wire()));
            let mut written = 0;
            while written < buffer.len() {
                match Pin::new(&mut self.io).poll_write(context, &buffer[written..])? {
                    Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(more) => written += more,
                    Poll::Pending => {
                        self.unsent = Bytes::copy_from_slice(&buffer[written..]);
                        return Poll::Pending;
                    }
                }
            }
            buffer.shrink_to(WRITE);
            Pin::new(&mut self.io).poll_flush(context)
        })
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// If the peer is gone.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        poll_fn(|context| self.poll_unsent(context)).await?;
        self.unsent = frame.wire().clone();
        poll_fn(|context| self.poll_unsent(context)).await
    }

    /// Ends the connection behind its close frame: nothing more is written, what still comes in is thrown away until
    /// the client has closed as well, but not for long.
    pub async fn end(mut self) {
        let ending = async {
            poll_fn(|context| Pin::new(&mut self.io).poll_shutdown(context)).await?;
            let mut thrown_away = 0;
            while thrown_away < LINGER_BYTES {
                match poll_fn(|context| self.poll_throw_away(context)).await? {
                    0 => break,
                    more => thrown_away += more,
                }
            }
            io::Result::Ok(())
        };
        // Whoever is gone already needs no farewell.
        drop(tokio::time::timeout(LINGER, ending).await);
    }

    fn poll_throw_away(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        READING.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut read))?;
            Poll::Ready(Ok(read.filled().len()))
        })
    }
}
