//! This node as a witness of others' logs: its key, its memory in two places, and what it cosigns.
//!
//! A witness that forgets is worth nothing: it could be led to cosign a second history. So its memory is in the database, where it
//! is replaced by comparison in one transaction, and besides in a file in the folder of the promises, which no backup
//! brings back. Both are durable before anything is signed, and the larger of them counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ::seal::checkpoint::Checkpoint;
use ::seal::fork::ForkProof;
use ::seal::note::{Algorithm, Ed25519Signer, Note, SignatureLine, Signer, VerifierKey};
use ::seal::shelf::Shelf;
use ::seal::witness::{Refused, Request, Seen, follows, of_origin};
use ::seal::{checkpoint, cosignature};
use store::Transaction;
use store::witness::{View, Views};

use super::folder::Folder;
use super::watch::{self, State};
use super::{disk, start};
use crate::{Desk, Error};

/// The file of the memory, in the folder of the promises.
const MEMORY: &str = "witness";
/// The first line of that file.
const FORM: &str = "sluis-witnessed/v1";
/// The file of the key, in the folder of the log.
const KEY: &str = "witness";
/// Hexadecimal digits of the key's digest in the name of a witness that nobody named. RFC 6761 keeps `.invalid` for such names.
const DIGITS: usize = 16;

/// What the operator chose about this node as a witness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The name of its key; without it one that follows from the key.
    pub name: Option<String>,
    /// The file with its key, which is not the log's; without it `log/witness` in the data directory, which is made.
    pub key: Option<PathBuf>,
    /// Keys of the logs that it cosigns; each stands for the trees of its log that follow too.
    pub logs: Vec<VerifierKey>,
}

/// The witness of a desk, and what is known of witnesses and logs of others.
#[derive(Default)]
pub(super) struct Witness {
    pub(super) settings: Option<Settings>,
    /// Opened when it is first asked.
    open: Mutex<Option<Open>>,
    /// What lasts and is to wake a person.
    pub(super) states: Mutex<BTreeMap<String, State>>,
    /// Held while the file of a checkpoint's cosignatures is written.
    pub(super) writing: Mutex<()>,
}

struct Open {
    signer: Ed25519Signer,
    folder: Folder,
    /// What the file says.
    memory: BTreeMap<String, Seen>,
}

/// A request whose signature holds: what is left is to compare it with what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    request: Request,
    checkpoint: Checkpoint,
}

/// What comes of a request.
pub type Answer = Result<SignatureLine, Refused>;

impl Desk {
    /// Makes this node a witness. To be done before it is asked anything.
    pub fn set_witness(&mut self, settings: Option<Settings>) {
        self.log.witness.settings = settings;
    }

    /// Reads a request and checks its signature; the memory is not asked yet.
    ///
    /// # Errors
    /// [`Refused`]; a node that is no witness knows no log.
    pub fn read_request(&self, body: &[u8]) -> Result<Asked, Refused> {
        let request = Request::parse(body)?;
        let checkpoint = request.open(|origin| self.known_keys(origin))?;
        Ok(Asked { request, checkpoint })
    }

    /// Cosigns what continues what was seen, all of it durable before the first signature. Several at once are faster than one
    /// by one: the disk is waited for once.
    ///
    /// # Errors
    /// [`Error::Conflict`] when this node may not cosign until a person has looked, [`Error::Unavailable`] when it is to be
    /// tried again. Nothing was signed then.
    pub fn cosign(&self, asked: &[Asked]) -> Result<Vec<Answer>, Error> {
        let answers = self.cosign_now(asked);
        self.note_cosigning(answers.as_ref().err());
        answers
    }

