//! What the seal writes for many streams at once on PostgreSQL.

use super::{Head, Unsealed};
use crate::apply::sets::run;
use crate::db::{Open, Result};

/// What `sealed::take` does.
pub(super) fn take(open: &Open, rows: &[Unsealed]) -> Result<()> {
    let number = |of: &dyn Fn(&Unsealed) -> i64| -> Vec<i64> { rows.iter().map(of).collect() };
    run(
        open,
        "-- sets::sealed
         DELETE FROM unsealed u USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS done (what, target, ordinal)
         WHERE u.what = done.what AND u.target = done.target AND u.ordinal = done.ordinal",
        &[&number(&|row| row.what), &number(&|row| row.target), &number(&|row| row.ordinal)],
    )?;
    Ok(())
}

/// What `sealed::set_head` does.
pub(super) fn heads(open: &Open, heads: &[Head]) -> Result<()> {
    let number = |of: &dyn Fn(&Head) -> i64| -> Vec<i64> { heads.iter().map(of).collect() };
    let commitments: Vec<&[u8]> = heads.iter().map(|head| &head.commitment[..]).collect();
    run(
        open,
        "-- sets::heads
         INSERT INTO heads (what, target, seq, commitment, ordinal, first, chain)
         SELECT what, target, seq, commitment, ordinal, first, chain
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[])
             AS new (what, target, seq, commitment, ordinal, first, chain)
         ON CONFLICT (what, target)
         DO UPDATE SET seq = excluded.seq, commitment = excluded.commitment, ordinal = excluded.ordinal, chain = excluded.chain",
        &[
            &number(&|head| head.what),
            &number(&|head| head.target),
            &number(&|head| head.seq),
            &commitments,
            &number(&|head| head.ordinal),
            &number(&|head| head.first),
            &number(&|head| head.chain),
        ],
    )?;
    Ok(())
}
