//! One entry of the list in clear: who is listed, on what ground, until when, and how to contest it. For the list holder who writes it, the
//! desk, and the provider who opened it.
//!
//! An entry travels in two parts. The capsule is what is needed to compare names ([`Capsule`], M7): names, aliases and a country. The reason
//! is everything else. Both say of which entry and version they are, so that parts of two entries cannot be joined.

use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer, is_plain},
    token::{Class, Group},
};

/// What names an entry for ever: 16 random bytes.
pub type EntryId = [u8; 16];

/// The only advice that an entry can give. Nothing here starts a measure (issue 6: "never an automatic measure").
pub const ADVICE: &str = "review";
/// The longest time until an entry is reviewed: two years, in milliseconds.
pub const MOST_REVIEW: i64 = 2 * 366 * 24 * 60 * 60 * 1000;
/// Most names, and most aliases, of one entry.
pub const MOST_NAMES: usize = 64;
/// Most bytes of one name, place or identifier as written.
pub const MOST_NAME: usize = 300;
/// Most places.
pub const MOST_PLACES: usize = 32;
/// Most identifiers.
pub const MOST_IDENTIFIERS: usize = 256;
/// Most bytes of a line of text.
pub const MOST_LINE: usize = 500;
/// Most bytes of a reason.
pub const MOST_REASON: usize = 8000;
/// Most digests of evidence.
pub const MOST_EVIDENCE: usize = 64;

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What names it for ever.
    pub id: EntryId,
    /// From 1; each change makes a new version.
    pub version: u32,
    /// What the party is called in registers.
    pub names: Vec<String>,
    /// What else it calls itself, also in another script.
    pub aliases: Vec<String>,
    /// ISO 3166-1 alpha-2, capital letters.
    pub country: Option<[u8; 2]>,
    /// Where it is.
    pub places: Vec<Place>,
    /// Its numbers, contacts and networks, as they were written in the source.
    pub identifiers: Vec<(Class, String)>,
    /// The kind of abuse it is listed for.
    pub category: String,
    /// Why, in Dutch, for the provider and for its statement of reasons.
    pub reason_nl: String,
    /// Why, in English.
    pub reason_en: String,
    /// A case number, a reference, or a public address: what the entry rests on.
    pub source: String,
    /// Which of those it is.
    pub source_kind: SourceKind,
    /// The article under which it may be shared.
    pub legal_basis: String,
    /// The criterion of the published protocol that it meets, by its number there.
    pub criterion: String,
    /// Which protocol, with its date or address.
    pub protocol: String,
    /// When this version was listed, in milliseconds since 1970 UTC.
    pub listed_at: i64,
    /// When it is reviewed at the latest, in milliseconds since 1970 UTC. After that it is no ground for anything.
    pub review_by: i64,
    /// To whom it may be passed on.
    pub tlp: Tlp,
    /// What may be done with it.
    pub pap: Pap,
    /// Who answers for it: a role, never a name.
    pub officer_role: String,
    /// Where that role is reached.
    pub contact: String,
    /// Where it is contested, an address beginning with `https://`, or empty.
    pub contest_url: String,
    /// The desk where it is contested by post or phone, or empty.
    pub contest_desk: String,
    /// Digests (SHA-256) of what proves it.
    pub evidence: Vec<Digest>,
    /// Whom it is easily taken for and is not, or empty.
    pub not_to_be_confused_with: String,
    /// Which entry and version it comes in the place of.
    pub replaces: Option<(EntryId, u32)>,
}

/// A place, as written. What is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
}

/// What the source of an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SourceKind {
    /// The number of a case of the list holder.
    Case = 1,
    /// A reference of another authority.
    Reference = 2,
    /// A public address, beginning with `https://`.
    Public = 3,
}

impl SourceKind {
    /// All, in order.
    pub const ALL: [SourceKind; 3] = [SourceKind::Case, SourceKind::Reference, SourceKind::Public];

    /// What it is called in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Case => "case",
            SourceKind::Reference => "reference",
            SourceKind::Public => "public",
        }
    }
}

