//! Bundles with what is to be said of each: the honest ones here, the others in `lies`.

use super::{World, lies};
use crate::bundle::{self, Bundle, Form};
use crate::record::{BATCH, EVIDENCE, Hash, Kind, OPENED, Record, STEP, Value};

/// A bundle, and what a verifier has to come to.
pub struct Example {
    /// What its file is called, without an ending.
    pub name: String,
    /// What is right or wrong with it.
    pub why: &'static str,
    /// The exit status: 0 proven, 1 invalid, 2 incomplete, 3 unreadable.
    pub exit: u8,
    /// The file.
    pub bytes: Vec<u8>,
    /// The policy to verify it by, when it is not that of the set.
    pub policy: Option<String>,
    /// The files of the public log that it is to be verified with, when the lie shows only there.
    pub log: Option<Vec<(String, Vec<u8>)>>,
}

/// Examples that are verified by one policy and the same authorities.
pub struct Set {
    /// The policy.
    pub policy: String,
    /// The trust files of time-stamping authorities: name and PEM.
    pub roots: Vec<(String, String)>,
    /// The examples.
    pub examples: Vec<Example>,
}

/// All examples; the batch among them has so many rows.
pub fn all(rows: u32) -> Set {
    let story = Story::new(rows);
    let mut examples = honest(&story);
    examples.extend(lies::all(&story));
    let roots = story.world.authorities.iter().map(|authority| (authority.name.clone(), authority.roots.clone())).collect();
    Set { policy: story.world.policy(), roots, examples }
}

/// A log in which a case went from its first report to its end, beside others.
pub struct Story {
    /// The log.
    pub world: World,
    /// Stream of the case of a person's complaint, and its twenty records.
    pub complaint: (usize, Vec<usize>),
    /// Stream of the case that was opened by a row of a batch, and its records; which row.
    pub row: (usize, Vec<usize>, u64),
    /// Stream of a case in which fields were erased, and its records.
    pub erased: (usize, Vec<usize>),
    /// The records of the node that say so.
    pub erasures: Vec<usize>,
    /// Record and number of the batch.
    pub batch: (usize, usize),
    /// The row that was erased.
    pub erased_row: u64,
}

impl Story {
    /// Tells it.
    pub fn new(rows: u32) -> Story {
        Story::told_in(World::new(), rows)
    }

    /// Tells it in this log.
    pub fn told_in(mut world: World, rows: u32) -> Story {
        world.pad(30);
        let other = world.stream();
        for record in complaint("192.0.2.99").into_iter().take(9) {
            world.seal(other, record);
        }
        let node = world.stream();
        world.publish();
        world.wait(10);

        let submission = world.stream();
        let batch = world.batch(submission, batch_of("feed of scans"), (0..rows).map(row).collect());
        let batch = (world.batches[batch].record, batch);
        let chosen = u64::from(rows) * 7 / 10;
        let from_row = world.stream();
        let mut row_records = Vec::new();
        for record in from_a_row(world.sealed[batch.0].commitment, chosen) {
            row_records.push(world.seal(from_row, record));
            world.wait(7);
        }
        world.publish();
        world.wait(30);

        let stream = world.stream();
        let mut records: Vec<usize> = Vec::new();
        for (place, mut record) in complaint("192.0.2.7").into_iter().enumerate() {
            number_letter(&world, &records, &mut record);
            if record.kind == &EVIDENCE {
                let about = records.last().map(|number| Value::Digest(world.sealed[*number].commitment));
                record.set("about", about.unwrap_or_default());
            }
            records.push(world.seal(stream, record));
            world.wait(50);
            if place % 4 == 3 {
                world.publish();
                world.wait(20);
            }
        }

        let forgotten = world.stream();
        let forgotten_records: Vec<usize> =
            complaint("192.0.2.8").into_iter().take(4).map(|record| world.seal(forgotten, record)).collect();
        world.publish();
        world.wait(10_000);
        let before = world.sealed.len();
        let reporter = OPENED.ordinal("reporter").unwrap();
        let name = OPENED.ordinal("party_name").unwrap();
        let erased_row = u64::from(rows) / 3;
        world.erase(node, &[(forgotten_records[0], &[name, reporter])], &[(batch.1, erased_row)]);
        let erasures = (before..world.sealed.len()).collect();
        world.publish();
        world.wait(45);
        world.publish();
        Story {
            world,
            complaint: (stream, records),
            row: (from_row, row_records, chosen),
            erased: (forgotten, forgotten_records),
            erasures,
            batch,
            erased_row,
        }
    }

