//! Names one slip of the keyboard away: a letter more, less, other, or two that changed places.
//!
//! Only what the comparison would call alike is published ([`crate::compare`]: 85 of 100). Of n letters and the indel ratio, a letter more
//! leaves 2n / (2n + 1), one less (2n - 2) / (2n - 1), another letter or a swap (n - 1) / n. A name of few letters has half the
//! abbreviations of the world around it, so that it has no neighbours here at all.

use super::normal;
use crate::token::Class;

/// The fewest letters of a name that a neighbour of one letter more or less may have, and the name itself.
const LEAST: usize = 5;
/// The fewest letters of a name for another letter or a swap: 6 of 7 is 85.7 of 100, 5 of 6 is less than 85.
const LEAST_CHANGED: usize = 7;
/// The most letters of a word that is tried letter by letter where it is taken out; longer ones are known by their like.
const LONGEST_SHORT: usize = 6;
/// The most words of a name that are tried so.
const MOST_WRITTEN: usize = 24;
/// What stands in a joined name.
const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A joined name without habits of spelling: what transliterations of one word and spellings of one sound have in common. Letters for one
/// sound are one letter, a letter that is there twice is there once.
pub(super) fn folded(joined: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(joined.len() + 4);
    let mut add = |letter: u8| {
        // Two like digits are a number, two like letters a spelling.
        if out.last() != Some(&letter) || letter.is_ascii_digit() {
            out.push(letter);
        }
    };
    let letters = joined.as_bytes();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let next = letters.get(at + 1).copied();
        let (folded, taken): (&[u8], usize) = match (letter, next) {
            (b'p', Some(b'h')) => (b"f", 2),
            (b'c', Some(b'k')) => (b"k", 2),
            (b'c', Some(b'h')) => (b"ch", 2),
            (b'k' | b'g', Some(b'h')) => (b"h", 2),
            (b't', Some(b'h')) => (b"t", 2),
            (b'z', Some(b'h')) => (b"s", 2),
            (b'e', Some(b'e')) => (b"i", 2),
            (b'o', Some(b'o' | b'u')) => (b"u", 2),
            (b'a', Some(b'e')) => (b"e", 2),
            (b'c' | b'q', _) => (b"k", 1),
            (b'j' | b'y', _) => (b"i", 1),
            (b'w', _) => (b"v", 1),
            (b'z', _) => (b"s", 1),
            (b'x', _) => (b"ks", 1),
            _ => (letters.get(at..=at).unwrap_or_default(), 1),
        };
        folded.iter().copied().for_each(&mut add);
        at += taken;
    }
    out.into_iter().map(char::from).collect()
}

/// Whether a folded name is long enough to be compared as such.
pub(super) fn is_folded(folded: &str) -> bool {
    folded.len() >= LEAST_CHANGED
}

/// Each name one edit from `joined`, which consists of a to z and digits; letters that come in are those of [`LETTERS`] from `from` on, and
/// they come in, go or change where `may_slip`. The same name may come twice; `joined` itself does not come.
pub(super) fn neighbours(joined: &str, may_slip: &[bool], from: u8, found: &mut dyn FnMut(&str)) {
    let n = joined.len();
    if n < LEAST {
        return;
    }
    one_slip(joined, may_slip, from, &mut |near| {
        // As many letters: one was changed, or two changed places.
        if near.len() > n || (near.len() < n && n > LEAST) || n >= LEAST_CHANGED {
            found(near);
        }
    });
}

fn one_slip(joined: &str, may_slip: &[bool], from: u8, found: &mut dyn FnMut(&str)) {
    if !joined.is_ascii() {
        return;
    }
    deleted(joined, may_slip, found);
    let may = |at: usize| may_slip.get(at).copied().unwrap_or_default();
    for at in 0..=joined.len() {
        // Between two words a letter may come in when it may in either.
        let (here, before_here) = (may(at), at.checked_sub(1).is_some_and(may));
        if !here && !before_here {
            continue;
        }
        let (before, after) = joined.split_at(at);
        let next = after.bytes().next();
        let rest = after.get(1..).unwrap_or_default();
        let mut near = String::with_capacity(joined.len() + 1);
        let mut make = |parts: [&str; 3]| {
            near.clear();
            parts.iter().for_each(|part| near.push_str(part));
            found(&near);
        };
        for letter in LETTERS.iter().filter(|letter| **letter >= from && Some(**letter) != next) {
            let mut bytes = [0; 4];
            let letter: &str = char::from(*letter).encode_utf8(&mut bytes);
            // The same letter inserted behind its like is the same name as before it, hence none where the next is the same.
            make([before, letter, after]);
            if next.is_some() && here {
                make([before, letter, rest]);
            }
        }
        if let (Some((first, _)), Some((second, rest))) = (after.split_at_checked(1), rest.split_at_checked(1))
            && first != second
            && here
            && may(at + 1)
        {
            make([before, &[second, first].concat(), rest]);
        }
    }
}

