//! Listing cases for people: by what they are about, where they stand and which clock runs out first.

use model::address::Address;
use model::case::State;
use model::category::Kind;
use model::chain::PartyId;
use model::severity::Severity;
use model::time::Time;

use crate::Error;
use crate::cases::{self, Filed};
use crate::clocks::{self, Standing};
use crate::db::{Transaction, Value};

/// Which cases to list. Everything that is not set is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Only open or only closed ones.
    pub state: Option<State>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those whose holder is this party; 0 for those without a holder.
    pub holder: Option<PartyId>,
    /// Only those about this address.
    pub address: Option<Address>,
    /// Only of this severity.
    pub severity: Option<Severity>,
    /// Only those by this rule.
    pub rule: Option<String>,
    /// Only those that this colleague has; empty for those that nobody has.
    pub handler: Option<String>,
    /// Only open ones that were to be mended before this.
    pub mended_by: Option<Time>,
    /// Open ones with a clock, the one that runs out first before all others; else the newest first.
    pub by_clock: bool,
    /// Only those with a lower number (in a list by clock: of later clocks): the next page.
    pub before: Option<i64>,
}

/// The condition that a list walks along. It has an index of its own; the others are looked at row by row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    Address,
    Handler,
    Holder,
    Urgent,
    Clock,
    Number,
}

/// How a list is walked, and whether the clock that runs out first comes first.
#[derive(Clone, Copy)]
struct Walking {
    walk: Walk,
    by_clock: bool,
}

impl Transaction<'_> {
    /// Cases with where they stand, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list_cases(&self, listing: &Listing, most: u32) -> Result<Vec<(Filed, Standing)>, Error> {
        let by_clock = listing.by_clock || listing.mended_by.is_some();
        let named = listing.handler.as_ref().is_some_and(|handler| !handler.is_empty());
        let walk = match listing {
            Listing { address: Some(_), .. } => Walk::Address,
            _ if named => Walk::Handler,
            Listing { holder: Some(_), .. } => Walk::Holder,
            _ if by_clock => Walk::Clock,
            Listing { severity: Some(Severity::P0 | Severity::P1), .. } => Walk::Urgent,
            _ => Walk::Number,
        };
        let (first, last) = match listing.before {
            // Clocks may be the same to the millisecond: the number decides then.
            Some(before) if by_clock => {
                let clock = self.standing(before)?.and_then(|standing| standing.progress.clocks.fix);
                (clock.map_or(i64::MIN, |clock| clock.0), before)
            }
            before => (i64::MIN, before.unwrap_or(i64::MAX)),
        };
        let (walk, page) = (Walking { walk, by_clock }, (first, last));
        if walk.walk != Walk::Clock || listing.severity.is_some() {
            return self.walk(listing, walk, page, most);
        }
        // Clocks are indexed by severity, so that the worst are found at once: the first of each are put in order.
        let mut found = Vec::new();
        for severity in Severity::ALL {
            let listing = Listing { severity: Some(severity), ..listing.clone() };
            found.extend(self.walk(&listing, walk, page, most)?);
        }
        found.sort_by_key(|(filed, standing)| (standing.progress.clocks.fix, filed.case.id));
        found.truncate(most as usize);
        Ok(found)
    }

    fn walk(
        &self,
        listing: &Listing,
        Walking { walk, by_clock }: Walking,
        (first, last): (i64, i64),
        most: u32,
    ) -> Result<Vec<(Filed, Standing)>, Error> {
        // The literal conditions are those of the indexes, so that these can be used.
        let along = match walk {
            Walk::Address => "address = $1",
            Walk::Handler => "handler = $1 AND handler <> ''",
            Walk::Holder => "holder = $1",
            Walk::Urgent => "severity = $1 AND severity < 2",
            Walk::Clock => "severity = $1",
            Walk::Number => "0 = $1",
        };
        let (page, order) = match by_clock {
            true => (
                "state = 0 AND fix_due IS NOT NULL AND (fix_due > $2 OR (fix_due = $2 AND id > $3)) AND fix_due < $4",
                "fix_due, id",
            ),
            false => ("id > $2 AND id < $3 AND id < $4", "id DESC"),
        };
        let (case, standing) = (cases::COLUMNS, clocks::COLUMNS);
        let text = format!(
            "-- listing::cases
             SELECT {case}, {standing} FROM cases
             WHERE {along} AND {page}
                 AND ($5 < 0 OR state = $5) AND ($6 < 0 OR kind = $6) AND ($7 < 0 OR holder = $7) AND ($8 < 0 OR severity = $8)
                 AND ($9 = 0 OR rule = $10) AND ($11 = 0 OR handler = $12)
             ORDER BY {order} LIMIT $13"
        );

        let address = listing.address.map(Address::bytes).unwrap_or_default();
        let handler = listing.handler.as_deref().unwrap_or_default();
        let along = match walk {
            Walk::Address => Value::Bytes(&address),
            Walk::Handler => Value::Text(handler),
            Walk::Holder => Value::Integer(listing.holder.unwrap_or(0)),
            Walk::Urgent | Walk::Clock => Value::Integer(listing.severity.map_or(0, |severity| severity as i64)),
            Walk::Number => Value::Integer(0),
        };
        let mut select = self.prepare(&text)?;
        let rows = select.query_map(
            (
                along,
                first,
                last,
                listing.mended_by.map_or(i64::MAX, |time| time.0),
                listing.state.map_or(-1, |state| state as i64),
                listing.kind.map_or(-1, |kind| kind as i64),
                listing.holder.unwrap_or(-1),
                listing.severity.map_or(-1, |severity| severity as i64),
                listing.rule.is_some(),
                listing.rule.as_deref().unwrap_or_default(),
                listing.handler.is_some(),
                handler,
                most,
            ),
            |row| Ok((cases::from_row(row)?, clocks::from_row(row, cases::WIDTH)?)),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One case, and where it stands.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn case_standing(&self, id: i64) -> Result<Option<(Filed, Standing)>, Error> {
        let Some(filed) = self.case(id)? else { return Ok(None) };
        Ok(self.standing(id)?.map(|standing| (filed, standing)))
    }
}
