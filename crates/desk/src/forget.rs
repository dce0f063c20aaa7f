//! Forgetting: one person, in every place where text may stand.
//!
//! | place | what becomes of it | who does it |
//! |---|---|---|
//! | rows with text ([`PLACES`]) | the person's words are replaced | `look_through` |
//! | fields of reports, compressed | rewritten | `look_through_fields` |
//! | remarks on submissions | erased | `look_through_notes` |
//! | keys of cases, addresses | replaced by a hash, or empty | `look_through_keys`, `look_through_addresses` |
//! | raw submissions | the key is destroyed, when a person says so | [`Desk::forget`] |
//! | sealed records, reports sealed in batches | the keys of fields that name the person are destroyed | `sealed_of`, [`Desk::finish_erasing`] |
//! | the spool | the file is removed, when a person says so | [`Desk::forget`] |
//! | logs of the databases | emptied | `wipe` |
//! | backups | named: their keys go with the next backup | [`Desk::forget`] |
//!
//! That it was done is written down with a hash of the words that only this node can make.

mod who;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use ::seal::record::Value;
use model::time::Time;
use store::Transaction;
use store::backup::Kept;
use store::erasures::cuts::{Cut, FIELD};
use store::erasures::{Erasure, Found, Of, PLACES, Raw};
use store::holds::What;

pub use who::Who;

use crate::backup::{failed, files_of, remove};
use crate::seal::erase::{Named, named};
use crate::{Desk, Error};

/// Rows of one transaction.
const TOGETHER: u32 = 1_000;
/// Chunks of fields in one transaction.
const CHUNKS: u32 = 32;
/// Bytes of a submission that are looked at together, and how many of them again with the next.
const PART: usize = 4 << 20;
const AGAIN: usize = 1 << 10;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only say where the person is.
    pub dry_run: bool,
    /// Destroy raw submissions that name the person, and files of the spool. Everything else that they say stays, as fields.
    pub raw: bool,
    /// Do it though the party is in the administration or has open cases.
    pub force: bool,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: String,
}

/// Where a person was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows, by place.
    pub rows: Vec<(&'static str, u64)>,
    /// Reports whose fields named the person.
    pub reports: u64,
    /// Reports about an address of the person.
    pub addresses: u64,
    /// Fields of sealed records that name the person.
    pub sealed: u64,
    /// Reports in sealed batches that name the person.
    pub sealed_reports: u64,
    /// Sealed records that could not be opened.
    pub unopened: u64,
    /// When the last copy of the keys ends that opens what was sealed; `None` when there is none.
    pub copies_end: Option<Time>,
    /// Why the keys of what was sealed are not destroyed yet, in words for people; then it is tried again.
    pub unfinished: Option<String>,
    /// Raw submissions that name the person, by number.
    pub raw: Vec<i64>,
    /// Raw submissions that could not be looked through.
    pub unread: u64,
    /// Files of the spool.
    pub spool: u64,
    /// Folders that backups were made into.
    pub backups: Vec<String>,
    /// Whether the raw submissions and the files of the spool were destroyed.
    pub destroyed: bool,
    /// Parties, by number, that are in the administration: their source names them again at the next import.
    pub present: Vec<i64>,
    /// Open cases that are about the person.
    pub open: Vec<i64>,
}

impl Forgotten {
    /// Whether the person is nowhere.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.reports == 0
            && self.addresses == 0
            && self.raw.is_empty()
            && self.spool == 0
            && self.sealed + self.sealed_reports == 0
    }

    fn count(&self) -> u64 {
        self.rows.iter().map(|(_, count)| count).sum::<u64>() + self.reports + self.addresses + self.sealed + self.sealed_reports
    }
}

/// What was found, on its way to [`Forgotten`].
#[derive(Default)]
struct Search {
    found: Vec<Found>,
    reports: BTreeSet<i64>,
    addresses: u64,
}

