//! `cargo xtask corpus fetch`: the public samples, rebuilt from the list in `xtask/data/corpus.tsv`.
//!
//! The list has a line for each sample: the path it comes from, its SHA-256 and size, and where it goes; and above many of them
//! a line with their repository, commit and licence. Samples that were made from others (taken out of a test, converted) have `-` for a repository: they are named, for
//! nobody can fetch them. What others made of the samples (`ORACLE.jsonl`) is in no repository either.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

/// Where the files of public repositories are had by commit.
const GITHUB: &str = "https://raw.githubusercontent.com";
/// How long one file may take, in seconds.
const PATIENCE: &str = "60";

/// A sample of the list.
#[derive(Debug, PartialEq, Eq)]
struct Sample<'a> {
    /// `owner/name`; `-` when it was made from what stands in `path`.
    repository: &'a str,
    commit: &'a str,
    path: &'a str,
    sha256: &'a str,
    bytes: u64,
    licence: &'a str,
    /// Below the folder that is filled.
    destination: &'a str,
}

/// Fetches what is not there yet, and says what came; whether all that can be had is there.
///
/// `from` is a folder or the address of a server that has the files as GitHub has them: `OWNER/NAME/COMMIT/PATH`.
///
/// # Errors
/// When the list cannot be read, or the folder not be written.
pub fn run(root: &Path, from: Option<&str>, folder: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let file = root.join("xtask/data/corpus.tsv");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let samples = listed(&text)?;
    fetch(&samples, from.unwrap_or(GITHUB), folder, out)
}

fn listed(text: &str) -> anyhow::Result<Vec<Sample<'_>>> {
    let mut samples = Vec::new();
    let mut of = ("-", "-", "");
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (path, sha256, bytes, destination) = match *columns.as_slice() {
            ["=", repository, commit, licence] => {
                of = (repository, commit, licence);
                continue;
            }
            [path, sha256, bytes, destination] => (path, sha256, bytes, destination),
            _ => bail!("line {} of the list has {} columns, not 4", at + 1, columns.len()),
        };
        let (repository, commit, licence) = of;
        let bytes = bytes.parse().with_context(|| format!("line {} of the list: '{bytes}' is no size", at + 1))?;
        let inside = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside(destination) || (repository != "-" && !(inside(path) && inside(repository) && inside(commit))) {
            bail!("line {} of the list leads out of its folder", at + 1);
        }
        samples.push(Sample { repository, commit, path, sha256, bytes, licence, destination });
    }
    Ok(samples)
}

