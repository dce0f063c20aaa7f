//! The verdict on a report: whether the schema of its version allows it, and if not, what is wrong.

use std::borrow::Cow;
use std::sync::LazyLock;

use model::category::Kind;

use super::json::{self, At, Document};
use super::rules::{self, Also, Rules};
use super::rules_content::CONTENT_TYPES;
use super::rules_copyright::{COPYRIGHT_TYPES, LEGACY};

pub use super::shape::Violation;
use super::shape::{Check, Path, Shape, shown};
use super::text;

/// Nesting that a verdict follows; deeper documents are invalid.
const DEPTH: usize = 64;

/// What a schema says about a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is allowed.
    pub valid: bool,
    /// Why not; at most about thirty things.
    pub violations: Vec<Violation>,
}

/// The verdict of XARF 4.2's master schema, formats asserted, on one JSON document.
///
/// `uri` and `hostname` are asserted as RFC 3986 and RFC 1123 have them, `email` as RFC 5321 has it.
pub fn verdict(bytes: &[u8]) -> Verdict {
    judge(bytes, |document, text, violations| {
        let named = Named::of(document, text);
        let exact = named.exact();
        check(document, text, Plan::of(exact), exact, &mut Members::default(), violations);
    })
}

/// The verdict of xarf-spec's schema for legacy version 3 on one JSON document.
pub fn verdict_v3(bytes: &[u8]) -> Verdict {
    judge(bytes, |document, text, violations| {
        Check { document, text, violations }.value(&LEGACY, 0, &Path::ROOT);
    })
}

fn judge(bytes: &[u8], check: impl FnOnce(&Document, &str, &mut Vec<Violation>)) -> Verdict {
    let refuse = |message: String| {
        let violation = Violation { at: String::new(), keyword: "json", message };
        Verdict { valid: false, violations: vec![violation] }
    };
    let Ok(text) = std::str::from_utf8(bytes) else { return refuse("is not UTF-8".to_owned()) };
    let mut document = Document::default();
    if let Err(fault) = document.scan(text, DEPTH) {
        return refuse(format!("is not JSON: byte {}: {}", fault.at, fault.what));
    }
    let mut violations = Vec::new();
    check(&document, text, &mut violations);
    Verdict { valid: violations.is_empty(), violations }
}

/// What a document says it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Named<'t> {
    /// `category`, or `class` as drafts of version 4 called it; empty when there is none.
    pub(super) category: Cow<'t, str>,
    /// `type`; empty when there is none.
    pub(super) type_name: Cow<'t, str>,
    /// Whether the category came as `category`.
    pub(super) current: bool,
}

impl<'t> Named<'t> {
    pub(super) fn of(document: &Document, text: &'t str) -> Named<'t> {
        let word = |name| document.member(text, 0, name).and_then(|at| document.text(text, at));
        let category = word("category");
        Named {
            current: category.is_some(),
            category: category.or_else(|| word("class")).unwrap_or_default(),
            type_name: word("type").unwrap_or_default(),
        }
    }

    /// The kind, when its words stand there as the schema has them.
    pub(super) fn exact(&self) -> Option<Kind> {
        self.lenient().filter(|kind| self.current && kind.category() == self.category && kind.type_name() == self.type_name)
    }

    /// The kind, however its words are spelt.
    pub(super) fn lenient(&self) -> Option<Kind> {
        Kind::from_words(&self.category, &self.type_name)
    }
}

/// Where the members of a report stand.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// By place in the plan: the last value of each name, 0 when absent.
    pub(super) known: Vec<At>,
    /// Every name, its value, and its place in the plan if it has one: in order, with names that come again.
    pub(super) order: Vec<(At, At, Option<usize>)>,
}

impl Members {
    /// Where a member stands that the plan knows.
    pub(super) fn known_at(&self, plan: &Plan, name: &str) -> Option<At> {
        plan.place(name).and_then(|place| self.known.get(place)).copied().filter(|at| *at != 0)
    }
}

/// The rules of core, category and type, laid out for looking up a name in one step.
pub(super) struct Plan {
    pub(super) members: Vec<(&'static str, &'static Shape)>,
    required: Vec<usize>,
    also: Also,
    slots: Vec<u16>,
}

const EMPTY: u16 = u16::MAX;
/// Slots for looking up names; no plan has a quarter as many members.
pub(super) const SLOTS: usize = 256;

