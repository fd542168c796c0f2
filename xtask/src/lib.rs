//! Repository chores as a library, so that `cargo xtask` and `cargo test` run the same code.

pub mod engines;
pub mod tidy;
