//! The local time zone, read from the system's own files (TZif, RFC 9636), so that times are those on the wall.

use std::path::{Path, PathBuf};

use crate::calendar;

/// Where time zones stand on Unix systems.
const FOLDER: &str = "/usr/share/zoneinfo";
/// No file of a zone is larger.
const LARGEST_FILE_BYTES: u64 = 256 * 1024;
const SECONDS_PER_DAY: i64 = 86_400;

/// How far the clock on the wall is from UTC, at any time. The default is UTC itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// From when on which offset holds, ascending; both in seconds.
    transitions: Vec<(i64, i32)>,
    /// What holds before the first transition.
    first: i32,
    /// What holds after the last one.
    rule: Option<Rule>,
}

impl Zone {
    /// The zone of this machine, or of the variable `TZ`; UTC where neither can be read.
    pub fn local() -> Self {
        let variable = std::env::var("TZ").ok().filter(|value| !value.is_empty());
        let named = variable.as_deref().map(|value| {
            let name = value.trim_start_matches(':');
            read(&path_of(name)).or_else(|| Rule::parse(name).map(Self::of_rule))
        });
        named.unwrap_or_else(|| read(Path::new("/etc/localtime"))).unwrap_or_default()
    }

    /// Seconds to add to UTC at `utc_seconds` since 1970.
    pub fn offset_seconds(&self, utc_seconds: i64) -> i32 {
        let later = self.transitions.partition_point(|(from, _)| *from <= utc_seconds);
        if later == self.transitions.len()
            && let Some(rule) = &self.rule
        {
            return rule.offset_seconds(utc_seconds);
        }
        later.checked_sub(1).map_or(self.first, |index| self.transitions[index].1)
    }

    fn of_rule(rule: Rule) -> Self {
        Self { rule: Some(rule), ..Self::default() }
    }

    /// Reads the 64-bit part of a TZif file.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let old = Header::parse(bytes)?;
        let newer = bytes.get(Header::BYTES + old.body_bytes(4)..)?;
        let header = Header::parse(newer)?;
        let body = newer.get(Header::BYTES..)?;
        let (times, rest) = body.split_at_checked(header.transitions * 8)?;
        let (indexes, rest) = rest.split_at_checked(header.transitions)?;
        let offset_of = |index: usize| {
            let entry = rest.get(index * 6..index * 6 + 4)?;
            Some(i32::from_be_bytes(entry.try_into().ok()?))
        };
        let transitions = times.chunks_exact(8).zip(indexes).map(|(time, index)| {
            let from = i64::from_be_bytes(time.try_into().ok()?);
            Some((from, offset_of(usize::from(*index))?))
        });
        let footer = newer.get(Header::BYTES + header.body_bytes(8)..)?;
        let rule = std::str::from_utf8(footer).ok()?.trim_matches('\n');
        Some(Self {
            transitions: transitions.collect::<Option<_>>()?,
            first: offset_of(0)?,
            rule: Rule::parse(rule),
        })
    }
}

fn path_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

fn read(path: &Path) -> Option<Zone> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE_BYTES {
        return None;
    }
    Zone::parse(&std::fs::read(path).ok()?)
}

/// The counts at the head of each part of a TZif file.
struct Header {
    utc_marks: usize,
    standard_marks: usize,
    leap_seconds: usize,
    transitions: usize,
    kinds: usize,
    name_bytes: usize,
}

impl Header {
    const BYTES: usize = 44;

    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"TZif") || *bytes.get(4)? < b'2' {
            return None;
        }
        let count = |index: usize| {
            let at = 20 + index * 4;
            let number = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
            usize::try_from(number).ok().filter(|number| *number < 65_536)
        };
        Some(Self {
            utc_marks: count(0)?,
            standard_marks: count(1)?,
            leap_seconds: count(2)?,
            transitions: count(3)?,
            kinds: count(4)?,
            name_bytes: count(5)?,
        })
    }

    fn body_bytes(&self, time_bytes: usize) -> usize {
        self.transitions * (time_bytes + 1)
            + self.kinds * 6
            + self.name_bytes
            + self.leap_seconds * (time_bytes + 4)
            + self.standard_marks
            + self.utc_marks
    }
}

/// What holds for ever, in the notation of POSIX: `KST-9` or `CET-1CEST,M3.5.0,M10.5.0/3`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    standard: i32,
    summer: Option<Summer>,
}

/// Summer time: its offset, and when it begins and ends in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    offset: i32,
    begins: Change,
    ends: Change,
}

