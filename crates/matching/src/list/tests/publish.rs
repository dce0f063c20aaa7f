//! What is published opens for whom it should, and for nobody else.

use proptest::prelude::*;

use super::*;

#[test]
fn an_identifier_opens_all_and_a_name_the_capsule_alone() {
    let mut chance = Chance::new(1);
    let (_, book, built) = published(&three(&mut chance), &mut chance);
    let [whole] = book.open(&output("first.example")).try_into().unwrap();
    assert_eq!((whole.slot, whole.class, whole.family), (built.slots[0], Class::Domain, 1));
    assert_eq!((whole.status, whole.since), (Status::Live, 1_000));
    assert_eq!((&whole.capsule[..], &whole.capsule_proof[..]), (&b"capsule of first"[..], &b"path of first"[..]));
    assert_eq!(whole.reason, Some((b"reason of first".to_vec(), b"salt of first".to_vec())));
    let [weak] = book.open(&output("first hosting")).try_into().unwrap();
    assert_eq!((weak.slot, weak.class, weak.family), (built.slots[0], Class::NameSorted, 2));
    assert_eq!((weak.capsule.clone(), weak.reason.clone()), (whole.capsule, None));
    assert_eq!(weak.key_compare, whole.key_compare);
}

#[test]
fn a_key_given_later_opens_the_reason_of_its_own_entry() {
    let mut chance = Chance::new(2);
    let listed = three(&mut chance);
    let (_, book, _) = published(&listed, &mut chance);
    let [weak] = book.open(&output("first hosting")).try_into().unwrap();
    let whole = book.open_with(&weak, &listed[0].key_full).unwrap();
    assert_eq!(whole.reason.map(|(reason, _)| reason), Some(b"reason of first".to_vec()));
    assert_eq!(book.open_with(&weak, &listed[1].key_full), Err(Error::NoEntry(weak.slot)));
}

#[test]
fn a_token_of_several_entries_opens_each() {
    let mut chance = Chance::new(3);
    let (mut publication, mut book, _) = published(&three(&mut chance), &mut chance);
    assert_eq!(capsules(&book, "shared.example"), ["capsule of first", "capsule of second", "capsule of third"]);
    assert_eq!(capsules(&book, "shared name"), ["capsule of second", "capsule of third"]);
    // A delta goes on counting where the list ended.
    let more = [listed("fourth", &["shared.example"], &[], &mut chance), listed("fifth", &["shared.example"], &[], &mut chance)];
    book.add(publication.delta(&more, &[], &mut chance).unwrap().body, By::Officers).unwrap();
    assert_eq!(capsules(&book, "shared.example").len(), 5);
}

#[test]
fn what_is_not_listed_opens_nothing() {
    let mut chance = Chance::new(4);
    let (_, book, built) = published(&three(&mut chance), &mut chance);
    for n in 0..2_000 {
        let output = output(&format!("customer {n}"));
        assert!(!book.has(&tag(&output, &LIST, EPOCH)));
        assert_eq!(book.examine(&output), vec![]);
    }
    // A dummy's tag is nobody's output, but whatever is sought by a tag alone finds nothing that opens.
    let real: usize = 8;
    let records = Stats::of(&built.body).unwrap().records as usize;
    let opens =
        ["first.example", "second.example", "third.example", "shared.example", "first hosting", "second hosting", "shared name"]
            .iter()
            .map(|name| book.open(&output(name)).len())
            .sum::<usize>();
    assert_eq!((opens, records), (real + 2, 256));
}

