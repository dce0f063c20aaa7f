//! Files of whoever verifies: the bundle, the policy, certificates of time-stamping authorities, a copy of the log. Nothing else of
//! the verifier opens a file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use seal::audit::Source;
use seal::tile::MAX_FILE;

use crate::trust::{BadTrust, Trust};

/// Largest bundle that is read, in bytes: a container has at most 256 files of 64 MiB, and one that a court gets is far smaller.
pub const MOST_BUNDLE: u64 = 4 << 30;
/// Largest file of trust, in bytes.
const MOST_TRUST: u64 = 2 << 20;

/// The bytes of a bundle, a receipt or a fork proof.
///
/// # Errors
/// When it cannot be read, or is larger than any bundle.
pub fn bundle(path: &Path) -> Result<Vec<u8>, BadTrust> {
    bounded(path, MOST_BUNDLE)
}

/// An observation of the DNS, for the grading.
///
/// # Errors
/// When it cannot be read, or is larger than any.
pub fn observation(path: &Path) -> Result<Vec<u8>, BadTrust> {
    bounded(path, MOST_TRUST)
}

/// What the verifier believes: a policy (or an archive, with the sector's key), and the trust files of authorities: a folder of
/// `.pem` files, or one such file.
///
/// # Errors
/// When a file cannot be read or understood.
pub fn trust(policy: &Path, sector: Option<&str>, tsas: Option<&Path>) -> Result<Trust, BadTrust> {
    let policy = bounded(policy, MOST_TRUST)?;
    let mut files = Vec::new();
    if let Some(tsas) = tsas {
        for path in trust_files(tsas)? {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            files.push((name, bounded(&path, MOST_TRUST)?));
        }
        if files.is_empty() {
            return Err(BadTrust(format!("{}: there is no file of certificates (.pem) in it", tsas.display())));
        }
    }
    Trust::read(&policy, sector, files.iter().map(|(name, pem)| (name.as_str(), pem.as_slice())))
}

fn trust_files(tsas: &Path) -> Result<Vec<PathBuf>, BadTrust> {
    let bad = |error: io::Error| BadTrust(format!("{}: {error}", tsas.display()));
    if !fs::metadata(tsas).map_err(bad)?.is_dir() {
        return Ok(vec![tsas.to_owned()]);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(tsas).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if path.extension().is_some_and(|ending| ending == "pem" || ending == "crt") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, BadTrust> {
    let bad = |error: io::Error| BadTrust(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    File::open(path).map_err(bad)?.take(most + 1).read_to_end(&mut bytes).map_err(bad)?;
    if bytes.len() as u64 > most {
        return Err(BadTrust(format!("{}: it is larger than such a file can be", path.display())));
    }
    Ok(bytes)
}

/// A copy of the public log in a folder: `tile/…` below it.
#[derive(Clone, Debug)]
pub struct LogFolder(pub PathBuf);

impl Source for LogFolder {
    fn read(&mut self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match File::open(self.0.join(path)) {
            Ok(file) => file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(bytes))
    }
}
