//! Taking in an answer: who signed it, which batch it is about, whether its receipt and its proof are good, and only then what it says.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use matching::Digest;
use matching::bytes::Reader;
use matching::envelope::{Envelope, Expected, Kind};
use matching::message::{Code, EvalError, EvalResponse, Receipt};
use matching::token::{Group, Token};
use matching::voprf::{self, Context, PublicKey};
use rand_core::CryptoRng;
use rayon::prelude::*;

use super::super::directory::{EVIDENCE, Pinned, Provider, RECEIPTS};
use super::super::error::Error;
use super::super::pending::{self, Asked, Batch};
use crate::files;
use crate::keys::hex;
use crate::vault::Key;

/// What an answer says. Keep the outputs first, then call [`Taken::settle`]: until then the same file can be taken in again.
#[derive(Debug, Default)]
pub struct Taken {
    /// What the list holder's function says of each token.
    pub outputs: Vec<(Token, [u8; 64])>,
    /// How many batches were answered well.
    pub batches: usize,
    /// How many elements may still be asked in this epoch, by group.
    pub left: Vec<(Group, u64)>,
    /// Batches that were not evaluated, and why.
    pub errors: Vec<Failure>,
    /// Batches with a wrong proof or receipt: do not go on before the list holder explained it.
    pub bad: Vec<Bad>,
    /// Envelopes that are not an answer for us, and why.
    pub refused: Vec<String>,
    /// Envelopes about batches that are not pending: answered before, or of another directory.
    pub unknown: usize,
    receipts: Vec<Receipt>,
    done: Vec<Digest>,
    expired: Vec<Digest>,
}

/// A batch that was not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Of which group.
    pub group: Group,
    /// Its number.
    pub seq: u64,
    /// Why.
    pub code: Code,
    /// After how many seconds it may be given again; 0: not by itself.
    pub retry_after: u32,
}

/// A batch that was answered wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Of which group.
    pub group: Group,
    /// Its number.
    pub seq: u64,
    /// What is wrong.
    pub why: String,
    /// The folder with what shows it.
    pub evidence: PathBuf,
}

/// What became of one envelope.
enum Outcome<'a> {
    Good(&'a Batch, EvalResponse, Vec<voprf::Output>),
    Error(&'a Batch, EvalError),
    Bad(&'a Asked, &'a Batch, EvalResponse, String),
    Refused(String),
    Unknown,
}

/// Takes in an answer file. Nothing of a batch is used before its proof is good; what is wrong with a good signature on it is put into
/// `evidence/`.
///
/// # Errors
/// When no list is pinned, the file is none, the key is another than it was asked with, and those of the system.
pub fn take(provider: &Provider, key: &Key, file: &[u8], now: i64) -> Result<Taken, Error> {
    let pinned = provider.pinned()?;
    let unanswered = pending::all(provider, key)?;
    let batches: HashMap<Digest, (&Asked, &Batch)> =
        unanswered.iter().flat_map(|asked| asked.batches.iter().map(move |batch| (batch.request, (asked, batch)))).collect();
    let keys = pinned
        .keys
        .iter()
        .map(|(group, key)| Ok((*group, PublicKey::from_bytes(&key.0)?)))
        .collect::<Result<HashMap<u8, PublicKey>, voprf::Wrong>>()?;
    let queries = Queries::open(&unanswered, provider)?;
    let envelopes = Envelope::read_all(file, pending::MOST_BATCHES)?;
    let outcomes: Vec<(&Envelope, Outcome<'_>)> = envelopes
        .par_iter()
        .map(|envelope| (envelope, outcome(envelope, provider, pinned, &batches, &keys, &queries, now)))
        .collect();
    let mut taken = Taken::default();
    for (envelope, outcome) in outcomes {
        taken.add(envelope, outcome, provider, pinned, &queries)?;
    }
    taken.left.sort_unstable();
    taken.left.dedup_by_key(|(group, _)| *group);
    Ok(taken)
}

fn outcome<'a>(
    envelope: &Envelope,
    provider: &Provider,
    pinned: &Pinned,
    batches: &HashMap<Digest, (&'a Asked, &'a Batch)>,
    keys: &HashMap<u8, PublicKey>,
    queries: &Queries,
    now: i64,
) -> Outcome<'a> {
    let me = provider.key();
    let expected = Expected {
        sender: Some(&pinned.evaluator.0),
        recipient: Some(&me),
        list: Some(&pinned.list.0),
        epoch: Some(pinned.epoch),
        under: Some(&pinned.manifest.0),
        ..Expected::default()
    };
    let kind = if envelope.header.kind == Kind::EvalError { Kind::EvalError } else { Kind::EvalResponse };
    let body = match envelope.open(kind, &expected, now) {
        Ok(body) => body,
        Err(why) => return Outcome::Refused(why.to_string()),
    };
    if kind == Kind::EvalError {
        return match EvalError::decode(body) {
            Err(why) => Outcome::Refused(why.to_string()),
            Ok(error) => batches.get(&error.request).map_or(Outcome::Unknown, |(_, batch)| Outcome::Error(batch, error)),
        };
    }
    let response = match EvalResponse::decode(body) {
        Ok(response) => response,
        Err(why) => return Outcome::Refused(why.to_string()),
    };
    let Some(&(asked, batch)) = batches.get(&response.request) else { return Outcome::Unknown };
    if !response.has_receipt(&me, &pinned.evaluator.0) {
        return Outcome::Bad(asked, batch, response, "its receipt is not about this answer".to_owned());
    }
    let group = batch.group as u8;
    let context = Context { list: asked.list, epoch: asked.epoch, group, share: 0, provider: me, batch_seq: batch.seq };
    let opened = queries.elements(batch).and_then(|blinded| {
        let public = keys.get(&group).ok_or_else(|| "the manifest has no key for its group".to_owned())?;
        let (size, proof) = (usize::from(batch.size), &response.proof);
        voprf::finalize(&batch.inputs, size, &batch.seed, public, &blinded, &response.elements, proof, &context)
            .map_err(|why| why.to_string())
    });
    match opened {
        Ok(outputs) => Outcome::Good(batch, response, outputs),
        Err(why) => Outcome::Bad(asked, batch, response, why),
    }
}

