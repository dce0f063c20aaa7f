//! Evidence: letters as they went, transcripts, bounces, replies and receipts that a person attaches to a case. How well they
//! prove a delivery is graded by whoever verifies; here they are kept, and sealed as they are.

use ::seal::record::{EVIDENCE, Hash, OPENED, Record, STEP, Value, is_clean};
use model::step::What;
use model::time::{DAY, Time};
use store::Transaction;
use store::evidence::Evidence;
use store::keys::{Keys, public_id, random};
use store::raw;
use store::sealed::{Unsealed, what};

use super::open;
use super::records::Draft;
use crate::acts::step;
use crate::{Desk, Error};

/// Most bytes of one piece.
pub const MOST: usize = 10 << 20;
/// Bytes that may wait to be sealed, all together: one pass of the sealing holds them in memory.
const WAITING: u64 = 64 << 20;
/// Bytes of a recipient or an identifier, at the most.
const LINE: usize = 1_000;
/// Rows that are tidied up at once.
const TOGETHER: u32 = 256;
/// What a piece may be (`docs/seal.md` 2.3).
pub const KINDS: [&str; 5] = ["letter", "transcript", "bounce", "reply", "receipt"];
/// The steps that are letters.
const LETTERS: [What; 4] = [What::Told, What::Reminded, What::Warned, What::Proposed];

/// What a piece of evidence belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A step of the case, by its number in the journal.
    Step(u32),
    /// A record of the case, by its commitment.
    Record(Hash),
}

/// A piece of evidence that is to be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attaching {
    /// Row number of the case.
    pub case: i64,
    /// One of [`KINDS`].
    pub kind: String,
    /// Its bytes, at most [`MOST`].
    pub content: Vec<u8>,
    /// What it belongs to; without, the last letter of the case.
    pub about: Option<About>,
    /// Whom the letter was for; may be empty.
    pub recipient: String,
    /// Identifier of the message; may be empty.
    pub message_id: String,
    /// When it happened; without, now.
    pub at: Option<Time>,
    /// Who attaches it.
    pub by: String,
}

/// What was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The step that it belongs to, when it belongs to one.
    pub step: Option<u32>,
}

impl Desk {
    /// Keeps a piece of evidence, encrypted, to be sealed, and writes the step.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not well-formed, or may not be kept; [`Error::NotFound`] for a case, step or record that is not
    /// there; [`Error::Conflict`] when the log cannot sign, since then nothing can be found that it is about; [`Error::Unavailable`].
    pub fn attach(&self, attaching: &Attaching) -> Result<Attached, Error> {
        let now = self.now();
        check(attaching, now)?;
        let name = format!("evidence.{}", media(&attaching.content));
        // What it belongs to has to be sealed, so that its commitment is known.
        self.seal()?;
        let (about, of_step, waiting) = self.store.reader()?.read(|transaction| {
            let filed = transaction.case(attaching.case)?.ok_or_else(|| Error::NotFound("there is no such case".to_owned()))?;
            if filed.case.kind.is_child_abuse() {
                return Err(Error::Invalid(
                    "of a case about child abuse material no content is kept: write down what there is, and where, with 'sluis case note'"
                        .to_owned(),
                ));
            }
            let (about, of_step) = find(transaction, attaching.case, attaching.about)?;
            Ok((about, of_step, transaction.evidence_waiting()?))
        })?;
        if waiting + attaching.content.len() as u64 > WAITING {
            return Err(Error::Unavailable(
                "too much evidence waits to be sealed: try again when the log has sealed it".to_owned(),
            ));
        }
        if self.tells_of_child_abuse(&attaching.content, &name) {
            return Err(Error::Invalid(
                "this tells of child abuse material, which is not kept: write down what there is, and where, with 'sluis case note'"
                    .to_owned(),
            ));
        }
        let (public, key) = (public_id(now)?, random::<32>()?);
        let evidence = Evidence {
            public,
            case: attaching.case,
            kind: attaching.kind.clone(),
            media: media(&attaching.content).to_owned(),
            about,
            recipient: attaching.recipient.trim().to_owned(),
            message_id: attaching.message_id.trim().trim_start_matches('<').trim_end_matches('>').to_owned(),
            at: attaching.at.unwrap_or(now),
            person: attaching.by.trim().to_owned(),
            content: raw::seal_short(&key, &attaching.content)?,
        };
        // The key first: without it the row is of no use, and a key without a row is swept away.
        self.store.keys().keep(&[(public, key)])?;
        let written = self.store.write("evidence", |transaction| {
            transaction.lock_cases(&[attaching.case])?;
            if transaction.case(attaching.case)?.is_none() {
                return Err(Error::NotFound("there is no such case".to_owned()));
            }
            transaction.add_evidence(&evidence)?;
            let of = of_step.map_or_else(String::new, |step| format!(", of step {step}"));
            let text = format!("{}, {} bytes{of}", evidence.kind, attaching.content.len());
            Ok(transaction.add_step(attaching.case, &step(What::Evidence, now, &text, &attaching.by))?)
        });
        if let Err(error) = written {
            // Should this fail too, the key is one without a row.
            let _ = self.store.keys().destroy(&[public]);
            return Err(error);
        }
        Ok(Attached { step: of_step })
    }

