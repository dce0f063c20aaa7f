//! Batches: blinded elements one way, evaluated elements with proof and receipt the other, or the reason why not.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    envelope::KeyId,
    sha256,
    token::Group,
};

/// The sizes that a batch may have. Nothing else travels, so that a batch says no more than its size.
pub const SIZES: [u16; 4] = [64, 256, 1_024, 4_096];

/// The most bytes of one message with elements.
pub const MOST_BODY: usize = 140_000;

/// A group element as it travels: 32 canonical bytes. What they mean is [`crate::voprf`]'s.
pub type Element = [u8; 32];

/// A batch of blinded elements of one group. Its number, list, epoch, manifest and share stand in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalRequest {
    /// Whose key is to be used.
    pub group: Group,
    /// As many as one of [`SIZES`].
    pub elements: Vec<Element>,
}

impl EvalRequest {
    /// `group u8 | n u16 | n * 32`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(self.group as u8);
        write_elements(&mut w, &self.elements);
        w.done()
    }

    /// From a body.
    ///
    /// # Errors
    /// When the bytes are not a batch of one of [`SIZES`]. Whether its elements are points is not looked at.
    pub fn decode(body: &[u8]) -> Result<EvalRequest, Malformed> {
        let mut r = Reader::new(body);
        let group = read_group(&mut r)?;
        let elements = read_elements(&mut r)?;
        r.end()?;
        Ok(EvalRequest { group, elements })
    }
}

/// That an evaluator evaluated a batch at a time: both sides can show the volume, and a provider that was cheated has it signed (M8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// When, in milliseconds since 1970 UTC.
    pub at: i64,
    /// [`crate::envelope::Envelope::hash`] of the request.
    pub request: Digest,
    /// [`EvalResponse::answered`]: the digest of what was answered.
    pub answered: Digest,
    /// The provider that asked.
    pub provider: KeyId,
    /// By the evaluator.
    pub signature: [u8; 64],
}

impl Receipt {
    /// Signed by an evaluator.
    #[must_use]
    pub fn new(at: i64, request: Digest, answered: Digest, provider: KeyId, evaluator: &SigningKey) -> Receipt {
        let mut receipt = Receipt { at, request, answered, provider, signature: [0; 64] };
        receipt.signature = evaluator.sign(&receipt.message()).to_bytes();
        receipt
    }

    /// Whether this evaluator signed it.
    #[must_use]
    pub fn is_signed_by(&self, evaluator: &KeyId) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(evaluator) else { return false };
        key.verify_strict(&self.message(), &ed25519_dalek::Signature::from_bytes(&self.signature)).is_ok()
    }

    fn message(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"sluis/v1/receipt\0").time(self.at).raw(&self.request).raw(&self.answered).raw(&self.provider);
        w.done()
    }

    /// `time | request hash | answered | provider | signature`: 168 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.done()
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are no receipt.
    pub fn decode(bytes: &[u8]) -> Result<Receipt, Malformed> {
        let mut r = Reader::new(bytes);
        let receipt = Receipt::read(&mut r)?;
        r.end()?;
        Ok(receipt)
    }

    fn write(&self, w: &mut Writer) {
        w.time(self.at).raw(&self.request).raw(&self.answered).raw(&self.provider).raw(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Receipt, Malformed> {
        Ok(Receipt { at: r.time()?, request: r.array()?, answered: r.array()?, provider: r.array()?, signature: r.array()? })
    }
}

/// A batch evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalResponse {
    /// [`crate::envelope::Envelope::hash`] of the request.
    pub request: Digest,
    /// As many as were asked, in their order.
    pub elements: Vec<Element>,
    /// That all were evaluated with the key of the manifest, in this batch and no other ([`crate::voprf`]).
    pub proof: [u8; 64],
    /// How many elements of this group the provider may still send in this epoch after this batch.
    pub left: u64,
    /// What both sides can show.
    pub receipt: Receipt,
}

impl EvalResponse {
    /// The digest of what was answered: elements and proof.
    #[must_use]
    pub fn answered(elements: &[Element], proof: &[u8; 64]) -> Digest {
        sha256(&[b"sluis/v1/answered\0", elements.as_flattened(), proof])
    }

