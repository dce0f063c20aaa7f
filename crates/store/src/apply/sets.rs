//! What PostgreSQL does for a whole batch at once: cases found, joined and opened, chains written, roll-ups added.
//!
//! Each function does what the statements for one row do that stand where it is called; a test compares the tables that
//! both leave. Rows are locked in the order of their keys, so that workers wait for each other, and not in a circle.

use std::collections::{HashMap, HashSet};

use model::address::Address;
use model::chain::Chain;
use model::policy::Progress;
use model::time::Time;
use postgres::types::ToSql;

use super::Rolled;
use crate::Error;
use crate::db::{Open, Params, Result, Row};
use crate::touch::{Arrival, ENDED_CASE, Join, Known, NewCase, OPEN_CASE, Opening, Place, ended_case, open_case};

/// Runs a statement whose parameters are arrays, one for each column.
pub(crate) fn run(open: &Open, text: &str, columns: &[&(dyn ToSql + Sync)]) -> Result<Vec<postgres::Row>> {
    open.on(|session| {
        let statement = session.prepare(text)?;
        Ok(session.client()?.query(&statement, columns)?)
    })
}

/// Text as PostgreSQL can hold it; see `db::postgres::put_text`. Arrays of text do not go that way.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Finds the open cases of places that have none yet, and locks them.
pub(crate) fn mark_known(open: &Open, places: &mut [Place<'_>]) -> Result<()> {
    let unknown: Vec<usize> = (0..places.len()).filter(|at| places[*at].known.is_none()).collect();
    let keys: Vec<&[u8]> = unknown.iter().map(|at| places[*at].key).collect();
    let text = format!(
        "-- sets::known
         SELECT {OPEN_CASE}, wanted.place FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (key, place)
         JOIN cases c ON c.key = wanted.key AND c.state = 0 ORDER BY wanted.key FOR UPDATE OF c"
    );
    for row in run(open, &text, &[&keys])? {
        let place: i64 = row.try_get(9)?;
        let place = unknown.get((place - 1) as usize).and_then(|at| places.get_mut(*at));
        if let Some(place) = place {
            place.known = Known::Open(open_case(&Row::Postgres(&row))?);
        }
    }
    Ok(())
}

/// Finds the newest closed case of each place that has no open one, of those closed since then.
pub(crate) fn mark_ended(open: &Open, places: &mut [Place<'_>], since: Time) -> Result<()> {
    let unknown: Vec<usize> = (0..places.len()).filter(|at| places[*at].known.is_none()).collect();
    let keys: Vec<&[u8]> = unknown.iter().map(|at| places[*at].key).collect();
    let text = format!(
        "-- sets::ended
         SELECT {ENDED_CASE}, wanted.place FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (key, place)
         JOIN cases c ON c.key = wanted.key AND c.state = 1 AND c.closed >= $2 ORDER BY wanted.key, c.closed, c.id"
    );
    for row in run(open, &text, &[&keys, &since.0])? {
        let place: i64 = row.try_get(5)?;
        let place = unknown.get((place - 1) as usize).and_then(|at| places.get_mut(*at));
        if let Some(place) = place {
            // The last that comes is the newest.
            place.known = Known::No(Some(ended_case(&Row::Postgres(&row))?));
        }
    }
    Ok(())
}

/// Locks the open cases of these keys, before anything else of a transaction that will touch them out of order.
pub(crate) fn lock(open: &Open, keys: &[&[u8]]) -> Result<()> {
    run(
        open,
        "-- sets::lock
         SELECT c.id FROM unnest($1::bytea[]) AS wanted (key)
         JOIN cases c ON c.key = wanted.key AND c.state = 0 ORDER BY wanted.key FOR UPDATE OF c",
        &[&keys],
    )?;
    Ok(())
}

/// The numbers of chains that are written already, by their digests.
pub(crate) fn known_chains(open: &Open, digests: &[&[u8]]) -> Result<HashMap<Vec<u8>, i64>> {
    let rows = run(
        open,
        "-- sets::chains
         SELECT c.digest, c.id FROM unnest($1::bytea[]) AS wanted (digest) JOIN chains c ON c.digest = wanted.digest",
        &[&digests],
    )?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Writes chains under numbers, sorted by their digests; which of the numbers were taken. The others are there already.
pub(crate) fn add_chains(open: &Open, new: &[(&[u8], i64, &Chain)]) -> Result<HashSet<i64>> {
    let numbers: Vec<i64> = new.iter().map(|(_, number, _)| *number).collect();
    let digests: Vec<&[u8]> = new.iter().map(|(digest, ..)| *digest).collect();
    let rows = run(
        open,
        "-- sets::add_chains
         INSERT INTO chains (id, digest) SELECT id, digest FROM unnest($1::bigint[], $2::bytea[]) AS new (id, digest)
         ON CONFLICT (digest) DO NOTHING RETURNING id",
        &[&numbers, &digests],
    )?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Lets reports join cases: what `touch::join` does.
pub(crate) fn join(open: &Open, joins: &[Join]) -> Result<()> {
    if joins.is_empty() {
        return Ok(());
    }
    let number = |of: &dyn Fn(&Join) -> i64| -> Vec<i64> { joins.iter().map(of).collect() };
    let notices: Vec<Option<i64>> = joins.iter().map(|join| join.first_notice.map(|time| time.0)).collect();
    run(
        open,
        "-- sets::join
         UPDATE cases c SET reports = c.reports + new.reports, tail = new.tail,
             first_seen = least(c.first_seen, new.first_seen), last_seen = greatest(c.last_seen, new.last_seen),
             first_notice = coalesce(c.first_notice, new.first_notice),
             history = CASE WHEN new.history = 0 THEN 0 ELSE c.history END,
             last_received = greatest(c.last_received, new.last_received),
             confidence = greatest(c.confidence, new.confidence), marks = c.marks | new.marks,
             feed_run = greatest(c.feed_run, new.run)
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                     $9::bigint[], $10::bigint[], $11::bigint[])
             AS new (id, reports, tail, first_seen, last_seen, first_notice, history, last_received, confidence, marks, run)
         WHERE c.id = new.id",
        &[
            &number(&|join| join.case),
            &number(&|join| join.reports),
            &number(&|join| join.tail),
            &number(&|join| join.first_seen.0),
            &number(&|join| join.last_seen.0),
            &notices,
            &number(&|join| i64::from(join.history)),
            &number(&|join| join.last_received.0),
            &number(&|join| i64::from(join.confidence)),
            &number(&|join| join.marks),
            &number(&|join| join.run),
        ],
    )?;
    Ok(())
}

/// Counts what joined cases on another day than their first: what `touch::day` does.
pub(crate) fn count_days(open: &Open, joins: &[Join], day: i64) -> Result<()> {
    let counted: Vec<&Join> = joins.iter().filter(|join| join.another_day).collect();
    if counted.is_empty() {
        return Ok(());
    }
    run(
        open,
        "-- sets::days
         INSERT INTO case_days (case_id, day, reports) SELECT id, $3, reports FROM unnest($1::bigint[], $2::bigint[]) AS new (id, reports)
         ON CONFLICT (case_id, day) DO UPDATE SET reports = case_days.reports + excluded.reports",
        &[
            &counted.iter().map(|join| join.case).collect::<Vec<i64>>(),
            &counted.iter().map(|join| join.reports).collect::<Vec<i64>>(),
            &day,
        ],
    )?;
    Ok(())
}

/// Columns of a case that opens, as [`case_row`] has them.
pub(crate) const CASE: &str = "id, public, key, kind, state, holder, chain, address, opened, first_seen, last_seen, first_notice, reports, tail, history, severity, policy, rule, traits, confidence, reporter, marks, acknowledge_due, customer_due, fix_due, force_due, told, rung, received, last_received, feed, feed_run, next_due";

/// What a case that opens has from what its reports rest on, the same for many.
struct Said<'a> {
    severity: i64,
    rule: &'a str,
    traits: i64,
    confidence: i64,
    reporter: i64,
    marks: i64,
    /// Acknowledge, customer, fix, force, told, next.
    clocks: [Option<i64>; 6],
    rung: i64,
}

fn said<'a>(opening: &'a Opening, arrival: &Arrival<'_>, traits: Option<i64>) -> Said<'a> {
    let decided = opening.decided.as_ref();
    let progress = decided.map_or_else(|| Progress::new(opening.severity), |decided| decided.progress);
    let clocks = progress.clocks;
    let next = match decided {
        Some(decided) => [decided.next, arrival.absent(opening)].into_iter().flatten().min(),
        None => Some(arrival.now),
    };
    Said {
        severity: progress.severity as i64,
        rule: &opening.rule,
        traits: traits.unwrap_or(0),
        confidence: opening.confidence.into(),
        reporter: opening.reporter,
        marks: opening.marks,
        clocks: [clocks.acknowledge, clocks.customer, clocks.fix, clocks.force, progress.told, next]
            .map(|clock| clock.map(|time| time.0)),
        rung: progress.rung as i64,
    }
}

/// The row of a case that opens: the values of [`CASE`].
pub(crate) fn case_row<'a>(
    new: &'a NewCase<'_, '_>,
    arrival: &'a Arrival<'_>,
    traits: &[Option<i64>],
) -> std::result::Result<impl Params + 'a, Error> {
    let place = new.place;
    let traits = traits.get(place.opening as usize).copied().flatten();
    let said = said(arrival.opening(place)?, arrival, traits);
    let [acknowledge, customer, fix, force, told, next] = said.clocks;
    Ok((
        new.case,
        new.public.0.to_be_bytes(),
        place.key,
        place.kind as u8,
        0i64,
        place.holder.unwrap_or(0),
        place.chain,
        (place.address != Address::NONE).then(|| place.address.bytes()),
        arrival.now.0,
        place.first_seen.0,
        place.last_seen.0,
        place.first_notice.map(|time| time.0),
        place.reports,
        place.tail,
        place.history,
        said.severity,
        arrival.terms.policy,
        said.rule,
        said.traits,
        said.confidence,
        said.reporter,
        said.marks,
        acknowledge,
        customer,
        fix,
        force,
        told,
        said.rung,
        arrival.received.0,
        arrival.received.0,
        arrival.feed.0,
        arrival.feed.1,
        next,
    ))
}

