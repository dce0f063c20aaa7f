//! `[witness]` and `[[log.witness]]`: the logs that this node cosigns and looks at, and who cosigns its own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use seal::note::{Algorithm, VerifierKey};
use serde::Deserialize;

use crate::egress::Destination;
use crate::serve::config::Config;

/// Logs or witnesses there may be.
const MOST: usize = 256;

/// This node as a witness of others' logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WitnessConfig {
    /// The name of its key: a host name and a word. Without it one that follows from the key.
    pub(crate) name: Option<String>,
    /// The file with its secret key, which is not the log's; without it `log/witness` in the data directory, which is made.
    pub(crate) key_file: Option<PathBuf>,
    /// Keys of the logs that it cosigns, as 'sluis log key' prints them.
    logs: Vec<String>,
    /// Seconds between two looks at a log, 10 to 86400.
    pub(crate) watch_seconds: u32,
    /// Logs that it looks at.
    pub(crate) watch: Vec<PeerConfig>,
}

impl Default for WitnessConfig {
    fn default() -> WitnessConfig {
        WitnessConfig { name: None, key_file: None, logs: Vec::new(), watch_seconds: 60, watch: Vec::new() }
    }
}

/// Somebody who cosigns, or a log that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerConfig {
    /// Its name in messages and logs: small letters, digits, hyphens.
    pub(crate) name: String,
    /// Where it is. `http://` is well enough: whatever it says is signed.
    pub(crate) url: String,
    /// Its key.
    key: String,
    /// Who vouches for its TLS, in PEM; without it, whom the system trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// Itself as `host:port`, if it is on a private network.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
}

impl WitnessConfig {
    /// As the desk wants it; nothing when there is no log to cosign.
    pub(crate) fn settings(&self) -> Option<desk::seal::witness::Settings> {
        let logs: Vec<VerifierKey> = self.logs.iter().filter_map(|key| key.parse().ok()).collect();
        let settings = desk::seal::witness::Settings { name: self.name.clone(), key: self.key_file.clone(), logs };
        (!settings.logs.is_empty()).then_some(settings)
    }
}

impl PeerConfig {
    /// Its key.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn key(&self) -> Result<VerifierKey> {
        self.key.parse().with_context(|| format!("'{}': key", self.name))
    }

    fn check(&mut self, section: &str, wanted: Algorithm, folder: &Path) -> Result<VerifierKey> {
        let of = format!("[[{section}]] '{}'", self.name);
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(
            (1..=40).contains(&self.name.len()) && self.name.chars().all(is_name),
            "{of}: a name has 1 to 40 small letters, digits and hyphens"
        );
        Destination::parse_plain_too(&self.url).map_err(|wrong| anyhow::anyhow!("{of}: url: {wrong}"))?;
        ensure!(!self.url.contains(['?', '#']), "{of}: url: paths are added to it, so it has no ? and no #");
        self.url.truncate(self.url.trim_end_matches('/').len());
        if let Some(file) = &mut self.ca_file {
            *file = folder.join(&*file);
        }
        key_of(&self.key, wanted).with_context(|| format!("{of}: key"))
    }
}

/// A key of this kind.
fn key_of(text: &str, wanted: Algorithm) -> Result<VerifierKey> {
    let key: VerifierKey = text.parse()?;
    ensure!(
        key.algorithm() == wanted,
        "{text}: this is {}",
        if wanted == Algorithm::Cosignature {
            "no key of a witness, which 'sluis log witness' prints"
        } else {
            "no key of a log"
        }
    );
    Ok(key)
}

