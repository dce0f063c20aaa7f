//! The parties of a snapshot against those that are known.

use std::collections::{HashMap, HashSet};

use super::{Changes, Known, KnownParty, Move, PartyChange, Snapshot};
use crate::party::Party;
use crate::time::Time;

/// Fills in what changes about parties, and gives the references that assignments may name.
pub(super) fn compare<'a>(known: &'a Known, said: &'a Snapshot, now: Time, changes: &mut Changes) -> HashSet<&'a str> {
    let mut stored: HashMap<&str, &KnownParty> = HashMap::with_capacity(known.parties.len());
    for party in &known.parties {
        stored.insert(&party.party.reference, party);
    }
    let mut references: HashSet<&str> = stored.keys().copied().collect();
    let mut told: HashMap<&str, usize> = HashMap::with_capacity(said.parties.len());
    let mut parties: Vec<&Party> = Vec::with_capacity(said.parties.len());
    for party in &said.parties {
        if party.reference.is_empty() {
            changes.problems.add(|| format!("the party '{}' has no reference, so nothing can name it", party.name));
        } else if told.contains_key(party.reference.as_str()) {
            changes.problems.add(|| format!("the party '{}' is there twice; the first is taken", party.reference));
        } else {
            told.insert(&party.reference, parties.len());
            references.insert(&party.reference);
            parties.push(party);
        }
    }

    let parents = parents(&parties, &told, &stored, changes);
    for (party, parent) in parties.iter().zip(parents) {
        let mut new = (*party).clone();
        new.parent = parent.map(str::to_owned);
        let Some(old) = stored.get(party.reference.as_str()) else {
            changes.parties_new.push(new);
            continue;
        };
        if old.gone {
            changes.parties_back.push((old.id, new.reference.clone()));
        }
        if old.party.parent != new.parent {
            changes.moved.push(Move {
                id: old.id,
                party: new.reference.clone(),
                old: old.party.parent.clone(),
                new: new.parent.clone(),
                at: now,
            });
        }
        let fields = differing(&old.party, &new);
        if !fields.is_empty() {
            changes.parties_changed.push(PartyChange { id: old.id, old: old.party.clone(), new, fields });
        }
    }

    if said.complete {
        // A party that is still named, by an assignment or as somebody's parent, is still told of.
        let mut named: HashSet<&str> = told.keys().copied().collect();
        named.extend(said.assignments.iter().map(|row| row.party.as_str()));
        named.extend(said.parties.iter().filter_map(|party| party.parent.as_deref()));
        for party in &known.parties {
            if !party.gone && !named.contains(party.party.reference.as_str()) {
                changes.parties_gone.push((party.id, party.party.reference.clone()));
            }
        }
    }
    references
}

/// The parent of each said party: unknown ones and those that would close a circle are left out.
fn parents<'a>(
    parties: &[&'a Party],
    told: &HashMap<&str, usize>,
    stored: &HashMap<&str, &'a KnownParty>,
    changes: &mut Changes,
) -> Vec<Option<&'a str>> {
    let mut parents: Vec<Option<&str>> = Vec::with_capacity(parties.len());
    for party in parties {
        let parent = party.parent.as_deref().filter(|parent| !parent.is_empty());
        let there = parent.filter(|parent| told.contains_key(parent) || stored.contains_key(parent));
        if let (Some(parent), None) = (parent, there) {
            changes.problems.add(|| format!("the parent '{parent}' of '{}' is not a party of this source", party.reference));
        }
        parents.push(there);
    }
    // Each walk goes up until it meets a party that an earlier walk has settled, so all walks together are linear.
    let mut settled: HashSet<&str> = HashSet::with_capacity(parties.len());
    for start in 0..parties.len() {
        let mut walk: HashSet<&str> = HashSet::new();
        let mut at: &str = &parties[start].reference;
        while !settled.contains(at) {
            walk.insert(at);
            let place = told.get(at).copied();
            let up = match place {
                Some(place) => parents[place],
                None => stored.get(at).and_then(|party| party.party.parent.as_deref()),
            };
            let Some(up) = up else { break };
            if walk.contains(up) {
                // Every circle has a said party in it, for the stored ones have none. The circle is opened at the said
                // party of it that stands first in the snapshot, so that the same snapshot always opens the same one.
                if let Some(first) = first_of_circle(up, &parents, told, stored) {
                    changes.problems.add(|| {
                        let party = &parties[first].reference;
                        format!("'{party}' rents from itself, through its parent '{}'; it is taken without a parent", up)
                    });
                    parents[first] = None;
                }
                break;
            }
            at = up;
        }
        settled.extend(walk);
    }
    parents
}

/// The lowest place in the snapshot among the parties of the circle through `start`.
fn first_of_circle(
    start: &str,
    parents: &[Option<&str>],
    told: &HashMap<&str, usize>,
    stored: &HashMap<&str, &KnownParty>,
) -> Option<usize> {
    let mut first = None;
    let mut at = start;
    // A circle cannot be longer than all parties together; the bound only guards against a store that is broken.
    for _ in 0..=told.len() + stored.len() {
        let place = told.get(at).copied();
        first = match (first, place) {
            (Some(first), Some(place)) => Some(std::cmp::min::<usize>(first, place)),
            (first, place) => first.or(place),
        };
        at = match place {
            Some(place) => parents[place]?,
            None => stored.get(at)?.party.parent.as_deref()?,
        };
        if at == start {
            break;
        }
    }
    first
}

/// The fields, the parent aside, in which two parties differ.
fn differing(old: &Party, new: &Party) -> Vec<&'static str> {
    let mut fields = Vec::new();
    let mut differ = |name: &'static str, differs: bool| {
        if differs {
            fields.push(name);
        }
    };
    differ("roles", old.roles != new.roles);
    differ("name", old.name != new.name);
    differ("legal_name", old.legal_name != new.legal_name);
    differ("trade_names", old.trade_names != new.trade_names);
    differ("registry_number", old.registry_number != new.registry_number);
    differ("vat_number", old.vat_number != new.vat_number);
    differ("mails", old.mails != new.mails);
    differ("phones", old.phones != new.phones);
    differ("domains", old.domains != new.domains);
    differ("handles", old.handles != new.handles);
    differ("country", old.country != new.country);
    differ("language", old.language != new.language);
    differ("contacts", old.contacts != new.contacts);
    differ("aup_version", old.aup_version != new.aup_version);
    differ("aup_accepted", old.aup_accepted != new.aup_accepted);
    differ("kyc", old.kyc != new.kyc);
    fields
}
