//! Identifiers of every class from any text: a form that is bounded and is its own form, or a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::token::{Class, MOST_BYTES, identifier};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for class in Class::ALL {
        let token = match identifier::of(class, &text) {
            Ok(token) => token,
            Err(invalid) => {
                assert!(!invalid.to_string().is_empty());
                continue;
            }
        };
        assert!((1..=MOST_BYTES).contains(&token.bytes().len()), "{class:?}");
        // What is written in letters is its own form, but where a German court runs into the number behind it.
        let written = !matches!(token.class(), Class::Phone | Class::Crypto | Class::Asn | Class::Ipv4 | Class::Ipv6)
            && !token.bytes().starts_with(b"DE:");
        if let (true, Ok(form)) = (written, std::str::from_utf8(token.bytes())) {
            assert_eq!(identifier::of(token.class(), form).as_ref(), Ok(&token), "{text:?}");
        }
        for covering in identifier::covering(&token) {
            assert_eq!(covering.class(), token.class());
        }
    }
    for country in [*b"NL", *b"BE", *b"DE", *b"US", *b"zz", [0xff, 0]] {
        let _ = identifier::phone_in(country, &text);
        let _ = identifier::vat_in(country, &text);
        let _ = identifier::registry_in(country, &text);
    }
});
