//! Resources: what a report is about and what an assignment gives to a party.

use std::fmt;

use crate::address::{Address, Range, RangeError};

/// A thing on the Internet that a party can hold and a report can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// One address, a prefix, or any range of addresses.
    Addresses(Range),
    /// An autonomous system, by number (RFC 6793).
    AsNumber(u32),
    /// A domain name and all names under it.
    Domain(DomainName),
    /// A location of content; held by whoever holds its host.
    Url(Url),
    /// An account in a control panel.
    Account {
        /// The panel, as the operator names it (`da01.example`).
        panel: String,
        /// The account in it.
        account: String,
    },
    /// A header by which the operator's own mail names the account that sent it: `X-Account: c1042`.
    MailHint(String),
}

/// Why a text is not a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// Looks like an address or range, and is not one.
    Range(RangeError),
    /// None of the forms.
    Unknown,
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResourceError::Range(error) => error.fmt(f),
            ResourceError::Unknown => f.write_str(
                "not an address, prefix, range, AS number, domain name, URL, 'account:PANEL/NAME' or 'mail:HEADER: value'",
            ),
        }
    }
}

impl std::error::Error for ResourceError {}

impl Resource {
    /// Reads a resource as people write it: `192.0.2.7`, `192.0.2.0/24`, `192.0.2.5 - 192.0.2.9`, `AS64496`,
    /// `shop.example`, `https://shop.example/login`, `account:da01.example/c1042`, `mail:X-Account: c1042`.
    ///
    /// # Errors
    /// [`ResourceError`] says which form came nearest.
    pub fn parse(text: &str) -> Result<Resource, ResourceError> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("account:") {
            let (panel, account) = rest.split_once('/').ok_or(ResourceError::Unknown)?;
            if panel.is_empty() || account.is_empty() {
                return Err(ResourceError::Unknown);
            }
            return Ok(Resource::Account { panel: panel.to_ascii_lowercase(), account: account.to_owned() });
        }
        if let Some(hint) = text.strip_prefix("mail:") {
            let hint = hint.trim();
            return if hint.is_empty() { Err(ResourceError::Unknown) } else { Ok(Resource::MailHint(hint.to_owned())) };
        }
        if let Some(number) = as_number(text) {
            return Ok(Resource::AsNumber(number));
        }
        if text.contains("://") {
            return Url::parse(text).map(Resource::Url).ok_or(ResourceError::Unknown);
        }
        match Range::parse(text) {
            Ok(range) => Ok(Resource::Addresses(range)),
            Err(error) => match DomainName::parse(text) {
                Some(name) => Ok(Resource::Domain(name)),
                None if text.contains(['.', ':']) && text.starts_with(|c: char| c.is_ascii_hexdigit()) => {
                    Err(ResourceError::Range(error))
                }
                None => Err(ResourceError::Unknown),
            },
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Addresses(range) => range.fmt(f),
            Resource::AsNumber(number) => write!(f, "AS{number}"),
            Resource::Domain(name) => name.fmt(f),
            Resource::Url(url) => url.fmt(f),
            Resource::Account { panel, account } => write!(f, "account:{panel}/{account}"),
            Resource::MailHint(hint) => write!(f, "mail:{hint}"),
        }
    }
}

