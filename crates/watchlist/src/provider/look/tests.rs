//! How sure a candidate is, and what is nobody's hit.

use super::*;

fn fact(what: &str, says: Says) -> Fact {
    Fact { what: what.to_owned(), says, customer: "a".to_owned(), listed: "b".to_owned() }
}

#[test]
fn sureness_follows_from_what_agrees_and_is_lowered_by_what_differs() {
    use Class::{Domain, Kvk, NameJoined, NamePlace, NameSorted};
    use Sureness::{Likely as Sure, Possible as Perhaps};
    use Verdict::{Likely, No, Possible};
    let differs = |what| vec![fact(what, Says::Differs)];
    for (name, classes, verdict, facts, expected) in [
        ("a register number and a like name", vec![Kvk, NameSorted], Likely, vec![], Some(Sure)),
        ("a register number and another name: companies are renamed", vec![Kvk], No, vec![], Some(Sure)),
        ("a register number, and a VAT number that differs", vec![Kvk], No, differs("vat"), Some(Perhaps)),
        ("a domain name alone: sold, shared, or the mail of a large provider", vec![Domain], No, vec![], Some(Perhaps)),
        ("a domain name and a like name", vec![Domain, NameJoined], Possible, vec![], Some(Sure)),
        ("a name alone", vec![NameSorted], Likely, vec![], Some(Sure)),
        ("a name that is nearly alike", vec![NameJoined], Possible, vec![], Some(Perhaps)),
        ("a namesake by register number", vec![NamePlace, NameSorted], Likely, differs("kvk"), Some(Perhaps)),
        ("a namesake in another country", vec![NameSorted], Likely, differs("country"), Some(Perhaps)),
        ("a name that opened and is not alike", vec![NameJoined], No, vec![], None),
        ("a name and place that is not alike", vec![NamePlace], No, vec![], None),
    ] {
        assert_eq!(weigh(&classes, verdict, &facts), expected, "{name}");
    }
}

#[test]
fn of_two_versions_of_an_entry_the_newest_counts() {
    let open = |version, status| Open {
        capsule: Capsule { id: [1; 16], version, names: vec!["A".into()], aliases: vec![], country: None },
        reason: None,
        met: vec![],
        classes: vec![Class::Kvk],
        slot: version,
        status,
        since: 0,
        leaf: 0,
        log_size: 0,
    };
    for order in [[1, 2], [2, 1]] {
        let mut entries = BTreeMap::new();
        for version in order {
            // The old version is withdrawn when a new one comes; that is no withdrawal of the entry.
            add(&mut entries, open(version, if version == 1 { Listed::Withdrawn } else { Listed::Live }));
        }
        let kept = &entries[&[1; 16]];
        assert_eq!((kept.capsule.version, kept.status), (2, Listed::Live));
    }
}

#[test]
fn numbers_are_shown_as_people_write_them() {
    for (class, text, shown) in [
        (Class::Asn, "AS64500", "AS64500"),
        (Class::Ipv4, "192.0.2.0/24", "192.0.2.0/24"),
        (Class::Ipv6, "2001:db8::/32", "2001:db8::/32"),
        (Class::Kvk, "KvK 1234567", "01234567"),
        (Class::Domain, "https://shop.voorbeeld.nl/x", "voorbeeld.nl"),
    ] {
        assert_eq!(readable(&identifier::of(class, text).unwrap()), shown);
    }
}

/// Nobody is shown as a hit on an entry that says neither why nor on what ground.
#[test]
fn an_entry_that_does_not_say_why_is_no_valid_hit() {
    use crate::holder::form::Form;
    const NOW: i64 = 1_795_348_800_000;
    let form = Form {
        names: vec!["Waterhoen Hosting".into()],
        category: "bulletproof hosting".into(),
        reason_nl: "Biedt op fora hosting aan die niet op klachten reageert.".into(),
        source: "CASE-2026-17".into(),
        legal_basis: "Wpg 19".into(),
        criterion: "C2".into(),
        protocol: "protocol 2, 2026".into(),
        listed_at: "2026-11-01".into(),
        review_by: "2027-06-30".into(),
        officer_role: "team cybercrime".into(),
        contact: "list@police.example".into(),
        contest_url: "https://desk.example/contest".into(),
        ..Form::default()
    };
    let good = form.entry([7; 16], 1, None, NOW).unwrap();
    assert_eq!(must_say_why(&good, NOW), Ok(()));
    assert_eq!(must_say_why(&good, good.review_by + 1), Ok(()), "that it is overdue is told of the hit");
    type Change = (&'static str, fn(&mut Clear));
    let changes: [Change; 6] = [
        ("source", |entry| entry.source.clear()),
        ("legal_basis", |entry| entry.legal_basis.clear()),
        ("criterion", |entry| entry.criterion.clear()),
        ("reason_nl", |entry| entry.reason_nl.clear()),
        ("contest_url", |entry| entry.contest_url.clear()),
        ("review_by", |entry| entry.review_by += 3 * 366 * 24 * 60 * 60 * 1000),
    ];
    for (field, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let said = must_say_why(&bad, NOW).unwrap_err();
        assert!(said.contains(field), "{field}: {said}");
        // The format carries it, so it is here that it is refused.
        assert!(Clear::read(&bad.capsule_bytes(), &bad.reason_bytes()).is_ok(), "{field}");
    }
}
