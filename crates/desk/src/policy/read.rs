//! Reading a policy file: its words become values, and what they say together is checked.

mod trust;

use model::calendar::{Calendar, Term};
use model::category::Kind;
use model::policy::{Acknowledge, Addressee, Brake, Care, Mark, Mode, Policy, Repeat, Rule, When, WhenExploited};
use model::resource::{DomainName, Resource};
use model::severity::Severity;
use model::time::{DAY, Time};
use toml::Spanned;

use super::file::{self, File, Word};
use super::wrong::{Problems, Wrong, did_you_mean};
use crate::calendar::{DaysOff, calendar};

/// Bytes of a policy file: a thousand rules fit.
pub(super) const MOST: usize = 1 << 20;
/// Rules of a policy: each report may be compared with each.
const RULES: usize = 1_000;

/// Reads a policy file; `name` is for messages. Without `base`, or with `base = "shipped"`, it says only what differs from
/// the policy that the program brings, which is `shipped`.
pub(super) fn read<'t>(text: &'t str, name: &str, shipped: &'t dyn Fn() -> Policy) -> Result<Policy, Wrong> {
    let mut reading = Reading { problems: Problems::new(text), shipped };
    if text.len() > MOST {
        reading.problems.add(0..0, format!("a policy has at most {MOST} bytes, this has {}", text.len()), "");
        return reading.problems.into_result(name, None);
    }
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            reading.problems.add_toml(&error);
            return reading.problems.into_result(name, None);
        }
    };
    let policy = reading.policy(file);
    reading.problems.into_result(name, Some(policy))
}

/// Reads a policy file over the text that another program shipped with.
pub(super) fn read_over(text: &str, name: &str, shipped: &str) -> Result<Policy, Wrong> {
    let base = read(shipped, &format!("the shipped policy of {name}"), &blank)?;
    read(text, name, &|| base.clone())
}

/// Whether a file changes the shipped policy, in place of beginning with nothing.
pub(super) fn is_based(text: &str) -> bool {
    toml::from_str::<File>(text).is_ok_and(|file| file.base.is_none_or(|base| base.get_ref() != "none"))
}

/// A policy that says nothing yet.
pub(super) fn blank() -> Policy {
    Policy {
        name: String::new(),
        care: [Care { mode: Mode::Observe, gather: 0 }; 5],
        rules: Vec::new(),
        remind: 50,
        warn: 80,
        watch_below: 40,
        unknown: 50,
        trust: Vec::new(),
        repeat: Repeat { confirmed: 3, ignored: 2, within: 90 * DAY },
        brake: Brake { factor: 5, letters: 50, restrictions: 5 },
        exploited: WhenExploited { raise: true, at_most: Severity::P1, customer: None, fix: None },
        dispute: Term::BusinessDays(5),
        history: 90 * DAY,
        protected: Vec::new(),
        authorities: Vec::new(),
        order_words: Vec::new(),
        calendar: Calendar::default(),
    }
}

struct Reading<'t> {
    problems: Problems<'t>,
    shipped: &'t dyn Fn() -> Policy,
}

