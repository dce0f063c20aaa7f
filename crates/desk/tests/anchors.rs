//! Time-stamps over the log of a desk: asked for at most so often, kept once, told of in the log, and renewed after a year.

#![allow(clippy::unwrap_used)]

#[path = "node/mod.rs"]
mod node;

use std::cell::{Cell, RefCell};

use desk::seal::anchor::{Anchored, Anchoring, Authority};
use desk::seal::{Settings, folder_of, fsck};
use model::time::{DAY, HOUR, MINUTE, Time};
use node::{Node, time};
use seal::note::Note;
use seal::tsp::{self, Imprint, Oid, Stamp, restamp};
use store::anchors::Anchor;
use store::log::Checkpoint;

const START: &str = "2026-03-01T09:00:00Z";

/// An authority whose answers are its name, a number and what it stamps. Whether real ones are understood is tried elsewhere.
struct Clock<'a> {
    node: &'a Node,
    name: &'static str,
    every: i64,
    ahead: Cell<i64>,
    broken: Cell<bool>,
    asked: RefCell<Vec<Vec<u8>>>,
}

impl<'a> Clock<'a> {
    fn new(node: &'a Node, name: &'static str, every: i64) -> Clock<'a> {
        Clock { node, name, every, ahead: Cell::new(0), broken: Cell::new(false), asked: RefCell::new(Vec::new()) }
    }

    fn asked(&self) -> usize {
        self.asked.borrow().len()
    }
}

impl Authority for Clock<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn every(&self) -> i64 {
        self.every
    }

    fn stamp(&self, imprint: Imprint<'_>) -> Result<(Vec<u8>, Stamp), String> {
        let digest = match imprint {
            Imprint::Sha256(digest) => digest.to_vec(),
            Imprint::Sha384(digest) => digest.to_vec(),
            Imprint::Sha512(digest) => digest.to_vec(),
        };
        self.asked.borrow_mut().push(digest.clone());
        if self.broken.get() {
            return Err("it answered 503".to_owned());
        }
        let response = [self.name.as_bytes(), &[self.asked() as u8], &digest].concat();
        let stamp = Stamp {
            gen_time_ms: self.node.now().0 + self.ahead.get(),
            accuracy_ms: Some(1_000),
            serial: vec![1],
            tsa: self.name.to_owned(),
            anchor: self.name.to_owned(),
            policy: Oid::parse("1.3.6.1.4.1.64496.1").unwrap(),
            valid_until_ms: i64::MAX,
        };
        Ok((response, stamp))
    }
}

impl Node {
    fn now(&self) -> Time {
        desk::Clock::now(&*self.clock)
    }

    /// All time-stamps in the order in which they came.
    fn anchors(&self) -> Vec<Anchor> {
        let mut all = Vec::new();
        self.read(|transaction| transaction.each_anchor(i64::MAX, |anchor| all.push(anchor)));
        all
    }

    fn entry(&self, shard: i64, index: u64) -> Vec<u8> {
        self.read(|transaction| transaction.log_entries(shard, index, 1)).remove(0)
    }

    fn size(&self) -> u64 {
        self.read(|transaction| transaction.log_size(transaction.shard()?.unwrap().id))
    }

    /// The log reckoned again finds nothing wrong.
    fn is_whole(&self) {
        let mut reader = self.desk.store().reader().unwrap();
        let reports = fsck::of_data(&mut reader, &Settings::default()).unwrap();
        assert_eq!(reports.into_iter().flat_map(|report| report.wrong).collect::<Vec<_>>(), Vec::<String>::new());
    }
}

fn text(checkpoint: &Checkpoint) -> String {
    Note::parse(checkpoint.note.as_bytes()).unwrap().text
}

