//! Erasing what was sealed: which keys, and how an erasure goes from being wanted to being confirmed.
//!
//! 1. In the transaction that takes the text out of rows, what is to be cut out is written down, with the digests that stand in its
//!    place for ever.
//! 2. A record announces it: the log says what is about to be destroyed before it is.
//! 3. The keys are cut out of `keys.db`, and a new generation of keys begins: what is left of the others anywhere opens nothing.
//! 4. A record confirms it, and how many fields were erased by now stands in the log for everybody.
//!
//! Whatever was the last thing done before the power failed, [`Desk::finish_erasing`] goes on from there. When older keys are put
//! back, `Desk::erase_again` cuts out of them what was erased since, before anything else is done with them.

use std::collections::{BTreeMap, BTreeSet};

use ::seal::record::{self, ALWAYS, ERASURE, Record, Type, Value};
use ::seal::seed::{self, BLOCK, Node, Seed};
use model::time::{DAY, Time};
use store::Transaction;
use store::erasures::cuts::{Cut, Erasing, FIELD, REPORT, Stage, WHOLE, record_of};
use store::keys::seeds::Tree;
use store::keys::{Keys, random};
use store::sealed::{self, Row, Unsealed, what};

use super::records::{Draft, node_stream};
use super::{open, ring};
use crate::{Desk, Error};

/// How many days a copy of the keys may be kept, as the manual says; then what was erased is erased in copies too.
pub const DAYS_OF_COPIES: i64 = 30;
/// `body[0]` of the entry that says how many fields were erased.
const COUNT: u8 = 4;
/// Trees that are cut in one transaction.
const TOGETHER: usize = 256;
/// Rows of what was erased that are looked at together.
const PAGE: u32 = 4_096;

impl Desk {
    /// When the last copy of the keys ends that may have what is erased now; `None` when no copy was ever made.
    pub fn copies_end(&self) -> Option<Time> {
        (!self.backup_places().is_empty()).then(|| self.now().plus(DAYS_OF_COPIES * DAY))
    }

    /// Does what is left to do of erasures: announces, destroys and confirms. Whether there was anything.
    ///
    /// # Errors
    /// As [`Desk::seal`], and [`Error::Unavailable`]; the next call goes on.
    pub fn finish_erasing(&self) -> Result<bool, Error> {
        let at =
            |stage| -> Result<Vec<Erasing>, Error> { Ok(self.store.reader()?.read(|transaction| transaction.erasings(stage))?) };
        let wanted = at(Stage::Wanted)?;
        if !wanted.is_empty() {
            self.seal()?;
            self.store.write("erasing", |transaction| {
                for erasing in &wanted {
                    self.sealed_as(transaction, erasing.id, Stage::Wanted)?;
                    transaction.set_announced(erasing.id)?;
                }
                Ok::<_, Error>(())
            })?;
        }
        let announced = at(Stage::Announced)?;
        for erasing in &announced {
            let cuts = self.store.reader()?.read(|transaction| transaction.cuts(erasing))?;
            self.cut(&cuts)?;
            self.store.keys().set_erasures(erasing.id)?;
        }
        if !announced.is_empty() {
            self.store.keys().renew_if_cut()?;
            self.store
                .write("erasing", |transaction| announced.iter().try_for_each(|erasing| transaction.set_destroyed(erasing.id)))?;
        }
        let destroyed = at(Stage::Destroyed)?;
        if destroyed.is_empty() {
            return Ok(false);
        }
        self.seal()?;
        let count = self.store.write("erasing", |transaction| {
            for erasing in &destroyed {
                let record = self.sealed_as(transaction, erasing.id, Stage::Destroyed)?;
                transaction.set_confirmed(erasing.id, record)?;
            }
            Ok::<_, Error>(transaction.count_erased()?)
        })?;
        self.add_public(&[[&[COUNT][..], &count.to_be_bytes()].concat()])?;
        Ok(true)
    }

    fn sealed_as(&self, transaction: &Transaction<'_>, id: i64, stage: Stage) -> Result<i64, Error> {
        let wait = || Error::Unavailable("the record of an erasure could not be sealed yet; it is tried again".to_owned());
        transaction.record_of_erasing(id, stage)?.ok_or_else(wait)
    }

