//! What makes several nodes one server: pure machines over a bus that may lose, repeat and reorder.
//!
//! [`heartbeat`] is what every node says of itself each second. [`liveness`] concludes who is live, and whether this node
//! itself is cut off. [`link`] makes of the bus, between every two nodes, packets in order and each at most once; what it
//! cannot get any more it reports as a gap. [`frame`] is how all of it travels.

pub mod frame;
pub mod heartbeat;
mod kept;
mod lane;
pub mod link;
pub mod liveness;
