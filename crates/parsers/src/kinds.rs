//! How kinds of files are read, whoever sent them: delimited text, lists and JSON of many senders, and the containers mail and zip.

pub mod csv;
pub mod lists;
pub mod mail;
pub mod objects;
pub mod rsit;
pub mod table;
pub mod zip;