impl Desk {
    /// Forgets a person, or says where it is. May be done again: what broke off is gone on with.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason, [`Error::Conflict`] when something is held for the law, or when the party is in
    /// the administration or has open cases and this was not forced, [`Error::Unavailable`].
    pub fn forget(&self, who: &Who, wanted: &Wanted) -> Result<Forgotten, Error> {
        if !wanted.dry_run && wanted.reason.trim().is_empty() {
            return Err(Error::Invalid("say why with a reason: it is written down, without the person".into()));
        }
        // Evidence is encrypted until it is sealed; then it is looked through with the rest.
        if !wanted.dry_run && self.store.reader()?.read(|transaction| transaction.has_evidence())? {
            self.seal()?;
        }
        let search = self.search(who, false)?;
        let mut sealed = self.sealed_of(who, -1)?;
        sealed.cuts.extend(self.sealed_reports_of(who, &search)?);
        let spool = self.spool_of(who)?;
        let (raws, unread) = self.raw_of(who, &search)?;
        let mut forgotten = Forgotten {
            rows: by_table(&search.found),
            reports: search.reports.len() as u64,
            addresses: search.addresses,
            sealed: sealed.cuts.iter().filter(|cut| cut.what == FIELD).count() as u64,
            sealed_reports: sealed.cuts.iter().filter(|cut| cut.what != FIELD).count() as u64,
            unopened: sealed.unread,
            copies_end: self.copies_end().filter(|_| !sealed.cuts.is_empty()),
            raw: raws.iter().map(|raw| raw.id).collect(),
            unread,
            spool: spool.len() as u64,
            backups: self.backup_places(),
            ..Forgotten::default()
        };
        let (parties, cases) = self.concerned(&search, &sealed, &mut forgotten)?;
        if wanted.dry_run {
            return Ok(forgotten);
        }
        if forgotten.is_empty() {
            // What broke off may have been at its last steps.
            forgotten.unfinished = self.finish_erasing().err().map(|error| error.to_string());
            self.wipe()?;
            return Ok(forgotten);
        }
        self.may_forget(&parties, &cases, &raws, &forgotten, wanted)?;
        // What the rows say is needed to find what was sealed of it, so that is written down before they are changed.
        self.erase_sealed(who, wanted, &sealed.cuts)?;
        self.search(who, true)?;
        // What was sealed meanwhile, from rows as they were.
        let since = self.sealed_of(who, sealed.last)?;
        self.erase_sealed(who, wanted, &since.cuts)?;
        forgotten.sealed += since.cuts.len() as u64;
        if wanted.raw {
            for raws in raws.chunks(TOGETHER as usize) {
                self.destroy_raw(raws)?;
            }
            for path in &spool {
                remove(path)?;
            }
            forgotten.destroyed = true;
        }
        self.record(who, wanted, &forgotten, &raws)?;
        // The rest is done, whether or not the log can be written now.
        forgotten.unfinished = self.finish_erasing().err().map(|error| error.to_string());
        self.wipe()?;
        Ok(forgotten)
    }

    /// Fields of sealed records above number `after` that name the person.
    fn sealed_of(&self, who: &Who, after: i64) -> Result<Named, Error> {
        let names = |name: &str, value: &Value| match value {
            Value::Text(text) => who.is_in(text.as_bytes()),
            Value::List(items) => items.iter().any(|item| who.is_in(item.as_bytes())),
            // A letter, a reply or a transcript, as it went or came.
            Value::Bytes(bytes) => name == "content" && who.is_in_mail(bytes),
            Value::Absent | Value::Number(_) | Value::Time(_) | Value::Digest(_) => false,
        };
        let mut all = Named { last: after, ..Named::default() };
        loop {
            let keys = self.store.keys();
            let found = self.step(false, |transaction| named(transaction, keys, all.last, TOGETHER, &names))?;
            let Some(found) = found else { return Ok(all) };
            all.cuts.extend(found.cuts);
            all.cases.extend(found.cases);
            all.unread += found.unread;
            all.last = found.last;
        }
    }

    /// Reports that name the person, as far as they are sealed in batches.
    fn sealed_reports_of(&self, who: &Who, search: &Search) -> Result<Vec<Cut>, Error> {
        let mut reports = search.reports.clone();
        let mut reader = self.store.reader()?;
        for address in who.addresses() {
            reports.extend(reader.read(|transaction| transaction.reports_about(address))?);
        }
        Ok(reader.read(|transaction| transaction.cuts_of_reports(reports))?)
    }

    fn erase_sealed(&self, who: &Who, wanted: &Wanted, cuts: &[Cut]) -> Result<(), Error> {
        if cuts.is_empty() {
            return Ok(());
        }
        let clean = |text: &str| who.change(text).unwrap_or_else(|| text.to_owned());
        let (ground, authority) = (clean(wanted.reason.trim()), clean(&wanted.by));
        let until = self.copies_end().map_or(0, |end| end.0);
        self.store.write("erasing", |transaction| transaction.begin_erasing(cuts, &ground, &authority, until))?;
        Ok(())
    }

