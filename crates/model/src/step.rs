//! Steps: what happened in a case, for people and for the sealed log.
