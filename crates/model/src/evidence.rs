//! Evidence: the material that came with a report.

use crate::report::{Report, Value, Word};

/// One item of a report's evidence, in XARF v4's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence<'a> {
    /// Media type.
    pub content_type: &'a str,
    /// A sentence for people; empty when none.
    pub description: &'a str,
    /// `algorithm:hex`; empty when none.
    pub hash: &'a str,
    /// Size in bytes, as stated.
    pub size: Option<u64>,
    /// The material; `None` when only its description was kept.
    pub payload: Option<Value<'a>>,
}

impl<'a> Report<'a> {
    /// The items of evidence: each begins with a field [`Word::EVIDENCE_TYPE`].
    pub fn evidence(&self) -> Vec<Evidence<'a>> {
        let mut items: Vec<Evidence<'a>> = Vec::new();
        for (word, value) in self.fields() {
            if word == Word::EVIDENCE_TYPE {
                items.push(Evidence { content_type: value.text(), description: "", hash: "", size: None, payload: None });
            }
            let Some(item) = items.last_mut() else { continue };
            match word {
                Word::EVIDENCE_DESCRIPTION => item.description = value.text(),
                Word::EVIDENCE_HASH => item.hash = value.text(),
                Word::EVIDENCE_SIZE => item.size = value.text().parse().ok(),
                Word::EVIDENCE_PAYLOAD => item.payload = Some(value),
                _ => {}
            }
        }
        items
    }
}
