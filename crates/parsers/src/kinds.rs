//! How kinds of files are read, whoever sent them: delimited text, and the containers mail, zip and gzip.

pub mod csv;
pub mod gzip;
pub mod mail;
pub mod zip;
