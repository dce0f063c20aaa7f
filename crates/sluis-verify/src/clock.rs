//! The time-stamps of a bundle, and the bounds in time that follow from them for a place in the log.
//!
//! Each token is verified once. Which of them count is for the policy; so the bounds are asked under one.

use sha2::{Digest, Sha256};

use seal::policy::Policy;
use seal::tsp::{self, Anchors, Stamp};

use crate::subject::Subject;

/// How far a clock may be off without a word, in milliseconds: that of the sender, and that of whoever verifies.
pub(crate) const TOLERANCE: i64 = 120_000;

/// All time-stamps of a bundle.
pub(crate) struct Clock {
    /// Those that hold.
    pub(crate) stamped: Vec<Stamped>,
    /// Those that do not: the size of the checkpoint, which of its time-stamps (from 1), and why.
    pub(crate) refused: Vec<(u64, usize, tsp::Wrong)>,
    /// Anchor entries that say something else than the time-stamp that they name: their places.
    pub(crate) misstated: Vec<u64>,
}

/// A time-stamp that holds.
pub(crate) struct Stamped {
    /// The size of the tree that it is over.
    pub(crate) size: u64,
    /// Who said what.
    pub(crate) stamp: Stamp,
    /// The place in the log of the anchor entry that names it.
    pub(crate) entry: Option<u64>,
}

impl Stamped {
    fn accuracy(&self) -> i64 {
        self.stamp.accuracy_ms.unwrap_or(0)
    }

    /// What it stamped was there at this moment, at the latest.
    pub(crate) fn at_the_latest(&self) -> i64 {
        self.stamp.gen_time_ms.saturating_add(self.accuracy())
    }

    /// It was not made before this moment.
    pub(crate) fn not_before(&self) -> i64 {
        self.stamp.gen_time_ms.saturating_sub(self.accuracy())
    }
}

impl Clock {
    /// Verifies the time-stamps of a bundle.
    pub(crate) fn new(subject: &Subject<'_>, tsas: &Anchors) -> Clock {
        let entries: Vec<(u64, AnchorEntry)> =
            subject.public_entries().filter_map(|(index, body)| Some((index, AnchorEntry::of(body)?))).collect();
        let mut clock = Clock { stamped: Vec::new(), refused: Vec::new(), misstated: Vec::new() };
        for (anchor, parsed) in subject.bundle.anchors.iter().zip(&subject.anchors) {
            let Ok(parsed) = parsed else { continue };
            let imprint: [u8; 32] = Sha256::digest(parsed.note.text.as_bytes()).into();
            for (place, token) in anchor.tokens.iter().enumerate() {
                let stamp = match tsp::verify(token, &imprint, None, tsas, None) {
                    Ok(stamp) => stamp,
                    Err(wrong) => {
                        clock.refused.push((anchor.size, place + 1, wrong));
                        continue;
                    }
                };
                let response: [u8; 32] = Sha256::digest(token).into();
                let named = entries.iter().find(|(_, entry)| entry.response == response);
                if let Some((index, entry)) = named
                    && (entry.size, entry.time) != (anchor.size, stamp.gen_time_ms)
                {
                    clock.misstated.push(*index);
                }
                clock.stamped.push(Stamped { size: anchor.size, stamp, entry: named.map(|(index, _)| *index) });
            }
        }
        clock
    }

