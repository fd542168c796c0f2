//! Error codes: one table with name, HTTP status, whether to try again, and a sentence in
//! English and Korean. Documentation and SDKs are generated from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ErrorBody {
    /// The code's name; a client treats a name it does not know by `retry_after_ms`: absent means permanent.
    pub code: String,
    /// A sentence for people, in English.
    pub message: String,
    /// Trying the same again may succeed after so many milliseconds; absent where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ErrorBody {
    /// The code, if this version knows it.
    pub fn known(&self) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == self.code)
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal retry($retry:expr) $english:literal $korean:literal;)*) => {
        /// What went wrong, as one closed set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each variant's sentence stands in the table")]
        pub enum Code { $($variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// After how many milliseconds to try again; `None` where that cannot help.
            pub const fn retry_after_ms(self) -> Option<u64> {
                match self { $(Self::$variant => $retry,)* }
            }

            /// The sentence in English.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$variant => $english,)* }
            }

            /// The sentence in Korean.
            pub const fn korean(self) -> &'static str {
                match self { $(Self::$variant => $korean,)* }
            }
        }
    };
}

codes! {
    BadFrame "bad_frame" 400 retry(None) "The frame is not a JSON object with id, type and body." "프레임 형식이 올바르지 않습니다.";
    UnknownRequest "unknown_request" 400 retry(None) "There is no such request." "알 수 없는 요청입니다.";
    UnknownKind "unknown_kind" 400 retry(None) "Entries of this kind cannot be sent." "보낼 수 없는 종류의 항목입니다.";
    BadRequest "bad_request" 400 retry(None) "The request's fields do not fit." "요청 내용이 올바르지 않습니다.";
    NotUtf8 "not_utf8" 400 retry(None) "The text is not UTF-8." "UTF-8 텍스트가 아닙니다.";
    BinaryFrame "binary_frame" 400 retry(None) "Frames must be text." "텍스트 프레임만 보낼 수 있습니다.";
    FrameTooLarge "frame_too_large" 413 retry(None) "The frame or body is larger than the limit." "프레임이 너무 큽니다.";
    TextTooLong "text_too_long" 413 retry(None) "The text is longer than the limit." "메시지가 너무 깁니다.";
    DataTooLarge "data_too_large" 413 retry(None) "The data is larger than the limit." "데이터가 너무 큽니다.";
    EmptyText "empty_text" 400 retry(None) "The text is empty." "내용이 비어 있습니다.";
    UnsupportedBody "unsupported_body" 422 retry(None) "This server does not take bodies of this type yet." "아직 지원하지 않는 형식입니다.";
    BadMention "bad_mention" 400 retry(None) "A mention lies outside the text or names no member." "멘션이 올바르지 않습니다.";
    UnsupportedProtocol "unsupported_protocol" 400 retry(None) "The server speaks another protocol version; update the app." "앱을 업데이트해 주세요.";
    HelloFirst "hello_first" 400 retry(None) "Say hello before anything else, and only once." "먼저 hello를 보내야 합니다.";
    Unauthenticated "unauthenticated" 401 retry(None) "The token is missing or not valid; log in again." "다시 로그인해 주세요.";
    WrongPassword "wrong_password" 401 retry(None) "Name or password is wrong." "이름 또는 비밀번호가 올바르지 않습니다.";
    BadToken "bad_token" 401 retry(None) "The signed token is not accepted." "서명된 토큰을 확인할 수 없습니다.";
    AccountDisabled "account_disabled" 403 retry(None) "The account is disabled." "사용이 중지된 계정입니다.";
    OriginRefused "origin_refused" 403 retry(None) "Pages of this origin may not connect." "허용되지 않은 출처입니다.";
    SignupClosed "signup_closed" 403 retry(None) "This server takes no new accounts." "가입을 받지 않습니다.";
    BadInvite "bad_invite" 403 retry(None) "The invitation is missing, used or expired." "초대장이 올바르지 않습니다.";
    NotMember "not_member" 403 retry(None) "You are not a member of this conversation." "대화 참여자가 아닙니다.";
    NotAllowed "not_allowed" 403 retry(None) "Your role does not allow this." "권한이 없습니다.";
    Blocked "blocked" 403 retry(None) "One of you has blocked the other." "차단된 상대입니다.";
    NotAccepting "not_accepting" 403 retry(None) "This account does not accept that from you." "상대가 받지 않도록 설정했습니다.";
    EditTooLate "edit_too_late" 403 retry(None) "The time for editing this message is over." "수정할 수 있는 시간이 지났습니다.";
    Dissolved "dissolved" 403 retry(None) "The group was dissolved." "해산된 그룹입니다.";
    NoSuchAccount "no_such_account" 404 retry(None) "There is no such account." "계정을 찾을 수 없습니다.";
    NoSuchConversation "no_such_conversation" 404 retry(None) "There is no such conversation." "대화를 찾을 수 없습니다.";
    NoSuchMessage "no_such_message" 404 retry(None) "There is no such message, or it was deleted." "메시지를 찾을 수 없습니다.";
    NoSuchDevice "no_such_device" 404 retry(None) "There is no such device." "기기를 찾을 수 없습니다.";
    NoSuchRoute "no_such_route" 404 retry(None) "There is nothing at this path." "경로를 찾을 수 없습니다.";
    MethodNotAllowed "method_not_allowed" 405 retry(None) "The path exists, but not for this method." "허용되지 않은 메서드입니다.";
    NameTaken "name_taken" 409 retry(None) "The name is taken." "이미 사용 중인 이름입니다.";
    BadName "bad_name" 400 retry(None) "A name has 2 to 32 characters of a-z, 0-9, _ and dot." "이름은 2~32자의 a-z, 0-9, _, 점이어야 합니다.";
    BadDisplayName "bad_display_name" 400 retry(None) "A display name has 1 to 64 visible characters." "표시 이름은 1~64자여야 합니다.";
    WeakPassword "weak_password" 400 retry(None) "A password has 8 to 256 characters." "비밀번호는 8~256자여야 합니다.";
    AlreadyMember "already_member" 409 retry(None) "The account is a member already." "이미 참여 중입니다.";
    GroupFull "group_full" 409 retry(None) "The group has as many members as it may." "그룹 인원이 가득 찼습니다.";
    TooManyConversations "too_many_conversations" 409 retry(None) "The account is in as many conversations as it may." "대화가 너무 많습니다.";
    TooManyDevices "too_many_devices" 409 retry(None) "The account has as many devices as it may; log one out." "기기가 너무 많습니다. 하나를 로그아웃해 주세요.";
    TooManyContacts "too_many_contacts" 409 retry(None) "The account has as many contacts as it may." "연락처가 너무 많습니다.";
    StaleBase "stale_base" 409 retry(None) "The base lies too far back: read from there on, drop what was committed, send the rest again with a newer base." "오래된 기준입니다. 다시 동기화해 주세요.";
    OutOfTurn "out_of_turn" 409 retry(Some(50)) "The preceding send is not committed; send both again, in order." "앞선 메시지가 아직 저장되지 않았습니다.";
    ClientIdReused "client_id_reused" 409 retry(None) "This client id belongs to another act." "이미 사용된 식별자입니다.";
    BeyondHead "beyond_head" 409 retry(None) "The position lies beyond the head: reset the conversation." "대화를 다시 불러와 주세요.";
    RateLimited "rate_limited" 429 retry(Some(1_000)) "Too many requests; wait a little." "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.";
    TooManyRequests "too_many_requests" 429 retry(Some(200)) "Too many unanswered requests on this session." "처리 중인 요청이 너무 많습니다.";
    Overloaded "overloaded" 503 retry(Some(500)) "The server is busy; try again shortly." "서버가 바쁩니다. 잠시 후 다시 시도해 주세요.";
    StorageFull "storage_full" 503 retry(Some(5_000)) "The server's disk is full; nothing was stored." "서버 저장 공간이 부족합니다.";
    Draining "draining" 503 retry(Some(1_000)) "The server is shutting down; connect again." "서버가 종료 중입니다. 다시 연결해 주세요.";
    TimedOut "timed_out" 503 retry(Some(1_000)) "The outcome is not known yet; send the same again." "결과를 아직 알 수 없습니다. 다시 보내 주세요.";
    Internal "internal" 500 retry(Some(1_000)) "Something failed inside the server; the log tells more." "서버 내부 오류입니다.";
}

impl Code {
    /// The error with the code's own sentence.
    pub fn error(self) -> ErrorBody {
        ErrorBody {
            code: self.name().to_owned(),
            message: self.english().to_owned(),
            retry_after_ms: self.retry_after_ms(),
        }
    }

    /// The error with the code's sentence and what exactly was wrong, cut to 200 characters.
    pub fn because(self, detail: &str) -> ErrorBody {
        let detail: String = detail.chars().take(200).collect();
        ErrorBody { message: format!("{} ({detail})", self.english()), ..self.error() }
    }
}

impl From<Code> for ErrorBody {
    fn from(code: Code) -> Self {
        code.error()
    }
}
