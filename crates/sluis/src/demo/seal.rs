//! The seal in the demo: the log is published each morning, the sector association cosigns it, an authority stamps it with the
//! time; and in the end one case is given away as a file, and verified twice by programs that share no code.
//!
//! [`authority`] stands in for a time-stamping authority, [`Association`] for the node of a witness. Their keys were made up a
//! moment ago, which the files say. [`browser`] drives a Chromium, if there is one, through the page of the second verifier.

mod authority;
mod browser;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use desk::Desk;
use desk::seal::anchor::{Anchoring, Authority as _};
use desk::seal::export::choice::Choice;
use desk::seal::export::{self, Made};
use model::step::What;
use model::time::Time;
use seal::bundle::ShownRecord;
use seal::cosignature;
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::tree::{Frontier, leaf_hash};
use serde::Serialize;
use sluis_verify::{Story, Told, files, verify_with};
use store::Store;
use store::keys::random;
use store::log::{Checkpoint, Shard};
use store::witness::Cosignature;

use super::{FOLDER, SetClock, save};
use authority::Authority;

/// The second verifier.
const PAGE: &str = include_str!("../../../sluis-verify/page/verify.html");
/// To whom the demo gives the bundle.
const RECIPIENT: &str = "the court, in the demo";
/// What the witness is called.
const WITNESS: &str = "association.example/witness";
/// Cases that are looked through for one that tells a story.
const LOOKED: u32 = 2_000;

/// Where the files are that prove the case.
pub(crate) fn folder(directory: &Path) -> PathBuf {
    directory.join(FOLDER).join("proof")
}

/// A witness: it takes in every entry that was published, and cosigns a checkpoint only when its own tree has the same root.
struct Association {
    key: Ed25519Signer,
    shard: i64,
    tree: Frontier,
}

impl Association {
    fn new() -> Result<Association> {
        let key = Ed25519Signer::new(WITNESS, Algorithm::Cosignature, &random()?).map_err(|wrong| anyhow!("{wrong}"))?;
        Ok(Association { key, shard: 0, tree: Frontier::default() })
    }

    fn cosign(&mut self, store: &Store, shard: &Shard, checkpoint: &Checkpoint, now: Time) -> Result<()> {
        if self.shard != shard.id {
            (self.shard, self.tree) = (shard.id, Frontier::default());
        }
        let tree = &mut self.tree;
        store.reader()?.read(|transaction| {
            transaction.each_entry(shard.id, tree.size(), checkpoint.size, |_, entry| {
                tree.push(leaf_hash(&entry));
                Ok::<_, store::Error>(())
            })
        })?;
        if self.tree.root() != checkpoint.root {
            return Err(anyhow!("the published checkpoint is not that of the entries"));
        }
        let note = Note::parse(checkpoint.note.as_bytes()).map_err(|wrong| anyhow!("{wrong}"))?;
        let line = cosignature::sign(&note.text, now.0.unsigned_abs() / 1_000, &self.key).map_err(|error| anyhow!("{error}"))?;
        let key = self.key.key();
        let id: String = key.id().iter().map(|byte| format!("{byte:02x}")).collect();
        let cosignature = Cosignature { witness: format!("{}+{id}", key.name()), line: line.to_string(), at: now };
        store.write("cosign", |transaction| transaction.add_cosignature(shard.id, checkpoint.size, &cosignature))?;
        Ok(())
    }
}

/// The log of the demo's node, and those who see to it that it tells one story.
pub(crate) struct Notary {
    clock: Arc<SetClock>,
    association: Association,
    authority: Authority,
    anchoring: Anchoring,
}

impl Notary {
    /// For a node that lives from one moment to another.
    pub(crate) fn new(clock: &Arc<SetClock>, from: Time, until: Time) -> Result<Notary> {
        Ok(Notary {
            clock: Arc::clone(clock),
            association: Association::new()?,
            authority: Authority::new(Arc::clone(clock), from, until)?,
            anchoring: Anchoring::default(),
        })
    }

    /// Publishes the log, and has it cosigned and stamped.
    pub(crate) fn publish(&mut self, desk: &Desk) -> Result<()> {
        let checkpoint = desk.publish()?;
        let (shard, _) = desk.log_key()?;
        self.association.cosign(desk.store(), &shard, &checkpoint, self.clock.time())?;
        desk.anchor(&mut self.anchoring, &[&self.authority])?;
        Ok(())
    }

    /// Writes the bundle of a case that tells a story, and what one needs to verify it.
    pub(crate) fn give(&mut self, desk: &Desk, directory: &Path) -> Result<()> {
        let Some(case) = telling_case(desk)? else { return Ok(()) };
        self.publish(desk)?;
        let keys = desk.store().keys();
        let choice = Choice::parse(&[], &[])?;
        let now = desk.now();
        let made: Made =
            desk.store().reader()?.read(|transaction| export::case(transaction, keys, directory, case, &choice, now))?;
        let folder = folder(directory);
        save(&folder.join(format!("case-{case}.sluis-evidence")), &made.bytes)?;
        save(&folder.join("sector.policy"), self.policy(desk)?.as_bytes())?;
        save(&folder.join("roots").join(format!("{}.pem", authority::NAME)), self.authority.root().as_bytes())?;
        save(&folder.join("verify.html"), PAGE.as_bytes())?;
        desk.issue(case, RECIPIENT, made.digest, made.records, super::PERSON)?;
        Ok(())
    }

