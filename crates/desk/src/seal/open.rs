//! Opens what was sealed, for whoever exports it: values, salts and digests of records and of single reports.

use seal::batch;
use seal::record::{self, Hash, Kind, REPORT, Record, Type, Value};
use seal::seed::{self, Node};
use seal::tree::{self, leaf_hash, node_hash};
use store::Transaction;
use store::erasures::cuts::{FIELD, REPORT as REPORT_OF_BATCH, WHOLE};
use store::keys::Keys;
use store::sealed::{self, Row};

use super::records::commitment_in;
use super::{batches, ring};

/// A field of a record or of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its salted digest.
    pub digest: Hash,
    /// What the digest was made of; `None` when it was erased, and for what is to stay hidden anyway.
    pub open: Option<(Hash, Value)>,
    /// Number of the record that says that it was erased.
    pub erased: Option<i64>,
}

/// A sealed record, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// As it is kept.
    pub row: Row,
    /// Its kind.
    pub kind: &'static Kind,
    /// Fields and decoys by ordinal, as many as the kind is wide; a decoy has no value but its salt.
    pub fields: Vec<Field>,
    /// The record's commitment.
    pub commitment: Hash,
    /// Its slot.
    pub slot: Hash,
}

impl Opened {
    /// The value of a field; absent when the record lacks it, and when it was erased.
    pub fn get(&self, name: &str) -> &Value {
        let field = self.kind.ordinal(name).and_then(|ordinal| self.fields.get(ordinal));
        field.and_then(|field| field.open.as_ref()).map_or(&Value::Absent, |(_, value)| value)
    }
}

/// A report of a sealed batch, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedReport {
    /// Number of the record of its batch.
    pub record: i64,
    /// Its place in the batch.
    pub place: u32,
    /// Its four fields. All are erased or none is.
    pub fields: [Field; 4],
    /// The commitment to it.
    pub commitment: Hash,
    /// From its leaf to the root of the batch.
    pub path: Vec<Hash>,
}

/// Opens a record; `None` when there is none of that number, or it was erased whole. What was erased stays so.
///
/// # Errors
/// [`store::Error::Database`], and [`store::Error::Damaged`] when what is kept does not lead to its commitment in the log.
pub fn record(transaction: &Transaction<'_>, keys: &Keys, number: i64) -> Result<Option<Opened>, store::Error> {
    let Some(row) = transaction.record(number)? else { return Ok(None) };
    open(transaction, keys, &mut ring::Ring::default(), row)
}

/// Opens the records of a stream, the first first.
///
/// # Errors
/// As [`record()`].
pub fn stream(transaction: &Transaction<'_>, keys: &Keys, of: i64, target: i64) -> Result<Vec<Opened>, store::Error> {
    let mut ring = ring::Ring::default();
    let opened = transaction.records_of(of, target)?.into_iter().map(|row| open(transaction, keys, &mut ring, row).transpose());
    opened.flatten().collect()
}

/// Opens the records of all letters to and about a party, the first first.
///
/// # Errors
/// As [`record()`].
pub fn letters(transaction: &Transaction<'_>, keys: &Keys, party: i64) -> Result<Vec<Opened>, store::Error> {
    let mut ring = ring::Ring::default();
    let opened = transaction.letters_of(party)?.into_iter().map(|row| open(transaction, keys, &mut ring, row).transpose());
    opened.flatten().collect()
}

/// The secret of a stream, by which its slots are found; `None` when nothing of it is sealed, or the secret was destroyed.
///
/// # Errors
/// [`store::Error::Database`], [`store::Error::Damaged`].
pub fn secret(transaction: &Transaction<'_>, keys: &Keys, of: i64, target: i64) -> Result<Option<Hash>, store::Error> {
    match transaction.head(of, target)? {
        Some(head) => ring::Ring::default().secret(keys, head.first.unsigned_abs()),
        None => Ok(None),
    }
}

