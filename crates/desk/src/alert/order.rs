//! Recognising mail that is perhaps the order of an authority. Nothing acts on it: a person looks, within the hour.

use model::policy::is_under;
use model::time::Time;
use parsers::kinds::mail::{self, Fields, Mail};

/// Bytes of a submission that are looked at.
pub const PREFIX: usize = 256 << 10;
/// Bytes of its text that are.
const TEXT: usize = 64 << 10;
/// Parts of a mail that are.
const PARTS: usize = 20;

/// What stands beside those words in an order and hardly in anything else: the article of an authority, or who issued it.
/// (Wetboek van Strafrecht and van Strafvordering; Regulations (EU) 2021/784 and 2022/2065, articles 9 and 10; Regulation
/// (EU) 2023/1543.)
const GROUNDS: &[&[&str]] = &[
    &["125p"],
    &["125o"],
    &["54a sr"],
    &["54a wetboek"],
    &["126n"],
    &["126na"],
    &["126nc"],
    &["126nd"],
    &["126ne"],
    &["126nf"],
    &["126ng"],
    &["126nh"],
    &["126ni"],
    &["126ui"],
    &["2021/784"],
    &["2023/1543"],
    &["2022/2065", "article 9"],
    &["2022/2065", "artikel 9"],
    &["2022/2065", "article 10"],
    &["2022/2065", "artikel 10"],
    &["officier van justitie"],
    &["rechter commissaris"],
    &["openbaar ministerie"],
    &["public prosecutor"],
    &["competent authority"],
    &["bevoegde autoriteit"],
    &["terroristisch en kinderpornografisch materiaal"],
];

/// What the policy says about orders.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Domain names of authorities.
    pub authorities: &'a [String],
    /// Words of an order.
    pub words: &'a [String],
    /// Mail older than this when it came is history, in milliseconds.
    pub history: i64,
}

/// Why the beginning of a submission is perhaps an order, in words of ours that quote nothing of it; `None` when it is
/// no mail, looks like none, or is of an old mailbox.
///
/// Who really sent it is not known: a name in a mail proves nothing.
pub fn looks_like_order(bytes: &[u8], received: Time, wanted: &Wanted<'_>) -> Option<String> {
    let bytes = bytes.get(..PREFIX).unwrap_or(bytes);
    let (fields, _) = Fields::parse(mail::skip_envelope(bytes));
    fields.first("From")?;
    if is_history(&fields, received, wanted.history) {
        return None;
    }
    for name in ["From", "Sender", "Return-Path", "Reply-To"] {
        let Some((_, address)) = fields.mailbox(name) else { continue };
        if let Some(authority) = wanted.authorities.iter().find(|authority| is_under(&address, authority)) {
            return Some(format!(
                "it says that it is from {authority}, which the policy names as an authority; nobody has proved it"
            ));
        }
    }
    let text = text_of(&fields, bytes);
    // What counts as the ground must not be the word itself: one mention of a prosecutor is no order of one.
    let stands = |word: &str, ground: &str| says(&text, ground) && !word.contains(ground.trim()) && !ground.contains(word.trim());
    let (word, ground) = wanted.words.iter().map(|word| normal(word)).filter(|word| says(&text, word)).find_map(|word| {
        let ground = GROUNDS.iter().find(|all| all.iter().all(|one| stands(&word, &normal(one))))?;
        Some((word, ground))
    })?;
    Some(format!("it is worded like an order: '{}' beside '{}'", word.trim(), ground.join("' and '")))
}

/// Whether it came so long ago that nobody is to be woken. The topmost `Received` field is of the operator's own mail
/// server (RFC 5321 section 4.4); a `Date` is what its sender likes, and counts only without one.
fn is_history(fields: &Fields<'_>, received: Time, history: i64) -> bool {
    let came = match fields.first("Received") {
        Some(value) => mail::received(value).1,
        None => fields.time("Date"),
    };
    came.is_some_and(|came| came < received.plus(-history))
}

/// Subject and text parts, normalised and bounded.
fn text_of(fields: &Fields<'_>, bytes: &[u8]) -> String {
    let mut text = normal(&fields.text("Subject").unwrap_or_default());
    let mail = Mail::parse(bytes, PARTS);
    let mut left = TEXT;
    for part in mail.parts.iter().filter(|part| part.media.essence.is_empty() || part.media.is_text()) {
        let body = part.utf8();
        let body = body.get(..left).unwrap_or(&body);
        left -= body.len();
        text.push_str(&normal(&without_tags(&String::from_utf8_lossy(body))));
        if left == 0 {
            break;
        }
    }
    text
}

