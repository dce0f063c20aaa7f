//! Canonical forms of numbers, contacts and networks: one function for each class, for whoever lists one and for whoever looks for one.
//!
//! Nobody guesses here. The caller says of which class a text is ([`of`]); a text that is not right of that class is refused with the reason
//! and what would be right ([`Invalid`]), since a wrong canonical form is either a hit that never comes or a hit on the wrong party. What
//! identifies nobody is refused too: private address space, a public suffix, the number of one establishment, placeholders of zeros.

mod contact;
mod crypto;
mod network;
mod register;
mod text;
mod vat;

use std::fmt;

use super::{Class, Token};

pub use contact::{domain, email, host, icq, phone, phone_in, telegram, xmpp};
pub use crypto::crypto;
pub use network::{asn, covering, handle, ipv4, ipv6, prefix};
pub use register::{has_rule, iban, kvk, registry, registry_in};
pub use vat::{vat, vat_in};

/// A country as ISO 3166-1 has it: two capital letters.
pub type Country = [u8; 2];

/// The longest text that is looked at, in bytes. Nothing that this module knows is longer, with room for an address of the web around it.
pub const MOST_TEXT: usize = 2048;

/// Why a text has no canonical form in its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The class it was taken for.
    pub class: Class,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong with a text. Words for people are in [`fmt::Display`] (English); [`Wrong::code`] names it for tables and translations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// There is nothing in it.
    Empty,
    /// It is longer than anything of its class.
    TooLong,
    /// It is not written as its class is; what would be right.
    Form(&'static str),
    /// Too many or too few digits or letters; how many there should be, and how many there are.
    Length(&'static str, usize),
    /// Its check digits or checksum do not fit: one of its characters is wrong.
    Checksum,
    /// The country is missing, or is not one that we know for this class; what would be right.
    Country(&'static str),
    /// Everybody may have it, or nobody: it identifies no one; why.
    Nobody(&'static str),
    /// It is of another class; which one, in words.
    Other(&'static str),
    /// It is of a kind that is not compared; why.
    NotCompared(&'static str),
    /// A prefix with bits set beyond its length; the prefix that would be right.
    HostBits(String),
}

impl Wrong {
    /// A name for it that stays the same, for tables and translations.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Wrong::Empty => "empty",
            Wrong::TooLong => "too-long",
            Wrong::Form(_) => "form",
            Wrong::Length(..) => "length",
            Wrong::Checksum => "checksum",
            Wrong::Country(_) => "country",
            Wrong::Nobody(_) => "nobody",
            Wrong::Other(_) => "other",
            Wrong::NotCompared(_) => "not-compared",
            Wrong::HostBits(_) => "host-bits",
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Empty => f.write_str("it is empty"),
            Wrong::TooLong => f.write_str("it is too long"),
            Wrong::Form(right) => write!(f, "it is not written as one: {right}"),
            Wrong::Length(right, found) => write!(f, "it has {found} digits or letters; right would be {right}"),
            Wrong::Checksum => {
                f.write_str("its check digits do not fit, so at least one character is wrong; compare it with the original")
            }
            Wrong::Country(right) => write!(f, "the country is missing or unknown here: {right}"),
            Wrong::Nobody(why) => write!(f, "it identifies nobody: {why}"),
            Wrong::Other(which) => write!(f, "it is something else: {which}"),
            Wrong::NotCompared(why) => write!(f, "this kind is not compared: {why}"),
            Wrong::HostBits(right) => write!(f, "bits are set beyond the length of the prefix; perhaps {right} is meant"),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {}: {}", self.class.name(), self.wrong)
    }
}

impl std::error::Error for Invalid {}

/// The token of a text of this class.
///
/// # Errors
/// When the text is not right of this class. Names ([`Class::NameSorted`] and the like) are not identifiers: see [`super::name`].
pub fn of(class: Class, text: &str) -> Result<Token, Invalid> {
    match class {
        Class::Kvk => kvk(text),
        Class::Registry => registry(text),
        Class::Vat => vat(text),
        Class::Iban => iban(text),
        Class::Domain => domain(text),
        Class::Host => host(text),
        Class::Email => email(text),
        Class::Phone => phone(text),
        Class::Telegram => telegram(text),
        Class::Icq => icq(text),
        Class::Xmpp => xmpp(text),
        Class::Crypto => crypto(text),
        Class::Asn => asn(text),
        Class::Ipv4 => ipv4(text),
        Class::Ipv6 => ipv6(text),
        Class::Handle => handle(text),
        Class::NameSorted | Class::NameJoined | Class::NameDeleted | Class::NameLess | Class::NamePlace => {
            Err(Invalid { class, wrong: Wrong::Other("a name; names have their own rules") })
        }
    }
}

/// The classes in which this text would be right: for a person who put it in the wrong column, never to choose by. A bare number is right in
/// several at once, and which one was meant nobody can tell from it.
#[must_use]
pub fn kinds(text: &str) -> Vec<Class> {
    Class::ALL.into_iter().filter(|class| of(*class, text).is_ok()).collect()
}

/// A token of these canonical bytes, or why there is none.
fn token(class: Class, bytes: &[u8]) -> Result<Token, Invalid> {
    let wrong = if bytes.is_empty() { Wrong::Empty } else { Wrong::TooLong };
    Token::new(class, bytes).ok_or(Invalid { class, wrong })
}

/// The text without what surrounds it, when there is something and not too much.
fn trimmed(class: Class, text: &str) -> Result<&str, Invalid> {
    if text.len() > MOST_TEXT {
        return Err(Invalid { class, wrong: Wrong::TooLong });
    }
    let text = text.trim_matches(text::is_blank);
    if text.is_empty() { Err(Invalid { class, wrong: Wrong::Empty }) } else { Ok(text) }
}

/// Makes the refusals of one class.
fn refuse<T>(class: Class, wrong: Wrong) -> Result<T, Invalid> {
    Err(Invalid { class, wrong })
}

#[cfg(test)]
mod tests;
