//! What PostgreSQL does for a whole batch at once: cases found, joined and opened, chains written, roll-ups added.
//!
//! Each function does what the statements for one row do that stand where it is called; a test compares the tables that
//! both leave. Rows are locked in the order of their keys, so that workers wait for each other, and not in a circle.

use std::collections::{HashMap, HashSet};

use model::address::Address;
use model::chain::Chain;
use model::step::What;
use model::time::Time;
use postgres::types::ToSql;

use super::Rolled;
use crate::Error;
use crate::cases::{Place, Randomness, Touched};
use crate::db::{Failure, Open, Result, Transaction};

/// Runs a statement whose parameters are arrays, one for each column.
fn run(open: &Open, text: &str, columns: &[&(dyn ToSql + Sync)]) -> Result<Vec<postgres::Row>> {
    open.on(|session| {
        let statement = session.prepare(text)?;
        Ok(session.client()?.query(&statement, columns)?)
    })
}

/// Finds the open cases of places that have none yet, and locks them.
pub(crate) fn mark_known(open: &Open, places: &mut [Place<'_>]) -> Result<()> {
    let unknown: Vec<usize> = (0..places.len()).filter(|at| places[*at].known.is_none()).collect();
    let keys: Vec<&[u8]> = unknown.iter().map(|at| places[*at].key).collect();
    for row in run(
        open,
        "-- sets::known
         SELECT wanted.place, c.id, c.tail FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (key, place)
         JOIN cases c ON c.key = wanted.key AND c.state = 0 ORDER BY wanted.key FOR UPDATE OF c",
        &[&keys],
    )? {
        let place: i64 = row.try_get(0)?;
        let place = unknown.get((place - 1) as usize).and_then(|at| places.get_mut(*at));
        if let Some(place) = place {
            place.known = Some((row.try_get(1)?, row.try_get(2)?));
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

/// Lets reports join their open cases, and opens cases for those that have none: what `touch_cases` does.
pub(crate) fn touch_cases(
    transaction: &Transaction<'_>,
    open: &Open,
    places: &[Place<'_>],
    now: Time,
) -> std::result::Result<Vec<Touched>, Error> {
    let (known, new): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(|at| places[*at].known.is_some());
    let mut touched = vec![Touched { case: 0, new: false, prev: None }; places.len()];
    join(open, &known.iter().map(|at| &places[*at]).collect::<Vec<_>>())?;
    for at in known {
        if let Some((case, tail)) = places[at].known {
            touched[at] = Touched { case, new: false, prev: Some(tail) };
        }
    }
    if new.is_empty() {
        return Ok(touched);
    }
    let first = transaction.numbers("cases", new.len() as i64)?;
    let numbered: Vec<(i64, &Place<'_>)> = (first..).zip(new.iter().map(|at| &places[*at])).collect();
    let mut opened = open_cases(open, &numbered, now)?;
    opened.sort_unstable();
    let mut overtaken = Vec::new();
    transaction.insert_many("steps", "case_id, ordinal, what, at, text", |steps| {
        for ((number, _), at) in numbered.iter().zip(&new) {
            if opened.binary_search(number).is_ok() {
                steps.add((number, 1, What::Opened as u8, now.0, ""))?;
                touched[*at] = Touched { case: *number, new: true, prev: None };
            } else {
                overtaken.push(*at);
            }
        }
        Ok(())
    })?;
    if !overtaken.is_empty() {
        // Another worker opened the same cases since they were looked for.
        let mut again: Vec<Place<'_>> = overtaken.iter().map(|at| places[*at].clone()).collect();
        mark_known(open, &mut again)?;
        if again.iter().any(|place| place.known.is_none()) {
            return Err(Failure::Overtaken.into());
        }
        join(open, &again.iter().collect::<Vec<_>>())?;
        for (at, place) in overtaken.into_iter().zip(again) {
            if let Some((case, tail)) = place.known {
                touched[at] = Touched { case, new: false, prev: Some(tail) };
            }
        }
    }
    Ok(touched)
}

fn join(open: &Open, places: &[&Place<'_>]) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    let number = |of: &dyn Fn(&Place<'_>) -> i64| -> Vec<i64> { places.iter().map(|place| of(place)).collect() };
    let notices: Vec<Option<i64>> = places.iter().map(|place| place.first_notice.map(|time| time.0)).collect();
    run(
        open,
        "-- sets::join
         UPDATE cases c SET reports = c.reports + new.reports, tail = new.tail,
             first_seen = least(c.first_seen, new.first_seen), last_seen = greatest(c.last_seen, new.last_seen),
             first_notice = coalesce(c.first_notice, new.first_notice),
             history = CASE WHEN new.history = 0 THEN 0 ELSE c.history END
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
             AS new (id, reports, tail, first_seen, last_seen, first_notice, history)
         WHERE c.id = new.id",
        &[
            &number(&|place| place.known.map_or(0, |(case, _)| case)),
            &number(&|place| place.reports),
            &number(&|place| place.tail),
            &number(&|place| place.first_seen.0),
            &number(&|place| place.last_seen.0),
            &notices,
            &number(&|place| i64::from(place.history)),
        ],
    )?;
    Ok(())
}

/// Opens cases under numbers; those numbers that became cases. The others are open under another number.
fn open_cases(open: &Open, numbered: &[(i64, &Place<'_>)], now: Time) -> std::result::Result<Vec<i64>, Error> {
    let mut randomness = Randomness::default();
    let mut public = Vec::with_capacity(numbered.len());
    for _ in numbered {
        public.push(randomness.public_id(now)?.0.to_be_bytes());
    }
    let public: Vec<&[u8]> = public.iter().map(|public| &public[..]).collect();
    let address: Vec<Option<[u8; 16]>> =
        numbered.iter().map(|(_, place)| (place.address != Address::NONE).then(|| place.address.bytes())).collect();
    let address: Vec<Option<&[u8]>> = address.iter().map(|address| address.as_ref().map(|bytes| &bytes[..])).collect();
    let keys: Vec<&[u8]> = numbered.iter().map(|(_, place)| place.key).collect();
    let chains: Vec<Option<i64>> = numbered.iter().map(|(_, place)| place.chain).collect();
    let notices: Vec<Option<i64>> = numbered.iter().map(|(_, place)| place.first_notice.map(|time| time.0)).collect();
    let number = |of: &dyn Fn(&Place<'_>) -> i64| -> Vec<i64> { numbered.iter().map(|(_, place)| of(place)).collect() };
    let rows = run(
        open,
        "-- sets::open
         INSERT INTO cases (id, public, key, kind, state, holder, chain, address, opened, first_seen, last_seen, first_notice,
                            reports, tail, history)
         SELECT id, public, key, kind, 0, holder, chain, address, $8, first_seen, last_seen, first_notice, reports, tail, history
         FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], $9::bigint[],
                     $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
             AS new (id, public, key, kind, holder, chain, address, first_seen, last_seen, first_notice, reports, tail, history)
         ON CONFLICT (key) WHERE state = 0 DO NOTHING RETURNING id",
        &[
            &numbered.iter().map(|(number, _)| *number).collect::<Vec<i64>>(),
            &public,
            &keys,
            &number(&|place| place.kind as i64),
            &number(&|place| place.holder.unwrap_or(0)),
            &chains,
            &address,
            &now.0,
            &number(&|place| place.first_seen.0),
            &number(&|place| place.last_seen.0),
            &notices,
            &number(&|place| place.reports),
            &number(&|place| place.tail),
            &number(&|place| i64::from(place.history)),
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
