//! Every word that the terminal client says, in English and Korean. Sentences with names or numbers in them stand in
//! [`sentences`] and [`presence`], the page of keys in [`help`].

pub mod help;
mod presence;
mod sentences;

/// The languages of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// The language of a tag or locale such as `ko`, `ko-KR` or `ko_KR.UTF-8`; `None` for `C` and the like, which say
    /// nothing about a person's language.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "ko" => Some(Self::Korean),
            "" | "c" | "posix" => None,
            _ => Some(Self::English),
        }
    }

    /// The language of the environment, by the variables' usual precedence.
    pub fn of_environment() -> Option<Self> {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .and_then(|value| Self::of_tag(&value))
    }

    /// The one of the two texts that is in this language.
    pub const fn pick<'a>(self, english: &'a str, korean: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Korean => korean,
        }
    }
}

macro_rules! words {
    ($($word:ident $english:literal $korean:literal;)*) => {
        /// One fixed text of the interface.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant's text stands in the table")]
        pub enum Word { $($word,)* }

        impl Language {
            /// The text of `word`.
            pub const fn say(self, word: Word) -> &'static str {
                match word { $(Word::$word => self.pick($english, $korean),)* }
            }
        }
    };
}

words! {
    // Entrance.
    LogIn "Log in" "로그인";
    SignUp "Sign up" "가입";
    Recover "Recover" "복구";
    Name "Name" "이름";
    Password "Password" "비밀번호";
    PasswordAgain "Password again" "비밀번호 확인";
    NewPassword "New password" "새 비밀번호";
    DisplayName "Shown as" "표시 이름";
    Invitation "Invitation" "초대 코드";
    RecoveryCode "Recovery code" "복구 코드";
    Optional "optional" "선택 사항";
    PasswordsDiffer "The two passwords differ." "두 비밀번호가 다릅니다.";
    FillIn "Name and password are needed." "이름과 비밀번호를 입력하세요.";
    Asking "Asking the server…" "서버에 확인 중…";
    LoggedOut "This device was logged out. Log in again; what waits to be sent is kept." "로그아웃되었습니다. 다시 로그인하세요. 보내지 못한 메시지는 보관됩니다.";
    EntranceHint "Tab next field · Enter go · ←→ change · Ctrl-Q quit" "Tab 다음 · Enter 확인 · ←→ 전환 · Ctrl-Q 종료";
    CodesTitle "Recovery codes" "복구 코드";
    CodesExplained "If you forget your password, each of these codes lets you in once. They are shown only now: write them down." "비밀번호를 잊었을 때 코드마다 한 번씩 로그인할 수 있습니다. 지금만 표시되니 적어 두세요.";
    CodesHint "Type “yes” and press Enter once you have kept them" "보관했다면 “yes”를 입력하고 Enter를 누르세요";

    // Connection.
    Online "● online" "● 온라인";
    Polling "● online (polling)" "● 온라인 (폴링)";
    Connecting "◌ connecting…" "◌ 연결 중…";
    Offline "○ offline – sending later" "○ 오프라인 – 나중에 보냄";
    Stopped "○ stopped" "○ 중단됨";

    // Conversations.
    NoConversations "No conversations yet" "아직 대화가 없습니다";
    StartOne "Ctrl-N starts one" "Ctrl-N으로 시작하세요";
    ChooseOne "Choose a conversation with ↑↓ and Enter" "↑↓와 Enter로 대화를 고르세요";
    Archive "Archive" "보관함";
    Draft "Draft" "임시 저장";
    You "You" "나";
    Somebody "Somebody" "누군가";
    DeletedAccount "Deleted account" "탈퇴한 사용자";
    Untitled "Group" "그룹";
    IsOnline "online" "접속 중";
    IsAway "away" "자리 비움";
    IsOffline "offline" "오프라인";
    Pinned "Pinned." "고정했습니다.";
    Unpinned "No longer pinned." "고정을 해제했습니다.";
    Muted "Muted." "알림을 껐습니다.";
    Unmuted "No longer muted." "알림을 켰습니다.";
    Archived "Archived; Shift-A shows the archive." "보관했습니다. Shift-A로 볼 수 있습니다.";
    Unarchived "Back in the list." "목록으로 되돌렸습니다.";

    // Messages.
    Loading "Loading…" "불러오는 중…";
    Earlier "↑ earlier messages" "↑ 이전 메시지";
    Later "↓ later messages" "↓ 이후 메시지";
    Empty "No messages yet. Say hello!" "아직 메시지가 없습니다. 인사를 건네 보세요!";
    New "New" "새 메시지";
    Edited "(edited)" "(수정됨)";
    Deleted "This message was deleted." "삭제된 메시지입니다.";
    Unsupported "This message needs a newer version." "최신 버전에서 볼 수 있는 메시지입니다.";
    OriginalGone "a message out of reach" "볼 수 없는 메시지";
    RetryOrDiscard "t try again · x discard" "t 다시 보내기 · x 삭제";
    Today "Today" "오늘";
    Yesterday "Yesterday" "어제";

    // Message box.
    WriteHere "Write a message…" "메시지를 입력하세요…";
    MayNotWrite "You cannot write here any more." "더 이상 이 대화에 쓸 수 없습니다.";
    Editing "Editing · Esc cancels" "수정 중 · Esc 취소";
    TextFull "The message is as long as it may be." "메시지가 너무 깁니다.";

    // Hints of the status line.
    ListHint "Enter open · Ctrl-N new · ? help" "Enter 열기 · Ctrl-N 새 대화 · ? 도움말";
    WriteHint "Enter send · Alt-↑ select · F1 help" "Enter 보내기 · Alt-↑ 선택 · F1 도움말";
    SelectHint "r reply · + react · i info · Esc" "r 답장 · + 반응 · i 정보 · Esc";
    SelectOwnHint "r reply · e edit · d delete · + react · i info" "r 답장 · e 수정 · d 삭제 · + 반응 · i 정보";
    NarrowHint "F1 help" "F1 도움말";

    // Dialogs.
    Close "Esc close" "Esc 닫기";
    NewChat "New chat" "새 대화";
    NewGroup "New group" "새 그룹";
    AddPeople "Add members" "멤버 추가";
    Title "Title" "제목";
    SearchName "Name begins with" "이름 검색";
    NobodyFound "Nobody by that name." "찾는 사람이 없습니다.";
    TypeToSearch "Type the beginning of a name." "이름의 앞부분을 입력하세요.";
    PickerHint "↑↓ choose · Enter open · Esc close" "↑↓ 선택 · Enter 열기 · Esc 닫기";
    GroupHint "Enter adds or takes out · Ctrl-S creates · Tab title" "Enter 추가·제외 · Ctrl-S 만들기 · Tab 제목";
    AddHint "Enter adds or takes out · Ctrl-S done · Esc close" "Enter 추가·제외 · Ctrl-S 완료 · Esc 닫기";
    Members "Members" "멤버";
    MembersHint "Enter chat · a add · x remove · o role · Esc" "Enter 대화 · a 추가 · x 제외 · o 역할 · Esc";
    Owner "owner" "소유자";
    Admin "admin" "관리자";
    Info "Message" "메시지 정보";
    ReadBy "Read by" "읽음";
    DeliveredTo "Delivered to" "도착";
    NotYet "Not yet delivered to" "아직 도착하지 않음";
    Reactions "Reactions" "반응";
    ReactTitle "React" "반응하기";
    ReactHint "1–6 or type an emoji · Enter · 0 takes back" "1–6 또는 이모지 입력 · Enter · 0 취소";
    ConfirmTitle "Are you sure?" "확인";
    ConfirmHint "y yes · n no" "y 예 · n 아니요";
    ConfirmDelete "Delete this message for everybody?" "모두에게서 이 메시지를 삭제할까요?";
    ConfirmLeave "Leave this group?" "이 그룹에서 나갈까요?";
    ConfirmDissolve "Close this group for everybody, for good?" "이 그룹을 영구히 해산할까요?";
    ConfirmLogOut "Log this device out and erase what it keeps?" "이 기기에서 로그아웃하고 저장된 내용을 지울까요?";
    HelpTitle "Keys" "단축키";

    // Answers.
    Done "Done." "완료했습니다.";
    OnlyOwn "Only your own messages can be changed." "내 메시지만 수정할 수 있습니다.";
    NotSentYet "This message is not sent yet." "아직 보내지 않은 메시지입니다.";
    NothingToChange "There is nothing to change in this message." "수정할 수 없는 메시지입니다.";
    GroupsOnly "That works in groups only." "그룹에서만 할 수 있습니다.";
    DirectOnly "That works in direct chats only." "1:1 대화에서만 할 수 있습니다.";
    NoSuchCommand "There is no such command; F1 lists them. Begin with // to send it." "없는 명령입니다. F1에서 확인하세요. 그대로 보내려면 //로 시작하세요.";
    CommandNeedsMore "That command needs something after it." "명령 뒤에 내용이 필요합니다.";
    NoSuchMember "No member has that name." "그 이름의 멤버가 없습니다.";
    ChooseSomebody "Choose at least one member first." "멤버를 한 명 이상 고르세요.";
    Busy "Too much at once; try again in a moment." "요청이 많습니다. 잠시 후 다시 시도하세요.";
    NotLoggedIn "Nobody is logged in." "로그인되어 있지 않습니다.";
    NeedsConnection "That needs a connection to the server." "서버에 연결되어 있어야 합니다.";
    CannotReach "The server cannot be reached." "서버에 연결할 수 없습니다.";
    NoAnswer "The server did not answer in time." "서버가 응답하지 않습니다.";
    BadAnswer "The server's answer cannot be read." "서버의 응답을 읽을 수 없습니다.";
    OutboxFull "Too many messages wait to be sent." "보낼 메시지가 너무 많이 쌓였습니다.";
    CacheFailed "The local cache failed." "로컬 저장소에 문제가 생겼습니다.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_name_a_language() {
        for (tag, language) in [
            ("ko_KR.UTF-8", Some(Language::Korean)),
            ("ko", Some(Language::Korean)),
            ("en-GB", Some(Language::English)),
            ("de_DE", Some(Language::English)),
            ("C.UTF-8", None),
            ("POSIX", None),
            ("", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }
}