    /// `request hash 32 | n u16 | n * 32 | proof 64 | left u64 | receipt 168`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.request);
        write_elements(&mut w, &self.elements);
        w.raw(&self.proof).u64(self.left);
        self.receipt.write(&mut w);
        w.done()
    }

    /// From a body. The proof and the receipt are not looked at.
    ///
    /// # Errors
    /// When the bytes are no such answer.
    pub fn decode(body: &[u8]) -> Result<EvalResponse, Malformed> {
        let mut r = Reader::new(body);
        let response = EvalResponse {
            request: r.array()?,
            elements: read_elements(&mut r)?,
            proof: r.array()?,
            left: r.u64()?,
            receipt: Receipt::read(&mut r)?,
        };
        r.end()?;
        Ok(response)
    }

    /// Whether the receipt is about this answer to this provider, and signed by this evaluator.
    #[must_use]
    pub fn has_receipt(&self, provider: &KeyId, evaluator: &KeyId) -> bool {
        let receipt = &self.receipt;
        receipt.request == self.request
            && receipt.provider == *provider
            && receipt.answered == EvalResponse::answered(&self.elements, &self.proof)
            && receipt.is_signed_by(evaluator)
    }
}

/// Why a batch was not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Code {
    /// The list, epoch or manifest is not one that is evaluated here.
    UnknownEpoch = 1,
    /// The provider asked as much as its plan allows in this epoch.
    Quota = 2,
    /// An element is no canonical point, or the identity.
    BadElement = 3,
    /// The number of the batch was used before, for another batch.
    Replay = 4,
    /// The provider is not enrolled, or left.
    NotEnrolled = 5,
    /// The epoch has not begun, or is over.
    Closed = 6,
    /// The batch has another size than the plan has it.
    BatchSize = 7,
    /// All batches of this period were sent.
    Cadence = 8,
    /// The request's time ran out before it came.
    Expired = 9,
}

impl Code {
    /// All, in order.
    pub const ALL: [Code; 9] = [
        Code::UnknownEpoch,
        Code::Quota,
        Code::BadElement,
        Code::Replay,
        Code::NotEnrolled,
        Code::Closed,
        Code::BatchSize,
        Code::Cadence,
        Code::Expired,
    ];

    /// By its number.
    #[must_use]
    pub fn of(number: u16) -> Option<Code> {
        Code::ALL.into_iter().find(|code| *code as u16 == number)
    }

    /// What the provider does now.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Code::UnknownEpoch => {
                "the evaluator does not have this list or epoch; take in the newest list of the list holder and make a new query"
            }
            Code::Quota => {
                "the quota of this epoch is used up; wait for the next epoch, or ask the list holder for a larger plan"
            }
            Code::BadElement => {
                "the evaluator found an element that is no point of the group; the file was damaged or this program is wrong: tell the list holder"
            }
            Code::Replay => {
                "this batch number was used for another batch; was this directory restored from a backup or copied? Ask the list holder which numbers it has"
            }
            Code::NotEnrolled => "the evaluator does not have your enrolment, or it ended; ask the list holder",
            Code::Closed => "this epoch has not begun or is over; take in the newest list of the list holder",
            Code::BatchSize => "the batch is not of the size in your plan; take in your newest enrolment",
            Code::Cadence => "all batches of this period were sent already; send it again in the next period",
            Code::Expired => "the query was too old when it came; make it again, the same batches are then signed anew",
        }
    }
}

/// A batch not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvalError {
    /// [`crate::envelope::Envelope::hash`] of the request.
    pub request: Digest,
    /// Why.
    pub code: Code,
    /// After how many seconds it may be tried again; 0: not by itself.
    pub retry_after: u32,
}

impl EvalError {
    /// `request hash 32 | code u16 | retry_after u32`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().raw(&self.request).u16(self.code as u16).u32(self.retry_after).done()
    }

    /// From a body.
    ///
    /// # Errors
    /// When the bytes are no such error.
    pub fn decode(body: &[u8]) -> Result<EvalError, Malformed> {
        let mut r = Reader::new(body);
        let request = r.array()?;
        let here = r.clone();
        let code = Code::of(r.u16()?).ok_or_else(|| here.wrong("an error code that this version knows"))?;
        let retry_after = r.u32()?;
        r.end()?;
        Ok(EvalError { request, code, retry_after })
    }
}

