//! What of the records a bundle shows: everything a court needs, and neither who reported it nor which colleagues worked on it,
//! unless they are asked for. Pure.

use model::label::{Pap, Tlp};
use seal::record::{ALWAYS, FIELDS, KINDS, REPORT};

use crate::Error;

/// What is shown only when it is asked for: who reported it, who worked on it, and of a row of a feed what names its reporter.
pub const WITHHELD: [&str; 3] = ["reporter", "actor", "rest"];
/// What follows from reports, and is as closed as their labels say.
const OF_REPORTS: [&str; 8] = ["resource", "first_seen", "reporter", "text", "completeness", "content", "observed", "rest"];
/// What of a case about child abuse material nobody is shown, whatever is asked for.
const NEVER: [&str; 4] = ["resource", "text", "content", "rest"];

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    shown: Vec<&'static str>,
    hidden: Vec<&'static str>,
    /// Whoever asks has said that everything is to be shown.
    everything: bool,
    /// The letters of other cases to the same parties are shown too, as letters.
    pub letters: bool,
}

impl Choice {
    /// From what a person asks for: names of fields to be shown that else are not, `all` among them for everything, and names of
    /// fields to be hidden.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that no record has, and for one that is always shown.
    pub fn parse(show: &[String], hide: &[String]) -> Result<Choice, Error> {
        let mut choice = Choice::default();
        for name in show {
            if name == "all" {
                choice.everything = true;
            } else {
                choice.shown.push(known(name)?);
            }
        }
        for name in hide {
            let name = known(name)?;
            if is_always(name) {
                return Err(Error::Invalid(format!("'{name}' is shown of every record: without it nothing can be verified")));
            }
            choice.hidden.push(name);
        }
        Ok(choice)
    }

    /// What a reporter is shown of his own notice.
    pub fn of_reporter() -> Choice {
        let own = ["resource", "category", "first_seen", "reporter", "submission", "completeness", "occurred_at"];
        let all = KINDS.iter().flat_map(|kind| (0..kind.fields()).filter_map(|at| kind.field(at))).map(|(name, _)| name);
        let hidden = all.filter(|name| !is_always(name) && !own.contains(name)).collect();
        Choice { shown: own.to_vec(), hidden, ..Choice::default() }
    }

    /// What is shown of a letter in another case: that it was one, to whom, when, and which number it has.
    pub fn of_letter() -> Choice {
        let own = ["party", "party_seq", "party_prev", "occurred_at"];
        let hidden = FIELDS.iter().map(|(name, _)| *name).filter(|name| !is_always(name) && !own.contains(name));
        Choice { hidden: hidden.collect(), ..Choice::default() }
    }

    /// What the reporter of a whole list is shown of it.
    pub fn of_lister() -> Choice {
        Choice { shown: vec!["reporter", "rest"], hidden: vec!["actor"], ..Choice::default() }
    }

