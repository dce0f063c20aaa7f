//! The files of a list that a provider took in: they are checked from the manifest to the newest delta each time, and make a book to look up in.
//!
//! A file that does not fit is refused whole and not kept. Refused too: what is older than was seen, a gap, another list, a delta that does
//! not stand in the log, a log that tells two stories (M8).

use std::collections::BTreeSet;
use std::path::PathBuf;

use matching::envelope::{Envelope, Kind};
use matching::list::chain::Tip;
use matching::list::{Book, By, Manifest};
use seal::policy::Policy;

use super::directory::Provider;
use super::error::{Error, Result};
use super::report::List;
use crate::files;
use crate::hex::Hex;
use crate::keys::hex;
use crate::log::{Anchor, LogProof, Seen, check, published};

/// The folder in a provider's directory with the files of the list, as they came.
pub const FOLDER: &str = "list";
/// The most bytes of one file: 1 GiB.
pub const MOST_FILE: u64 = 1 << 30;
/// The most envelopes of one file.
const MOST_ENVELOPES: usize = 4_096;

/// A list with all that was taken in of it.
#[derive(Debug)]
pub struct Shelf {
    /// To look up in.
    pub book: Book,
    /// Branches of the chain that the desk made while the list holder made another: what they suspend is suspended.
    pub side: Vec<Book>,
    /// What belongs together.
    pub manifest: Manifest,
    /// The deltas, in order, and who made each.
    pub bodies: Vec<(Vec<u8>, By)>,
    /// The newest of the chain.
    pub tip: Tip,
    /// Hashes of all changes in it, those on branches of the desk too.
    pub known: BTreeSet<[u8; 32]>,
    /// When officers signed last. A delta of the desk does not count: behind it a withdrawal may have been kept back.
    pub signed: i64,
    /// The trees to which entries lead.
    pub roots: Vec<Seen>,
    /// The newest tree of the log.
    pub log: Seen,
    /// How many witnesses signed it, of those a policy names.
    pub witnesses: usize,
}

impl Shelf {
    /// Whether it is young enough to open a case on: seven days.
    #[must_use]
    pub fn is_fresh(&self, now: i64) -> bool {
        Tip { issued: self.signed, ..self.tip.clone() }.is_fresh(now) && now <= self.manifest.not_after
    }

    /// As the report tells it.
    #[must_use]
    pub fn list(&self) -> List {
        List {
            name: self.manifest.name.clone(),
            holder: self.manifest.holder.clone(),
            epoch: self.tip.epoch,
            until: self.manifest.not_after,
            delta: self.tip.seq,
            delta_at: self.tip.issued,
            log: self.manifest.log_origin.clone(),
            log_size: self.log.size,
            witnessed: self.witnesses > 0,
            contest: self.manifest.contest.clone(),
        }
    }
}

/// Checks everything that was taken in, with these new files, and keeps those that fit.
///
/// # Errors
/// When a file does not fit, and what to do then. Nothing was kept of it.
pub fn open(provider: &mut Provider, new: &[Vec<u8>], policy: Option<&Policy>, now: i64) -> Result<Shelf> {
    let pinned = provider.pinned()?.clone();
    let folder = provider.folder(FOLDER)?;
    let mut kept = Vec::new();
    for path in slu_files(&folder)? {
        kept.push(files::read(&path, MOST_FILE)?);
    }
    let mut envelopes = Vec::new();
    for bytes in kept.iter().chain(new.iter().filter(|new| !kept.contains(new))) {
        envelopes.append(&mut Envelope::read_all(bytes, MOST_ENVELOPES)?);
    }
    foreign(&envelopes, &pinned.manifest, &pinned.list, pinned.epoch)?;
    let chain = Chain { envelopes: &envelopes, anchor: Anchor::parse(&pinned.log)?, policy, now };
    let shelf = chain.walk(&pinned.manifest.0)?;
    chain.is_newest(&shelf, &provider.state.seen)?;
    for bytes in new {
        files::write(&folder.join(format!("{}.slu", hex(&matching::sha256(&[bytes])[..12]))), bytes)?;
    }
    let seen = &mut provider.state.seen;
    (seen.delta, seen.delta_issued) = (shelf.tip.seq, shelf.tip.issued);
    seen.delta_hash = (shelf.tip.seq > 0).then_some(Hex(shelf.tip.hash));
    (seen.log_size, seen.log_root) = (shelf.log.size, Some(Hex(shelf.log.root)));
    provider.save()?;
    Ok(shelf)
}

/// Whether files of a list were taken in.
///
/// # Errors
/// Those of the system.
pub fn has_any(provider: &Provider) -> Result<bool> {
    Ok(!slu_files(&provider.folder(FOLDER)?)?.is_empty())
}

fn slu_files(folder: &std::path::Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "slu")).collect();
    paths.sort();
    Ok(paths)
}

