//! Backups of a store that is in use, and bringing one back.