/// The entry that tells of a time-stamp, as docs/seal.md 1 and 4 write it.
fn entry(anchor: &Anchor) -> Vec<u8> {
    let body = [&[1][..], &tsp::digest(&anchor.response), &anchor.stamped.0.to_be_bytes(), &anchor.size.to_be_bytes()].concat();
    [&[1, 2][..], &(body.len() as u16).to_be_bytes(), &body].concat()
}

#[test]
fn each_published_checkpoint_is_stamped_once_by_each_and_the_log_tells_of_it() {
    let node = Node::new(START);
    let (often, daily) = (Clock::new(&node, "often", MINUTE), Clock::new(&node, "daily", DAY));
    let authorities: [&dyn Authority; 2] = [&often, &daily];
    let mut anchoring = Anchoring::default();
    assert_eq!(node.desk.anchor(&mut anchoring, &authorities).unwrap(), Anchored::default(), "nothing is published");

    let first = node.desk.publish().unwrap();
    let done = node.desk.anchor(&mut anchoring, &authorities).unwrap();
    assert_eq!(done, Anchored { stamped: 2, renewed: 0, entries: 2 });
    assert_eq!(often.asked.borrow()[0], tsp::digest(text(&first).as_bytes()), "the text without signatures");
    for again in [0, MINUTE, HOUR] {
        node.later(again);
        assert_eq!(node.desk.anchor(&mut anchoring, &authorities).unwrap(), Anchored::default(), "the same checkpoint");
    }
    let second = node.desk.publish().unwrap();
    assert_eq!(node.desk.anchor(&mut anchoring, &authorities).unwrap(), Anchored { stamped: 1, renewed: 0, entries: 1 });
    // A process that begins anew asks no more often than one that goes on.
    node.later(MINUTE / 2);
    node.desk.publish().unwrap();
    assert_eq!(node.desk.anchor(&mut Anchoring::default(), &authorities).unwrap(), Anchored::default(), "too soon");
    node.later(DAY);
    let third = node.desk.publish().unwrap();
    assert_eq!(node.desk.anchor(&mut anchoring, &authorities).unwrap(), Anchored { stamped: 2, renewed: 0, entries: 2 });

    let anchors = node.anchors();
    let who: Vec<(&str, u64)> = anchors.iter().map(|anchor| (anchor.tsa.as_str(), anchor.size)).collect();
    let [one, two, three] = [first.size, second.size, third.size];
    assert_eq!(who, [("often", one), ("daily", one), ("often", two), ("often", three), ("daily", three)]);
    for anchor in &anchors {
        let index = anchor.index.unwrap();
        assert!(index >= anchor.size, "the entry comes after what it is about");
        assert_eq!(node.entry(anchor.shard, index), entry(anchor));
    }
    // What an exporter asks: by when an entry was there, and after when it came.
    let over = |index| -> Vec<(String, u64)> {
        let over = node.read(|transaction| transaction.anchors_over(first.shard, index));
        over.into_iter().map(|anchor| (anchor.tsa, anchor.size)).collect()
    };
    assert_eq!(over(one), [("daily".to_owned(), three), ("often".to_owned(), two)]);
    assert_eq!(over(three), []);
    let told = anchors[2].index.unwrap();
    let before = |index| node.read(|transaction| transaction.anchor_before(first.shard, index)).map(|anchor| anchor.id);
    assert_eq!((before(told + 1), before(anchors[0].index.unwrap())), (Some(anchors[2].id), None));
    // The files, for whoever reads the log itself.
    let shard = node.read(|transaction| transaction.shard()).unwrap();
    let folder = folder_of(&node.directory, shard.label()).join("anchor");
    let file = |name: String| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(file(format!("{one}.tsr")), anchors[0].response);
    assert_eq!(file(format!("{one}.2.tsr")), anchors[1].response);
    assert_eq!(file(format!("{two}.tsr")), anchors[2].response);
    node.is_whole();
}

