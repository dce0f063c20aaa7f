//! What people ask the desk to do, in one form for both ways: in this process, or in the one that owns the data.
//!
//! To add a verb: a variant of [`Act`], an arm of [`perform`], and a command that calls [`ask`].

pub(crate) mod cases;

use anyhow::{Context, Result, bail};
use desk::{Desk, Reading};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Globals;
use crate::serve::socket::{self, Request, Response};

/// Bytes of a name in the journal.
const NAME: usize = 100;

/// Something that a person wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// Does something to one or many cases.
    Cases(Box<cases::OnCases>),
    /// Gives some of a case's reports a case of their own.
    Split(Box<cases::Splitting>),
    /// Says that an alert is cared for.
    AcknowledgeAlert {
        /// Public identifier of the alert.
        alert: String,
        /// Who.
        by: String,
    },
    /// Says whether a submission is the order of an authority.
    Order {
        /// Public identifier of the submission.
        submission: String,
        /// Whether it is.
        is_order: bool,
        /// The term that it sets, as people write it.
        term: Option<String>,
        /// Who says so.
        by: String,
        /// Why.
        reason: String,
    },
    /// Makes reports of what a person picks in a submission that no format understood.
    Take(Box<crate::cli::taking::Taking>),
    /// Takes a submission that no format understood out of the queue.
    Dismiss {
        /// Public identifier of the submission.
        submission: String,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Does something about the outbox.
    Outbox(Box<crate::cli::outbox::Asked>),
    /// Looks at the cases whose moment has come.
    Advance,
    /// Decides about cases whose holder turned out to be another.
    Correct(Box<cases::Correcting>),
    /// Undoes an act.
    Undo {
        /// Row number of the act.
        act: i64,
        /// Who undoes it.
        by: String,
        /// Why.
        reason: String,
    },
    /// Looks at the policy file now.
    Policy,
    /// Erases what is older than it may be.
    Retain {
        /// How old.
        periods: crate::cli::retain::WirePeriods,
        /// Only counts it.
        dry_run: bool,
    },
    /// Holds a case or a party for the law, or ends that.
    Hold {
        /// `case` or `party`.
        what: String,
        /// Its row number.
        target: i64,
        /// Why; none ends it.
        reason: Option<String>,
        /// Who.
        by: String,
    },
    /// Forgets a person.
    Forget {
        /// Words for it.
        words: Vec<String>,
        /// Only says where it is.
        dry_run: bool,
        /// Destroys raw submissions.
        raw: bool,
        /// Though it is in the administration, or has open cases.
        force: bool,
        /// Why.
        reason: String,
        /// Who says so.
        by: String,
    },
    /// Downloads a feed of the settings now.
    FetchFeed {
        /// Its name.
        feed: String,
    },
    /// Accepts advice about a weak point that waits for a person.
    AcceptAdvice {
        /// Its row number.
        number: i64,
        /// Who.
        by: String,
    },
    /// Withdraws advice about a weak point.
    WithdrawAdvice {
        /// Its row number.
        number: i64,
        /// Who.
        by: String,
    },
    /// Publishes the log now.
    PublishLog,
    /// Keeps that a bundle of a case was given to somebody.
    Issue {
        /// Row number of the case.
        case: i64,
        /// To whom.
        to: String,
        /// SHA-256 of the file, in hexadecimal.
        bundle: String,
        /// Records in it.
        records: u64,
        /// Who gave it.
        by: String,
    },
    /// Cosigns a checkpoint of somebody else's log.
    Cosign {
        /// The body of an add-checkpoint request.
        request: String,
    },
    /// Attaches evidence to a case.
    Evidence(Box<crate::cli::case::evidence::Wire>),
    /// Freezes the log as it is and begins another.
    BeginLog,
    /// Says that a restored node has been looked at.
    ConfirmRestore {
        /// Lets go what was held.
        release: bool,
        /// Withdraws what was held.
        withdraw: bool,
        /// Who.
        by: String,
    },
}

