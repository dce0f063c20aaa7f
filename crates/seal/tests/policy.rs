//! Policies: what is taken and what is refused, who counts towards a quorum, and which version judges.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use seal::checkpoint::Checkpoint;
use seal::cosignature;
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::policy::{Archive, KeyEvent, Policy, What};

const ORIGIN: &str = "log.voorbeeld.example/desk/2026";

fn log() -> Ed25519Signer {
    Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[1; 32]).unwrap()
}

fn witness(number: u8) -> Ed25519Signer {
    Ed25519Signer::new(&format!("w{number}.example"), Algorithm::Cosignature, &[100 + number; 32]).unwrap()
}

/// A policy with one log and witnesses w1 to w4; LOG and W1 to W4 stand for their keys.
fn policy(rest: &str) -> Result<Policy, String> {
    let mut text = String::from("log LOG\nwitness w1 W1\nwitness w2 W2 https://w2.example/\nwitness w3 W3\nwitness w4 W4\n");
    text += rest;
    text = text.replace("LOG", &log().key().to_string());
    for number in 1..=4 {
        text = text.replace(&format!("W{number}"), &witness(number).key().to_string());
    }
    Policy::parse(text.as_bytes()).map_err(|wrong| wrong.to_string())
}

fn checkpoint(cosigned: &[(u8, u64)]) -> Note {
    let mut note = Checkpoint::new(ORIGIN, 5, [7; 32]).unwrap().sign(&[&log()]).unwrap();
    for (number, time) in cosigned {
        note.lines.push(cosignature::sign(&note.text, *time, &witness(*number)).unwrap());
    }
    note
}

#[test]
fn a_quorum_counts_persons_and_never_the_operator() {
    // The policy after its keys; who cosigned; whether that is a quorum, and since when.
    let cases: &[(&str, &[u8], Option<i64>)] = &[
        ("quorum w1\n", &[1], Some(10_000)),
        ("quorum w1\n", &[2], None),
        ("group g 2 w1 w2 w3\nquorum g\n", &[1, 3], Some(30_000)),
        ("group g 2 w1 w2 w3\nquorum g\n", &[3], None),
        ("group g all w1 w2\ngroup h any w3 w4\ngroup b all g h\nquorum b\n", &[1, 2, 4], Some(40_000)),
        ("group g all w1 w2\ngroup h any w3 w4\ngroup b all g h\nquorum b\n", &[1, 3, 4], None),
        ("group g 2 w1 w2 w3\nquorum g\n#sluis holder w1 Een B.V.\n#sluis holder w2 Een B.V.\n", &[1, 2], None),
        ("group g 2 w1 w2 w3\nquorum g\n#sluis holder w1 Een B.V.\n#sluis holder w2 Een B.V.\n", &[1, 2, 3], Some(30_000)),
        (&format!("group g any w1 w2\nquorum g\n#sluis holder w1 Een B.V.\n#sluis operator {ORIGIN} Een B.V.\n"), &[1], None),
        (
            &format!("group g any w1 w2\nquorum g\n#sluis holder w1 Een B.V.\n#sluis operator {ORIGIN} Een B.V.\n"),
            &[1, 2],
            Some(20_000),
        ),
        ("quorum w1\n#sluis valid w1 1970-01-01T00:00:10Z 1970-01-01T00:00:11Z\n", &[1], Some(10_000)),
        ("quorum w1\n#sluis valid w1 - 1970-01-01T00:00:10Z\n", &[1], None),
        ("quorum w1\n#sluis signs all-of - w1\n", &[1], None),
        ("quorum w1\n#sluis signs all-of 2030-01-01 w1\n", &[1], Some(10_000)),
        ("quorum w1\n#sluis signs all-of - w1\n#sluis signs any-of 1970-01-01 w1\n", &[1], Some(10_000)),
    ];
    for (rest, cosigned, expected) in cases {
        let policy = policy(rest).unwrap();
        let note = checkpoint(&cosigned.iter().map(|number| (*number, u64::from(*number) * 10)).collect::<Vec<_>>());
        let judged = policy.judge(&note).unwrap();
        let counting = policy.counting(&judged, None);
        assert_eq!(policy.complete_at(&counting), *expected, "{rest} {cosigned:?}");
        assert_eq!(policy.is_quorum(&counting), expected.is_some(), "{rest} {cosigned:?}");
    }
}

