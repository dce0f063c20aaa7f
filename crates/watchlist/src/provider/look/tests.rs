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
