//! The protocol against what the RFCs say, and the decoder of mails against one that is too simple to be wrong.

use proptest::prelude::*;

use super::command::{Command, Hello, Mail, parse};
use super::data::Decoder;
use super::session::{Fate, Next, Rules, Session};

fn rules(lmtp: bool) -> Rules {
    let recipients = vec!["abuse@a.example".to_owned(), "Abuse@b.example".to_owned()];
    Rules { lmtp, hostname: "mx.a.example".to_owned(), recipients, most: 1_000, tls: true }
}

/// What is answered to these lines, line by line; mails are kept.
fn talk(lmtp: bool, lines: &[&str]) -> Vec<String> {
    let rules = rules(lmtp);
    let mut session = Session::new(&rules);
    let mut answers = Vec::new();
    for line in lines {
        let answer = session.line(line.as_bytes(), &|bytes| bytes < 900);
        answers.push(answer.text);
        match answer.next {
            Next::Data => answers.push(session.finished(Fate::Kept).text),
            Next::Tls => session.secured(),
            Next::Line | Next::End => {}
        }
    }
    answers
}

/// Only the numbers of the last answer.
fn last(lmtp: bool, lines: &[&str]) -> String {
    talk(lmtp, lines).pop().unwrap_or_default().chars().take(9).collect()
}

#[test]
fn a_mail_is_taken_by_smtp() {
    let lines = ["EHLO b.example", "MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME", "RCPT TO:<ABUSE@A.example>", "DATA", "QUIT"];
    let answers = talk(false, &lines);
    let expected = "250-mx.a.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-STARTTLS\r\n250-SIZE 1000\r\n250 ENHANCEDSTATUSCODES\r\n";
    assert_eq!(answers.first().map(String::as_str), Some(expected));
    let rest: Vec<_> = answers.iter().skip(1).map(|answer| answer.get(..9).unwrap_or_default()).collect();
    assert_eq!(rest, ["250 2.1.0", "250 2.1.5", "354 Go on", "250 2.0.0", "221 2.0.0"]);
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let lines =
        ["LHLO b.example", "MAIL FROM:<>", "RCPT TO:<a@anywhere.example>", "RCPT TO:<b@anywhere.example>", "DATA", "DATA"];
    let answers = talk(true, &lines);
    assert_eq!(answers.get(5).map(String::as_str), Some("250 2.0.0 Kept\r\n250 2.0.0 Kept\r\n"));
    assert!(answers.last().is_some_and(|answer| answer.starts_with("503 5.5.1")), "a mail is taken once");
}

