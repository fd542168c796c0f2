//! Sentences with names, numbers and dates in them.

use suda_client::error::ClientError;
use suda_proto::ErrorBody;
use suda_proto::entry::Role;

use super::{Language, Word};
use crate::calendar::Moment;

/// The days, from Sunday on.
pub(super) const WEEKDAYS: [(&str, &str); 7] = [
    ("Sunday", "일요일"),
    ("Monday", "월요일"),
    ("Tuesday", "화요일"),
    ("Wednesday", "수요일"),
    ("Thursday", "목요일"),
    ("Friday", "금요일"),
    ("Saturday", "토요일"),
];
/// The months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Language {
    /// How many members a group has.
    pub fn members(self, count: usize) -> String {
        match (self, count) {
            (Self::English, 1) => "1 member".to_owned(),
            (Self::English, _) => format!("{count} members"),
            (Self::Korean, _) => format!("멤버 {count}명"),
        }
    }

    /// Who types.
    pub fn typing(self, names: &[String]) -> String {
        match (self, names) {
            (_, []) => String::new(),
            (Self::English, [one]) => format!("{one} is typing…"),
            (Self::English, [one, two]) => format!("{one} and {two} are typing…"),
            (Self::English, _) => format!("{} people are typing…", names.len()),
            (Self::Korean, [one]) => format!("{one} 님이 입력 중…"),
            (Self::Korean, [one, two]) => format!("{one}, {two} 님이 입력 중…"),
            (Self::Korean, _) => format!("{}명이 입력 중…", names.len()),
        }
    }

    /// Names in a row.
    pub fn and(self, names: &[String]) -> String {
        match (self, names) {
            (Self::English, [first @ .., last]) if !first.is_empty() => {
                format!("{} and {last}", first.join(", "))
            }
            _ => names.join(", "),
        }
    }

    /// A day, as the line between two days says it.
    pub fn day(self, day: &Moment, today: &Moment) -> String {
        match today.day_number - day.day_number {
            0 => return self.say(Word::Today).to_owned(),
            1 => return self.say(Word::Yesterday).to_owned(),
            _ => {}
        }
        let (english, korean) = WEEKDAYS[day.weekday % 7];
        let month = MONTHS[(day.month as usize + 11) % 12];
        match self {
            Self::English => format!("{english}, {} {month} {}", day.day, day.year),
            Self::Korean => format!("{}년 {}월 {}일 {korean}", day.year, day.month, day.day),
        }
    }

    /// When something was, in at most seven cells: the time today, the weekday this week, the date before.
    pub fn when(self, at: &Moment, now: &Moment) -> String {
        let (english, korean) = WEEKDAYS[at.weekday % 7];
        match (now.day_number - at.day_number, self) {
            (..=0, _) => at.clock(),
            (1..=6, Self::English) => english[..3].to_owned(),
            (1..=6, Self::Korean) => korean.chars().take(1).collect(),
            _ if at.year != now.year => format!("{}-{:02}", at.year, at.month),
            (_, Self::English) => {
                format!("{} {}", at.day, &MONTHS[(at.month as usize + 11) % 12][..3])
            }
            (_, Self::Korean) => format!("{}/{}", at.month, at.day),
        }
    }

    /// The conversation began.
    pub fn created(self, author: &str, title: Option<&str>) -> String {
        match (self, title) {
            (Self::English, Some(title)) => format!("{author} created “{title}”"),
            (Self::English, None) => format!("{author} began this conversation"),
            (Self::Korean, Some(title)) => format!("{author} 님이 “{title}” 그룹을 만들었습니다"),
            (Self::Korean, None) => format!("{author} 님이 대화를 시작했습니다"),
        }
    }

    /// Members were added.
    pub fn added(self, author: &str, names: &str) -> String {
        match self {
            Self::English => format!("{author} added {names}"),
            Self::Korean => format!("{author} 님이 {names} 님을 초대했습니다"),
        }
    }

    /// Members were removed.
    pub fn removed(self, author: &str, names: &str) -> String {
        match self {
            Self::English => format!("{author} removed {names}"),
            Self::Korean => format!("{author} 님이 {names} 님을 내보냈습니다"),
        }
    }

    /// Somebody left.
    pub fn left(self, author: &str) -> String {
        match self {
            Self::English => format!("{author} left"),
            Self::Korean => format!("{author} 님이 나갔습니다"),
        }
    }

    /// A role changed.
    pub fn role_changed(self, author: &str, name: &str, role: Role) -> String {
        match self {
            Self::English => match role {
                Role::Owner => format!("{author} made {name} the owner"),
                Role::Admin => format!("{author} made {name} an admin"),
                Role::Member => format!("{author} made {name} a member"),
            },
            Self::Korean => match role {
                Role::Owner => format!("{author} 님이 {name} 님에게 소유권을 넘겼습니다"),
                Role::Admin => format!("{author} 님이 {name} 님을 관리자로 지정했습니다"),
                Role::Member => format!("{author} 님이 {name} 님의 관리자 권한을 해제했습니다"),
            },
        }
    }

    /// Title or settings changed.
    pub fn settings_changed(self, author: &str, title: Option<&str>) -> String {
        match (self, title) {
            (Self::English, Some(title)) => format!("{author} named the group “{title}”"),
            (Self::English, None) => format!("{author} changed the settings"),
            (Self::Korean, Some(title)) => {
                format!("{author} 님이 그룹 이름을 “{title}”(으)로 바꿨습니다")
            }
            (Self::Korean, None) => format!("{author} 님이 설정을 바꿨습니다"),
        }
    }

    /// The group was closed.
    pub fn dissolved(self, author: &str) -> String {
        match self {
            Self::English => format!("{author} closed the group"),
            Self::Korean => format!("{author} 님이 그룹을 해산했습니다"),
        }
    }

    /// Whom the next message answers.
    pub fn replying(self, name: &str) -> String {
        match self {
            Self::English => format!("Reply to {name} · Esc cancels"),
            Self::Korean => format!("{name} 님에게 답장 · Esc 취소"),
        }
    }

    /// Why a message was refused.
    pub fn not_sent(self, error: &ErrorBody) -> String {
        match self {
            Self::English => format!("Not sent: {}", self.refusal(error)),
            Self::Korean => format!("보내지 못함: {}", self.refusal(error)),
        }
    }

    /// The connection is tried again.
    pub fn waiting(self, seconds: u64) -> String {
        match self {
            Self::English => format!("○ offline – next try in {seconds} s"),
            Self::Korean => format!("○ 오프라인 – {seconds}초 후 재연결"),
        }
    }

    /// What somebody asks before a member is removed.
    pub fn confirm_remove(self, name: &str) -> String {
        match self {
            Self::English => format!("Remove {name} from this group?"),
            Self::Korean => format!("{name} 님을 이 그룹에서 내보낼까요?"),
        }
    }

    /// The server's refusal: its own sentence, in this language where the code is known.
    pub fn refusal(self, error: &ErrorBody) -> String {
        match (self, error.known()) {
            (Self::Korean, Some(code)) => code.korean().to_owned(),
            _ => error.message.clone(),
        }
    }

    /// Why something failed, in one sentence.
    pub fn problem(self, error: &ClientError) -> String {
        let word = match error {
            ClientError::Server(body) => return self.refusal(body),
            ClientError::Offline => Word::NeedsConnection,
            ClientError::Unreachable(_) => Word::CannotReach,
            ClientError::BadAnswer => Word::BadAnswer,
            ClientError::TimedOut => Word::NoAnswer,
            ClientError::NoSession | ClientError::Stopped => Word::NotLoggedIn,
            ClientError::OutboxFull => Word::OutboxFull,
            ClientError::NoSuchSend => Word::NothingToChange,
            ClientError::Cache(_) => Word::CacheFailed,
        };
        self.say(word).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;

    const NOW: u64 = 20_515 * 86_400_000 + 50_000_000;
    const DAY: u64 = 86_400_000;

    #[test]
    fn times_get_shorter_the_older_they_are() {
        let moment = |at| Moment::local(at, &Zone::default());
        for (ago, english, korean) in [
            (0, "13:53", "13:53"),
            (DAY, "Mon", "월"),
            (9 * DAY, "22 Feb", "2/22"),
            (90 * DAY, "2025-12", "2025-12"),
        ] {
            let at = moment(NOW - ago);
            assert_eq!(Language::English.when(&at, &moment(NOW)), english);
            assert_eq!(Language::Korean.when(&at, &moment(NOW)), korean);
        }
        let older = moment(NOW - 9 * DAY);
        let day = Language::Korean.day(&older, &moment(NOW));
        assert_eq!(day, "2026년 2월 22일 일요일");
    }

    #[test]
    fn names_are_listed_as_people_do() {
        let names: Vec<String> = ["Mina", "Jun", "Sora"].map(str::to_owned).to_vec();
        assert_eq!(Language::English.and(&names), "Mina, Jun and Sora");
        assert_eq!(Language::English.and(&names[..1]), "Mina");
        assert_eq!(Language::English.typing(&names[..2]), "Mina and Jun are typing…");
    }
}
