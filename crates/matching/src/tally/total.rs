//! What comes out: each aggregator's sum of its shares, with noise, signed; and the total of two such statements, which anybody can check.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use prio::field::{Field128, FieldElement as _, FieldElementWithInteger as _};
use rand_core::CryptoRng;

use super::{Answers, DOMAIN, Output, Role, Task, Wrong, task::MOST_ANSWERS};
use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
};

/// Fewest affected providers, as the noisy total says, before exact sums are released (T4).
pub const AFFECTED_BEFORE_EXACT: u32 = 5;

/// What is released, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stage {
    /// With noise.
    Noised = 1,
    /// Exact sums, by the consent of all.
    Exact = 2,
}

impl Stage {
    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Stage> {
        [Stage::Noised, Stage::Exact].into_iter().find(|stage| *stage as u8 == number)
    }
}

/// One aggregator's sum over the contributions that were proven.
pub struct Sum {
    counts: Vec<Field128>,
    exact: Vec<Field128>,
    count: u32,
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sum")
    }
}

impl Sum {
    /// Of nothing yet.
    #[must_use]
    pub fn new(task: &Task) -> Sum {
        let exact = task.exact.as_ref().map_or(0, |exact| exact.of.len());
        Sum { counts: vec![Field128::zero(); task.answers()], exact: vec![Field128::zero(); exact], count: 0 }
    }

    /// With one more.
    ///
    /// # Errors
    /// When it is of another task.
    pub fn add(&mut self, output: &Output) -> Result<(), Wrong> {
        if output.counts.len() != self.counts.len() || output.exact.len() != self.exact.len() {
            return Err(Wrong::Apart("an output of another task"));
        }
        let pairs = self.counts.iter_mut().chain(&mut self.exact).zip(output.counts.iter().chain(&output.exact));
        for (sum, more) in pairs {
            *sum += *more;
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// How many are in it.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// What is released of it with this aggregator's own noise: for a number, only its share of how many have none (T3); for choices, each.
    /// To be drawn once for each task: the mean of many draws would be the number itself.
    #[must_use]
    pub fn noised(&self, task: &Task, rng: &mut impl CryptoRng) -> Vec<[u8; 16]> {
        let noise = task.noise();
        self.released(task).map(|share| encode(share + signed(noise.draw(rng)))).collect()
    }

    /// The same without noise: for tests of sums alone, ours and those of who calls us.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn plain(&self, task: &Task) -> Vec<[u8; 16]> {
        self.released(task).map(encode).collect()
    }

    fn released(&self, task: &Task) -> impl Iterator<Item = Field128> {
        self.counts.iter().take(task.released()).copied()
    }

    /// The exact sums.
    #[must_use]
    pub fn exact(&self) -> Vec<[u8; 16]> {
        self.exact.iter().copied().map(encode).collect()
    }
}

fn encode(element: Field128) -> [u8; 16] {
    element.into()
}

/// A whole number as an element: negative ones from the other end.
fn signed(n: i64) -> Field128 {
    let magnitude = Field128::from(u128::from(n.unsigned_abs()));
    if n < 0 { -magnitude } else { magnitude }
}

/// An element as a whole number, negative where it is in the upper half.
fn centred(element: Field128) -> i128 {
    let (n, p) = (u128::from(element), Field128::modulus());
    // The modulus is below 2^128 and n below it, so each half fits in i128.
    if n > p / 2 { -((p - n) as i128) } else { n as i128 }
}

/// What an aggregator says of its share of a total, over its signature. It says nothing alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The task.
    pub task: Digest,
    /// Leader or helper.
    pub role: Role,
    /// What of.
    pub stage: Stage,
    /// The digest of the set of contributions that are in it.
    pub set: Digest,
    /// How many contributions.
    pub count: u32,
    /// Of how many legal groups.
    pub groups: u32,
    /// How many legal groups there had to be.
    pub least: u32,
    /// The share.
    pub share: Vec<[u8; 16]>,
    signature: [u8; 64],
}

impl Statement {
    /// Signed. The signature given in is put aside.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Statement {
        self.signature = key.sign(&self.message()).to_bytes();
        self
    }

    /// Of these, not signed yet.
    #[must_use]
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        task: Digest,
        role: Role,
        stage: Stage,
        set: Digest,
        count: u32,
        groups: u32,
        least: u32,
        share: Vec<[u8; 16]>,
    ) -> Statement {
        Statement { task, role, stage, set, count, groups, least, share, signature: [0; 64] }
    }

    fn message(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(DOMAIN).raw(b"/statement\0").raw(&self.task).u8(self.role as u8).u8(self.stage as u8).raw(&self.set);
        w.u32(self.count).u32(self.groups).u32(self.least).list(&self.share, |w, element| {
            w.raw(element);
        });
        w.done()
    }

    /// Writes it.
    pub fn write(&self, w: &mut Writer) {
        w.raw(&self.task).u8(self.role as u8).u8(self.stage as u8).raw(&self.set);
        w.u32(self.count).u32(self.groups).u32(self.least);
        w.list(&self.share, |w, element| {
            w.raw(element);
        });
        w.raw(&self.signature);
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn read(r: &mut Reader<'_>) -> Result<Statement, Malformed> {
        let task = r.array()?;
        let role = Role::of(r.u8()?).ok_or_else(|| r.wrong("a role"))?;
        let stage = Stage::of(r.u8()?).ok_or_else(|| r.wrong("a stage"))?;
        Ok(Statement {
            task,
            role,
            stage,
            set: r.array()?,
            count: r.u32()?,
            groups: r.u32()?,
            least: r.u32()?,
            share: r.list(MOST_ANSWERS, Reader::array)?,
            signature: r.array()?,
        })
    }

    /// That it is of this task, role and stage, whole, and signed by the task's party.
    ///
    /// # Errors
    /// What is not so.
    pub fn check(&self, task: &Task, role: Role, stage: Stage) -> Result<(), Wrong> {
        if self.task != task.id() || self.role != role || self.stage != stage {
            return Err(Wrong::Apart("one is of another task, role or stage"));
        }
        let length = match stage {
            Stage::Noised => task.released(),
            Stage::Exact => task.exact.as_ref().map_or(0, |exact| exact.of.len()),
        };
        if self.share.len() != length || length == 0 {
            return Err(Wrong::Apart("one has another length than the task asks"));
        }
        let least = self.least.max(u32::from(task.floor));
        if self.groups < least || self.count < self.groups {
            return Err(Wrong::Few { got: self.groups.min(self.count), least });
        }
        let key = VerifyingKey::from_bytes(&task.party(role).signing).map_err(|_| Wrong::Unsigned(role))?;
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        key.verify_strict(&self.message(), &signature).map_err(|_| Wrong::Unsigned(role))
    }
}

