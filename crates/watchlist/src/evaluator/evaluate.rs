//! Answering query files: each batch is admitted or refused by what is known of its sender, the state is written, and only then is it evaluated
//! and does an answer leave.

use std::collections::HashMap;

use matching::envelope::{Envelope, Expected, Header, KeyId, Kind, Refused, SKEW, fingerprint};
use matching::message::{Code, EvalError, EvalRequest, EvalResponse, Receipt};
use matching::voprf::{self, Context, SecretKey};
use matching::{Digest, sha256};
use rayon::prelude::*;

use super::account::{Account, Charged, Epoch};
use super::secret::Secret;
use super::{EPOCHS, Error, Evaluator};
use crate::files;
use crate::hex::Hex;
use crate::keys::hex;

/// The most envelopes of one file.
const MOST_ENVELOPES: usize = 1 << 16;
/// How long after the end of its epoch an answer may be taken in: 30 days, in milliseconds.
const TRAVEL: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What became of a file.
#[derive(Debug, Default)]
pub struct Evaluated {
    /// The answer file: an answer or an error for each batch, in their order. Empty when there is nothing to say.
    pub file: Vec<u8>,
    /// Batches that were evaluated and charged.
    pub fresh: usize,
    /// Batches that had been evaluated before: the same answer again, without a charge.
    pub again: usize,
    /// Batches that were not evaluated.
    pub errors: Vec<Told>,
    /// Envelopes that got no answer, and why: their sender cannot be told, since nobody knows who that is.
    pub refused: Vec<String>,
    /// Enrolments and leavings that were in the file, and what they did.
    pub papers: Vec<String>,
}

/// An error that was told to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The fingerprint of the provider's key.
    pub provider: String,
    /// The number of the batch.
    pub seq: u64,
    /// Why.
    pub code: Code,
}

/// A batch that is to be answered.
struct Job<'a> {
    envelope: &'a Envelope,
    request: EvalRequest,
    epoch: Epoch,
    charged: Charged,
    /// Whether it is charged now.
    fresh: bool,
}

