//! Steps become sealed records, in the order in which they happened, and their entries for the log.
//!
//! The sequencer calls [`prepare`] first, which makes the seeds durable that the keys of fields will follow from, and does
//! what takes long; then, in one transaction with the entries of the log, [`draw`]. A kill between the two leaves seeds that
//! nothing was sealed under yet.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::severity::Severity;
use model::step::Step;
use model::time::Time;
use seal::record::{self, ENTRY, Hash, Record, Value};
use seal::seed::{self, Seed};
use store::keys::{Keys, random, sha256};
use store::sealed::{self, Head, PartyHead, Row, ToSeal, Unsealed, Whose, what};
use store::{Store, Transaction};

use super::batches::{self, Ready};
use super::compose::{self, Ground, Moment};
use super::ring::Ring;

/// The counter that holds when something was sealed last: the time of records never goes back, whatever the clock does.
const SEALED_AT: &str = "sealed_at";
/// Reports of batches that one pass commits to, at the most, unless one batch has more.
const REPORTS: usize = 100_000;
/// Cases that are read at once.
const CASES: usize = 256;

/// What was done ahead of a transaction that seals.
pub struct Prepared {
    most: u32,
    urgent_only: bool,
    /// Numbers of records whose seeds are durable.
    numbers: std::ops::Range<i64>,
    batches: HashMap<i64, Option<Ready>>,
    ring: Ring,
}

impl Prepared {
    /// Whether there is anything to seal.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

/// Where the next entries stand in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The shard.
    pub shard: i64,
    /// Index of the first.
    pub first: i64,
}

/// What was sealed: the rows are written, the entries are for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The entries, in the order of their indexes.
    pub entries: Vec<[u8; ENTRY]>,
    /// When they were sealed, as the records say.
    pub recorded_at: Time,
    /// Rows that wait no more. When this is 0, another pass would seal nothing either.
    pub taken: usize,
    /// Records that could not be sealed, because the secret of their stream was destroyed or is lost.
    pub lost: usize,
}

/// A record that is to be sealed, without its place in the stream.
pub struct Draft {
    /// Whose stream it goes to: see [`what`].
    pub what: i64,
    /// The submission, the case, or 0.
    pub target: i64,
    /// Identifier of the stream.
    pub stream: [u8; 16],
    /// The step, batch or row that it is of.
    pub ordinal: i64,
    /// The step of a case that it is of; 0 for what is no step.
    pub last_step: i64,
    /// Number of the chain that it stands on; 0 for none.
    pub chain: i64,
    /// The party whose letters it is counted among; 0 for none.
    pub letter_to: i64,
    /// The fields, but for those that say where it stands.
    pub record: Record,
}

/// Prepares to seal up to `most` records: makes the seeds durable that they need, and reads the batches that wait.
///
/// # Errors
/// [`store::Error::Database`], [`store::Error::Damaged`], [`store::Error::Random`].
pub fn prepare(store: &Store, most: u32, urgent_only: bool) -> Result<Prepared, store::Error> {
    let keys = store.keys();
    let mut reader = store.reader()?;
    let (first, wanted, waits) = reader.read(|transaction| {
        let rows = transaction.take_unsealed(most, urgent_only)?;
        let batches = if urgent_only { batches_of(transaction, &rows)? } else { of_rows(&rows) };
        Ok::<_, store::Error>((transaction.next_record()?, batches, !rows.is_empty()))
    })?;
    let mut prepared = Prepared { most, urgent_only, numbers: first..first, batches: HashMap::new(), ring: Ring::default() };
    if !waits || most == 0 {
        return Ok(prepared);
    }
    prepared.numbers.end = first + i64::from(most);
    let block = |number: i64| number.unsigned_abs() / seed::BLOCK;
    keys.ensure_blocks(block(first), block(prepared.numbers.end - 1))?;
    keys.ensure_batches(&wanted)?;
    let mut reports = 0;
    for batch in wanted {
        if reports >= REPORTS {
            break;
        }
        let ready = reader.read(|transaction| batches::make_ready(transaction, keys, batch))?;
        reports += ready.as_ref().map_or(0, |ready| ready.leaves.len());
        prepared.batches.insert(batch, ready);
    }
    Ok(prepared)
}

