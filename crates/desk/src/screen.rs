//! Screening: what tells of child abuse material is rewritten before it is kept.
//!
//! The first copy of a submission is encrypted under a key in memory only. Before that key is kept, the submission is
//! read once to see whether it tells of such material. If it does, the first copy is thrown away with its key, and what
//! is kept is a rewrite: who reported what kind, when, about which host, with hashes; no payload, no attachment, no
//! free text, and the location masked. The location itself is kept encrypted, and found again by a keyed hash
//! (domain.md section 3: CS-2, CS-3; XARF 4.2 forbids visual content).

use std::io::Cursor;
use std::ops::ControlFlow;

use model::report::{Batch, Report, Shape, Word};
use model::resource::Url;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::sink::{Note, Reject, Sink, Stop};
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
const KEPT_NAMES: &[&str] = &["classification", "detection_method", "exploitation_type"];

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
            Ok(false) => Ok(arrived),
            Ok(true) => {
                // What was signed is not there any more afterwards.
                let asked = self.ask_at_once(&mut arrived);
                let rewritten = asked.and_then(|()| self.rewrite(&arrived));
                raw::discard(&arrived.written)?;
                let (written, locations) = rewritten?;
                Ok(Arrived { written, locations, name: String::new(), rewritten: true, ..arrived })
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
        let mut written =
            raw::write(self.store.directory(), self.store.keys(), public_id(arrived.received)?, &mut Cursor::new(out))?;
        // The same original counts as the same submission, though its bytes are not here any more.
        written.digest = arrived.written.digest;
        // A plain digest would tell, to anybody who has them, which bytes these were.
        written.sha256 = None;
        written.size = arrived.written.size;
        Ok((written, locations))
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

    /// Whether a submission tells of such material. Who it is from is looked at on the way.
    fn reads_child_abuse(&self, arrived: &mut Arrived) -> Result<bool, Error> {
        let mut opened = raw::open_written(&arrived.written)?;
        let source = Source::open(&mut *opened).map_err(|error| Error::Unavailable(error.to_string()))?;
        let prefix =
            Prefix::new(source.prefix(), &arrived.name, "", &self.hint(&arrived.name, &arrived.envelope.feed, arrived.received));
        let heard = self.heard(&prefix, &arrived.envelope, arrived.received);
        // Shadowserver reports no such material; its files are the largest, and need not be read twice.
        let chosen = parsers::read::choose(&prefix);
        if self.reading.format.is_none() && chosen.is_some_and(|format| format.name == "shadowserver") {
            arrived.heard = heard;
            return Ok(false);
        }
        arrived.heard = heard;
        let mut looking = Looking(false);
        self.read_arrived(arrived, &mut looking)?;
        Ok(looking.0)
    }

    fn read_arrived(&self, arrived: &Arrived, sink: &mut dyn Sink) -> Result<(), Error> {
        let mut opened = raw::open_written(&arrived.written)?;
        let hint = self.hint(&arrived.name, &arrived.envelope.feed, arrived.received);
        // A reader that crashes is dealt with when the submission is worked off; here it has found nothing.
        let mut opened = self.until_stop(&mut *opened);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parsers::read::read(&mut opened, &hint, sink)));
        match result {
            // Half a submission may have been looked at, whatever the reader made of that.
            _ if self.is_stopping() => Err(Error::Unavailable("the program was asked to stop".to_owned())),
            Ok(Err(Stop::Io(error))) => Err(Error::Unavailable(error.to_string())),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Whether these bytes tell of child abuse material: as a report, or in words.
    pub(crate) fn tells_of_child_abuse(&self, bytes: &[u8], name: &str) -> bool {
        if speaks_of_child_abuse(&String::from_utf8_lossy(bytes)) {
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

/// Whether the text of something unreadable speaks of such material. A wrong yes costs a person a look at the mailbox
/// it came from; a wrong no keeps what may not be kept.
pub fn speaks_of_child_abuse(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["csam", "csem", "child abuse", "child-abuse", "child sexual", "childporn", "child porn", "kinderporno"];
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Looks whether anything tells of child abuse material.
struct Looking(bool);

impl Sink for Looking {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.0 |= batch.cores().iter().any(|core| core.kind.is_child_abuse());
        if self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn reject(&mut self, reject: Reject) {
        self.0 |= speaks_of_child_abuse(&reject.text) || speaks_of_child_abuse(&reject.reason);
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
