//! The columns in which an administration is written, whoever wrote it.

/// A column. [`Column::name`] is its documented name, [`Column::help`] what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // each one's sentence is in `TABLE`, where people read it too
pub enum Column {
    Resource,
    First,
    Last,
    From,
    To,
    Level,
    Party,
    PartyName,
    Parent,
    Roles,
    LegalName,
    TradeNames,
    RegistryNumber,
    VatNumber,
    Mails,
    Phones,
    Domains,
    Handles,
    Country,
    Language,
    ContactMail,
    ContactPhone,
    ContactWebhook,
    ContactHours,
    Notify,
    Service,
    Product,
    Panel,
    Account,
    Reference,
    AupVersion,
    AupAccepted,
    KycChecked,
    KycMethod,
    KycResult,
    TraceablePayment,
    Resells,
}

/// Every column, its name and what it holds, in the order of the documentation.
pub const TABLE: [(Column, &str, &str); 37] = [
    (
        Column::Resource,
        "resource",
        "address, prefix, range, AS number, domain name, URL, account:PANEL/NAME or mail:HEADER: value",
    ),
    (Column::First, "first", "first address of a range, instead of resource"),
    (Column::Last, "last", "last address of a range, instead of resource"),
    (Column::From, "from", "when it began: YYYY-MM-DD or DD-MM-YYYY, with a time if known; UTC; empty = unknown"),
    (Column::To, "to", "when it ended; empty = it still holds"),
    (Column::Level, "level", "allocated, sub-allocated or assigned; empty = assigned"),
    (Column::Party, "party", "the party's own identifier in this source"),
    (Column::PartyName, "party_name", "the name it is called by"),
    (Column::Parent, "parent", "the identifier of the party it rents from"),
    (Column::Roles, "roles", "provider; reseller; customer; reporter; authority"),
    (Column::LegalName, "legal_name", "the name in the trade register"),
    (Column::TradeNames, "trade_names", "other names, separated by ;"),
    (Column::RegistryNumber, "registry_number", "number in the trade register, with the register: kvk:12345678"),
    (Column::VatNumber, "vat_number", "VAT number"),
    (Column::Mails, "mails", "its mail addresses, separated by ;"),
    (Column::Phones, "phones", "its telephone numbers, separated by ;"),
    (Column::Domains, "domains", "its own domain names, separated by ;"),
    (Column::Handles, "handles", "its names on forums and messengers, separated by ;"),
    (Column::Country, "country", "ISO 3166-1 alpha-2: NL"),
    (Column::Language, "language", "ISO 639-1: nl"),
    (Column::ContactMail, "contact_mail", "mail addresses for abuse, separated by ;"),
    (Column::ContactPhone, "contact_phone", "telephone numbers for abuse, separated by ;"),
    (Column::ContactWebhook, "contact_webhook", "HTTPS addresses for abuse, separated by ;"),
    (Column::ContactHours, "contact_hours", "when its contacts can be reached"),
    (Column::Notify, "notify", "yes or no: whether its contacts want to be told; empty = yes"),
    (Column::Service, "service", "the service it belongs to: vps-1042"),
    (Column::Product, "product", "product class: vps, shared hosting"),
    (Column::Panel, "panel", "control panel of the service"),
    (Column::Account, "account", "account in the panel"),
    (Column::Reference, "reference", "the source's identifier of this assignment"),
    (Column::AupVersion, "aup_version", "version of the acceptable use policy that was accepted"),
    (Column::AupAccepted, "aup_accepted", "when it was accepted"),
    (Column::KycChecked, "kyc_checked", "when the identity was checked"),
    (Column::KycMethod, "kyc_method", "how it was checked"),
    (Column::KycResult, "kyc_result", "with what result"),
    (Column::TraceablePayment, "traceable_payment", "yes or no: whether the first payment can be traced to a person"),
    (Column::Resells, "resells", "yes or no: whether the party says it rents on"),
];

/// How many columns there are.
pub const COUNT: usize = TABLE.len();

impl Column {
    /// The documented name.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What the column holds.
    pub fn help(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// Whether the column holds several texts, separated by `;` or on lines of their own.
    pub fn is_list(self) -> bool {
        self.help().ends_with("separated by ;")
    }

    /// The column of a name; case, blanks and `-` for `_` do not matter.
    pub fn parse(name: &str) -> Option<Column> {
        let name = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        TABLE.iter().find(|(_, known, _)| *known == name).map(|(column, ..)| *column)
    }

    /// The documented name nearest to a misspelt one.
    pub fn nearest(name: &str) -> Option<&'static str> {
        super::nearest(&name.trim().replace([' ', '-'], "_"), TABLE.iter().map(|(_, name, _)| *name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_columns() {
        for (at, (column, name, help)) in TABLE.iter().enumerate() {
            assert_eq!(*column as usize, at, "{name}");
            assert_eq!(Column::parse(&name.to_uppercase()), Some(*column));
            assert!(!help.is_empty() && !super::super::is_secret(name), "{name}");
        }
        assert_eq!(Column::nearest("ressource"), Some("resource"));
    }
}
