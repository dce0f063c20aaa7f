//! Joining a list: its officers are pinned by fingerprints that people compared, and from then on each manifest by those officers. Then a
//! request to be enrolled, and what the list holder made of it.

use matching::envelope::{Envelope, Expected, KeyId, Kind};
use matching::list::Manifest;
use matching::list::manifest::EditSide;
use matching::message::Enrolment;
use matching::token::Group;

use super::directory::{Enrolled, OUTBOX, Pinned, Provider, Seen};
use super::error::Error;
use super::pending;
use crate::enrolment::{self, About, Batches};
use crate::files;
use crate::hex::Hex;
use crate::log::{self, Anchor, LogProof, check, published};

/// The request to be enrolled, in the outbox.
pub const REQUEST: &str = "enrolment-request.slu";
/// That this provider leaves, in the outbox.
pub const LEAVING: &str = "leaving.slu";

/// What was pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// What the list is called.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The epoch.
    pub epoch: u32,
    /// Whether it was pinned now, or had been before.
    pub new: bool,
    /// How many guesses the largest plan of a provider has in this epoch, by group.
    pub guesses: Vec<(Group, u64)>,
    /// What a person has to know.
    pub notes: Vec<String>,
}

/// Pins the manifest in a list holder's file. The first time `fingerprints` are those of at least two officers, as they were read aloud; later
/// it is the officers of the manifest before who must have signed, and `fingerprints` may be empty.
///
/// What was asked under another manifest is destroyed, and the files of the old list are put into a folder of their own.
///
/// # Errors
/// When there is no manifest in the file, it is not signed by two of the officers, is older than what is pinned, or does not stand in the
/// log; those of the system.
pub fn pin(provider: &mut Provider, file: &[u8], fingerprints: &[String], now: i64) -> Result<Joined, Error> {
    let envelopes = Envelope::read_all(file, 4_096)?;
    let of_kind = |kind| envelopes.iter().filter(move |envelope| envelope.header.kind == kind);
    let envelope = of_kind(Kind::Manifest).max_by_key(|envelope| envelope.header.epoch).ok_or_else(|| {
        Error::said("there is no manifest in this file; give the file with which the list holder began the epoch")
    })?;
    let officers = officers(provider, envelope, fingerprints)?;
    let seen = provider.state.pinned.as_ref().map(|pinned| pinned.epoch);
    let manifest = Manifest::open(envelope, &officers, seen, now)?;
    let mut notes = Vec::new();
    let before = provider.state.pinned.clone();
    let same = before.as_ref().is_some_and(|pinned| pinned.manifest.0 == envelope.hash());
    if let Some(before) = before.as_ref().filter(|_| !same) {
        if before.epoch == envelope.header.epoch && manifest.predecessor != before.manifest.0 {
            return Err(Error::said(
                "there is another manifest of this epoch, and it does not follow the one that you have: keep both files, they prove it, and tell other providers and the contest desk",
            ));
        }
        changes(before, &manifest, &mut notes);
    }
    let anchor = Anchor::parse(&manifest.log_key)?;
    let known = before.as_ref().filter(|before| before.log == manifest.log_key).map(|_| &provider.state.seen);
    let known = known.and_then(|seen| Some(log::Seen { size: seen.log_size, root: seen.log_root?.0 }));
    let leaf = published(Kind::Manifest, &envelope.hash());
    let checked = of_kind(Kind::LogProof)
        .map(|proof| check::check(&LogProof::decode(&proof.body)?, &anchor, &leaf, known.as_ref().filter(|_| !same), None))
        .reduce(|one, other| one.or(other))
        .ok_or_else(|| {
            Error::said("there is no proof in this file that the manifest stands in the log; ask for the whole file")
        })??;
    if !same {
        notes.push("Nobody but the list holder watches this log yet: no witness was asked to sign it.".to_owned());
        provider.state.seen = Seen { log_size: checked.seen.size, log_root: Some(Hex(checked.seen.root)), ..Seen::default() };
        provider.state.officers = manifest.officers.iter().map(|key| Hex(*key)).collect();
        if let Some(before) = &before {
            set_aside(provider, before.epoch)?;
        }
        provider.state.pinned = Some(pinned(envelope, &manifest));
        provider.save()?;
        // They cannot be answered any more; without the key they can still be destroyed.
        pending::forget(provider)?;
    }
    Ok(Joined {
        name: manifest.name,
        holder: manifest.holder,
        epoch: envelope.header.epoch,
        new: !same,
        guesses: manifest.guesses,
        notes,
    })
}