    fn cosign_now(&self, asked: &[Asked]) -> Result<Vec<Answer>, Error> {
        let mut held = self.log.witness.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.open_witness(&mut held)?;
        let now = self.now();
        let (decided, found) = self.store.write("witness", |transaction| {
            let mut found = 0;
            let mut decide = |asked: &Asked| self.decide(transaction, asked, &mut found);
            let decided = asked.iter().map(&mut decide).collect::<Result<Vec<_>, store::Error>>()?;
            Ok::<_, store::Error>((decided, found))
        })?;
        let mut advanced = false;
        for (asked, decided) in asked.iter().zip(&decided) {
            if decided.is_ok() {
                let seen = Seen { size: asked.checkpoint.size, root: asked.checkpoint.root };
                advanced |= open.memory.insert(asked.checkpoint.origin.clone(), seen) != Some(seen);
            }
        }
        if advanced && let Err(error) = open.folder.publish(MEMORY, encode(&open.memory).as_bytes()) {
            // What the file says is read again.
            *held = None;
            return Err(disk(&error));
        }
        let seconds = u64::try_from(now.0 / 1_000).unwrap_or(0);
        let sign = |(asked, decided): (&Asked, Result<(), Refused>)| {
            Ok(match decided {
                Err(refused) => Err(refused),
                Ok(()) => Ok(cosignature::sign(&asked.request.checkpoint.text, seconds, &open.signer)
                    .map_err(|error| Error::Unavailable(error.to_string()))?),
            })
        };
        let answers = asked.iter().zip(decided).map(sign).collect();
        drop(held);
        if found > 0 {
            self.write_conflicts()?;
        }
        answers
    }

