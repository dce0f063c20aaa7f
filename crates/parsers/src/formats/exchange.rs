//! What the field exchanges knowledge in: indicators, sightings, and advice about weak points.

pub mod iodef;
pub mod misp;
pub mod stix;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&misp::FORMAT, &stix::FORMAT, &iodef::FORMAT];
