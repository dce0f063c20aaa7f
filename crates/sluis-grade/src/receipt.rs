//! Receipts of notice: what a recipient signs to say that a letter came, and the line in a letter that says what to sign.

use std::fmt::Write;

use seal::note::{self, Algorithm, Note, VerifierKey};
use seal::policy::Policy;
use seal::record::Hash;
use seal::tsp::written;
use sha2::{Digest, Sha256};
use sluis_verify::moment::utc;
use sluis_verify::said::hex;

use crate::dkim::canonical_body;
use crate::mail::{Mail, with_crlf};

/// The first line of a receipt.
const TITLE: &str = "sluis-receipt-of-notice/v1";
/// The field of a letter that says which record it is of.
pub const FIELD: &str = "Sluis-Slot";
/// What a line `#sluis recipient` calls a key for receipts.
pub const MEANS: &str = "receipt";

/// What a recipient says: this message came, and it says to be of this record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The log.
    pub origin: String,
    /// The slot of the record.
    pub slot: Hash,
    /// Which record it is.
    pub of: Of,
    /// [`message_digest`] of the message.
    pub message: Hash,
    /// When it came, as the recipient says: UTC milliseconds since 1970, whole seconds.
    pub received: i64,
}

/// How a message says which record stands in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// C of the record before it; `None` when it is the first. A letter cannot hold its own.
    Prev(Option<Hash>),
    /// Its own C.
    Record(Hash),
}

impl Receipt {
    /// The text that the recipient signs.
    #[must_use]
    pub fn text(&self) -> String {
        let of = match &self.of {
            Of::Prev(None) => "prev -".to_owned(),
            Of::Prev(Some(prev)) => format!("prev {}", hex(prev)),
            Of::Record(record) => format!("record {}", hex(record)),
        };
        let mut text = format!("{TITLE}\norigin {}\nslot {}\n{of}\n", self.origin, hex(&self.slot));
        // Writing into a string cannot fail.
        let _ = write!(text, "message {}\nreceived {}\n", hex(&self.message), utc(self.received));
        text
    }

    /// Reads that text; `None` when it is another. There is one text for what is in one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Receipt> {
        let mut lines = text.split('\n');
        let mut line = |name: &str| lines.next()?.strip_prefix(name);
        line(TITLE).filter(|rest| rest.is_empty())?;
        let origin = line("origin ")?.to_owned();
        let slot = unhex(line("slot ")?)?;
        let of = match line("")?.split_once(' ')? {
            ("prev", "-") => Of::Prev(None),
            ("prev", prev) => Of::Prev(Some(unhex(prev)?)),
            ("record", record) => Of::Record(unhex(record)?),
            _ => return None,
        };
        let message = unhex(line("message ")?)?;
        let received = written(line("received ")?)?;
        let receipt = Receipt { origin, slot, of, message, received };
        (receipt.text() == text).then_some(receipt)
    }

    /// What a letter asks to be signed, by its field [`FIELD`]: `ORIGIN SLOT PREV`, the last of them `-` when there is none.
    ///
    /// # Errors
    /// What is missing.
    pub fn of_letter(bytes: &[u8], received: i64) -> Result<Receipt, String> {
        let whole = with_crlf(bytes);
        let mail = Mail::parse(&whole).ok_or("this is neither a bundle nor a mail with its header")?;
        let fields: Vec<String> =
            mail.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(FIELD)).map(|field| field.text()).collect();
        let [field] = fields.as_slice() else {
            return Err(format!("the mail has no line '{FIELD}:' (or several), so it is of no record of a log"));
        };
        let words: Vec<&str> = field.split_ascii_whitespace().collect();
        let read = || match words.as_slice() {
            [origin, slot, prev] => {
                let of = if *prev == "-" { Of::Prev(None) } else { Of::Prev(Some(unhex(prev)?)) };
                let message = message_digest(bytes);
                Some(Receipt {
                    origin: (*origin).to_owned(),
                    slot: unhex(slot)?,
                    of,
                    message,
                    received: received - received.rem_euclid(1_000),
                })
            }
            _ => None,
        };
        read().ok_or_else(|| format!("the line '{FIELD}:' is not ORIGIN SLOT PREV"))
    }
}

/// SHA-256 of a message as it is signed: of a mail the body in the form "simple" of RFC 6376 (systems on the way add to the header),
/// of anything else all of it.
#[must_use]
pub fn message_digest(bytes: &[u8]) -> Hash {
    let whole = with_crlf(bytes);
    match Mail::parse(&whole) {
        Some(mail) => Sha256::digest(canonical_body(mail.body, false)).into(),
        None => Sha256::digest(bytes).into(),
    }
}

/// Whether these bytes say that they are a receipt.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.strip_prefix(TITLE.as_bytes()).is_some_and(|rest| rest.starts_with(b"\n"))
}

/// The receipt in a note that a key signed which the policy binds to this party; else why it is none.
pub(crate) fn open(bytes: &[u8], party: &[u8], policy: &Policy) -> Result<Receipt, &'static str> {
    let note = Note::parse(bytes).map_err(|_| "it is no signed note")?;
    let keys = keys_of(party, policy);
    if keys.is_empty() {
        return Err("your policy names no key of this recipient");
    }
    note::open(&note, &keys).map_err(|wrong| match wrong {
        note::Wrong::Unsigned => "it is signed by no key that your policy names for this recipient",
        _ => "its signature does not hold",
    })?;
    Receipt::parse(&note.text).ok_or("what is signed is not a receipt of notice")
}

/// The keys of a party for receipts. A key that has another role in the policy is none: the operator's is not the recipient's.
fn keys_of(party: &[u8], policy: &Policy) -> Vec<VerifierKey> {
    let others: Vec<VerifierKey> = policy
        .keys()
        .into_iter()
        .chain(policy.recovery.clone())
        .chain(policy.observers.iter().map(|observer| observer.key.clone()))
        .collect();
    let mut keys: Vec<VerifierKey> = Vec::new();
    for recipient in policy.recipients.iter().filter(|one| one.party == *party && one.means == MEANS) {
        let Ok(key) = VerifierKey::parse(&recipient.key) else { continue };
        let is_other = others.iter().any(|other| other.public() == key.public());
        let is_there = keys.iter().any(|known| known.name() == key.name() && known.id() == key.id());
        if key.algorithm() == Algorithm::Ed25519 && !is_other && !is_there {
            keys.push(key);
        }
    }
    keys
}

/// A hash from 64 lower-case hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
