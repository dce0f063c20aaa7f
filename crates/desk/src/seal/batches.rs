//! Batches of reports: all that a feed said at once, under one record, of which each report can be shown alone.
//! `docs/seal.md` 3.

use model::report::{Shape, Word};
use seal::batch::{commitment, digests};
use seal::record::{Hash, Record, Value};
use seal::seed::{self, Node, Seed};
use seal::tree::{Frontier, leaf_hash};
use store::Transaction;
use store::keys::Keys;
use store::sealed::Part;

use super::{compose, ring};

/// Bits of a report's place within one part of its batch.
const PART: u8 = 10;

/// A batch that is ready to be sealed: everything but its place in the log.
pub(super) struct Ready {
    /// Row number of its submission.
    pub(super) submission: i64,
    /// The commitments to its reports.
    pub(super) leaves: Vec<Hash>,
    /// Its record.
    pub(super) record: Record,
    /// What would be another if anything of it were erased since.
    pub(super) print: (u64, [u8; 32]),
}

/// Reads a batch and commits to each of its reports; `None` when it is no more. Its seed is to be kept already.
///
/// # Errors
/// [`store::Error::Database`], [`store::Error::Damaged`].
pub(super) fn make_ready(transaction: &Transaction<'_>, keys: &Keys, batch: i64) -> Result<Option<Ready>, store::Error> {
    let Some(kept) = transaction.kept_batch(batch)? else { return Ok(None) };
    let print = transaction.batch_print(batch)?;
    let nodes = ring::nodes(keys.seeds_of_batch(batch)?);
    let mut leaves: Vec<Hash> = Vec::with_capacity(kept.count as usize);
    let mut frontier = Frontier::new();
    let mut reporter = String::new();
    for part in 0..kept.count.div_ceil(1 << PART) {
        let reports = match transaction.batch_part(batch, part) {
            // One damaged page is no reason to seal nothing any more: what cannot be read counts as erased.
            Err(store::Error::Damaged(_)) => Part::default(),
            reports => reports?,
        };
        let seeds = seeds_of_part(&nodes, part);
        let mut cores = reports.cores.iter().peekable();
        let first = part << PART;
        for place in first..kept.count.min(first + (1 << PART)) {
            let values = match cores.next_if(|(at, _)| *at == place) {
                Some((_, core)) => {
                    let fields: Vec<(&str, Shape, &[u8])> = reports.fields(place).collect();
                    if reporter.is_empty() {
                        reporter = reporter_of(&fields);
                    }
                    compose::report(core, &fields)
                }
                // It was erased before anything of it was sealed: that there was something is all that is said.
                None => Default::default(),
            };
            let seed = seeds.get((place - first) as usize).copied().flatten().unwrap_or_default();
            let leaf = commitment(&digests(&seed, &values));
            frontier.push(leaf_hash(&leaf));
            leaves.push(leaf);
        }
    }
    let submission = transaction.submission_sha256(kept.submission)?;
    let record = compose::batch(&kept, frontier.root(), leaves.len() as u64, submission, &reporter);
    Ok(Some(Ready { submission: kept.submission, leaves, record, print }))
}

/// The seeds of a part's reports; `None` for those that were cut out.
fn seeds_of_part(nodes: &[(Node, Seed)], part: u32) -> Vec<Option<Seed>> {
    let whole = Node { depth: seed::BATCH_DEPTH - PART, path: part };
    match ring::find(nodes, whole) {
        Some(seed) => seed::leaves(&seed, PART).into_iter().map(Some).collect(),
        None => (part << PART..(part + 1) << PART).map(|place| ring::find(nodes, Node::of_report(place))).collect(),
    }
}

fn reporter_of(fields: &[(&str, Shape, &[u8])]) -> String {
    compose::reporter(&|word: Word| {
        let wanted = compose::name(word);
        let (_, _, bytes) = fields.iter().find(|(name, shape, _)| *name == wanted && *shape == Shape::Text)?;
        std::str::from_utf8(bytes).ok()
    })
}

/// The values of one report, as they were sealed, read back from its row.
pub(super) fn values(transaction: &Transaction<'_>, batch: i64, place: u32) -> Result<Option<[Value; 4]>, store::Error> {
    let part = transaction.batch_part(batch, place >> PART)?;
    let core = part.cores.iter().find(|(at, _)| *at == place).map(|(_, core)| core);
    Ok(core.map(|core| compose::report(core, &part.fields(place).collect::<Vec<_>>())))
}
