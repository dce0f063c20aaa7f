//! Keys, notes, checkpoints and cosignatures: against vectors of others, and bent in every way we could think of.
#![allow(clippy::unwrap_used)]

mod common;

use common::{bytes, files, hash, hex, lines, vectors};
use proptest::prelude::*;
use seal::{
    checkpoint::{self, Checkpoint},
    cosignature, ed25519,
    note::{self, Algorithm, Ed25519Signer, Note, SignatureLine, Signer, VerifierKey, Wrong},
    tree::EMPTY_ROOT,
};

const ORIGIN: &str = "log.sluis.example/2026";

fn log() -> Ed25519Signer {
    Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[1; 32]).unwrap()
}

fn witness(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::new(name, Algorithm::Cosignature, &[seed; 32]).unwrap()
}

/// A checkpoint, signed by the log and by one witness.
fn signed() -> Note {
    let mut note = Checkpoint::new(ORIGIN, 64, [7; 32]).unwrap().sign(&[&log()]).unwrap();
    let line = cosignature::sign(&note.text, 1_771_000_000, &witness("witness.example/w1", 2)).unwrap();
    note.lines.push(line);
    note
}

/// Of our own: what we sign today must verify in ten years, so its bytes stand here. Another program made the same bytes.
#[test]
fn a_checkpoint_of_our_own() {
    let expected = include_str!("vectors/checkpoint.txt");
    let note = signed();
    assert_eq!(note.to_string(), expected);
    assert_eq!(Note::parse(expected.as_bytes()), Ok(note.clone()));
    let keys = include_str!("vectors/keys.txt").lines().map(|line| VerifierKey::parse(line).unwrap()).collect::<Vec<_>>();
    assert_eq!(&keys[0], log().key());
    assert_eq!(checkpoint::open(&note, &keys[0]).unwrap(), Checkpoint::new(ORIGIN, 64, [7; 32]).unwrap());
    let opened = note::open(&note, &keys).unwrap();
    let times: Vec<_> = opened.verified.iter().map(|verified| (verified.key.name(), verified.time)).collect();
    assert_eq!(times, [(ORIGIN, None), ("witness.example/w1", Some(1_771_000_000))]);
    assert_eq!(opened.unverified, Vec::<&SignatureLine>::new());
}

#[test]
fn a_line_of_a_known_key_that_fails_makes_the_note_invalid() {
    let keys = [log().key().clone(), witness("witness.example/w1", 2).key().clone()];
    for at in 0..2 {
        let mut note = signed();
        *note.lines[at].signature.last_mut().unwrap() ^= 1;
        assert_eq!(note::open(&note, &keys), Err(Wrong::Signature(keys[at].to_string())));
        // To who does not know that key, it is a line of somebody.
        assert_eq!(note::open(&note, &keys[1 - at..2 - at]).unwrap().unverified, [&note.lines[at]]);
    }
    // Also when the same key's other line does verify: the standard lets us skip it, we do not.
    let mut note = signed();
    let mut altered = note.lines[0].clone();
    altered.signature[0] ^= 1;
    note.lines.push(altered);
    assert!(note::open(&note, &keys).is_err());
    // A cosignature for another time, and one over another text.
    let mut note = signed();
    note.lines[1].signature[7] ^= 1;
    assert!(note::open(&note, &keys).is_err());
    let mut note = signed();
    note.text = note.text.replace("64", "65");
    assert!(note::open(&note, &keys).is_err());
}

#[test]
fn keys_are_counted_not_lines() {
    let one = witness("witness.example/w1", 2);
    let mut note = signed();
    note.lines.push(note.lines[0].clone());
    note.lines.push(cosignature::sign(&note.text, 1_771_000_600, &one).unwrap());
    note.lines.push(cosignature::sign(&note.text, 1_771_000_300, &one).unwrap());
    note.lines.push(cosignature::sign(&note.text, 5, &witness("stranger.example", 3)).unwrap());
    let keys = [log().key().clone(), one.key().clone()];
    let opened = note::open(&note, &keys).unwrap();
    assert_eq!(opened.verified.len(), 2);
    assert_eq!(opened.verified[1].time, Some(1_771_000_600));
    assert_eq!(opened.unverified.len(), 1);
    assert_eq!(note::open(&note, &[]), Err(Wrong::Unsigned));
    assert!(matches!(note::open(&note, &[keys[0].clone(), keys[0].clone()]), Err(Wrong::Ambiguous(_))));
}

