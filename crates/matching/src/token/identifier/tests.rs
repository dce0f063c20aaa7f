//! Golden cases of identifiers, and what holds of all of them.

use proptest::prelude::*;

use super::*;

const GOLDEN: &str = include_str!("../../../vectors/identifiers.txt");

/// A case: class (`phone-BE` and the like for a class in a country), input with `\u{...}`, `\t` and `\x` where it cannot be seen, outcome.
struct Case {
    line: usize,
    class: &'static str,
    input: String,
    outcome: &'static str,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, line) in GOLDEN.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.split('\t');
        let (Some(class), Some(input), Some(outcome), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            panic!("line {}: three columns with tabs between them", number + 1);
        };
        cases.push(Case { line: number + 1, class, input: unescaped(input), outcome });
    }
    cases
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (code, after) = after.split_once('}').unwrap();
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        rest = after;
    }
    out.push_str(rest);
    out
}

fn made(class: &str, text: &str) -> Result<Token, Invalid> {
    let country = |at: usize| <Country>::try_from(&class.as_bytes()[at..]).unwrap();
    match class {
        "prefix" => prefix(text),
        _ if class.starts_with("phone-") => phone_in(country(6), text),
        _ if class.starts_with("vat-") => vat_in(country(4), text),
        _ if class.starts_with("registry-") => registry_in(country(9), text),
        _ => of(Class::ALL.into_iter().find(|known| known.name() == class).unwrap_or_else(|| panic!("no class {class}")), text),
    }
}

fn told(outcome: &Result<Token, Invalid>) -> String {
    match outcome {
        Ok(token) => token.bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        Err(invalid) => format!("!{}", invalid.wrong.code()),
    }
}

#[test]
fn golden_cases_keep_their_bytes() {
    let cases = cases();
    assert!(cases.len() >= 150, "{}", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, told(&made(case.class, &case.input))))
        .filter(|(case, got)| got != case.outcome)
        .map(|(case, got)| {
            format!("line {}: {}\t{}\t{got}\tnot {}", case.line, case.class, case.input.escape_debug(), case.outcome)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_class_of_identifiers_has_golden_cases_of_both_outcomes() {
    let cases = cases();
    for class in Class::ALL.into_iter().filter(|class| !class.name().starts_with("name-")) {
        let of_class = |case: &&Case| case.class == class.name();
        assert!(cases.iter().filter(of_class).any(|case| !case.outcome.starts_with('!')), "{}", class.name());
        assert!(cases.iter().filter(of_class).any(|case| case.outcome.starts_with('!')), "{}", class.name());
    }
}

#[test]
fn a_refusal_says_what_would_be_right() {
    let said = |outcome: Result<Token, Invalid>| outcome.map_err(|invalid| invalid.to_string()).unwrap_err();
    assert_eq!(said(kvk("123")), "no kvk: it has 3 digits or letters; right would be eight digits, such as 01234567");
    assert_eq!(
        said(prefix("192.0.2.7/24")),
        "no ipv4: bits are set beyond the length of the prefix; perhaps 192.0.2.0/24 is meant"
    );
    assert!(said(domain("pages.dev")).contains("public suffix"));
}

#[test]
fn kinds_are_told_and_never_chosen() {
    assert_eq!(kinds("info@shop.example"), [Class::Email, Class::Xmpp]);
    assert!(kinds("12345678").len() > 1, "a bare number is right in several classes");
    assert_eq!(kinds("???"), []);
}

#[test]
fn covering_prefixes_end_where_the_format_says() {
    let told =
        |text: &str| -> Vec<String> { covering(&prefix(text).unwrap()).iter().map(|token| told(&Ok(token.clone()))).collect() };
    assert_eq!(told("198.51.100.128/25").len(), 10);
    assert_eq!(told("198.51.100.128/25")[..3], ["c633648019", "c633640018", "c633640017"]);
    assert_eq!(told("198.51.100.0/24").len(), 9);
    assert_eq!(told("198.48.0.0/14"), ["c63000000e"]);
    assert_eq!(told("2001:db8:0:1::/64").len(), 18);
    assert_eq!(told("2001:db8::/32").len(), 1);
    assert!(covering(&asn("AS64496").unwrap()).is_empty());
}

/// Texts that look like identifiers, and anything else.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ 0-9A-Za-z:./@+_-]{0,60}",
        "(NL|BE|DE|FR|GB|ES|CH|IE|RO)[0-9B.A]{2,14}",
        "[0-9a-f:.]{3,40}(/[0-9]{1,3})?",
        "[123LMTD4X][1-9A-HJ-NP-Za-km-z]{25,35}",
        "\\PC{0,20}[@.]\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_text_has_a_bounded_form_or_a_reason(text in texts()) {
        for class in Class::ALL {
            match of(class, &text) {
                Ok(token) => {
                    prop_assert!((1..=super::super::MOST_BYTES).contains(&token.bytes().len()));
                    let other = matches!((class, token.class()), (Class::Registry, Class::Kvk) | (Class::Host, Class::Domain));
                    prop_assert!(token.class() == class || other);
                }
                Err(invalid) => prop_assert!(!invalid.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn a_canonical_text_is_its_own_form(text in texts()) {
        let written = [Class::Kvk, Class::Registry, Class::Vat, Class::Iban, Class::Domain, Class::Host, Class::Email, Class::Telegram, Class::Icq,
            Class::Xmpp, Class::Handle];
        for class in written {
            if let Ok(token) = of(class, &text) {
                let again = of(token.class(), std::str::from_utf8(token.bytes()).unwrap());
                prop_assert_eq!(again, Ok(token), "{:?}", text);
            }
        }
        if let Ok(token) = phone(&text) {
            prop_assert_eq!(phone(&format!("+{}", std::str::from_utf8(token.bytes()).unwrap())), Ok(token));
        }
    }

    #[test]
    fn blanks_around_and_capitals_do_not_matter(text in "[0-9A-Za-z@.+/:-]{1,40}") {
        for class in Class::ALL.into_iter().filter(|class| *class != Class::Crypto) {
            let plain = of(class, &text);
            prop_assert_eq!(&of(class, &format!(" \u{200b}{text}\u{a0}\r\n")).ok(), &plain.clone().ok());
            prop_assert_eq!(of(class, &text.to_ascii_uppercase()).ok(), of(class, &text.to_ascii_lowercase()).ok());
        }
    }
}
