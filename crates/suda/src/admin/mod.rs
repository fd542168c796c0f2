//! `suda admin`: accounts, invitations and status, of a running or a stopped server.
//!
//! | file | what |
//! |---|---|
//! | `socket` | the running server's admin socket in its data folder |
//! | `routes` | what is asked there: the server's routes, and storage's own |
//! | `operator` | asks the running server, or answers itself when none runs |
//! | `commands` | the commands, and how answers are printed |

mod commands;
pub mod operator;
mod routes;
pub mod socket;

pub use commands::{AdminCommand, run};
pub use routes::routes;
