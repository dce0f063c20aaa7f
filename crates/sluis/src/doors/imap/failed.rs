//! What goes wrong with a mailbox, in words that name nobody, and with what can be done.

use crate::serve::intake::Trouble;
use crate::serve::logs;

/// Characters of what a server said that its owner is shown.
const SAID: usize = 300;

/// Why a mailbox cannot be looked into now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) kind: Kind,
    pub(crate) trouble: Trouble,
}

/// What kind of failure it is: what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None: the desk was asked to stop.
    Stopping,
    /// The connection broke off, or never was.
    Broken,
    /// The server does not let us in: to knock often would lock the account.
    Login,
    /// A mail is larger than it may be.
    Large,
    /// Anything else.
    Other,
}

impl Failed {
    /// The desk was asked to stop.
    pub(crate) fn stopping() -> Failed {
        Failed::new(Kind::Stopping, "it was asked to stop", "")
    }

    /// The connection broke off.
    pub(crate) fn broken(reason: &str) -> Failed {
        Failed::new(
            Kind::Broken,
            reason,
            "look whether host, port and tls are right, and the server is up; it is tried again by itself",
        )
    }

    /// What the server says is no IMAP, or not what was asked.
    pub(crate) fn garbled(reason: &str) -> Failed {
        Failed::new(
            Kind::Other,
            reason,
            "look whether host and port are those of an IMAP server; 'sluis serve --status' says more",
        )
    }

    /// Something that a server does not do.
    pub(crate) fn new(kind: Kind, reason: &str, hint: &str) -> Failed {
        let trouble = Trouble { reason: reason.to_owned(), hint: hint.to_owned(), message: reason.to_owned() };
        Failed { kind, trouble }
    }

    /// With what the server said, for the owner of the data.
    pub(crate) fn said(mut self, text: &[u8]) -> Failed {
        let text: String = String::from_utf8_lossy(text).chars().filter(|letter| !letter.is_control()).take(SAID).collect();
        self.trouble.message = format!("{}: {}", self.trouble.reason, text.trim());
        self
    }
}

impl From<desk::Error> for Failed {
    fn from(error: desk::Error) -> Failed {
        let message = error.to_string();
        let (reason, hint) = logs::cause(&message);
        Failed { kind: Kind::Other, trouble: Trouble { reason, hint: hint.to_owned(), message } }
    }
}