impl Plan {
    /// The plan of a kind; without one, the core's alone.
    pub(super) fn of(kind: Option<Kind>) -> &'static Plan {
        static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| Kind::ALL.iter().map(|kind| Plan::new(Some(*kind))).collect());
        static CORE: LazyLock<Plan> = LazyLock::new(|| Plan::new(None));
        kind.and_then(|kind| PLANS.get(kind as usize)).unwrap_or(&CORE)
    }

    fn new(kind: Option<Kind>) -> Plan {
        let mut plan = Plan { members: Vec::new(), required: Vec::new(), also: Also::Nothing, slots: vec![EMPTY; SLOTS] };
        plan.add(rules::CORE, rules::CORE_REQUIRED);
        if kind.is_some_and(|kind| kind.category() == "content") {
            plan.add(rules::CONTENT, &["url"]);
        }
        if let Some(rules) = kind.and_then(rules_of) {
            plan.add(rules.members, rules.required);
            plan.also = rules.also;
        }
        plan
    }

    fn add(&mut self, members: rules::Members, required: &[&str]) {
        for (name, shape) in members {
            match self.place(name) {
                Some(place) => {
                    if let Some(member) = self.members.get_mut(place) {
                        member.1 = shape;
                    }
                }
                None => {
                    let mut slot = hash(name.as_bytes());
                    while self.slots.get(slot) != Some(&EMPTY) {
                        slot = (slot + 1) % SLOTS;
                    }
                    if let Some(slot) = self.slots.get_mut(slot) {
                        *slot = self.members.len() as u16;
                    }
                    self.members.push((name, shape));
                }
            }
        }
        for name in required {
            self.required.extend(self.place(name));
        }
    }

    /// The place of a name among the members.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let mut slot = hash(name.as_bytes());
        // No plan fills a quarter of the slots, so an empty one ends every search.
        loop {
            match self.slots.get(slot) {
                Some(&EMPTY) | None => return None,
                Some(&place) => {
                    if self.members.get(usize::from(place)).is_some_and(|(member, _)| *member == name) {
                        return Some(usize::from(place));
                    }
                }
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

fn hash(name: &[u8]) -> usize {
    let byte = |at: usize| name.get(at).map_or(0, |byte| usize::from(*byte));
    (name.len() * 37 + byte(0) * 7 + byte(name.len() / 2) * 3 + byte(name.len().wrapping_sub(1)) * 13) % SLOTS
}

fn rules_of(kind: Kind) -> Option<&'static Rules> {
    [rules::TYPES, CONTENT_TYPES, COPYRIGHT_TYPES].into_iter().flatten().find(|rules| rules.kind == kind)
}

/// Checks a whole report of version 4. `exact` is the kind it states in the schema's own words; `members` is left
/// holding where everything stands.
pub(super) fn check(
    document: &Document,
    text: &str,
    plan: &Plan,
    exact: Option<Kind>,
    members: &mut Members,
    violations: &mut Vec<Violation>,
) {
    members.known.clear();
    members.known.resize(plan.members.len(), 0);
    members.order.clear();
    let mut check = Check { document, text, violations };
    if document.kind(0) != json::Kind::Object {
        check.fail(&Path::ROOT, "type", || "is not an object".to_owned());
        return;
    }
    for (name, value) in document.members(0) {
        let place = document.text(text, name).and_then(|name| plan.place(&name));
        if let Some(known) = place.and_then(|place| members.known.get_mut(place)) {
            *known = value;
        }
        members.order.push((name, value, place));
    }
    let at = |name: &str| members.known_at(plan, name);
    for place in &plan.required {
        if members.known.get(*place) == Some(&0) {
            let name = plan.members.get(*place).map_or("", |(name, _)| name);
            check.fail(&Path::ROOT, "required", || format!("'{name}' is missing"));
        }
    }
    for ((name, shape), value) in plan.members.iter().zip(&members.known) {
        if *value != 0 {
            check.value(shape, *value, &Path::ROOT.name(name));
        }
    }
    if exact.is_none() {
        let word = |name| at(name).and_then(|at| document.text(text, at)).unwrap_or_default();
        check.fail(&Path::ROOT, "anyOf", || {
            format!("category '{}' has no type '{}'", shown(&word("category")), shown(&word("type")))
        });
    }
    match plan.also {
        Also::Nothing => {}
        Also::PortOfAddress => {
            let source = at("source_identifier").and_then(|at| document.text(text, at));
            if source.is_none_or(|source| text::is_ip(&source)) && at("source_port").is_none() {
                check.fail(&Path::ROOT, "required", || "'source_port' is missing, which an address here needs".to_owned());
            }
        }
        Also::SmtpSender => {
            if at("protocol").is_none_or(|at| document.is_text(text, at, "smtp")) {
                for name in ["smtp_from", "source_port"] {
                    if at(name).is_none() {
                        check.fail(&Path::ROOT, "required", || format!("'{name}' is missing, which SMTP needs"));
                    }
                }
            }
        }
        Also::OneIn(name, members) => {
            let found = at(name).is_some_and(|at| members.iter().any(|member| document.member(text, at, member).is_some()));
            if !found {
                check.fail(&Path::ROOT, "anyOf", || format!("'{name}' with {} is missing", members.join(" or ")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_rules_and_no_object_outgrows_its_check() {
        fn widest(shape: &Shape) -> usize {
            match shape {
                Shape::Object(object) => {
                    object.members.iter().map(|(_, shape)| widest(shape)).max().unwrap_or(0).max(object.members.len())
                }
                Shape::List(list) => widest(&list.of),
                _ => 0,
            }
        }
        for &kind in Kind::ALL {
            assert!(rules_of(kind).is_some(), "{kind}");
            let plan = Plan::of(Some(kind));
            assert!(plan.members.len() < SLOTS / 4, "{kind}");
            assert!(plan.members.iter().all(|(_, shape)| widest(shape) <= 24), "{kind}");
            for (place, (name, _)) in plan.members.iter().enumerate() {
                assert_eq!(plan.place(name), Some(place));
            }
        }
        assert!(widest(&LEGACY) <= 24);
    }

    #[test]
    fn violations_say_where_and_what() {
        let verdict =
            verdict(br#"{"xarf_version":"4","reporter":{"org":5},"category":"content","type":"phishing","tags":["a:b","A"]}"#);
        let lines: Vec<_> = verdict.violations.iter().map(ToString::to_string).collect();
        assert!(!verdict.valid);
        for line in ["'url' is missing", "reporter/org: is not a string", "tags/1: 'A' is not namespace:predicate"] {
            assert!(lines.iter().any(|have| have == line), "{line} in {lines:#?}");
        }
    }
}
