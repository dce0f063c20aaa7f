//! Policy: the operator's own rules, as values. [`decide()`] says what follows from them for one case at one moment.
//!
//! A policy is read from a file by the desk; what stands here has been checked: the rules cover every kind, terms are in
//! order. Nothing is forced by itself unless a rule says so in as many words, and then only under design 5.2.

mod decide;

pub use decide::{Alarm, Clocks, Closure, Decided, Facts, Next, Progress, Rung, decide};

use crate::calendar::{Calendar, Term};
use crate::category::Kind;
use crate::report::{Report, Word};
use crate::resource::Resource;
use crate::sender::{Proof, Sender};
use crate::severity::Severity;
use crate::submission::Door;
use crate::time::DAY;

/// How sure the source of a rule is (domain.md: P read in full, V read in an excerpt, K general knowledge, D our proposal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Primary text, read in full.
    Primary,
    /// Read in an excerpt of the page cited.
    Verified,
    /// General knowledge, not verified.
    Known,
    /// A proposal of ours, not a legal or code obligation.
    Design,
}

impl Mark {
    /// The letter in a policy file.
    pub fn letter(self) -> &'static str {
        match self {
            Mark::Primary => "P",
            Mark::Verified => "V",
            Mark::Known => "K",
            Mark::Design => "D",
        }
    }

    /// The mark of a letter.
    pub fn parse(letter: &str) -> Option<Mark> {
        [Mark::Primary, Mark::Verified, Mark::Known, Mark::Design].into_iter().find(|mark| mark.letter() == letter)
    }
}

/// Who in the chain is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addressee {
    /// The party that rents from the operator itself.
    Direct,
    /// The last party of the chain that we know.
    Deepest,
    /// Both, when they are two.
    Both,
}

/// How the arrival of a report is acknowledged to its reporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acknowledge {
    /// Not at all.
    Never,
    /// Together with others, once a day.
    Digest,
    /// By itself, within a term.
    Within(Term),
}

/// Whether a node acts at a severity, or only shows what it would have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It decides and shows; nothing goes out.
    Observe,
    /// What is decided goes out.
    Act,
}

/// How cases of one severity are cared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Care {
    /// Whether anything goes out.
    pub mode: Mode,
    /// How long what is to be told to one party may be gathered into one letter.
    pub gather: i64,
}

/// What a report must say for a rule to be about it, beside its kind. Everything that is empty is no condition; what is
/// not empty must hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// The port is one of these.
    pub ports: Vec<u16>,
    /// It bears one of these tags or RSIT classes, as [`traits_of`] writes them.
    pub traits: Vec<String>,
    /// Whether it is the order of an authority, which a person has confirmed.
    pub order: bool,
}

impl When {
    /// Whether it holds for a report with these marks; `traits` as [`traits_of`] writes them, case is ignored.
    pub fn holds(&self, port: u16, traits: &str, order: bool) -> bool {
        (!self.order || order)
            && (self.ports.is_empty() || self.ports.contains(&port))
            && (self.traits.is_empty()
                || traits.lines().any(|one| self.traits.iter().any(|wanted| wanted.eq_ignore_ascii_case(one))))
    }

    /// Whether it holds wherever `other` does.
    pub fn covers(&self, other: &When) -> bool {
        (!self.order || other.order)
            && (self.ports.is_empty() || !other.ports.is_empty() && other.ports.iter().all(|port| self.ports.contains(port)))
            && (self.traits.is_empty()
                || !other.traits.is_empty()
                    && other.traits.iter().all(|one| self.traits.iter().any(|wanted| wanted.eq_ignore_ascii_case(one))))
    }
}

/// A rule: what is to happen about some kinds of abuse, and by when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which steps refer to it.
    pub name: String,
    /// The kinds it is about.
    pub kinds: Vec<Kind>,
    /// What else has to be so: one of these. None: nothing else.
    pub when: Vec<When>,
    /// How bad it is.
    pub severity: Severity,
    /// What the reporter is told.
    pub acknowledge: Acknowledge,
    /// By when the party is to be told; `None`: a person decides whether it is told at all.
    pub customer: Option<Term>,
    /// By when it is to be mended.
    pub fix: Option<Term>,
    /// When the operator itself acts, if it was not.
    pub force: Option<Term>,
    /// Whether it then acts without a person, where design 5.2 allows that. The shipped policy says so nowhere.
    pub automatic: bool,
    /// Who is told.
    pub addressee: Addressee,
    /// Closed when no report came for this long.
    pub quiet: Option<Term>,
    /// Closed when a feed arrived this many times without naming it any more.
    pub absent_runs: Option<u16>,
    /// The law, code or practice it comes from.
    pub source: String,
    /// How sure that is.
    pub mark: Mark,
}

impl Rule {
    /// Whether it is about a report of `kind` with these marks.
    pub fn is_about(&self, kind: Kind, port: u16, traits: &str, order: bool) -> bool {
        self.kinds.contains(&kind) && (self.when.is_empty() || self.when.iter().any(|when| when.holds(port, traits, order)))
    }
}