pub(crate) fn read_group(r: &mut Reader<'_>) -> Result<Group, Malformed> {
    let here = r.clone();
    Group::of(r.u8()?).ok_or_else(|| here.wrong("a group of classes"))
}

fn write_elements(w: &mut Writer, elements: &[Element]) {
    w.list(elements, |w, element| {
        w.raw(element);
    });
}

fn read_elements(r: &mut Reader<'_>) -> Result<Vec<Element>, Malformed> {
    let here = r.clone();
    let n = r.u16()?;
    if !SIZES.contains(&n) {
        return Err(here.wrong("a batch of 64, 256, 1,024 or 4,096"));
    }
    let bytes = r.raw(usize::from(n) * 32)?;
    Ok(bytes.as_chunks::<32>().0.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(n: u16) -> Vec<Element> {
        (0..n).map(|i| sha256(&[&i.to_be_bytes()])).collect()
    }

    fn response(n: u16) -> EvalResponse {
        let evaluator = SigningKey::from_bytes(&[4; 32]);
        let elements = elements(n);
        let receipt = Receipt::new(77, [1; 32], EvalResponse::answered(&elements, &[3; 64]), [2; 32], &evaluator);
        EvalResponse { request: [1; 32], elements, proof: [3; 64], left: 5, receipt }
    }

    #[test]
    fn batches_of_the_four_sizes_are_read_again_and_no_others() {
        for size in SIZES {
            let request = EvalRequest { group: Group::Names, elements: elements(size) };
            assert_eq!(EvalRequest::decode(&request.encode()), Ok(request));
            let response = response(size);
            let body = response.encode();
            assert!(body.len() <= MOST_BODY);
            assert_eq!(EvalResponse::decode(&body), Ok(response));
        }
        for size in [0, 1, 63, 65, 4_095, 4_097] {
            let request = EvalRequest { group: Group::Names, elements: elements(size) };
            assert_eq!(EvalRequest::decode(&request.encode()).map_err(|e| e.at), Err(1), "{size}");
        }
        let mut body = EvalRequest { group: Group::Names, elements: elements(64) }.encode();
        body.push(0);
        assert!(EvalRequest::decode(&body).is_err(), "nothing may follow");
        body.truncate(100);
        assert!(EvalRequest::decode(&body).is_err());
        body[0] = 7;
        assert!(EvalRequest::decode(&body).is_err(), "there is no seventh group");
    }

    #[test]
    fn a_receipt_is_about_one_answer_to_one_provider() {
        let evaluator = SigningKey::from_bytes(&[4; 32]).verifying_key().to_bytes();
        let good = response(64);
        assert!(good.has_receipt(&[2; 32], &evaluator));
        assert!(!good.has_receipt(&[9; 32], &evaluator));
        assert!(!good.has_receipt(&[2; 32], &SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes()));
        type Change = fn(&mut EvalResponse);
        let changes: [Change; 6] = [
            |r| r.request[0] ^= 1,
            |r| r.elements.swap(0, 1),
            |r| r.proof[0] ^= 1,
            |r| r.receipt.at += 1,
            |r| r.receipt.request[0] ^= 1,
            |r| r.receipt.signature[0] ^= 1,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(!bad.has_receipt(&[2; 32], &evaluator), "change {number}");
        }
        assert_eq!(Receipt::decode(&good.receipt.encode()), Ok(good.receipt));
    }

    #[test]
    fn errors_say_what_to_do() {
        for code in Code::ALL {
            let error = EvalError { request: [8; 32], code, retry_after: 60 };
            assert_eq!(EvalError::decode(&error.encode()), Ok(error));
            assert!(code.advice().len() > 40);
        }
        let mut unknown = EvalError { request: [8; 32], code: Code::Quota, retry_after: 0 }.encode();
        unknown[33] = 99;
        assert!(EvalError::decode(&unknown).is_err());
    }
}
