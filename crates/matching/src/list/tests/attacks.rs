//! What a hostile holder, desk or carrier of files may try.

use proptest::prelude::*;

use super::{
    super::keys::{Extractor, Found, Place, TokenKeys},
    *,
};

/// Behind the header of a body.
const HEADER: usize = 61;

fn keys(name: &str) -> TokenKeys {
    TokenKeys::of(&Extractor::new().unwrap().prk(&output(name))).unwrap()
}

fn found(class: Class, slot: u32, full: bool) -> Found {
    Found { key: Key::new([5; 32]), slot, full, family: 0, class }
}

#[test]
fn a_record_crafted_to_open_under_two_keys_is_refused() {
    // Under ChaCha20-Poly1305 it can be crafted: one ciphertext and one tag that two keys accept, each opening to something else.
    let (first, second) = ([1; 32], [2; 32]);
    let crafted = poly::two_keys(&first, &second, [9; 48]);
    let tag = poly::tag(&first, &crafted);
    assert_eq!(tag, poly::tag(&second, &crafted));

    // The same ciphertext in a record, under one tag that two tokens are made to share, with the MAC of either: the other refuses.
    let place = Place { list: &LIST, epoch: EPOCH, number: 3, salt: &[4; 16] };
    let (one, other) = (keys("one"), keys("other"));
    for (maker, victim) in [(&one, &other), (&other, &one)] {
        let record = maker.seal(&place, &tag, &found(Class::Domain, 1, true));
        assert!(maker.open(&place, &record).is_some());
        assert!(victim.open(&place, &record).is_none());
        let mut mixed = record;
        mixed[16..64].copy_from_slice(&crafted);
        assert!(maker.open(&place, &mixed).is_none() && victim.open(&place, &mixed).is_none());
    }
    // With half the MAC of each: neither. It is not cut short anywhere.
    let mut half = one.seal(&place, &tag, &found(Class::Domain, 1, true));
    half[80..].copy_from_slice(&other.seal(&place, &tag, &found(Class::Domain, 1, true))[80..]);
    assert!(one.open(&place, &half).is_none() && other.open(&place, &half).is_none());
}

#[test]
fn a_record_opens_at_its_own_place_alone() {
    let (keys, salt, tag) = (keys("one"), [4; 16], [8; 16]);
    let place = Place { list: &LIST, epoch: EPOCH, number: 3, salt: &salt };
    let record = keys.seal(&place, &tag, &found(Class::Domain, 1, true));
    let elsewhere = [
        Place { number: 4, ..place },
        Place { epoch: 8, ..place },
        Place { list: b"another listing.", ..place },
        Place { salt: &[5; 16], ..place },
    ];
    assert!(elsewhere.iter().all(|place| keys.open(place, &record).is_none()));
    for bit in 0..RECORD * 8 {
        let mut changed = record;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(keys.open(&place, &changed).is_none(), "bit {bit}");
    }
}

#[test]
fn a_name_never_carries_the_whole_entry() {
    let place = Place { list: &LIST, epoch: EPOCH, number: 3, salt: &[4; 16] };
    for class in Class::ALL {
        for full in [false, true] {
            let record = keys("one").seal(&place, &[0; 16], &found(class, 1, full));
            assert_eq!(keys("one").open(&place, &record).is_some(), full == class.is_strong(), "{}", class.name());
        }
    }
}

/// A body whose record of this token is replaced by another that its maker signed for.
fn replaced(body: &[u8], name: &str, with: &Found) -> Vec<u8> {
    let mut body = body.to_vec();
    let stats = Stats::of(&body).unwrap();
    let salt = body[13..29].try_into().unwrap();
    let tag = tag(&output(name), &LIST, EPOCH);
    for (number, at) in (stats.first_record..).zip((HEADER..).step_by(RECORD)).take(stats.records as usize) {
        if body[at..at + 16] == tag {
            let record = keys(name).seal(&Place { list: &LIST, epoch: EPOCH, number, salt: &salt }, &tag, with);
            body[at..at + RECORD].copy_from_slice(&record);
        }
    }
    body
}

#[test]
fn a_record_that_leads_elsewhere_is_no_hit_and_is_told() {
    let mut chance = Chance::new(1);
    let entries = three(&mut chance);
    let (mut publication, mut book, built) = published(&entries, &mut chance);
    let delta = publication.delta(&[listed("new", &["new.example"], &[], &mut chance)], &[], &mut chance).unwrap();
    // The new token is made to open an old entry, with its right key.
    let old = Found { key: entries[0].key_full.clone(), ..found(Class::Domain, built.slots[0], true) };
    book.add(replaced(&delta.body, "new.example", &old), By::Officers).unwrap();
    assert_eq!(book.open(&output("new.example")), vec![]);
    let refused = book.examine(&output("new.example"));
    assert!(matches!(refused[..], [Err(Unopened { what: "leads to an entry that did not come with it", .. })]), "{refused:?}");

    let cases = [
        ("leads nowhere", u32::MAX, entries[0].key_full.clone()),
        ("does not open its capsule", built.slots[1], entries[0].key_full.clone()),
        ("does not open its capsule", built.slots[0], Key::new([5; 32])),
    ];
    for (what, slot, key) in cases {
        let with = Found { key, ..found(Class::Domain, slot, true) };
        let book = Book::new(LIST, EPOCH, replaced(&built.body, "first.example", &with)).unwrap();
        assert_eq!(book.open(&output("first.example")), vec![]);
        let wrong = book.examine(&output("first.example"));
        let [Err(wrong)] = &wrong[..] else { panic!("{wrong:?}") };
        assert!(wrong.what == what || slot == u32::MAX, "{wrong:?}");
        assert_eq!(book.open(&output("second.example")).len(), 1, "others still open");
    }
}

