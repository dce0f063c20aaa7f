//! What is known of a list before it is read: who sends it, what it tells of, and what its columns hold. All of it is data.

use model::time::Time;

use super::row::Row;
use super::sheet::Cells;
use crate::kinds::rsit::{self, Class};

/// What holds for every row of a list, however its rows are written down.
#[derive(Clone, Copy)]
pub struct Layout {
    /// What the sender calls this list, `feodotracker`: `feed` of its reports, and the name of its shape.
    pub feed: &'static str,
    /// Who sends it.
    pub sender: Sender,
    /// What its rows tell of, unless a row says otherwise.
    pub class: Class,
    /// The finer word under the classification; empty when there is none.
    pub identifier: &'static str,
    /// Columns by their names, in lower case with `_` for blanks, in their order, and what they hold. Of several columns for the
    /// time the first that is filled counts.
    pub columns: &'static [(&'static str, Means)],
    /// Properties that every report has: names and values.
    pub always: &'static [(&'static str, &'static str)],
    /// What stands for the absence of a value: `None`, `-`.
    pub nothing: &'static [&'static str],
    /// Where the time of a report stands.
    pub when: When,
    /// What a table cannot say: looks at a row once its columns are read, and may change it, or refuse it with a reason.
    pub each: Option<Each>,
    /// How many reports a row makes, when it tells of several at once; [`Row::nth`] says which of them is being made.
    pub repeat: Option<Repeat>,
    /// A second report that every row makes, with its own meaning of the same columns.
    pub also: Option<&'static Layout>,
}

impl Layout {
    /// A list of nothing in particular, to begin a layout with.
    pub const PLAIN: Layout = Layout {
        feed: "",
        sender: Sender { org: "", contact: "", domain: "" },
        class: rsit::OTHER,
        identifier: "",
        columns: &[],
        always: &[],
        nothing: &[],
        when: When::Row,
        each: None,
        repeat: None,
        also: None,
    };
}

/// Looks at a row, and may change or refuse it.
pub type Each = fn(&mut Row<'_>) -> Result<(), String>;

/// How many reports a row makes.
pub type Repeat = fn(&dyn Cells) -> usize;

/// Who sends a list: reporter and sender of its reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The organisation's name.
    pub org: &'static str,
    /// Its mail address.
    pub contact: &'static str,
    /// Its domain name.
    pub domain: &'static str,
}

/// Where the time of a report stands. A list tells of the moment at which it was received only if somebody says that it is fresh: by
/// having it downloaded, or by naming its format. Otherwise its reports have no time, and go to a person.
#[derive(Clone, Copy)]
pub enum When {
    /// In its row. A row without one is set aside.
    Row,
    /// In its row; a row without one tells of the moment at which the list was received.
    RowOrReceived,
    /// Nowhere: the list tells of the moment at which it was received.
    Received,
    /// In a comment before the rows, behind these words. Without it, at the moment it was received.
    Comment(&'static str, Written),
}

/// How a time is written.
#[derive(Clone, Copy)]
pub enum Written {
    /// As [`Time::parse`] reads it.
    Iso,
    /// Seconds since 1970, or milliseconds when there are twelve digits or more. Zero is no time.
    Unix,
    /// In another way.
    Like(fn(&[u8]) -> Option<Time>),
}

/// What a column holds.
#[derive(Clone, Copy)]
pub enum Means {
    /// Nothing that is kept.
    Skip,
    /// Something without a word of its own: kept under the column's name.
    Keep,
    /// When it was seen.
    Time(Written),
    /// When it was first seen; the time of the report when no column says that.
    FirstSeen(Written),
    /// When it was last seen; the time of the report when no column says that, before [`Means::FirstSeen`].
    LastSeen(Written),
    /// An address, an address with a port, a prefix, or a range.
    Address,
    /// The port at the address.
    Port,
    /// Location of content; `hxxp` and `[.]` are mended.
    Url,
    /// Domain name of content; `[.]` is mended.
    Domain,
    /// An address or a domain name, perhaps with a port.
    Host,
    /// An address, a prefix, a URL or a domain name: whatever it looks like.
    Source,
    /// Number of the autonomous system, with or without `AS`; zero stands for none.
    Asn,
    /// Country, two letters.
    Country,
    /// Text, under this name of a property: `malware_family`, `description`, `source_reverse_dns`.
    Text(&'static str),
    /// A whole number, under this name of a property.
    Number(&'static str),
    /// MD5, SHA-1 or SHA-256 by its length: `file_hashes`.
    Hash,
    /// Labels apart by commas or semicolons, in this namespace.
    Tag(&'static str),
    /// Transport protocol by name or number (IANA).
    Transport,
    /// Application protocol.
    Application,
    /// The address that was attacked or contacted, perhaps with a port.
    DestinationIp,
    /// Its port.
    DestinationPort,
    /// Its domain name.
    DestinationDomain,
    /// How sure the sender is, in percent.
    Confidence,
    /// Label of the Traffic Light Protocol.
    Tlp,
    /// What the row tells of, by a value in lower case; a value that is not there leaves the list's own and is kept.
    Class(&'static [(&'static str, Class)]),
    /// What the row tells of, by a word of the taxonomy: `c2-server`.
    Rsit,
}
