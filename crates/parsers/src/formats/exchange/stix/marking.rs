//! Labels of STIX objects: the markings that TLP and PAP have fixed identifiers for, and those that a bundle defines itself.

use model::label::{Pap, Tlp};

use crate::kinds::document::Json;

/// Identifiers of TLP's markings: of version 1 (STIX 2.1 section 7.2.1.4), then of version 2 (OASIS common objects).
pub(crate) const TLP: &[(&str, Tlp)] = &[
    ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ("94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::Clear),
    ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::Green),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::Amber),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::AmberStrict),
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::Red),
];

/// Identifiers of PAP's markings (OASIS common objects).
pub(crate) const PAP: &[(&str, Pap)] = &[
    ("ad15a0cd-55b6-4588-a14c-a66105329b92", Pap::Clear),
    ("a3bea94c-b469-41dc-9cfe-d6e7daba7730", Pap::Clear),
    ("c43594d1-4b11-4c59-93ab-1c9b14d53ce9", Pap::Green),
    ("60f8932b-e51e-4458-b265-a2e8be9a80ab", Pap::Amber),
    ("740d36e5-7714-4c30-961a-3ae632ceee0e", Pap::Red),
];

/// The identifier of the extension in which version 2 of TLP is marked.
pub(crate) const TLP_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// The identifier of the extension in which PAP is marked.
pub(crate) const PAP_EXTENSION: &str = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b";

/// Markings of one object that are looked at.
const MOST: usize = 64;

/// What a marking says; nothing when it is about something else.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Label {
    pub(super) tlp: Option<Tlp>,
    pub(super) pap: Option<Pap>,
}

impl Label {
    /// What a marking definition says.
    pub(super) fn of(marking: Json<'_>) -> Label {
        let name = marking.word("name");
        let starts = |word: &str| name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let defined = |what: &str| marking.get("definition").map(|definition| definition.word(what)).unwrap_or_default();
        let extended = |id: &str, what: &str| {
            let extension = marking.get("extensions").and_then(|extensions| extensions.get(id));
            extension.map(|extension| extension.word(what)).unwrap_or_default()
        };
        let tlp = Tlp::parse(&defined("tlp")).or_else(|| Tlp::parse(&extended(TLP_EXTENSION, "tlp_2_0")));
        let pap = Pap::parse(&defined("pap")).or_else(|| Pap::parse(&extended(PAP_EXTENSION, "pap")));
        Label {
            tlp: tlp.or_else(|| starts("tlp:").then(|| Tlp::parse(&name)).flatten()),
            pap: pap.or_else(|| starts("pap:").then(|| Pap::parse(&name)).flatten()),
        }
    }

    fn fixed(id: &str) -> Label {
        let tlp = TLP.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, label)| *label);
        Label { tlp, pap: PAP.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, label)| *label) }
    }

    fn or(self, other: Label) -> Label {
        Label { tlp: self.tlp.or(other.tlp), pap: self.pap.or(other.pap) }
    }

    fn strictest(self, other: Label) -> Label {
        Label { tlp: self.tlp.max(other.tlp), pap: self.pap.max(other.pap) }
    }
}

/// What an object is marked with: the strictest of its own markings and of those of parts of it, and whether there is a marking
/// that nobody knows. `find` answers for the markings that are defined beside it.
pub(super) fn labels(object: Json<'_>, find: impl Fn(&str) -> Option<Label>) -> (Label, bool) {
    let own = object.list("object_marking_refs").take(MOST).map(Json::scalar);
    let parts = object.list("granular_markings").take(MOST).map(|part| part.word("marking_ref"));
    let (mut all, mut unknown) = (Label::default(), false);
    for reference in own.chain(parts).filter(|reference| !reference.is_empty()) {
        let fixed = Label::fixed(reference.strip_prefix("marking-definition--").unwrap_or(&reference));
        let defined = find(&reference);
        unknown |= defined.is_none() && fixed.tlp.is_none() && fixed.pap.is_none();
        all = all.strictest(fixed.or(defined.unwrap_or_default()));
    }
    (all, unknown)
}
