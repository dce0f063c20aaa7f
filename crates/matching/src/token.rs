//! What is compared: a canonical token of a class, so that two parties who never meet write the same bytes for the same thing.
//!
//! [`identifier`] makes tokens of numbers, contacts and networks, [`name`] of names. The version of all of it is [`NORM_VERSION`]; golden
//! cases in `vectors/` hold it still. A change of any canonical byte is a new version, and another version is refused, since silent
//! non-matching is the worst that can happen here.

pub mod identifier;
pub mod name;

/// The version of the canonical forms. It covers the code of this module, its tables, and the crates pinned for it.
pub const NORM_VERSION: u8 = 1;

/// What the canonical forms rest on beside our own code: what it is, and its version. A new version of any of these may change canonical bytes,
/// so it is taken with the golden cases beside it, and raises [`NORM_VERSION`] when one of them changes.
///
/// The list of `psl` 2.1.247 has 10,396 rules, ICANN and private; SHA-256 of its `rules.txt` is
/// `3a2387250f761557e116716617b7c131ce986764ed5930c37a409a2c09a56868`. `phonenumber` carries the metadata of libphonenumber 9.0.33.
pub const NORM_SOURCES: [(&str, &str); 12] = [
    ("any_ascii", "0.3.3"),
    ("bech32", "0.12.0"),
    ("bs58", "0.5.1"),
    ("iban_validate", "5.0.1"),
    ("icu_normalizer", "2.4.0"),
    ("icu_properties", "2.4.0"),
    ("idna", "1.1.0"),
    ("idna_adapter", "1.2.2"),
    ("phonenumber", "0.3.10+9.0.33"),
    ("psl", "2.1.247"),
    ("sha3", "0.12.0"),
    ("unicode-normalization", "0.1.26"),
];

/// The longest canonical form, in bytes.
pub const MOST_BYTES: usize = 512;

/// Classes that share a key and a quota. Their sizes differ so much that one quota for all would be no quota (M6, M7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Group {
    /// A: numbers in registries, VAT, IBAN. Few enough to be tried one after another, hence small quotas.
    Registries = 1,
    /// B: domain names, addresses, numbers and handles for contact.
    Contacts = 2,
    /// C1: names, sorted and joined.
    Names = 3,
    /// C2: names with one edit or one word less.
    Variants = 4,
    /// C3: a name with its place.
    Composites = 5,
    /// D: networks and their handles.
    Networks = 6,
}

impl Group {
    /// All, in order.
    pub const ALL: [Group; 6] =
        [Group::Registries, Group::Contacts, Group::Names, Group::Variants, Group::Composites, Group::Networks];

    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Group> {
        Group::ALL.into_iter().find(|group| *group as u8 == number)
    }

    /// What it is called in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Group::Registries => "registries",
            Group::Contacts => "contacts",
            Group::Names => "names",
            Group::Variants => "variants",
            Group::Composites => "composites",
            Group::Networks => "networks",
        }
    }
}

/// What a token is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Number in the Dutch trade register, eight digits.
    Kvk = 0x01,
    /// Number in another country's register: country, colon, number.
    Registry = 0x02,
    /// VAT number with its country.
    Vat = 0x03,
    /// International bank account number (ISO 13616).
    Iban = 0x04,
    /// Registrable domain name: one label below a public suffix.
    Domain = 0x10,
    /// Full host name.
    Host = 0x11,
    /// E-mail address.
    Email = 0x12,
    /// Phone number (E.164).
    Phone = 0x13,
    /// Telegram handle.
    Telegram = 0x14,
    /// ICQ number.
    Icq = 0x15,
    /// XMPP address (bare JID).
    Xmpp = 0x16,
    /// Address of a cryptocurrency: chain and decoded payload.
    Crypto = 0x17,
    /// S: the words of a name, sorted.
    NameSorted = 0x20,
    /// J: the words of a name, joined.
    NameJoined = 0x21,
    /// D: a joined name with one letter less.
    NameDeleted = 0x22,
    /// L: the words of a name but one, where what is left is rare enough.
    NameLess = 0x23,
    /// A sorted name with a city, or with country and postal code.
    NamePlace = 0x24,
    /// Autonomous system.
    Asn = 0x30,
    /// IPv4 prefix.
    Ipv4 = 0x31,
    /// IPv6 prefix.
    Ipv6 = 0x32,
    /// Handle of an organisation or person at a regional registry.
    Handle = 0x33,
}