    /// Destroys keys, after keeping what stands for the fields.
    fn cut(&self, cuts: &[Cut]) -> Result<u64, Error> {
        let fields = cuts.iter().filter(|cut| cut.what == FIELD && cut.ordinal != WHOLE);
        let fields: Vec<_> = fields.map(|cut| (cut.number, cut.ordinal, cut.digest)).collect();
        self.store.keys().note_cuts(&fields)?;
        let mut trees: BTreeMap<(Tree, i64), BTreeSet<Node>> = BTreeMap::new();
        for cut in cuts {
            let (tree, number, node) = node_of(cut);
            trees.entry((tree, number)).or_default().insert(node);
        }
        let wanted: Vec<(Tree, i64)> = trees.keys().copied().collect();
        let mut gone = 0;
        for wanted in wanted.chunks(TOGETHER) {
            gone += self.store.keys().cut(wanted, &mut |tree, number, nodes| {
                let mut nodes = ring::nodes(nodes);
                for out in trees.get(&(tree, number)).into_iter().flatten() {
                    cut_out(&mut nodes, *out);
                }
                Ok(plain(nodes))
            })?;
        }
        Ok(gone)
    }

    /// Brings keys and rows together when one of them was put back from a copy. Older keys go through all erasures again, and lose the
    /// keys of submissions whose bytes were destroyed. Older rows learn what was erased since, and the log is told of it once more.
    pub(crate) fn erase_again(&self) -> Result<(), Error> {
        let mut reader = self.store.reader()?;
        let last = reader.read(|transaction| transaction.last_destroyed())?;
        let keys = self.store.keys();
        let known = keys.erasures()?;
        if known == last {
            return Ok(());
        }
        if known > last {
            let next = reader.read(|transaction| transaction.next_record())?;
            let cut = |(number, ordinal, digest)| Cut { what: FIELD, number, ordinal, digest };
            let cuts: Vec<Cut> = keys.noted_cuts()?.into_iter().map(cut).filter(|cut| cut.number < next).collect();
            let ground = "it was erased after the backup that was restored";
            let until = self.copies_end().map_or(0, |end| end.0);
            self.store.write("erasing", |transaction| transaction.begin_erasing(&cuts, ground, "", until))?;
        } else {
            let mut after = (i64::MIN, 0, 0);
            loop {
                let cuts = reader.read(|transaction| transaction.cuts_after(after, PAGE))?;
                let Some(last) = cuts.last() else { break };
                after = (last.what, last.number, last.ordinal.into());
                self.cut(&cuts)?;
            }
        }
        let mut after = 0;
        loop {
            let page = reader.read(|transaction| transaction.destroyed_after(after, PAGE))?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            keys.destroy(&page.iter().map(|(_, public)| *public).collect::<Vec<_>>())?;
        }
        keys.renew_if_cut()?;
        Ok(keys.set_erasures(last)?)
    }

    /// After older rows were restored: numbers of records and batches are given out again that the keys know already, so what they
    /// know of those is forgotten. Nothing here is sealed under it any more.
    pub(crate) fn begin_numbers_again(&self) -> Result<(), Error> {
        let (next, batch) = self.store.reader()?.read(|transaction| {
            Ok::<_, store::Error>((transaction.next_record()?.unsigned_abs(), transaction.counts()?.batches))
        })?;
        let keys = self.store.keys();
        let block = i64::try_from(next / BLOCK).unwrap_or(i64::MAX);
        keys.forget_after(block, batch, i64::try_from(next).unwrap_or(i64::MAX))?;
        let first = (next % BLOCK) as u32;
        let seeds: Vec<Seed> = (0..10).map(|_| random::<32>()).collect::<Result<_, _>>()?;
        keys.cut(&[(Tree::Block, block)], &mut |_, _, nodes| {
            let mut nodes = ring::nodes(nodes);
            let fresh = from_on(first);
            for out in &fresh {
                cut_out(&mut nodes, *out);
            }
            nodes.extend(fresh.into_iter().zip(seeds.iter().copied()));
            Ok(plain(nodes))
        })?;
        Ok(())
    }
}

