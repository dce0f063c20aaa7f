//! A time-stamping authority that is asked over HTTP (RFC 3161 section 3.4), and believed only after looking.
//!
//! Plain HTTP will do: the question is a digest of what is public, and the answer is signed and holds our nonce.

use anyhow::{Context, Result, ensure};
use desk::seal::anchor::Authority;
use ring::rand::{SecureRandom, SystemRandom};
use seal::tsp::{Anchors, Asked, Imprint, MOST, Oid, Stamp, verify_asked};

use crate::egress::{Destination, Egress, Failed};
use crate::serve::config_log::TsaConfig;

/// Bytes of a trust file.
const FILE: u64 = 1 << 20;

/// An authority, ready to be asked.
pub(crate) struct Tsa {
    /// What the operator calls it.
    name: String,
    /// The least time between two tokens, in milliseconds.
    every_ms: i64,
    url: String,
    policy: Option<Oid>,
    anchors: Anchors,
    egress: Egress,
}

/// A token, as it came and as it was understood.
pub(crate) struct Stamped {
    /// The response, byte by byte: this is what is kept.
    pub(crate) response: Vec<u8>,
    /// What it proves.
    pub(crate) stamp: Stamp,
}

impl Tsa {
    /// Reads the files that are named. Asks nothing yet.
    ///
    /// # Errors
    /// When one cannot be read, or holds nothing to believe.
    pub(crate) fn open(config: &TsaConfig) -> Result<Tsa> {
        let of = || format!("[[log.tsa]] '{}'", config.name);
        let unreadable = || format!("{}: {}: cannot be read", of(), config.roots.display());
        let size = std::fs::metadata(&config.roots).with_context(unreadable)?.len();
        ensure!(size <= FILE, "{}: {}: has {size} bytes, a trust file has at most {FILE}", of(), config.roots.display());
        let mut anchors = Anchors::new();
        anchors.add(&config.name, &std::fs::read(&config.roots).with_context(unreadable)?).with_context(|| {
            format!("{}: {}: the certificates that its own lead to are wanted here", of(), config.roots.display())
        })?;
        let plain = Destination::parse_plain_too(&config.url).is_ok_and(|destination| destination.is_plain());
        let egress = match plain {
            true => Egress::without_tls(&config.allow),
            false => Egress::new(config.ca_file.as_deref(), &config.allow).with_context(of)?,
        };
        Ok(Tsa {
            name: config.name.clone(),
            every_ms: config.every_ms().with_context(of)?,
            url: config.url.clone(),
            policy: config.policy().with_context(of)?,
            anchors,
            egress,
        })
    }

    /// Has a digest stamped. Blocks until the answer is there, for a bounded time. What comes back was verified as whoever
    /// reads a bundle will: digest, algorithm, nonce, policy, signature, and certificates at the token's own moment.
    ///
    /// # Errors
    /// Why there is no token that proves anything, with what to do.
    pub(crate) fn stamp(&self, imprint: Imprint<'_>) -> Result<Stamped, Failed> {
        let mut nonce = [0; 8];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Failed("this system gives no random numbers".to_owned()))?;
        let asked = Asked { imprint, nonce: Some(u64::from_be_bytes(nonce)), policy: self.policy.as_ref() };
        let response = self.egress.ask(&self.url, "application/timestamp-query", asked.request(), MOST)?;
        let stamp = verify_asked(&response, &asked, &[], &self.anchors, None).map_err(|wrong| Failed(wrong.to_string()))?;
        Ok(Stamped { response, stamp })
    }
}

impl Authority for Tsa {
    fn name(&self) -> &str {
        &self.name
    }

    fn every(&self) -> i64 {
        self.every_ms
    }

    fn stamp(&self, imprint: Imprint<'_>) -> Result<(Vec<u8>, Stamp), String> {
        Tsa::stamp(self, imprint).map(|Stamped { response, stamp }| (response, stamp)).map_err(|Failed(why)| why)
    }
}

#[cfg(test)]
#[path = "tsa_tests.rs"]
mod tests;