/// To whom something may be passed on (FIRST, Traffic Light Protocol 2.0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tlp {
    /// To anybody.
    Clear = 1,
    /// Within the community.
    Green = 2,
    /// Within the organisation and its customers.
    Amber = 3,
    /// Within the organisation.
    #[default]
    AmberStrict = 4,
    /// To nobody beside those who are named. A list is for many, so an entry cannot be.
    Red = 5,
}

impl Tlp {
    /// All, in order.
    pub const ALL: [Tlp; 5] = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];

    /// Its label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tlp::Clear => "TLP:CLEAR",
            Tlp::Green => "TLP:GREEN",
            Tlp::Amber => "TLP:AMBER",
            Tlp::AmberStrict => "TLP:AMBER+STRICT",
            Tlp::Red => "TLP:RED",
        }
    }
}

/// What may be done with something (Permissible Actions Protocol, as MISP's taxonomy has it).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Pap {
    /// Anything lawful.
    Clear = 1,
    /// What is visible to the party listed, such as blocking.
    Green = 2,
    /// What the party listed does not see, such as looking into one's own records.
    #[default]
    Amber = 3,
    /// Nothing that leaves one's own machines.
    Red = 4,
}

impl Pap {
    /// All, in order.
    pub const ALL: [Pap; 4] = [Pap::Clear, Pap::Green, Pap::Amber, Pap::Red];

    /// Its label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Pap::Clear => "PAP:CLEAR",
            Pap::Green => "PAP:GREEN",
            Pap::Amber => "PAP:AMBER",
            Pap::Red => "PAP:RED",
        }
    }
}

/// Why an entry cannot be published yet. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Nothing in a field that must be filled.
    #[error("{0} is empty; fill it in")]
    Empty(Field),
    /// The field has more than fits.
    #[error("{0} is too long, or has too many; at most {1}")]
    Long(Field, usize),
    /// The field has characters that may not travel.
    #[error("{0} has a control character, or one that turns the direction of writing; remove it")]
    Unplain(Field),
    /// An address that does not begin with `https://`.
    #[error("{0} must begin with https://")]
    Address(Field),
    /// No name and no identifier.
    #[error("there is neither a name nor an identifier; give at least one")]
    Nobody,
    /// An identifier of a class of names.
    #[error("a name stands among the identifiers; put it with the names")]
    NameAsIdentifier,
    /// The country is not two capital letters.
    #[error("the country must be two capital letters (ISO 3166-1)")]
    Country,
    /// Versions begin at 1.
    #[error("the version must be 1 or more")]
    Version,
    /// It was listed later than now.
    #[error("it is listed later than now; check the date of listing and the clock of this machine")]
    Future,
    /// Review is due.
    #[error("the review date is over; review the entry, and set a new date")]
    Overdue,
    /// Review is too far away.
    #[error("the review date is more than two years away; set an earlier one")]
    Late,
    /// TLP:RED is for named people only.
    #[error("TLP:RED is for named people, and a list is for every provider; choose TLP:AMBER+STRICT, or leave the entry out")]
    Red,
    /// Nowhere to contest it.
    #[error("there is no way to contest it; give an address or a desk")]
    Contest,
    /// No reason in either language.
    #[error("there is no reason; write it in Dutch or in English")]
    Reason,
}

/// A field of an entry, by the name it has in files and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(pub &'static str);

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Missing {
    /// Which field it is about, by the name it has in files.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Missing::Empty(field) | Missing::Long(field, _) | Missing::Unplain(field) | Missing::Address(field) => field.0,
            Missing::Nobody => "names",
            Missing::NameAsIdentifier => "identifiers",
            Missing::Country => "country",
            Missing::Version => "version",
            Missing::Future => "listed_at",
            Missing::Overdue | Missing::Late => "review_by",
            Missing::Red => "tlp",
            Missing::Contest => "contest_url",
            Missing::Reason => "reason_nl",
        }
    }
}