#[test]
fn what_is_not_allowed_is_refused() {
    const HELLO: &str = "EHLO b.example";
    const MAIL: &str = "MAIL FROM:<a@b.example>";
    let wide = format!("RCPT TO:<{}@a.example>", "a".repeat(65));
    let cases: &[(&[&str], &str)] = &[
        (&["LHLO b.example"], "500 5.5.1"),
        (&["EHLO"], "501 5.5.4"),
        (&["EHLO two names"], "501 5.5.4"),
        (&[MAIL], "503 5.5.1"),
        (&[HELLO, "RCPT TO:<abuse@a.example>"], "503 5.5.1"),
        (&[HELLO, MAIL, MAIL], "503 5.5.1"),
        (&[HELLO, MAIL, "DATA"], "503 5.5.1"),
        (&[HELLO, MAIL, "RCPT TO:<abuse@c.example>"], "550 5.1.1"),
        (&[HELLO, MAIL, "RCPT TO:<postmaster>"], "250 2.1.5"),
        (&[HELLO, MAIL, "RCPT TO:<Postmaster@B.example>"], "250 2.1.5"),
        (&[HELLO, MAIL, "RCPT TO:<postmaster@c.example>"], "550 5.1.1"),
        (&[HELLO, MAIL, "RCPT TO:<@relay.example:abuse@a.example>"], "250 2.1.5"),
        (&[HELLO, MAIL, "RCPT TO:<abuse@a.example> NOTIFY=NEVER"], "555 5.5.4"),
        (&[HELLO, MAIL, "RCPT TO:abuse@a.example"], "501 5.1.7"),
        (&[HELLO, MAIL, "RCPT TO:<abuse@a.example"], "501 5.1.7"),
        (&[HELLO, MAIL, "RCPT TO:<abuse@a.example>x"], "501 5.1.7"),
        (&[HELLO, MAIL, &wide], "501 5.1.7"),
        (&[HELLO, MAIL, "RCPT TO:<abuse>"], "501 5.1.7"),
        (&[HELLO, "MAIL FROM:<a@b.example> SIZE=1001"], "552 5.3.4"),
        (&[HELLO, "MAIL FROM:<a@b.example> SIZE=99999999999999999999"], "552 5.3.4"),
        (&[HELLO, "MAIL FROM:<a@b.example> SIZE=-1"], "501 5.5.4"),
        (&[HELLO, "MAIL FROM:<a@b.example> SIZE=950"], "452 4.3.1"),
        (&[HELLO, "MAIL FROM:<a@b.example> BODY=BINARYMIME"], "501 5.5.4"),
        (&[HELLO, "MAIL FROM:<a@b.example> AUTH=<>"], "555 5.5.4"),
        (&[HELLO, "MAIL FROM:<é@b.example>"], "553 5.6.7"),
        (&[HELLO, "MAIL FROM:<é@b.example> SMTPUTF8"], "250 2.1.0"),
        (&[HELLO, "mail from: <a@b.example>"], "250 2.1.0"),
        (&[HELLO, "MAIL FROM:<\"a > b\"@b.example>"], "250 2.1.0"),
        (&[HELLO, "STARTTLS", MAIL], "503 5.5.1"),
        (&[HELLO, "STARTTLS", HELLO, "STARTTLS"], "503 5.5.1"),
        (&[HELLO, "STARTTLS now"], "501 5.5.4"),
        (&["VRFY abuse"], "252 2.5.2"),
        (&["EXPN abuse"], "252 2.5.2"),
        (&["GET / HTTP/1.1"], "554 5.5.1"),
        (&["AUTH PLAIN AGEAYg=="], "500 5.5.1"),
        (&["NO\0OP"], "501 5.5.4"),
        (&[""; 11], "421 4.7.0"),
        (&["NOOP"; 501], "421 4.7.0"),
    ];
    for (lines, expected) in cases {
        assert_eq!(last(false, lines), *expected, "{lines:?}");
    }
    for line in ["EHLO b.example", "HELO b.example"] {
        assert_eq!(last(true, &[line]), "500 5.5.1", "RFC 2033 section 4.1");
    }
}

#[test]
fn recipients_and_mails_have_an_end() {
    let mut lines = vec!["LHLO b.example", "MAIL FROM:<>"];
    lines.extend([&"RCPT TO:<a@a.example>"; 101].map(|line| *line));
    assert_eq!(last(true, &lines), "452 4.5.3");
    let mut lines = vec!["LHLO b.example"];
    for _ in 0..1_001 {
        lines.extend(["MAIL FROM:<>", "RCPT TO:<a@a.example>", "DATA"]);
    }
    assert!(talk(true, &lines).iter().any(|answer| answer.starts_with("421 4.7.0")));
}

#[test]
fn fates_are_told() {
    let cases = [
        (Fate::Kept, "250 2.0.0", Next::Line),
        (Fate::Large, "552 5.3.4", Next::Line),
        (Fate::BareLf, "550 5.6.0", Next::Line),
        (Fate::NoRoom, "452 4.3.1", Next::Line),
        (Fate::Failed, "451 4.3.0", Next::Line),
        (Fate::Stopping, "421 4.3.2", Next::End),
    ];
    for (fate, expected, next) in cases {
        let rules = rules(false);
        let mut session = Session::new(&rules);
        for line in ["EHLO b.example", "MAIL FROM:<>", "RCPT TO:<abuse@a.example>", "DATA"] {
            session.line(line.as_bytes(), &|_| true);
        }
        assert_eq!(session.recipients(), ["abuse@a.example"]);
        let answer = session.finished(fate);
        assert!(answer.text.starts_with(expected) && answer.next == next, "{answer:?}");
        assert!(session.mail_from().is_none() && session.recipients().is_empty());
    }
}

