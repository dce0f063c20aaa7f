//! Stopping and starting: a signal in the midst of a large submission loses nothing and doubles nothing.

use std::time::Duration;

use crate::support::{Folder, Node, report, until};
use rustix::process::Signal;
use store::Reader;
use store::cases::Filter;

const ROWS: u32 = 120_000;
const ADDRESSES: u32 = 4_000;

/// Reports, and cases with the reports each of them counts.
fn kept(folder: &Folder) -> (u64, Vec<u64>) {
    let mut reader = Reader::open(&folder.data()).unwrap();
    reader
        .read(|transaction| {
            let reports =
                transaction.submissions(None, i64::MAX, 10)?.iter().map(|submission| u64::from(submission.reports)).sum();
            let cases = transaction.cases(&Filter::default(), u32::MAX)?;
            Ok::<_, store::Error>((reports, cases.iter().map(|filed| filed.case.reports).collect()))
        })
        .unwrap()
}

#[test]
fn a_signal_inside_a_large_submission_loses_and_doubles_nothing() {
    let folder = Folder::new("stop");
    folder.spool("scan_rsync.csv", &report(ROWS, ADDRESSES));
    let mut stops = 0;
    loop {
        let node = Node::start(&folder, "");
        let before = kept(&folder).0;
        until("some of it is in the database", || (kept(&folder).0 > before).then_some(()));
        let finished = kept(&folder).0 == u64::from(ROWS);
        let (status, took) = node.stop();
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        if finished {
            break;
        }
        stops += 1;
        if kept(&folder).0 == u64::from(ROWS) {
            break;
        }
    }
    assert!(stops > 0, "the submission was finished before the first signal: it has to be larger");
    let node = Node::start(&folder, "");
    node.until_metric("sluis_queue_length{queue=\"unread\"}", 0.0);
    assert_eq!(node.stop().0.code(), Some(0));
    let (reports, cases) = kept(&folder);
    assert_eq!(reports, u64::from(ROWS));
    assert_eq!(cases.len(), ADDRESSES as usize);
    assert!(cases.iter().all(|reports| *reports == u64::from(ROWS / ADDRESSES)));
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = Folder::new("twice");
    folder.spool("scan_rsync.csv", &report(ROWS, ADDRESSES));
    let mut node = Node::start(&folder, "");
    until("it works", || (node.metric("sluis_intake_working") == Some(1.0)).then_some(()));
    node.signal(Signal::INT);
    until("it heard", || node.said("stopping; what is under way is finished first, a second signal does not wait"));
    node.signal(Signal::INT);
    // Either the second signal came first, or the work had ended by then; both within moments.
    let code = node.wait().code();
    assert!(code == Some(130) || code == Some(0), "{code:?}");
}
