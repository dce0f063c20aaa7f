//! A log with all its keys, in memory.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Authority;
use crate::batch;
use crate::checkpoint::Checkpoint;
use crate::cosignature;
use crate::note::{Algorithm, Ed25519Signer, Signer};
use crate::record::{BATCH, ERASURE, Hash, Kind, Record, Value, entry, secret_commitment, slot};
use crate::seed::{self, Node, Seed, hmac};
use crate::tile::{self, Level, Tile, WIDTH};
use crate::tree;

/// A stream of records.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its identifier.
    pub id: [u8; 16],
    /// Its secret.
    pub secret: Hash,
    /// How many records it has, and C of the last.
    pub head: Option<(u64, Hash)>,
}

/// A record that is sealed.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its place in the log.
    pub index: u64,
    /// Its slot.
    pub slot: Hash,
    /// What is in it.
    pub record: Record,
    /// The salts of its fields and decoys.
    pub salts: Vec<Hash>,
    /// d_k.
    pub digests: Vec<Hash>,
    /// C.
    pub commitment: Hash,
    /// Ordinals that were erased, each with C of the record that says so.
    pub erased: Vec<(usize, Hash)>,
}

/// The reports of a batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Which record it is.
    pub record: usize,
    /// The values of each report.
    pub reports: Vec<[Value; 4]>,
    seed: Seed,
    levels: Vec<Vec<Hash>>,
    /// Reports that were erased, each with C of the record that says so.
    pub erased: Vec<(u64, Hash)>,
}

/// A published checkpoint with what others said of it.
#[derive(Clone, Debug)]
pub struct Published {
    /// Size of its tree.
    pub size: u64,
    /// The signed note, with cosignatures.
    pub note: Vec<u8>,
    /// Time-stamp responses over its text.
    pub tokens: Vec<Vec<u8>>,
    /// The entry that says so, for each of them.
    pub entries: Vec<u64>,
}

/// A log and everybody who signs for it.
pub struct World {
    /// Its name.
    pub origin: String,
    /// Its key.
    pub log: Ed25519Signer,
    /// Witnesses.
    pub witnesses: Vec<Ed25519Signer>,
    /// Time-stamping authorities.
    pub authorities: Vec<Arc<Authority>>,
    /// The time, in UTC milliseconds; whoever tells a story moves it.
    pub now: i64,
    /// The entries of the log.
    pub entries: Vec<Vec<u8>>,
    /// The streams.
    pub streams: Vec<Stream>,
    /// The sealed records, by their numbers.
    pub sealed: Vec<Sealed>,
    /// The batches.
    pub batches: Vec<Batch>,
    /// The checkpoints that were published.
    pub published: Vec<Published>,
    levels: Vec<Vec<Hash>>,
    chance: Seed,
    drawn: u64,
}

/// Adds a leaf to a tree of which all levels are kept.
pub(super) fn grow(levels: &mut Vec<Vec<Hash>>, leaf: Hash) {
    let mut hash = leaf;
    for level in 0.. {
        if levels.len() == level {
            levels.push(Vec::new());
        }
        levels[level].push(hash);
        match levels[level].as_chunks::<2>() {
            (pairs, []) => hash = pairs.last().map(|[left, right]| tree::node_hash(left, right)).unwrap(),
            _ => return,
        }
    }
}