    /// Destroys the keys of evidence that is sealed: its content is under the keys of its record from then on.
    pub(super) fn destroy_keys_of_evidence(&self) -> Result<(), Error> {
        let sealed = self.store.reader()?.read(|transaction| transaction.evidence_sealed(TOGETHER))?;
        if sealed.is_empty() {
            return Ok(());
        }
        self.store.keys().destroy(&sealed.iter().map(|(_, public)| *public).collect::<Vec<_>>())?;
        Ok(self.store.write("evidence", |transaction| sealed.iter().try_for_each(|(id, _)| transaction.forget_evidence(*id)))?)
    }
}

/// Whether it is well-formed.
fn check(attaching: &Attaching, now: Time) -> Result<(), Error> {
    let invalid = |text: &str| Err(Error::Invalid(text.to_owned()));
    if !KINDS.contains(&attaching.kind.as_str()) {
        return Err(Error::Invalid(format!("evidence is one of: {}", KINDS.join(", "))));
    }
    if attaching.by.trim().is_empty() {
        return invalid("say who attaches it");
    }
    if attaching.content.is_empty() {
        return invalid("the file is empty");
    }
    if attaching.content.len() > MOST {
        return invalid("evidence has at most 10 MiB");
    }
    if [&attaching.recipient, &attaching.message_id]
        .iter()
        .any(|text| text.len() > LINE || text.contains('\n') || !is_clean(text))
    {
        return invalid("a recipient and an identifier have at most 1,000 bytes, on one line");
    }
    // Clocks differ, days do not.
    if attaching.at.is_some_and(|at| at > now.plus(DAY)) {
        return invalid("it cannot have happened in the future");
    }
    Ok(())
}

/// The record that it belongs to, and the step of that; without anything said, the last letter.
fn find(transaction: &Transaction<'_>, case: i64, about: Option<About>) -> Result<(Option<i64>, Option<u32>), Error> {
    let rows = transaction.records_of(what::CASE, case)?;
    let is_step = |kind: u16| kind == STEP.number || kind == OPENED.number;
    let wanted = match about {
        Some(About::Record(commitment)) => {
            for row in &rows {
                if open::commitment(transaction, row)?.1 == commitment {
                    return Ok((Some(row.number), is_step(row.kind).then(|| u32::try_from(row.ordinal).ok()).flatten()));
                }
            }
            return Err(Error::NotFound("this case has no record with this commitment".to_owned()));
        }
        Some(About::Step(step)) => Some(step),
        None => transaction.steps(case)?.iter().rev().find(|step| LETTERS.contains(&step.what)).map(|step| step.ordinal),
    };
    let Some(step) = wanted else { return Ok((None, None)) };
    match rows.iter().find(|row| is_step(row.kind) && row.ordinal == i64::from(step)) {
        Some(row) => Ok((Some(row.number), Some(step))),
        None => Err(Error::NotFound(format!("step {step} of this case is not sealed, or there is none"))),
    }
}

/// What the bytes look like: a mail, a text, or neither. It decides the ending of a file in a bundle, and nothing else.
fn media(content: &[u8]) -> &'static str {
    let Ok(text) = std::str::from_utf8(content) else { return "bin" };
    if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
        return "bin";
    }
    let is_field = |line: &str| {
        line.split_once(':')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    };
    let mut head = text.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with([' ', '\t']));
    if head.clone().count() >= 2 && head.all(is_field) { "eml" } else { "txt" }
}

/// The record of evidence that waits. When its case is gone there is no stream for it, and it waits no more.
///
/// # Errors
/// [`store::Error::Database`], [`store::Error::Damaged`].
pub(super) fn draft(transaction: &Transaction<'_>, keys: &Keys, row: &Unsealed) -> Result<Option<Draft>, store::Error> {
    let id = row.target;
    let Some(evidence) = transaction.evidence(id)? else {
        transaction.forget_unsealed(what::EVIDENCE, id)?;
        return Ok(None);
    };
    let Some(filed) = transaction.case(evidence.case)? else {
        transaction.empty_evidence(id)?;
        transaction.forget_unsealed(what::EVIDENCE, id)?;
        return Ok(None);
    };
    if transaction.head(what::CASE, evidence.case)?.is_none() {
        return Ok(None);
    }
    let mut record = Record::new(&EVIDENCE);
    record.set("event", Value::text("evidence"));
    record.set("occurred_at", Value::Time(evidence.at.0));
    record.set("actor", Value::text(&evidence.person));
    record.set("what", Value::text(&evidence.kind));
    record.set("media", Value::text(&evidence.media));
    // When its key is lost, that there was something is sealed all the same.
    let content = keys.get(evidence.public)?.and_then(|key| raw::open_short(&key, &evidence.content));
    record.set("content", content.map_or(Value::Absent, Value::Bytes));
    if let Some(about) = evidence.about
        && let Some(about) = transaction.record(about)?
    {
        record.set("about", Value::Digest(open::commitment(transaction, &about)?.1));
    }
    record.set("recipient", Value::text(&evidence.recipient));
    record.set("message_id", Value::text(&evidence.message_id));
    transaction.empty_evidence(id)?;
    Ok(Some(Draft {
        what: what::CASE,
        target: evidence.case,
        stream: filed.case.public.0.to_be_bytes(),
        ordinal: id,
        last_step: 0,
        chain: 0,
        letter_to: 0,
        record,
    }))
}
