//! What stands in a STIX bundle, counted: for comparing with what other programs make of the same file.

use std::collections::BTreeMap;

use crate::kinds::document;

/// What stands in one bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its objects.
    pub objects: usize,
    /// Objects of each type.
    pub by_type: BTreeMap<String, usize>,
    /// Identifier, pattern and start of validity of each indicator, in order.
    pub patterns: Vec<(String, String, String)>,
    /// Type and value of each observable that is a place on the network, in order.
    pub network: Vec<(String, String)>,
}

/// Counts what stands in one JSON document; `None` when it is no JSON or nested beyond `depth`.
pub fn count(text: &str, depth: usize) -> Option<Counts> {
    document::with(text, depth, |document| {
        let mut counts = Counts::default();
        for object in super::objects(document) {
            let kind = object.word("type").into_owned();
            counts.objects += 1;
            match kind.as_str() {
                "indicator" => {
                    let [id, pattern, from] = ["id", "pattern", "valid_from"].map(|name| object.word(name).into_owned());
                    counts.patterns.push((id, pattern, from));
                }
                "ipv4-addr" | "ipv6-addr" | "domain-name" | "url" => {
                    counts.network.push((kind.clone(), object.word("value").into_owned()));
                }
                _ => {}
            }
            *counts.by_type.entry(kind).or_default() += 1;
        }
        counts
    })
}