#[test]
fn two_epochs_and_two_publications_share_nothing() {
    let mut chance = Chance::new(5);
    let listed = three(&mut chance);
    let (_, book, built) = published(&listed, &mut chance);
    for (list, epoch) in [(LIST, EPOCH + 1), (*b"another listing.", EPOCH)] {
        let mut other = Publication::new(list, epoch);
        let body = other.build(&listed, &mut chance).unwrap().body;
        assert_eq!(common_blocks(&built.body, &body), 0);
        // Read under the wrong epoch or list, it opens nothing.
        let wrong = Book::new(LIST, EPOCH, body.clone()).unwrap();
        assert_eq!(wrong.open(&output("first.example")), vec![]);
        assert_ne!(tag(&output("first.example"), &list, epoch), tag(&output("first.example"), &LIST, EPOCH));
        assert_eq!(Book::new(list, epoch, body).unwrap().open(&output("first.example")).len(), 1);
    }
    assert_eq!(book.open(&output("first.example")).len(), 1);
}

/// How many runs of sixteen bytes, at multiples of sixteen behind the header, stand in both.
fn common_blocks(a: &[u8], b: &[u8]) -> usize {
    let blocks = |bytes: &[u8]| bytes[61..].as_chunks::<16>().0.to_vec();
    let known: std::collections::HashSet<[u8; 16]> = blocks(a).into_iter().collect();
    blocks(b).into_iter().filter(|block| known.contains(block)).count()
}

#[test]
fn a_state_put_back_from_a_copy_never_uses_a_keystream_twice() {
    let mut chance = Chance::new(6);
    let (publication, _, _) = published(&three(&mut chance), &mut chance);
    let copy = publication.encode();
    let bodies: Vec<Vec<u8>> = [[(0, Status::Suspended, 5)].as_slice(), &[]]
        .iter()
        .map(|statuses| {
            let mut restored = Publication::decode(&copy).unwrap();
            let slot = (0..4).find(|slot| restored.table().status(*slot).is_some()).unwrap();
            let statuses: Vec<_> = statuses.iter().map(|(_, status, since)| (slot, *status, *since)).collect();
            restored.delta(&[listed("new", &["new.example"], &[], &mut Chance::new(9))], &statuses, &mut chance).unwrap().body
        })
        .collect();
    // The same number, the same entry, the same key: and still nothing to subtract. The tag of the new record is the one thing in both.
    assert!(common_blocks(&bodies[0], &bodies[1]) <= 1);
}

#[test]
fn a_status_shows_at_the_next_delta_and_to_nobody_else() {
    let mut chance = Chance::new(7);
    let (mut publication, mut book, built) = published(&three(&mut chance), &mut chance);
    let status = |book: &Book, name: &str| book.open(&output(name)).first().map(|one| (one.status, one.since));
    let first = built.slots[0];
    let mut tables = Vec::new();
    for (number, (to, since)) in
        [(Status::Suspended, 2), (Status::Suspended, 2), (Status::Live, 3), (Status::Withdrawn, 4)].into_iter().enumerate()
    {
        let statuses = if number == 1 { vec![] } else { vec![(first, to, since)] };
        let body = publication.delta(&[], &statuses, &mut chance).unwrap().body;
        tables.push(body[body.len() - 16 * STATUS..].to_vec());
        book.add(body, By::Officers).unwrap();
        assert_eq!(status(&book, "first.example"), Some((to, since)));
        assert_eq!(status(&book, "first hosting"), Some((to, since)));
        assert_eq!(status(&book, "second.example"), Some((Status::Live, 1_000)));
    }
    // Two tables of the same statuses (the second delta changed nothing) share not one block.
    let (a, b) = (&tables[0], &tables[1]);
    assert!(a.chunks(16).all(|block| b.chunks(16).all(|other| other != block)));
    // What was withdrawn cannot come back inside the epoch.
    assert_eq!(
        publication.delta(&[], &[(first, Status::Live, 5)], &mut chance),
        Err(Error::Change(first, Status::Withdrawn, Status::Live))
    );
    assert_eq!(publication.delta(&[], &[(63, Status::Suspended, 5)], &mut chance), Err(Error::NoEntry(63)));
}

