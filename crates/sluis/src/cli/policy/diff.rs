//! `sluis policy diff`: what two policies say differently, rule by rule.

use anyhow::Result;
use model::policy::Policy;
use serde_json::{Value, json};

use super::super::Globals;
use super::words;
use crate::output::{Screen, Style, json as out};

/// Show what two policies say differently
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis policy diff shipped current      what is our own
  sluis policy diff 3 4                  what changed between two versions
  sluis policy diff current new.toml     what a new file would change

Exit code: 0 when they are the same, 1 when not.")]
pub(crate) struct Diff {
    /// A file, the number of a version, 'current' or 'shipped'
    #[arg(value_name = "OLD")]
    old: String,
    /// Likewise
    #[arg(value_name = "NEW")]
    new: String,
    /// One JSON object a line, one for each difference
    #[arg(long)]
    json: bool,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq)]
struct Difference {
    /// Where: `rule phishing`, `severity P1`.
    place: String,
    /// What: `fix`. Empty when the whole place is new or gone.
    what: String,
    old: Value,
    new: Value,
}

/// What differs, in the order of the new policy.
fn differences(old: &Policy, new: &Policy) -> Vec<Difference> {
    let mut found = Vec::new();
    let (before, after) = (words::policy_json(old, ""), words::policy_json(new, ""));
    let empty = serde_json::Map::new();
    let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut compare = |place: &str, old: &Value, new: &Value, skip: &[&str]| {
        let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
        for (what, new) in new {
            let old = old.get(what).unwrap_or(&Value::Null);
            if old != new && !skip.contains(&what.as_str()) {
                found.push(Difference { place: place.to_owned(), what: what.clone(), old: old.clone(), new: new.clone() });
            }
        }
    };
    compare("policy", &before, &after, &["severity", "rules", "from"]);
    for (severity, new) in map(&after["severity"]) {
        compare(&format!("severity {severity}"), &before["severity"][&severity], &new, &[]);
    }
    for new in &new.rules {
        let place = format!("rule {}", new.name);
        match old.rules.iter().find(|rule| rule.name == new.name) {
            Some(old) => compare(&place, &words::rule_json(old), &words::rule_json(new), &[]),
            None => compare("new rule", &json!({}), &json!({ new.name.as_str(): words::rule_json(new) }), &[]),
        }
    }
    for gone in old.rules.iter().filter(|rule| new.rule_named(&rule.name).is_none()) {
        compare("rule gone", &json!({ gone.name.as_str(): words::rule_json(gone) }), &json!({ gone.name.as_str(): null }), &[]);
    }
    let order = |policy: &Policy, other: &Policy| -> Vec<String> {
        policy.rules.iter().map(|rule| rule.name.clone()).filter(|name| other.rule_named(name).is_some()).collect()
    };
    let (before, after) = (order(old, new), order(new, old));
    compare("policy", &json!({ "order of rules": before }), &json!({ "order of rules": after }), &[]);
    let more = |policy: &Policy| {
        let trust: Vec<String> = policy.trust.iter().map(|one| format!("{one:?}")).collect();
        json!({
            "trust": trust.len(), "trusted": trust,
            "repeat": format!("{} cases or {} letters in {} days", policy.repeat.confirmed, policy.repeat.ignored, policy.repeat.within / model::time::DAY),
            "brake": format!("{} times the usual hour, {} letters, {} restrictions", policy.brake.factor, policy.brake.letters, policy.brake.restrictions),
            "history": policy.history / model::time::DAY,
            "protected": policy.protected.len(),
            "authorities": policy.authorities, "order words": policy.order_words,
        })
    };
    compare("policy", &more(old), &more(new), &[]);
    if old.calendar != new.calendar {
        compare("policy", &json!({ "calendar": "old" }), &json!({ "calendar": "other days or another zone" }), &[]);
    }
    found
}

pub(super) fn run(args: &Diff, globals: &Globals) -> Result<u8> {
    let ((old, old_title), (new, new_title)) = (super::named(&args.old, globals)?, super::named(&args.new, globals)?);
    let found = differences(&old, &new);
    let mut screen = Screen::new();
    if args.json {
        for one in &found {
            out::line(&mut screen, &json!({ "place": one.place, "what": one.what, "old": one.old, "new": one.new }))?;
        }
        return super::super::done(screen, u8::from(!found.is_empty()));
    }
    if found.is_empty() {
        screen.line(crate::output::clean(&format!("{old_title} and {new_title} say the same")))?;
        return super::super::done(screen, 0);
    }
    let mut place = String::new();
    for one in &found {
        if one.place != place {
            place.clone_from(&one.place);
            let heading = screen.paint(Style::Strong, &place);
            screen.line(heading)?;
        }
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => "none".to_owned(),
            Value::Array(items) if items.len() > 6 => format!("{} of them", items.len()),
            Value::Object(rule) => format!("{} for {}", rule["severity"].as_str().unwrap_or_default(), rule["kinds"]),
            other => other.to_string(),
        };
        let (old, new) = (text(&one.old), text(&one.new));
        screen.line(crate::output::clean(&format!("  {}: {old} -> {new}", one.what)))?;
    }
    super::super::done(screen, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let shipped = desk::policy::shipped();
        assert_eq!(differences(&shipped, &desk::policy::read("name = \"shipped\"", "x").unwrap()), []);
        let text = "name = \"shipped\"\n[severity.P1]\nmode = \"act\"\n[[rule]]\nname = \"phishing\"\nfix = \"6 hours\"\n[[rule]]\nname = \"own\"\nkinds = [\"content/fraud\"]\nwhen = { ports = [81] }\nseverity = \"P1\"\nacknowledge = \"never\"\ncustomer = \"none\"\nfix = \"1 day\"\naddressee = \"both\"\n[calendar]\nclosed = [\"2026-12-24\"]";
        let own = desk::policy::read(text, "x").unwrap();
        let said = |old: &Policy, new: &Policy| -> Vec<String> {
            differences(old, new).iter().map(|one| format!("{}: {}", one.place, one.what)).collect()
        };
        assert_eq!(said(&shipped, &own), ["severity P1: mode", "new rule: own", "rule phishing: fix", "policy: calendar"]);
        assert_eq!(said(&own, &shipped), ["severity P1: mode", "rule phishing: fix", "rule gone: own", "policy: calendar"]);
    }
}
