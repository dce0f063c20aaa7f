//! The witness: what it takes, what it refuses, and with which status.
#![allow(clippy::unwrap_used)]

mod common;

use common::leaves;
use proptest::prelude::*;
use seal::{
    checkpoint::Checkpoint,
    cosignature,
    note::{Algorithm, Ed25519Signer, Note, Signer, VerifierKey},
    tree::{EMPTY_ROOT, Hash, prove_consistency, root_of},
    witness::{MAX_REQUEST, Refused, Request, Seen, answer, cosignatures, follows, of_origin, size_of},
};

const ORIGIN: &str = "log.sluis.example/2026";

fn log() -> Ed25519Signer {
    Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[1; 32]).unwrap()
}

fn signed(size: u64, root: Hash) -> Note {
    Checkpoint::new(ORIGIN, size, root).unwrap().sign(&[&log()]).unwrap()
}

fn nodes(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Option<Hash> + '_ {
    |level, index| leaves.get((index as usize) << level..(index as usize + 1) << level).map(root_of)
}

fn request(old: u64, size: u64, leaves: &[Hash]) -> Request {
    let proof = if old == 0 || old > size { Vec::new() } else { prove_consistency(old, size, &mut nodes(leaves)).unwrap() };
    Request { old, proof, checkpoint: signed(size, root_of(&leaves[..size as usize])) }
}

fn keys(origin: &str) -> Vec<VerifierKey> {
    if origin == ORIGIN { vec![log().key().clone()] } else { Vec::new() }
}

/// What a witness in this state says: as one that keeps the state would.
fn ask(request: &[u8], seen: &mut Option<Seen>, keys: impl FnOnce(&str) -> Vec<VerifierKey>) -> Result<Checkpoint, Refused> {
    let request = Request::parse(request)?;
    let checkpoint = request.open(keys)?;
    follows(&request, &checkpoint, seen.as_ref())?;
    *seen = Some(Seen { size: checkpoint.size, root: checkpoint.root });
    Ok(checkpoint)
}

#[test]
fn a_log_grows_and_is_cosigned() {
    let leaves = leaves(300);
    let mut seen = None;
    let mut old = 0;
    for size in [1, 2, 2, 7, 64, 256, 300] {
        let request = request(old, size, &leaves).to_string();
        assert_eq!(Request::parse(request.as_bytes()).unwrap().to_string(), request);
        assert_eq!(ask(request.as_bytes(), &mut seen, keys).unwrap().size, size);
        old = size;
    }
}

#[test]
fn everything_else_is_refused_with_its_status() {
    let one = leaves(300);
    let mut other = one.clone();
    other[3] = one[4];
    let seen = Some(Seen { size: 64, root: root_of(&one[..64]) });
    let good = request(64, 128, &one);
    let other_log = Ed25519Signer::new("other.example/log", Algorithm::Ed25519, &[2; 32]).unwrap();
    let unknown = Checkpoint::new("other.example/log", 128, [1; 32]).unwrap().sign(&[&other_log]).unwrap();
    let stranger = Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[3; 32]).unwrap();
    let unsigned = Checkpoint::new(ORIGIN, 128, root_of(&one[..128])).unwrap().sign(&[&stranger]).unwrap();
    let undecodable = good.to_string().trim_end().to_owned() + "*\n";
    assert_eq!(ask(undecodable.as_bytes(), &mut None, keys).unwrap_err().status(), 403);
    for (name, request, status) in [
        ("another log", Request { checkpoint: unknown, ..good.clone() }, 404),
        ("a key that is not known", Request { checkpoint: unsigned, ..good.clone() }, 403),
        ("it shrinks", request(128, 64, &one), 400),
        ("a size before", request(32, 128, &one), 409),
        ("nothing seen", request(0, 128, &one), 409),
        ("a size beyond", request(100, 128, &one), 409),
        ("the same size and another root", request(64, 64, &other), 409),
        ("another history", request(64, 128, &other), 422),
        ("no proof", Request { proof: Vec::new(), ..good.clone() }, 422),
        ("a proof too much", Request { proof: [&good.proof[..], &[[0; 32]]].concat(), ..good.clone() }, 422),
        ("a proof for the same size", Request { proof: vec![[0; 32]], ..request(64, 64, &one) }, 422),
    ] {
        let mut state = seen;
        let refused = ask(request.to_string().as_bytes(), &mut state, keys).unwrap_err();
        assert_eq!((refused.status(), state), (status, seen), "{name}: {refused}");
    }
    assert!(ask(good.to_string().as_bytes(), &mut seen.clone(), keys).is_ok());
    // What is known is said in a form of its own, and the other 409 is none of it.
    let behind = ask(request(32, 128, &one).to_string().as_bytes(), &mut seen.clone(), keys).unwrap_err();
    assert_eq!(behind.body(), ("text/x.tlog.size", "64\n".to_owned()));
    let forked = ask(request(64, 64, &other).to_string().as_bytes(), &mut seen.clone(), keys).unwrap_err();
    assert_eq!(forked, Refused::OtherRoot(64));
    assert_ne!(forked.body().0, "text/x.tlog.size");
}

