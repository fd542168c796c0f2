//! The ports on one machine: an own log, an LMDB index, SQLite.

pub mod log;
