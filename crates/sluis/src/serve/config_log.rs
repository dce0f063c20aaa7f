//! `[log]`: the tamper-evident log, and who stamps it with a time.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use model::calendar::Term;
use seal::tsp::Oid;
use serde::Deserialize;

use crate::egress::Destination;
use crate::serve::config_witness::PeerConfig;

/// Time-stamping authorities there may be.
const TSAS: usize = 8;
/// The shortest and the longest time between two tokens of one authority, in milliseconds.
const EVERY: std::ops::RangeInclusive<i64> = model::time::MINUTE..=7 * model::time::DAY;

/// The log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    /// What its checkpoints begin with: `<host>/<log>`, to which the year in which it begins is added. Without it one that follows from its key.
    pub(crate) name: Option<String>,
    /// The file with its secret key, such as a systemd credential; without it `log/keys` in the data directory, which is made.
    pub(crate) key_file: Option<PathBuf>,
    /// The folder in which it stands what was signed last; without it `signed` in the data directory.
    pub(crate) signed: Option<PathBuf>,
    /// Where it is shown to others, as an address and a port; nowhere when it does not say.
    pub(crate) listen: Option<SocketAddr>,
    /// Seconds between two publications, whatever happens, 10 to 86400.
    pub(crate) publish_seconds: u32,
    /// Whether this node matches what it holds against lists: then the published log grows in larger blocks.
    pub(crate) matches: bool,
    /// Time-stamping authorities that are asked, each for itself.
    pub(crate) tsa: Vec<TsaConfig>,
    /// Witnesses that are asked to cosign it.
    pub(crate) witness: Vec<PeerConfig>,
}

/// A time-stamping authority (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TsaConfig {
    /// Its name in messages, metrics and logs: small letters, digits, hyphens.
    pub(crate) name: String,
    /// Where it is asked. `http://` is well enough: a token proves itself, and the question is a digest.
    pub(crate) url: String,
    /// Its trust file: in PEM, the certificates that its own must lead to.
    pub(crate) roots: PathBuf,
    /// The policy to ask for, as an object identifier; without it the authority chooses.
    pub(crate) policy: Option<String>,
    /// The least time between two tokens.
    #[serde(default = "every")]
    every: String,
    /// Who vouches for its TLS, in PEM; without it, whom the system trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// Itself as `host:port`, if it is on a private network.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
}

fn every() -> String {
    "1 minute".to_owned()
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            name: None,
            key_file: None,
            signed: None,
            listen: None,
            publish_seconds: 300,
            matches: false,
            tsa: Vec::new(),
            witness: Vec::new(),
        }
    }
}

impl LogConfig {
    /// As the desk wants it.
    pub(crate) fn settings(&self) -> desk::seal::Settings {
        desk::seal::Settings {
            name: self.name.clone(),
            key: self.key_file.clone(),
            signed: self.signed.clone(),
            pad: if self.matches { 256 } else { 64 },
        }
    }

    /// Looks whether it can be understood, and lets relative paths begin at `folder`. Reads no file.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(crate) fn check(&mut self, folder: &Path) -> Result<()> {
        if let Some(name) = &self.name {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '/');
            ensure!(
                (1..=200).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('/') && !name.ends_with('/'),
                "[log] name = \"{name}\": write a host name and a word, such as log.hoster.example/abuse"
            );
        }
        ensure!((10..=86_400).contains(&self.publish_seconds), "[log] publish_seconds: give 10 to 86400");
        for path in [&mut self.key_file, &mut self.signed].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        ensure!(self.tsa.len() <= TSAS, "[[log.tsa]]: there may be {TSAS} time-stamping authorities");
        for at in 0..self.tsa.len() {
            let (earlier, rest) = self.tsa.split_at_mut(at);
            let Some(tsa) = rest.first_mut() else { break };
            tsa.check(folder)?;
            ensure!(earlier.iter().all(|other| other.name != tsa.name), "{}: this name is another one's already", tsa.of());
        }
        Ok(())
    }
}

impl TsaConfig {
    fn of(&self) -> String {
        format!("[[log.tsa]] '{}'", self.name)
    }

    fn check(&mut self, folder: &Path) -> Result<()> {
        let of = self.of();
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(
            (1..=40).contains(&self.name.len()) && self.name.chars().all(is_name),
            "{of}: a name has 1 to 40 small letters, digits and hyphens"
        );
        Destination::parse_plain_too(&self.url).map_err(|wrong| anyhow::anyhow!("{of}: url: {wrong}"))?;
        self.policy().with_context(|| of.clone())?;
        self.every_ms().with_context(|| of)?;
        self.roots = folder.join(&self.roots);
        if let Some(file) = &mut self.ca_file {
            *file = folder.join(&*file);
        }
        Ok(())
    }

    /// The policy to ask for.
    ///
    /// # Errors
    /// When it is no object identifier.
    pub(crate) fn policy(&self) -> Result<Option<Oid>> {
        let read = |text: &String| {
            Oid::parse(text)
                .with_context(|| format!("policy = \"{text}\": write an object identifier, as in 1.3.6.1.4.1.64496.1"))
        };
        self.policy.as_ref().map(read).transpose()
    }

    /// The least time between two tokens, in milliseconds.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn every_ms(&self) -> Result<i64> {
        match Term::parse(&self.every) {
            Some(Term::Elapsed(length)) if EVERY.contains(&length) => Ok(length),
            _ => anyhow::bail!("every = \"{}\": write a time from \"1 minute\" to \"7 days\"", self.every),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[tsa]]\nname = \"one\"\nurl = \"http://tsa.example/tsr\"\nroots = \"one.pem\"\n";

    fn read(text: &str) -> Result<LogConfig> {
        let mut config: LogConfig = toml::from_str(text)?;
        config.check(Path::new("/etc/sluis"))?;
        Ok(config)
    }

    #[test]
    fn an_authority_is_read_with_what_follows_from_nothing_being_said() {
        let config = read(GOOD).unwrap();
        assert_eq!(config.tsa[0].roots, Path::new("/etc/sluis/one.pem"));
        assert_eq!((config.tsa[0].every_ms().unwrap(), config.tsa[0].policy().unwrap()), (60_000, None));
        let more = format!("{GOOD}every = \"1 day\"\npolicy = \"1.3.6.1.4.1.64496.1\"\n");
        assert_eq!(read(&more).unwrap().tsa[0].every_ms().unwrap(), 86_400_000);
        assert_eq!(read("").unwrap(), LogConfig::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_name() {
        for (from, to, word) in [
            ("name = \"one\"", "name = \"One\"", "small letters"),
            ("http://tsa.example/tsr", "ftp://tsa.example/", "url: "),
            ("http://tsa.example/tsr", "http://user:secret@tsa.example/", "url: "),
            ("roots", "every = \"1 second\"\nroots", "from \"1 minute\""),
            ("roots", "every = \"soon\"\nroots", "from \"1 minute\""),
            ("roots", "policy = \"baseline\"\nroots", "object identifier"),
            ("roots = \"one.pem\"", "", "roots"),
            ("roots", "secret = 1\nroots", "secret"),
        ] {
            let error = format!("{:#}", read(&GOOD.replace(from, to)).unwrap_err());
            assert!(error.contains(word), "{to}: {error}");
        }
        assert!(read(&GOOD.repeat(2)).unwrap_err().to_string().contains("another one's already"));
        assert!(read(&GOOD.repeat(9)).unwrap_err().to_string().contains("there may be 8"));
    }
}
