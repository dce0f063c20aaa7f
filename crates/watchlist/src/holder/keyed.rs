//! What an entry is found by, and the keys of an epoch under which it is published.

use std::collections::BTreeMap;

use matching::{
    list::{Entry, manifest::EditSide},
    sha256,
    token::{
        Group, Token, identifier,
        name::{self, Name},
    },
    voprf::{Output, SecretKey},
};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::{Error, Problem};
use crate::evaluator::Secret;

/// The secret keys of an epoch, one for each group.
pub(super) struct EpochKeys {
    secret: Secret,
    entries: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for EpochKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EpochKeys(secret)")
    }
}

impl EpochKeys {
    /// From the seed of an epoch, which the evaluator has too, and the secret of the list, which nobody else has: with the seed alone a list can
    /// be guessed at, and never opened.
    pub(super) fn derive(seed: &[u8; 32], epoch: u32, secret: &[u8; 32], list: &[u8; 16]) -> Result<EpochKeys, Error> {
        let secret_keys = Secret::derive(*list, epoch, seed)?;
        Ok(EpochKeys { secret: secret_keys, entries: Zeroizing::new(sha256(&[b"sluis/v1/entry-keys\0", secret, list])) })
    }

    /// By group, in order.
    pub(super) fn groups(&self) -> impl Iterator<Item = (Group, &SecretKey)> {
        Group::ALL.into_iter().filter_map(|group| Some((group, self.secret.key(group)?)))
    }

    pub(super) fn public(&self) -> Vec<(Group, Vec<[u8; 32]>)> {
        self.groups().map(|(group, key)| (group, vec![key.public().to_bytes()])).collect()
    }

    /// What opens all of an entry in this epoch.
    pub(super) fn of_entry(&self, entry: &Entry) -> matching::list::Key {
        Zeroizing::new(sha256(&[b"sluis/v1/entry-key\0", &self.entries[..], &entry.id, &entry.version.to_be_bytes()]))
    }

    /// The outputs of all tokens, in their order.
    pub(super) fn evaluate(&self, entries: &[Vec<(Token, u8)>]) -> Result<Vec<Output>, Error> {
        let tokens: Vec<&Token> = entries.iter().flatten().map(|(token, _)| token).collect();
        let mut outputs = vec![[0; 64]; tokens.len()];
        for (group, key) in self.groups() {
            let places: Vec<usize> = (0..tokens.len()).filter(|at| tokens[*at].class().group() == group).collect();
            let done: Vec<Vec<Output>> = places
                .par_chunks(1024)
                .map(|some| key.evaluate_all(&some.iter().map(|at| tokens[*at].input()).collect::<Vec<_>>()))
                .collect::<Result<_, _>>()?;
            for (at, output) in places.into_iter().zip(done.into_iter().flatten()) {
                outputs[at] = output;
            }
        }
        Ok(outputs)
    }
}

/// What an entry is found by: each token once, with the family that made it (0 for identifiers).
pub(super) fn tokens(entry: &Entry, edit: EditSide, bits: u32) -> Result<Vec<(Token, u8)>, Error> {
    let edit = match edit {
        EditSide::List => name::EditSide::List,
        EditSide::Both => name::EditSide::Both,
    };
    let mut found: BTreeMap<Token, u8> = BTreeMap::new();
    let mut add = |token: Token, family: u8| {
        found.entry(token).and_modify(|known| *known = family.min(*known)).or_insert(family);
    };
    for (class, text) in &entry.identifiers {
        let token = identifier::of(*class, text).map_err(|wrong| Error::Problems(vec![Problem::of(class.name(), wrong)]))?;
        add(token, 0);
    }
    let full = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let places: Vec<name::Place> = entry.country.map_or_else(Vec::new, |country| {
        let place = |place: &matching::list::entry::Place| name::Place {
            country,
            city: full(&place.city),
            postal: full(&place.postal_code),
        };
        entry.places.iter().map(place).collect()
    });
    for text in entry.names.iter().chain(&entry.aliases) {
        let name = Name::read(text).map_err(|wrong| Error::Problems(vec![Problem::of("names", wrong)]))?;
        let with: Vec<Option<&name::Place>> = if places.is_empty() { vec![None] } else { places.iter().map(Some).collect() };
        for place in with {
            for (token, family) in name::listed(&name, place, edit, bits) {
                add(token, family as u8);
            }
        }
    }
    Ok(found.into_iter().collect())
}

pub(super) fn edit_side(text: &str) -> EditSide {
    if text == "both" { EditSide::Both } else { EditSide::List }
}
