//! A mail server that says anything at all, in any parts: what is answered, and what is taken for a mail.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The protocol stands in the program, which is no library; these files of it need nothing else.
#[allow(dead_code)]
#[path = "../../crates/sluis/src/doors/smtp"]
mod smtp {
    pub(crate) mod command;
    pub(crate) mod data;
    pub(crate) mod session;
}

use smtp::data::Decoder;
use smtp::session::{Fate, Next, RECIPIENTS, Rules, Session};

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let rules = Rules {
        lmtp: how & 1 == 1,
        hostname: "mx.hoster.example".to_owned(),
        recipients: vec!["abuse@hoster.example".to_owned()],
        most: 1 << 20,
        tls: how & 2 == 2,
    };
    let mut session = Session::new(&rules);
    let part = usize::from(how >> 2) + 1;
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let answer = match line.strip_suffix(b"\r") {
            Some(line) if line.len() <= 1_000 => session.line(line, &|bytes| bytes < 1 << 19),
            _ => session.broken_line(),
        };
        assert!(answer.text.ends_with("\r\n") && answer.text.len() < 1_000, "{answer:?}");
        assert!(answer.text.split_terminator("\r\n").all(|line| line.is_ascii() && !line.contains(['\r', '\n'])), "{answer:?}");
        match answer.next {
            Next::Line => {}
            Next::End => return,
            Next::Tls => {
                session.secured();
                assert!(session.hello().is_empty() && session.mail_from().is_none());
            }
            Next::Data => {
                let recipients = session.recipients().len();
                assert!((1..=RECIPIENTS).contains(&recipients) && session.mail_from().is_some() && !session.hello().is_empty());
                let known = |one: &String| {
                    one.to_ascii_lowercase().starts_with("postmaster") || one.eq_ignore_ascii_case("abuse@hoster.example")
                };
                assert!(rules.lmtp || session.recipients().iter().all(known), "mail for others is passed on by nobody");
                let Some(taken) = mail(rest, part) else { return };
                rest = rest.get(taken..).unwrap_or_default();
                let answer = session.finished(Fate::Kept);
                assert_eq!(answer.text.matches("250 2.0.0").count(), if rules.lmtp { recipients } else { 1 });
            }
        }
    }
});

/// Takes a mail in parts, and compares it with the same at once; how many bytes it has with its end, if it has one.
fn mail(bytes: &[u8], part: usize) -> Option<usize> {
    let (mut whole, mut at_once) = (Decoder::default(), Vec::new());
    let taken = whole.take(bytes, &mut at_once);
    let (mut decoder, mut mail, mut at) = (Decoder::default(), Vec::new(), 0);
    for part in bytes.chunks(part) {
        at += decoder.take(part, &mut mail);
    }
    assert!(mail == at_once && at == taken && decoder.is_at_end() == whole.is_at_end());
    assert!(mail.len() <= bytes.len());
    if !whole.is_at_end() {
        assert_eq!(taken, bytes.len());
        return None;
    }
    let with_line = [b"\r\n", bytes].concat();
    let end = with_line.windows(5).position(|window| window == b"\r\n.\r\n");
    assert_eq!(end.map(|end| end + 3), Some(taken), "only CR LF . CR LF ends a mail");
    assert!(mail.is_empty() || mail.ends_with(b"\r\n"));
    Some(taken)
}