    /// What counts under a policy, on the date of verifying.
    pub(crate) fn under<'a>(&'a self, policy: &'a Policy, origin: &str, at: Option<i64>) -> Counted<'a> {
        let mut counted = Counted { required: policy.tsas_required, stamps: Vec::new(), skipped: Vec::new() };
        // The largest checkpoint first: what renews a time-stamp stands above it.
        let mut stamped: Vec<&Stamped> = self.stamped.iter().collect();
        stamped.sort_by_key(|stamped| std::cmp::Reverse(stamped.size));
        for stamped in stamped {
            match holder(stamped, policy, origin) {
                Err(why) => counted.skipped.push((stamped, why)),
                Ok(_) if at.is_some_and(|at| stamped.not_before() > at.saturating_add(TOLERANCE)) => {
                    counted.skipped.push((stamped, Skipped::Future));
                }
                Ok(_) if at.is_some_and(|at| stamped.stamp.valid_until_ms < at) && !counted.renews(stamped) => {
                    counted.skipped.push((stamped, Skipped::Ended));
                }
                Ok(holder) => counted.stamps.push((stamped, holder)),
            }
        }
        counted
    }
}

/// Who stands behind a time-stamp, if he counts.
fn holder<'a>(stamped: &'a Stamped, policy: &'a Policy, origin: &str) -> Result<&'a str, Skipped> {
    let name = stamped.stamp.anchor.as_str();
    let holder = match policy.tsas.iter().find(|tsa| tsa.name == name) {
        Some(tsa) => tsa.holder.as_str(),
        None if policy.tsas.is_empty() => name,
        None => return Err(Skipped::Unnamed),
    };
    if policy.logs_of(origin).any(|log| log.operator == holder) { Err(Skipped::Own) } else { Ok(holder) }
}

/// Why a time-stamp that holds does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// The policy names other authorities.
    Unnamed,
    /// It is of the log's own operator.
    Own,
    /// It is from after the date of verifying.
    Future,
    /// Its certificates ended before the date of verifying, and nothing renewed it.
    Ended,
}

/// The time-stamps that count.
pub(crate) struct Counted<'a> {
    /// How many persons must have stamped.
    pub(crate) required: usize,
    /// Each with the person behind it, the largest checkpoint first.
    pub(crate) stamps: Vec<(&'a Stamped, &'a str)>,
    /// Those that do not count.
    pub(crate) skipped: Vec<(&'a Stamped, Skipped)>,
}

impl Counted<'_> {
    /// When the entry at this place was in the log, at the latest: as the last of the required persons says.
    pub(crate) fn upper(&self, index: u64) -> Option<i64> {
        let mut first: Vec<(&str, i64)> = Vec::new();
        for (stamped, holder) in self.stamps.iter().filter(|(stamped, _)| stamped.size > index) {
            let moment = stamped.at_the_latest();
            match first.iter_mut().find(|(known, _)| known == holder) {
                Some((_, earliest)) => *earliest = moment.min(*earliest),
                None => first.push((holder, moment)),
            }
        }
        first.sort_by_key(|(_, moment)| *moment);
        first.get(self.required.checked_sub(1)?).map(|(_, moment)| *moment)
    }

    /// Before which moment the entry at this place was not in the log: an anchor entry before it names a time-stamp.
    pub(crate) fn lower(&self, index: u64) -> Option<i64> {
        let before = self.stamps.iter().filter(|(stamped, _)| stamped.entry.is_some_and(|entry| entry < index));
        before.map(|(stamped, _)| stamped.not_before()).max()
    }

    /// Whether a time-stamp that counts fixed the anchor entry of this one before its certificates ended.
    fn renews(&self, old: &Stamped) -> bool {
        let fixes =
            |new: &Stamped| old.entry.is_some_and(|entry| entry < new.size) && new.at_the_latest() <= old.stamp.valid_until_ms;
        self.stamps.iter().any(|(new, _)| fixes(new))
    }
}

/// What a public entry of kind 1 says.
struct AnchorEntry {
    response: [u8; 32],
    time: i64,
    size: u64,
}

impl AnchorEntry {
    fn of(body: &[u8]) -> Option<AnchorEntry> {
        let (kind, rest) = body.split_first()?;
        let (response, rest) = rest.split_first_chunk::<32>()?;
        let (time, size) = rest.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(size.try_into().ok()?);
        (*kind == 1).then_some(AnchorEntry { response: *response, time: i64::from_be_bytes(*time), size })
    }
}
