-- When accounts were last active; whoever is online is so for as long as its gateway is alive.

CREATE TABLE activity (
    account  BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id),
    at       INTEGER NOT NULL,
    gateway  BLOB    CHECK (length(gateway) = 16) -- where it is online; absent once it is not
) STRICT, WITHOUT ROWID;

CREATE INDEX activity_by_gateway ON activity (gateway) WHERE gateway IS NOT NULL;

CREATE TABLE gateways (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    alive_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
