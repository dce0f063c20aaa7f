//! How many batches, of which size, how often: fixed when a provider is enrolled, and the same whatever it has to ask (M6).

use crate::{
    bytes::{Malformed, Reader, Writer},
    message::eval::{SIZES, read_group},
    token::Group,
};

/// The most batches that one group may have in one epoch: four thousand million elements at the largest size.
pub const MOST_BATCHES: u32 = 1 << 20;

/// How long a period is. Fixed lengths, so that two machines never differ about where one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cadence {
    /// 24 hours.
    Day = 1,
    /// 7 days.
    Week = 2,
    /// 30 days.
    Month = 3,
}

impl Cadence {
    /// All, in order.
    pub const ALL: [Cadence; 3] = [Cadence::Day, Cadence::Week, Cadence::Month];

    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Cadence> {
        Cadence::ALL.into_iter().find(|cadence| *cadence as u8 == number)
    }

    /// What it is called in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cadence::Day => "day",
            Cadence::Week => "week",
            Cadence::Month => "month",
        }
    }

    /// How long it is, in milliseconds.
    #[must_use]
    pub fn millis(self) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        match self {
            Cadence::Day => DAY,
            Cadence::Week => 7 * DAY,
            Cadence::Month => 30 * DAY,
        }
    }

    /// Which period of an epoch that began at `start` a moment is in, from 0; `None` before it. Times in milliseconds.
    #[must_use]
    pub fn period(self, start: i64, at: i64) -> Option<u32> {
        let passed = at.checked_sub(start).filter(|passed| *passed >= 0)?;
        u32::try_from(passed / self.millis()).ok()
    }

    /// How many periods an epoch has, the last one perhaps shorter. Times in milliseconds.
    #[must_use]
    pub fn periods(self, start: i64, end: i64) -> u32 {
        let length = end.saturating_sub(start).max(0);
        u32::try_from(length / self.millis() + i64::from(length % self.millis() != 0)).unwrap_or(u32::MAX)
    }

    /// When a period ends, in milliseconds.
    #[must_use]
    pub fn end(self, start: i64, period: u32) -> i64 {
        start.saturating_add(self.millis().saturating_mul(i64::from(period).saturating_add(1)))
    }
}

/// The batches of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupPlan {
    /// Which.
    pub group: Group,
    /// How many elements each batch has: one of [`SIZES`].
    pub batch: u16,
    /// How long a period is.
    pub cadence: Cadence,
    /// Batches in the first period of an epoch, beside `each`.
    pub initial: u32,
    /// Batches in each period.
    pub each: u32,
}

impl GroupPlan {
    /// How many batches a whole epoch of this many periods has.
    #[must_use]
    pub fn batches(&self, periods: u32) -> u64 {
        u64::from(self.initial) + u64::from(self.each) * u64::from(periods)
    }

    /// How many elements a whole epoch has, dummies included. That is also how often the provider could guess (M6).
    #[must_use]
    pub fn quota(&self, start: i64, end: i64) -> u64 {
        self.batches(self.cadence.periods(start, end)) * u64::from(self.batch)
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.u8(self.group as u8).u16(self.batch).u8(self.cadence as u8).u32(self.initial).u32(self.each);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<GroupPlan, Malformed> {
        let group = read_group(r)?;
        let here = r.clone();
        let batch = r.u16()?;
        if !SIZES.contains(&batch) {
            return Err(here.wrong("a batch of 64, 256, 1,024 or 4,096"));
        }
        let here = r.clone();
        let cadence = Cadence::of(r.u8()?).ok_or_else(|| here.wrong("a day, a week or a month"))?;
        let here = r.clone();
        let (initial, each) = (r.u32()?, r.u32()?);
        if initial > MOST_BATCHES || each > MOST_BATCHES {
            return Err(here.wrong("fewer batches"));
        }
        Ok(GroupPlan { group, batch, cadence, initial, each })
    }
}

/// The batches of all groups, in their order, each group at most once. A group that is not there is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan(Vec<GroupPlan>);

impl Plan {
    /// Of these groups; nothing when a group stands in it twice, or has a size or number that may not be.
    #[must_use]
    pub fn of(mut groups: Vec<GroupPlan>) -> Option<Plan> {
        groups.sort_unstable_by_key(|plan| plan.group);
        let good = groups.is_sorted_by(|a, b| a.group < b.group)
            && groups.iter().all(|plan| SIZES.contains(&plan.batch) && plan.initial <= MOST_BATCHES && plan.each <= MOST_BATCHES);
        good.then_some(Plan(groups))
    }

