//! Changes that a source tells of one by one, in order, instead of saying how everything is now.

use crate::assignment::{Assignment, Level};
use crate::party::Party;
use crate::resource::Resource;
use crate::time::Time;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This is what is known of a party from now on; what is not said of it is not known.
    Party(Box<Party>),
    /// Somebody has a resource from a moment on, or from now on; who had it until then has it no more.
    Begin(Box<Assignment>),
    /// Nobody has a resource any more.
    End(Box<End>),
}

/// That nobody has a resource any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The resource.
    pub resource: Resource,
    /// At which height.
    pub level: Level,
    /// Who had it; empty when the source does not say.
    pub party: String,
    /// Since when; `None` for now.
    pub to: Option<Time>,
}

/// A change and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The line, counted from 1.
    pub line: u64,
    /// The change.
    pub change: Change,
}