/// Reads `AS64496` or `as64496`. `None` without the letters: a bare number is too easily something else.
pub fn as_number(text: &str) -> Option<u32> {
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("as")).map(|_| &text[2..])?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// A fully qualified domain name, lower case, in ASCII (A-labels as given), without the final dot (RFC 1035, RFC 5890).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a name of at least two labels; underscores are allowed, as service names have them. The last label may
    /// not be a number (that would be an address). `None` for anything else, names over 253 bytes included.
    pub fn parse(text: &str) -> Option<DomainName> {
        let text = text.trim().trim_end_matches('.');
        if text.is_empty() || text.len() > 253 || !text.is_ascii() {
            return None;
        }
        let mut labels = 0;
        let mut last_is_number = false;
        for label in text.split('.') {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if label.is_empty()
                || label.len() > 63
                || !label.bytes().all(allowed)
                || label.starts_with('-')
                || label.ends_with('-')
            {
                return None;
            }
            last_is_number = label.bytes().all(|byte| byte.is_ascii_digit());
            labels += 1;
        }
        (labels >= 2 && !last_is_number).then(|| DomainName(text.to_ascii_lowercase()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This name, then its parents down to two labels: `a.b.example`, `b.example`.
    pub fn with_parents(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |name| name.split_once('.').map(|(_, parent)| parent))
            .take_while(|name| name.contains('.'))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who serves a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// By name.
    Name(DomainName),
    /// By address.
    Address(Address),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => name.fmt(f),
            Host::Address(address) if address.v4().is_none() => write!(f, "[{address}]"),
            Host::Address(address) => address.fmt(f),
        }
    }
}

/// A location of content: the text as given, and its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    text: String,
    host: Host,
    port: Option<u16>,
}

impl Url {
    /// Reads `scheme://[user@]host[:port][/…]` (RFC 3986), host a domain name or an address. `None` for anything
    /// else, for control characters and for texts over 8,192 bytes.
    pub fn parse(text: &str) -> Option<Url> {
        let text = text.trim();
        if text.len() > 8_192 || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !scheme_ok {
            return None;
        }
        let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, after) = inner.split_once(']')?;
                (host, after.strip_prefix(':').unwrap_or(after))
            }
            None => authority.rsplit_once(':').unwrap_or((authority, "")),
        };
        let port = if port.is_empty() { None } else { Some(port.parse().ok().filter(|port| *port != 0)?) };
        let host = match Address::parse(host.as_bytes()) {
            Some(address) => Host::Address(address),
            None => Host::Name(DomainName::parse(host)?),
        };
        Some(Url { text: text.to_owned(), host, port })
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, when written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URL as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and host alone: what may be shown of a location that nobody may open (`https://a.example/…`).
    pub fn masked(&self) -> String {
        let scheme = self.text.split_once("://").map_or("", |(scheme, _)| scheme);
        format!("{scheme}://{}/…", self.host)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn resources_as_people_write_them() {
        for (text, expected) in [
            ("192.0.2.0/24", Ok("192.0.2.0/24")),
            ("as64496", Ok("AS64496")),
            ("Shop.Example.", Ok("shop.example")),
            ("_dmarc.shop.example", Ok("_dmarc.shop.example")),
            ("https://shop.example:8443/a?b#c", Ok("https://shop.example:8443/a?b#c")),
            ("account:DA01.example/c1042", Ok("account:da01.example/c1042")),
            ("mail: X-Account: c1042", Ok("mail:X-Account: c1042")),
            ("localhost", Err("not an address")),
            ("192.0.2.0/40", Err("not an address")),
            ("192.0.2.1/24", Err("the prefix has host bits set")),
            ("AS4294967296", Err("not an address")),
            ("http://", Err("not an address")),
        ] {
            match (Resource::parse(text), expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read.to_string(), expected),
                (Err(error), Err(start)) => assert!(error.to_string().starts_with(start), "{text:?}: {error}"),
                (read, _) => panic!("{text:?}: {read:?}"),
            }
        }
    }

    #[test]
    fn urls_know_their_host() {
        for (text, host) in [
            ("http://a.example/x", Some("a.example")),
            ("HTTP://user:pw@a.example:81", Some("a.example")),
            ("http://a.example\\@b.example/", Some("a.example")),
            ("http://192.0.2.7:8080/", Some("192.0.2.7")),
            ("http://[2001:db8::1]:8080/", Some("[2001:db8::1]")),
            ("http://[2001:db8::1", None),
            ("http://a.example:0/", None),
            ("http://a.example\r\nX: y/", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(Url::parse(text).map(|url| url.host().to_string()).as_deref(), host, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in ".{0,60}") {
            if let Ok(resource) = Resource::parse(&text) {
                prop_assert_eq!(Resource::parse(&resource.to_string()), Ok(resource));
            }
        }
    }
}
