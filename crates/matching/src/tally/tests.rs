//! Tests of the tally's mathematics.

use ed25519_dalek::SigningKey;

use super::{prepare::Machines, share::seal_splits, *};
use crate::{envelope::KeyId, parcel::Opener, testing::Chance};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn signing(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn party(n: u8, entity: &str) -> Party {
    Party {
        name: format!("party {n}"),
        entity: entity.to_owned(),
        police: false,
        signing: signing(n).verifying_key().to_bytes(),
        sealing: sealing(n).address(),
    }
}

fn sealing(n: u8) -> Opener {
    Opener::new([n; 32])
}

fn provider(n: usize) -> KeyId {
    crate::sha256(&[b"provider", &n.to_be_bytes()])
}

fn cohort(n: usize) -> Cohort {
    Cohort::new([9; 32], (0..n).map(|n| Member { key: provider(n), group: format!("group{n}") }).collect()).unwrap()
}

fn verify_key() -> VerifyKey {
    VerifyKey::new(&mut Chance::of(77))
}

fn task() -> Task {
    Task {
        measure: "watchlist-matches".to_owned(),
        question: Words::new("Hoeveel van uw klanten staan op de lijst?", "How many of your customers are on the list?"),
        answers: Answers::Count { from: task::STANDARD.to_vec() },
        exact: None,
        period: Period { name: "2026-Q4".to_owned(), from: 0, until: 90 * DAY },
        a_year: 4,
        cohort: cohort(24).root(),
        size: 1,
        floor: FLOOR,
        epsilon: task::EPSILON_AFFECTED,
        verify: verify_key().commitment(),
        author: signing(1).verifying_key().to_bytes(),
        leader: party(2, "association"),
        helper: party(3, "university"),
        collector: party(4, "ministry"),
        opens: 91 * DAY,
        closes: 100 * DAY,
        ends: 150 * DAY,
    }
}

fn exact() -> Task {
    let of = ["terminated", "quarantined", "reviewed-kept", "pending", "none", "contested"];
    Task { exact: Some(Exact { most: 1023, of: of.map(|word| Words::new(word, word)).to_vec() }), ..task() }
}

/// Both sums over these answers, through sealing, verifying and all.
fn run(task: &Task, answers: &[Answer]) -> [Sum; 2] {
    let [leader, helper] = [(), ()].map(|()| Verifier::new(task, verify_key()).unwrap());
    let mut sums = [Sum::new(task), Sum::new(task)];
    let mut chance = Chance::of(5);
    for (n, answer) in answers.iter().enumerate() {
        let contribution = share::contribute(task, &provider(n), answer, &mut chance).unwrap();
        let first = contribution.leader.open(task, Role::Leader, &provider(n), &sealing(2)).unwrap();
        let second = contribution.helper.open(task, Role::Helper, &provider(n), &sealing(3)).unwrap();
        let begun = leader.leader_begins(&first).unwrap();
        let (answered, output) = helper.helper_answers(&second, &begun).unwrap();
        sums[1].add(&output).unwrap();
        sums[0].add(&leader.leader_ends(&first, &answered).unwrap()).unwrap();
    }
    sums
}

fn statements(task: &Task, stage: Stage, shares: [Vec<[u8; 16]>; 2], count: u32) -> [Statement; 2] {
    let mut made = shares.into_iter().zip([Role::Leader, Role::Helper]).map(|(share, role)| {
        let key = signing(if role == Role::Leader { 2 } else { 3 });
        Statement::new(task.id(), role, stage, [8; 32], count, count, 22, share).signed(&key)
    });
    [made.next().unwrap(), made.next().unwrap()]
}

fn total(task: &Task, shares: [Vec<[u8; 16]>; 2], count: u32) -> Total {
    Total { noised: statements(task, Stage::Noised, shares, count), exact: None }
}

#[test]
fn totals_are_the_plain_sums_and_the_range_of_a_number_is_the_standard_one() {
    let task = task();
    let numbers = [0, 0, 1, 2, 3, 5, 6, 10, 11, 25, 26, 100, 101, 4_000_000_000, 0, 0, 0, 7, 1, 0, 0, 2];
    let places: Vec<usize> = numbers.iter().map(|n| Answer::Number(*n).place(&task).unwrap().answer).collect();
    assert_eq!(places, [0, 0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 0, 0, 0, 4, 1, 0, 0, 2]);
    let sums = run(&task, &numbers.map(Answer::Number));
    let outcome = total(&task, [sums[0].plain(&task), sums[1].plain(&task)], 22).outcome(&task).unwrap();
    assert_eq!(outcome.numbers, [total::Number { raw: 15, clamped: 15 }]);
    assert_eq!((outcome.count, outcome.groups), (22, 22));
    assert!((outcome.deviation - 3.96).abs() < 0.01);
}

#[test]
fn exact_sums_are_the_plain_sums_over_the_same_contributions() {
    let task = exact();
    let parts = |n: u32| vec![n, 2 * n, 0, 1, 0, n % 3];
    let answers: Vec<Answer> = (0..22).map(|n| Answer::Parts(parts(n))).collect();
    let sums = run(&task, &answers);
    let mut total = total(&task, [sums[0].plain(&task), sums[1].plain(&task)], 22);
    total.exact = Some(statements(&task, Stage::Exact, [sums[0].exact(), sums[1].exact()], 22));
    assert_eq!(Total::decode(&total.encode()), Ok(total.clone()));
    let outcome = total.outcome(&task).unwrap();
    let expected: Vec<u64> = (0..6).map(|at| (0..22).map(|n| u64::from(parts(n)[at])).sum()).collect();
    assert_eq!(outcome.exact, Some(expected));
    assert_eq!(outcome.numbers[0].raw, 22);
}

#[test]
fn choices_are_counted_each() {
    let words = ["ja", "nee", "weet niet"].map(|word| Words::new(word, word)).to_vec();
    let task = Task { answers: Answers::Choices(words), epsilon: task::EPSILON_CHOICES, ..task() };
    task.check().unwrap();
    let answers: Vec<Answer> = (0..20).map(|n| Answer::Choice(u16::from(n < 13))).collect();
    let sums = run(&task, &answers);
    let mut total = total(&task, [sums[0].plain(&task), sums[1].plain(&task)], 20);
    total.noised = statements(&task, Stage::Noised, [sums[0].plain(&task), sums[1].plain(&task)], 22);
    let outcome = total.outcome(&task).unwrap();
    assert_eq!(outcome.numbers.iter().map(|number| number.raw).collect::<Vec<_>>(), [7, 13, 0]);
    assert_eq!(task.sensitivity(), 2);
}

#[test]
fn noise_is_of_both_falls_on_the_released_number_and_is_clamped() {
    let task = task();
    let sums = run(&task, &[const { Answer::Number(0) }; 22]);
    let mut seen = std::collections::BTreeSet::new();
    let (mut sum, mut squares, rounds) = (0f64, 0f64, 2_000u32);
    for seed in 0..u64::from(rounds) {
        let [leader, helper] = [&sums[0], &sums[1]].map(|sum| sum);
        let shares = [leader.noised(&task, &mut Chance::of(2 * seed)), helper.noised(&task, &mut Chance::of(2 * seed + 1))];
        assert_eq!(shares[0].len(), 1);
        let number = total(&task, shares, 22).outcome(&task).unwrap().numbers[0];
        // Nobody is affected: half of the draws are below nought, and are printed as nought.
        assert_eq!(i64::from(number.clamped), number.raw.clamp(0, 22));
        seen.insert(number.raw);
        sum += number.raw as f64;
        squares += (number.raw * number.raw) as f64;
    }
    assert!(seen.first() < Some(&-5) && seen.last() > Some(&5));
    let deviation = (squares / f64::from(rounds)).sqrt();
    assert!((deviation / task.deviation() - 1.0).abs() < 0.1, "{deviation}");
    assert!((sum / f64::from(rounds)).abs() < 0.4);
}

/// A contribution with `change` made to its halves before they are sealed.
fn forged(task: &Task, answer: &Answer, change: impl FnOnce(&mut prepare::Splits)) -> Contribution {
    let nonce = [3; 16];
    let mut splits = Machines::new(task).unwrap().split(&answer.place(task).unwrap(), &nonce).unwrap();
    change(&mut splits);
    seal_splits(task, &provider(0), nonce, &splits, &mut Chance::of(1)).unwrap()
}

/// Whether both aggregators would count it.
fn is_counted(task: &Task, contribution: &Contribution, keys: [VerifyKey; 2]) -> Result<(), Wrong> {
    let [leader, helper] = keys.map(|key| Verifier::with(task, key));
    let first = contribution.leader.open(task, Role::Leader, &provider(0), &sealing(2))?;
    let second = contribution.helper.open(task, Role::Helper, &provider(0), &sealing(3))?;
    let (answer, _) = helper.helper_answers(&second, &leader.leader_begins(&first)?)?;
    leader.leader_ends(&first, &answer).map(drop)
}

/// Adds one to the element at this place.
fn add_one(bytes: &mut [u8], at: usize) {
    let element = &mut bytes[16 * at..16 * at + 16];
    let carried = u128::from_le_bytes(element.try_into().unwrap()).wrapping_add(1);
    element.copy_from_slice(&carried.to_le_bytes());
}

#[test]
fn what_is_no_answer_is_refused_by_the_proof() {
    let keys = || [verify_key(), verify_key()];
    for task in [task(), exact()] {
        let answer = if task.exact.is_some() { Answer::Parts(vec![1; 6]) } else { Answer::Number(6) };
        assert_eq!(is_counted(&task, &forged(&task, &answer, |_| ()), keys()), Ok(()));
        for place in 0..8 {
            // One place holds one more than was proven: a second vote, or a vote of two.
            let twice = forged(&task, &answer, |splits| add_one(&mut splits.leader, place));
            assert_eq!(is_counted(&task, &twice, keys()), Err(Wrong::Proof), "{place}");
        }
        let length = forged(&task, &answer, |_| ()).leader.public.len();
        for at in [0, 31, 32, length - 1] {
            let other = forged(&task, &answer, |splits| splits.public[at] ^= 1);
            assert_eq!(is_counted(&task, &other, keys()), Err(Wrong::Proof), "public share, byte {at}");
        }
        let seed = forged(&task, &answer, |splits| splits.helper[0] ^= 1);
        assert_eq!(is_counted(&task, &seed, keys()), Err(Wrong::Proof));
        for blind in [true, false] {
            let other = forged(&task, &answer, |splits| {
                let into = if blind { &mut splits.helper } else { &mut splits.leader };
                let last = into.len() - 1;
                into[last] ^= 1;
            });
            assert_eq!(is_counted(&task, &other, keys()), Err(Wrong::Proof));
        }
        let longer = forged(&task, &answer, |splits| splits.helper.push(0));
        assert_eq!(is_counted(&task, &longer, keys()), Err(Wrong::Proof));
    }
}

#[test]
fn shares_have_one_size_whatever_the_answer() {
    let sizes = |task: &Task, answer: &Answer| {
        let made = share::contribute(task, &provider(0), answer, &mut Chance::of(1)).unwrap();
        [&made.leader, &made.helper].map(|share| share.encode().len())
    };
    for number in [0, 1, 7, u32::MAX] {
        assert_eq!(sizes(&task(), &Answer::Number(number)), [504, 200]);
    }
    for parts in [vec![0; 6], vec![1023; 6]] {
        assert_eq!(sizes(&exact(), &Answer::Parts(parts)), [2312, 328]);
    }
}

#[test]
fn no_half_fits_under_another_key_task_role_or_provider() {
    let (task, mut chance) = (task(), Chance::of(4));
    let made = share::contribute(&task, &provider(0), &Answer::Number(1), &mut chance).unwrap();
    let open =
        |task: &Task, share: &Share, role, provider: KeyId, key| share.open(task, role, &provider, &sealing(key)).map(drop);
    assert_eq!(open(&task, &made.leader, Role::Leader, provider(0), 2), Ok(()));
    assert_eq!(open(&task, &made.leader, Role::Leader, provider(0), 3), Err(Wrong::Sealed));
    assert_eq!(
        open(&task, &made.leader, Role::Leader, provider(1), 2),
        Err(Wrong::Sealed),
        "a rival copies it under its own name"
    );
    assert_eq!(open(&task, &made.helper, Role::Helper, provider(0), 2), Err(Wrong::Sealed));
    let next = Task { closes: task.closes + 1, ..task.clone() };
    assert_eq!(
        open(&next, &made.leader, Role::Leader, provider(0), 2),
        Err(Wrong::Sealed),
        "a task that differs by a millisecond"
    );
    for at in 0..made.leader.sealed.len() {
        let mut changed = made.leader.clone();
        changed.sealed[at] ^= 1;
        assert_eq!(open(&task, &changed, Role::Leader, provider(0), 2), Err(Wrong::Sealed));
    }
    // A key of verification other than the task's, on either side.
    assert!(matches!(Verifier::new(&task, VerifyKey::new(&mut chance)), Err(Wrong::Key)));
    assert_eq!(is_counted(&task, &made, [verify_key(), VerifyKey::new(&mut chance)]), Err(Wrong::Proof));
    // Proven under the context of another task, sealed for this one.
    let splits = Machines::new(&next).unwrap().split(&Answer::Number(1).place(&next).unwrap(), &[3; 16]).unwrap();
    let other = seal_splits(&task, &provider(0), [3; 16], &splits, &mut chance).unwrap();
    assert_eq!(is_counted(&task, &other, [verify_key(), verify_key()]), Err(Wrong::Proof));
}

#[test]
fn the_key_of_verification_goes_to_the_helper_alone() {
    let (key, leader) = (verify_key(), signing(2).verifying_key().to_bytes());
    let sealed = key.seal(&leader, &sealing(3).address(), &mut Chance::of(1)).unwrap();
    let opened = VerifyKey::open(&sealed, &leader, &sealing(3)).unwrap();
    assert_eq!(opened.to_bytes(), key.to_bytes());
    assert!(VerifyKey::open(&sealed, &leader, &sealing(4)).is_err());
    assert!(VerifyKey::open(&sealed, &provider(0), &sealing(3)).is_err());
    assert_eq!(format!("{key:?} {:?} {:?}", sealing(3), Answer::Number(17)), "VerifyKey Opener(secret) Answer");
}

#[test]
fn a_task_is_one_sequence_of_bytes() {
    for task in [task(), exact()] {
        task.check().unwrap();
        let bytes = task.encode();
        assert_eq!(Task::decode(&bytes), Ok(task.clone()));
        for cut in 0..bytes.len() {
            assert!(Task::decode(&bytes[..cut]).is_err());
        }
        assert!(Task::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn a_task_that_would_expose_somebody_is_refused_with_its_rule() {
    type Change = fn(&mut Task);
    let cases: [(&str, Change); 20] = [
        ("fewer than ten", |task| task.floor = 9),
        ("smaller than its floor", |task| (task.floor, task.size) = (20, 0)),
        ("one legal entity: together", |task| task.helper.entity = " ASSOCIATION".to_owned()),
        ("helper and collector are one", |task| task.collector.entity = "university".to_owned()),
        ("collector is police", |task| task.collector.police = true),
        ("both police", |task| (task.leader.police, task.helper.police) = (true, true)),
        ("one key", |task| task.helper.signing = task.collector.signing),
        ("one key", |task| task.helper.sealing = task.leader.sealing),
        ("seven days", |task| task.ends = task.closes + SHOWN),
        ("out of range", |task| (task.closes, task.ends) = (i64::MAX, i64::MAX)),
        ("before they close", |task| task.opens = task.closes),
        ("epsilon", |task| task.epsilon = 2_001),
        ("epsilon", |task| task.epsilon = 0),
        ("periods", |task| task.a_year = 52),
        ("begin with 0", |task| task.answers = Answers::Count { from: vec![1, 2] }),
        ("rise", |task| task.answers = Answers::Count { from: vec![0, 2, 2] }),
        ("2 to 32 choices", |task| task.answers = Answers::Choices(vec![Words::new("ja", "yes")])),
        ("in Dutch and in English", |task| task.question.nl = " ".to_owned()),
        ("a-z", |task| task.measure = "Q4!".to_owned()),
        ("end after it begins", |task| task.period.until = task.period.from),
    ];
    for (rule, change) in cases {
        let mut task = task();
        change(&mut task);
        let refused = Task::decode(&task.encode()).map_err(|wrong| wrong.to_string());
        assert!(refused.as_ref().is_err_and(|said| said.contains(rule)), "{rule}: {refused:?}");
    }
    let lower = Task { floor: 10, size: 0, ..exact() };
    assert!(lower.check().is_err(), "exact sums of ten providers");
    assert_eq!(Task { floor: 10, size: 0, ..task() }.check(), Ok(()));
}

#[test]
fn a_cohort_counts_legal_groups() {
    let nine = cohort(9);
    assert!(matches!(nine.size(), Err(Wrong::Few { got: 9, least: 10 })));
    assert!(matches!(nine.least(10), Err(Wrong::Few { got: 9, least: 10 })));
    assert_eq!((cohort(24).size(), cohort(24).least(20), cohort(100).least(20)), (Ok(1), Ok(22), Ok(90)));
    assert_eq!(cohort(24).least(25), Err(Wrong::Few { got: 24, least: 25 }));
    // Thirty brands of nineteen groups, some written otherwise.
    let brands = (0..30).map(|n| Member { key: provider(n), group: format!("NL {}", n % 19) }).collect();
    let brands = Cohort::new([1; 32], brands).unwrap();
    assert_eq!(brands.all_groups(), 19);
    assert_eq!(Cohort::decode(&brands.encode()), Ok(brands.clone()));
    assert!(brands.least(20).is_err());
    assert_eq!(brands.groups([&provider(0), &provider(19), &provider(99)]), 1);
    let twice = vec![Member { key: provider(0), group: "a".to_owned() }, Member { key: provider(0), group: "b".to_owned() }];
    assert!(Cohort::new([1; 32], twice).is_err());
    let salted = Cohort::new([2; 32], brands.members().to_vec()).unwrap();
    assert_ne!(salted.root(), brands.root());
}

#[test]
fn statements_that_do_not_belong_together_are_no_total() {
    let task = task();
    let sums = run(&task, &[const { Answer::Number(1) }; 22]);
    let shares = || [sums[0].plain(&task), sums[1].plain(&task)];
    let good = total(&task, shares(), 22);
    assert!(good.outcome(&task).is_ok());
    let change = |change: fn(&mut Total)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.outcome(&task).map_err(|wrong| wrong.to_string())
    };
    assert!(change(|total| total.noised.swap(0, 1)).is_err());
    assert!(change(|total| total.noised[1] = total.noised[0].clone()).is_err());
    assert!(change(|total| total.noised[0].count = 23).unwrap_err().contains("signed"));
    assert!(change(|total| total.noised[0].share[0][0] ^= 1).unwrap_err().contains("signed"));
    assert!(change(|total| total.noised[0].groups = 19).unwrap_err().contains("19 independent"));
    // Signed, but over another set, or of a share that is no sum of this one.
    let mut other = good.clone();
    other.noised[1].set = [7; 32];
    other.noised[1] = other.noised[1].clone().signed(&signing(3));
    assert!(other.outcome(&task).unwrap_err().to_string().contains("different sets"));
    let lie = total(&task, [sums[0].plain(&task), vec![[1; 16]]], 22);
    assert!(lie.outcome(&task).unwrap_err().to_string().contains("no number of providers"));
    let outside = total(&task, [sums[0].plain(&task), vec![[0xff; 16]]], 22);
    assert!(outside.outcome(&task).unwrap_err().to_string().contains("no element"));
    let foreign = Task { epsilon: 400, ..task.clone() };
    assert!(good.outcome(&foreign).is_err());
}

#[test]
fn an_answer_must_be_one_of_the_questions() {
    let (number, exact) = (task(), exact());
    let choices = Task { answers: Answers::Choices(vec![Words::new("ja", "yes"), Words::new("nee", "no")]), ..task() };
    for (task, answer) in [
        (&number, Answer::Choice(0)),
        (&number, Answer::Parts(vec![1])),
        (&exact, Answer::Number(3)),
        (&exact, Answer::Parts(vec![1; 5])),
        (&exact, Answer::Parts(vec![1024, 0, 0, 0, 0, 0])),
        (&choices, Answer::Choice(2)),
        (&choices, Answer::Number(0)),
    ] {
        assert!(matches!(answer.place(task), Err(Wrong::Answer(_))));
    }
}
