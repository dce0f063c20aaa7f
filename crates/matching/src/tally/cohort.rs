//! Who is asked: the providers of a cohort with the legal groups they belong to. The task holds only a salted digest of it and a rough size
//! (T5); the list itself goes to the aggregators and to its members.

use super::{DOMAIN, Wrong};
use crate::{
    Digest,
    bytes::{Reader, Writer},
    envelope::KeyId,
    sha256,
};

/// The most members.
pub const MOST_MEMBERS: usize = 5_000;

/// Rough sizes, in legal groups: from, and until and with. The number in a task is the place here.
pub const SIZES: [(u32, u32); 6] = [(10, 19), (20, 49), (50, 99), (100, 199), (200, 499), (500, 5_000)];

/// A provider of the cohort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its Ed25519 key.
    pub key: KeyId,
    /// Its legal group: the register number of the topmost company, or the like. Brands of one group count as one (T2).
    pub group: String,
}

/// The members, by key, with a salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    salt: [u8; 32],
    members: Vec<Member>,
}

impl Cohort {
    /// Of these members, in any order, with a salt from chance.
    ///
    /// # Errors
    /// When a key is there twice, a group has no name or too long a one, or there are more than [`MOST_MEMBERS`].
    pub fn new(salt: [u8; 32], mut members: Vec<Member>) -> Result<Cohort, Wrong> {
        for member in &mut members {
            member.group = member.group.split_whitespace().collect::<String>().to_lowercase();
        }
        members.sort_unstable();
        let cohort = Cohort { salt, members };
        cohort.check()?;
        Ok(cohort)
    }

    fn check(&self) -> Result<(), Wrong> {
        if self.members.len() > MOST_MEMBERS {
            return Err(Wrong::Cohort("it has more than 5,000 members"));
        }
        if !self.members.is_sorted_by(|a, b| a.key < b.key) {
            return Err(Wrong::Cohort("a key is in it twice, or they are not in order"));
        }
        let good =
            |group: &str| (1..=64).contains(&group.len()) && group.split_whitespace().collect::<String>().to_lowercase() == group;
        if !self.members.iter().all(|member| good(&member.group)) {
            return Err(Wrong::Cohort("each member needs a legal group of at most 64 letters, without spaces or capitals"));
        }
        Ok(())
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new()
            .raw(&self.salt)
            .list(&self.members, |w, member| {
                w.raw(&member.key).text(&member.group);
            })
            .done()
    }

    /// From its canonical bytes.
    ///
    /// # Errors
    /// When they are none, or not in order.
    pub fn decode(bytes: &[u8]) -> Result<Cohort, Wrong> {
        let mut r = Reader::new(bytes);
        let salt = r.array()?;
        let members = r.list(MOST_MEMBERS, |r| Ok(Member { key: r.array()?, group: r.text(64)?.to_owned() }))?;
        r.end()?;
        let cohort = Cohort { salt, members };
        cohort.check()?;
        Ok(cohort)
    }

    /// The salted digest that a task holds.
    #[must_use]
    pub fn root(&self) -> Digest {
        sha256(&[DOMAIN, b"/cohort\0", &self.encode()])
    }

    /// Its members, by key.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member with this key.
    #[must_use]
    pub fn member(&self, key: &KeyId) -> Option<&Member> {
        let at = self.members.binary_search_by(|member| member.key.cmp(key)).ok()?;
        self.members.get(at)
    }

    /// How many legal groups these keys stand for; keys that are no members count nothing.
    #[must_use]
    pub fn groups<'a>(&self, keys: impl IntoIterator<Item = &'a KeyId>) -> u32 {
        let mut groups: Vec<&str> = keys.into_iter().filter_map(|key| self.member(key)).map(|m| m.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        // At most MOST_MEMBERS.
        groups.len() as u32
    }

    /// How many legal groups it has.
    #[must_use]
    pub fn all_groups(&self) -> u32 {
        self.groups(self.members.iter().map(|member| &member.key))
    }

    /// Its place in [`SIZES`].
    ///
    /// # Errors
    /// When it has fewer than ten legal groups, or more than the largest.
    pub fn size(&self) -> Result<u8, Wrong> {
        let groups = self.all_groups();
        let place = SIZES.iter().position(|(from, until)| (*from..=*until).contains(&groups));
        // SIZES has six places.
        place.map(|place| place as u8).ok_or(Wrong::Few { got: groups, least: u32::from(super::LOWEST_FLOOR) })
    }

    /// How many legal groups must have contributed before anything is collected: the floor, or nine tenths of all where that is more (T2).
    ///
    /// # Errors
    /// When the cohort itself is smaller than that.
    pub fn least(&self, floor: u16) -> Result<u32, Wrong> {
        let groups = self.all_groups();
        let least = u32::from(floor).max((groups * 9).div_ceil(10));
        if groups < least { Err(Wrong::Few { got: groups, least }) } else { Ok(least) }
    }
}
