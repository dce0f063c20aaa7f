//! How rare the words of company names are: counted over public names, and written down as the table that the tokens go by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use matching::token::name::Name;

/// Over how many names our own figures are reckoned.
const OURS: f64 = 20_000.0;
/// In how many names a word stands at least to be written down: a word of one or two companies would name them.
const LEAST: u32 = 3;

/// The table, of names (one a line) and of our own figures (a count, then words).
pub(super) fn make(names: &str, own: &str) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut total = 0u32;
    for name in names.lines().filter_map(Name::of) {
        total += 1;
        for word in name.words().iter().collect::<BTreeSet<_>>() {
            *counts.entry(word.clone()).or_default() += 1;
        }
    }
    let bits = |count: f64, of: f64| (16.0 * (of / (count + 0.5)).log2()).floor().max(0.0) as u32;
    let mut table: BTreeMap<&str, u32> = counts
        .iter()
        .filter(|(word, count)| **count >= LEAST && word.len() <= 32)
        .map(|(word, count)| (word.as_str(), bits(f64::from(*count), f64::from(total))))
        .collect();
    for line in own.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(count) = words.next().and_then(|count| count.parse().ok()) else { continue };
        for word in words {
            let bits = bits(count, OURS);
            table.entry(word).and_modify(|there| *there = bits.min(*there)).or_insert(bits);
        }
    }
    let mut out = format!(
        "\
# How rare the words of company names are, in sixteenths of a bit: 16 log2(N / (n + 0.5)), rounded down, of a word in n of N names.
# Counts only, of words that stand in at least {LEAST} of {total} names of holders of autonomous systems, as IP Geolocation by DB-IP
# (https://db-ip.com) publishes them with data of routeviews.org and nro.net under CC-BY-4.0
# (https://creativecommons.org/licenses/by/4.0/); the names were normalised, counted and left behind: that is our change.
# Joined with name-words-nl.txt. Made by `cargo xtask names DIR --table`; a change is a new NORM_VERSION.
"
    );
    for (word, bits) in table {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{word} {bits}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_few_names_stay_out() {
        let table = make("Tulp Hosting B.V.\nHosting Waterhoen\nHosting\nTulp\n", "# ours\n10000 tulp\n");
        let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, ["hosting 3", "tulp 15"]);
    }
}
