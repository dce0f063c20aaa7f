//! Tests over tokens that a TSA of our own makes, each wrong in one way: what no honest TSA would sign.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey,
    date_time_ymd,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest as ring_digest};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::der::{self, write, write_integer};
use super::{Anchors, Asked, Imprint, Oid, Stamp, Wrong, oid, restamp, verify, verify_asked};

/// What all tokens here stamp.
const DIGEST: [u8; 32] = [7; 32];
/// The moment of a token that does not say otherwise: 2026-11-22T12:00:00.250Z.
const MOMENT: &str = "20261122120000.25Z";
const MOMENT_MS: i64 = 1_795_348_800_250;
const YEAR_MS: i64 = 366 * 86_400_000;

/// An authority or a TSA: its certificate and its key.
struct Holder {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
    pem: String,
}

impl Holder {
    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn params(name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Clocks of Example");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

fn root(name: &str, from: i32, until: i32) -> Holder {
    let mut params = params(name, from, until);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Holder { der: certificate.der().to_vec(), pem: certificate.pem(), params, key }
}

fn between(issuer: &Holder, name: &str, usages: Vec<KeyUsagePurpose>, authority: bool) -> Holder {
    let mut params = params(name, 2026, 2030);
    params.is_ca = if authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    params.key_usages = usages;
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer.issuer()).unwrap();
    Holder { der: certificate.der().to_vec(), pem: certificate.pem(), params, key }
}

/// The extension extKeyUsage.
fn purposes(purposes: &[&[u8]], critical: bool) -> CustomExtension {
    let list: Vec<u8> = purposes.iter().flat_map(|purpose| write(der::OID, purpose)).collect();
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], write(der::SEQUENCE, &list));
    extension.set_criticality(critical);
    extension
}