/// The `week`-th `weekday` (0 is Sunday) of `month`, at `seconds` after midnight; week 5 is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    month: u32,
    week: u32,
    weekday: u32,
    seconds: i32,
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let names = parts.next()?;
        let (standard, rest) = signed_time(after_name(names)?)?;
        let standard = -standard;
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let rest = after_name(rest)?;
        let offset = signed_time(rest).map_or(standard + 3_600, |(west, _)| -west);
        let summer =
            Summer { offset, begins: Change::parse(parts.next()?)?, ends: Change::parse(parts.next()?)? };
        Some(Self { standard, summer: Some(summer) })
    }

    fn offset_seconds(&self, utc_seconds: i64) -> i32 {
        let Some(summer) = &self.summer else {
            return self.standard;
        };
        let local = utc_seconds + i64::from(self.standard);
        let year = calendar::civil(local.div_euclid(SECONDS_PER_DAY)).0;
        let begins = summer.begins.local_seconds(year) - i64::from(self.standard);
        let ends = summer.ends.local_seconds(year) - i64::from(summer.offset);
        let is_summer = if begins <= ends {
            (begins..ends).contains(&utc_seconds)
        } else {
            !(ends..begins).contains(&utc_seconds)
        };
        if is_summer { summer.offset } else { self.standard }
    }
}

impl Change {
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut numbers = date.strip_prefix('M')?.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        let (month, week, weekday) = (next()?, next()?, next()?);
        if !(1..=12).contains(&month) || !(1..=5).contains(&week) || weekday > 6 {
            return None;
        }
        Some(Self { month, week, weekday, seconds: signed_time(time)?.0 })
    }

    fn local_seconds(&self, year: i64) -> i64 {
        let first = calendar::days(year, self.month, 1);
        let ahead = (i64::from(self.weekday) - calendar::weekday(first)).rem_euclid(7);
        let mut day = first + ahead + 7 * (i64::from(self.week) - 1);
        if calendar::civil(day).1 != self.month {
            day -= 7;
        }
        day * SECONDS_PER_DAY + i64::from(self.seconds)
    }
}

/// What follows a zone's abbreviation: letters, or anything in angle brackets.
fn after_name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>').map(|(_, rest)| rest);
    }
    let letters = text.find(|character: char| !character.is_ascii_alphabetic());
    let length = letters.unwrap_or(text.len());
    (length >= 3).then(|| &text[length..])
}

/// `[+-]hours[:minutes[:seconds]]` in seconds, and what follows it.
fn signed_time(text: &str) -> Option<(i32, &str)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|character: char| !(character.is_ascii_digit() || character == ':'));
    let (time, rest) = digits.split_at(end.unwrap_or(digits.len()));
    let mut seconds = 0;
    for (part, unit) in time.split(':').zip([3_600, 60, 1]) {
        seconds += part.parse::<i32>().ok().filter(|part| *part <= 168)? * unit;
    }
    Some((sign * seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Zone {
        Zone::of_rule(Rule::parse(text).expect("a rule"))
    }

    #[test]
    fn rules_give_the_offset_of_the_season() {
        const JANUARY: i64 = 1_768_000_000;
        const JULY: i64 = 1_783_900_800;
        for (text, january, july) in [
            ("KST-9", 9 * 3_600, 9 * 3_600),
            ("<+0545>-5:45", 20_700, 20_700),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 3_600, 7_200),
            ("EST5EDT,M3.2.0,M11.1.0", -18_000, -14_400),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 39_600, 36_000),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, 3_600),
        ] {
            assert_eq!(rule(text).offset_seconds(JANUARY), january, "{text}");
            assert_eq!(rule(text).offset_seconds(JULY), july, "{text}");
        }
    }

    #[test]
    fn the_change_is_exact() {
        let berlin = rule("CET-1CEST,M3.5.0,M10.5.0/3");
        let change = 1_774_746_000; // 29 March 2026, 01:00 UTC
        assert_eq!(berlin.offset_seconds(change - 1), 3_600);
        assert_eq!(berlin.offset_seconds(change), 7_200);
    }

    #[test]
    fn nonsense_is_no_zone() {
        for text in ["", "9", "KST", "CET-1CEST,X,Y", "CET-1CEST,M13.1.0,M1.1.0"] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
        assert_eq!(Zone::parse(b"TZif2 but short"), None);
    }

    #[test]
    fn files_hold_the_past_and_the_rule() {
        let part = |time: &[u8], rest: &[u8]| {
            let mut bytes = b"TZif2".to_vec();
            bytes.resize(20, 0);
            let transitions = u32::from(!time.is_empty());
            for count in [0, 0, 0, transitions, 2, 4] {
                bytes.extend(count.to_be_bytes());
            }
            bytes.extend(time);
            bytes.extend(rest);
            bytes
        };
        let kinds = [&3_600_i32.to_be_bytes()[..], &[0, 0]].concat();
        let later = [&7_200_i32.to_be_bytes()[..], &[0, 0]].concat();
        let body = [&kinds[..], &later, b"ABC\0"].concat();
        let newer = [&[1_u8][..], &body, b"\nKST-9\n"].concat();
        let file = [part(&[], &body), part(&1_000_i64.to_be_bytes(), &newer)].concat();
        let zone = Zone::parse(&file).expect("a zone");
        assert_eq!(zone.transitions, [(1_000, 7_200)]);
        assert_eq!(zone.offset_seconds(999), 3_600);
        assert_eq!(zone.offset_seconds(1_000), 9 * 3_600);
    }
}