    /// The key by which this node cosigns; nothing when it is no witness. It is made if there is none.
    ///
    /// # Errors
    /// As [`Desk::cosign`].
    pub fn witness_key(&self) -> Result<Option<VerifierKey>, Error> {
        if self.log.witness.settings.is_none() {
            return Ok(None);
        }
        let mut held = self.log.witness.open.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(self.open_witness(&mut held)?.signer.key().clone()))
    }

    /// The keys that are known for an origin.
    fn known_keys(&self, origin: &str) -> Vec<VerifierKey> {
        let year = self.now().date().0.saturating_add(1);
        let logs = self.log.witness.settings.iter().flat_map(|settings| &settings.logs);
        let mut keys: Vec<VerifierKey> = Vec::new();
        for key in logs.filter_map(|key| of_origin(key, origin, year)) {
            // Listed for two of its years, it is one key all the same.
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Compares a request with what was seen, and replaces that.
    fn decide(&self, transaction: &Transaction<'_>, asked: &Asked, found: &mut u32) -> Result<Result<(), Refused>, store::Error> {
        let Asked { request, checkpoint } = asked;
        let before = transaction.view(Views::Witnessed, &checkpoint.origin)?;
        let seen = before.as_ref().map(|view| Seen { size: view.size, root: view.root });
        if let Err(refused) = follows(request, checkpoint, seen.as_ref()) {
            if let (Refused::OtherRoot(_), Some(before)) = (&refused, &before) {
                *found += u32::from(self.keep_fork(transaction, before, asked)?);
            }
            return Ok(Err(refused));
        }
        let next = View {
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
            note: request.checkpoint.to_string(),
            at: self.now(),
        };
        let unchanged = before.as_ref().is_some_and(|before| before.size == next.size && !before.note.is_empty());
        if unchanged || transaction.advance_view(Views::Witnessed, seen.map(|seen| (seen.size, seen.root)), &next)? {
            return Ok(Ok(()));
        }
        // Somebody else replaced it in the same moment; the one who asks looks again.
        let now = transaction.view(Views::Witnessed, &checkpoint.origin)?.map_or(0, |view| view.size);
        Ok(Err(Refused::OtherSize(now)))
    }

    /// Keeps the proof that a log signed two roots of one size; whether it is new.
    fn keep_fork(&self, transaction: &Transaction<'_>, before: &View, asked: &Asked) -> Result<bool, store::Error> {
        let origin = &before.origin;
        let Ok(earlier) = Note::parse(before.note.as_bytes()) else { return Ok(false) };
        let proof = self.known_keys(origin).into_iter().find_map(|key| {
            checkpoint::open_as(&earlier, origin, &key).ok()?;
            ForkProof::of_equal_size(earlier.clone(), asked.request.checkpoint.clone(), origin, &key).ok()
        });
        let Some(proof) = proof else { return Ok(false) };
        watch::keep_conflict(transaction, origin, true, &proof.to_string(), self.now())
    }

    /// The witness, opened if it is not.
    fn open_witness<'a>(&self, held: &'a mut Option<Open>) -> Result<&'a mut Open, Error> {
        if held.is_none() {
            let settings = self.log.witness.settings.as_ref();
            let settings =
                settings.ok_or_else(|| Error::Invalid("this node is no witness: [witness] makes it one".to_owned()))?;
            *held = Some(self.start_witness(settings)?);
        }
        held.as_mut().ok_or_else(|| Error::Unavailable("the witness is not there".to_owned()))
    }

    fn start_witness(&self, settings: &Settings) -> Result<Open, Error> {
        let (seed, made) = self.witness_seed(settings)?;
        let signer = signer(settings, &seed)?;
        // One key serves one role: a log's signature must never pass for a witness's, nor somebody else's for ours.
        let log = start::verifier(self.store.directory(), &self.log.settings, "sluis.invalid")?;
        if log.iter().chain(&settings.logs).any(|key| key.public() == signer.key().public()) {
            return Err(Error::Invalid("the key of the witness is that of a log: it must be one of its own".to_owned()));
        }
        let folder = self.signed_folder();
        let kept = folder.read(MEMORY).map_err(|error| disk(&error))?;
        let known = self.store.reader()?.read(|transaction| transaction.views(Views::Witnessed))?;
        let memory = match kept {
            Some(bytes) => decode(&bytes).ok_or_else(|| cannot("the file signed/witness cannot be read as what it should be"))?,
            None if made || known.is_empty() => BTreeMap::new(),
            None => {
                return Err(cannot(FORGOTTEN));
            }
        };
        let memory = self.agree(memory, &known)?;
        folder.publish(MEMORY, encode(&memory).as_bytes()).map_err(|error| disk(&error))?;
        Ok(Open { signer, folder, memory })
    }

    /// The larger of what the file and the database know of each log, in both.
    fn agree(&self, mut memory: BTreeMap<String, Seen>, known: &[View]) -> Result<BTreeMap<String, Seen>, Error> {
        for view in known {
            let of_file = memory.entry(view.origin.clone()).or_insert(Seen { size: view.size, root: view.root });
            if of_file.size == view.size && of_file.root != view.root {
                return Err(cannot(&format!("what it knows of {} differs between the database and signed/witness", view.origin)));
            }
            if of_file.size < view.size {
                *of_file = Seen { size: view.size, root: view.root };
            }
        }
        let behind: Vec<(&String, &Seen, Option<&View>)> = memory
            .iter()
            .map(|(origin, seen)| (origin, seen, known.iter().find(|view| view.origin == *origin)))
            .filter(|(_, seen, view)| view.is_none_or(|view| view.size < seen.size))
            .collect();
        if !behind.is_empty() {
            self.store.write("witness", |transaction| {
                for (origin, seen, view) in &behind {
                    let next =
                        View { origin: (*origin).clone(), size: seen.size, root: seen.root, note: String::new(), at: self.now() };
                    transaction.advance_view(Views::Witnessed, view.map(|view| (view.size, view.root)), &next)?;
                }
                Ok::<_, store::Error>(())
            })?;
        }
        Ok(memory)
    }

    /// The secret key of the witness, and whether it was made now.
    fn witness_seed(&self, settings: &Settings) -> Result<([u8; 32], bool), Error> {
        let directory = self.store.directory();
        if let Some(seed) = kept_seed(directory, settings)? {
            return Ok((seed, false));
        }
        if let Some(path) = &settings.key {
            return Err(cannot(&format!("{} is missing, which holds its key", path.display())));
        }
        let seed: [u8; 32] = store::keys::random()?;
        let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = Folder::private(directory.join("log"));
        folder.publish(KEY, format!("{digits}\n").as_bytes()).map_err(|error| disk(&error))?;
        Ok((seed, true))
    }
}

