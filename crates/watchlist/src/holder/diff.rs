//! What changed between two states of a list, in sentences that officers read before they sign.

use super::{
    Error, Holder,
    form::{Form, day_of},
    state::Kept,
};

type Snapshot = [(String, u32, String)];

impl Holder {
    /// What changed from one publication to another: each is `E1-D0` and so on, or `now` for what would be published at `now`.
    ///
    /// # Errors
    /// When there is no such publication.
    pub fn diff(&self, from: &str, to: &str, now: i64) -> Result<Vec<String>, Error> {
        Ok(lines(self, &self.snapshot(from, now)?, &self.snapshot(to, now)?))
    }

    fn snapshot(&self, name: &str, now: i64) -> Result<Vec<(String, u32, String)>, Error> {
        if name.eq_ignore_ascii_case("now") {
            let plan = self.plan(now);
            return Ok(plan.snapshot());
        }
        if name.eq_ignore_ascii_case("nothing") {
            return Ok(Vec::new());
        }
        let published =
            self.state.published.iter().find(|published| number(published.epoch, published.seq).eq_ignore_ascii_case(name));
        published.map(|published| published.snapshot.clone()).ok_or_else(|| {
            let all: Vec<String> = self.state.published.iter().map(|published| number(published.epoch, published.seq)).collect();
            Error::NoPublication(name.to_owned(), if all.is_empty() { "nothing".to_owned() } else { all.join(", ") })
        })
    }
}

/// What a publication is called: `E1-D0` for the first list of the first epoch.
#[must_use]
pub fn number(epoch: u32, seq: u64) -> String {
    format!("E{epoch}-D{seq}")
}

/// The lines between two snapshots: `+` listed, `-` no longer, `~` changed, with each field that differs.
pub(super) fn lines(holder: &Holder, before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let kept = |id: &str, version: u32| holder.state.entries.iter().find(|kept| kept.id == id && kept.version == version);
    let mut lines = Vec::new();
    for (id, version, status) in after {
        let Some(new) = kept(id, *version) else { continue };
        let head = |sign: char| format!("{sign} {} {}", id.get(..8).unwrap_or_default(), new.form.title());
        match before.iter().find(|(other, ..)| other == id) {
            None => {
                lines.push(format!(
                    "{} (listed{})",
                    head('+'),
                    if status == "live" { String::new() } else { format!(", {status}") }
                ));
                lines.extend(fields(&new.form).into_iter().map(|(field, value)| format!("    {field}: {value}")));
                lines.push(format!("    read by: {}", readers(holder, new)));
            }
            Some((_, old_version, old_status)) => {
                if old_version != version {
                    lines.push(format!("{} (version {old_version} becomes {version})", head('~')));
                    let old = kept(id, *old_version).map(|old| fields(&old.form)).unwrap_or_default();
                    changed(&old, &fields(&new.form), &mut lines);
                    lines.push(format!("    read by: {}", readers(holder, new)));
                }
                if old_status != status {
                    lines.push(format!("{} ({old_status} becomes {status})", head('~')));
                }
            }
        }
    }
    for (id, version, _) in before.iter().filter(|(id, ..)| !after.iter().any(|(other, ..)| other == id)) {
        let Some(old) = kept(id, *version) else { continue };
        let why = match &old.withdrawn {
            Some(change) => format!("withdrawn on {}: {}", day_of(change.since), change.why),
            None => "no longer listed: its review date is over, or it is not accepted any more".to_owned(),
        };
        lines.push(format!("- {} {} ({why})", id.get(..8).unwrap_or_default(), old.form.title()));
    }
    if lines.is_empty() {
        lines.push("no entry changes".to_owned());
    }
    lines
}

fn readers(holder: &Holder, kept: &Kept) -> String {
    let second = kept.accepted.as_ref().map_or_else(|| "nobody".to_owned(), |by| holder.name_of(&by.key));
    format!("{}, then {second}", holder.name_of(&kept.added.key))
}

/// What a form holds, as texts: only what is filled in.
fn fields(form: &Form) -> Vec<(String, String)> {
    let value = serde_json::to_value(form).unwrap_or_default();
    let mut fields = Vec::new();
    for (field, value) in value.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Object(classes) => {
                fields.extend(classes.iter().map(|(class, values)| (class.clone(), text(values))));
            }
            other => fields.push((field.clone(), text(other))),
        }
    }
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn changed(old: &[(String, String)], new: &[(String, String)], lines: &mut Vec<String>) {
    let of =
        |fields: &[(String, String)], field: &str| fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone());
    for (field, value) in new {
        match of(old, field) {
            Some(before) if before == *value => {}
            Some(before) => lines.push(format!("    {field}: {before} -> {value}")),
            None => lines.push(format!("    {field}: (nothing) -> {value}")),
        }
    }
    for (field, before) in old.iter().filter(|(field, _)| of(new, field).is_none()) {
        lines.push(format!("    {field}: {before} -> (nothing)"));
    }
}
