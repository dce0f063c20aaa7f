//! Screening: what tells of child abuse material is rewritten before it is kept.
//!
//! The first copy of a submission is encrypted under a key in memory only. Before that key is kept, the submission is
//! read once to see whether it tells of such material. If it does, the first copy is thrown away with its key, and what
//! is kept is a rewrite: who reported what kind, when, about which host, with hashes; no payload, no attachment, no
//! free text, and the location masked. The location itself is kept encrypted, and found again by a keyed hash
//! (domain.md section 3: CS-2, CS-3; XARF 4.2 forbids visual content).
//!
//! A letter in free words that speaks of such material, and that no format understands, is rewritten as well: who wrote it,
//! when, and which hosts it names. Nobody has said yet that there is such material, so its mailbox keeps the letter, for
//! whoever has to look.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;

use model::report::{Batch, Report, Shape, Word};
use model::resource::Url;
use model::time::Time;
use parsers::care;
use parsers::formats::shadowserver::Maps;
use parsers::kinds::mail::{self, Fields};
use parsers::read::Outcome;
use parsers::sink::{Finding, Found, Note, Reject, Sink, Stop};
use parsers::source::{Hint, Prefix, Source};
use parsers::write::xarf;
use store::keys::{Key, Keys, public_id};
use store::raw::{self, Written};
use store::reports::report_id;
use store::submissions::Location;

use crate::receive::Arrived;
use crate::{Desk, Error};

/// What is kept of a report of such material, beside its core. What is not on this list is not kept.
const KEPT: &[Word] = &[
    Word::REPORT_ID,
    Word::REPORTER_ORG,
    Word::REPORTER_CONTACT,
    Word::REPORTER_DOMAIN,
    Word::SENDER_ORG,
    Word::SENDER_CONTACT,
    Word::SENDER_DOMAIN,
    Word::EVIDENCE_SOURCE,
    Word::DOMAIN,
    Word::FIRST_SEEN,
    Word::LAST_SEEN,
];
/// Properties of XARF that say which kind of material, and how it was recognised.
const KEPT_NAMES: &[&str] =
    &["classification", "detection_method", "exploitation_type", "hotline_class", "hotline_reference", "removal_hours"];
/// Hosts of a letter that are named.
const HOSTS: usize = 50;

/// The purpose of the key under which locations are encrypted.
const SEALING: &str = "hidden location: seal";
/// The purpose of the key under which locations are hashed.
const NAMING: &str = "hidden location: name";

impl Desk {
    /// Replaces a submission that tells of child abuse material by its rewrite; any other is left as it is.
    ///
    /// # Errors
    /// As [`Desk::receive`]; the original is gone then.
    pub(crate) fn screen(&self, mut arrived: Arrived) -> Result<Arrived, Error> {
        match self.reads_child_abuse(&mut arrived) {
            Ok(Tells::Nothing) => Ok(arrived),
            Ok(tells) => {
                // What was signed is not there any more afterwards.
                let asked = self.ask_at_once(&mut arrived);
                let rewritten = asked.and_then(|()| match tells {
                    Tells::Letter => self.rewrite_letter(&arrived),
                    _ => self.rewrite(&arrived),
                });
                raw::discard(&arrived.written)?;
                let (written, locations) = rewritten?;
                // A letter stays where it came to: somebody has to look at it there.
                Ok(Arrived { written, locations, name: String::new(), rewritten: tells == Tells::Report, ..arrived })
            }
            Err(error) => {
                raw::discard(&arrived.written)?;
                Err(error)
            }
        }
    }

    fn rewrite(&self, arrived: &Arrived) -> Result<(Written, Vec<Location>), Error> {
        let mut rewriting = Rewriting::new(self.store.keys(), arrived);
        self.read_arrived(arrived, &mut rewriting)?;
        let Rewriting { out, locations, failed, .. } = rewriting;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let out = match self.order_of(arrived)? {
            // The order of an authority is one in its rewrite, too, and has people who wait for it.
            Some((head, why)) => [ordering(&head, &why).as_bytes(), &out, b"\n--=_rewritten--\n"].concat(),
            None => out,
        };
        Ok((self.keep_instead(arrived, out)?, locations))
    }