    /// The bundle of the complaint, all of it shown.
    pub fn whole(&self) -> Bundle {
        self.world.bundle(self.complaint.0, &self.complaint.1, &[], &|_, _| true)
    }

    /// The bundle of the case of a row: its records, that of the batch, and the report.
    pub fn fed(&self) -> Bundle {
        let records: Vec<usize> = self.row.1.iter().copied().chain([self.batch.0]).collect();
        self.world.bundle(self.row.0, &records, &[(self.batch.1, self.row.2)], &|_, _| true)
    }
}

fn honest(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let all = |_: usize, _: &str| true;
    let court = |_: usize, name: &str| !matches!(name, "reporter" | "actor");
    let mut examples = Vec::new();
    let mut add = |name: &str, why, exit, bundle: &Bundle| examples.push(example(name, why, exit, bundle));
    add("good-whole", "a case of twenty records, all of it shown", 0, &story.whole());
    add(
        "good-court",
        "the same, without who reported it and which colleagues worked on it",
        0,
        &world.bundle(story.complaint.0, &story.complaint.1, &[], &court),
    );
    add("good-row", "a case that was opened by one row of a batch, of which another row was erased", 0, &story.fed());
    let mut records = story.erased.1.clone();
    records.extend(&story.erasures);
    add(
        "good-erased",
        "two fields of the case were erased, and a record says so",
        0,
        &world.bundle(story.erased.0, &records, &[], &all),
    );
    let records: Vec<usize> = story.erasures.iter().copied().chain([story.batch.0]).chain(story.row.1.iter().copied()).collect();
    let rows = [(story.batch.1, story.erased_row), (story.batch.1, story.row.2)];
    add(
        "good-erased-row",
        "a row of the batch was erased, and a record says so",
        0,
        &world.bundle(story.row.0, &records, &rows, &all),
    );
    let own = |_: usize, name: &str| {
        matches!(name, "event" | "stream" | "seq" | "prev" | "recorded_at" | "secret_commitment")
            || matches!(name, "resource" | "category" | "first_seen" | "reporter" | "submission" | "completeness" | "occurred_at")
    };
    let first = &story.complaint.1[..1];
    let mut receipt = world.bundle(story.complaint.0, first, &[], &own);
    receipt.form = Form::Receipt;
    add("good-receipt", "the receipt of who complained, with the proof", 0, &receipt);
    add("early-receipt", "the same from before the next checkpoint", 2, &world.early_receipt(story.complaint.0, first, &own));
    examples
}

pub(super) fn example(name: &str, why: &'static str, exit: u8, bundle: &Bundle) -> Example {
    Example { name: name.to_owned(), why, exit, bytes: bundle::write(bundle).unwrap(), policy: None, log: None }
}

/// Gives a letter its number among those to its party.
fn number_letter(world: &World, records: &[usize], record: &mut Record) {
    let letter = |record: &Record| {
        matches!(record.get("event"), Value::Text(event) if ["told", "reminded", "warned", "restriction proposed"].contains(&event.as_str()))
            && record.kind == &STEP
    };
    if !letter(record) {
        return;
    }
    let before: Vec<Hash> =
        records.iter().map(|number| &world.sealed[*number]).filter(|one| letter(&one.record)).map(|one| one.commitment).collect();
    record.set("party_seq", Value::Number(before.len() as u64));
    record.set("party_prev", before.last().map_or(Value::Absent, |last| Value::Digest(*last)));
}

const PARTY: [u8; 16] = *b"voorbeeld-web-bv";

fn step(kind: &'static Kind, event: &str, more: &[(&str, Value)]) -> Record {
    let mut record = World::record(kind, event);
    record.set("party", Value::Bytes(PARTY.to_vec()));
    record.set("party_name", Value::text("Voorbeeld Webruimte B.V."));
    record.set("severity", Value::text("P1"));
    more.iter().for_each(|(name, value)| record.set(name, value.clone()));
    record
}

