//! A case becomes a file, and the file proves itself, through the real program: witnesses and time-stamping authorities are played
//! by the test.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{CUSTOMERS, NOW, User};
use desk::seal::anchor::{Anchoring, Authority as Asked};
use desk::{Clock, Desk, Reading};
use model::time::{MINUTE, Time};
use seal::bundle::{self, Bundle, Opening};
use seal::cosignature;
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::record::Value;
use seal::testing::Authority;
use seal::tsp::{self, Anchors, Imprint, Stamp};
use store::witness::Cosignature;

struct At(Time);

impl Clock for At {
    fn now(&self) -> Time {
        self.0
    }
}

/// An authority whose clock is that of the test.
struct Tsa<'a> {
    authority: &'a Authority,
    now: Time,
}

impl Asked for Tsa<'_> {
    fn name(&self) -> &str {
        &self.authority.name
    }

    fn every(&self) -> i64 {
        0
    }

    fn stamp(&self, imprint: Imprint<'_>) -> Result<(Vec<u8>, Stamp), String> {
        let Imprint::Sha256(digest) = imprint else { return Err("SHA-256 only".into()) };
        let response = self.authority.stamp(digest, self.now.0, 7);
        let mut anchors = Anchors::new();
        anchors.add(&self.authority.name, self.authority.roots.as_bytes()).map_err(|bad| bad.to_string())?;
        let stamp = tsp::verify(&response, digest, Some(7), &anchors, None).map_err(|wrong| wrong.to_string())?;
        Ok((response, stamp))
    }
}

/// A node and those who vouch for it.
struct World {
    user: User,
    authorities: [Authority; 2],
    witnesses: [Ed25519Signer; 2],
}

impl World {
    fn new() -> World {
        let user = User::new();
        user.file("customers.csv", CUSTOMERS);
        user.run(&["import", "customers.csv"]).good();
        let witness = |name: &str, seed: u8| Ed25519Signer::new(name, Algorithm::Cosignature, &[seed; 32]).unwrap();
        World {
            user,
            authorities: ["north", "south"].map(|name| Authority::new(name, 2025, 2035)),
            witnesses: [witness("hub.example/w", 1), witness("association.example/w", 2)],
        }
    }

    /// Publishes the log, has it stamped and cosigned; so many minutes after the moment at which commands run.
    fn publish(&self, minutes: i64) {
        let now = Time::parse(NOW.as_bytes()).unwrap().plus(minutes * MINUTE);
        let desk = Desk::open(&self.user.data(), Arc::new(At(now)), Reading::default()).unwrap();
        let published = desk.publish().unwrap();
        let asked = self.authorities.each_ref().map(|authority| Tsa { authority, now: now.plus(2_000) });
        let asked: Vec<&dyn Asked> = asked.iter().map(|tsa| tsa as &dyn Asked).collect();
        assert_eq!(desk.anchor(&mut Anchoring::default(), &asked).unwrap().stamped, 2);
        let text = Note::parse(published.note.as_bytes()).unwrap().text;
        for witness in &self.witnesses {
            let at = now.plus(3_000);
            let line = cosignature::sign(&text, at.0.unsigned_abs() / 1_000, witness).unwrap().to_string();
            let cosignature = Cosignature { witness: witness.key().to_string(), line, at };
            let keep =
                |transaction: &store::Transaction<'_>| transaction.add_cosignature(published.shard, published.size, &cosignature);
            desk.store().write("cosigned", keep).unwrap();
        }
    }

    /// What a verifier trusts.
    fn trust(&self) -> (PathBuf, PathBuf) {
        let key = self.user.run(&["log", "key"]).good();
        let key = key.split_whitespace().find(|word| word.contains('+')).unwrap().to_owned();
        let [hub, association] = self.witnesses.each_ref().map(Signer::key);
        let policy = format!(
            "log {key}\nwitness hub {hub}\nwitness association {association}\ngroup both all hub association\nquorum both\n#sluis tsas 2\n"
        );
        for authority in &self.authorities {
            self.user.file(&format!("roots/{}.pem", authority.name), &authority.roots);
        }
        (self.user.file("policy.txt", policy), self.user.directory.join("roots"))
    }

    /// The verdict on a file: exit status and what it says.
    fn verify(&self, file: &str) -> (i32, String) {
        let (policy, roots) = self.trust();
        let (policy, roots) = (policy.display().to_string(), roots.display().to_string());
        let arguments = ["verify", file, "--policy", &policy, "--tsa-roots", &roots, "--at", "2026-11-23"];
        let run = self.user.run(&arguments);
        (run.code.unwrap(), run.out + &run.err)
    }