    /// What is kept of a letter in free words.
    fn rewrite_letter(&self, arrived: &Arrived) -> Result<(Written, Vec<Location>), Error> {
        let mut hosts = Hosts::default();
        self.read_arrived(arrived, &mut hosts)?;
        let mut head = self.head_of(arrived)?;
        let from = mail_from(&head).unwrap_or_else(|| "somebody".to_owned());
        let mut text = format!(
            "Nothing of its words is kept. If it is about a place of ours, make a report of it; if it is not, that is all.\n\n\
             To see it: the mailbox it came to, or ask {from}.\n"
        );
        if let Some((_, why)) = self.order_of(arrived)? {
            text.push_str(&format!("\nIt is perhaps an order: {why}.\n"));
        }
        if !hosts.0.is_empty() {
            text.push_str("\nIt names: ");
            text.push_str(&hosts.0.into_iter().collect::<Vec<_>>().join(", "));
            text.push('\n');
        }
        head.push_str(&format!("Subject: a letter about child abuse material by {from}; see the mailbox it came to\n"));
        let out = format!("{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}");
        Ok((self.keep_instead(arrived, out.into_bytes())?, Vec::new()))
    }

    /// Who wrote a mail and when, as fields of a header: all of its own that is kept of a letter.
    fn head_of(&self, arrived: &Arrived) -> Result<String, Error> {
        let beginning = beginning(arrived)?;
        let (fields, _) = Fields::parse(mail::skip_envelope(&beginning));
        Ok(head(&fields))
    }

    /// Whether the original is perhaps an order, and why, with who wrote it.
    fn order_of(&self, arrived: &Arrived) -> Result<Option<(String, String)>, Error> {
        let beginning = beginning(arrived)?;
        let suspicion = self.looks_like_order(&beginning, arrived.received, None);
        let (fields, _) = Fields::parse(mail::skip_envelope(&beginning));
        Ok(suspicion.map(|suspicion| (head(&fields), suspicion.why)))
    }

    /// Writes what takes the place of a submission.
    fn keep_instead(&self, arrived: &Arrived, out: Vec<u8>) -> Result<Written, Error> {
        let mut written =
            raw::write(self.store.directory(), self.store.keys(), public_id(arrived.received)?, &mut Cursor::new(out))?;
        // The same original counts as the same submission, though its bytes are not here any more.
        written.digest = arrived.written.digest;
        // A plain digest would tell, to anybody who has them, which bytes these were.
        written.sha256 = None;
        written.size = arrived.written.size;
        Ok(written)
    }

