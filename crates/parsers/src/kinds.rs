//! How kinds of files are read, whoever sent them: delimited text, and the containers mail and zip.

pub mod csv;
pub mod mail;
pub mod zip;
