//! The ports on a cluster's engines: PostgreSQL for general data.
//!
//! | module | what |
//! |---|---|
//! | [`database`] | PostgreSQL: settings, pool, schema |
//! | `calls` | one call of a port: attempts, transactions, what errors mean |
//! | `accounts`, `activity`, `contacts`, `devices`, `jobs`, `row` | the relational ports over PostgreSQL |

mod accounts;
mod activity;
mod calls;
mod contacts;
pub mod database;
mod devices;
mod jobs;
mod row;
