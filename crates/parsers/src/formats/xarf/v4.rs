//! A report of XARF version 4, from its JSON to the fields of a batch.

use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Batch, Core, Place, Word};
use model::time::Time;

use super::check::{self, Named, Plan};
use super::fields::{Filler, LastOfEach};
use super::json::{self, At};
use super::shape::shown;
use super::{Read, Reader, text};

/// Reads the document that has been scanned into the open report of `batch`.
pub(super) fn read(reader: &mut Reader, batch: &mut Batch, text: &str, ordinal: u32, remarks: &mut Vec<String>) -> Read {
    let Reader { document, words, members, violations } = reader;
    let document = &*document;
    if document.kind(0) != json::Kind::Object {
        return Err("it is not a report: a report is a JSON object".to_owned());
    }
    let named = Named::of(document, text);
    let draft = draft_kind(&named);
    let Some(kind) = named.lenient().or(draft) else { return Err(unknown_kind(&named)) };
    let plan = Plan::of(Some(kind));
    violations.clear();
    check::check(document, text, plan, named.exact(), members, violations);
    let mut filler = Filler::new(document, text, batch, words, Core::new(kind, ordinal));
    if draft.is_some() {
        let was = format!("{}/{}", named.category, named.type_name);
        filler.remarks.push(format!("'{}' is a type of a draft of XARF 4; it is read as {kind}", shown(&was)));
        if let Some(word) = filler.words.property(filler.batch, "", "draft_type") {
            filler.batch.text(word, was);
        }
    }
    source(&mut filler, members.known_at(plan, "source_identifier"), members.known_at(plan, "url"))?;
    let last = LastOfEach::new(
        document,
        text,
        members.order.iter().filter(|(.., place)| place.is_none()).map(|(name, value, _)| (*name, *value)),
    );
    for &(name, value, place) in &members.order {
        let name = document.text(text, name).unwrap_or_default();
        let counts = match place {
            Some(place) => members.known.get(place) == Some(&value),
            None => last.is(&name, value),
        };
        if counts {
            member(&mut filler, &name, value, place, named.current);
        }
    }
    filler.finish();
    let core = filler.core;
    remarks.append(&mut filler.remarks);
    reader.remark_violations(remarks);
    Ok(core)
}

/// Types that drafts of version 4 had and 4.2 has under another name; senders still write them.
const DRAFT_TYPES: &[(&str, &str, Kind)] = &[
    ("connection", "ddos_amplification", Kind::Ddos),
    ("connection", "bot", Kind::InfectedHost),
    ("content", "defacement", Kind::RemoteCompromise),
    ("content", "web_hack", Kind::RemoteCompromise),
    ("copyright", "dmca", Kind::Copyright),
    ("copyright", "trademark", Kind::BrandInfringement),
    ("infrastructure", "bot", Kind::Botnet),
    ("infrastructure", "compromised_website", Kind::CompromisedServer),
    ("infrastructure", "compromised_microsoft_exchange", Kind::CompromisedServer),
    ("infrastructure", "cve", Kind::Cve),
    ("vulnerability", "outdated_dnssec", Kind::Misconfiguration),
    ("vulnerability", "ssl_freak", Kind::Misconfiguration),
    ("vulnerability", "ssl_poodle", Kind::Misconfiguration),
    ("vulnerability", "open", Kind::OpenService),
];

fn draft_kind(named: &Named<'_>) -> Option<Kind> {
    let found = DRAFT_TYPES.iter().find(|(category, name, _)| *category == named.category && *name == named.type_name);
    found.map(|(.., kind)| *kind)
}

fn unknown_kind(named: &Named<'_>) -> String {
    if named.category.is_empty() || named.type_name.is_empty() {
        return "it does not say what it is about: 'category' or 'type' is missing".to_owned();
    }
    let (category, type_name) = (shown(&named.category), shown(&named.type_name));
    let mut known: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| kind.category().eq_ignore_ascii_case(&named.category))
        .map(|kind| kind.type_name())
        .collect();
    if !known.is_empty() {
        return format!("XARF's category '{category}' has no type '{type_name}'; it has {}", known.join(", "));
    }
    known = Kind::ALL.iter().map(|kind| kind.category()).collect();
    known.dedup();
    format!("XARF has no category '{category}'; it has {}", known.join(", "))
}

/// The source; a report about content may do with the URL alone.
fn source(filler: &mut Filler<'_>, identifier: Option<At>, url: Option<At>) -> Result<(), String> {
    let Some(at) = identifier else {
        return if filler.is_url(url) { Ok(()) } else { Err("it names no source: 'source_identifier' is missing".to_owned()) };
    };
    let text = filler.document.text(filler.text, at);
    if text.as_ref().is_some_and(|text| filler.source(text)) {
        return Ok(());
    }
    let shown = filler.shown(at);
    if filler.is_url(url) {
        filler.put(Word::SOURCE_IDENTIFIER, at);
        filler.remarks.push(format!("its source '{shown}' is no address or name; the URL stands for it"));
        return Ok(());
    }
    Err(format!("its source '{shown}' is not an address, a domain name or a URL"))
}

