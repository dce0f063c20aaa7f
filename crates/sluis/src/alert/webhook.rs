//! Alerts by webhook: JSON that is posted over HTTPS and signed, so that its receiver can tell it from anybody else's.
//!
//! `X-Sluis-Signature: t=SECONDS,v1=HEX` is HMAC-SHA256, under the shared secret, of the seconds since 1970, a full stop, and
//! the body. A receiver compares it, and refuses what is older than a few minutes.

use ring::hmac;

use super::Parcel;
use crate::egress::{Egress, Failed};

/// A webhook, ready to be called.
pub(crate) struct Webhook {
    pub(crate) egress: Egress,
    pub(crate) url: String,
    pub(crate) secret: hmac::Key,
}

impl Webhook {
    /// Calls it.
    ///
    /// # Errors
    /// Why not, in words that name nobody.
    pub(crate) fn send(&self, parcel: &Parcel<'_>) -> Result<(), String> {
        let headers = [
            ("X-Sluis-Signature", signature(&self.secret, parcel.now.0.div_euclid(1_000), &parcel.json)),
            ("X-Sluis-Delivery", parcel.id.clone()),
        ];
        self.egress.post(&self.url, &headers, parcel.json.clone()).map_err(|Failed(reason)| reason)
    }
}

/// What proves that a body is ours.
fn signature(secret: &hmac::Key, seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(secret);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let hex: String = context.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_as_others_compute_it() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let expected = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        let found = signature(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(found, expected);
    }
}