    /// Looks through every place, and with `write` takes the person out of it.
    fn search(&self, who: &Who, write: bool) -> Result<Search, Error> {
        let mut search = Search::default();
        let change = |text: &str| who.change(text);
        for place in PLACES {
            let mut after = [i64::MIN; 3];
            loop {
                let (found, last) =
                    self.step(write, |transaction| transaction.look_through(place, after, TOGETHER, &change, write))?;
                search.found.extend(found);
                let Some(last) = last else { break };
                after = last;
            }
        }
        let mut after = 0;
        loop {
            let (found, last) =
                self.step(write, |transaction| transaction.look_through_notes(after, TOGETHER, &change, write))?;
            search.found.extend(found);
            let Some(last) = last else { break };
            after = last;
        }
        let mut after = -1;
        loop {
            let change = |bytes: &[u8]| who.change_bytes(bytes);
            let (found, last) = self.step(write, |transaction| transaction.look_through_fields(after, CHUNKS, &change, write))?;
            search.reports.extend(found);
            let Some(last) = last else { break };
            after = last;
        }
        // Keys last: until they are changed, a search that broke off finds the same cases again.
        let addresses: Vec<_> = who.addresses().map(Some).collect();
        for address in if addresses.is_empty() { vec![None] } else { addresses } {
            let mut after = 0;
            loop {
                let keys = write.then(|| self.store.keys());
                let matches = |bytes: &[u8]| who.is_in(bytes);
                let (found, last) =
                    self.step(write, |transaction| transaction.look_through_keys(after, TOGETHER, &matches, address, keys))?;
                search.found.extend(found);
                let Some(last) = last else { break };
                after = last;
            }
            if let Some(address) = address {
                search.addresses += self.step(write, |transaction| transaction.look_through_addresses(address, write))?;
            }
        }
        search.found.sort_unstable();
        search.found.dedup();
        if write && search.found.iter().any(|found| found.table == "assignments") {
            self.store.write("generation", |transaction| transaction.raise("generation"))?;
        }
        Ok(search)
    }

