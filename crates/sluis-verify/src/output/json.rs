//! The verdict as JSON, for programs: everything in English words, values whole.

use std::fmt::Write;

use seal::bundle::{Form, Opening, ShownRecord};
use seal::record::{Value, kind_of};

use crate::moment::utc;
use crate::said::hex;
use crate::story::{Bracket, Delivery, Told};
use crate::verdict::{Check, Verdict};

/// One JSON object, with a line feed.
#[must_use]
pub fn json(verdict: &Verdict) -> String {
    let checks = verdict.checks.iter().map(check);
    let mut out = format!(
        "{{\"format\":\"sluis-verdict/v1\",\"verdict\":{},\"exit\":{},\"checks\":{}",
        text(verdict.word()),
        verdict.exit_code(),
        list(checks)
    );
    if let Some(story) = &verdict.story {
        let bundle = &story.bundle;
        let form = if bundle.form == Form::Evidence { "evidence" } else { "receipt" };
        out += &format!(
            ",\"form\":{},\"origin\":{},\"stream\":{},\"made\":{},\"operator\":{},\"checkpoint\":{},\"policy\":{},\"witnesses\":{},\"authorities\":{},\"records\":{}",
            text(form),
            text(&bundle.origin),
            text(&hex(&bundle.stream)),
            text(&utc(bundle.made)),
            or_null(story.operator.as_deref().map(text)),
            or_null(story.checkpoint.map(|(size, root)| format!("{{\"size\":{size},\"root\":{}}}", text(&hex(&root))))),
            or_null(story.policy.as_ref().map(|policy| text(&hex(&policy.digest)))),
            list(story.witnesses.iter().map(|name| text(name))),
            list(story.authorities.iter().map(|name| text(name))),
            list(story.told().map(|(record, told)| self::record(record, told))),
        );
    }
    out.push_str("}\n");
    out
}

fn check(check: &Check) -> String {
    let lines = check.lines.iter();
    let lines = lines.map(|line| format!("{{\"outcome\":{},\"text\":{}}}", text(line.outcome.word()), text(&line.text.en)));
    format!(
        "{{\"number\":{},\"title\":{},\"outcome\":{},\"lines\":{},\"left_out\":{}}}",
        check.number,
        text(&check.title().en),
        text(check.outcome().word()),
        list(lines),
        check.left_out()
    )
}

fn record(record: &ShownRecord, told: &Told) -> String {
    let kind = kind_of(record.kind);
    let fields = record.openings.iter().enumerate().filter_map(|(ordinal, opening)| {
        let (name, _) = kind?.field(ordinal)?;
        let shown = match opening {
            Opening::Shown { value, .. } => value_of(value),
            Opening::Erased { record, .. } => format!("{{\"erased_by\":{}}}", text(&hex(record))),
            Opening::Hidden { .. } => return None,
        };
        Some(format!("{}:{shown}", text(name)))
    });
    let (bracket, by) = match told.bracket {
        Bracket::Inside => ("inside", 0),
        Bracket::Differs(by) => ("differs", by),
        Bracket::Outside(by) => ("outside", by),
        Bracket::Unknown => ("unknown", 0),
    };
    format!(
        "{{\"index\":{},\"kind\":{},\"commitment\":{},\"own\":{},\"letter\":{},\"not_before\":{},\"at_the_latest\":{},\"bracket\":{},\"bracket_ms\":{by},\"delivery\":{},\"fields\":{{{}}}}}",
        if record.index == seal::bundle::UNSEALED { "null".to_owned() } else { record.index.to_string() },
        or_null(kind.map(|kind| text(kind.name))),
        text(&hex(&told.commitment)),
        told.own,
        told.letter,
        or_null(told.not_before.map(|ms| text(&utc(ms)))),
        or_null(told.at_the_latest.map(|ms| text(&utc(ms)))),
        text(bracket),
        or_null(told.delivery.as_ref().map(delivery)),
        fields.collect::<Vec<_>>().join(",")
    )
}

fn delivery(delivery: &Delivery) -> String {
    let Delivery { grade, proved_by, text: said } = delivery;
    format!("{{\"grade\":{},\"proved_by\":{},\"text\":{}}}", text(grade), text(proved_by), text(&said.en))
}

fn value_of(value: &Value) -> String {
    match value {
        Value::Absent => "null".to_owned(),
        Value::Text(value) => text(value),
        Value::Number(number) => number.to_string(),
        Value::Time(time) => text(&utc(*time)),
        // A letter of megabytes is a file of its own in the bundle.
        Value::Bytes(bytes) if bytes.len() > 64 => format!("{{\"bytes\":{}}}", bytes.len()),
        Value::Bytes(bytes) => text(&hex(bytes)),
        Value::Digest(digest) => text(&hex(digest)),
        Value::List(items) => list(items.iter().map(|item| text(item))),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "null".to_owned())
}

/// A string of JSON in ASCII: what is not, is escaped, so that no terminal acts on it.
fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing into a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn strings_are_ascii() {
        assert_eq!(super::text("a\"\\\n\u{7f}é\u{1f600}\u{202e}"), r#""a\"\\\n\u007f\u00e9\ud83d\ude00\u202e""#);
    }
}
