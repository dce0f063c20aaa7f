//! Signed notes (C2SP `signed-note`): text with the signatures of one or more keys, and the keys themselves.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

use crate::{cosignature, ed25519};

/// The most bytes that a note may have.
pub const MAX_NOTE: usize = 1 << 20;
/// The most signature lines that a note may have. The standard asks for 16 at least.
pub const MAX_LINES: usize = 100;
/// The most bytes of a key's name.
pub const MAX_NAME: usize = 255;

/// Why a note or a key was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The bytes are not a signed note; the sentence says what is wrong.
    #[error("not a signed note: {0}")]
    Note(&'static str),
    /// The text is not a verifier key; the sentence says what is wrong.
    #[error("not a verifier key: {0}")]
    Key(&'static str),
    /// Two of the known keys have the same name and identifier.
    #[error("the key {0} is given twice")]
    Ambiguous(String),
    /// A known key's signature does not verify. The whole note is refused, also when others do: someone altered it.
    #[error("the signature of {0} is not valid")]
    Signature(String),
    /// None of the known keys signed.
    #[error("none of the known keys signed this")]
    Unsigned,
}

/// What a key signs, and how: the signature type of C2SP `signed-note`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// 0x01: Ed25519 over the note's text.
    Ed25519,
    /// 0x04: a witness's Ed25519 over the checkpoint and a time (`cosignature`).
    Cosignature,
    /// 0x06: ML-DSA-44. Such a key can be named in a policy, but its signatures are not verified yet: they count as
    /// those of an unknown key.
    MlDsa44,
}

impl Algorithm {
    /// Number in the standard.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
            Self::MlDsa44 => 0x06,
        }
    }
}

/// The public half of a key with its name: what a policy trusts. Its text is `name+identifier+key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    algorithm: Algorithm,
    public: Vec<u8>,
    id: [u8; 4],
}

impl VerifierKey {
    /// A key by its parts.
    ///
    /// # Errors
    /// When the name is empty, over [`MAX_NAME`] bytes, or has a space, a control character or a plus; or the key has
    /// another length than its kind, or is one that anybody could sign for (low order).
    pub fn new(name: &str, algorithm: Algorithm, public: &[u8]) -> Result<Self, Wrong> {
        check_name(name).map_err(Wrong::Key)?;
        match algorithm {
            Algorithm::Ed25519 | Algorithm::Cosignature => {
                let key = public.try_into().map_err(|_| Wrong::Key("an Ed25519 key has 32 bytes"))?;
                if !ed25519::is_sound_key(key) {
                    return Err(Wrong::Key("these 32 bytes are not a sound Ed25519 key"));
                }
            }
            Algorithm::MlDsa44 if public.len() != 1312 => return Err(Wrong::Key("an ML-DSA-44 key has 1312 bytes")),
            Algorithm::MlDsa44 => {}
        }
        let digest = Sha256::new().chain_update(name).chain_update([b'\n', algorithm.number()]).chain_update(public).finalize();
        let id = [digest[0], digest[1], digest[2], digest[3]];
        Ok(Self { name: name.to_owned(), algorithm, public: public.to_vec(), id })
    }

    /// Reads `name+identifier+base64`: the identifier as eight lower-case hexadecimal digits, then the type and the key.
    ///
    /// # Errors
    /// [`Wrong::Key`], also when the identifier is not that of the key.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Wrong::Key("expected name+identifier+key"));
        };
        let key = BASE64.decode(key).map_err(|_| Wrong::Key("the part after the second + is not base64"))?;
        let (kind, public) = key.split_first().ok_or(Wrong::Key("the part after the second + is empty"))?;
        let algorithm = [Algorithm::Ed25519, Algorithm::Cosignature, Algorithm::MlDsa44]
            .into_iter()
            .find(|algorithm| algorithm.number() == *kind)
            .ok_or(Wrong::Key("this kind of key is not known here"))?;
        let key = Self::new(name, algorithm, public)?;
        if id != hex(key.id) {
            return Err(Wrong::Key("the identifier is not that of the name and key"));
        }
        Ok(key)
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Identifier: the first four bytes of SHA-256 over name, line feed, type and key.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// What it signs, and how.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key itself, as its algorithm encodes it.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Whether these bytes are the signature of this key over exactly this message. Never true for ML-DSA-44 yet.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match (self.algorithm, <&[u8; 32]>::try_from(self.public.as_slice())) {
            (Algorithm::Ed25519 | Algorithm::Cosignature, Ok(key)) => ed25519::verify(key, message, signature),
            _ => false,
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm.number()];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, hex(self.id), BASE64.encode(key))
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = Wrong;
    fn from_str(text: &str) -> Result<Self, Wrong> {
        Self::parse(text)
    }
}