/// The nodes of such a tree.
pub(super) fn nodes(levels: &[Vec<Hash>]) -> impl FnMut(u8, u64) -> Option<Hash> + '_ {
    |level, index| levels.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl World {
    /// An empty log, with two time-stamping authorities. It is the same each time, but for what these sign.
    pub fn new() -> World {
        World::with(["north", "south"].map(|name| Arc::new(Authority::new(name, 2025, 2035))).into(), 1)
    }

    /// An empty log with the same keys as this one; `chance` makes it another.
    pub fn beside(&self, chance: u8) -> World {
        World::with(self.authorities.clone(), chance)
    }

    fn with(authorities: Vec<Arc<Authority>>, chance: u8) -> World {
        let key = |name: &str, algorithm| Ed25519Signer::new(name, algorithm, &hmac(b"keys", &[name.as_bytes()])).unwrap();
        World {
            origin: "log.provider.example/sluis/2026".into(),
            log: key("log.provider.example/sluis/2026", Algorithm::Ed25519),
            witnesses: ["hub.example/witness", "association.example/witness", "university.example/witness"]
                .map(|name| key(name, Algorithm::Cosignature))
                .into(),
            authorities,
            now: 1_772_438_400_000,
            entries: Vec::new(),
            streams: Vec::new(),
            sealed: Vec::new(),
            batches: Vec::new(),
            published: Vec::new(),
            levels: Vec::new(),
            chance: [chance; 32],
            drawn: 0,
        }
    }

    /// Thirty-two bytes that nobody foresees, except who knows the seed.
    pub fn draw(&mut self) -> Hash {
        self.drawn += 1;
        hmac(&self.chance, &[b"draw", &self.drawn.to_be_bytes()])
    }

    /// Lets time pass.
    pub fn wait(&mut self, minutes: i64) {
        self.now += minutes * 60_000;
    }

    /// Appends an entry; its place.
    pub fn append(&mut self, entry: Vec<u8>) -> u64 {
        grow(&mut self.levels, tree::leaf_hash(&entry));
        self.entries.push(entry);
        self.entries.len() as u64 - 1
    }

    /// Appends a public entry of this body; its place.
    pub fn public(&mut self, body: &[u8]) -> u64 {
        self.append([&[1, 2], &(body.len() as u16).to_be_bytes()[..], body].concat())
    }

    /// Appends entries that nothing opens.
    pub fn pad(&mut self, count: usize) {
        for _ in 0..count {
            let entry = entry(&self.draw(), &self.draw());
            self.append(entry.into());
        }
    }

    /// Begins a stream.
    pub fn stream(&mut self) -> usize {
        let id: [u8; 16] = *self.draw().first_chunk().unwrap();
        self.streams.push(Stream { id, secret: [0; 32], head: None });
        self.streams.len() - 1
    }

    /// The key of a field of the record of a number.
    fn key(&self, number: u64, ordinal: u8) -> Seed {
        let block = hmac(&self.chance, &[b"block", &(number / seed::BLOCK).to_be_bytes()]);
        seed::descend(&block, Node::ROOT, Node::of_field(number, ordinal)).unwrap()
    }

    /// Seals a record in a stream as a node does: it fills in the stream, the place, the record before it and the time. The
    /// record's number.
    pub fn seal(&mut self, stream: usize, mut record: Record) -> usize {
        if self.streams[stream].head.is_none() {
            let secret = seed::stream_secret(&self.key(self.sealed.len() as u64, 31));
            self.streams[stream].secret = secret;
            record.set("secret_commitment", Value::Digest(secret_commitment(&secret)));
        }
        let Stream { id, head, .. } = self.streams[stream].clone();
        record.set("stream", Value::Bytes(id.to_vec()));
        record.set("seq", Value::Number(head.map_or(0, |(count, _)| count)));
        record.set("prev", head.map_or(Value::Absent, |(_, prev)| Value::Digest(prev)));
        record.set("recorded_at", Value::Time(self.now));
        self.seal_as_it_is(stream, record)
    }

    /// Seals a record with whatever it says of itself.
    pub fn seal_as_it_is(&mut self, stream: usize, record: Record) -> usize {
        let number = self.sealed.len();
        let nonce = *self.draw().first_chunk().unwrap();
        let salts: Vec<Hash> =
            (0..record.kind.width()).map(|ordinal| seed::salt(&self.key(number as u64, ordinal as u8), &nonce)).collect();
        let (digests, commitment) = record.commit(&salts);
        let seq = match record.get("seq") {
            Value::Number(seq) => *seq,
            _ => 0,
        };
        let slot = slot(&self.streams[stream].secret, seq);
        self.streams[stream].head = Some((seq + 1, commitment));
        let index = self.append(entry(&slot, &commitment).into());
        self.sealed.push(Sealed { index, slot, record, salts, digests, commitment, erased: Vec::new() });
        number
    }

    /// Seals a batch of reports; its number among the batches.
    pub fn batch(&mut self, stream: usize, mut record: Record, reports: Vec<[Value; 4]>) -> usize {
        assert_eq!(record.kind, &BATCH);
        let seed = self.draw();
        let mut levels = Vec::new();
        for (place, report) in reports.iter().enumerate() {
            grow(&mut levels, tree::leaf_hash(&batch::commitment(&batch::digests(&report_seed(&seed, place as u64), report))));
        }
        let root = tree::range_root(0, reports.len() as u64, &mut nodes(&levels)).unwrap();
        record.set("root", Value::Digest(root));
        record.set("count", Value::Number(reports.len() as u64));
        let record = self.seal(stream, record);
        self.batches.push(Batch { record, reports, seed, levels, erased: Vec::new() });
        self.batches.len() - 1
    }

    /// Erases fields of records, and whole reports of batches: the record that says it is to be done, and the one that says it
    /// was, in this stream.
    pub fn erase(&mut self, stream: usize, fields: &[(usize, &[usize])], reports: &[(usize, u64)]) {
        let mut what = Vec::new();
        for (number, ordinals) in fields {
            what.extend_from_slice(&self.sealed[*number].commitment);
            what.extend_from_slice(&ordinals.iter().fold(0_u32, |bits, ordinal| bits | 1 << ordinal).to_be_bytes());
        }
        for (batch, place) in reports {
            what.extend_from_slice(&self.batches[*batch].commitment(*place));
            what.extend_from_slice(&0b1111_u32.to_be_bytes());
        }
        for stage in ["pending", "done"] {
            let mut record = Record::new(&ERASURE);
            record.set("event", Value::text("erased"));
            record.set("stage", Value::text(stage));
            record.set("records", Value::Bytes(what.clone()));
            record.set("ground", Value::text("retention ended"));
            record.set("keys_until", Value::Time(self.now + 30 * 86_400_000));
            let done = self.seal(stream, record);
            let says = self.sealed[done].commitment;
            for (number, ordinals) in fields {
                self.sealed[*number].erased = ordinals.iter().map(|ordinal| (*ordinal, says)).collect();
            }
            for (batch, place) in reports {
                self.batches[*batch].erased.retain(|(other, _)| other != place);
                self.batches[*batch].erased.push((*place, says));
            }
        }
    }

    /// The root of the log, or of what it was at a size.
    pub fn root(&self, size: u64) -> Hash {
        tree::range_root(0, size, &mut nodes(&self.levels)).unwrap()
    }

    /// The inclusion path of an entry.
    pub fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        tree::prove_inclusion(index, size, &mut nodes(&self.levels)).unwrap()
    }

    /// The consistency of two sizes.
    pub fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        tree::prove_consistency(old, new, &mut nodes(&self.levels)).unwrap()
    }

    /// A checkpoint of this size and root, signed by the log, and by witnesses at the present time.
    pub fn note(&self, size: u64, root: Hash) -> Vec<u8> {
        let checkpoint = Checkpoint::new(&self.origin, size, root).unwrap();
        let mut note = checkpoint.sign(&[&self.log]).unwrap();
        for witness in &self.witnesses {
            let line = cosignature::sign(&note.text, self.now as u64 / 1_000, witness).unwrap();
            note.lines.push(line);
        }
        note.to_string().into_bytes()
    }

    /// Publishes a padded checkpoint, has it witnessed and stamped, and appends the entries that say so. Its number.
    pub fn publish(&mut self) -> usize {
        self.pad(self.entries.len().next_multiple_of(64) - self.entries.len());
        let size = self.entries.len() as u64;
        let note = self.note(size, self.root(size));
        self.now += 1_000;
        let at = self.now - self.now % 1_000;
        let digest = text_digest(&note);
        let nonces: Vec<u64> = self.authorities.iter().map(|_| size).collect();
        let tokens: Vec<Vec<u8>> =
            self.authorities.iter().zip(nonces).map(|(authority, nonce)| authority.stamp(&digest, at, nonce)).collect();
        let entries = tokens.iter().map(|token| self.anchor_entry(token, at, size)).collect();
        self.published.push(Published { size, note, tokens, entries });
        self.published.len() - 1
    }

    /// Appends the public entry of an anchor.
    pub fn anchor_entry(&mut self, token: &[u8], at: i64, size: u64) -> u64 {
        let digest: Hash = Sha256::digest(token).into();
        self.public(&[&[1], &digest[..], &at.to_be_bytes(), &size.to_be_bytes()].concat())
    }

    /// The public log under its last published checkpoint, as files: path and content.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let last = self.published.last().unwrap();
        let content = |tile: &Tile| {
            let range = (tile.index * WIDTH) as usize..(tile.index * WIDTH) as usize + usize::from(tile.width);
            match tile.level {
                Level::Entries => tile::bundle(&self.entries[range]).unwrap(),
                Level::Hashes(level) => self.levels[8 * usize::from(level)][range].concat(),
            }
        };
        let mut files = vec![("checkpoint".to_owned(), last.note.clone())];
        files.extend(tile::touched(0, last.size).map(|tile| (tile.to_string(), content(&tile))));
        files
    }

    /// A record of a kind whose `event` is this.
    pub fn record(kind: &'static Kind, event: &str) -> Record {
        let mut record = Record::new(kind);
        record.set("event", Value::text(event));
        record
    }

    /// The policy of a verifier that trusts this log, its witnesses (two of three) and its authorities (both).
    pub fn policy(&self) -> String {
        let mut text = format!("log {} https://log.provider.example/\n", self.log.key());
        for (witness, name) in self.witnesses.iter().zip(WITNESSES) {
            text += &format!("witness {name} {} https://{name}.example/\n", witness.key());
        }
        text += &format!("group independent 2 {}\nquorum independent\n", WITNESSES.join(" "));
        text += &format!("#sluis operator {} Voorbeeld Hosting B.V.\n", self.origin);
        for name in WITNESSES {
            text += &format!("#sluis holder {name} The {name}\n");
        }
        text += &format!("#sluis tsas {}\n", self.authorities.len());
        for authority in &self.authorities {
            text += &format!("#sluis tsa {} Clocks of {0}.example\n", authority.name);
        }
        text
    }
}

const WITNESSES: [&str; 3] = ["hub", "association", "university"];

/// The SHA-256 of the text of a note: what is time-stamped.
pub(super) fn text_digest(note: &[u8]) -> Hash {
    Sha256::digest(crate::note::Note::parse(note).unwrap().text).into()
}

fn report_seed(seed: &Seed, place: u64) -> Seed {
    seed::descend(seed, Node::ROOT, Node::of_report(place as u32)).unwrap()
}

impl Batch {
    /// The seed of a report.
    pub fn report_seed(&self, place: u64) -> Seed {
        report_seed(&self.seed, place)
    }

    /// C_j of a report.
    pub fn commitment(&self, place: u64) -> Hash {
        batch::commitment(&batch::digests(&self.report_seed(place), &self.reports[place as usize]))
    }

    /// The way of a report up the tree of the batch.
    pub fn path(&self, place: u64) -> Vec<Hash> {
        tree::prove_inclusion(place, self.reports.len() as u64, &mut nodes(&self.levels)).unwrap()
    }
}
