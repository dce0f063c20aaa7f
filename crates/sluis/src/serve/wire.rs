//! An administration on its way to the process that owns the desk: one JSON object a line, a party or an assignment.
//!
//! The command that was called read the files, with its own rights; the owner of the data compares and changes. Both are
//! the same program on the same machine, so the form may change with any release.

use std::io::{BufRead, BufReader, Read, Write};

use anyhow::{Context, Result};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::{Channel, Contact, Kyc, Party, Role};
use model::resource::Resource;
use model::time::Time;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Party(Box<WireParty>),
    Assignment(Box<WireAssignment>),
}

#[derive(Serialize, Deserialize)]
struct WireParty {
    reference: String,
    parent: Option<String>,
    roles: Vec<String>,
    name: String,
    legal_name: String,
    trade_names: Vec<String>,
    registry_number: String,
    vat_number: String,
    mails: Vec<String>,
    phones: Vec<String>,
    domains: Vec<String>,
    handles: Vec<String>,
    country: String,
    language: String,
    contacts: Vec<WireContact>,
    aup_version: String,
    aup_accepted: Option<i64>,
    kyc_checked: Option<i64>,
    kyc_method: String,
    kyc_result: String,
    traceable_payment: Option<bool>,
    resells: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct WireContact {
    channel: String,
    target: String,
    hours: String,
    notify: bool,
    fallback: bool,
}

#[derive(Serialize, Deserialize)]
struct WireAssignment {
    resource: String,
    from: Option<i64>,
    to: Option<i64>,
    party: String,
    level: String,
    service: String,
    product: String,
    panel: String,
    account: String,
    reference: String,
}

/// Writes what a source says.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(said: &Snapshot, out: &mut dyn Write) -> Result<()> {
    for party in &said.parties {
        serde_json::to_writer(&mut *out, &Line::Party(Box::new(of_party(party))))?;
        out.write_all(b"\n")?;
    }
    for assignment in &said.assignments {
        serde_json::to_writer(&mut *out, &Line::Assignment(Box::new(of_assignment(assignment))))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// When a line is not one of those, or the reader fails.
pub(crate) fn read(body: &mut dyn Read, complete: bool) -> Result<Snapshot> {
    let mut said = Snapshot { complete, ..Snapshot::default() };
    for (at, line) in BufReader::new(body).lines().enumerate() {
        let line = line?;
        match serde_json::from_str(&line).with_context(|| format!("line {} of the administration", at + 1))? {
            Line::Party(party) => said.parties.push(to_party(*party)),
            Line::Assignment(assignment) => said.assignments.push(to_assignment(*assignment)?),
        }
    }
    Ok(said)
}

fn of_party(party: &Party) -> WireParty {
    let Party { reference, parent, roles, name, legal_name, trade_names, registry_number, vat_number, mails, phones, .. } =
        party.clone();
    let Party { domains, handles, country, language, contacts, aup_version, aup_accepted, kyc, .. } = party.clone();
    let contact = |contact: Contact| WireContact {
        channel: contact.channel.word().to_owned(),
        target: contact.target,
        hours: contact.hours,
        notify: contact.notify,
        fallback: contact.fallback,
    };
    WireParty {
        reference,
        parent,
        roles: roles.into_iter().map(|role| role.word().to_owned()).collect(),
        name,
        legal_name,
        trade_names,
        registry_number,
        vat_number,
        mails,
        phones,
        domains,
        handles,
        country,
        language,
        contacts: contacts.into_iter().map(contact).collect(),
        aup_version,
        aup_accepted: aup_accepted.map(|time| time.0),
        kyc_checked: kyc.checked.map(|time| time.0),
        kyc_method: kyc.method,
        kyc_result: kyc.result,
        traceable_payment: kyc.traceable_payment,
        resells: kyc.resells,
    }
}

fn to_party(party: WireParty) -> Party {
    let contact = |contact: WireContact| {
        let channel = Channel::parse(&contact.channel)?;
        Some(Contact {
            channel,
            target: contact.target,
            hours: contact.hours,
            notify: contact.notify,
            fallback: contact.fallback,
        })
    };
    Party {
        reference: party.reference,
        parent: party.parent,
        roles: party.roles.iter().filter_map(|role| Role::parse(role)).collect(),
        name: party.name,
        legal_name: party.legal_name,
        trade_names: party.trade_names,
        registry_number: party.registry_number,
        vat_number: party.vat_number,
        mails: party.mails,
        phones: party.phones,
        domains: party.domains,
        handles: party.handles,
        country: party.country,
        language: party.language,
        contacts: party.contacts.into_iter().filter_map(contact).collect(),
        aup_version: party.aup_version,
        aup_accepted: party.aup_accepted.map(Time),
        kyc: Kyc {
            checked: party.kyc_checked.map(Time),
            method: party.kyc_method,
            result: party.kyc_result,
            traceable_payment: party.traceable_payment,
            resells: party.resells,
        },
    }
}

fn of_assignment(assignment: &Assignment) -> WireAssignment {
    let Assignment { resource, period, party, level, service, product, panel, account, reference } = assignment.clone();
    WireAssignment {
        resource: resource.to_string(),
        from: period.from.map(|time| time.0),
        to: period.to.map(|time| time.0),
        party,
        level: level.word().to_owned(),
        service,
        product,
        panel,
        account,
        reference,
    }
}

fn to_assignment(assignment: WireAssignment) -> Result<Assignment> {
    let WireAssignment { resource, from, to, party, level, service, product, panel, account, reference } = assignment;
    Ok(Assignment {
        resource: Resource::parse(&resource)?,
        period: Period { from: from.map(Time), to: to.map(Time) },
        party,
        level: Level::parse(&level).context("not a level")?,
        service,
        product,
        panel,
        account,
        reference,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use parsers::administration::{Limits, csv};

    #[test]
    fn what_is_written_reads_back() {
        let text = "resource,from,to,level,party,party_name,parent,roles,contact_mail,contact_hours,kyc_checked,resells,service\n\
                    192.0.2.0/24,2026-01-01,2026-06-01,sub-allocated,r1,Dijk,p1,reseller,abuse@dijk.example,24/7,2026-01-02,yes,s1\n\
                    shop.example,,,assigned,p1,Polder,,provider,abuse@polder.example,,,,\n\
                    account:da01.example/c1,,,assigned,p1,,,,,,,,\nmail:X-Account: c1,,,assigned,p1,,,,,,,,\n";
        let (said, findings) = csv::read(&mut text.as_bytes(), None, &Limits::default());
        assert!(findings.is_empty(), "{findings:?}");
        let mut bytes = Vec::new();
        write(&said, &mut bytes).unwrap();
        assert_eq!(read(&mut bytes.as_slice(), said.complete).unwrap(), said);
        assert!(read(&mut &b"{\"order\":1}\n"[..], true).is_err());
    }
}
