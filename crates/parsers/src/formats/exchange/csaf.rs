//! Advisories about weak points: the Common Security Advisory Framework 2.0 (OASIS standard, 18 November 2022).
//!
//! A document becomes one [`Advisory`] for each of its vulnerabilities, or one without a CVE number when it names none.
//! What is not needed to tell a customer what to do is not read; what breaks the standard's own tests is read all the
//! same when it has a publisher and an identifier.

mod document;

use memchr::memmem;
use model::advisory::{Advisory, Cve};
use model::label::Tlp;
use model::time::Time;
use serde::Deserialize;

use self::document::{Document, Products, Reference, Score, Tree, Vulnerability};
use crate::formats::{Fit, Format, Proven};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Advisories in CSAF 2.0.
pub const FORMAT: Format = Format {
    name: "csaf",
    title: "Security advisories (CSAF 2.0, OASIS)",
    senders: &[],
    fields: &[
        ("document/tracking/id", "advisory"),
        ("document/publisher/name", "publisher"),
        ("document/distribution/tlp/label", "tlp"),
        ("vulnerabilities/cve", "cve"),
        ("vulnerabilities/scores", "score"),
        ("vulnerabilities/product_status, product_tree", "products"),
        ("vulnerabilities/remediations", "remedy"),
        ("references", "reference"),
    ],
    proven: Proven::By("OASIS CSAF TC"),
    detect,
    parse,
};

/// Names of products that one advisory keeps.
const PRODUCTS: usize = 50;
/// Bytes of a remedy that are kept.
const REMEDY: usize = 2_000;
/// Bytes of any other text that are kept.
const TEXT: usize = 500;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix.bytes).trim_ascii_start();
    if start.first() != Some(&b'{') {
        return Fit::No;
    }
    let has = |text: &str| memmem::find(start, text.as_bytes()).is_some();
    let document = has("\"csaf_version\"") && has("\"document\"");
    let directory = has("\"aggregator_version\"") && has("\"aggregator\"")
        || has("\"metadata_version\"") && has("\"canonical_url\"") && has("\"publisher\"");
    if document || directory { Fit::Certain } else { Fit::No }
}

/// Either a document or one of the files by which documents are found (CSAF 2.0 section 7).
#[derive(Deserialize)]
struct Any {
    document: Option<Document>,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
    aggregator_version: Option<serde::de::IgnoredAny>,
    metadata_version: Option<serde::de::IgnoredAny>,
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limit = reading.hint.limits.whole;
    let Some(bytes) = source.read_whole(limit)? else {
        reading.unreadable(format!("the advisory is larger than {} MiB", limit >> 20));
        return Ok(());
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let any: Any = match serde_json::from_slice(bytes) {
        Ok(any) => any,
        Err(error) => {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, "", bytes, format!("this is no CSAF 2.0 document: {error}"));
            return Ok(());
        }
    };
    let Some(document) = any.document else {
        if any.aggregator_version.is_some() || any.metadata_version.is_some() {
            reading.aside("a directory of advisories (CSAF)");
            reading.note("", "it says where advisories are, and is none itself; fetch those as feeds of their own");
        } else {
            reading.unreadable("a JSON object without '/document', which every CSAF document has");
        }
        return Ok(());
    };
    if document.tracking.id.trim().is_empty() || document.publisher.name.trim().is_empty() {
        let ordinal = reading.ordinal();
        let reason = "an advisory needs '/document/tracking/id' and '/document/publisher/name': else nobody could find it again";
        reading.reject(ordinal, "", bytes, reason);
        return Ok(());
    }
    remarks(reading, &document);
    let base = Advisory {
        publisher: publisher(&document.publisher.name),
        id: clean(&document.tracking.id, TEXT),
        released: document.tracking.current_release_date.as_deref().and_then(|date| Time::parse(date.as_bytes())),
        title: clean(&document.title, TEXT),
        severity: clean(&document.aggregate_severity.text.to_lowercase(), TEXT),
        tlp: label(&document.distribution.tlp.label),
        reference: reference(&document.references).map(|url| clean(url, TEXT)).unwrap_or_default(),
        ..Advisory::default()
    };
    if base.released.is_none() {
        reading.note("", "no readable '/document/tracking/current_release_date': it counts as released when it came");
    }
    if any.vulnerabilities.is_empty() {
        return reading.advisory(base);
    }
    let products = Products::of(&any.product_tree);
    for vulnerability in &any.vulnerabilities {
        let advisory = one(&base, vulnerability, &products);
        reading.advisory(advisory)?;
    }
    Ok(())
}

/// Who published it. The catalogue's own name is the catalogue's: no document puts itself in its place.
fn publisher(name: &str) -> String {
    let name = clean(name, TEXT);
    if name.eq_ignore_ascii_case(super::kev::PUBLISHER) { "CISA".to_owned() } else { name }
}

/// What a reader should know of the document, and what costs nothing.
fn remarks(reading: &mut Reading<'_>, document: &Document) {
    if document.csaf_version != "2.0" {
        reading.note("", format!("CSAF {} is read as CSAF 2.0", clean(&document.csaf_version, 20)));
    }
    let wanted = file_name(&document.tracking.id);
    // Section 5.1 fixes the file name, so that nobody has to open a document to know which it is.
    if reading.name().ends_with(".json") && reading.name() != wanted {
        reading.note("", format!("its identifier asks for the file name '{}' (CSAF 2.0 section 5.1)", clean(&wanted, 200)));
    }
    if let Some(status) = document.tracking.status.as_deref().filter(|status| *status != "final") {
        reading.note("", format!("its status is '{}'", clean(status, 40)));
    }
}