/// A file of another list is said, never passed over: it would look as if there were no hits.
fn foreign(envelopes: &[Envelope], manifest: &Hex<32>, list: &Hex<16>, epoch: u32) -> Result<()> {
    for envelope in envelopes {
        let header = &envelope.header;
        match header.kind {
            Kind::Manifest if envelope.hash() == manifest.0 => {}
            Kind::Manifest if header.epoch > epoch || (header.epoch == epoch && header.list != list.0) => {
                return Err(Error::said(format!(
                    "the manifest of epoch {} was given, and epoch {epoch} is pinned; take it in first with `sluis watchlist join --list FILE`",
                    header.epoch
                )));
            }
            Kind::Manifest => {
                return Err(Error::said(format!(
                    "the manifest of epoch {} is not the one that is pinned (epoch {epoch}); ask for the newest files",
                    header.epoch
                )));
            }
            Kind::Segment | Kind::Delta if header.list != list.0 || header.epoch != epoch => {
                return Err(Error::said(
                    "a file of another list or epoch was given; ask for the files of the list that is pinned, or take in the new one with `sluis watchlist join --list FILE`",
                ));
            }
            Kind::Segment | Kind::Delta | Kind::LogProof => {}
            other => {
                return Err(Error::said(format!(
                    "a file with {other:?} was given as a file of the list; check which file you gave"
                )));
            }
        }
    }
    Ok(())
}

/// Walks a chain from a manifest whose signatures were checked, for somebody who keeps no state of a provider: the desk.
///
/// # Errors
/// As [`open`].
pub(crate) fn walk(envelopes: &[Envelope], manifest: &[u8; 32], log: &str, now: i64) -> Result<Shelf> {
    Chain { envelopes, anchor: Anchor::parse(log)?, policy: None, now }.walk(manifest)
}

struct Chain<'a> {
    envelopes: &'a [Envelope],
    anchor: Anchor,
    policy: Option<&'a Policy>,
    now: i64,
}

