//! VAT numbers: the country's letters and the number, its check digits where the country has stated them.

use super::{
    super::{Class, Token},
    Country, Invalid, Wrong, refuse,
    register::{belgian, czech, portuguese, swiss},
    text::{after_labels, all_digits, compact, digits, luhn, mod_11_10, modulo, weighted},
    token, trimmed,
};

const CLASS: Class = Class::Vat;

const LABELS: [&str; 22] = [
    "BTW-identificatienummer",
    "Omzetbelastingnummer",
    "BTW-nummer",
    "BTW nummer",
    "BTW-id",
    "BTW id",
    "BTW-nr",
    "BTW nr",
    "BTW",
    "VAT number",
    "VAT no",
    "VAT-ID",
    "VAT ID",
    "VAT",
    "USt-IdNr",
    "USt-ID",
    "UStID",
    "TVA",
    "IVA",
    "number",
    "nummer",
    "nr",
];

/// A VAT number with its country: "NL 8200.04.956.B01" (without separators and in capitals). Greek ones start with EL, which is also read as
/// GR; a Dutch number without its country (nine digits, B, two digits) has a form that no other country has, and gets its NL.
///
/// # Errors
/// When the country is missing, or the number is not one of it.
pub fn vat(text: &str) -> Result<Token, Invalid> {
    let number = clean(text)?;
    match number.as_bytes() {
        [a, b, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => checked(&number),
        _ if is_dutch(&number) => checked(&format!("NL{number}")),
        _ => refuse(CLASS, Wrong::Country("the two letters of the country before the number, such as NL820004956B01")),
    }
}

/// A VAT number of a party in this country, whose letters may be missing before it. Letters of another country that are there hold: companies
/// register for VAT in several.
///
/// # Errors
/// When the number is not one of its country.
pub fn vat_in(country: Country, text: &str) -> Result<Token, Invalid> {
    let number = clean(text)?;
    let country: String = match &country.map(|letter| letter.to_ascii_uppercase()) {
        b"GR" => "EL".to_owned(),
        b"UK" => "GB".to_owned(),
        other => other.iter().copied().map(char::from).collect(),
    };
    // Numbers of Spain, Ireland, France and Cyprus may start with letters of their own, but none of them with two that are a country here.
    match number.get(..2).filter(|letters| rule(letters).is_some()) {
        Some(_) => checked(&number),
        None if is_dutch(&number) => checked(&format!("NL{number}")),
        None => checked(&format!("{country}{number}")),
    }
}

fn is_dutch(number: &str) -> bool {
    matches!(number.as_bytes(), [d @ .., b'B', x, y] if d.len() == 9 && d.iter().chain([x, y]).all(u8::is_ascii_digit))
}

fn clean(text: &str) -> Result<String, Invalid> {
    let text = after_labels(trimmed(CLASS, text)?, &LABELS);
    let Some(number) = compact(text).filter(|number| !number.is_empty()) else {
        return refuse(CLASS, Wrong::Form("letters and digits, such as NL820004956B01"));
    };
    Ok(match number.strip_prefix("GR") {
        Some(rest) => format!("EL{rest}"),
        None => number,
    })
}

/// The token of a number that starts with its country.
fn checked(number: &str) -> Result<Token, Invalid> {
    let known = number.get(..2).and_then(|country| Some((country, rule(country)?)));
    let Some((country, rule)) = known else {
        return refuse(CLASS, Wrong::Country("a country of the European Union, XI, GB, CH or NO, such as NL820004956B01"));
    };
    let number = number.get(2..).unwrap_or_default();
    // What Norway and Switzerland write behind a number says that it is for VAT, which we know.
    let number = match country {
        "NO" => number.strip_suffix("MVA").unwrap_or(number),
        "CH" => ["MWST", "TVA", "IVA"].iter().find_map(|tail| number.strip_suffix(tail)).unwrap_or(number),
        _ => number,
    };
    let number = number.strip_prefix('E').filter(|_| country == "CH").unwrap_or(number);
    // Belgian numbers had nine digits until 2005, and got a zero before them.
    let padded = (country == "BE" && number.len() == 9).then(|| format!("0{number}"));
    let number = padded.as_deref().unwrap_or(number);
    if !rule.forms.iter().any(|form| fits(number, form)) {
        return refuse(CLASS, Wrong::Form(rule.right));
    }
    if !number.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return refuse(CLASS, Wrong::Nobody("zeros are a placeholder"));
    }
    if !(rule.check)(number) {
        return refuse(CLASS, Wrong::Checksum);
    }
    token(CLASS, format!("{country}{number}").as_bytes())
}

