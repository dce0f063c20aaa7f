//! What an aggregator takes in: the shared key of verification, contributions, withdrawals and consents. One contribution of each provider
//! of the cohort, each nonce once, and a signed receipt for what was taken.

use matching::{
    envelope::{EVERYBODY, Envelope, KeyId, Kind},
    tally::{Cohort, Role, Share, Task, VerifyKey, cohort::MOST_MEMBERS},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{Error, Held, Home, provider, rule};
use crate::{
    files,
    keys::{self, Public, hex, unhex},
};

/// A new key of verification, sealed for the helper, and the commitment that the task will hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// For the helper.
    pub file: Vec<u8>,
    /// For the association.
    pub commitment: [u8; 32],
}

impl Home {
    /// Draws the key of verification of the next task. The leader does this before the task is made.
    ///
    /// # Errors
    /// When this is not a leader, or the other is not a helper.
    pub fn new_verify_key(&self, helper: &Public, now: i64, rng: &mut impl CryptoRng) -> Result<NewKey, Error> {
        self.must_be(&[Role::Leader])?;
        if helper.role != keys::Role::Helper {
            return rule("the public file is not a helper's; ask them for the right one");
        }
        let key = VerifyKey::new(rng);
        let commitment = key.commitment();
        let sealed = key.seal(&self.key(), &helper.address, rng)?;
        // A key that nobody has taken in after a quarter is drawn anew.
        let until = now.saturating_add(92 * 24 * 60 * 60 * 1000);
        let header = matching::envelope::Header::new(Kind::VerifyKey, self.key(), helper.key, now, until);
        let file = Envelope::signed(header, sealed, &self.identity.signing).encode();
        self.keep_key(&key)?;
        Ok(NewKey { file, commitment })
    }

    /// Takes in the key that the leader drew.
    ///
    /// # Errors
    /// When it is not from this leader, or not sealed for this helper.
    pub fn take_verify_key(&self, bytes: &[u8], leader: &Public, now: i64) -> Result<[u8; 32], Error> {
        self.must_be(&[Role::Helper])?;
        if leader.role != keys::Role::Leader {
            return rule("the public file is not a leader's; ask them for the right one");
        }
        let envelope = super::one(bytes)?;
        let us = self.key();
        let expected = matching::envelope::Expected {
            sender: Some(&leader.key),
            recipient: Some(&us),
            ..matching::envelope::Expected::default()
        };
        let key = VerifyKey::open(envelope.open(Kind::VerifyKey, &expected, now)?, &leader.key, &self.identity.opener)?;
        self.keep_key(&key)?;
        Ok(key.commitment())
    }

    fn keep_key(&self, key: &VerifyKey) -> Result<(), Error> {
        Ok(files::write(&self.dir.join("tally/keys").join(hex(&key.commitment())), &key.to_bytes()[..])?)
    }

    /// The key of verification that a task commits to.
    pub(super) fn verify_key(&self, task: &Task) -> Result<VerifyKey, Error> {
        let path = self.dir.join("tally/keys").join(hex(&task.verify));
        let Some(bytes) = files::read_if_there(&path, 64)?.map(Zeroizing::new) else {
            return rule(
                "the task's key of verification is not here: the leader draws it before the task is made, and the helper takes it in",
            );
        };
        let bytes: &[u8; 64] = bytes.as_slice().try_into().map_err(|_| matching::tally::Wrong::Key)?;
        Ok(VerifyKey::from_bytes(bytes))
    }

    /// Takes in a file of contributions, withdrawals and consents, in their order, and gives what became of each.
    ///
    /// # Errors
    /// When the file cannot be read at all, or the system fails; what is wrong with one envelope stands with it.
    pub fn accept(&self, bytes: &[u8], now: i64) -> Result<Vec<Taken>, Error> {
        self.must_be(&[Role::Leader, Role::Helper])?;
        let mut taken = Vec::new();
        for envelope in Envelope::read_all(bytes, 2 * MOST_MEMBERS)? {
            let provider = envelope.header.sender;
            let outcome = match self.accept_one(&envelope, now) {
                // What the system does to us is no fault of the provider, and must not be passed over.
                Err(Error::File(error)) => return Err(error.into()),
                outcome => outcome,
            };
            taken.push(Taken { provider, kind: envelope.header.kind, outcome });
        }
        Ok(taken)
    }

    fn accept_one(&self, envelope: &Envelope, now: i64) -> Result<Option<Vec<u8>>, Error> {
        let held = self.held(&envelope.header.under)?;
        held.must_be_signed()?;
        let cohort = held.cohort()?;
        if cohort.member(&envelope.header.sender).is_none() {
            return rule("it is from nobody of the cohort");
        }
        match envelope.header.kind {
            Kind::LeaderShare | Kind::HelperShare => self.accept_share(&held, envelope, now).map(Some),
            Kind::Withdrawal => self.accept_withdrawal(&held, envelope, now).map(|()| None),
            Kind::Consent => self.accept_consent(&held, envelope, now).map(|()| None),
            _ => rule("it is neither a contribution, nor a withdrawal, nor a consent; check which file you gave"),
        }
    }