#[test]
fn the_empty_log_has_one_root() {
    let mut seen = None;
    let empty = |root| Request { old: 0, proof: Vec::new(), checkpoint: signed(0, root) };
    assert_eq!(ask(empty([7; 32]).to_string().as_bytes(), &mut seen, keys).unwrap_err().status(), 422);
    ask(empty(EMPTY_ROOT).to_string().as_bytes(), &mut seen, keys).unwrap();
    ask(request(0, 5, &leaves(5)).to_string().as_bytes(), &mut seen, keys).unwrap();
    let with_proof = Request { proof: vec![[1; 32]], ..request(0, 5, &leaves(5)) };
    assert_eq!(ask(with_proof.to_string().as_bytes(), &mut None, keys).unwrap_err().status(), 422);
}

#[test]
fn what_is_no_request_is_refused() {
    let good = request(64, 128, &leaves(128)).to_string();
    let long = format!(
        "old 64\n{}\n{}",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(64),
        &good[good.find("\n\n").unwrap() + 2..]
    );
    for (name, text) in [
        ("nothing", String::new()),
        ("one line", "old 64".to_owned()),
        ("a sign", good.replacen("old 64", "old +64", 1)),
        ("a leading zero", good.replacen("old 64", "old 064", 1)),
        ("two spaces", good.replacen("old 64", "old  64", 1)),
        ("upper case", good.replacen("old", "Old", 1)),
        ("beyond all sizes", good.replacen("old 64", "old 9223372036854775808", 1)),
        ("no size", good.replacen("old 64", "old ", 1)),
        ("CR", good.replacen("old 64\n", "old 64\r\n", 1)),
        ("no empty line", good.replacen("\n\n", "\n", 1)),
        ("a short hash", good.replacen("old 64\n", "old 64\nAAAA\n", 1)),
        ("too many hashes", long),
        ("no last line feed", good.trim_end().to_owned()),
        ("a byte more", format!("{good}x")),
        ("too large", good.clone() + &"\n".repeat(MAX_REQUEST)),
    ] {
        let refused = ask(text.as_bytes(), &mut None, keys).unwrap_err();
        assert_eq!(refused.status(), 400, "{name}: {refused}");
    }
    assert!(Request::parse(b"old 1\n\xff\n\n").is_err());
}

#[test]
fn a_session_of_another_witness_ends_as_the_standard_says() {
    let Some(folder) = common::vectors("witness") else { return };
    for path in common::files(&folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
        let mut seen = None;
        for case in common::lines(&path) {
            let request = case["request"].as_str().unwrap();
            // The key is in the words of the first case: as Sigsum has it, 64 hexadecimal digits.
            let origin = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
            let public = common::hex(&"ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f".into());
            let key = VerifierKey::new(origin, Algorithm::Ed25519, &public).unwrap();
            let result = ask(request.as_bytes(), &mut seen, |asked| if asked == origin { vec![key] } else { Vec::new() });
            let status = result.as_ref().map_or_else(Refused::status, |_| 200);
            assert_eq!(u64::from(status), case["c2sp_status"].as_u64().unwrap(), "{}: {result:?}", case["name"]);
            let asserts = case["asserts"].as_str().unwrap();
            if let (Some(body), Err(refused)) = (asserts.strip_prefix("body == "), &result) {
                assert_eq!(format!("{:?}", refused.body().1), body, "{}", case["name"]);
            }
        }
        assert_eq!(seen.unwrap().size, 5);
    }
}

