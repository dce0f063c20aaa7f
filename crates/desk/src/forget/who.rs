//! A person as words in texts: how one is recognised, and what stands there afterwards.

use model::address::Address;

use crate::Error;

/// What stands where a person was.
const ERASED: &str = "[erased]";
/// Digits that two telephone numbers share when they are one: without the country's code or the leading zero.
const DIGITS: usize = 8;
/// Bytes of a word, at least and at most.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=200;

/// A person, by words for it: mail addresses, names, references, telephone numbers, IP addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// As it was given, and in capitals and small letters where these are other bytes than ASCII's.
    forms: Vec<String>,
    is_mail: bool,
    address: Option<Address>,
    digits: Option<String>,
}

impl Who {
    /// Understands words for one person.
    ///
    /// # Errors
    /// [`Error::Invalid`] for words that would be found everywhere.
    pub fn parse(words: &[String]) -> Result<Who, Error> {
        let words = words.iter().map(|word| Word::parse(word.trim())).collect::<Result<Vec<_>, _>>()?;
        if words.is_empty() {
            return Err(Error::Invalid("name the person: a mail address, a name, a reference, a number, an IP address".into()));
        }
        Ok(Who { words })
    }

    /// What stands in place of a text that names the person; `None` when it does not.
    pub fn change(&self, text: &str) -> Option<String> {
        let mut found = self.found(text.as_bytes());
        if found.is_empty() {
            return None;
        }
        found.sort_unstable_by_key(|range| range.start);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in found {
            if range.end <= at {
                continue;
            }
            // Matches begin and end at letters' borders; where two overlap, the second goes on from the first.
            if let Some(before) = text.get(at..range.start.max(at)) {
                out.push_str(before);
            }
            if !out.ends_with(ERASED) || range.start > at {
                out.push_str(ERASED);
            }
            at = range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Some(out)
    }

    /// As [`Who::change`], for bytes that need not be text.
    pub fn change_bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.change(text).map(String::into_bytes),
            Err(_) => (!self.found(bytes).is_empty()).then(|| ERASED.as_bytes().to_vec()),
        }
    }

    /// Whether bytes name the person.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        !self.found(bytes).is_empty()
    }

    /// Whether bytes name the person, be they as they came in a mail: in base64 too, whose lines break anywhere.
    pub fn is_in_mail(&self, bytes: &[u8]) -> bool {
        if self.is_in(bytes) {
            return true;
        }
        let joined: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        self.words.iter().flat_map(|word| &word.forms).any(|form| {
            let encoded = base64_forms(form.as_bytes());
            encoded.iter().any(|encoded| find(&joined, encoded, false).next().is_some())
        })
    }

    /// The IP addresses among the words.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + '_ {
        self.words.iter().filter_map(|word| word.address)
    }

    /// The words as one text that is always the same, for a hash.
    pub(crate) fn canonical(&self) -> String {
        let mut words: Vec<String> = self.words.iter().filter_map(|word| Some(word.forms.first()?.to_lowercase())).collect();
        words.sort();
        words.join("\n")
    }

    fn found(&self, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
        self.words.iter().flat_map(|word| word.found(bytes)).collect()
    }
}

impl Word {
    fn parse(text: &str) -> Result<Word, Error> {
        if !LENGTH.contains(&text.len()) || text.chars().any(char::is_control) {
            return Err(Error::Invalid(format!(
                "'{}': a word has 3 to 200 bytes, or it is found everywhere",
                text.escape_debug()
            )));
        }
        let mut forms = vec![text.to_owned()];
        for form in [text.to_lowercase(), text.to_uppercase()] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_number = text.chars().all(|c| c.is_ascii_digit() || "+ ()-./".contains(c)) && digits.len() > DIGITS;
        let address = Address::parse(text.as_bytes());
        Ok(Word {
            forms,
            is_mail: text.contains('@'),
            digits: (is_number && address.is_none()).then(|| digits[digits.len() - DIGITS..].to_owned()),
            address,
        })
    }

    fn found(&self, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
        let mut found: Vec<std::ops::Range<usize>> = Vec::new();
        for form in &self.forms {
            for at in find(bytes, form.as_bytes(), true) {
                let range = at..at + form.len();
                if self.stands_alone(bytes, &range) && !found.contains(&range) {
                    found.push(range);
                }
            }
        }
        if let Some(address) = self.address {
            let same = |part: &[u8]| Address::parse(part) == Some(address);
            found.extend(
                runs(bytes, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
                    .filter(|run| same(bytes.get(run.clone()).unwrap_or_default())),
            );
        }
        if let Some(digits) = &self.digits {
            let same = |part: &[u8]| {
                let of_part: Vec<u8> = part.iter().copied().filter(u8::is_ascii_digit).collect();
                of_part.len() <= 16 && of_part.ends_with(digits.as_bytes())
            };
            let runs = runs(bytes, |byte| byte.is_ascii_digit() || b"+ ()-./".contains(&byte));
            for run in runs {
                let part = bytes.get(run.clone()).unwrap_or_default();
                let Some(first) = part.iter().position(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'(')) else {
                    continue;
                };
                let last = part.iter().rposition(u8::is_ascii_digit).unwrap_or(first);
                if same(part) {
                    found.push(run.start + first..run.start + last + 1);
                }
            }
        }
        found
    }

