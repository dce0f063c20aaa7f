//! The public names that are measured on, and chance that repeats.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};

/// A name and another name of the same.
pub(super) struct Pair {
    pub name: String,
    pub alias: String,
}

/// What is in the folder.
pub(super) struct Data {
    /// Names of organisations with other names they go by.
    pub pairs: Vec<Pair>,
    /// Names of customers.
    pub customers: Vec<String>,
    /// Pairs that people judged: two names, and whether they are one organisation.
    pub labelled: Vec<(Pair, bool)>,
}

impl Data {
    /// Reads the three files.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Data> {
        let text = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}: give the folder of the public names", path.display()))
        };
        let pairs = table(&text("alias_pairs.csv")?, &["name", "alias"])?;
        let labelled = table(&text("labelled_org_pairs.csv")?, &["name1", "name2", "is_match"])?;
        let pair = |row: &mut Vec<String>| Pair { alias: row.swap_remove(1), name: row.swap_remove(0) };
        let data = Data {
            pairs: pairs.into_iter().map(|mut row| pair(&mut row)).collect(),
            customers: text("as_org_names.txt")?.lines().map(str::to_owned).filter(|name| !name.is_empty()).collect(),
            labelled: labelled
                .into_iter()
                .map(|mut row| {
                    let same = row.pop().as_deref() == Some("true");
                    (pair(&mut row), same)
                })
                .collect(),
        };
        if data.pairs.is_empty() || data.customers.is_empty() {
            bail!("{} has no names to measure on", folder.display());
        }
        Ok(data)
    }

    /// The distinct names of organisations, sorted.
    pub(super) fn names(&self) -> Vec<&str> {
        self.pairs.iter().map(|pair| pair.name.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The columns of a CSV file (RFC 4180) by their names.
fn table(text: &str, columns: &[&str]) -> anyhow::Result<Vec<Vec<String>>> {
    let mut rows = rows(text).into_iter();
    let head = rows.next().unwrap_or_default();
    let at: Option<Vec<usize>> = columns.iter().map(|column| head.iter().position(|name| name == column)).collect();
    let Some(at) = at else { bail!("expected columns {columns:?}, found {head:?}") };
    Ok(rows.filter_map(|row| at.iter().map(|at| row.get(*at).cloned()).collect()).collect())
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            _ => cell.push(letter),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// Chance that repeats (SplitMix64): the same seed, the same choices.
pub(super) struct Chance(pub u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// `n` of these, each at most once, in a random order.
    pub(super) fn some<T: Copy>(&mut self, of: &[T], n: usize) -> Vec<T> {
        let mut all = of.to_vec();
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
        all.truncate(n);
        all
    }

    /// The name with one slip of the keyboard at one of its letters: a letter more, less, other, or two that changed places.
    pub(super) fn typo(&mut self, name: &str) -> String {
        let mut letters: Vec<char> = name.chars().collect();
        let places: Vec<usize> =
            (0..letters.len()).filter(|at| letters.get(*at).is_some_and(|letter| letter.is_alphanumeric())).collect();
        let Some(at) = places.get(self.below(places.len())).copied() else { return name.to_owned() };
        let letter = char::from(b'a' + self.below(26) as u8);
        match self.below(4) {
            0 => letters.insert(at, letter),
            1 => {
                letters.remove(at);
            }
            2 => letters[at] = letter,
            _ if at + 1 < letters.len() => letters.swap(at, at + 1),
            _ => {
                letters.pop();
            }
        }
        letters.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_keep_their_commas() {
        let read = table("a,b\n\"x, \"\"y\"\"\",z\r\nlast,one", &["b", "a"]).expect("columns are there");
        assert_eq!(read, [["z", "x, \"y\""], ["one", "last"]]);
        assert!(table("a\n", &["b"]).is_err());
    }
}
