//! Who a mail is from: found out once, over the bytes as they came, and kept with the submission.
//!
//! What the door saw and what stands on the outside of a mail is kept when it arrives. What proves it is asked when the
//! submission is worked off, before its reports are decided about; of what tells of child abuse material it is asked at
//! once, since only a rewrite of that is kept. How it is asked (the DNS, or a header of an own mail server) is no business
//! of the desk's: see [`Authenticate`].

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::policy::Speaker;
use model::sender::{Envelope, Proof, Sender};
use model::submission::Submission;
use model::time::{SECOND, Time};
use parsers::kinds::mail::silence;
use parsers::source::Prefix;
use store::raw;
use store::senders::Heard;

use crate::decide::Context;
use crate::receive::Arrived;
use crate::{Desk, Error};

/// Mails that are asked about at the same time: each waits for others' name servers.
const TOGETHER: usize = 16;
/// Mails larger than this are asked about one by one, since their bytes are in memory meanwhile.
const LARGE: u64 = 1 << 20;
/// How long one round may take; what it did not come to is asked about in the next. Mails that need no answer do not wait for it.
const ROUND: Duration = Duration::from_secs(20);
/// The first pause before it is asked again, in milliseconds; the others are as long as it has waited already.
const PAUSE: i64 = 15 * SECOND;
/// Bytes kept of what was found.
const DETAIL: usize = 1_000;
/// Bytes of a reverse-path (RFC 5321 section 4.5.3.1.3) and of a name of a machine.
const PATH: usize = 254;

/// Finds out what proves who a mail is from.
pub trait Authenticate: Send + Sync {
    /// What proves that this mail, as it came, is from the domain name in its `From`. It may block for some seconds;
    /// [`Proof::Unknown`] means that another time may tell more.
    fn authenticate(&self, mail: &[u8], envelope: &Envelope, received: Time) -> Verdict;
}

/// What was found out about a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What proves it.
    pub proof: Proof,
    /// The domain name that is proven; empty when none is.
    pub domain: String,
    /// What was found, for people.
    pub detail: String,
}

impl Verdict {
    /// A verdict that proves nothing, with why.
    pub fn unproven(detail: impl Into<String>) -> Verdict {
        Verdict { proof: Proof::Unproven, domain: String::new(), detail: detail.into() }
    }
}

/// What the desk is told about senders.
#[derive(Clone, Default)]
pub(crate) struct Senders {
    authenticate: Option<Arc<dyn Authenticate>>,
    /// How long a submission may wait for an answer that another time may give, in milliseconds.
    patience: i64,
    /// Addresses of the operator's own, in lower case.
    own: Vec<String>,
}

impl Desk {
    /// Sets who finds out who mails are from, and for how many milliseconds a submission waits when that cannot be told
    /// yet: 0 when nobody would come back to it. Without this nothing is asked, and no mail is proven.
    pub fn set_authenticate(&mut self, authenticate: Arc<dyn Authenticate>, patience: i64) {
        self.senders.authenticate = Some(authenticate);
        self.senders.patience = patience.max(0);
    }

    /// Sets the addresses that are our own: what says it is from one is never answered.
    pub fn set_own_addresses(&mut self, own: &[String]) {
        self.senders.own = own.iter().map(|address| address.trim().to_lowercase()).collect();
    }

    /// The addresses that are our own, in lower case.
    pub(crate) fn own_addresses(&self) -> &[String] {
        &self.senders.own
    }

    /// What is known of the sender of a mail that has arrived; `None` when it is no mail.
    pub(crate) fn heard(&self, prefix: &Prefix<'_>, envelope: &Envelope, received: Time) -> Option<Heard> {
        let letter = prefix.letter()?;
        let from = letter.fields.author().unwrap_or_default();
        // Where it was sent to is ours as well.
        let own: Vec<&str> = self.senders.own.iter().chain(&envelope.recipients).map(String::as_str).collect();
        let silence = silence(&letter.fields, envelope.mail_from.as_deref(), &own);
        Some(Heard {
            sender: Sender { from, proof: Proof::None, domain: String::new(), detail: String::new(), silence },
            mail_from: envelope.mail_from.as_deref().map(|path| plain(path, PATH)),
            peer: envelope.peer,
            helo: plain(&envelope.helo, PATH),
            asked: None,
            next_try: self.senders.authenticate.is_some().then_some(received),
        })
    }