    /// Whose signatures count in the demo.
    fn policy(&self, desk: &Desk) -> Result<String> {
        let (shard, key) = desk.log_key()?;
        Ok(format!(
            "# The policy of the demo: every key in it was made up.\nlog {key}\nwitness association {}\nquorum association\n\
             #sluis operator {} The provider of the demo\n#sluis holder association The sector association of the demo\n\
             #sluis tsas 1\n#sluis tsa {} The time-stamping authority of the demo\n",
            self.association.key.key(),
            shard.origin,
            self.authority.name(),
        ))
    }
}

/// The newest case in which most happened.
fn telling_case(desk: &Desk) -> Result<Option<i64>> {
    Ok(desk.store().reader()?.read(|transaction| {
        let Some(shard) = transaction.shard()? else { return Ok(None) };
        let mut best = None;
        for filed in transaction.cases(&store::cases::Filter::default(), LOOKED)? {
            let case = &filed.case;
            if case.opened < shard.began || case.kind.is_child_abuse() {
                continue;
            }
            let steps = transaction.steps(case.id)?;
            let tells = |what: What| usize::from(steps.iter().any(|step| step.what == what));
            let score = 4 * tells(What::Told) + 3 * tells(What::Reminded) + 2 * tells(What::Warned) + tells(What::Closed);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, case.id));
            }
        }
        Ok::<_, store::Error>(best.filter(|(score, _)| *score >= 4).map(|(_, case)| case))
    })?)
}

/// What the two verifiers say.
#[derive(Debug, Serialize)]
pub(crate) struct Proof {
    /// The case.
    pub(crate) case: i64,
    /// The bundle.
    pub(crate) bundle: PathBuf,
    /// The policy.
    pub(crate) policy: PathBuf,
    /// The folder with the certificates of authorities.
    pub(crate) roots: PathBuf,
    /// The page.
    pub(crate) page: PathBuf,
    /// The verdict of this program, in a word.
    pub(crate) verdict: String,
    /// Its exit status.
    pub(crate) exit_status: u8,
    /// The verdict of the page; `None` when there was no browser to open it in.
    pub(crate) page_verdict: Option<String>,
    /// What stood in the way of the browser.
    pub(crate) page_trouble: Option<String>,
    /// Records of the case that are shown.
    pub(crate) records: u64,
    /// The letters among them.
    pub(crate) letters: Vec<Letter>,
    /// Entries of the log at the checkpoint that all proofs lead to.
    pub(crate) entries: u64,
    /// Who cosigned it.
    pub(crate) witnesses: Vec<String>,
    /// Who stamped it.
    pub(crate) authorities: Vec<String>,
}

/// A letter, and when at the latest the log knew of it.
#[derive(Debug, Serialize)]
pub(crate) struct Letter {
    /// The party.
    pub(crate) to: String,
    /// What happened, in the word of the record.
    pub(crate) event: String,
    /// What held it back, and other words about it.
    pub(crate) text: String,
    /// In the log at this moment at the latest.
    pub(crate) at_the_latest: Option<String>,
    /// And not before this one.
    pub(crate) not_before: Option<String>,
}

impl Letter {
    fn of((record, told): (&ShownRecord, &Told)) -> Letter {
        let text = |name: &str| Story::text(record, name).unwrap_or_default().to_owned();
        Letter {
            to: text("party_name"),
            event: text("event"),
            text: text("text"),
            at_the_latest: told.at_the_latest.map(|time| Time(time).to_string()),
            not_before: told.not_before.map(|time| Time(time).to_string()),
        }
    }
}

/// Verifies the bundle of a demo; `None` when there is none.
pub(crate) fn verify(directory: &Path, now: Time) -> Result<Option<Proof>> {
    let folder = folder(directory);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(None) };
    let mut bundles = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "sluis-evidence"));
    let Some(bundle) = bundles.next() else { return Ok(None) };
    let number = bundle.file_stem().and_then(|name| name.to_str()?.strip_prefix("case-")?.parse().ok());
    let case = number.with_context(|| format!("{}: no bundle of the demo", bundle.display()))?;
    let (policy, roots, page) = (folder.join("sector.policy"), folder.join("roots"), folder.join("verify.html"));
    let trust = files::trust(&policy, None, Some(&roots))?;
    let bytes = files::bundle(&bundle)?;
    let verdict = verify_with(&bytes, &trust, Some(now.0), None);
    let letters = verdict.story.iter().flat_map(Story::told).filter(|(_, told)| told.letter).map(Letter::of).collect();
    let root = roots.join(format!("{}.pem", authority::NAME));
    let (page_verdict, page_trouble) = match browser::verdict(&page, &bundle, &policy, &root) {
        Ok(verdict) => (verdict, None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Ok(Some(Proof {
        case,
        bundle,
        policy,
        roots,
        page,
        verdict: verdict.word().to_owned(),
        exit_status: verdict.exit_code(),
        page_verdict,
        page_trouble,
        records: verdict.story.iter().flat_map(Story::told).filter(|(_, told)| told.own).count() as u64,
        letters,
        entries: verdict.story.as_ref().and_then(|story| story.checkpoint).map_or(0, |(size, _)| size),
        witnesses: verdict.story.as_ref().map_or_else(Vec::new, |story| story.witnesses.clone()),
        authorities: verdict.story.as_ref().map_or_else(Vec::new, |story| story.authorities.clone()),
    }))
}
