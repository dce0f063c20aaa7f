//! Check 6: the log signed its checkpoints, with a key that the policy names and that was valid then. When a signature was made, the
//! log does not get to say: time-stamps do, or the witnesses.

use seal::policy::{Judged, KeyEvent, Log, Policy, What};

use super::Matter;
use crate::clock::{Counted, TOLERANCE};
use crate::moment::told;
use crate::said::quote;
use crate::verdict::Check;

/// The number of public entries that tell of keys.
const KEY_EVENT: u8 = 2;
/// Most of them that are read.
const MOST_EVENTS: usize = 1_000;

pub(crate) fn check(matter: &Matter<'_>) -> Check {
    let mut check = Check::new(6);
    let (Some(policy), Some(counted)) = (matter.policy, matter.counted) else {
        check.lacks(
            "no version of the policy holds at the time of this bundle",
            "geen versie van het beleid geldt op het moment van deze bundel",
        );
        return check;
    };
    let Some(Ok(main)) = &matter.subject.main else {
        check.lacks("there is no checkpoint", "er is geen ijkpunt");
        return check;
    };
    let Some(events) = key_events(matter, policy) else {
        check.lacks("there are more key events than are read", "er zijn meer sleutelgebeurtenissen dan gelezen worden");
        return check;
    };
    let anchors = matter.subject.anchors.iter().flatten().map(|parsed| (parsed, false));
    for (parsed, is_main) in std::iter::once((main, true)).chain(anchors) {
        let size = parsed.checkpoint.size;
        match policy.judge(&parsed.note) {
            Ok(judged) => is_signed(matter, (policy, counted), &judged, is_main, &events, &mut check),
            Err(wrong) => check.wrong(
                format!("the checkpoint of {size} entries: {wrong}"),
                format!("het ijkpunt van {size} regels is niet geldig ondertekend ({wrong})"),
            ),
        }
    }
    let origin = quote(&main.checkpoint.origin);
    check.unless_worse(
        format!("by {origin}, with a key of your policy that was valid then"),
        format!("door {origin}, met een sleutel uit uw beleid die toen geldig was"),
    )
}

fn is_signed(
    matter: &Matter<'_>,
    (policy, counted): (&Policy, &Counted<'_>),
    judged: &Judged<'_>,
    is_main: bool,
    events: &[(u64, KeyEvent)],
    check: &mut Check,
) {
    let size = judged.checkpoint.size;
    let stamped = size.checked_sub(1).and_then(|last| counted.upper(last));
    let Some(moment) = stamped.or_else(|| witnessed(matter, policy, judged, stamped)) else {
        // The records are under checkpoints that were stamped; this one only joins the proofs.
        if is_main && matter.subject.last_index().and_then(|last| counted.upper(last)).is_some() {
            check.say(
                format!(
                    "nobody says when the checkpoint of {size} entries was signed; the stamped ones before it carry the proof"
                ),
                format!(
                    "niemand zegt wanneer het ijkpunt van {size} regels getekend is; de gestempelde daarvoor dragen het bewijs"
                ),
            );
        } else {
            check.lacks(
                format!("nobody says when the checkpoint of {size} entries was signed"),
                format!("niemand zegt wanneer het ijkpunt van {size} regels getekend is"),
            );
        }
        return;
    };
    let (mut void, mut lacking) = (Vec::new(), Vec::new());
    let mut holds = false;
    for log in &judged.logs {
        match stands(policy, log, size, moment, events) {
            Ok(disputed) => {
                holds = true;
                for entry in disputed {
                    check.say(
                        format!("disputed since entry {entry}: the key was revoked there, after others had fixed the checkpoint of {size} entries"),
                        format!("betwist sinds regel {entry}: daar werd de sleutel ingetrokken, nadat anderen het ijkpunt van {size} regels hadden vastgelegd"),
                    );
                }
            }
            Err(Not::Void(reason)) => void.push(reason),
            Err(Not::Alone) => lacking.push(&log.operator),
        }
    }
    if holds {
        return;
    }
    let when = told(moment);
    if lacking.is_empty() {
        let why = void.join(", ");
        check.wrong(
            format!("the checkpoint of {size} entries, of {}: {why}", when.en),
            format!("het ijkpunt van {size} regels, van {}: de handtekening telt niet ({why})", when.nl),
        );
    } else {
        check.lacks(
            format!("the checkpoint of {size} entries: the policy asks for a signature by ML-DSA-44 too, which this program does not verify"),
            format!("het ijkpunt van {size} regels: het beleid vraagt ook een handtekening met ML-DSA-44, die dit programma niet controleert"),
        );
    }
}

/// Why a signature does not count.
enum Not {
    /// It is void, for this reason.
    Void(String),
    /// Another must stand beside it.
    Alone,
}

/// When the quorum was complete; not when that is said to be in the future.
fn witnessed(matter: &Matter<'_>, policy: &Policy, judged: &Judged<'_>, stamped: Option<i64>) -> Option<i64> {
    let latest = matter.at.map_or(i64::MAX, |at| at.saturating_add(TOLERANCE));
    let cosigned: Vec<_> = policy.counting(judged, stamped).into_iter().filter(|one| one.at <= latest).collect();
    policy.complete_at(&cosigned)
}

/// Whether this key's signature counts; with the places of the entries that dispute it.
fn stands(policy: &Policy, log: &Log, size: u64, moment: i64, events: &[(u64, KeyEvent)]) -> Result<Vec<u64>, Not> {
    if !log.valid.has(moment) {
        return Err(Not::Void("the key was not valid then".to_owned()));
    }
    if policy.asks_for_more(&log.operator, moment) {
        return Err(Not::Alone);
    }
    let mut disputed = Vec::new();
    for (place, event) in events.iter().filter(|(_, event)| event.key == log.key && event.size < size) {
        match event.what {
            What::Added => {}
            What::Retired | What::Revoked if *place < size => {
                return Err(Not::Void(format!("entry {place} says that the key was {} before", event.what.word())));
            }
            What::Revoked => disputed.push(*place),
            What::Retired => {}
        }
    }
    Ok(disputed)
}

/// What happened to keys of this log, as entries say that are proven, or that the copy of the log has. `None` when these are too
/// many to be signed by somebody who keeps his key offline.
fn key_events(matter: &Matter<'_>, policy: &Policy) -> Option<Vec<(u64, KeyEvent)>> {
    let walked = matter.log.into_iter().flat_map(|log| log.public.iter().map(|(place, body)| (*place, body.as_slice())));
    let bodies = matter.subject.public_entries().chain(walked).filter(|(_, body)| body.first() == Some(&KEY_EVENT));
    let bodies: Vec<(u64, &[u8])> = bodies.take(MOST_EVENTS + 1).collect();
    if bodies.len() > MOST_EVENTS {
        return None;
    }
    let events = bodies.into_iter().filter_map(|(place, body)| Some((place, KeyEvent::of_body(body, policy)?)));
    let mut events: Vec<_> = events.filter(|(_, event)| event.origin == matter.subject.bundle.origin).collect();
    events.sort_by_key(|(place, _)| *place);
    events.dedup();
    Some(events)
}
