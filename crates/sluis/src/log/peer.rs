//! A witness or a log of somebody else, ready to be asked over HTTP. Plain HTTP will do: whatever it says is signed.

use anyhow::{Context, Result};
use seal::note::{MAX_NOTE, VerifierKey};
use seal::tile::{self, Tile};

use crate::egress::{Destination, Egress, Failed};
use crate::serve::config_witness::PeerConfig;

/// Somebody who is asked.
#[derive(Clone)]
pub(crate) struct Peer {
    /// What the operator calls it.
    pub(crate) name: String,
    /// Its key.
    pub(crate) key: VerifierKey,
    /// Where it is, without a slash at the end.
    pub(crate) url: String,
    pub(crate) egress: Egress,
}

impl Peer {
    /// Reads the files that are named. Asks nothing yet.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn open(config: &PeerConfig) -> Result<Peer> {
        let of = || format!("'{}'", config.name);
        let plain = Destination::parse_plain_too(&config.url).is_ok_and(|destination| destination.is_plain());
        let egress = match plain {
            true => Egress::without_tls(&config.allow),
            false => Egress::new(config.ca_file.as_deref(), &config.allow).with_context(of)?,
        };
        Ok(Peer { name: config.name.clone(), key: config.key()?, url: config.url.clone(), egress })
    }

    /// Where its log may be: under an address that ends with a year, that of this year first.
    pub(crate) fn addresses(&self, year: i32) -> Vec<String> {
        let label = self.key.name().rsplit('/').next().unwrap_or_default();
        let newer =
            self.url.strip_suffix(label).filter(|base| base.ends_with('/') && label.parse().is_ok_and(|of: i32| of < year));
        newer.map(|base| format!("{base}{year}")).into_iter().chain([self.url.clone()]).collect()
    }

    /// Its checkpoint, under one of its addresses; nothing when there is none.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) fn checkpoint(&self, address: &str) -> Result<Option<Vec<u8>>, Failed> {
        self.egress.fetch(&format!("{address}/checkpoint"), MAX_NOTE)
    }

    /// A tile of its log; nothing when it shows none.
    pub(crate) fn tile(&self, address: &str, tile: &Tile) -> Option<Vec<u8>> {
        self.egress.fetch(&format!("{address}/{tile}"), tile::MAX_FILE).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use seal::note::{Algorithm, Ed25519Signer, Signer};

    use super::*;

    #[test]
    fn the_log_of_a_later_year_is_looked_for_first() {
        let peer = |name: &str, url: &str| {
            let key = Ed25519Signer::new(name, Algorithm::Ed25519, &[1; 32]).unwrap().key().clone();
            Peer { name: "a".to_owned(), key, url: url.to_owned(), egress: Egress::without_tls(&[]) }
        };
        let yearly = peer("log.a.example/x/2026", "http://log.a.example/2026");
        assert_eq!(yearly.addresses(2026), ["http://log.a.example/2026"]);
        assert_eq!(yearly.addresses(2027), ["http://log.a.example/2027", "http://log.a.example/2026"]);
        for other in [peer("log.a.example/x/2026", "http://log.a.example/x"), peer("sum.example", "http://sum.example")] {
            assert_eq!(other.addresses(2027), std::slice::from_ref(&other.url));
        }
    }
}
