//! Senders: who a mail says it is from, and what proves it.

use std::net::IpAddr;

use crate::outbox::closed_set;

/// What a door knows of a submission beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Name of the feed that it is a download of, as configured; empty for anything else.
    pub feed: String,
    /// The reverse-path (RFC 5321 `MAIL FROM`), without angle brackets; `None` when the door saw none. Empty for bounces.
    pub mail_from: Option<String>,
    /// The recipients it was accepted for.
    pub recipients: Vec<String>,
    /// The address of the machine that handed it over from outside; `None` when the door did not see it.
    pub peer: Option<IpAddr>,
    /// What that machine called itself (`HELO`); empty when it is not known.
    pub helo: String,
}

closed_set! {
    /// What proves that a mail is from the domain name in its `From`.
    Proof {
        /// Nothing was looked at: no mail, or nobody was configured to ask.
        None = "none",
        /// It was looked at, and nothing proves it.
        Unproven = "unproven",
        /// Only the envelope's domain name is proven and aligned (SPF, RFC 7208).
        Spf = "spf",
        /// A signature of an aligned domain name holds (DKIM, RFC 6376).
        Dkim = "dkim",
        /// The domain name says that what is not proven is not from it (DMARC, RFC 7489), and this is not proven.
        Failed = "failed",
        /// It could not be found out in time.
        Unknown = "unknown",
    }
}

closed_set! {
    /// Why a mail is never answered.
    Silence {
        /// It may be answered.
        Answer = "may be answered",
        /// It is a bounce: it has no reverse-path, or is a delivery report (RFC 3464, RFC 5321 section 6.1).
        Bounce = "bounce",
        /// It is an automatic answer (RFC 3834).
        Auto = "automatic answer",
        /// It came by a list or in bulk (RFC 2919, `Precedence`).
        Bulk = "list or bulk",
        /// It is from a mailbox that reads nothing: `noreply@`, `mailer-daemon@`.
        Unread = "nobody reads there",
        /// It is from us, or has passed through us before.
        Loop = "loop",
    }
}

/// Who a mail is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The one mail address in its one `From`, in lower case; empty when there is not exactly one.
    pub from: String,
    /// What proves the domain name of that.
    pub proof: Proof,
    /// The domain name that is proven: that of [`Sender::from`], or one it is aligned with. Empty when nothing is.
    pub domain: String,
    /// What was found, for people: `dkim=pass (d=a.example, s=1); spf=fail`.
    pub detail: String,
    /// Whether it may be answered.
    pub silence: Silence,
}
