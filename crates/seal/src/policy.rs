//! The verifier's policy (C2SP `tlog-policy`): which logs, which witnesses and how many of them, and, in comments that other
//! programs skip, which facts about them a proof years later rests on. `docs/seal.md` 8 states the lines.
//!
//! A policy is trust itself. It comes from whoever verifies, and never from what is verified.

mod archive;
mod facts;
mod key_event;
mod quorum;

use sha2::{Digest, Sha256};

use crate::note::{Algorithm, VerifierKey};
use crate::tree::Hash;

pub use archive::{ARCHIVE, Archive, Version};
pub use facts::{AlgorithmRule, Observer, Period, Recipient, Tsa};
pub use key_event::{KeyEvent, What};
pub use quorum::{Cosigned, Judged};

/// Most bytes of a policy, and of an archive of policies.
pub const MAX_POLICY: usize = 1 << 20;
/// Most logs, most witnesses and most groups, each.
pub const MAX_LINES: usize = 256;

/// Why a policy was not taken, and at which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Wrong {
    /// Line, from 1; 0 when it is about the whole.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Wrong {
    fn at(line: usize, reason: impl Into<String>) -> Wrong {
        Wrong { line, reason: reason.into() }
    }
}

/// A policy: whose signatures count, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// SHA-256 of its text: what a log's public entry of kind 3 holds.
    pub digest: Hash,
    /// Logs. The name of a log's key is its origin.
    pub logs: Vec<Log>,
    /// Witnesses.
    pub witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
    /// How many time-stamping authorities, of as many persons, must say when. One at least.
    pub tsas_required: usize,
    /// The authorities that count; when there are none here, each whose trust file is given does.
    pub tsas: Vec<Tsa>,
    /// The key that signs what happens to the keys of the log, and is kept offline.
    pub recovery: Option<VerifierKey>,
    /// Keys of recipients of letters.
    pub recipients: Vec<Recipient>,
    /// Keys of those who observe and sign what stood in the DNS.
    pub observers: Vec<Observer>,
    /// Which algorithms a person's signatures must have, from when on.
    pub rules: Vec<AlgorithmRule>,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its key, named as its origin.
    pub key: VerifierKey,
    /// Where it is.
    pub url: Option<String>,
    /// The legal person that runs it; the name of the key, if the policy does not say.
    pub operator: String,
    /// When the key may sign.
    pub valid: Period,
}

/// A witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its name in the policy.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where it is asked.
    pub url: Option<String>,
    /// The legal person whose key it is; the name in the policy, if that does not say.
    pub holder: String,
    /// When the key may sign.
    pub valid: Period,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    /// How many of its members must have cosigned.
    threshold: usize,
    members: Vec<Member>,
    line: usize,
}

/// A name in the policy: its place among the witnesses or the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

