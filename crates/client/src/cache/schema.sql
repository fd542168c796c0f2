-- The client's cache, version 1 (`PRAGMA user_version`). Values are JSON of the types named beside them.

-- The one login. `account`: OwnAccount.
CREATE TABLE session (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    server TEXT NOT NULL,
    account TEXT NOT NULL,
    device BLOB NOT NULL,
    token TEXT NOT NULL,
    -- Where to resume; everything up to it was applied.
    resume TEXT,
    -- Where to poll from, if polling went on from there.
    cursor TEXT,
    -- Where the list of conversations goes on on the server.
    next_window TEXT,
    -- How far the account's own conversation was applied.
    own_epoch INTEGER NOT NULL DEFAULT 0,
    own_seq INTEGER NOT NULL DEFAULT 0
);

-- `row`: Row; `state`: Conversation; `detail`: Detail.
CREATE TABLE conversations (
    id BLOB PRIMARY KEY,
    row TEXT,
    state TEXT NOT NULL,
    detail TEXT,
    at INTEGER NOT NULL,
    -- Read up to here on this device, not yet acknowledged by the server.
    read_wanted INTEGER
) WITHOUT ROWID;

-- `value`: CachedEntry. `act_on` is the target of an edit, deletion or reaction; `shown` is 1 for what an app shows.
CREATE TABLE entries (
    conversation BLOB NOT NULL,
    seq INTEGER NOT NULL,
    author BLOB NOT NULL,
    act_on INTEGER,
    shown INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
) WITHOUT ROWID;
CREATE INDEX acts ON entries (conversation, act_on) WHERE act_on IS NOT NULL;

-- What the account's devices agree on.
CREATE TABLE own_state (key TEXT PRIMARY KEY, value TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;

-- Values set on this device, not yet acknowledged by the server.
CREATE TABLE own_wanted (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    client_id BLOB NOT NULL,
    -- How far the account's own conversation was applied when the value was set.
    base INTEGER NOT NULL
) WITHOUT ROWID;

-- `value`: Profile.
CREATE TABLE profiles (account BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Sends in the order in which they were composed. `value`: Item.
CREATE TABLE outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id BLOB NOT NULL UNIQUE,
    value TEXT NOT NULL
);
