-- General data: accounts, devices, contacts, activity, promised jobs.
-- Ids are uuids, hashes 32 bytes (SHA-256), numbers bigint, times milliseconds since 1970 unless a type says otherwise.
-- A migration only adds, so that nodes of the version before go on beside it; what has become superfluous leaves one
-- version later, by a migration that raises `compatibility.oldest`.

-- One row: the oldest schema that a node may have been built for and still work on this one.
CREATE TABLE compatibility (
    oldest  bigint NOT NULL
);

INSERT INTO compatibility (oldest) VALUES (1);

-- Names are compared by their bytes, as everywhere else in Suda.
CREATE TABLE accounts (
    id               uuid    NOT NULL PRIMARY KEY,
    name             text    COLLATE "C" UNIQUE, -- absent once deleted
    display_name     text    NOT NULL,
    colour           bigint  NOT NULL,
    about            text    NOT NULL,
    data             bytea,
    who_may_message  text    NOT NULL CHECK (who_may_message IN ('everyone', 'contacts', 'nobody')),
    who_may_add      text    NOT NULL CHECK (who_may_add IN ('everyone', 'contacts', 'nobody')),
    who_may_see      text    NOT NULL CHECK (who_may_see IN ('everyone', 'contacts', 'nobody')),
    language         text    NOT NULL,
    status           text    NOT NULL CHECK (status IN ('active', 'disabled', 'deleted')),
    external_id      text    COLLATE "C" UNIQUE,
    password_hash    text,
    created_at       bigint  NOT NULL
);

CREATE TABLE recovery_codes (
    account  uuid   NOT NULL REFERENCES accounts (id),
    hash     bytea  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account, hash)
);

CREATE TABLE invites (
    hash        bytea   NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    uses_left   bigint  NOT NULL CHECK (uses_left >= 0),
    expires_at  bigint  NOT NULL
);

CREATE TABLE devices (
    id              uuid    NOT NULL PRIMARY KEY,
    account         uuid    NOT NULL REFERENCES accounts (id),
    name            text    NOT NULL,
    platform        text    NOT NULL,
    token_hash      bytea   NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at      bigint  NOT NULL,
    last_active_at  bigint  NOT NULL
);

CREATE INDEX devices_of_account ON devices (account, created_at, id);

-- How `account` sees `other`. A request or a contact has a row on both sides, a block on one.
CREATE TABLE contacts (
    account   uuid  NOT NULL REFERENCES accounts (id),
    other     uuid  NOT NULL REFERENCES accounts (id),
    relation  text  NOT NULL CHECK (relation IN ('requested', 'asked', 'contact', 'blocked')),
    PRIMARY KEY (account, other),
    CHECK (account <> other)
);

CREATE INDEX contacts_by_other ON contacts (other);

-- When accounts were last active; whoever is online is so for as long as its gateway is alive. The table is rewritten all
-- the time, so pages keep room for the new rows.
CREATE TABLE activity (
    account  uuid    NOT NULL PRIMARY KEY REFERENCES accounts (id),
    at       bigint  NOT NULL,
    gateway  uuid -- where it is online; absent once it is not
) WITH (fillfactor = 70);

CREATE INDEX activity_by_gateway ON activity (gateway) WHERE gateway IS NOT NULL;

CREATE TABLE gateways (
    id        uuid    NOT NULL PRIMARY KEY,
    alive_at  bigint  NOT NULL
) WITH (fillfactor = 50);

-- Numbers are taken while the account of the job is locked, so they follow the order of promising, which clocks of
-- several nodes would not. They begin where the time since 1970 stands, in 4096ths of a millisecond, because they are the
-- upper part of UUIDv7 ids: behind whatever was numbered by a clock before, such as jobs copied from a single node.
CREATE SEQUENCE job_numbers AS bigint;

SELECT setval('job_numbers', (extract(epoch FROM clock_timestamp()) * 1000)::bigint * 4096);

CREATE FUNCTION job_id(number bigint) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex(number >> 12), 12, '0') || '7' || lpad(to_hex(number & 4095), 3, '0')
            || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid
$$;

-- Work promised in the transaction of its cause; `task` is JSON, `account` whose task it is.
CREATE TABLE jobs (
    id        uuid    NOT NULL PRIMARY KEY DEFAULT job_id(nextval('job_numbers')),
    account   uuid    NOT NULL,
    task      text    NOT NULL,
    due_at    bigint  NOT NULL,
    attempts  bigint  NOT NULL,
    holder    uuid -- which node has it in hand; absent until one takes it
);

CREATE INDEX jobs_of_account ON jobs (account);
CREATE INDEX jobs_by_holder ON jobs (holder) WHERE holder IS NOT NULL;

-- Nodes that take jobs; what one has in hand is free again when it is not alive any more.
CREATE TABLE job_holders (
    id           uuid         NOT NULL PRIMARY KEY,
    alive_until  timestamptz  NOT NULL
);

-- Transactions whose call must not run twice: a row is there if its transaction was committed. Kept for some minutes.
CREATE TABLE outcomes (
    id            uuid         NOT NULL PRIMARY KEY,
    committed_at  timestamptz  NOT NULL DEFAULT now()
);

CREATE INDEX outcomes_by_age ON outcomes (committed_at);
