//! How kinds of files are read, whoever sent them: delimited text, lists, JSON, tables of HTML, and the containers mail and zip.

pub mod csv;
pub(crate) mod html;
//! How kinds of files are read, whoever sent them: delimited text, JSON documents, and the containers mail and zip.

pub mod csv;
pub(crate) mod document;
pub(crate) mod indicator;
pub mod lists;
pub mod mail;
pub(crate) mod members;
pub mod objects;
pub mod rsit;
pub mod table;
pub mod zip;
