//! An aggregator's share of a total, sealed to the collector: with noise, once for ever; and exact, when all have consented. What was released
//! is written down in one file before it is given out, so that neither a kill nor a second call draws new noise.

use matching::{
    Digest,
    bytes::{Reader, Writer},
    envelope::{Envelope, KeyId, Kind},
    parcel,
    tally::{
        FLOOR, MOST_EPSILON_A_YEAR, Role, Stage, Statement, Sum, Task, Total, Wrong, cohort::MOST_MEMBERS,
        total::AFFECTED_BEFORE_EXACT,
    },
};
use rand_core::CryptoRng;

use super::{Error, Held, Home, MOST_FILE, home::names, intake, one, rule, set};
use crate::{files, keys::hex};

/// What an aggregator remembers of a release for ever: whose answers are in it, to what, and what it gave out.
struct Released {
    task: Task,
    stage: Stage,
    when: i64,
    providers: Vec<KeyId>,
    statement: Vec<u8>,
    file: Vec<u8>,
}

impl Released {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(1).bytes(&self.task.encode()).u8(self.stage as u8).time(self.when);
        w.list(&self.providers, |w, provider| {
            w.raw(provider);
        });
        w.bytes(&self.statement).bytes(&self.file);
        w.done()
    }

    fn decode(bytes: &[u8]) -> Result<Released, Error> {
        let mut r = Reader::new(bytes);
        if r.u8()? != 1 {
            return Err(r.wrong("version 1 of what was released").into());
        }
        let task = Task::decode(r.bytes(1 << 20)?)?;
        let stage = Stage::of(r.u8()?).ok_or_else(|| r.wrong("a stage"))?;
        let (when, providers) = (r.time()?, r.list(MOST_MEMBERS, Reader::array)?);
        let (statement, file) = (r.bytes(1 << 20)?.to_vec(), r.bytes(1 << 20)?.to_vec());
        r.end()?;
        Ok(Released { task, stage, when, providers, statement, file })
    }
}

impl Home {
    fn released(&self, task: &Digest, stage: Stage) -> std::path::PathBuf {
        self.dir.join("tally/released").join(format!("{}-{}", hex(task), stage as u8))
    }

    fn all_released(&self) -> Result<Vec<Released>, Error> {
        let folder = self.dir.join("tally/released");
        names(&folder)?.iter().map(|name| Released::decode(&files::read(&folder.join(name), MOST_FILE)?)).collect()
    }

    /// That none of these providers has been counted for this measure and period before, and that none's epsilons of a year are used up (T1).
    pub(super) fn check_spent(&self, task: &Task, providers: &[KeyId], now: i64) -> Result<(), Error> {
        const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;
        let mut spent = vec![0u32; providers.len()];
        let id = task.id();
        for before in self.all_released()?.iter().filter(|before| before.stage == Stage::Noised && before.task.id() != id) {
            let same = before.task.measure == task.measure || before.task.question == task.question;
            let meets = before.task.period.from < task.period.until && task.period.from < before.task.period.until;
            for (provider, spent) in providers.iter().zip(&mut spent) {
                if !before.providers.contains(provider) {
                    continue;
                }
                if same && meets {
                    return rule(format!(
                        "provider {} was counted for this measure and period already (task {}); the difference of two totals would show its change: \
                         corrections go into the next period",
                        &hex(provider)[..16],
                        &hex(&before.task.id())[..16]
                    ));
                }
                if before.when > now.saturating_sub(YEAR) {
                    *spent = spent.saturating_add(before.task.epsilon);
                }
            }
        }
        if spent.iter().any(|spent| spent.saturating_add(task.epsilon) > MOST_EPSILON_A_YEAR) {
            return rule(
                "a provider of this cohort would be counted with more than epsilon 4 within a year; wait, or ask with a smaller epsilon",
            );
        }
        Ok(())
    }

    /// This aggregator's share of the number with noise, sealed to the collector. The same file however often it is asked for.
    ///
    /// # Errors
    /// When the contributions are not proven, too few, or were counted before in another task of this measure and period.
    pub fn release(&self, held: &Held, now: i64, rng: &mut impl CryptoRng) -> Result<Vec<u8>, Error> {
        self.release_with(held, now, |sum, task, rng| sum.noised(task, rng), rng)
    }

    /// The same without noise, so that tests can compare totals with plain sums. It exists in tests alone.
    #[cfg(test)]
    pub(super) fn release_without_noise(&self, held: &Held, now: i64, rng: &mut impl CryptoRng) -> Result<Vec<u8>, Error> {
        self.release_with(held, now, |sum, task, _| sum.plain(task), rng)
    }

