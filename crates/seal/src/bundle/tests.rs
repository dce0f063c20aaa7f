//! Bundles are read as they were written, and nothing else is read.

use proptest::prelude::*;

use super::*;
use crate::record::{EVIDENCE, OPENED, Record, STEP};

const OWN: [u8; 16] = [7; 16];

/// A record that shows all its fields.
fn record(kind: &'static Kind, stream: [u8; 16], seq: u64, index: u64, set: &[(&str, Value)]) -> ShownRecord {
    let mut record = Record::new(kind);
    record.set("event", Value::text("told"));
    record.set("stream", Value::Bytes(stream.to_vec()));
    record.set("seq", Value::Number(seq));
    for (name, value) in set {
        record.set(name, value.clone());
    }
    let openings = (0..kind.width())
        .map(|ordinal| match kind.field(ordinal) {
            Some((name, _)) => Opening::shown([ordinal as u8; 32], name, record.values()[ordinal].clone()),
            None => Opening::Hidden { digest: [ordinal as u8; 32] },
        })
        .collect();
    ShownRecord { index, slot: [seq as u8; 32], kind: kind.number, openings }
}

/// A bundle that has everything once.
fn whole() -> Bundle {
    let mut letter =
        record(&EVIDENCE, OWN, 2, 70, &[("media", Value::text("eml")), ("content", Value::Bytes(b"To: x\r\n".to_vec()))]);
    if let Some(Opening::Shown { attached, .. }) = letter.openings.get_mut(18) {
        *attached = true;
    }
    letter.openings[20] = Opening::Erased { digest: [8; 32], record: [9; 32] };
    let hidden = || Opening::Hidden { digest: [4; 32] };
    Bundle {
        form: Form::Evidence,
        origin: "log.provider.example/sluis/2026".into(),
        stream: OWN,
        made: 1_772_323_200_000,
        secrets: vec![(OWN, [1; 32]), ([1; 16], [2; 32])],
        records: vec![
            record(&OPENED, OWN, 0, 64, &[("chain", Value::list(["een", "twee"]))]),
            record(&STEP, OWN, 1, 65, &[]),
            letter,
            record(&STEP, [1; 16], 0, 3, &[]),
        ],
        reports: vec![ShownReport {
            batch: [3; 32],
            place: 9_999,
            openings: [Opening::shown([1; 32], "resource", Value::text("192.0.2.1")), hidden(), hidden(), hidden()],
            path: vec![[5; 32]; 14],
        }],
        checkpoint: Some(b"log.provider.example/sluis/2026\n128\n".to_vec()),
        proofs: [3, 64, 65, 70].map(|index| Inclusion { index, entry: vec![1; 66], path: vec![[6; 32]; 7] }).to_vec(),
        anchors: vec![Anchor {
            size: 128,
            checkpoint: b"a note".to_vec(),
            tokens: vec![vec![0x30; 90], vec![0x31]],
            consistency: vec![],
        }],
    }
}

#[test]
fn a_bundle_is_read_as_it_was_written() {
    let bundle = whole();
    let bytes = write(&bundle).unwrap();
    assert_eq!(read(&bytes).as_ref(), Ok(&bundle));
    let receipt = receipt();
    assert_eq!(read(&write(&receipt).unwrap()), Ok(receipt));
}

/// A receipt from before the first checkpoint.
fn receipt() -> Bundle {
    let mut bundle = whole();
    bundle.form = Form::Receipt;
    bundle.records.truncate(1);
    bundle.records[0].index = UNSEALED;
    Bundle { checkpoint: None, proofs: vec![], anchors: vec![], reports: vec![], ..bundle }
}

#[test]
fn no_byte_can_be_changed_left_out_or_added_without_a_reader_seeing_it() {
    let bundle = whole();
    let bytes = write(&bundle).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        // Every file is under a digest of the manifest; the manifest's own claims are compared with the rest of the bundle, or are
        // values, that whoever reads them sees.
        if let Ok(read) = read(&changed) {
            assert_ne!(read, bundle, "byte {at}");
            let same = Bundle { origin: bundle.origin.clone(), stream: bundle.stream, made: bundle.made, ..read };
            assert_eq!(same, bundle, "byte {at} is of a file, not of the manifest's head");
        }
        changed.remove(at);
        assert!(read(&changed).is_err(), "without byte {at}");
    }
    for more in [&b"\0"[..], b"PK\x05\x06", &bytes] {
        assert!(read(&[&bytes, more].concat()).is_err());
        assert!(read(&[more, &bytes].concat()).is_err());
    }
}

