//! Who signed, what comes after what, and what a manifest may ask.

use ed25519_dalek::SigningKey;

use super::{
    super::{
        chain::{FRESH, Tip},
        manifest::EditSide,
    },
    *,
};
use crate::{
    envelope::{EVERYBODY, Envelope, Header, KeyId, Kind, Refused, SKEW},
    sha256,
    token::{Group, NORM_VERSION},
};

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn id(n: u8) -> KeyId {
    key(n).verifying_key().to_bytes()
}

fn officers() -> Vec<KeyId> {
    let mut officers = vec![id(1), id(2), id(3)];
    officers.sort_unstable();
    officers
}

fn sample(segment: &[u8]) -> Manifest {
    let stats = Stats::of(segment).unwrap();
    Manifest {
        name: "Resellers".into(),
        holder: "Voorbeeldpolitie".into(),
        not_before: NOW - DAY,
        not_after: NOW + 90 * DAY,
        norm_version: NORM_VERSION,
        edit_side: EditSide::List,
        rarity_bits: 26,
        groups: Group::ALL.iter().map(|group| (*group, vec![[*group as u8; 32]])).collect(),
        officers: officers(),
        evaluator: id(4),
        desk: id(5),
        desk_hpke: [6; 32],
        log_origin: "list.example/log".into(),
        log_key: "list.example/log+00000000+AAAA".into(),
        segment: sha256(&[segment]),
        records: stats.records,
        slots: stats.slots,
        entries_size: 12,
        entries_root: [8; 32],
        predecessor: [0; 32],
        guesses: Group::ALL.iter().map(|group| (*group, 4096)).collect(),
        contest: "https://desk.example/".into(),
        protocol: "https://protocol.example/".into(),
    }
}

fn header(kind: Kind, sender: u8, issued: i64) -> Header {
    Header { list: LIST, epoch: EPOCH, ..Header::new(kind, id(sender), EVERYBODY, issued, NOW + 90 * DAY) }
}

fn signed(header: Header, body: Vec<u8>, signers: &[u8]) -> Envelope {
    let mut envelope = Envelope::new(header, body);
    signers.iter().for_each(|signer| envelope.sign(&key(*signer)));
    envelope
}

/// A publication with its manifest, and the tip of its chain.
fn begun(chance: &mut Chance) -> (Publication, Manifest, Tip, Built) {
    let (publication, _, built) = published(&three(chance), chance);
    let manifest = sample(&built.body);
    let envelope = signed(header(Kind::Manifest, 1, NOW - DAY), manifest.encode(), &[1, 2]);
    assert_eq!(Manifest::open(&envelope, &officers(), Some(EPOCH), NOW), Ok(manifest.clone()));
    (publication, manifest, Tip::of(&envelope), built)
}

/// A delta's header after a tip.
fn after(tip: &Tip, sender: u8, issued: i64) -> Header {
    Header { under: tip.manifest, seq: tip.seq + 1, previous: tip.hash, ..header(Kind::Delta, sender, issued) }
}

#[test]
fn a_manifest_names_its_segment_and_keys() {
    let mut chance = Chance::new(1);
    let (_, manifest, tip, built) = begun(&mut chance);
    assert_eq!(Manifest::read(&manifest.encode()), Ok(manifest.clone()));
    assert!(manifest.is_segment(&built.body));
    let mut changed = built.body.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(!manifest.is_segment(&changed));
    assert_eq!(manifest.key(Group::Names), Some(&[Group::Names as u8; 32]));
    assert_eq!((tip.seq, tip.epoch, tip.issued), (0, EPOCH, NOW - DAY));
}

#[test]
fn a_manifest_is_taken_from_two_officers_alone() {
    let mut chance = Chance::new(2);
    let manifest = begun(&mut chance).1;
    let open = |sender, signers: &[u8], pinned: &[KeyId]| {
        Manifest::open(&signed(header(Kind::Manifest, sender, NOW), manifest.encode(), signers), pinned, None, NOW).map(|_| ())
    };
    assert_eq!(open(1, &[1, 2], &officers()), Ok(()));
    assert_eq!(open(1, &[1, 3, 4, 5], &officers()), Ok(()));
    assert_eq!(open(1, &[1], &officers()), Err(Error::Officers));
    assert_eq!(open(1, &[1, 4], &officers()), Err(Error::Officers));
    // Somebody else as sender, with two officers beside.
    assert_eq!(open(4, &[1, 2, 4], &officers()), Err(Error::Officers));
    // One officer who stands in the list of those held for right twice is one.
    assert_eq!(open(1, &[1], &[id(1), id(1)]), Err(Error::Officers));
    // Two of those whom the new manifest names, whom nobody held for right before.
    assert_eq!(open(1, &[1, 2], &[id(3), id(6)]), Err(Error::Officers));
    assert_eq!(open(1, &[1, 2], &[]), Err(Error::Officers));
    assert_eq!(open(1, &[2, 3], &officers()), Err(Error::Envelope(Refused::Unsigned("by its sender"))));
}

