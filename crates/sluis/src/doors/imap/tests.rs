//! A server that does what servers should not, against the client.