/// The commitment of a sealed record, as it stands in the log.
///
/// # Errors
/// [`store::Error::Database`], and [`store::Error::Damaged`] when the log has no such entry.
pub fn commitment(transaction: &Transaction<'_>, row: &Row) -> Result<(Hash, Hash), store::Error> {
    let lost = || store::Error::Damaged(format!("the log has no entry for record {}: run 'sluis log fsck'", row.number));
    let entry = transaction.entry_at(row.shard, row.idx)?.ok_or_else(lost)?;
    let slot = entry.get(2..34).and_then(|slot| slot.try_into().ok()).ok_or_else(lost)?;
    Ok((slot, commitment_in(&entry).ok_or_else(lost)?))
}

fn open(transaction: &Transaction<'_>, keys: &Keys, ring: &mut ring::Ring, row: Row) -> Result<Option<Opened>, store::Error> {
    let erased = transaction.erased(FIELD, row.number)?;
    if erased.iter().any(|(at, ..)| *at == WHOLE) {
        return Ok(None);
    }
    let wrong = |what: &str| store::Error::Damaged(format!("record {}: {what}", row.number));
    let kind = record::kind_of(row.kind).ok_or_else(|| wrong("it is of a kind that this program does not know"))?;
    let (slot, commitment) = commitment(transaction, &row)?;
    let keys = ring.fields(keys, row.number.unsigned_abs(), kind.width())?;
    if keys.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut values = vec![Value::Absent; kind.width()];
    for (ordinal, of, closed) in ciphertexts(&row.sealed).ok_or_else(|| wrong("what is kept of it is cut off"))? {
        let Some(key) = keys.get(usize::from(ordinal)).copied().flatten() else { continue };
        let plain = sealed::open(&seed::cipher_key(&key), &row.nonce, row.number, ordinal, closed);
        let value = plain.and_then(|plain| Value::decode(Type::of(of)?, &plain));
        let place = values.get_mut(usize::from(ordinal));
        *place.ok_or_else(|| wrong("it has a field too many"))? = value.ok_or_else(|| wrong("a value does not open"))?;
    }
    let mut fields = Vec::with_capacity(kind.width());
    for (ordinal, value) in values.into_iter().enumerate() {
        let gone = erased.iter().find(|(at, ..)| *at as usize == ordinal).map(|(_, by, digest)| (*by, *digest));
        fields.push(match (keys.get(ordinal).copied().flatten(), gone) {
            (Some(key), None) => {
                let salt = seed::salt(&key, &row.nonce);
                let digest = match kind.field(ordinal) {
                    Some((name, _)) => record::field_digest(&salt, name, value.kind(), &value.encode()),
                    None => record::decoy_digest(&salt),
                };
                Field { digest, open: Some((salt, value)), erased: None }
            }
            (_, Some((by, digest))) => Field { digest, open: None, erased: confirmed(by) },
            (None, None) => return Err(wrong("a key is gone, and nothing says that it was erased")),
        });
    }
    let digests: Vec<Hash> = fields.iter().map(|field| field.digest).collect();
    if record::commitment(kind.number, &digests) != commitment {
        return Err(wrong("what is kept of it does not lead to what stands in the log"));
    }
    Ok(Some(Opened { row, kind, fields, commitment, slot }))
}

/// The record that says that something was erased; none as long as it is under way, when the number is that of the erasure.
fn confirmed(by: i64) -> Option<i64> {
    (by >= 0).then_some(by)
}