/// Does it. What comes back is shown by the command that asked.
///
/// # Errors
/// What the person is told: why not, and what would be right.
pub(crate) fn perform(desk: &Desk, act: &Act) -> Result<Value, desk::Error> {
    match act {
        Act::Policy => {
            let looked = desk.look_at_policy()?;
            if let desk::policy::Looked::Wrong(reason) = looked {
                return Err(desk::Error::Invalid(format!("{reason}\nthe last good policy holds")));
            }
            value(&desk.policy().version)
        }
        Act::Cases(asked) => asked.perform(desk),
        Act::Split(asked) => asked.perform(desk),
        Act::AcknowledgeAlert { alert, by } => crate::cli::alert::perform_acknowledge(desk, alert, by),
        Act::Order { submission, is_order, term, by, reason } => {
            crate::cli::order::perform(desk, submission, *is_order, term.as_deref(), by, reason)
        }
        Act::Take(asked) => asked.perform(desk),
        Act::Dismiss { submission, by, reason } => crate::cli::taking::perform_dismiss(desk, submission, by, reason),
        Act::Outbox(asked) => asked.perform(desk),
        Act::Advance => crate::cli::advance::perform(desk),
        Act::FetchFeed { feed } => desk.fetch_soon(feed).map(|()| Value::Null),
        Act::AcceptAdvice { number, by } => desk.accept_advice(*number, by).map(|()| Value::Null),
        Act::WithdrawAdvice { number, by } => desk.withdraw_advice(*number, by).map(|()| Value::Null),
        Act::PublishLog => Ok(serde_json::json!({ "size": desk.publish()?.size })),
        Act::Issue { case, to, bundle, records, by } => {
            let digest = digest(bundle).ok_or_else(|| desk::Error::Invalid("a digest has 64 hexadecimal digits".to_owned()))?;
            desk.issue(*case, to, digest, *records, by)?;
            Ok(Value::Null)
        }
        Act::Cosign { request } => crate::cli::log::witness::perform(desk, request),
        Act::Evidence(asked) => asked.perform(desk),
        Act::BeginLog => Ok(serde_json::json!({ "origin": desk.begin_log()?.origin })),
        Act::Correct(asked) => asked.perform(desk),
        Act::Undo { act, by, reason } => {
            let undone = desk.undo(*act, by, reason)?;
            value(&cases::UndoOutcome { cases: undone.cases, left: undone.left })
        }
        Act::Retain { periods, dry_run } => {
            let done = desk.retain(&periods.periods(), *dry_run)?;
            let view = |one: &desk::retain::Done| serde_json::json!({ "what": one.what, "why": one.why, "count": one.count, "bytes": one.bytes });
            Ok(done.iter().map(view).collect())
        }
        Act::Hold { what, target, reason, by } => {
            let unknown = || desk::Error::Invalid("hold a case or a party".to_owned());
            let what = store::holds::What::ALL.iter().copied().find(|one| one.word() == what).ok_or_else(unknown)?;
            match reason {
                Some(reason) => desk.hold(what, *target, reason, by)?,
                None => desk.end_hold(what, *target, by)?,
            }
            Ok(Value::Null)
        }
        Act::Forget { words, dry_run, raw, force, reason, by } => {
            let who = desk::forget::Who::parse(words)?;
            let (reason, by) = (reason.clone(), by.clone());
            let wanted = desk::forget::Wanted { dry_run: *dry_run, raw: *raw, force: *force, reason, by };
            Ok(forgotten(&desk.forget(&who, &wanted)?))
        }
        Act::ConfirmRestore { release, withdraw, by } => {
            desk.confirm_restored(*release, *withdraw, by).map(|held| serde_json::json!({ "held": held }))
        }
    }
}

/// A SHA-256 from hexadecimal.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Where a person was.
fn forgotten(found: &desk::forget::Forgotten) -> Value {
    let row = |(place, rows): &(&'static str, u64)| serde_json::json!({ "place": place, "rows": rows });
    serde_json::json!({
        "nowhere": found.is_empty(),
        "rows": found.rows.iter().map(row).collect::<Vec<_>>(),
        "reports": found.reports,
        "addresses": found.addresses,
        "sealed": found.sealed,
        "sealed_reports": found.sealed_reports,
        "unopened": found.unopened,
        "copies_end": found.copies_end.map(|end| end.to_string()),
        "unfinished": found.unfinished,
        "raw": found.raw,
        "unread": found.unread,
        "spool": found.spool,
        "backups": found.backups,
        "destroyed": found.destroyed,
        "present": found.present,
        "open": found.open,
    })
}

/// What came of an act, on its way to the command that asked.
fn value(outcome: &impl Serialize) -> Result<Value, desk::Error> {
    serde_json::to_value(outcome).map_err(|error| desk::Error::Unavailable(error.to_string()))
}

/// Does it here when nobody owns the data, and has the owner do it else.
///
/// # Errors
/// As [`perform`], and when an owner does not listen.
pub(crate) fn ask(globals: &Globals, act: &Act) -> Result<Value> {
    let data = globals.data()?;
    // What is only read must exist; a new data directory has nothing in it that could be acted on.
    drop(data.reader()?);
    match data.desk(globals.clock(), Reading::default()) {
        Ok(desk) => {
            let outcome = perform(&desk, act)?;
            crate::data::seal(&desk);
            Ok(outcome)
        }
        Err(desk::Error::Conflict(owned)) => {
            let request = Request::Do(Box::new(socket::Do { act: act.clone() }));
            match socket::call(&data.directory, &request, None).context(owned)? {
                Response::Did { outcome } => Ok(outcome),
                Response::Refused { reason } => bail!("{reason}"),
                _ => bail!("'sluis serve' answered something else; is it another version?"),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Who does it.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct By {
    /// Who does it, for the journal; default is the name you are logged in by
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: Option<String>,
}

impl By {
    /// The name for the journal. It proves nothing: whoever may write the data may say any name.
    pub(crate) fn name(&self) -> Result<String> {
        if let Some(by) = &self.by {
            return Ok(by.clone());
        }
        let set = |variable: &str| std::env::var(variable).ok().and_then(|value| name(&value).ok());
        // Who became root to do it is still who does it.
        let found = ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(set);
        found.context("say who does it with --by NAME: the journal keeps it")
    }
}

pub(crate) fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > NAME || text.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {NAME} letters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_for_people_to_read() {
        assert_eq!(name(" Anna de Vries "), Ok("Anna de Vries".to_owned()));
        for text in ["", "  ", "a\u{1b}[2J", &"a".repeat(101)] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }
}