    /// The location that a mask stands for. For those who may see it: the caller checks who asks.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn hidden_location(&self, submission: i64, ordinal: u32) -> Result<Option<String>, Error> {
        let hidden = self.store.reader()?.read(|transaction| transaction.hidden(submission))?;
        let key: Key = self.store.keys().derive(SEALING);
        let location = hidden.iter().find(|location| location.ordinal == ordinal);
        Ok(location.and_then(|location| raw::open_short(&key, &location.sealed)).and_then(|plain| String::from_utf8(plain).ok()))
    }

    /// Whether a submission tells of such material, and how. Who it is from is looked at on the way.
    fn reads_child_abuse(&self, arrived: &mut Arrived) -> Result<Tells, Error> {
        let mut opened = raw::open_written(&arrived.written)?;
        let source = Source::open(&mut *opened).map_err(|error| Error::Unavailable(error.to_string()))?;
        let prefix =
            Prefix::new(source.prefix(), &arrived.name, "", &self.hint(&arrived.name, &arrived.envelope.feed, arrived.received));
        let heard = self.heard(&prefix, &arrived.envelope, arrived.received);
        // Shadowserver reports no such material; its files are the largest, and need not be read twice.
        let chosen = parsers::read::choose(&prefix);
        if self.reading.format.is_none() && chosen.is_some_and(|format| format.name == "shadowserver") {
            arrived.heard = heard;
            return Ok(Tells::Nothing);
        }
        arrived.heard = heard;
        let mut looking = Looking(false);
        let outcome = self.read_arrived(arrived, &mut looking)?;
        if looking.0 {
            return Ok(Tells::Report);
        }
        // What a format understands is no letter: a word in the small print of a report says nothing of what it reports. What is
        // set aside says nothing by a format, and may hold a letter.
        let understood = outcome.is_some_and(|outcome| outcome.unreadable.is_empty() && outcome.aside.is_empty());
        if understood || !self.is_letter(arrived)? {
            return Ok(Tells::Nothing);
        }
        Ok(Tells::Letter)
    }

    /// Whether what nothing understood speaks of such material.
    fn is_letter(&self, arrived: &Arrived) -> Result<bool, Error> {
        let mut bytes = Vec::new();
        let limit = self.reading.limits.whole as u64;
        let opened = raw::open_written(&arrived.written)?;
        self.until_stop(&mut opened.take(limit))
            .read_to_end(&mut bytes)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let parts = self.reading.limits.parts;
        let found = std::panic::catch_unwind(|| care::tells_of_child_abuse(&bytes, parts));
        // A reader that crashes has seen nothing, and the plain bytes may show it.
        Ok(found.unwrap_or_else(|_| care::speaks_of_child_abuse(&String::from_utf8_lossy(&bytes))))
    }

    /// Reads it; how that ended, unless a reader crashed or the sink broke off.
    fn read_arrived(&self, arrived: &Arrived, sink: &mut dyn Sink) -> Result<Option<Outcome>, Error> {
        let mut opened = raw::open_written(&arrived.written)?;
        let hint = self.hint(&arrived.name, &arrived.envelope.feed, arrived.received);
        // A reader that crashes is dealt with when the submission is worked off; here it has found nothing.
        let mut opened = self.until_stop(&mut *opened);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parsers::read::read(&mut opened, &hint, sink)));
        match result {
            // Half a submission may have been looked at, whatever the reader made of that.
            _ if self.is_stopping() => Err(Error::Unavailable("the program was asked to stop".to_owned())),
            Ok(Err(Stop::Io(error))) => Err(Error::Unavailable(error.to_string())),
            Ok(Ok(outcome)) => Ok(Some(outcome)),
            Ok(Err(Stop::Sink)) | Err(_) => Ok(None),
        }
    }

    /// Whether these bytes tell of child abuse material: as a report, or in words.
    pub(crate) fn tells_of_child_abuse(&self, bytes: &[u8], name: &str) -> bool {
        if care::speaks_of_child_abuse(&String::from_utf8_lossy(bytes))
            || care::tells_of_child_abuse(bytes, self.reading.limits.parts)
        {
            return true;
        }
        let hint = Hint { format: None, declared: None, ..self.hint(name, "", self.now()) };
        let mut looking = Looking(false);
        // A reader that crashes has found nothing, or has found it before.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            parsers::read::read(&mut Cursor::new(bytes), &hint, &mut looking)
        }));
        looking.0
    }

    /// What readers are told of a submission of this name, from this feed.
    pub(crate) fn hint<'a>(&'a self, name: &'a str, feed: &str, received: Time) -> Hint<'a> {
        let feed = self.reading.feeds.get(feed);
        Hint {
            location: feed.map_or("", |feed| &feed.location),
            kind: feed.and_then(|feed| feed.kind),
            format: feed.and_then(|feed| feed.format.as_deref()).or(self.reading.format.as_deref()),
            maps: self.reading.maps.as_ref().unwrap_or_else(|| Maps::builtin()),
            declared: feed.and_then(|feed| feed.declared.as_ref()).or(self.reading.declared.as_ref()),
            limits: self.reading.limits,
            ..Hint::new(name, received)
        }
    }
}

/// How a submission tells of such material.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// It does not.
    Nothing,
    /// A report, or something that should have been one, is about it.
    Report,
    /// It speaks of it in words that no format understands.
    Letter,
}

/// The beginning of the original.
fn beginning(arrived: &Arrived) -> Result<Vec<u8>, Error> {
    let mut beginning = Vec::new();
    raw::open_written(&arrived.written)?
        .take(crate::alert::order::PREFIX as u64)
        .read_to_end(&mut beginning)
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    Ok(beginning)
}

/// Who wrote a mail, when, and under which number: the address alone, since a name has room for words.
fn head(fields: &Fields<'_>) -> String {
    let plain = |text: &str| -> bool {
        text.len() <= 254 && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()[],;:\\\"/".contains(&byte))
    };
    let mut head = String::new();
    if let Some((_, address)) = fields.mailbox("From").filter(|(_, address)| plain(address) && address.contains('@')) {
        head.push_str(&format!("From: {address}\n"));
    }
    if let Some(date) = fields.time("Date") {
        head.push_str(&format!("Date: {date}\n"));
    }
    head
}

fn mail_from(head: &str) -> Option<String> {
    head.lines().find_map(|line| line.strip_prefix("From: ")).map(str::to_owned)
}

/// The rewrite of an order up to where its reports stand: a mail, so that it is known for an order, with them attached.
fn ordering(head: &str, why: &str) -> String {
    format!(
        "{head}Subject: rewritten without what may not be kept\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"=_rewritten\"\n\n--=_rewritten\nContent-Type: text/plain; charset=utf-8\n\n\
         {why}\n--=_rewritten\nContent-Type: application/json; name=\"reports.json\"\n\
         Content-Disposition: attachment; filename=\"reports.json\"\n\n"
    )
}

/// Gathers the hosts that a letter names.
#[derive(Default)]
struct Hosts(BTreeSet<String>);

