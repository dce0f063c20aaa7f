//! Names in the DNS, mail addresses, phone numbers and handles of messengers.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use phonenumber::country::Id;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    super::{Class, Token},
    Country, Invalid, Wrong, refuse,
    text::{after_colon, after_labels, all_digits, is_blank, is_separator, narrow},
    token, trimmed,
};

const HOST: &str = "a name with dots, such as shop.example";

/// The registrable domain name: one label below a public suffix, of the ICANN section of the Public Suffix List or of the private one, so that
/// customers of one platform (`a.pages.dev`, `b.pages.dev`) stay apart. As A-labels in small letters.
///
/// An address of the web is read as its host (`https://shop.example/x` is `shop.example`), a mail address is not; brackets against clicking
/// (`shop[.]example`, `hxxps://`) and a wildcard before it (`*.shop.example`) are undone. Below a top-level domain that the list does not
/// have, one label counts, as the list's own rules say.
///
/// # Errors
/// When it is no name, an address, or a public suffix itself.
pub fn domain(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Domain;
    let name = host_name(CLASS, text, true)?;
    match psl::domain_str(&name) {
        Some(domain) => token(CLASS, domain.as_bytes()),
        None => {
            refuse(CLASS, Wrong::Nobody("it is a public suffix, under which anybody may have a name; give the name below it"))
        }
    }
}

/// The full host name, as A-labels in small letters, read as [`domain`] reads one. `www.` is part of it.
///
/// A host that is a registrable domain name itself gives a token of that class, so that both meet whichever was meant.
///
/// # Errors
/// When it is no name, an address, or a wildcard.
pub fn host(text: &str) -> Result<Token, Invalid> {
    let name = host_name(Class::Host, text, false)?;
    let class = if psl::domain_str(&name) == Some(name.as_str()) { Class::Domain } else { Class::Host };
    token(class, name.as_bytes())
}

/// The host of what may be an address of the web.
fn host_name(class: Class, text: &str, wildcard: bool) -> Result<String, Invalid> {
    let text = trimmed(class, text)?;
    let (text, is_url) = match text.split_once("://") {
        Some((_, rest)) => (rest, true),
        None => (text.trim_start_matches("//"), false),
    };
    let text = text.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let text = match text.rsplit_once('@') {
        Some((_, host)) if is_url => host,
        Some(_) => {
            return refuse(
                class,
                Wrong::Other("a mail address; what stands behind its @ is the mail server's name, not the party's"),
            );
        }
        None => text,
    };
    let text = if text.contains('[') { text.replace("[.]", ".").replace("[:]", ":") } else { text.to_owned() };
    if text.parse::<std::net::IpAddr>().is_ok() || text.starts_with('[') {
        return refuse(class, Wrong::Other("an IP address; it belongs with the prefixes"));
    }
    let text = match text.rsplit_once(':') {
        Some((host, port)) if port.is_empty() || all_digits(port) => host,
        _ => &text,
    };
    let text = if wildcard { text.strip_prefix("*.").unwrap_or(text) } else { text };
    dns_name(class, text)
}