/// What is decided on an envelope.
enum Decision<'a> {
    Answer(Box<Job<'a>>),
    Tell(&'a Envelope, Code, u32),
}

impl Evaluator {
    /// Answers a query file, envelope after envelope; enrolments and leavings may stand in it too. What is charged is written before anything is
    /// answered: a stop in between costs nobody anything, since the same file is answered again with the same bytes.
    ///
    /// # Errors
    /// When the file is none, keys of an epoch are missing, and those of the system. Then nothing was changed.
    pub fn evaluate(&mut self, file: &[u8], now: i64) -> Result<Evaluated, Error> {
        let envelopes = Envelope::read_all(file, MOST_ENVELOPES)?;
        let before = self.state.clone();
        let mut evaluated = Evaluated::default();
        let decisions = self.decide(&envelopes, now, &mut evaluated);
        let answers = self.secrets(&decisions).and_then(|secrets| {
            self.save()?;
            Ok(self.answer(&decisions, &secrets, now))
        });
        match answers {
            Ok(answers) => {
                for (decision, (envelope, told)) in decisions.iter().zip(answers) {
                    evaluated.file.extend_from_slice(&envelope.encode());
                    match (decision, told) {
                        (_, Some(told)) => evaluated.errors.push(told),
                        (Decision::Answer(job), None) if job.fresh => evaluated.fresh += 1,
                        _ => evaluated.again += 1,
                    }
                }
                Ok(evaluated)
            }
            Err(error) => {
                self.state = before;
                Err(error)
            }
        }
    }

    /// Decides on each envelope in order, and charges.
    fn decide<'a>(&mut self, envelopes: &'a [Envelope], now: i64, evaluated: &mut Evaluated) -> Vec<Decision<'a>> {
        // Signatures take time and depend on nothing: all processors look at them first.
        let me = self.identity.public.key;
        let expected = Expected { recipient: Some(&me), ..Expected::default() };
        let opened: Vec<Result<(), Refused>> = envelopes
            .par_iter()
            .map(|envelope| match envelope.open(Kind::EvalRequest, &expected, now) {
                Err(Refused::Expired) if !envelope.is_signed_by(&envelope.header.sender) => {
                    Err(Refused::Unsigned("by its sender"))
                }
                other => other.map(drop),
            })
            .collect();
        let mut places = self.places();
        let mut decisions = Vec::new();
        for (envelope, opened) in envelopes.iter().zip(opened) {
            if matches!(envelope.header.kind, Kind::Enrolment | Kind::Leaving) {
                match self.enrolment(envelope, now) {
                    Ok(said) => evaluated.papers.push(said),
                    Err(why) => evaluated.refused.push(why.to_string()),
                }
                continue;
            }
            match opened {
                Ok(()) => {}
                Err(Refused::Expired) => {
                    decisions.push(Decision::Tell(envelope, Code::Expired, 0));
                    continue;
                }
                Err(why) => {
                    evaluated.refused.push(why.to_string());
                    continue;
                }
            }
            match self.admit(envelope, now, &mut places) {
                Ok(job) => decisions.push(Decision::Answer(Box::new(job))),
                Err((code, retry)) => decisions.push(Decision::Tell(envelope, code, retry)),
            }
        }
        decisions
    }

    /// The charged batches, to find them by.
    fn places(&self) -> HashMap<(KeyId, [u8; 16], u8, u64), Charged> {
        let accounts = self.state.accounts.iter();
        accounts
            .flat_map(|account| {
                account.batches.iter().map(|batch| ((account.provider.0, account.list.0, batch.group, batch.seq), *batch))
            })
            .collect()
    }

    /// Whether a batch is evaluated. Charges it when it is new.
    fn admit<'a>(
        &mut self,
        envelope: &'a Envelope,
        now: i64,
        places: &mut HashMap<(KeyId, [u8; 16], u8, u64), Charged>,
    ) -> Result<Job<'a>, (Code, u32)> {
        let header = &envelope.header;
        let of_header =
            |epoch: &&Epoch| (epoch.list.0, epoch.epoch, epoch.manifest.0) == (header.list, header.epoch, header.under);
        let epoch = self.state.epochs.iter().find(of_header).filter(|_| header.share == 0);
        let epoch = epoch.ok_or((Code::UnknownEpoch, 0))?.clone();
        if now.saturating_add(SKEW) < epoch.not_before {
            return Err((Code::Closed, seconds(epoch.not_before, now)));
        }
        if now > epoch.not_after {
            return Err((Code::Closed, 0));
        }
        let known = self.state.providers.iter().find(|known| known.key.0 == header.sender);
        let known = known.filter(|known| known.is_enrolled(now)).ok_or((Code::NotEnrolled, 0))?;
        let request = EvalRequest::decode(&envelope.body).map_err(|_| (Code::BatchSize, 0))?;
        let group = request.group;
        let hash = Hex(sha256(&[&envelope.body]));
        let place = (header.sender, header.list, group as u8, header.seq);
        if let Some(charged) = places.get(&place) {
            if charged.hash != hash {
                return Err((Code::Replay, 0));
            }
            return Ok(Job { envelope, request, epoch, charged: *charged, fresh: false });
        }
        let plan = known.of_group(group).filter(|_| epoch.groups.contains(&(group as u8))).ok_or((Code::Quota, 0))?;
        if request.elements.len() != usize::from(plan.batch) {
            return Err((Code::BatchSize, 0));
        }
        let account = self.account(header.sender, header.list);
        let after = account.charged(group) + u64::from(plan.batch);
        let quota = epoch.quota(&plan);
        if after > quota || header.seq == 0 {
            return Err((Code::Quota, 0));
        }
        // What the plan had until now. Files come late, so it is the sum that counts, not the period.
        let period = plan.cadence.period(epoch.not_before, now.saturating_add(SKEW)).unwrap_or(0);
        if after > plan.batches(period.saturating_add(1)) * u64::from(plan.batch) {
            return Err((Code::Cadence, seconds(plan.cadence.end(epoch.not_before, period), now)));
        }
        let charged = Charged { group: group as u8, seq: header.seq, hash, count: plan.batch, left: quota - after, time: now };
        account.batches.push(charged);
        places.insert(place, charged);
        Ok(Job { envelope, request, epoch, charged, fresh: true })
    }

    fn account(&mut self, provider: KeyId, list: [u8; 16]) -> &mut Account {
        let accounts = &mut self.state.accounts;
        let place = match accounts.iter().position(|account| (account.provider.0, account.list.0) == (provider, list)) {
            Some(place) => place,
            None => {
                accounts.push(Account { provider: Hex(provider), list: Hex(list), batches: Vec::new() });
                accounts.len() - 1
            }
        };
        &mut accounts[place]
    }

    /// The keys of the epochs that the decisions need.
    fn secrets(&self, decisions: &[Decision<'_>]) -> Result<HashMap<[u8; 16], Secret>, Error> {
        let mut secrets = HashMap::new();
        for decision in decisions {
            if let Decision::Answer(job) = decision
                && !secrets.contains_key(&job.epoch.list.0)
            {
                let parcel = files::read(&self.parcel_path(&job.epoch.list.0), 4_096)?;
                secrets.insert(job.epoch.list.0, Secret::open(&parcel, &self.identity.opener)?);
            }
        }
        Ok(secrets)
    }

    pub(super) fn parcel_path(&self, list: &[u8; 16]) -> std::path::PathBuf {
        self.dir.join(EPOCHS).join(format!("{}.keys", hex(list)))
    }

    /// The answers, in the order of the decisions, made by all processors.
    fn answer(&self, decisions: &[Decision<'_>], secrets: &HashMap<[u8; 16], Secret>, now: i64) -> Vec<(Envelope, Option<Told>)> {
        let one = |decision: &Decision<'_>| match decision {
            Decision::Tell(envelope, code, retry) => self.tell(envelope, *code, *retry, now),
            Decision::Answer(job) => {
                let key = secrets.get(&job.epoch.list.0).and_then(|secret| secret.key(job.request.group));
                let answer = key.and_then(|key| self.evaluated(job, key));
                match answer {
                    Some(answer) => (answer, None),
                    // Charged all the same: whoever sends what is no point is not given it for nothing.
                    None => self.tell(job.envelope, Code::BadElement, 0, job.charged.time),
                }
            }
        };
        decisions.par_iter().map(one).collect()
    }

    /// The answer to a batch: with the same bytes whenever it is asked for. Nothing when an element is no point.
    fn evaluated(&self, job: &Job<'_>, key: &SecretKey) -> Option<Envelope> {
        let header = &job.envelope.header;
        let request = job.envelope.hash();
        let context = Context {
            list: header.list,
            epoch: header.epoch,
            group: job.request.group as u8,
            share: 0,
            provider: header.sender,
            batch_seq: header.seq,
        };
        let (elements, proof) = voprf::evaluate(key, &job.request.elements, &context, &self.nonce(&request)).ok()?;
        let answered = EvalResponse::answered(&elements, &proof);
        let at = job.charged.time;
        let receipt = Receipt::new(at, request, answered, header.sender, &self.identity.signing);
        let response = EvalResponse { request, elements, proof, left: job.charged.left, receipt };
        let until = job.epoch.not_after.saturating_add(TRAVEL);
        let answer = Header { issued: at, until, ..self.header(header, Kind::EvalResponse) };
        Some(Envelope::signed(answer, response.encode(), &self.identity.signing))
    }

    /// The chance of a proof: it follows from our key and the request, so that an answer is the same each time, and from nothing that
    /// anybody else knows.
    fn nonce(&self, request: &Digest) -> [u8; 32] {
        let secret = zeroize::Zeroizing::new(self.identity.signing.to_bytes());
        sha256(&[b"sluis/v1/proof-nonce\0", &*secret, request])
    }

    fn tell(&self, envelope: &Envelope, code: Code, retry_after: u32, at: i64) -> (Envelope, Option<Told>) {
        let header = &envelope.header;
        let body = EvalError { request: envelope.hash(), code, retry_after }.encode();
        let answer = Header { issued: at, until: at.saturating_add(TRAVEL), ..self.header(header, Kind::EvalError) };
        let told = Told { provider: fingerprint(&header.sender), seq: header.seq, code };
        (Envelope::signed(answer, body, &self.identity.signing), Some(told))
    }

    fn header(&self, request: &Header, kind: Kind) -> Header {
        Header { kind, sender: self.identity.public.key, recipient: request.sender, previous: [0; 32], ..request.clone() }
    }
}

/// How many seconds until a time, at least one.
fn seconds(until: i64, now: i64) -> u32 {
    u32::try_from(until.saturating_sub(now) / 1_000).unwrap_or(u32::MAX).max(1)
}
