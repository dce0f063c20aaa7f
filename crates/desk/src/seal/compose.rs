//! What stands in a record: from a step, a report and a chain to the fields of `docs/seal.md` 2. Pure.

use model::address::Address;
use model::category::{Kind, Scope};
use model::label::Tlp;
use model::report::{Core, Report, Shape, Word};
use model::severity::Severity;
use model::step::{Step, What};
use model::time::Time;
use seal::record::{Hash, OPENED, Record, STEP, Value, is_clean};
use store::sealed::{KeptBatch, Line, Whose};

/// Letters of an identifier that a reporter gave, at the most.
const REFERENCE: usize = 100;
/// Letters of a resource or a name, at the most.
const LINE: usize = 4_000;
/// Bytes of a value that is no text, at the most.
const BYTES: usize = 30_000;

/// Whose a case was when something happened to it.
pub(super) struct Moment<'a> {
    /// The kind of abuse.
    pub(super) kind: Kind,
    /// The party that was responsible.
    pub(super) whose: Option<&'a Whose>,
    /// How bad it was said to be.
    pub(super) severity: Option<Severity>,
}

/// What a case rests on, for its first record and for each that stands on another chain.
pub(super) struct Ground<'a> {
    /// Earliest sighting.
    pub(super) first_seen: Time,
    /// The links of the chain.
    pub(super) chain: &'a [Line],
    /// The first report of the case; `None` when it was erased.
    pub(super) report: Option<Report<'a>>,
    /// SHA-256 of the submission that it came in.
    pub(super) submission: Option<Hash>,
    /// The record of its batch and its place there, when it is sealed in one.
    pub(super) batch: Option<(Hash, u32)>,
}

/// Whether a step says that a letter goes to the party, or is to.
pub(super) fn is_letter(what: What) -> bool {
    matches!(what, What::Told | What::Reminded | What::Warned | What::Proposed)
}

/// The record of a step, without its place in the stream.
pub(super) fn step(step: &Step, moment: &Moment<'_>, ground: Option<&Ground<'_>>) -> Record {
    let mut record = Record::new(if ground.is_some() { &OPENED } else { &STEP });
    record.set("event", Value::text(step.what.word()));
    record.set("occurred_at", Value::Time(step.at.0));
    record.set("actor", Value::text(&step.person));
    record.set("rule", Value::text(&step.rule));
    record.set("due", step.due.map_or(Value::Absent, |due| Value::Time(due.0)));
    if let Some(whose) = moment.whose {
        record.set("party", Value::Bytes(whose.public.0.to_be_bytes().to_vec()));
        record.set("party_name", Value::text(&cut(&whose.name, LINE)));
    }
    record.set("severity", moment.severity.map_or(Value::Absent, |severity| Value::text(severity.word())));
    let mut text = step.text.clone();
    if moment.kind.is_child_abuse() {
        // What people write may name what is nowhere to be found again: of such a case only our own sentences are sealed.
        if !step.person.is_empty() || text.contains("://") {
            text.clear();
        }
        if let Some(reference) = ground.and_then(|ground| reference(ground.report.as_ref()?.text(Word::REPORT_ID))) {
            text = [text, format!("reference {reference}")]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
        }
    }
    record.set("text", Value::text(&text));
    if let Some(ground) = ground {
        opened(&mut record, moment.kind, step.at, ground);
    }
    record
}

fn opened(record: &mut Record, kind: Kind, at: Time, ground: &Ground<'_>) {
    record.set("category", Value::text(&kind.to_string()));
    record.set("first_seen", Value::Time(ground.first_seen.0));
    if let Some(report) = &ground.report {
        record.set("resource", Value::text(&resource(report.core, &|word| report.text(word))));
        record.set("reporter", Value::text(&reporter(&|word| report.text(word))));
        record.set("completeness", Value::list(completeness(report)));
    }
    record.set("submission", ground.submission.map_or(Value::Absent, Value::Digest));
    if let Some((batch, place)) = ground.batch {
        record.set("batch", Value::Digest(batch));
        record.set("batch_index", Value::Number(place.into()));
    }
    let lines: Vec<String> = ground.chain.iter().map(line).collect();
    record.set("chain", Value::list(lines.iter().map(String::as_str)));
    if let Some(last) = ground.chain.last() {
        record.set("attribution", Value::text(attribution(last)));
        record.set("attribution_source", Value::text(&last.source));
        // An import after that moment says nothing of how old the source was then; when the link was recorded does.
        let checked = if last.checked <= at { last.checked } else { last.recorded };
        record.set("attribution_checked", Value::Time(checked.0));
    }
}

/// The field of a report by its name.
pub(super) fn name(word: Word) -> &'static str {
    Word::KNOWN.get(usize::from(word.0)).map_or("", |(name, _)| name)
}

/// What a report is about, as it may be sealed: nothing for child abuse material, whose location is kept nowhere in clear and
/// whose records hold reference numbers only (XARF 4.2; art. 252 Sr).
pub(super) fn resource<'a>(core: &Core, text: &dyn Fn(Word) -> Option<&'a str>) -> String {
    if core.kind.is_child_abuse() {
        return String::new();
    }
    let of_site = || [Word::URL, Word::DOMAIN, Word::ACCOUNT].into_iter().find_map(text).map(|text| cut(text, LINE));
    let of_host = || {
        let address = (core.address != Address::NONE).then(|| core.address.to_string())?;
        Some(match (core.port, address.contains(':')) {
            (0, _) => address,
            (port, true) => format!("[{address}]:{port}"),
            (port, false) => format!("{address}:{port}"),
        })
    };
    let found = if core.kind.scope() == Scope::Site { of_site().or_else(of_host) } else { of_host().or_else(of_site) };
    found.or_else(|| text(Word::SOURCE_IDENTIFIER).map(|text| cut(text, LINE))).unwrap_or_default()
}