#[test]
fn a_name_or_an_identifier_alone_is_not_the_key() {
    let mut note = signed();
    note.lines[0].name = "log.other.example".into();
    assert_eq!(note::open(&note, &[log().key().clone()]), Err(Wrong::Unsigned));
    let mut note = signed();
    note.lines[0].id[0] ^= 1;
    assert_eq!(note::open(&note, &[log().key().clone()]), Err(Wrong::Unsigned));
}

#[test]
fn one_key_does_not_serve_two_roles() {
    // The same 32 bytes as key of a log and of a witness: two names for two messages, neither accepts the other's.
    let (log, witness) = (log(), witness(ORIGIN, 1));
    assert_ne!(log.key().id(), witness.key().id());
    let text = Checkpoint::new(ORIGIN, 1, EMPTY_ROOT).unwrap().to_string();
    let cosigned = cosignature::sign(&text, 7, &witness).unwrap();
    let stolen = SignatureLine::by(log.key(), cosigned.signature[8..].to_vec());
    let note = Note { text: text.clone(), lines: vec![stolen] };
    assert!(note::open(&note, &[log.key().clone()]).is_err());
    assert!(cosignature::sign(&text, 7, &log).is_err());
    assert!(cosignature::sign("no checkpoint\n", 7, &witness).is_err());
    assert!(cosignature::sign(&text, 1 << 63, &witness).is_err());
    assert!(Note::sign(&text, &[&witness]).is_err());
}

#[test]
fn a_key_of_tomorrow_is_named_and_not_verified() {
    let key = VerifierKey::new(ORIGIN, Algorithm::MlDsa44, &[9; 1312]).unwrap();
    assert_eq!(VerifierKey::parse(&key.to_string()), Ok(key.clone()));
    let mut note = signed();
    note.lines.push(SignatureLine::by(&key, vec![0; 2428]));
    let keys = [log().key().clone(), key];
    let opened = note::open(&note, &keys).unwrap();
    assert_eq!((opened.verified.len(), opened.unverified.len()), (1, 2));
}

#[test]
fn sixteen_signatures_and_more_are_read() {
    let mut note = signed();
    for at in 0..98u8 {
        note.lines.push(cosignature::sign(&note.text, 9, &witness(&format!("w{at}.example"), at)).unwrap());
    }
    assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note.clone()));
    note.lines.push(cosignature::sign(&note.text, 9, &witness("last.example", 200)).unwrap());
    assert!(Note::parse(note.to_string().as_bytes()).is_err());
    assert!(Note::parse(&vec![b'a'; note::MAX_NOTE + 1]).is_err());
}

#[test]
fn notes_that_are_none() {
    let good = signed().to_string();
    let bent = [
        ("nothing", String::new()),
        ("no signature", "text\n\n".into()),
        ("no empty line", good.replace("\n\n", "\n")),
        ("no last line feed", good.trim_end().into()),
        ("a line feed more", format!("{good}\n")),
        ("a carriage return", good.replace('\n', "\r\n")),
        ("a tab", good.replace("64", "64\t")),
        ("a hyphen for the dash", good.replace('—', "-")),
        ("two spaces", good.replace("— log", "—  log")),
        ("no space", good.replace("— log", "—log")),
        ("a plus in the name", good.replace("— log.", "— log+")),
        ("a foreign space in the name", good.replace("— log.", "— log\u{a0}")),
        ("base64 with a line's end in it", good.replace("=\n", "\n=\n")),
        ("base64 without its end", good.trim_end().trim_end_matches('=').to_owned() + "\n"),
        ("a signature of nothing", format!("{good}— w.example AAAAAA==\n")),
        ("something after the signatures", format!("{good}end\n")),
    ];
    for (name, text) in bent {
        assert!(Note::parse(text.as_bytes()).is_err(), "{name}");
    }
    assert!(Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n").is_err());
    // The last empty line counts, others are text.
    let note = Note::sign("one\n\ntwo\n", &[&log()]).unwrap();
    assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
    assert!(Note::sign("no line feed", &[&log()]).is_err());
}

#[test]
fn checkpoints_that_are_none() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let good = format!("a.example\n5\n{root}\n");
    let read = Checkpoint::parse(&good).unwrap();
    assert_eq!((read.size, read.to_string()), (5, good.clone()));
    let bent = [
        ("nothing", String::new()),
        ("no origin", format!("\n5\n{root}\n")),
        ("a leading zero", format!("a.example\n05\n{root}\n")),
        ("a sign", format!("a.example\n+5\n{root}\n")),
        ("no size", format!("a.example\n\n{root}\n")),
        ("a size beyond what a tree can have", format!("a.example\n9223372036854775808\n{root}\n")),
        ("a short root", "a.example\n5\nAAAA\n".into()),
        ("a root with other bits at its end", format!("a.example\n5\n{}\n", root.replace("2I=", "2J="))),
        ("no root", "a.example\n5\n".into()),
        ("no last line feed", good.trim_end().into()),
        ("an empty extension line", format!("{good}\n")),
        ("two empty lines", format!("{good}\n\nmore\n")),
        ("a control character", format!("{good}\u{85}\n")),
    ];
    for (name, text) in bent {
        assert!(Checkpoint::parse(&text).is_err(), "{name}");
    }
    let foreign = format!("{good}more\nand more\n");
    assert_eq!(Checkpoint::parse(&foreign).unwrap().to_string(), foreign);
    assert!(Checkpoint::new(ORIGIN, u64::MAX, EMPTY_ROOT).is_err());
    assert!(Checkpoint::new("two\nlines", 1, EMPTY_ROOT).is_err());
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let other = Checkpoint::new("log.other.example", 1, EMPTY_ROOT).unwrap().sign(&[&log()]).unwrap();
    assert!(matches!(checkpoint::open(&other, log().key()), Err(checkpoint::Wrong::Origin(_))));
    assert!(checkpoint::open_as(&other, "log.other.example", log().key()).is_ok());
    let stranger = Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[9; 32]).unwrap();
    assert!(checkpoint::open(&signed(), stranger.key()).is_err());
}

