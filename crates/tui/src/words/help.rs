//! The page of keys and commands.

use super::Language;

/// One line of the page: a heading where there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelpLine {
    /// The key, sign or command.
    pub key: &'static str,
    /// What it does, in English.
    english: &'static str,
    /// What it does, in Korean.
    korean: &'static str,
}

impl HelpLine {
    /// What it does.
    pub const fn meaning(&self, language: Language) -> &'static str {
        language.pick(self.english, self.korean)
    }
}

const fn line(key: &'static str, english: &'static str, korean: &'static str) -> HelpLine {
    HelpLine { key, english, korean }
}

/// The page.
pub const HELP: &[HelpLine] = &[
    line("", "Everywhere", "어디서나"),
    line("Tab", "other pane", "창 전환"),
    line("Esc", "back", "뒤로"),
    line("Ctrl-N", "new chat", "새 대화"),
    line("Ctrl-G", "new group", "새 그룹"),
    line("F1", "this page", "이 도움말"),
    line("Ctrl-Q", "quit", "종료"),
    line("", "List", "목록"),
    line("↑ ↓ j k", "choose", "선택"),
    line("Enter", "open", "열기"),
    line("p m a", "pin, mute, archive", "고정, 알림 끄기, 보관"),
    line("Shift-A", "show the archive", "보관함 보기"),
    line("", "Conversation", "대화"),
    line("Enter", "send", "보내기"),
    line("Alt-Enter", "new line (or Ctrl-J)", "줄 바꿈 (또는 Ctrl-J)"),
    line("@", "mention a member", "멤버 언급"),
    line("PgUp PgDn", "scroll", "스크롤"),
    line("Ctrl-End", "newest message", "최신 메시지"),
    line("F2", "members", "멤버"),
    line("Alt-↑ Alt-↓", "select a message (or ↑)", "메시지 선택 (또는 ↑)"),
    line("", "Selected message", "선택한 메시지"),
    line("r", "reply", "답장"),
    line("e  d", "edit, delete", "수정, 삭제"),
    line("+", "react", "반응"),
    line("i", "who read and reacted", "읽음과 반응 보기"),
    line("t  x", "try again, discard (not sent)", "다시 보내기, 삭제 (실패 시)"),
    line("", "Signs", "기호"),
    line("…", "waits to be sent", "보내기 대기"),
    line("✓  ✓✓", "sent, delivered", "보냄, 도착"),
    line("✓✓ 2", "read by 2", "2명이 읽음"),
    line("^  ~", "pinned, muted", "고정됨, 알림 꺼짐"),
    line("◉  ◦", "online, away", "접속 중, 자리 비움"),
    line("", "Commands", "명령"),
    line("/add NAME", "add a member", "멤버 추가"),
    line("/remove NAME", "remove a member", "멤버 내보내기"),
    line("/title TEXT", "name the group", "그룹 이름 변경"),
    line("/leave", "leave the group", "그룹 나가기"),
    line("/dissolve", "close the group for good", "그룹 해산"),
    line("/members", "members", "멤버"),
    line("/mute", "mute or unmute", "알림 끄기·켜기"),
    line("/pin", "pin or unpin", "고정·해제"),
    line("/archive", "archive or take back", "보관·복원"),
    line("/block", "block (direct chat)", "차단 (1:1 대화)"),
    line("/unblock", "unblock (direct chat)", "차단 해제 (1:1 대화)"),
    line("/logout", "log this device out", "로그아웃"),
];

/// The commands with what they do, without what follows their names.
pub fn commands() -> impl Iterator<Item = (&'static str, &'static HelpLine)> {
    HELP.iter().filter_map(|line| {
        let name = line.key.strip_prefix('/')?;
        Some((name.split(' ').next()?, line))
    })
}