/// A name of at least two labels as A-labels in small letters (UTS 46, not transitional), without the dot of the root.
fn dns_name(class: Class, text: &str) -> Result<String, Invalid> {
    let text = text.trim_matches(is_blank);
    let text = text.strip_suffix(['.', '\u{3002}']).unwrap_or(text);
    if text.is_empty() {
        return refuse(class, Wrong::Empty);
    }
    // A single label, or none with a letter at the end, is no name on the internet; this also bounds what UTS 46 has to map.
    if text.len() > 1024 {
        return refuse(class, Wrong::TooLong);
    }
    if text.starts_with("*.") {
        return refuse(class, Wrong::Form("a full name, without a wildcard"));
    }
    let Ok(name) = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::Verify) else {
        return refuse(class, Wrong::Form(HOST));
    };
    let right = name.split('.').all(|label| {
        label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    let last = name.rsplit('.').next().unwrap_or_default();
    if !right || !name.contains('.') || all_digits(last) || last.starts_with("0x") {
        return refuse(class, Wrong::Form(HOST));
    }
    Ok(name.into_owned())
}

/// A mail address: what is before the @ in small letters without its tag ("+shop"), the domain name as A-labels. Dots count, but at gmail.com
/// (and googlemail.com, which is the same), where they do not.
///
/// Tags are cut since RFC 5233 leaves them to the mailbox's owner, who gives another to everybody. `Name <address>` and
/// `mailto:` are read.
///
/// # Errors
/// When it is not one address.
pub fn email(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Email;
    const RIGHT: &str = "one address, such as info@shop.example";
    let text = trimmed(CLASS, text)?;
    let text = match text.split_once('<') {
        Some((_, rest)) => match rest.split_once('>') {
            Some((address, after)) if after.trim_matches(is_blank).is_empty() => address,
            _ => return refuse(CLASS, Wrong::Form(RIGHT)),
        },
        None => after_colon(text, &["mailto", "e-mail", "email", "mail"]),
    };
    let text = text.split('?').next().unwrap_or_default();
    let text =
        if text.contains('[') { text.replace("[.]", ".").replace("[@]", "@").replace("[at]", "@") } else { text.to_owned() };
    let Some((local, domain)) = text.rsplit_once(['@', '\u{ff20}']) else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    let domain = dns_name(CLASS, domain)?;
    let local = local_part(local).filter(|local| !local.contains('@'));
    let Some(mut local) = local else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    if let Some(tag) = local.find('+') {
        local.truncate(tag);
    }
    let domain = if domain == "googlemail.com" { "gmail.com".to_owned() } else { domain };
    if domain == "gmail.com" {
        local.retain(|letter| letter != '.');
    }
    if local.is_empty() {
        return refuse(CLASS, Wrong::Form(RIGHT));
    }
    token(CLASS, format!("{local}@{domain}").as_bytes())
}

/// What stands before an @, NFKC and in small letters; nothing when it has what may only stand there in quotes (RFC 5321), or is too long.
fn local_part(text: &str) -> Option<String> {
    let text = text.trim_matches(is_blank);
    if text.is_empty() || text.len() > 256 {
        return None;
    }
    let local: String = text.nfkc().flat_map(char::to_lowercase).nfc().collect();
    let allowed = |letter: char| match letter {
        _ if letter.is_ascii() => letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter),
        _ => !is_blank(letter) && letter.is_alphanumeric(),
    };
    (local.len() <= 256 && local.chars().all(allowed)).then_some(local)
}

/// A phone number: the digits of its E.164 form, without the plus. One without its country is taken for a Dutch one.
///
/// # Errors
/// When it is not a number that its country gives out.
pub fn phone(text: &str) -> Result<Token, Invalid> {
    phone_in(*b"NL", text)
}

/// A phone number as somebody in this country writes it: "020 123 4567" in the Netherlands, "+31 (0)20 123 4567" anywhere. Extensions are left
/// out.
///
/// # Errors
/// When it is not a number that its country gives out, or the country is unknown.
pub fn phone_in(country: Country, text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Phone;
    const RIGHT: &str = "a number such as +31 20 123 4567";
    let text = trimmed(CLASS, text)?;
    let text = after_labels(
        text,
        &["telefoonnummer", "telefoon", "telephone", "mobiel", "mobile", "phone", "tel.", "tel", "mob", "fax", "T", "M"],
    );
    let text = before_extension(text);
    // The library gets nothing but digits and a plus before them: what else there may be is decided here.
    let mut number = String::with_capacity(24);
    for letter in text.replace("(0)", "").chars().map(narrow) {
        match letter {
            '0'..='9' => number.push(letter),
            '+' if number.is_empty() => number.push('+'),
            _ if is_separator(letter) || matches!(letter, '(' | ')' | '\u{202c}') => {}
            _ => return refuse(CLASS, Wrong::Form(RIGHT)),
        }
        if number.len() > 24 {
            return refuse(CLASS, Wrong::TooLong);
        }
    }
    let found = number.trim_start_matches('+').len();
    if found < 5 {
        return refuse(CLASS, Wrong::Length("a number with its area or country", found));
    }
    let country = country.map(|letter| letter.to_ascii_uppercase());
    let country = if country == *b"UK" { *b"GB" } else { country };
    let Some(region) = std::str::from_utf8(&country).ok().and_then(|country| country.parse::<Id>().ok()) else {
        return refuse(CLASS, Wrong::Country("two letters of a country, such as NL"));
    };
    let Ok(parsed) = phonenumber::parse(Some(region), &number) else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    if !parsed.is_valid() {
        return refuse(
            CLASS,
            Wrong::Nobody("no number of its country is so; a digit is missing or wrong, or the country before it"),
        );
    }
    let digits = parsed.format().mode(phonenumber::Mode::E164).to_string();
    token(CLASS, digits.trim_start_matches('+').as_bytes())
}