/// The records of a case about a complaint: twenty, of all kinds that a case has.
fn complaint(address: &str) -> Vec<Record> {
    let text = Value::text;
    let first_seen = 1_772_436_000_000;
    let opened = [
        ("resource", text(address)),
        ("category", text("phishing")),
        ("first_seen", Value::Time(first_seen)),
        ("occurred_at", Value::Time(first_seen + 600_000)),
        ("reporter", text("meldpunt@bank.example")),
        ("submission", Value::Digest([0x5a; 32])),
        ("chain", Value::list(["Voorbeeld Hosting B.V. (provider)", "Voorbeeld Webruimte B.V. (customer)"])),
        ("attribution", text("own contract record")),
        ("attribution_source", text("klantenadministratie")),
        ("attribution_checked", Value::Time(first_seen - 7_200_000)),
        ("completeness", Value::list(["explanation", "location", "notifier", "good faith"])),
        ("rule", text("phishing")),
    ];
    let mail = format!(
        "Message-ID: <1@provider.example>\r\nTo: abuse@webruimte.example\r\nSubject: {address}\r\n\r\nGeachte heer, mevrouw,\r\n"
    );
    let letter = |what: &str, media: &str, content: &str| {
        let what = [
            ("what", text(what)),
            ("media", text(media)),
            ("content", Value::Bytes(content.as_bytes().to_vec())),
            ("recipient", text("abuse@webruimte.example")),
            ("message_id", text("1@provider.example")),
        ];
        step(&EVIDENCE, "evidence", &what)
    };
    let person = ("actor", text("J. de Vries"));
    let due = |days: i64| ("due", Value::Time(first_seen + days * 86_400_000));
    vec![
        step(&OPENED, "opened", &opened),
        step(&STEP, "clocks set", &[due(1), ("rule", text("phishing"))]),
        step(&STEP, "told", &[due(1), ("text", text("Letter to abuse@webruimte.example."))]),
        letter("letter", "eml", &mail),
        letter("transcript", "txt", "RCPT TO:<abuse@webruimte.example>\n250 2.1.5 Ok\n250 2.0.0 Ok: queued as 4XyZ\n"),
        step(&STEP, "reminded", &[due(2)]),
        letter("letter", "eml", &mail),
        step(&STEP, "noted", &[person.clone(), ("text", text("Gebeld met de klant:\n\"we kijken ernaar\"."))]),
        step(&STEP, "severity raised", &[("severity", text("P0"))]),
        step(&STEP, "warned", &[due(3)]),
        letter("letter", "eml", &mail),
        step(&STEP, "overdue", &[]),
        step(&STEP, "restriction proposed", &[("text", text("Suspend the site."))]),
        letter("reply", "bin", "\0\u{1}binary\0"),
        step(&STEP, "disputed", &[("text", text("The customer says that the page is gone."))]),
        step(&STEP, "dispute decided", &[person.clone(), ("text", text("It is gone."))]),
        step(&STEP, "confirmed", std::slice::from_ref(&person)),
        step(&STEP, "closed", std::slice::from_ref(&person)),
        step(&STEP, "reopened", &[]),
        step(&STEP, "closed", &[person]),
    ]
}

/// The records of a case that a row of a batch opened.
fn from_a_row(batch: Hash, place: u64) -> Vec<Record> {
    let [resource, observed, category, _] = row(place as u32);
    let opened = [
        ("resource", resource),
        ("category", category),
        ("first_seen", observed),
        ("reporter", Value::text("feed of scans")),
        ("submission", Value::Digest([0x6b; 32])),
        ("batch", Value::Digest(batch)),
        ("batch_index", Value::Number(place)),
        ("chain", Value::list(["Voorbeeld Hosting B.V. (provider)", "Voorbeeld Webruimte B.V. (customer)"])),
        ("attribution", Value::text("address registry")),
    ];
    vec![step(&OPENED, "opened", &opened), step(&STEP, "clocks set", &[]), step(&STEP, "told", &[])]
}

fn batch_of(reporter: &str) -> Record {
    let mut record = World::record(&BATCH, "received");
    record.set("submission", Value::Digest([0x6b; 32]));
    record.set("format", Value::text("csv"));
    record.set("received", Value::Time(1_772_437_000_000));
    record.set("reporter", Value::text(reporter));
    record
}

/// A row of a feed.
fn row(place: u32) -> [Value; 4] {
    let address = format!("198.51.100.{}", place % 250 + 1);
    let rest = [format!("port: {}", place % 65_536), format!("row: {place}")];
    [
        Value::text(&address),
        Value::Time(1_772_430_000_000 + i64::from(place) * 1_000),
        Value::text("open resolver"),
        Value::list(rest.iter().map(String::as_str)),
    ]
}