#[test]
fn a_line_of_a_known_key_that_does_not_hold_spoils_the_checkpoint() {
    let policy = policy("quorum w1\n").unwrap();
    let mut note = checkpoint(&[(1, 10), (2, 20)]);
    assert!(policy.judge(&note).is_ok());
    let stranger = Ed25519Signer::new("stranger.example", Algorithm::Cosignature, &[77; 32]).unwrap();
    note.lines.push(cosignature::sign(&note.text, 5, &stranger).unwrap());
    note.lines.last_mut().unwrap().signature[20] ^= 1;
    assert_eq!(policy.judge(&note).unwrap().cosigned.len(), 2);
    note.lines[2].signature[20] ^= 1;
    assert!(policy.judge(&note).is_err());
    // Without the log's line nothing counts.
    let mut note = checkpoint(&[(1, 10)]);
    note.lines.remove(0);
    assert!(policy.judge(&note).is_err());
}

#[test]
fn what_could_be_misread_is_refused() {
    for (rest, reason) in [
        ("", "line 0: there is no line 'quorum NAME'"),
        ("quorum w1", "line 0: the last line does not end"),
        ("quorum w1\nquorum w1\n", "line 7: there is a quorum already"),
        ("quorum w9\n", "line 6: no line above"),
        ("group g any w1\ngroup h any w1\nquorum g\n", "line 7: each name is a member of one group"),
        ("group g 3 w1 w2\nquorum g\n", "line 6: of a group's members 1 to 2"),
        ("group g 01 w1 w2\nquorum g\n", "line 6: of a group's members 1 to 2"),
        ("group none any w1\nquorum none\n", "line 6: the name 'none' is taken"),
        ("group g any none\nquorum none\n", "line 6: no line above"),
        ("witness w1 LOG\nquorum none\n", "line 6: this is the key of a log"),
        ("log W1\nquorum none\n", "line 6: this is the key of a witness"),
        ("log LOG\nquorum none\n", "line 0: the keys"),
        ("witness w5 W1\nquorum none\n", "line 0: the keys"),
        ("quorum none\r\n", "line 0: a policy has no control characters"),
        ("quorum none extra\n", "line 6: a line 'quorum' has another number of words"),
        ("quorom none\n", "line 6: a line begins with"),
        ("quorum none\n#sluis holders w1 X\n", "line 7: '#sluis holders' is not known"),
        ("quorum none\n#sluis\n", "line 7: '#sluis ' is not known"),
        ("quorum none\n#sluis tsas 0\n", "line 7: write '#sluis tsas K'"),
        ("quorum none\n#sluis tsas 2\n#sluis tsas 1\n", "line 8: '#sluis tsas' says this a second time"),
        ("quorum none\n#sluis holder w1 A\n#sluis holder w1 B\n", "line 8: '#sluis holder' says this"),
        ("quorum none\n#sluis holder w7 A\n", "line 7: there is no witness w7"),
        ("quorum none\n#sluis valid w1 2027-01-01 2026-01-01\n", "line 7: the period ends"),
        ("quorum none\n#sluis valid w1 2027\n", "line 7: write moments"),
        ("quorum none\n#sluis recovery W1\n", "line 0: the keys"),
        ("quorum none\n#sluis recipient 12 mail x\n", "line 7: write '#sluis recipient"),
        ("group g 2 w1 w2\nquorum g\n#sluis holder w1 A\n#sluis holder w2 A\n", "line 6: the group 'g' asks for 2 of 1"),
        (
            "group g any w1\ngroup h any w2\ngroup b all g h\nquorum b\n#sluis holder w1 A\n#sluis holder w2 A\n",
            "line 7: keys of 'A' stand in two groups",
        ),
    ] {
        let wrong = policy(rest).unwrap_err();
        assert!(wrong.starts_with(reason), "{rest:?}: {wrong}");
    }
    for rest in ["quorum none\n", "  \t\n# sluis nothing\n#sluisx\n\tquorum\tw1 \n", "group g all w1 w2\nquorum g\n#a\n"] {
        assert!(policy(rest).is_ok(), "{rest:?}: {:?}", policy(rest));
    }
}

