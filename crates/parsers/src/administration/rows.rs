//! From a row of texts to parties and assignments: what the CSV reader and the mapped readers share.

use std::collections::HashMap;

use model::address::{Address, Range};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::{Channel, Contact, Party, Role};
use model::resource::Resource;
use model::time::Time;

use super::columns::{COUNT, Column};
use super::{Finding, Findings};

/// The texts of one row, by column. Empty means that the row does not say.
#[derive(Clone, Debug)]
pub(super) struct Row {
    texts: [String; COUNT],
}

impl Default for Row {
    fn default() -> Row {
        Row { texts: [const { String::new() }; COUNT] }
    }
}

impl Row {
    pub(super) fn clear(&mut self) {
        self.texts.iter_mut().for_each(String::clear);
    }

    pub(super) fn set(&mut self, column: Column, text: &str) {
        let slot = &mut self.texts[column as usize];
        slot.clear();
        slot.push_str(text.trim());
    }

    /// The identifier of the party that the row is about: empty when it is about nobody.
    pub(super) fn party(&self) -> &str {
        match self.get(Column::Party) {
            "" => self.get(Column::PartyName),
            reference => reference,
        }
    }

    /// Whether a column says just that.
    pub(super) fn is(&self, column: Column, text: &str) -> bool {
        self.get(column) == text
    }

    pub(super) fn get(&self, column: Column) -> &str {
        &self.texts[column as usize]
    }

    fn list(&self, column: Column) -> impl Iterator<Item = &str> {
        self.get(column).split([';', '\n']).map(str::trim).filter(|item| !item.is_empty())
    }
}

/// Puts rows together.
pub(super) struct Builder {
    /// What rows are counted in, for places: `line`, or `row`.
    pub(super) unit: &'static str,
    parties: Vec<Party>,
    places: HashMap<String, Known>,
    assignments: Vec<Assignment>,
    pub(super) findings: Findings,
}

/// Where a party stands, and which of its columns a row has filled.
struct Known {
    at: usize,
    told: [bool; COUNT],
    disputed: [bool; COUNT],
    levels: [bool; 3],
}

/// Why a row is lost: the text, and the reason.
pub(super) type Lost = (String, String);

impl Default for Builder {
    fn default() -> Builder {
        let (parties, places, assignments) = (Vec::new(), HashMap::new(), Vec::new());
        Builder { unit: "line", parties, places, assignments, findings: Findings::default() }
    }
}

impl Builder {
    /// A row's place, for people.
    pub(super) fn place(&self, row: u64) -> String {
        format!("{} {row}", self.unit)
    }

    /// Takes a row in; `line` is where it began. Whether nothing of it was lost.
    pub(super) fn row(&mut self, line: u64, row: &Row) -> bool {
        if row.texts.iter().all(String::is_empty) {
            return true;
        }
        let Err((text, reason)) = self.take(line, row) else { return true };
        let place = self.place(line);
        self.findings.lose(|| place, &text, || reason);
        false
    }

    /// The snapshot, and what was found on the way.
    pub(super) fn finish(mut self) -> (Snapshot, Vec<Finding>) {
        // Roles that nobody states follow from the levels at which a party holds something.
        for known in self.places.values() {
            let party = &mut self.parties[known.at];
            if party.roles.is_empty() {
                let roles = [Role::Provider, Role::Reseller, Role::Customer];
                party.roles = roles.into_iter().zip(known.levels).filter_map(|(role, holds)| holds.then_some(role)).collect();
            }
        }
        let (complete, findings) = self.findings.finish();
        (Snapshot { parties: self.parties, assignments: self.assignments, complete }, findings)
    }

    fn take(&mut self, line: u64, row: &Row) -> Result<(), Lost> {
        let reference = match (row.get(Column::Party), row.get(Column::PartyName)) {
            ("", "") => {
                let reason = "the row names no party: fill in 'party', its identifier in this source".to_owned();
                return Err((row.get(Column::Resource).to_owned(), reason));
            }
            ("", name) => name,
            (reference, _) => reference,
        };
        // The party first: it is told of, whatever is wrong with what it holds.
        self.party(line, row, reference);
        let resource = resource(row)?;
        let period = Period { from: date(row, Column::From)?, to: date(row, Column::To)? };
        if period.is_empty() {
            let text = format!("{} … {}", row.get(Column::From), row.get(Column::To));
            return Err((text, "it ends before it begins, or at the same moment; exchange 'from' and 'to'?".to_owned()));
        }
        let level = match row.get(Column::Level) {
            "" => Level::Assigned,
            word => Level::parse(word)
                .ok_or_else(|| (word.to_owned(), "not a level: allocated, sub-allocated or assigned".to_owned()))?,
        };
        let Some(resource) = resource else { return Ok(()) };
        if let Some(known) = self.places.get_mut(reference) {
            known.levels[level as usize] = true;
        }
        self.assignments.push(Assignment {
            resource,
            period,
            party: reference.to_owned(),
            level,
            service: row.get(Column::Service).to_owned(),
            product: row.get(Column::Product).to_owned(),
            panel: row.get(Column::Panel).to_owned(),
            account: row.get(Column::Account).to_owned(),
            reference: row.get(Column::Reference).to_owned(),
        });
        Ok(())
    }

