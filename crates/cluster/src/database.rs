//! General data in a cluster: a PostgreSQL database that every node uses through a small pool of its own.