/// Without what stands between `<` and `>`, when that is the markup of HTML.
fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        match after.split_once('>') {
            Some((_, behind)) => {
                plain.push(' ');
                rest = behind;
            }
            // No markup after all.
            None => {
                rest = after;
                break;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Lower case, each run of other things than letters, digits and slashes one space, and a space at both ends: so that words
/// are found as words.
fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() + 2);
    normal.push(' ');
    for letter in text.chars() {
        if letter.is_alphanumeric() || letter == '/' {
            normal.extend(letter.to_lowercase());
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    if !normal.ends_with(' ') {
        normal.push(' ');
    }
    normal
}

fn says(text: &str, word: &str) -> bool {
    word.len() > 2 && text.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::DAY;
    use proptest::prelude::*;

    fn received() -> Time {
        Time::parse(b"2026-11-20T12:00:00Z").unwrap()
    }

    fn check(mail: &[u8]) -> Option<String> {
        let authorities = ["politie.example".to_owned(), "atkm.example".to_owned()];
        let words = crate::policy::shipped().order_words;
        looks_like_order(mail, received(), &Wanted { authorities: &authorities, words: &words, history: 14 * DAY })
    }

    const HEAD: &str = "Date: Fri, 20 Nov 2026 11:59:00 +0000\nMessage-ID: <1@a.example>\n";

    #[test]
    fn what_is_shown_to_a_person_at_once() {
        for (name, mail, expected) in [
            ("an authority", "From: x@politie.example\nSubject: hello\n\nCall me", Some("politie.example")),
            ("a department of one", "From: X <x@noord.politie.example>\n\n", Some("politie.example")),
            ("through somebody else's list", "From: x@list.example\nSender: y@ATKM.example\n\n", Some("atkm.example")),
            ("a name that only ends alike", "From: x@notpolitie.example\n\nhello", None),
            ("a name in front", "From: \"x@politie.example\" <x@spam.example>\n\nhello", None),
            (
                "Dutch",
                "From: a@b.example\nSubject: Bevel ex artikel 125p Sv\n\nMaak ontoegankelijk",
                Some("'bevel' beside '125p'"),
            ),
            (
                "a demand for data",
                "From: a@b.example\nSubject: vordering\n\nOp grond van art. 126nd\nSv vorder ik",
                Some("126nd"),
            ),
            (
                "European",
                "From: a@b.example\nSubject: TCO\n\nThis is a removal   order under Regulation (EU) 2021/784.",
                Some("removal order"),
            ),
            (
                "in HTML",
                "From: a@b.example\nContent-Type: text/html\n\n<p>Order to <b>act</b> against</p> illegal content, Article&nbsp;9 of Regulation 2022/2065 article 9",
                Some("2022/2065"),
            ),
            (
                "encoded",
                "From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\ncmVtb3ZhbCBvcmRlciAyMDIxLzc4NA==\n",
                Some("2021/784"),
            ),
            ("an encoded subject", "From: a@b.example\nSubject: =?utf-8?q?Bevel_125p?=\n\n", Some("125p")),
            (
                "a debt collector",
                "From: a@b.example\nSubject: Vordering onbetaalde factuur\n\nU bent in gebreke. Een dagvaarding volgt op bevel.",
                None,
            ),
            (
                "an ordinary notice under the DSA",
                "From: a@b.example\nSubject: Notice\n\nArticle 16 of Regulation (EU) 2022/2065; we may seek a court order.",
                None,
            ),
            (
                "news",
                "From: a@b.example\nSubject: news\n\nDe officier van justitie sprak; artikel 125p is oud.",
                Some("officier van justitie"),
            ),
            ("one mention", "From: a@b.example\nSubject: news\n\nDe officier van justitie sprak.", None),
            ("one article", "From: a@b.example\nSubject: news\n\nOver artikel 125p is veel te zeggen.", None),
            ("a purchase", "From: a@b.example\nSubject: Order 126\n\nYour order has been shipped", None),
            ("no mail", "bevel,125p\n1,2\n", None),
            ("nothing", "", None),
        ] {
            let mail = if mail.starts_with("From:") { format!("{HEAD}{mail}") } else { mail.to_owned() };
            let found = check(mail.as_bytes());
            match expected {
                Some(expected) => assert!(found.as_ref().is_some_and(|found| found.contains(expected)), "{name}: {found:?}"),
                None => assert_eq!(found, None, "{name}"),
            }
        }
    }

    #[test]
    fn an_old_mailbox_wakes_nobody() {
        let order = "From: x@politie.example\n\n";
        for (name, head, expected) in [
            ("a date of years ago", "Date: Fri, 20 Nov 2020 11:59:00 +0000\n", false),
            (
                "received now, whatever its date says",
                "Received: from a by b; Fri, 20 Nov 2026 11:59:00 +0000\nDate: Fri, 20 Nov 2020 11:59:00 +0000\n",
                true,
            ),
            (
                "received years ago",
                "Received: from a by b; Fri, 20 Nov 2020 11:59:00 +0000\nDate: Fri, 20 Nov 2026 11:59:00 +0000\n",
                false,
            ),
            ("no date at all", "X-A: b\n", true),
            ("a date of tomorrow", "Date: Sat, 21 Nov 2026 11:59:00 +0000\n", true),
        ] {
            assert_eq!(check(format!("{head}{order}").as_bytes()).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn why_quotes_nothing() {
        let why =
            check(b"Date: Fri, 20 Nov 2026 11:59:00 +0000\nFrom: jan.jansen@politie.example\nSubject: http://bad.example/\n\n")
                .unwrap();
        assert!(!why.contains("jan") && !why.contains("bad.example"), "{why}");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400), multipart in any::<bool>()) {
            let head: &[u8] = if multipart { b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n" } else { b"From: " };
            let _ = check(&[head, &bytes].concat());
        }
    }
}