    /// Whether what was found is the word, and no part of a longer one: 'ann@a.example' is not in 'joann@a.example', nor
    /// in 'ann@a.example.org'.
    fn stands_alone(&self, bytes: &[u8], range: &std::ops::Range<usize>) -> bool {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
        let before = range.start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let after = bytes.get(range.end).copied();
        let next = bytes.get(range.end + 1).copied();
        let starts = before.is_none_or(|byte| !(letter(byte) || self.is_mail && b"._+-".contains(&byte)));
        let ends = after.is_none_or(|byte| {
            !letter(byte)
                && !((self.is_mail || self.address.is_some()) && byte == b'-')
                && !((self.is_mail || self.address.is_some()) && byte == b'.' && next.is_some_and(letter))
        });
        let is_of_number = self.address.is_some() && before == Some(b'.');
        starts && ends && !is_of_number
    }
}

/// Where `needle` stands, without regard to ASCII's capitals if `any_case`.
fn find<'a>(bytes: &'a [u8], needle: &'a [u8], any_case: bool) -> impl Iterator<Item = usize> + 'a {
    let (small, large) = match needle.first() {
        Some(first) if any_case => (first.to_ascii_lowercase(), first.to_ascii_uppercase()),
        Some(first) => (*first, *first),
        None => (0, 0),
    };
    let same = move |part: &[u8]| if any_case { part.eq_ignore_ascii_case(needle) } else { part == needle };
    let starts = bytes.iter().enumerate().filter(move |(_, byte)| **byte == small || **byte == large).map(|(at, _)| at);
    starts.filter(move |&at| !needle.is_empty() && bytes.get(at..at + needle.len()).is_some_and(same))
}

/// The longest runs of bytes of a kind.
fn runs(bytes: &[u8], is: impl Fn(u8) -> bool) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|byte| is(*byte))?;
        let length = bytes.get(start..)?.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len() - start);
        at = start + length;
        Some(start..at)
    })
}

/// What a text is part of in base64 (RFC 4648), at each of the three places where it may begin, without the letters at
/// its ends that depend on what stands beside it.
fn base64_forms(text: &[u8]) -> Vec<Vec<u8>> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let forms = (0..3).map(|before| {
        let bits: Vec<u8> = std::iter::repeat_n(0, before * 8)
            .chain(text.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)))
            .collect();
        let skipped = (before * 8).div_ceil(6);
        let letters = bits.chunks_exact(6).map(|six| {
            let number = six.iter().fold(0u8, |number, bit| number << 1 | bit);
            LETTERS.get(usize::from(number)).copied().unwrap_or(b'A')
        });
        letters.skip(skipped).collect::<Vec<u8>>()
    });
    forms.filter(|form| form.len() >= 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(words: &[&str]) -> Who {
        Who::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_person_is_found_and_nobody_else() {
        let cases = [
            ("a mail address", "jan@shop.example", "To: <Jan@Shop.Example>, b@c.example", Some("To: <[erased]>, b@c.example")),
            ("part of another", "jan@shop.example", "bertjan@shop.example ert.jan@shop.example", None),
            ("of a longer domain", "jan@shop.example", "jan@shop.example.org", None),
            ("at the end of a sentence", "jan@shop.example", "Ask jan@shop.example.", Some("Ask [erased].")),
            ("a name", "Jan de Wit", "customer JAN DE WIT (new)", Some("customer [erased] (new)")),
            ("a name with marks", "Zoë Müller", "ZOË MÜLLER was here", Some("[erased] was here")),
            ("another name", "Jan de Wit", "Jan de Wittebrood", None),
            (
                "an address",
                "192.0.2.7",
                "192.0.2.7:25 and 192.0.2.77, 1.192.0.2.7",
                Some("[erased]:25 and 192.0.2.77, 1.192.0.2.7"),
            ),
            ("an address in another form", "2001:db8::7", "from 2001:0DB8:0:0:0:0:0:7 on", Some("from [erased] on")),
            ("a number", "06 1234 5678", "call +31 6-12345678 now", Some("call [erased] now")),
            ("another number", "06 1234 5678", "call 06 1234 5679", None),
            ("twice", "C-100", "C-100 is c-100", Some("[erased] is [erased]")),
            ("nothing", "C-100", "", None),
        ];
        for (name, word, text, expected) in cases {
            assert_eq!(who(&[word]).change(text).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn words_that_are_everywhere_are_refused() {
        for word in ["", "a", "ab", " x ", "a\nb\nc", &"a".repeat(201)] {
            assert!(Who::parse(&[word.to_owned()]).is_err(), "{word:?}");
        }
        assert!(Who::parse(&[]).is_err());
    }

    #[test]
    fn base64_hides_nobody() {
        // "xx jan@shop.example yy" with one, two and three bytes before, in lines that break anywhere.
        for encoded in ["eHggamFuQHNob3AuZXhhbXBsZSB5eQ==", "eCBqYW5Ac2hvcC5l\r\neGFtcGxlIHl5", "IGphbkBzaG9wLmV4\nYW1wbGUgeXk="]
        {
            assert!(who(&["jan@shop.example"]).is_in_mail(encoded.as_bytes()), "{encoded}");
        }
        assert!(!who(&["jan@shop.example"]).is_in_mail(b"eHggcGlldEBzaG9wLmV4YW1wbGUgeXk="));
    }
}
