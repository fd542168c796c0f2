//! Checking a data folder that nothing uses.