/// Ordinal, type and ciphertext of each field that is kept; `None` when they are cut off.
pub(super) fn ciphertexts(mut sealed: &[u8]) -> Option<Vec<(u8, u8, &[u8])>> {
    let mut found = Vec::new();
    while !sealed.is_empty() {
        let ([ordinal, of, length @ ..], rest) = sealed.split_first_chunk::<6>()?;
        let (closed, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        found.push((*ordinal, *of, closed));
        sealed = rest;
    }
    Some(found)
}

/// Opens some reports of a sealed batch, by their places. Those that the batch does not have are left out.
///
/// # Errors
/// [`store::Error::Database`], and [`store::Error::Damaged`] when the batch is not sealed, or what is kept does not lead to its
/// commitments.
pub fn reports(
    transaction: &Transaction<'_>,
    keys: &Keys,
    batch: i64,
    places: &[u32],
) -> Result<Vec<OpenedReport>, store::Error> {
    let wrong = |what: &str| store::Error::Damaged(format!("batch {batch}: {what}"));
    let kept = transaction.kept_batch(batch)?.ok_or_else(|| wrong("there is none of that number"))?;
    let record = transaction.record_of_batch(kept.submission, batch)?;
    let (record, ..) = record.ok_or_else(|| wrong("it is not sealed"))?;
    let leaves = transaction.leaves_of(batch)?;
    let levels = Levels::of(&leaves);
    let nodes = ring::nodes(keys.seeds_of_batch(batch)?);
    let erased = transaction.erased(REPORT_OF_BATCH, batch)?;
    let mut opened = Vec::new();
    for &place in places {
        let Some(commitment) = leaves.get(place as usize).copied() else { continue };
        let gone = erased.iter().find(|(at, ..)| *at == place).map(|(_, by, _)| *by);
        let seed = ring::find(&nodes, Node::of_report(place));
        let values = batches::values(transaction, batch, place)?;
        let fields = match (seed, values, gone) {
            (Some(seed), Some(values), None) => {
                let digests = batch::digests(&seed, &values);
                if batch::commitment(&digests) != commitment {
                    return Err(wrong(&format!("what is kept of report {place} does not lead to what was sealed")));
                }
                let mut at = 0u8;
                values.map(|value| {
                    let salt = seed::report_salt(&seed, at);
                    let digest = digests.get(usize::from(at)).copied().unwrap_or_default();
                    at += 1;
                    Field { digest, open: Some((salt, value)), erased: None }
                })
            }
            // Of a report that is gone nothing is shown, also when its row went and no record says so yet.
            _ => std::array::from_fn(|_| Field { digest: [0; 32], open: None, erased: gone.map_or(Some(record), confirmed) }),
        };
        let path = tree::prove_inclusion(place.into(), leaves.len() as u64, &mut |level, index| levels.node(level, index))
            .map_err(|error| wrong(&error.to_string()))?;
        opened.push(OpenedReport { record, place, fields, commitment, path });
    }
    Ok(opened)
}

/// All complete subtrees of a batch, level by level.
struct Levels(Vec<Vec<Hash>>);

impl Levels {
    fn of(leaves: &[Hash]) -> Levels {
        let mut levels = vec![leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<Hash>>()];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let above = below.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
            levels.push(above);
        }
        Levels(levels)
    }

    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
    }
}

/// The digests of fields of a record, to be kept when their keys are cut out: ordinal and digest. Those that were erased before
/// are left out.
///
/// # Errors
/// As [`record()`].
pub fn digests(
    transaction: &Transaction<'_>,
    keys: &Keys,
    number: i64,
    ordinals: &[u8],
) -> Result<Vec<(u8, Hash)>, store::Error> {
    let Some(opened) = record(transaction, keys, number)? else { return Ok(Vec::new()) };
    let field = |ordinal: &u8| {
        let field = opened.fields.get(usize::from(*ordinal)).filter(|field| field.erased.is_none())?;
        Some((*ordinal, field.digest))
    };
    Ok(ordinals.iter().filter_map(field).collect())
}

/// The record that an opened one was sealed as, as far as it is still known.
pub fn plain(opened: &Opened) -> Record {
    let mut record = Record::new(opened.kind);
    for (ordinal, field) in opened.fields.iter().enumerate() {
        if let (Some((name, _)), Some((_, value))) = (opened.kind.field(ordinal), &field.open) {
            record.set(name, value.clone());
        }
    }
    record
}

const _: () = assert!(REPORT.len() == 4);