#[test]
fn a_manifest_for_one_provider_is_refused() {
    let mut chance = Chance::new(9);
    let manifest = begun(&mut chance).1;
    let open = |header| Manifest::open(&signed(header, manifest.encode(), &[1, 2]), &officers(), None, NOW).map(|_| ());
    let good = header(Kind::Manifest, 1, NOW);
    assert_eq!(open(good.clone()), Ok(()));
    assert_eq!(open(Header { recipient: id(9), ..good.clone() }), Err(Error::Envelope(Refused::Recipient)));
    assert_eq!(open(Header { under: [1; 32], ..good }), Err(Error::Envelope(Refused::Foreign("manifest or task"))));
}

#[test]
fn an_older_epoch_and_one_that_is_over_are_refused() {
    let mut chance = Chance::new(3);
    let manifest = begun(&mut chance).1;
    let envelope = signed(header(Kind::Manifest, 1, NOW), manifest.encode(), &[1, 2]);
    assert_eq!(Manifest::open(&envelope, &officers(), Some(EPOCH + 1), NOW), Err(Error::OldEpoch(EPOCH, EPOCH + 1)));
    let short = Manifest { not_after: NOW - 1, ..manifest };
    let envelope = signed(header(Kind::Manifest, 1, NOW), short.encode(), &[1, 2]);
    assert_eq!(Manifest::open(&envelope, &officers(), None, NOW), Err(Error::OutOfTime));
}

