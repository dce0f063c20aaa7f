//! Mails of notifiers, beside what other programs read of them: samples of others, found in the folder that `SLUIS_SHARED` names.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use model::report::{Report, Word};
use model::time::Time;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;
use serde_json::Value;

#[test]
fn blocklist_de_says_in_its_subject_what_its_report_says() {
    for sample in samples().into_iter().filter(|sample| sample.oracle["notifier"] == "blocklistde") {
        let (outcome, sink) = collect(&sample.bytes, &hint(&sample.path));
        assert_eq!(outcome.format, "xarf_0", "{}", sample.path.display());
        let subject = sample.oracle["mime"]["subject"].as_str().unwrap();
        let (address, rest) = subject.split_once("about ").unwrap().1.split_once(" - ").unwrap();
        let date = rest.split_once(" --").unwrap().0;
        let report = sink.reports().next().unwrap();
        assert_eq!(report.core.address.to_string(), address);
        assert_eq!(report.core.observed(), Some(independently(date)));
        assert_eq!((sink.reports().count(), sink.rejects.len()), (1, 0));
        assert!(report.get(Word::EVIDENCE_PAYLOAD).is_some_and(|log| log.text().contains(address)), "the log is evidence");
    }
}

#[test]
fn abusehub_has_a_report_for_each_row_at_the_time_that_the_notifier_states() {
    for sample in samples().into_iter().filter(|sample| sample.oracle["notifier"] == "abusehub") {
        let (outcome, sink) = collect(&sample.bytes, &hint(&sample.path));
        assert_eq!(outcome.format, "abusehub", "{}", sample.path.display());
        let tables =
            || sample.oracle["mime"]["leaf_parts"].as_array().unwrap().iter().filter_map(|part| part["csv_rows"].as_array());
        let rows = |with: &str| -> Vec<BTreeMap<String, String>> {
            let of = |table: &Vec<Value>| {
                let text = |cell: &Value| cell.as_str().unwrap().to_owned();
                let names: Vec<String> = table[0].as_array().unwrap().iter().map(text).collect();
                let row = |row: &Value| names.iter().cloned().zip(row.as_array().unwrap().iter().map(text)).collect();
                table.iter().skip(1).map(row).collect::<Vec<BTreeMap<_, _>>>()
            };
            tables().map(of).find(|table| table[0].contains_key(with)).unwrap_or_default()
        };
        let (own, original) = (rows("reliable_notifier"), rows("timestamp"));
        let reports: Vec<_> = sink.reports().collect();
        assert_eq!((reports.len(), sink.rejects.len()), (own.len(), 0), "no statement counts twice");
        for (report, row) in reports.iter().zip(&own) {
            assert_eq!(report.core.address.to_string(), row["src_ip"]);
            assert_eq!(report.core.port.to_string(), row["src_port"]);
            // The notifier's row is in UTC.
            if let Some(stated) = original.iter().find(|stated| stated["ip"] == row["src_ip"]) {
                assert_eq!(report.core.observed(), Time::parse(stated["timestamp"].as_bytes()));
            }
        }
    }
}

#[test]
fn xarf_is_the_same_in_a_mail() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED is not set");
        return;
    };
    let mut files = Vec::new();
    walk(&Path::new(&shared).join("corpus/xarf"), &mut files);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let name = Path::new("xarf.json");
        let (bare, expected) = collect(&bytes, &hint(name));
        for (how, mail) in [("attached", attached(&bytes)), ("as feedback", as_feedback(&bytes)), ("inline", inline(&bytes))] {
            let (outcome, found) = collect(&mail, &hint(Path::new("mail.eml")));
            assert_eq!(outcome.statements, bare.statements, "{} {how}", file.display());
            assert_eq!(outcome.format, bare.format, "{} {how}", file.display());
            let (expected, found) = (plain(&expected), plain(&found));
            assert_eq!(found, expected, "{} {how}", file.display());
        }
    }
}

struct Sample {
    path: PathBuf,
    bytes: Vec<u8>,
    oracle: Value,
}

/// Every sample of `mail-notifier` that the oracle names.
fn samples() -> Vec<Sample> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED is not set");
        return Vec::new();
    };
    let corpus = Path::new(&shared).join("corpus");
    let Ok(oracle) = fs::read_to_string(corpus.join("mail-notifier/ORACLE.jsonl")) else {
        println!("skipped: there are no mails of notifiers in SLUIS_SHARED");
        return Vec::new();
    };
    let sample = |line: &str| {
        let oracle: Value = serde_json::from_str(line).unwrap();
        let path = corpus.join(oracle["path"].as_str().unwrap());
        Sample { bytes: fs::read(&path).unwrap(), path, oracle }
    };
    oracle.lines().filter(|line| !line.trim().is_empty()).map(sample).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
    files.sort();
}

fn hint(path: &Path) -> Hint<'_> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Hint::new(name, Time::parse(b"2026-03-04T05:06:07Z").unwrap())
}

fn collect(bytes: &[u8], hint: &Hint<'_>) -> (Outcome, Collected) {
    let mut sink = Collected::default();
    (read(&mut &bytes[..], hint, &mut sink).unwrap(), sink)
}

/// A time by another library than ours.
fn independently(text: &str) -> Time {
    let stamp = text.parse::<jiff::Timestamp>().or_else(|_| jiff::fmt::rfc2822::parse(text).map(|zoned| zoned.timestamp()));
    Time(stamp.unwrap().as_millisecond())
}

