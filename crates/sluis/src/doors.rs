//! Doors by which submissions come in while the node serves: each hands bytes to the desk, and knows nothing of what they say.
//!
//! - [`fetch`]: feeds that are downloaded.
//! - [`imap`]: mailboxes on servers.
//! - [`smtp`]: mail servers that hand mail over.

pub(crate) mod fetch;
pub(crate) mod imap;
pub(crate) mod smtp;
