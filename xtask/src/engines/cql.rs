//! Just enough of CQL's protocol (version 4) to ask a node a question: no parameters, no paging.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(4);
const VERSION_REQUEST: u8 = 0x04;
const STARTUP: u8 = 0x01;
const QUERY: u8 = 0x07;
const ERROR: u8 = 0x00;
const READY: u8 = 0x02;
const RESULT: u8 = 0x08;
const ROWS: i32 = 2;
const UNAVAILABLE: i32 = 0x1000;
/// No answer to our questions is longer.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// How many replicas have to answer.
#[derive(Debug, Clone, Copy)]
#[repr(u16)]
pub enum Consistency {
    /// One.
    One = 0x0001,
    /// All.
    All = 0x0005,
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum CqlError {
    /// The node is not reachable or does not speak our protocol.
    Io(io::Error),
    /// Too few replicas live, as the node sees it.
    Unavailable {
        /// How many live.
        alive: usize,
    },
    /// The node refused.
    Refused(String),
}

impl From<io::Error> for CqlError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A connection to one node.
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects and agrees on the protocol.
    ///
    /// # Errors
    /// When the node does not answer in time or refuses.
    pub fn open(address: SocketAddr) -> Result<Self, CqlError> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut connection = Self { stream };
        let mut options = 1u16.to_be_bytes().to_vec();
        for word in ["CQL_VERSION", "3.0.0"] {
            options.extend((word.len() as u16).to_be_bytes());
            options.extend(word.as_bytes());
        }
        match connection.exchange(STARTUP, &options)? {
            (READY, _) => Ok(connection),
            (opcode, _) => Err(CqlError::Refused(format!("answer {opcode} to the greeting"))),
        }
    }

    /// The rows that answer `question`, each column as text; what is null is empty.
    ///
    /// # Errors
    /// When the node does not answer in time or refuses.
    pub fn ask(&mut self, question: &str, consistency: Consistency) -> Result<Vec<Vec<String>>, CqlError> {
        let mut body = (question.len() as u32).to_be_bytes().to_vec();
        body.extend(question.as_bytes());
        body.extend((consistency as u16).to_be_bytes());
        body.push(0);
        match self.exchange(QUERY, &body)? {
            (RESULT, answer) => rows(&mut Reader(&answer)).ok_or_else(|| torn().into()),
            (opcode, _) => Err(CqlError::Refused(format!("answer {opcode} to a question"))),
        }
    }

    fn exchange(&mut self, opcode: u8, body: &[u8]) -> Result<(u8, Vec<u8>), CqlError> {
        let mut frame = vec![VERSION_REQUEST, 0, 0, 0, opcode];
        frame.extend((body.len() as u32).to_be_bytes());
        frame.extend(body);
        self.stream.write_all(&frame)?;
        let mut header = [0; 9];
        self.stream.read_exact(&mut header)?;
        let [.., opcode, a, b, c, d] = header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > LONGEST_ANSWER {
            return Err(torn().into());
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        if opcode == ERROR {
            return Err(error(&mut Reader(&answer)).unwrap_or_else(|| torn().into()));
        }
        Ok((opcode, answer))
    }
}

fn torn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "an answer that is not CQL")
}

fn error(reader: &mut Reader<'_>) -> Option<CqlError> {
    let code = reader.int()?;
    let message = reader.string()?;
    if code == UNAVAILABLE {
        let _consistency = reader.take(2)?;
        let _required = reader.int()?;
        return Some(CqlError::Unavailable { alive: reader.int()?.try_into().ok()? });
    }
    Some(CqlError::Refused(message))
}

/// Rows of text columns; the metadata's types are skipped, and only simple ones can be.
fn rows(reader: &mut Reader<'_>) -> Option<Vec<Vec<String>>> {
    if reader.int()? != ROWS {
        return Some(Vec::new());
    }
    let flags = reader.int()?;
    let columns = reader.int()?;
    let (global, paged) = (flags & 1 != 0, flags & 2 != 0);
    if paged {
        reader.bytes()?;
    }
    if global {
        reader.string()?;
        reader.string()?;
    }
    for _ in 0..columns {
        if !global {
            reader.string()?;
            reader.string()?;
        }
        reader.string()?;
        reader.take(2)?;
    }
    let count = reader.int()?;
    let mut row = || (0..columns).map(|_| reader.bytes()).collect::<Option<Vec<String>>>();
    (0..count).map(|_| row()).collect()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn int(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn string(&mut self) -> Option<String> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        Some(String::from_utf8_lossy(self.take(length.into())?).into_owned())
    }

    /// A value; a negative length stands for null.
    fn bytes(&mut self) -> Option<String> {
        let length = usize::try_from(self.int()?).unwrap_or(0);
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_errors_are_read_and_torn_ones_are_not() {
        let mut answer = [2, 1, 1].map(i32::to_be_bytes).concat();
        for word in ["system", "local", "release_version"] {
            answer.extend((word.len() as u16).to_be_bytes());
            answer.extend(word.as_bytes());
        }
        answer.extend([0, 13]);
        answer.extend([1, 5].map(i32::to_be_bytes).concat());
        answer.extend(b"5.0.9");
        assert_eq!(rows(&mut Reader(&answer)), Some(vec![vec!["5.0.9".to_owned()]]));
        for end in 0..answer.len() {
            assert_eq!(rows(&mut Reader(&answer[..end])), None, "cut at {end}");
        }
    }

    #[test]
    fn the_number_of_living_replicas_is_read_from_the_refusal() {
        let mut answer = 0x1000i32.to_be_bytes().to_vec();
        answer.extend([0, 2, b'n', b'o', 0, 5]);
        answer.extend([3, 2].map(i32::to_be_bytes).concat());
        let found = error(&mut Reader(&answer));
        assert!(matches!(found, Some(CqlError::Unavailable { alive: 2 })), "{found:?}");
    }
}
