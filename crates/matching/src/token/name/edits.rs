//! Names one slip of the keyboard away: a letter more, less, other, or two that changed places.
//!
//! Only what the comparison would call alike is published ([`crate::compare`]: 85 of 100). Of n letters and the indel ratio, a letter more
//! leaves 2n / (2n + 1), one less (2n - 2) / (2n - 1), another letter or a swap (n - 1) / n. A name of few letters has half the
//! abbreviations of the world around it, so that it has no neighbours here at all.

use crate::token::Class;

/// The fewest letters of a name that a neighbour of one letter more or less may have, and the name itself.
const LEAST: usize = 5;
/// The fewest letters of a name for another letter or a swap: 6 of 7 is 85.7 of 100, 5 of 6 is less than 85.
const LEAST_CHANGED: usize = 7;
/// What stands in a joined name.
const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Each name one edit from `joined`, which consists of a to z and digits. The same may come twice; `joined` itself does not come.
pub(super) fn neighbours(joined: &str, found: &mut dyn FnMut(&str)) {
    let n = joined.len();
    if n < LEAST || !joined.is_ascii() {
        return;
    }
    if n > LEAST {
        deleted(joined, found);
    }
    for at in 0..=n {
        let (before, after) = joined.split_at(at);
        let next = after.bytes().next();
        let rest = after.get(1..).unwrap_or_default();
        let mut near = String::with_capacity(n + 1);
        for letter in LETTERS {
            // The same letter inserted behind its like is the same name as before it.
            if Some(*letter) != next {
                near.clear();
                near.push_str(before);
                near.push(char::from(*letter));
                near.push_str(after);
                found(&near);
            }
            if n >= LEAST_CHANGED && next.is_some_and(|next| next != *letter) {
                near.clear();
                near.push_str(before);
                near.push(char::from(*letter));
                near.push_str(rest);
                found(&near);
            }
        }
        if n >= LEAST_CHANGED
            && let (Some(first), Some(second)) = (next, rest.bytes().next())
            && first != second
        {
            near.clear();
            near.push_str(before);
            near.push(char::from(second));
            near.push(char::from(first));
            near.push_str(rest.get(1..).unwrap_or_default());
            found(&near);
        }
    }
}

/// Each name without one of its letters.
fn deleted(joined: &str, found: &mut dyn FnMut(&str)) {
    let mut before = None;
    for (at, letter) in joined.bytes().enumerate() {
        // One of two like letters is enough.
        if before != Some(letter)
            && let (Some(head), Some(tail)) = (joined.get(..at), joined.get(at + 1..))
        {
            found(&[head, tail].concat());
        }
        before = Some(letter);
    }
}

/// With deletions on both sides, what a provider asks: the name without each of its letters.
pub(super) fn asked(joined: &str) -> Vec<String> {
    let mut all = Vec::new();
    if joined.len() > LEAST {
        deleted(joined, &mut |less| all.push(less.to_owned()));
    }
    all
}

/// With deletions on both sides, what the list holder publishes: its name for those who write a letter more, its deletions for those who
/// write a letter less, and for those who write another one.
pub(super) fn listed(joined: &str, found: &mut dyn FnMut(Class, &str)) {
    if joined.len() >= LEAST {
        found(Class::NameDeleted, joined);
    }
    if joined.len() > LEAST {
        deleted(joined, &mut |less| found(Class::NameJoined, less));
    }
    if joined.len() >= LEAST_CHANGED {
        deleted(joined, &mut |less| found(Class::NameDeleted, less));
    }
}