#[test]
fn another_order_of_files_another_name_and_one_more_are_refused() {
    let bytes = write(&whole()).unwrap();
    let files: Vec<(String, Vec<u8>)> =
        container::read(&bytes).unwrap().into_iter().map(|(name, content)| (name.to_owned(), content.to_vec())).collect();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "README.txt",
            "manifest.txt",
            "records.bin",
            "reports.bin",
            "checkpoint.txt",
            "proofs.bin",
            "anchors/128.txt",
            "anchors/128.tsr",
            "anchors/128.2.tsr",
            "attachments/2.eml"
        ]
    );
    // The manifest is made anew each time, so that only the files themselves can be what is wrong.
    let packed = |files: &[(String, Vec<u8>)]| {
        let mut files: Vec<container::File<'_>> =
            files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let head = manifest::Head { form: Form::Evidence, origin: whole().origin, stream: OWN, made: whole().made };
        let manifest = manifest::write(&head, files.get(2..).unwrap_or_default()).unwrap();
        if let Some(file) = files.get_mut(1) {
            file.1 = manifest.as_bytes();
        }
        container::write(&files).unwrap()
    };
    assert!(read(&packed(&files)).is_ok());
    for at in 0..files.len() {
        let mut fewer = files.clone();
        fewer.remove(at);
        // Whether a report or a second time-stamp is needed is for the verifier to say.
        let optional = matches!(names[at], "reports.bin" | "anchors/128.2.tsr");
        assert_eq!(read(&packed(&fewer)).is_ok(), optional, "without {}", names[at]);
        for other in at + 1..files.len() {
            let mut swapped = files.clone();
            swapped.swap(at, other);
            assert!(read(&packed(&swapped)).is_err(), "{} for {}", names[at], names[other]);
        }
        for name in
            ["attachments/2.html", "attachments/02.eml", "attachments/1.eml", "attachments/3.bin", "records.bin", "../x", "x"]
        {
            let mut renamed = files.clone();
            renamed[at].0 = name.to_owned();
            assert!(read(&packed(&renamed)).is_err() || names[at] == name, "{} as {name}", names[at]);
            let mut more = files.clone();
            more.insert(at, (name.to_owned(), b"x".to_vec()));
            assert!(read(&packed(&more)).is_err(), "{name} before {}", names[at]);
        }
    }
    let mut lured = files;
    lured[0].1 = b"Open attachments/2.eml first.\n".to_vec();
    assert_eq!(read(&packed(&lured)), Err(Wrong::Readme));
}

#[test]
fn what_does_not_belong_together_is_not_written() {
    let wrong = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = whole();
        change(&mut bundle);
        write(&bundle).unwrap_err().to_string()
    };
    for (says, change) in [
        ("the origin is empty", (&|bundle: &mut Bundle| bundle.origin.clear()) as &dyn Fn(&mut Bundle)),
        ("visible ASCII", &|bundle| bundle.origin = "a\nmade".into()),
        ("visible ASCII", &|bundle| bundle.origin = "a+b".into()),
        ("too long", &|bundle| bundle.origin = "a".repeat(256)),
        ("manifest.txt: its time", &|bundle| bundle.made = 1),
        ("secrets are out of order", &|bundle| bundle.secrets.swap(0, 1)),
        ("secrets are out of order", &|bundle| bundle.secrets[1] = bundle.secrets[0]),
        ("records are out of order", &|bundle| bundle.records.swap(0, 1)),
        ("out of order", &|bundle| bundle.stream = [1; 16]),
        ("does not show its stream", &|bundle| bundle.records[1].openings[2] = Opening::Hidden { digest: [0; 32] }),
        ("does not show its stream", &|bundle| bundle.records[1].openings.clear()),
        ("two attachments", &|bundle| bundle.records[2].openings[19] = bundle.records[2].openings[18].clone()),
        ("a report has an attachment", &|bundle| bundle.reports[0].openings[1] = bundle.records[2].openings[18].clone()),
        ("more than 32 fields", &|bundle| bundle.records[0].openings.push(Opening::Hidden { digest: [0; 32] })),
        ("not one of its type", &|bundle| {
            bundle.records[1].openings[9] = Opening::shown([0; 32], "text", Value::Text("\r".into()))
        }),
        ("name is too long", &|bundle| bundle.records[1].openings[9] = Opening::shown([0; 32], &"x".repeat(256), Value::Absent)),
        ("a path is longer", &|bundle| bundle.proofs[0].path = vec![[0; 32]; 65]),
        ("an entry is longer", &|bundle| bundle.proofs[0].entry = vec![0; 65_536]),
        ("proofs are out of order", &|bundle| bundle.proofs[1].index = 3),
        ("has no time-stamp", &|bundle| bundle.anchors[0].tokens.clear()),
        ("there is no checkpoint", &|bundle| bundle.checkpoint = None),
        ("without a checkpoint, or none with one", &|bundle| bundle.records[1].index = UNSEALED),
        ("more than 256 files", &|bundle| bundle.anchors[0].tokens = vec![vec![]; 300]),
    ] {
        let said = wrong(change);
        assert!(said.contains(says), "{said:?} does not say {says:?}");
    }
    let mut receipt = receipt();
    receipt.proofs = whole().proofs;
    assert!(write(&receipt).unwrap_err().to_string().contains("proofs without a checkpoint"));
}

