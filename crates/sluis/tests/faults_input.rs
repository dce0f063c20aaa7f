//! Input that was made to do harm, through the real program: it ends, in bounded memory, and says what it made of it.
//!
//! `SLUIS_LARGE` makes what is large larger: the megabytes of a line without an end (1,024 for the real thing).

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const HEADER: &[u8] = b"timestamp,ip,protocol,port,tag\n";
/// Where memory has to end. What has to be in memory as a whole may be 32 MiB, and is unpacked beside itself.
const MEMORY: u64 = 128 << 20;

struct Came {
    code: Option<i32>,
    out: Vec<u8>,
    err: Vec<u8>,
    /// The most memory it had, bytes, as often as one could look.
    memory: u64,
    took: Duration,
}

fn memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0) * 1024
}

fn read(arguments: &[&str], give: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send) -> Came {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command.arg("read").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut stdin, mut stdout, mut stderr) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    // What is kept of the output; the rest is read and thrown away.
    fn keep(from: &mut dyn Read) -> Vec<u8> {
        let mut kept = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if kept.len() < 1 << 20 {
                kept.extend_from_slice(&buffer[..count]);
            }
        }
        kept
    }
    std::thread::scope(|scope| {
        // A program that has seen enough closes its end; that is no failure.
        scope.spawn(move || give(&mut stdin));
        let out = scope.spawn(move || keep(&mut stdout));
        let err = scope.spawn(move || keep(&mut stderr));
        let mut most = 0;
        let status = loop {
            most = most.max(memory(&child));
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let took = begun.elapsed();
        Came { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap(), memory: most, took }
    })
}

/// Reads it and looks at what came; prints a row of the table.
fn check(name: &str, arguments: &[&str], says: &str, give: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send) {
    let came = read(arguments, give);
    let err = String::from_utf8_lossy(&came.err);
    eprintln!("{name:<44} {:>6.2} s {:>5} MiB", came.took.as_secs_f64(), came.memory >> 20);
    assert!(matches!(came.code, Some(0 | 1)), "{name}: {:?}: {}", came.code, &err[..err.floor_char_boundary(2_000)]);
    assert!(!err.contains("panicked"), "{name}: {err}");
    assert!(err.contains(says), "{name}: '{says}' is not in: {}", &err[..err.floor_char_boundary(2_000)]);
    assert!(came.memory < MEMORY, "{name}: {} MiB", came.memory >> 20);
}

fn large() -> usize {
    let set = std::env::var("SLUIS_LARGE").ok().and_then(|text| text.parse().ok());
    set.unwrap_or(if cfg!(debug_assertions) { 48 } else { 256 })
}

/// So many megabytes of one byte.
fn flood(out: &mut dyn Write, byte: u8, megabytes: usize) -> std::io::Result<()> {
    let block = vec![byte; 1 << 20];
    (0..megabytes).try_for_each(|_| out.write_all(&block))
}

#[test]
fn lines_without_an_end() {
    check("a line, by itself", &[], "unreadable", |out| flood(out, b'a', large()));
    check("a line in a feed", &["--format", "shadowserver"], "reject", |out| {
        out.write_all(HEADER)?;
        flood(out, b'a', large())?;
        out.write_all(b"\n2026-06-01 01:02:03,192.0.2.7,tcp,23,telnet\n")
    });
    check("a quoted field in a feed", &["--format", "shadowserver"], "reject", |out| {
        out.write_all(HEADER)?;
        out.write_all(b"\"")?;
        flood(out, b'\n', large())
    });
    check("a text in JSON", &[], "", |out| {
        out.write_all(b"{\"xarf_version\":\"4.2.0\",\"description\":\"")?;
        flood(out, b'a', large())
    });
    check("a header of a mail", &[], "unreadable", |out| {
        out.write_all(b"From: a@example.org\nSubject: ")?;
        flood(out, b'a', large())
    });
    check("NULs", &[], "unreadable", |out| flood(out, 0, large()));
    check("open brackets", &[], "", |out| flood(out, b'[', large()));
    check("opened objects", &[], "", |out| (0..100_000).try_for_each(|_| out.write_all(b"{\"a\":[")));
    check("line breaks", &[], "", |out| flood(out, b'\n', large()));
}

#[test]
fn mails_that_are_bombs() {
    let start = b"From: a@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b0\n\n".as_slice();
    check("multiparts in multiparts, 5,000 deep", &[], "", |out| {
        out.write_all(start)?;
        (0..5_000).try_for_each(|n| writeln!(out, "--b{n}\nContent-Type: multipart/mixed; boundary=b{}\n", n + 1))
    });
    check("mails in mails, 5,000 deep", &[], "", |out| {
        out.write_all(start)?;
        writeln!(out, "--b0\nContent-Type: message/rfc822\n")?;
        (0..5_000).try_for_each(|_| writeln!(out, "From: a@example.org\nSubject: x\nContent-Type: message/rfc822\n"))
    });
    check("10,000 parts", &[], "parts", |out| {
        out.write_all(start)?;
        (0..10_000).try_for_each(|n| {
            writeln!(out, "--b0\nContent-Type: text/csv; name={n}.csv\n\ntimestamp,ip,port\n2026-06-01 01:02:03,192.0.2.7,{n}\n")
        })
    });
    check("200,000 headers", &[], "", |out| {
        (0..200_000).try_for_each(|n| writeln!(out, "Received: from a.example (192.0.2.{}) by b.example; x", n % 256))?;
        writeln!(out, "From: a@example.org\n\nx")
    });
    check("a boundary on every line", &[], "", |out| {
        out.write_all(start)?;
        (0..2_000_000).try_for_each(|_| out.write_all(b"--b0\n"))
    });
    check("base64, 28 MiB", &[], "", |out| {
        out.write_all(start)?;
        writeln!(out, "--b0\nContent-Type: text/csv; name=scan_telnet.csv\nContent-Transfer-Encoding: base64\n")?;
        (0..386_000).try_for_each(|_| writeln!(out, "{}", "QUFB".repeat(19)))
    });
}

