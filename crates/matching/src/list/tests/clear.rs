//! Entries in clear: what may be published, and what is read back.

use super::{super::entry::*, *};
use crate::bytes::Writer;

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn sample() -> Entry {
    Entry {
        id: *b"sixteen bytes id",
        version: 2,
        names: vec!["Nepveld Hosting B.V.".into()],
        aliases: vec!["Непвельд".into()],
        country: Some(*b"NL"),
        places: vec![Place { city: "Utrecht".into(), postal_code: "3500 AA".into() }],
        identifiers: vec![
            (Class::Kvk, "00000000".into()),
            (Class::Domain, "nepveld.example".into()),
            (Class::Asn, "AS64500".into()),
        ],
        category: "bulletproof hosting".into(),
        reason_nl: "Biedt servers aan waarop meldingen niet worden behandeld.\nZie de bron.".into(),
        reason_en: "Offers servers on which reports are not handled.".into(),
        source: "2026-00001".into(),
        source_kind: SourceKind::Case,
        legal_basis: "art. 0 Voorbeeldwet".into(),
        criterion: "3.2".into(),
        protocol: "Protocol of 2026-01-01, https://protocol.example/".into(),
        listed_at: NOW - DAY,
        review_by: NOW + 180 * DAY,
        tlp: Tlp::default(),
        pap: Pap::default(),
        officer_role: "coordinator".into(),
        contact: "list@holder.example".into(),
        contest_url: "https://desk.example/contest".into(),
        contest_desk: "Desk, PO box 1".into(),
        evidence: vec![[7; 32]],
        not_to_be_confused_with: "Nepveld Bakkerij, of the same street".into(),
        replaces: Some((*b"sixteen bytes id", 1)),
    }
}

#[test]
fn an_entry_is_read_from_its_two_parts() {
    let entry = sample();
    assert_eq!(entry.check(NOW), vec![]);
    assert_eq!(Entry::read(&entry.capsule_bytes(), &entry.reason_bytes()), Ok(entry.clone()));
    assert_eq!(Capsule::read(&entry.capsule_bytes()), Ok(entry.capsule()));
    let bare = Entry { country: None, replaces: None, places: vec![], aliases: vec![], evidence: vec![], ..entry };
    assert_eq!(Entry::read(&bare.capsule_bytes(), &bare.reason_bytes()), Ok(bare));
}

#[test]
fn a_capsule_has_names_and_country_and_nothing_else() {
    let bytes = sample().capsule_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("Nepveld Hosting") && text.contains("Непвельд") && text.contains("NL"));
    for hidden in ["Utrecht", "3500", "nepveld.example", "AS64500", "2026-00001", "bulletproof", "Bakkerij"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}

#[test]
fn parts_of_two_entries_or_versions_are_not_joined() {
    let (entry, later) = (sample(), Entry { version: 3, ..sample() });
    let other = Entry { id: [1; 16], ..sample() };
    assert!(Entry::read(&entry.capsule_bytes(), &later.reason_bytes()).is_err());
    assert!(Entry::read(&entry.capsule_bytes(), &other.reason_bytes()).is_err());
    assert!(Entry::read(&entry.reason_bytes(), &entry.capsule_bytes()).is_err());
}

#[test]
fn a_part_cut_short_or_made_longer_is_refused() {
    let (capsule, reason) = (sample().capsule_bytes(), sample().reason_bytes());
    for cut in 0..capsule.len() {
        assert!(Capsule::read(&capsule[..cut]).is_err(), "{cut}");
    }
    for cut in 0..reason.len() {
        assert!(Entry::read(&capsule, &reason[..cut]).is_err(), "{cut}");
    }
    assert!(Capsule::read(&[&capsule[..], &[0]].concat()).is_err());
    assert!(Entry::read(&capsule, &[&reason[..], &[0]].concat()).is_err());
}

#[test]
fn a_hostile_reason_opens_no_program_and_orders_no_measure() {
    // What is written here was never checked by an honest holder.
    let hostile = [
        ("a script as address", Entry { contest_url: "javascript:alert(1)".into(), ..sample() }),
        ("an address with a space", Entry { contest_url: "https://desk.example/ onclick=x".into(), ..sample() }),
        ("a script as source", Entry { source_kind: SourceKind::Public, source: "file:///etc/passwd".into(), ..sample() }),
        ("text that turns round", Entry { reason_nl: "\u{202e}gnitsoh".into(), ..sample() }),
        ("a control character", Entry { contact: "a\u{1b}[2J".into(), ..sample() }),
        ("too much", Entry { reason_en: "x".repeat(MOST_REASON + 1), ..sample() }),
        ("too many", Entry { evidence: vec![[0; 32]; MOST_EVIDENCE + 1], ..sample() }),
    ];
    for (why, entry) in hostile {
        assert!(Entry::read(&entry.capsule_bytes(), &entry.reason_bytes()).is_err(), "{why}");
        assert_ne!(entry.check(NOW), vec![], "{why}");
    }
    let reason = sample().reason_bytes();
    let at = reason.windows(6).position(|bytes| bytes == b"review").unwrap();
    let mut measure = reason.clone();
    measure[at..at + 6].copy_from_slice(b"delete");
    assert!(Entry::read(&sample().capsule_bytes(), &measure).is_err());
}

