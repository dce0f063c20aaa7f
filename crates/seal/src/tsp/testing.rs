//! A time-stamping authority for tests: it stamps whatever it is asked to, at whatever moment.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey,
    date_time_ymd,
};
use sha2::{Digest, Sha256};

use super::der::{self, write, write_integer};
use super::{Oid, certificate::Certificate, oid};

/// An authority with a root of its own.
pub struct Authority {
    /// The name of its trust file, without an ending.
    pub name: String,
    /// Its trust file.
    pub roots: String,
    certificate: Vec<u8>,
    key: KeyPair,
}

impl Authority {
    /// An authority whose certificates are valid from one year to before another.
    pub fn new(name: &str, from: i32, until: i32) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, format!("Clocks of {name}.example"));
        params.distinguished_name.push(DnType::CommonName, "Root");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let root = params.self_signed(&root_key).unwrap();
        let issuer = Issuer::from_params(&params, &root_key);

        let mut own = params.clone();
        own.distinguished_name.push(DnType::CommonName, "Unit 1");
        own.is_ca = IsCa::ExplicitNoCa;
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let purpose = write(der::SEQUENCE, &write(der::OID, oid::TIME_STAMPING));
        let mut purpose = CustomExtension::from_oid_content(&[2, 5, 29, 37], purpose);
        purpose.set_criticality(true);
        own.custom_extensions = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = own.signed_by(&key, &issuer).unwrap().der().to_vec();
        Authority { name: name.to_owned(), roots: root.pem(), certificate, key }
    }

    /// A response (`TimeStampResp`) over a SHA-256, at a moment in UTC milliseconds.
    pub fn stamp(&self, digest: &[u8; 32], at: i64, nonce: u64) -> Vec<u8> {
        let algorithm = |id: &[u8]| write(der::SEQUENCE, &write(der::OID, id));
        let moment: String = crate::bundle::said(at - at % 1_000).unwrap().chars().filter(char::is_ascii_digit).collect();
        let imprint = [algorithm(oid::SHA_256), write(der::OCTET_STRING, digest)].concat();
        let info = [
            write_integer(1),
            write(der::OID, Oid::parse("1.3.6.1.4.1.64496.1").unwrap().der()),
            write(der::SEQUENCE, &imprint),
            write_integer(nonce / 2 + 1),
            write(der::GENERALIZED_TIME, format!("{moment}Z").as_bytes()),
            write(der::SEQUENCE, &write_integer(1)),
            write_integer(nonce),
        ];
        let info = write(der::SEQUENCE, &info.concat());
        let attribute = |id: &[u8], value: &[u8]| write(der::SEQUENCE, &[write(der::OID, id), write(der::SET, value)].concat());
        let named = write(der::SEQUENCE, &write(der::OCTET_STRING, &Sha256::digest(&self.certificate)));
        // A SET in DER is sorted (X.690, 11.6).
        let mut attributes = [
            attribute(oid::CONTENT_TYPE, &write(der::OID, oid::TST_INFO)),
            attribute(oid::MESSAGE_DIGEST, &write(der::OCTET_STRING, &Sha256::digest(&info))),
            attribute(oid::SIGNING_CERTIFICATE_V2, &write(der::SEQUENCE, &write(der::SEQUENCE, &named))),
        ];
        attributes.sort();
        let attributes = attributes.concat();
        let signature = self.key.sign(&write(der::SET, &attributes)).unwrap();
        let own = Certificate::read(&self.certificate).unwrap();
        let signer = [
            write_integer(1),
            write(der::SEQUENCE, &[own.issuer.to_vec(), write(der::INTEGER, own.serial)].concat()),
            algorithm(oid::SHA_256),
            write(der::context_of(0), &attributes),
            algorithm(oid::ECDSA_SHA_256),
            write(der::OCTET_STRING, &signature),
        ];
        let content = [write(der::OID, oid::TST_INFO), write(der::context_of(0), &write(der::OCTET_STRING, &info))];
        let data = [
            write_integer(3),
            write(der::SET, &algorithm(oid::SHA_256)),
            write(der::SEQUENCE, &content.concat()),
            write(der::context_of(0), &self.certificate),
            write(der::SET, &write(der::SEQUENCE, &signer.concat())),
        ];
        let data = write(der::context_of(0), &write(der::SEQUENCE, &data.concat()));
        let token = write(der::SEQUENCE, &[write(der::OID, oid::SIGNED_DATA), data].concat());
        write(der::SEQUENCE, &[write(der::SEQUENCE, &write_integer(0)), token].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tsp::{Anchors, verify};

    #[test]
    fn what_it_stamps_is_judged_good_under_its_own_root_alone() {
        let (one, other) = (Authority::new("one", 2020, 2040), Authority::new("other", 2020, 2040));
        let response = one.stamp(&[7; 32], 1_795_348_800_250, 99);
        let trusting = |authority: &Authority| {
            let mut anchors = Anchors::new();
            anchors.add(&authority.name, authority.roots.as_bytes()).unwrap();
            verify(&response, &[7; 32], Some(99), &anchors, None)
        };
        assert_eq!(trusting(&one).unwrap().gen_time_ms, 1_795_348_800_000);
        assert!(trusting(&other).is_err());
    }
}
