//! Steps: what happened in a case, for people and, later, for the sealed log.

use crate::time::Time;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum What {
    /// The first report opened the case.
    Opened,
    /// A holder was found after an administration was imported: the case had none.
    HolderFound,
}

impl What {
    /// Every kind of step, in the order of their numbers.
    pub const ALL: [What; 2] = [What::Opened, What::HolderFound];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            What::Opened => "opened",
            What::HolderFound => "holder found",
        }
    }
}

/// One entry of a case's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place in the case's journal, from 1.
    pub ordinal: u32,
    /// What happened.
    pub what: What,
    /// When, by this node's clock.
    pub at: Time,
    /// A sentence for people; empty when the word says all.
    pub text: String,
}