/// The record of an erasure that waits.
pub(super) fn draft(transaction: &Transaction<'_>, keys: &Keys, row: &Unsealed) -> Result<Option<Draft>, store::Error> {
    let Some(erasing) = transaction.erasing(row.target)? else { return Ok(None) };
    let mut records = Vec::new();
    for (commitment, ordinals) in listed(transaction, &transaction.cuts(&erasing)?)? {
        records.extend_from_slice(&commitment);
        records.extend_from_slice(&ordinals.to_be_bytes());
    }
    let mut record = Record::new(&ERASURE);
    record.set("event", Value::text("erasure"));
    record.set("actor", Value::text(&erasing.authority));
    record.set("stage", Value::text(if row.ordinal == record_of(row.target, Stage::Destroyed) { "done" } else { "pending" }));
    record.set("records", Value::Bytes(records));
    record.set("ground", Value::text(&erasing.ground));
    record.set("authority", Value::text(&erasing.authority));
    if erasing.keys_until != 0 {
        record.set("keys_until", Value::Time(erasing.keys_until));
    }
    Ok(Some(Draft {
        what: what::NODE,
        target: 0,
        stream: node_stream(keys),
        ordinal: row.ordinal,
        last_step: 0,
        chain: 0,
        letter_to: 0,
        record,
    }))
}

/// What an erasure cuts out, as its records say it: commitments, and a bit for each ordinal. Neighbours in the list are of one
/// record.
fn listed(transaction: &Transaction<'_>, cuts: &[Cut]) -> Result<Vec<([u8; 32], u32)>, store::Error> {
    let mut listed = Vec::new();
    for cuts in cuts.chunk_by(|a, b| (a.what, a.number) == (b.what, b.number)) {
        let Some(first) = cuts.first() else { continue };
        if first.what == REPORT {
            listed.extend(cuts.iter().map(|cut| (cut.digest, 0b1111)));
        } else if let Some(whole) = cuts.iter().find(|cut| cut.ordinal == WHOLE) {
            listed.push((whole.digest, u32::MAX));
        } else if let Some(row) = transaction.record(first.number)? {
            let (_, commitment) = open::commitment(transaction, &row)?;
            listed.push((commitment, cuts.iter().fold(0, |bits, cut| bits | 1u32.wrapping_shl(cut.ordinal))));
        }
    }
    Ok(listed)
}

/// The fields of sealed records that name somebody, as cuts, and how many records could not be read.
#[derive(Default)]
pub(crate) struct Named {
    pub(crate) cuts: Vec<Cut>,
    /// Cases whose records they are.
    pub(crate) cases: BTreeSet<i64>,
    pub(crate) unread: u64,
    /// The last record that was looked at.
    pub(crate) last: i64,
}

/// Looks through sealed records above number `after` for values that `names` somebody; those that are always shown hold nobody.
pub(crate) fn named(
    transaction: &Transaction<'_>,
    keys: &Keys,
    after: i64,
    most: u32,
    names: &dyn Fn(&str, &Value) -> bool,
) -> Result<Option<Named>, store::Error> {
    let rows = transaction.records_after(after, most)?;
    let Some(last) = rows.last() else { return Ok(None) };
    let mut named = Named { last: last.number, ..Named::default() };
    let mut ring = ring::Ring::default();
    for row in &rows {
        let Ok(ordinals) = naming(keys, &mut ring, row, names) else {
            named.unread += 1;
            continue;
        };
        if ordinals.is_empty() {
            continue;
        }
        let Ok(digests) = open::digests(transaction, keys, row.number, &ordinals) else {
            named.unread += 1;
            continue;
        };
        if row.what == what::CASE {
            named.cases.insert(row.target);
        }
        named.cuts.extend(digests.into_iter().map(|(ordinal, digest)| Cut {
            what: FIELD,
            number: row.number,
            ordinal: ordinal.into(),
            digest,
        }));
    }
    Ok(Some(named))
}