/// Reports and rejects without the places that differ by the way they came.
fn plain(sink: &Collected) -> Vec<String> {
    let report = |report: Report<'_>| {
        let fields: Vec<_> = report.own_fields().map(|(word, value)| (report.name(word), value)).collect();
        let core = report.core;
        format!(
            "{} {} {} {:?} {} {:?} {fields:?}",
            core.ordinal,
            core.kind,
            core.address,
            core.observed(),
            core.port,
            (core.confidence, core.tlp, core.pap)
        )
    };
    let rejects = sink.rejects.iter().map(|reject| format!("{} {} {}", reject.ordinal, reject.reason, reject.text));
    sink.reports().map(report).chain(rejects).collect()
}

fn attached(bytes: &[u8]) -> Vec<u8> {
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let head = "Subject: a report\r\nMIME-Version: 1.0\r\nX-XARF: PLAIN\r\nContent-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\n\
                --=_x\r\nContent-Type: text/plain\r\n\r\nFor people.\r\n--=_x\r\nContent-Type: application/json; name=xarf.json\r\n\
                Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=xarf.json\r\n\r\n";
    format!("{head}{}\r\n--=_x--\r\n", lines.join("\r\n")).into_bytes()
}

/// As a mail brings XARF 1 to 3: as a feedback report of a type of its own (the README of abusix/xarf).
fn as_feedback(bytes: &[u8]) -> Vec<u8> {
    let head = "Subject: a report\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"=_x\"\n\n\
                --=_x\nContent-Type: text/plain\n\nFor people.\n--=_x\nContent-Type: message/feedback-report\n\n\
                Feedback-Type: xarf\nUser-Agent: Test/1\nVersion: 1\n--=_x\n\
                Content-Type: application/json; name=xarf.json\nContent-Transfer-Encoding: 8bit\n\n";
    [head.as_bytes(), bytes, b"\n--=_x--\n"].concat()
}

fn inline(bytes: &[u8]) -> Vec<u8> {
    let head = "Subject: a report\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n\
                Content-Type: application/json\nContent-Disposition: inline; filename=\"xarf.json\"\n\n";
    [head.as_bytes(), bytes, b"\n--=_x--\n"].concat()
}

/// A line a million times: what looks through the rest of a mail at each line would not end today.
#[test]
fn a_large_mail_takes_the_time_of_its_size() {
    let head = |from: &str, subject: &str| format!("From: {from}\nDate: Wed, 4 Mar 2026 03:00:00 +0000\nSubject: {subject}\n\n");
    let yaml = "From: a@b.example\nSubject: x\nX-XARF: PLAIN\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n";
    let hub = "From: reports@abusehub.nl\nSubject: [Abusehub]\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n";
    let wide = format!("{hub}reliable_notifier,src_ip{}\n", ",a".repeat(900));
    let spamcop = head("1@reports.spamcop.net", "[SpamCop] id:1");
    let cases = [
        ("spamcop", format!("{spamcop}Email from 192.0.2.1 / x\n"), "Spamvertised web site: http://a.example/\n"),
        ("spamcop", spamcop.clone(), "Spamvertised web site: http://a.example/\n"),
        ("spamcop", head("1@reports.spamcop.net", "[SpamCop] summary report"), "192.0.2.1 Mar 4 5h/0 1 0 0 0\n"),
        ("spamcop", head("1@reports.spamcop.net", "[SpamCop] Alert"), "192.0.2.1\n"),
        ("cloudflare", format!("{}Reported URLs:\n", head("abuse@notify.cloudflare.com", "x")), "http://a.example/\n"),
        (
            "cloudflare",
            format!("{}following IP addresses. 192.0.2.1\nReported URLs: ", head("abuse@notify.cloudflare.com", "x")),
            "x.y ",
        ),
        ("fail2ban", head("a@b.example", "[Fail2Ban] sshd: banned 192.0.2.1"), "Lines containing 192.0.2.1 [ 192.0.2.1\n"),
        ("spamhaus_mail", head("a@spamhaus.org", "SBL Notify"), "IP/cidr: 192.0.2.1\n"),
        ("xarf_0", format!("{yaml}Source: 192.0.2.1\nReport-Type: x\n"), "--b\n\nSource: 192.0.2.1\nReport-Type: x\n"),
        ("xarf_0", format!("{yaml}Source: 192.0.2.1\nReport-Type: x\n"), "---\nSource: 192.0.2.1\n"),
        ("xarf_0", format!("{yaml}Source: 192.0.2.1\nReport-Type: x\nA: |\n"), "  x\n"),
        ("abusehub", hub.to_owned() + "reliable_notifier,src_ip\n", "x,192.0.2.1\n"),
        ("abusehub", wide, "x\n"),
        ("abusehub", hub.to_owned(), "event time 2026-03-04 03:58:11 +01:00"),
    ];
    for (format, head, line) in cases {
        let bytes = [head.as_bytes(), line.repeat((1 << 20) / line.len()).as_bytes()].concat();
        let begun = std::time::Instant::now();
        let (_, sink) = collect(&bytes, &hint(Path::new("mail.eml")));
        let (reports, took) = (sink.reports().count(), begun.elapsed());
        println!("{format}: {reports} reports, {} rejects, {took:?}", sink.rejects.len());
        assert!(took.as_secs() < 60, "{format} took {took:?} for 1 MiB of {line:?}");
    }
}