/// A total: the statements of leader and helper, with noise and, where all consented, exact. It can be shown to anybody, and anybody can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// With noise.
    pub noised: [Statement; 2],
    /// Exact.
    pub exact: Option<[Statement; 2]>,
}

/// What was counted, with how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How many contributions.
    pub count: u32,
    /// Of how many legal groups.
    pub groups: u32,
    /// How many legal groups there had to be.
    pub least: u32,
    /// The released numbers: one, of providers affected; or how many chose each.
    pub numbers: Vec<Number>,
    /// The standard deviation of each.
    pub deviation: f64,
    /// The exact sums.
    pub exact: Option<Vec<u64>>,
}

/// A released number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// As it came out, which noise may have carried below nought or beyond all.
    pub raw: i64,
    /// Between nought and all.
    pub clamped: u32,
}

impl Total {
    /// As it travels.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        for statement in &self.noised {
            statement.write(&mut w);
        }
        w.u8(u8::from(self.exact.is_some()));
        for statement in self.exact.iter().flatten() {
            statement.write(&mut w);
        }
        w.done()
    }

    /// From what travelled.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(bytes: &[u8]) -> Result<Total, Malformed> {
        let mut r = Reader::new(bytes);
        let noised = [Statement::read(&mut r)?, Statement::read(&mut r)?];
        let exact = match r.u8()? {
            0 => None,
            1 => Some([Statement::read(&mut r)?, Statement::read(&mut r)?]),
            _ => return Err(r.wrong("0 or 1")),
        };
        r.end()?;
        Ok(Total { noised, exact })
    }

    /// What it says, once both aggregators' signatures are good and their statements belong together.
    ///
    /// # Errors
    /// What is not so.
    pub fn outcome(&self, task: &Task) -> Result<Outcome, Wrong> {
        let sums = add(task, &self.noised, Stage::Noised)?;
        let [first, _] = &self.noised;
        let count = i128::from(first.count);
        // A draw beyond sixty scales comes once in 10^26 times: shares that far off belong to different sums.
        let far = (120.0 * task.noise().scale()).ceil() as i128;
        let mut numbers = Vec::with_capacity(sums.len());
        for sum in sums {
            let sum = centred(sum);
            if sum < -far || sum > count + far {
                return Err(Wrong::Apart(
                    "put together they are no number of providers: one of the two is not what it should be",
                ));
            }
            let raw = match task.answers {
                Answers::Count { .. } => count - sum,
                Answers::Choices(_) => sum,
            };
            // Within the bounds above both fit.
            numbers.push(Number { raw: raw as i64, clamped: raw.clamp(0, count) as u32 });
        }
        let exact = match &self.exact {
            None => None,
            Some(exact) => Some(self.exact_sums(task, exact)?),
        };
        let deviation = task.deviation();
        Ok(Outcome { count: first.count, groups: first.groups, least: first.least, numbers, deviation, exact })
    }

    fn exact_sums(&self, task: &Task, exact: &[Statement; 2]) -> Result<Vec<u64>, Wrong> {
        let sums = add(task, exact, Stage::Exact)?;
        let ([noised, _], [first, _]) = (&self.noised, exact);
        if noised.set != first.set || noised.count != first.count {
            return Err(Wrong::Apart("the exact sums are over another set than the number with noise"));
        }
        let most = task.exact.as_ref().map_or(0, |exact| u128::from(exact.most)) * u128::from(first.count);
        let sums = sums.into_iter().map(u128::from);
        // At most 65,535 times 5,000.
        sums.map(|sum| {
            if sum <= most { Ok(sum as u64) } else { Err(Wrong::Apart("put together they are no sums of what may be reported")) }
        })
        .collect()
    }
}

/// The sums of two shares that belong together.
fn add(task: &Task, statements: &[Statement; 2], stage: Stage) -> Result<Vec<Field128>, Wrong> {
    let [leader, helper] = statements;
    leader.check(task, Role::Leader, stage)?;
    helper.check(task, Role::Helper, stage)?;
    if (leader.set, leader.count, leader.groups, leader.least) != (helper.set, helper.count, helper.groups, helper.least) {
        return Err(Wrong::Apart("they are over different sets of contributions"));
    }
    leader.share.iter().zip(&helper.share).map(|(a, b)| Ok(element(a)? + element(b)?)).collect()
}

fn element(bytes: &[u8; 16]) -> Result<Field128, Wrong> {
    Field128::try_from(&bytes[..]).map_err(|_| Wrong::Apart("a share is no element of the field"))
}
