//! The address administration: sources, parties, who rents from whom, and who held what when.
//!
//! Nothing here is rewritten: an assignment is begun, ended or superseded, and each row keeps when it was recorded.

mod write;

use std::collections::HashMap;

use model::address::{Address, Range};
use model::assignment::{Assignment, Level, Period};
use model::chain::{Builder, Held, Index, PartyId, Source};
use model::party::{Channel, Contact, Kyc, Party, Role};
use model::resource::Resource;
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction, numbered};

/// A source of administration, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSource {
    /// Row number.
    pub id: i64,
    /// The name its operator gave it.
    pub name: String,
    /// What kind of file it reads: `csv`, `rpsl`, `map`, `changes`, or the name of a system.
    pub kind: String,
    /// When it was last imported.
    pub checked: Time,
    /// How old it may be before it is stale, in milliseconds; 0 when it never is.
    pub fresh: i64,
}

impl KeptSource {
    /// Whether it is older than its operator said it may be.
    pub fn is_stale(&self, now: Time) -> bool {
        self.fresh > 0 && now.0.saturating_sub(self.checked.0) > self.fresh
    }
}

/// A party, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptParty {
    /// Row number.
    pub id: PartyId,
    /// The identifier that others see.
    pub public: PublicId,
    /// Row number of the source that told of it.
    pub source: i64,
    /// The party; its `parent` is the one it rents from now.
    pub party: Party,
    /// When it was last recorded or changed.
    pub recorded: Time,
    /// Since when its source does not name it any more.
    pub gone: Option<Time>,
}

/// An assignment, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAssignment {
    /// Row number.
    pub id: i64,
    /// Row number of its source.
    pub source: i64,
    /// Row number of its party.
    pub party_id: PartyId,
    /// The assignment.
    pub assignment: Assignment,
    /// When it was recorded.
    pub recorded: Time,
    /// Since when it counts no more, because its source corrected it.
    pub superseded: Option<Time>,
}

const PARTY: &str =
    "p.id, p.public, p.source, p.reference, p.roles, p.name, p.legal_name, p.trade_names, p.registry_number, p.vat_number,
    p.mails, p.phones, p.domains, p.handles, p.country, p.language, p.aup_version, p.aup_accepted, p.kyc_checked, p.kyc_method,
    p.kyc_result, p.traceable_payment, p.resells, p.recorded, p.gone";

const ASSIGNMENT: &str =
    "a.id, a.source, a.first, a.last, a.name, a.party, p.reference, a.level, a.valid_from, a.valid_to, a.service,
    a.product, a.panel, a.account, a.reference, a.recorded, a.superseded";

fn party_from(row: &Row<'_>) -> db::Result<KeptParty> {
    let roles: u8 = row.get(4)?;
    let list = |at: usize| -> db::Result<Vec<String>> { Ok(row.get::<String>(at)?.lines().map(str::to_owned).collect()) };
    let party = Party {
        reference: row.get(3)?,
        parent: None,
        roles: Role::ALL.into_iter().filter(|role| roles & 1 << *role as u8 != 0).collect(),
        name: row.get(5)?,
        legal_name: row.get(6)?,
        trade_names: list(7)?,
        registry_number: row.get(8)?,
        vat_number: row.get(9)?,
        mails: list(10)?,
        phones: list(11)?,
        domains: list(12)?,
        handles: list(13)?,
        country: row.get(14)?,
        language: row.get(15)?,
        contacts: Vec::new(),
        aup_version: row.get(16)?,
        aup_accepted: row.get::<Option<i64>>(17)?.map(Time),
        kyc: Kyc {
            checked: row.get::<Option<i64>>(18)?.map(Time),
            method: row.get(19)?,
            result: row.get(20)?,
            traceable_payment: row.get(21)?,
            resells: row.get(22)?,
        },
    };
    Ok(KeptParty {
        id: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        source: row.get(2)?,
        party,
        recorded: Time(row.get(23)?),
        gone: row.get::<Option<i64>>(24)?.map(Time),
    })
}