#[test]
fn the_desk_suspends_and_the_holder_takes_it_in() {
    let mut chance = Chance::new(8);
    let (mut publication, mut book, built) = published(&three(&mut chance), &mut chance);
    let mut desk = Table::decode(&publication.table().encode()).unwrap();
    let body = desk.suspend(&[(built.slots[1], 50)], &mut chance).unwrap();
    book.add(body.clone(), By::Desk).unwrap();
    assert_eq!(book.open(&output("second.example"))[0].status, Status::Suspended);
    assert_eq!(book.open(&output("first.example"))[0].status, Status::Live);
    assert_eq!(publication.take(&body), Ok(vec![built.slots[1]]));
    assert_eq!(publication.take(&body), Err(Error::Order("this delta")));
    // The holder's next delta keeps it suspended, and adds; the desk follows, and can suspend what it knew.
    let added = publication.delta(&[listed("new", &["new.example"], &[], &mut chance)], &[], &mut chance).unwrap();
    book.add(added.body.clone(), By::Officers).unwrap();
    assert_eq!(book.open(&output("second.example"))[0].status, Status::Suspended);
    assert_eq!(desk.take(&added.body, By::Officers), Ok(vec![]));
    assert_eq!(desk.suspend(&[(added.slots[0], 51)], &mut chance), Err(Error::NoEntry(added.slots[0])));
    let body = desk.suspend(&[(built.slots[0], 51)], &mut chance).unwrap();
    book.add(body.clone(), By::Desk).unwrap();
    assert_eq!(publication.take(&body), Ok(vec![built.slots[0]]));
    assert_eq!(book.open(&output("first.example"))[0].status, Status::Suspended);
    // The desk does not know the entry that was added. Its table leaves it as it was.
    assert_eq!(book.open(&output("new.example"))[0].status, Status::Live);
    assert_eq!(
        desk.suspend(&[(built.slots[0], 52)], &mut chance),
        Err(Error::Change(built.slots[0], Status::Suspended, Status::Suspended))
    );
}

#[test]
fn a_desk_that_publishes_at_a_fixed_rhythm_shows_no_contest() {
    let mut chance = Chance::new(16);
    let (publication, mut book, built) = published(&three(&mut chance), &mut chance);
    let mut desk = Table::decode(&publication.table().encode()).unwrap();
    let nothing = desk.suspend(&[], &mut chance).unwrap();
    let one = desk.suspend(&[(built.slots[0], 1)], &mut chance).unwrap();
    assert_eq!((nothing.len(), common_blocks(&nothing, &one)), (one.len(), 0));
    for body in [nothing, one] {
        book.add(body, By::Desk).unwrap();
    }
    assert_eq!((book.seq(), book.open(&output("first.example"))[0].status), (2, Status::Suspended));
}

#[test]
fn a_contest_goes_over_into_the_next_epoch_and_a_withdrawn_entry_does_not() {
    let mut chance = Chance::new(9);
    let mut entries = three(&mut chance);
    (entries[0].status, entries[0].since) = (Status::Suspended, 77);
    let (_, book, _) = published(&entries, &mut chance);
    assert_eq!(book.open(&output("first.example")).first().map(|one| (one.status, one.since)), Some((Status::Suspended, 77)));
    entries[1].status = Status::Withdrawn;
    assert_eq!(Publication::new(LIST, EPOCH).build(&entries, &mut chance), Err(Error::Withdrawn(1)));
}