    /// Finds out who a mail is from whose bytes will not be kept. What cannot be told now never will be.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when its bytes cannot be read.
    pub(crate) fn ask_at_once(&self, arrived: &mut Arrived) -> Result<(), Error> {
        let Some(authenticate) = &self.senders.authenticate else { return Ok(()) };
        let Some(heard) = arrived.heard.as_mut() else { return Ok(()) };
        let mut opened = raw::open_written(&arrived.written)?;
        let verdict = match self.whole(&mut *opened).map_err(|error| Error::Unavailable(error.to_string()))? {
            Some(bytes) => ask(&**authenticate, &bytes, &arrived.envelope, arrived.received),
            None => Verdict::unproven(TOO_LARGE),
        };
        let now = self.now();
        heard.sender = Sender {
            proof: verdict.proof,
            domain: verdict.domain,
            detail: plain(&verdict.detail, DETAIL),
            ..heard.sender.clone()
        };
        (heard.asked, heard.next_try) = (Some(now), None);
        Ok(())
    }

    /// Finds out who these submissions are from, where that is still to be asked. Those of which it cannot be told yet, and
    /// which wait for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) fn find_senders(&self, submissions: &[Submission]) -> Result<HashSet<i64>, Error> {
        let mut waiting = HashSet::new();
        let Some(authenticate) = &self.senders.authenticate else { return Ok(waiting) };
        let by_number: HashMap<i64, &Submission> = submissions.iter().map(|submission| (submission.id, submission)).collect();
        let (Some(first), Some(last)) = (by_number.keys().min(), by_number.keys().max()) else { return Ok(waiting) };
        let mut reader = self.store.reader()?;
        let mut to_ask = reader.read(|transaction| transaction.senders_to_ask(*first, *last))?;
        // Whom nobody has been asked about first: what fails again and again holds up nobody else.
        to_ask.sort_by_key(|(id, heard)| (heard.asked.is_some(), *id));
        let (begun, now) = (Instant::now(), self.now());
        let mut together = Vec::new();
        let mut found = Vec::new();
        for (id, heard) in to_ask {
            let Some(&submission) = by_number.get(&id) else { continue };
            if self.senders.patience == 0 && begun.elapsed() > ROUND {
                // Nobody comes back to it.
                let detail = "name servers took too long with others".to_owned();
                found.push((id, heard, Verdict { proof: Proof::Unknown, domain: String::new(), detail }));
                continue;
            }
            let is_due = self.senders.patience == 0 || heard.next_try.is_none_or(|next| next <= now);
            if !is_due || self.is_stopping() || begun.elapsed() > ROUND {
                waiting.insert(id);
                continue;
            }
            let Some(key) = self.store.keys().get(submission.public)? else { continue };
            let opened = reader.read(|transaction| transaction.open_raw(submission, &key, self.store.directory()));
            // What cannot be read is found out, and told, by who reads it for its reports.
            let Ok(mut opened) = opened else { continue };
            match self.whole(&mut *opened) {
                Ok(Some(bytes)) => together.push((submission, heard, bytes)),
                Ok(None) => found.push((submission.id, heard, Verdict::unproven(TOO_LARGE))),
                Err(_) => continue,
            }
            if submission.size > LARGE || together.len() >= TOGETHER {
                found.append(&mut ask_together(&**authenticate, std::mem::take(&mut together)));
                self.beat();
            }
        }
        found.append(&mut ask_together(&**authenticate, together));
        if found.is_empty() {
            return Ok(waiting);
        }
        let now = self.now();
        self.store.write("senders", |transaction| {
            for (id, heard, verdict) in &found {
                let next_try = self.next_try(heard, verdict, now);
                let detail = plain(&verdict.detail, DETAIL);
                transaction.found_sender(*id, (verdict.proof, &verdict.domain, &detail), now, next_try)?;
            }
            Ok::<_, store::Error>(())
        })?;
        let unknown = found.iter().filter(|(_, heard, verdict)| self.next_try(heard, verdict, now).is_some());
        waiting.extend(unknown.map(|(id, ..)| *id));
        Ok(waiting)
    }

    /// What people who look at a submission are told of its sender beside what proves it.
    pub(crate) fn notes_on_sender(&self, context: &Context<'_>, format: &str) -> Vec<(String, String)> {
        let Some(sender) = context.sender else { return Vec::new() };
        let speaker = Speaker { reporter: "", format, door: context.door, sender: Some(sender), stated: None };
        let claimed = context.in_force.policy.belief(&speaker).claimed;
        let mut notes = Vec::new();
        let mut note = |text: String| notes.push(("sender".to_owned(), text));
        if !claimed.is_empty() {
            note(format!("it says that it is from {claimed}, and that is not proven: it is believed as a stranger is"));
        }
        if let Some(why) = context.stays_silent() {
            note(format!("no receipt is prepared: {why}"));
        }
        notes
    }

    /// When to ask again, if another time may tell more and it has not waited long enough.
    fn next_try(&self, heard: &Heard, verdict: &Verdict, now: Time) -> Option<Time> {
        let first = heard.asked.unwrap_or(now);
        let waited = (now.0 - first.0).max(0);
        let again = verdict.proof == Proof::Unknown && waited < self.senders.patience;
        again.then(|| now.plus(waited.max(PAUSE)).min(first.plus(self.senders.patience)))
    }

    /// All bytes of a mail; `None` when they are more than a reader would take.
    fn whole(&self, reader: &mut dyn Read) -> std::io::Result<Option<Vec<u8>>> {
        let most = self.reading.limits.whole as u64;
        let mut bytes = Vec::new();
        self.until_stop(reader).take(most + 1).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= most).then_some(bytes))
    }
}

