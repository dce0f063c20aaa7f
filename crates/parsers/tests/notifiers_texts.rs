//! Mails of Netcraft, CleanMX, Google, Project Honey Pot, WebIron, Cyscon and senders of ACNS, beside what stands in them: samples
//! of others, found in the folder that `SLUIS_SHARED` names.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

use model::address::Address;
use model::report::Word;
use model::time::Time;
use parsers::formats::{Fit, all};
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::{Hint, Prefix};
use serde_json::Value;

/// What the corpus calls a sender, and the format that reads it.
const SENDERS: &[(&str, &str)] = &[
    ("cleanmx", "cleanmx"),
    ("copyrightcompliance", "acns"),
    ("cyscon", "cyscon"),
    ("google", "google"),
    ("ip-echelon", "acns"),
    ("netcraft", "netcraft"),
    ("projecthoneypot", "projecthoneypot"),
    ("webiron", "webiron"),
];

struct Sample {
    path: PathBuf,
    bytes: Vec<u8>,
    oracle: Value,
}

impl Sample {
    fn read(&self) -> (Outcome, Collected) {
        collect(&self.bytes, &self.path)
    }

    /// The texts of the mail with line ends as `\n`: quoted-printable undone by hand, since it is all that these samples use.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).replace("\r\n", "\n");
        if text.to_ascii_lowercase().contains("quoted-printable") { text.replace("=\n", "").replace("=3D", "=") } else { text }
    }
}

#[test]
fn each_sample_is_its_sender_s_and_nobody_else_s() {
    for (sample, format) in of_all() {
        let hint = Hint::new("mail.eml", received());
        let prefix = Prefix::new(&sample.bytes, "mail.eml", "", &hint);
        let certain: Vec<_> = all().filter(|format| (format.detect)(&prefix) == Fit::Certain).map(|format| format.name).collect();
        assert_eq!(certain, [format], "{}", sample.path.display());
        let (outcome, sink) = sample.read();
        assert_eq!(outcome.format, format, "{}", sample.path.display());
        assert!(sink.rejects.is_empty(), "{}: {:?}", sample.path.display(), sink.rejects);
        assert!(sink.notes.is_empty(), "{}: {:?}", sample.path.display(), sink.notes);
        assert!(sink.reports().count() > 0, "{}", sample.path.display());
        assert!(sink.reports().all(|report| report.core.observed().is_some()), "{}", sample.path.display());
    }
}

#[test]
fn netcraft_says_what_its_x_arf_says_and_where_the_site_is() {
    for (sample, _) in of_all().into_iter().filter(|(_, format)| *format == "netcraft") {
        let (_, sink) = sample.read();
        let report = sink.reports().next().unwrap();
        let text = sample.text();
        // The parts of one sample cannot be told apart, by nobody; what stands in it is there all the same.
        let yaml = text.split_once("\n---\n").unwrap().1;
        let get = |name: &str| yaml.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default();
        assert_eq!(sink.reports().count(), 1, "{}", sample.path.display());
        assert_eq!(report.core.observed(), Time::parse(get("Date").as_bytes()), "{}", sample.path.display());
        assert_eq!(report.text(Word::REPORT_ID), Some(get("Report-ID")));
        let words =
            text.split_once("Content-Disposition: inline").unwrap().1.split_once("Content-Disposition: attachment").unwrap().0;
        if let Some(address) = Address::parse(get("Source").as_bytes()) {
            assert_eq!(report.core.address, address, "{}", sample.path.display());
            continue;
        }
        let is_whole = sample.oracle["xarf_0"]["fields"].as_object().is_some_and(|fields| !fields.is_empty());
        if is_whole {
            assert_eq!(report.text(Word::URL), Some(get("Source")), "{}", sample.path.display());
        }
        let host = |url: &str| url.split('/').nth(2).unwrap_or_default().to_owned();
        let line = words.lines().find(|line| line.starts_with("http")).unwrap();
        let told = line.split_once(" [").map(|(_, rest)| rest.trim_end_matches(']')).or_else(|| {
            let rest = words.split_once("located at IP address ")?.1;
            Some(rest.lines().next()?.trim_end_matches('.'))
        });
        // One sample was made anonymous in its text and its X-ARF with different names: then no address is taken.
        if host(line) == host(get("Source")) {
            assert_eq!(report.core.address.to_string(), told.unwrap(), "{}", sample.path.display());
        } else {
            println!("{}: text and X-ARF name different hosts; no address is taken", sample.path.display());
            assert_eq!(report.core.address, Address::NONE, "{}", sample.path.display());
        }
    }
}

