//! Numbers in trade registers, and bank accounts.

use iban::IbanLike as _;

use super::{
    super::{Class, Token},
    Country, Invalid, Wrong, refuse,
    text::{after_labels, all_digits, compact, digits, is_blank, is_separator, luhn, modulo, weighted},
    token, trimmed,
};

const KVK_LABELS: [&str; 21] = [
    "Kamer van Koophandel",
    "Chamber of Commerce",
    "Handelsregister",
    "KvK-nummer",
    "KvK nummer",
    "KvKnummer",
    "KvK-nr",
    "KvK nr",
    "KvKnr",
    "dossiernummer",
    "inschrijvingsnummer",
    "registration",
    "K.v.K.",
    "K.v.K",
    "KvK",
    "CoC",
    "HR",
    "nummer",
    "number",
    "no",
    "nr",
];

/// A number in the Dutch trade register: eight digits. "KvK 12 34 56 78" and "KVK-nummer: 12345678" are read.
///
/// Seven digits get the zero before them that spreadsheets lose: numbers up to 09999999 were given out (by the chambers 01 to 09). Fewer are
/// refused, since before 1996 each chamber counted for itself and such a number is several companies'. The four digits of an establishment
/// behind a number ("12345678 0001") are left out; a number of an establishment (twelve digits that start with 0000) is not a company's.
///
/// # Errors
/// When it is not such a number.
pub fn kvk(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Kvk;
    const RIGHT: &str = "eight digits, such as 01234567";
    let text = after_labels(trimmed(CLASS, text)?, &KVK_LABELS);
    let number = compact(text).map(|number| number.strip_prefix("NL").map(str::to_owned).unwrap_or(number));
    let Some(number) = number.filter(|number| all_digits(number)) else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    let number = match number.len() {
        7 => format!("0{number}"),
        8 => number,
        9 => return refuse(CLASS, Wrong::Other("nine digits are an RSIN, the number of a legal entity for the tax office")),
        12 if number.starts_with("0000") => {
            return refuse(
                CLASS,
                Wrong::Other("twelve digits are the number of an establishment; the company has eight digits of its own"),
            );
        }
        12 => number.get(..8).unwrap_or_default().to_owned(),
        found => return refuse(CLASS, Wrong::Length(RIGHT, found)),
    };
    if number.starts_with("00") {
        return refuse(CLASS, Wrong::Nobody("no number starts with two zeros; it is a placeholder, or digits are missing"));
    }
    token(CLASS, number.as_bytes())
}

/// A number in another country's register, written with its country: "BE:0203.201.340", "DE: Charlottenburg HRB 12345 B". A Dutch one ("NL:")
/// is a KvK number and gives a token of that class.
///
/// # Errors
/// When the country is missing, or the number is not one of its register.
pub fn registry(text: &str) -> Result<Token, Invalid> {
    const RIGHT: &str = "two letters of the country, a colon and the number, such as BE:0203201340";
    let text = trimmed(Class::Registry, text)?;
    let (country, number) = match text.split_once([':', '\u{ff1a}']) {
        Some((country, number)) => (country.trim_matches(is_blank), number),
        None => return refuse(Class::Registry, Wrong::Country(RIGHT)),
    };
    match <Country>::try_from(country.as_bytes()) {
        Ok(country) if country.iter().all(u8::is_ascii_alphabetic) => registry_in(country, number),
        _ => refuse(Class::Registry, Wrong::Country(RIGHT)),
    }
}

/// A number in the register of this country.
///
/// Where a country's numbers have a length or check digits, they are held to it. German numbers count in each court anew, so the court is
/// part of the number: "HRB 12345" alone is as many companies as there are courts.
///
/// # Errors
/// When the number is not one of that register.
pub fn registry_in(country: Country, text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Registry;
    let country = country.map(|letter| letter.to_ascii_uppercase());
    let country = if country == *b"UK" {
        *b"GB"
    } else if country == *b"EL" {
        *b"GR"
    } else {
        country
    };
    if country == *b"NL" {
        return kvk(text);
    }
    let text = trimmed(CLASS, text)?;
    let number = if country == *b"DE" { german(text)? } else { national(country, text)? };
    if number.bytes().all(|byte| matches!(byte, b'0' | b'X')) {
        return refuse(CLASS, Wrong::Nobody("zeros are a placeholder"));
    }
    let mut bytes = country.to_vec();
    bytes.push(b':');
    bytes.extend_from_slice(number.as_bytes());
    token(CLASS, &bytes)
}

