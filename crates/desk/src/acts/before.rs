//! How a case was before an act and how it was after it, as a text that is kept with the act.
//!
//! One line a field that the act changed: its name, its value before, its value after. What has more than one value
//! (a case it became part of, a case that was split off, a strike) stands in lines of its own, without one before. How far
//! the ladder was climbed is not among it: letters that an act withdrew are decided anew.

use model::case::{CaseKey, State};
use model::policy::Closure;
use model::severity::Severity;
use model::time::Time;
use store::cases::Filed;
use store::clocks::Standing;

/// Fields that must be as the act left them, or it cannot be undone. The others are set back only if they are.
const STRICT: &[&str] = &["key", "state", "holder", "chain", "handler", "snoozed", "disputed", "closure"];

/// How a case was.
pub(super) struct Before {
    fields: Vec<(&'static str, String)>,
    extra: Vec<(&'static str, i64)>,
}

impl Before {
    /// How it is now.
    pub(super) fn of(filed: &Filed, standing: &Standing) -> Before {
        Before { fields: fields(filed, standing), extra: Vec::new() }
    }

    /// Adds something that the act did beside changing fields.
    pub(super) fn add(&mut self, name: &'static str, value: i64) {
        self.extra.push((name, value));
    }

    /// What is kept, now that the act has changed the case.
    pub(super) fn text(&self, filed: &Filed, standing: &Standing) -> String {
        let mut text = String::new();
        for ((name, before), (_, after)) in self.fields.iter().zip(fields(filed, standing)) {
            if *before != after {
                text.push_str(&format!("{name}\t{before}\t{after}\n"));
            }
        }
        for (name, value) in &self.extra {
            text.push_str(&format!("{name}\t\t{value}\n"));
        }
        text
    }
}

/// What an act did beside changing fields.
pub(super) fn extra(text: &str) -> impl Iterator<Item = (&str, i64)> {
    text.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let (name, before, after) = (parts.next()?, parts.next()?, parts.next()?);
        let known = matches!(name, "merged" | "split" | "strike");
        (known && before.is_empty()).then(|| Some((name, after.parse().ok()?)))?
    })
}

/// Sets a case back; the reason when it was changed since.
pub(super) fn restore(text: &str, filed: &mut Filed, standing: &mut Standing) -> Result<(), String> {
    let now = fields(filed, standing);
    let mut back: Vec<(&str, &str)> = Vec::new();
    for line in text.lines() {
        let mut parts = line.split('\t');
        let (Some(name), Some(before), Some(after)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let Some((_, value)) = now.iter().find(|(known, _)| *known == name) else { continue };
        if value == after {
            back.push((name, before));
        } else if STRICT.contains(&name) {
            return Err(format!("its {name} was changed since"));
        }
    }
    for (name, value) in back {
        set(name, value, filed, standing).ok_or_else(|| format!("how its {name} was is not readable"))?;
    }
    Ok(())
}

fn fields(filed: &Filed, standing: &Standing) -> Vec<(&'static str, String)> {
    let time = |time: Option<Time>| time.map_or_else(String::new, |time| time.0.to_string());
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let (case, progress) = (&filed.case, &standing.progress);
    vec![
        ("key", case.key.0.iter().map(|byte| format!("{byte:02x}")).collect()),
        ("state", (case.state as u8).to_string()),
        ("holder", number(case.holder)),
        ("chain", number(filed.chain)),
        ("handler", standing.handler.replace(['\t', '\n'], " ")),
        ("snoozed", time(standing.snoozed)),
        ("disputed", time(standing.disputed)),
        ("closed", time(standing.closed)),
        ("closure", number(standing.closure.map(|closure| closure as i64))),
        ("severity", (progress.severity as u8).to_string()),
        ("acknowledge", time(progress.clocks.acknowledge)),
        ("customer", time(progress.clocks.customer)),
        ("fix", time(progress.clocks.fix)),
        ("force", time(progress.clocks.force)),
        ("ordered", time(standing.ordered)),
        ("received", standing.received.0.to_string()),
        ("marks", standing.marks.to_string()),
        ("first seen", case.first_seen.0.to_string()),
        ("last seen", case.last_seen.0.to_string()),
        ("first notice", time(case.first_valid_notice)),
        ("history", u8::from(case.history).to_string()),
    ]
}

fn set(name: &str, value: &str, filed: &mut Filed, standing: &mut Standing) -> Option<()> {
    let number = || match value {
        "" => Some(None),
        value => value.parse::<i64>().ok().map(Some),
    };
    let time = || Some(number()?.map(Time));
    let (case, progress) = (&mut filed.case, &mut standing.progress);
    match name {
        "key" => {
            let byte = |at: usize| value.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            case.key = CaseKey((0..value.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?);
        }
        "state" => case.state = pick(&State::ALL, number()??)?,
        "holder" => case.holder = number()?,
        "chain" => filed.chain = number()?,
        "handler" => standing.handler = value.to_owned(),
        "snoozed" => standing.snoozed = time()?,
        "disputed" => standing.disputed = time()?,
        "closed" => standing.closed = time()?,
        "closure" => {
            standing.closure = match number()? {
                None => None,
                Some(number) => Some(pick(Closure::ALL, number)?),
            }
        }
        "severity" => progress.severity = pick(&Severity::ALL, number()??)?,
        "acknowledge" => progress.clocks.acknowledge = time()?,
        "customer" => progress.clocks.customer = time()?,
        "fix" => progress.clocks.fix = time()?,
        "force" => progress.clocks.force = time()?,
        "ordered" => standing.ordered = time()?,
        "received" => standing.received = time()??,
        "marks" => standing.marks = number()??,
        "first seen" => case.first_seen = time()??,
        "last seen" => case.last_seen = time()??,
        "first notice" => case.first_valid_notice = time()?,
        "history" => case.history = number()?? != 0,
        _ => return None,
    }
    Some(())
}

fn pick<T: Copy>(all: &[T], number: i64) -> Option<T> {
    all.get(usize::try_from(number).ok()?).copied()
}