/// A contact, of five columns from `at` on.
fn contact_from(row: &Row<'_>, at: usize) -> db::Result<Contact> {
    Ok(Contact {
        channel: numbered(row, at, &Channel::ALL)?,
        target: row.get(at + 1)?,
        hours: row.get(at + 2)?,
        notify: row.get(at + 3)?,
        fallback: row.get(at + 4)?,
    })
}

fn assignment_from(row: &Row<'_>) -> db::Result<KeptAssignment> {
    let assignment = Assignment {
        resource: resource_from(row.get(2)?, row.get(3)?, row.get(4)?),
        period: Period { from: row.get::<Option<i64>>(8)?.map(Time), to: row.get::<Option<i64>>(9)?.map(Time) },
        party: row.get(6)?,
        level: numbered(row, 7, &Level::ALL)?,
        service: row.get(10)?,
        product: row.get(11)?,
        panel: row.get(12)?,
        account: row.get(13)?,
        reference: row.get(14)?,
    };
    Ok(KeptAssignment {
        id: row.get(0)?,
        source: row.get(1)?,
        party_id: row.get(5)?,
        assignment,
        recorded: Time(row.get(15)?),
        superseded: row.get::<Option<i64>>(16)?.map(Time),
    })
}

fn resource_from(first: Option<[u8; 16]>, last: Option<[u8; 16]>, name: Option<String>) -> Resource {
    match (first, last, name) {
        (Some(first), Some(last), _) => {
            Resource::Addresses(Range { first: Address(u128::from_be_bytes(first)), last: Address(u128::from_be_bytes(last)) })
        }
        (_, _, name) => {
            let name = name.unwrap_or_default();
            // What was written as a resource reads back as one; a mail hint takes any text.
            Resource::parse(&name).unwrap_or(Resource::MailHint(name))
        }
    }
}

