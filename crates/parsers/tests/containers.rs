//! Mails and archives: what is opened, what is set aside, and what a bomb costs.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use model::report::Word;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

fn read_with(name: &str, bytes: &[u8], limits: Limits) -> (Outcome, Collected) {
    let maps = Maps::default();
    let received = Time::parse(b"2026-03-04T05:06:07Z").unwrap();
    let hint =
        Hint { name, content_type: "", location: "", kind: None, format: None, received, maps: &maps, declared: None, limits };
    let mut collected = Collected::default();
    let outcome = read(&mut &*bytes, &hint, &mut collected).unwrap();
    (outcome, collected)
}

fn read_bytes(name: &str, bytes: &[u8]) -> (Outcome, Collected) {
    read_with(name, bytes, Limits::default())
}

fn archive(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A feedback report about an address, as a mail: the smallest thing that becomes a report.
fn feedback(address: &str) -> Vec<u8> {
    format!(
        "From: Loop <fbl@loop.example>\nDate: Wed, 4 Mar 2026 03:00:00 +0000\nMessage-ID: <{address}@loop.example>\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
         Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nSource-IP: {address}\n\
         Arrival-Date: Wed, 4 Mar 2026 02:00:00 +0000\n\n--b--\n"
    )
    .into_bytes()
}

/// A mail around parts, each with its headers.
fn mail(subject: &str, parts: &[&str]) -> Vec<u8> {
    let parts: String = parts.iter().map(|part| format!("--m\n{part}\n")).collect();
    format!(
        "From: Desk <desk@provider.example>\nDate: Wed, 4 Mar 2026 04:00:00 +0000\nSubject: {subject}\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n{parts}--m--\n"
    )
    .into_bytes()
}

fn addresses(collected: &Collected) -> Vec<String> {
    collected.reports().map(|report| report.core.address.to_string()).collect()
}

fn reasons(collected: &Collected) -> Vec<&str> {
    collected.rejects.iter().map(|reject| reject.reason.as_str()).collect()
}

#[test]
fn every_entry_of_an_archive_is_read_or_set_aside_by_name() {
    let (one, two) = (feedback("192.0.2.1"), feedback("192.0.2.2"));
    let entries: &[(&str, &[u8])] =
        &[("a.eml", &one), ("folder/../../etc/b.eml", &two), ("c.bin", b"\0\x01\x02"), ("d.csv", b"")];
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let (outcome, collected) = read_bytes("feed.zip", &archive(entries, method));
        assert_eq!(outcome.format, "arf");
        assert_eq!(addresses(&collected), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(collected.rejects.len(), 1);
        assert_eq!(collected.rejects[0].place, "feed.zip, c.bin");
        assert_eq!(collected.rejects[0].ordinal, 2);
        assert_eq!(collected.notes.len(), 1);
        assert_eq!(collected.notes[0].place, "feed.zip, d.csv");
    }
}

#[test]
fn an_archive_of_strange_files_belongs_to_a_person() {
    let (outcome, collected) =
        read_bytes("x.zip", &archive(&[("a.bin", b"\x01"), ("b.bin", b"\x02")], CompressionMethod::Stored));
    assert_eq!(outcome.format, "");
    assert!(outcome.unreadable.contains("a.bin, b.bin"), "{}", outcome.unreadable);
    assert_eq!(collected.rejects.len() + collected.reports().count(), 0);
}

#[test]
fn what_cannot_be_unpacked_is_set_aside_with_its_reason() {
    let good = feedback("192.0.2.1");
    // Flag 1 of both headers says that an entry is encrypted; bytes 8 to 10 say the method (APPNOTE 4.4.4, 4.4.5).
    let patch = |at: usize, value: u8| {
        let mut bytes = archive(&[("a.eml", &good), ("b.eml", &good)], CompressionMethod::Deflated);
        let local = 0;
        let central = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[local + at] = value;
        bytes[central + at + 2] = value;
        bytes
    };
    for (bytes, reason) in [(patch(6, 1), "encrypted"), (patch(8, 99), "method"), (patch(8, 14), "method")] {
        let (outcome, collected) = read_bytes("x.zip", &bytes);
        assert_eq!(outcome.format, "arf", "{reason}");
        assert_eq!(addresses(&collected), ["192.0.2.1"], "{reason}");
        assert_eq!(collected.rejects.len(), 1, "{reason}");
        assert!(collected.rejects[0].reason.contains(reason), "{:?}", collected.rejects);
        assert_eq!(collected.rejects[0].place, "x.zip, a.eml");
    }
    let mut damaged = archive(&[("a.eml", &good), ("b.eml", &good)], CompressionMethod::Stored);
    let at = damaged.windows(9).position(|window| window == b"192.0.2.1").unwrap();
    damaged[at] = b'2';
    let (_, collected) = read_bytes("x.zip", &damaged);
    assert!(reasons(&collected)[0].contains("damaged"), "{:?}", reasons(&collected));
}

#[test]
fn a_bomb_costs_little() {
    // Zeros, as a file nobody knows.
    let zeros = vec![0u8; 64 << 20];
    let bomb = archive(&[("zeros.csv", &zeros)], CompressionMethod::Deflated);
    drop(zeros);
    let begun = Instant::now();
    let (outcome, collected) = read_bytes("bomb.zip", &bomb);
    assert!(outcome.format.is_empty() || !collected.rejects.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // The same inside a mail of a kind that wants all of it: read no further than the ratio allows.
    let mut long = feedback("192.0.2.1");
    long.resize(64 << 20, b'\n');
    let bomb = archive(&[("long.eml", &long)], CompressionMethod::Deflated);
    drop(long);
    let begun = Instant::now();
    let (_, collected) = read_bytes("bomb.zip", &bomb);
    assert!(reasons(&collected).iter().any(|reason| reason.contains("times its packed size")), "{:?}", reasons(&collected));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // What came before the trouble was honestly read.
    assert_eq!(addresses(&collected), ["192.0.2.1"]);
}

#[test]
fn nested_bombs_are_cut_at_the_trunk() {
    let mut inner = archive(&[("zeros", &vec![0u8; 8 << 20])], CompressionMethod::Deflated);
    for _ in 0..5 {
        let names: Vec<String> = (0..16).map(|index| format!("{index}.zip")).collect();
        let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
        inner = archive(&entries, CompressionMethod::Deflated);
    }
    let begun = Instant::now();
    let (_, collected) = read_bytes("42.zip", &inner);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(collected.reports().count(), 0);
    assert!(collected.rejects.len() <= 2 * Limits::default().parts, "{}", collected.rejects.len());
    assert!(reasons(&collected).iter().any(|reason| reason.starts_with("more than 1000 parts")), "{}", collected.rejects.len());
}

#[test]
fn limits_hold_for_archives() {
    let good = feedback("192.0.2.1");
    let names: Vec<String> = (0..40).map(|index| format!("{index}.eml")).collect();
    let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), good.as_slice())).collect();
    let bytes = archive(&entries, CompressionMethod::Deflated);
    let (_, collected) = read_with("x.zip", &bytes, Limits { parts: 10, ..Limits::default() });
    assert_eq!((collected.reports().count(), collected.rejects.len()), (10, 1));
    let (_, collected) = read_with("x.zip", &bytes, Limits { unpacked: 1_000, ..Limits::default() });
    assert!(reasons(&collected)[0].starts_with("the submission unpacks to more"), "{:?}", reasons(&collected));
    let (outcome, _) = read_with("x.zip", &bytes, Limits { whole: 1_000, ..Limits::default() });
    assert!(outcome.unreadable.contains("larger than"), "{}", outcome.unreadable);
    // More entries than are ever read: not even their directory is believed.
    let (outcome, _) = read_with("x.zip", &bytes, Limits { parts: 2, ..Limits::default() });
    assert!(outcome.unreadable.contains("far more than 2 entries"), "{}", outcome.unreadable);
    // The same bytes twice: entries that overlap.
    let mut overlapping = archive(&[("a.eml", &good), ("b.eml", &good)], CompressionMethod::Stored);
    let centrals: Vec<usize> = (0..overlapping.len() - 4).filter(|at| &overlapping[*at..at + 4] == b"PK\x01\x02").collect();
    let first: [u8; 4] = overlapping[centrals[0] + 42..centrals[0] + 46].try_into().unwrap();
    overlapping[centrals[1] + 42..centrals[1] + 46].copy_from_slice(&first);
    let (outcome, collected) = read_bytes("x.zip", &overlapping);
    assert!(outcome.unreadable.contains("overlap"), "{} {:?}", outcome.unreadable, reasons(&collected));
}

