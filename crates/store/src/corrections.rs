//! Corrections: where the administration of the past was changed, and the cases that a person has to look at for it.