#[test]
fn lines_are_read() {
    assert_eq!(parse(b"ehlo B.example"), Ok(Command::Hello(Hello::Ehlo, "B.example".to_owned())));
    let mail = Mail { from: "\"a\\\"> b\"@c.example".to_owned(), size: 7 };
    assert_eq!(parse(b"MAIL FROM:<\"a\\\"> b\"@c.example> size=7"), Ok(Command::Mail(mail)));
    assert!(parse(&[b'N', 0xff]).is_err());
}

/// Everything that comes of these bytes, handed over in parts of these lengths: the mail, what follows it, whether a LF was bare.
fn decoded(bytes: &[u8], parts: &[usize]) -> (Vec<u8>, Option<Vec<u8>>, bool) {
    let (mut decoder, mut mail, mut at) = (Decoder::default(), Vec::new(), 0);
    let mut parts = parts.iter().cycle();
    while at < bytes.len() && !decoder.is_at_end() {
        let end = bytes.len().min(at + parts.next().copied().unwrap_or(1).max(1));
        at += decoder.take(&bytes[at..end], &mut mail);
    }
    (mail, decoder.is_at_end().then(|| bytes[at..].to_vec()), decoder.has_bare_lf())
}

/// The same, by looking for the end and cutting into lines.
fn simple(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>, bool)> {
    let whole = [b"\r\n", bytes].concat();
    let end = whole.windows(5).position(|window| window == b"\r\n.\r\n")?;
    let text: Vec<u8> = whole[..end + 2].to_vec();
    let mut mail = Vec::new();
    for (at, byte) in text.iter().enumerate().skip(2) {
        if !(*byte == b'.' && text[..at].ends_with(b"\r\n")) {
            mail.push(*byte);
        }
    }
    let bare = (1..text.len()).any(|at| text[at] == b'\n' && text[at - 1] != b'\r');
    Some((mail, whole[end + 5..].to_vec(), bare))
}

#[test]
fn only_one_thing_ends_a_mail() {
    let cases: [(&[u8], &[u8]); 7] = [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"a\r\n..\r\n...b\r\n.\r\nQUIT\r\n", b"a\r\n.\r\n..b\r\n"),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
        (b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n"),
        (b"a\0\xff\r.\r\r\n.\r\n", b"a\0\xff\r.\r\r\n"),
    ];
    for (bytes, expected) in cases {
        let (mail, rest, bare) = decoded(bytes, &[7]);
        assert!(mail == expected && rest.is_some() && !bare, "{:?}", bytes.escape_ascii().to_string());
    }
    // What others have taken for the end (SMTP smuggling) is none, and is refused for its LF, or is a part of the text.
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\n\n.\r\n", "\r\n\n.\r\n"] {
        let (_, rest, bare) = decoded(format!("a{end}MAIL FROM:<x@y.example>").as_bytes(), &[3]);
        assert!(rest.is_none() && bare, "{end:?}");
    }
    for end in ["\r.\r", "\r\n.\r", "\r.\r\n", "\r\n.\0\r\n"] {
        let (_, rest, bare) = decoded(format!("a{end}MAIL FROM:<x@y.example>").as_bytes(), &[3]);
        assert!(rest.is_none() && !bare, "{end:?}");
    }
}

/// What mails are put together from, so that the rare comes often.
const WORDS: &[&[u8]] = &[b"\r", b"\n", b".", b"\r\n", b"a", b"\r\n.", b"\r\n.\r\n", b"\0"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn mails_are_what_a_simple_reader_takes_them_for(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..24),
        parts in prop::collection::vec(1usize..6, 1..6),
    ) {
        let bytes = words.concat();
        let (mail, rest, bare) = decoded(&bytes, &parts);
        match simple(&bytes) {
            Some(expected) => prop_assert_eq!((mail, rest, bare), (expected.0, Some(expected.1), expected.2)),
            None => prop_assert!(rest.is_none()),
        }
    }
}