impl Taken {
    fn add(
        &mut self,
        envelope: &Envelope,
        outcome: Outcome<'_>,
        provider: &Provider,
        pinned: &Pinned,
        queries: &Queries,
    ) -> Result<(), Error> {
        match outcome {
            Outcome::Good(batch, response, outputs) => {
                let tokens = batch.inputs.iter().filter_map(|input| Token::of_input(input));
                self.outputs.extend(tokens.zip(outputs));
                self.batches += 1;
                self.left.push((batch.group, response.left));
                self.receipts.push(response.receipt);
                self.done.push(batch.request);
            }
            Outcome::Error(batch, error) => {
                let EvalError { code, retry_after, .. } = error;
                self.errors.push(Failure { group: batch.group, seq: batch.seq, code, retry_after });
                match code {
                    // Giving the same file again cannot help: its tokens are asked again in another batch.
                    Code::Quota | Code::BadElement | Code::Replay | Code::BatchSize => self.done.push(batch.request),
                    Code::Expired => self.expired.push(batch.request),
                    Code::UnknownEpoch | Code::NotEnrolled | Code::Closed | Code::Cadence => {}
                }
            }
            Outcome::Bad(asked, batch, response, why) => {
                let evidence = evidence(envelope, asked, batch, &response, &why, provider, pinned, queries)?;
                self.bad.push(Bad { group: batch.group, seq: batch.seq, why, evidence });
                self.receipts.push(response.receipt);
                self.done.push(batch.request);
            }
            Outcome::Refused(why) => self.refused.push(why),
            Outcome::Unknown => self.unknown += 1,
        }
        Ok(())
    }

    /// Forgets what was answered: keeps the receipts, destroys inputs and seeds of the answered batches, and takes query files away that are
    /// answered whole.
    ///
    /// # Errors
    /// Those of the system.
    pub fn settle(&self, provider: &Provider, key: &Key, rng: &mut impl CryptoRng) -> Result<(), Error> {
        if !self.receipts.is_empty() {
            let folder = provider.folder(RECEIPTS)?;
            let bytes: Vec<u8> = self.receipts.iter().flat_map(Receipt::encode).collect();
            let name = hex(&matching::sha256(&[&bytes])[..8]);
            files::write(&folder.join(format!("{name}.receipts")), &bytes)?;
        }
        for mut asked in pending::all(provider, key)? {
            let before = asked.batches.len();
            let expired = asked.batches.iter().any(|batch| self.expired.contains(&batch.request));
            asked.batches.retain(|batch| !self.done.contains(&batch.request));
            if asked.batches.is_empty() {
                asked.destroy(provider)?;
                files::remove(&asked.query_path(provider)?)?;
            } else if asked.batches.len() < before || expired {
                if expired {
                    // It is signed anew when the next query is prepared.
                    asked.until = i64::MIN;
                }
                asked.keep(provider, key, rng)?;
            }
        }
        Ok(())
    }
}