/// The batches that wait themselves.
fn of_rows(rows: &[Unsealed]) -> Vec<i64> {
    rows.iter().filter(|row| row.what == what::BATCH).map(|row| row.ordinal).collect()
}

/// The batches that wait and that cases were opened by: they are sealed before those.
fn batches_of(transaction: &Transaction<'_>, rows: &[Unsealed]) -> Result<Vec<i64>, store::Error> {
    let mut wanted = of_rows(rows);
    for row in rows.iter().filter(|row| row.what == what::CASE) {
        for case in transaction.cases_to_seal(row.target, row.target)? {
            if case.head.is_none() {
                let (batch, _) = Transaction::batch_of(transaction.first_report(&case)?);
                if let Some(kept) = transaction.kept_batch(batch)?
                    && transaction.unsealed_row(what::BATCH, kept.submission, batch)?.is_some()
                {
                    wanted.push(batch);
                }
            }
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted)
}

/// Seals what was prepared for: writes records and heads, and takes what is sealed from what waits. The entries go into the log
/// in the same transaction, at `place`.
///
/// # Errors
/// [`store::Error::Database`], [`store::Error::Damaged`], [`store::Error::Random`]; then nothing of the transaction may stay.
pub fn draw(
    transaction: &Transaction<'_>,
    keys: &Keys,
    prepared: &mut Prepared,
    place: Place,
    now: Time,
) -> Result<Drawn, store::Error> {
    let first = transaction.next_record()?;
    // Only the sequencer seals; were the number another, its seeds might not be durable.
    if prepared.is_empty() || first != prepared.numbers.start {
        return Ok(Drawn { entries: Vec::new(), recorded_at: now, taken: 0, lost: 0 });
    }
    let recorded_at = Time(now.0.max(transaction.counter(SEALED_AT)?));
    let rows = transaction.take_unsealed(prepared.most, prepared.urgent_only)?;
    let mut drawing = Drawing::new(transaction, keys, prepared, place, recorded_at);
    drawing.all(&rows)?;
    drawing.finish()
}

/// One transaction of the sequencer.
struct Drawing<'a> {
    transaction: &'a Transaction<'a>,
    keys: &'a Keys,
    prepared: &'a mut Prepared,
    place: Place,
    recorded_at: Time,
    rows: Vec<Row>,
    entries: Vec<[u8; ENTRY]>,
    leaves: Vec<(i64, Vec<Hash>)>,
    done: Vec<Unsealed>,
    heads: HashMap<(i64, i64), Open>,
    letters: HashMap<i64, Option<PartyHead>>,
    parties: HashMap<i64, Option<Whose>>,
    chains: HashMap<i64, sealed::Lines>,
    batches: HashMap<i64, Batch>,
    /// The submissions of batches, and the digests of submissions.
    submissions: HashMap<i64, Option<i64>>,
    digests: HashMap<i64, Option<Hash>>,
    nonces: Vec<u8>,
    lost: usize,
}

/// A stream that is written to.
struct Open {
    head: Option<Head>,
    /// `None` when it was destroyed: then nothing more can be sealed in this stream.
    secret: Option<Seed>,
    changed: bool,
}

/// The first reports of cases.
#[derive(Default)]
struct Reports {
    of_cases: HashMap<i64, i64>,
    batch: model::report::Batch,
    /// Where each stands in the batch; those that were erased are missing.
    places: HashMap<i64, usize>,
}

/// What there is of a batch.
#[derive(Clone, Copy)]
enum Batch {
    /// Its record has this commitment.
    Sealed(Hash),
    /// It has no record, and gets none.
    None,
    /// It waits, and could not be prepared for.
    Waits,
}

