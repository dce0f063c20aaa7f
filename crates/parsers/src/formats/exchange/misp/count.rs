//! What stands in a MISP event, counted: for comparing with what other programs make of the same file.

use std::collections::{BTreeMap, BTreeSet};

use model::time::Time;

use crate::kinds::document::{self, Json};

/// What stands in one event; what is deleted or proposed is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its identifier.
    pub uuid: String,
    /// Its title.
    pub info: String,
    /// Its objects.
    pub objects: usize,
    /// Its attributes, and those of its objects.
    pub attributes: usize,
    /// Attributes of each type.
    pub by_type: BTreeMap<String, usize>,
    /// Names of the tags of the event, each once.
    pub tags: BTreeSet<String>,
    /// Attributes about places on the network, in order.
    pub network: Vec<Indicator>,
}

/// An attribute about a place on the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indicator {
    /// Its type: `ip-dst|port`.
    pub kind: String,
    /// Its value as written.
    pub value: String,
    /// Whether it is meant for detection.
    pub to_ids: bool,
    /// When it was written down.
    pub time: Option<Time>,
}

/// Counts what stands in each event of one JSON document; none when it is no JSON, nested beyond `depth`, or has no events.
pub fn count(text: &str, depth: usize) -> Vec<Counts> {
    document::with(text, depth, |document| super::events(document).map(of).collect()).unwrap_or_default()
}

fn of(event: Json<'_>) -> Counts {
    let mut counts = Counts {
        uuid: event.word("uuid").into_owned(),
        info: event.word("info").into_owned(),
        objects: super::live(event.list("Object")).count(),
        ..Counts::default()
    };
    counts.tags.extend(super::tags(event).map(|tag| tag.into_owned()));
    for attribute in super::attributes(event) {
        let kind = attribute.word("type").into_owned();
        counts.attributes += 1;
        if super::Role::of(&kind).is_some() {
            counts.network.push(Indicator {
                kind: kind.clone(),
                value: attribute.word("value").into_owned(),
                to_ids: attribute.is("to_ids"),
                time: attribute.time("timestamp"),
            });
        }
        *counts.by_type.entry(kind).or_default() += 1;
    }
    counts
}