const TOO_LARGE: &str = "it is larger than is looked at";

/// Asks about some mails at the same time.
fn ask_together(authenticate: &dyn Authenticate, mails: Vec<(&Submission, Heard, Vec<u8>)>) -> Vec<(i64, Heard, Verdict)> {
    std::thread::scope(|scope| {
        let asking: Vec<_> = mails
            .into_iter()
            .map(|(submission, heard, bytes)| {
                let asked = scope.spawn({
                    let envelope = heard.envelope();
                    move || ask(authenticate, &bytes, &envelope, submission.received)
                });
                (submission.id, heard, asked)
            })
            .collect();
        let verdict = |asked: std::thread::ScopedJoinHandle<'_, Verdict>| asked.join().unwrap_or_else(|_| crashed());
        asking.into_iter().map(|(id, heard, asked)| (id, heard, verdict(asked))).collect()
    })
}

fn ask(authenticate: &dyn Authenticate, mail: &[u8], envelope: &Envelope, received: Time) -> Verdict {
    let asked = catch_unwind(AssertUnwindSafe(|| authenticate.authenticate(mail, envelope, received)));
    let verdict = asked.unwrap_or_else(|_| crashed());
    let is_proven = matches!(verdict.proof, Proof::Dkim | Proof::Spf) && !verdict.domain.is_empty();
    match verdict.proof {
        Proof::Dkim | Proof::Spf if !is_proven => Verdict { proof: Proof::Unproven, ..verdict },
        _ if !is_proven => Verdict { domain: String::new(), ..verdict },
        _ => Verdict { domain: verdict.domain.to_ascii_lowercase(), ..verdict },
    }
}

fn crashed() -> Verdict {
    Verdict::unproven("looking at its signatures crashed")
}

/// Text of others without control characters, at most so many bytes.
fn plain(text: &str, most: usize) -> String {
    let mut plain = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if plain.len() + letter.len_utf8() > most {
            break;
        }
        plain.push(letter);
    }
    plain
}