impl Reading<'_> {
    fn policy(&mut self, file: File) -> Policy {
        let base = file.base.as_ref().map_or("shipped", |base| base.get_ref());
        let has_base = match base {
            "shipped" => true,
            "none" => false,
            other => {
                let hint = "\"shipped\" changes the policy that the program brings, \"none\" begins with nothing";
                self.wrong(file.base.as_ref(), format!("there is no base '{other}'"), hint);
                true
            }
        };
        let mut policy = if has_base { (self.shipped)() } else { blank() };
        policy.name = file.name.as_ref().map_or("own", |name| name.get_ref()).trim().to_owned();
        self.care(&file.severity, &mut policy);
        self.numbers(&file, &mut policy);
        self.trusts(&file.trust, &mut policy);
        self.lists(&file, &mut policy);
        if file.calendar.is_some() || !has_base {
            policy.calendar = self.calendar(&file.calendar.unwrap_or_default());
        }
        self.rules(&file.rule, &mut policy);
        policy
    }

    fn wrong(&mut self, word: Option<&Word>, text: impl Into<String>, hint: impl Into<String>) {
        self.problems.add(word.map_or(0..0, Spanned::span), text, hint);
    }

    fn care(&mut self, severities: &file::Severities, policy: &mut Policy) {
        let given = [&severities.P0, &severities.P1, &severities.P2, &severities.P3, &severities.P4];
        for (file, care) in given.into_iter().zip(&mut policy.care) {
            if let Some(mode) = &file.mode {
                match mode.get_ref().as_str() {
                    "observe" => care.mode = Mode::Observe,
                    "act" => care.mode = Mode::Act,
                    other => self.wrong(Some(mode), format!("there is no mode '{other}'"), "write \"observe\" or \"act\""),
                }
            }
            if let Some(gather) = &file.gather {
                care.gather = self.elapsed(gather, DAY * 7).unwrap_or(care.gather);
            }
        }
    }

    fn numbers(&mut self, file: &File, policy: &mut Policy) {
        self.number(file.ladder.remind.as_ref(), 1..=99, "percent of the time to mend it", &mut policy.remind);
        self.number(file.ladder.warn.as_ref(), 1..=99, "percent of the time to mend it", &mut policy.warn);
        if policy.remind >= policy.warn {
            let at = file.ladder.warn.as_ref().or(file.ladder.remind.as_ref()).map_or(0..0, Spanned::span);
            let text = format!("the last warning (at {} %) is to come after the reminder (at {} %)", policy.warn, policy.remind);
            self.problems.add(at, text, "make `warn` larger than `remind`");
        }
        self.number(file.repeat.confirmed.as_ref(), 1..=100_000, "cases", &mut policy.repeat.confirmed);
        self.number(file.repeat.ignored.as_ref(), 1..=100_000, "letters", &mut policy.repeat.ignored);
        self.number(file.brake.factor.as_ref(), 1..=1_000, "times the usual hour", &mut policy.brake.factor);
        self.number(file.brake.letters.as_ref(), 0..=1_000_000, "letters an hour", &mut policy.brake.letters);
        self.number(file.brake.restrictions.as_ref(), 0..=1_000_000, "restrictions an hour", &mut policy.brake.restrictions);
        if let Some(within) = &file.repeat.within {
            policy.repeat.within = self.elapsed(within, 3_660 * DAY).unwrap_or(policy.repeat.within);
        }
        if let Some(age) = &file.history.age {
            policy.history = self.elapsed(age, 3_660 * DAY).unwrap_or(policy.history);
        }
        if let Some(raise) = file.exploited.raise {
            policy.exploited.raise = raise;
        }
        if let Some(word) = &file.exploited.at_most {
            match Severity::parse(word.get_ref()) {
                Some(severity) if severity != Severity::P0 => policy.exploited.at_most = severity,
                _ => self.problems.add(
                    word.span(),
                    format!("'{}' is nothing that an exploited weak point can become", word.get_ref()),
                    "write P1, P2, P3 or P4; P0 is about lives and children",
                ),
            }
        }
        if let Some(term) = &file.exploited.customer {
            policy.exploited.customer = self.term(term).or(policy.exploited.customer);
        }
        if let Some(term) = &file.exploited.fix {
            policy.exploited.fix = self.term(term).or(policy.exploited.fix);
        }
        if let Some(within) = &file.dispute.within {
            policy.dispute = self.term(within).unwrap_or(policy.dispute);
        }
        policy.watch_below = self.share(file.confidence.watch_below.as_ref()).unwrap_or(policy.watch_below);
        policy.unknown = self.share(file.confidence.unknown.as_ref()).unwrap_or(policy.unknown);
    }

    fn number<T: TryFrom<i64>>(
        &mut self,
        given: Option<&Spanned<i64>>,
        allowed: std::ops::RangeInclusive<i64>,
        unit: &str,
        into: &mut T,
    ) {
        let Some(given) = given else { return };
        let value = *given.get_ref();
        match T::try_from(value) {
            Ok(value) if allowed.contains(given.get_ref()) => *into = value,
            _ => {
                let hint = format!("write a number from {} to {} ({unit})", allowed.start(), allowed.end());
                self.problems.add(given.span(), format!("{value} is out of range"), hint);
            }
        }
    }

    /// A share from 0 to 1, in percent.
    fn share(&mut self, given: Option<&Spanned<f64>>) -> Option<u8> {
        let given = given?;
        let value = *given.get_ref();
        if (0.0..=1.0).contains(&value) {
            return Some((value * 100.0).round() as u8);
        }
        let hint = if (1.0..=100.0).contains(&value) { format!("write {}", value / 100.0) } else { "such as 0.5".to_owned() };
        self.problems.add(given.span(), format!("{value} is not between 0 and 1"), hint);
        None
    }

    fn term(&mut self, word: &Word) -> Option<Term> {
        let term = Term::parse(word.get_ref());
        if term.is_none() {
            let hint = "write \"15 minutes\", \"12 hours\", \"3 days\" or \"5 business days\"; at most ten years";
            self.wrong(Some(word), format!("'{}' is no length of time", word.get_ref()), hint);
        }
        term
    }

    fn elapsed(&mut self, word: &Word, most: i64) -> Option<i64> {
        match self.term(word)? {
            Term::Elapsed(length) if length <= most => Some(length),
            Term::Elapsed(_) => {
                self.wrong(Some(word), format!("it is at most {}", Term::Elapsed(most)), "");
                None
            }
            Term::BusinessDays(_) => {
                self.wrong(Some(word), "business days are not counted here", "write minutes, hours or days");
                None
            }
        }
    }

    /// A clock of a rule; `none` is none.
    fn clock(&mut self, word: &Word) -> Option<Term> {
        if word.get_ref() == "none" { None } else { self.term(word) }
    }

    fn lists(&mut self, file: &File, policy: &mut Policy) {
        for word in &file.protected.resources {
            match Resource::parse(word.get_ref()) {
                Ok(resource) => policy.protected.push(resource),
                Err(error) => self.wrong(Some(word), format!("'{}': {error}", word.get_ref()), ""),
            }
        }
        for word in &file.authorities.domains {
            match DomainName::parse(word.get_ref()) {
                Some(name) => policy.authorities.push(name.as_str().to_owned()),
                None => self.wrong(Some(word), format!("'{}' is no domain name", word.get_ref()), "such as politie.nl"),
            }
        }
        for word in &file.authorities.words {
            let text = word.get_ref().trim();
            if text.chars().count() < 4 {
                self.wrong(Some(word), format!("'{text}' would be found in every other mail"), "give at least four letters");
            } else {
                policy.order_words.push(text.to_owned());
            }
        }
        for list in [&mut policy.authorities, &mut policy.order_words] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|one| seen.insert(one.to_lowercase()));
        }
    }

    fn calendar(&mut self, days: &file::Days) -> Calendar {
        let texts = |words: &[Word]| words.iter().map(|word| word.get_ref().clone()).collect();
        let zone = days.zone.as_ref().map_or(crate::calendar::AMSTERDAM, |zone| zone.get_ref());
        let mut off = DaysOff { always: texts(&days.always), never: texts(&days.never), ..DaysOff::default() };
        if let Some(holidays) = &days.holidays {
            off.holidays = if holidays.get_ref() == "none" { String::new() } else { holidays.get_ref().clone() };
        }
        for word in &days.closed {
            match Time::parse(word.get_ref().as_bytes()).filter(|time| time.0 % DAY == 0) {
                Some(time) => off.closed.push(time.day()),
                None => self.wrong(Some(word), format!("'{}' is no day", word.get_ref()), "write it as \"2026-12-24\""),
            }
        }
        match calendar(zone, &off) {
            Ok(calendar) => calendar,
            Err(text) => {
                let named = |words: &[Word]| words.iter().find(|word| text.contains(&format!("'{}'", word.get_ref()))).cloned();
                let is_about = |word: &Option<Word>| word.clone().filter(|word| text.contains(&format!("'{}'", word.get_ref())));
                let at = is_about(&days.zone).or_else(|| is_about(&days.holidays));
                let at = at.or_else(|| named(&days.always)).or_else(|| named(&days.never));
                self.wrong(at.as_ref(), text, "");
                Calendar::default()
            }
        }
    }

    fn rules(&mut self, given: &[Spanned<file::Rule>], policy: &mut Policy) {
        let mut places: Vec<(String, usize)> = Vec::new();
        let mut added = Vec::new();
        for spanned in given {
            let file = spanned.get_ref();
            let (name, at) = (file.name.get_ref().trim(), file.name.span().start);
            if let Some((_, before)) = places.iter().find(|(known, _)| known == name) {
                let line = self.problems.line(*before);
                self.wrong(Some(&file.name), format!("rule '{name}' is on line {line} already"), "give one of them another name");
                continue;
            }
            if name.is_empty() || name.chars().count() > 64 || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
                self.wrong(Some(&file.name), "a rule needs a name without blanks, of at most 64 letters", "");
                continue;
            }
            places.push((name.to_owned(), at));
            match policy.rule_named(name) {
                Some(place) => {
                    if let Some(changed) = self.rule(file, policy.rules.get(place).cloned()) {
                        policy.rules[place] = changed;
                    }
                }
                None => added.extend(self.rule(file, None)),
            }
        }
        // What the operator adds is looked at first.
        added.append(&mut policy.rules);
        policy.rules = added;
        if policy.rules.len() > RULES {
            self.problems.add(0..0, format!("a policy has at most {RULES} rules, this has {}", policy.rules.len()), "");
            return;
        }
        self.completeness(policy, &places);
        self.order(policy, &places);
    }

    /// A rule; what it does not say is as in `base`.
    fn rule(&mut self, file: &file::Rule, base: Option<Rule>) -> Option<Rule> {
        let name = file.name.get_ref().trim().to_owned();
        let is_new = base.is_none();
        if is_new {
            let needed = [
                ("kinds", file.kinds.is_none()),
                ("severity", file.severity.is_none()),
                ("acknowledge", file.acknowledge.is_none()),
                ("customer", file.customer.is_none()),
                ("fix", file.fix.is_none()),
                ("addressee", file.addressee.is_none()),
            ];
            let missing: Vec<&str> = needed.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect();
            if !missing.is_empty() {
                let names = (self.shipped)().rules;
                let near = did_you_mean(&name, names.iter().map(|rule| rule.name.as_str()));
                let text = format!("rule '{name}' is new, and does not say: {}", missing.join(", "));
                let hint =
                    if near.is_empty() { "only a rule of the shipped policy may be changed in part".to_owned() } else { near };
                self.wrong(Some(&file.name), text, hint);
                return None;
            }
        }
        let mut rule = base.unwrap_or_else(|| Rule {
            name,
            kinds: Vec::new(),
            when: Vec::new(),
            severity: Severity::P3,
            acknowledge: Acknowledge::Never,
            customer: None,
            fix: None,
            force: None,
            automatic: false,
            addressee: Addressee::Deepest,
            quiet: None,
            absent_runs: None,
            source: "own".to_owned(),
            mark: Mark::Design,
        });
        if let Some(kinds) = &file.kinds {
            rule.kinds = self.kinds(kinds, &file.name);
        }
        if let Some(when) = &file.when {
            rule.when = when.iter().map(|when| self.when(when, &file.name)).collect();
        }
        if let Some(severity) = &file.severity {
            match Severity::parse(severity.get_ref()) {
                Some(parsed) => rule.severity = parsed,
                None => self.wrong(
                    Some(severity),
                    format!("there is no severity '{}'", severity.get_ref()),
                    "P0 (lives, children, orders), P1, P2, P3 or P4 (housekeeping)",
                ),
            }
        }
        if let Some(acknowledge) = &file.acknowledge {
            rule.acknowledge = match acknowledge.get_ref().as_str() {
                "never" | "none" => Acknowledge::Never,
                "digest" => Acknowledge::Digest,
                "at once" => Acknowledge::Within(Term::Elapsed(0)),
                _ => self.term(acknowledge).map_or(rule.acknowledge, Acknowledge::Within),
            };
        }
        for (word, clock) in [
            (&file.customer, &mut rule.customer),
            (&file.fix, &mut rule.fix),
            (&file.force, &mut rule.force),
            (&file.quiet, &mut rule.quiet),
        ] {
            if let Some(word) = word {
                *clock = self.clock(word);
            }
        }
        if rule.quiet.is_some_and(|quiet| quiet.about() < DAY) {
            let text = "a case is not to close within a day because nothing was said";
            self.wrong(file.quiet.as_ref(), text, "make `quiet` a day or more");
        }
        if let Some(runs) = &file.absent_runs {
            let mut value = 0u16;
            self.number(Some(runs), 0..=1_000, "runs of a feed; 0 for never", &mut value);
            rule.absent_runs = (value > 0).then_some(value);
        }
        if let Some(addressee) = &file.addressee {
            match addressee.get_ref().as_str() {
                "direct" => rule.addressee = Addressee::Direct,
                "deepest" => rule.addressee = Addressee::Deepest,
                "both" => rule.addressee = Addressee::Both,
                other => self.wrong(
                    Some(addressee),
                    format!("there is no addressee '{other}'"),
                    "\"direct\" (who rents from us), \"deepest\" (the last party we know) or \"both\"",
                ),
            }
        }
        if let Some(mark) = &file.mark {
            match Mark::parse(mark.get_ref()) {
                Some(parsed) => rule.mark = parsed,
                None => {
                    let hint = "P (read in full), V (read in an excerpt), K (general knowledge) or D (a proposal)";
                    self.wrong(Some(mark), format!("there is no mark '{}'", mark.get_ref()), hint);
                }
            }
        }
        if let Some(source) = &file.source {
            rule.source = source.get_ref().trim().to_owned();
        }
        if let Some(automatic) = &file.automatic {
            rule.automatic = *automatic.get_ref();
            if rule.automatic && rule.force.is_none() {
                self.problems.add(automatic.span(), "it would act by itself, and does not say when", "give it `force`");
            }
        }
        self.terms(&rule, file);
        Some(rule)
    }

    /// Terms stand in the order in which they run out.
    fn terms(&mut self, rule: &Rule, file: &file::Rule) {
        let pairs = [
            ("customer", rule.customer, &file.customer, "fix", rule.fix, &file.fix),
            ("fix", rule.fix, &file.fix, "force", rule.force, &file.force),
            ("customer", rule.customer, &file.customer, "force", rule.force, &file.force),
        ];
        for (sooner, first, first_word, later, second, second_word) in pairs {
            if let (Some(first), Some(second)) = (first, second)
                && first.about() > second.about()
            {
                let at = second_word.as_ref().or(first_word.as_ref()).unwrap_or(&file.name);
                let text = format!("rule '{}': `{later}` ({second}) is sooner than `{sooner}` ({first})", rule.name);
                self.wrong(Some(at), text, "customer, then fix, then force");
                return;
            }
        }
    }

    fn kinds(&mut self, words: &[Word], rule: &Word) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for word in words {
            let text = word.get_ref().trim();
            let found: Vec<Kind> = match text.split_once('/') {
                _ if text == "*" => Kind::ALL.to_vec(),
                Some((category, "*")) => {
                    Kind::ALL.iter().copied().filter(|kind| kind.category().eq_ignore_ascii_case(category)).collect()
                }
                Some((category, kind)) => Kind::from_words(category, kind).into_iter().collect(),
                None => Vec::new(),
            };
            if found.is_empty() {
                let known: Vec<String> = Kind::ALL.iter().map(Kind::to_string).collect();
                let same = |kind: &&Kind| text.split('/').any(|word| kind.type_name() == word);
                let hint = match Kind::ALL.iter().find(same) {
                    Some(kind) => format!("did you mean '{kind}'?"),
                    None => did_you_mean(text, known.iter().map(String::as_str)),
                };
                let all = "write XARF's category/type, such as \"content/phishing\", or \"content/*\", or \"*\"";
                let hint = if hint.is_empty() { all.to_owned() } else { hint };
                self.wrong(Some(word), format!("there is no kind '{text}'"), hint);
            }
            kinds.extend(found.into_iter().filter(|kind| !words.is_empty() && !kinds.contains(kind)).collect::<Vec<_>>());
        }
        if words.is_empty() {
            self.wrong(Some(rule), "a rule about no kind", "name at least one in `kinds`");
        }
        kinds
    }

    fn when(&mut self, file: &file::When, rule: &Word) -> When {
        let mut when = When { order: file.order, ..When::default() };
        for port in &file.ports {
            let mut number = 0u16;
            self.number(Some(port), 1..=65_535, "a port", &mut number);
            when.ports.push(number);
        }
        let lists = [("", &file.tags), ("rsit:", &file.rsit), ("identifier:", &file.identifiers), ("feed:", &file.feeds)];
        for (prefix, words) in lists {
            for word in words {
                let text = word.get_ref().trim();
                if text.is_empty() || text.contains(['\n', '\r']) || text.len() > 300 {
                    self.wrong(Some(word), "an empty or endless condition", "write the word as reports have it");
                } else {
                    when.traits.push(format!("{prefix}{text}"));
                }
            }
        }
        if when == When::default() {
            self.wrong(Some(rule), "a condition that asks for nothing", "leave `when` out, or name ports, tags or feeds in it");
        }
        when
    }

    /// Every kind has a rule that holds whatever else a report says.
    fn completeness(&mut self, policy: &Policy, places: &[(String, usize)]) {
        let has_rule = |kind: &&Kind| policy.rules.iter().any(|rule| rule.when.is_empty() && rule.kinds.contains(kind));
        let without: Vec<String> = Kind::ALL.iter().filter(|kind| !has_rule(kind)).map(Kind::to_string).collect();
        if !without.is_empty() {
            let at = places.last().map_or(0, |(_, at)| *at);
            let shown = without.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            let more = if without.len() > 5 { format!(" and {} more", without.len() - 5) } else { String::new() };
            let hint = "add a last rule without `when` for them, such as kinds = [\"*\"]";
            self.problems.add(at..at, format!("no rule holds without conditions for {shown}{more}"), hint);
        }
    }

    /// No rule stands behind others that take all it is about.
    fn order(&mut self, policy: &Policy, places: &[(String, usize)]) {
        let place = |name: &str| places.iter().find(|(known, _)| known == name).map(|(_, at)| *at);
        for (number, rule) in policy.rules.iter().enumerate() {
            let before = policy.rules.get(..number).unwrap_or_default();
            let everything = [When::default()];
            let parts = if rule.when.is_empty() { &everything[..] } else { &rule.when[..] };
            let takes = |kind: Kind, part: &When| {
                before.iter().find(|earlier| {
                    earlier.kinds.contains(&kind)
                        && (earlier.when.is_empty() || earlier.when.iter().any(|when| when.covers(part)))
                })
            };
            let taken = rule.kinds.iter().flat_map(|kind| parts.iter().map(|part| takes(*kind, part)));
            let taken: Option<Vec<&Rule>> = taken.collect();
            let Some(first) = taken.as_ref().and_then(|taken| taken.first()) else { continue };
            let of = |name: &str| match place(name) {
                Some(at) => format!("'{name}' on line {}", self.problems.line(at)),
                None => format!("'{name}' of the shipped policy"),
            };
            let text = format!("rule {} can never hold: {} takes everything first", of(&rule.name), of(&first.name));
            let hint = match (place(&rule.name), place(&first.name)) {
                (None, Some(_)) => format!("change the shipped rule instead: name = \"{}\"", rule.name),
                _ => "put the narrow rule first, or give the wide one a `when`".to_owned(),
            };
            let at = place(&rule.name).or_else(|| place(&first.name)).unwrap_or(0);
            self.problems.add(at..at, text, hint);
        }
    }
}
