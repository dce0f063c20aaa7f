//! Bytes in, reports out.
//!
//! [`read`](read::read) looks at what came ([`source`]), chooses a format from the list in [`formats`], opens
//! containers on the way ([`kinds`]: mail, zip), and hands what it finds to a [`sink::Sink`]: batches of reports, and
//! rejects with the text, the place and the reason of what could not be read. [`mod@write`] is the way back: reports as
//! XARF v4.
//!
//! [`administration`] stands beside that: address administrations in, parties and assignments out.
//!
//! Nothing here does I/O of its own, reads a clock or fails as a whole: a bad row costs that row. Every byte may be
//! an attack, so everything is bounded ([`source::Limits`]).

pub mod administration;
pub mod care;
pub mod figures;
pub mod formats;
pub mod kinds;
pub mod read;
pub mod sink;
pub mod source;
pub mod write;