#[test]
fn lists_of_one_size_class_are_equally_long() {
    let mut chance = Chance::new(10);
    let small = vec![listed("a", &["a.example"], &[], &mut chance)];
    let mut large: Vec<Listed> = (0..4).map(|n| listed(&format!("{n} {}", "long ".repeat(30)), &[], &[], &mut chance)).collect();
    for (n, one) in large.iter_mut().enumerate() {
        one.tokens = (0..64).map(|t| (output(&format!("{n} {t}")), Class::NameDeleted, 3)).collect();
    }
    let lengths = |listed: &[Listed], added: &[Listed], chance: &mut Chance| {
        let (mut publication, _, built) = published(listed, chance);
        let delta = publication.delta(added, &[], chance).unwrap();
        let slot = built.slots[0];
        let status = publication.delta(&[], &[(slot, Status::Withdrawn, 1)], chance).unwrap();
        let nothing = publication.delta(&[], &[], chance).unwrap();
        [built.body.len(), delta.body.len(), status.body.len(), nothing.body.len()]
    };
    let one = lengths(&small, &[], &mut chance);
    let all = lengths(&large, &[listed("new", &["new.example"], &[], &mut chance)], &mut chance);
    assert_eq!(one, all);
    assert_eq!(one[2], one[3], "a delta that withdraws is as long as one of nothing");
}

#[test]
fn the_token_count_of_what_is_added_is_a_power_of_two() {
    let mut chance = Chance::new(11);
    let (mut publication, _, _) = published(&three(&mut chance), &mut chance);
    let mut one = listed("many", &[], &[], &mut chance);
    one.tokens = (0..257).map(|n| (output(&n.to_string()), Class::NameDeleted, 0)).collect();
    let built = publication.delta(&[one], &[], &mut chance).unwrap();
    assert_eq!(Stats::of(&built.body).map(|stats| (stats.records, stats.slots)), Ok((512, 4)));
}

#[test]
fn a_part_that_needs_more_makes_all_parts_larger() {
    let mut chance = Chance::new(12);
    let mut entries = three(&mut chance);
    entries[1].capsule_proof = vec![7; 1500];
    let (mut publication, book, built) = published(&entries, &mut chance);
    assert_eq!(Stats::of(&built.body).map(|stats| (stats.capsule_size, stats.reason_size)), Ok((2048, 4096)));
    assert_eq!(book.open(&output("second.example"))[0].capsule_proof.len(), 1500);
    entries[1].reason = vec![1; 70_000];
    assert_eq!(publication.delta(&entries, &[], &mut chance), Err(Error::DuplicateKey(0)));
    entries.iter_mut().for_each(|one| one.key_full = Key::new(chance.array()));
    assert_eq!(publication.delta(&entries, &[], &mut chance), Err(Error::TooLarge(1, "reason")));
    // The very last byte that fits.
    let mut full = listed("full", &["full.example"], &[], &mut chance);
    full.reason = vec![5; 65_536 - 40 - full.reason_proof.len()];
    let added = publication.delta(std::slice::from_ref(&full), &[], &mut chance).unwrap();
    let mut book = book;
    book.add(added.body, By::Officers).unwrap();
    assert_eq!(book.open(&output("full.example"))[0].reason.as_ref().map(|(reason, _)| reason.len()), Some(full.reason.len()));
}

#[test]
fn what_would_show_or_confuse_is_refused_and_nothing_changes() {
    let mut chance = Chance::new(13);
    let mut entries = three(&mut chance);
    let twice = entries[2].tokens[0];
    entries[2].tokens.push(twice);
    let mut publication = Publication::new(LIST, EPOCH);
    let before = publication.encode();
    assert_eq!(publication.delta(&[], &[], &mut chance), Err(Error::Unbuilt));
    assert_eq!(publication.build(&entries, &mut chance), Err(Error::DuplicateToken(2)));
    entries[2].tokens.pop();
    let first = entries[0].key_full.clone();
    let third = std::mem::replace(&mut entries[2].key_full, first);
    assert_eq!(publication.build(&entries, &mut chance), Err(Error::DuplicateKey(2)));
    entries[2].key_full = third;
    assert_eq!(publication.encode(), before);
    publication.build(&entries, &mut chance).unwrap();
    assert_eq!(publication.build(&entries, &mut chance), Err(Error::Built));
    assert_eq!(publication.delta(&entries[..1], &[], &mut chance), Err(Error::DuplicateKey(0)));
    let crowd: Vec<Listed> =
        (0..=MOST_SHARED).map(|n| listed(&n.to_string(), &["everybody.example"], &[], &mut chance)).collect();
    assert_eq!(publication.delta(&crowd, &[], &mut chance), Err(Error::TooShared(MOST_SHARED as usize)));
}

