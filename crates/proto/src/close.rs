//! WebSocket close codes (RFC 6455, private range), in ranges that tell an SDK what to do.
//!
//! 4000–4099 resume at once, 4100–4199 resume after a pause, 4200–4299 log in again, 4300–4399 stop.

use crate::error::Code;

/// Why the server closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// The session could not keep up and was cut loose; nothing is lost.
    TooSlow,
    /// The server drains; another gateway, or the same one restarted, takes over.
    Draining,
    /// No `hello` came in time, or no sign of life.
    Silent,
    /// The server has no room for another session.
    Overloaded,
    /// Another connection of the same device took over.
    Replaced,
    /// The token is not, or no longer, valid.
    Unauthenticated,
    /// The account was disabled or deleted.
    AccountClosed,
    /// The client broke the protocol beyond what an error reply can say.
    ProtocolError,
    /// The server does not speak the client's protocol version.
    UnsupportedProtocol,
    /// A frame was larger than the limit.
    FrameTooLarge,
}

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterClose {
    /// Connect and resume at once (with jitter).
    Resume,
    /// Connect and resume after a growing, jittered pause.
    Pause,
    /// Ask the user to log in again.
    LogIn,
    /// Give up: trying again cannot help.
    Stop,
}

impl Close {
    /// Every close code.
    pub const ALL: [Self; 10] = [
        Self::TooSlow,
        Self::Draining,
        Self::Silent,
        Self::Overloaded,
        Self::Replaced,
        Self::Unauthenticated,
        Self::AccountClosed,
        Self::ProtocolError,
        Self::UnsupportedProtocol,
        Self::FrameTooLarge,
    ];

    /// The number on the wire and the reason sent with it.
    pub const fn wire(self) -> (u16, &'static str) {
        match self {
            Self::TooSlow => (4000, "too_slow"),
            Self::Draining => (4001, "draining"),
            Self::Silent => (4002, "silent"),
            Self::Overloaded => (4100, "overloaded"),
            Self::Replaced => (4300, "replaced"),
            Self::Unauthenticated => (4200, "unauthenticated"),
            Self::AccountClosed => (4201, "account_closed"),
            Self::ProtocolError => (4301, "protocol_error"),
            Self::UnsupportedProtocol => (4302, "unsupported_protocol"),
            Self::FrameTooLarge => (4303, "frame_too_large"),
        }
    }

    /// The close that follows an error in the answer to `hello`; other errors, and errors later on, close nothing.
    pub const fn after_hello(code: Code) -> Option<Self> {
        match code {
            Code::Unauthenticated => Some(Self::Unauthenticated),
            Code::AccountDisabled => Some(Self::AccountClosed),
            Code::UnsupportedProtocol => Some(Self::UnsupportedProtocol),
            Code::HelloFirst => Some(Self::ProtocolError),
            Code::Draining => Some(Self::Draining),
            Code::Overloaded => Some(Self::Overloaded),
            _ => None,
        }
    }

    /// What a client does after a close with `code`; any code outside the ranges is a lost connection.
    pub const fn advice(code: u16) -> AfterClose {
        match code {
            4100..=4199 => AfterClose::Pause,
            4200..=4299 => AfterClose::LogIn,
            4300..=4399 => AfterClose::Stop,
            _ => AfterClose::Resume,
        }
    }
}
