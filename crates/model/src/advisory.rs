//! Advice about weak points: what an advisory says of one vulnerability, and what is known to be exploited.

use crate::time::Time;

/// What one advisory says of one vulnerability, or that a vulnerability is exploited (CSAF 2.0; CISA KEV).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advisory {
    /// Who published it: `BSI`, `CISA`.
    pub publisher: String,
    /// The publisher's own identifier of the document; for an entry of a catalogue its CVE number.
    pub id: String,
    /// When this version of it was released.
    pub released: Option<Time>,
    /// What it is called.
    pub title: String,
    /// CVE number in capitals; empty when there is none.
    pub cve: String,
    /// Names of the products that it affects, at most 50.
    pub products: Vec<String>,
    /// Whether it says that anything is affected: an advisory may also say of products that they are not, or are no longer.
    pub affects: bool,
    /// How bad its publisher says it is, in its words: `critical`; empty when it does not say.
    pub severity: String,
    /// CVSS base score in tenths, 0 to 100, of the newest version of CVSS that it states.
    pub score: Option<u8>,
    /// What to do about it, in its publisher's words, at most 2,000 bytes.
    pub remedy: String,
    /// Where there is more; a URL, or empty.
    pub reference: String,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// Whether ransomware is known to be spread by it (KEV's `knownRansomwareCampaignUse`).
    pub ransomware: bool,
    /// By when the publisher asks for it to be mended (KEV's `dueDate`).
    pub due: Option<Time>,
    /// The label it bears (TLP), as in CSAF's `/document/distribution/tlp/label`.
    pub tlp: crate::label::Tlp,
}
