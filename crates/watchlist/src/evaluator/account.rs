//! What an evaluator keeps: who is enrolled, which epochs it has keys of, and how much was asked. Nothing else, and nothing of what was asked.

use matching::message::{GroupPlan, Plan};
use matching::token::Group;
use serde::{Deserialize, Serialize};

use crate::enrolment::Batches;
use crate::hex::Hex;

/// The whole state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Who may enrol.
    pub officers: Vec<Hex<32>>,
    /// Epochs, oldest first.
    pub epochs: Vec<Epoch>,
    /// Providers, ordered by their keys.
    pub providers: Vec<Known>,
    /// How much each asked.
    pub accounts: Vec<Account>,
}

/// An epoch whose keys lie in `epochs/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// The publication.
    pub list: Hex<16>,
    /// Its number.
    pub epoch: u32,
    /// The hash of its manifest.
    pub manifest: Hex<32>,
    /// From when it is open, in milliseconds since 1970 UTC.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// The numbers of the groups that the manifest has keys for.
    pub groups: Vec<u8>,
    /// By number of the group, the most guesses of any provider, as the manifest tells everybody (M6). What is not there is not bounded by it.
    #[serde(default)]
    pub guesses: Vec<(u8, u64)>,
}

impl Epoch {
    /// How many elements a plan allows in this epoch: never more than the manifest says that any provider has, whatever an officer enrolled.
    #[must_use]
    pub fn quota(&self, plan: &GroupPlan) -> u64 {
        let most = self.guesses.iter().find(|(group, _)| *group == plan.group as u8).map_or(u64::MAX, |(_, most)| *most);
        plan.quota(self.not_before, self.not_after).min(most)
    }
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its key.
    pub key: Hex<32>,
    /// What it calls itself.
    pub name: String,
    /// How many customers it says it has, rounded up to a power of two.
    pub customers: u32,
    /// How much it may ask.
    pub plan: Vec<Batches>,
    /// When it was enrolled, in milliseconds since 1970 UTC.
    pub issued: i64,
    /// Until when.
    pub until: i64,
    /// When it left.
    pub left: Option<i64>,
}

/// What one provider asked of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its key.
    pub provider: Hex<32>,
    /// The publication.
    pub list: Hex<16>,
    /// Its batches, in the order in which they came.
    pub batches: Vec<Charged>,
}

/// One batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charged {
    /// Number of its group.
    pub group: u8,
    /// Its number.
    pub seq: u64,
    /// The hash of its body.
    pub hash: Hex<32>,
    /// How many elements it had.
    pub count: u16,
    /// How many elements of the group were left after it.
    pub left: u64,
    /// When it came, in milliseconds since 1970 UTC.
    pub time: i64,
}

impl Known {
    /// Whether it may ask now.
    #[must_use]
    pub fn is_enrolled(&self, now: i64) -> bool {
        self.left.is_none() && self.until >= now
    }

    /// How much it may ask of a group.
    pub(crate) fn of_group(&self, group: Group) -> Option<GroupPlan> {
        Batches::plan(&self.plan)?.group(group).copied()
    }

    /// Its plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Batches::plan(&self.plan).unwrap_or_default()
    }
}

impl Account {
    /// Elements of a group that were charged.
    #[must_use]
    pub fn charged(&self, group: Group) -> u64 {
        self.batches.iter().filter(|batch| batch.group == group as u8).map(|batch| u64::from(batch.count)).sum()
    }
}

/// What a contract needs to know of one provider, epoch and group: volume, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// What the provider calls itself.
    pub provider: String,
    /// The fingerprint of its key.
    pub fingerprint: String,
    /// The epoch.
    pub epoch: u32,
    /// The group.
    pub group: &'static str,
    /// Batches that were evaluated.
    pub batches: usize,
    /// Elements in them, dummies included.
    pub elements: u64,
    /// How many its plan allows in the epoch. So many guesses it has at most.
    pub quota: u64,
    /// How many are left.
    pub left: u64,
}

impl State {
    /// How much each provider asked, per epoch and group.
    #[must_use]
    pub fn audit(&self) -> Vec<Volume> {
        let mut all = Vec::new();
        for known in &self.providers {
            for epoch in &self.epochs {
                let account = self.accounts.iter().find(|account| account.provider == known.key && account.list == epoch.list);
                for plan in known.plan().groups() {
                    let elements = account.map_or(0, |account| account.charged(plan.group));
                    let batches = account
                        .map_or(0, |account| account.batches.iter().filter(|batch| batch.group == plan.group as u8).count());
                    let quota = epoch.quota(plan);
                    all.push(Volume {
                        provider: known.name.clone(),
                        fingerprint: matching::envelope::fingerprint(&known.key.0),
                        epoch: epoch.epoch,
                        group: plan.group.name(),
                        batches,
                        elements,
                        quota,
                        left: quota.saturating_sub(elements),
                    });
                }
            }
        }
        all
    }
}