    /// Hides more.
    pub fn hide(&mut self, names: &[&'static str]) {
        self.hidden.extend(names);
    }

    /// Holds to the labels of the reports, and to what the law says of child abuse material; what whoever asks has to know.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something is asked for that nobody may be shown.
    pub fn restrict(&mut self, (tlp, pap): (Tlp, Pap), is_child_abuse: bool) -> Result<Vec<String>, Error> {
        let mut remarks = Vec::new();
        if is_child_abuse {
            if let Some(name) = self.shown.iter().find(|name| NEVER.contains(name)) {
                return Err(Error::Conflict(format!(
                    "this case is about child abuse material: '{name}' is given to nobody. Whoever investigates asks the reporter for it, by the reference number"
                )));
            }
            self.hidden.extend(NEVER);
        }
        if tlp >= Tlp::AmberStrict || pap >= Pap::Red {
            let labels = [tlp.to_string(), pap.to_string()].into_iter().filter(|label| !label.is_empty()).collect::<Vec<_>>();
            let labels = labels.join(", ");
            if self.everything {
                remarks.push(format!("the reports are labelled {labels}: you show what they say all the same"));
            } else {
                let shown = &self.shown;
                self.hidden.extend(OF_REPORTS.iter().filter(|name| !shown.contains(name)));
                remarks.push(format!("the reports are labelled {labels}: what they say is not shown"));
            }
        } else if self.everything {
            remarks.push("everything is shown, also who reported it and who worked on it".to_owned());
        }
        Ok(remarks)
    }

    /// Whether a field is shown.
    pub fn shows(&self, name: &str) -> bool {
        if is_always(name) {
            return true;
        }
        if self.hidden.contains(&name) {
            return false;
        }
        self.everything || self.shown.contains(&name) || !WITHHELD.contains(&name)
    }
}

/// What every bundle shows: without it the stream cannot be followed.
fn is_always(name: &str) -> bool {
    name == "secret_commitment" || FIELDS.iter().take(ALWAYS).any(|(known, _)| *known == name)
}

fn known(name: &str) -> Result<&'static str, Error> {
    let mut all = KINDS
        .iter()
        .flat_map(|kind| (0..kind.fields()).filter_map(|at| kind.field(at)))
        .chain(REPORT.iter().copied())
        .map(|(name, _)| name);
    all.find(|known| *known == name)
        .ok_or_else(|| Error::Invalid(format!("no record has a field '{name}'; docs/manual/evidence.md lists them")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(show: &[&str], hide: &[&str]) -> Result<Choice, Error> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Choice::parse(&owned(show), &owned(hide))
    }

    const NONE: (Tlp, Pap) = (Tlp::Unstated, Pap::Unstated);

    #[test]
    fn a_court_is_shown_what_it_needs_and_no_notifier() {
        let court = choice(&[], &[]).unwrap();
        for name in ["event", "seq", "party_name", "resource", "chain", "content", "occurred_at", "batch_index"] {
            assert!(court.shows(name), "{name}");
        }
        for name in ["reporter", "actor", "rest"] {
            assert!(!court.shows(name), "{name}");
        }
        assert!(choice(&["reporter"], &[]).unwrap().shows("reporter"));
        assert!(!choice(&["reporter"], &["reporter"]).unwrap().shows("reporter"), "hiding goes before showing");
        assert!(choice(&["all"], &[]).unwrap().shows("actor"));
        assert!(!choice(&["all"], &["actor"]).unwrap().shows("actor"));
    }

    #[test]
    fn what_has_to_be_shown_and_what_there_is_not_are_refused() {
        for (show, hide, says) in [
            (&["colour"][..], &[][..], "no record has a field 'colour'"),
            (&[], &["colour"], "no record has a field 'colour'"),
            (&[], &["prev"], "shown of every record"),
            (&[], &["secret_commitment"], "shown of every record"),
        ] {
            let said = choice(show, hide).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn labels_hold_where_data_leaves() {
        for (labels, hides) in [
            (NONE, false),
            ((Tlp::Clear, Pap::Unstated), false),
            ((Tlp::Amber, Pap::Amber), false),
            ((Tlp::AmberStrict, Pap::Unstated), true),
            ((Tlp::Red, Pap::Unstated), true),
            ((Tlp::Unstated, Pap::Red), true),
        ] {
            let mut one = choice(&[], &[]).unwrap();
            let remarks = one.restrict(labels, false).unwrap();
            assert_eq!(
                (one.shows("resource"), one.shows("party_name"), remarks.len()),
                (!hides, true, usize::from(hides)),
                "{labels:?}"
            );
        }
        let mut one = choice(&["resource"], &[]).unwrap();
        one.restrict((Tlp::Red, Pap::Red), false).unwrap();
        assert!(one.shows("resource") && !one.shows("text"), "what is asked for by name is shown");
        let mut all = choice(&["all"], &[]).unwrap();
        assert!(all.restrict((Tlp::Red, Pap::Unstated), false).unwrap()[0].contains("TLP:RED"));
        assert!(all.shows("resource"));
    }

    #[test]
    fn of_child_abuse_material_nothing_is_shown_whatever_is_asked_for() {
        let mut all = choice(&["all"], &[]).unwrap();
        all.restrict(NONE, true).unwrap();
        for name in NEVER {
            assert!(!all.shows(name), "{name}");
            assert!(choice(&[name], &[]).unwrap().restrict(NONE, true).is_err(), "{name}");
        }
        assert!(all.shows("category") && all.shows("party_name"));
    }

    #[test]
    fn a_reporter_is_shown_his_own_notice_and_nobody_elses_name() {
        let own = Choice::of_reporter();
        for name in ["event", "recorded_at", "secret_commitment", "resource", "reporter", "submission", "completeness"] {
            assert!(own.shows(name), "{name}");
        }
        for name in
            ["party", "party_name", "chain", "attribution", "actor", "rule", "text", "severity", "due", "content", "recipient"]
        {
            assert!(!own.shows(name), "{name}");
        }
    }
}