fn zipped(name: &str, give: impl FnOnce(&mut dyn Write)) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    give(&mut writer);
    writer.finish().unwrap().into_inner()
}

#[test]
fn archives_that_are_bombs() {
    let zeros = zipped("scan_telnet.csv", |out| flood(out, 0, large()).unwrap());
    check("zeros in an archive", &[], "", |out| out.write_all(&zeros));
    let rows = zipped("2026-06-01-scan_telnet.csv", |out| {
        out.write_all(HEADER).unwrap();
        let block = b"2026-06-01 01:02:03,192.0.2.7,tcp,23,telnet\n".repeat(10_000);
        (0..large() / if cfg!(debug_assertions) { 8 } else { 1 } * 2).for_each(|_| out.write_all(&block).unwrap());
    });
    check("rows in an archive", &[], "", |out| out.write_all(&rows));
    let mut nested = zeros;
    for level in 0..6 {
        nested = zipped(&format!("{level}.zip"), |out| out.write_all(&nested).unwrap());
    }
    check("archives in archives, 7 deep", &[], "containers inside each other", |out| out.write_all(&nested));
    check("entries that share bytes", &[], "overlap", |out| out.write_all(&overlapping()));
}

/// An archive whose directory names the same bytes two hundred times.
fn overlapping() -> Vec<u8> {
    let mut bytes = zipped("a.csv", |out| flood(out, b'a', 1).unwrap());
    let start = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let end = bytes.windows(4).position(|four| four == b"PK\x05\x06").unwrap();
    let entry = bytes[start..end].to_vec();
    let mut trailer = bytes[end..].to_vec();
    bytes.truncate(start);
    for number in 0..200u16 {
        let mut entry = entry.clone();
        // Names differ, for an archive may not name a file twice.
        let at = 46;
        entry[at] = b'A' + (number % 26) as u8;
        entry[at + 2..at + 5].copy_from_slice(format!("{number:03}").as_bytes());
        bytes.extend_from_slice(&entry);
    }
    let length = bytes.len() as u32 - start as u32;
    trailer[8..10].copy_from_slice(&200u16.to_le_bytes());
    trailer[10..12].copy_from_slice(&200u16.to_le_bytes());
    trailer[12..16].copy_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&trailer);
    bytes
}

#[test]
fn statements_without_number_or_sense() {
    let many = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    check("tiny rejects", &["--format", "shadowserver"], "reject", |out| {
        out.write_all(HEADER)?;
        (0..many).try_for_each(|_| out.write_all(b"x\n"))
    });
    check("bytes that are no UTF-8", &["--format", "shadowserver"], "reject", |out| {
        out.write_all(HEADER)?;
        (0..many / 10).try_for_each(|n: u32| out.write_all(&[0xff, b',', 0xc0, 0x80, n as u8, b',', 0xed, 0xa0, 0x80, b'\n']))
    });
    check("objects without anything", &[], "", |out| {
        (0..many).try_for_each(|_| out.write_all(b"{\"xarf_version\":\"4.2.0\"}\n"))
    });
    check("an array of nothing", &[], "", |out| {
        out.write_all(b"[{\"xarf_version\":\"4.2.0\"}")?;
        (0..many).try_for_each(|_| out.write_all(b",{}"))
    });
    check("numbers beyond all measure", &[], "", |out| {
        let digits = "9".repeat(900_000);
        writeln!(out, "{{\"xarf_version\":\"4.2.0\",\"source_port\":{digits},\"confidence\":1e{digits}}}")
    });
}

#[test]
fn values_that_cannot_be() {
    let rows = "timestamp,ip,protocol,port,tag
1970-01-01 00:00:00,192.0.2.1,tcp,23,telnet
2099-12-31 23:59:59,192.0.2.2,tcp,23,telnet
2026-06-01 01:02:03 +9999,192.0.2.3,tcp,23,telnet
2026-06-31 01:02:03,192.0.2.4,tcp,23,telnet
2026-06-01 01:02:03,192.0.2.5/24,tcp,23,telnet
2026-06-01 01:02:03,192.0.2.256,tcp,23,telnet
2026-06-01 01:02:03,192.0.2.7,tcp,65536,telnet
2026-06-01 01:02:03,192.0.2.8,tcp,-1,telnet
2026-06-01 01:02:03,192.0.2.9,tcp,23,telnet
";
    let came = read(&["--format", "shadowserver", "--now", "2026-06-02"], |out| out.write_all(rows.as_bytes()));
    let (out, err) = (String::from_utf8_lossy(&came.out), String::from_utf8_lossy(&came.err));
    assert!(out.contains("192.0.2.9"), "{out}{err}");
    for host in ["192.0.2.3\"", "192.0.2.4\"", "192.0.2.256"] {
        assert!(!out.contains(host), "{host} became a report: {out}");
    }
    // Every row is a report or a reject, whatever its time.
    assert_eq!(out.lines().count() + err.matches("\"what\":\"reject\"").count(), 9, "{out}{err}");
}
