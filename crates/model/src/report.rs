//! Reports: statements about one resource, kept in batches so that ten million of them cost no allocation each.
//!
//! A report is a [`Core`] of 48 bytes, copied freely, and the values of its other fields in the arena of its
//! [`Batch`]. Fields are named by [`Word`]s: those of XARF v4, a few of ours, and the source's own columns. A batch
//! also holds what all its reports share (the reporter of a feed), so it is written once.

use crate::address::Address;
use crate::category::Kind;
use crate::label::{Pap, Tlp};
use crate::time::Time;

/// The part of a report that is copied around, compared and stored in columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Core {
    /// The address that is the source of the abuse; [`Address::NONE`] when only a name or URL is known.
    pub address: Address,
    /// When it was seen; `None` is kept as [`Time::MIN`], see [`Core::observed`].
    observed: Time,
    /// Where in the submission this stands, counting rows or parts from 0; rejects take numbers too, so a
    /// better parser finds the same statement under the same number.
    pub ordinal: u32,
    fields_start: u32,
    fields_count: u16,
    /// The port at the source, which tells customers behind one address apart; 0 when unknown.
    pub port: u16,
    /// The kind of abuse.
    pub kind: Kind,
    /// How sure the source is, in percent; [`Core::UNSTATED`] when it did not say.
    pub confidence: u8,
    /// Who may see it.
    pub tlp: Tlp,
    /// What may be done with it.
    pub pap: Pap,
}

impl Core {
    /// The value of [`Core::confidence`] when the source gave none.
    pub const UNSTATED: u8 = 255;

    /// A report of `kind` at place `ordinal`, with nothing else known.
    pub fn new(kind: Kind, ordinal: u32) -> Core {
        Core {
            address: Address::NONE,
            observed: Time::MIN,
            ordinal,
            fields_start: 0,
            fields_count: 0,
            port: 0,
            kind,
            confidence: Core::UNSTATED,
            tlp: Tlp::Unstated,
            pap: Pap::Unstated,
        }
    }

    /// When the abuse was seen, as the source states it. `None` when the source gives no time one can read.
    pub fn observed(&self) -> Option<Time> {
        (self.observed != Time::MIN).then_some(self.observed)
    }

    /// Sets when the abuse was seen.
    pub fn set_observed(&mut self, time: Option<Time>) {
        self.observed = time.unwrap_or(Time::MIN);
    }
}

/// Where a field belongs when a report is written as XARF v4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A property of the report, dots leading into objects: `url`, `reporter.org`.
    Property,
    /// An entry of `tags`; the word is the namespace, the value the predicate.
    Tag,
    /// A part of an item of `evidence`; [`Word::EVIDENCE_TYPE`] begins a new item.
    Evidence,
    /// A column that XARF has no word for: all of them together become one evidence item.
    Extra,
}

/// The name of a field: an index into [`Word::KNOWN`], or past it into the batch's own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub u16);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $text:literal $place:ident;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Number { $($name,)* }
        impl Word {
            $($(#[$doc])* pub const $name: Word = Word(Number::$name as u16);)*
            /// The words every batch knows, by number.
            pub const KNOWN: &'static [(&'static str, Place)] = &[$(($text, Place::$place),)*];
        }
    };
}