impl Entry {
    /// What keeps it from being published at this time (milliseconds since 1970 UTC); nothing when it may.
    #[must_use]
    pub fn check(&self, now: i64) -> Vec<Missing> {
        let mut wrong = Vec::new();
        for (name, text, most, needed) in self.lines() {
            if needed && text.trim().is_empty() {
                wrong.push(Missing::Empty(Field(name)));
            }
            check_text(&mut wrong, name, text, most);
        }
        for (name, texts) in [("names", &self.names), ("aliases", &self.aliases)] {
            check_many(&mut wrong, name, texts.len(), MOST_NAMES, texts.iter().map(String::as_str), true);
        }
        let places = self.places.iter().flat_map(|place| [place.city.as_str(), place.postal_code.as_str()]);
        check_many(&mut wrong, "places", self.places.len(), MOST_PLACES, places, false);
        let identifiers = self.identifiers.iter().map(|(_, text)| text.as_str());
        check_many(&mut wrong, "identifiers", self.identifiers.len(), MOST_IDENTIFIERS, identifiers, true);
        if self.evidence.len() > MOST_EVIDENCE {
            wrong.push(Missing::Long(Field("evidence"), MOST_EVIDENCE));
        }
        if !is_address(&self.contest_url) {
            wrong.push(Missing::Address(Field("contest_url")));
        }
        if self.source_kind == SourceKind::Public && !is_address(&self.source) {
            wrong.push(Missing::Address(Field("source")));
        }
        let rules = [
            (self.names.is_empty() && self.identifiers.is_empty(), Missing::Nobody),
            (self.identifiers.iter().any(|(class, _)| is_name(*class)), Missing::NameAsIdentifier),
            (self.country.is_some_and(|country| !is_country(country)), Missing::Country),
            (self.version == 0, Missing::Version),
            (self.listed_at > now.saturating_add(crate::envelope::SKEW), Missing::Future),
            (self.review_by <= now, Missing::Overdue),
            (self.review_by > now.saturating_add(MOST_REVIEW), Missing::Late),
            (self.tlp == Tlp::Red, Missing::Red),
            (self.contest_url.trim().is_empty() && self.contest_desk.trim().is_empty(), Missing::Contest),
            (self.reason_nl.trim().is_empty() && self.reason_en.trim().is_empty(), Missing::Reason),
        ];
        wrong.extend(rules.into_iter().filter(|(applies, _)| *applies).map(|(_, missing)| missing));
        wrong
    }

