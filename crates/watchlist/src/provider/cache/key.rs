//! The key of the cache: where it comes from, and what follows from it.

use std::path::Path;

use matching::token::Token;
use rand_core::CryptoRng;
use ring::hmac;
use zeroize::Zeroizing;

use super::folder;
use crate::provider::error::{Error, Result};
use crate::vault::Key;
use crate::{chance, files, keys};

/// What the file of a key says first.
const HEADING: &str = "sluis cache key 1";

/// The key in a file, drawn when the file is not there. It belongs apart from the directory of the cache.
///
/// # Errors
/// When the file cannot be read or made, or holds something else.
pub fn of_file(path: &Path, chance: &mut impl CryptoRng) -> Result<Key> {
    let Some(text) = files::read_if_there(path, 4_096)?.map(Zeroizing::new) else {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(Error::said(format!(
                "{} is not there, in which the key of the cache is to be kept; put the stick in, or make the folder",
                folder.display()
            )));
        }
        let key = Key::draw(chance);
        let text = Zeroizing::new(format!("{HEADING}\n{}\n", *Zeroizing::new(keys::hex(key.bytes()))));
        files::write_new(path, text.as_bytes())?;
        return Ok(key);
    };
    let bytes = std::str::from_utf8(&text).ok().and_then(|text| text.strip_prefix(HEADING));
    match bytes.map(|digits| keys::unhex::<32>(digits.trim())) {
        Some(Ok(bytes)) => Ok(Key::new(bytes)),
        _ => Err(Error::said(format!(
            "{} is no key of a cache; give the file that the first `sluis watchlist match` made, or a name that is not there yet",
            path.display()
        ))),
    }
}

/// The key that follows from a passphrase, with a salt that lies beside the cache.
///
/// # Errors
/// When the passphrase is too short, or the salt cannot be read or written.
pub fn of_passphrase(directory: &Path, passphrase: &str, chance: &mut impl CryptoRng) -> Result<Key> {
    let path = folder(directory)?.join("salt");
    let salt = match files::read_if_there(&path, 4_096)? {
        Some(salt) => <[u8; 16]>::try_from(salt)
            .map_err(|_| Error::said(format!("{} is damaged; remove it and cache.bin, and ask again", path.display())))?,
        None => {
            let salt: [u8; 16] = chance::draw(chance);
            files::write(&path, &salt)?;
            salt
        }
    };
    Key::of_passphrase(passphrase, &salt).map_err(|closed| Error::said(closed.to_string()))
}

/// Gives tokens the names by which the cache finds them: they say nothing to whoever lacks the key.
pub(super) struct Namer(hmac::Key);

impl Namer {
    pub(super) fn new(key: &Key) -> Namer {
        Namer(hmac::Key::new(hmac::HMAC_SHA256, &derived(key, b"names")[..]))
    }

    pub(super) fn name(&self, token: &Token) -> [u8; 16] {
        let input = Zeroizing::new(token.input());
        super::array(hmac::sign(&self.0, &input).as_ref())
    }
}

/// By what a file knows its key. Public: it stands in the file.
pub(super) fn check(key: &Key, salt: &[u8; 32]) -> [u8; 16] {
    super::array(&derived(key, salt)[..])
}

fn derived(key: &Key, what: &[u8]) -> Zeroizing<[u8; 32]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
    Zeroizing::new(super::array(hmac::sign(&key, &[b"sluis/v1/cache\0", what].concat()).as_ref()))
}
