//! Parties: persons and organisations to whom resources are assigned, or who report.

use crate::time::Time;

/// What a party is to the operator. A party may be several things at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Holds address space from the registry and rents it on.
    Provider,
    /// Rents on what it rented.
    Reseller,
    /// Uses what it rented.
    Customer,
    /// Sends reports.
    Reporter,
    /// May give orders.
    Authority,
}

impl Role {
    /// Every role, in the order of their numbers.
    pub const ALL: [Role; 5] = [Role::Provider, Role::Reseller, Role::Customer, Role::Reporter, Role::Authority];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            Role::Provider => "provider",
            Role::Reseller => "reseller",
            Role::Customer => "customer",
            Role::Reporter => "reporter",
            Role::Authority => "authority",
        }
    }

    /// The role of a word; case is ignored.
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word().eq_ignore_ascii_case(word.trim()))
    }
}

/// How a contact is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Channel {
    /// Mail to an address.
    Mail,
    /// A telephone number, for people.
    Phone,
    /// An HTTPS address that is called.
    Webhook,
    /// A node of the party's own.
    Link,
}

impl Channel {
    /// Every channel, in the order of their numbers.
    pub const ALL: [Channel; 4] = [Channel::Mail, Channel::Phone, Channel::Webhook, Channel::Link];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Mail => "mail",
            Channel::Phone => "phone",
            Channel::Webhook => "webhook",
            Channel::Link => "link",
        }
    }

    /// The channel of a word; case is ignored.
    pub fn parse(word: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.word().eq_ignore_ascii_case(word.trim()))
    }
}

/// One way to reach a party about abuse: how, when, whether, and whether only as a last resort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// How.
    pub channel: Channel,
    /// Where: a mail address, a number, a URL.
    pub target: String,
    /// When, in the party's own words (`office hours`, `24/7`); empty when it did not say.
    pub hours: String,
    /// Whether this contact wants to be told at all.
    pub notify: bool,
    /// Used only when no other contact could be reached.
    pub fallback: bool,
}

/// What is known of a customer, and how (DSA article 30 as a model of fields). Facts about a check, never documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kyc {
    /// When the identity was checked.
    pub checked: Option<Time>,
    /// How: `registry extract`, `eID`.
    pub method: String,
    /// With what result: `confirmed`, `refused`.
    pub result: String,
    /// Whether the first payment can be traced to a person.
    pub traceable_payment: Option<bool>,
    /// Whether the party says it rents on.
    pub resells: Option<bool>,
}

/// A person or organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The identifier in the source that told of it; unique within that source, and the name by which assignments
    /// and children refer to it.
    pub reference: String,
    /// The reference of the party it rents from.
    pub parent: Option<String>,
    /// What it is.
    pub roles: Vec<Role>,
    /// The name it is called by.
    pub name: String,
    /// The name in the trade register.
    pub legal_name: String,
    /// Other names it trades under.
    pub trade_names: Vec<String>,
    /// Number in the trade register (KvK, LEI), with the register before a colon: `kvk:12345678`.
    pub registry_number: String,
    /// VAT number.
    pub vat_number: String,
    /// Mail addresses that belong to it, not all of them contacts.
    pub mails: Vec<String>,
    /// Telephone numbers.
    pub phones: Vec<String>,
    /// Domain names it uses for itself.
    pub domains: Vec<String>,
    /// Names on forums and messengers.
    pub handles: Vec<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Language for letters, ISO 639-1.
    pub language: String,
    /// How to reach it about abuse, best first.
    pub contacts: Vec<Contact>,
    /// Version of the acceptable use policy it accepted.
    pub aup_version: String,
    /// When it accepted it.
    pub aup_accepted: Option<Time>,
    /// What is known of its identity.
    pub kyc: Kyc,
}
