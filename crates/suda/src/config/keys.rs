//! The one table of configuration keys. Flags, environment variables, the file and the reference all follow it.

use suda_server::settings::Signup;

use super::Config;
use super::field::Field::{
    self, Addresses, Choice, File, Folder, Milliseconds, Number, Seconds, Secret, Size, Switch, Text, Texts,
};

/// One key.
pub struct Key {
    /// Its name in the file; dots separate tables: `tls.cert`.
    pub name: &'static str,
    /// Where its value goes.
    pub field: Field,
    /// One or two sentences for operators.
    pub help: &'static str,
}

impl Key {
    /// Its flag without the dashes in front: `tls-cert`.
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }

    /// Its environment variable: `SUDA_TLS_CERT`.
    pub fn variable(&self) -> String {
        format!("SUDA_{}", self.name.replace('.', "_").to_uppercase())
    }
}

const fn key(name: &'static str, field: Field, help: &'static str) -> Key {
    Key { name, field, help }
}

/// A day is more than anybody waits for, and far from where timers overflow.
const DAY_SECONDS: u64 = 86_400;
/// Counts beyond this are typing errors.
const MANY: u64 = 1 << 30;
/// What an operator may choose for `signup`, in the order of the enum.
const SIGNUPS: [Signup; 3] = [Signup::Open, Signup::Invite, Signup::Closed];

