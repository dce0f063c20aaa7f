//! Check 3: each record has the form of its kind. A field has one place, one name and one type; beyond the fields are decoys, which
//! nothing opens; and what must be shown is. So no record can be opened in two ways.

use seal::bundle::{Opening, ShownRecord};
use seal::record::{ALWAYS, Value, kind_of};

use super::name;
use crate::subject::Subject;
use crate::verdict::Check;

pub(crate) fn check(subject: &Subject<'_>) -> Check {
    let mut check = Check::new(3);
    for record in &subject.records {
        if let Err(why) = has_the_form_of_its_kind(record.shown) {
            let (en, nl) = name(subject, record);
            check.wrong(format!("{en}: {why}"), format!("{nl}: heeft niet de vorm van haar soort ({why})"));
        }
    }
    check.unless_worse("every field stands in its place, under its name", "ieder veld staat op zijn plaats, onder zijn naam")
}

fn has_the_form_of_its_kind(record: &ShownRecord) -> Result<(), String> {
    let kind = kind_of(record.kind).ok_or_else(|| format!("there is no kind {}", record.kind))?;
    if record.openings.len() != kind.width() {
        return Err(format!("a record of kind '{}' has {} digests, not {}", kind.name, kind.width(), record.openings.len()));
    }
    for (ordinal, opening) in record.openings.iter().enumerate() {
        match (kind.field(ordinal), opening) {
            (None, Opening::Hidden { .. }) => {}
            (None, _) => return Err(format!("field {ordinal} is beyond those of its kind")),
            (Some((expected, kind)), Opening::Shown { name, value, .. }) => {
                if name != expected {
                    return Err(format!("field {ordinal} must be '{expected}' and has another name"));
                }
                if value.kind() != kind && *value != Value::Absent {
                    return Err(format!("field '{expected}' is of another type"));
                }
            }
            (Some((expected, _)), _) if ordinal < ALWAYS => return Err(format!("field '{expected}' must be shown")),
            (Some(_), _) => {}
        }
    }
    let first = record.get("seq") == Some(&Value::Number(0));
    let present = |name: &str| record.get(name).is_some_and(|value| *value != Value::Absent);
    for (name, wanted) in [("event", true), ("stream", true), ("seq", true), ("prev", !first), ("recorded_at", true)] {
        if present(name) != wanted {
            return Err(format!(
                "field '{name}' {} be absent in record {}",
                if wanted { "may not" } else { "must" },
                if first { "0" } else { "k" }
            ));
        }
    }
    match record.get("stream") {
        Some(Value::Bytes(bytes)) if bytes.len() == 16 => Ok(()),
        _ => Err("a stream's identifier has 16 bytes".to_owned()),
    }
}