#[test]
fn any_changed_bit_opens_nothing_else() {
    let mut chance = Chance::new(2);
    let (_, book, built) = published(&three(&mut chance), &mut chance);
    let names = ["first.example", "second.example", "shared.example", "first hosting", "shared name"];
    let right: Vec<Vec<Opened>> = names.iter().map(|name| book.open(&output(name))).collect();
    for round in 0..1_500usize {
        let mut body = built.body.clone();
        // Every bit of the header, then some of everything.
        let bit = if round < HEADER * 8 {
            round
        } else {
            usize::try_from(u64::from_be_bytes(chance.array()) % (body.len() as u64 * 8)).unwrap()
        };
        body[bit / 8] ^= 1 << (bit % 8);
        let Ok(book) = Book::new(LIST, EPOCH, body) else { continue };
        for (name, right) in names.iter().zip(&right) {
            for opened in book.open(&output(name)) {
                // A changed status table may make an entry unreadable; nothing can make it live again or say something else.
                assert!(
                    right.iter().any(|one| Opened { status: one.status, since: one.since, ..opened.clone() } == *one),
                    "bit {bit}"
                );
                assert!(opened.status == Status::Unreadable || right.contains(&opened), "bit {bit}");
            }
        }
    }
}

#[test]
fn a_body_cut_short_or_made_longer_is_refused() {
    let mut chance = Chance::new(3);
    let (mut publication, _, built) = published(&three(&mut chance), &mut chance);
    let mut desk = Table::decode(&publication.table().encode()).unwrap();
    let table = desk.suspend(&[(built.slots[0], 1)], &mut chance).unwrap();
    let delta = publication.delta(&[], &[], &mut chance).unwrap().body;
    for body in [&built.body, &delta, &table] {
        assert!(Stats::of(body).is_ok());
        for cut in (0..HEADER + 2).chain([body.len() / 2, body.len() - 1]) {
            assert!(Stats::of(&body[..cut]).is_err(), "{cut}");
            assert!(Book::new(LIST, EPOCH, body[..cut].to_vec()).is_err(), "{cut}");
        }
        assert!(Stats::of(&[&body[..], &[0]].concat()).is_err());
    }
}

#[test]
fn sizes_that_lie_are_refused_before_anything_is_allocated() {
    // Each number of the header at its extremes, in a file of a few bytes.
    let mut chance = Chance::new(4);
    let (_, _, built) = published(&three(&mut chance), &mut chance);
    for at in [29usize, 37, 41, 45, 49, 53, 57] {
        for value in [0u32, 1, 3, 255, 1 << 16, 1 << 22, 1 << 23, 1 << 31, u32::MAX] {
            let mut body = built.body.clone();
            if body[at..at + 4] == value.to_be_bytes() {
                continue;
            }
            body[at..at + 4].copy_from_slice(&value.to_be_bytes());
            assert!(Stats::of(&body).is_err(), "{value} at {at}");
            assert!(Stats::of(&body[..HEADER]).is_err(), "{value} at {at}");
        }
    }
}

#[test]
fn tags_out_of_order_or_twice_are_refused() {
    let mut chance = Chance::new(5);
    let (mut publication, mut book, built) = published(&three(&mut chance), &mut chance);
    let mut swapped = built.body.clone();
    swapped[HEADER..HEADER + 2 * RECORD].rotate_left(RECORD);
    let mut twice = built.body.clone();
    twice.copy_within(HEADER..HEADER + RECORD, HEADER + RECORD);
    for body in [swapped, twice] {
        assert!(matches!(Book::new(LIST, EPOCH, body), Err(Error::Malformed(wrong)) if wrong.at == HEADER));
    }
    // And across bodies: a delta with a tag of the list.
    let mut delta = publication.delta(&[], &[], &mut chance).unwrap().body;
    delta[HEADER..HEADER + 16].copy_from_slice(&built.body[HEADER..HEADER + 16]);
    assert!(book.add(delta.clone(), By::Officers).is_err());
    assert_eq!((book.seq(), book.records()), (0, 256), "nothing changed");
    assert!(book.open(&output("first.example")).len() == 1);
}

