//! The ports on one machine: an own log, an LMDB index, SQLite.
//!
//! | module | what |
//! |---|---|
//! | [`store`] | everything in one data folder: open, back up, restore, check |
//! | [`log`] | segment files, appended to and synced in groups: what is acknowledged is here |
//! | [`records`] | what the log's records mean |
//! | `index` | an LMDB database derived from the log, with its tail in memory |
//! | [`conversation_log`], `history`, `entries`, `inbox`, `turns`, `pace` | the ports `Log` and `Inbox` over log and index |
//! | `merging` | sealed segments become sorted files |
//! | [`bus`] | the port `Bus` within one process |
//! | [`database`], `accounts`, `activity`, `contacts`, `devices`, `jobs`, `row` | the other ports over SQLite |

mod accounts;
mod activity;
pub mod bus;
mod contacts;
pub mod conversation_log;
pub mod database;
mod devices;
mod entries;
mod history;
mod inbox;
pub mod index;
mod jobs;
pub mod log;
mod merging;
mod pace;
pub mod records;
mod row;
pub mod store;
mod turns;