impl<'a> Drawing<'a> {
    fn new(
        transaction: &'a Transaction<'a>,
        keys: &'a Keys,
        prepared: &'a mut Prepared,
        place: Place,
        recorded_at: Time,
    ) -> Drawing<'a> {
        Drawing {
            transaction,
            keys,
            prepared,
            place,
            recorded_at,
            rows: Vec::new(),
            entries: Vec::new(),
            leaves: Vec::new(),
            done: Vec::new(),
            heads: HashMap::new(),
            letters: HashMap::new(),
            parties: HashMap::new(),
            chains: HashMap::new(),
            batches: HashMap::new(),
            submissions: HashMap::new(),
            digests: HashMap::new(),
            nonces: Vec::new(),
            lost: 0,
        }
    }

    /// Whether there is room for another record.
    fn has_room(&self) -> bool {
        self.rows.len() < self.prepared.most as usize
    }

    fn all(&mut self, rows: &[Unsealed]) -> Result<(), store::Error> {
        for row in rows.iter().filter(|row| row.what == what::BATCH) {
            if !self.has_room() {
                return Ok(());
            }
            self.batch(row)?;
        }
        let cases: Vec<&Unsealed> = rows.iter().filter(|row| row.what == what::CASE).collect();
        // Urgent cases do not lie beside each other; the others are read together, but not many more than there is room for.
        let together = if self.prepared.urgent_only { 1 } else { CASES };
        let mut from = 0;
        while from < cases.len() && self.has_room() {
            let of_case = cases.get(from..).unwrap_or_default().chunk_by(|a, b| a.target == b.target);
            let length: usize = of_case.take(together).map(<[_]>::len).sum();
            self.cases(cases.get(from..from + length).unwrap_or_default())?;
            from += length;
        }
        for row in rows.iter().filter(|row| row.what > what::CASE) {
            if !self.has_room() {
                return Ok(());
            }
            if let Some(draft) = super::others::draft(self.transaction, self.keys, row)? {
                self.add(draft)?;
                self.done.push(*row);
            }
        }
        Ok(())
    }

    /// Seals a batch that waits, when it was prepared and is as it was then.
    fn batch(&mut self, row: &Unsealed) -> Result<Batch, store::Error> {
        let batch = row.ordinal;
        if let Some(known) = self.batches.get(&batch) {
            return Ok(*known);
        }
        let state = match self.prepared.batches.remove(&batch) {
            None => Batch::Waits,
            Some(None) => {
                self.done.push(*row);
                Batch::None
            }
            Some(Some(ready)) if self.transaction.batch_print(batch)? != ready.print => Batch::Waits,
            Some(Some(ready)) => {
                let public = self.transaction.submission(ready.submission)?.map(|submission| submission.public.0);
                let sealed = self.add(Draft {
                    what: what::BATCH,
                    target: ready.submission,
                    stream: public.unwrap_or_default().to_be_bytes(),
                    ordinal: batch,
                    last_step: 0,
                    chain: 0,
                    letter_to: 0,
                    record: ready.record,
                })?;
                self.done.push(*row);
                self.leaves.push((batch, ready.leaves));
                sealed.map_or(Batch::None, Batch::Sealed)
            }
        };
        self.batches.insert(batch, state);
        Ok(state)
    }

    /// The record of the batch that a report came in; a batch that waits is sealed now.
    fn batch_of(&mut self, batch: i64, submission: i64) -> Result<Batch, store::Error> {
        if let Some(known) = self.batches.get(&batch) {
            return Ok(*known);
        }
        if let Some(row) = self.transaction.unsealed_row(what::BATCH, submission, batch)? {
            return if self.has_room() { self.batch(&row) } else { Ok(Batch::Waits) };
        }
        let state = match self.transaction.record_of_batch(submission, batch)? {
            Some((_, shard, idx)) => match self.transaction.entry_at(shard, idx)?.as_deref().and_then(commitment_in) {
                Some(commitment) => Batch::Sealed(commitment),
                None => Batch::None,
            },
            None => Batch::None,
        };
        self.batches.insert(batch, state);
        Ok(state)
    }

    /// The submission of a batch; `None` when the batch is no more.
    fn submission_of(&mut self, batch: i64) -> Result<Option<i64>, store::Error> {
        Ok(match self.submissions.entry(batch) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => *free.insert(self.transaction.kept_batch(batch)?.map(|kept| kept.submission)),
        })
    }

    /// SHA-256 of the bytes of a submission.
    fn digest_of(&mut self, submission: i64) -> Result<Option<Hash>, store::Error> {
        Ok(match self.digests.entry(submission) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => *free.insert(self.transaction.submission_sha256(submission)?),
        })
    }

    /// Seals the steps of cases; `rows` are those of neighbouring cases, in order.
    fn cases(&mut self, rows: &[&Unsealed]) -> Result<(), store::Error> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let (first, last) = (first.target, last.target);
        let found = self.transaction.cases_to_seal(first, last)?;
        let reports = self.first_reports(&found, rows)?;
        let mut cases = found.into_iter().peekable();
        let mut steps = self.transaction.steps_to_seal(first, last)?.into_iter().peekable();
        for of_case in rows.chunk_by(|a, b| a.target == b.target) {
            let target = of_case.first().map_or(0, |row| row.target);
            while cases.next_if(|case| case.case < target).is_some() {}
            while steps.next_if(|(case, _)| *case < target).is_some() {}
            let Some(case) = cases.next_if(|case| case.case == target) else {
                // The case was erased before it was sealed.
                self.done.extend(of_case.iter().map(|row| **row));
                continue;
            };
            let mut of_steps = Vec::new();
            while let Some((_, step)) = steps.next_if(|(case, _)| *case == target) {
                of_steps.push(step);
            }
            if !self.case(&case, of_case, &of_steps, &reports)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The first reports of those cases that stand on a chain that is not sealed, as many as there is room for.
    fn first_reports(&self, cases: &[ToSeal], rows: &[&Unsealed]) -> Result<Reports, store::Error> {
        let mut reports = Reports::default();
        let room = self.prepared.most as usize - self.rows.len();
        let mut rows = rows.iter().peekable();
        for case in cases {
            while rows.next_if(|row| row.target < case.case).is_some() {}
            let mut stands_on_new = false;
            while let Some(row) = rows.next_if(|row| row.target == case.case) {
                stands_on_new |= case.head.is_none_or(|head| head.chain != row.chain);
            }
            if stands_on_new && reports.of_cases.len() < room {
                reports.of_cases.insert(case.case, self.transaction.first_report(case)?);
            }
        }
        let mut ids: Vec<i64> = reports.of_cases.values().copied().collect();
        ids.sort_unstable();
        let loaded = match self.transaction.reports_by_id(&ids) {
            Ok(loaded) => loaded,
            // Some were erased since: what is sealed of their cases is the case itself and its steps.
            Err(store::Error::Database(_) | store::Error::Damaged(_)) => {
                ids.retain(|id| self.transaction.reports_by_id(&[*id]).is_ok());
                self.transaction.reports_by_id(&ids)?
            }
            Err(error) => return Err(error),
        };
        reports.places = loaded.1.iter().map(|kept| (kept.id, kept.place)).collect();
        reports.batch = loaded.0;
        Ok(reports)
    }

    /// Seals the steps of a case that `rows` stand for; false when there is no room for more.
    fn case(&mut self, case: &ToSeal, rows: &[&Unsealed], steps: &[Step], reports: &Reports) -> Result<bool, store::Error> {
        let mut steps = steps.iter().peekable();
        for row in rows {
            while let Some(step) = steps.next_if(|step| i64::from(step.ordinal) <= row.ordinal) {
                if !self.has_room() {
                    return Ok(false);
                }
                if !self.step(case, row, step, reports)? {
                    // Its batch has to be sealed first, which the next pass does.
                    return Ok(true);
                }
            }
            self.done.push(**row);
        }
        Ok(true)
    }

    /// Seals a step; false when it has to wait.
    fn step(&mut self, case: &ToSeal, row: &Unsealed, step: &Step, reports: &Reports) -> Result<bool, store::Error> {
        let key = (what::CASE, case.case);
        if let Entry::Vacant(free) = self.heads.entry(key) {
            free.insert(Open::new(case.head, self.keys, &mut self.prepared.ring)?);
        }
        let chain = self.heads.get(&key).and_then(|open| open.head).map(|head| head.chain);
        let is_first_on_chain = chain != Some(row.chain);
        if let Entry::Vacant(free) = self.parties.entry(row.party) {
            free.insert(if row.party == 0 { None } else { self.transaction.whose(row.party)? });
        }
        if is_first_on_chain && let Entry::Vacant(free) = self.chains.entry(row.chain) {
            free.insert(if row.chain == 0 { Vec::new() } else { self.transaction.chain_lines(row.chain)? });
        }
        let mut found = None;
        if is_first_on_chain {
            let Some(report) = reports.of_cases.get(&case.case) else { return Ok(false) };
            let (batch, place) = Transaction::batch_of(*report);
            if let Some(submission) = self.submission_of(batch)? {
                let sealed = match self.batch_of(batch, submission)? {
                    Batch::Waits => return Ok(false),
                    Batch::Sealed(commitment) => Some((commitment, place)),
                    Batch::None => None,
                };
                if !self.has_room() {
                    return Ok(false);
                }
                found = Some((*report, self.digest_of(submission)?, sealed));
            }
        }
        let severity = usize::try_from(row.severity).ok().and_then(|number| Severity::ALL.get(number)).copied();
        let whose = self.parties.get(&row.party).and_then(Option::as_ref);
        let moment = Moment { kind: case.kind, whose, severity };
        let ground = is_first_on_chain.then(|| Ground {
            first_seen: case.first_seen,
            chain: self.chains.get(&row.chain).map_or(&[][..], Vec::as_slice),
            report: found.and_then(|(report, ..)| Some(reports.batch.report(*reports.places.get(&report)?))),
            submission: found.and_then(|(_, submission, _)| submission),
            batch: found.and_then(|(.., batch)| batch),
        });
        let record = compose::step(step, &moment, ground.as_ref());
        self.add(Draft {
            what: what::CASE,
            target: case.case,
            stream: case.public.0.to_be_bytes(),
            ordinal: step.ordinal.into(),
            last_step: step.ordinal.into(),
            chain: row.chain,
            letter_to: if compose::is_letter(step.what) { row.party } else { 0 },
            record,
        })?;
        Ok(true)
    }

    /// Seals a record at the end of its stream; its commitment. `None` when the secret of its stream was destroyed.
    fn add(&mut self, draft: Draft) -> Result<Option<Hash>, store::Error> {
        let Draft { what, target, stream, ordinal, last_step, chain, letter_to, mut record } = draft;
        let number = self.prepared.numbers.start + self.rows.len() as i64;
        if number >= self.prepared.numbers.end {
            return Err(store::Error::Damaged("more was to be sealed than keys were made for".to_owned()));
        }
        let open = match self.heads.entry((what, target)) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => {
                free.insert(Open::new(self.transaction.head(what, target)?, self.keys, &mut self.prepared.ring)?)
            }
        };
        if open.head.is_none() && open.secret.is_none() {
            open.secret = self.prepared.ring.secret(self.keys, number.unsigned_abs())?;
        }
        let Some(secret) = open.secret else {
            self.lost += 1;
            return Ok(None);
        };
        let seq = open.head.map_or(0, |head| head.seq + 1);
        record.set("stream", Value::Bytes(stream.to_vec()));
        record.set("seq", Value::Number(seq.unsigned_abs()));
        match open.head {
            Some(head) => record.set("prev", Value::Digest(head.commitment)),
            None => record.set("secret_commitment", Value::Digest(record::secret_commitment(&secret))),
        }
        record.set("recorded_at", Value::Time(self.recorded_at.0));
        let mut party_seq = 0;
        if letter_to != 0 {
            let last = match self.letters.entry(letter_to) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(free) => *free.insert(self.transaction.party_head(letter_to)?),
            };
            party_seq = last.map_or(0, |last| last.seq + 1);
            record.set("party_seq", Value::Number(party_seq.unsigned_abs()));
            record.set("party_prev", last.map_or(Value::Absent, |last| Value::Digest(last.commitment)));
        }
        let nonce = nonce(&mut self.nonces)?;
        let keys = self.prepared.ring.fields(self.keys, number.unsigned_abs(), record.kind.width())?;
        let (sealed, commitment) = close(&record, &keys, &nonce, number)?;
        let slot = record::slot(&secret, seq.unsigned_abs());
        self.rows.push(Row {
            number,
            what,
            target,
            seq,
            kind: record.kind.number,
            shard: self.place.shard,
            idx: self.place.first + self.entries.len() as i64,
            ordinal,
            party: letter_to,
            party_seq,
            nonce,
            sealed,
        });
        self.entries.push(record::entry(&slot, &commitment));
        let first = open.head.map_or(number, |head| head.first);
        // What is no step stands on the chain that stood before.
        let (last_step, chain) = match open.head {
            Some(head) if last_step == 0 => (head.ordinal, head.chain),
            _ => (last_step, chain),
        };
        open.head = Some(Head { what, target, seq, commitment, ordinal: last_step, first, chain });
        open.changed = true;
        if letter_to != 0 {
            self.letters.insert(letter_to, Some(PartyHead { party: letter_to, seq: party_seq, commitment }));
        }
        Ok(Some(commitment))
    }

    fn finish(self) -> Result<Drawn, store::Error> {
        let transaction = self.transaction;
        transaction.add_records(&self.rows)?;
        for (batch, leaves) in &self.leaves {
            transaction.add_leaves(*batch, leaves)?;
        }
        let changed = self.heads.into_values().filter(|open| open.changed);
        let mut heads: Vec<Head> = changed.filter_map(|open| open.head).collect();
        heads.sort_unstable_by_key(|head| (head.what, head.target));
        transaction.set_heads(&heads)?;
        let mut letters: Vec<PartyHead> = self.letters.into_values().flatten().collect();
        letters.sort_unstable_by_key(|head| head.party);
        transaction.set_party_heads(&letters)?;
        transaction.take_from_unsealed(&self.done)?;
        if !self.entries.is_empty() {
            transaction.set_counter(SEALED_AT, self.recorded_at.0)?;
        }
        Ok(Drawn { entries: self.entries, recorded_at: self.recorded_at, taken: self.done.len(), lost: self.lost })
    }
}

