//! Asking the contest desk for the reason behind a hit that a name alone opened, and taking in what it answers (M14).
//!
//! The question is signed, packed for the desk, and names an entry and why it is asked: never the customer. The desk then knows that this
//! provider has something that resembles this entry; the list holder does not. So there are few of them a quarter.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use matching::bytes::{Malformed, Reader, Writer};
use matching::envelope::{Envelope, Expected, Header, Kind};
use matching::list::Capsule;
use matching::list::entry::Entry as Clear;
use matching::parcel;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::directory::{OUTBOX, Provider};
use super::error::{Error, Result};
use super::hits::{DAY, Hits, ToldBy};
use super::look;
use super::shelf::Shelf;
use crate::files;
use crate::hex::Hex;
use crate::log::listed::{check_capsule, check_reason};

/// How many entries a provider may ask about in a quarter.
pub const MOST_A_QUARTER: usize = 25;
/// The longest reason, in bytes.
pub const MOST_WHY: usize = 2_000;
/// How long a question may be on its way: 30 days.
pub const TRAVEL: i64 = 30 * DAY;
/// The file with what was asked.
const ASKED: &str = "asked.json";
const INFO_ASK: &[u8] = b"sluis/v1/ask";
const INFO_ANSWER: &[u8] = b"sluis/v1/answer";

/// A question, as the desk reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The entry.
    pub entry: [u8; 16],
    /// Its version.
    pub version: u32,
    /// Its slot in the publication.
    pub slot: u32,
    /// Why the provider asks, in its own words.
    pub why: String,
    /// When it asks.
    pub at: i64,
    /// The key that the answer is packed for.
    pub address: parcel::Address,
}

impl Ask {
    /// Its bytes, padded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        let bytes = w.raw(&self.entry).u32(self.version).u32(self.slot).text(&self.why).time(self.at).raw(&self.address).done();
        padded(bytes, LEAST_ASK)
    }

    /// Reads it, out of a parcel that was opened.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(bytes: &[u8]) -> std::result::Result<Ask, Malformed> {
        let mut r = Reader::new(bytes);
        let ask = Ask {
            entry: r.array()?,
            version: r.u32()?,
            slot: r.u32()?,
            why: r.text(MOST_WHY)?.to_owned(),
            at: r.time()?,
            address: r.array()?,
        };
        padding(&r, LEAST_ASK)?;
        Ok(ask)
    }

    /// Packs the question for the desk, and signs it.
    ///
    /// # Errors
    /// When the desk's key is none.
    pub fn pack(
        &self,
        mut header: Header,
        desk: &parcel::Address,
        key: &ed25519_dalek::SigningKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope> {
        header.kind = Kind::Ask;
        let body = parcel::pack(desk, INFO_ASK, &about(&header), &self.encode(), rng)
            .map_err(|_| Error::said("the desk's key in the manifest cannot be used; tell the list holder"))?;
        Ok(Envelope::signed(header, body, key))
    }

    /// Opens a question at the desk, whose envelope was checked.
    ///
    /// # Errors
    /// When it was packed for somebody else, or is none.
    pub fn open(envelope: &Envelope, opener: &parcel::Opener) -> Result<Ask> {
        let bytes = opener
            .open(&envelope.body, INFO_ASK, &about(&envelope.header))
            .map_err(|_| Error::said("the question was not packed for this desk; ask the provider which manifest it has"))?;
        let ask = Ask::decode(&bytes)?;
        if ask.why.trim().is_empty() {
            return Err(Error::said("the question has no reason; ask the provider for one that says why it asks"));
        }
        Ok(ask)
    }
}

/// The whole entry, as the desk hands it to one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question's hash.
    pub question: [u8; 32],
    /// The capsule, byte by byte as it was listed.
    pub capsule: Vec<u8>,
    /// What proves that it is in the log.
    pub capsule_proof: Vec<u8>,
    /// The reason, byte by byte as it was listed.
    pub reason: Vec<u8>,
    /// What proves that it belongs to that capsule.
    pub reason_proof: Vec<u8>,
}

/// The most bytes of one part of an answer.
const MOST_PART: usize = 1 << 20;