#[test]
fn deltas_out_of_order_are_refused() {
    let mut chance = Chance::new(6);
    let (mut publication, mut book, built) = published(&three(&mut chance), &mut chance);
    let deltas: Vec<_> = (0..3).map(|_| publication.delta(&[], &[], &mut chance).unwrap().body).collect();
    let order = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Order(_))), "{result:?}");
    order(book.add(deltas[1].clone(), By::Officers));
    order(book.add(built.body.clone(), By::Officers));
    book.add(deltas[0].clone(), By::Officers).unwrap();
    order(book.add(deltas[0].clone(), By::Officers));
    order(book.add(deltas[2].clone(), By::Officers));
    assert!(matches!(Book::new(LIST, EPOCH, deltas[0].clone()), Err(Error::Order(_))));
    book.add(deltas[1].clone(), By::Officers).unwrap();
    assert_eq!(book.seq(), 2);
}

#[test]
fn a_desk_that_does_more_than_suspend_is_refused_or_has_no_effect() {
    let mut chance = Chance::new(7);
    let (mut publication, mut book, built) = published(&three(&mut chance), &mut chance);
    // Records under the desk's name.
    let records = Publication::decode(&publication.encode()).unwrap().delta(&[], &[], &mut chance).unwrap().body;
    assert_eq!(book.add(records.clone(), By::Desk), Err(Error::DeskOnlySuspends));
    assert_eq!(publication.take(&records), Err(Error::DeskOnlySuspends));
    // A table alone, and yet by the officers: every delta of theirs is as long as any other.
    let mut desk = Table::decode(&publication.table().encode()).unwrap();
    let table = desk.suspend(&[(built.slots[0], 1)], &mut chance).unwrap();
    assert!(matches!(book.add(table, By::Officers), Err(Error::Order(_))));
    // A table that withdraws the first entry, and revives the second, which the officers suspended.
    let officers = publication.delta(&[], &[(built.slots[1], Status::Suspended, 5)], &mut chance).unwrap().body;
    book.add(officers, By::Officers).unwrap();
    let mut hostile = publication.table().encode().to_vec();
    let mut at = 4 + 16 + 8 + 4;
    for slot in 0..4 {
        if slot == built.slots[0] {
            hostile[at] = Status::Withdrawn as u8;
        }
        if slot == built.slots[1] {
            hostile[at] = Status::Live as u8;
        }
        at += if hostile[at] == 0 { 1 } else { 1 + 32 + 8 };
    }
    let body = Table::decode(&hostile).unwrap().suspend(&[(built.slots[2], 9)], &mut chance).unwrap();
    assert_eq!(publication.take(&body), Err(Error::DeskOnlySuspends));
    book.add(body, By::Desk).unwrap();
    let statuses = ["first.example", "second.example", "third.example"].map(|name| book.open(&output(name))[0].status);
    assert_eq!(statuses, [Status::Live, Status::Suspended, Status::Suspended]);
}

#[test]
fn a_table_says_nothing_without_a_key() {
    let mut chance = Chance::new(8);
    let (mut publication, _, built) = published(&three(&mut chance), &mut chance);
    let statuses: Vec<_> = built.slots.iter().map(|slot| (*slot, Status::Suspended, 5)).collect();
    let table = |body: &[u8]| body[body.len() - 4 * STATUS..].to_vec();
    let mut tables = vec![table(&built.body)];
    for statuses in [&[][..], &statuses[..], &[]] {
        let body = publication.delta(&[], statuses, &mut chance).unwrap().body;
        let all = body[body.len() - 8 * STATUS..].to_vec();
        tables.push(all[..4 * STATUS].to_vec());
    }
    // No two blocks in all of them are alike, and no byte stands at one place more often than chance has it.
    let blocks: Vec<&[u8]> = tables.iter().flat_map(|table| table.chunks(8)).collect();
    let distinct: std::collections::HashSet<_> = blocks.iter().collect();
    assert_eq!(distinct.len(), blocks.len());
    let alike = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    for (n, a) in tables.iter().enumerate() {
        for b in &tables[n + 1..] {
            assert!(alike(a, b) < 10, "{} of 256 bytes alike, where one is likely", alike(a, b));
        }
    }
}

#[test]
fn no_memory_is_taken_for_a_token_under_everything() {
    // A holder who lists one token in every record: a reader stops.
    let mut chance = Chance::new(9);
    let entries: Vec<Listed> =
        (0..MOST_SHARED).map(|n| listed(&n.to_string(), &["everybody.example"], &[], &mut chance)).collect();
    let (_, book, _) = published(&entries, &mut chance);
    assert_eq!(book.open(&output("everybody.example")).len(), MOST_SHARED as usize);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0u8..5) {
        let headed = [&b"SLB1"[..], &[kind], &bytes].concat();
        for bytes in [&bytes, &headed] {
            let _ = Stats::of(bytes);
            let _ = Book::new(LIST, EPOCH, bytes.clone());
            let _ = Publication::decode(bytes);
            let _ = Table::decode(bytes);
            let _ = Manifest::read(bytes);
            let _ = Capsule::read(bytes);
            let _ = Entry::read(bytes, bytes);
        }
        for magic in [b"SLP1", b"SLT1", b"SLM1", b"SLC1", b"SLR1"] {
            let bytes = [&magic[..], &bytes].concat();
            let _ = Publication::decode(&bytes);
            let _ = Table::decode(&bytes);
            let _ = Manifest::read(&bytes);
            let _ = Capsule::read(&bytes);
        }
    }
}
