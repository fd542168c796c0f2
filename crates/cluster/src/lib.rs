//! The ports on a cluster's engines: PostgreSQL for general data.
//!
//! | module | what |
//! |---|---|
//! | [`database`] | PostgreSQL: settings, pool, schema, what its errors mean |

pub mod database;