#[test]
fn an_authority_that_gives_nothing_is_asked_ever_more_seldom_and_holds_up_nobody() {
    let node = Node::new(START);
    let (bad, good) = (Clock::new(&node, "bad", MINUTE), Clock::new(&node, "good", MINUTE));
    bad.broken.set(true);
    let mut anchoring = Anchoring::default();
    for _ in 0..4 * 60 {
        node.desk.publish().unwrap();
        let done = node.desk.anchor(&mut anchoring, &[&bad, &good]).unwrap();
        assert_eq!((done.stamped, done.entries), (1, 1), "the other one is stamped all the same");
        node.later(MINUTE);
    }
    assert_eq!(anchoring.troubles().collect::<Vec<_>>(), [("bad", "it answered 503")]);
    // After 0, 1, 3, 7, 15, 31 and 63 minutes, and then each hour.
    assert_eq!(bad.asked(), 9);
    bad.broken.set(false);
    bad.ahead.set(10 * MINUTE);
    node.later(HOUR);
    node.desk.publish().unwrap();
    assert_eq!(node.desk.anchor(&mut anchoring, &[&bad, &good]).unwrap().stamped, 2);
    assert_eq!(anchoring.troubles().count(), 0);
    assert_eq!(anchoring.differences().collect::<Vec<_>>(), [("bad", 10 * MINUTE)], "kept, and said");
}

#[test]
fn what_a_kill_left_half_done_is_made_up_for_and_nothing_is_told_twice() {
    let node = Node::new(START);
    let checkpoint = node.desk.publish().unwrap();
    let kept = |tsa: &str, response: &[u8]| {
        let (shard, size, tsa) = (checkpoint.shard, checkpoint.size, tsa.to_owned());
        let anchor =
            Anchor { id: 0, shard, size, tsa, archive: false, response: response.to_vec(), stamped: node.now(), index: None };
        node.desk.store().write("test", |transaction| transaction.add_anchor(&anchor)).unwrap().unwrap();
        anchor
    };
    // Of one the response was kept and no more; of the other the entry is there, and where it is was not noted.
    let (silent, told) = (kept("silent", b"one"), kept("told", b"two"));
    let body = entry(&told)[4..].to_vec();
    let (_, index) = node.desk.add_public(&[body]).unwrap();
    let size = node.size();
    let done = node.desk.anchor(&mut Anchoring::default(), &[]).unwrap();
    assert_eq!(done, Anchored { stamped: 0, renewed: 0, entries: 1 });
    let anchors = node.anchors();
    assert_eq!((anchors[0].index, anchors[1].index), (Some(size), Some(index)));
    assert_eq!(node.entry(checkpoint.shard, size), entry(&silent));
    assert_eq!(node.desk.anchor(&mut Anchoring::default(), &[]).unwrap(), Anchored::default());
    node.is_whole();
}

