//! What is to be sent or done: entries of the outbox, and why one is held back.

use crate::chain::PartyId;
use crate::time::Time;

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word people see.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The one of a word.
            pub fn parse(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}
pub(crate) use closed_set;

closed_set! {
    /// What an entry of the outbox is to do.
    Purpose {
        /// Tells a reporter that the report has arrived (DSA article 16(4)).
        Receipt = "receipt",
        /// Tells the party responsible what was reported.
        ToCustomer = "to customer",
        /// Reminds it that a deadline comes near.
        Reminder = "reminder",
        /// Tells it for the last time before something is taken away.
        LastWarning = "last warning",
        /// Tells a party that was told by mistake that it was not its affair.
        Correction = "correction",
        /// Takes a service away, as small as it goes.
        Restriction = "restriction",
        /// Gives it back.
        Release = "release",
    }
}

closed_set! {
    /// Why an entry may not go.
    Hold {
        /// Nothing holds it.
        Free = "free",
        /// The node observes at this severity: it shows what it would have sent.
        Observing = "observing",
        /// The brake is on: more went out than in the usual hour, and a person has to look.
        Brake = "brake",
        /// The source that names the party has not been imported for longer than it may be.
        StaleSource = "stale source",
        /// The administration was corrected: the holder is another than we thought.
        HolderChanged = "holder changed",
        /// Nobody has proved to be the sender: an answer might go to somebody who never wrote.
        Unauthenticated = "sender not authenticated",
        /// A person has to say so.
        Person = "a person decides",
        /// Others are on the same address: two people have to say so.
        TwoPeople = "two people decide",
        /// The operator protects this resource.
        Protected = "protected",
        /// The node was restored from a backup: what it would send may have gone out in the time that is missing.
        Restored = "restored",
    }
}

closed_set! {
    /// What became of an entry.
    Delivery {
        /// It waits for its moment, or for whoever lets it go.
        Waiting = "waiting",
        /// It is not needed any more, or a person threw it away.
        Withdrawn = "withdrawn",
        /// It went out.
        Sent = "sent",
    }
}

/// One thing that a decision about a case wants sent or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errand {
    /// What.
    pub purpose: Purpose,
    /// To or about whom.
    pub party: PartyId,
    /// From when on it may go: entries to one party are gathered until then.
    pub ready: Time,
    /// What holds it back.
    pub hold: Hold,
}
