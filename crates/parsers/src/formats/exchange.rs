//! What the field exchanges knowledge in: indicators, sightings, and advice about weak points.

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[];