impl Chain<'_> {
    /// From the manifest to the newest delta.
    fn walk(&self, manifest: &[u8; 32]) -> Result<Shelf> {
        let envelope = self.of(Kind::Manifest).find(|envelope| envelope.hash() == *manifest).ok_or_else(|| {
            Error::said(
                "the list is not here yet; give the list holder's file with --list, as it was given to `sluis watchlist join`",
            )
        })?;
        // Its signatures were checked when its hash was pinned, perhaps by officers who are none any more.
        let opened = Manifest::read(&envelope.body)?;
        let segment = self
            .of(Kind::Segment)
            .find(|segment| opened.is_segment(&segment.body))
            .ok_or_else(|| Error::said("the list that the manifest speaks of is not here; give its file with --list"))?;
        let checked = self.logged(envelope, None)?;
        let mut roots = vec![checked.entries];
        if (opened.entries_size, opened.entries_root) != (checked.entries.size, checked.entries.root) {
            return Err(Error::said(
                "the manifest and its proof speak of two trees of the log; do not use this file, and tell the list holder",
            ));
        }
        let mut tip = Tip::of(envelope);
        let mut signed = tip.issued;
        let mut book = Book::new(tip.list, tip.epoch, segment.body.clone())?;
        let (mut log, mut witnesses) = (checked.seen, checked.witnesses);
        let mut used: BTreeSet<[u8; 32]> = BTreeSet::new();
        let mut bodies: Vec<(Vec<u8>, By)> = Vec::new();
        let mut side = Vec::new();
        loop {
            let mut next: Vec<&Envelope> = self.after(&tip).collect();
            // The list holder's goes before the desk's: it stands in the log.
            next.sort_by_key(|delta| delta.header.sender == opened.desk);
            let Some(delta) = next.first() else { break };
            for other in next.iter().skip(1) {
                if let Ok((By::Desk, body, newer)) = tip.next(other, &opened, self.now) {
                    let mut book = branch(&tip, segment, &bodies, body)?;
                    used.insert(other.hash());
                    self.follow(newer, &opened, &mut book, &mut used)?;
                    side.push(book);
                }
            }
            let (by, body, newer) = tip.next(delta, &opened, self.now)?;
            if by == By::Officers {
                let checked = self.logged(delta, Some(&log))?;
                roots.push(checked.entries);
                (log, witnesses, signed) = (checked.seen, checked.witnesses, newer.issued);
            }
            book.add(body.to_vec(), by)?;
            bodies.push((body.to_vec(), by));
            used.insert(delta.hash());
            tip = newer;
        }
        let left = self.of(Kind::Delta).filter(|delta| delta.header.under == *manifest && !used.contains(&delta.hash()));
        match left.map(|delta| delta.header.seq).min() {
            Some(seq) if seq > tip.seq.saturating_add(1) => {
                return Err(Error::said(format!(
                    "change {} of the list is missing, and change {seq} was given; ask for all changes since change {}",
                    tip.seq.saturating_add(1),
                    tip.seq
                )));
            }
            Some(seq) => {
                return Err(Error::said(format!(
                    "change {seq} of the list does not follow what you have: there are two of that number, or one was left out; keep both files, ask the list holder, and tell other providers"
                )));
            }
            None => {}
        }
        Ok(Shelf { book, side, bodies, manifest: opened, tip, known: used, signed, roots, log, witnesses })
    }

    /// What the desk did further on a branch of its own: it goes on from what it has until it hears of the list holder's change.
    fn follow(&self, mut tip: Tip, manifest: &Manifest, book: &mut Book, used: &mut BTreeSet<[u8; 32]>) -> Result<()> {
        loop {
            let next = self.after(&tip).find(|delta| delta.header.sender == manifest.desk);
            let Some(delta) = next else { return Ok(()) };
            let Ok((By::Desk, body, newer)) = tip.next(delta, manifest, self.now) else { return Ok(()) };
            book.add(body.to_vec(), By::Desk)?;
            used.insert(delta.hash());
            tip = newer;
        }
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Envelope> {
        self.envelopes.iter().filter(move |envelope| envelope.header.kind == kind)
    }

    /// The deltas that come after this, each once.
    fn after(&self, tip: &Tip) -> impl Iterator<Item = &Envelope> {
        let (previous, seq, under) = (tip.hash, tip.seq.saturating_add(1), tip.manifest);
        let mut seen = BTreeSet::new();
        self.of(Kind::Delta).filter(move |delta| {
            let header = &delta.header;
            header.previous == previous && header.seq == seq && header.under == under && seen.insert(delta.hash())
        })
    }

    /// That it stands in the log: one of the proofs that were given says so. Of several errors the first is told.
    fn logged(&self, envelope: &Envelope, seen: Option<&Seen>) -> Result<check::Checked> {
        let leaf = published(envelope.header.kind, &envelope.hash());
        let mut first = None;
        for proof in self.of(Kind::LogProof) {
            // A proof of another publication has another path; who brought it does not matter, since the log's own key signed it.
            let checked = LogProof::decode(&proof.body)
                .map_err(Into::into)
                .and_then(|proof| check::check(&proof, &self.anchor, &leaf, seen, self.policy));
            match checked {
                Ok(checked) => return Ok(checked),
                Err(crate::log::Wrong::Path(_)) => {}
                Err(wrong) => first = first.or(Some(wrong)),
            }
        }
        Err(first.map_or_else(
            || Error::said("a file of the list has no proof that it stands in the log; ask for the whole file again"),
            Error::Log,
        ))
    }

    /// That nothing newer was seen before, and that the log still tells the same story.
    fn is_newest(&self, shelf: &Shelf, seen: &super::directory::Seen) -> Result<()> {
        // The newest that was seen may have become a branch of the desk since: its number does not count then, only that it is still heard.
        let is_heard = seen.delta_hash.is_none_or(|hash| shelf.known.contains(&hash.0));
        if !is_heard && shelf.tip.seq < seen.delta {
            return Err(Error::said(format!(
                "change {} of the list was seen before, and the files here end at change {}; put the files in `list/` back, or ask for them again",
                seen.delta, shelf.tip.seq
            )));
        }
        if !is_heard {
            return Err(Error::said(
                "there are two changes of the list with one number: keep both files, they prove it, and tell other providers and the contest desk",
            ));
        }
        let before = Seen { size: seen.log_size, root: seen.log_root.map_or([0; 32], |root| root.0) };
        if before.size > shelf.log.size {
            return Err(Error::Log(crate::log::Wrong::Behind { size: shelf.log.size, seen: before.size }));
        }
        if before.size == shelf.log.size && before.size > 0 && before.root != shelf.log.root {
            return Err(Error::Log(crate::log::Wrong::Fork(before.size)));
        }
        if before.size > 0 && before.size < shelf.log.size {
            let envelope = self.envelopes.iter().find(|envelope| {
                matches!(envelope.header.kind, Kind::Delta | Kind::Manifest)
                    && self.logged(envelope, Some(&before)).is_ok_and(|checked| checked.seen == shelf.log)
            });
            if envelope.is_none() {
                return Err(Error::Log(crate::log::Wrong::NoWayBack(before.size)));
            }
        }
        Ok(())
    }
}

/// The chain up to here with a delta of the desk that the list holder did not follow.
fn branch(tip: &Tip, segment: &Envelope, bodies: &[(Vec<u8>, By)], body: &[u8]) -> Result<Book> {
    let mut book = Book::new(tip.list, tip.epoch, segment.body.clone())?;
    for (body, by) in bodies {
        book.add(body.clone(), *by)?;
    }
    book.add(body.to_vec(), By::Desk)?;
    Ok(book)
}