#[test]
fn attachments_are_read_and_pictures_never() {
    let inner = String::from_utf8(feedback("192.0.2.3")).unwrap();
    let parts = [
        "Content-Type: text/plain\n\nSee below.",
        "Content-Type: image/png; name=\"a.eml\"\n\nFrom: a\nDate: b\nSubject: c",
        &format!("Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=c.eml\n\n{inner}"),
        &format!("Content-Type: message/rfc822\n\n{inner}"),
        "Content-Type: application/pdf; name=report.pdf\n\n%PDF",
    ];
    let (outcome, collected) = read_bytes("", &mail("Fwd: complaint", &parts));
    assert_eq!(outcome.format, "arf");
    assert_eq!(addresses(&collected), ["192.0.2.3", "192.0.2.3"]);
    assert_eq!(collected.notes.len(), 1);
    assert_eq!(collected.notes[0].place, "report.pdf");
    // The inner mail says who sent it, and so does not inherit the outer's sender.
    let report = collected.reports().next().unwrap();
    assert_eq!(report.text(Word::SENDER_CONTACT), Some("fbl@loop.example"));
}

#[test]
fn a_mail_in_an_archive_in_a_mail_names_its_place() {
    let packed =
        archive(&[("a.eml", &feedback("192.0.2.4")), ("b.eml", b"From: x\nDate: y\n\nhello\n")], CompressionMethod::Deflated);
    let body = format!("Content-Type: application/zip; name=old.zip\nContent-Transfer-Encoding: base64\n\n{}", base64(&packed));
    let (_, collected) = read_bytes("in.eml", &mail("both", &[&body]));
    assert_eq!(addresses(&collected), ["192.0.2.4"]);
    assert_eq!(collected.rejects[0].place, "in.eml / old.zip, b.eml");
}

