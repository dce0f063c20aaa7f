//! Which weak points are exploited: CISA's Known Exploited Vulnerabilities catalogue, as JSON or CSV.
//!
//! The catalogue is one whole: a vulnerability that a newer catalogue does not name has been taken off.

use memchr::memmem;
use model::advisory::{Advisory, Cve};
use model::label::Tlp;
use model::time::Time;
use serde::Deserialize;

use super::csaf::clean;
use crate::formats::{Fit, Format, Proven};
use crate::kinds::csv::{Item, Records};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// CISA's catalogue of exploited vulnerabilities.
pub const FORMAT: Format = Format {
    name: "kev",
    title: "Known Exploited Vulnerabilities catalogue (CISA), JSON or CSV",
    senders: &["cisa.gov"],
    fields: &[
        ("cveID", "cve, exploited"),
        ("vendorProject, product", "products"),
        ("vulnerabilityName", "title"),
        ("requiredAction", "remedy"),
        ("dueDate", "due"),
        ("knownRansomwareCampaignUse", "ransomware"),
        ("notes", "reference"),
        ("dateReleased, dateAdded", "released"),
    ],
    proven: Proven::By("CISA"),
    detect,
    parse,
};

/// Who publishes it.
pub const PUBLISHER: &str = "CISA KEV";

/// Bytes of texts that are kept.
const TEXT: usize = 500;
const REMEDY: usize = 2_000;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix.bytes).trim_ascii_start();
    match start.first() {
        Some(b'{') => {
            let has = |text: &str| memmem::find(start, text.as_bytes()).is_some();
            if has("\"catalogVersion\"") && has("\"vulnerabilities\"") { Fit::Certain } else { Fit::No }
        }
        Some(_) if header(start) => Fit::Certain,
        _ => Fit::No,
    }
}

fn header(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.get(..line.len().min(1_000)).unwrap_or_default().to_ascii_lowercase();
    let has = |text: &str| memmem::find(&line, text.as_bytes()).is_some();
    has("cveid") && has("vendorproject") && has("vulnerabilityname")
}

#[derive(Deserialize)]
struct Catalogue {
    #[serde(rename = "dateReleased")]
    released: Option<String>,
    count: Option<u64>,
    #[serde(default)]
    vulnerabilities: Vec<Entry>,
}

/// One vulnerability of the catalogue, by the catalogue's own names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    vendor_project: String,
    product: String,
    vulnerability_name: String,
    date_added: String,
    short_description: String,
    required_action: String,
    due_date: String,
    known_ransomware_campaign_use: String,
    notes: String,
}

/// The columns that are read; the catalogue may have more.
const COLUMNS: [&str; 10] = [
    "cveid",
    "vendorproject",
    "product",
    "vulnerabilityname",
    "dateadded",
    "shortdescription",
    "requiredaction",
    "duedate",
    "knownransomwarecampaignuse",
    "notes",
];

impl Entry {
    fn of_columns(mut value: impl FnMut(usize) -> String) -> Entry {
        Entry {
            cve: value(0),
            vendor_project: value(1),
            product: value(2),
            vulnerability_name: value(3),
            date_added: value(4),
            short_description: value(5),
            required_action: value(6),
            due_date: value(7),
            known_ransomware_campaign_use: value(8),
            notes: value(9),
        }
    }

    fn advisory(&self, released: Option<Time>) -> Option<Advisory> {
        let cve = Cve::parse(&self.cve)?;
        let day = |text: &str| Time::parse(format!("{}T00:00:00Z", text.trim()).as_bytes());
        let product = clean(&format!("{} {}", self.vendor_project, self.product), TEXT);
        let url = self.notes.split([';', ' ']).map(str::trim).find(|word| word.starts_with("https://"));
        Some(Advisory {
            publisher: PUBLISHER.to_owned(),
            id: cve.to_string(),
            // That of the catalogue: by it a newer one is told from an older. The CSV does not say it.
            released: released.or_else(|| day(&self.date_added)),
            title: clean(&self.vulnerability_name, TEXT),
            cve: Some(cve),
            products: if product.is_empty() { Vec::new() } else { vec![product] },
            affects: true,
            remedy: clean(&self.required_action, REMEDY),
            reference: url.map(|url| clean(url, TEXT)).unwrap_or_default(),
            exploited: true,
            ransomware: self.known_ransomware_campaign_use.trim().eq_ignore_ascii_case("known"),
            due: day(&self.due_date),
            tlp: Tlp::Clear,
            ..Advisory::default()
        })
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    if source.prefix().strip_prefix(b"\xef\xbb\xbf").unwrap_or(source.prefix()).trim_ascii_start().first() != Some(&b'{') {
        return rows(reading, source);
    }
    let limit = reading.hint.limits.whole;
    let Some(bytes) = source.read_whole(limit)? else {
        reading.unreadable(format!("the catalogue is larger than {} MiB", limit >> 20));
        return Ok(());
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let catalogue: Catalogue = match serde_json::from_slice(bytes) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, "", bytes, format!("this is no KEV catalogue: {error}"));
            return Ok(());
        }
    };
    let released = catalogue.released.as_deref().and_then(|date| Time::parse(date.as_bytes()));
    for (number, entry) in catalogue.vulnerabilities.iter().enumerate() {
        take(reading, entry, released, &format!("entry {}", number + 1))?;
    }
    let found = catalogue.vulnerabilities.len() as u64;
    if let Some(count) = catalogue.count.filter(|count| *count != found) {
        // Half a catalogue must not take the other half off.
        let ordinal = reading.ordinal();
        let reason = format!("it says that it has {count} entries and has {found}: it was cut off, or put together wrongly");
        reading.reject(ordinal, "", b"", reason);
    } else if found == 0 {
        refuse_empty(reading);
    }
    Ok(())
}

/// A catalogue that names nothing would take everything off.
fn refuse_empty(reading: &mut Reading<'_>) {
    let ordinal = reading.ordinal();
    reading.reject(ordinal, "", b"", "it has no entries: nothing is taken off because of it");
}

fn rows(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limit = reading.hint.limits.line;
    let mut records = Records::new(source, b',', limit);
    let mut places: Option<[Option<usize>; COLUMNS.len()]> = None;
    let mut found = false;
    while let Some(item) = records.next_item()? {
        let record = match item {
            Item::Record(record) => record,
            Item::Spoilt { line, text, reason } => {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &format!("line {line}"), text, reason);
                continue;
            }
        };
        let Some(places) = &places else {
            let names = record.names();
            let plain: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            places = Some(COLUMNS.map(|column| plain.iter().position(|name| name == column)));
            reading.shape("", &names.iter().map(String::as_str).collect::<Vec<_>>());
            continue;
        };
        let value = |at: usize| {
            let bytes = places.get(at).copied().flatten().filter(|place| *place < record.len()).map(|place| record.get(place));
            String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
        };
        let entry = Entry::of_columns(value);
        found = true;
        let place = format!("line {}", record.line);
        take(reading, &entry, None, &place)?;
    }
    if !found {
        refuse_empty(reading);
    }
    Ok(())
}

fn take(reading: &mut Reading<'_>, entry: &Entry, released: Option<Time>, place: &str) -> Result<(), Stop> {
    match entry.advisory(released) {
        Some(advisory) => reading.advisory(advisory),
        None => {
            let ordinal = reading.ordinal();
            let text = format!("{} {} {}", entry.cve, entry.vulnerability_name, entry.short_description);
            reading.reject(ordinal, place, text.as_bytes(), "no CVE number ('CVE-', the year, '-' and at least four digits)");
            Ok(())
        }
    }
}