    fn release_with<R: CryptoRng>(
        &self,
        held: &Held,
        now: i64,
        share: impl FnOnce(&Sum, &Task, &mut R) -> Vec<[u8; 16]>,
        rng: &mut R,
    ) -> Result<Vec<u8>, Error> {
        let role = self.must_be(&[Role::Leader, Role::Helper])?;
        let path = self.released(&held.id, Stage::Noised);
        if let Some(bytes) = files::read_if_there(&path, MOST_FILE)? {
            return Ok(Released::decode(&bytes)?.file);
        }
        set::shown_long_enough(held, now)?;
        if now > held.task.ends {
            return rule("the task has ended; nothing more is made of it");
        }
        let (counted, sum) = self.sum(held)?;
        let providers: Vec<KeyId> = counted.set.entries.iter().map(|entry| entry.provider).collect();
        self.check_spent(&held.task, &providers, now)?;
        let (groups, least) = set::must_be_enough(&held.task, &held.cohort()?, providers.iter())?;
        let share = share(&sum, &held.task, rng);
        let digest = counted.set.digest();
        let statement = Statement::new(held.id, role, Stage::Noised, digest, sum.count(), groups, least, share);
        self.write_release(held, &path, statement.signed(&self.identity.signing), providers, now, rng)
    }

    fn write_release(
        &self,
        held: &Held,
        path: &std::path::Path,
        statement: Statement,
        providers: Vec<KeyId>,
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, Error> {
        let mut w = Writer::new();
        statement.write(&mut w);
        let statement_bytes = w.done();
        let collector = &held.task.collector;
        let sealed = parcel::pack(&collector.sealing, &Role::Collector.info(&held.id), &self.key(), &statement_bytes, rng)
            .map_err(|_| Wrong::Sealed)?;
        let mut header = held.header(Kind::AggregateShare, self.key(), collector.signing, now);
        header.seq = u64::from(statement.stage as u8);
        let file = Envelope::signed(header, sealed, &self.identity.signing).encode();
        let task = held.task.clone();
        let released = Released { task, stage: statement.stage, when: now, providers, statement: statement_bytes, file };
        // From here on this is what was released, whatever happens to this process.
        files::write(path, &released.encode())?;
        Ok(released.file)
    }

    /// This aggregator's share of the exact sums, sealed to the collector (T4).
    ///
    /// # Errors
    /// When somebody of the cohort has not consented, fewer than twenty independent providers are counted, or the total with noise, which both
    /// aggregators have signed, shows fewer than five affected.
    pub fn release_exact(&self, held: &Held, total: &[u8], now: i64, rng: &mut impl CryptoRng) -> Result<Vec<u8>, Error> {
        let role = self.must_be(&[Role::Leader, Role::Helper])?;
        let path = self.released(&held.id, Stage::Exact);
        if let Some(bytes) = files::read_if_there(&path, MOST_FILE)? {
            return Ok(Released::decode(&bytes)?.file);
        }
        if held.task.exact.is_none() {
            return rule("this task asks for no exact sums");
        }
        let without = intake::without_consent(held, &held.cohort()?)?;
        if !without.is_empty() {
            return rule(format!("{} of the cohort have not consented; an exact total needs the consent of all", without.len()));
        }
        let envelope = one(total)?;
        let body = held.open(&envelope, Kind::Total, &held.task.collector.signing, &self.key(), now)?;
        let total = Total::decode(body)?;
        let outcome = total.outcome(&held.task)?;
        let Some(bytes) = files::read_if_there(&self.released(&held.id, Stage::Noised), MOST_FILE)? else {
            return rule("nothing with noise was released yet; that comes first");
        };
        let ours = Released::decode(&bytes)?.statement;
        let stands = total.noised.iter().any(|statement| {
            let mut w = Writer::new();
            statement.write(&mut w);
            w.done() == ours
        });
        if !stands {
            return rule("this total is not made of what this aggregator released");
        }
        if outcome.groups < u32::from(FLOOR) {
            return Err(Wrong::Few { got: outcome.groups, least: u32::from(FLOOR) }.into());
        }
        if outcome.numbers.first().is_none_or(|number| number.clamped < AFFECTED_BEFORE_EXACT) {
            return rule("the number with noise shows fewer than five providers affected, so the exact sums are not released");
        }
        let (counted, sum) = self.sum(held)?;
        let providers = counted.set.entries.iter().map(|entry| entry.provider).collect();
        let digest = counted.set.digest();
        let statement =
            Statement::new(held.id, role, Stage::Exact, digest, sum.count(), outcome.groups, outcome.least, sum.exact());
        self.write_release(held, &path, statement.signed(&self.identity.signing), providers, now, rng)
    }
}