words! {
    /// The source's own identifier of the report.
    REPORT_ID = "report_id" Property;
    /// Organisation that owns the complaint.
    REPORTER_ORG = "reporter.org" Property;
    /// Its mail address.
    REPORTER_CONTACT = "reporter.contact" Property;
    /// Its domain name.
    REPORTER_DOMAIN = "reporter.domain" Property;
    /// Organisation that filed the report.
    SENDER_ORG = "sender.org" Property;
    /// Its mail address.
    SENDER_CONTACT = "sender.contact" Property;
    /// Its domain name.
    SENDER_DOMAIN = "sender.domain" Property;
    /// The source identifier as written, when it is not [`Core::address`].
    SOURCE_IDENTIFIER = "source_identifier" Property;
    /// How the evidence was obtained.
    EVIDENCE_SOURCE = "evidence_source" Property;
    /// A sentence for people.
    DESCRIPTION = "description" Property;
    /// `3` when the report was converted from XARF v3.
    LEGACY_VERSION = "legacy_version" Property;
    /// The location of content.
    URL = "url" Property;
    /// The domain name of content.
    DOMAIN = "domain" Property;
    /// Transport or application protocol, as the type requires.
    PROTOCOL = "protocol" Property;
    /// The address that was attacked or contacted.
    DESTINATION_IP = "destination_ip" Property;
    /// Its port.
    DESTINATION_PORT = "destination_port" Property;
    /// When it began.
    FIRST_SEEN = "first_seen" Property;
    /// When it ended or was last seen.
    LAST_SEEN = "last_seen" Property;
    /// The service that is open, vulnerable or misconfigured.
    SERVICE = "service" Property;
    /// The port of that service.
    SERVICE_PORT = "service_port" Property;
    /// CVE number.
    CVE_ID = "cve_id" Property;
    /// Name of the malware.
    MALWARE_FAMILY = "malware_family" Property;
    /// Name of the bot.
    BOT_NAME = "bot_name" Property;
    /// Subject of a message.
    SUBJECT = "subject" Property;
    /// Envelope sender of a message.
    SMTP_FROM = "smtp_from" Property;
    /// Envelope recipient of a message.
    SMTP_TO = "smtp_to" Property;
    /// Message-ID of a message.
    MESSAGE_ID = "message_id" Property;
    /// User agent of a client.
    USER_AGENT = "user_agent" Property;
    /// Reverse DNS name of the source address.
    REVERSE_DNS = "source_reverse_dns" Property;
    /// Number of the autonomous system that announces the source address.
    ASN = "source_asn" Property;
    /// Country of the source address, ISO 3166-1 alpha-2.
    COUNTRY = "source_country" Property;
    /// Transport protocol, `tcp` or `udp`, where [`Word::PROTOCOL`] holds the application.
    TRANSPORT = "transport" Property;
    /// Name of the report type at its source (`scan_rsync`), the key to its column map.
    FEED = "feed" Property;
    /// Classification of the Reference Security Incident Taxonomy, `malicious-code/infected-system`.
    RSIT = "rsit" Property;
    /// The finer word under it that the field uses (`open-rsync`).
    RSIT_IDENTIFIER = "rsit_identifier" Property;
    /// Number of incidents that one report stands for (RFC 5965 `Incidents`).
    INCIDENTS = "incidents" Property;
    /// Panel account named by the source, `panel/account`.
    ACCOUNT = "account" Property;
    /// A header of the offending mail by which the operator finds the account (`X-…: value`).
    MAIL_HINT = "mail_hint" Property;
    /// A tag, written `namespace:predicate`.
    TAG = "tags" Tag;
    /// Media type of an evidence item; begins a new item.
    EVIDENCE_TYPE = "evidence.content_type" Evidence;
    /// Description of the item.
    EVIDENCE_DESCRIPTION = "evidence.description" Evidence;
    /// `algorithm:hex` of the item.
    EVIDENCE_HASH = "evidence.hash" Evidence;
    /// Size of the item in bytes.
    EVIDENCE_SIZE = "evidence.size" Evidence;
    /// The item itself.
    EVIDENCE_PAYLOAD = "evidence.payload" Evidence;
}

/// What the bytes of a value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// UTF-8 text.
    Text,
    /// One JSON value, as written: a number, `true`, an array, an object.
    Json,
    /// Bytes of any kind; base64 when written as JSON.
    Bytes,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    word: Word,
    shape: Shape,
    start: u32,
    length: u32,
}

/// A value of a report, in its batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value<'a> {
    /// What the bytes are.
    pub shape: Shape,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// The text, when it is text (or JSON, as written); `""` for bytes that are not UTF-8.
    pub fn text(&self) -> &'a str {
        std::str::from_utf8(self.bytes).unwrap_or_default()
    }
}

