//! Golden cases of names, and what holds of every name.

use std::fmt::Write as _;
use std::path::Path;

use matching::compare::compare;
use matching::sha256;
use matching::token::name::{EditSide, Family, LEAST_RARITY, Name, Place, asked, listed, rarity_bits};
use matching::token::{Class, NORM_VERSION, Token};
use proptest::prelude::*;

/// Each case is as it was when the version was fixed. With `UPDATE_EXPECT` set the file is written anew: only together with a new
/// `NORM_VERSION`.
#[test]
fn golden_cases_stand_still() {
    assert_eq!(NORM_VERSION, 1, "the golden cases are those of version 1");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/names.txt");
    let text = std::fs::read_to_string(&path).expect("the cases are there");
    let mut now = String::new();
    let mut cases = 0;
    for line in text.lines() {
        if line.starts_with('#') {
            writeln!(now, "{line}").expect("a text takes it");
            continue;
        }
        let written = line.split('\t').next().unwrap_or_default();
        writeln!(now, "{written}\t{}", tokens_of(&unescaped(written))).expect("a text takes it");
        cases += 1;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &now).expect("the cases can be written");
    }
    for (was, is) in text.lines().zip(now.lines()) {
        assert_eq!(was, is, "what is compared has changed: raise NORM_VERSION, or undo it");
    }
    assert!(cases >= 80, "only {cases} cases");
}

fn tokens_of(name: &str) -> String {
    let Some(name) = Name::of(name) else { return "-".to_owned() };
    let show = |token: &Token| format!("{}:{}", token.class().name(), String::from_utf8_lossy(token.bytes()));
    let asked: Vec<String> = asked(&name, None, EditSide::List, LEAST_RARITY).iter().map(show).collect();
    let mut out = asked.join(" | ");
    for edit in [EditSide::List, EditSide::Both] {
        let listed = listed(&name, None, edit, LEAST_RARITY);
        let whole: Vec<u8> = listed.iter().flat_map(|(token, family)| [token.input(), vec![*family as u8]].concat()).collect();
        let digest: String = sha256(&[&whole]).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        write!(out, "\t{} {digest}", listed.len()).expect("a text takes it");
    }
    out
}

/// `\u{..}` and `\r{x}{n}` of the cases.
fn unescaped(written: &str) -> String {
    let mut out = String::new();
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        out.push_str(before);
        let is_repeat = escaped.starts_with("\\r{");
        let close = if is_repeat {
            escaped.find("}{").expect("a repeated text ends")
        } else {
            escaped.find('}').expect("a character ends")
        };
        let inside = &escaped[3..close];
        if is_repeat {
            let inside =
                if inside.contains('\\') { unescaped(&format!("{inside}}}").replace("}}", "}")) } else { inside.to_owned() };
            let tail = &escaped[close + 2..];
            let end = tail.find('}').expect("a count ends");
            out.push_str(&inside.repeat(tail[..end].parse().expect("a count")));
            rest = &tail[end + 1..];
        } else {
            let number = u32::from_str_radix(inside, 16).expect("a number");
            out.push(char::from_u32(number).expect("a character"));
            rest = &escaped[close + 1..];
        }
    }
    out + rest
}

#[test]
fn a_customer_is_found_by_each_family() {
    for (customer, entry, family) in [
        ("Hosting Waterhoen", "Waterhoen Hosting B.V.", Family::Sorted),
        ("Waterhoen-Hosting", "Waterhoenhosting", Family::Joined),
        ("Waterhun Hosting", "Waterhoun Hosting", Family::Spelt),
        ("Waterhoan Hosting", "Waterhoen Hosting", Family::Edited),
        ("Waterhoen Hosting", "Wateroen Hosting", Family::Edited),
        ("Waterhone Hosting", "Waterhoen Hosting", Family::Edited),
        ("Waterhoen Hosting BC", "Waterhoen Hosting B.V.", Family::Edited),
        ("Waterhoe NHosting", "Waterhoen Hosting", Family::Joined),
        ("Kriogentekhnik", "Cryogentechnik", Family::Edited),
        ("Filips Reigerfon", "Philips Reigerphon", Family::Spelt),
        ("Blauwvoet Zilvermeeuw Grutto", "Blauwvoet Zilvermeeuw Waterhoen", Family::Less),
        ("Blauwvoet Zilvermeeuw", "Blauwvoet Zilvermeeuw Waterhoen", Family::Less),
        ("Blauwvoet Zilvermeeuw Waterhoen", "Blauwvoet Zilvermeeuw", Family::Less),
    ] {
        assert_eq!(opened(customer, entry, EditSide::List), Some(family), "{customer} / {entry}");
    }
    assert_eq!(opened("Waterhone Hosting", "Waterhoen Hosting", EditSide::Both), Some(Family::Deleted));
    for (customer, entry) in [
        ("Zilvermeeuw Hosting", "Waterhoen Hosting"),
        ("ABD", "ABC"),
        ("Golf", "Wolf"),
        ("Waterhoen Noord", "Waterhoen Zuid"),
        ("X Hosting", "Y Hosting"),
    ] {
        for edit in [EditSide::List, EditSide::Both] {
            assert_eq!(opened(customer, entry, edit), None, "{customer} / {entry}");
        }
    }
}

