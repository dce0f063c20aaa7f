//! What a provider and an evaluator say to each other: bytes of nobody as bodies, as files of envelopes, and a good answer that is tampered with.
//! Nothing panics, what is read is written as the same bytes, and no receipt holds for anything but what it was made of. The first byte says
//! which.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use matching::bytes::Malformed;
use matching::envelope::{Envelope, Expected, Kind};
use matching::message::{Enrolment, EnrolmentRequest, EvalError, EvalRequest, EvalResponse, Leaving, Plan, Receipt, enrol::bucket};
use watchlist::enrolment::{self, About};
use watchlist::keys::{Identity, Role};

const PROVIDER: [u8; 32] = [2; 32];

/// An evaluator, an enrolment, and an answer with its receipt.
struct Good {
    evaluator: Identity,
    enrolment: Vec<u8>,
    answer: Vec<u8>,
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let mut chance = matching::testing::Chance::of(1);
        let [evaluator, officer] = [Role::Evaluator, Role::Officer].map(|role| Identity::draw(role, "One", &mut chance));
        let provider = Identity::draw(Role::Provider, "Provider", &mut chance);
        let about = About { name: "P".into(), registration: "AS64500".into(), contact: "c".into(), customers: 300 };
        let request = enrolment::request(&about, &provider, 0).encode();
        let print = provider.public.fingerprint();
        let (paper, _) = enrolment::enrol(&request, &print, None, false, &officer, 0).expect("a good request");
        let elements = vec![[7; 32]; 64];
        let answered = EvalResponse::answered(&elements, &[3; 64]);
        let receipt = Receipt::new(5, [1; 32], answered, PROVIDER, &evaluator.signing);
        let answer = EvalResponse { request: [1; 32], elements, proof: [3; 64], left: 9, receipt }.encode();
        Good { evaluator, enrolment: paper.body, answer }
    })
}

fn same<T>(bytes: &[u8], read: Result<T, Malformed>, write: impl Fn(&T) -> Vec<u8>) -> Option<T> {
    let value = read.ok()?;
    assert_eq!(write(&value), bytes, "one value has one encoding");
    Some(value)
}

fn body(kind: u8, bytes: &[u8]) {
    match kind % 7 {
        0 => drop(same(bytes, EvalRequest::decode(bytes), EvalRequest::encode)),
        1 => drop(same(bytes, EvalResponse::decode(bytes), EvalResponse::encode)),
        2 => drop(same(bytes, EvalError::decode(bytes), EvalError::encode)),
        3 => drop(same(bytes, EnrolmentRequest::decode(bytes), EnrolmentRequest::encode)),
        4 => plan(&same(bytes, Enrolment::decode(bytes), Enrolment::encode).map(|paper| paper.plan).unwrap_or_default()),
        5 => drop(same(bytes, Leaving::decode(bytes), Leaving::encode)),
        _ => drop(same(bytes, Receipt::decode(bytes), Receipt::encode)),
    }
}

/// Whatever a plan says, its sums are sums.
fn plan(plan: &Plan) {
    for group in plan.groups() {
        let _ = (group.quota(i64::MIN, i64::MAX), group.quota(0, 90 * 86_400_000), group.cadence.period(i64::MIN, i64::MAX));
    }
    let customers = plan.groups().iter().map(|group| group.initial).max().unwrap_or_default();
    assert!(Plan::usual(bucket(customers), customers % 2 == 0).groups().iter().all(|group| group.each > 0));
}

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 4 {
        0 => bytes.split_first().map_or((), |(kind, bytes)| body(*kind, bytes)),
        1 => {
            // A good enrolment or answer in which bytes were changed.
            let good = good();
            let (kind, mut changed) = if which & 4 == 0 { (4, good.enrolment.clone()) } else { (1, good.answer.clone()) };
            for change in bytes.chunks_exact(3) {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % changed.len();
                changed[at] ^= change[2];
            }
            body(kind, &changed);
        }
        2 => {
            let good = good();
            let mut changed = good.answer.clone();
            for change in bytes.chunks_exact(3) {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % changed.len();
                changed[at] ^= change[2];
            }
            if let Ok(answer) = EvalResponse::decode(&changed) {
                let held = answer.has_receipt(&PROVIDER, &good.evaluator.public.key);
                // How much is left is signed with the envelope, not with the receipt.
                let same = EvalResponse { left: 9, ..answer }.encode() == good.answer;
                assert_eq!(held, same, "a receipt is about one answer");
            }
        }
        _ => {
            let Ok(all) = Envelope::read_all(bytes, 16) else { return };
            for envelope in &all {
                body(envelope.header.kind as u8, &envelope.body);
                let _ = envelope.open(Kind::EvalRequest, &Expected::default(), 0);
            }
            let _ = enrolment::read_request(bytes, 0);
            let _ = enrolment::enrol(bytes, "", None, false, &good().evaluator, 0);
        }
    }
});