    fn step<T>(&self, write: bool, work: impl FnOnce(&Transaction<'_>) -> Result<T, store::Error>) -> Result<T, Error> {
        self.beat();
        if self.is_stopping() {
            return Err(Error::Unavailable("the node is stopping; say it again when it is up".into()));
        }
        Ok(if write { self.store.write("forget", work)? } else { self.store.reader()?.read(work)? })
    }

    /// Parties and cases that something was found of.
    fn concerned(
        &self,
        search: &Search,
        sealed: &Named,
        forgotten: &mut Forgotten,
    ) -> Result<(BTreeSet<i64>, BTreeSet<i64>), Error> {
        let of = |table: &str| PLACES.iter().find(|place| place.table == table).map_or(Of::Submission, |place| place.of);
        let (mut parties, mut cases) = (BTreeSet::new(), sealed.cases.clone());
        for found in &search.found {
            match of(found.table) {
                Of::Party => drop(parties.insert(found.key[0])),
                Of::Case => drop(cases.insert(found.key[0])),
                Of::Submission | Of::Itself => {}
            }
        }
        self.store.reader()?.read(|transaction| {
            for &report in &search.reports {
                let (_, case) = transaction.origin(report)?;
                cases.insert(case);
            }
            for &party in &parties {
                if transaction.is_present(party)? {
                    forgotten.present.push(party);
                }
                cases.extend(transaction.open_cases_held_by(party)?);
            }
            for &case in &cases {
                if transaction.case(case)?.is_some_and(|filed| filed.case.state == model::case::State::Open) {
                    forgotten.open.push(case);
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok((parties, cases))
    }

    fn may_forget(
        &self,
        parties: &BTreeSet<i64>,
        cases: &BTreeSet<i64>,
        raws: &[Raw],
        forgotten: &Forgotten,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        self.store.reader()?.read(|transaction| {
            let holds = transaction.holds(false)?;
            let is_held = |what: What, number: &i64| holds.iter().any(|held| held.what == what && held.target == *number);
            let party = parties.iter().find(|party| is_held(What::Party, party));
            let mut held = None;
            for case in cases {
                if transaction.is_case_held(*case)? {
                    held = Some(*case);
                }
            }
            if let Some(what) = party.map(|party| format!("party {party}")).or(held.map(|case| format!("case {case}"))) {
                return Err(Error::Conflict(format!(
                    "{what} is held for the law; 'sluis hold list' shows why and since when. End that first, or wait"
                )));
            }
            if wanted.raw {
                let held = transaction.held_submissions()?;
                if let Some(raw) = raws.iter().find(|raw| held.contains(&raw.id)) {
                    return Err(Error::Conflict(format!("submission {} belongs to a case that is held for the law", raw.id)));
                }
            }
            Ok::<_, Error>(())
        })?;
        if wanted.force {
            return Ok(());
        }
        if let Some(party) = forgotten.present.first() {
            return Err(Error::Conflict(format!(
                "party {party} is in the administration, and its source would name it again: take it out there and import, or \
                 say --force"
            )));
        }
        if !forgotten.open.is_empty() {
            let first: Vec<String> = forgotten.open.iter().take(5).map(i64::to_string).collect();
            return Err(Error::Conflict(format!(
                "{} of the person's cases are open ({}): close them first, or say --force",
                forgotten.open.len(),
                first.join(", ")
            )));
        }
        Ok(())
    }

    /// Raw submissions that name the person, and how many could not be looked through.
    fn raw_of(&self, who: &Who, search: &Search) -> Result<(Vec<Raw>, u64), Error> {
        let mut known: BTreeSet<i64> =
            search.found.iter().filter(|found| matches!(found.table, "set_aside" | "notes")).map(|found| found.key[0]).collect();
        let mut reader = self.store.reader()?;
        reader.read(|transaction| {
            for &report in &search.reports {
                known.insert(transaction.origin(report)?.0);
            }
            Ok::<_, Error>(())
        })?;
        let (mut raws, mut unread, mut after) = (Vec::new(), 0, 0);
        loop {
            let page: Vec<Kept> = reader.read(|transaction| transaction.kept_after(after, TOGETHER))?;
            let Some(last) = page.last() else { return Ok((raws, unread)) };
            after = last.id;
            for kept in page {
                self.beat();
                let is_known = known.contains(&kept.id);
                match if is_known { Ok(true) } else { self.is_in_raw(who, &kept, &mut reader) } {
                    Ok(true) => raws.push(Raw { id: kept.id, public: kept.public, size: 0 }),
                    Ok(false) => {}
                    Err(_) => unread += 1,
                }
            }
        }
    }

    fn is_in_raw(&self, who: &Who, kept: &Kept, reader: &mut store::Reader) -> Result<bool, Error> {
        let gone = || Error::NotFound("its key is gone".into());
        let key = self.store.keys().get(kept.public)?.ok_or_else(gone)?;
        let mut bytes = reader.read(|transaction| {
            let submission = transaction.submission(kept.id)?.ok_or_else(gone)?;
            Ok::<_, Error>(transaction.open_raw(&submission, &key, self.store.directory())?)
        })?;
        let mut part = Vec::with_capacity(PART);
        loop {
            let read = (&mut bytes).take((PART - part.len()) as u64).read_to_end(&mut part);
            let count = read.map_err(|error| Error::Unavailable(error.to_string()))?;
            if who.is_in_mail(&part) {
                return Ok(true);
            }
            if count == 0 {
                return Ok(false);
            }
            // A word may stand across the border.
            part.drain(..part.len().saturating_sub(AGAIN));
        }
    }

    /// Files of the spool that name the person.
    fn spool_of(&self, who: &Who) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        for path in files_of(&self.store.directory().join("spool").join("new"))? {
            match std::fs::read(&path) {
                Ok(bytes) if who.is_in_mail(&bytes) => found.push(path),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&path, &error)),
            }
        }
        Ok(found)
    }

    fn record(&self, who: &Who, wanted: &Wanted, forgotten: &Forgotten, raws: &[Raw]) -> Result<(), Error> {
        let mut mac = self.store.keys().mac("forgotten person");
        mac.update(who.canonical().as_bytes());
        let tag = mac.sign();
        let hash: String = tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let destroyed = if forgotten.destroyed { raws.len() as u64 } else { 0 };
        // The reason is written by a person, who may have named the person.
        let clean = |text: &str| who.change(text).unwrap_or_else(|| text.to_owned());
        let erasure = Erasure {
            at: self.now(),
            what: format!("person {hash}"),
            why: clean(wanted.reason.trim()),
            person: clean(&wanted.by),
            count: forgotten.count() + destroyed,
            bytes: 0,
        };
        Ok(self.store.write("record", |transaction| transaction.record_erasure(&erasure))?)
    }
}

fn by_table(found: &[Found]) -> Vec<(&'static str, u64)> {
    let mut tables: Vec<(&'static str, u64)> = Vec::new();
    for one in found {
        match tables.last_mut().filter(|(table, _)| *table == one.table) {
            Some((_, count)) => *count += 1,
            None => tables.push((one.table, 1)),
        }
    }
    tables
}
