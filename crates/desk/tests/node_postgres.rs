//! Backup, restoring, retention and forgetting with the rows in PostgreSQL. Without a server this runs on SQLite once more.
#![allow(clippy::unwrap_used)]

mod engine;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use desk::forget::{Wanted, Who};
use desk::retain::Periods;
use desk::{Clock, Desk, Reading, backup, restore};
use model::submission::Door;
use model::time::{DAY, Time};
use store::Engine;

const START: i64 = 1_770_000_000_000;

struct Later(AtomicI64);

impl Clock for Later {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn report(address: &str, text: &str) -> String {
    let seen = Time(START);
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"{seen}",
"reporter":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"sender":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"source_identifier":"{address}","source_port":40222,"category":"connection","type":"login_attack","protocol":"tcp",
"first_seen":"{seen}","destination_ip":"203.0.113.9","destination_port":22,"evidence_source":"honeypot","description":"{text}"}}"#
    )
}

/// Everything people can see of the cases and submissions.
fn picture(desk: &Desk) -> String {
    desk.store()
        .reader()
        .unwrap()
        .read(|transaction| {
            let mut text = format!("{:?}\n", transaction.submissions(None, i64::MAX, 100)?);
            for filed in transaction.cases(&store::cases::Filter::default(), 100)? {
                let (batch, kept) = transaction.reports_of(&filed.case, filed.tail, 100)?;
                let values =
                    batch.reports().flat_map(|report| report.own_fields().map(|(_, value)| value.bytes).collect::<Vec<_>>());
                let fields: Vec<_> = values.map(String::from_utf8_lossy).collect();
                text += &format!("{filed:?} {kept:?} {fields:?} {:?}\n", transaction.steps(filed.case.id)?);
            }
            Ok::<_, store::Error>(text)
        })
        .unwrap()
}

fn plan<'a>(data: &'a Path, engine: &'a Engine, to: &'a Path, keys: &'a Path, now: Time) -> backup::Plan<'a> {
    backup::Plan { data, engine, to, keys: Some(keys), beside: false, settings: &[], most: None, now }
}

#[test]
fn a_node_is_kept_brought_back_and_made_to_forget() {
    let (one, _database) = engine::engine(module_path!());
    let (other, _second) = engine::engine(module_path!());
    let folder = Folder(std::env::temp_dir().join(format!("sluis-node-{}", std::process::id())));
    let at = |name: &str| folder.0.join(name);
    let later = Arc::new(Later(AtomicI64::new(START)));
    let clock: Arc<dyn Clock> = Arc::clone(&later) as _;
    let desk = Desk::open_on(&at("data"), &one, Arc::clone(&clock), Reading::default()).unwrap();
    for number in 0..50 {
        let text = report(&format!("192.0.2.{}", number % 20), &format!("report {number} of jan@shop.example"));
        desk.receive(Door::File, &format!("{number}.json"), &mut text.as_bytes()).unwrap();
    }
    desk.work(&|_, _| {}).unwrap();
    let before = picture(&desk);

    // While the node has the data open.
    let taken = backup::take(&plan(&at("data"), &one, &at("backups"), &at("keys"), desk.now())).unwrap();
    assert_eq!((taken.manifest.submissions, taken.missing), (50, 0));
    let checked = backup::check(&at("backups"), Some(&at("keys"))).unwrap();
    assert_eq!(checked.wrong, Vec::<String>::new());
    drop(desk);
    let (keys, restored_at) = (at("keys"), at("restored"));
    let from = at("backups");
    let restore_plan = restore::Plan { from: &from, keys: Some(&keys), data: &restored_at, engine: &other };
    let restored = restore::restore(&restore_plan, Arc::clone(&clock)).unwrap();
    assert_eq!((restored.lost.keyless.len(), restored.lost.fileless.len()), (0, 0), "{restored:?}");
    let desk = Desk::open_on(&restored_at, &other, Arc::clone(&clock), Reading::default()).unwrap();
    assert!(picture(&desk) == before, "what was restored is another node");
    assert!(desk.condition().unwrap().restored.is_some());
    desk.confirm_restored(true, false, "anna").unwrap();
    assert!(desk.confirm_restored(true, false, "anna").is_err());
    // It goes on: new numbers follow those that were restored.
    desk.receive(Door::File, "new.json", &mut report("192.0.2.99", "new").as_bytes()).unwrap();
    desk.work(&|_, _| {}).unwrap();

    let who = Who::parse(&["jan@shop.example".to_owned(), "192.0.2.7".to_owned()]).unwrap();
    let wanted = Wanted { raw: true, force: true, reason: "request 1".into(), by: "anna".into(), ..Wanted::default() };
    let done = desk.forget(&who, &wanted).unwrap();
    assert_eq!((done.reports, done.raw.len(), done.destroyed), (50, 50, true), "{done:?}");
    assert!(desk.forget(&who, &wanted).unwrap().is_empty());
    let after = picture(&desk);
    assert!(!after.contains("jan@shop") && after.contains("[erased]"));

    later.0.fetch_add(91 * DAY, Ordering::Relaxed);
    desk.retain(&Periods::default(), true).unwrap();
    let done = desk.retain(&Periods::default(), false).unwrap();
    assert_eq!((done[0].what, done[0].count), ("raw submissions", 1), "{done:?}");
    later.0.fetch_add(2_000 * DAY, Ordering::Relaxed);
    let everything = Periods { case: 1, receipt: 1, alert: 1, party: 1, strike: 1, location: 1, child_abuse_case: 1, raw: 1 };
    desk.retain(&everything, false).unwrap();
}
