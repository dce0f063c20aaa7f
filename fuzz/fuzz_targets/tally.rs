//! The tally: bytes of nobody as a task, a cohort, a share, a set and a total; a liar's share that is sealed well; and a good contribution that
//! is tampered with. Nothing panics, what is read is written again as the same bytes, and nothing is counted but what was made. The first byte
//! says which.
#![no_main]

use std::{convert::Infallible, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use matching::{
    parcel::{self, Opener},
    sha256,
    tally::{
        Answer, Answers, Cohort, Contribution, Exact, Member, Party, Period, Role, Share, Sum, Task, Total, Verifier, VerifyKey, Words,
        share::contribute, task::STANDARD,
    },
};
use watchlist::tally::{collector, set::AcceptedSet};

struct Chance(u64);

impl rand_core::TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|n| n as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&[&self.0.to_be_bytes()])[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Chance {}

const PROVIDER: [u8; 32] = [9; 32];

struct Good {
    task: Task,
    verifier: Verifier,
    contribution: Contribution,
    keys: [Opener; 2],
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let key = VerifyKey::new(&mut Chance(1));
        let words = |text: &str| Words::new(text, text);
        let members = (0..24u8).map(|n| Member { key: [n; 32], group: format!("g{n}") }).collect();
        let party = |n: u8| Party {
            name: format!("party {n}"),
            entity: format!("entity {n}"),
            police: false,
            signing: [n; 32],
            sealing: Opener::new([n; 32]).address(),
        };
        let task = Task {
            measure: "watchlist-matches".to_owned(),
            question: words("how many"),
            answers: Answers::Count { from: STANDARD.to_vec() },
            exact: Some(Exact { most: 3, of: ["a", "b"].map(words).to_vec() }),
            period: Period { name: "2026-Q4".to_owned(), from: 0, until: 1 },
            a_year: 4,
            cohort: Cohort::new([0; 32], members).expect("24 members").root(),
            size: 1,
            floor: 20,
            epsilon: 500,
            verify: key.commitment(),
            author: [1; 32],
            leader: party(2),
            helper: party(3),
            collector: party(4),
            opens: 0,
            closes: 1,
            ends: 1 << 40,
        };
        let contribution = contribute(&task, &PROVIDER, &Answer::Parts(vec![1, 2]), &mut Chance(2)).expect("an answer");
        let verifier = Verifier::new(&task, key).expect("the task's key");
        Good { task, verifier, contribution, keys: [Opener::new([2; 32]), Opener::new([3; 32])] }
    })
}

/// Whether both would count it. Whatever it is, nothing panics.
fn is_counted(leader: &Share, helper: &Share, message: Option<&[u8]>) -> bool {
    let Good { task, verifier, keys, .. } = good();
    let first = leader.open(task, Role::Leader, &PROVIDER, &keys[0]);
    let second = helper.open(task, Role::Helper, &PROVIDER, &keys[1]);
    let (Ok(first), Ok(second)) = (first, second) else { return false };
    let Ok(begun) = verifier.leader_begins(&first) else { return false };
    let Ok((answered, output)) = verifier.helper_answers(&second, message.unwrap_or(&begun)) else { return false };
    assert!(Sum::new(task).add(&output).is_ok());
    verifier.leader_ends(&first, &answered).is_ok()
}

/// Bytes of nobody.
fn anything(bytes: &[u8]) {
    if let Ok(task) = Task::decode(bytes) {
        assert_eq!(task.encode(), bytes);
        assert!(task.floor >= 10 && task.deviation() > 0.5);
    }
    if let Ok(cohort) = Cohort::decode(bytes) {
        assert_eq!(cohort.encode(), bytes);
        let _ = (cohort.size(), cohort.least(10));
    }
    if let Ok(share) = Share::decode(bytes) {
        assert_eq!(share.encode(), bytes);
        assert!(!is_counted(&share, &share, None));
    }
    if let Ok(total) = Total::decode(bytes) {
        assert_eq!(total.encode(), bytes);
        assert!(total.outcome(&good().task).is_err());
    }
    if let Ok(set) = AcceptedSet::decode(bytes) {
        assert_eq!(set.encode(), bytes);
    }
    let (one, two) = bytes.split_at(bytes.len() / 2);
    assert!(collector::check(one, two, None).is_err());
    let contribution = &good().contribution;
    assert!(!is_counted(&contribution.leader, &contribution.helper, Some(bytes)));
}

/// A liar's halves, sealed as they must be.
fn lies(bytes: &[u8]) {
    let Good { task, contribution, .. } = good();
    let (helper, rest) = bytes.split_at(bytes.len().min(128));
    let (public, leader) = rest.split_at(rest.len().min(128));
    let (id, nonce) = (task.id(), contribution.leader.nonce);
    let beside = [&id[..], &nonce, public, &PROVIDER].concat();
    let seal = |role: Role, inside: &[u8]| {
        let sealed = parcel::pack(&task.party(role).sealing, &role.info(&id), &beside, inside, &mut Chance(7));
        Share { nonce, public: public.to_vec(), sealed: sealed.expect("good keys") }
    };
    assert!(!is_counted(&seal(Role::Leader, leader), &seal(Role::Helper, helper), None));
}

/// The good one, with bytes changed.
fn tampered(changes: &[u8]) {
    let Contribution { leader, helper } = &good().contribution;
    let (mut one, mut two) = (leader.encode(), helper.encode());
    for change in changes.chunks_exact(4).take(16) {
        let into = if change[0] % 2 == 0 { &mut one } else { &mut two };
        let at = (usize::from(change[1]) << 8 | usize::from(change[2])) % into.len();
        into[at] ^= change[3];
    }
    let honest = one == leader.encode() && two == helper.encode();
    let (Ok(one), Ok(two)) = (Share::decode(&one), Share::decode(&two)) else { return };
    assert_eq!(is_counted(&one, &two, None), honest);
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0..=99, rest)) => anything(rest),
        Some((100..=199, rest)) => lies(rest),
        Some((_, rest)) => tampered(rest),
        None => {}
    }
});
