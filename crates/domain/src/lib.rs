//! What chat means, without any runtime, clock, randomness or I/O.
//!
//! [`conversation`] is the heart: a conversation's state and the step that turns a command into entries. [`entry`],
//! [`membership`], [`receipts`] and [`message`] are the values it is made of; [`page`] puts entries together as they
//! stand for a reader; [`account`] holds the rules of names; [`ports`] says what storage and network must do.
//! [`placement`] says which nodes are responsible for whom, [`mailbox`] keeps what they send each other, [`wheel`] says
//! when something is due. [`presence`] is who is online, [`node`] what several nodes need to work together.

pub mod account;
pub mod conversation;
pub mod entry;
pub mod mailbox;
pub mod membership;
pub mod message;
pub mod node;
pub mod page;
pub mod placement;
pub mod ports;
pub mod presence;
pub mod receipts;
pub mod rights;
pub mod stored;
pub mod wheel;