    /// Fills in what the row says of its party. What an earlier row said stands.
    fn party(&mut self, line: u64, row: &Row, reference: &str) {
        if !self.places.contains_key(reference) {
            let known = Known { at: self.parties.len(), told: [false; COUNT], disputed: [false; COUNT], levels: [false; 3] };
            self.places.insert(reference.to_owned(), known);
            self.parties.push(Party { reference: reference.to_owned(), ..Party::default() });
        }
        let unit = self.unit;
        let place = |line: u64| format!("{unit} {line}");
        let Some(known) = self.places.get_mut(reference) else { return };
        let party = &mut self.parties[known.at];
        for column in PARTY {
            let text = row.get(column);
            if text.is_empty() {
                continue;
            }
            let before = known.told[column as usize].then(|| written(party, column));
            let mut new = Party::default();
            let target = if before.is_some() { &mut new } else { &mut *party };
            if let Err(reason) = fill(target, column, row) {
                self.findings.note(|| place(line), text, || format!("{}: {reason}", column.name()));
                continue;
            }
            known.told[column as usize] = true;
            if before.is_some_and(|before| before != written(&new, column)) && !known.disputed[column as usize] {
                known.disputed[column as usize] = true;
                let reason =
                    || format!("{} of party '{reference}' was something else in an earlier row, which stands", column.name());
                self.findings.note(|| place(line), text, reason);
            }
        }
        for contact in &mut party.contacts {
            if contact.hours.is_empty() {
                contact.hours = row.get(Column::ContactHours).to_owned();
            }
        }
        if let Some(notify) = boolean(row.get(Column::Notify)) {
            party.contacts.iter_mut().for_each(|contact| contact.notify = notify);
        }
    }
}

/// The columns that say something of the party itself.
pub(super) const PARTY: [Column; 25] = [
    Column::PartyName,
    Column::Parent,
    Column::Roles,
    Column::LegalName,
    Column::TradeNames,
    Column::RegistryNumber,
    Column::VatNumber,
    Column::Mails,
    Column::Phones,
    Column::Domains,
    Column::Handles,
    Column::Country,
    Column::Language,
    Column::ContactMail,
    Column::ContactPhone,
    Column::ContactWebhook,
    Column::Notify,
    Column::AupVersion,
    Column::AupAccepted,
    Column::KycChecked,
    Column::KycMethod,
    Column::KycResult,
    Column::TraceablePayment,
    Column::Resells,
    Column::ContactHours,
];

/// Puts one column of a row into a party.
fn fill(party: &mut Party, column: Column, row: &Row) -> Result<(), String> {
    let text = row.get(column);
    let list = || row.list(column).map(str::to_owned).collect::<Vec<_>>();
    let time = || date(row, column).map_err(|(_, reason)| reason);
    let choice = || boolean(text).map(Some).ok_or_else(|| "neither yes nor no".to_owned());
    match column {
        Column::PartyName => party.name = text.to_owned(),
        Column::Parent => party.parent = Some(text.to_owned()),
        Column::Roles => {
            let roles: Option<Vec<Role>> = row.list(column).flat_map(|part| part.split(',')).map(Role::parse).collect();
            party.roles = roles.ok_or("not roles: provider, reseller, customer, reporter, authority, separated by ;")?;
            party.roles.sort();
            party.roles.dedup();
        }
        Column::LegalName => party.legal_name = text.to_owned(),
        Column::TradeNames => party.trade_names = list(),
        Column::RegistryNumber => party.registry_number = text.to_owned(),
        Column::VatNumber => party.vat_number = text.to_owned(),
        Column::Mails => party.mails = list(),
        Column::Phones => party.phones = list(),
        Column::Domains => party.domains = list(),
        Column::Handles => party.handles = list(),
        Column::Country if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            party.country = text.to_ascii_uppercase();
        }
        Column::Country => return Err("not a country of two letters, like NL".to_owned()),
        Column::Language => party.language = text.to_ascii_lowercase(),
        Column::ContactMail => contacts(party, Channel::Mail, row, column, |target| target.contains('@'))?,
        Column::ContactPhone => contacts(party, Channel::Phone, row, column, |_| true)?,
        Column::ContactWebhook => contacts(party, Channel::Webhook, row, column, |target| target.starts_with("https://"))?,
        Column::Notify if boolean(text).is_none() => return Err("neither yes nor no".to_owned()),
        Column::AupVersion => party.aup_version = text.to_owned(),
        Column::AupAccepted => party.aup_accepted = time()?,
        Column::KycChecked => party.kyc.checked = time()?,
        Column::KycMethod => party.kyc.method = text.to_owned(),
        Column::KycResult => party.kyc.result = text.to_owned(),
        Column::TraceablePayment => party.kyc.traceable_payment = choice()?,
        Column::Resells => party.kyc.resells = choice()?,
        _ => {}
    }
    Ok(())
}

