//! Care: what speaks of child abuse material, in a report or in words of anybody, so that it is neither shown nor kept.

use memchr::memmem;

use crate::formats::notifiers::hotline;
use crate::kinds::mail::{self, Mail, Part};

/// Words of which one is enough, in small letters, with one space between them; see [`speaks_of_child_abuse`].
const WORDS: &[&str] = &[
    "child abuse",
    "child sexual",
    "child sex abuse",
    "child exploitation",
    "child porn",
    "childporn",
    "sexual abuse of a child",
    "sexual abuse of children",
    "sexual abuse of minors",
    "sexual exploitation of children",
    "sexual exploitation of minors",
    "kinderporn",
    "kindesmissbrauch",
    "misbruik van kinderen",
    "misbruik van minderjarigen",
    "misbruik van een minderjarige",
    "seksueel kindermisbruik",
    "pornographie infantile",
    "pornografia infantil",
    "pornografía infantil",
    "pornografia minorile",
    "pedopornogra",
    "pédopornogra",
];
/// Words that are so only by themselves: their letters stand in others, and in what is encoded.
const ALONE: &[&str] = &["csam", "csem", "csea", "csae", "ncmec"];
/// Mails inside mails that are looked through.
const DEPTH: u8 = 4;

/// Whether a text speaks of such material. A wrong yes costs a person a look; a wrong no keeps and shows what may not be.
pub fn speaks_of_child_abuse(text: &str) -> bool {
    speaks(text.as_bytes())
}

fn speaks(text: &[u8]) -> bool {
    let text = normal(text);
    let stands_alone = |word: &&str| -> bool {
        memmem::find_iter(&text, word.as_bytes()).any(|at| {
            let around = [at.checked_sub(1).and_then(|before| text.get(before)), text.get(at + word.len())];
            around.into_iter().flatten().all(|byte| !byte.is_ascii_alphanumeric())
        })
    };
    WORDS.iter().any(|word| memmem::find(&text, word.as_bytes()).is_some()) || ALONE.iter().any(stands_alone)
}

/// Small letters, with one space for each run of blanks, line breaks, dashes and underscores; the mark of a quoted line goes.
fn normal(text: &[u8]) -> Vec<u8> {
    let mut normal = Vec::with_capacity(text.len());
    let mut begins = true;
    for byte in text {
        match byte {
            b'\n' => begins = true,
            b'>' if begins => continue,
            b' ' | b'\t' | b'\r' | b'-' | b'_' => {}
            _ => {
                begins = false;
                normal.push(byte.to_ascii_lowercase());
                continue;
            }
        }
        if normal.last() != Some(&b' ') {
            normal.push(b' ');
        }
    }
    normal
}

/// Whether a mail or text that nothing understood speaks of such material, in its subject or in any text it carries, or is from a
/// hotline. At most `parts` parts of a mail are looked at.
pub fn tells_of_child_abuse(bytes: &[u8], parts: usize) -> bool {
    // What is no mail has no fields, and is one part then.
    let mail = Mail::parse(bytes, parts);
    let from = mail.fields.mailbox("From").map(|(_, address)| address).unwrap_or_default();
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    hotline::is_hotline(domain) || letter(&mail, parts, DEPTH) || mail.fields.iter().next().is_none() && speaks(bytes)
}

fn letter(mail: &Mail<'_>, parts: usize, depth: u8) -> bool {
    if speaks(mail.fields.text("Subject").unwrap_or_default().as_bytes()) {
        return true;
    }
    mail.parts.iter().any(|part| {
        if speaks(part.media.name.as_bytes()) {
            return true;
        }
        if part.media.is_message() && depth > 0 {
            return letter(&Mail::parse(&part.bytes(), parts), parts, depth - 1);
        }
        is_readable(part) && {
            let text = part.utf8();
            // Words of a page may be apart by its marks.
            speaks(&text)
                || part.media.essence == "text/html" && speaks(mail::without_marks(&String::from_utf8_lossy(&text)).as_bytes())
        }
    })
}

/// Whether a part may have words in it that were not packed.
fn is_readable(part: &Part<'_>) -> bool {
    let essence = part.media.essence.as_str();
    part.media.is_text() || essence.ends_with("json") || essence.ends_with("xml") || essence.ends_with("yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_set() {
        for (text, expected) in [
            ("CSAM on your host", true),
            ("type=\"csam\"", true),
            ("content/csem", true),
            ("a picsamplecsamx", false),
            ("Child\r\n> Sexual   Abuse", true),
            ("child_abuse", true),
            ("Melding Kinderpornografie", true),
            ("materiaal van seksueel misbruik van\nminderjarigen", true),
            ("a child process was killed; abuse of the machine", false),
            ("", false),
        ] {
            assert_eq!(speaks_of_child_abuse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn mails_are_looked_through_as_they_are_read() {
        let head = "From: a@b.example\nDate: Wed, 04 Mar 2026 03:00:00 +0000\nMIME-Version: 1.0\n";
        for (mail, expected) in [
            ("Content-Transfer-Encoding: quoted-printable\n\nchi=\nld ab=75se\n", true),
            ("Content-Transfer-Encoding: base64\n\nY2hpbGQgYWJ1c2U=\n", true),
            ("Subject: =?utf-8?b?Y2hpbGQgYWJ1c2U=?=\n\nx\n", true),
            ("Content-Type: text/html\n\n<b>child</b> <i>abuse</i>\n", true),
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: child abuse\n\n--b--\n",
                true,
            ),
            ("Content-Type: image/png\n\nchild abuse\n", false),
            ("Subject: spam\n\nx\n", false),
        ] {
            assert_eq!(tells_of_child_abuse(format!("{head}{mail}").as_bytes(), 100), expected, "{mail}");
        }
        assert!(tells_of_child_abuse(b"From: x@offlimits.nl\nSubject: hello\n\nhttps://a.invalid/\n", 100));
        assert!(tells_of_child_abuse(b"no mail at all: child abuse", 100));
        assert!(!tells_of_child_abuse(b"", 100));
    }
}
