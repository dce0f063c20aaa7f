//! The list: whatever comes as a segment or delta, a manifest or an entry, nothing opens but what was published, and what is read is written again
//! as the same bytes.
#![no_main]

use std::{convert::Infallible, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use matching::{
    list::{
        Book, By, Capsule, Entry, Key, Listed, Manifest, Opened, Output, Publication, Stats, Status, Table,
        entry::{Pap, Place, SourceKind, Tlp},
        manifest::EditSide,
    },
    token::{Class, Group, NORM_VERSION},
};

/// Chance that repeats: SHA-256 of a counter.
struct Chance(u64);

impl rand_core::TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&matching::sha256(&[&self.0.to_be_bytes()])[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Chance {}

const LIST: [u8; 16] = [1; 16];
const STRONG: Output = [2; 64];
const WEAK: Output = [3; 64];

struct Known {
    segment: Vec<u8>,
    delta: Vec<u8>,
    table: Vec<u8>,
    opened: Vec<Opened>,
    manifest: Vec<u8>,
    capsule: Vec<u8>,
    reason: Vec<u8>,
    publication: Vec<u8>,
}

fn entry() -> Entry {
    Entry {
        id: [5; 16],
        version: 2,
        names: vec!["Nepveld Hosting B.V.".into()],
        aliases: vec!["Nep".into()],
        country: Some(*b"NL"),
        places: vec![Place { city: "Utrecht".into(), postal_code: "3500 AA".into() }],
        identifiers: vec![(Class::Domain, "nepveld.example".into()), (Class::Asn, "AS64500".into())],
        category: "bulletproof hosting".into(),
        reason_nl: "Waarom".into(),
        reason_en: "Why".into(),
        source: "2026-00001".into(),
        source_kind: SourceKind::Case,
        legal_basis: "art. 0".into(),
        criterion: "3.2".into(),
        protocol: "https://protocol.example/".into(),
        listed_at: 1_799_000_000_000,
        review_by: 1_810_000_000_000,
        tlp: Tlp::default(),
        pap: Pap::default(),
        officer_role: "coordinator".into(),
        contact: "list@holder.example".into(),
        contest_url: "https://desk.example/".into(),
        contest_desk: "Desk".into(),
        evidence: vec![[7; 32]],
        not_to_be_confused_with: "Nepveld Bakkerij".into(),
        replaces: Some(([5; 16], 1)),
    }
}

fn manifest(segment: &[u8]) -> Manifest {
    let stats = Stats::of(segment).expect("what was built");
    Manifest {
        name: "list".into(),
        holder: "holder".into(),
        not_before: 1,
        not_after: 2,
        norm_version: NORM_VERSION,
        edit_side: EditSide::List,
        rarity_bits: 20,
        groups: vec![(Group::Registries, vec![[1; 32]]), (Group::Names, vec![[2; 32]])],
        officers: vec![[3; 32], [4; 32]],
        evaluator: [5; 32],
        desk: [6; 32],
        desk_hpke: [7; 32],
        log_origin: "list.example/one".into(),
        log_key: "list.example/one+00000000+AA==".into(),
        segment: matching::sha256(&[segment]),
        records: stats.records,
        slots: stats.slots,
        entries_size: 9,
        entries_root: [8; 32],
        predecessor: [0; 32],
        guesses: vec![(Group::Registries, 64), (Group::Names, 256)],
        contest: "https://desk.example/".into(),
        protocol: "https://protocol.example/".into(),
    }
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut chance = Chance(0);
    let one = Listed {
        key_full: Key::new([4; 32]),
        capsule: b"names".to_vec(),
        capsule_proof: b"path".to_vec(),
        reason: b"why".to_vec(),
        reason_proof: b"salt".to_vec(),
        status: Status::Live,
        since: 1,
        tokens: vec![(STRONG, Class::Domain, 0), (WEAK, Class::NameSorted, 0)],
    };
    let mut publication = Publication::new(LIST, 1);
    let built = publication.build(&[one], &mut chance).expect("one entry is built");
    let mut desk = Table::decode(&publication.table().encode()).expect("what was written");
    let table = desk.suspend(&[(built.slots[0], 2)], &mut chance).expect("the entry is live");
    let delta = publication.delta(&[], &[], &mut chance).expect("nothing is added").body;
    let book = Book::new(LIST, 1, built.body.clone()).expect("what was built");
    let opened = [STRONG, WEAK].iter().flat_map(|output| book.open(output)).collect();
    let (manifest, entry) = (manifest(&built.body).encode(), entry());
    assert!(Manifest::read(&manifest).is_ok() && entry.check(1_800_000_000_000).is_empty());
    let (capsule, reason) = (entry.capsule_bytes(), entry.reason_bytes());
    let publication = publication.encode().to_vec();
    Known { segment: built.body, delta, table, opened, manifest, capsule, reason, publication }
});

/// The body with some bytes changed: places and values come from the input.
fn changed(body: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % body.len();
        body[at] = change[2];
        if change[3] == 0 {
            body.truncate(at);
        }
        if body.is_empty() {
            break;
        }
    }
    body
}

fn same(opened: &Opened, other: &Opened) -> bool {
    let kept = Opened { status: other.status, since: other.since, ..opened.clone() };
    kept == *other
}

fuzz_target!(|bytes: &[u8]| {
    let known = &*KNOWN;
    for body in [bytes.to_vec(), changed(&known.segment, bytes)] {
        let _ = Stats::of(&body);
        if let Ok(mut book) = Book::new(LIST, 1, body) {
            for (delta, by) in [(&known.table, By::Desk), (&known.delta, By::Officers)] {
                let _ = book.add(changed(delta, bytes), by);
                for opened in [STRONG, WEAK].iter().flat_map(|output| book.open(output)) {
                    assert!(known.opened.iter().any(|one| same(&opened, one)), "something else opened");
                }
            }
        }
    }
    for body in [bytes.to_vec(), changed(&known.manifest, bytes)] {
        if let Ok(manifest) = Manifest::read(&body) {
            assert_eq!(manifest.encode(), body);
        }
    }
    for body in [bytes.to_vec(), changed(&known.capsule, bytes)] {
        if let Ok(capsule) = Capsule::read(&body) {
            assert_eq!(capsule.encode(), body);
        }
        both(&body, &known.reason);
    }
    both(&known.capsule, &changed(&known.reason, bytes));
    // An entry is a capsule and a reason: cut in two at the length in front.
    if let Some((length, rest)) = bytes.split_first_chunk::<2>()
        && let Some((capsule, reason)) = rest.split_at_checked(u16::from_be_bytes(*length).into())
    {
        both(capsule, reason);
    }
    for body in [bytes.to_vec(), changed(&known.publication, bytes)] {
        if let Ok(publication) = Publication::decode(&body) {
            assert_eq!(&publication.encode()[..], body);
        }
    }
    if let Ok(table) = Table::decode(bytes) {
        assert_eq!(&table.encode()[..], bytes);
    }
});

/// The two parts of an entry.
fn both(capsule: &[u8], reason: &[u8]) {
    if let Ok(entry) = Entry::read(capsule, reason) {
        assert_eq!((entry.capsule_bytes(), entry.reason_bytes()), (capsule.to_vec(), reason.to_vec()));
        let _ = (entry.check(1_800_000_000_000), entry.completeness());
    }
}
