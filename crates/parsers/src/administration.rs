//! Address administrations: bytes in, parties and assignments out.
//!
//! Three readers, one result: [`csv`] reads the columns that Sluis documents, [`rpsl`] reads the databases of the
//! Internet registries, and [`map`] reads anybody's files by a description of them; [`systems`] has the descriptions of
//! what hosters use most. Each gives a [`Snapshot`] and [`Finding`]s, and none fails as a whole: a bad row costs that row.
//!
//! A snapshot is `complete` only when everything in the file could be read: a row that was lost must not look like an
//! assignment that has ended. The caller turns it off for feeds of changes, and may turn it on against the reader's
//! judgement.
//!
//! Columns whose name looks like that of a password are never kept, and never quoted in a finding.

pub mod abuseio;
pub mod changes;
pub mod columns;
pub mod csv;
pub mod lines;
pub mod map;
mod rows;
pub mod rpsl;
pub mod systems;

pub use model::administration::Snapshot;

/// Something that was not taken as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, for people: `line 17`.
    pub place: String,
    /// The text, at most [`TEXT_KEPT`] bytes of it.
    pub text: String,
    /// What is wrong and, where one can say, what would be right.
    pub reason: String,
}

/// Bytes of a finding's text that are kept.
pub const TEXT_KEPT: usize = 200;
/// Findings that are kept; the last one then says how many more there were.
pub const FINDINGS_KEPT: usize = 10_000;

/// Bounds on hostile input. Past a bound something is left out with a finding.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a line, a CSV record, an RPSL object or a JSON element. Default 1 MiB.
    pub record: usize,
    /// Bytes that a compressed file may unpack to. Default 64 GiB.
    pub unpacked: u64,
    /// How many times larger than its packed form a file may be. Default 200.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { record: 1 << 20, unpacked: 64 << 30, ratio: 200 }
    }
}

/// Collects findings: all are counted, [`FINDINGS_KEPT`] are kept.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The file that places are in; empty when there is but one.
    pub(crate) file: String,
    kept: Vec<Finding>,
    more: usize,
    /// Whether something was lost that would have made an assignment or party.
    lost: bool,
}

impl Findings {
    /// Something worth knowing; nothing is lost.
    pub(crate) fn note(&mut self, place: impl FnOnce() -> String, text: &str, reason: impl FnOnce() -> String) {
        if self.kept.len() >= FINDINGS_KEPT {
            self.more += 1;
            return;
        }
        let mut end = text.len().min(TEXT_KEPT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let place = if self.file.is_empty() { place() } else { format!("{}, {}", self.file, place()) };
        self.kept.push(Finding { place, text: text[..end].to_owned(), reason: reason() });
    }

    /// Something is lost, so the snapshot is not complete.
    pub(crate) fn lose(&mut self, place: impl FnOnce() -> String, text: &str, reason: impl FnOnce() -> String) {
        self.lost = true;
        self.note(place, text, reason);
    }

    /// Whether something is lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the snapshot is complete, and the findings.
    pub(crate) fn finish(mut self) -> (bool, Vec<Finding>) {
        if self.more > 0 {
            let reason = format!("{} more findings of this file are not listed", self.more);
            self.kept.push(Finding { place: "the file".to_owned(), text: String::new(), reason });
        }
        if self.lost {
            let reason = "something could not be read, so nothing is taken to have ended; mend it and import again".to_owned();
            self.kept.push(Finding { place: "the file".to_owned(), text: String::new(), reason });
        }
        (!self.lost, self.kept)
    }
}

/// Whether a column's name looks like that of a password, key or token: such a column is never kept.
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 25] = [
        "password",
        "passwd",
        "passwort",
        "passphrase",
        "wachtwoord",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "authkey",
        "rootpw",
        "rootpass",
        "userpass",
        "dbpass",
        "credential",
        "authcode",
        "eppcode",
        "sshkey",
        "cardnum",
        "creditcard",
        "bankacct",
        "bankaccount",
        "securityq",
        "twofactor",
    ];
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    matches!(name.as_str(), "pw" | "pwd" | "pass" | "pin" | "key" | "otp" | "psk" | "iban" | "cvv")
        || name.ends_with("pwd")
        || name.ends_with("pw")
        || WORDS.iter().any(|word| name.contains(word))
}

/// The candidate that is spelt most like `word`, if one is near: for hints.
pub fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let best = candidates.map(|candidate| (distance(&word, candidate), candidate)).min()?;
    (best.0 <= 1 + word.len() / 3).then_some(best.1)
}

/// Levenshtein's distance of two short words.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, letter) in b.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..a.len() {
            let change = diagonal + usize::from(a[j] != letter);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in ["password", "Root-PW", "api_key", "user.passwd", "vnc_token", "Wachtwoord", "auth code", "pwd"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["party", "product", "passport_country", "keyboard", "account", "reference"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn hints_name_what_is_near() {
        assert_eq!(nearest("Resorce", ["resource", "reference"].into_iter()), Some("resource"));
        assert_eq!(nearest("zzzzzz", ["resource", "reference"].into_iter()), None);
    }
}