/// The ordinals of a record whose values name somebody.
fn naming(keys: &Keys, ring: &mut ring::Ring, row: &Row, names: &dyn Fn(&str, &Value) -> bool) -> Result<Vec<u8>, store::Error> {
    let wrong = || store::Error::Damaged(format!("record {} does not open", row.number));
    let kind = record::kind_of(row.kind).ok_or_else(wrong)?;
    if row.sealed.is_empty() {
        return Ok(Vec::new());
    }
    let keys = ring.fields(keys, row.number.unsigned_abs(), kind.width())?;
    let mut found = Vec::new();
    for (ordinal, of, closed) in open::ciphertexts(&row.sealed).ok_or_else(wrong)? {
        let Some((name, _)) = kind.field(ordinal.into()).filter(|_| usize::from(ordinal) >= ALWAYS) else { continue };
        let Some(key) = keys.get(usize::from(ordinal)).copied().flatten() else { continue };
        let plain = sealed::open(&seed::cipher_key(&key), &row.nonce, row.number, ordinal, closed).ok_or_else(wrong)?;
        let value = Type::of(of).and_then(|of| Value::decode(of, &plain)).ok_or_else(wrong)?;
        if names(name, &value) {
            found.push(ordinal);
        }
    }
    Ok(found)
}

/// Where the key of a cut hangs.
fn node_of(cut: &Cut) -> (Tree, i64, Node) {
    if cut.what == REPORT {
        return (Tree::Batch, cut.number, Node::of_report(cut.ordinal));
    }
    let number = cut.number.unsigned_abs();
    let block = i64::try_from(number / BLOCK).unwrap_or(i64::MAX);
    let node = match u8::try_from(cut.ordinal).ok().filter(|ordinal| u32::from(*ordinal) < WHOLE) {
        Some(ordinal) => Node::of_field(number, ordinal),
        None => Node::of_record(number),
    };
    (Tree::Block, block, node)
}

/// Cuts a node out of what is left of a tree.
fn cut_out(nodes: &mut Vec<(Node, Seed)>, out: Node) {
    nodes.retain(|(node, _)| *node == out || !out.covers(*node));
    if let Some(at) = nodes.iter().position(|(node, _)| node.covers(out)) {
        let (from, seed) = nodes.swap_remove(at);
        nodes.extend(seed::cut(&seed, from, out).into_iter().flatten());
    }
}

/// The fewest nodes that cover all records of a block from one on.
fn from_on(first: u32) -> Vec<Node> {
    let mut nodes = Vec::new();
    let (mut depth, mut path) = (10u8, first);
    while path < 1 << depth {
        if depth == 0 {
            nodes.push(Node::ROOT);
            break;
        }
        if path & 1 == 1 {
            nodes.push(Node { depth, path });
            path += 1;
        }
        depth -= 1;
        path >>= 1;
    }
    nodes
}

fn plain(nodes: Vec<(Node, Seed)>) -> Vec<store::keys::seeds::Node> {
    nodes.into_iter().map(|(node, seed)| (node.depth, node.path, seed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(nodes: &[(Node, Seed)], record: u32) -> bool {
        (0..32).all(|ordinal| nodes.iter().any(|(node, _)| node.covers(Node::of_field(record.into(), ordinal))))
    }

    #[test]
    fn what_is_cut_out_takes_nothing_else_along() {
        let mut nodes = vec![(Node::ROOT, [1; 32])];
        cut_out(&mut nodes, Node::of_field(7, 9));
        cut_out(&mut nodes, Node::of_field(7, 9));
        assert!(!covered(&nodes, 7) && covered(&nodes, 6) && covered(&nodes, 8));
        assert!(ring::find(&nodes, Node::of_field(7, 8)).is_some());
        cut_out(&mut nodes, Node::of_record(7));
        assert!((0..32).all(|ordinal| ring::find(&nodes, Node::of_field(7, ordinal)).is_none()));
        assert_eq!(nodes.len(), 10);
        for record in (0..1_024).filter(|record| *record != 7) {
            assert!(covered(&nodes, record), "{record}");
            cut_out(&mut nodes, Node::of_record(record.into()));
        }
        assert!(nodes.is_empty());
    }

    #[test]
    fn records_from_one_on_are_covered_by_few_nodes() {
        for first in [0, 1, 2, 511, 512, 513, 1_022, 1_023] {
            let nodes: Vec<(Node, Seed)> = from_on(first).into_iter().map(|node| (node, [0; 32])).collect();
            assert!(nodes.len() <= 10);
            for record in 0..1_024 {
                assert_eq!(covered(&nodes, record), record >= first, "{record} from {first}");
            }
        }
    }
}