#[test]
fn another_norm_version_is_refused_loudly_whatever_else_it_has() {
    let mut chance = Chance::new(4);
    let mut body = begun(&mut chance).1.encode();
    body[4] = NORM_VERSION + 1;
    body.truncate(9);
    let refused = Manifest::read(&body).unwrap_err();
    assert_eq!(refused, Error::NormVersion(NORM_VERSION + 1));
    assert!(refused.to_string().starts_with("STOP"));
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let mut chance = Chance::new(5);
    let good = begun(&mut chance).1;
    let changed = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        Manifest::read(&manifest.encode()).map(|_| ())
    };
    type Change = (&'static str, Box<dyn Fn(&mut Manifest)>);
    let cases: Vec<Change> = vec![
        ("no groups", Box::new(|m| m.groups.clear())),
        ("a group without a key", Box::new(|m| m.groups[0].1.clear())),
        ("groups out of order", Box::new(|m| m.groups.swap(0, 1))),
        ("one key for two groups", Box::new(|m| m.groups[1].1 = m.groups[0].1.clone())),
        ("no quota for a group", Box::new(|m| m.guesses.truncate(5))),
        ("quotas out of order", Box::new(|m| m.guesses.swap(0, 1))),
        ("one officer", Box::new(|m| m.officers.truncate(1))),
        ("one officer twice", Box::new(|m| m.officers = vec![m.officers[0]; 2])),
        ("officers out of order", Box::new(|m| m.officers.reverse())),
        ("an officer as desk", Box::new(|m| m.desk = m.officers[2])),
        ("the evaluator as desk", Box::new(|m| m.desk = m.evaluator)),
        ("ends before it begins", Box::new(|m| m.not_before = m.not_after)),
        ("a year long", Box::new(|m| m.not_after = m.not_before + 365 * DAY)),
        ("times that overflow", Box::new(|m| (m.not_before, m.not_after) = (i64::MIN, i64::MAX))),
        ("a script for contests", Box::new(|m| m.contest = "javascript:1".into())),
        ("no protocol", Box::new(|m| m.protocol.clear())),
        ("an empty log", Box::new(|m| m.entries_size = 0)),
    ];
    for (why, change) in cases {
        assert!(matches!(changed(&*change), Err(Error::Manifest(_))), "{why}");
    }
    let shares = changed(&|m| m.groups[0].1.push([9; 32]));
    assert_eq!(shares, Err(Error::Unsupported("a key in several shares")));
    let bytes = good.encode();
    for cut in 0..bytes.len() {
        assert!(Manifest::read(&bytes[..cut]).is_err(), "{cut}");
    }
    assert!(Manifest::read(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn deltas_follow_each_other_and_the_desk_may_make_one() {
    let mut chance = Chance::new(6);
    let (mut publication, manifest, tip, built) = begun(&mut chance);
    let mut book = Book::new(LIST, EPOCH, built.body.clone()).unwrap();
    let first = publication.delta(&[], &[(built.slots[0], Status::Suspended, 1)], &mut chance).unwrap().body;
    let first = signed(after(&tip, 2, NOW - 3), first, &[2, 3]);
    let (by, body, tip) = tip.next(&first, &manifest, NOW).unwrap();
    assert_eq!((by, tip.seq, tip.hash), (By::Officers, 1, first.hash()));
    book.add(body.to_vec(), by).unwrap();
    let mut desk = Table::decode(&publication.table().encode()).unwrap();
    let second = signed(after(&tip, 5, NOW - 2), desk.suspend(&[(built.slots[1], 2)], &mut chance).unwrap(), &[5]);
    let (by, body, tip) = tip.next(&second, &manifest, NOW).unwrap();
    assert_eq!((by, tip.seq), (By::Desk, 2));
    book.add(body.to_vec(), by).unwrap();
    assert_eq!(["first.example", "second.example"].map(|name| book.open(&output(name))[0].status), [Status::Suspended; 2]);
    // An officer alone, under whose name the desk's body would pass.
    let desk_body = desk.suspend(&[(built.slots[2], 2)], &mut chance).unwrap();
    let alone = signed(after(&tip, 1, NOW), desk_body, &[1]);
    assert_eq!(tip.next(&alone, &manifest, NOW), Err(Error::Officers));
}

#[test]
fn a_delta_from_elsewhere_or_another_time_is_refused() {
    let mut chance = Chance::new(7);
    let (mut publication, manifest, tip, _) = begun(&mut chance);
    let body = publication.delta(&[], &[], &mut chance).unwrap().body;
    let next = publication.delta(&[], &[], &mut chance).unwrap().body;
    let good = after(&tip, 1, NOW);
    let take = |header: Header, body: &[u8]| tip.next(&signed(header, body.to_vec(), &[1, 2]), &manifest, NOW).map(|_| ());
    assert_eq!(take(good.clone(), &body), Ok(()));
    let order = Err(Error::Order("this delta"));
    assert_eq!(take(Header { seq: 2, ..good.clone() }, &body), order, "a gap");
    assert_eq!(take(Header { seq: 0, ..good.clone() }, &body), order, "backwards");
    assert_eq!(take(Header { previous: [1; 32], ..good.clone() }, &body), order, "another chain");
    assert_eq!(take(good.clone(), &next), order, "another number inside");
    let foreign = |what| Err(Error::Envelope(Refused::Foreign(what)));
    assert_eq!(take(Header { list: [1; 16], ..good.clone() }, &body), foreign("list"));
    assert_eq!(take(Header { epoch: EPOCH + 1, ..good.clone() }, &body), foreign("epoch"));
    assert_eq!(take(Header { under: [1; 32], ..good.clone() }, &body), foreign("manifest or task"));
    assert_eq!(take(Header { recipient: id(9), ..good.clone() }, &body), Err(Error::Envelope(Refused::Recipient)));
    assert_eq!(take(Header { until: NOW - 1, ..good.clone() }, &body), Err(Error::Envelope(Refused::Expired)));
    assert!(matches!(take(Header { issued: tip.issued - 1, ..good.clone() }, &body), Err(Error::Order(_))));
    assert!(matches!(take(good, b"nothing"), Err(Error::Malformed(_))));
    let last = Tip { seq: u64::MAX, ..tip.clone() };
    assert!(last.next(&signed(after(&tip, 1, NOW), body, &[1, 2]), &manifest, NOW).is_err());
}

#[test]
fn what_is_a_week_old_or_from_the_future_is_not_fresh() {
    let mut chance = Chance::new(8);
    let tip = begun(&mut chance).2;
    let fresh = |age: i64| Tip { issued: NOW - age, ..tip.clone() }.is_fresh(NOW);
    assert!(fresh(0) && fresh(FRESH) && fresh(-SKEW));
    assert!(!fresh(FRESH + 1) && !fresh(-SKEW - 1));
    assert!(!Tip { issued: i64::MIN, ..tip.clone() }.is_fresh(i64::MAX));
    assert!(!Tip { issued: i64::MAX, ..tip }.is_fresh(i64::MIN));
}
