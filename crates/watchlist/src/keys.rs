//! Who somebody is: a file with a secret, kept by its owner, and a public one that others pin by its fingerprint.
//!
//! One seed of 32 bytes gives the key that signs (Ed25519) and the one that opens parcels (X25519). A key has one role: the same key for two
//! would let a signature for one purpose stand for another.

use std::fmt;
use std::path::Path;

use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use matching::bytes::{is_plain, plain};
use matching::envelope::{KeyId, fingerprint};
use matching::parcel::{Address, Opener};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::chance;
use crate::files::{self, Error as FileError};
use crate::vault::{Closed, Key};

/// The most bytes of a file with a key.
const MOST: u64 = 8 * 1024;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Signs manifests, deltas and enrolments; two are needed.
    Officer,
    /// Signs the checkpoints of a list's log.
    Log,
    /// Evaluates blinded elements.
    Evaluator,
    /// Asks, and finds its own hits.
    Provider,
    /// Answers and suspends.
    Desk,
    /// Collects contributions for the leader's half of a tally.
    Leader,
    /// Collects them for the helper's half.
    Helper,
    /// Puts the total together.
    Collector,
    /// Makes the task of a tally and keeps its cohort.
    Association,
}

impl Role {
    /// All, in order.
    pub const ALL: [Role; 9] = [
        Role::Officer,
        Role::Log,
        Role::Evaluator,
        Role::Provider,
        Role::Desk,
        Role::Leader,
        Role::Helper,
        Role::Collector,
        Role::Association,
    ];

    /// What it is called in files and commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Officer => "officer",
            Role::Log => "log",
            Role::Evaluator => "evaluator",
            Role::Provider => "provider",
            Role::Desk => "desk",
            Role::Leader => "leader",
            Role::Helper => "helper",
            Role::Collector => "collector",
            Role::Association => "association",
        }
    }

    /// By what it is called.
    #[must_use]
    pub fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in it is no key.
    #[error("this is no key of Sluis ({0}): check which file you gave")]
    Malformed(&'static str),
    /// It is for something else.
    #[error("this key is for the role {0}, and one for the role {1} is needed: check which file you gave")]
    Role(Role, Role),
    /// The passphrase.
    #[error("{0}")]
    Closed(#[from] Closed),
    /// It asks for a passphrase that was not given.
    #[error("this key is protected by a passphrase: give it with --passphrase-file FILE")]
    Passphrase,
}

/// Somebody's public key: who they are to everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// What it is for.
    pub role: Role,
    /// What its owner calls itself, at most 200 bytes. Proves nothing: the fingerprint does.
    pub name: String,
    /// The key that signs.
    pub key: KeyId,
    /// The key that parcels are packed for.
    pub address: Address,
}

impl Public {
    /// What people read to each other: covers both keys, since it is of the one and the other is signed with it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.key)
    }

    fn statement(&self) -> Vec<u8> {
        let mut w = matching::bytes::Writer::new();
        w.raw(b"sluis/v1/public-key\0").text(self.role.name()).text(&self.name).raw(&self.key).raw(&self.address);
        w.done()
    }

    /// The text of a public file, which says by a signature that whoever holds the secret wrote it.
    fn text(&self, signing: &SigningKey) -> String {
        use ed25519_dalek::Signer as _;
        let signature = signing.sign(&self.statement()).to_bytes();
        let Public { role, name, key, address } = self;
        let (key, address, signature) = (hex(key), hex(address), hex(&signature));
        format!(
            "sluis public key 1\nrole {role}\nname {name}\nfingerprint {}\nsigns {key}\nopens {address}\nsigned {signature}\n",
            self.fingerprint()
        )
    }

    /// A public file's text.
    ///
    /// # Errors
    /// When it is none, or does not sign itself.
    pub fn parse(text: &str) -> Result<Public, Error> {
        let mut lines = Lines::new(text, "sluis public key 1")?;
        let role = Role::of(lines.value("role")?).ok_or(Error::Malformed("it names a role that this version does not know"))?;
        let name = lines.value("name")?.to_owned();
        let _ = lines.value("fingerprint")?;
        let key = unhex::<32>(lines.value("signs")?)?;
        let address = unhex::<32>(lines.value("opens")?)?;
        let signature = unhex::<64>(lines.value("signed")?)?;
        if name.len() > 200 || !name.chars().all(is_plain) {
            return Err(Error::Malformed("its name cannot be shown"));
        }
        let public = Public { role, name, key, address };
        let verifying = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| Error::Malformed("its key is none"))?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature);
        match verifying.verify_strict(&public.statement(), &signature) {
            Ok(()) => Ok(public),
            Err(_) => Err(Error::Malformed("it was changed after it was written")),
        }
    }

    /// A public file of this role.
    ///
    /// # Errors
    /// When it is none, or for another role.
    pub fn open(path: &Path, role: Role) -> Result<Public, Error> {
        let bytes = files::read(path, MOST)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Malformed("it is not text"))?;
        let public = Public::parse(text)?;
        if public.role == role { Ok(public) } else { Err(Error::Role(public.role, role)) }
    }
}

