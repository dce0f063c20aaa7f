//! The fields of a feedback report, and the words they become.

use model::address::Address;
use model::report::{Batch, Place, Word};
use model::resource::{DomainName, Url};
use model::time::Time;

use crate::kinds::mail::{Fields, bare, text, time};

/// What the rest of the report turns on.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// `Source-IP`.
    pub(super) address: Option<Address>,
    /// `Source-Port` (RFC 6692); 0 when none.
    pub(super) port: u16,
    /// `Arrival-Date`, or its older name `Received-Date`.
    pub(super) time: Option<Time>,
    /// Whether there is a [`Word::URL`].
    pub(super) has_url: bool,
    /// Whether there is a [`Word::DOMAIN`].
    pub(super) has_domain: bool,
    /// Whether there is a [`Word::SMTP_FROM`].
    pub(super) has_sender: bool,
    /// What could not be read as it should.
    pub(super) remarks: Vec<String>,
}

/// Puts every field into the open report: those that have a word of ours under it, and all the others, and what cannot
/// be read, as they stand under `feedback.NAME`.
pub(super) fn put(batch: &mut Batch, fields: &Fields<'_>) -> Read {
    let mut read = Read::default();
    let mut has_recipient = false;
    let mut has_incidents = false;
    for (name, value) in fields.iter() {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let said = text(value);
        let taken = match name.as_str() {
            "source-ip" if read.address.is_none() => {
                // Some write the name after it: `192.0.2.1 (mail.example)`.
                let first = said.split([' ', '\t', '(', ';', ',']).next().unwrap_or_default();
                let first = first.trim_start_matches("IPv6:").trim_start_matches("ipv6:");
                read.address = Address::parse(first.as_bytes()).filter(|address| *address != Address::NONE);
                if read.address.is_none() {
                    batch.text(Word::SOURCE_IDENTIFIER, said.as_bytes());
                    read.remarks.push(format!("Source-IP '{}' is not an address", shown(&said)));
                }
                read.address.is_some_and(|address| address.to_string() == said)
            }
            "source-port" if read.port == 0 => {
                read.port = said.parse().unwrap_or(0);
                if read.port == 0 {
                    read.remarks.push(format!("Source-Port '{}' is not a port from 1 to 65535", shown(&said)));
                }
                read.port != 0
            }
            "arrival-date" | "received-date" => {
                let time = time(value);
                if time.is_none() {
                    read.remarks.push(format!("{name} '{}' is not a time", shown(&said)));
                }
                // RFC 5965 has Arrival-Date; Received-Date is its name in the drafts before it.
                if read.time.is_none() || name == "arrival-date" {
                    read.time = time.or(read.time);
                }
                false
            }
            "original-mail-from" if !read.has_sender => {
                // An empty path is that of a bounce; there is nothing to find an account by.
                let address = bare(&said);
                read.has_sender = !address.is_empty();
                if read.has_sender {
                    batch.text(Word::SMTP_FROM, address);
                }
                read.has_sender
            }
            "original-rcpt-to" if !has_recipient => {
                // A recipient who is kept secret may be no mail address any more (RFC 6590).
                has_recipient = said.contains('@');
                if has_recipient {
                    batch.text(Word::SMTP_TO, bare(&said));
                }
                has_recipient
            }
            "reported-domain" if !read.has_domain => {
                let domain = DomainName::parse(&said);
                match &domain {
                    Some(domain) => batch.text(Word::DOMAIN, domain.as_str()),
                    None => read.remarks.push(format!("Reported-Domain '{}' is not a domain name", shown(&said))),
                }
                read.has_domain = domain.is_some();
                read.has_domain
            }
            "reported-uri" if !read.has_url => {
                read.has_url = Url::parse(&said).is_some();
                if read.has_url {
                    batch.text(Word::URL, said.as_bytes());
                }
                // `mailto:` and the like are locations too, of nothing that could be taken down.
                read.has_url
            }
            "incidents" if !has_incidents => {
                has_incidents = true;
                match said.parse::<u32>() {
                    Ok(count) if count > 0 => {
                        batch.json(Word::INCIDENTS, &count.to_string());
                        true
                    }
                    _ => {
                        read.remarks.push(format!("Incidents '{}' is not a number above 0", shown(&said)));
                        false
                    }
                }
            }
            _ => false,
        };
        if !taken && !said.is_empty() {
            let word = batch.word(&format!("feedback.{}", shown(&name)), Place::Extra);
            batch.text(word, said.as_bytes());
        }
    }
    if fields.more {
        read.remarks.push("the report has more fields than are read; the rest is in the submission only".to_owned());
    }
    read
}

/// The beginning of a text, for a sentence.
fn shown(text: &str) -> &str {
    match text.char_indices().nth(80) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}