#[test]
fn facts_are_read() {
    let policy = policy(
        "quorum none\n#sluis tsas 2\n#sluis tsa een Een B.V.\n\t#sluis  tsa  twee  Twee  B.V. \n\
         #sluis recipient 00112233445566778899aabbccddeeff receipt key of it\n",
    )
    .unwrap();
    assert_eq!(policy.tsas_required, 2);
    assert_eq!((policy.tsas[1].name.as_str(), policy.tsas[1].holder.as_str()), ("twee", "Twee  B.V."));
    assert_eq!(policy.recipients[0].key, "key of it");
    assert_eq!(policy.recipients[0].party[1], 0x11);
    assert!(policy.wants_no_witness());
}

#[test]
fn an_archive_is_signed_whole_and_its_periods_do_not_overlap() {
    let sector = Ed25519Signer::new("sector.example", Algorithm::Ed25519, &[9; 32]).unwrap();
    let sign = |text: &str| Note::sign(text, &[&sector]).unwrap().to_string();
    let one = format!("log {}\nquorum none\n", log().key());
    let two = format!("log {}\n\nwitness w1 {}\nquorum w1\n", log().key(), witness(1).key());
    let good = Archive::text(&[("-", "2027-01-01", &one), ("2027-01-01", "-", &two)]);
    let archive = Archive::open(sign(&good).as_bytes(), sector.key()).unwrap();
    assert_eq!(archive.versions.len(), 2);
    assert_eq!(archive.versions[1].policy, Policy::parse(two.as_bytes()).unwrap());
    assert!(Archive::is_one(sign(&good).as_bytes()) && !Archive::is_one(two.as_bytes()));
    assert!(Archive::open(sign(&good).as_bytes(), log().key()).is_err());
    assert!(Archive::open(sign(&good).replace("quorum w1", "quorum none").as_bytes(), sector.key()).is_err());
    for (bad, reason) in [
        (Archive::text(&[("-", "2027-01-02", &one), ("2027-01-01", "-", &two)]), "line 5: this version begins before"),
        (Archive::text(&[]), "line 0: there is no version"),
        (good.replace("version - 2027-01-01 2", "version - 2027-01-01 20"), "line 2: this version has"),
        (good.replace("version - 2027-01-01 2", "version - 2027-01-01 1"), "line 0: there is no line 'quorum"),
        (good.replace("quorum none", "quorum nine"), "line 4: no line above"),
    ] {
        let wrong = Archive::open(sign(&bad).as_bytes(), sector.key()).unwrap_err().to_string();
        // The place of a fault of the whole version is that of its heading.
        let wrong = wrong.replace("line 2: there is no line 'quorum", "line 0: there is no line 'quorum");
        assert!(wrong.starts_with(reason), "{wrong}");
    }
}

#[test]
fn what_happens_to_a_key_is_said_by_the_recovery_key_alone() {
    let recovery = Ed25519Signer::new("recovery.voorbeeld.example", Algorithm::Ed25519, &[8; 32]).unwrap();
    let policy = policy(&format!("quorum none\n#sluis recovery {}\n", recovery.key())).unwrap();
    let event = KeyEvent { origin: ORIGIN.to_owned(), what: What::Revoked, size: 900, key: log().key().clone() };
    let body = event.body(&Note::sign(&event.text(), &[&recovery]).unwrap());
    assert_eq!(KeyEvent::of_body(&body, &policy), Some(event.clone()));
    let by_itself = event.body(&Note::sign(&event.text(), &[&log()]).unwrap());
    assert_eq!(KeyEvent::of_body(&by_itself, &policy), None);
    for at in 0..body.len() {
        let mut other = body.clone();
        other[at] ^= 1;
        assert_eq!(KeyEvent::of_body(&other, &policy), None, "byte {at}");
    }
    let other = KeyEvent { size: 901, ..event.clone() }.body(&Note::sign(&event.text(), &[&recovery]).unwrap());
    assert_eq!(KeyEvent::of_body(&other, &policy), None);
}
