//! Names of companies: what they are compared by, and how alike they are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::compare::compare;
use matching::token::name::{EditSide, Name, Place, asked, listed, rarity_bits};

fuzz_target!(|given: (&str, &str, u64, bool)| {
    let (text, other, pairs, both) = given;
    let bits = rarity_bits(pairs, 1);
    let edit = if both { EditSide::Both } else { EditSide::List };
    let place = Place { country: *b"NL", city: Some(other.to_owned()), postal: Some(other.to_owned()) };
    if let Some(name) = Name::of(text) {
        let again = Name::of(&name.words().join(" ")).map(|name| name.words().to_vec());
        assert_eq!(again.as_deref(), Some(name.words()), "what was normalised once must not change");
        let listed = listed(&name, Some(&place), edit, bits);
        let found = asked(&name, Some(&place), edit, bits).iter().any(|asked| listed.iter().any(|(token, _)| token == asked));
        assert!(found, "a name finds itself");
        assert_eq!(compare(text, &[text]).score, 100);
    }
    let _ = compare(text, &[other, text]);
});