fn fetch(samples: &[Sample<'_>], from: &str, folder: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let (mut came, mut there) = (0usize, 0usize);
    let (mut missing, mut made): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut licences: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in samples {
        let to = folder.join(sample.destination);
        if is_it(&to, sample) {
            there += 1;
        } else if sample.repository == "-" {
            made.push(format!("{}: made from {}", sample.destination, sample.path));
            continue;
        } else {
            match one(sample, from, &to) {
                Ok(()) => came += 1,
                Err(error) => {
                    missing.push(format!("{}: {error:#}", sample.destination));
                    continue;
                }
            }
        }
        *licences.entry(sample.licence).or_default() += 1;
    }
    writeln!(out, "{came} samples fetched, {there} were there, {} cannot be had, {} are not fetched", missing.len(), made.len())?;
    for (licence, count) in &licences {
        let only = if is_copyleft(licence) { ": test data only, to be shipped with nothing" } else { "" };
        writeln!(out, "  {count:>4} under {licence}{only}")?;
    }
    for line in &missing {
        writeln!(out, "MISSING {line}")?;
    }
    for line in &made {
        writeln!(out, "not fetched: {line}")?;
    }
    Ok(missing.is_empty())
}

/// Whether who passes it on takes on duties that we do not take on.
fn is_copyleft(licence: &str) -> bool {
    ["GPL", "OASIS-IPR"].iter().any(|name| licence.contains(name))
}

fn is_it(file: &Path, sample: &Sample<'_>) -> bool {
    fs::read(file).is_ok_and(|bytes| digest(&bytes) == sample.sha256)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Brings one sample; it stands under its name only when it is the one.
fn one(sample: &Sample<'_>, from: &str, to: &Path) -> anyhow::Result<()> {
    let place = [sample.repository, sample.commit, sample.path].join("/");
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let brought = if from.starts_with("https://") || from.starts_with("http://") {
        download(&format!("{}/{}", from.trim_end_matches('/'), escaped(&place)), sample.bytes, &part)
    } else {
        let source = Path::new(from).join(&place);
        fs::copy(&source, &part).map(drop).with_context(|| format!("cannot copy {}", source.display()))
    };
    let checked = brought.and_then(|()| {
        let found = digest(&fs::read(&part)?);
        if found != sample.sha256 {
            bail!("{place} has SHA-256 {found}, and {} is listed: it is another file", sample.sha256);
        }
        fs::rename(&part, to).with_context(|| format!("cannot write {}", to.display()))
    });
    if checked.is_err() {
        // Whether it goes or stays, what is left is no sample and is fetched again.
        let _ = fs::remove_file(&part);
    }
    checked
}

fn download(url: &str, bytes: u64, part: &Path) -> anyhow::Result<()> {
    // A plain address is for a server of one's own; from one that is encrypted, nothing leads to a plain one.
    let protocols = if url.starts_with("https://") { "=https" } else { "=http,https" };
    let done = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--max-redirs", "3", "--retry", "2", "--max-time", PATIENCE])
        .args(["--proto", protocols, "--max-filesize", &bytes.to_string(), "--output"])
        .arg(part)
        .arg("--")
        .arg(url)
        .output()
        .context("cannot run curl: install it")?;
    if !done.status.success() {
        bail!("{}: {}", url, String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

/// A path as it stands in an address (RFC 3986).
fn escaped(path: &str) -> String {
    let mut escaped = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::*;

    const HEAD: &str = "# a list\n=\town/er\tc0\tMIT\n";

    fn list(of: &[(&str, &str, &str)]) -> String {
        let line =
            |&(path, text, to): &(&str, &str, &str)| format!("{path}\t{}\t{}\t{to}\n", digest(text.as_bytes()), text.len());
        format!("{HEAD}{}=\t-\t-\tMIT\nanother\t{}\t1\td.eml\n", of.iter().map(line).collect::<String>(), digest(b"x"))
    }

    fn temporary(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sluis-fetch-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    }

    #[test]
    fn what_is_there_stays_and_what_is_another_file_is_named() {
        let (from, to) = (temporary("from"), temporary("to"));
        fs::create_dir_all(from.join("own/er/c0/x y")).expect("a folder can be made");
        fs::write(from.join("own/er/c0/x y/a+b.eml"), "good").expect("a file can be written");
        fs::write(from.join("own/er/c0/changed.eml"), "other").expect("a file can be written");
        let list = list(&[("x y/a+b.eml", "good", "mail/a.eml"), ("changed.eml", "good", "b.eml"), ("gone", "good", "c.eml")]);
        let samples = listed(&list).expect("it is a list");
        for (fetched, there) in [(1, 0), (0, 1)] {
            let mut out = Vec::new();
            let all = fetch(&samples, from.to_str().expect("it is text"), &to, &mut out).expect("the folder can be written");
            let out = String::from_utf8(out).expect("it is text");
            assert!(!all);
            assert!(
                out.starts_with(&format!("{fetched} samples fetched, {there} were there, 2 cannot be had, 1 are not")),
                "{out}"
            );
            assert!(out.contains("MISSING b.eml: own/er/c0/changed.eml has SHA-256"), "{out}");
            assert!(out.contains("MISSING c.eml: cannot copy"), "{out}");
            assert!(out.contains("not fetched: d.eml: made from another"), "{out}");
        }
        assert_eq!(fs::read_to_string(to.join("mail/a.eml")).ok().as_deref(), Some("good"));
        assert!(!to.join("b.eml").exists() && !to.join("b.eml.part").exists());
        for folder in [from, to] {
            fs::remove_dir_all(folder).expect("it was ours");
        }
    }

    #[test]
    fn a_server_is_asked_for_each_path_as_an_address_has_it() {
        if Command::new("curl").arg("--version").output().is_err() {
            println!("skipped: there is no curl");
            return;
        }
        let server = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let from = format!("http://{}/", server.local_addr().expect("it has an address"));
        let asked = std::thread::spawn(move || {
            let (mut connection, _) = server.accept().expect("curl comes");
            let mut lines = BufReader::new(connection.try_clone().expect("it can be read")).lines();
            let first = lines.next().expect("a request").expect("it is text");
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood").expect("it is sent");
            first
        });
        let to = temporary("server");
        let list = list(&[("x y/a+b.eml", "good", "mail/a.eml")]);
        let all = fetch(&listed(&list).expect("it is a list"), &from, &to, &mut Vec::new()).expect("the folder can be written");
        assert!(all);
        assert_eq!(asked.join().expect("the server ends"), "GET /own/er/c0/x%20y/a%2Bb.eml HTTP/1.1");
        assert_eq!(fs::read_to_string(to.join("mail/a.eml")).ok().as_deref(), Some("good"));
        fs::remove_dir_all(to).expect("it was ours");
    }

    #[test]
    fn the_list_of_the_project_is_one() {
        let file = crate::root().join("xtask/data/corpus.tsv");
        let text = fs::read_to_string(file).expect("it is there");
        let samples = listed(&text).expect("it can be read");
        assert!(samples.iter().all(|sample| sample.sha256.len() == 64 && !sample.licence.is_empty()));
        assert!(samples.iter().all(|sample| sample.repository == "-" || sample.commit.len() == 40));
        let mut places: Vec<_> = samples.iter().map(|sample| sample.destination).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), samples.len());
    }

    #[test]
    fn a_list_that_leads_elsewhere_is_refused() {
        for destination in ["../a", "/a", "a/../../b"] {
            let text = format!("{HEAD}x\t0\t1\t{destination}\n");
            assert!(listed(&text).is_err(), "{destination}");
        }
    }
}