/// Reports that were read together, with one arena for the values of their fields.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    cores: Vec<Core>,
    fields: Vec<Field>,
    shared: Vec<Field>,
    /// How many of `shared`, from the first, are fall-backs.
    fall_backs: usize,
    arena: Vec<u8>,
    names: Vec<(Box<str>, Place)>,
    /// Name of the format that read these reports.
    pub format: &'static str,
    /// Where the report that is being written began, in `fields`.
    open: usize,
    open_arena: usize,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Number of finished reports.
    pub fn len(&self) -> usize {
        self.cores.len()
    }

    /// Whether there are no finished reports.
    pub fn is_empty(&self) -> bool {
        self.cores.is_empty()
    }

    /// Bytes held, about: what a flush limit is compared with.
    pub fn weight(&self) -> usize {
        self.arena.len() + self.fields.len() * size_of::<Field>() + self.cores.len() * size_of::<Core>()
    }

    /// The word of a name: a known one, or one that this batch learns. At most 60,000 names are learnt; further
    /// ones share the name `other`.
    pub fn word(&mut self, name: &str, place: Place) -> Word {
        if let Some(known) = Word::KNOWN.iter().position(|(text, at)| *text == name && *at == place) {
            return Word(known as u16);
        }
        let known = Word::KNOWN.len();
        let at = match self.names.iter().position(|(text, at)| &**text == name && *at == place) {
            Some(at) => at,
            None if self.names.len() < 60_000 => {
                self.names.push((name.into(), place));
                self.names.len() - 1
            }
            // Past every name: `name` answers "other" for it.
            None => return Word(u16::MAX),
        };
        Word((known + at) as u16)
    }

    /// Name and place of a word of this batch.
    pub fn name(&self, word: Word) -> (&str, Place) {
        let at = usize::from(word.0);
        match Word::KNOWN.get(at) {
            Some((text, place)) => (text, *place),
            None => self.names.get(at - Word::KNOWN.len()).map_or(("other", Place::Extra), |(text, place)| (text, *place)),
        }
    }

    // Inlined, so that the field goes to its place in registers: rows have dozens of them.
    #[inline]
    fn put(&mut self, bytes: &[u8], word: Word, shape: Shape) -> Field {
        let start = self.arena.len();
        // Most values are ASCII, which is quickly seen.
        if shape == Shape::Bytes || bytes.is_ascii() {
            self.arena.extend_from_slice(bytes);
        } else {
            self.put_text(bytes);
        }
        Field { word, shape, start: start as u32, length: (self.arena.len() - start) as u32 }
    }

    // Feeds promise UTF-8 and some send Latin-1: keep the report, mark the bytes that are not text.
    fn put_text(&mut self, bytes: &[u8]) {
        self.arena.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
    }

    /// Adds a field that all reports of this batch have, unless a report says otherwise itself.
    pub fn share(&mut self, word: Word, value: &str) {
        self.drop_fall_back(word);
        let field = self.put(value.as_bytes(), word, Shape::Text);
        self.shared.push(field);
        self.open_arena = self.arena.len();
    }

    /// Adds a shared field as [`Batch::share`] does, which gives way to a later `share` or `fall_back` of the same word:
    /// what a container (the mail around a feed) says as long as what is inside does not say it better.
    pub fn fall_back(&mut self, word: Word, value: &str) {
        self.drop_fall_back(word);
        let field = self.put(value.as_bytes(), word, Shape::Text);
        self.shared.insert(self.fall_backs, field);
        self.fall_backs += 1;
        self.open_arena = self.arena.len();
    }

    fn drop_fall_back(&mut self, word: Word) {
        if let Some(at) = self.shared.iter().take(self.fall_backs).position(|field| field.word == word) {
            self.shared.remove(at);
            self.fall_backs -= 1;
        }
    }

    /// Adds a text field to the report that [`Batch::finish`] will close. Text that is not UTF-8 is mended.
    #[inline]
    pub fn text(&mut self, word: Word, value: impl AsRef<[u8]>) {
        let field = self.put(value.as_ref(), word, Shape::Text);
        self.fields.push(field);
    }

    /// Adds a JSON value, as written, to the open report. The caller has checked that it is one JSON value.
    pub fn json(&mut self, word: Word, value: &str) {
        let field = self.put(value.as_bytes(), word, Shape::Json);
        self.fields.push(field);
    }

    /// Adds bytes to the open report.
    pub fn bytes(&mut self, word: Word, value: &[u8]) {
        let field = self.put(value, word, Shape::Bytes);
        self.fields.push(field);
    }

    /// Closes the open report: its fields are those added since the last `finish` or [`Batch::cancel`].
    ///
    /// Fields beyond 65,535 are dropped: no format comes near, and a hostile one gains nothing.
    pub fn finish(&mut self, mut core: Core) {
        let count = (self.fields.len() - self.open).min(usize::from(u16::MAX));
        self.fields.truncate(self.open + count);
        core.fields_start = self.open as u32;
        core.fields_count = count as u16;
        self.open = self.fields.len();
        self.open_arena = self.arena.len();
        self.cores.push(core);
    }

    /// Forgets the fields added to the open report.
    pub fn cancel(&mut self) {
        self.fields.truncate(self.open);
        self.arena.truncate(self.open_arena);
    }

    /// Empties the batch of its reports; names and what is shared stay, so the next rows of the same file reuse them.
    pub fn clear_reports(&mut self) {
        let shared: usize = self.shared.iter().map(|field| (field.start + field.length) as usize).max().unwrap_or(0);
        self.cores.clear();
        self.fields.clear();
        self.arena.truncate(shared);
        self.open = 0;
        self.open_arena = self.arena.len();
    }

    /// An empty batch with the same names and the same shared fields: what the next reports of the same file go into
    /// when this batch is handed on.
    pub fn successor(&self) -> Batch {
        let mut next = Batch { format: self.format, names: self.names.clone(), ..Batch::default() };
        for (at, field) in self.shared.iter().enumerate() {
            let (word, value) = self.value(field);
            if at < self.fall_backs { next.fall_back(word, value.text()) } else { next.share(word, value.text()) }
        }
        next
    }

    /// The cores, in order.
    pub fn cores(&self) -> &[Core] {
        &self.cores
    }

    /// The cores, to correct them; which fields belong to a core cannot be changed.
    pub fn cores_mut(&mut self) -> &mut [Core] {
        &mut self.cores
    }

    /// Drops reports for which `keep` says no; the others keep their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&Core) -> bool) {
        self.cores.retain(|core| keep(core));
    }

    /// The report at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Batch::len`].
    pub fn report(&self, index: usize) -> Report<'_> {
        Report { batch: self, core: &self.cores[index] }
    }

    /// All reports.
    pub fn reports(&self) -> impl Iterator<Item = Report<'_>> {
        self.cores.iter().map(|core| Report { batch: self, core })
    }

    /// The fields all reports share.
    pub fn shared(&self) -> impl Iterator<Item = (Word, Value<'_>)> {
        self.shared.iter().map(|field| self.value(field))
    }

    fn value(&self, field: &Field) -> (Word, Value<'_>) {
        let bytes = &self.arena[field.start as usize..(field.start + field.length) as usize];
        (field.word, Value { shape: field.shape, bytes })
    }
}

