//! What an operator can set of the server's behaviour; the binary fills it from its configuration.

use std::net::IpAddr;
use std::time::Duration;

use suda_proto::Limits;

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The limits that `hello` states.
    pub limits: Limits,
    /// Who may sign up.
    pub signup: Signup,
    /// Origins, besides the server's own, whose pages may connect: `https://app.example`.
    pub allowed_origins: Vec<String>,
    /// Whether connections come over TLS by themselves, without a proxy; cookies are `Secure` then.
    pub tls: bool,
    /// Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long a new connection may take to say hello.
    pub hello_timeout: Duration,
    /// After how much silence a connection is pinged whose device somebody looks at.
    pub heartbeat: Duration,
    /// The same for a device in the background.
    pub background_heartbeat: Duration,
    /// How long a pinged device may take to give a sign of life before its connection is closed.
    pub answer_timeout: Duration,
    /// How long a device whose connection it closed itself is still shown as it was.
    pub presence_clean: Duration,
    /// Changes of presence told a second by this node, each time to one session; more have to wait.
    pub presence_rate: u32,
    /// Largest group of which all members are watched once it is opened; of larger ones there is a count.
    pub watch_members: u32,
    /// For how long receipts are merged.
    pub receipts_merge: Duration,
    /// How long a connection may take to accept a frame.
    pub write_timeout: Duration,
    /// Most frames that wait for a slow session.
    pub session_frames: usize,
    /// Most bytes that wait for a slow session.
    pub session_bytes: usize,
    /// Most sessions of this node.
    pub sessions: usize,
    /// Most unanswered requests of a session.
    pub session_requests: usize,
    /// Most sessions of one device.
    pub device_sessions: usize,
    /// Most contacts of an account, requests and blocks included.
    pub contacts: u32,
    /// Requests a second and address, and how many at once.
    pub address_rate: Rate,
    /// Requests a second and account, and how many at once.
    pub account_rate: Rate,
    /// Logins and sign-ups a minute and address, and how many at once.
    pub login_rate: Rate,
    /// The JWT keys of the app's own backend, as a JWK set (RFC 7517); empty where there is none.
    pub app_keys: String,
    /// The `aud` that the app's tokens must name.
    pub app_audience: String,
    /// The application key with which the app's backend calls `/v1/app/…`; empty where there is none.
    pub app_key: String,
    /// Cost of hashing a password.
    pub password_cost: PasswordCost,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signup {
    /// Everybody.
    #[default]
    Open,
    /// Whoever has an invitation.
    Invite,
    /// Nobody; accounts come from the operator or the app's backend.
    Closed,
}

/// So many in each period, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many in the long run.
    pub count: u32,
    /// In how long.
    pub period: Duration,
    /// How many at once.
    pub burst: u32,
}

/// Argon2id parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            limits: Limits::default(),
            signup: Signup::Open,
            allowed_origins: Vec::new(),
            tls: false,
            trusted_proxies: Vec::new(),
            hello_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(25),
            background_heartbeat: Duration::from_secs(285),
            answer_timeout: Duration::from_secs(7),
            presence_clean: Duration::from_secs(5),
            presence_rate: 100_000,
            watch_members: 50,
            receipts_merge: Duration::from_millis(500),
            write_timeout: Duration::from_secs(15),
            session_frames: 1_024,
            session_bytes: 1024 * 1024,
            sessions: 1_000_000,
            session_requests: 64,
            device_sessions: 8,
            contacts: 2_000,
            address_rate: Rate { count: 100, period: second, burst: 400 },
            account_rate: Rate { count: 50, period: second, burst: 200 },
            login_rate: Rate { count: 10, period: Duration::from_secs(60), burst: 20 },
            app_keys: String::new(),
            app_audience: "suda".to_owned(),
            app_key: String::new(),
            // The first choice of OWASP's password storage cheat sheet for Argon2id.
            password_cost: PasswordCost { memory_kib: 19 * 1024, passes: 2 },
        }
    }
}