impl Policy {
    /// Reads a policy. Stricter than the standard in this: the file is UTF-8, one key has one role, and the lines that begin
    /// with `#sluis` are not skipped.
    ///
    /// # Errors
    /// What is wrong, at which line.
    pub fn parse(bytes: &[u8]) -> Result<Policy, Wrong> {
        if bytes.len() > MAX_POLICY {
            return Err(Wrong::at(0, "a policy has 1 MiB at most"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Wrong::at(0, "a policy is UTF-8"))?;
        if text.bytes().any(|byte| (byte < 0x20 && !matches!(byte, b'\t' | b'\n')) || byte == 0x7f) {
            return Err(Wrong::at(0, "a policy has no control characters but tabs and line feeds (and no CR)"));
        }
        let body = text.strip_suffix('\n').ok_or_else(|| Wrong::at(0, "the last line does not end: was the file cut off?"))?;
        let mut reading = Reading::default();
        for (at, line) in body.split('\n').enumerate() {
            reading.line(at + 1, line).map_err(|reason| Wrong::at(at + 1, reason))?;
        }
        let quorum = reading.quorum.ok_or_else(|| Wrong::at(0, "there is no line 'quorum NAME' (or 'quorum none')"))?;
        let policy = Policy {
            digest: Sha256::digest(bytes).into(),
            logs: reading.logs,
            witnesses: reading.witnesses,
            groups: reading.groups,
            quorum,
            tsas_required: 1,
            tsas: Vec::new(),
            recovery: None,
            recipients: Vec::new(),
            observers: Vec::new(),
            rules: Vec::new(),
        };
        let policy = facts::add(policy, &reading.facts)?;
        policy.check_roles()?;
        policy.check_holders()?;
        Ok(policy)
    }

    /// The log of an origin with this key's identifier; several keys of one log may be there.
    pub fn logs_of<'a>(&'a self, origin: &'a str) -> impl Iterator<Item = &'a Log> {
        self.logs.iter().filter(move |log| log.key.name() == origin)
    }

    /// All keys that sign checkpoints: of logs and of witnesses.
    #[must_use]
    pub fn keys(&self) -> Vec<VerifierKey> {
        self.logs.iter().map(|log| &log.key).chain(self.witnesses.iter().map(|witness| &witness.key)).cloned().collect()
    }

    /// One key serves one name and one role: else one signature could pass for another, or one witness count twice.
    fn check_roles(&self) -> Result<(), Wrong> {
        let others = self.recovery.iter().chain(self.observers.iter().map(|observer| &observer.key)).cloned();
        let keys: Vec<VerifierKey> = self.keys().into_iter().chain(others).collect();
        for (at, key) in keys.iter().enumerate() {
            let same =
                |other: &&VerifierKey| other.public() == key.public() || (other.name() == key.name() && other.id() == key.id());
            if let Some(other) = keys.iter().take(at).find(same) {
                return Err(Wrong::at(
                    0,
                    format!("the keys {} and {} are the same: one key has one role", other.name(), key.name()),
                ));
            }
        }
        Ok(())
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// Witnesses and groups that are members of a group already.
    taken: Vec<Member>,
    quorum: Option<Option<Member>>,
    /// Lines that begin with `#sluis`, for later: they may name what comes after them.
    facts: Vec<(usize, String)>,
}

impl Reading {
    fn line(&mut self, at: usize, line: &str) -> Result<(), String> {
        let line = line.trim_matches(BLANK);
        if let Some(fact) = line.strip_prefix("#sluis").filter(|rest| rest.is_empty() || rest.starts_with(BLANK)) {
            self.facts.push((at, fact.trim_matches(BLANK).to_owned()));
            return Ok(());
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let words: Vec<&str> = line.split(BLANK).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["log", key, url @ ..] if url.len() < 2 => self.log(key, url.first()),
            ["witness", name, key, url @ ..] if url.len() < 2 => self.witness(name, key, url.first()),
            ["group", name, threshold, members @ ..] if !members.is_empty() => self.group(at, name, threshold, members),
            ["quorum", name] => self.set_quorum(name),
            [word @ ("log" | "witness" | "group" | "quorum"), ..] => Err(format!(
                "a line '{word}' has another number of words: 'log KEY [URL]', 'witness NAME KEY [URL]', \
                 'group NAME all|any|K NAME...', 'quorum NAME'"
            )),
            _ => Err("a line begins with log, witness, group, quorum or #".to_owned()),
        }
    }

    fn log(&mut self, key: &str, url: Option<&&str>) -> Result<(), String> {
        let key = VerifierKey::parse(key).map_err(|wrong| wrong.to_string())?;
        if key.algorithm() == Algorithm::Cosignature {
            return Err("this is the key of a witness, not of a log".to_owned());
        }
        room(self.logs.len())?;
        let operator = key.name().to_owned();
        self.logs.push(Log { key, url: url.map(ToString::to_string), operator, valid: Period::ALWAYS });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&&str>) -> Result<(), String> {
        let key = VerifierKey::parse(key).map_err(|wrong| wrong.to_string())?;
        if key.algorithm() == Algorithm::Ed25519 {
            return Err("this is the key of a log, not of a witness".to_owned());
        }
        room(self.witnesses.len())?;
        self.free(name)?;
        let (name, url) = (name.to_owned(), url.map(ToString::to_string));
        self.witnesses.push(Witness { holder: name.clone(), name, key, url, valid: Period::ALWAYS });
        Ok(())
    }

    fn group(&mut self, at: usize, name: &str, threshold: &str, names: &[&str]) -> Result<(), String> {
        room(self.groups.len())?;
        self.free(name)?;
        let mut members = Vec::new();
        for member in names {
            let member = self.find(member)?;
            if self.taken.contains(&member) {
                return Err("each name is a member of one group, once".to_owned());
            }
            self.taken.push(member);
            members.push(member);
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => crate::checkpoint::decimal(number).and_then(|number| usize::try_from(number).ok()).unwrap_or(0),
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(format!("of a group's members 1 to {} must cosign: 'all', 'any' or a number", members.len()));
        }
        self.groups.push(Group { name: name.to_owned(), threshold, members, line: at });
        Ok(())
    }

    fn set_quorum(&mut self, name: &str) -> Result<(), String> {
        if self.quorum.is_some() {
            return Err("there is a quorum already".to_owned());
        }
        self.quorum = Some(if name == NONE { None } else { Some(self.find(name)?) });
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Member, String> {
        let witness = self.witnesses.iter().position(|witness| witness.name == name).map(Member::Witness);
        let group = || self.groups.iter().position(|group| group.name == name).map(Member::Group);
        witness.or_else(group).ok_or_else(|| format!("no line above names the witness or group '{name}'"))
    }

    fn free(&self, name: &str) -> Result<(), String> {
        if name == NONE || self.find(name).is_ok() {
            return Err(format!("the name '{name}' is taken already"));
        }
        Ok(())
    }
}

/// The name that means: no witness at all.
const NONE: &str = "none";
/// What stands between words.
const BLANK: [char; 2] = [' ', '\t'];

fn room(used: usize) -> Result<(), String> {
    if used < MAX_LINES { Ok(()) } else { Err("there are 256 lines of this kind already".to_owned()) }
}
