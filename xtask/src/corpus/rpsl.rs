//! Registry objects against an oracle that split the same files: count, class, key, attributes, and what they name.

use std::collections::BTreeMap;
use std::path::Path;

use parsers::administration::Limits;
use parsers::administration::rpsl::{self, Object};
use serde_json::Value;

use super::Comparison;

/// Attributes whose values the oracle lists, and the names it lists them under.
const LISTED: [(&str, &str); 6] = [
    ("status", "status"),
    ("org", "org"),
    ("origin", "origin"),
    ("abuse-c", "abuse_c"),
    ("abuse-mailbox", "abuse_mailbox"),
    ("source", "source"),
];

/// Compares every object of a file; lines of the oracle without a count are about other files than these.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let Some(expected) = oracle["objects"].as_array().filter(|_| oracle["count"].is_u64()) else { return comparison };
    comparison.total = expected.len();
    let mut objects: Vec<BTreeMap<String, Value>> = Vec::new();
    let mut reader = bytes;
    let name = path.display();
    let broken = match rpsl::each_object(&mut reader, &Limits::default(), |object| objects.push(described(object))) {
        Ok(broken) => broken,
        Err(error) => {
            comparison.differences.push(format!("{name}: {error}"));
            0
        }
    };
    // Blocks that the oracle could not read we may read; then they stand between the others.
    let mut spare = oracle["unparsed_blocks"].as_u64().unwrap_or(0);
    if broken > spare {
        comparison.differences.push(format!("{name}: {broken} blocks are no objects, the oracle has {spare}"));
    }
    spare = spare.saturating_sub(broken);
    let mut ours = objects.into_iter();
    for (at, theirs) in expected.iter().enumerate() {
        let mut next = ours.next();
        while spare > 0 && next.as_ref().is_some_and(|next| next.get("key") != theirs.get("key")) {
            spare -= 1;
            next = ours.next();
        }
        let Some(next) = next else {
            comparison.differences.push(format!("{name}: {at} objects, the oracle has {}", expected.len()));
            break;
        };
        let mut alike = true;
        for (field, wanted) in theirs.as_object().into_iter().flatten() {
            let got = next.get(field).unwrap_or(&Value::Null);
            if got != wanted {
                alike = false;
                comparison.differences.push(format!("{name}, object {}: {field} is {got}, the oracle has {wanted}", at + 1));
            }
        }
        comparison.matched += usize::from(alike);
    }
    let rest = ours.len() as u64;
    if rest > spare {
        comparison.differences.push(format!("{name}: {rest} objects after those of the oracle"));
    }
    comparison
}

/// An object in the words of the oracle.
fn described(object: &Object) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    fields.insert("class".to_owned(), Value::from(object.class()));
    fields.insert("key".to_owned(), Value::from(object.key()));
    fields.insert("attributes".to_owned(), Value::from(object.len()));
    for (name, field) in LISTED {
        let values: Vec<Value> = object
            .attributes()
            .filter(|(attribute, _)| *attribute == name)
            .map(|(_, value)| Value::from(value.as_ref()))
            .collect();
        match (field, values.first()) {
            (_, None) => {}
            ("source", Some(first)) => drop(fields.insert(field.to_owned(), first.clone())),
            _ => drop(fields.insert(field.to_owned(), Value::from(values))),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_rpsl() {
        let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
            println!("skipped: SLUIS_SHARED is unset");
            return;
        };
        let corpus = Path::new(&shared).join("corpus");
        let oracle = std::fs::read_to_string(corpus.join("rpsl/ORACLE.jsonl")).unwrap();
        let mut all = Comparison::default();
        for line in oracle.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let path = corpus.join(line["path"].as_str().unwrap());
            let comparison = compare(&path, &std::fs::read(&path).unwrap(), &line);
            all.matched += comparison.matched;
            all.total += comparison.total;
            all.differences.extend(comparison.differences);
        }
        println!("{} of {}", all.matched, all.total);
        assert!(all.total > 0);
        assert!(all.differences.is_empty(), "{:#?}", all.differences);
    }
}