/// Whom to believe how much (domain.md 5.2, "Confidence of a report").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Domain name of the reporter's mail address; empty for any.
    pub reporter: String,
    /// Format in which it reports; empty for any.
    pub format: String,
    /// Whether the operator vouches that what comes in this format through [`Trust::door`] is from nobody else.
    pub authenticated: bool,
    /// What must prove that a mail is from [`Trust::reporter`], which then is the domain name that is proven, not what the
    /// report says of itself; `None` when nothing is to be proved.
    pub proven: Option<Proven>,
    /// Door it must come through, by its word; empty for any.
    pub door: String,
    /// From 0 to 100.
    pub trust: u8,
}

/// What must prove who a mail is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven {
    /// A signature of an aligned domain name (DKIM).
    Dkim,
    /// The envelope (SPF), or better: a signature.
    Spf,
    /// Either of them.
    Any,
}

impl Proven {
    /// Every one.
    pub const ALL: [Proven; 3] = [Proven::Dkim, Proven::Spf, Proven::Any];

    /// The word in a policy file.
    pub fn word(self) -> &'static str {
        match self {
            Proven::Dkim => "dkim",
            Proven::Spf => "spf",
            Proven::Any => "any",
        }
    }

    /// Whether this proof is enough.
    pub fn is_met(self, proof: Proof) -> bool {
        match self {
            Proven::Dkim => proof == Proof::Dkim,
            Proven::Spf | Proven::Any => matches!(proof, Proof::Dkim | Proof::Spf),
        }
    }
}

/// Who says something, and how it came: what trust depends on.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// Mail address or name of the reporter, as the report says it.
    pub reporter: &'a str,
    /// Format of the report.
    pub format: &'a str,
    /// The door it came through.
    pub door: Door,
    /// Who the mail is from that it came in; `None` when it came in none.
    pub sender: Option<&'a Sender>,
    /// What the report says of its own confidence, 0 to 100.
    pub stated: Option<u8>,
}

/// How far somebody is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief<'a> {
    /// From 0 to 100.
    pub confidence: u8,
    /// Whether it is known to be the one.
    pub authenticated: bool,
    /// Whether that is known by more than an envelope. Machines are shared, and so is what their address proves: nothing is
    /// taken away on that alone.
    pub signed: bool,
    /// The domain name in the policy that is proven to have sent it; empty for none.
    pub proven: &'a str,
    /// The domain name in the policy that its mail says it is from, where a proof is asked for and there is none; empty
    /// for none.
    pub claimed: &'a str,
}

/// The most that is believed of a mail of which the domain name itself says that it is not from it (DMARC).
const DISOWNED: u8 = 10;

/// What follows when the weak point that a case is about is known to be exploited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhenExploited {
    /// Whether the case is one severity worse than its rule says.
    pub raise: bool,
    /// How bad it may become by that; never P0, which is about lives and children.
    pub at_most: Severity,
    /// By when the party is told, if that is sooner than its rule says.
    pub customer: Option<Term>,
    /// By when it is mended, if that is sooner than its rule says.
    pub fix: Option<Term>,
}

impl WhenExploited {
    /// The severity of a case that a rule gives this one.
    pub fn severity(&self, rule: Severity) -> Severity {
        let worse = Severity::ALL.into_iter().rev().find(|severity| *severity < rule).unwrap_or(rule);
        if self.raise && self.at_most < rule { worse.max(self.at_most) } else { rule }
    }
}

/// When a party's whole conduct is put before a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Confirmed cases of P0 or P1 …
    pub confirmed: u32,
    /// … or letters that it ignored …
    pub ignored: u32,
    /// … within so many milliseconds.
    pub within: i64,
}

/// When the outbox stops and asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    /// More than this many times the usual hour …
    pub factor: u32,
    /// … and more letters than this an hour …
    pub letters: u32,
    /// … or more restrictions than this.
    pub restrictions: u32,
}

/// The operator's rules. See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What the operator calls it.
    pub name: String,
    /// How each severity is cared for, P0 first.
    pub care: [Care; 5],
    /// Rules, the first that is about a report holds.
    pub rules: Vec<Rule>,
    /// When a party is reminded, in percent of the time between being told and the end of the fix term.
    pub remind: u8,
    /// When it is warned for the last time, likewise.
    pub warn: u8,
    /// Below this confidence (0 to 100) a case is only watched.
    pub watch_below: u8,
    /// Trust in reporters of whom nothing is said.
    pub unknown: u8,
    /// Trust in reporters.
    pub trust: Vec<Trust>,
    /// Repeat offenders.
    pub repeat: Repeat,
    /// The brake.
    pub brake: Brake,
    /// What follows when a weak point is known to be exploited.
    pub exploited: WhenExploited,
    /// By when a dispute is decided, by somebody else.
    pub dispute: Term,
    /// Reports older than this on arrival are history, in milliseconds.
    pub history: i64,
    /// What is never restricted.
    pub protected: Vec<Resource>,
    /// Domain names of authorities and hotlines, whose mail is shown to a person at once.
    pub authorities: Vec<String>,
    /// Words that make a mail look like an order.
    pub order_words: Vec<String>,
    /// The clock and working days of the operator.
    pub calendar: Calendar,
}