/// Whether the numbers of this country's register have a length or check digits that they are held to, so that a number that is right there was
/// probably meant so.
#[must_use]
pub fn has_rule(country: Country) -> bool {
    DIGITS.iter().any(|rule| *rule.country == country) || matches!(&country, b"DE" | b"GB" | b"FR" | b"AT" | b"CH")
}

/// Digits of a register: how many, with zeros put before fewer down to `from`, and the check that they pass.
struct Digits {
    country: &'static Country,
    from: usize,
    to: usize,
    right: &'static str,
    check: fn(&str) -> bool,
}

fn any(_: &str) -> bool {
    true
}

/// Registers whose numbers are digits of one length. Sources: the countries' own descriptions, as collected in ISO/IEC 6523 and by the
/// European Business Registry Association; check digits only where the register states them.
const DIGITS: [Digits; 17] = [
    Digits { country: b"BE", from: 9, to: 10, right: "ten digits, such as 0203201340", check: |n| belgian(n) },
    Digits { country: b"CZ", from: 6, to: 8, right: "eight digits (IČO)", check: |n| czech(n) },
    Digits { country: b"SK", from: 6, to: 8, right: "eight digits (IČO)", check: |n| czech(n) },
    Digits {
        country: b"DK",
        from: 8,
        to: 8,
        right: "eight digits (CVR)",
        check: |n| weighted(n, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
    },
    Digits {
        country: b"NO",
        from: 9,
        to: 9,
        right: "nine digits",
        check: |n| weighted(n, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
    },
    Digits { country: b"SE", from: 10, to: 10, right: "ten digits, such as 556012-5790", check: luhn },
    Digits {
        country: b"FI",
        from: 7,
        to: 8,
        right: "eight digits (Y-tunnus)",
        check: |n| weighted(n, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11),
    },
    Digits { country: b"EE", from: 8, to: 8, right: "eight digits", check: any },
    Digits { country: b"LV", from: 11, to: 11, right: "eleven digits", check: any },
    Digits { country: b"LT", from: 9, to: 9, right: "nine digits", check: any },
    Digits { country: b"PL", from: 7, to: 10, right: "ten digits (KRS)", check: any },
    Digits { country: b"UA", from: 7, to: 8, right: "eight digits (EDRPOU)", check: any },
    Digits { country: b"BG", from: 9, to: 9, right: "nine digits (EIK)", check: any },
    Digits { country: b"HR", from: 8, to: 9, right: "nine digits (MBS)", check: any },
    Digits { country: b"PT", from: 9, to: 9, right: "nine digits (NIPC)", check: |n| portuguese(n) },
    Digits { country: b"AU", from: 9, to: 9, right: "nine digits (ACN)", check: any },
    Digits { country: b"RU", from: 13, to: 13, right: "thirteen digits (OGRN)", check: |n| ogrn(n) },
];

const LABELS: [&str; 26] = [
    "Companies House",
    "Ondernemingsnummer",
    "registration number",
    "registration",
    "Firmenbuchnummer",
    "Firmenbuch",
    "company number",
    "Reg. No",
    "Reg.nr",
    "number",
    "nummer",
    "SIREN",
    "SIRET",
    "EDRPOU",
    "OGRN",
    "IČO",
    "ICO",
    "KBO",
    "BCE",
    "RCS",
    "KRS",
    "CVR",
    "CRN",
    "no",
    "nr",
    "n°",
];

fn national(country: Country, text: &str) -> Result<String, Invalid> {
    const CLASS: Class = Class::Registry;
    let text = after_labels(text, &LABELS);
    let Some(mut number) = compact(text).filter(|number| !number.is_empty()) else {
        return refuse(CLASS, Wrong::Form("letters and digits, such as BE:0203201340"));
    };
    if !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return refuse(CLASS, Wrong::Form("a number has digits"));
    }
    if let Some(rule) = DIGITS.iter().find(|rule| *rule.country == country) {
        if let Ok(own) = std::str::from_utf8(&country) {
            number = number.strip_prefix(own).map(str::to_owned).unwrap_or(number);
        }
        if !all_digits(&number) {
            return refuse(CLASS, Wrong::Form(rule.right));
        }
        if !(rule.from..=rule.to).contains(&number.len()) {
            return refuse(CLASS, Wrong::Length(rule.right, number.len()));
        }
        let number = format!("{number:0>width$}", width = rule.to);
        return if (rule.check)(&number) { Ok(number) } else { refuse(CLASS, Wrong::Checksum) };
    }
    match &country {
        b"GB" => british(number),
        b"FR" => french(number),
        b"AT" => austrian(number),
        b"CH" => {
            let digits = number.strip_prefix("CHE").unwrap_or(&number);
            swiss(digits).map(|()| format!("CHE{digits}"))
        }
        // Irish, Luxembourg, Italian, Spanish and all other numbers as they are: nothing is known that would make them other.
        _ if number.len() > 32 => refuse(CLASS, Wrong::TooLong),
        _ if number.len() < 2 => refuse(CLASS, Wrong::Length("two to thirty-two letters and digits", number.len())),
        _ => Ok(number),
    }
}

/// Eight digits, or two letters and six digits (Companies House): zeros before fewer.
fn british(number: String) -> Result<String, Invalid> {
    const RIGHT: &str = "eight digits, or two letters and six digits, such as SC123456";
    let (letters, digits) = number.split_at(number.bytes().take_while(u8::is_ascii_alphabetic).count());
    match (letters.len(), digits.len()) {
        _ if !all_digits(digits) => refuse(Class::Registry, Wrong::Form(RIGHT)),
        (0, 5..=8) => Ok(format!("{digits:0>8}")),
        (1, 4..=7) => Ok(format!("{letters}{digits:0>7}")),
        (2, 3..=6) => Ok(format!("{letters}{digits:0>6}")),
        _ => refuse(Class::Registry, Wrong::Length(RIGHT, number.len())),
    }
}

/// The nine digits of a company (SIREN), of which the fourteen of an establishment (SIRET) start; both by Luhn.
fn french(number: String) -> Result<String, Invalid> {
    const RIGHT: &str = "nine digits (SIREN)";
    // "RCS Paris B 123 456 789" has place and kind before it, which the number does not need.
    let digits = number.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    match digits.len() {
        _ if !all_digits(digits) => refuse(Class::Registry, Wrong::Form(RIGHT)),
        9 | 14 => match digits.get(..9).filter(|siren| luhn(siren)) {
            Some(siren) => Ok(siren.to_owned()),
            None => refuse(Class::Registry, Wrong::Checksum),
        },
        found => refuse(Class::Registry, Wrong::Length(RIGHT, found)),
    }
}

/// Up to six digits and a letter that checks them (Firmenbuch); without zeros before them.
fn austrian(number: String) -> Result<String, Invalid> {
    let number = number.strip_prefix("FN").unwrap_or(&number).trim_start_matches('0');
    let digits = number.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    if all_digits(digits) && digits.len() <= 6 && number.len() == digits.len() + 1 {
        Ok(format!("FN{number}"))
    } else {
        refuse(Class::Registry, Wrong::Form("up to six digits and a letter, such as FN 123456a"))
    }
}

/// Nine digits, the last of which checks the others (UID, Swiss Federal Statistical Office).
pub(super) fn swiss(digits: &str) -> Result<(), Invalid> {
    if !all_digits(digits) || digits.len() != 9 {
        return refuse(Class::Registry, Wrong::Length("nine digits, such as CHE-123.456.788", digits.len()));
    }
    if weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 1]).is_multiple_of(11) {
        Ok(())
    } else {
        refuse(Class::Registry, Wrong::Checksum)
    }
}

