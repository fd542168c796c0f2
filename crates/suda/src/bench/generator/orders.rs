//! Standard input, line by line, beside an epoll: what was read ahead is never forgotten in a buffer of somebody else's.

use std::io::{self, Read as _};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// The lines of standard input.
#[derive(Default)]
pub struct Orders {
    unread: Vec<u8>,
}

impl Orders {
    /// Reads what is there; waits if nothing is. False at the end.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn read(&mut self) -> io::Result<bool> {
        let before = self.unread.len();
        self.unread.resize(before + CHUNK, 0);
        // The lock's own buffer is smaller than what is asked for, so it is passed by.
        let read = io::stdin().lock().read(&mut self.unread[before..])?;
        self.unread.truncate(before + read);
        Ok(read > 0)
    }

    /// The next whole line, if it is there.
    pub fn next_line(&mut self) -> Option<Vec<u8>> {
        let end = memchr::memchr(b'\n', &self.unread)? + 1;
        let rest = self.unread.split_off(end);
        Some(std::mem::replace(&mut self.unread, rest))
    }

    /// Waits for the next line; `None` at the end.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn wait_for_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(line) = self.next_line() {
                return Ok(Some(line));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_together_come_one_by_one() {
        let mut orders = Orders { unread: b"one\ntwo\nthr".to_vec() };
        assert_eq!(orders.next_line().as_deref(), Some(&b"one\n"[..]));
        assert_eq!(orders.next_line().as_deref(), Some(&b"two\n"[..]));
        assert_eq!(orders.next_line(), None);
        orders.unread.extend_from_slice(b"ee\n");
        assert_eq!(orders.next_line().as_deref(), Some(&b"three\n"[..]));
    }
}
