//! What comes next for a case if nothing happens in between: for people who ask, without changing anything.

use model::chain::PartyId;
use model::policy::{Decided, Facts, Policy, decide};
use model::time::Time;
use store::cases::{Filed, marks};
use store::clocks::{Around, Standing};

/// What is known of a case from its own row. Whether a restriction would hold (who holds it now, who else is there) and
/// whether sources are stale is taken at its best: that is looked up when it matters.
pub fn facts_of(
    filed: &Filed,
    standing: &Standing,
    rule: usize,
    direct: Option<PartyId>,
    deepest: Option<PartyId>,
    around: &Around,
) -> Facts {
    Facts {
        rule,
        progress: standing.decided(),
        received: standing.received,
        last_received: standing.last_received,
        history: filed.case.history,
        deepest,
        direct,
        confidence: standing.confidence,
        authenticated: standing.has(marks::AUTHENTICATED),
        signed: standing.has(marks::SIGNED),
        corroborated: standing.has(marks::CORROBORATED),
        spoofable: standing.has(marks::SPOOFABLE),
        stale: false,
        holder_changed: standing.has(marks::HOLDER_CHANGED),
        holds_now: true,
        shared: false,
        protected: false,
        disputed: standing.disputed,
        snoozed: standing.snoozed,
        ordered: standing.ordered,
        absent: None,
        exploited: around.exploited_of(&standing.traits),
        next_run: None,
    }
}

/// What would be decided from `now` on, moment after moment, until the case closes or nothing more comes; at most `most`
/// moments at which something happens.
pub fn outlook(mut facts: Facts, policy: &Policy, now: Time, most: usize) -> Vec<(Time, Decided)> {
    let (mut now, mut ahead) = (now, Vec::new());
    // Each look climbs a rung or closes the case, so few are needed; the bound is for what nobody thought of.
    for _ in 0..64 {
        let decided = decide(&facts, policy, now);
        facts.progress = Some(decided.progress);
        let (next, is_over) = (decided.next, decided.closed.is_some());
        if !decided.steps.is_empty() || is_over {
            ahead.push((now, decided));
        }
        match next.filter(|next| *next > now) {
            Some(next) if !is_over && ahead.len() < most => now = next,
            _ => break,
        }
    }
    ahead
}
