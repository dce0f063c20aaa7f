//! The message that a report is about: what its header tells, and the message itself as evidence.

use std::borrow::Cow;

use model::address::Address;
use model::report::{Batch, Place, Word};
use model::time::Time;

use super::{Fields, Part, message_id, received, skip_envelope, text};

/// Fields by which operators of shared hosting find the account that sent a mail.
const HINTS: &[&str] = &[
    "x-php-originating-script",
    "x-php-script",
    "x-authenticated-user",
    "x-authenticated-sender",
    "x-authenticated-id",
    "x-auth-user",
    "x-sender-id",
    "x-sasl-username",
    "x-originating-user",
    "x-source",
    "x-source-args",
    "x-source-dir",
    "x-get-message-sender-via",
    "x-local-domain",
    "x-mailer-recptid",
    "x-campaign-id",
    "x-virtual-user",
];

/// The message, or its header.
pub(crate) struct Original<'a> {
    media: &'static str,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Original<'a> {
    /// The message in a part; `None` when the part is something else.
    pub(crate) fn of(part: &Part<'a>) -> Option<Original<'a>> {
        let media = match part.media.essence.as_str() {
            // `text/rfc822-header` is what some write for the registered name (RFC 6522).
            "text/rfc822-headers" | "text/rfc822-header" | "message/rfc822-headers" => "text/rfc822-headers",
            "message/rfc822" | "message/global" => "message/rfc822",
            _ => return None,
        };
        Some(Original { media, bytes: part.bytes() })
    }

    /// A message that stands at the end of a text for people, as it stands; `None` when it does not begin with a header.
    pub(crate) fn quoted(bytes: &'a [u8]) -> Option<Original<'a>> {
        let bytes = skip_envelope(bytes);
        let has_header = Fields::parse(bytes).0.iter().next().is_some();
        has_header.then_some(Original { media: "message/rfc822", bytes: Cow::Borrowed(bytes) })
    }

    /// The fields of its header.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::parse(skip_envelope(&self.bytes)).0
    }

    /// Puts what the message tells into the open report, and the message as an item of evidence; its `Return-Path` only when
    /// the report does not have the sender from elsewhere.
    pub(crate) fn put(&self, batch: &mut Batch, has_sender: bool) {
        let fields = self.fields();
        if let Some(subject) = fields.text("Subject") {
            batch.text(Word::SUBJECT, subject.as_bytes());
        }
        if let Some(id) = message_id(&fields) {
            batch.text(Word::MESSAGE_ID, id);
        }
        if !has_sender
            && let Some(path) = fields.text("Return-Path")
            && !bare(&path).is_empty()
        {
            batch.text(Word::SMTP_FROM, bare(&path));
        }
        if let Some(agent) = fields.text("User-Agent").or_else(|| fields.text("X-Mailer")) {
            batch.text(Word::USER_AGENT, agent.as_bytes());
        }
        for (name, word) in
            [("From", "original.from"), ("Date", "original.date"), ("List-Unsubscribe", "original.list-unsubscribe")]
        {
            if let Some(said) = fields.text(name) {
                let word = batch.word(word, Place::Extra);
                batch.text(word, said.as_bytes());
            }
        }
        for (name, value) in fields.iter().filter(|(name, _)| is_hint(name)) {
            let value = text(value);
            batch.text(Word::MAIL_HINT, format!("{}: {value}", String::from_utf8_lossy(name)));
        }
        batch.text(Word::EVIDENCE_TYPE, self.media);
        batch.text(
            Word::EVIDENCE_DESCRIPTION,
            match self.media {
                "message/rfc822" => "The message reported, as the reporter sent it",
                _ => "Header of the message reported, as the reporter sent it",
            },
        );
        batch.text(Word::EVIDENCE_SIZE, self.bytes.len().to_string());
        batch.bytes(Word::EVIDENCE_PAYLOAD, &self.bytes);
    }

    /// The distinct public addresses that the message passed, as its `Received` and `X-Originating-IP` fields tell.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        let fields = self.fields();
        let relays = fields.all("Received").filter_map(|value| received(value).0).map(Address::from);
        let origins = fields.all("X-Originating-IP").filter_map(bracketed);
        let mut found: Vec<Address> = relays.chain(origins).filter(|address| address.is_global()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// When the reporter's own server took the message: the time of the first `Received` field.
    pub(crate) fn arrived(&self) -> Option<Time> {
        self.fields().first("Received").and_then(|value| received(value).1)
    }
}

/// A mail address without its angle brackets.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>'))
}

/// An address as this field has it, often in square brackets.
fn bracketed(value: &[u8]) -> Option<Address> {
    let value = value.trim_ascii();
    Address::parse(value.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(value))
}

fn is_hint(name: &[u8]) -> bool {
    let is_account = || {
        let lower = name.to_ascii_lowercase();
        lower.starts_with(b"x-")
            && (lower.ends_with(b"-account") || lower.ends_with(b"-account-id") || lower.ends_with(b"-username"))
    };
    HINTS.iter().any(|hint| name.eq_ignore_ascii_case(hint.as_bytes())) || is_account()
}