impl Open {
    fn new(head: Option<Head>, keys: &Keys, ring: &mut Ring) -> Result<Open, store::Error> {
        let secret = match &head {
            // Seeds that are lost must not hold up all other streams.
            Some(head) => match ring.secret(keys, head.first.unsigned_abs()) {
                Err(store::Error::Damaged(_)) => None,
                secret => secret?,
            },
            None => None,
        };
        Ok(Open { head, secret, changed: false })
    }
}

/// The commitment in the entry of a sealed record.
pub(super) fn commitment_in(entry: &[u8]) -> Option<Hash> {
    (entry.len() == ENTRY && entry.starts_with(&[1, 1])).then(|| entry.last_chunk().copied()).flatten()
}

/// The ciphertexts of a record's values, and its commitment.
fn close(record: &Record, keys: &[Option<Seed>], nonce: &[u8; 12], number: i64) -> Result<(Vec<u8>, Hash), store::Error> {
    let lost = || store::Error::Damaged(format!("the keys of record {number} are gone before it was sealed"));
    let mut salts: Vec<Hash> = Vec::with_capacity(record.kind.width());
    let mut ciphers: Vec<Hash> = Vec::with_capacity(record.kind.width());
    for ordinal in 0..record.kind.width() {
        let key = keys.get(ordinal).and_then(Option::as_ref).ok_or_else(lost)?;
        let is_kept = record.values().get(ordinal).is_some_and(|value| *value != Value::Absent);
        let (salt, cipher) = if is_kept { seed::field_keys(key, nonce) } else { (seed::salt(key, nonce), [0; 32]) };
        salts.push(salt);
        ciphers.push(cipher);
    }
    let (_, commitment) = record.commit(&salts);
    let mut sealed = Vec::with_capacity(600);
    let values = record.values().iter().zip(&ciphers).enumerate();
    for (ordinal, (value, cipher)) in values.filter(|(_, (value, _))| **value != Value::Absent) {
        let mut bytes = value.encode();
        sealed::close(cipher, nonce, number, ordinal as u8, &mut bytes)?;
        sealed.extend_from_slice(&[ordinal as u8, value.kind() as u8]);
        sealed.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        sealed.extend_from_slice(&bytes);
    }
    Ok((sealed, commitment))
}

/// Twelve random bytes, from many that were drawn at once.
fn nonce(from: &mut Vec<u8>) -> Result<[u8; 12], store::Error> {
    if from.len() < 12 {
        from.clear();
        from.extend_from_slice(&random::<3_072>()?);
    }
    let rest = from.split_off(from.len() - 12);
    rest.try_into().map_err(|_| store::Error::Random)
}

/// Identifier of the node's own stream: the same as long as the node has the same keys.
pub fn node_stream(keys: &Keys) -> [u8; 16] {
    let digest = sha256(&keys.derive("seal: stream of the node"));
    digest.first_chunk().copied().unwrap_or_default()
}
