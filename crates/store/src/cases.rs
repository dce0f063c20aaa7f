//! Cases: placing reports in them, and reading them.

use model::address::Address;
use model::assignment::Level;
use model::case::{Case, CaseKey, State};
use model::category::Kind;
use model::chain::{Chain, Link, PartyId};
use model::step::{Step, What};
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::apply::Memory;
use crate::db::{self, OptionalExtension, Row, Transaction, Value, numbered};
use crate::keys::random;

/// Bits of `cases.marks`.
pub mod marks {
    /// A reporter is known to be who it says.
    pub const AUTHENTICATED: i64 = 1;
    /// Two who are known to be who they say report it.
    pub const CORROBORATED: i64 = 2;
    /// Something was decided about it, and its clocks began.
    pub const DECIDED: i64 = 4;
    /// What was decided was only shown.
    pub const OBSERVED: i64 = 8;
    /// The administration was corrected, or the report is of the minutes of a change of holder: a person looks first.
    pub const HOLDER_CHANGED: i64 = 16;
    /// Others than one feed report it.
    pub const NOT_ONE_FEED: i64 = 32;
    /// The sender of the packets that are evidence may be another than it seems.
    pub const SPOOFABLE: i64 = 64;
    /// A reporter is known by more than the envelope of a mail. Cases of before envelopes were looked at lack it until the next
    /// report: what would be restricted without a person then waits for one.
    pub const SIGNED: i64 = 128;
}

/// Columns of a case, read by [`from_row`].
pub(crate) const COLUMNS: &str =
    "id, public, key, kind, state, holder, opened, first_seen, last_seen, first_notice, reports, history, tail, chain";
/// How many they are.
pub(crate) const WIDTH: usize = 14;

/// A case with what only the store needs: its last run of reports, and its chain's number.
#[derive(Clone, Debug, PartialEq)]
pub struct Filed {
    /// The case.
    pub case: Case,
    /// Number of the first report of its last run.
    pub tail: i64,
    /// Number of its chain.
    pub chain: Option<i64>,
}

pub(crate) fn from_row(row: &Row<'_>) -> db::Result<Filed> {
    let holder: i64 = row.get(5)?;
    let case = Case {
        id: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        key: CaseKey(row.get(2)?),
        kind: numbered(row, 3, Kind::ALL)?,
        state: numbered(row, 4, &State::ALL)?,
        holder: (holder != 0).then_some(holder),
        opened: Time(row.get(6)?),
        first_seen: Time(row.get(7)?),
        last_seen: Time(row.get(8)?),
        first_valid_notice: row.get::<Option<i64>>(9)?.map(Time),
        reports: row.get::<i64>(10)?.unsigned_abs(),
        history: row.get(11)?,
    };
    Ok(Filed { case, tail: row.get(12)?, chain: row.get(13)? })
}

/// Which cases to list. Everything that is not set is no condition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only open or only closed ones.
    pub state: Option<State>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those whose holder is this party; 0 for those without a holder.
    pub holder: Option<PartyId>,
    /// Only those about this address.
    pub address: Option<Address>,
    /// Only those with a lower number: the next page.
    pub before: Option<i64>,
}

impl Transaction<'_> {
    /// One case by its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn case(&self, id: i64) -> Result<Option<Filed>, Error> {
        let text = format!("-- cases::one\nSELECT {COLUMNS} FROM cases WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// One case by the identifier that others see.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn case_by_public(&self, public: PublicId) -> Result<Option<Filed>, Error> {
        let text = format!("-- cases::by_public\nSELECT {COLUMNS} FROM cases WHERE public = $1");
        Ok(self.prepare(&text)?.query_row([public.0.to_be_bytes()], from_row).optional()?)
    }

    /// Cases, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cases(&self, filter: &Filter, most: u32) -> Result<Vec<Filed>, Error> {
        // The condition with an index of its own stands in the text; the others are looked at row by row.
        let indexed = match (filter.address, filter.holder) {
            (Some(_), _) => "address = $1",
            (None, Some(_)) => "holder = $1",
            (None, None) => "$1 = 0",
        };
        let text = format!(
            "-- cases::list
             SELECT {COLUMNS} FROM cases
             WHERE {indexed} AND id < $2 AND ($3 < 0 OR state = $3) AND ($4 < 0 OR kind = $4) AND ($5 < 0 OR holder = $5)
             ORDER BY id DESC LIMIT $6"
        );
        let address = filter.address.map(Address::bytes);
        let first = match (&address, &filter.holder) {
            (Some(address), _) => Value::Bytes(address),
            (None, Some(holder)) => Value::Integer(*holder),
            (None, None) => Value::Integer(0),
        };
        let mut select = self.prepare(&text)?;
        let rows = select.query_map(
            (
                first,
                filter.before.unwrap_or(i64::MAX),
                filter.state.map_or(-1, |state| state as i64),
                filter.kind.map_or(-1, |kind| kind as i64),
                filter.holder.unwrap_or(-1),
                most,
            ),
            from_row,
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The chain that a case had when it was opened.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn chain(&self, number: Option<i64>) -> Result<Chain, Error> {
        let mut select = self.prepare(
            "-- cases::chain
             SELECT party, assignment, level, source, recorded, since FROM chain_links WHERE chain = $1 ORDER BY position",
        )?;
        let links = select.query_map([number], |row| {
            Ok(Link {
                party: row.get(0)?,
                assignment: row.get(1)?,
                level: numbered(row, 2, &Level::ALL)?,
                source: row.get(3)?,
                recorded: Time(row.get(4)?),
                since: row.get::<Option<i64>>(5)?.map_or(Time::MIN, Time),
            })
        })?;
        Ok(Chain { links: links.collect::<Result<_, _>>()? })
    }

    /// Gives a holder to a case that had none. When the holder has an open case of the same problem already, nothing is
    /// changed: false.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_holder(&self, filed: &Filed, key: &CaseKey, chain: &Chain, now: Time) -> Result<bool, Error> {
        let Some(holder) = chain.holder() else { return Ok(false) };
        let taken: Option<i64> = self
            .prepare("-- cases::taken\nSELECT id FROM cases WHERE key = $1 AND state = 0")?
            .query_row([&key.0], |row| row.get(0))
            .optional()?;
        if taken.is_some() {
            return Ok(false);
        }
        let number = self.chain_number(chain, &mut Memory::default())?;
        self.execute(
            "-- cases::set_holder\nUPDATE cases SET key = $2, holder = $3, chain = $4 WHERE id = $1",
            (filed.case.id, &key.0, holder.party, number),
        )?;
        self.add_step(filed.case.id, &step(What::HolderFound, now, String::new()))?;
        // Now there is somebody to be told.
        self.wake_case(filed.case.id, now)?;
        Ok(true)
    }
}

/// A step that no person and no rule made.
pub(crate) fn step(what: What, at: Time, text: String) -> Step {
    Step { ordinal: 0, what, at, text, person: String::new(), rule: String::new(), due: None }
}

/// Random bytes for many identifiers from few calls.
#[derive(Default)]
pub(crate) struct Randomness {
    bytes: Vec<u8>,
}

impl Randomness {
    pub(crate) fn public_id(&mut self, now: Time) -> Result<PublicId, Error> {
        if self.bytes.len() < 10 {
            self.bytes = random::<2560>()?.to_vec();
        }
        let mut id = [0; 16];
        id[..6].copy_from_slice(&now.0.max(0).to_be_bytes()[2..]);
        id[6..].copy_from_slice(&self.bytes.split_off(self.bytes.len() - 10));
        Ok(PublicId(u128::from_be_bytes(id)))
    }
}