/// What stands before an extension: "x12", "ext. 12", "tst 12", "toestel 12", "#12".
fn before_extension(text: &str) -> &str {
    let at = text.char_indices().find(|(at, letter)| {
        let rest = text.get(*at..).unwrap_or_default();
        *at > 0
            && (matches!(letter, '#' | 'x' | 'X' | ';')
                || ["ext", "tst", "toestel"].iter().any(|word| starts_with_word(rest, word)))
    });
    at.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// A Telegram handle: "@name", "t.me/name"; in small letters, without the @.
///
/// # Errors
/// When it is an invitation, a number, or not as handles are (four to thirty-two letters, digits and underscores, a letter first).
pub fn telegram(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Telegram;
    const RIGHT: &str = "four to thirty-two letters, digits and underscores, such as @shop_example";
    let text = after_colon(trimmed(CLASS, text)?, &["telegram", "tg"]);
    let lower: String = text.chars().map(narrow).map(|letter| letter.to_ascii_lowercase()).collect();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest).trim_start_matches("//");
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let hosts = ["t.me/", "telegram.me/", "telegram.dog/"];
    let name = match hosts.iter().find_map(|host| rest.strip_prefix(host)) {
        Some(path) => {
            if path.starts_with('+') || path.starts_with("joinchat") || path.starts_with("c/") || path.starts_with("addlist") {
                return refuse(CLASS, Wrong::NotCompared("an invitation or a closed channel has no handle"));
            }
            path.strip_prefix("s/").unwrap_or(path).split(['/', '?', '#']).next().unwrap_or_default()
        }
        None => match rest.strip_prefix("resolve?domain=") {
            Some(name) => name.split('&').next().unwrap_or_default(),
            // "name.t.me" is the same.
            None => rest.strip_suffix(".t.me").unwrap_or(rest),
        },
    };
    let name = name.trim_start_matches('@').trim_matches(is_blank);
    if all_digits(name) {
        return refuse(CLASS, Wrong::NotCompared("the number of an account is not its handle"));
    }
    let right = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    match name.len() {
        _ if !right => refuse(CLASS, Wrong::Form(RIGHT)),
        4..=32 => token(CLASS, name.as_bytes()),
        found => refuse(CLASS, Wrong::Length(RIGHT, found)),
    }
}

/// An ICQ number: five to ten digits, which lists of before 2024 still have.
///
/// # Errors
/// When it is not one.
pub fn icq(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Icq;
    const RIGHT: &str = "five to ten digits, such as 123-456-789";
    let text = after_labels(trimmed(CLASS, text)?, &["ICQ", "UIN", "number", "nummer", "nr"]);
    let mut number = String::new();
    for letter in text.chars().map(narrow).filter(|letter| !is_separator(*letter)) {
        match letter {
            '0'..='9' => number.push(letter),
            _ => return refuse(CLASS, Wrong::Form(RIGHT)),
        }
    }
    match number.len() {
        _ if number.starts_with('0') => refuse(CLASS, Wrong::Form(RIGHT)),
        5..=10 => token(CLASS, number.as_bytes()),
        found => refuse(CLASS, Wrong::Length(RIGHT, found)),
    }
}

/// An XMPP address without its resource (a bare JID, RFC 7622): what is before the @ in small letters, the domain name as A-labels.
///
/// # Errors
/// When it is no address of a person.
pub fn xmpp(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Xmpp;
    const RIGHT: &str = "an address such as shop@jabber.example";
    let text = after_colon(trimmed(CLASS, text)?, &["xmpp", "jabber", "JID"]).trim_start_matches("//");
    let bare = text.split(['/', '?', ';']).next().unwrap_or_default();
    let Some((local, domain)) = bare.split_once('@') else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    let domain = dns_name(CLASS, domain)?;
    // RFC 7622, section 3.3.1: these may not stand before the @.
    let local = local_part(local).filter(|local| !local.contains(['"', '&', '\'', '/', ':', '<', '>', '@']));
    match local {
        Some(local) => token(CLASS, format!("{local}@{domain}").as_bytes()),
        None => refuse(CLASS, Wrong::Form(RIGHT)),
    }
}