#[test]
fn after_a_year_one_time_stamp_renews_all() {
    let node = Node::new(START);
    let (one, two) = (Clock::new(&node, "one", MINUTE), Clock::new(&node, "two", MINUTE));
    let authorities: [&dyn Authority; 2] = [&one, &two];
    let mut anchoring = Anchoring::default();
    for _ in 0..3 {
        node.desk.publish().unwrap();
        assert_eq!(node.desk.anchor(&mut anchoring, &authorities).unwrap().stamped, 2);
        node.later(100 * DAY);
    }
    assert_eq!(node.anchors().len(), 6);
    // The year has changed, and another tree was begun. The first authority cannot now; the second one can.
    node.set(Time(time(START).0 + 365 * DAY));
    node.desk.begin_log().unwrap();
    let latest = node.desk.publish().unwrap();
    one.broken.set(true);
    let done = node.desk.anchor(&mut anchoring, &authorities).unwrap();
    assert_eq!(done, Anchored { stamped: 1, renewed: 1, entries: 2 });
    let anchors = node.anchors();
    let renewal = anchors.last().unwrap();
    assert!(renewal.archive && renewal.tsa == "two" && renewal.size == latest.size && renewal.shard != anchors[0].shard);

    // What it stamped is what a reader of the documents computes, and shows each of the others.
    let before: Vec<&[u8]> = anchors[..7].iter().map(|anchor| anchor.response.as_slice()).collect();
    let mut tokens = restamp::Tokens::new();
    before.iter().for_each(|token| tokens.push(token));
    let (text, digest) = (text(&latest), tokens.digest(text(&latest).as_bytes()));
    assert_eq!(two.asked.borrow().last().unwrap(), &digest);
    for (index, token) in before.iter().enumerate() {
        let path = restamp::path(&before, index).unwrap();
        assert_eq!(restamp::digest_by_path(text.as_bytes(), 7, index as u64, token, &path), Some(digest));
    }
    let body = [&[6][..], &latest.size.to_be_bytes(), &digest, &tsp::digest(&renewal.response)].concat();
    let expected = [&[1, 2][..], &(body.len() as u16).to_be_bytes(), &body].concat();
    assert_eq!(node.entry(renewal.shard, renewal.index.unwrap()), expected);
    assert!(node.read(|transaction| transaction.anchors_over(renewal.shard, 0)).iter().all(|anchor| !anchor.archive));

    // Once a year.
    for days in [1, 300, 63] {
        node.later(days * DAY);
        node.desk.publish().unwrap();
        assert_eq!(node.desk.anchor(&mut anchoring, &[&two]).unwrap().renewed, 0, "{days}");
    }
    node.later(2 * DAY);
    node.desk.publish().unwrap();
    assert_eq!(node.desk.anchor(&mut anchoring, &[&two]).unwrap().renewed, 1);
    node.is_whole();
}

/// A response that comes in while a renewal is under way is not covered by it, so that renewal is not kept.
#[test]
fn a_renewal_is_over_all_before_it_or_is_none() {
    struct Meddling<'a>(Clock<'a>, Checkpoint);
    impl Authority for Meddling<'_> {
        fn name(&self) -> &str {
            self.0.name
        }
        fn every(&self) -> i64 {
            self.0.every
        }
        fn stamp(&self, imprint: Imprint<'_>) -> Result<(Vec<u8>, Stamp), String> {
            if matches!(imprint, Imprint::Sha512(_)) && self.0.asked() == 0 {
                let (shard, size, tsa) = (self.1.shard, self.1.size, "other".to_owned());
                let anchor = Anchor {
                    id: 0,
                    shard,
                    size,
                    tsa,
                    archive: false,
                    response: vec![1],
                    stamped: self.0.node.now(),
                    index: None,
                };
                self.0.node.desk.store().write("test", |transaction| transaction.add_anchor(&anchor)).unwrap();
            }
            self.0.stamp(imprint)
        }
    }
    let node = Node::new(START);
    let first = node.desk.publish().unwrap();
    let mut anchoring = Anchoring::default();
    node.desk.anchor(&mut anchoring, &[&Clock::new(&node, "one", MINUTE)]).unwrap();
    node.later(365 * DAY);
    let meddling = Meddling(Clock::new(&node, "two", 10_000 * DAY), first);
    node.desk.publish().unwrap();
    // It stamps no checkpoint: it did just now.
    node.desk
        .store()
        .write("test", |transaction| {
            let shard = transaction.shard()?.unwrap().id;
            let anchor = Anchor {
                id: 0,
                shard,
                size: 1,
                tsa: "two".to_owned(),
                archive: false,
                response: vec![2],
                stamped: node.now(),
                index: None,
            };
            transaction.add_anchor(&anchor)
        })
        .unwrap();
    assert_eq!(node.desk.anchor(&mut anchoring, &[&meddling]).unwrap().renewed, 0);
    assert_eq!(node.desk.anchor(&mut anchoring, &[&meddling]).unwrap().renewed, 1);
    assert_eq!(node.anchors().iter().filter(|anchor| anchor.archive).count(), 1);
}
