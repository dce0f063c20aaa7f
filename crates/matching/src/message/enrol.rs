//! Being enrolled and leaving. Keys are pinned by fingerprints that people read to each other; nothing here is trusted without that.

use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    envelope::KeyId,
    message::plan::Plan,
};

/// The most bytes of a name or registration.
pub const MOST_NAME: usize = 200;
/// The most bytes of a contact or a reason.
pub const MOST_TEXT: usize = 1_000;

/// A provider asks to be enrolled. It is signed with the key that its fingerprint is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentRequest {
    /// What the provider calls itself.
    pub name: String,
    /// Its number in the trade register or its AS number, as it writes it.
    pub registration: String,
    /// Whom to call.
    pub contact: String,
    /// How many customers it has, rounded up to a power of two.
    pub customers: u32,
    /// X25519 key to encrypt to it with.
    pub hpke: [u8; 32],
}

/// A number of customers as it may be told: the next power of two, at least 16.
#[must_use]
pub fn bucket(customers: u32) -> u32 {
    customers.max(16).checked_next_power_of_two().unwrap_or(1 << 31)
}

impl EnrolmentRequest {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.text(&self.name).text(&self.registration).text(&self.contact).u32(self.customers).raw(&self.hpke);
        w.done()
    }

    /// From a body.
    ///
    /// # Errors
    /// When the bytes are none, the name is empty or the number of customers is not rounded.
    pub fn decode(body: &[u8]) -> Result<EnrolmentRequest, Malformed> {
        let mut r = Reader::new(body);
        let request = EnrolmentRequest {
            name: read_name(&mut r)?,
            registration: r.text(MOST_NAME)?.to_owned(),
            contact: r.text(MOST_TEXT)?.to_owned(),
            customers: read_bucket(&mut r)?,
            hpke: r.array()?,
        };
        r.end()?;
        Ok(request)
    }
}

/// A provider is enrolled, with its plan. Signed by an officer, for the provider; an evaluator takes the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The provider's key.
    pub provider: KeyId,
    /// What it calls itself.
    pub name: String,
    /// [`crate::envelope::Envelope::hash`] of its request.
    pub request: Digest,
    /// How many customers it says it has, rounded up to a power of two.
    pub customers: u32,
    /// X25519 key to encrypt to it with.
    pub hpke: [u8; 32],
    /// How many batches, of which size, how often.
    pub plan: Plan,
}

impl Enrolment {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.provider).text(&self.name).raw(&self.request).u32(self.customers).raw(&self.hpke);
        self.plan.write(&mut w);
        w.done()
    }

    /// From a body.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(body: &[u8]) -> Result<Enrolment, Malformed> {
        let mut r = Reader::new(body);
        let enrolment = Enrolment {
            provider: r.array()?,
            name: read_name(&mut r)?,
            request: r.array()?,
            customers: read_bucket(&mut r)?,
            hpke: r.array()?,
            plan: Plan::read(&mut r)?,
        };
        r.end()?;
        Ok(enrolment)
    }
}

/// A provider leaves, signed by itself, or is left, signed by an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Whose enrolment ends.
    pub provider: KeyId,
    /// Why; may be empty.
    pub reason: String,
}

impl Leaving {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().raw(&self.provider).text(&self.reason).done()
    }

    /// From a body.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(body: &[u8]) -> Result<Leaving, Malformed> {
        let mut r = Reader::new(body);
        let leaving = Leaving { provider: r.array()?, reason: r.text(MOST_TEXT)?.to_owned() };
        r.end()?;
        Ok(leaving)
    }
}

fn read_name(r: &mut Reader<'_>) -> Result<String, Malformed> {
    let here = r.clone();
    let name = r.text(MOST_NAME)?;
    if name.trim().is_empty() {
        return Err(here.wrong("a name"));
    }
    Ok(name.to_owned())
}

fn read_bucket(r: &mut Reader<'_>) -> Result<u32, Malformed> {
    let here = r.clone();
    let customers = r.u32()?;
    if customers != bucket(customers) {
        return Err(here.wrong("a number of customers rounded up to a power of two"));
    }
    Ok(customers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> EnrolmentRequest {
        EnrolmentRequest {
            name: "Voorbeeld Hosting".to_owned(),
            registration: "AS64500".to_owned(),
            contact: "abuse@hoster.example".to_owned(),
            customers: bucket(2_000),
            hpke: [3; 32],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(EnrolmentRequest::decode(&request().encode()), Ok(request()));
        let enrolment = Enrolment {
            provider: [1; 32],
            name: "Voorbeeld Hosting".to_owned(),
            request: [2; 32],
            customers: 2_048,
            hpke: [3; 32],
            plan: Plan::usual(2_048, false),
        };
        assert_eq!(Enrolment::decode(&enrolment.encode()), Ok(enrolment.clone()));
        for cut in 0..enrolment.encode().len() {
            assert!(Enrolment::decode(&enrolment.encode()[..cut]).is_err(), "cut at {cut}");
        }
        let leaving = Leaving { provider: [1; 32], reason: String::new() };
        assert_eq!(Leaving::decode(&leaving.encode()), Ok(leaving));
    }

    #[test]
    fn the_number_of_customers_is_never_told_as_it_is() {
        for (customers, told) in [(0, 16), (16, 16), (17, 32), (2_000, 2_048), (u32::MAX, 1 << 31)] {
            assert_eq!(bucket(customers), told);
        }
        assert!(EnrolmentRequest::decode(&EnrolmentRequest { customers: 2_000, ..request() }.encode()).is_err());
        assert!(EnrolmentRequest::decode(&EnrolmentRequest { name: " ".to_owned(), ..request() }.encode()).is_err());
        assert!(EnrolmentRequest::decode(&EnrolmentRequest { name: "a\u{202e}b".to_owned(), ..request() }.encode()).is_err());
    }
}