/// The requests as they were sent, by their hash: making them again would cost as much as asking.
struct Queries(HashMap<Digest, Envelope>);

impl Queries {
    fn open(unanswered: &[Asked], provider: &Provider) -> Result<Queries, Error> {
        let mut all = HashMap::new();
        for asked in unanswered {
            let Some(bytes) = files::read_if_there(&asked.query_path(provider)?, super::MOST_FILE)? else { continue };
            let mut r = Reader::new(&bytes);
            // What cannot be read is made again from the seed.
            while let Ok(envelope) = Envelope::read(&mut r) {
                all.insert(envelope.hash(), envelope);
            }
        }
        Ok(Queries(all))
    }

    fn elements(&self, batch: &Batch) -> Result<Vec<voprf::Element>, String> {
        let sent = self.0.get(&batch.request).and_then(|envelope| matching::message::EvalRequest::decode(&envelope.body).ok());
        sent.map_or_else(|| batch.elements().map_err(|why| why.to_string()), |sent| Ok(sent.elements))
    }
}

/// Keeps what shows that an answer is wrong.
#[expect(clippy::too_many_arguments, reason = "all that shows what happened")]
fn evidence(
    envelope: &Envelope,
    asked: &Asked,
    batch: &Batch,
    response: &EvalResponse,
    why: &str,
    provider: &Provider,
    pinned: &Pinned,
    queries: &Queries,
) -> Result<PathBuf, Error> {
    let name = format!("E{}-{}-{}", asked.epoch, batch.group.name(), batch.seq);
    let folder = provider.folder(EVIDENCE)?.join(name);
    files::directory(&folder)?;
    let request = match queries.0.get(&batch.request) {
        Some(request) => request.encode(),
        None => batch.request(asked, pinned, provider)?.encode(),
    };
    let put = |name: &str, bytes: &[u8]| files::write(&folder.join(name), bytes);
    put("request.slu", &request)?;
    put("response.slu", &envelope.encode())?;
    put("receipt.bin", &response.receipt.encode())?;
    put("read-me.txt", read_me(asked, batch, why, pinned).as_bytes())?;
    Ok(folder)
}

fn read_me(asked: &Asked, batch: &Batch, why: &str, pinned: &Pinned) -> String {
    let (group, seq, epoch) = (batch.group.name(), batch.seq, asked.epoch);
    let key = pinned.keys.get(&(batch.group as u8)).map(|key| hex(&key.0)).unwrap_or_default();
    format!(
        "An answer of the evaluator is wrong
===================================

Batch {seq} of group {group}, epoch {epoch} of the list '{}': {why}.

The answer carries the signature of the evaluator, so it was not damaged on the way. Either its program is broken, or it answered with
another key than the one in the manifest. An answer like that could hide entries from you, or mark you. Nothing of it was used.

What to do
1. Do not ask this evaluator again until it is explained.
2. Keep this folder. request.slu and response.slu are what was sent and what came back; neither shows any customer.
3. Send both, with receipt.bin, to the list holder and to the contest desk. Anybody who has them and the manifest can check the proof.
   manifest   {}
   key        {key}

Een antwoord van de evaluator klopt niet
========================================

Batch {seq} van groep {group}, periode {epoch} van de lijst '{}'.

Het antwoord is door de evaluator ondertekend en dus niet onderweg beschadigd. Of zijn programma is stuk, of hij gebruikte een andere sleutel
dan in het manifest staat. Met zo'n antwoord kan hij vermeldingen voor u verbergen of u herkenbaar maken. Er is niets van gebruikt.

Wat u doet
1. Vraag deze evaluator niets meer tot dit verklaard is.
2. Bewaar deze map. In request.slu en response.slu staat wat u stuurde en wat er terugkwam; er staat geen klant in.
3. Stuur beide, met receipt.bin, naar de lijsthouder en naar het klachtenloket. Wie ze heeft en het manifest kent, kan het bewijs narekenen.
",
        pinned.name,
        hex(&pinned.manifest.0),
        pinned.name,
    )
}

/// All receipts of a provider: what it can show of how much it asked.
///
/// # Errors
/// Those of the system, and when a file in `receipts/` is none.
pub fn receipts(dir: &Path) -> Result<Vec<Receipt>, Error> {
    let folder = dir.join(RECEIPTS);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let bytes = files::read(&entry.path(), super::MOST_FILE)?;
        for receipt in bytes.chunks(168) {
            all.push(Receipt::decode(receipt)?);
        }
    }
    all.sort_unstable_by_key(|receipt| (receipt.at, receipt.request));
    all.dedup();
    Ok(all)
}
