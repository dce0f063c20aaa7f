//! What is found in text for people: how it is written, what becomes of it, and what is left alone.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use model::time::Time;
use parsers::formats::free_text::findings;
use parsers::read::read;
use parsers::sink::{Collected, Finding, Found};
use parsers::source::Hint;

fn now() -> Time {
    Time::parse(b"2026-03-10T12:00:00Z").unwrap()
}

/// What was found in a text, but for lines of logs.
fn found(text: &str) -> Vec<String> {
    let all = findings(text.as_bytes(), now());
    all.iter().filter(|finding| finding.what != Found::LogLine).map(|finding| finding.value.clone()).collect()
}

#[test]
fn addresses_as_people_write_them() {
    for (text, expected) in [
        ("from 192.0.2.1.", &["192.0.2.1"][..]),
        ("(192.0.2.1)-->(jan@a.example)", &["192.0.2.1", "jan@a.example"]),
        ("192[.]0[.]2[.]1 and 192.0.2[.]2 and 192(dot)0(dot)2(dot)3", &["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("192.0.2.1:80, 192.0.2.2 port 22", &["192.0.2.1:80", "192.0.2.2:22"]),
        ("192.0.2.1 (port: 443)", &["192.0.2.1:443"]),
        ("net 192.0.2.0/24, 192.0.2.7/24 and 192.0.2.1/32", &["192.0.2.0/24", "192.0.2.7", "192.0.2.1"]),
        ("192.0.2.1 - 192.0.2.9", &["192.0.2.1 - 192.0.2.9", "192.0.2.1", "192.0.2.9"]),
        ("ip=192.0.2.1;x_192.0.2.2 from-192.0.2.3", &["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("[2001:db8::1]:8080 IPv6:2001:db8::2. 2001:DB8:0:0:0:0:0:3", &["[2001:db8::1]:8080", "2001:db8::2", "2001:db8::3"]),
        ("2001:db8::/32 ::ffff:192.0.2.1", &["2001:db8::/32", "192.0.2.1"]),
        // Nobody's address.
        ("1.2.3.4.5 999.1.1.1 1.2.3 00:11:22:33:44:55 std::string 11:22:33:44:55:66:77:88", &[]),
        (
            "1-2-0-192.pool.isp.example and 192.0.2.1.pool.isp.example",
            &["1-2-0-192.pool.isp.example", "192.0.2.1.pool.isp.example"],
        ),
        ("10.1.2.3.4", &[]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn urls_names_and_mail_addresses() {
    for (text, expected) in [
        ("see http://a.example/x?y=1#z.", &["http://a.example/x?y=1#z"][..]),
        ("<https://A.Example:8443/Path>, (http://b.example/(c))", &["https://a.example:8443/Path", "http://b.example/(c)"]),
        ("hxxp://a[.]example/b hXXps://c.example", &["http://a.example/b", "https://c.example"]),
        ("hxxp[:]//a[.]example/b", &["http://a.example/b"]),
        ("*http://a.example/b*", &["http://a.example/b"]),
        ("\"http://192.0.2.1:81/x\"", &["http://192.0.2.1:81/x", "192.0.2.1:81"]),
        ("http://tool.example/?ip=192.0.2.7&x", &["http://tool.example/?ip=192.0.2.7&x", "192.0.2.7"]),
        ("http://jan@a.example/", &["http://jan@a.example/"]),
        ("the host shop.example and bad[.]example.", &["shop.example", "bad.example"]),
        ("index.php, notes.txt, run.sh, e.g. this, finished.In the end, foo.bar()", &[]),
        ("abuse@a.example jan[at]b[.]example jan (at) c.example", &["abuse@a.example", "jan@b.example", "jan@c.example"]),
        ("Message-ID: <1@a.example>", &[]),
        ("www.shop.co.uk 163.com", &["www.shop.co.uk", "163.com"]),
        ("javascript:alert(1) http://nowhere https: //a", &[]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn times_as_machines_and_people_write_them() {
    for (text, expected) in [
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06:07.250 +01:00", "2026-03-04T04:06:07.250Z"),
        ("at 2026-03-04 05:06:07-07:00", "2026-03-04T12:06:07Z"),
        ("2026-03-04,05:06:07,1234", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06:07 CEST", "2026-03-04T03:06:07Z"),
        ("20260304T050607Z", "2026-03-04T05:06:07Z"),
        ("Wed, 4 Mar 2026 05:06:07 +0100", "2026-03-04T04:06:07Z"),
        ("*Wed, 04 Mar 2026 05:06:07 +0100*.", "2026-03-04T04:06:07Z"),
        ("[04/Mar/2026:05:06:07 +0100]", "2026-03-04T04:06:07Z"),
        ("Mar  4 05:06:07 host sshd", "2026-03-04T05:06:07Z"),
        ("Dec 31 23:00:00", "2025-12-31T23:00:00Z"),
        ("Sat May 16 02:03:17 2015", "2015-05-16T02:03:17Z"),
        ("Sat May 16 02:03:17 CEST 2015", "2015-05-16T00:03:17Z"),
        ("Mon, 21 Sep 2015 11:00AM PDT", "2015-09-21T18:00:00Z"),
        ("4. März 2026 um 05:06 Uhr MEZ", "2026-03-04T04:06:00Z"),
        ("op 4 maart 2026 om 5:06 uur", "2026-03-04T05:06:00Z"),
        ("on March 4th, 2026 at 5:06 PM UTC", "2026-03-04T17:06:00Z"),
        ("05:06:07 UTC on 4 March 2026", "2026-03-04T05:06:07Z"),
        ("04.03.2026 05:06:07", "2026-03-04T05:06:07Z"),
        ("04-03-2026 05:06", "2026-03-04T05:06:00Z"),
        ("09/20/2015 07:00", "2015-09-20T07:00:00Z"),
        ("20/09/2015", "2015-09-20T00:00:00Z"),
        ("01/01/2015", "2015-01-01T00:00:00Z"),
        ("2026-03-04 05:06 UTC+2", "2026-03-04T03:06:00Z"),
        ("2026/03/04 05:06:07", "2026-03-04T05:06:07Z"),
        ("timestamp: 1772600767", "2026-03-04T05:06:07Z"),
        // Only one of the two readings is near.
        ("03/04/2026", "2026-03-04T00:00:00Z"),
        ("2026-03-04 16:56-17:30", "2026-03-04T16:56:00Z"),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
    for text in [
        "02/03/2015",
        "2026-02-30",
        "12:34:56",
        "order 1772600767",
        "version 4.3.2026.1",
        "may 5",
        "4 Mar",
        "2026-13-01",
        "99:99",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn a_text_says_its_zone_once() {
    let text = "Mar  4 05:06:07 drop\n2026-03-04 08:00:00 UTC drop\nAll times are in CET.\n";
    assert_eq!(found(text), ["2026-03-04T04:06:07Z", "2026-03-04T08:00:00Z"]);
    assert_eq!(found("Timezone: UTC+2\n2026-03-04 08:00:00"), ["2026-03-04T06:00:00Z"]);
}

fn confidence_of(all: &[Finding], value: &str) -> u8 {
    let found: Vec<u8> = all.iter().filter(|finding| finding.value == value).map(|finding| finding.confidence).collect();
    assert_eq!(found.len(), 1, "{value} in {all:#?}");
    found[0]
}

#[test]
fn what_is_meant_comes_before_what_is_mentioned() {
    let text = "From: Ann <ann@sensor.example>\nDate: Tue, 10 Mar 2026 10:00:00 +0000\n\
        Received: from mx.sensor.example (mx.sensor.example [198.51.100.9]) by us.example; Tue, 10 Mar 2026 10:00:00 +0000\n\
        Subject: abuse from 192.0.2.1\n\n\
        Dear team,\nthe attacker 192.0.2.2 went for our host 203.0.113.5.\n\
        Mar  9 05:06:07 web sshd[77]: Failed password from 192.0.2.3 port 2222\n\
        Sent by 198.51.100.9. We use 10.0.0.1.\n\
        hxxp://bad[.]example/x\nSee http://www.sensor.example/faq\n-- \nAnn, 203.0.113.200, http://other.example/\n";
    let all = findings(text.as_bytes(), now());
    let of = |value: &str| confidence_of(&all, value);
    for (more, less) in [
        ("192.0.2.1", "203.0.113.5"),
        ("192.0.2.2", "203.0.113.5"),
        ("192.0.2.3:2222", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.9"),
        ("203.0.113.5", "10.0.0.1"),
        ("203.0.113.5", "203.0.113.200"),
        ("http://bad.example/x", "http://other.example/"),
        ("http://other.example/", "http://www.sensor.example/faq"),
    ] {
        assert!(of(more) > of(less), "{more} ({}) before {less} ({})", of(more), of(less));
    }
    let log: Vec<&str> = all.iter().filter(|finding| finding.what == Found::LogLine).map(|finding| &*finding.value).collect();
    assert_eq!(log, ["Mar  9 05:06:07 web sshd[77]: Failed password from 192.0.2.3 port 2222"]);
    let places: Vec<&str> = all.iter().map(|finding| &*finding.place).take(2).collect();
    assert_eq!(places, ["Subject", "part 1 (text/plain), line 2"]);
}

#[test]
fn a_thing_is_offered_once_and_a_thousand_things_at_most() {
    let text: String = (0..70_000).map(|number| format!("from 192.0.{}.{}\n", number / 256 % 256, number % 256)).collect();
    assert_eq!(found(&text.repeat(2)).len(), parsers::formats::free_text::MOST);
    assert_eq!(found(&"from 192.0.2.1\n".repeat(100)), ["192.0.2.1"]);
    let mut sink = Collected::default();
    let outcome = read(&mut text.as_bytes(), &Hint::new("x.txt", now()), &mut sink).unwrap();
    assert_eq!((outcome.format, outcome.statements, sink.findings.len()), ("", 0, 1_000));
    assert!(sink.notes.iter().any(|note| note.text.contains("first 1000")), "{:?}", sink.notes);
}

#[test]
fn hostile_text_costs_no_more_than_its_length() {
    let pieces = [
        "1",
        "a",
        "1.",
        "1:",
        "a.",
        "a@",
        "h",
        "http://",
        "hxxp[:]//",
        "[.]",
        "(dot)",
        "((((((((",
        "http://a.example/))))",
        "::",
        "1:1:",
        "Mar 4 ",
        "0:00 ",
        "2026-03-",
        "timezone ",
        "<a href=",
        "<script>",
        "<!--",
        "&#",
        "> ",
        "[1]",
        "192.0.2.1 - ",
        "a[at]",
        "\u{e9}",
        "-",
        "_",
        "\n",
    ];
    for piece in pieces {
        for head in ["", "From: a@a.example\nDate: x\nContent-Type: text/html\n\n"] {
            let text = format!("{head}{}.", piece.repeat((128 << 10) / piece.len()));
            let begun = std::time::Instant::now();
            let _ = findings(text.as_bytes(), now());
            assert!(begun.elapsed().as_millis() < 3_000, "{piece:?} {head:?}: {:?}", begun.elapsed());
        }
    }
}