    /// What a provider with this many customers needs, by M6: 1.2 times the tokens of its customers once an epoch, and room for one in
    /// twenty customers to change in a week. Registries and networks are few enough to be tried one after another, so below 5,000 customers
    /// they have 64 a week after the initial load, and above it one in a hundred.
    ///
    /// `edits_both` says that one-letter edits are made by both sides (the manifest says so), which takes twenty tokens more a name.
    #[must_use]
    pub fn usual(customers: u32, edits_both: bool) -> Plan {
        // Tokens of a hundred customers: what a customer file of a hoster has (register and VAT number; mail, domain, phone; sorted and joined
        // name, sometimes two names; a word less; city and postal code; one in ten with networks or handles of its own).
        let tokens = |group| match group {
            Group::Registries => 200u64,
            Group::Contacts => 300,
            Group::Names => 250,
            Group::Variants => 200 + if edits_both { 2_000 } else { 0 },
            Group::Composites => 200,
            Group::Networks => 20,
        };
        let groups = Group::ALL.into_iter().map(|group| {
            let need = (u64::from(customers) * tokens(group) * 12).div_ceil(1_000).max(1);
            let scarce = matches!(group, Group::Registries | Group::Networks);
            let small = customers < 5_000;
            // The largest size that leaves at least sixteen batches: padding then adds little, and one batch a week is few guesses.
            let batch = match SIZES.into_iter().rev().find(|size| need >= 16 * u64::from(*size)) {
                Some(size) if !(scarce && small) => size,
                _ => 64,
            };
            let batches = |need: u64| u32::try_from(need.div_ceil(u64::from(batch))).unwrap_or(MOST_BATCHES).min(MOST_BATCHES);
            let each = match (scarce, small) {
                (true, true) => 1,
                (true, false) => batches(need / 100).max(1),
                (false, _) => batches(need / 20).max(1),
            };
            GroupPlan { group, batch, cadence: Cadence::Week, initial: batches(need), each }
        });
        Plan(groups.collect())
    }

    /// In their order.
    #[must_use]
    pub fn groups(&self) -> &[GroupPlan] {
        &self.0
    }

    /// That of one group.
    #[must_use]
    pub fn group(&self, group: Group) -> Option<&GroupPlan> {
        self.0.iter().find(|plan| plan.group == group)
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.list(&self.0, |w, plan| plan.write(w));
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Plan, Malformed> {
        let here = r.clone();
        let groups = r.list(Group::ALL.len(), GroupPlan::read)?;
        if !groups.is_sorted_by(|a, b| a.group < b.group) {
            return Err(here.wrong("each group once, in their order"));
        }
        Ok(Plan(groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn periods_are_counted_from_the_start_of_the_epoch() {
        let start = 1_000_000;
        for (cadence, days, periods) in [(Cadence::Day, 1, 90), (Cadence::Week, 7, 13), (Cadence::Month, 30, 3)] {
            assert_eq!(cadence.periods(start, start + 90 * DAY), periods);
            assert_eq!(cadence.period(start, start - 1), None);
            assert_eq!(cadence.period(start, start), Some(0));
            assert_eq!(cadence.period(start, start + days * DAY - 1), Some(0));
            assert_eq!(cadence.period(start, start + days * DAY), Some(1));
            assert_eq!(cadence.end(start, 0), start + days * DAY);
            assert_eq!(cadence.period(i64::MIN, i64::MAX), None);
            assert_eq!(cadence.periods(5, 4), 0);
        }
    }

    #[test]
    fn the_usual_plan_gives_a_small_hoster_few_guesses() {
        let quota = |customers, group| {
            let plan = Plan::usual(customers, false);
            let of_group = *plan.group(group).expect("all groups are planned");
            of_group.quota(0, 90 * DAY)
        };
        // (customers, group, the most guesses of an epoch of 90 days)
        for (customers, group, most) in [
            (500, Group::Registries, 2_100),
            (500, Group::Networks, 1_000),
            (500, Group::Names, 3_300),
            (4_999, Group::Registries, 13_000),
            (65_536, Group::Registries, 220_000),
            (1_048_576, Group::Names, 5_300_000),
        ] {
            let quota = quota(customers, group);
            assert!(quota <= most, "{customers} customers, {}: {quota}", group.name());
        }
        for customers in [0, 1, 500, 4_999, 5_000, 65_536, 1_048_576, u32::MAX] {
            for plan in Plan::usual(customers, true).groups() {
                assert!(SIZES.contains(&plan.batch) && plan.initial >= 1 && plan.each >= 1);
                if customers < 5_000 && matches!(plan.group, Group::Registries | Group::Networks) {
                    assert_eq!((plan.batch, plan.each, plan.cadence), (64, 1, Cadence::Week), "M6: at most 64 a week");
                }
            }
        }
    }

    #[test]
    fn a_plan_has_each_group_once() {
        let one = GroupPlan { group: Group::Names, batch: 64, cadence: Cadence::Day, initial: 1, each: 2 };
        assert!(Plan::of(vec![one, one]).is_none());
        assert!(Plan::of(vec![GroupPlan { batch: 65, ..one }]).is_none());
        let other = GroupPlan { group: Group::Registries, ..one };
        let plan = Plan::of(vec![one, other]).expect("two groups");
        let mut w = Writer::new();
        plan.write(&mut w);
        let bytes = w.done();
        assert_eq!(Plan::read(&mut Reader::new(&bytes)), Ok(plan));
        let mut w = Writer::new();
        w.list(&[one, other], |w, plan| plan.write(w));
        assert!(Plan::read(&mut Reader::new(&w.done())).is_err(), "out of order");
    }
}