    fn accept_share(&self, held: &Held, envelope: &Envelope, now: i64) -> Result<Vec<u8>, Error> {
        let (role, provider) = (self.role()?, envelope.header.sender);
        let kind = if role == Role::Leader { Kind::LeaderShare } else { Kind::HelperShare };
        let body = held.open(envelope, kind, &provider, &self.key(), now)?;
        if envelope.header.recipient == EVERYBODY {
            return rule("a share is for one aggregator, not for everybody");
        }
        let share = Share::decode(body)?;
        let name = name_of(&provider, &share.nonce);
        // Asked again for what is here already, the same receipt is given again, also after the close.
        if let Some(known) = held.read(&format!("shares/{name}"))? {
            if super::one(&known)?.hash() == envelope.hash() && !is_gone(held, &name)? {
                return self.receipt(held, envelope, now);
            }
            return rule("this nonce was used before; it is a replay, or a withdrawn contribution");
        }
        provider::must_be_open(held, now)?;
        if held.read("set.slu")?.is_some() {
            return rule("the accepted set was signed already");
        }
        if held.names("gone")?.iter().any(|gone| gone.ends_with(&hex(&share.nonce))) {
            return rule("it was withdrawn, or replays a nonce that was; report anew");
        }
        let standing = shares(held)?;
        if standing.iter().any(|(other, _)| *other == provider) {
            return rule("this provider has contributed already; it withdraws that first, with 'sluis tally report --replace'");
        }
        if standing.iter().any(|(_, nonce)| *nonce == share.nonce) {
            return rule("its nonce is another provider's; it is a replay");
        }
        share.open(&held.task, role, &provider, &self.identity.opener)?;
        held.write(&format!("shares/{name}"), &envelope.encode())?;
        self.receipt(held, envelope, now)
    }

    /// A receipt for a share: the digest of its envelope, signed.
    fn receipt(&self, held: &Held, envelope: &Envelope, now: i64) -> Result<Vec<u8>, Error> {
        let name = format!("receipts/{}", hex(&envelope.hash()));
        if let Some(bytes) = held.read(&name)? {
            return Ok(bytes);
        }
        let header = held.header(Kind::ShareReceipt, self.key(), envelope.header.sender, now);
        let receipt = Envelope::signed(header, envelope.hash().to_vec(), &self.identity.signing).encode();
        held.write(&name, &receipt)?;
        Ok(receipt)
    }

    fn accept_withdrawal(&self, held: &Held, envelope: &Envelope, now: i64) -> Result<(), Error> {
        let provider = envelope.header.sender;
        let body = held.open(envelope, Kind::Withdrawal, &provider, &self.key(), now)?;
        let nonce: [u8; 16] = body.try_into().or_else(|_| rule("it names no contribution"))?;
        let name = name_of(&provider, &nonce);
        if is_gone(held, &name)? {
            return Ok(());
        }
        provider::must_be_open(held, now)?;
        if held.read("set.slu")?.is_some() {
            return rule("the accepted set was signed already");
        }
        let prefix = hex(&provider);
        if held.names("gone")?.iter().filter(|gone| gone.starts_with(&prefix)).count() >= provider::MOST_REPLACED {
            return rule("this provider has withdrawn as often as it may");
        }
        // The withdrawal alone makes the share one that is not there: its file is kept, so that it is known for a replay.
        held.write(&format!("gone/{name}"), &envelope.encode())
    }

    fn accept_consent(&self, held: &Held, envelope: &Envelope, now: i64) -> Result<(), Error> {
        let provider = envelope.header.sender;
        let body = held.open(envelope, Kind::Consent, &provider, &self.key(), now)?;
        if held.task.exact.is_none() || body != provider::consent_body() {
            return rule("it consents to nothing that this task asks");
        }
        held.write(&format!("consents/{}", hex(&provider)), &envelope.encode())
    }
}

/// What became of one envelope.
#[derive(Debug)]
pub struct Taken {
    /// Whose.
    pub provider: KeyId,
    /// What it was.
    pub kind: Kind,
    /// For a share its receipt, to be given back; or why it was refused.
    pub outcome: Result<Option<Vec<u8>>, Error>,
}

fn name_of(provider: &KeyId, nonce: &[u8; 16]) -> String {
    format!("{}-{}", hex(provider), hex(nonce))
}

fn is_gone(held: &Held, name: &str) -> Result<bool, Error> {
    Ok(held.read(&format!("gone/{name}"))?.is_some())
}

/// The contributions that stand: provider and nonce, by provider.
pub(super) fn shares(held: &Held) -> Result<Vec<(KeyId, [u8; 16])>, Error> {
    let gone = held.names("gone")?;
    let mut standing = Vec::new();
    for name in held.names("shares")? {
        if gone.binary_search(&name).is_ok() {
            continue;
        }
        let Some((provider, nonce)) = name.split_once('-') else { continue };
        standing.push((unhex(provider)?, unhex(nonce)?));
    }
    Ok(standing)
}

/// A contribution's share, from disk.
pub(super) fn share(held: &Held, provider: &KeyId, nonce: &[u8; 16]) -> Result<Share, Error> {
    let Some(bytes) = held.read(&format!("shares/{}", name_of(provider, nonce)))? else {
        return rule(format!("the share of provider {} is not here; take it back from a backup", hex(provider)));
    };
    Ok(Share::decode(&super::one(&bytes)?.body)?)
}

/// Who of the cohort has not consented to an exact total.
pub(super) fn without_consent(held: &Held, cohort: &Cohort) -> Result<Vec<KeyId>, Error> {
    let consents = held.names("consents")?;
    Ok(cohort.members().iter().map(|member| member.key).filter(|key| consents.binary_search(&hex(key)).is_err()).collect())
}