/// Whether a number has this form: `9` a digit, `L` a letter, `X` either, others themselves.
fn fits(number: &str, form: &str) -> bool {
    number.len() == form.len()
        && number.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'9' => byte.is_ascii_digit(),
            b'L' => byte.is_ascii_uppercase(),
            b'X' => byte.is_ascii_alphanumeric(),
            _ => byte == form,
        })
}

struct Rule {
    forms: &'static [&'static str],
    right: &'static str,
    check: fn(&str) -> bool,
}

/// The rule of a country. Forms are those of the Commission's VIES (which all numbers within the Union pass through); check digits are held
/// where the country's own description is public and without exceptions: a right number refused is a hit that never comes.
fn rule(country: &str) -> Option<Rule> {
    let (forms, right, check): (&'static [&'static str], &'static str, fn(&str) -> bool) = match country {
        "AT" => (&["U99999999"], "ATU and eight digits", austrian),
        "BE" => (&["9999999999"], "BE and ten digits", belgian),
        "BG" => (&["999999999", "9999999999"], "BG and nine or ten digits", any),
        "CH" => (&["999999999"], "CHE and nine digits", |n| swiss(n).is_ok()),
        "CY" => (&["99999999L"], "CY, eight digits and a letter", any),
        "CZ" => (&["99999999", "999999999", "9999999999"], "CZ and eight to ten digits", |n| n.len() != 8 || czech(n)),
        "DE" => (&["999999999"], "DE and nine digits", mod_11_10),
        "DK" => (&["99999999"], "DK and eight digits", |n| weighted(n, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)),
        "EE" => (&["999999999"], "EE and nine digits", |n| weighted(n, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)),
        "EL" => (&["999999999"], "EL and nine digits", greek),
        "ES" => (&["X9999999X"], "ES and nine letters and digits, the first or last of them a letter", |n| !all_digits(n)),
        "FI" => (&["99999999"], "FI and eight digits", |n| weighted(n, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11)),
        "FR" => (&["XX999999999"], "FR, two digits or letters and the nine digits of the SIREN", french),
        "GB" | "XI" => (&["999999999", "999999999999", "GD999", "HA999"], "nine or twelve digits", british),
        "HR" => (&["99999999999"], "HR and eleven digits", mod_11_10),
        "HU" => (&["99999999"], "HU and eight digits", |n| weighted(n, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10)),
        "IE" => (&["9999999L", "9999999LL", "9X99999L"], "IE, seven digits and one or two letters", irish),
        "IT" => (&["99999999999"], "IT and eleven digits", luhn),
        "LT" => (&["999999999", "999999999999"], "LT and nine or twelve digits", any),
        "LU" => (&["99999999"], "LU and eight digits", |n| {
            n.get(..6).map(|head| modulo(head, 89)) == n.get(6..).map(|check| modulo(check, 100))
        }),
        "LV" => (&["99999999999"], "LV and eleven digits", any),
        "MT" => (&["99999999"], "MT and eight digits", |n| {
            Some(37 - weighted(n, &[3, 4, 6, 7, 8, 9]) % 37) == n.get(6..).map(|check| modulo(check, 100))
        }),
        "NL" => (&["999999999B99"], "NL, nine digits, B and two digits", dutch),
        "NO" => (&["999999999"], "NO and nine digits", |n| weighted(n, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)),
        "PL" => {
            (&["9999999999"], "PL and ten digits", |n| Some(weighted(n, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11) == digits(n).nth(9))
        }
        "PT" => (&["999999999"], "PT and nine digits", portuguese),
        "RO" => (
            &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"],
            "RO and two to ten digits",
            romanian,
        ),
        "SE" => (&["999999999901"], "SE, ten digits and 01", |n| n.get(..10).is_some_and(luhn)),
        "SI" => (&["99999999"], "SI and eight digits", |n| {
            let check = 11 - weighted(n, &[8, 7, 6, 5, 4, 3, 2]) % 11;
            digits(n).nth(7) == Some(if check >= 10 { 0 } else { check })
        }),
        "SK" => (&["9999999999"], "SK and ten digits", |n| modulo(n, 11) == 0),
        _ => return None,
    };
    Some(Rule { forms, right, check })
}