/// The file name of a document (CSAF 2.0 section 5.1): its identifier in lower case, with one `_` for each run of what is
/// not a letter, a digit, `+` or `-`.
fn file_name(id: &str) -> String {
    let mut name = String::new();
    for letter in id.to_lowercase().chars() {
        let letter = if letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-') { letter } else { '_' };
        if letter != '_' || !name.ends_with('_') {
            name.push(letter);
        }
    }
    name.push_str(".json");
    name
}

fn one(base: &Advisory, vulnerability: &Vulnerability, products: &Products<'_>) -> Advisory {
    let status = &vulnerability.product_status;
    let affected: Vec<&str> =
        [&status.known_affected, &status.first_affected, &status.last_affected, &status.under_investigation]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
    let others = [&status.fixed, &status.first_fixed, &status.known_not_affected, &status.recommended];
    let mut names: Vec<String> = Vec::new();
    for id in affected.iter().take(PRODUCTS * 4) {
        let name = clean(products.name(id), TEXT);
        if names.len() < PRODUCTS && !names.contains(&name) {
            names.push(name);
        }
    }
    let score = vulnerability.scores.iter().filter_map(Score::best).max_by_key(|score| (score.version, score.tenths));
    let word = score.as_ref().map(|score| score.word.to_lowercase()).filter(|word| !word.is_empty());
    let own = reference(&vulnerability.references)
        .or_else(|| vulnerability.remediations.iter().find_map(|one| web(&one.url)))
        .map(|url| clean(url, TEXT));
    Advisory {
        cve: vulnerability.cve.as_deref().and_then(Cve::parse),
        title: Some(clean(&vulnerability.title, TEXT)).filter(|title| !title.is_empty()).unwrap_or_else(|| base.title.clone()),
        severity: word.map_or_else(|| base.severity.clone(), |word| clean(&word, TEXT)),
        score: score.map(|score| score.tenths),
        // Without any status it says nothing of who is spared, so all that have it are meant.
        affects: !affected.is_empty() || others.iter().all(|list| list.is_empty()),
        products: names,
        remedy: remedy(vulnerability, &affected, products),
        reference: own.unwrap_or_else(|| base.reference.clone()),
        ..base.clone()
    }
}

/// What to do, the best first (section 3.2.3.12.1): a fix, a mitigation, a workaround, or that there is none.
fn remedy(vulnerability: &Vulnerability, affected: &[&str], products: &Products<'_>) -> String {
    const ORDER: [&str; 5] = ["vendor_fix", "mitigation", "workaround", "no_fix_planned", "none_available"];
    let affected: std::collections::HashSet<&str> = affected.iter().copied().collect();
    let mut texts: Vec<&str> = Vec::new();
    for category in ORDER {
        for one in vulnerability.remediations.iter().filter(|one| one.category == category) {
            let mut named = one.product_ids.iter().map(String::as_str).chain(products.of_groups(&one.group_ids)).peekable();
            let meant = named.peek().is_none() || affected.is_empty() || named.any(|id| affected.contains(id));
            let details = one.details.trim();
            if meant && !details.is_empty() && texts.len() < 8 && !texts.contains(&details) {
                texts.push(details);
            }
        }
    }
    clean(&texts.join(" "), REMEDY)
}

/// CSAF 2.0 knows the labels of TLP 1. What is no label is treated as one that stays in the house.
fn label(label: &str) -> Tlp {
    if label.is_empty() { Tlp::Unstated } else { Tlp::parse(label).unwrap_or(Tlp::AmberStrict) }
}

/// The document's own page, else the first that is on the web.
fn reference(references: &[Reference]) -> Option<&str> {
    let own = references.iter().find(|one| one.category == "self" && !one.url.ends_with(".json"));
    own.and_then(|one| web(&one.url)).or_else(|| references.iter().find_map(|one| web(&one.url)))
}

/// A URL that a browser may be pointed at.
fn web(url: &str) -> Option<&str> {
    let url = url.trim();
    (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
}

/// Text without control characters and marks that nobody sees, one blank for each run of white space, at most so many bytes; a cut shows as `…`.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    let text: String = text.chars().filter(|letter| !is_unseen(*letter)).collect();
    for word in text.split(|letter: char| letter.is_control() || letter.is_whitespace()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > most {
            let room = most.saturating_sub('…'.len_utf8());
            let end = (0..=room).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
            out.truncate(end);
            out.truncate(out.trim_end().len());
            out.push('…');
            break;
        }
    }
    out
}

/// Marks that nobody sees and that change how what is around them is shown: a text would read otherwise than it is.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_follow_from_identifiers() {
        for (id, name) in [
            ("Example Company - 2019-YH3234", "example_company_-_2019-yh3234.json"),
            ("RHBA-2019:0024", "rhba-2019_0024.json"),
            ("2022 #01-A", "2022_01-a.json"),
        ] {
            assert_eq!(file_name(id), name);
        }
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(clean(" a\n\u{7}b\tc ", 10), "a b c");
        assert_eq!(clean("stuk maken", 9), "stuk m…");
        assert_eq!(clean("gpj.\u{202e}exe\u{feff}", 20), "gpj.exe");
        assert_eq!(clean("ééééé", 8), "éé…");
        for most in 3..20 {
            assert!(clean("één twee drie", most).len() <= most, "{most}");
        }
    }
}