impl Answer {
    /// Its bytes, padded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.question).bytes(&self.capsule).bytes(&self.capsule_proof).bytes(&self.reason).bytes(&self.reason_proof);
        padded(w.done(), LEAST_ANSWER)
    }

    /// Reads it, out of a parcel that was opened. It proves nothing until its proofs were checked, which [`take`] does.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(bytes: &[u8]) -> std::result::Result<Answer, Malformed> {
        let mut r = Reader::new(bytes);
        let part = |r: &mut Reader<'_>| Ok::<_, Malformed>(r.bytes(MOST_PART)?.to_vec());
        let question = r.array()?;
        let answer = Answer {
            question,
            capsule: part(&mut r)?,
            capsule_proof: part(&mut r)?,
            reason: part(&mut r)?,
            reason_proof: part(&mut r)?,
        };
        padding(&r, LEAST_ANSWER)?;
        Ok(answer)
    }

    /// Packs the answer for a provider, and signs it. `header` is from the desk to the provider.
    ///
    /// # Errors
    /// When the provider's key is none.
    pub fn pack(
        &self,
        mut header: Header,
        address: &parcel::Address,
        key: &ed25519_dalek::SigningKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope> {
        header.kind = Kind::Answer;
        header.previous = self.question;
        let body = parcel::pack(address, INFO_ANSWER, &about(&header), &self.encode(), rng)
            .map_err(|_| Error::said("the provider's key in the question cannot be used; ask it for a new question"))?;
        Ok(Envelope::signed(header, body, key))
    }

    fn open(envelope: &Envelope, opener: &parcel::Opener) -> Result<Answer> {
        let bytes = opener
            .open(&envelope.body, INFO_ANSWER, &about(&envelope.header))
            .map_err(|_| Error::said("the answer was not packed for this provider; ask the desk again"))?;
        Ok(Answer::decode(&bytes)?)
    }
}

/// Bytes of a question before it is packed: any question has as many.
const LEAST_ASK: usize = 4 << 10;
/// The fewest bytes of an answer before it is packed. Longer ones have the next power of two: whoever knows the list and sees a parcel go by
/// must not be able to tell from its length which entry is in it.
const LEAST_ANSWER: usize = 32 << 10;

fn padded(mut bytes: Vec<u8>, least: usize) -> Vec<u8> {
    let size = bytes.len().max(least).next_power_of_two();
    bytes.resize(size, 0);
    bytes
}

/// That nothing but the padding is left, and all of it: one value has one encoding.
fn padding(r: &Reader<'_>, least: usize) -> std::result::Result<(), Malformed> {
    let (content, rest) = (r.at(), r.rest());
    let is_whole = content.max(least).next_power_of_two() == content + rest.len();
    if is_whole && rest.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(r.wrong("zeros up to the padded length")) }
}

/// What a parcel is bound to beside its two ends.
fn about(header: &Header) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(&header.sender).raw(&header.recipient).raw(&header.list).u32(header.epoch).raw(&header.under).u64(header.seq);
    w.raw(&header.previous).done()
}

/// What a provider asked, so that it keeps its number a quarter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Asked {
    questions: Vec<Question>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Question {
    at: i64,
    hash: Hex<32>,
    entry: String,
    version: u32,
}

/// The quarter of a moment, in the Netherlands: year times four and the quarter from 0.
#[must_use]
pub fn quarter(millis: i64) -> i64 {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    let date = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone).date();
    i64::from(date.year()) * 4 + i64::from((date.month() - 1) / 3)
}

/// What is to be taken to the desk.
#[derive(Debug, Clone)]
pub struct Questions {
    /// The file for the desk, in the outbox.
    pub file: std::path::PathBuf,
    /// How many entries may still be asked about in this quarter.
    pub left: usize,
}