#[test]
fn cleanmx_has_each_row_at_its_time() {
    for (sample, _) in of_all().into_iter().filter(|(_, format)| *format == "cleanmx") {
        let (_, sink) = sample.read();
        let text = sample.text();
        let rows: Vec<Vec<&str>> =
            text.lines().filter(|line| line.starts_with("|20")).map(|line| line.split('|').map(str::trim).collect()).collect();
        let reports: Vec<_> = sink.reports().collect();
        assert_eq!(reports.len(), rows.len(), "{}", sample.path.display());
        for (report, row) in reports.iter().zip(&rows) {
            let [_, date, id, virus, ip, domain, url] = row[..] else { panic!("{row:?}") };
            let date = date.replace("CEST", "+02:00").replace("CET", "+01:00");
            assert_eq!(report.core.observed(), Time::parse(date.as_bytes()), "{date}");
            assert_eq!(report.core.address, Address::parse(ip.as_bytes()).unwrap());
            assert_eq!(report.text(Word::URL), Some(url));
            assert_eq!(report.text(Word::DOMAIN), Some(domain));
            assert_eq!(report.text(Word::MALWARE_FAMILY), Some(virus));
            assert_eq!(report.text(Word::REPORT_ID), Some(id));
        }
    }
}

#[test]
fn google_has_each_location_of_each_list() {
    for (sample, _) in of_all().into_iter().filter(|(_, format)| *format == "google") {
        let (_, sink) = sample.read();
        let text = sample.text();
        let attribute = |line: &str, name: &str| Some(line.split_once(&format!("{name}=\""))?.1.split_once('"')?.0.to_owned());
        let date = attribute(&text, "date").unwrap();
        let stated: Vec<&str> = text.lines().filter(|line| line.contains("<url_info")).collect();
        let reports: Vec<_> = sink.reports().collect();
        assert_eq!(reports.len(), stated.len());
        for (report, line) in reports.iter().zip(stated) {
            let url = attribute(line, " url").unwrap();
            assert_eq!(report.text(Word::URL), Some(url.as_str()));
            let address = attribute(line, " ip").unwrap_or_else(|| {
                let host = url.split('/').nth(2).unwrap();
                host.split(':').next().unwrap().to_owned()
            });
            assert_eq!(report.core.address.to_string(), address);
            assert_eq!(report.core.observed(), Time::parse(format!("{date} 00:00:00").as_bytes()));
        }
    }
}

#[test]
fn project_honey_pot_has_a_report_for_each_time_under_each_address() {
    for (sample, _) in of_all().into_iter().filter(|(_, format)| *format == "projecthoneypot") {
        let (_, sink) = sample.read();
        let text = sample.text();
        let body = text.split_once("IPs Engaged In").unwrap().1;
        let mut address = "";
        let mut expected = Vec::new();
        for line in body.lines() {
            if line.ends_with(')') && line.contains(" (") {
                address = line.split(' ').next().unwrap();
            }
            let Some(said) = line.strip_prefix("  - ") else { continue };
            // `Mon, 21 Sep 2015 06:12AM PDT`, seven hours behind.
            let words: Vec<&str> = said.split([' ', ':']).collect();
            let [_, day, "Sep", year, hour, minutes, "PDT"] = words[..] else { panic!("{said}") };
            let hour = hour.parse::<u32>().unwrap() % 12 + if minutes.ends_with("PM") { 12 } else { 0 };
            let time = format!("{year}-09-{day}T{hour:02}:{}:00-07:00", &minutes[..2]);
            expected.push((Address::parse(address.as_bytes()).unwrap(), Time::parse(time.as_bytes())));
        }
        let found: Vec<_> = sink.reports().map(|report| (report.core.address, report.core.observed())).collect();
        assert_eq!(found, expected, "{}", sample.path.display());
    }
}

#[test]
fn webiron_has_a_report_for_each_issue() {
    for (sample, _) in of_all().into_iter().filter(|(_, format)| *format == "webiron") {
        let (_, sink) = sample.read();
        let text = sample.text();
        let plain = text.split_once("Content-Type: text/plain").unwrap().1.split_once("Content-Type: text/html").unwrap().0;
        let after = |label: &str| -> Vec<String> {
            plain.lines().filter_map(|line| line.split_once(label)).map(|(_, rest)| rest.trim().to_owned()).collect()
        };
        let address = [after("Offending IP:"), after("Offending/Source IP:")].concat();
        let times: Vec<_> = after("- Time:").iter().map(|time| Time::parse(time.as_bytes())).collect();
        assert_eq!(sink.reports().map(|report| report.core.observed()).collect::<Vec<_>>(), times, "{}", sample.path.display());
        assert!(sink.reports().all(|report| report.core.address == Address::parse(address[0].as_bytes()).unwrap()));
    }
}