impl Transaction<'_> {
    /// The sources, by row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn sources(&self) -> Result<Vec<KeptSource>, Error> {
        let mut select =
            self.prepare("-- administration::sources\nSELECT id, name, kind, checked, fresh FROM sources ORDER BY id")?;
        let rows = select.query_map((), |row| {
            let (id, name, kind) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(KeptSource { id, name, kind, checked: Time(row.get(3)?), fresh: row.get(4)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The source of a name, made when it is new, and noted as imported at `now`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn check_source(&self, name: &str, kind: &str, now: Time) -> Result<i64, Error> {
        let mut update = self.prepare(
            "-- administration::check_source
             UPDATE sources SET kind = $2, checked = $3 WHERE name = $1 RETURNING id",
        )?;
        let known = update.query_row((name, kind, now.0), |row| row.get(0)).optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        let id = self.numbers("sources", 1)?;
        self.execute(
            "-- administration::add_source\nINSERT INTO sources (id, name, kind, checked) VALUES ($1, $2, $3, $4)",
            (id, name, kind, now.0),
        )?;
        Ok(id)
    }

    /// Says how old a source may be before it is stale, in milliseconds, 0 for ever; whether there is such a source.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_fresh(&self, name: &str, fresh: i64) -> Result<bool, Error> {
        let changed =
            self.execute("-- administration::set_fresh\nUPDATE sources SET fresh = $2 WHERE name = $1", (name, fresh))?;
        Ok(changed > 0)
    }

    /// What counts of one resource at one level, of all sources, by row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn lane(&self, resource: &Resource, level: Level) -> Result<Vec<KeptAssignment>, Error> {
        if let Resource::Addresses(range) = resource {
            let statement = format!(
                "-- administration::lane_of_range
                 SELECT {ASSIGNMENT} FROM assignments a JOIN parties p ON p.id = a.party
                 WHERE a.first = $1 AND a.last = $2 AND a.first IS NOT NULL AND a.superseded IS NULL AND a.level = $3 ORDER BY a.id"
            );
            let mut found = self.prepare(&statement)?;
            let rows = found.query_map((range.first.bytes(), range.last.bytes(), level as u8), assignment_from)?;
            return Ok(rows.collect::<Result<_, _>>()?);
        }
        let statement = format!(
            "-- administration::lane_of_name
             SELECT {ASSIGNMENT} FROM assignments a JOIN parties p ON p.id = a.party
             WHERE a.name = $1 AND a.name IS NOT NULL AND a.superseded IS NULL AND a.level = $2 ORDER BY a.id"
        );
        let mut found = self.prepare(&statement)?;
        let rows = found.query_map((resource.to_string(), level as u8), assignment_from)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The index of everything that is assigned, and the generation it was built from.
    ///
    /// # Errors
    /// [`Error::Database`], and [`Error::Damaged`] when the administration is beyond what an index holds.
    pub fn index(&self) -> Result<(Index, i64), Error> {
        let too_large = |error: model::chain::TooLarge| Error::Damaged(error.to_string());
        let generation = self.counter("generation")?;
        let mut builder = Builder::new();
        // Sources are numbered in the index by their place; row numbers have no gaps, for no source is ever deleted.
        let sources = self.sources()?;
        for source in &sources {
            builder.source(Source { name: source.name.clone(), checked: source.checked });
        }
        let mut select = self.prepare(
            "-- administration::assigned
             SELECT id, first, last, name, party, level, valid_from, valid_to, source, recorded FROM assignments WHERE superseded IS NULL",
        )?;
        select.each((), |row| {
            let source: i64 = row.get(8)?;
            let held = Held {
                assignment: row.get(0)?,
                party: row.get(4)?,
                period: Period { from: row.get::<Option<i64>>(6)?.map(Time), to: row.get::<Option<i64>>(7)?.map(Time) },
                level: numbered(row, 5, &Level::ALL)?,
                source: sources.iter().position(|known| known.id == source).unwrap_or(0) as u16,
                recorded: Time(row.get(9)?),
            };
            let resource = resource_from(row.get(1)?, row.get(2)?, row.get(3)?);
            builder.assignment(&resource, held).map_err(too_large)
        })?;
        let mut select =
            self.prepare("-- administration::memberships\nSELECT party, parent, valid_from, valid_to FROM memberships")?;
        select.each((), |row| {
            let period = Period { from: row.get::<Option<i64>>(2)?.map(Time), to: row.get::<Option<i64>>(3)?.map(Time) };
            builder.membership(row.get(0)?, row.get(1)?, period).map_err(too_large)
        })?;
        Ok((builder.build().map_err(too_large)?, generation))
    }

    /// One party by its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn party(&self, id: PartyId) -> Result<Option<KeptParty>, Error> {
        let text = format!("-- administration::party\nSELECT {PARTY} FROM parties p WHERE p.id = $1");
        let party = self.prepare(&text)?.query_row([id], party_from).optional()?;
        party.map(|party| self.complete(party)).transpose()
    }

    /// The party that a source calls `reference`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn party_of(&self, source: i64, reference: &str) -> Result<Option<KeptParty>, Error> {
        let text = format!("-- administration::party_of\nSELECT {PARTY} FROM parties p WHERE p.source = $1 AND p.reference = $2");
        let party = self.prepare(&text)?.query_row((source, reference), party_from).optional()?;
        party.map(|party| self.complete(party)).transpose()
    }

    /// Parties whose reference, public identifier or name is `text`, or whose name begins with it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn find_parties(&self, text: &str, most: u32) -> Result<Vec<KeptParty>, Error> {
        let public = PublicId::parse(text).map(|public| public.0.to_be_bytes().to_vec()).unwrap_or_default();
        let statement = format!(
            "-- administration::find
             SELECT {PARTY} FROM parties p
             WHERE p.reference = $1 OR p.public = $2 OR lower(substr(p.name, 1, length($1))) = $4
             ORDER BY p.reference <> $1, p.id LIMIT $3"
        );
        // What a lower case letter is the databases do not agree on beyond ASCII.
        let lower = text.to_ascii_lowercase();
        let mut select = self.prepare(&statement)?;
        let found: Vec<KeptParty> = select.query_map((text, public, most, lower), party_from)?.collect::<Result<_, _>>()?;
        found.into_iter().map(|party| self.complete(party)).collect()
    }

    /// Parties of a source, by row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn parties_of(&self, source: i64) -> Result<Vec<KeptParty>, Error> {
        let statement = format!("-- administration::parties_of\nSELECT {PARTY} FROM parties p WHERE p.source = $1 ORDER BY p.id");
        let mut select = self.prepare(&statement)?;
        let mut found: Vec<KeptParty> = select.query_map([source], party_from)?.collect::<Result<_, _>>()?;
        let places: HashMap<PartyId, usize> = found.iter().enumerate().map(|(at, kept)| (kept.id, at)).collect();
        // Not a question for each of them, which may be many thousands.
        let mut contacts = self.prepare(
            "-- administration::contacts_of
             SELECT c.party, c.channel, c.target, c.hours, c.notify, c.fallback FROM parties p JOIN contacts c ON c.party = p.id
             WHERE p.source = $1 ORDER BY c.party, c.position",
        )?;
        for row in contacts.query_map([source], |row| Ok((row.get(0)?, contact_from(row, 1)?)))? {
            let (party, contact) = row?;
            if let Some(kept) = places.get(&party).and_then(|at| found.get_mut(*at)) {
                kept.party.contacts.push(contact);
            }
        }
        let mut parents = self.prepare(
            "-- administration::parents_of
             SELECT m.party, r.reference FROM parties p JOIN memberships m ON m.party = p.id JOIN parties r ON r.id = m.parent
             WHERE p.source = $1 AND m.valid_to IS NULL ORDER BY m.id",
        )?;
        for row in parents.query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (party, parent): (PartyId, String) = row?;
            if let Some(kept) = places.get(&party).and_then(|at| found.get_mut(*at)) {
                // The last that comes is the newest.
                kept.party.parent = Some(parent);
            }
        }
        Ok(found)
    }

    /// Adds what stands in other tables: contacts, and the reference of the party it rents from now.
    fn complete(&self, mut kept: KeptParty) -> Result<KeptParty, Error> {
        let mut select = self.prepare(
            "-- administration::contacts
             SELECT channel, target, hours, notify, fallback FROM contacts WHERE party = $1 ORDER BY position",
        )?;
        let contacts = select.query_map([kept.id], |row| contact_from(row, 0))?;
        kept.party.contacts = contacts.collect::<Result<_, _>>()?;
        kept.party.parent = self
            .prepare(
                "-- administration::parent
                 SELECT p.reference FROM memberships m JOIN parties p ON p.id = m.parent
                 WHERE m.party = $1 AND m.valid_to IS NULL ORDER BY m.id DESC LIMIT 1",
            )?
            .query_row([kept.id], |row| row.get(0))
            .optional()?;
        Ok(kept)
    }

    /// Those who rent from a party now.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn children(&self, party: PartyId) -> Result<Vec<PartyId>, Error> {
        let mut select = self.prepare(
            "-- administration::children
             SELECT party FROM memberships WHERE parent = $1 AND valid_to IS NULL ORDER BY party",
        )?;
        Ok(select.query_map([party], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Assignments of a party, superseded ones left out, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn assignments_of_party(&self, party: PartyId, most: u32) -> Result<Vec<KeptAssignment>, Error> {
        let statement = format!(
            "-- administration::of_party
             SELECT {ASSIGNMENT} FROM assignments a JOIN parties p ON p.id = a.party
             WHERE a.party = $1 AND a.superseded IS NULL ORDER BY a.valid_to IS NOT NULL, a.id DESC LIMIT $2"
        );
        Ok(self.prepare(&statement)?.query_map((party, most), assignment_from)?.collect::<Result<_, _>>()?)
    }

    /// All assignments that count, of one source or of all others.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn assignments(&self, source: i64, of_others: bool) -> Result<Vec<KeptAssignment>, Error> {
        let comparison = if of_others { "<>" } else { "=" };
        let statement = format!(
            "-- administration::assignments
             SELECT {ASSIGNMENT} FROM assignments a JOIN parties p ON p.id = a.party
             WHERE a.source {comparison} $1 AND a.superseded IS NULL ORDER BY a.id"
        );
        Ok(self.prepare(&statement)?.query_map([source], assignment_from)?.collect::<Result<_, _>>()?)
    }

    /// One assignment by its row number, superseded or not.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn assignment(&self, id: i64) -> Result<Option<KeptAssignment>, Error> {
        let statement = format!(
            "-- administration::assignment
             SELECT {ASSIGNMENT} FROM assignments a JOIN parties p ON p.id = a.party WHERE a.id = $1"
        );
        Ok(self.prepare(&statement)?.query_row([id], assignment_from).optional()?)
    }
}
