//! What the field exchanges knowledge in: indicators, sightings, and advice about weak points.

pub mod csaf;
pub mod iodef;
pub mod kev;
pub mod misp;
pub mod stix;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&csaf::FORMAT, &kev::FORMAT, &misp::FORMAT, &stix::FORMAT, &iodef::FORMAT];