/// Why an entry opens, if it does.
fn opened(customer: &str, entry: &str, edit: EditSide) -> Option<Family> {
    let (customer, entry) = (Name::of(customer)?, Name::of(entry)?);
    let asked = asked(&customer, None, edit, LEAST_RARITY);
    listed(&entry, None, edit, LEAST_RARITY)
        .into_iter()
        .filter(|(token, _)| asked.contains(token))
        .map(|(_, family)| family)
        .min()
}

#[test]
fn a_place_opens_where_name_and_place_are_rare_enough() {
    let place = |city: &str, postal: &str| Place { country: *b"NL", city: Some(city.into()), postal: Some(postal.into()) };
    let of = |name: &str, place: &Place| -> Vec<String> {
        let name = Name::of(name).expect("a name");
        let tokens = asked(&name, Some(place), EditSide::List, LEAST_RARITY);
        let placed = tokens.iter().filter(|token| token.class() == Class::NamePlace);
        placed.map(|token| String::from_utf8_lossy(token.bytes()).replace('\u{1f}', "@")).collect()
    };
    let hague = place("'s-Gravenhage", "nl-2511 ab");
    assert_eq!(of("Waterhoen Grutto", &hague), ["grutto waterhoen@NL2511AB", "grutto waterhoen@denhaag"]);
    assert_eq!(of("De Bakker", &hague), [""; 0], "a baker in a city is no one in particular");
    assert_eq!(of("Waterhoen Grutto", &place("", "---")), [""; 0]);
}

#[test]
fn rarity_grows_with_the_pairs() {
    for (customers, names, bits) in
        [(0, 0, 26), (12_000, 1_000, 26), (67_000, 1_000, 26), (1_000_000, 1_000, 30), (u64::MAX, u64::MAX, 128)]
    {
        assert_eq!(rarity_bits(customers, names), bits, "{customers} x {names}");
    }
}

#[test]
fn a_mebibyte_is_answered_at_once() {
    for text in ["x", "x ", "b.v. ", "(", ")", "\u{301}", "株式会社", "🐦", "a b "] {
        let long = text.repeat((1 << 20) / text.len());
        assert_eq!(Name::of(&long), None);
        assert_eq!(compare(&long, &[&long]).score, 0);
    }
}

proptest! {
    #[test]
    fn any_text_is_normalised_once_and_for_all(text in "\\PC{0,60}") {
        if let Some(name) = Name::of(&text) {
            let again = Name::of(&name.words().join(" ")).expect("what was a name is one");
            prop_assert_eq!(again.words(), name.words());
            prop_assert!(name.words().iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())));
        }
    }

    #[test]
    fn names_of_types_and_stop_words_are_too(
        words in prop::collection::vec(prop::sample::select(vec![
            "B.V.", "bv", "de", "the", "Holding", "Co", "A", "S", "V", "ооо", "бо", "ИП", "Ltd", "Limitde", "Company", "z", "o.o.", "Sp", "AS", "株式会社", "Tulp", "хк",
            "GmbH", "&", "KG", "(x)", "Joint", "Stock", "LIABILTY", "en",
        ]), 0..8),
    ) {
        if let Some(name) = Name::of(&words.join(" ")) {
            let again = Name::of(&name.words().join(" ")).expect("what was a name is one");
            prop_assert_eq!(again.words(), name.words(), "{:?}", words);
        }
    }

    #[test]
    fn order_and_case_do_not_matter(words in prop::collection::vec("[a-z]{4,9}", 1..5), seed in any::<usize>()) {
        let mut other = words.clone();
        other.rotate_left(seed % words.len());
        let (one, other) = (Name::of(&words.join(" ")), Name::of(&other.join(" ").to_uppercase()));
        // Words that happen to be types of organisations may count by their place: then only the case is looked at.
        if one.as_ref().is_some_and(|name| name.words().len() == words.len()) && other.as_ref().is_some_and(|name| name.words().len() == words.len()) {
            prop_assert_eq!(one.map(|name| name.sorted()), other.map(|name| name.sorted()));
        }
        let upper = Name::of(&words.join(" ").to_uppercase());
        prop_assert_eq!(Name::of(&words.join(" ")).map(|name| name.joined()), upper.map(|name| name.joined()));
    }

    #[test]
    fn what_is_listed_is_found_by_its_own_name(text in "\\PC{0,40}", both in any::<bool>()) {
        let edit = if both { EditSide::Both } else { EditSide::List };
        if let Some(name) = Name::of(&text) {
            let listed = listed(&name, None, edit, LEAST_RARITY);
            prop_assert!(listed.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each once");
            let asked = asked(&name, None, edit, LEAST_RARITY);
            let found = asked.iter().filter(|asked| listed.iter().any(|(token, _)| token == *asked)).count();
            // With deletions on both sides those of short names are for names that are shorter still.
            prop_assert!((both && found > 0) || found == asked.len());
            prop_assert_eq!(compare(&text, &[&text]).score, 100);
        }
    }

    #[test]
    fn one_slip_in_a_long_name_opens_it(name in "[a-z]{8,14}", at in 0usize..8, letter in "[a-z]", kind in 0u8..4, both in any::<bool>()) {
        let mut slipped: Vec<char> = name.chars().collect();
        let letter = letter.chars().next().unwrap_or('a');
        match kind {
            0 => slipped.insert(at, letter),
            1 => { slipped.remove(at); }
            2 => slipped[at] = letter,
            _ => slipped.swap(at.min(6), at.min(6) + 1),
        }
        let slipped: String = slipped.into_iter().collect();
        let edit = if both { EditSide::Both } else { EditSide::List };
        prop_assert!(opened(&slipped, &name, edit).is_some());
    }
}
