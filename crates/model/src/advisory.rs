//! Advice about weak points: what an advisory says of one vulnerability, and what is known to be exploited.

use std::fmt;

use crate::time::Time;

/// A CVE number (cve.org): the year and a number of four to nineteen digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cve {
    year: u16,
    number: u64,
}

impl Cve {
    /// Reads `CVE-2021-44228`; case does not matter, blanks around it neither.
    pub fn parse(text: &str) -> Option<Cve> {
        let text = text.trim();
        let rest = text.get(..4).filter(|start| start.eq_ignore_ascii_case("cve-")).and_then(|_| text.get(4..))?;
        let (year, number) = rest.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || !(4..=19).contains(&number.len()) || !digits(year) || !digits(number) {
            return None;
        }
        Some(Cve { year: year.parse().ok()?, number: number.parse().ok()? })
    }
}

impl fmt::Display for Cve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CVE-{:04}-{:04}", self.year, self.number)
    }
}

/// A weak point that is known to be exploited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exploited {
    /// Which.
    pub cve: Cve,
    /// Whether ransomware is known to be spread by it.
    pub ransomware: bool,
}

/// What begins a trait ([`crate::policy::traits_of`]) that names a CVE number.
pub const TRAIT: &str = "cve:";

/// The CVE numbers among traits, one to a line.
pub fn cves_of(traits: &str) -> impl Iterator<Item = Cve> + '_ {
    traits.lines().filter_map(|one| {
        let start = one.get(..TRAIT.len()).filter(|start| start.eq_ignore_ascii_case(TRAIT))?;
        Cve::parse(one.get(start.len()..)?)
    })
}

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
    /// CVE number, if it has one.
    pub cve: Option<Cve>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_numbers_are_checked_and_written_one_way() {
        for (text, written) in [
            (" cve-2021-44228 ", Some("CVE-2021-44228")),
            ("CVE-1999-0001", Some("CVE-1999-0001")),
            ("CVE-1999-00010", Some("CVE-1999-0010")),
            ("", None),
            ("CVE-21-44228", None),
            ("CVE-2021-1", None),
            ("CVE-2021-12a45", None),
            ("CVE-2021-99999999999999999999", None),
            ("2021-44228", None),
            ("évé-2021-44228", None),
        ] {
            assert_eq!(Cve::parse(text).map(|cve| cve.to_string()).as_deref(), written, "{text}");
        }
        let traits = "scanner:x\ncve:CVE-2021-44228\nfeed:a\nCVE:cve-2020-0001\ncve:none";
        assert_eq!(cves_of(traits).map(|cve| cve.to_string()).collect::<Vec<_>>(), ["CVE-2021-44228", "CVE-2020-0001"]);
    }
}
