//! A question to the desk and its answer: bytes of nobody as either, a reason that somebody wrote, and a good question that is tampered with.
//! Nothing panics, what is read is written as the same bytes, and nothing opens but what was packed. The first byte says which.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use matching::{
    envelope::{Envelope, Header, Kind},
    testing::Chance,
};
use watchlist::{
    keys::{Identity, Role},
    provider::ask::{Answer, Ask, MOST_WHY},
};

/// A provider, a desk, and a question between them.
struct Good {
    provider: Identity,
    desk: Identity,
    ask: Ask,
    envelope: Envelope,
}

fn packed(ask: &Ask, provider: &Identity, desk: &Identity) -> Envelope {
    let header = Header::new(Kind::Ask, provider.public.key, desk.public.key, 0, 1);
    ask.pack(header, &desk.public.address, &provider.signing, &mut Chance::of(3)).expect("the key of a desk")
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let [provider, desk] = [Role::Provider, Role::Desk].map(|role| Identity::draw(role, "One", &mut Chance::of(role as u64)));
        let address = provider.public.address;
        let ask = Ask { entry: [1; 16], version: 2, slot: 3, why: "a customer of this name".to_owned(), at: 4, address };
        let envelope = packed(&ask, &provider, &desk);
        Good { provider, desk, ask, envelope }
    })
}

/// Without the zeros at its end, which are padding or the end of the last part.
fn trimmed(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)]
}

/// Bytes of nobody, in a parcel that was packed well.
fn anything(bytes: &[u8]) {
    if let Ok(ask) = Ask::decode(bytes) {
        assert!(ask.why.len() <= MOST_WHY);
        assert_eq!(trimmed(&ask.encode()), trimmed(bytes));
        assert_eq!(Ask::decode(&ask.encode()).as_ref(), Ok(&ask));
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(trimmed(&answer.encode()), trimmed(bytes));
        assert_eq!(Answer::decode(&answer.encode()).as_ref(), Ok(&answer));
    }
}

/// Why somebody asks: every question has one length, and comes out as it went in.
fn written(bytes: &[u8]) {
    let Good { provider, desk, ask, envelope } = good();
    let mut why = matching::bytes::plain(&String::from_utf8_lossy(bytes));
    why.truncate(why.floor_char_boundary(MOST_WHY));
    let ask = Ask { why, ..ask.clone() };
    let packed = packed(&ask, provider, desk);
    assert_eq!(packed.body.len(), envelope.body.len(), "the length tells of the question");
    match Ask::open(&packed, &desk.opener) {
        Ok(opened) => assert_eq!(opened, ask),
        Err(_) => assert!(ask.why.trim().is_empty()),
    }
    assert!(Ask::open(&packed, &provider.opener).is_err());
}

/// The good one, with bytes changed.
fn tampered(changes: &[u8]) {
    let Good { desk, ask, envelope, .. } = good();
    let mut bytes = envelope.encode();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    for changed in Envelope::read_all(&bytes, 2).into_iter().flatten() {
        if let Ok(opened) = Ask::open(&changed, &desk.opener) {
            assert_eq!((&opened, &changed.body), (ask, &envelope.body), "something else opened");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0..=149, rest)) => anything(rest),
        Some((150..=199, rest)) => written(rest),
        Some((_, rest)) => tampered(rest),
        None => {}
    }
});