#[test]
fn keys_that_are_none() {
    let good = log().key().to_string();
    for (name, text) in [
        ("nothing", String::new()),
        (
            "capital digits",
            good.replacen(&good[ORIGIN.len() + 1..ORIGIN.len() + 9], &good[ORIGIN.len() + 1..ORIGIN.len() + 9].to_uppercase(), 1),
        ),
        ("a low order key", VerifierKeyText(0x01, [0; 32]).text()),
        ("a kind of no standard", VerifierKeyText(0x7f, [3; 32]).text()),
    ] {
        assert!(text != good && VerifierKey::parse(&text).is_err(), "{name}: {text}");
    }
    assert!(VerifierKey::new("", Algorithm::Ed25519, log().key().public()).is_err());
    assert!(VerifierKey::new("a b", Algorithm::Ed25519, log().key().public()).is_err());
    assert!(VerifierKey::new(&"a".repeat(256), Algorithm::Ed25519, log().key().public()).is_err());
    assert!(VerifierKey::new("a", Algorithm::Ed25519, &[1; 31]).is_err());
    assert!(Ed25519Signer::new("a", Algorithm::MlDsa44, &[1; 32]).is_err());
    // The secret does not show.
    assert_eq!(format!("{:?}", log()), format!("Ed25519Signer({good})"));
}

/// A key with a right identifier, whatever is in it.
struct VerifierKeyText(u8, [u8; 32]);

impl VerifierKeyText {
    fn text(&self) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        use sha2::{Digest, Sha256};
        let body = [&[self.0][..], &self.1].concat();
        let id = Sha256::digest([b"a\n", &body[..]].concat());
        format!("a+{:02x}{:02x}{:02x}{:02x}+{}", id[0], id[1], id[2], id[3], STANDARD.encode(body))
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(bytes in prop::collection::vec(any::<u8>(), 0..200), text: String) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes.clone());
        }
        if let Ok(note) = Note::parse(format!("{text}\n\n— a AAAAAAA=\n").as_bytes()) {
            prop_assert_eq!(note.to_string(), format!("{text}\n\n— a AAAAAAA=\n"));
        }
        if let Ok(read) = Checkpoint::parse(&text) {
            prop_assert_eq!(read.to_string(), text.clone());
        }
        if let Ok(key) = VerifierKey::parse(&text) {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    /// A byte of a signed note changed: unreadable, unsigned, invalid, or somebody else's; never another text by the same keys.
    #[test]
    fn a_changed_byte_is_refused(at: prop::sample::Index, bit in 0u8..8) {
        let good = signed();
        let mut bytes = good.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let keys = [log().key().clone(), witness("witness.example/w1", 2).key().clone()];
        if let Ok(note) = Note::parse(&bytes)
            && let Ok(opened) = note::open(&note, &keys) {
            prop_assert_eq!(&note.text, &good.text);
            prop_assert_eq!(opened.verified.len(), 1);
        }
    }
}