impl Class {
    /// All, in order of their numbers.
    pub const ALL: [Class; 21] = [
        Class::Kvk,
        Class::Registry,
        Class::Vat,
        Class::Iban,
        Class::Domain,
        Class::Host,
        Class::Email,
        Class::Phone,
        Class::Telegram,
        Class::Icq,
        Class::Xmpp,
        Class::Crypto,
        Class::NameSorted,
        Class::NameJoined,
        Class::NameDeleted,
        Class::NameLess,
        Class::NamePlace,
        Class::Asn,
        Class::Ipv4,
        Class::Ipv6,
        Class::Handle,
    ];

    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Class> {
        Class::ALL.into_iter().find(|class| *class as u8 == number)
    }

    /// The group it belongs to.
    #[must_use]
    pub fn group(self) -> Group {
        match self as u8 {
            0x00..=0x0f => Group::Registries,
            0x10..=0x1f => Group::Contacts,
            0x20 | 0x21 => Group::Names,
            0x22 | 0x23 => Group::Variants,
            0x24 => Group::Composites,
            _ => Group::Networks,
        }
    }

    /// Whether a token of this class opens the whole entry. A name alone opens only what is needed to compare names.
    #[must_use]
    pub fn is_strong(self) -> bool {
        !matches!(self, Class::NameSorted | Class::NameJoined | Class::NameDeleted | Class::NameLess)
    }

    /// What it is called in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Kvk => "kvk",
            Class::Registry => "registry",
            Class::Vat => "vat",
            Class::Iban => "iban",
            Class::Domain => "domain",
            Class::Host => "host",
            Class::Email => "email",
            Class::Phone => "phone",
            Class::Telegram => "telegram",
            Class::Icq => "icq",
            Class::Xmpp => "xmpp",
            Class::Crypto => "crypto",
            Class::NameSorted => "name-sorted",
            Class::NameJoined => "name-joined",
            Class::NameDeleted => "name-deleted",
            Class::NameLess => "name-less",
            Class::NamePlace => "name-place",
            Class::Asn => "asn",
            Class::Ipv4 => "ipv4",
            Class::Ipv6 => "ipv6",
            Class::Handle => "handle",
        }
    }
}

/// A class and its canonical bytes. Made by [`identifier`] and [`name`] alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    class: Class,
    bytes: Box<[u8]>,
}

impl Token {
    /// Of canonical bytes, 1 to [`MOST_BYTES`]; nothing when they are none or more.
    #[must_use]
    pub(crate) fn new(class: Class, bytes: &[u8]) -> Option<Token> {
        (!bytes.is_empty() && bytes.len() <= MOST_BYTES).then(|| Token { class, bytes: bytes.into() })
    }

    /// What it is of.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The input of the pseudorandom function: `"SLUIS1" || group || class || version || bytes`.
    #[must_use]
    pub fn input(&self) -> Vec<u8> {
        let mut input = Vec::with_capacity(9 + self.bytes.len());
        input.extend_from_slice(b"SLUIS1");
        input.extend_from_slice(&[self.class.group() as u8, self.class as u8, NORM_VERSION]);
        input.extend_from_slice(&self.bytes);
        input
    }

    /// The token of an input as [`Token::input`] made it, for what was kept of one's own tokens; nothing when it is of another version, or
    /// none. Whether the bytes are canonical is not looked at.
    #[must_use]
    pub fn of_input(input: &[u8]) -> Option<Token> {
        let ([group, class, version], bytes) = input.strip_prefix(b"SLUIS1")?.split_first_chunk()?;
        let class = Class::of(*class).filter(|class| class.group() as u8 == *group && *version == NORM_VERSION)?;
        Token::new(class, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms_rest_on_the_versions_that_are_told() {
        let lock = include_str!("../../../Cargo.lock");
        for (name, version) in NORM_SOURCES {
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert_eq!(lock.matches(&format!("name = \"{name}\"\n")).count(), 1, "one version of {name}");
            assert!(lock.contains(&entry), "{name} {version}: golden cases first, then this table");
        }
    }

    #[test]
    fn numbers_and_groups_are_those_of_the_format() {
        for class in Class::ALL {
            assert_eq!(Class::of(class as u8), Some(class));
            assert_eq!(Group::of(class.group() as u8), Some(class.group()));
        }
        let token = Token::new(Class::Kvk, b"12345678").map(|token| token.input());
        assert_eq!(token.as_deref(), Some(&b"SLUIS1\x01\x01\x0112345678"[..]));
        assert_eq!(token.and_then(|input| Token::of_input(&input)), Token::new(Class::Kvk, b"12345678"));
        for other in [&b"SLUIS1\x02\x01\x0112345678"[..], b"SLUIS1\x01\x01\x0212345678", b"SLUIS1\x01\x01\x01", b"SLUIS"] {
            assert_eq!(Token::of_input(other), None);
        }
    }
}