/// One report of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    batch: &'a Batch,
    /// The part that is stored in columns.
    pub core: &'a Core,
}

impl<'a> Report<'a> {
    /// The fields of this report alone, in the order they were read.
    pub fn own_fields(&self) -> impl Iterator<Item = (Word, Value<'a>)> + use<'a> {
        let (batch, start) = (self.batch, self.core.fields_start as usize);
        batch.fields[start..start + usize::from(self.core.fields_count)].iter().map(|field| batch.value(field))
    }

    /// The fields of this report and those its batch shares; a shared one is left out when the report has its own.
    pub fn fields(&self) -> impl Iterator<Item = (Word, Value<'a>)> + use<'a> {
        let (batch, own) = (self.batch, *self);
        let shared = batch.shared().filter(move |(word, _)| !own.own_fields().any(|(other, _)| other == *word));
        self.own_fields().chain(shared)
    }

    /// The first value of a word.
    pub fn get(&self, word: Word) -> Option<Value<'a>> {
        self.fields().find(|(name, _)| *name == word).map(|(_, value)| value)
    }

    /// The first value of a word, as text.
    pub fn text(&self, word: Word) -> Option<&'a str> {
        self.get(word).map(|value| value.text())
    }

    /// Name and place of a word of this report's batch.
    pub fn name(&self, word: Word) -> (&'a str, Place) {
        self.batch.name(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_small() {
        assert!(size_of::<Core>() <= 64, "{}", size_of::<Core>());
    }

    #[test]
    fn fields_stay_with_their_report() {
        let mut batch = Batch::new();
        batch.share(Word::REPORTER_ORG, "Example Watch");
        let colour = batch.word("colour", Place::Extra);
        batch.text(colour, "red");
        batch.text(Word::URL, b"http://a.example/\xff");
        batch.finish(Core::new(Kind::Phishing, 0));
        batch.text(colour, "lost");
        batch.cancel();
        batch.text(Word::REPORTER_ORG, "Other");
        batch.json(Word::DESTINATION_PORT, "80");
        batch.finish(Core::new(Kind::Ddos, 2));
        let reports: Vec<_> = batch.reports().collect();
        assert_eq!(reports[0].text(Word::REPORTER_ORG), Some("Example Watch"));
        assert_eq!(reports[0].text(Word::URL), Some("http://a.example/\u{fffd}"));
        assert_eq!(reports[1].text(Word::REPORTER_ORG), Some("Other"));
        assert_eq!(reports[1].fields().count(), 2);
        assert_eq!(reports[0].name(colour), ("colour", Place::Extra));
        batch.clear_reports();
        assert!(batch.is_empty());
        assert_eq!(batch.word("colour", Place::Extra), colour);
        batch.finish(Core::new(Kind::Ddos, 3));
        assert_eq!(batch.report(0).text(Word::REPORTER_ORG), Some("Example Watch"));
    }

    #[test]
    fn a_fall_back_gives_way() {
        let mut batch = Batch::new();
        batch.fall_back(Word::SENDER_DOMAIN, "outer.example");
        batch.fall_back(Word::SENDER_ORG, "Outer");
        batch.fall_back(Word::SENDER_DOMAIN, "inner.example");
        batch.share(Word::SENDER_ORG, "Feed");
        batch.share(Word::TAG, "a:b");
        batch.share(Word::TAG, "a:c");
        let mut next = batch.successor();
        next.finish(Core::new(Kind::Spam, 0));
        let texts: Vec<_> = next.report(0).fields().map(|(_, value)| value.text()).collect();
        assert_eq!(texts, ["inner.example", "Feed", "a:b", "a:c"]);
    }
}
