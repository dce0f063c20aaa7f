//! What the collector does: it opens the two shares of a total, checks that they belong together, and signs the total for everybody. It
//! collects once: a task that was collected is shown again, never made anew.

use matching::{
    bytes::Reader,
    envelope::{EVERYBODY, Envelope, Expected, KeyId, Kind},
    tally::{Outcome, Role, Stage, Statement, Task, Total, Wrong},
};

use super::{Error, Held, Home, home::for_everybody, one, rule};

/// The most bytes of a file with a task or a total that anybody checks.
pub const MOST_SHOWN: u64 = 8 << 20;

impl Home {
    /// Puts two shares together: the total's file, for everybody, and what it says. Exact shares are added to the total with noise, which was
    /// collected before.
    ///
    /// # Errors
    /// When the shares are not from the two aggregators, do not belong together, or another total of this task was collected already.
    pub fn collect(&self, held: &Held, shares: [&[u8]; 2], now: i64) -> Result<(Vec<u8>, Outcome), Error> {
        self.must_be(&[Role::Collector])?;
        held.must_be_signed()?;
        let [first, second] = shares;
        let (first, second) = (self.opened_share(held, first, now)?, self.opened_share(held, second, now)?);
        let pair = match (first.role, second.role) {
            (Role::Leader, Role::Helper) => [first, second],
            (Role::Helper, Role::Leader) => [second, first],
            _ => return rule("both files are from one aggregator; one of each is needed"),
        };
        let known = match held.read("total.slu")? {
            Some(bytes) => Some((Total::decode(&one(&bytes)?.body)?, bytes)),
            None => None,
        };
        let stages = [pair[0].stage, pair[1].stage];
        let total = match (stages, known) {
            ([Stage::Noised, Stage::Noised], None) => Total { noised: pair, exact: None },
            ([Stage::Noised, Stage::Noised], Some((known, bytes))) => {
                if known.noised != pair {
                    return rule("this task was collected already, from other shares; it is collected once for ever");
                }
                return Ok((bytes, known.outcome(&held.task)?));
            }
            ([Stage::Exact, Stage::Exact], Some((known, bytes))) => match &known.exact {
                None => Total { noised: known.noised, exact: Some(pair) },
                Some(exact) if *exact == pair => return Ok((bytes, known.outcome(&held.task)?)),
                Some(_) => return rule("the exact sums were collected already, from other shares"),
            },
            ([Stage::Exact, Stage::Exact], None) => return rule("the number with noise is collected first"),
            _ => return rule("one file is with noise and one exact; both must be the same"),
        };
        let outcome = total.outcome(&held.task)?;
        let file = for_everybody(held, Kind::Total, self, total.encode(), now).encode();
        held.write("total.slu", &file)?;
        Ok((file, outcome))
    }

    fn opened_share(&self, held: &Held, bytes: &[u8], now: i64) -> Result<Statement, Error> {
        let envelope = one(bytes)?;
        let sender = envelope.header.sender;
        let role = [Role::Leader, Role::Helper].into_iter().find(|role| held.task.party(*role).signing == sender);
        let Some(role) = role else { return rule("this share is from neither aggregator of the task") };
        let body = held.open(&envelope, Kind::AggregateShare, &sender, &self.key(), now)?;
        let inside = self.identity.opener.open(body, &Role::Collector.info(&held.id), &sender).map_err(|_| Wrong::Sealed)?;
        let mut r = Reader::new(&inside);
        let statement = Statement::read(&mut r)?;
        r.end()?;
        statement.check(&held.task, role, statement.stage)?;
        Ok(statement)
    }
}

/// What a task's public file and a total's file say, checked by anybody: all signatures, and that the two shares are the number.
///
/// # Errors
/// When a signature is missing or the two do not belong together.
pub fn check(task: &[u8], total: &[u8], author: Option<&KeyId>) -> Result<(Task, Total, Outcome), Error> {
    let all = Envelope::read_all(task, 2)?;
    let Some(envelope) = all.first() else { return rule("the task's file is empty; ask for it again") };
    // A published task stays good for ever, so it is looked at as of when it was made.
    let task = Task::decode(&envelope.body)?;
    let id = task.id();
    let signers = [task.leader.signing, task.helper.signing, task.collector.signing];
    let expected =
        Expected { sender: Some(author.unwrap_or(&task.author)), under: Some(&id), signers: &signers, ..Expected::default() };
    envelope.open(Kind::Task, &expected, envelope.header.issued)?;
    let envelope = one(total)?;
    let expected =
        Expected { sender: Some(&task.collector.signing), recipient: Some(&EVERYBODY), under: Some(&id), ..Expected::default() };
    let total = Total::decode(envelope.open(Kind::Total, &expected, envelope.header.issued)?)?;
    let outcome = total.outcome(&task)?;
    Ok((task, total, outcome))
}