/// All keys, in the order of the reference.
pub static KEYS: &[Key] = &[
    key(
        "mode",
        Choice(
            &["embedded", "cluster"],
            |config, index| config.cluster.is_on = index == 1,
            |config| usize::from(config.cluster.is_on),
        ),
        "`embedded`: everything in one process and one folder. `cluster`: a node over Cassandra and PostgreSQL.",
    ),
    key(
        "data",
        Folder(|config| &mut config.data),
        "The folder that holds everything that is stored; of a cluster only the admin socket. It is made when absent; one \
         process uses it at a time.",
    ),
    key(
        "listen",
        Text(|config| &mut config.listen),
        "Address and port to listen on. Port 0 takes any free one.",
    ),
    key(
        "insecure",
        Switch(|config| &mut config.insecure),
        "Permits listening beyond this machine without TLS, for a proxy that adds it.",
    ),
    key(
        "tls.cert",
        File(|config| &mut config.tls_cert),
        "The certificate chain, PEM. Read again within 30 seconds of a change, and on SIGHUP.",
    ),
    key("tls.key", File(|config| &mut config.tls_key), "The certificate's private key, PEM."),
    key(
        "allowed_origins",
        Texts(|config| &mut config.server.allowed_origins),
        "Origins whose web pages may connect, besides the server's own: `https://chat.example`.",
    ),
    key(
        "web",
        Switch(|config| &mut config.web),
        "Serves the web client at `/`, for browsers. Without it there is only the API, under `/v1`.",
    ),
    key(
        "trusted_proxies",
        Addresses(|config| &mut config.server.trusted_proxies),
        "Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. A proxy must pass `Host` on.",
    ),
    key(
        "signup",
        Choice(
            &["open", "invite", "closed"],
            |config, index| config.server.signup = SIGNUPS[index],
            |config| config.server.signup as usize,
        ),
        "Who may sign up: everybody, whoever has an invitation (`suda admin invite`), nobody.",
    ),
    key(
        "drain_seconds",
        Seconds(|config| &mut config.drain, 1..=3_600),
        "How long a stopping server waits for its sessions to end.",
    ),
    key(
        "threads",
        Size(|config| &mut config.threads, 0..=1_024),
        "How many threads serve connections and conversations; 0 means one fewer than there are processors, since \
         storage has threads of its own.",
    ),
    key(
        "heartbeat_seconds",
        Seconds(|config| &mut config.server.heartbeat, 1..=DAY_SECONDS),
        "After how much silence a connection is pinged whose device somebody looks at.",
    ),
    key(
        "background_heartbeat_seconds",
        Seconds(|config| &mut config.server.background_heartbeat, 1..=DAY_SECONDS),
        "The same for a device in the background.",
    ),
    key(
        "answer_seconds",
        Seconds(|config| &mut config.server.answer_timeout, 1..=3_600),
        "How long a pinged device may take to give a sign of life; then its connection is closed, and it counts as gone.",
    ),
    key(
        "presence_rate",
        Number(|config| &mut config.server.presence_rate, 1..=100_000_000),
        "How many changes of presence are told a second, each to one session; more have to wait for their turn.",
    ),
    key(
        "watch_members",
        Number(|config| &mut config.server.watch_members, 0..=200),
        "Largest group of which opening it shows who is online, and changes as they come; larger ones show a count.",
    ),
    key(
        "limits.text_bytes",
        Number(|config| &mut config.server.limits.text_bytes, 1..=1 << 20),
        "Largest text of a message, in bytes of UTF-8.",
    ),
    key(
        "limits.frame_bytes",
        Number(|config| &mut config.server.limits.frame_bytes, 1_024..=2 << 20),
        "Largest frame or request body.",
    ),
    key(
        "limits.data_bytes",
        Number(|config| &mut config.server.limits.data_bytes, 0..=64 << 10),
        "Largest opaque `data` of a message, conversation or account, in bytes of JSON.",
    ),
    key(
        "limits.members",
        Number(|config| &mut config.server.limits.members, 2..=10_000),
        "Most members of a group.",
    ),
    key(
        "limits.conversations",
        Number(|config| &mut config.server.limits.conversations, 1..=MANY),
        "Most conversations of an account.",
    ),
    key(
        "limits.contacts",
        Number(|config| &mut config.server.contacts, 1..=MANY),
        "Most contacts of an account, requests and blocks included.",
    ),
    key(
        "limits.devices",
        Number(|config| &mut config.server.limits.devices, 1..=1_000),
        "Most devices of an account.",
    ),
    key(
        "limits.mentions",
        Number(|config| &mut config.server.limits.mentions, 0..=10_000),
        "Most mentions in a message.",
    ),
    key(
        "limits.page_entries",
        Number(|config| &mut config.server.limits.page_entries, 1..=10_000),
        "Most entries of a page of history.",
    ),
    key(
        "limits.window_rows",
        Number(|config| &mut config.server.limits.window_rows, 1..=10_000),
        "Most rows of a window of the list of conversations.",
    ),
    key(
        "limits.base_entries",
        Number(|config| &mut config.server.limits.base_entries, 64..=1 << 20),
        "How many entries a send may lag behind before its device has to read them first.",
    ),
    key(
        "session.total",
        Size(|config| &mut config.server.sessions, 1..=MANY),
        "Most sessions at once; open files may set a lower bound.",
    ),
    key(
        "session.per_device",
        Size(|config| &mut config.server.device_sessions, 1..=1_000),
        "Most sessions of one device.",
    ),
    key(
        "session.requests",
        Size(|config| &mut config.server.session_requests, 1..=10_000),
        "Most unanswered requests of a session.",
    ),
    key(
        "session.frames",
        Size(|config| &mut config.server.session_frames, 16..=1 << 20),
        "Most frames that wait for a slow session; beyond it is closed and resumes.",
    ),
    key(
        "session.bytes",
        Size(|config| &mut config.server.session_bytes, 64 << 10..=MANY),
        "Most bytes that wait for a slow session; beyond it is closed and resumes.",
    ),
    key(
        "session.hello_seconds",
        Seconds(|config| &mut config.server.hello_timeout, 1..=DAY_SECONDS),
        "How long a new connection may take to say hello.",
    ),
    key(
        "session.write_seconds",
        Seconds(|config| &mut config.server.write_timeout, 1..=DAY_SECONDS),
        "How long a connection may take to accept a frame.",
    ),
    key(
        "session.receipts_milliseconds",
        Milliseconds(|config| &mut config.server.receipts_merge, 0..=60_000),
        "For how long receipts are merged before they are sent.",
    ),
    key(
        "rate.address_per_second",
        Number(|config| &mut config.server.address_rate.count, 1..=MANY),
        "Requests a second of one address, in the long run.",
    ),
    key(
        "rate.address_burst",
        Number(|config| &mut config.server.address_rate.burst, 1..=MANY),
        "Requests of one address at once.",
    ),
    key(
        "rate.account_per_second",
        Number(|config| &mut config.server.account_rate.count, 1..=MANY),
        "Requests a second of one account, in the long run.",
    ),
    key(
        "rate.account_burst",
        Number(|config| &mut config.server.account_rate.burst, 1..=MANY),
        "Requests of one account at once.",
    ),
    key(
        "rate.login_per_minute",
        Number(|config| &mut config.server.login_rate.count, 1..=MANY),
        "Logins and sign-ups a minute of one address, in the long run.",
    ),
    key(
        "rate.login_burst",
        Number(|config| &mut config.server.login_rate.burst, 1..=MANY),
        "Logins and sign-ups of one address at once.",
    ),
    key(
        "app.keys_file",
        File(|config| &mut config.app_keys_file),
        "The public keys of your own backend, a JWK set (RFC 7517): its tokens log users in.",
    ),
    key(
        "app.audience",
        Text(|config| &mut config.server.app_audience),
        "The `aud` that your backend's tokens must name.",
    ),
    key(
        "app.key",
        Secret(|config| &mut config.server.app_key),
        "The key with which your backend calls `/v1/app/…`. Better in a file: a flag shows in process lists.",
    ),
    key(
        "app.key_file",
        File(|config| &mut config.app_key_file),
        "A file that holds `app.key` in its first line.",
    ),
    key(
        "password.memory_kib",
        Number(|config| &mut config.server.password_cost.memory_kib, 8..=4 << 20),
        "Memory for hashing a password (Argon2id), KiB.",
    ),
    key(
        "password.passes",
        Number(|config| &mut config.server.password_cost.passes, 1..=100),
        "Passes over that memory.",
    ),
    key(
        "cluster.cassandra",
        Texts(|config| &mut config.cluster.cassandra),
        "Some nodes of Cassandra or ScyllaDB, each `host:port`; the others are found. It keeps the conversations of a \
         cluster.",
    ),
    key("cluster.keyspace", Text(|config| &mut config.cluster.keyspace), "The keyspace there."),
    key(
        "cluster.replication",
        Text(|config| &mut config.cluster.replication),
        "How `suda migrate` lays the keyspace out when it makes it, as CQL writes it.",
    ),
    key(
        "cluster.datacenter",
        Text(|config| &mut config.cluster.datacenter),
        "The datacenter whose Cassandra this node uses, where there are several.",
    ),
    key(
        "cluster.postgres",
        Secret(|config| &mut config.cluster.postgres),
        "Where PostgreSQL is: `postgres://user:password@host:5432/database`. It keeps the accounts of a cluster.",
    ),
    key(
        "cluster.postgres_connections",
        Number(|config| &mut config.cluster.postgres_connections, 2..=1_000),
        "Most connections of this node to PostgreSQL.",
    ),
    key(
        "storage.segment_mib",
        Number(|config| &mut config.segment_mib, 1..=1_024),
        "Size of a new file of the message log, MiB, reserved when it is made.",
    ),
    key(
        "log.level",
        Text(|config| &mut config.log_level),
        "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives like `info,suda_server=debug`.",
    ),
    key(
        "log.format",
        Choice(
            &["text", "json"],
            |config, index| config.log_json = index == 1,
            |config| usize::from(config.log_json),
        ),
        "How log lines look. They go to standard error.",
    ),
];

/// The key with this name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Applies `text` to the configuration.
pub fn set(key: &Key, config: &mut Config, text: &str) -> Result<(), String> {
    key.field.read(config, text)
}