/// A key with its secret. What it holds is overwritten when it is dropped.
#[derive(Clone)]
pub struct Identity {
    /// Who this is to others.
    pub public: Public,
    /// Signs.
    pub signing: SigningKey,
    /// Opens parcels.
    pub opener: Opener,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.public).finish()
    }
}

impl Identity {
    /// A new one.
    pub fn draw(role: Role, name: &str, rng: &mut impl CryptoRng) -> Identity {
        let seed = Zeroizing::new(chance::draw(rng));
        Identity::of_seed(role, name, &seed)
    }

    fn of_seed(role: Role, name: &str, seed: &[u8; 32]) -> Identity {
        let expand = |label: &[u8]| {
            let mut out = Zeroizing::new([0; 32]);
            // 32 bytes are within what HKDF-SHA256 gives (8,160), the one way in which this fails.
            let _ = Hkdf::<Sha256>::new(Some(b"sluis/v1/key"), seed).expand(label, &mut out[..]);
            out
        };
        let signing = SigningKey::from_bytes(&expand(b"signs"));
        let opener = Opener::new(*expand(b"opens"));
        let mut name: String = plain(name).replace('\n', " ").trim().to_owned();
        while name.len() > 200 {
            name.pop();
        }
        let public = Public { role, name, key: signing.verifying_key().to_bytes(), address: opener.address() };
        Identity { public, signing, opener }
    }

    /// The text of its public file.
    #[must_use]
    pub fn public_text(&self) -> String {
        self.public.text(&self.signing)
    }
}

/// Makes a key: the secret in `path`, the public one beside it with `.pub` added. Nothing is written over.
///
/// # Errors
/// When it is there already, the passphrase is too short, and those of the system.
pub fn create(
    path: &Path,
    role: Role,
    name: &str,
    passphrase: Option<&str>,
    rng: &mut impl CryptoRng,
) -> Result<Identity, Error> {
    let mut seed = Zeroizing::new(chance::draw::<32>(rng));
    let identity = Identity::of_seed(role, name, &seed);
    let kept = match passphrase {
        None => format!("seed {}", *hex_secret(&*seed)),
        Some(passphrase) => {
            let salt: [u8; 16] = chance::draw(rng);
            let sealed = Key::of_passphrase(passphrase, &salt)?.seal("sluis/v1/key", &*seed, rng);
            format!("salt {}\nsealed {}", hex(&salt), hex(&sealed))
        }
    };
    seed.zeroize();
    let name = &identity.public.name;
    let text = Zeroizing::new(format!("sluis secret key 1\nrole {role}\nname {name}\n{kept}\n"));
    files::write_new(path, text.as_bytes())?;
    files::write(&public_path(path), identity.public_text().as_bytes())?;
    Ok(identity)
}

