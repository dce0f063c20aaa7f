//! What the desk gets with each publication, encrypted to it: every entry with its proofs, and the table with which it can suspend. And what
//! comes back: a delta of the desk, which can only suspend.

use matching::{
    bytes::{Malformed, Reader, Writer},
    envelope::{Envelope, Expected, Header, Kind, Refused},
    list::{By as Made, Manifest, Status, chain::Tip, entry},
    parcel,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Error, Holder, LogAt,
    publish::{MOST_FILE, called},
    put,
    state::{Change, Epoch, Published},
};
use crate::{
    files,
    keys::{hex, unhex},
    log::{ListLog, published},
};

/// The label of the parcel for the desk.
pub const INFO: &[u8] = b"sluis/v1/desk-list";

/// The whole list in clear, for the desk alone: whoever has it can read the list (M15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskList {
    /// [`matching::list::Table::encode`]: with it the desk can suspend.
    pub table: Zeroizing<Vec<u8>>,
    /// Every entry that stands in a slot.
    pub entries: Vec<DeskEntry>,
}

/// An entry for the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskEntry {
    /// Where it stands.
    pub slot: u32,
    /// [`matching::list::Entry::capsule_bytes`].
    pub capsule: Vec<u8>,
    /// What proves it in the log ([`crate::log::listed::check_capsule`]).
    pub capsule_proof: Vec<u8>,
    /// [`matching::list::Entry::reason_bytes`].
    pub reason: Vec<u8>,
    /// What proves it ([`crate::log::listed::check_reason`]).
    pub reason_proof: Vec<u8>,
}

/// The most bytes of a part of an entry.
const MOST_PART: usize = 1 << 16;

impl DeskList {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.bytes(&self.table).u32(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        for one in &self.entries {
            w.u32(one.slot).bytes(&one.capsule).bytes(&one.capsule_proof).bytes(&one.reason).bytes(&one.reason_proof);
        }
        Zeroizing::new(w.done())
    }

    /// The list of these bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn decode(bytes: &[u8]) -> Result<DeskList, Malformed> {
        let mut r = Reader::new(bytes);
        let table = Zeroizing::new(r.bytes(matching::bytes::MOST)?.to_vec());
        let count = r.u32()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let part = |r: &mut Reader<'_>| Ok::<_, Malformed>(r.bytes(MOST_PART)?.to_vec());
            let slot = r.u32()?;
            let (capsule, capsule_proof) = (part(&mut r)?, part(&mut r)?);
            let (reason, reason_proof) = (part(&mut r)?, part(&mut r)?);
            entries.push(DeskEntry { slot, capsule, capsule_proof, reason, reason_proof });
        }
        r.end()?;
        Ok(DeskList { table, entries })
    }
}

/// What the parcel is bound to: list, epoch and number of the publication.
#[must_use]
pub fn label(header: &Header) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(&header.list).u32(header.epoch).u64(header.seq);
    w.done()
}

/// Writes the file for the desk. Its envelope is signed with the key of the log, which the manifest names.
pub(super) fn write(
    holder: &Holder,
    epoch: &Epoch,
    proof: &Header,
    log_at: &LogAt,
    log: &ListLog,
    size: u64,
    rng: &mut impl CryptoRng,
) -> Result<String, Error> {
    let publication = holder.publication(epoch)?;
    let mut entries = Vec::with_capacity(epoch.slots.len());
    for (id, version, slot) in &epoch.slots {
        let (entry, index) = holder.entry_of(id, *version, proof.issued)?;
        let (capsule_proof, reason_proof) = holder.proofs(log, &entry, index, size)?;
        let (capsule, reason) = (entry.capsule_bytes(), entry.reason_bytes());
        entries.push(DeskEntry { slot: *slot, capsule, capsule_proof, reason, reason_proof });
    }
    let list = DeskList { table: publication.table().encode(), entries };
    let header = Header { kind: Kind::DeskList, recipient: holder.state.desk.key()?, ..proof.clone() };
    let address = holder.state.desk.address()?;
    let parcel = parcel::pack(&address, INFO, &label(&header), &list.encode(), rng).map_err(|_| Error::Parcel)?;
    let envelope = Envelope::signed(header, parcel, &log_at.key.signing);
    let name = format!("{}-E{}-D{}.desk.slu", holder.state.name, epoch.epoch, epoch.seq);
    let path = holder.dir.join("desk").join(name);
    put(&path, &envelope.encode())?;
    Ok(path.display().to_string())
}

