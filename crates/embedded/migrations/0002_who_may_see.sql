-- Who may see when an account is online or types, and how far it has read; everybody, until it says otherwise.

ALTER TABLE accounts ADD COLUMN who_may_see TEXT NOT NULL DEFAULT 'everyone'
    CHECK (who_may_see IN ('everyone', 'contacts', 'nobody'));

PRAGMA user_version = 2;