#[test]
fn mails_in_mails_end() {
    let mut inner = String::from_utf8(feedback("192.0.2.5")).unwrap();
    for level in 0..40 {
        inner = format!(
            "From: a@provider.example\nSubject: again\nContent-Type: multipart/mixed; boundary=m{level}-\n\n\
             --m{level}-\nContent-Type: message/rfc822\n\n{inner}\n--m{level}---\n"
        );
    }
    let inner = inner.into_bytes();
    let (_, collected) = read_bytes("deep.eml", &inner);
    assert_eq!(collected.reports().count(), 0);
    assert_eq!(reasons(&collected), ["more than 4 containers inside each other"]);
}

#[test]
fn mails_made_to_be_slow_are_not() {
    // A million messages inside each other, boundaries that never come, boundaries everywhere, headers without end.
    let nested = "Content-Type: message/rfc822\n\n".repeat(300_000);
    let never = "--m\nContent-Type: multipart/mixed; boundary=never\n\nx\n".repeat(100_000);
    let many = "--m\n\n".repeat(1_000_000);
    let multi = (0..20_000).map(|at| format!("Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n")).collect::<String>();
    let head = "From: a@loop.example\nDate: x\nSubject: y\n";
    let mixed = "Content-Type: multipart/mixed; boundary=m\n\n";
    for (name, bytes) in [
        ("nested", format!("{head}{nested}")),
        ("never", format!("{head}{mixed}{never}")),
        ("many", format!("{head}{mixed}{many}")),
        ("multiparts", format!("{head}{multi}")),
        ("fields", format!("{head}{}", "X: y\n".repeat(2_000_000))),
        ("fold", format!("{head}X:{}", "\n y".repeat(2_000_000))),
        ("words", format!("{head}Subject: {}\n\n", "=?utf-8?q?".repeat(500_000))),
        (
            "received",
            format!(
                "{head}{mixed}--m\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--m\nContent-Type: message/rfc822\n\n{}",
                "Received: from ((((((([[[[\n".repeat(300_000)
            ),
        ),
        ("address", format!("From: {}\nSubject: x\nDate: y\n\n", "<(\"@,;:".repeat(1_000_000))),
    ] {
        let begun = Instant::now();
        let (_, collected) = read_bytes("slow.eml", bytes.as_bytes());
        assert!(begun.elapsed() < Duration::from_secs(8), "{name}: {:?}", begun.elapsed());
        println!("{name}: {:?} for {} bytes, {} rejects", begun.elapsed(), bytes.len(), collected.rejects.len());
        assert_eq!(collected.reports().count(), 0, "{name}");
    }
}

#[test]
fn the_author_of_a_mail_is_one_address_or_nobody() {
    for (name, header, expected) in [
        ("one", "From: a@b.example\n", Some("a@b.example")),
        ("with a name, in any case", "from: \"Desk, the\" <A@B.Example>\n", Some("a@b.example")),
        ("folded", "From: Desk\n <a@b.example>\n", Some("a@b.example")),
        ("a name that looks like one", "From: \"x@good.example\" <a@b.example>\n", Some("a@b.example")),
        ("a blank before the colon", "From : a@b.example\n", Some("a@b.example")),
        ("two fields", "From: a@b.example\nFrom: a@b.example\n", None),
        ("two mailboxes", "From: a@b.example, c@d.example\n", None),
        ("a group", "From: us: a@b.example;\n", None),
        ("none", "Sender: a@b.example\n", None),
        ("a machine", "From: Root@localhost\n", Some("root@localhost")),
        ("no name", "From: a@b..example\n", None),
        ("two signs", "From: a@b@c.example\n", None),
        ("nothing before it", "From: @b.example\n", None),
    ] {
        let text = format!("{header}Date: x\nSubject: y\n\n");
        let (fields, _) = parsers::kinds::mail::Fields::parse(text.as_bytes());
        assert_eq!(fields.author().as_deref(), expected, "{name}");
    }
}

#[test]
fn parts_past_the_limit_are_set_aside_as_one() {
    let one = String::from_utf8(feedback("192.0.2.6")).unwrap();
    let part = format!("Content-Type: message/rfc822\n\n{one}");
    let parts: Vec<&str> = (0..20).map(|_| part.as_str()).collect();
    let (_, collected) = read_with("x.eml", &mail("many", &parts), Limits { parts: 5, ..Limits::default() });
    assert_eq!(collected.reports().count(), 5);
    assert_eq!(collected.rejects.len(), 1);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
        if text.len() % 77 == 76 {
            text.push('\n');
        }
    }
    text
}
