//! Cosignatures (C2SP `tlog-cosignature`, `cosignature/v1`): a witness says at which time a checkpoint was the newest it had seen.

use crate::{
    checkpoint::Checkpoint,
    note::{Algorithm, SignError, SignatureLine, Signer, VerifierKey},
};

/// The line is not a valid cosignature of this key over this checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cosignature is not valid")]
pub struct Invalid;

/// What a witness signs: two lines with the time (seconds since 1970), then the text of the checkpoint.
#[must_use]
pub fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Signs a checkpoint as a witness.
///
/// `text` is the checkpoint's as the log signed it, since foreign extension lines are signed too; `time` is in seconds since 1970, at most 2^63-1.
///
/// # Errors
/// When the text is no checkpoint, the time is too large, the key is not one for cosignatures, or the signer cannot sign.
pub fn sign(text: &str, time: u64, signer: &dyn Signer) -> Result<SignatureLine, SignError> {
    if signer.key().algorithm() != Algorithm::Cosignature {
        return Err(SignError(format!("{} is not a key for cosignatures", signer.key())));
    }
    if i64::try_from(time).is_err() {
        return Err(SignError("the time is beyond what a cosignature can say".into()));
    }
    Checkpoint::parse(text).map_err(|wrong| SignError(wrong.to_string()))?;
    let mut signature = time.to_be_bytes().to_vec();
    signature.extend(signer.sign(message(text, time).as_bytes())?);
    Ok(SignatureLine::by(signer.key(), signature))
}

/// Checks a witness's line under the checkpoint with this text; returns its time, in seconds since 1970.
///
/// # Errors
/// [`Invalid`], when it is not a cosignature of this key over a checkpoint with this text.
pub fn verify(text: &str, line: &SignatureLine, key: &VerifierKey) -> Result<u64, Invalid> {
    let (time, signature) = line.signature.split_first_chunk::<8>().ok_or(Invalid)?;
    let time = u64::from_be_bytes(*time);
    let ours = key.algorithm() == Algorithm::Cosignature && line.is_by(key) && i64::try_from(time).is_ok();
    if ours && Checkpoint::parse(text).is_ok() && key.verify(message(text, time).as_bytes(), signature) {
        Ok(time)
    } else {
        Err(Invalid)
    }
}