fn any(_: &str) -> bool {
    true
}

/// Of legal entities the nine digits are an RSIN (weights 9 to 2, the last subtracted, modulo 11); of sole traders, since 2020, the whole
/// number with its country is 1 modulo 97, letters counted as 10 to 35 (ISO 7064 MOD 97-10).
fn dutch(number: &str) -> bool {
    let (Some(head), Some(tail)) = (number.get(..9), number.get(10..)) else { return false };
    let rsin = weighted(head, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    if digits(head).nth(8) == Some(rsin) {
        return true;
    }
    // N, L and B are 23, 21 and 11.
    modulo(&format!("2321{head}11{tail}"), 97) == 1
}

fn austrian(number: &str) -> bool {
    let Some(number) = number.strip_prefix('U') else { return false };
    let sum: u32 = digits(number)
        .take(7)
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    digits(number).nth(7) == Some((10 - (sum + 4) % 10) % 10)
}

/// Nine digits by powers of two, 256 to 2, modulo 11 and then 10.
fn greek(number: &str) -> bool {
    digits(number).nth(8) == Some(weighted(number, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10)
}

/// Where the key is digits it is (12 + 3 (SIREN mod 97)) mod 97. Keys with letters are of a newer form, whose number is not Luhn's either for
/// some, so that they are held to their form alone.
fn french(number: &str) -> bool {
    let (Some(key), Some(siren)) = (number.get(..2), number.get(2..)) else { return false };
    !all_digits(key) || modulo(key, 100) == (12 + 3 * modulo(siren, 97)) % 97
}

/// Nine digits by weights 8 to 2, to which the last two are added: 0 modulo 97, or with 55 added since 2010. Twelve digits have a branch
/// behind them.
fn british(number: &str) -> bool {
    if number.starts_with(['G', 'H']) {
        return true;
    }
    let Some(check) = number.get(7..9) else { return false };
    let sum = weighted(number, &[8, 7, 6, 5, 4, 3, 2]) + modulo(check, 100);
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

/// Seven digits by weights 8 to 2, a second letter by 9, modulo 23 as a letter from W (0), A (1) to V (22). The old form with a letter or
/// sign in the second place is held to its form alone.
fn irish(number: &str) -> bool {
    let Some(head) = number.get(..7).filter(|head| all_digits(head)) else { return true };
    let letters = number.as_bytes().get(7..).unwrap_or_default();
    let value = |letter: u8| if letter == b'W' { 0 } else { u32::from(letter.wrapping_sub(b'A')) + 1 };
    let second = letters.get(1).map_or(0, |letter| value(*letter));
    let sum = weighted(head, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    letters.first().is_some_and(|letter| value(*letter) == sum % 23)
}

/// Weights 753217532 from the right of what is before the last digit, times ten, modulo 11 and then 10.
fn romanian(number: &str) -> bool {
    let padded = format!("{number:0>10}");
    digits(&padded).nth(9) == Some(weighted(&padded, &[7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10)
}