/// The signer could not sign; the sentence says why. (A key in a file always can, one in a device may not.)
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signer did not sign: {0}")]
pub struct SignError(pub String);

/// Who can sign: a key in a file, in a device, or of an algorithm that does not exist here yet.
pub trait Signer {
    /// The public half.
    fn key(&self) -> &VerifierKey;

    /// The signature over exactly this message: 64 bytes for Ed25519, 2420 for ML-DSA-44.
    ///
    /// # Errors
    /// When the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A signer with an Ed25519 key in memory, which is wiped when it is dropped.
pub struct Ed25519Signer {
    key: VerifierKey,
    secret: SigningKey,
}

impl Ed25519Signer {
    /// From the 32 bytes of the secret key. The caller wipes its own copy.
    ///
    /// # Errors
    /// When the name cannot be a key's name, or the algorithm is not one of Ed25519.
    pub fn new(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self, Wrong> {
        if algorithm == Algorithm::MlDsa44 {
            return Err(Wrong::Key("this signer has an Ed25519 key"));
        }
        let secret = SigningKey::from_bytes(seed);
        Ok(Self { key: VerifierKey::new(name, algorithm, secret.verifying_key().as_bytes())?, secret })
    }
}

impl Signer for Ed25519Signer {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.secret.sign(message).to_bytes().to_vec())
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.key)
    }
}

/// One line under a note: `— name base64(identifier, signature)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignatureLine {
    /// Name of the key.
    pub name: String,
    /// Identifier of the key.
    pub id: [u8; 4],
    /// What the key's algorithm makes of it; for a cosignature the time stands before it.
    pub signature: Vec<u8>,
}

impl SignatureLine {
    /// The line of this key.
    #[must_use]
    pub fn by(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self { name: key.name.clone(), id: key.id, signature }
    }

    /// Whether this line says to be of this key.
    #[must_use]
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id
    }

    /// Reads one line, without its line feed.
    ///
    /// # Errors
    /// [`Wrong::Note`].
    pub fn parse(line: &str) -> Result<Self, Wrong> {
        let rest = line.strip_prefix("— ").ok_or(Wrong::Note("a signature line begins with an em dash and a space"))?;
        let (name, signature) = rest.split_once(' ').ok_or(Wrong::Note("a signature line has a name and a signature"))?;
        check_name(name).map_err(Wrong::Note)?;
        let bytes = BASE64.decode(signature).map_err(|_| Wrong::Note("a signature is not base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
            }
            _ => Err(Wrong::Note("a signature is too short")),
        }
    }
}

impl fmt::Display for SignatureLine {
    /// Without a line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "— {} {}", self.name, BASE64.encode([&self.id[..], &self.signature].concat()))
    }
}

/// A note as it was read. Its text says nothing until [`open`] has found a known key's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, which ends with a line feed: what is signed.
    pub text: String,
    /// The lines below it, in the order in which they stand.
    pub lines: Vec<SignatureLine>,
}

impl Note {
    /// Reads a note. There is one valid byte string for what is in one.
    ///
    /// # Errors
    /// [`Wrong::Note`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if bytes.len() > MAX_NOTE {
            return Err(Wrong::Note("it is larger than 1 MiB"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| Wrong::Note("it is not UTF-8"))?;
        check_text(whole)?;
        // The text may hold empty lines; the last one parts it from the signatures.
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(Wrong::Note("no empty line before the signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(Wrong::Note("it does not end with a line feed after a signature"))?;
        if lines.bytes().filter(|byte| *byte == b'\n').count() >= MAX_LINES {
            return Err(Wrong::Note("it has more than 100 signatures"));
        }
        let lines = lines.split('\n').map(SignatureLine::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), lines })
    }

