//! Mails and archives that were broken on purpose: nothing panics, and every statement is accounted for.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::fs;
use std::path::Path;

use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use proptest::prelude::*;

/// Reads bytes; every statement that was given a place is a report or a reject, and no place is given twice.
fn check(name: &str, content_type: &str, format: Option<&str>, bytes: &[u8]) -> Result<(), TestCaseError> {
    let maps = Maps::default();
    let received = Time(1_772_600_767_000);
    let limits = Limits { parts: 20, whole: 1 << 20, unpacked: 4 << 20, ..Limits::default() };
    let hint = Hint { name, content_type, location: "", kind: None, format, received, maps: &maps, declared: None, limits };
    let mut collected = Collected::default();
    let outcome = read(&mut &*bytes, &hint, &mut collected).map_err(|stop| TestCaseError::fail(format!("{stop:?}")))?;
    let mut places: Vec<u32> = collected.reports().map(|report| report.core.ordinal).collect();
    places.extend(collected.rejects.iter().map(|reject| reject.ordinal));
    places.sort_unstable();
    prop_assert_eq!(places, (0..outcome.statements).collect::<Vec<_>>());
    prop_assert!(collected.rejects.iter().all(|reject| reject.text.len() <= 3 * (4 << 10) && !reject.reason.is_empty()));
    // Either something came of it, or a person is told why not.
    let told = outcome.statements > 0 || !collected.notes.is_empty();
    prop_assert!(told || !outcome.format.is_empty() || !outcome.unreadable.is_empty());
    prop_assert!(outcome.format.is_empty() || outcome.unreadable.is_empty());
    Ok(())
}

/// Our own mails, as what is to be broken.
fn fixtures() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Vec::new();
    for folder in ["arf", "shadowserver_mail", "free_text", "bounce", "auto_reply", "dmarc", "tlsrpt"] {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut mails: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).collect();
        mails.sort();
        files.extend(mails.into_iter().map(|path| fs::read(path).unwrap()));
    }
    assert!(!files.is_empty());
    files
}

/// A change: at a place (of 65,536), something goes and something comes.
fn changes() -> impl Strategy<Value = Vec<(u16, u8, Vec<u8>)>> {
    let insert = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        Just(b"\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"\n--b\nContent-Type: message/feedback-report\n\n".to_vec()),
        Just(b"\nContent-Type: message/rfc822\n\n".to_vec()),
        Just(b"Content-Transfer-Encoding: base64\n".to_vec()),
        Just(b"=?utf-8?q?=0D=0A".to_vec()),
        Just(b"\0\xff\xfe".to_vec()),
    ];
    prop::collection::vec((any::<u16>(), 0..40u8, insert), 1..8)
}

fn broken(mut bytes: Vec<u8>, changes: &[(u16, u8, Vec<u8>)]) -> Vec<u8> {
    for (at, gone, insert) in changes {
        let start = bytes.len() * usize::from(*at) / 65_536;
        let end = (start + usize::from(*gone)).min(bytes.len());
        bytes.splice(start..end, insert.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400), as_what in 0..4usize) {
        let (content_type, format, start) = [
            ("message/rfc822", None, &b""[..]),
            ("", Some("arf"), b"Content-Type: multipart/report; boundary=b\n\n--b\n"),
            ("", Some("shadowserver_mail"), b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"),
            ("", None, b"PK\x03\x04"),
        ][as_what];
        check("x", content_type, format, &[start, &bytes].concat())?;
    }

    #[test]
    fn broken_mails_are_read(which in any::<prop::sample::Index>(), changes in changes()) {
        let files = fixtures();
        check("x.eml", "", None, &broken(which.get(&files).clone(), &changes))?;
    }

    #[test]
    fn broken_mails_are_read_by_force(which in any::<prop::sample::Index>(), changes in changes(), arf in any::<bool>()) {
        let files = fixtures();
        let format = if arf { "arf" } else { "shadowserver_mail" };
        check("x.eml", "", Some(format), &broken(which.get(&files).clone(), &changes))?;
    }

    #[test]
    fn broken_archives_are_read(which in any::<prop::sample::Index>(), changes in changes(), stored in any::<bool>()) {
        use std::io::Write;
        let files = fixtures();
        let method = if stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in ["a.eml", "b/c.eml"] {
            writer.start_file(name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
            let mail: &Vec<u8> = which.get(&files);
            writer.write_all(mail).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        check("x.zip", "", None, &broken(bytes, &changes))?;
    }
}
