//! Acts on cases, as they travel to the process that owns the data.

use desk::acts::split::Pick;
use desk::acts::{Doing, Verb, Which};
use desk::correct::decide;
use desk::{Desk, Error};
use model::address::Address;
use model::case::State;
use model::category::Kind;
use model::policy::Closure;
use model::severity::Severity;
use model::submission::PublicId;
use model::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::listing::Listing;

/// An act on one or many cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnCases {
    /// What is done.
    pub(crate) what: What,
    /// Row numbers of cases; with `listed`, none.
    pub(crate) cases: Vec<i64>,
    /// Or those that a list shows.
    pub(crate) listed: Option<Listed>,
    /// How many were looked at.
    pub(crate) expected: Option<u64>,
    /// Who.
    pub(crate) by: String,
    /// Why.
    pub(crate) reason: String,
}

/// What is done: [`Verb`] in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum What {
    Note,
    Handle { handler: String },
    Snooze { until: Option<i64> },
    Resolve { by_operator: bool, confirmed: bool },
    Close { closure: String },
    Dispute,
    Decide { upheld: bool },
    Reopen,
    Merge { into: i64 },
}

/// What a list shows: [`Listing`] in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) open: Option<bool>,
    pub(crate) kind: Option<String>,
    pub(crate) holder: Option<i64>,
    pub(crate) address: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) rule: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) mended_by: Option<i64>,
}

/// Some of a case's reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Splitting {
    pub(crate) case: i64,
    pub(crate) address: Option<String>,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) submission: Option<String>,
    pub(crate) ordinals: Vec<u32>,
    pub(crate) by: String,
    pub(crate) reason: String,
}

/// What becomes of cases in the queue `holder-changed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Correcting {
    /// Row numbers of cases; empty for all that wait.
    pub(crate) cases: Vec<i64>,
    pub(crate) moved: bool,
    pub(crate) expected: Option<u64>,
    pub(crate) by: String,
    pub(crate) reason: String,
}

/// What came of an act on cases.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Identifier of the act, by which it can be undone.
    pub(crate) act: String,
    /// Its number in `sluis case acts`.
    pub(crate) number: i64,
    /// Cases it was done to.
    pub(crate) cases: u64,
    /// Cases of P0 that were left out.
    pub(crate) left_out_p0: u64,
    /// Cases to which it could not be done: why, and how many.
    pub(crate) not_done: Vec<(String, u64)>,
}

/// What came of splitting.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SplitOutcome {
    pub(crate) act: String,
    pub(crate) act_number: i64,
    pub(crate) case: String,
    pub(crate) number: i64,
    pub(crate) reports: u64,
}

/// What came of a correction.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CorrectOutcome {
    pub(crate) act: String,
    pub(crate) cases: u64,
    pub(crate) left_out_p0: u64,
    /// Cases that were opened for reports of other holders.
    pub(crate) opened: u64,
    /// Cases that became part of one that the right holder has.
    pub(crate) merged: u64,
}

/// What came of undoing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UndoOutcome {
    pub(crate) cases: u64,
    /// Cases that were left as they are: number, and why.
    pub(crate) left: Vec<(i64, String)>,
}

fn not(what: &str) -> Error {
    Error::Invalid(format!("not {what}"))
}

impl Listed {
    /// In words.
    pub(crate) fn of(listing: &Listing) -> Listed {
        Listed {
            open: listing.state.map(|state| state == State::Open),
            kind: listing.kind.map(|kind| kind.to_string()),
            holder: listing.holder,
            address: listing.address.map(|address| address.to_string()),
            severity: listing.severity.map(|severity| severity.word().to_owned()),
            rule: listing.rule.clone(),
            handler: listing.handler.clone(),
            mended_by: listing.mended_by.map(|time| time.0),
        }
    }

