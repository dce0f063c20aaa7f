//! The manifest of a backup: what is in it, with sizes and checksums, as lines of text that a person can read too.

use std::fmt::Write;

use model::time::Time;
use store::backup::Sum;

/// The first line.
const HEAD: &str = "sluis backup 1";
/// Bytes of a manifest, at most: three million files.
pub(crate) const MOST: u64 = 512 << 20;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// When it was taken; everything that was acknowledged before is in it.
    pub taken: Time,
    /// The program that took it.
    pub version: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// Schema of the rows.
    pub schema: i64,
    /// Submissions in it.
    pub submissions: i64,
    /// Cases in it.
    pub cases: i64,
    /// Largest number of a batch of reports in it.
    pub batches: i64,
    /// Where the keys went: `apart`, `beside` or `none`.
    pub keys: String,
    /// Its files, by path.
    pub files: Vec<Entry>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the backup, with `/`.
    pub path: String,
    /// Its size and SHA-256.
    pub sum: Sum,
}

impl Default for Manifest {
    fn default() -> Manifest {
        let (version, engine, keys) = (String::new(), String::new(), String::new());
        let (schema, submissions, cases, batches) = (0, 0, 0, 0);
        Manifest { taken: Time(0), version, engine, schema, submissions, cases, batches, keys, files: Vec::new() }
    }
}

impl Manifest {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|entry| entry.sum.0).sum()
    }

    /// Writes it; the last line is the checksum of all others.
    pub(crate) fn write(&self) -> String {
        let mut text = format!("{HEAD}\n");
        let Manifest { taken, version, engine, schema, submissions, cases, batches, keys, files } = self;
        let _ = write!(
            text,
            "taken {}\nversion {version}\nengine {engine}\nschema {schema}\nsubmissions {submissions}\ncases {cases}\n\
             batches {batches}\nkeys {keys}\n",
            taken.0
        );
        for entry in files {
            let _ = writeln!(text, "file {} {} {}", hex(&entry.sum.1), entry.sum.0, entry.path);
        }
        let sum = hex(&store::keys::sha256(text.as_bytes()));
        let _ = writeln!(text, "end {sum}");
        text
    }

    /// Reads what [`Manifest::write`] wrote; `None` when it is not that, was altered or cut off.
    pub(crate) fn parse(text: &str) -> Option<Manifest> {
        let (body, end) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let sum = end.strip_prefix("end ")?;
        let body = text.get(..body.len() + 1)?;
        if hex(&store::keys::sha256(body.as_bytes())) != sum {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != HEAD {
            return None;
        }
        let mut manifest = Manifest::default();
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "taken" => manifest.taken = Time(rest.parse().ok()?),
                "version" => manifest.version = rest.to_owned(),
                "engine" => manifest.engine = rest.to_owned(),
                "schema" => manifest.schema = rest.parse().ok()?,
                "submissions" => manifest.submissions = rest.parse().ok()?,
                "cases" => manifest.cases = rest.parse().ok()?,
                "batches" => manifest.batches = rest.parse().ok()?,
                "keys" => manifest.keys = rest.to_owned(),
                "file" => {
                    let mut parts = rest.splitn(3, ' ');
                    let sum = unhex(parts.next()?)?;
                    let size = parts.next()?.parse().ok()?;
                    let path = parts.next()?;
                    manifest.files.push(Entry { path: is_inside(path).then(|| path.to_owned())?, sum: (size, sum) });
                }
                // A newer program may say more.
                _ => {}
            }
        }
        Some(manifest)
    }
}

/// Whether a path stays inside the backup: who altered one must not make us write elsewhere.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.contains(['\0', '\n'])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        Manifest {
            taken: Time(1_790_000_000_000),
            version: "0.2.0".into(),
            engine: "sqlite".into(),
            schema: 2,
            submissions: 7,
            cases: 3,
            batches: 4,
            keys: "apart".into(),
            files: vec![
                Entry { path: "sluis.db".into(), sum: (4096, [7; 32]) },
                Entry { path: "settings/a name with spaces.toml".into(), sum: (0, [255; 32]) },
            ],
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(Manifest::parse(&sample().write()), Some(sample()));
    }

    #[test]
    fn what_was_altered_is_no_manifest() {
        let text = sample().write();
        for wrong in [text.replace("cases 3", "cases 4"), text[..text.len() - 2].to_owned(), String::new(), "end \n".into()] {
            assert_eq!(Manifest::parse(&wrong), None, "{wrong}");
        }
        for path in ["../x", "/etc/passwd", "raw//x", "", "a/../../b", "."] {
            let mut evil = sample();
            evil.files[0].path = path.into();
            assert_eq!(Manifest::parse(&evil.write()), None, "{path}");
        }
    }
}