/// The secret key of a witness; nothing when its file is not there.
fn kept_seed(directory: &Path, settings: &Settings) -> Result<Option<[u8; 32]>, Error> {
    let path = settings.key.clone().unwrap_or_else(|| directory.join("log").join(KEY));
    match std::fs::read(&path) {
        Ok(bytes) => match start::seed_of(&bytes) {
            Some(seed) => Ok(Some(seed)),
            None => Err(cannot(&format!("{}: its key has 64 hexadecimal digits, or 32 bytes", path.display()))),
        },
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::from(store::Error::File { path, cause })),
    }
}

fn signer(settings: &Settings, seed: &[u8; 32]) -> Result<Ed25519Signer, Error> {
    let signer = |name: &str| {
        Ed25519Signer::new(name, Algorithm::Cosignature, seed)
            .map_err(|wrong| Error::Invalid(format!("[witness] name = \"{name}\": {wrong}")))
    };
    if let Some(name) = &settings.name {
        return signer(name);
    }
    let digest = store::keys::sha256(signer("sluis.invalid")?.key().public());
    let digits: String = digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    signer(&format!("sluis.invalid/witness/{digits}"))
}

/// The key that verifies what a node cosigns, from its files; nothing when it has none yet.
///
/// # Errors
/// When the file of the key cannot be read, or is none.
pub fn verifier(directory: &Path, settings: &Settings) -> Result<Option<VerifierKey>, Error> {
    let Some(seed) = kept_seed(directory, settings)? else { return Ok(None) };
    Ok(Some(signer(settings, &seed)?.key().clone()))
}

/// Why a witness may not cosign, as far as its files say; nothing when it may. Other processes see it so too.
///
/// # Errors
/// When a file cannot be read.
pub fn trouble(directory: &Path, settings: &Settings, log: &super::Settings, known: &[View]) -> Result<Option<String>, Error> {
    let kept = start::promises(directory, log).read(MEMORY).map_err(|error| disk(&error))?;
    let forgot = kept.is_none() && !known.is_empty() && kept_seed(directory, settings)?.is_some();
    Ok(forgot.then(|| cannot(FORGOTTEN).to_string()))
}

/// The database knows logs, and the file beside it is gone.
const FORGOTTEN: &str = "nothing says what it cosigned last, as after a restore, and perhaps it cosigned more than the database \
                         knows. Bring the file signed/witness back, or begin with another key: move the file of its key away, and \
                         tell the logs";

fn cannot(why: &str) -> Error {
    Error::Conflict(format!("this node cannot cosign: {why}"))
}

/// The memory as a file: a line for each log, with size, root in hexadecimal digits, and origin.
fn encode(memory: &BTreeMap<String, Seen>) -> String {
    let hex = |root: &[u8; 32]| root.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let lines = memory.iter().map(|(origin, seen)| format!("{} {} {origin}\n", seen.size, hex(&seen.root)));
    std::iter::once(format!("{FORM}\n")).chain(lines).collect()
}

/// Reads the file of the memory; nothing when it is none.
fn decode(bytes: &[u8]) -> Option<BTreeMap<String, Seen>> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut lines = text.split('\n');
    if lines.next() != Some(FORM) {
        return None;
    }
    let read = |line: &str| {
        let (size, rest) = line.split_once(' ')?;
        let (root, origin) = rest.split_once(' ')?;
        let root = start::seed_of(root.as_bytes()).filter(|_| root.len() == 64)?;
        Some((origin.to_owned(), Seen { size: size.parse().ok()?, root }))
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_read_as_it_was_written() {
        let seen = |size| Seen { size, root: [0xab; 32] };
        let memory: BTreeMap<_, _> = [("a.example/2026".to_owned(), seen(5)), ("b c".to_owned(), seen(0))].into();
        let text = encode(&memory);
        assert_eq!(decode(text.as_bytes()), Some(memory));
        assert_eq!(decode(encode(&BTreeMap::new()).as_bytes()), Some(BTreeMap::new()));
        for wrong in ["", "sluis-witnessed/v1", "sluis-witnessed/v2\n", &text[..text.len() - 1], &text.replace("ab ", "a ")] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