/// Where the public half of a secret file is.
#[must_use]
pub fn public_path(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Opens the secret file of a role.
///
/// # Errors
/// When it is none, for another role, or asks for another passphrase.
pub fn open(path: &Path, role: Role, passphrase: Option<&str>) -> Result<Identity, Error> {
    let bytes = Zeroizing::new(files::read(path, MOST)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::Malformed("it is not text"))?;
    let mut lines = Lines::new(text, "sluis secret key 1")?;
    let found = Role::of(lines.value("role")?).ok_or(Error::Malformed("it names a role that this version does not know"))?;
    if found != role {
        return Err(Error::Role(found, role));
    }
    let name = lines.value("name")?;
    let seed = Zeroizing::new(match lines.either("seed", "salt")? {
        ("seed", seed) => unhex::<32>(seed)?,
        (_, salt) => {
            let salt = unhex::<16>(salt)?;
            let sealed = unhex::<60>(lines.value("sealed")?)?;
            let key = Key::of_passphrase(passphrase.ok_or(Error::Passphrase)?, &salt)?;
            let opened = key.open("sluis/v1/key", &sealed)?;
            <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| Error::Malformed("its secret has another length"))?
        }
    });
    Ok(Identity::of_seed(role, name, &seed))
}

/// Lines of `word value`, in their order.
struct Lines<'a>(std::str::Lines<'a>);

impl<'a> Lines<'a> {
    fn new(text: &'a str, first: &str) -> Result<Lines<'a>, Error> {
        let mut lines = text.lines();
        if lines.next() == Some(first) { Ok(Lines(lines)) } else { Err(Error::Malformed("its first line is another one")) }
    }

    fn value(&mut self, word: &'static str) -> Result<&'a str, Error> {
        self.either(word, word).map(|(_, value)| value)
    }

    fn either(&mut self, one: &'static str, other: &'static str) -> Result<(&'static str, &'a str), Error> {
        let line = self.0.next().ok_or(Error::Malformed("a line is missing"))?;
        let (word, value) = line.split_once(' ').ok_or(Error::Malformed("a line has no value"))?;
        match word {
            _ if word == one => Ok((one, value)),
            _ if word == other => Ok((other, value)),
            _ => Err(Error::Malformed("its lines are in another order")),
        }
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_secret(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// Bytes of lower-case hexadecimal digits.
///
/// # Errors
/// When they are others, or not `N` bytes.
pub fn unhex<const N: usize>(text: &str) -> Result<[u8; N], Error> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return Err(Error::Malformed("a value has another length"));
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
            return Err(Error::Malformed("a value is not in hexadecimal digits"));
        };
        *byte = high << 4 | low;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Scratch;
    use matching::testing::Chance;

    #[test]
    fn a_key_is_kept_and_opened_again() {
        let scratch = Scratch::new("keys");
        for (name, passphrase) in [("open", None), ("closed", Some("a long passphrase"))] {
            let path = scratch.0.join(name);
            let made = create(&path, Role::Desk, "Desk\nof", passphrase, &mut Chance::of(1)).expect("made");
            let opened = open(&path, Role::Desk, passphrase).expect("opened");
            assert_eq!((&made.public, &*made.public.name), (&opened.public, "Desk of"));
            assert_eq!(opened.signing.to_bytes(), made.signing.to_bytes());
            assert_eq!(Public::open(&public_path(&path), Role::Desk).expect("public"), made.public);
            assert!(matches!(open(&path, Role::Officer, passphrase), Err(Error::Role(..))));
            assert!(matches!(create(&path, Role::Desk, "", None, &mut Chance::of(2)), Err(Error::File(_))));
        }
        let closed = scratch.0.join("closed");
        assert!(matches!(open(&closed, Role::Desk, None), Err(Error::Passphrase)));
        assert!(matches!(open(&closed, Role::Desk, Some("another passphrase")), Err(Error::Closed(_))));
    }

    #[test]
    fn a_public_file_that_was_changed_is_refused() {
        let identity = Identity::draw(Role::Officer, "Officer one", &mut Chance::of(3));
        let text = identity.public_text();
        assert_eq!(Public::parse(&text).expect("its own"), identity.public);
        for changed in
            [text.replace("one", "two"), text.replace("officer", "desk"), text.replace("opens ", "opens 0"), String::new()]
        {
            assert!(Public::parse(&changed).is_err(), "{changed}");
        }
        assert!(!format!("{identity:?}").contains(&hex(&identity.signing.to_bytes())));
    }
}
