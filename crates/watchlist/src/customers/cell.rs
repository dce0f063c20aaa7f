//! One cell of a customer: what stands in it for nothing, where it has several values, and the canonical form of each.

use matching::token::{
    Class, Token,
    identifier::{self, Invalid},
    name::Name,
};

use super::{Customer, Meaning, Why};

/// The most values in one cell. A longer list is told, not cut in silence.
pub(super) const MOST_VALUES: usize = 1000;

/// The text of a cell, empty where people write something for nothing ("n.v.t.").
pub(super) fn value(text: &str) -> &str {
    const NOTHING: [&str; 9] = ["na", "none", "null", "nil", "geen", "onbekend", "unknown", "0", "nan"];
    if text.len() <= 8 && NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text)) { "" } else { name(text) }
}

/// The text of a cell with a name. A company may be called "Nil" or "Onbekend", so fewer things stand for nothing.
fn name(text: &str) -> &str {
    const NOTHING: [&str; 9] = ["-", "--", "n.v.t.", "n.v.t", "nvt", "n/a", "#n/a", "?", "."];
    if text.len() <= 8 && NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text)) { "" } else { text }
}

/// Puts what a cell says into the customer; what cannot be taken is rejected, and the rest of the cell is taken.
pub(super) fn take(customer: &mut Customer, meaning: Meaning, text: &str, reject: &mut dyn FnMut(Why)) {
    let values = match meaning {
        Meaning::Name => names(text),
        Meaning::TradeNames => text.split([';', '|', '\n', '\r']).flat_map(names).collect(),
        Meaning::Domain | Meaning::Asn | Meaning::Handle | Meaning::Crypto | Meaning::Icq | Meaning::Xmpp | Meaning::Telegram => {
            parts(text, true)
        }
        // A range has blanks around its dash.
        Meaning::Prefix | Meaning::Address => parts(text, !text.contains(['-', '\u{2013}', '\u{2014}'])),
        Meaning::Phone => text.split([',', ';', '|', '\n', '\r']).flat_map(|part| part.split(" / ")).collect(),
        Meaning::Kvk | Meaning::Registration | Meaning::Vat | Meaning::Iban | Meaning::Email => parts(text, false),
        _ => return,
    };
    let present = if matches!(meaning, Meaning::Name | Meaning::TradeNames) { name } else { value };
    for (taken, one) in values.into_iter().map(|one| present(one.trim())).filter(|one| !one.is_empty()).enumerate() {
        if taken >= MOST_VALUES {
            reject(Why::TooMany);
            return;
        }
        match meaning {
            Meaning::Name | Meaning::TradeNames => match Name::read(one) {
                Ok(name) if customer.compared.contains(&name) => {}
                Ok(name) => {
                    customer.compared.push(name);
                    customer.names.push(one.to_owned());
                }
                Err(none) => reject(Why::Name(none)),
            },
            _ => match tokens(customer, meaning, one) {
                Ok(tokens) => customer.identifiers.extend(tokens.into_iter().map(|token| (token.class(), token))),
                Err(invalid) => reject(Why::Invalid(invalid)),
            },
        }
    }
}

/// The parts of a cell between commas, semicolons, bars and line ends, and blanks where no value has any.
fn parts(text: &str, blanks: bool) -> Vec<&str> {
    text.split(|letter: char| matches!(letter, ',' | ';' | '|' | '\n' | '\r') || blanks && letter.is_whitespace()).collect()
}

/// A name and the names that its holder trades under, which people write in one cell: "J. Jansen h.o.d.n. Aap Hosting".
fn names(text: &str) -> Vec<&str> {
    const UNDER: [&str; 9] =
        [" t.h.o.d.n. ", " h.o.d.n. ", " t.h.o.d.n ", " h.o.d.n ", " hodn ", " trading as ", " t/a ", " d/b/a ", " dba "];
    // ASCII letters keep their places when they are made small.
    let lower = text.to_ascii_lowercase();
    for under in UNDER {
        if let Some((before, after)) = lower.find(under).and_then(|at| Some((text.get(..at)?, text.get(at + under.len()..)?))) {
            return vec![before, after];
        }
    }
    vec![text]
}