/// Who reported it, with the address when there is one.
pub(super) fn reporter<'a>(text: &dyn Fn(Word) -> Option<&'a str>) -> String {
    let org = text(Word::REPORTER_ORG).unwrap_or_default();
    let contact = text(Word::REPORTER_CONTACT).unwrap_or_default();
    let reporter = match (org.is_empty() || org == contact, contact.is_empty()) {
        (true, _) => contact.to_owned(),
        (false, true) => org.to_owned(),
        (false, false) => format!("{org} <{contact}>"),
    };
    cut(&reporter, LINE)
}

/// A report of a batch as the four values that are sealed of it. Of child abuse material the rest is the reporter and the
/// reporter's number.
pub(super) fn report<'a>(core: &Core, fields: &[(&'a str, Shape, &'a [u8])]) -> [Value; 4] {
    let text = |word: Word| {
        let wanted = name(word);
        let (_, _, bytes) = fields.iter().find(|(name, shape, _)| *name == wanted && *shape == Shape::Text)?;
        std::str::from_utf8(bytes).ok()
    };
    let is_hidden = core.kind.is_child_abuse();
    let mut rest: Vec<String> = Vec::with_capacity(fields.len() + 4);
    if core.address != Address::NONE && !is_hidden {
        rest.push(format!("address: {}", core.address));
        if core.port != 0 {
            rest.push(format!("port: {}", core.port));
        }
    }
    if core.confidence != Core::UNSTATED {
        rest.push(format!("confidence: {}", core.confidence));
    }
    if core.tlp != Tlp::Unstated {
        rest.push(format!("tlp: {}", core.tlp.word()));
    }
    if is_hidden {
        rest.push(format!("reporter: {}", reporter(&text)));
        rest.extend(reference(text(Word::REPORT_ID)).map(|reference| format!("report_id: {reference}")));
    } else {
        for (name, shape, bytes) in fields {
            let mut item = String::with_capacity(name.len() + bytes.len() + 2);
            item.push_str(name);
            item.push_str(": ");
            match shape {
                Shape::Text | Shape::Json => match std::str::from_utf8(bytes) {
                    Ok(text) => item.push_str(text),
                    Err(_) => item.push_str(&String::from_utf8_lossy(bytes)),
                },
                Shape::Bytes => bytes.iter().take(BYTES).for_each(|byte| item.push_str(&format!("{byte:02x}"))),
            }
            rest.push(item);
        }
    }
    [
        Value::text(&resource(core, &text)),
        core.observed().map_or(Value::Absent, |time| Value::Time(time.0)),
        Value::text(&core.kind.to_string()),
        list(rest),
    ]
}

/// Texts as they may be sealed; without a copy when they are that already, as they mostly are.
fn list(items: Vec<String>) -> Value {
    let most = usize::from(u16::MAX);
    if !items.is_empty() && items.len() <= most && items.iter().all(|item| item.len() <= most && is_clean(item)) {
        return Value::List(items);
    }
    Value::list(items.iter().map(String::as_str))
}

/// The number that a reporter gave the report, when it is one and no location.
fn reference(given: Option<&str>) -> Option<&str> {
    let reference = given?;
    let is_number = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '#');
    (!reference.is_empty() && reference.len() <= REFERENCE && reference.chars().all(is_number)).then_some(reference)
}

/// Which of the things that DSA article 16(2) asks of a notice this one has. No format states good faith in a field of its own.
fn completeness<'a>(report: &Report<'a>) -> Vec<&'a str> {
    let has = |word: Word| report.text(word).is_some_and(|text| !text.is_empty());
    let core = report.core;
    let is_located = has(Word::URL) || (core.kind.scope() != Scope::Site && core.address != Address::NONE);
    [
        (has(Word::DESCRIPTION) || has(Word::EVIDENCE_TYPE), "explanation"),
        (is_located, "location"),
        (has(Word::REPORTER_ORG) && has(Word::REPORTER_CONTACT), "notifier"),
    ]
    .into_iter()
    .filter_map(|(has, word)| has.then_some(word))
    .collect()
}

fn line(link: &Line) -> String {
    let mut line = format!("{}: {} ({})", link.level.word(), cut(&link.name, LINE), link.party);
    if !link.source.is_empty() {
        line.push_str(&format!(", by {}", cut(&link.source, LINE)));
    }
    line.push_str(&format!(", recorded {}", link.recorded));
    if let Some(since) = link.since {
        line.push_str(&format!(", since {since}"));
    }
    line
}

/// What the last link rests on, in one of the words of `docs/seal.md` 2.3, by the kind of its source.
fn attribution(link: &Line) -> &'static str {
    match link.kind.as_str() {
        "" => "unknown",
        "rpsl" => "address registry",
        "reseller" => "statement of a reseller",
        _ => "own contract record",
    }
}

/// The record of a batch of reports, without its place in the stream.
pub(super) fn batch(kept: &KeptBatch, root: Hash, count: u64, submission: Option<Hash>, reporter: &str) -> Record {
    let mut record = Record::new(&seal::record::BATCH);
    record.set("event", Value::text("received"));
    record.set("occurred_at", Value::Time(kept.received.0));
    record.set("root", Value::Digest(root));
    record.set("count", Value::Number(count));
    record.set("submission", submission.map_or(Value::Absent, Value::Digest));
    record.set("format", Value::text(&kept.format));
    record.set("received", Value::Time(kept.received.0));
    record.set("reporter", Value::text(reporter));
    record
}

/// The first letters of a text.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