/// Each joined name that comes of one slip in what is taken out of a name: in a short word ("TLD" for "LTD"; long ones are known by their
/// like), or where such a word begins or ends ("COMPAN YLIMITED"). Only what the comparison would still call alike.
pub(super) fn around(words: &[String], written: &[String], found: &mut dyn FnMut(&str)) {
    let letters: usize = words.iter().map(String::len).sum();
    if letters < LEAST {
        return;
    }
    let mut try_words = |changed: Vec<String>| {
        let joined = normal::core(changed, &mut Vec::new()).concat();
        // Letters came to those of the name: of n and m letters, n of them in common, the indel ratio is 2n / (n + m).
        if joined.len() > letters && 200 * letters >= 85 * (letters + joined.len()) {
            found(&joined);
        }
    };
    let with = |at: usize, taken: usize, new: &[&str]| -> Vec<String> {
        let (before, after) = (written.iter().take(at), written.iter().skip(at + taken));
        let new = new.iter().filter(|word| !word.is_empty()).map(|word| (*word).to_owned());
        before.cloned().chain(new).chain(after.cloned()).collect()
    };
    for (at, word) in written.iter().enumerate().take(MOST_WRITTEN) {
        let is_out = !words.contains(word);
        if is_out && (2..=LONGEST_SHORT).contains(&word.len()) {
            one_slip(word, &[true; LONGEST_SHORT], b'a', &mut |slip| try_words(with(at, 1, &[slip])));
        }
        let Some(next) = written.get(at + 1).filter(|next| is_out == words.contains(next)) else { continue };
        if let Some((rest, last)) = word.len().checked_sub(1).and_then(|last| word.split_at_checked(last)) {
            try_words(with(at, 2, &[rest, &format!("{last}{next}")]));
        }
        if let Some((first, rest)) = next.split_at_checked(1) {
            try_words(with(at, 2, &[&format!("{word}{first}"), rest]));
        }
        try_words(with(at, 2, &[&format!("{word}{next}")]));
    }
}

/// Each name without one of its letters that may be left out.
fn deleted(joined: &str, may_slip: &[bool], found: &mut dyn FnMut(&str)) {
    let mut before = None;
    for (at, letter) in joined.bytes().enumerate() {
        // One of two like letters is enough.
        if (before != Some(letter) || at.checked_sub(1).and_then(|before| may_slip.get(before)) == Some(&false))
            && may_slip.get(at) == Some(&true)
            && let (Some(head), Some(tail)) = (joined.get(..at), joined.get(at + 1..))
        {
            found(&[head, tail].concat());
        }
        before = Some(letter);
    }
}

/// With deletions on both sides, what a provider asks: the name without each of its letters.
pub(super) fn asked(joined: &str, may_slip: &[bool]) -> Vec<String> {
    let mut all = Vec::new();
    if joined.len() > LEAST {
        deleted(joined, may_slip, &mut |less| all.push(less.to_owned()));
    }
    all
}

/// With deletions on both sides, what the list holder publishes: its name for those who write a letter more, its deletions for those who
/// write a letter less, and for those who write another one.
pub(super) fn listed(joined: &str, may_slip: &[bool], found: &mut dyn FnMut(Class, &str)) {
    if joined.len() >= LEAST {
        found(Class::NameDeleted, joined);
    }
    if joined.len() > LEAST {
        deleted(joined, may_slip, &mut |less| found(Class::NameJoined, less));
    }
    if joined.len() >= LEAST_CHANGED {
        deleted(joined, may_slip, &mut |less| found(Class::NameDeleted, less));
    }
}