/// The court, the section (HRA, HRB, GnR, PR, VR, GsR) and the number with the letter that Berlin and some others add.
fn german(text: &str) -> Result<String, Invalid> {
    const CLASS: Class = Class::Registry;
    const RIGHT: &str = "the court, the section and the number, such as DE:Charlottenburg HRB 12345 B";
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_uppercase) {
        match letter {
            'Ä' => folded.push_str("AE"),
            'Ö' => folded.push_str("OE"),
            'Ü' => folded.push_str("UE"),
            'ẞ' => folded.push_str("SS"),
            _ if letter.is_ascii_alphanumeric() => folded.push(letter),
            _ if is_separator(letter) || matches!(letter, ',' | ':' | '(' | ')') => folded.push(' '),
            _ => return refuse(CLASS, Wrong::Form(RIGHT)),
        }
    }
    // "HRB12345B" is three words.
    let mut words: Vec<&str> = Vec::new();
    for word in folded.split_ascii_whitespace() {
        let mut rest = word;
        while let Some(first) = rest.bytes().next() {
            let run = rest.bytes().take_while(|byte| byte.is_ascii_digit() == first.is_ascii_digit()).count();
            let (piece, after) = rest.split_at(run);
            words.push(piece);
            rest = after;
        }
    }
    const SECTIONS: [&str; 6] = ["HRA", "HRB", "GNR", "PR", "VR", "GSR"];
    let Some(at) = words.iter().position(|word| SECTIONS.contains(word)) else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    let (before, after) = words.split_at(at);
    let [section, number, after @ ..] = after else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    if !all_digits(number) {
        return refuse(CLASS, Wrong::Form(RIGHT));
    }
    let (letter, after) = match after {
        [letter, after @ ..] if letter.len() <= 2 && !matches!(*letter, "AG" | "IN") => (*letter, after),
        _ => ("", after),
    };
    const SKIPPED: [&str; 10] =
        ["AMTSGERICHT", "AG", "REGISTERGERICHT", "HANDELSREGISTER", "REGISTER", "GERICHT", "DES", "BEIM", "IN", "NR"];
    let court: String = before.iter().chain(after).filter(|word| !SKIPPED.contains(word)).copied().collect();
    if court.is_empty() {
        return refuse(CLASS, Wrong::Nobody("each German court counts anew, so the court belongs to the number"));
    }
    if court.bytes().any(|byte| byte.is_ascii_digit()) || court.len() > 64 {
        return refuse(CLASS, Wrong::Form(RIGHT));
    }
    Ok(format!("{court}{section}{}{letter}", number.trim_start_matches('0')))
}