#[test]
fn notes_and_keys_of_go() {
    let Some(folder) = vectors("note") else { return };
    for file in files(&folder) {
        for case in lines(&file) {
            let name = &case["name"];
            let wanted = case["expect"] == "ok";
            if let Some(key) = case["vkey"].as_str() {
                let read = VerifierKey::parse(key);
                assert_eq!(read.is_ok(), wanted, "{name}");
                assert!(read.is_err() || read.unwrap().to_string() == key);
                continue;
            }
            let keys: Vec<_> =
                case["vkeys"].as_array().unwrap().iter().map(|key| VerifierKey::parse(key.as_str().unwrap()).unwrap()).collect();
            let note = Note::parse(&bytes(&case["note_b64"]));
            let opened = note.as_ref().ok().and_then(|note| note::open(note, &keys).ok());
            assert_eq!(opened.is_some(), wanted, "{name}");
            let Some(opened) = opened else { continue };
            let verified: Vec<_> = opened.verified.iter().map(|verified| verified.key.name()).collect();
            assert_eq!(serde_json::json!(verified), case["verified"], "{name}");
            assert_eq!(serde_json::json!(opened.unverified.len()), case["unverified_count"], "{name}");
        }
    }
}

#[test]
fn checkpoints_of_go() {
    let Some(folder) = vectors("checkpoint") else { return };
    for case in files(&folder).iter().flat_map(|file| lines(file)) {
        // Go's checksum database knows one origin; ours reads any, and who opens it says which.
        let read = Checkpoint::parse(case["text"].as_str().unwrap()).ok().filter(|read| read.origin == "go.sum database tree");
        assert_eq!(read.is_some(), case["expect"] == "ok", "{}", case["name"]);
        if let Some(read) = read {
            assert_eq!((Some(read.size), Some(read.root)), (case["size"].as_u64(), hash(&case["root"])));
            assert_eq!(Some(read.to_string().as_str()), case["text"].as_str());
        }
    }
}

#[test]
fn strange_signatures() {
    let Some(folder) = vectors("ed25519") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for case in files(&folder).iter().flat_map(|file| lines(file)) {
        let key: [u8; 32] = hex(&case["key_hex"]).try_into().unwrap();
        let flags: Vec<_> = case["flags"].as_array().into_iter().flatten().filter_map(|flag| flag.as_str()).collect();
        // A point of mixed order is neither refused nor trusted as such: the equation without cofactor decides, and it fails
        // exactly where a low order residue is left.
        let bad = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
        let wanted = !flags.iter().any(|flag| bad.contains(flag));
        let valid = ed25519::verify(&key, case["msg"].as_str().unwrap().as_bytes(), &hex(&case["sig_hex"]));
        assert_eq!(valid, wanted, "{}: {flags:?}", case["name"]);
        if flags.iter().any(|flag| flag.ends_with("order_A") || *flag == "non_canonical_A") {
            assert_eq!(ed25519::is_sound_key(&key), !flags.iter().any(|flag| ["low_order_A", "non_canonical_A"].contains(flag)));
        }
        if wanted { accepted += 1 } else { refused += 1 }
    }
    eprintln!("{accepted} accepted, {refused} refused");
}

#[test]
fn signatures_that_anybody_could_make_are_refused() {
    let signer = log();
    let key: [u8; 32] = signer.key().public().try_into().unwrap();
    let good = signer.sign(b"message").unwrap();
    assert!(ed25519::verify(&key, b"message", &good));
    assert!(!ed25519::verify(&key, b"Message", &good));
    assert!(!ed25519::verify(&key, b"message", &good[..63]));
    assert!(!ed25519::verify(&key, b"message", &[&good[..], &[0]].concat()));
    // The same S with the group's order added once more is the same number to a careless verifier.
    let order = [
        0xedu8, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (mut malleated, mut carry) = (good.clone(), 0u16);
    for at in 0..32 {
        let sum = u16::from(good[32 + at]) + u16::from(order[at]) + carry;
        malleated[32 + at] = sum as u8;
        carry = sum >> 8;
    }
    assert!(!ed25519::verify(&key, b"message", &malleated));
    // The neutral element as key and R, with S = 0, holds for every message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert!(!ed25519::verify(&neutral, b"message", &[&neutral[..], &[0; 32]].concat()));
    assert!(!ed25519::is_sound_key(&neutral));
    // Of RFC 8032, section 7.1, test 2.
    let key: [u8; 32] = hex(&"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c".into()).try_into().unwrap();
    let signature = hex(
        &"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            .into(),
    );
    assert!(ed25519::verify(&key, &[0x72], &signature));
}
