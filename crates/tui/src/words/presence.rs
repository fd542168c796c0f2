//! Sentences about who is there.

use super::Language;
use super::sentences::{MONTHS, WEEKDAYS};
use crate::calendar::Moment;

/// Up to so many minutes are counted.
const COUNTED_MINUTES: u64 = 60;

impl Language {
    /// When somebody was last there, so many minutes before `now`.
    pub fn last_seen(self, minutes: u64, at: &Moment, now: &Moment) -> String {
        if minutes < COUNTED_MINUTES {
            return match (self, minutes) {
                (Self::English, 0) => "last seen just now".to_owned(),
                (Self::English, _) => format!("last seen {minutes} min ago"),
                (Self::Korean, 0) => "방금 접속".to_owned(),
                (Self::Korean, _) => format!("{minutes}분 전 접속"),
            };
        }
        let clock = at.clock();
        let (weekday, korean_weekday) = WEEKDAYS[at.weekday % 7];
        let month = &MONTHS[(at.month as usize + 11) % 12][..3];
        match (now.day_number - at.day_number, self) {
            (..=0, Self::English) => format!("last seen at {clock}"),
            (..=0, Self::Korean) => format!("오늘 {clock} 접속"),
            (1, Self::English) => format!("last seen yesterday at {clock}"),
            (1, Self::Korean) => format!("어제 {clock} 접속"),
            (2..=6, Self::English) => format!("last seen {weekday} at {clock}"),
            (2..=6, Self::Korean) => format!("{korean_weekday} {clock} 접속"),
            (_, Self::English) if at.year == now.year => format!("last seen {} {month}", at.day),
            (_, Self::English) => format!("last seen {} {month} {}", at.day, at.year),
            (_, Self::Korean) if at.year == now.year => format!("{}월 {}일 접속", at.month, at.day),
            (_, Self::Korean) => format!("{}년 {}월 {}일 접속", at.year, at.month, at.day),
        }
    }

    /// How many members a group has, and how many others are online.
    pub fn members_online(self, count: usize, online: u32) -> String {
        match self {
            Self::English => format!("{}, {online} online", self.members(count)),
            Self::Korean => format!("{count}명 중 {online}명 접속 중"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;

    /// Tuesday, 3 March 2026, 00:20 UTC.
    const NOW: u64 = 20_515 * 86_400_000 + 20 * MINUTE;
    const MINUTE: u64 = 60_000;
    const DAY: u64 = 86_400_000;

    #[test]
    fn the_last_visit_is_told_ever_more_roughly() {
        for (ago, english, korean) in [
            (0, "last seen just now", "방금 접속"),
            (MINUTE - 1, "last seen just now", "방금 접속"),
            (59 * MINUTE, "last seen 59 min ago", "59분 전 접속"),
            (60 * MINUTE, "last seen yesterday at 23:20", "어제 23:20 접속"),
            (DAY, "last seen yesterday at 00:20", "어제 00:20 접속"),
            (2 * DAY, "last seen Sunday at 00:20", "일요일 00:20 접속"),
            (7 * DAY, "last seen 24 Feb", "2월 24일 접속"),
            (90 * DAY, "last seen 3 Dec 2025", "2025년 12월 3일 접속"),
        ] {
            let moment = |at| Moment::local(at, &Zone::default());
            let (at, now) = (moment(NOW - ago), moment(NOW));
            assert_eq!(Language::English.last_seen(ago / MINUTE, &at, &now), english);
            assert_eq!(Language::Korean.last_seen(ago / MINUTE, &at, &now), korean);
        }
        let moment = |at| Moment::local(at, &Zone::default());
        let (at, now) = (moment(NOW), moment(NOW + 90 * MINUTE));
        assert_eq!(Language::English.last_seen(90, &at, &now), "last seen at 00:20");
        assert_eq!(Language::Korean.last_seen(90, &at, &now), "오늘 00:20 접속");
    }

    #[test]
    fn groups_say_how_many_are_online() {
        assert_eq!(Language::English.members_online(12, 5), "12 members, 5 online");
        assert_eq!(Language::Korean.members_online(12, 5), "12명 중 5명 접속 중");
    }
}