    /// Each text, with its name, the most bytes it may have, and whether it must be there.
    fn lines(&self) -> [(&'static str, &str, usize, bool); 12] {
        [
            ("category", &self.category, MOST_LINE, true),
            ("reason_nl", &self.reason_nl, MOST_REASON, false),
            ("reason_en", &self.reason_en, MOST_REASON, false),
            ("source", &self.source, MOST_LINE, true),
            ("legal_basis", &self.legal_basis, MOST_LINE, true),
            ("criterion", &self.criterion, MOST_LINE, true),
            ("protocol", &self.protocol, MOST_LINE, true),
            ("officer_role", &self.officer_role, MOST_LINE, true),
            ("contact", &self.contact, MOST_LINE, true),
            ("contest_url", &self.contest_url, MOST_LINE, false),
            ("contest_desk", &self.contest_desk, MOST_LINE, false),
            ("not_to_be_confused_with", &self.not_to_be_confused_with, MOST_REASON, false),
        ]
    }

    /// How much of what helps a provider to decide is there, 0 to 100.
    #[must_use]
    pub fn completeness(&self) -> u8 {
        let has = |text: &String| !text.trim().is_empty();
        let mut classes: Vec<Class> = self.identifiers.iter().map(|(class, _)| *class).collect();
        classes.sort_unstable();
        classes.dedup();
        // The weights sum to 100.
        let weights = [
            (10, !self.names.is_empty()),
            (10, has(&self.source)),
            (10, has(&self.legal_basis)),
            (5, has(&self.criterion)),
            (5, self.review_by > self.listed_at),
            (10, has(&self.reason_nl)),
            (5, has(&self.reason_en)),
            (5, has(&self.contest_url) || has(&self.contest_desk)),
            (5, has(&self.contact)),
            (5, has(&self.officer_role)),
            (5, has(&self.category)),
            (10, !classes.is_empty()),
            (5, classes.len() > 1),
            (3, self.country.is_some()),
            (3, self.places.iter().any(|place| has(&place.city) || has(&place.postal_code))),
            (4, !self.evidence.is_empty()),
        ];
        weights.into_iter().filter(|(_, there)| *there).map(|(weight, _)| weight).sum()
    }

    /// What is needed to compare names.
    #[must_use]
    pub fn capsule(&self) -> Capsule {
        let (names, aliases) = (self.names.clone(), self.aliases.clone());
        Capsule { id: self.id, version: self.version, names, aliases, country: self.country }
    }

    /// The canonical bytes of the capsule.
    #[must_use]
    pub fn capsule_bytes(&self) -> Vec<u8> {
        self.capsule().encode()
    }

    /// The canonical bytes of everything beside the capsule.
    #[must_use]
    pub fn reason_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&REASON).raw(&self.id).u32(self.version);
        w.list(&self.places, |w, place| {
            w.text(&place.city).text(&place.postal_code);
        });
        w.list(&self.identifiers, |w, (class, text)| {
            w.u8(*class as u8).text(text);
        });
        w.text(&self.category).text(&self.reason_nl).text(&self.reason_en);
        w.u8(self.source_kind as u8).text(&self.source);
        w.text(&self.legal_basis).text(&self.criterion).text(&self.protocol);
        w.time(self.listed_at).time(self.review_by).u8(self.tlp as u8).u8(self.pap as u8);
        w.text(&self.officer_role).text(&self.contact).text(&self.contest_url).text(&self.contest_desk);
        w.list(&self.evidence, |w, digest| {
            w.raw(digest);
        });
        w.text(&self.not_to_be_confused_with).text(ADVICE);
        match &self.replaces {
            None => w.u8(0),
            Some((id, version)) => w.u8(1).raw(id).u32(*version),
        };
        w.done()
    }

    /// The entry of its two parts.
    ///
    /// # Errors
    /// When either is not as the format has it, or they are not of one entry and version. Says nothing of [`Entry::check`].
    pub fn read(capsule: &[u8], reason: &[u8]) -> Result<Entry, Malformed> {
        let Capsule { id, version, names, aliases, country } = Capsule::read(capsule)?;
        let mut r = Reader::new(reason);
        let start = r.clone();
        if r.array()? != REASON {
            return Err(start.wrong("the reason of an entry"));
        }
        let here = r.clone();
        if (r.array()?, r.u32()?) != (id, version) {
            return Err(here.wrong("the reason of the same entry and version"));
        }
        let places = r.list(MOST_PLACES, |r| {
            let (city, postal_code) = (line(r, MOST_NAME)?, line(r, MOST_NAME)?);
            Ok(Place { city, postal_code })
        })?;
        let identifiers = r.list(MOST_IDENTIFIERS, |r| {
            let class = one_of(r, &Class::ALL, |class| class as u8, "a class of identifiers")?;
            Ok((class, line(r, MOST_NAME)?))
        })?;
        let (category, reason_nl, reason_en) = (line(&mut r, MOST_LINE)?, line(&mut r, MOST_REASON)?, line(&mut r, MOST_REASON)?);
        let source_kind = one_of(&mut r, &SourceKind::ALL, |kind| kind as u8, "a kind of source")?;
        let source = if source_kind == SourceKind::Public { address(&mut r, MOST_LINE)? } else { line(&mut r, MOST_LINE)? };
        let (legal_basis, criterion, protocol) = (line(&mut r, MOST_LINE)?, line(&mut r, MOST_LINE)?, line(&mut r, MOST_LINE)?);
        let (listed_at, review_by) = (r.time()?, r.time()?);
        let tlp = one_of(&mut r, &Tlp::ALL, |tlp| tlp as u8, "a label of TLP")?;
        let pap = one_of(&mut r, &Pap::ALL, |pap| pap as u8, "a label of PAP")?;
        let (officer_role, contact) = (line(&mut r, MOST_LINE)?, line(&mut r, MOST_LINE)?);
        let (contest_url, contest_desk) = (address(&mut r, MOST_LINE)?, line(&mut r, MOST_LINE)?);
        let evidence = r.list(MOST_EVIDENCE, Reader::array)?;
        let not_to_be_confused_with = line(&mut r, MOST_REASON)?;
        let here = r.clone();
        if r.text(ADVICE.len())? != ADVICE {
            return Err(here.wrong("the advice to review, which is the only one"));
        }
        let here = r.clone();
        let replaces = match r.u8()? {
            0 => None,
            1 => Some((r.array()?, r.u32()?)),
            _ => return Err(here.wrong("0 or 1")),
        };
        r.end()?;
        Ok(Entry {
            id,
            version,
            names,
            aliases,
            country,
            places,
            identifiers,
            category,
            reason_nl,
            reason_en,
            source,
            source_kind,
            legal_basis,
            criterion,
            protocol,
            listed_at,
            review_by,
            tlp,
            pap,
            officer_role,
            contact,
            contest_url,
            contest_desk,
            evidence,
            not_to_be_confused_with,
            replaces,
        })
    }
}

