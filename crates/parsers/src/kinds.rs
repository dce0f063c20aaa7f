//! How kinds of files are read, whoever sent them: delimited text, JSON, tables, and the containers mail, gzip and zip.

pub mod csv;
pub(crate) mod document;
pub(crate) mod entries;
pub mod gzip;
pub(crate) mod html;
pub(crate) mod indicator;
pub mod lists;
pub mod mail;
pub(crate) mod members;
pub mod objects;
pub mod rsit;
pub mod table;
pub(crate) mod xml;
pub mod zip;
