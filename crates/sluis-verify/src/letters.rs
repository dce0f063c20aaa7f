//! Letters: what was sent to a party. They are numbered for each party, so that "all letters" can be shown.

use std::collections::BTreeMap;

use seal::record::Hash;

use crate::said::quote;
use crate::subject::{Known, Subject};
use crate::verdict::Check;

/// The events that are letters.
const LETTERS: [&str; 4] = ["told", "reminded", "warned", "restriction proposed"];

/// Whether a record is of a letter.
pub(crate) fn is_letter(record: &Known<'_>) -> bool {
    record.text("event").is_some_and(|event| LETTERS.contains(&event))
}

/// The letters to one party, by rising number.
pub(crate) struct Letters<'a> {
    party: &'a [u8],
    name: Option<&'a str>,
    letters: Vec<(u64, Option<&'a Hash>, Hash)>,
}

/// The numbered letters of a bundle, of which the party is shown.
pub(crate) fn by_party<'a>(subject: &Subject<'a>) -> Vec<Letters<'a>> {
    let mut all: BTreeMap<&[u8], Letters<'a>> = BTreeMap::new();
    for record in subject.records.iter().filter(|record| is_letter(record)) {
        let (Some(party), Some(seq)) = (record.bytes("party"), record.number("party_seq")) else { continue };
        let letters = all.entry(party).or_insert_with(|| Letters { party, name: record.text("party_name"), letters: Vec::new() });
        letters.letters.push((seq, record.digest("party_prev"), record.commitment));
    }
    let mut all: Vec<Letters<'a>> = all.into_values().collect();
    all.iter_mut().for_each(|letters| letters.letters.sort_by_key(|(seq, ..)| *seq));
    all
}

impl Letters<'_> {
    /// Says which letters are there, and whether each names the one before it.
    pub(crate) fn told(&self, check: &mut Check) {
        let (Some((first, ..)), Some((last, ..))) = (self.letters.first(), self.letters.last()) else { return };
        let whom = self.name.map_or_else(|| quote(&crate::said::hex(self.party)), quote);
        let mut gap = false;
        for pair in self.letters.windows(2) {
            let [(before, _, commitment), (after, previous, _)] = pair else { continue };
            if before == after {
                check.wrong(
                    format!("two letters to {whom} have number {after}"),
                    format!("twee brieven aan {whom} hebben nummer {after}"),
                );
            } else if before.saturating_add(1) < *after {
                gap = true;
            } else if previous.is_some_and(|previous| previous != commitment) {
                check.wrong(
                    format!("letter {after} to {whom} names another one before it"),
                    format!("brief {after} aan {whom} noemt een andere vorige"),
                );
            } else if previous.is_none() {
                gap = true;
            }
        }
        // The numbers on paper begin with 1.
        let (first, last) = (first.saturating_add(1), last.saturating_add(1));
        if gap {
            check.say(
                format!("of the letters {first} to {last} to or about {whom} not all are shown here"),
                format!("van de brieven {first} tot en met {last} aan of over {whom} staan hier niet alle"),
            );
        } else {
            check.say(
                format!("letters {first} to {last} of this party, none left out: {whom}"),
                format!("brieven {first} tot en met {last} van deze partij, geen weggelaten: {whom}"),
            );
        }
    }
}