#[test]
fn what_is_out_of_order_is_put_in_order() {
    let mut bundle = whole();
    bundle.records.reverse();
    bundle.secrets.reverse();
    bundle.proofs.reverse();
    bundle.proofs.push(bundle.proofs[0].clone());
    bundle.sort();
    assert_eq!(bundle, whole());
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Absent),
        ".{0,20}".prop_map(|text| Value::text(&text)),
        any::<u64>().prop_map(Value::Number),
        any::<i64>().prop_map(Value::Time),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        any::<[u8; 32]>().prop_map(Value::Digest),
        prop::collection::vec(".{0,9}", 0..4).prop_map(|items| Value::list(items.iter().map(String::as_str))),
    ]
}

fn opening() -> impl Strategy<Value = Opening> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|digest| Opening::Hidden { digest }),
        any::<[u8; 32]>().prop_map(|digest| Opening::Erased { digest, record: [3; 32] }),
        (any::<[u8; 32]>(), "[a-z_]{0,12}", value()).prop_map(|(salt, name, value)| Opening::shown(salt, &name, value)),
    ]
}

fn shown_record() -> impl Strategy<Value = ShownRecord> {
    let head = (0..3u8, 0..5u64, 0..1_000u64, any::<u16>());
    (
        head,
        prop::collection::vec(opening(), 0..20),
        any::<[u8; 32]>(),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..99)),
    )
        .prop_map(|((stream, seq, index, kind), further, slot, attached)| {
            let mut openings = vec![
                Opening::Hidden { digest: slot },
                Opening::shown(slot, "stream", Value::Bytes(vec![stream; 16])),
                Opening::shown(slot, "seq", Value::Number(seq)),
            ];
            openings.extend(further);
            if let Some(content) = attached {
                openings.push(Opening::Shown {
                    salt: slot,
                    name: "content".into(),
                    value: Value::Bytes(content),
                    attached: true,
                });
            }
            ShownRecord { index, slot, kind, openings }
        })
}

fn hashes() -> impl Strategy<Value = Vec<Hash>> {
    prop::collection::vec(any::<[u8; 32]>(), 0..5)
}

fn bundle() -> impl Strategy<Value = Bundle> {
    let reports = (any::<[u8; 32]>(), any::<u64>(), [opening(), opening(), opening(), opening()], hashes())
        .prop_map(|(batch, place, openings, path)| ShownReport { batch, place, openings, path });
    let proofs = (any::<u64>(), prop::collection::vec(any::<u8>(), 0..80), hashes()).prop_map(|(index, entry, path)| Inclusion {
        index,
        entry,
        path,
    });
    let anchors = (any::<u64>(), prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..4), hashes())
        .prop_map(|(size, tokens, consistency)| Anchor { size, checkpoint: vec![1, 2], tokens, consistency });
    let head = ("[!-*,-~]{1,40}", 0..3u8, 0..253_402_300_800i64, any::<[u8; 32]>());
    let parts = (
        prop::collection::vec(shown_record(), 0..6),
        prop::collection::vec(reports, 0..4),
        prop::collection::vec(proofs, 0..6),
        prop::collection::vec(anchors, 0..4),
    );
    (head, parts).prop_map(|((origin, stream, seconds, secret), (records, reports, proofs, anchors))| {
        let mut bundle = Bundle {
            form: Form::Evidence,
            origin,
            stream: [stream; 16],
            made: seconds * 1_000,
            secrets: vec![([2; 16], secret), ([0; 16], secret), ([1; 16], secret)],
            records,
            reports,
            checkpoint: Some(secret.to_vec()),
            proofs,
            anchors,
        };
        bundle.sort();
        bundle.proofs.dedup_by_key(|proof| proof.index);
        bundle.reports.dedup_by_key(|report| (report.batch, report.place));
        bundle.anchors.dedup_by_key(|anchor| anchor.size);
        bundle
    })
}

proptest! {
    #[test]
    fn reading_undoes_writing(bundle in bundle()) {
        let bytes = write(&bundle).unwrap();
        prop_assert_eq!(read(&bytes), Ok(bundle));
    }

    #[test]
    fn a_changed_byte_is_refused_or_changes_what_is_read(bundle in bundle(), at in any::<prop::sample::Index>(), by in 1..=255u8) {
        let mut bytes = write(&bundle).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert_ne!(read(&bytes), Ok(bundle));
    }

    #[test]
    fn noise_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for start in [&b""[..], b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0"] {
            prop_assert!(read(&[start, &bytes].concat()).is_err());
        }
        if let Ok((secrets, shown)) = records::read(&[b"sluis-records/v1\0", bytes.as_slice()].concat(), |_| None) {
            prop_assert!(records::write(&secrets, &shown).ends_with(&bytes));
        }
    }
}