    fn read(&self, file: &str) -> Bundle {
        bundle::read(&std::fs::read(self.user.directory.join(file)).unwrap()).unwrap()
    }
}

/// A feed of so many rows, of which one is about an address of ours.
fn feed(rows: u32, ours: u32) -> String {
    let mut text =
        "\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"banner\"\n"
            .to_owned();
    for row in 0..rows {
        let address = if row == ours { "192.0.2.7".to_owned() } else { format!("198.51.100.{}", row % 250 + 1) };
        let port = if row == ours { 23 } else { 1_024 + row / 250 };
        text += &format!(
            "\"2026-11-21 10:00:00\",\"{address}\",\"tcp\",{port},\"\",\"telnet\",64496,\"NL\",\"\",\"\",\"row {row}\"\n"
        );
    }
    text
}

fn private(file: &Path) {
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions()) & 0o777, 0o600);
}

#[test]
fn a_case_fed_by_ten_thousand_rows_is_proven_through_both_trees_after_another_row_was_erased() {
    let world = World::new();
    let user = &world.user;
    world.publish(-60);
    user.file("2026-11-21-scan_telnet-net.csv", feed(10_000, 7_123));
    user.run(&["receive", "2026-11-21-scan_telnet-net.csv"]).good();
    let cases = common::lines(&user.run(&["case", "list", "--holder", "C-2", "--json"]).good());
    let case = cases[0]["id"].as_str().unwrap();

    // Before it is published there is nothing to give.
    let refused = user.run(&["case", "bundle", case, "--by", "anna"]).failed(3);
    assert!(refused.contains("not under a published checkpoint") && refused.contains("--publish"), "{refused}");
    world.publish(0);
    let made =
        user.json(&["case", "bundle", case, "--to", "Rechtbank Rotterdam", "-o", "a.sluis-evidence", "--by", "anna", "--json"]);
    assert_eq!((&made["reports"], &made["time_stamps"], &made["witnesses"]), (&1.into(), &2.into(), &2.into()), "{made}");
    private(&user.directory.join("a.sluis-evidence"));
    let (code, said) = world.verify("a.sluis-evidence");
    assert_eq!(code, 0, "{said}");

    // One that is there is kept; and nobody was given anything.
    let refused = user.run(&["case", "bundle", case, "-o", "a.sluis-evidence", "--by", "anna"]).failed(1);
    assert!(refused.contains("one that is there is kept"), "{refused}");

    // Another row of the feed is erased: what was given still stands, and what is given now too.
    user.run(&["forget", "198.51.100.77", "--force", "--reason", "request 4", "--by", "anna"]).good();
    world.publish(1);
    assert_eq!(world.verify("a.sluis-evidence").0, 0);
    user.run(&["case", "bundle", case, "-o", "b.sluis-evidence", "--show", "all", "--letters", "--by", "anna"]).good();
    let (code, said) = world.verify("b.sluis-evidence");
    assert_eq!(code, 0, "{said}");
    let (before, after) = (world.read("a.sluis-evidence"), world.read("b.sluis-evidence"));
    assert_eq!(after.reports.len(), 1);
    assert_eq!(after.reports[0].openings[0].digest(), before.reports[0].openings[0].digest());
    assert!(after.reports[0].openings[3].value().is_some() && before.reports[0].openings[3].value().is_none());
    // That the first was given is in the second.
    let issued = after.records.iter().find(|record| record.get("recipient").is_some()).unwrap();
    assert_eq!(issued.get("recipient"), Some(&Value::text("Rechtbank Rotterdam")));
    let digest = store::keys::sha256(&std::fs::read(user.directory.join("a.sluis-evidence")).unwrap());
    assert_eq!(issued.get("bundle"), Some(&Value::Digest(digest)));

    // The list's own receipt, of one row.
    user.run(&["submission", "receipt", "1", "--row", "7123", "-o", "row.sluis-receipt"]).good();
    let (code, said) = world.verify("row.sluis-receipt");
    assert_eq!(code, 0, "{said}");
    let receipt = world.read("row.sluis-receipt");
    assert_eq!(receipt.reports[0].openings[0].value(), Some(&Value::text("192.0.2.7:23")), "{receipt:?}");
}

