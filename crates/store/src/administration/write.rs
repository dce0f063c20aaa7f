//! What changes in the administration, on its way into tables: many new rows at once, and changes one by one.

use model::assignment::Assignment;
use model::chain::PartyId;
use model::party::{Contact, Party};
use model::resource::Resource;
use model::time::Time;

use crate::Error;
use crate::cases::Randomness;
use crate::db::Transaction;

impl Transaction<'_> {
    /// Adds parties; their row numbers, in the same order.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Random`].
    pub fn add_parties(&self, source: i64, parties: &[Party], now: Time) -> Result<Vec<PartyId>, Error> {
        let first = self.numbers("parties", parties.len() as i64)?;
        let mut randomness = Randomness::default();
        let columns = "id, public, source, reference, roles, name, legal_name, trade_names, registry_number, vat_number, mails, phones, \
            domains, handles, country, language, aup_version, aup_accepted, kyc_checked, kyc_method, kyc_result, traceable_payment, \
            resells, recorded";
        self.insert_many("parties", columns, |into| {
            (first..).zip(parties).try_for_each(|(id, party)| {
                Ok(into.add((
                    id,
                    randomness.public_id(now)?.0.to_be_bytes(),
                    source,
                    &party.reference,
                    roles(party),
                    &party.name,
                    &party.legal_name,
                    lines(&party.trade_names),
                    &party.registry_number,
                    &party.vat_number,
                    lines(&party.mails),
                    lines(&party.phones),
                    lines(&party.domains),
                    lines(&party.handles),
                    &party.country,
                    &party.language,
                    &party.aup_version,
                    party.aup_accepted.map(|time| time.0),
                    party.kyc.checked.map(|time| time.0),
                    &party.kyc.method,
                    &party.kyc.result,
                    party.kyc.traceable_payment,
                    party.kyc.resells,
                    now.0,
                ))?)
            })
        })?;
        self.add_contacts((first..).zip(parties))?;
        Ok((first..).take(parties.len()).collect())
    }

    fn add_contacts<'p>(&self, parties: impl Iterator<Item = (PartyId, &'p Party)>) -> Result<(), Error> {
        self.insert_many("contacts", "party, position, channel, target, hours, notify, fallback", |into| {
            for (id, party) in parties {
                for (position, contact) in party.contacts.iter().enumerate() {
                    let Contact { channel, target, hours, notify, fallback } = contact;
                    into.add((id, position as i64, *channel as u8, target, hours, *notify, *fallback))?;
                }
            }
            Ok(())
        })
    }

    /// Writes what is known of a party; also when it comes back after it was gone.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_party(&self, id: PartyId, party: &Party, now: Time) -> Result<(), Error> {
        self.execute(
            "-- administration::set_names
             UPDATE parties SET roles = $2, name = $3, legal_name = $4, trade_names = $5, registry_number = $6, vat_number = $7,
                 mails = $8, phones = $9, domains = $10, handles = $11, country = $12, language = $13, recorded = $14, gone = NULL
             WHERE id = $1",
            (
                id,
                roles(party),
                &party.name,
                &party.legal_name,
                lines(&party.trade_names),
                &party.registry_number,
                &party.vat_number,
                lines(&party.mails),
                lines(&party.phones),
                lines(&party.domains),
                lines(&party.handles),
                &party.country,
                &party.language,
                now.0,
            ),
        )?;
        self.execute(
            "-- administration::set_kyc
             UPDATE parties SET aup_version = $2, aup_accepted = $3, kyc_checked = $4, kyc_method = $5, kyc_result = $6,
                 traceable_payment = $7, resells = $8
             WHERE id = $1",
            (
                id,
                &party.aup_version,
                party.aup_accepted.map(|time| time.0),
                party.kyc.checked.map(|time| time.0),
                &party.kyc.method,
                &party.kyc.result,
                party.kyc.traceable_payment,
                party.kyc.resells,
            ),
        )?;
        self.execute("-- administration::drop_contacts\nDELETE FROM contacts WHERE party = $1", [id])?;
        self.add_contacts(std::iter::once((id, party)))
    }

    /// Notes that a party's source does not name it any more. Nothing of it is deleted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_gone(&self, party: PartyId, now: Time) -> Result<(), Error> {
        self.execute("-- administration::gone\nUPDATE parties SET gone = $2 WHERE id = $1", (party, now.0))?;
        Ok(())
    }

    /// Notes that a party is named again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_back(&self, party: PartyId) -> Result<(), Error> {
        self.execute("-- administration::back\nUPDATE parties SET gone = NULL WHERE id = $1", [party])?;
        Ok(())
    }

    /// Ends what a party rents from others at `from`, and begins that it rents from `parent`; a `from` of `None` is for
    /// the first we hear of it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_parent(&self, party: PartyId, parent: Option<PartyId>, from: Option<Time>, now: Time) -> Result<(), Error> {
        self.execute(
            "-- administration::leave\nUPDATE memberships SET valid_to = $2 WHERE party = $1 AND valid_to IS NULL",
            (party, from.unwrap_or(now).0),
        )?;
        if let Some(parent) = parent {
            self.execute(
                "-- administration::join
                 INSERT INTO memberships (id, party, parent, valid_from, valid_to, recorded) VALUES ($1, $2, $3, $4, NULL, $5)",
                (self.numbers("memberships", 1)?, party, parent, from.map(|time| time.0), now.0),
            )?;
        }
        Ok(())
    }

    /// Says of new parties, of whom nothing was known, from whom they rent.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_memberships(&self, rented: &[(PartyId, PartyId)], now: Time) -> Result<(), Error> {
        let first = self.numbers("memberships", rented.len() as i64)?;
        self.insert_many("memberships", "id, party, parent, valid_from, valid_to, recorded", |into| {
            let none = None::<i64>;
            (first..).zip(rented).try_for_each(|(id, (party, parent))| Ok(into.add((id, *party, *parent, none, none, now.0))?))
        })
    }

    /// Begins assignments, each of the party of this number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_assignments(&self, source: i64, begun: &[(PartyId, &Assignment)], now: Time) -> Result<(), Error> {
        let first = self.numbers("assignments", begun.len() as i64)?;
        let columns = "id, source, first, last, name, party, level, valid_from, valid_to, service, product, panel, account, \
            reference, recorded, superseded, reason";
        self.insert_many("assignments", columns, |into| {
            (first..).zip(begun).try_for_each(|(id, (party, assignment))| {
                let (first, last, name) = match &assignment.resource {
                    Resource::Addresses(range) => (Some(range.first.bytes()), Some(range.last.bytes()), None),
                    other => (None, None, Some(other.to_string())),
                };
                Ok(into.add((
                    id,
                    source,
                    first,
                    last,
                    name,
                    *party,
                    assignment.level as u8,
                    assignment.period.from.map(|time| time.0),
                    assignment.period.to.map(|time| time.0),
                    &assignment.service,
                    &assignment.product,
                    &assignment.panel,
                    &assignment.account,
                    &assignment.reference,
                    now.0,
                    None::<i64>,
                    "",
                ))?)
            })
        })?;
        self.recheck_begun(begun.iter().map(|(_, assignment)| *assignment), now)
    }

    /// Ends an assignment.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_assignment(&self, id: i64, at: Time) -> Result<(), Error> {
        // Times after its end that have passed were thought to be this party's.
        self.recheck_assignment(id, at, Time::MAX)?;
        self.execute("-- administration::end\nUPDATE assignments SET valid_to = $2 WHERE id = $1", (id, at.0))?;
        Ok(())
    }

    /// Notes that an assignment counts no more: its source corrected it. The row stays, with the reason.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn supersede_assignment(&self, id: i64, reason: &str, now: Time) -> Result<(), Error> {
        self.execute(
            "-- administration::supersede\nUPDATE assignments SET superseded = $2, reason = $3 WHERE id = $1",
            (id, now.0, reason),
        )?;
        self.recheck_assignment(id, Time::MIN, now)
    }
}

/// Bits of a party's roles.
fn roles(party: &Party) -> u8 {
    party.roles.iter().fold(0u8, |roles, role| roles | 1 << *role as u8)
}

fn lines(list: &[String]) -> String {
    list.join("\n")
}