#[test]
fn cyscon_has_the_location_between_its_marks() {
    for (sample, _) in of_all().into_iter().filter(|(_, format)| *format == "cyscon") {
        let (_, sink) = sample.read();
        let text = sample.text();
        let inside = text.split_once("# begin logs").unwrap().1.split_once("# end logs").unwrap().0;
        let after = |label: &str| inside.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim();
        let report = sink.reports().next().unwrap();
        assert_eq!(report.core.address, Address::parse(after("IP:").as_bytes()).unwrap());
        assert_eq!(report.text(Word::URL), Some(after("URL:")));
        assert_eq!(report.core.observed(), Time::parse(after("Tested on:").as_bytes()));
        assert_eq!(sink.reports().count(), 1);
    }
}

fn received() -> Time {
    Time::parse(b"2026-03-04T05:06:07Z").unwrap()
}

fn collect(bytes: &[u8], path: &Path) -> (Outcome, Collected) {
    let mut sink = Collected::default();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let outcome = read(&mut &bytes[..], &Hint::new(&name, received()), &mut sink).unwrap();
    (outcome, sink)
}

/// Every sample of the senders above, with the format that is to read it.
fn of_all() -> Vec<(Sample, &'static str)> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED is not set");
        return Vec::new();
    };
    let corpus = Path::new(&shared).join("corpus");
    let Ok(oracle) = fs::read_to_string(corpus.join("mail-notifier/ORACLE.jsonl")) else {
        println!("skipped: there are no mails of notifiers in SLUIS_SHARED");
        return Vec::new();
    };
    let mut samples = Vec::new();
    for line in oracle.lines().filter(|line| !line.trim().is_empty()) {
        let oracle: Value = serde_json::from_str(line).unwrap();
        let Some((_, format)) = SENDERS.iter().find(|(sender, _)| oracle["notifier"] == **sender) else { continue };
        let path = corpus.join(oracle["path"].as_str().unwrap());
        samples.push((Sample { bytes: fs::read(&path).unwrap(), path, oracle }, *format));
    }
    samples
}

#[test]
fn a_mebibyte_of_a_line_again_and_again_is_read_in_time() {
    let head = |from: &str, subject: &str| format!("From: {from}\nDate: Wed, 04 Mar 2026 03:00:00 +0000\nSubject: {subject}\n\n");
    let netcraft = head("takedown@netcraft.com", "Issue 1: phishing");
    let cases = [
        (netcraft.clone(), "http://a.example/ [192.0.2.1]\n"),
        (netcraft.clone(), "located at IP address 192.0.2.1\n"),
        (netcraft, "on behalf of our customer, CVE-"),
        (head("a@clean-mx.de", "[clean-mx-viruses-1]"), "|2026-03-04 03:00:00 CET|1|x|192.0.2.1|a.example|http://a.example/\n"),
        (head("a@clean-mx.de", "[clean-mx-viruses-1]"), "|date|"),
        (
            head("a@google.com", "Safe Browsing") + "<notification_message><list type=\"0\">",
            "<url_info url=\"http://a.example/\"/>",
        ),
        (head("a@google.com", "Safe Browsing") + "<notification_message>", "<list>"),
        (
            head("a@projecthoneypot.org", "Monitor Report") + "IPs Engaged In Harvesting\n",
            "192.0.2.1\n  - Mon, 02 Mar 2026 11:00AM PST\n",
        ),
        (head("a@projecthoneypot.org", "Monitor Report"), "IPs Engaged In Harvesting\n"),
        (
            head("a@abuse-reporting.webiron.com", "x") + "Offending IP: 192.0.2.1\n",
            "- Issue: scan\n- Time: 2026-03-04 03:00:00Z\n",
        ),
        (head("a@cyscon.de", "[CSIRT#1]"), "# begin logs\nIP: 192.0.2.1\n"),
        (head("a@abuse.ch", "malware"), "URL: http://a.example/\nIP: 192.0.2.1\nPort: 1\n"),
        (head("a@sidn.nl", "phishing"), "Domeinnaam: a.example\nDomeinnaam: b.example\n"),
        (head("a@offlimits.nl", "csam"), "within binnen URL:\n"),
        (head("a@offlimits.nl", "csam"), "child abuse csam "),
        (head("a@ip-echelon.com", "copyright"), "<Infringement></Infringement>"),
        (head("a@ip-echelon.com", "copyright"), "<Infringement>"),
        (head("a@ip-echelon.com", "copyright") + "<Infringement>", "<a>&x</a>\n- "),
        (head("a@ip-echelon.com", "copyright"), "IP Address: 192.0.2.1\nPort: 1\n"),
    ];
    for (head, line) in cases {
        let bytes = [head.as_bytes(), line.repeat((1 << 20) / line.len()).as_bytes()].concat();
        let begun = std::time::Instant::now();
        let (outcome, sink) = collect(&bytes, Path::new("mail.eml"));
        let took = begun.elapsed();
        println!("{}: {} reports, {} rejects, {took:?}", outcome.format, sink.reports().count(), sink.rejects.len());
        // Unoptimised and on a busy machine; what is quadratic takes minutes.
        assert!(took.as_secs() < 60, "{took:?} for 1 MiB of {line:?}");
    }
}