/// Asks the desk for the reason of these hits.
///
/// # Errors
/// When a hit is not there, its reason is known, it was asked already, or the number of the quarter is used up.
pub fn ask(
    provider: &mut Provider,
    hits: &mut Hits,
    which: &[String],
    why: &str,
    now: i64,
    rng: &mut impl CryptoRng,
) -> Result<Questions> {
    if why.trim().is_empty() || why.len() > MOST_WHY {
        return Err(Error::said(format!("--why: say in at most {MOST_WHY} bytes why you ask; the desk reads it")));
    }
    let pinned = provider.pinned()?.clone();
    let path = provider.dir().join(ASKED);
    let mut asked: Asked = match files::read_if_there(&path, 64 << 20)? {
        None => Asked::default(),
        Some(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Error::said(format!("{} cannot be read ({error}); put it back from a backup", path.display())))?,
    };
    let mut used = asked.questions.iter().filter(|question| quarter(question.at) == quarter(now)).count();
    let mut file = Vec::new();
    for name in which {
        let hit = hits.get_mut(name)?;
        if hit.entry.reason.is_some() {
            return Err(Error::said(format!("the reason of {} is known: `sluis watchlist hits {}` shows it", hit.id, hit.id)));
        }
        if hit.entry.epoch != pinned.epoch {
            return Err(Error::said(format!("{} is of an older epoch; run `sluis watchlist match` first", hit.id)));
        }
        let again = asked.questions.iter().any(|question| {
            question.entry == hit.entry.id && question.version == hit.entry.version && question.at.saturating_add(TRAVEL) > now
        });
        if again {
            return Err(Error::said(format!("the desk was asked about the entry of {} already; wait for its answer", hit.id)));
        }
        if used >= MOST_A_QUARTER {
            return Err(Error::said(format!(
                "{MOST_A_QUARTER} entries were asked about in this quarter, which is the most; the desk answers no more. Look first at what you know yourself"
            )));
        }
        let entry = crate::keys::unhex::<16>(&hit.entry.id)?;
        let question = Ask {
            entry,
            version: hit.entry.version,
            slot: hit.entry.slot,
            why: matching::bytes::plain(why.trim()),
            at: now,
            address: provider.identity().public.address,
        };
        let mut header = Header::new(Kind::Ask, provider.key(), pinned.desk.0, now, now.saturating_add(TRAVEL));
        (header.list, header.epoch, header.under) = (pinned.list.0, pinned.epoch, pinned.manifest.0);
        header.seq = asked.questions.len() as u64 + 1;
        let envelope = question.pack(header, &pinned.desk_address.0, &provider.identity().signing, rng)?;
        asked.questions.push(Question {
            at: now,
            hash: Hex(envelope.hash()),
            entry: hit.entry.id.clone(),
            version: hit.entry.version,
        });
        file.extend(envelope.encode());
        hit.asked = Some(now);
        used += 1;
    }
    // The file first: a stop behind it costs nothing, since who asks again writes it again.
    let out = provider.folder(OUTBOX)?.join(format!("ask-{}.slu", asked.questions.len()));
    files::write(&out, &file)?;
    let bytes =
        serde_json::to_vec_pretty(&asked).map_err(|error| Error::said(format!("questions cannot be written: {error}")))?;
    files::write(&path, &bytes)?;
    hits.save(provider.dir())?;
    Ok(Questions { file: out, left: MOST_A_QUARTER - used })
}

/// Takes in an answer of the desk: says which hits got their reason.
///
/// # Errors
/// When it is not from the desk, not to us, not about what we asked, or does not stand in the log.
pub fn take(provider: &Provider, hits: &mut Hits, envelope: &Envelope, shelf: &Shelf, now: i64) -> Result<Vec<String>> {
    let pinned = provider.pinned()?;
    let me = provider.key();
    let expected =
        Expected { sender: Some(&pinned.desk.0), recipient: Some(&me), list: Some(&pinned.list.0), ..Expected::default() };
    envelope.open(Kind::Answer, &expected, now).map_err(|why| Error::Refused("the desk's answer".to_owned(), why))?;
    let answer = Answer::open(envelope, &provider.identity().opener)?;
    let asked: Asked = files::read_if_there(&provider.dir().join(ASKED), 64 << 20)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let Some(question) = asked.questions.iter().find(|question| question.hash.0 == answer.question) else {
        return Err(Error::said("the desk's answer is about something that was not asked from this directory"));
    };
    let logged = check_capsule(&answer.capsule_proof, &answer.capsule, &shelf.roots)?;
    check_reason(&logged, &answer.reason_proof, &answer.reason)?;
    let capsule = Capsule::read(&answer.capsule)?;
    if (crate::keys::hex(&capsule.id), capsule.version) != (question.entry.clone(), question.version) {
        return Err(Error::said("the desk answered with another entry than was asked about; do not use it, and tell the desk"));
    }
    let clear = Clear::read(&answer.capsule, &answer.reason)?;
    look::must_say_why(&clear, now).map_err(Error::said)?;
    let reason = look::reason(&clear);
    let mut told = Vec::new();
    for hit in &mut hits.hits {
        if hit.entry.id == question.entry && hit.entry.version == question.version && hit.entry.reason.is_none() {
            hit.entry.reason = Some(reason.clone());
            hit.entry.told_by = Some(ToldBy::Desk);
            told.push(hit.id.clone());
        }
    }
    Ok(told)
}