#[test]
fn a_reporter_holds_a_receipt_before_and_after_the_log_is_published() {
    let world = World::new();
    let user = &world.user;
    world.publish(-60);
    user.file("notice.json", common::login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.run(&["receive", "notice.json"]).good();
    user.run(&["submission", "receipt", "1", "-o", "early.sluis-receipt"]).good();
    let (code, said) = world.verify("early.sluis-receipt");
    assert_eq!(code, 2, "{said}");
    world.publish(0);
    user.run(&["submission", "receipt", "1", "-o", "late.sluis-receipt"]).good();
    let (code, said) = world.verify("late.sluis-receipt");
    assert_eq!(code, 0, "{said}");
    let (early, late) = (world.read("early.sluis-receipt"), world.read("late.sluis-receipt"));
    assert_eq!(early.records[0].commitment(), late.records[0].commitment());
    assert!(late.secrets.is_empty() && late.records[0].get("party_name").is_none());

    // What the reporter wrote of himself is forgotten: the case says so, and stays proven.
    let reporter = match late.records[0].get("reporter") {
        Some(Value::Text(reporter)) => reporter.split(['<', '>']).nth(1).unwrap_or(reporter).to_owned(),
        other => panic!("{other:?}"),
    };
    user.run(&["forget", &reporter, "--force", "--reason", "request 5", "--by", "anna"]).good();
    world.publish(1);
    let cases = common::lines(&user.run(&["case", "list", "--json"]).good());
    user.run(&[
        "case",
        "bundle",
        cases[0]["id"].as_str().unwrap(),
        "-o",
        "case.sluis-evidence",
        "--show",
        "reporter",
        "--by",
        "anna",
    ])
    .good();
    let (code, said) = world.verify("case.sluis-evidence");
    assert_eq!(code, 0, "{said}");
    let erased = seal::record::OPENED.ordinal("reporter").unwrap();
    assert!(matches!(world.read("case.sluis-evidence").records[0].openings[erased], Opening::Erased { .. }));
}

#[test]
fn who_reports_what_is_known_already_holds_a_receipt_too() {
    let world = World::new();
    let user = &world.user;
    world.publish(-60);
    user.file("first.json", common::login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    let other = common::login_attack("192.0.2.7", "2026-11-20T02:00:00Z");
    user.file("second.json", other.replace("Example Watch", "A Citizen").replace("watch.example", "home.example"));
    user.run(&["receive", "first.json"]).good();
    user.run(&["receive", "second.json"]).good();
    assert_eq!(common::lines(&user.run(&["case", "list", "--json"]).good()).len(), 1, "it joined the case of the first");
    user.run(&["submission", "receipt", "2", "-o", "early.sluis-receipt"]).good();
    let (code, said) = world.verify("early.sluis-receipt");
    assert_eq!(code, 2, "{said}");
    world.publish(0);
    user.run(&["submission", "receipt", "2", "-o", "late.sluis-receipt"]).good();
    let (code, said) = world.verify("late.sluis-receipt");
    assert_eq!(code, 0, "{said}");
    let (early, late) = (world.read("early.sluis-receipt"), world.read("late.sluis-receipt"));
    assert_eq!(early.records[0].commitment(), late.records[0].commitment());
    assert_eq!((late.records[0].kind, late.reports.len()), (3, 1));
    assert!(matches!(late.records[0].get("reporter"), Some(Value::Text(who)) if who.contains("home.example")), "{late:?}");
    assert!(late.reports[0].openings.iter().all(|opening| opening.value().is_some()), "it is his own");
    user.run(&["submission", "receipt", "1", "-o", "first.sluis-receipt"]).good();
    assert_eq!(world.verify("first.sluis-receipt").0, 0);
}

#[test]
fn what_cannot_be_asked_for_is_said() {
    let world = World::new();
    let user = &world.user;
    user.file("notice.json", common::login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.run(&["receive", "notice.json"]).good();
    for (arguments, says) in [
        (&["case", "bundle", "99", "--by", "a"][..], "no such case"),
        (&["case", "bundle", "1", "--by", "a", "--show", "colour"], "no record has a field 'colour'"),
        (&["case", "bundle", "1", "--by", "a", "--hide", "seq"], "shown of every record"),
        (&["submission", "receipt", "99"], "no such submission"),
        (&["submission", "receipt", "1", "--row", "3"], "is no list"),
    ] {
        let said = user.run(arguments).failed(1);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    // Nobody witnessed or stamped it: it is written, says so, and a verifier calls it incomplete.
    let said = user.run(&["case", "bundle", "1", "--by", "a", "--publish", "-o", "alone.sluis-evidence"]).good();
    assert!(said.contains("no witness has cosigned") && said.contains("no time-stamp covers"), "{said}");
    assert_eq!(world.verify("alone.sluis-evidence").0, 2);
}