#[test]
fn what_is_kept_is_read_again_and_goes_on() {
    let mut chance = Chance::new(14);
    let (publication, mut book, built) = published(&three(&mut chance), &mut chance);
    let bytes = publication.encode();
    let mut again = Publication::decode(&bytes).unwrap();
    assert_eq!(again.encode(), bytes);
    assert_eq!((again.list(), again.epoch(), again.next_seq()), (&LIST, EPOCH, 1));
    let more = [listed("new", &["shared.example"], &[], &mut chance)];
    book.add(again.delta(&more, &[(built.slots[2], Status::Suspended, 9)], &mut chance).unwrap().body, By::Officers).unwrap();
    assert_eq!(capsules(&book, "shared.example").len(), 4);
    assert_eq!(book.open(&output("third.example"))[0].status, Status::Suspended);
    for cut in 0..bytes.len() {
        assert!(Publication::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let mut chance = Chance::new(15);
    let entries = three(&mut chance);
    let (publication, book, _) = published(&entries, &mut chance);
    let opened = book.open(&output("first.example"));
    let printed = format!("{:?} {publication:?} {:?} {book:?} {opened:?}", entries[0], publication.table());
    assert!(!printed.contains("capsule of") && !printed.contains("list of a summer"), "{printed}");
    let key = format!("{:?}", entries[0].key_full.as_slice());
    assert!(!printed.contains(&key[1..key.len() - 1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is added and changed in whatever order: numbers of records and slots rise without gaps, nothing has one tag twice, a provider who
    /// kept tags and outputs finds what one who asks anew finds, and everything added opens with its status.
    #[test]
    fn books_follow_publications(steps in prop::collection::vec((0u8..4, 0u8..6, 0u8..3), 1..7), seed in 0u8..255) {
        let mut chance = Chance::new(seed);
        let (mut publication, mut book, built) = published(&three(&mut chance), &mut chance);
        let mut slots = built.slots;
        let mut tags = std::collections::BTreeSet::new();
        let mut next_record = 0;
        let mut bodies = vec![built.body];
        let cached: Vec<(Tag, Output)> = (0..40)
            .map(|n| output(&format!("{n}.example")))
            .chain(["shared.example", "first.example"].map(output))
            .map(|output| (tag(&output, &LIST, EPOCH), output))
            .collect();
        for (step, (count, first, change)) in steps.into_iter().enumerate() {
            let added: Vec<Listed> = (0..count)
                .map(|n| listed(&format!("{step} {n}"), &[&format!("{}.example", first + n), "shared.example"], &[], &mut chance))
                .collect();
            let changes: Vec<_> = slots.iter().take(usize::from(change)).map(|slot| (*slot, Status::Suspended, step as i64)).collect();
            let built = publication.delta(&added, &changes, &mut chance).unwrap();
            slots.extend(built.slots);
            bodies.push(built.body.clone());
            book.add(built.body, By::Officers).unwrap();
        }
        for body in &bodies {
            let stats = Stats::of(body).unwrap();
            prop_assert_eq!(stats.first_record, next_record);
            next_record += u64::from(stats.records);
            for record in 0..stats.records as usize {
                let tag: Tag = body[61 + record * RECORD..][..16].try_into().unwrap();
                prop_assert!(tags.insert(tag), "a tag twice");
            }
        }
        let mut distinct = slots.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), slots.len());
        prop_assert_eq!(book.open(&output("shared.example")).len(), slots.len());
        for (tag, output) in &cached {
            prop_assert_eq!(book.has(tag), !book.open(output).is_empty());
        }
        for opened in book.open(&output("shared.example")) {
            prop_assert_eq!(Some((opened.status, opened.since)), publication.table().status(opened.slot));
        }
    }
}