impl Sink for Hosts {
    fn reports(&mut self, _: &mut Batch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn reject(&mut self, _: Reject) {}

    fn note(&mut self, _: Note) {}

    fn finding(&mut self, finding: Finding) {
        let host = match finding.what {
            Found::Url => Url::parse(&finding.value).map(|url| url.host().to_string()),
            Found::Domain | Found::Address => Some(finding.value),
            _ => None,
        };
        if let Some(host) = host.filter(|host| self.0.len() < HOSTS && host.len() <= 253 && !host.contains('/')) {
            self.0.insert(host);
        }
    }
}

/// Looks whether anything tells of child abuse material.
struct Looking(bool);

impl Sink for Looking {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.0 |= batch.cores().iter().any(|core| core.kind.is_child_abuse());
        if self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn reject(&mut self, reject: Reject) {
        self.0 |= care::speaks_of_child_abuse(&reject.text) || care::speaks_of_child_abuse(&reject.reason);
    }

    fn note(&mut self, _: Note) {}
}

/// Writes a submission anew, as XARF v4 lines, without what must not be kept.
struct Rewriting<'a> {
    keys: &'a Keys,
    arrived: &'a Arrived,
    out: Vec<u8>,
    lines: u32,
    locations: Vec<Location>,
    failed: Option<store::Error>,
}

impl<'a> Rewriting<'a> {
    fn new(keys: &'a Keys, arrived: &'a Arrived) -> Rewriting<'a> {
        Rewriting { keys, arrived, out: Vec::new(), lines: 0, locations: Vec::new(), failed: None }
    }

    fn line(&mut self, report: &Report<'_>) -> Result<(), store::Error> {
        let mut batch = Batch::new();
        let masked = report.core.kind.is_child_abuse();
        for (word, value) in report.fields() {
            let (name, place) = report.name(word);
            let word = batch.word(name, place);
            if masked && (word == Word::URL || word == Word::SOURCE_IDENTIFIER) {
                batch.text(word, self.hide(value.text())?);
            } else if !masked || KEPT.contains(&word) || KEPT_NAMES.contains(&name) || word == Word::EVIDENCE_HASH {
                if masked && word == Word::EVIDENCE_HASH {
                    batch.text(Word::EVIDENCE_TYPE, "application/octet-stream");
                    batch.text(Word::EVIDENCE_DESCRIPTION, "not kept");
                }
                match value.shape {
                    Shape::Text => batch.text(word, value.bytes),
                    Shape::Json => batch.json(word, value.text()),
                    Shape::Bytes => batch.bytes(word, value.bytes),
                }
            }
        }
        batch.finish(*report.core);
        let ids = xarf::Ids {
            fallback_report_id: report_id(self.arrived.written.public, report.core.ordinal),
            received: self.arrived.received,
        };
        xarf::write(&batch.report(0), &ids, &mut self.out);
        self.lines += 1;
        Ok(())
    }

    /// A location as it may be shown: scheme and host, and a short keyed hash that tells two of them apart. What names
    /// no location, such as an address, is not hidden.
    fn hide(&mut self, location: &str) -> Result<String, store::Error> {
        let Some(url) = Url::parse(location) else { return Ok(location.chars().filter(|c| !c.is_control()).take(253).collect()) };
        let mut mac = self.keys.mac(NAMING);
        mac.update(location.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(mac.sign().as_ref());
        let sealed = raw::seal_short(&self.keys.derive(SEALING), location.as_bytes())?;
        if !self.locations.iter().any(|known| known.ordinal == self.lines) {
            self.locations.push(Location { ordinal: self.lines, hash, sealed });
        }
        let scheme = location.split_once("://").map_or("", |(scheme, _)| scheme);
        let short: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{scheme}://{}/#h:{short}", url.host()))
    }
}

impl Sink for Rewriting<'_> {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        for report in batch.reports() {
            if let Err(error) = self.line(&report) {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    // What could not be read, beside a report of such material or as one, may hold it: none of its text is kept. That
    // there was something stays, as a line that is a reject again, so that a person sees it.
    fn reject(&mut self, reject: Reject) {
        let place: String =
            reject.place.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').filter(|c| !"\"\\".contains(*c)).collect();
        let line = format!(
            "{{\"xarf_version\":\"4.2.0\",\"not_kept\":\"its text told of what may not be kept, and could not be read: ask who sent it\",\"place\":\"{place}\"}}\n"
        );
        self.out.extend_from_slice(line.as_bytes());
        self.lines += 1;
    }

    fn note(&mut self, _: Note) {}
}
