//! A list from its first entry to a withdrawal, and what may not happen on the way.

mod world;

use matching::{
    envelope::{Envelope, Kind},
    list::{Book, By as Made, Manifest, Status, Table, chain::Tip},
    token::{Class, identifier},
};

use super::{desk::DeskList, form::Form, sign::countersign, *};
use crate::{
    chance::system,
    log::{Anchor, LogProof, check, listed, published},
};
use world::{NOW, World, form};

/// Each field that must be there, emptied or spoilt.
#[test]
fn an_entry_is_refused_without_what_it_needs() {
    type Spoil = fn(&mut Form);
    let cases: [(&str, Spoil); 21] = [
        ("source", |form| form.source.clear()),
        ("legal_basis", |form| form.legal_basis = "  ".into()),
        ("criterion", |form| form.criterion.clear()),
        ("protocol", |form| form.protocol.clear()),
        ("category", |form| form.category.clear()),
        ("review_by", |form| form.review_by.clear()),
        ("review_by", |form| form.review_by = "2019-01-01".into()),
        ("review_by", |form| form.review_by = "2099-01-01".into()),
        ("review_by", |form| form.review_by = "01-03-2027".into()),
        ("tlp", |form| form.tlp = "TLP:RED".into()),
        ("tlp", |form| form.tlp = "amber".into()),
        ("pap", |form| form.pap = "PAP:BLUE".into()),
        ("names", |form| (form.names, form.aliases, form.identifiers) = Default::default()),
        ("reason_nl", |form| (form.reason_nl, form.reason_en) = Default::default()),
        ("contest_url", |form| (form.contest_url, form.contest_desk) = Default::default()),
        ("contest_url", |form| form.contest_url = "http://desk.example/".into()),
        ("officer_role", |form| form.officer_role.clear()),
        ("contact", |form| form.contact.clear()),
        ("kvk", |form| form.identifiers = [("kvk".to_owned(), vec!["1234".to_owned()])].into()),
        ("identifiers", |form| form.identifiers = [("kvkk".to_owned(), vec!["12345678".to_owned()])].into()),
        ("names", |form| form.names = vec!["!!!".into()]),
    ];
    let mut world = World::new("refused");
    for (field, spoil) in cases {
        let mut form = form("Voorbeeld Hosting B.V.", "12345678");
        spoil(&mut form);
        let officer = world.officers[0].clone();
        match world.holder().add(form, &officer, NOW, &mut system()) {
            Err(Error::Problems(problems)) => {
                assert!(problems.iter().any(|problem| problem.field == field), "{field}: {problems:?}")
            }
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(world.holder().state().entries.is_empty());
}

#[test]
fn files_of_entries_are_read_or_say_where_they_are_wrong() {
    let one = toml::to_string(&form("Een B.V.", "12345678")).unwrap();
    assert_eq!(form::read(&one).unwrap(), [form("Een B.V.", "12345678")]);
    let json = serde_json::to_string(&form("Een B.V.", "12345678")).unwrap();
    assert_eq!(form::read(&json).unwrap(), [form("Een B.V.", "12345678")]);
    assert_eq!(form::read(&format!("[{json},{json}]")).unwrap().len(), 2);
    assert!(form::read("naam = 'x'").unwrap_err().contains("naam"));
}

#[test]
fn nobody_lists_alone() {
    let mut world = World::new("alone");
    let [first, second, stranger] = world.three();
    let mut rng = system();
    let (id, told) = world.holder().add(form("Voorbeeld Hosting B.V.", "12345678"), &first, NOW, &mut rng).unwrap();
    assert!(told.is_empty());
    let name = hex(&id);
    assert!(matches!(world.holder().add(form("X B.V.", "87654321"), &stranger, NOW, &mut rng), Err(Error::Officer(_))));
    assert!(matches!(world.holder().accept(&name, &first, NOW), Err(Error::SameReader)));
    assert!(matches!(world.holder().accept(&name, &stranger, NOW), Err(Error::Officer(_))));
    let log = world.log.clone();
    assert!(matches!(world.holder().publish(&first, &log, false, None, NOW, &mut rng), Err(Error::Empty)));
    let both = [name.clone(), "ffff0000".to_owned()];
    assert!(world.holder().accept_all(&both, &second, NOW).is_err());
    assert!(world.holder().state().entries[0].accepted.is_none(), "all of them, or none");
    world.holder().accept_all(&both[..1], &second, NOW).unwrap();

    // The same identifier in another entry is told.
    let (_, told) = world.holder().add(form("Ander B.V.", "KvK 12 34 56 78"), &first, NOW, &mut rng).unwrap();
    assert!(told[0].contains("Voorbeeld Hosting B.V."), "{told:?}");

    // Who changes what was accepted in the file of the state has not had it read.
    let holder = world.holder();
    let reason = holder.state.entries[0].form.reason_en.clone();
    holder.state.entries[0].form.reason_en.push_str(" And more.");
    let plan = holder.plan(NOW);
    assert_eq!((plan.len(), plan.left_out.len()), (0, 2));
    holder.state.entries[0].form.reason_en = reason;

    // Two signatures, of two officers.
    let made = world.holder().publish(&first, &log, false, None, NOW, &mut rng).unwrap();
    assert!(matches!(world.holder().publish(&first, &log, false, None, NOW, &mut rng), Err(Error::Pending(_))));
    let draft = std::fs::read(&made.file).unwrap();
    assert!(matches!(countersign(&draft, &first), Err(Error::SameSigner)));
    assert!(matches!(world.holder().finish(&draft, &log, NOW, &mut rng), Err(Error::SameSigner)));
    let strange = countersign(&draft, &stranger).unwrap();
    assert!(matches!(world.holder().finish(&strange, &log, NOW, &mut rng), Err(Error::SameSigner)));
    assert!(matches!(world.holder().sign(&stranger, &log, NOW, &mut rng), Err(Error::Officer(_))));
    assert!(matches!(world.holder().finish(&draft[..draft.len() - 1], &log, NOW, &mut rng), Err(Error::Envelope(_))));
    let signed = countersign(&draft, &second).unwrap();
    let finished = world.holder().finish(&signed, &log, NOW, &mut rng).unwrap();
    assert_eq!(finished.number, (1, 0));
    assert!(matches!(world.holder().sign(&second, &log, NOW, &mut rng), Err(Error::NothingPending)));
}

/// A provider that reads everything from files.
struct Reader {
    manifest: Manifest,
    tip: Tip,
    book: Book,
    seen: crate::log::Seen,
    roots: Vec<crate::log::Seen>,
}

impl Reader {
    fn new(file: &str) -> Reader {
        let all = Envelope::read_all(&std::fs::read(file).unwrap(), 3).unwrap();
        let manifest = Manifest::read(&all[0].body).unwrap();
        let anchor = Anchor::parse(&manifest.log_key).unwrap();
        let proof = LogProof::decode(&all[2].body).unwrap();
        let checked = check::check(&proof, &anchor, &published(Kind::Manifest, &all[0].hash()), None, None).unwrap();
        assert_eq!((manifest.entries_size, manifest.entries_root), (checked.entries.size, checked.entries.root));
        let header = &all[0].header;
        let book = Book::new(header.list, header.epoch, all[1].body.clone()).unwrap();
        Reader { tip: Tip::of(&all[0]), manifest, book, seen: checked.seen, roots: vec![checked.entries] }
    }

    fn delta(&mut self, file: &str) -> Result<Made, matching::list::Error> {
        let all = Envelope::read_all(&std::fs::read(file).unwrap(), 2).unwrap();
        let (by, body, tip) = self.tip.next(&all[0], &self.manifest, NOW)?;
        self.book.add(body.to_vec(), by)?;
        self.tip = tip;
        if let Some(proof) = all.get(1) {
            let proof = LogProof::decode(&proof.body).unwrap();
            let anchor = Anchor::parse(&self.manifest.log_key).unwrap();
            let leaf = published(Kind::Delta, &all[0].hash());
            let checked = check::check(&proof, &anchor, &leaf, Some(&self.seen), None).unwrap();
            self.seen = checked.seen;
            self.roots.push(checked.entries);
        }
        Ok(by)
    }

    /// How an entry with this number stands, with its reason proven in the log.
    fn status(&self, world: &World, kvk: &str) -> Vec<(Status, String)> {
        let token = identifier::of(Class::Kvk, kvk).unwrap();
        let holder = world.holder.as_ref().unwrap();
        let keys =
            holder.keys_of(holder.state.epochs.iter().find(|epoch| epoch.epoch == self.manifest_epoch()).unwrap()).unwrap();
        let (_, key) = keys.groups().find(|(group, _)| *group == token.class().group()).unwrap();
        let output = key.evaluate(&token.input()).unwrap();
        let opened = self.book.open(&output);
        let read = |one: &matching::list::Opened| {
            let logged = listed::check_capsule(&one.capsule_proof, &one.capsule, &self.roots).unwrap();
            let (reason, proof) = one.reason.as_ref().unwrap();
            listed::check_reason(&logged, proof, reason).unwrap();
            let entry = Entry::read(&one.capsule, reason).unwrap();
            (one.status, entry.names.first().cloned().unwrap_or_default())
        };
        opened.iter().map(read).collect()
    }

    fn manifest_epoch(&self) -> u32 {
        self.tip.epoch
    }
}

#[test]
fn a_list_lives_through_deltas_and_epochs() {
    let mut world = World::new("lives");
    let [first, second, _] = world.three();
    let a = world.listed("Een Hosting B.V.", "11111111");
    let b = world.listed("Twee Hosting B.V.", "22222222");
    let base = world.published(false);
    let mut reader = Reader::new(&base);
    assert_eq!(reader.status(&world, "11111111"), [(Status::Live, "Een Hosting B.V.".to_owned())]);
    assert!(reader.status(&world, "33333333").is_empty());

    // Added and withdrawn in one delta.
    world.listed("Drie Hosting B.V.", "33333333");
    world.holder().withdraw(&hex(&a), "the suspicion was not confirmed", &first, NOW).unwrap();
    assert!(matches!(world.holder().withdraw(&hex(&a), "again", &first, NOW), Err(Error::Withdrawn(_))));
    let one = world.published(false);
    let mut late = Reader::new(&base);
    assert_eq!(reader.delta(&one), Ok(Made::Officers));
    assert_eq!(reader.status(&world, "11111111")[0].0, Status::Withdrawn);
    assert_eq!(reader.status(&world, "33333333")[0].0, Status::Live);

    // A new version comes in a new slot, and the old one is withdrawn.
    let mut amended = form("Twee Hosting Nederland B.V.", "22222222");
    amended.aliases = vec!["Twee Servers".into()];
    let (id, version) = world.holder().amend(&hex(&b), amended, &first, NOW).unwrap();
    assert_eq!((id, version), (b, 2));
    world.holder().accept(&hex(&b), &second, NOW).unwrap();
    let two = world.published(false);
    // A gap is noticed.
    assert!(matches!(late.delta(&two), Err(matching::list::Error::Order(_))));
    assert_eq!(reader.delta(&two), Ok(Made::Officers));
    let mut statuses = reader.status(&world, "22222222");
    statuses.sort();
    assert_eq!(
        statuses,
        [(Status::Live, "Twee Hosting Nederland B.V.".to_owned()), (Status::Withdrawn, "Twee Hosting B.V.".to_owned())]
    );

    // A new epoch has what stands, with new keys, and leads back to what was seen.
    let seen = reader.seen;
    let next = world.published(true);
    let fresh = Reader::new(&next);
    assert_eq!(fresh.tip.epoch, 2);
    assert!(fresh.status(&world, "11111111").is_empty());
    assert_eq!(fresh.status(&world, "22222222").len(), 1);
    let all = Envelope::read_all(&std::fs::read(&next).unwrap(), 3).unwrap();
    let proof = LogProof::decode(&all[2].body).unwrap();
    let anchor = Anchor::parse(&fresh.manifest.log_key).unwrap();
    assert!(check::check(&proof, &anchor, &published(Kind::Manifest, &all[0].hash()), Some(&seen), None).is_ok());
    assert_eq!(fresh.manifest.predecessor, reader.tip.manifest);

    // Drafts are gone, and of each epoch that goes on there is one seed and one state; once an epoch is over, none.
    let files = |world: &World, folder: &str| std::fs::read_dir(world.dir.0.join("list").join(folder)).unwrap().count();
    assert_eq!((files(&world, "drafts"), files(&world, "epochs")), (0, 4));
    world.now += 100 * 86_400_000;
    world.published(true);
    world.now += 110 * 86_400_000;
    world.published(true);
    assert_eq!(files(&world, "epochs"), 4 - 2);
}

#[test]
fn overdue_entries_are_left_out_and_that_is_said() {
    let mut world = World::new("overdue");
    world.listed("Een Hosting B.V.", "11111111");
    let mut short = form("Kort B.V.", "22222222");
    short.review_by = "2026-12-01".into();
    world.listed_as(short);
    let base = world.published(false);
    world.now = form::day("2026-12-02", false).unwrap();
    let plan = world.holder.as_ref().unwrap().plan(world.now);
    assert_eq!(plan.len(), 1);
    assert!(plan.left_out[0].contains("review date is over"), "{:?}", plan.left_out);
    let mut reader = Reader::new(&base);
    reader.tip.issued = NOW;
    let delta = world.published(false);
    let all = Envelope::read_all(&std::fs::read(delta).unwrap(), 2).unwrap();
    let (by, body, _) = reader.tip.next(&all[0], &reader.manifest, world.now).unwrap();
    reader.book.add(body.to_vec(), by).unwrap();
    assert_eq!(reader.status(&world, "22222222")[0].0, Status::Withdrawn);
    assert_eq!(reader.status(&world, "11111111")[0].0, Status::Live);
}

#[test]
fn the_desk_gets_the_list_and_can_suspend() {
    let mut world = World::new("desk");
    let [first, _, _] = world.three();
    world.listed("Een Hosting B.V.", "11111111");
    let base = world.published(false);
    let mut reader = Reader::new(&base);

    // What the desk opens with its key, and nobody else.
    let file = base.replace("/public/", "/desk/").replace(".slu", ".desk.slu");
    let envelope = Envelope::read_all(&std::fs::read(file).unwrap(), 1).unwrap().remove(0);
    let label = desk::label(&envelope.header);
    assert!(first.opener.open(&envelope.body, desk::INFO, &label).is_err());
    let opened = world.desk.opener.open(&envelope.body, desk::INFO, &label).unwrap();
    let list = DeskList::decode(&opened).unwrap();
    assert_eq!(list.encode().to_vec(), opened);
    let one = &list.entries[0];
    let logged = listed::check_capsule(&one.capsule_proof, &one.capsule, &reader.roots).unwrap();
    listed::check_reason(&logged, &one.reason_proof, &one.reason).unwrap();

    // Its delta suspends; the holder's next one follows it.
    let mut table = Table::decode(&list.table).unwrap();
    let body = table.suspend(&[(one.slot, NOW)], &mut system()).unwrap();
    let mut header = matching::envelope::Header::new(Kind::Delta, world.desk.public.key, [0; 32], NOW, NOW + 90 * 86_400_000);
    (header.list, header.epoch, header.under) = (reader.tip.list, 1, reader.tip.manifest);
    (header.seq, header.previous) = (1, reader.tip.hash);
    let delta = Envelope::signed(header.clone(), body.clone(), &world.desk.signing).encode();
    let by_officer =
        Envelope::signed(matching::envelope::Header { sender: first.public.key, ..header }, body, &first.signing).encode();
    assert!(world.holder().take_desk(&by_officer, NOW).is_err());
    let told = world.holder().take_desk(&delta, NOW).unwrap();
    assert!(told[0].contains("Een Hosting B.V."), "{told:?}");
    assert!(matches!(world.holder().take_desk(&delta, NOW), Err(Error::Desk(_))));
    let path = world.dir.0.join("desk-delta.slu");
    std::fs::write(&path, &delta).unwrap();
    assert_eq!(reader.delta(path.to_str().unwrap()), Ok(Made::Desk));
    assert_eq!(reader.status(&world, "11111111")[0].0, Status::Suspended);

    let next = world.published(false);
    assert_eq!(reader.delta(&next), Ok(Made::Officers));
    assert_eq!(reader.status(&world, "11111111")[0].0, Status::Suspended);
    // In a new epoch too, until officers lift it.
    let epoch = world.published(true);
    assert_eq!(Reader::new(&epoch).status(&world, "11111111")[0].0, Status::Suspended);
    world.holder().lift("zzzz", &first).unwrap_err();
    let name = world.holder().state.entries[0].id.clone();
    world.holder().lift(&name, &first).unwrap();
    let mut reader = Reader::new(&epoch);
    let lifted = world.published(false);
    reader.delta(&lifted).unwrap();
    assert_eq!(reader.status(&world, "11111111")[0].0, Status::Live);
}

#[test]
fn files_of_lists_of_one_class_have_one_size() {
    let mut sizes = Vec::new();
    for (name, count) in [("small", 1), ("large", 4)] {
        let mut world = World::new(name);
        for at in 0..count {
            // One identifier and no names: the same class of size.
            let mut form = form("Een Hosting B.V.", &format!("1111111{at}"));
            form.names.clear();
            world.listed_as(form);
        }
        let base = world.published(false);
        if count == 4 {
            let id = world.holder().state.entries[0].id.clone();
            let officer = world.officers[0].clone();
            world.holder().withdraw(&id, "why", &officer, NOW).unwrap();
        }
        let delta = world.published(false);
        sizes.push([base, delta].map(|file| std::fs::metadata(file).unwrap().len()));
    }
    assert_eq!(sizes[0], sizes[1]);
}

#[test]
fn a_diff_is_read_by_people() {
    let mut world = World::new("diff");
    let [first, second, _] = world.three();
    let a = world.listed("Een Hosting B.V.", "11111111");
    let b = world.listed("Twee Hosting B.V.", "22222222");
    world.published(false);
    let mut amended = form("Een Hosting B.V.", "11111111");
    amended.aliases = vec!["Een Servers".into()];
    world.holder().amend(&hex(&a), amended, &first, NOW).unwrap();
    world.holder().accept(&hex(&a), &second, NOW).unwrap();
    world.holder().withdraw(&hex(&b), "mistaken for another", &first, NOW).unwrap();
    let lines = world.holder().diff("E1-D0", "now", NOW).unwrap();
    let (a, b) = (&hex(&a)[..8], &hex(&b)[..8]);
    assert_eq!(
        lines,
        [
            format!("~ {a} Een Hosting B.V. (version 1 becomes 2)"),
            "    aliases: (nothing) -> Een Servers".to_owned(),
            "    read by: Officer 1, then Officer 2".to_owned(),
            format!("- {b} Twee Hosting B.V. (withdrawn on 2026-11-22: mistaken for another)"),
        ]
    );
    assert_eq!(world.holder().diff("E1-D0", "E1-D0", NOW).unwrap(), ["no entry changes"]);
    let all = world.holder().diff("nothing", "E1-D0", NOW).unwrap();
    assert_eq!(all.iter().filter(|line| line.starts_with("+ ")).count(), 2);
    assert!(all.iter().any(|line| line == "    kvk: 22222222"), "{all:#?}");
    assert!(matches!(world.holder().diff("E9-D9", "now", NOW), Err(Error::NoPublication(..))));
}

#[test]
fn a_draft_is_thrown_away_and_its_epoch_never_used_again() {
    let mut world = World::new("discard");
    let [first, second, _] = world.three();
    let log = world.log.clone();
    let mut rng = system();
    world.listed("Een Hosting B.V.", "11111111");
    let made = world.holder().publish(&first, &log, false, None, NOW, &mut rng).unwrap();
    let thrown = countersign(&std::fs::read(&made.file).unwrap(), &second).unwrap();
    world.holder().discard(&log).unwrap();
    assert!(matches!(world.holder().discard(&log), Err(Error::NothingPending)));
    let base = world.published(false);
    assert_eq!(Reader::new(&base).tip.epoch, 2);
    // What was thrown away is not published later, whoever signed it.
    world.holder().publish(&first, &log, false, None, NOW, &mut rng).unwrap();
    assert!(matches!(world.holder().finish(&thrown, &log, NOW, &mut rng), Err(Error::OtherDraft(_))));
}

#[test]
fn namesakes_are_told() {
    let mut world = World::new("namesakes");
    world.listed("Kwikstaart Hosting B.V.", "11111111");
    world.listed("De Groep B.V.", "22222222");
    let register = ["Kwikstaart Hosting", "Kwikstaarthosting VOF", "Zeearend Transport B.V.", "Kwikstart Hosting B.V."];
    let rows = register.iter().enumerate().map(|(row, name)| (format!("row {}", row + 2), (*name).to_owned()));
    let reviewed = world.holder().review(None, rows, NOW).unwrap();
    let found: Vec<(&str, &str)> = reviewed[0].namesakes.iter().map(|one| (one.other.as_str(), one.place.as_str())).collect();
    assert_eq!(found, [("Kwikstaart Hosting", "row 2"), ("Kwikstaarthosting VOF", "row 3"), ("Kwikstart Hosting B.V.", "row 5")]);
    assert_eq!((reviewed[0].state, reviewed[0].due), ("ready", false));
    assert!(reviewed[0].completeness > 50);
}

/// Killed before each write in turn: afterwards there is the old publication or the new one, everything goes on, and no number occurs twice.
#[test]
fn a_kill_at_any_write_leaves_the_old_or_the_new_publication() {
    let nameless = |kvk: &str| Form { names: Vec::new(), ..form("", kvk) };
    let (mut killed, mut base, mut writes) = (0, true, 0);
    loop {
        let mut world = World::new(&format!("kill-{base}-{writes}"));
        let [first, second, _] = world.three();
        let log = world.log.clone();
        world.listed_as(nameless("11111111"));
        let mut files = Vec::new();
        if !base {
            files.push(world.published(false));
            world.listed_as(nameless("22222222"));
        }
        crate::crash::after(Some(writes));
        let holder = world.holder();
        let made = holder.publish(&first, &log, false, None, NOW, &mut system());
        let signed = made.and_then(|_| holder.sign(&second, &log, NOW, &mut system()));
        crate::crash::after(None);
        let whole = signed.is_ok();
        killed += usize::from(!whole);
        // The next morning: whatever was begun is finished, and then comes one more.
        let signed = signed.or_else(|_| {
            let holder = world.holder();
            if holder.state.draft.as_ref().is_none_or(|draft| draft.file.is_empty()) {
                holder.publish(&first, &log, false, None, NOW, &mut system())?;
            }
            world.holder().sign(&second, &log, NOW, &mut system())
        });
        files.push(signed.unwrap().file);
        files.push(world.published(false));
        let mut reader = Reader::new(&files[0]);
        for file in &files[1..] {
            reader.delta(file).unwrap();
        }
        assert_eq!(reader.status(&world, "11111111").len(), 1);
        assert_eq!(reader.status(&world, "22222222").len(), usize::from(!base));
        // No slot of the log occurs twice.
        let log = world.holder().log(&log).unwrap();
        let leaves: Vec<Vec<u8>> = (0..log.size()).map(|at| log.entry(at).unwrap().unwrap()).collect();
        let slots: std::collections::BTreeSet<&[u8]> = leaves.iter().map(|leaf| &leaf[2..34]).collect();
        assert_eq!(slots.len(), leaves.len());
        // Once nothing was killed any more, every write had its turn: first of a new epoch, then of a delta.
        match (whole, base) {
            (false, _) => writes += 1,
            (true, true) => (base, writes) = (false, 0),
            (true, false) => break,
        }
    }
    assert!(killed > 20, "{killed}");
}

#[test]
fn an_old_copy_of_the_directory_publishes_nothing() {
    let mut world = World::new("old-copy");
    let [first, ..] = world.three();
    let log = world.log.clone();
    world.listed("Een Hosting B.V.", "11111111");
    world.published(false);
    let state = std::fs::read(world.dir.0.join("list/state.json")).unwrap();
    world.listed("Twee Hosting B.V.", "22222222");
    world.published(false);
    std::fs::write(world.dir.0.join("list/state.json"), state).unwrap();
    let refused = world.holder().publish(&first, &log, false, None, NOW, &mut system());
    assert!(matches!(refused, Err(Error::Old { .. })), "{refused:?}");
}

/// What lies about a list without secrets of its holder says nothing of who is on it.
#[test]
fn public_files_do_not_name_anybody() {
    let mut world = World::new("grep");
    world.listed("Kwikstaart Hosting B.V.", "11111111");
    let base = std::fs::read(world.published(false)).unwrap();
    for needle in ["Kwikstaart", "kwikstaart", "11111111", "CASE-2026-17", "bulletproof"] {
        assert!(!base.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
    }
}

/// Wrong cells, each with its name, and nothing imported.
#[test]
fn every_wrong_cell_of_a_sheet_is_told_at_once() {
    let mut world = World::new("import");
    let sheet = "\
naam;land;kvk;domein;categorie;reden;bron;grondslag;criterium;protocol;review_by;functie;contact;bezwaar;# eigen\n\
Een B.V.;NL;12345678;een.example;hosting;Reden;ZAAK-1;Wpg 19;C1;p 1;2027-06-30;team;t@x.example;https://desk.example/;x\n\
Twee B.V.;Nederland;1234;https://twee.example/x;hosting;Reden;;Wpg 19;C1;p 1;31-12-2027;team;t@x.example;https://desk.example/\n\
;;;;hosting;Reden;ZAAK-3;Wpg 19;C1;p 1;2027-06-30;team;t@x.example;https://desk.example/\n\
Vier B.V.;NL;KvK 12 34 56 78;;hosting;;ZAAK-4;Wpg 19;C1;p 1;2027-06-30;team;t@x.example;\n";
    let imported = world.holder().import(sheet.into(), "list.csv", NOW).unwrap();
    let cells: Vec<(&str, &str)> = imported.faults.iter().map(|fault| (fault.cell.as_str(), fault.field.as_str())).collect();
    let expected = [
        ("C3", "kvk"),
        ("B3", "country"),
        ("K3", "review_by"),
        ("G3", "source"),
        ("A4", "names"),
        ("N5", "contest_url"),
        ("F5", "reason_nl"),
    ];
    assert_eq!(cells, expected, "{:#?}", imported.faults);
    assert_eq!(imported.duplicates, ["row 5: kvk KvK 12 34 56 78 also stands in row 2"]);

    // Unknown headings are no silence either.
    let imported = world.holder().import("naam;kvk nr\nEen B.V.;1\n".into(), "list.csv", NOW).unwrap();
    assert_eq!(imported.faults[0].cell, "B1");
    assert!(world.holder().import(Vec::new(), "list.csv", NOW).is_err());
    let imported = world.holder().import("naam;kvk\n".into(), "list.csv", NOW).unwrap();
    assert_eq!(imported.faults.len(), 1);
}

#[test]
fn a_right_sheet_becomes_entries_and_the_template_is_one() {
    let mut world = World::new("template");
    let sheet = "\
naam,alias,land,plaats,kvk,domein,asn,categorie,reden,bron,grondslag,criterium,protocol,herzien voor,functie,contact,bezwaar\n\
Een B.V.; Een Hosting B.V.,Een Servers,nl,Utrecht,12345678,een.example; twee.example,AS64500,hosting,Reden,ZAAK-1,Wpg 19,C1,p 1,2027-06-30,team,t@x.example,https://desk.example/\n";
    let imported = world.holder().import(sheet.into(), "list.csv", NOW).unwrap();
    assert!(imported.faults.is_empty(), "{:#?}", imported.faults);
    assert_eq!(imported.forms[0].names, ["Een B.V.", "Een Hosting B.V."]);
    assert_eq!(imported.forms[0].identifiers["domain"], ["een.example", "twee.example"]);
    let officer = world.officers[0].clone();
    let ids = world.holder().add_all(imported.forms, &officer, NOW, &mut system()).unwrap();
    assert_eq!(ids.len(), 1);

    let template = import::template().unwrap();
    let imported = world.holder().import(template, "template.xlsx", NOW).unwrap();
    assert_eq!(imported.faults.len(), 1, "{:#?}", imported.faults);
    assert!(imported.faults[0].what.contains("no entry"), "{:#?}", imported.faults);
}

/// The drill of the manual: each key stolen in turn.
#[test]
fn stolen_keys_are_replaced() {
    let mut world = World::new("drill");
    let [first, second, third] = world.three();
    let mut rng = system();
    world.listed("Een Hosting B.V.", "11111111");
    let base = world.published(false);
    let known = Reader::new(&base).manifest.officers;

    // An officer's: with two officers there is nobody left to vouch for a third, so there are three from the start.
    let name = second.public.fingerprint();
    let refused = world.holder().replace_officer(Some(&name), Some(&third.public), NOW, &first);
    assert!(matches!(refused, Err(Error::Begin(_))));
    world.holder().replace_officer(None, Some(&third.public), NOW, &first).unwrap();
    let with_three = world.published(false);
    assert_eq!(Reader::new(&with_three).tip.epoch, 2, "other officers need a new manifest");
    world.holder().replace_officer(Some(&name), None, NOW + 5, &first).unwrap();
    assert!(matches!(world.holder().replace_officer(Some("nobody"), None, NOW, &first), Err(Error::Begin(_))));
    let log = world.log.clone();
    world.holder().publish(&first, &log, false, None, NOW, &mut rng).unwrap();
    assert!(matches!(world.holder().sign(&second, &log, NOW, &mut rng), Err(Error::Officer(_))));
    let file = world.holder().sign(&third, &log, NOW, &mut rng).unwrap().file;
    let reader = Reader::new(&file);
    assert_eq!(reader.tip.epoch, 3);
    assert!(!reader.manifest.officers.contains(&second.public.key) && known.contains(&second.public.key));
    // What the second accepted before the theft stands.
    assert_eq!(reader.status(&world, "11111111").len(), 1);

    // What they accepted after it does not.
    world.holder().state.former[0].until = NOW - 1;
    world.holder.as_ref().unwrap().save().unwrap();
    world.holder.as_mut().unwrap().state.former[0].until = NOW - 1;
    assert_eq!(world.holder.as_ref().unwrap().plan(NOW).len(), 0);
    world.holder.as_mut().unwrap().state.former[0].until = NOW + 5;
    world.holder.as_ref().unwrap().save().unwrap();

    // The key of the log.
    let new = LogAt { key: Identity::draw(crate::keys::Role::Log, "Log 2", &mut rng), beside: world.dir.0.join("keys-2") };
    assert!(matches!(world.holder().publish(&first, &new, false, None, NOW, &mut rng), Err(Error::Log(_))));
    // A key that lies beside the old one is refused, and the old log stays where it is.
    let beside = LogAt { key: new.key.clone(), beside: log.beside.clone() };
    let refused = world.holder().replace_log(&beside, "list.example/resellers-2", &first);
    assert!(matches!(refused, Err(Error::Begin(_))));
    assert!(world.dir.0.join("list/log/checkpoint").exists());
    world.holder().replace_log(&new, "list.example/resellers-2", &first).unwrap();
    world.holder().publish(&first, &new, false, None, NOW, &mut rng).unwrap();
    let file = world.holder().sign(&third, &new, NOW, &mut rng).unwrap().file;
    let reader = Reader::new(&file);
    assert_eq!((reader.tip.epoch, reader.manifest.log_origin.as_str()), (4, "list.example/resellers-2"));
    assert_eq!(reader.status(&world, "11111111").len(), 1);

    // The evaluator's, or the seed: a new epoch has new keys under the evaluator's new key.
    let evaluator = Identity::draw(crate::keys::Role::Evaluator, "Evaluator 2", &mut rng);
    world.holder().replace_evaluator(&evaluator.public, &first).unwrap();
    world.holder().publish(&first, &new, false, None, NOW, &mut rng).unwrap();
    let finished = world.holder().sign(&third, &new, NOW, &mut rng).unwrap();
    let fresh = Reader::new(&finished.file);
    assert_eq!((fresh.tip.epoch, fresh.manifest.evaluator), (5, evaluator.public.key));
    assert!(fresh.manifest.groups.iter().all(|group| !reader.manifest.groups.contains(group)));
    let keys = std::fs::read(&finished.evaluator).unwrap();
    let secret = crate::evaluator::Secret::open(&keys, &evaluator.opener).unwrap();
    for (group, public) in &fresh.manifest.groups {
        assert_eq!(secret.key(*group).unwrap().public().to_bytes(), public[0]);
    }
}

/// A corrected letter must not end a contest.
#[test]
fn an_amended_entry_stays_suspended_until_that_is_lifted() {
    let mut world = World::new("amend-suspended");
    let id = hex(&world.listed("Waterhoen Hosting", "11111111"));
    world.published(true);
    let change = state::Change { since: world.now, why: "contested".into(), by: hex(&world.desk.public.key) };
    world.holder().state.entries[0].suspended = Some(change);
    world.holder.as_ref().unwrap().save().unwrap();
    let ([first, second, _], now) = (world.three(), world.now + 1);
    world.holder().amend(&id, form("Waterhoen Hosting BV", "11111111"), &first, now).unwrap();
    world.holder().accept(&id, &second, now).unwrap();
    let plan = world.holder().plan(now);
    assert_eq!(plan.snapshot(), [(id.clone(), 2, "suspended".to_owned())]);
    world.holder().lift(&id, &first).unwrap();
    assert_eq!(world.holder().plan(now).snapshot(), [(id, 2, "live".to_owned())]);
}

/// "Hosting B.V." is the name of hundreds who are not meant.
#[test]
fn a_name_that_many_have_is_no_entry_by_itself() {
    let mut world = World::new("common");
    let ([first, second, _], now) = (world.three(), world.now);
    for (names, aliases) in [(vec!["Hosting B.V."], vec![]), (vec!["Waterhoen Netwerken"], vec!["Networks"])] {
        let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let alone =
            Form { names: own(names.clone()), aliases: own(aliases.clone()), identifiers: [].into(), ..form("x", "11111111") };
        let known = Form { identifiers: form("x", "11111111").identifiers, ..alone.clone() };
        let (id, _) = world.holder().add(alone, &first, now, &mut system()).unwrap();
        let refused = world.holder().accept(&hex(&id), &second, now);
        assert!(matches!(refused, Err(Error::Common(_))), "{names:?} {aliases:?}: {refused:?}");
        let (id, _) = world.holder().add(known, &first, now, &mut system()).unwrap();
        world.holder().accept(&hex(&id), &second, now).unwrap();
    }
}
