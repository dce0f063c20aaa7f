//! Steps: what happened in a case, for people and, later, for the sealed log.

use crate::outbox::closed_set;
use crate::time::Time;

closed_set! {
    /// What happened.
    What {
        /// The first report opened the case.
        Opened = "opened",
        /// A holder was found after an administration was imported: the case had none.
        HolderFound = "holder found",
        /// A rule was applied, and its clocks began.
        ClocksSet = "clocks set",
        /// An order or notice asks for it sooner.
        ClockShortened = "clock shortened",
        /// A report was worse than what was known.
        SeverityRaised = "severity raised",
        /// It is not believed enough for anybody to be told.
        Watched = "watched",
        /// A letter to the party was put into the outbox.
        Told = "told",
        /// A reminder was.
        Reminded = "reminded",
        /// A last warning was.
        Warned = "warned",
        /// The time to mend it passed.
        Overdue = "overdue",
        /// A restriction was put into the outbox, mostly for a person to decide about.
        Proposed = "restriction proposed",
        /// It was closed.
        Closed = "closed",
        /// It was opened again.
        Reopened = "reopened",
        /// A person wrote something down.
        Noted = "noted",
        /// A person took it, or gave it to another.
        Handled = "handled",
        /// Another case became part of it.
        Merged = "merged",
        /// Reports went to a case of their own.
        Split = "split",
        /// A person put it off.
        Snoozed = "snoozed",
        /// The party says that it is not so.
        Disputed = "disputed",
        /// The dispute was decided.
        DisputeDecided = "dispute decided",
        /// The administration was corrected: the holder is another than we thought.
        HolderChanged = "holder changed",
        /// A person looked at that, and the case is the right holder's now.
        HolderCorrected = "holder corrected",
        /// A person confirmed that it was so, which counts against the party.
        Confirmed = "confirmed",
        /// What a person did was undone.
        Undone = "undone",
        /// What was in the outbox for it was withdrawn.
        Withdrawn = "withdrawn",
        /// A person attached a letter as it went, an answer, a bounce or a receipt.
        Evidence = "evidence attached",
    }
}

/// One entry of a case's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place in the case's journal, from 1; 0 until it is written.
    pub ordinal: u32,
    /// What happened.
    pub what: What,
    /// When, by this node's clock.
    pub at: Time,
    /// A sentence for people; empty when the word says all.
    pub text: String,
    /// Who did it; empty for the program.
    pub person: String,
    /// The rule it comes from; empty when it comes from none.
    pub rule: String,
    /// The clock that it set.
    pub due: Option<Time>,
}
