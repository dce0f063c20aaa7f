//! `[[trust]]`: whom the operator believes how much, and what has to prove who it is.

use model::policy::{Policy, Proven, Trust, is_under};
use model::resource::DomainName;
use model::submission::Door;

use super::super::file::{self, Word};
use super::super::wrong::did_you_mean;
use super::Reading;

impl Reading<'_> {
    pub(super) fn trusts(&mut self, given: &[file::Trust], policy: &mut Policy) {
        let mut trusts: Vec<Trust> = Vec::new();
        for one in given {
            let text = |word: &Option<Word>| word.as_ref().map_or_else(String::new, |word| word.get_ref().trim().to_owned());
            if let Some(door) = &one.door
                && !Door::ALL.iter().any(|known| known.word() == door.get_ref())
            {
                let doors: Vec<&str> = Door::ALL.iter().map(|door| door.word()).collect();
                self.wrong(
                    Some(door),
                    format!("there is no door '{}'", door.get_ref()),
                    format!("there is {}", doors.join(", ")),
                );
            }
            if let Some(reporter) = &one.reporter
                && DomainName::parse(reporter.get_ref()).is_none()
            {
                let hint = "write what stands behind the @ of its mail address";
                self.wrong(Some(reporter), format!("'{}' is no domain name", reporter.get_ref()), hint);
            }
            if let Some(format) = &one.format
                && !parsers::formats::all().any(|known| known.name == format.get_ref())
            {
                let known = parsers::formats::all().map(|known| known.name);
                let near = did_you_mean(format.get_ref(), known);
                let hint = if near.is_empty() { "'sluis formats' lists them".to_owned() } else { near };
                self.wrong(Some(format), format!("there is no format '{}'", format.get_ref()), hint);
            }
            let says_nothing = one.reporter.is_none() && one.format.is_none() && one.door.is_none();
            if says_nothing {
                let text = "trust in everybody alike";
                self.problems.add(one.trust.span(), text, "say `unknown` in [confidence], or name a reporter, format or door");
            }
            if one.authenticated && one.door.is_none() && one.proven.is_none() {
                let text = "nobody can vouch for what comes in through any door";
                let hint = "say which with `door`, such as door = \"file\"; or what proves its mail, with proven = \"dkim\"";
                self.problems.add(one.trust.span(), text, hint);
            }
            let proven = one.proven.as_ref().and_then(|word| self.proven(word, one));
            let is_shadowed = |earlier: &Trust| {
                let covers = |wide: &str, narrow: &str| wide.is_empty() || wide == narrow;
                earlier.proven.is_none()
                    && !earlier.reporter.is_empty()
                    && is_under(&text(&one.reporter), &earlier.reporter)
                    && covers(&earlier.format, &text(&one.format))
                    && covers(&earlier.door, &text(&one.door))
            };
            if let Some(word) = one.proven.as_ref().filter(|_| trusts.iter().any(is_shadowed)) {
                let text = "the first that fits holds, and one above fits by name alone, proven or not";
                self.wrong(Some(word), text, "put what asks for a proof above it");
            }
            if let Some(trust) = self.share(Some(&one.trust)) {
                let (reporter, format, door) = (text(&one.reporter), text(&one.format), text(&one.door));
                let authenticated = one.authenticated && proven.is_none();
                trusts.push(Trust { reporter, format, door, authenticated, proven, trust });
            }
        }
        // The first that fits holds: those of this file before those of its base.
        trusts.append(&mut policy.trust);
        policy.trust = trusts;
    }

    /// What is to prove who a mail is from; wrong where nothing could.
    fn proven(&mut self, word: &Word, trust: &file::Trust) -> Option<Proven> {
        let proven = Proven::ALL.into_iter().find(|proven| proven.word() == word.get_ref());
        let Some(proven) = proven else {
            let known: Vec<&str> = Proven::ALL.iter().map(|proven| proven.word()).collect();
            self.wrong(Some(word), format!("there is no proof '{}'", word.get_ref()), format!("there is {}", known.join(", ")));
            return None;
        };
        if trust.reporter.is_none() {
            let hint =
                "name the domain name that is to be proven, with `reporter`: without it, everybody who signs would be trusted";
            self.wrong(Some(word), "a proof of whom?", hint);
        }
        if trust.authenticated {
            self.wrong(
                Some(word),
                "vouched for by a door, or proven: not both",
                "leave out `authenticated`: a proof says it too",
            );
        }
        if let Some(door) = trust.door.as_ref().filter(|door| ["feed", "person"].contains(&door.get_ref().as_str())) {
            let text = format!("what comes in through '{}' is mostly no mail, and nothing proves who it is from", door.get_ref());
            self.wrong(Some(door), text, "leave out `door`, or `proven`");
        }
        Some(proven)
    }
}
