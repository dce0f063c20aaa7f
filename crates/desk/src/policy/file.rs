//! The policy file as TOML has it: one struct a table, with the place of every word, so that what is wrong can be shown.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

/// A word with its place.
pub(super) type Word = Spanned<String>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub base: Option<Word>,
    pub name: Option<Word>,
    pub severity: Severities,
    pub ladder: Ladder,
    pub repeat: Repeat,
    pub confidence: Confidence,
    pub trust: Vec<Trust>,
    pub brake: Brake,
    pub exploited: Exploited,
    pub dispute: Dispute,
    pub history: History,
    pub protected: Protected,
    pub authorities: Authorities,
    pub calendar: Option<Days>,
    pub rule: Vec<Spanned<Rule>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(non_snake_case, reason = "severities are written so")]
pub(super) struct Severities {
    pub P0: Care,
    pub P1: Care,
    pub P2: Care,
    pub P3: Care,
    pub P4: Care,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Care {
    pub mode: Option<Word>,
    pub gather: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ladder {
    pub remind: Option<Spanned<i64>>,
    pub warn: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Repeat {
    pub confirmed: Option<Spanned<i64>>,
    pub ignored: Option<Spanned<i64>>,
    pub within: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Confidence {
    pub watch_below: Option<Spanned<f64>>,
    pub unknown: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trust {
    pub reporter: Option<Word>,
    pub format: Option<Word>,
    pub door: Option<Word>,
    #[serde(default)]
    pub authenticated: bool,
    pub proven: Option<Word>,
    pub trust: Spanned<f64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Brake {
    pub factor: Option<Spanned<i64>>,
    pub letters: Option<Spanned<i64>>,
    pub restrictions: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Exploited {
    pub raise: Option<bool>,
    pub at_most: Option<Word>,
    pub customer: Option<Word>,
    pub fix: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dispute {
    pub within: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct History {
    pub age: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Protected {
    pub resources: Vec<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Authorities {
    pub domains: Vec<Word>,
    pub words: Vec<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Days {
    pub zone: Option<Word>,
    pub holidays: Option<Word>,
    pub always: Vec<Word>,
    pub never: Vec<Word>,
    pub closed: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub name: Word,
    pub kinds: Option<Vec<Word>>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub when: Option<Vec<When>>,
    pub severity: Option<Word>,
    pub acknowledge: Option<Word>,
    pub customer: Option<Word>,
    pub fix: Option<Word>,
    pub force: Option<Word>,
    pub automatic: Option<Spanned<bool>>,
    pub addressee: Option<Word>,
    pub quiet: Option<Word>,
    pub absent_runs: Option<Spanned<i64>>,
    pub source: Option<Word>,
    pub mark: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct When {
    pub ports: Vec<Spanned<i64>>,
    pub tags: Vec<Word>,
    pub rsit: Vec<Word>,
    pub identifiers: Vec<Word>,
    pub feeds: Vec<Word>,
    pub order: bool,
}

/// `when = { … }` or `when = [{ … }, { … }]`.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<When>>, D::Error> {
    struct OneOrMore;

    impl<'de> Visitor<'de> for OneOrMore {
        type Value = Vec<When>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table such as { ports = [53] }, or a list of such tables")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<When>, A::Error> {
            Ok(vec![When::deserialize(MapAccessDeserializer::new(map))?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<When>, A::Error> {
            let mut list = Vec::new();
            while let Some(when) = seq.next_element()? {
                list.push(when);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(OneOrMore).map(Some)
}