fn tsa_with(issuer: &Holder, key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Holder {
    let mut params = params("Unit 1", 2026, 2029);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions = vec![purposes(&[oid::TIME_STAMPING], true)];
    change(&mut params);
    let certificate = params.signed_by(&key, &issuer.issuer()).unwrap();
    Holder { der: certificate.der().to_vec(), pem: certificate.pem(), params, key }
}

fn tsa(issuer: &Holder) -> Holder {
    tsa_with(issuer, KeyPair::generate().unwrap(), |_| {})
}

/// How a token is made. Each field is a part of it, to be spoilt by itself.
struct Recipe {
    status: Vec<u8>,
    version: u64,
    digest_id: Vec<u8>,
    content_type: Vec<u8>,
    stated_digest: Option<Vec<u8>>,
    imprint_id: Vec<u8>,
    imprint: Vec<u8>,
    info_version: u64,
    moment: String,
    accuracy: Vec<u8>,
    nonce: Option<u64>,
    extensions: Vec<u8>,
    after_info: Vec<u8>,
    /// Attributes that name the certificate: identifier and value.
    named: Vec<(Vec<u8>, Vec<u8>)>,
    more_attributes: Vec<u8>,
    signer: Vec<u8>,
    signer_version: u64,
    certificates: Vec<Vec<u8>>,
    algorithm: Vec<u8>,
    signed_as: u8,
    second_signer: bool,
    unsigned: Vec<u8>,
}

fn ess_v2(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let id = write(der::SEQUENCE, &write(der::OCTET_STRING, &Sha256::digest(der)));
    (oid::SIGNING_CERTIFICATE_V2.to_vec(), write(der::SEQUENCE, &write(der::SEQUENCE, &id)))
}

fn ess_v1(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let hash = ring_digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    let id = write(der::SEQUENCE, &write(der::OCTET_STRING, hash.as_ref()));
    (oid::SIGNING_CERTIFICATE.to_vec(), write(der::SEQUENCE, &write(der::SEQUENCE, &id)))
}

/// `ESSCertIDv2` with everything in it: an algorithm, and issuer and serial number of `issued`.
fn ess_full(der: &[u8], issued: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let certificate = super::certificate::Certificate::read(issued).unwrap();
    let names = write(der::SEQUENCE, &write(der::context_of(4), certificate.issuer));
    let issued = write(der::SEQUENCE, &[names, write(der::INTEGER, certificate.serial)].concat());
    let id = [algorithm_id(oid::SHA_512), write(der::OCTET_STRING, &Sha512::digest(der)), issued].concat();
    (oid::SIGNING_CERTIFICATE_V2.to_vec(), write(der::SEQUENCE, &write(der::SEQUENCE, &write(der::SEQUENCE, &id))))
}

fn algorithm_id(id: &[u8]) -> Vec<u8> {
    write(der::SEQUENCE, &write(der::OID, id))
}

fn issued(der: &[u8]) -> Vec<u8> {
    let certificate = super::certificate::Certificate::read(der).unwrap();
    write(der::SEQUENCE, &[certificate.issuer.to_vec(), write(der::INTEGER, certificate.serial)].concat())
}

impl Recipe {
    fn new(tsa: &Holder) -> Recipe {
        Recipe {
            status: write_integer(0),
            version: 3,
            digest_id: oid::SHA_256.to_vec(),
            content_type: oid::TST_INFO.to_vec(),
            stated_digest: None,
            imprint_id: oid::SHA_256.to_vec(),
            imprint: DIGEST.to_vec(),
            info_version: 1,
            moment: MOMENT.to_owned(),
            accuracy: write(
                der::SEQUENCE,
                &[write_integer(2), write(der::context(0), &[5]), write(der::context(1), &[1])].concat(),
            ),
            nonce: Some(u64::MAX),
            extensions: Vec::new(),
            after_info: Vec::new(),
            named: vec![ess_v2(&tsa.der)],
            more_attributes: Vec::new(),
            signer: issued(&tsa.der),
            signer_version: 1,
            certificates: vec![tsa.der.clone()],
            algorithm: algorithm_id(oid::ECDSA_SHA_256),
            signed_as: der::SET,
            second_signer: false,
            unsigned: Vec::new(),
        }
    }

    fn make(&self, tsa: &Holder) -> Vec<u8> {
        self.make_by(&|message| tsa.key.sign(message).unwrap())
    }

    fn make_by(&self, sign: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let imprint = [algorithm_id(&self.imprint_id), write(der::OCTET_STRING, &self.imprint)].concat();
        let info = [
            write_integer(self.info_version),
            write(der::OID, Oid::parse("1.3.6.1.4.1.64496.1").unwrap().der()),
            write(der::SEQUENCE, &imprint),
            write_integer(99),
            write(der::GENERALIZED_TIME, self.moment.as_bytes()),
            self.accuracy.clone(),
            self.nonce.map(write_integer).unwrap_or_default(),
            self.extensions.clone(),
        ]
        .concat();
        let info = [write(der::SEQUENCE, &info), self.after_info.clone()].concat();
        let own = match &self.digest_id[..] {
            oid::SHA_384 => Sha384::digest(&info).to_vec(),
            oid::SHA_512 => Sha512::digest(&info).to_vec(),
            _ => Sha256::digest(&info).to_vec(),
        };
        let stated = self.stated_digest.clone().unwrap_or(own);
        let attribute = |id: &[u8], value: &[u8]| write(der::SEQUENCE, &[write(der::OID, id), write(der::SET, value)].concat());
        let mut attributes = attribute(oid::CONTENT_TYPE, &write(der::OID, &self.content_type));
        attributes.extend(attribute(oid::MESSAGE_DIGEST, &write(der::OCTET_STRING, &stated)));
        self.named.iter().for_each(|(id, value)| attributes.extend(attribute(id, value)));
        attributes.extend(&self.more_attributes);
        let signature = sign(&write(self.signed_as, &attributes));
        let signer = [
            write_integer(self.signer_version),
            self.signer.clone(),
            algorithm_id(&self.digest_id),
            write(der::context_of(0), &attributes),
            self.algorithm.clone(),
            write(der::OCTET_STRING, &signature),
            self.unsigned.clone(),
        ]
        .concat();
        let signer = write(der::SEQUENCE, &signer);
        let signers = if self.second_signer { [signer.clone(), signer].concat() } else { signer };
        let content = [write(der::OID, oid::TST_INFO), write(der::context_of(0), &write(der::OCTET_STRING, &info))].concat();
        let data = [
            write_integer(self.version),
            write(der::SET, &algorithm_id(&self.digest_id)),
            write(der::SEQUENCE, &content),
            write(der::context_of(0), &self.certificates.concat()),
            write(der::SET, &signers),
        ]
        .concat();
        let data = write(der::context_of(0), &write(der::SEQUENCE, &data));
        let token = write(der::SEQUENCE, &[write(der::OID, oid::SIGNED_DATA), data].concat());
        write(der::SEQUENCE, &[write(der::SEQUENCE, &self.status), token].concat())
    }
}

fn trusting(name: &str, pem: &str) -> Anchors {
    let mut anchors = Anchors::new();
    anchors.add(name, pem.as_bytes()).unwrap();
    anchors
}

fn judged(response: &[u8], anchors: &Anchors) -> Result<Stamp, Wrong> {
    verify(response, &DIGEST, Some(u64::MAX), anchors, None)
}

#[test]
fn a_good_token_says_what_it_proves() {
    let root = root("Root", 2020, 2040);
    let tsa = tsa(&root);
    let response = Recipe::new(&tsa).make(&tsa);
    let anchors = trusting("clocks", &root.pem);
    let stamp = judged(&response, &anchors).unwrap();
    assert_eq!(stamp.gen_time_ms, MOMENT_MS);
    assert_eq!(stamp.accuracy_ms, Some(2_006), "2 s, 5 ms and 1 us, rounded up");
    assert_eq!((stamp.tsa.as_str(), stamp.anchor.as_str()), ("Clocks of Example, Unit 1", "clocks"));
    assert_eq!((stamp.serial_hex().as_str(), stamp.policy.to_string().as_str()), ("63", "1.3.6.1.4.1.64496.1"));
    assert_eq!(stamp.valid_until_ms, 1_861_920_000_000, "2029-01-01, when the TSA's certificate ends");
    // The token alone, without the response around it.
    let token = super::der::Reader::new(&response).take(der::SEQUENCE, "").unwrap().inside();
    let token = { token }
        .any("")
        .and_then(|_| {
            let mut rest = token;
            rest.any("")?;
            rest.any("")
        })
        .unwrap()
        .whole;
    assert_eq!(judged(token, &anchors), Ok(stamp.clone()));
    // At other moments than its own.
    let at = |at| verify(&response, &DIGEST, None, &anchors, Some(at));
    assert_eq!(at(MOMENT_MS + YEAR_MS), Ok(stamp.clone()));
    assert!(matches!(at(MOMENT_MS + 4 * YEAR_MS), Err(Wrong::Expired { until_ms, .. }) if until_ms == stamp.valid_until_ms));
    assert!(matches!(at(MOMENT_MS - YEAR_MS), Err(Wrong::Expired { .. })));
    // Against another question.
    assert_eq!(verify(&response, &DIGEST, Some(1), &anchors, None), Err(Wrong::Nonce));
    assert_eq!(verify(&response, &[8; 32], None, &anchors, None), Err(Wrong::Imprint));
    let policy = Oid::parse("1.3.6.1.4.1.64496.2").unwrap();
    let asked = Asked { imprint: Imprint::Sha256(&DIGEST), nonce: None, policy: Some(&policy) };
    assert_eq!(verify_asked(&response, &asked, &[], &anchors, None), Err(Wrong::Policy(stamp.policy)));
}

/// Every row spoils one part, and the TSA signs what came of it.
#[test]
fn what_is_spoilt_before_it_is_signed_is_refused() {
    type Spoil = fn(&mut Recipe, &Holder, &Holder);
    let cases: &[(&str, Option<&str>, Spoil)] = &[
        ("nothing is spoilt", None, |_, _, _| {}),
        ("no accuracy", None, |recipe, _, _| recipe.accuracy.clear()),
        ("the older signingCertificate", None, |recipe, tsa, _| recipe.named = vec![ess_v1(&tsa.der)]),
        ("both forms of it", None, |recipe, tsa, _| recipe.named = vec![ess_v1(&tsa.der), ess_v2(&tsa.der)]),
        ("the newer one with everything", None, |recipe, tsa, _| recipe.named = vec![ess_full(&tsa.der, &tsa.der)]),
        ("the certificate named by its key", None, |recipe, tsa, _| {
            let key = super::certificate::Certificate::read(&tsa.der).unwrap().key_identifier.map(<[u8]>::to_vec);
            recipe.signer = write(der::context(0), &key.unwrap());
            recipe.signer_version = 3;
        }),
        ("an unsigned attribute", None, |recipe, _, _| recipe.unsigned = write(der::context_of(1), &[])),
        ("a certificate more", None, |recipe, _, root| recipe.certificates.insert(0, root.der.clone())),
        ("a harmless extension", None, |recipe, _, _| recipe.extensions = extension(false)),
        ("a critical extension", Some("critical extension"), |recipe, _, _| recipe.extensions = extension(true)),
        ("an unknown status", Some("status 77"), |recipe, _, _| recipe.status = write_integer(77)),
        ("granted with modifications", Some("status 1"), |recipe, _, _| recipe.status = write_integer(1)),
        ("the version of plain data", Some("version"), |recipe, _, _| recipe.version = 1),
        ("an unknown version of TSTInfo", Some("version"), |recipe, _, _| recipe.info_version = 2),
        ("no nonce", Some("nonce"), |recipe, _, _| recipe.nonce = None),
        ("another nonce", Some("nonce"), |recipe, _, _| recipe.nonce = Some(u64::MAX >> 1)),
        ("another digest", Some("another digest"), |recipe, _, _| recipe.imprint[31] ^= 1),
        ("another algorithm", Some("another digest"), |recipe, _, _| recipe.imprint_id = oid::SHA_512.to_vec()),
        ("an unknown algorithm", Some("not accepted"), |recipe, _, _| recipe.imprint_id = b"\x2b\x0e\x03\x02\x1a".to_vec()),
        ("a short digest", Some("another digest"), |recipe, _, _| recipe.imprint.truncate(20)),
        ("a moment without zone", Some("moment"), |recipe, _, _| recipe.moment = "20261122120000".to_owned()),
        ("a moment that never was", Some("moment"), |recipe, _, _| recipe.moment = "20260230120000Z".to_owned()),
        ("before its certificate", Some("CertNotValidYet"), |recipe, _, _| recipe.moment = "20251231235959Z".to_owned()),
        ("after its certificate", Some("CertExpired"), |recipe, _, _| recipe.moment = "20290101000001Z".to_owned()),
        ("after its authority", Some("no authority"), |recipe, _, _| recipe.moment = "20410101000000Z".to_owned()),
        ("before 1970", Some("before 1970"), |recipe, _, _| recipe.moment = "19600101000000Z".to_owned()),
        ("bytes after TSTInfo", Some("TSTInfo"), |recipe, _, _| recipe.after_info = vec![5, 0]),
        ("another content type", Some("content's type"), |recipe, _, _| recipe.content_type = oid::SIGNED_DATA.to_vec()),
        ("another content", Some("content's digest"), |recipe, _, _| recipe.stated_digest = Some(vec![1; 32])),
        ("an empty digest", Some("content's digest"), |recipe, _, _| recipe.stated_digest = Some(Vec::new())),
        ("no certificate named", Some("name no certificate"), |recipe, _, _| recipe.named.clear()),
        ("another certificate named", Some("another certificate"), |recipe, _, root| recipe.named = vec![ess_v2(&root.der)]),
        ("two forms that differ", Some("another certificate"), |recipe, tsa, root| {
            recipe.named = vec![ess_v2(&tsa.der), ess_v1(&root.der)];
        }),
        ("the serial number of another", Some("another certificate"), |recipe, tsa, root| {
            recipe.named = vec![ess_full(&tsa.der, &root.der)];
        }),
        ("an attribute twice", Some("twice"), |recipe, tsa, _| recipe.named = vec![ess_v2(&tsa.der), ess_v2(&tsa.der)]),
        ("half an attribute", Some("signed attributes"), |recipe, _, _| recipe.more_attributes = vec![0x30, 0x02, 0x06]),
        ("attributes without end", Some("limit"), |recipe, _, _| {
            let one = |n: u8| write(der::SEQUENCE, &[write(der::OID, &[0x2a, n]), write(der::SET, &[])].concat());
            recipe.more_attributes = (0..100).flat_map(one).collect();
        }),
        ("another signer", Some("neither in the token"), |recipe, _, root| recipe.signer = issued(&root.der)),
        ("a name that its version does not fit", Some("signer"), |recipe, _, _| recipe.signer_version = 3),
        ("no certificate", Some("neither in the token"), |recipe, _, _| recipe.certificates.clear()),
        ("certificates without end", Some("limit"), |recipe, tsa, _| recipe.certificates = vec![tsa.der.clone(); 17]),
        ("signed under the tag it is sent under", Some("signature"), |recipe, _, _| recipe.signed_as = der::context_of(0)),
        ("two signers", Some("several signers"), |recipe, _, _| recipe.second_signer = true),
        ("another digest beside the signature", Some("signature"), |recipe, _, _| {
            recipe.algorithm = algorithm_id(oid::ECDSA_SHA_384)
        }),
        ("a signature of another kind", Some("signer's key"), |recipe, _, _| recipe.algorithm = algorithm_id(oid::RSA_SHA_256)),
        ("an unknown kind of signature", Some("not accepted"), |recipe, _, _| recipe.algorithm = algorithm_id(oid::SHA_256)),
    ];
    let root = root("Root", 2020, 2040);
    let tsa = tsa(&root);
    let anchors = trusting("clocks", &root.pem);
    for (name, wrong, spoil) in cases {
        let mut recipe = Recipe::new(&tsa);
        spoil(&mut recipe, &tsa, &root);
        let verdict = judged(&recipe.make(&tsa), &anchors);
        match (wrong, verdict) {
            (None, verdict) => assert!(verdict.is_ok(), "{name}: {verdict:?}"),
            (Some(_), Ok(stamp)) => panic!("{name} is accepted: {stamp:?}"),
            (Some(word), Err(error)) => assert!(error.to_string().contains(word), "{name}: '{error}' does not say '{word}'"),
        }
    }
}

fn extension(critical: bool) -> Vec<u8> {
    let flag = if critical { write(der::BOOLEAN, &[0xff]) } else { Vec::new() };
    let one = [write(der::OID, &[0x2a, 3]), flag, write(der::OCTET_STRING, &[])].concat();
    write(der::context_of(1), &write(der::SEQUENCE, &one))
}

#[test]
fn only_a_certificate_for_time_stamping_alone_will_do() {
    const TLS: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x01";
    type Change = fn(&mut CertificateParams);
    let cases: &[(&str, &str, Change)] = &[
        ("no purpose", "not for time-stamping", |params| params.custom_extensions.clear()),
        ("another purpose", "not for time-stamping", |params| params.custom_extensions = vec![purposes(&[TLS], true)]),
        ("not critical", "critical", |params| params.custom_extensions = vec![purposes(&[oid::TIME_STAMPING], false)]),
        ("two purposes", "only", |params| params.custom_extensions = vec![purposes(&[oid::TIME_STAMPING, TLS], true)]),
        ("an authority", "an authority's", |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        ("a key for keys", "signatures only", |params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
        ("a key for keys too", "signatures only", |params| params.key_usages.push(KeyUsagePurpose::KeyEncipherment)),
        ("an unknown critical extension", "UnsupportedCriticalExtension", |params| {
            let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 64496, 9], vec![5, 0]);
            unknown.set_criticality(true);
            params.custom_extensions.push(unknown);
        }),
    ];
    let root = root("Root", 2020, 2040);
    let anchors = trusting("clocks", &root.pem);
    for (name, word, change) in cases {
        let tsa = tsa_with(&root, KeyPair::generate().unwrap(), change);
        let wrong = judged(&Recipe::new(&tsa).make(&tsa), &anchors).unwrap_err().to_string();
        // What webpki cannot read at all is refused before the path is.
        assert!(wrong.contains(word) || wrong.contains("cannot be read"), "{name}: {wrong}");
    }
}

#[test]
fn certificates_lead_to_the_tsa_s_own_authority_and_to_no_other() {
    let (ours, others) = (root("Root", 2020, 2040), root("Other root", 2020, 2040));
    let middle = between(&ours, "Middle", vec![KeyUsagePurpose::KeyCertSign], true);
    let tsa = tsa(&middle);
    let mut recipe = Recipe::new(&tsa);
    let bare = recipe.make(&tsa);
    recipe.certificates.push(middle.der.clone());
    let whole = recipe.make(&tsa);
    recipe.certificates.push(ours.der.clone());
    let with_root = recipe.make(&tsa);
    let good = |response: &[u8], pem: &str| judged(response, &trusting("clocks", pem)).is_ok();

    assert!(good(&whole, &ours.pem) && good(&with_root, &ours.pem));
    assert!(!good(&bare, &ours.pem), "the certificate between is missing");
    assert!(good(&bare, &middle.pem), "it may be an anchor itself");
    assert!(good(&bare, &format!("{}{}", ours.pem, middle.pem)));
    assert!(!good(&with_root, &others.pem), "a root that comes along is no anchor");
    let asked = Asked { imprint: Imprint::Sha256(&DIGEST), nonce: None, policy: None };
    assert!(verify_asked(&bare, &asked, &[&middle.der], &trusting("clocks", &ours.pem), None).is_ok(), "or come beside it");
    assert!(verify_asked(&bare, &asked, &[&others.der], &trusting("clocks", &ours.pem), None).is_err());
    assert!(verify_asked(&bare, &asked, &[&middle.der[..]; 17], &trusting("clocks", &ours.pem), None).is_err());

    // What is between has to be an authority's, whose key may certify.
    for (usages, authority) in [(vec![KeyUsagePurpose::KeyCertSign], false), (vec![KeyUsagePurpose::CrlSign], true)] {
        let middle = between(&ours, "Middle", usages, authority);
        let tsa = self::tsa(&middle);
        let mut recipe = Recipe::new(&tsa);
        recipe.certificates.push(middle.der);
        assert!(!good(&recipe.make(&tsa), &ours.pem), "authority: {authority}");
    }
    // And there are not many.
    let mut path = vec![between(&ours, "Step 1", vec![KeyUsagePurpose::KeyCertSign], true)];
    for step in 2..=5 {
        let next = between(&path[path.len() - 1], &format!("Step {step}"), vec![KeyUsagePurpose::KeyCertSign], true);
        path.push(next);
    }
    for (steps, expected) in [(4, true), (5, false)] {
        let tsa = self::tsa(&path[steps - 1]);
        let mut recipe = Recipe::new(&tsa);
        recipe.certificates.extend(path[..steps].iter().map(|step| step.der.clone()));
        assert_eq!(good(&recipe.make(&tsa), &ours.pem), expected, "{steps} certificates between");
    }
}

/// A retired TSA's token must not borrow the validity of another (found by others in a review of sigstore, 2025).
#[test]
fn each_trust_file_vouches_in_its_own_time_and_for_its_own_tsa() {
    let (old, new) = (root("Old root", 2020, 2040), root("New root", 2020, 2040));
    let tsa = tsa(&old);
    let response = Recipe::new(&tsa).make(&tsa);
    let judge = |old_window: &str, new_window: &str| {
        let mut anchors = Anchors::new();
        anchors.add("old", format!("Retired.\n{old_window}\n{}", old.pem).as_bytes()).unwrap();
        anchors.add("new", format!("{new_window}\n{}", new.pem).as_bytes()).unwrap();
        judged(&response, &anchors)
    };
    assert_eq!(judge("", "").unwrap().anchor, "old");
    let wrong = judge("valid-until: 2026-11-22", "").unwrap_err();
    assert!(matches!(wrong, Wrong::Untrusted(_)), "the old file's time is over, whatever the new one's is: {wrong}");
    assert!(judge("valid-from: 2026-11-23", "valid-from: 2020-01-01").is_err());
    let stamp = judge("valid-from: 2026-11-22T12:00:00Z\r\nvalid-until: 2026-11-22T12:00:01Z\r", "").unwrap();
    assert_eq!(stamp.valid_until_ms, MOMENT_MS + 750, "the file's end comes before the certificate's");

    // An authority that is not valid itself does not vouch, though webpki would let it.
    let short = root("Short root", 2020, 2026);
    let tsa = self::tsa(&short);
    assert!(judged(&Recipe::new(&tsa).make(&tsa), &trusting("short", &short.pem)).is_err());
}

#[test]
fn a_trust_file_with_certificates_of_the_tsa_holds_to_them() {
    let root = root("Root", 2020, 2040);
    let (named, other) = (tsa(&root), tsa(&root));
    let anchors = trusting("clocks", &format!("{}{}", root.pem, named.pem));
    let mut recipe = Recipe::new(&named);
    assert!(judged(&recipe.make(&named), &anchors).is_ok());
    recipe.certificates.clear();
    assert!(judged(&recipe.make(&named), &anchors).is_ok(), "it needs not come with the token");
    assert!(judged(&Recipe::new(&other).make(&other), &anchors).is_err(), "another of the same authority");
}

#[test]
fn trust_files_that_cannot_be_used_say_why() {
    let root = root("Root", 2020, 2040);
    let server = between(&root, "server.example", Vec::new(), false);
    let tsa = tsa(&root);
    let cases: [(&str, String, &str); 8] = [
        ("nothing", String::new(), "no certificate of an authority"),
        ("a TSA only", tsa.pem.clone(), "no certificate of an authority"),
        ("a server's", server.pem.clone(), "certificate 1: it is neither"),
        ("no date", format!("valid-until: soon\n{}", root.pem), "'valid-until: soon': write a date"),
        ("the wrong way round", format!("valid-from: 2027-01-01\nvalid-until: 2026-01-01\n{}", root.pem), "after valid-until"),
        ("broken PEM", root.pem.replace("-----END", "-----KEND"), "PEM"),
        ("broken DER", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".to_owned(), "cannot be read"),
        ("far too many", root.pem.repeat(65), "64 certificates"),
    ];
    for (name, pem, word) in cases {
        let error = Anchors::new().add("tsa.pem", pem.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("tsa.pem: ") && error.contains(word), "{name}: {error}");
    }
    let mut anchors = trusting("a", &root.pem);
    assert!(anchors.add("a", root.pem.as_bytes()).is_err(), "twice");
    assert_eq!(anchors.names().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_renewal_is_verified_like_any_token() {
    let root = root("Root", 2020, 2040);
    let tsa = tsa_with(&root, KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(), |_| {});
    let mut tokens = restamp::Tokens::new();
    tokens.push(b"first");
    tokens.push(b"second");
    let digest = tokens.digest(b"log.example/2026\n7\nroot\n");
    let mut recipe = Recipe::new(&tsa);
    (recipe.imprint_id, recipe.imprint) = (oid::SHA_512.to_vec(), digest.to_vec());
    (recipe.digest_id, recipe.algorithm) = (oid::SHA_384.to_vec(), algorithm_id(oid::ECDSA_SHA_384));
    let response = recipe.make(&tsa);
    let anchors = trusting("clocks", &root.pem);
    assert_eq!(restamp::verify(&response, &digest, Some(u64::MAX), &anchors, None).unwrap().gen_time_ms, MOMENT_MS);
    assert_eq!(restamp::verify(&response, &restamp::Tokens::new().digest(b""), None, &anchors, None), Err(Wrong::Imprint));
    assert_eq!(verify(&response, &DIGEST, None, &anchors, None), Err(Wrong::Imprint));
}

/// Requests as `openssl ts -query -cert -digest` writes them, byte by byte; the nonce is ours.
#[test]
fn requests_are_those_of_openssl() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let policy = Oid::parse("1.3.6.1.4.1.64496.1").unwrap();
    let imprint = format!("3031300d060960864801650304020105000420{}", "07".repeat(32));
    let without = |policy| Asked { imprint: Imprint::Sha256(&DIGEST), nonce: None, policy }.request();
    assert_eq!(hex(&without(None)), format!("3039020101{imprint}0101ff"));
    assert_eq!(hex(&without(Some(&policy))), format!("3044020101{imprint}06092b0601040183f770010101ff"));
    assert_eq!(hex(&super::request(&DIGEST, 0x80, None)), format!("303d020101{imprint}020200800101ff"));
}

/// RSA in all its forms. The keys come from OpenSSL, since nothing here makes RSA keys.
#[test]
fn rsa_from_2048_bits_on_in_both_paddings() {
    use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaEncoding, RsaKeyPair};
    use rustls_pki_types::SignatureVerificationAlgorithm;
    use webpki::ring::{RSA_PSS_2048_8192_SHA256_LEGACY_KEY, RSA_PSS_2048_8192_SHA384_LEGACY_KEY};

    let root = root("Root", 2020, 2040);
    let anchors = trusting("clocks", &root.pem);
    let pss = |of: &dyn SignatureVerificationAlgorithm| write(der::SEQUENCE, of.signature_alg_id().as_ref());
    let with_null = |id: &[u8]| write(der::SEQUENCE, &[write(der::OID, id), write(der::NULL, &[])].concat());
    for bits in [2048, 3072, 4096] {
        let made = std::process::Command::new("openssl")
            .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")])
            .output();
        let Ok(made) = made else {
            eprintln!("skipped: openssl is not installed");
            return;
        };
        let pem = String::from_utf8(made.stdout).unwrap();
        let key = KeyPair::from_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256).unwrap();
        let private = RsaKeyPair::from_pkcs8(key.serialized_der()).unwrap();
        let tsa = tsa_with(&root, key, |_| {});
        let forms: [(&[u8], Vec<u8>, &dyn RsaEncoding); 5] = [
            (oid::SHA_256, with_null(oid::RSA), &RSA_PKCS1_SHA256),
            (oid::SHA_256, algorithm_id(oid::RSA_SHA_256), &RSA_PKCS1_SHA256),
            (oid::SHA_512, with_null(oid::RSA_SHA_512), &RSA_PKCS1_SHA512),
            (oid::SHA_256, pss(RSA_PSS_2048_8192_SHA256_LEGACY_KEY), &RSA_PSS_SHA256),
            (oid::SHA_384, pss(RSA_PSS_2048_8192_SHA384_LEGACY_KEY), &RSA_PSS_SHA384),
        ];
        for (digest, algorithm, padding) in forms {
            let mut recipe = Recipe::new(&tsa);
            (recipe.digest_id, recipe.algorithm) = (digest.to_vec(), algorithm);
            let sign = |message: &[u8]| {
                let mut signature = vec![0; private.public().modulus_len()];
                private.sign(padding, &ring::rand::SystemRandom::new(), message, &mut signature).unwrap();
                signature
            };
            let verdict = judged(&recipe.make_by(&sign), &anchors);
            assert!(verdict.is_ok(), "{bits} {padding:?}: {verdict:?}");
            // The other padding under the same name does not hold.
            let crossed = recipe.make_by(&|message| {
                let mut signature = sign(message);
                signature.reverse();
                signature
            });
            assert_eq!(judged(&crossed, &anchors), Err(Wrong::Signature));
        }
    }
}
