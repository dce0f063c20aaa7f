//! The policy in force. Rules from a file come with the command that reads them.

use std::sync::{Arc, PoisonError};

use model::calendar::{Calendar, Term};
use model::category::Kind;
use model::policy::{Acknowledge, Addressee, Brake, Care, Mark, Mode, Policy, Repeat, Rule};
use model::severity::Severity;
use model::time::{DAY, HOUR};

use crate::Desk;

/// A policy and the version under which it is kept.
#[derive(Debug)]
pub struct InForce {
    /// The policy.
    pub policy: Policy,
    /// Its version.
    pub version: i64,
}

/// The policy that the program brings.
pub fn shipped() -> Policy {
    let rule = Rule {
        name: "other".to_owned(),
        kinds: Kind::ALL.to_vec(),
        when: Vec::new(),
        severity: Severity::P3,
        acknowledge: Acknowledge::Never,
        customer: Some(Term::BusinessDays(1)),
        fix: Some(Term::Elapsed(7 * DAY)),
        force: None,
        automatic: false,
        addressee: Addressee::Deepest,
        quiet: Some(Term::Elapsed(14 * DAY)),
        absent_runs: Some(3),
        source: "practice".to_owned(),
        mark: Mark::Design,
    };
    let phishing = Rule {
        name: "phishing".to_owned(),
        kinds: vec![Kind::Phishing, Kind::Malware],
        severity: Severity::P1,
        acknowledge: Acknowledge::Within(Term::Elapsed(HOUR)),
        customer: Some(Term::Elapsed(HOUR)),
        fix: Some(Term::Elapsed(12 * HOUR)),
        force: Some(Term::Elapsed(24 * HOUR)),
        quiet: None,
        absent_runs: None,
        ..rule.clone()
    };
    Policy {
        name: "shipped".to_owned(),
        care: [Care { mode: Mode::Observe, gather: 0 }; 5],
        rules: vec![phishing, rule],
        remind: 50,
        warn: 80,
        watch_below: 40,
        unknown: 50,
        trust: Vec::new(),
        repeat: Repeat { confirmed: 3, ignored: 2, within: 90 * DAY },
        brake: Brake { factor: 5, letters: 50, restrictions: 5 },
        dispute: Term::BusinessDays(5),
        history: 90 * DAY,
        protected: Vec::new(),
        authorities: Vec::new(),
        order_words: Vec::new(),
        calendar: Calendar::default(),
    }
}

impl Desk {
    /// The policy in force.
    pub fn policy(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a policy into force.
    pub fn set_policy(&self, policy: Policy) {
        let mut in_force = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
        let version = in_force.version + 1;
        *in_force = Arc::new(InForce { policy, version });
    }
}