#[test]
fn what_misses_a_ground_is_not_published() {
    let long = || "x".repeat(400);
    let cases: Vec<(&str, Entry, Vec<Missing>)> = vec![
        ("no source", Entry { source: " ".into(), ..sample() }, vec![Missing::Empty(Field("source"))]),
        ("no legal basis", Entry { legal_basis: String::new(), ..sample() }, vec![Missing::Empty(Field("legal_basis"))]),
        ("no criterion", Entry { criterion: String::new(), ..sample() }, vec![Missing::Empty(Field("criterion"))]),
        ("no protocol", Entry { protocol: String::new(), ..sample() }, vec![Missing::Empty(Field("protocol"))]),
        ("no category", Entry { category: String::new(), ..sample() }, vec![Missing::Empty(Field("category"))]),
        ("nobody answers", Entry { officer_role: String::new(), ..sample() }, vec![Missing::Empty(Field("officer_role"))]),
        ("nowhere to ask", Entry { contact: String::new(), ..sample() }, vec![Missing::Empty(Field("contact"))]),
        ("no reason", Entry { reason_nl: String::new(), reason_en: "\n".into(), ..sample() }, vec![Missing::Reason]),
        ("one language is enough", Entry { reason_nl: String::new(), ..sample() }, vec![]),
        ("no contest", Entry { contest_url: String::new(), contest_desk: String::new(), ..sample() }, vec![Missing::Contest]),
        ("a desk is enough", Entry { contest_url: String::new(), ..sample() }, vec![]),
        ("review is due", Entry { review_by: NOW, ..sample() }, vec![Missing::Overdue]),
        ("review in three years", Entry { review_by: NOW + 1100 * DAY, ..sample() }, vec![Missing::Late]),
        ("listed tomorrow", Entry { listed_at: NOW + DAY, ..sample() }, vec![Missing::Future]),
        ("for named people only", Entry { tlp: Tlp::Red, ..sample() }, vec![Missing::Red]),
        ("nobody", Entry { names: vec![], aliases: vec![], identifiers: vec![], ..sample() }, vec![Missing::Nobody]),
        ("an alias alone is nobody", Entry { names: vec![], identifiers: vec![], ..sample() }, vec![Missing::Nobody]),
        ("a name is enough", Entry { identifiers: vec![], ..sample() }, vec![]),
        ("an identifier is enough", Entry { names: vec![], ..sample() }, vec![]),
        ("an empty name", Entry { names: vec![String::new(), "A".into()], ..sample() }, vec![Missing::Empty(Field("names"))]),
        (
            "a long name, told once",
            Entry { names: vec![long(), long()], ..sample() },
            vec![Missing::Long(Field("names"), MOST_NAME)],
        ),
        (
            "a name among identifiers",
            Entry { identifiers: vec![(Class::NameSorted, "a".into())], ..sample() },
            vec![Missing::NameAsIdentifier],
        ),
        ("a country in words", Entry { country: Some(*b"nl"), ..sample() }, vec![Missing::Country]),
        ("version 0", Entry { version: 0, ..sample() }, vec![Missing::Version]),
        ("a bare host", Entry { contest_url: "desk.example".into(), ..sample() }, vec![Missing::Address(Field("contest_url"))]),
    ];
    for (why, entry, missing) in cases {
        assert_eq!(entry.check(NOW), missing, "{why}");
        assert!(missing.iter().all(|one| !one.to_string().is_empty() && !one.field().is_empty()));
    }
    // At the ends of time nothing overflows.
    for now in [i64::MIN, i64::MAX] {
        assert_ne!(sample().check(now), vec![]);
    }
}

#[test]
fn completeness_is_all_or_less() {
    let whole = sample();
    assert_eq!(whole.completeness(), 100);
    assert_eq!(Entry { evidence: vec![], country: None, ..whole.clone() }.completeness(), 93);
    let names_alone = Entry { identifiers: vec![], places: vec![], reason_en: String::new(), ..whole };
    assert_eq!(names_alone.completeness(), 77);
}

/// The canonical bytes of an entry are hashed into the log, so they may not change.
#[test]
fn canonical_bytes_stand_still() {
    let entry = sample();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digests = [crate::sha256(&[&entry.capsule_bytes()]), crate::sha256(&[&entry.reason_bytes()])].map(|digest| hex(&digest));
    let expected = [
        "537e6ffe28f5cda4d2578d4dea93e3ec8914f291e83b02b7a77ed3693d2b0967",
        "c9dbe5d3b98759154ed823ddd765bcf792dbfcc8e9cb56e49423a9a2683d74a7",
    ];
    assert_eq!(digests, expected);
    let country = Writer::new().raw(b"SLC1").raw(&entry.id).u32(2).raw(b"NL").done();
    assert!(entry.capsule_bytes().starts_with(&country));
}
