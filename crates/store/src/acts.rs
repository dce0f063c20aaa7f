//! Acts: what people did to cases, and how those were before.

use model::chain::PartyId;
use model::severity::Severity;
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::cases::Filed;
use crate::clocks::Standing;
use crate::db::{self, OptionalExtension, Row, Transaction};
use crate::keys::public_id;

/// What a person did to one or many cases at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Row number.
    pub id: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// What was done, in a word or two.
    pub verb: String,
    /// Who did it.
    pub person: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Time,
    /// To how many cases.
    pub cases: u64,
    /// When it was undone.
    pub undone: Option<Time>,
}

const COLUMNS: &str = "id, public, verb, person, reason, at, cases, undone";

fn from_row(row: &Row<'_>) -> db::Result<Act> {
    Ok(Act {
        id: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        verb: row.get(2)?,
        person: row.get(3)?,
        reason: row.get(4)?,
        at: Time(row.get(5)?),
        cases: row.get(6)?,
        undone: row.get::<Option<i64>>(7)?.map(Time),
    })
}

/// Why a strike counts against a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// A person confirmed that the case was so.
    Confirmed = 1,
    /// The party did not answer.
    Ignored = 2,
}

impl Transaction<'_> {
    /// Writes down that a person did something; what it did to each case follows by [`Transaction::add_act_case`].
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Random`].
    pub fn add_act(&self, verb: &str, person: &str, reason: &str, cases: u64, now: Time) -> Result<(i64, PublicId), Error> {
        let (id, public) = (self.numbers("acts", 1)?, public_id(now)?);
        self.execute(
            "-- acts::add
             INSERT INTO acts (id, public, verb, person, reason, at, cases, undone) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)",
            (id, public.0.to_be_bytes(), verb, person, reason, now.0, cases),
        )?;
        Ok((id, public))
    }

    /// Keeps how a case was before an act, in a text that the desk reads again when the act is undone.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_act_case(&self, act: i64, case: i64, before: &str) -> Result<(), Error> {
        self.execute("-- acts::add_case\nINSERT INTO act_cases (act, case_id, before) VALUES ($1, $2, $3)", (act, case, before))?;
        Ok(())
    }

    /// One act by its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn act(&self, id: i64) -> Result<Option<Act>, Error> {
        let text = format!("-- acts::one\nSELECT {COLUMNS} FROM acts WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// One act by the identifier that others see.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn act_by_public(&self, public: PublicId) -> Result<Option<Act>, Error> {
        let text = format!("-- acts::by_public\nSELECT {COLUMNS} FROM acts WHERE public = $1");
        Ok(self.prepare(&text)?.query_row([public.0.to_be_bytes()], from_row).optional()?)
    }

    /// Acts with a number below `before`, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn acts(&self, before: i64, most: u32) -> Result<Vec<Act>, Error> {
        let text = format!("-- acts::list\nSELECT {COLUMNS} FROM acts WHERE id < $1 ORDER BY id DESC LIMIT $2");
        Ok(self.prepare(&text)?.query_map((before, most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// The cases of an act, and how they were before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn act_cases(&self, act: i64) -> Result<Vec<(i64, String)>, Error> {
        let mut select = self.prepare("-- acts::cases\nSELECT case_id, before FROM act_cases WHERE act = $1 ORDER BY case_id")?;
        Ok(select.query_map([act], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }

    /// Notes that an act was undone.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_undone(&self, act: i64, now: Time) -> Result<(), Error> {
        self.execute("-- acts::undone\nUPDATE acts SET undone = $2 WHERE id = $1", (act, now.0))?;
        Ok(())
    }

    /// Writes a case back as a person changed it: everything but its identity, what its reports say and what decided about it.
    ///
    /// # Errors
    /// [`Error::Database`]; also when another open case has its key.
    pub fn save_case(&self, filed: &Filed, standing: &Standing) -> Result<(), Error> {
        let case = &filed.case;
        let clocks = standing.progress.clocks;
        let number = |time: Option<Time>| time.map(|time| time.0);
        self.execute(
            "-- acts::save
             UPDATE cases SET key = $2, state = $3, holder = $4, chain = $5, first_seen = $6, last_seen = $7, first_notice = $8,
                 reports = $9, tail = $10, history = $11, severity = $12, marks = $13, acknowledge_due = $14, customer_due = $15,
                 fix_due = $16, force_due = $17, told = $18, rung = $19, handler = $20, snoozed = $21, disputed = $22,
                 received = $23, closed = $24, closure = $25, next_due = $26, ordered = $27, last_received = $28, confidence = $29
             WHERE id = $1",
            (
                case.id,
                &case.key.0,
                case.state as u8,
                case.holder.unwrap_or(0),
                filed.chain,
                case.first_seen.0,
                case.last_seen.0,
                number(case.first_valid_notice),
                case.reports,
                filed.tail,
                case.history,
                standing.progress.severity as u8,
                standing.marks,
                number(clocks.acknowledge),
                number(clocks.customer),
                number(clocks.fix),
                number(clocks.force),
                number(standing.progress.told),
                standing.progress.rung as u8,
                &standing.handler,
                number(standing.snoozed),
                number(standing.disputed),
                standing.received.0,
                number(standing.closed),
                standing.closure.map(|closure| closure as u8),
                number(standing.next_due),
                number(standing.ordered),
                standing.last_received.0,
                standing.confidence,
            ),
        )?;
        Ok(())
    }

    /// The open case of a key.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn open_case_of(&self, key: &model::case::CaseKey) -> Result<Option<i64>, Error> {
        let mut select = self.prepare("-- acts::open_of\nSELECT id FROM cases WHERE key = $1 AND state = 0")?;
        Ok(select.query_row([&key.0], |row| row.get(0)).optional()?)
    }

    /// Counts a case against a party. One that was withdrawn counts again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_strike(&self, party: PartyId, case: i64, cause: Cause, severity: Severity, now: Time) -> Result<(), Error> {
        self.execute(
            "-- acts::strike
             INSERT INTO strikes (party, case_id, cause, severity, at, withdrawn, reason) VALUES ($1, $2, $3, $4, $5, NULL, '')
             ON CONFLICT (party, case_id, cause)
             DO UPDATE SET severity = excluded.severity, at = excluded.at, withdrawn = NULL, reason = ''",
            (party, case, cause as u8, severity as u8, now.0),
        )?;
        Ok(())
    }

    /// Lets what a case counts against anybody count no more; how many that were.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn withdraw_strikes(&self, case: i64, reason: &str, now: Time) -> Result<usize, Error> {
        self.execute(
            "-- acts::withdraw_strikes
             UPDATE strikes SET withdrawn = $2, reason = $3 WHERE case_id = $1 AND withdrawn IS NULL",
            (case, now.0, reason),
        )
    }

    /// Lets what was withdrawn for `reason` count again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn restore_strikes(&self, case: i64, reason: &str) -> Result<usize, Error> {
        self.execute(
            "-- acts::restore_strikes
             UPDATE strikes SET withdrawn = NULL, reason = '' WHERE case_id = $1 AND withdrawn IS NOT NULL AND reason = $2",
            (case, reason),
        )
    }

    /// How often a party was struck since a moment, for this cause, at this severity or worse.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn strikes(&self, party: PartyId, cause: Cause, worst: Severity, since: Time) -> Result<u32, Error> {
        let mut select = self.prepare(
            "-- acts::strikes
             SELECT count(*) FROM strikes WHERE party = $1 AND cause = $2 AND severity <= $3 AND at >= $4 AND withdrawn IS NULL",
        )?;
        Ok(select.query_row((party, cause as u8, worst as u8, since.0), |row| row.get(0))?)
    }
}