/// Ten digits: 97 less the first eight modulo 97 is the last two.
pub(super) fn belgian(number: &str) -> bool {
    match (number.get(..8), number.get(8..10)) {
        (Some(head), Some(check)) => 97 - modulo(head, 97) == modulo(check, 100),
        _ => false,
    }
}

/// Eight digits by weights 8 to 2.
pub(super) fn czech(number: &str) -> bool {
    let check = (11 - weighted(number, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    digits(number).nth(7) == Some(check)
}

/// Nine digits by weights 9 to 2.
pub(super) fn portuguese(number: &str) -> bool {
    let check = 11 - weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits(number).nth(8) == Some(if check >= 10 { 0 } else { check })
}

/// Thirteen digits: the first twelve modulo 11, of which the last digit, is the last.
fn ogrn(number: &str) -> bool {
    match number.get(..12) {
        Some(head) => digits(number).nth(12) == Some(modulo(head, 11) % 10),
        None => false,
    }
}

/// An international bank account number (ISO 13616), its length, structure and check digits as the registry of SWIFT has them.
///
/// # Errors
/// When it is not one.
pub fn iban(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Iban;
    const RIGHT: &str = "two letters of the country, two check digits and the account, such as NL91 ABNA 0417 1643 00";
    let text = after_labels(trimmed(CLASS, text)?, &["Rekeningnummer", "Bankrekening", "IBAN-nummer", "IBAN nummer", "IBAN"]);
    let Some(number) = compact(text) else { return refuse(CLASS, Wrong::Form(RIGHT)) };
    match number.parse::<iban::Iban>() {
        Ok(number) => token(CLASS, number.electronic_str().as_bytes()),
        Err(iban::ParseIbanError::InvalidBaseIban { source }) => match source {
            iban::ParseBaseIbanError::InvalidChecksum => refuse(CLASS, Wrong::Checksum),
            iban::ParseBaseIbanError::InvalidFormat => refuse(CLASS, Wrong::Form(RIGHT)),
        },
        Err(iban::ParseIbanError::InvalidBban(_)) => {
            refuse(CLASS, Wrong::Form("the account is not of the length and structure that its country has"))
        }
        Err(iban::ParseIbanError::UnknownCountry(_)) => refuse(CLASS, Wrong::Country("a country in SWIFT's registry of IBAN")),
    }
}
