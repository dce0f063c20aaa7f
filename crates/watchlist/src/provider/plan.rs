//! What a provider sends in a period, which follows from its plan and the clock alone: never from what it has to ask (M6).

use matching::message::{GroupPlan, Plan};

use super::directory::{GroupTraffic, Pinned, Traffic};

/// What is to be sent of one group now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// The plan of the group.
    pub plan: GroupPlan,
    /// The period that it is for.
    pub period: u32,
    /// How many batches of them are the initial load.
    pub initial: u32,
    /// How many batches in all.
    pub batches: u32,
    /// The number of the first of them.
    pub first: u64,
}

/// What a provider with this plan sends now, in the order of the groups. Periods that went by without sending are not made up for: what
/// could not be asked then is asked now, within what this period has. Times in milliseconds since 1970 UTC.
#[must_use]
pub fn owed(plan: &Plan, pinned: &Pinned, traffic: &Traffic, now: i64) -> Vec<Owed> {
    let of_group = |plan: &GroupPlan| {
        let sent = sent(traffic, pinned, plan);
        let period = plan.cadence.period(pinned.not_before, now)?;
        if now > pinned.not_after
            || sent.period.is_some_and(|last| last >= period)
            || !pinned.keys.contains_key(&(plan.group as u8))
        {
            return None;
        }
        let whole = u64::from(plan.initial) * u64::from(plan.batch);
        let initial = u32::try_from(whole.saturating_sub(sent.initial) / u64::from(plan.batch)).ok()?;
        let batches = initial.checked_add(plan.each)?;
        (batches > 0).then_some(Owed { plan: *plan, period, initial, batches, first: sent.last + 1 })
    };
    plan.groups().iter().filter_map(of_group).collect()
}

/// When the next batches are to be sent, if the epoch lasts that long.
#[must_use]
pub fn next(plan: &Plan, pinned: &Pinned, traffic: &Traffic, now: i64) -> Option<i64> {
    let of_group = |plan: &GroupPlan| {
        let period = plan.cadence.period(pinned.not_before, now.max(pinned.not_before))?;
        let due = match sent(traffic, pinned, plan).period {
            Some(last) if last >= period => plan.cadence.end(pinned.not_before, last),
            _ => now.max(pinned.not_before),
        };
        (due <= pinned.not_after).then_some(due)
    };
    plan.groups().iter().filter_map(of_group).min()
}

/// What was sent of a group under the manifest in force.
fn sent(traffic: &Traffic, pinned: &Pinned, plan: &GroupPlan) -> GroupTraffic {
    if traffic.manifest != Some(pinned.manifest) {
        return GroupTraffic::default();
    }
    traffic.groups.get(&(plan.group as u8)).copied().unwrap_or_default()
}

/// Notes that batches were made.
pub(crate) fn note(traffic: &mut Traffic, pinned: &Pinned, owed: &[Owed]) {
    if traffic.manifest != Some(pinned.manifest) {
        *traffic = Traffic { manifest: Some(pinned.manifest), ..Traffic::default() };
    }
    for owed in owed {
        let sent = traffic.groups.entry(owed.plan.group as u8).or_default();
        sent.last = owed.first.saturating_add(u64::from(owed.batches)).saturating_sub(1);
        sent.period = Some(owed.period);
        sent.initial += u64::from(owed.initial) * u64::from(owed.plan.batch);
    }
}
