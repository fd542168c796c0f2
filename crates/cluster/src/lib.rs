//! The ports on a cluster's engines: Cassandra or ScyllaDB for conversations, PostgreSQL for general data.
//!
//! | module | what |
//! |---|---|
//! | [`conversation_log`], `committing`, `deriving`, `history`, `inbox`, `erasing` | the ports `Log` and `Inbox` |
//! | `fold` | what follows from entries, pure |
//! | [`session`], [`schema`], `statements`, [`rows`] | the connection to Cassandra, its tables, and what they hold |
//! | [`database`] | PostgreSQL: settings, pool, schema, what its errors mean |

mod committing;
pub mod conversation_log;
pub mod database;
mod deriving;
mod erasing;
mod fold;
mod history;
mod inbox;
pub mod rows;
pub mod schema;
pub mod session;
mod statements;