/// What is needed to compare names, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capsule {
    /// Of which entry.
    pub id: EntryId,
    /// Of which version.
    pub version: u32,
    /// Its names.
    pub names: Vec<String>,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<[u8; 2]>,
}

impl Capsule {
    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&CAPSULE).raw(&self.id).u32(self.version).raw(&self.country.unwrap_or_default());
        for names in [&self.names, &self.aliases] {
            w.list(names, |w, name| {
                w.text(name);
            });
        }
        w.done()
    }

    /// The capsule of these bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn read(bytes: &[u8]) -> Result<Capsule, Malformed> {
        let mut r = Reader::new(bytes);
        let start = r.clone();
        if r.array()? != CAPSULE {
            return Err(start.wrong("the capsule of an entry"));
        }
        let (id, version) = (r.array()?, r.u32()?);
        let here = r.clone();
        let country = match r.array()? {
            [0, 0] => None,
            country if is_country(country) => Some(country),
            _ => return Err(here.wrong("a country of two capital letters")),
        };
        let names = r.list(MOST_NAMES, |r| line(r, MOST_NAME))?;
        let aliases = r.list(MOST_NAMES, |r| line(r, MOST_NAME))?;
        r.end()?;
        Ok(Capsule { id, version, names, aliases, country })
    }
}

/// The first bytes of a capsule.
const CAPSULE: [u8; 4] = *b"SLC1";
/// The first bytes of a reason.
const REASON: [u8; 4] = *b"SLR1";

fn is_name(class: Class) -> bool {
    matches!(class.group(), Group::Names | Group::Variants | Group::Composites)
}

fn is_country(country: [u8; 2]) -> bool {
    country.iter().all(u8::is_ascii_uppercase)
}

/// Nothing, or what a browser opens without running anything: reports show these addresses as links.
fn is_address(text: &str) -> bool {
    text.is_empty() || text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn check_text(wrong: &mut Vec<Missing>, name: &'static str, text: &str, most: usize) {
    if text.len() > most {
        wrong.push(Missing::Long(Field(name), most));
    }
    if !text.chars().all(is_plain) {
        wrong.push(Missing::Unplain(Field(name)));
    }
}

/// Checks each of several texts of one field; says each fault once.
fn check_many<'a>(
    wrong: &mut Vec<Missing>,
    name: &'static str,
    count: usize,
    most: usize,
    texts: impl Iterator<Item = &'a str>,
    filled: bool,
) {
    let mut faults = Vec::new();
    if count > most {
        faults.push(Missing::Long(Field(name), most));
    }
    for text in texts {
        if filled && text.trim().is_empty() {
            faults.push(Missing::Empty(Field(name)));
        }
        check_text(&mut faults, name, text, MOST_NAME);
    }
    for fault in faults {
        if !wrong.contains(&fault) {
            wrong.push(fault);
        }
    }
}

fn line(r: &mut Reader<'_>, most: usize) -> Result<String, Malformed> {
    r.text(most).map(str::to_owned)
}

fn address(r: &mut Reader<'_>, most: usize) -> Result<String, Malformed> {
    let here = r.clone();
    let text = line(r, most)?;
    if is_address(&text) { Ok(text) } else { Err(here.wrong("an address that begins with https://")) }
}

fn one_of<T: Copy>(r: &mut Reader<'_>, all: &[T], number: impl Fn(T) -> u8, expected: &'static str) -> Result<T, Malformed> {
    let here = r.clone();
    let found = r.u8()?;
    all.iter().copied().find(|one| number(*one) == found).ok_or_else(|| here.wrong(expected))
}