fn member(filler: &mut Filler<'_>, name: &str, at: At, place: Option<usize>, current: bool) {
    match name {
        // Said by the core and the writer, or kept by `source`; `_internal` must not leave the house it is from.
        "xarf_version" | "category" | "type" | "source_identifier" | "_internal" => {}
        "class" if !current => {}
        "report_id" => filler.put(Word::REPORT_ID, at),
        "evidence_source" => filler.put(Word::EVIDENCE_SOURCE, at),
        "description" => filler.put(Word::DESCRIPTION, at),
        "legacy_version" => filler.put(Word::LEGACY_VERSION, at),
        "timestamp" => timestamp(filler, at),
        "source_port" => {
            if !filler.port(at) {
                filler.property("", name, at);
            }
        }
        "reporter" => contact(filler, name, [Word::REPORTER_ORG, Word::REPORTER_CONTACT, Word::REPORTER_DOMAIN], at),
        "sender" => contact(filler, name, [Word::SENDER_ORG, Word::SENDER_CONTACT, Word::SENDER_DOMAIN], at),
        "confidence" => confidence(filler, at),
        "tags" => tags(filler, at),
        "evidence" => evidence(filler, at),
        _ => match place {
            Some(place) => filler.planned(place, name, at),
            None => filler.property("", name, at),
        },
    }
}

fn timestamp(filler: &mut Filler<'_>, at: At) {
    let text = filler.document.text(filler.text, at).unwrap_or_default();
    let time = Time::parse(text.as_bytes());
    filler.core.set_observed(time);
    if filler.core.observed().is_none() {
        let shown = filler.shown(at);
        filler.remarks.push(format!("its time '{shown}' cannot be read; it is kept undated"));
        return filler.property("", "timestamp", at);
    }
    // The usual spelling is the one we write; another that is as good is kept, as is a finer fraction of a second.
    let usual = text.len() == 20 && text.ends_with('Z') && text.get(10..11) == Some("T") && text.get(17..19) != Some("60");
    if !usual && text::is_date_time(&text) && time.is_some_and(|time| time.to_string() != text) {
        filler.property("", "timestamp", at);
    }
}

fn contact(filler: &mut Filler<'_>, object: &str, words: [Word; 3], at: At) {
    if !filler.is_object(at) {
        return filler.property("", object, at);
    }
    for (name, value) in filler.members(at) {
        match ["org", "contact", "domain"].iter().zip(words).find(|(known, _)| **known == name) {
            Some((_, word)) => filler.put(word, value),
            None => filler.property(object, &name, value),
        }
    }
}

fn confidence(filler: &mut Filler<'_>, at: At) {
    let number = filler.document.number_value(filler.text, at).filter(|number| (0.0..=1.0).contains(number));
    let percent = number.map(|number| (number * 100.0).round());
    if let Some(percent) = percent {
        filler.core.confidence = percent as u8;
    }
    // A finer figure than percents, or one that is none, is kept as written.
    if percent.map(|percent| percent / 100.0) != number || number.is_none() {
        filler.property("", "confidence", at);
    }
}

fn tags(filler: &mut Filler<'_>, at: At) {
    let mut items = filler.document.items(at).peekable();
    if items.peek().is_none() {
        return filler.property("", "tags", at);
    }
    for item in items {
        let Some(tag) = filler.document.text(filler.text, item) else {
            filler.put(Word::TAG, item);
            continue;
        };
        filler.batch.text(Word::TAG, &*tag);
        let starts = |with: &str| tag.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(with));
        if starts("tlp:")
            && let Some(tlp) = Tlp::parse(&tag)
        {
            filler.core.tlp = filler.core.tlp.max(tlp);
        }
        if starts("pap:")
            && let Some(pap) = Pap::parse(&tag)
        {
            filler.core.pap = filler.core.pap.max(pap);
        }
    }
}

fn evidence(filler: &mut Filler<'_>, at: At) {
    let abuse = filler.core.kind.is_child_abuse();
    let mut items = filler.document.items(at).peekable();
    if items.peek().is_none() {
        if filler.is_empty_list(at) || !abuse {
            return filler.property("", "evidence", at);
        }
        // Evidence in no shape we know may hold anything.
        filler.withheld += 1;
        return;
    }
    for item in items {
        if !filler.is_object(item) {
            if abuse {
                filler.withheld += 1;
            } else {
                let word = filler.words.other(filler.batch, "evidence", Place::Extra);
                filler.put(word, item);
            }
            continue;
        }
        filler.evidence(filler.document.member(filler.text, item, "content_type"));
        for (name, value) in filler.members(item) {
            match &*name {
                "content_type" => {}
                "payload" if abuse => filler.withheld += 1,
                "payload" => filler.put(Word::EVIDENCE_PAYLOAD, value),
                "description" => filler.put(Word::EVIDENCE_DESCRIPTION, value),
                "hash" => filler.put(Word::EVIDENCE_HASH, value),
                "size" => filler.put(Word::EVIDENCE_SIZE, value),
                _ if abuse => filler.withheld += 1,
                _ => {
                    let word = filler.words.other(filler.batch, "evidence.other", Place::Extra);
                    let raw = filler.document.raw(filler.text, value);
                    let name = serde_json::to_string(&name).unwrap_or_default();
                    filler.batch.json(word, &format!("{{{name}:{raw}}}"));
                }
            }
        }
    }
}
