-- General data: accounts, devices, contacts, promised jobs.
-- Ids are 16 bytes, hashes 32 bytes (SHA-256), times milliseconds since 1970.
-- Every migration ends by setting user_version to its own number.

CREATE TABLE accounts (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name             TEXT    UNIQUE, -- absent once deleted
    display_name     TEXT    NOT NULL,
    colour           INTEGER NOT NULL,
    about            TEXT    NOT NULL,
    data             BLOB,
    who_may_message  TEXT    NOT NULL CHECK (who_may_message IN ('everyone', 'contacts', 'nobody')),
    who_may_add      TEXT    NOT NULL CHECK (who_may_add IN ('everyone', 'contacts', 'nobody')),
    language         TEXT    NOT NULL,
    status           TEXT    NOT NULL CHECK (status IN ('active', 'disabled', 'deleted')),
    external_id      TEXT    UNIQUE,
    password_hash    TEXT,
    created_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    account  BLOB NOT NULL REFERENCES accounts (id),
    hash     BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
    hash        BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    uses_left   INTEGER NOT NULL CHECK (uses_left >= 0),
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account         BLOB    NOT NULL REFERENCES accounts (id),
    name            TEXT    NOT NULL,
    platform        TEXT    NOT NULL,
    token_hash      BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at      INTEGER NOT NULL,
    last_active_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX devices_of_account ON devices (account, created_at, id);

-- How `account` sees `other`. A request or a contact has a row on both sides, a block on one.
CREATE TABLE contacts (
    account   BLOB NOT NULL REFERENCES accounts (id),
    other     BLOB NOT NULL REFERENCES accounts (id),
    relation  TEXT NOT NULL CHECK (relation IN ('requested', 'asked', 'contact', 'blocked')),
    PRIMARY KEY (account, other),
    CHECK (account <> other)
) STRICT, WITHOUT ROWID;

CREATE INDEX contacts_by_other ON contacts (other);

-- Work promised in the transaction of its cause; `task` is JSON, `account` whose task it is.
CREATE TABLE jobs (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account   BLOB    NOT NULL,
    task      TEXT    NOT NULL,
    due_at    INTEGER NOT NULL,
    attempts  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_of_account ON jobs (account);

-- One row: how many deletions have not been erased from unused parts of the file yet.
CREATE TABLE erasure (
    due  INTEGER NOT NULL CHECK (due >= 0)
) STRICT;

INSERT INTO erasure (due) VALUES (0);

PRAGMA user_version = 1;