/// Looks whether the sections can be understood, and lets relative paths begin at `folder`. Reads no file.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn check(config: &mut Config, folder: &Path) -> Result<()> {
    let own = &mut config.witness;
    ensure!((10..=86_400).contains(&own.watch_seconds), "[witness] watch_seconds: give 10 to 86400");
    let counts = [own.logs.len(), own.watch.len(), config.log.witness.len()];
    ensure!(counts.iter().all(|count| *count <= MOST), "[witness], [[log.witness]]: there may be {MOST} of a kind");
    if let Some(file) = &mut own.key_file {
        *file = folder.join(&*file);
    }
    let mut logs = Vec::new();
    for key in &own.logs {
        logs.push(key_of(key, Algorithm::Ed25519).context("[witness] logs")?);
    }
    let mut names = Vec::new();
    for peer in &mut own.watch {
        logs.push(peer.check("witness.watch", Algorithm::Ed25519, folder)?);
        ensure!(!names.contains(&peer.name), "[[witness.watch]] '{}': this name is another one's already", peer.name);
        names.push(peer.name.clone());
    }
    let (mut names, mut witnesses) = (Vec::new(), Vec::<VerifierKey>::new());
    for peer in &mut config.log.witness {
        let key = peer.check("log.witness", Algorithm::Cosignature, folder)?;
        ensure!(!names.contains(&peer.name), "[[log.witness]] '{}': this name is another one's already", peer.name);
        // One key has one role and one name: else a witness could count twice, or a log's signature pass for a witness's.
        ensure!(
            !witnesses.iter().chain(&logs).any(|other| other.public() == key.public()),
            "[[log.witness]] '{}': its key is also another's: one key has one role",
            peer.name
        );
        names.push(peer.name.clone());
        witnesses.push(key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use seal::note::{Ed25519Signer, Signer};

    use super::*;

    fn key(name: &str, algorithm: Algorithm, seed: u8) -> String {
        Ed25519Signer::new(name, algorithm, &[seed; 32]).unwrap().key().to_string()
    }

    fn read(text: &str) -> Result<Config> {
        Config::parse(text, Path::new("/etc/sluis/x.toml"))
    }

    #[test]
    fn witnesses_and_logs_are_read() {
        let (log, hub) = (key("log.a.example/x/2026", Algorithm::Ed25519, 1), key("hub.example/w", Algorithm::Cosignature, 2));
        let good = format!(
            "[witness]\nlogs = [\"{log}\"]\n[[witness.watch]]\nname = \"a\"\nurl = \"https://log.a.example/2026/\"\nkey = \"{log}\"\n\
             [[log.witness]]\nname = \"hub\"\nurl = \"https://hub.example/w\"\nkey = \"{hub}\"\nca_file = \"hub.pem\"\n"
        );
        let config = read(&good).unwrap();
        assert_eq!(config.witness.settings().unwrap().logs.len(), 1);
        assert_eq!(config.witness.watch[0].url, "https://log.a.example/2026");
        assert_eq!(config.log.witness[0].ca_file.as_deref(), Some(Path::new("/etc/sluis/hub.pem")));
        assert_eq!(config.log.witness[0].key().unwrap().name(), "hub.example/w");
        assert_eq!(read("").unwrap().witness.settings(), None);
        let twin = key("hub.example/v", Algorithm::Cosignature, 2);
        let of_log = key("hub.example/v", Algorithm::Cosignature, 1);
        let second = |key: &str| format!("[[log.witness]]\nname = \"other\"\nurl = \"https://hub.example/v\"\nkey = \"{key}\"\n");
        for (text, word) in [
            (good.replace(&hub, &log), "no key of a witness"),
            (good.replace(&log, &hub), "no key of a log"),
            (good.replace("https://log", "ftp://log"), "url: "),
            (good.replace("2026/\"", "2026?x\""), "no ?"),
            (good.replace("\"hub\"", "\"Hub\""), "small letters"),
            (format!("{good}{}", second(&twin)), "one role"),
            (format!("{good}{}", second(&of_log)), "one role"),
            (
                format!("{good}{}", second(&key("hub.example/v", Algorithm::Cosignature, 3)).replace("\"other\"", "\"hub\"")),
                "another one's",
            ),
            ("[witness]\nlogs = [\"x\"]\n".to_owned(), "[witness] logs"),
            ("[witness]\nwatch_seconds = 5\n".to_owned(), "10 to 86400"),
        ] {
            let error = format!("{:#}", read(&text).unwrap_err());
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}