    fn listing(&self) -> Result<Listing, Error> {
        let kind = |text: &String| {
            let found = text.split_once('/').and_then(|(category, kind)| Kind::from_words(category, kind));
            found.ok_or_else(|| not("a category and type"))
        };
        let address = |text: &String| Address::parse(text.as_bytes()).ok_or_else(|| not("an address"));
        let severity = |text: &String| Severity::parse(text).ok_or_else(|| not("a severity"));
        Ok(Listing {
            state: self.open.map(|open| if open { State::Open } else { State::Closed }),
            kind: self.kind.as_ref().map(kind).transpose()?,
            holder: self.holder,
            address: self.address.as_ref().map(address).transpose()?,
            severity: self.severity.as_ref().map(severity).transpose()?,
            rule: self.rule.clone(),
            handler: self.handler.clone(),
            mended_by: self.mended_by.map(Time),
            ..Listing::default()
        })
    }
}

impl OnCases {
    /// As the desk takes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a word is not one of ours.
    pub(crate) fn doing(&self) -> Result<Doing, Error> {
        let verb = match &self.what {
            What::Note => Verb::Note,
            What::Handle { handler } => Verb::Handle { handler: handler.clone() },
            What::Snooze { until } => Verb::Snooze { until: until.map(Time) },
            What::Resolve { by_operator, confirmed } => Verb::Resolve { by_operator: *by_operator, confirmed: *confirmed },
            What::Close { closure } => {
                Verb::Close { closure: Closure::parse(closure).ok_or_else(|| not("a reason to close a case"))? }
            }
            What::Dispute => Verb::Dispute,
            What::Decide { upheld } => Verb::Decide { upheld: *upheld },
            What::Reopen => Verb::Reopen,
            What::Merge { into } => Verb::Merge { into: *into },
        };
        let which = match &self.listed {
            Some(listed) => Which::Listed(listed.listing()?),
            None => Which::These(self.cases.clone()),
        };
        Ok(Doing { verb, which, expected: self.expected, by: self.by.clone(), reason: self.reason.clone() })
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of [`Desk::act`].
    pub(super) fn perform(&self, desk: &Desk) -> Result<Value, Error> {
        let acted = desk.act(&self.doing()?)?;
        super::value(&Outcome {
            act: acted.public.to_string(),
            number: acted.act,
            cases: acted.cases,
            left_out_p0: acted.urgent,
            not_done: acted.others,
        })
    }
}

impl Correcting {
    /// As the desk takes it.
    pub(crate) fn correcting(&self) -> decide::Correcting {
        let Correcting { cases, moved, expected, by, reason } = self.clone();
        decide::Correcting { cases, moved, expected, by, reason }
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of [`Desk::correct`].
    pub(super) fn perform(&self, desk: &Desk) -> Result<Value, Error> {
        let done = desk.correct(&self.correcting())?;
        super::value(&CorrectOutcome {
            act: done.public.to_string(),
            cases: done.cases,
            left_out_p0: done.urgent,
            opened: done.opened,
            merged: done.merged,
        })
    }
}

impl Splitting {
    /// Does it.
    ///
    /// # Errors
    /// Those of [`Desk::split`].
    pub(super) fn perform(&self, desk: &Desk) -> Result<Value, Error> {
        let address = |text: &String| Address::parse(text.as_bytes()).ok_or_else(|| not("an address"));
        let submission = |text: &String| PublicId::parse(text).ok_or_else(|| not("the identifier of a submission"));
        let pick = Pick {
            address: self.address.as_ref().map(address).transpose()?,
            from: self.from.map(Time),
            to: self.to.map(Time),
            submission: self.submission.as_ref().map(submission).transpose()?,
            ordinals: self.ordinals.clone(),
        };
        let split = desk.split(self.case, &pick, &self.by, &self.reason)?;
        super::value(&SplitOutcome {
            act: split.public.to_string(),
            act_number: split.act,
            case: split.case_public.to_string(),
            number: split.case,
            reports: split.reports,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_shows_travels_whole() {
        let listing = Listing {
            state: Some(State::Open),
            kind: Some(Kind::Phishing),
            holder: Some(0),
            address: Address::parse(b"192.0.2.7"),
            severity: Some(Severity::P2),
            rule: Some("phishing".into()),
            handler: Some(String::new()),
            mended_by: Some(Time(5)),
            ..Listing::default()
        };
        assert_eq!(Listed::of(&listing).listing().unwrap(), listing);
        assert_eq!(Listed::of(&Listing::default()).listing().unwrap(), Listing::default());
    }
}
