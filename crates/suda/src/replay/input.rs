//! Reads recorded conversations: tab-separated `conversation, second, author, text` under a header line.

use std::io::{self, BufRead};

/// The header that a file must begin with.
const HEADER: [&str; 4] = ["conversation", "second", "author", "text"];

/// One recorded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Name of the conversation.
    pub conversation: String,
    /// When it was said, in seconds; only differences matter.
    pub second: u64,
    /// Name of the author.
    pub author: String,
    /// What was said.
    pub text: String,
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The first line is not the header.
    #[error("line 1 must be the header: conversation, second, author, text, with tabs between them")]
    NoHeader,
    /// A line has no four columns, or one of them does not fit.
    #[error("line {number}: {flaw}")]
    BadLine {
        /// Which line, from 1; the header is the first.
        number: usize,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// There is nothing behind the header.
    #[error("the file holds no messages")]
    Empty,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not four columns.
    #[error("expected four columns: conversation, second, author, text")]
    Columns,
    /// The second is no number.
    #[error("the second column must be a whole number of seconds")]
    Second,
    /// A name or the text is empty.
    #[error("conversation, author and text must not be empty")]
    Blank,
}

/// Reads up to `limit` messages.
///
/// # Errors
/// The first line that does not fit, with its number.
pub fn read(source: impl BufRead, limit: usize) -> Result<Vec<Line>, InputError> {
    let mut lines = source.lines();
    let header = lines.next().ok_or(InputError::NoHeader)??;
    if !header.trim_end().split('\t').eq(HEADER) {
        return Err(InputError::NoHeader);
    }
    let read = |(index, line): (usize, io::Result<String>)| {
        parse(&line?).map_err(|flaw| InputError::BadLine { number: index + 2, flaw })
    };
    let lines: Vec<Line> = lines.take(limit).enumerate().map(read).collect::<Result<_, _>>()?;
    if lines.is_empty() { Err(InputError::Empty) } else { Ok(lines) }
}

fn parse(line: &str) -> Result<Line, Flaw> {
    let columns: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('\t').collect();
    let [conversation, second, author, text] = columns[..] else {
        return Err(Flaw::Columns);
    };
    let second = second.trim().parse().map_err(|_| Flaw::Second)?;
    if [conversation, author, text].iter().any(|column| column.trim().is_empty()) {
        return Err(Flaw::Blank);
    }
    Ok(Line {
        conversation: conversation.to_owned(),
        second,
        author: author.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "conversation\tsecond\tauthor\ttext\nlake\t5\tmira\tIs it frozen?\nlake\t9\tjun\t아직이요\r\n";

    #[test]
    fn reads_columns_as_they_are() {
        let lines = read(GOOD.as_bytes(), usize::MAX).expect("good lines");
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].second, lines[0].author.as_str()), (5, "mira"));
        assert_eq!(lines[1].text, "아직이요");
        assert_eq!(read(GOOD.as_bytes(), 1).expect("limited").len(), 1);
    }

    #[test]
    fn bad_lines_are_reported_with_their_number() {
        let cases = [
            ("lake\t1\tmira", Flaw::Columns),
            ("lake\t1\tmira\ta\tb", Flaw::Columns),
            ("lake\tsoon\tmira\thello", Flaw::Second),
            ("lake\t1\tmira\t ", Flaw::Blank),
            ("\t1\tmira\thello", Flaw::Blank),
        ];
        for (line, expected) in cases {
            let error = read(format!("{GOOD}{line}\n").as_bytes(), usize::MAX).expect_err(line);
            assert!(
                matches!(error, InputError::BadLine { number: 4, flaw } if flaw == expected),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn the_header_and_a_message_must_be_there() {
        let headless = read("lake\t5\tmira\thello\n".as_bytes(), 9);
        assert!(matches!(headless, Err(InputError::NoHeader)));
        assert!(matches!(read("".as_bytes(), 9), Err(InputError::NoHeader)));
        let hollow = read("conversation\tsecond\tauthor\ttext\n".as_bytes(), 9);
        assert!(matches!(hollow, Err(InputError::Empty)));
    }
}