/// Opens cases under numbers; those numbers that became cases. The others are open under another number.
pub(crate) fn open_cases(
    open: &Open,
    opened: &[NewCase<'_, '_>],
    arrival: &Arrival<'_>,
    traits: &[Option<i64>],
) -> std::result::Result<Vec<i64>, Error> {
    let public: Vec<[u8; 16]> = opened.iter().map(|new| new.public.0.to_be_bytes()).collect();
    let public: Vec<&[u8]> = public.iter().map(|public| &public[..]).collect();
    let address = |place: &Place<'_>| (place.address != Address::NONE).then(|| place.address.bytes());
    let address: Vec<Option<[u8; 16]>> = opened.iter().map(|new| address(new.place)).collect();
    let address: Vec<Option<&[u8]>> = address.iter().map(|address| address.as_ref().map(|bytes| &bytes[..])).collect();
    let keys: Vec<&[u8]> = opened.iter().map(|new| new.place.key).collect();
    let chains: Vec<Option<i64>> = opened.iter().map(|new| new.place.chain).collect();
    let notices: Vec<Option<i64>> = opened.iter().map(|new| new.place.first_notice.map(|time| time.0)).collect();
    let number = |of: &dyn Fn(&Place<'_>) -> i64| -> Vec<i64> { opened.iter().map(|new| of(new.place)).collect() };
    // Row by row, though many have the same: the planner would compare all rows with all of what they rest on.
    let said: Vec<Said<'_>> = opened
        .iter()
        .map(|new| Ok(said(arrival.opening(new.place)?, arrival, traits.get(new.place.opening as usize).copied().flatten())))
        .collect::<std::result::Result<_, Error>>()?;
    let of_opening = |of: &dyn Fn(&Said<'_>) -> i64| -> Vec<i64> { said.iter().map(of).collect() };
    let clock = |at: usize| -> Vec<Option<i64>> { said.iter().map(|said| said.clocks.get(at).copied().flatten()).collect() };
    let rows = run(
        open,
        "-- sets::open
         INSERT INTO cases (id, public, key, kind, state, holder, chain, address, opened, first_seen, last_seen, first_notice,
             reports, tail, history, severity, policy, rule, traits, confidence, reporter, marks, acknowledge_due, customer_due,
             fix_due, force_due, told, rung, received, last_received, feed, feed_run, next_due)
         SELECT new.id, public, key, kind, 0, holder, chain, address, $14, first_seen, last_seen, first_notice, reports, tail, history,
             severity, $15, rule, traits, confidence, reporter, marks, acknowledge, customer, fix, force, told, rung, $16, $16, $17,
             $18, next
         FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bigint[],
                     $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $19::bigint[], $20::text[], $21::bigint[],
                     $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[],
                     $29::bigint[], $30::bigint[], $31::bigint[])
             AS new (id, public, key, kind, holder, chain, address, first_seen, last_seen, first_notice, reports, tail, history,
                     severity, rule, traits, confidence, reporter, marks, acknowledge, customer, fix, force, told, next, rung)
         ORDER BY new.id
         ON CONFLICT (key) WHERE state = 0 DO NOTHING RETURNING id",
        &[
            &opened.iter().map(|new| new.case).collect::<Vec<i64>>(),
            &public,
            &keys,
            &number(&|place| place.kind as i64),
            &number(&|place| place.holder.unwrap_or(0)),
            &chains,
            &address,
            &number(&|place| place.first_seen.0),
            &number(&|place| place.last_seen.0),
            &notices,
            &number(&|place| place.reports),
            &number(&|place| place.tail),
            &number(&|place| i64::from(place.history)),
            &arrival.now.0,
            &arrival.terms.policy,
            &arrival.received.0,
            &arrival.feed.0,
            &arrival.feed.1,
            &of_opening(&|said| said.severity),
            &said.iter().map(|said| clean(said.rule)).collect::<Vec<_>>(),
            &of_opening(&|said| said.traits),
            &of_opening(&|said| said.confidence),
            &of_opening(&|said| said.reporter),
            &of_opening(&|said| said.marks),
            &clock(0),
            &clock(1),
            &clock(2),
            &clock(3),
            &clock(4),
            &clock(5),
            &of_opening(&|said| said.rung),
        ],
    )?;
    Ok(rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?)
}

/// Adds to the roll-ups, sorted as their key is: what `apply::daily` does.
pub(crate) fn roll_up(open: &Open, rolled: &[Rolled]) -> Result<()> {
    let number = |of: &dyn Fn(&Rolled) -> i64| -> Vec<i64> { rolled.iter().map(of).collect() };
    run(
        open,
        "-- sets::daily
         INSERT INTO daily (day, holder, kind, reports, cases)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
         ON CONFLICT (day, holder, kind)
         DO UPDATE SET reports = daily.reports + excluded.reports, cases = daily.cases + excluded.cases",
        &[
            &number(&|one| one.0.0),
            &number(&|one| one.0.1),
            &number(&|one| one.0.2.into()),
            &number(&|one| one.1.0),
            &number(&|one| one.1.1),
        ],
    )?;
    Ok(())
}
