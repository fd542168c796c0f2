//! The ports on a cluster's engines: Cassandra or ScyllaDB for conversations, PostgreSQL for general data, NATS
//! between nodes.
//!
//! | module | what |
//! |---|---|
//! | [`conversation_log`], `committing`, `deriving`, `history`, `inbox`, `erasing` | the ports `Log` and `Inbox` over Cassandra |
//! | `fold` | what follows from entries, pure |
//! | [`session`], [`schema`], `statements`, [`rows`] | the connection to Cassandra, its tables, and what they hold |
//! | [`database`] | PostgreSQL: settings, pool, schema |
//! | [`bus`], [`bus_options`] | the port `Bus` over NATS |
//! | `calls` | one call of a port: attempts, transactions, what errors mean |
//! | `accounts`, `activity`, `contacts`, `devices`, `jobs`, `row` | the relational ports over PostgreSQL |

mod accounts;
mod activity;
pub mod bus;
pub mod bus_options;
mod calls;
mod committing;
mod contacts;
pub mod conversation_log;
pub mod database;
mod deriving;
mod devices;
mod erasing;
mod fold;
mod history;
mod inbox;
mod jobs;
mod row;
pub mod rows;
pub mod schema;
pub mod session;
mod statements;