fn contacts(party: &mut Party, channel: Channel, row: &Row, column: Column, is_one: fn(&str) -> bool) -> Result<(), String> {
    if let Some(wrong) = row.list(column).find(|target| !is_one(target)) {
        return Err(format!("'{wrong}' cannot be reached by {}", channel.word()));
    }
    party.contacts.extend(row.list(column).map(|target| Contact {
        channel,
        target: target.to_owned(),
        hours: String::new(),
        notify: true,
        fallback: false,
    }));
    Ok(())
}

/// What a party says in a column, in a form that compares.
fn written(party: &Party, column: Column) -> String {
    let contacts = |channel: Channel| {
        let targets = party.contacts.iter().filter(|contact| contact.channel == channel).map(|contact| contact.target.as_str());
        targets.collect::<Vec<_>>().join(";")
    };
    match column {
        Column::PartyName => party.name.clone(),
        Column::Parent => party.parent.clone().unwrap_or_default(),
        Column::Roles => party.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(";"),
        Column::LegalName => party.legal_name.clone(),
        Column::TradeNames => party.trade_names.join(";"),
        Column::RegistryNumber => party.registry_number.clone(),
        Column::VatNumber => party.vat_number.clone(),
        Column::Mails => party.mails.join(";"),
        Column::Phones => party.phones.join(";"),
        Column::Domains => party.domains.join(";"),
        Column::Handles => party.handles.join(";"),
        Column::Country => party.country.clone(),
        Column::Language => party.language.clone(),
        Column::ContactMail => contacts(Channel::Mail),
        Column::ContactPhone => contacts(Channel::Phone),
        Column::ContactWebhook => contacts(Channel::Webhook),
        Column::AupVersion => party.aup_version.clone(),
        Column::AupAccepted => format!("{:?}", party.aup_accepted),
        Column::KycChecked => format!("{:?}", party.kyc.checked),
        Column::KycMethod => party.kyc.method.clone(),
        Column::KycResult => party.kyc.result.clone(),
        Column::TraceablePayment => format!("{:?}", party.kyc.traceable_payment),
        Column::Resells => format!("{:?}", party.kyc.resells),
        _ => String::new(),
    }
}

/// The resource of a row, if the row is about one.
pub(super) fn resource(row: &Row) -> Result<Option<Resource>, Lost> {
    let (text, first, last) = (row.get(Column::Resource), row.get(Column::First), row.get(Column::Last));
    if !text.is_empty() {
        return Resource::parse(text).map(Some).map_err(|error| (text.to_owned(), error.to_string()));
    }
    if first.is_empty() && last.is_empty() {
        return Ok(None);
    }
    // Either end alone is one address.
    let (first, last) = (if first.is_empty() { last } else { first }, if last.is_empty() { first } else { last });
    let written = || format!("{first} - {last}");
    let address = |text: &str| Address::parse(text.as_bytes()).ok_or_else(|| (text.to_owned(), "not an address".to_owned()));
    let range = Range::new(address(first)?, address(last)?);
    range.map(|range| Some(Resource::Addresses(range))).map_err(|error| (written(), error.to_string()))
}

pub(super) fn date(row: &Row, column: Column) -> Result<Option<Time>, Lost> {
    let text = row.get(column);
    if is_never(text) {
        return Ok(None);
    }
    let time = Time::parse(text.as_bytes()).or_else(|| dutch(text));
    let reason =
        || format!("{}: not a date that exists; write YYYY-MM-DD or DD-MM-YYYY, with HH:MM and a zone if known", column.name());
    time.map(Some).ok_or_else(|| (text.to_owned(), reason()))
}

/// Whether a text stands for no date: databases write their zero, in whatever order, or the word.
pub(super) fn is_never(text: &str) -> bool {
    let zeros = || text.bytes().filter(u8::is_ascii_alphanumeric).all(|byte| byte == b'0');
    text.is_empty() || text.starts_with("0000-00-00") || text.eq_ignore_ascii_case("null") || (text.contains('0') && zeros())
}

/// Reads `DD-MM-YYYY`, also with `/` or `.`, and what may follow a date in ISO 8601.
pub(super) fn dutch(text: &str) -> Option<Time> {
    let (date, clock) = text.split_at_checked(text.find([' ', 'T']).unwrap_or(text.len()))?;
    let mut parts = date.split(['-', '/', '.']);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = [day, month, year].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if parts.next().is_some() || year.len() != 4 || !digits || day.is_empty() || month.is_empty() {
        return None;
    }
    let (day, month): (u8, u8) = (day.parse().ok()?, month.parse().ok()?);
    Time::parse(format!("{year}-{month:02}-{day:02}{clock}").as_bytes())
}

fn boolean(text: &str) -> Option<bool> {
    let word = |words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    match () {
        () if word(["yes", "ja", "true", "1", "y", "j"]) => Some(true),
        () if word(["no", "nee", "false", "0", "n", "none"]) => Some(false),
        () => None,
    }
}

/// A line, for people.
pub(super) fn place(line: u64) -> String {
    format!("line {line}")
}