#[test]
fn cosignatures_come_from_an_answer_whatever_else_is_in_it() {
    let note = signed(5, [5; 32]);
    let witness = |name: &str, seed: u8| Ed25519Signer::new(name, Algorithm::Cosignature, &[seed; 32]).unwrap();
    let (one, two, other) = (witness("witness.example/w1", 8), witness("witness.example/w2", 9), witness("else.example/w", 10));
    let line = |signer: &Ed25519Signer, time| cosignature::sign(&note.text, time, signer).unwrap();
    let mut broken = line(&two, 30);
    broken.signature[20] ^= 1;
    let body = answer(&[line(&one, 10), line(&one, 20), line(&other, 5), broken, line(&two, 7)]);
    let keys = [one.key().clone(), two.key().clone()];
    let found = cosignatures(&note.text, format!("{body}rubbish\n").as_bytes(), &keys);
    let times: Vec<_> = found.iter().map(|(key, _, time)| (key.name(), *time)).collect();
    assert_eq!(times, [("witness.example/w1", 20), ("witness.example/w2", 7)]);
    assert!(cosignatures(&signed(6, [5; 32]).text, body.as_bytes(), &keys).is_empty());
    assert!(cosignatures(&note.text, b"\xff\xfe", &keys).is_empty());
    assert_eq!(
        (size_of(b"3\n"), size_of(b"3"), size_of(b"03\n"), size_of(b"99999999999999999999\n")),
        (Some(3), Some(3), None, None)
    );
}

#[test]
fn a_key_stands_for_its_log_in_later_years() {
    let key = log().key().clone();
    let found = |origin: &str| of_origin(&key, origin, 2028).is_some();
    for (origin, known) in [
        (ORIGIN, true),
        ("log.sluis.example/2027", true),
        ("log.sluis.example/2026.2", true),
        ("log.sluis.example/2028.99", true),
        ("log.sluis.example/2029", false),
        ("log.sluis.example/2025", false),
        ("log.sluis.example/2026.1", false),
        ("log.sluis.example/2026.02", false),
        ("log.sluis.example/2026.100", false),
        ("log.sluis.example/02027", false),
        ("other.sluis.example/2027", false),
        ("log.sluis.example/x/2027", false),
        ("log.sluis.example", false),
    ] {
        assert_eq!(found(origin), known, "{origin}");
    }
    let later = of_origin(&key, "log.sluis.example/2027", 2028).unwrap();
    assert_eq!((later.public(), later.name()), (key.public(), "log.sluis.example/2027"));
    let nameless = VerifierKey::new("sum.example", Algorithm::Ed25519, key.public()).unwrap();
    assert!(of_origin(&nameless, "sum.example", 2028).is_some() && of_origin(&nameless, "sum.example/2027", 2028).is_none());
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(text in "(old [0-9]{1,4}\n)?([A-Za-z0-9+/]{43}=\n){0,3}\n?[a-z]{0,5}\n[0-9]{1,3}\n([A-Za-z0-9+/]{43}=\n)?\n?(\u{2014} [a-z]{1,3} [A-Za-z0-9+/]{8}\n){0,2}") {
        if let Ok(request) = Request::parse(text.as_bytes()) {
            prop_assert_eq!(request.to_string(), text);
        }
    }

    #[test]
    fn a_witness_never_holds_two_histories(sizes in prop::collection::vec((0u64..40, 0u64..40, any::<bool>()), 1..30)) {
        let one = leaves(40);
        let mut two = one.clone();
        two[5] = one[6];
        let mut seen: Option<Seen> = None;
        for (old, size, other) in sizes {
            let leaves = if other { &two } else { &one };
            let before = seen;
            if ask(request(old, size, leaves).to_string().as_bytes(), &mut seen, keys).is_ok() {
                let (before, after) = (before.unwrap_or(Seen { size: 0, root: EMPTY_ROOT }), seen.unwrap());
                prop_assert!(before.size <= after.size);
                // What it holds now continues what it held before, in one of the histories.
                prop_assert!([&one, &two].iter().any(|leaves| root_of(&leaves[..before.size as usize]) == before.root
                    && root_of(&leaves[..after.size as usize]) == after.root));
            }
        }
    }
}