    /// A text with the signatures of these keys, which must be [`Algorithm::Ed25519`]; cosignatures are added by `cosignature`.
    ///
    /// # Errors
    /// When a signer cannot sign, or this text cannot be signed.
    pub fn sign(text: &str, signers: &[&dyn Signer]) -> Result<Self, SignError> {
        if check_text(text).is_err() || !text.ends_with('\n') {
            return Err(SignError("the text has control characters, or no line feed at its end".into()));
        }
        let mut lines = Vec::new();
        for signer in signers {
            if signer.key().algorithm != Algorithm::Ed25519 {
                return Err(SignError(format!("{} does not sign notes", signer.key())));
            }
            lines.push(SignatureLine::by(signer.key(), signer.sign(text.as_bytes())?));
        }
        Ok(Self { text: text.to_owned(), lines })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.text, self.lines.iter().map(|line| format!("{line}\n")).collect::<String>())
    }
}

/// A signature that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<'a> {
    /// Whose it is: one of the known keys.
    pub key: &'a VerifierKey,
    /// The line. Of several valid lines of one key, the one with the latest time, else the first.
    pub line: &'a SignatureLine,
    /// When it was made, in seconds since 1970, as the key's holder says: for cosignatures only.
    pub time: Option<u64>,
}

/// What a note's signatures are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// One for each known key that signed, in the order of the note. Never empty.
    pub verified: Vec<Verified<'a>>,
    /// Lines of unknown keys, and of known keys whose algorithm is not verified here; equal ones once.
    pub unverified: Vec<&'a SignatureLine>,
}

/// Checks the signatures of a note.
///
/// Lines of unknown keys are ignored, as the standard asks, even when they share a name or an identifier with a known key. A line
/// of a known key that does not verify makes the whole note invalid (the standard: SHOULD): otherwise whoever alters a note could
/// hide it behind another key's signature. Keys are counted, not lines: a key that signed twice stands once.
///
/// # Errors
/// [`Wrong::Ambiguous`], [`Wrong::Signature`] or [`Wrong::Unsigned`].
pub fn open<'a>(note: &'a Note, keys: &'a [VerifierKey]) -> Result<Opened<'a>, Wrong> {
    for (at, key) in keys.iter().enumerate() {
        if keys.iter().take(at).any(|other| other.name == key.name && other.id == key.id) {
            return Err(Wrong::Ambiguous(key.to_string()));
        }
    }
    let mut opened = Opened { verified: Vec::<Verified<'a>>::new(), unverified: Vec::new() };
    for (at, line) in note.lines.iter().enumerate() {
        if note.lines.iter().take(at).any(|other| other == line) {
            continue;
        }
        let key = match keys.iter().find(|key| line.is_by(key)) {
            Some(key) if key.algorithm != Algorithm::MlDsa44 => key,
            _ => {
                opened.unverified.push(line);
                continue;
            }
        };
        let invalid = || Wrong::Signature(key.to_string());
        let time = match key.algorithm {
            Algorithm::Cosignature => Some(cosignature::verify(&note.text, line, key).map_err(|_| invalid())?),
            _ if key.verify(note.text.as_bytes(), &line.signature) => None,
            _ => return Err(invalid()),
        };
        let verified = Verified { key, line, time };
        match opened.verified.iter_mut().find(|other| other.key == key) {
            Some(other) if other.time < time => *other = verified,
            Some(_) => {}
            None => opened.verified.push(verified),
        }
    }
    if opened.verified.is_empty() { Err(Wrong::Unsigned) } else { Ok(opened) }
}

/// A name that a signature line can carry.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err("a key's name has 1 to 255 bytes");
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        return Err("a key's name has no spaces, control characters or plus signs");
    }
    Ok(())
}

/// No control characters but line feeds.
fn check_text(text: &str) -> Result<(), Wrong> {
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(Wrong::Note("it has control characters"));
    }
    Ok(())
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}