fn tokens(customer: &Customer, meaning: Meaning, text: &str) -> Result<Vec<Token>, Invalid> {
    let one = |token: Result<Token, Invalid>| token.map(|token| vec![token]);
    let abroad = customer.country.filter(|country| country != b"NL");
    match meaning {
        // Customers abroad have the number of their own register in this column. It must not be taken for a Dutch company's.
        Meaning::Kvk => match abroad.filter(|country| identifier::has_rule(*country) && !says_dutch(text)) {
            Some(country) => {
                one(identifier::registry_in(country, text).or_else(|invalid| identifier::kvk(text).map_err(|_| invalid)))
            }
            None => one(identifier::kvk(text).or_else(|invalid| match abroad {
                Some(country) => identifier::registry_in(country, text).map_err(|_| invalid),
                None => Err(invalid),
            })),
        },
        Meaning::Registration => match (customer.country, text.contains(':')) {
            (Some(country), false) => one(identifier::registry_in(country, text)),
            _ => one(identifier::registry(text)),
        },
        Meaning::Vat => match customer.country {
            Some(country) => one(identifier::vat_in(country, text)),
            None => one(identifier::vat(text)),
        },
        Meaning::Phone => match customer.country {
            Some(country) => one(identifier::phone_in(country, text)),
            None => one(identifier::phone(text)),
        },
        // A listed website is a domain name; one host of it may be listed alone.
        Meaning::Domain => {
            let domain = identifier::domain(text);
            let host = identifier::host(text).ok().filter(|host| host.class() == Class::Host);
            match (domain, host) {
                (Ok(domain), host) => Ok([Some(domain), host].into_iter().flatten().collect()),
                // A public suffix may be listed as a host, though it is nobody's domain name.
                (Err(_), Some(host)) => Ok(vec![host]),
                (Err(invalid), None) => Err(invalid),
            }
        }
        Meaning::Email => {
            let email = identifier::email(text)?;
            let domain = domain_of(&email);
            Ok([Some(email), domain].into_iter().flatten().collect())
        }
        Meaning::Prefix => Ok(identifier::covering(&identifier::prefix(text)?)),
        Meaning::Address => one(identifier::prefix(text)),
        Meaning::Iban => one(identifier::iban(text)),
        Meaning::Telegram => one(identifier::telegram(text)),
        Meaning::Icq => one(identifier::icq(text)),
        Meaning::Xmpp => one(identifier::xmpp(text)),
        Meaning::Crypto => one(identifier::crypto(text)),
        Meaning::Asn => one(identifier::asn(text)),
        Meaning::Handle => one(identifier::handle(text)),
        _ => Ok(Vec::new()),
    }
}

/// Whether a text says itself that it is of the Dutch register.
fn says_dutch(text: &str) -> bool {
    ["kvk", "k.v.k", "nl"].iter().any(|label| text.get(..label.len()).is_some_and(|head| head.eq_ignore_ascii_case(label)))
}

/// The domain name that a mail address is at, since lists have those of the listed; not one where anybody has an address.
fn domain_of(email: &Token) -> Option<Token> {
    let (_, host) = std::str::from_utf8(email.bytes()).ok()?.rsplit_once('@')?;
    let label = host.split('.').next()?;
    let anybody = EVERYBODYS.contains(&host) || (host.split('.').count() <= 3 && EVERYBODYS_ANYWHERE.contains(&label));
    if anybody { None } else { identifier::domain(host).ok() }
}

/// Mail providers that have a name below many top-level domains.
const EVERYBODYS_ANYWHERE: [&str; 9] = ["hotmail", "outlook", "live", "yahoo", "gmx", "yandex", "msn", "zoho", "ymail"];

/// Domain names at which anybody has a mail address: of mail providers, and of Dutch and Belgian internet providers for their subscribers.
const EVERYBODYS: [&str; 66] = [
    "163.com",
    "126.com",
    "aol.com",
    "bluewin.ch",
    "casema.nl",
    "caiway.nl",
    "caiway.net",
    "chello.nl",
    "concepts.nl",
    "daxis.nl",
    "dds.nl",
    "delta.nl",
    "fastmail.com",
    "fastmail.fm",
    "filternet.nl",
    "freeler.nl",
    "gmail.com",
    "googlemail.com",
    "hetnet.nl",
    "home.nl",
    "icloud.com",
    "inbox.lv",
    "inbox.ru",
    "kabelfoon.nl",
    "kpnmail.nl",
    "kpnplanet.nl",
    "mac.com",
    "mail.com",
    "mail.ru",
    "bk.ru",
    "list.ru",
    "me.com",
    "multiweb.nl",
    "online.nl",
    "orange.fr",
    "free.fr",
    "planet.nl",
    "proton.me",
    "protonmail.com",
    "pm.me",
    "qq.com",
    "quicknet.nl",
    "rambler.ru",
    "scarlet.be",
    "skynet.be",
    "solcon.nl",
    "t-online.de",
    "tele2.nl",
    "telenet.be",
    "telfort.nl",
    "telfortglasvezel.nl",
    "tiscali.nl",
    "tuta.com",
    "tutanota.com",
    "ukr.net",
    "upcmail.nl",
    "versatel.nl",
    "wanadoo.fr",
    "wanadoo.nl",
    "web.de",
    "xs4all.nl",
    "ya.ru",
    "zeelandnet.nl",
    "ziggo.nl",
    "zonnet.nl",
    "wxs.nl",
];