impl Holder {
    /// Takes in a delta of the desk: what it suspended is suspended here too, and the next delta follows it. Gives what happened, in sentences.
    ///
    /// # Errors
    /// When it is not the desk's, does not follow the newest publication, or does more than suspend. While a draft waits, that is thrown away
    /// first, since it would follow something older.
    pub fn take_desk(&mut self, bytes: &[u8], now: i64) -> Result<Vec<String>, Error> {
        let envelopes = Envelope::read_all(bytes, 8).map_err(Refused::from)?;
        let delta = envelopes.iter().find(|envelope| envelope.header.kind == Kind::Delta);
        let delta = delta.ok_or(Error::Desk("there is no delta of the desk in this file; ask the desk for it"))?;
        let hash = hex(&delta.hash());
        if self.state.published.iter().any(|before| before.hash == hash) {
            return Err(Error::Desk("this delta of the desk was taken in already"));
        }
        let desk = self.state.desk.key()?;
        delta.open(Kind::Delta, &Expected { sender: Some(&desk), ..Expected::default() }, now)?;
        if self.state.draft.is_some() {
            return Err(Error::Desk(
                "a publication waits here for its second signature, and the desk's delta comes before it: throw it away with `publish --discard`, take in the desk's delta, and publish again",
            ));
        }
        let epoch =
            self.state.epochs.last().cloned().ok_or(Error::Desk("nothing was published yet that the desk could suspend"))?;
        let damaged = |_| Error::Damaged("an epoch");
        let base = self.state.published.iter().find(|published| published.epoch == epoch.epoch && published.seq == 0);
        let base = base.ok_or(Error::Damaged("an epoch"))?;
        let bytes = files::read(&self.dir.join("public").join(&base.file), MOST_FILE)?;
        let manifest = Envelope::read_all(&bytes, 3).map_err(Refused::from)?;
        let manifest = Manifest::read(&manifest.first().ok_or(Error::Damaged("a publication"))?.body)?;
        let last = self.state.published.last().map_or(now, |last| last.at);
        let tip = Tip {
            manifest: unhex(&epoch.manifest).map_err(damaged)?,
            list: unhex(&epoch.list).map_err(damaged)?,
            epoch: epoch.epoch,
            seq: epoch.seq,
            hash: unhex(&epoch.newest).map_err(damaged)?,
            issued: last,
        };
        let is_late = (delta.header.list, delta.header.under) == (tip.list, tip.manifest) && delta.header.previous != tip.hash;
        if is_late && delta.header.seq <= tip.seq {
            return Err(Error::Desk(
                "the desk suspended without having your newest publication, so this delta cannot follow it. Do not leave it at that: give the desk that publication and its own file at once, it suspends again, and you take in what it makes then",
            ));
        }
        let (by, body, _) = tip.next(delta, &manifest, now)?;
        if by != Made::Desk {
            return Err(Error::Desk("this delta is not the desk's"));
        }
        let mut publication = self.publication(&epoch)?;
        let slots = publication.take(body)?;
        let mut after = Epoch { newest: hash.clone(), seq: delta.header.seq, ..epoch };
        let mut told = Vec::new();
        let mut snapshot = self.state.published.last().map_or_else(Vec::new, |last| last.snapshot.clone());
        for slot in slots {
            after.statuses.insert(slot, Status::Suspended.name().to_owned());
            let Some((id, version, _)) = after.slots.iter().find(|(_, _, other)| *other == slot) else { continue };
            let since = publication.table().status(slot).map_or(now, |(_, since)| since);
            for kept in self.state.entries.iter_mut().filter(|kept| kept.id == *id && kept.withdrawn.is_none()) {
                let why = "contested; the desk suspended it".to_owned();
                kept.suspended.get_or_insert(Change { since, why, by: hex(&desk) });
                if kept.version == *version {
                    told.push(format!("{} is suspended since {}", called(kept), super::form::day_of(since)));
                }
            }
            for (_, _, status) in snapshot.iter_mut().filter(|(listed, ..)| listed == id) {
                Status::Suspended.name().clone_into(status);
            }
        }
        after.publication = self.keep_publication(&after, &hash, &publication)?;
        self.state.unlogged.push(hex(&published(Kind::Delta, &delta.hash())));
        self.state.published.push(Published {
            epoch: after.epoch,
            seq: after.seq,
            file: String::new(),
            hash,
            at: delta.header.issued,
            size: 0,
            snapshot,
        });
        if let Some(last) = self.state.epochs.last_mut() {
            *last = after;
        }
        self.save()?;
        Ok(told)
    }

    /// Lifts a suspension once the contest is decided and the entry stands: live again from the next delta on, which two officers sign.
    ///
    /// # Errors
    /// When the entry is not suspended.
    pub fn lift(&mut self, entry: &str, officer: &crate::keys::Identity) -> Result<entry::EntryId, Error> {
        self.officer(officer)?;
        let id = self.state.entries[self.find(entry)?].id.clone();
        let mut lifted = false;
        for kept in self.state.entries.iter_mut().filter(|kept| kept.id == id) {
            lifted |= kept.suspended.take().is_some();
        }
        if !lifted {
            return Err(Error::Desk("this entry is not suspended"));
        }
        self.save()?;
        unhex(&id).map_err(|_| Error::Damaged("an entry"))
    }
}
