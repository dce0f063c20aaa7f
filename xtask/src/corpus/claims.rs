//! Samples that two formats claim: a format that is certain of what is another's would sooner or later take it.

use std::path::Path;

use parsers::formats::{Fit, all};
use parsers::kinds::mail::Mail;
use parsers::source::{Hint, PREFIX, Prefix};
use serde_json::Value;

use super::comparison::{stated, word};
use super::{RECEIVED, feeds};

/// The formats that are certain of a file, when there are two or more, by itself.
pub(super) fn of_file(path: &Path) -> Option<String> {
    of_bytes(path, &std::fs::read(path).ok()?, &Value::Null)
}

/// The same of bytes, with what an operator would configure for them; or of a part, when they are a mail.
pub(super) fn of_bytes(path: &Path, bytes: &[u8], oracle: &Value) -> Option<String> {
    let declared = feeds::declared(word(oracle, "path"));
    let mut hint = Hint::new(path.file_name().and_then(|name| name.to_str()).unwrap_or_default(), RECEIVED);
    stated(oracle, declared.as_ref())(&mut hint);
    if let Some(claims) = certain(bytes, hint.name, "", &hint) {
        return Some(claims);
    }
    if path.extension().is_none_or(|end| end != "eml") {
        return None;
    }
    let mail = Mail::parse(bytes, hint.limits.parts);
    mail.parts.iter().enumerate().find_map(|(at, part)| {
        let claims = certain(&part.utf8(), &part.media.name, &part.media.essence, &hint)?;
        Some(format!("part {}: {claims}", at + 1))
    })
}

fn certain(bytes: &[u8], name: &str, content_type: &str, hint: &Hint<'_>) -> Option<String> {
    let prefix = Prefix::new(bytes.get(..PREFIX).unwrap_or(bytes), name, content_type, hint);
    let certain: Vec<_> = all().filter(|format| (format.detect)(&prefix) == Fit::Certain).map(|format| format.name).collect();
    (certain.len() > 1).then(|| format!("{} all claim it", certain.join(", ")))
}