/// Whose signatures count: the first time those of the manifest whose fingerprints were given, then those that are pinned.
fn officers(provider: &Provider, envelope: &Envelope, fingerprints: &[String]) -> Result<Vec<KeyId>, Error> {
    let pinned: Vec<KeyId> = provider.state.officers.iter().map(|key| key.0).collect();
    // Not to be trusted before the signatures are: it says which keys there are to compare, no more.
    let claimed = Manifest::read(&envelope.body)?.officers;
    let mut compared = Vec::new();
    for typed in fingerprints {
        let fits = claimed.iter().find(|key| enrolment::same_fingerprint(typed, key).is_ok());
        let Some(key) = fits else {
            return Err(Error::said(format!(
                "no officer of this list has the fingerprint {typed}: call the list holder on a number that you know, and compare again"
            )));
        };
        compared.push(*key);
    }
    compared.sort_unstable();
    compared.dedup();
    match (pinned.is_empty(), compared.len()) {
        (false, 0) => Ok(pinned),
        (_, 2..) => Ok(compared),
        _ => Err(Error::said(
            "the fingerprints of two officers are needed: let somebody of the list holder read them to you, and give them with --officers ONE,TWO",
        )),
    }
}

/// What changed that a person should know of.
fn changes(before: &Pinned, manifest: &Manifest, notes: &mut Vec<String>) {
    for (changed, what) in [
        (before.evaluator.0 != manifest.evaluator, "The evaluator has another key than in the epoch before."),
        (before.desk.0 != manifest.desk, "The contest desk has another key than in the epoch before."),
        (before.log != manifest.log_key, "The log has another key than in the epoch before."),
    ] {
        if changed {
            notes.push(format!("{what} Two officers signed for that; ask why."));
        }
    }
}

fn pinned(envelope: &Envelope, manifest: &Manifest) -> Pinned {
    let keys = manifest.groups.iter().filter_map(|(group, _)| Some((*group as u8, Hex(*manifest.key(*group)?))));
    Pinned {
        name: manifest.name.clone(),
        holder: manifest.holder.clone(),
        list: Hex(envelope.header.list),
        epoch: envelope.header.epoch,
        manifest: Hex(envelope.hash()),
        not_before: manifest.not_before,
        not_after: manifest.not_after,
        norm_version: manifest.norm_version,
        evaluator: Hex(manifest.evaluator),
        desk: Hex(manifest.desk),
        desk_address: Hex(manifest.desk_hpke),
        keys: keys.collect(),
        log: manifest.log_key.clone(),
        edits_both: manifest.edit_side == EditSide::Both,
        rarity: manifest.rarity_bits,
    }
}

/// Puts the files of the list of an epoch that is over out of the way. They stay: they may have to prove something.
fn set_aside(provider: &Provider, epoch: u32) -> Result<(), Error> {
    let list = provider.folder("list")?;
    let old = list.join(format!("E{epoch}"));
    let entries = std::fs::read_dir(&list).map_err(|source| Error::io(&list, source))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        files::directory(&old)?;
        let Some(name) = path.file_name() else { continue };
        std::fs::rename(&path, old.join(name)).map_err(|source| Error::io(&path, source))?;
    }
    Ok(())
}

/// Puts a request to be enrolled into the outbox, and says where.
///
/// # Errors
/// Those of the system.
pub fn request(provider: &Provider, about: &About, now: i64) -> Result<std::path::PathBuf, Error> {
    let path = provider.folder(OUTBOX)?.join(REQUEST);
    files::write(&path, &enrolment::request(about, provider.identity(), now).encode())?;
    Ok(path)
}

/// Takes in an enrolment. An older one than is known changes nothing.
///
/// # Errors
/// When it is none, for another provider, or not signed by a pinned officer; those of the system.
pub fn enrol(provider: &mut Provider, file: &[u8], now: i64) -> Result<Enrolment, Error> {
    let envelope = Envelope::read_all(file, 1)?.pop().ok_or_else(|| Error::said("the file is empty; ask for it again"))?;
    let me = provider.key();
    let refused = |why| Error::Refused("the enrolment".to_owned(), why);
    let expected = Expected { recipient: Some(&me), ..Expected::default() };
    let body = envelope.open(Kind::Enrolment, &expected, now).map_err(refused)?;
    if !provider.state.officers.contains(&Hex(envelope.header.sender)) {
        return Err(refused(matching::envelope::Refused::Sender));
    }
    let enrolment = Enrolment::decode(body)?;
    if enrolment.provider != me || enrolment.hpke != provider.identity().public.address {
        return Err(Error::said("the enrolment is of another key; ask the list holder for one on your newest request"));
    }
    let newer = provider.state.enrolled.as_ref().is_none_or(|known| known.issued < envelope.header.issued);
    if newer {
        provider.state.enrolled = Some(Enrolled {
            enrolment: Hex(envelope.hash()),
            issued: envelope.header.issued,
            until: envelope.header.until,
            plan: Batches::of(&enrolment.plan),
        });
        provider.save()?;
    }
    Ok(enrolment)
}

/// Leaves: puts the paper for the list holder into the outbox, and destroys what was asked and is not answered. What was cached ends with the
/// epoch, or when its file is removed.
///
/// # Errors
/// Those of the system.
pub fn leave(provider: &mut Provider, reason: &str, now: i64) -> Result<std::path::PathBuf, Error> {
    let path = provider.folder(OUTBOX)?.join(LEAVING);
    let me = provider.key();
    files::write(&path, &enrolment::leaving(&me, reason, provider.identity(), now).encode())?;
    provider.state.enrolled = None;
    provider.save()?;
    pending::forget(provider)?;
    Ok(path)
}