/// Bytes of the traits of a report that are kept with its case.
const TRAITS: usize = 400;

/// What a report says of itself that rules may ask for, one to a line: its tags, `rsit:class/example`, `feed:name`.
pub fn traits_of(report: &Report<'_>) -> String {
    let mut traits = String::new();
    let mut add = |prefix: &str, value: &str| {
        let value = value.trim();
        if !value.is_empty() && !value.contains(['\n', '\r']) && traits.len() + prefix.len() + value.len() < TRAITS {
            if !traits.is_empty() {
                traits.push('\n');
            }
            traits.push_str(prefix);
            traits.push_str(value);
        }
    };
    for (word, value) in report.fields() {
        let prefix = match word {
            Word::TAG => "",
            Word::RSIT => "rsit:",
            Word::RSIT_IDENTIFIER => "identifier:",
            Word::FEED => "feed:",
            Word::CVE_ID => crate::advisory::TRAIT,
            _ => continue,
        };
        if value.shape == crate::report::Shape::Text {
            add(prefix, value.text());
        }
    }
    traits
}

/// The longest time a case with the shipped rules may wait for anything; what is further off is looked at again then.
pub const LOOK_AGAIN: i64 = 30 * DAY;

impl Policy {
    /// The first rule about a report, by its place. Every policy that was read has a rule for every kind.
    pub fn rule_for(&self, kind: Kind, port: u16, traits: &str, order: bool) -> Option<usize> {
        self.rules.iter().position(|rule| rule.is_about(kind, port, traits, order))
    }

    /// The place of the rule of a name.
    pub fn rule_named(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.name == name)
    }

    /// How a severity is cared for.
    pub fn care(&self, severity: Severity) -> Care {
        self.care[severity as usize]
    }

    /// How far somebody is believed.
    ///
    /// What is known of nobody is never more than [`Policy::unknown`], and what a report says of itself only lowers it. Who
    /// says that it is somebody whose mail is to be proved, and proves nothing, is a stranger, whatever else is said of it.
    pub fn belief(&self, speaker: &Speaker<'_>) -> Belief<'_> {
        let Speaker { reporter, format, door, sender, .. } = *speaker;
        let proof = sender.map_or(Proof::None, |sender| sender.proof);
        let is_open = |trust: &&Trust| {
            (trust.format.is_empty() || trust.format == format) && (trust.door.is_empty() || trust.door == door.word())
        };
        let is_from = |trust: &Trust, name: &str| trust.reporter.is_empty() || is_under(name, &trust.reporter);
        let proves = |trust: &Trust| match (trust.proven, sender) {
            (Some(proven), Some(sender)) => proven.is_met(sender.proof) && is_under(&sender.domain, &trust.reporter),
            _ => false,
        };
        let found = self.trust.iter().filter(is_open).find(|trust| match trust.proven {
            Some(_) => proves(trust),
            None => is_from(trust, reporter),
        });
        // Being vouched for by a door is worth nothing to who pretends to be somebody in particular.
        let is_proven = found.is_some_and(|trust| trust.proven.is_some());
        let claimed = self.trust.iter().filter(is_open).find(|trust| {
            trust.proven.is_some() && sender.is_some_and(|sender| is_under(&sender.from, &trust.reporter)) && !proves(trust)
        });
        let claimed = claimed.filter(|_| !is_proven).map_or("", |trust| trust.reporter.as_str());
        // Nor to a mail that does not say who it is from: it might name that somebody among others.
        let is_from_several = door != Door::File && sender.is_some_and(|sender| sender.from.is_empty());
        let (trust, mut authenticated) = found.map_or((self.unknown, false), |trust| {
            // A name anyone can write is worth no more than a stranger's word.
            let is_sure = is_proven || trust.authenticated && claimed.is_empty() && !is_from_several;
            if is_sure { (trust.trust, true) } else { (trust.trust.min(self.unknown), false) }
        });
        let mut trust = trust;
        // Only what the operator lays in by hand is more than what the domain name says of its own mail.
        if proof == Proof::Failed && !(authenticated && door == Door::File) {
            (trust, authenticated) = (trust.min(DISOWNED), false);
        }
        let stated = speaker.stated.unwrap_or(100).min(100);
        let proven = found.filter(|trust| authenticated && trust.proven.is_some()).map_or("", |trust| trust.reporter.as_str());
        let signed = authenticated && !(is_proven && proof == Proof::Spf);
        Belief { confidence: (u32::from(trust) * u32::from(stated) / 100) as u8, authenticated, signed, proven, claimed }
    }
}

/// Whether a mail address or domain name lies at or under a domain name; case is ignored.
pub fn is_under(name: &str, domain: &str) -> bool {
    let name = name.rsplit('@').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let domain = domain.to_ascii_lowercase();
    name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests;
