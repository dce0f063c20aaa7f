//! What the columns of a table of customers are, by the headers that Dutch and English programs give them, or by a map of the user.

use std::{collections::BTreeMap, fmt};

use matching::token::identifier::Country;
use serde::Deserialize;

use super::country;

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// What the provider calls the customer.
    Id,
    /// The name of the customer.
    Name,
    /// Names it trades under, by semicolons.
    TradeNames,
    /// The first name of a person.
    FirstName,
    /// What stands between first and last name ("van der").
    Infix,
    /// The last name of a person.
    LastName,
    /// The country.
    Country,
    /// The city.
    City,
    /// The postal code.
    PostalCode,
    /// The number in the Dutch trade register; of customers abroad, in their own.
    Kvk,
    /// The number in the register of the customer's country.
    Registration,
    /// The VAT number.
    Vat,
    /// The bank account.
    Iban,
    /// Domain names and addresses of websites.
    Domain,
    /// Mail addresses.
    Email,
    /// Phone numbers.
    Phone,
    /// Telegram handles.
    Telegram,
    /// ICQ numbers.
    Icq,
    /// XMPP addresses.
    Xmpp,
    /// Addresses of cryptocurrencies.
    Crypto,
    /// Autonomous systems.
    Asn,
    /// Prefixes that the customer holds.
    Prefix,
    /// Addresses that it uses, of prefixes that others hold.
    Address,
    /// Handles at a regional registry.
    Handle,
    /// Nothing that is compared, as the user says.
    #[serde(rename = "ignore")]
    Ignored,
}

impl Meaning {
    /// Whether a customer can have a hit by it.
    #[must_use]
    pub fn is_compared(self) -> bool {
        !matches!(
            self,
            Meaning::Id
                | Meaning::Infix
                | Meaning::FirstName
                | Meaning::Country
                | Meaning::City
                | Meaning::PostalCode
                | Meaning::Ignored
        )
    }

    /// What it is called in maps and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Id => "id",
            Meaning::Name => "name",
            Meaning::TradeNames => "trade-names",
            Meaning::FirstName => "first-name",
            Meaning::Infix => "infix",
            Meaning::LastName => "last-name",
            Meaning::Country => "country",
            Meaning::City => "city",
            Meaning::PostalCode => "postal-code",
            Meaning::Kvk => "kvk",
            Meaning::Registration => "registration",
            Meaning::Vat => "vat",
            Meaning::Iban => "iban",
            Meaning::Domain => "domain",
            Meaning::Email => "email",
            Meaning::Phone => "phone",
            Meaning::Telegram => "telegram",
            Meaning::Icq => "icq",
            Meaning::Xmpp => "xmpp",
            Meaning::Crypto => "crypto",
            Meaning::Asn => "asn",
            Meaning::Prefix => "prefix",
            Meaning::Address => "address",
            Meaning::Handle => "handle",
            Meaning::Ignored => "ignore",
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its header as written.
    pub header: String,
    /// What it was taken for. Nothing where nobody knows it, and for a second column of ids.
    pub meaning: Option<Meaning>,
}

/// What a user says of a table whose columns have names of its own. In TOML:
///
/// ```toml
/// country = "NL"          # of customers who have none
/// [columns]
/// "Debiteur" = "id"
/// "Opm." = "ignore"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// The country of customers who have none.
    pub country: Option<Country>,
    /// What columns are, by their headers as written.
    pub columns: BTreeMap<String, Meaning>,
}

/// Why a map cannot be used: where it is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongMap(String);

impl fmt::Display for WrongMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the map of columns cannot be used: {}", self.0)
    }
}

impl std::error::Error for WrongMap {}

impl Map {
    /// Reads a map.
    ///
    /// # Errors
    /// When it is not such a file, or names a meaning or country that there is not.
    pub fn read(text: &str) -> Result<Map, WrongMap> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            country: Option<String>,
            #[serde(default)]
            columns: BTreeMap<String, Meaning>,
        }
        let file: File = toml::from_str(text).map_err(|error| WrongMap(error.to_string()))?;
        let country = match file.country {
            Some(name) => Some(
                country::of(&name)
                    .ok_or_else(|| WrongMap(format!("no country is called \"{name}\"; write two letters such as NL")))?,
            ),
            None => None,
        };
        Ok(Map { country, columns: file.columns })
    }
}

/// The columns of these headers.
pub(super) fn of(headers: &[String], map: Option<&Map>) -> Vec<Column> {
    let mut has_id = false;
    let taken = |header: &String| {
        let meaning = meaning(header, map).filter(|meaning| *meaning != Meaning::Id || !std::mem::replace(&mut has_id, true));
        Column { header: header.clone(), meaning }
    };
    headers.iter().map(taken).collect()
}

/// What a header says: as the map has it, or as it is known. Capitals, blanks, marks, what is in brackets and a number at the end do not matter.
pub(super) fn meaning(header: &str, map: Option<&Map>) -> Option<Meaning> {
    if let Some(meaning) = map.and_then(|map| map.columns.get(header)) {
        return Some(*meaning);
    }
    let outside = header.split(['(', '[']).next().unwrap_or_default();
    let key: String = outside.chars().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).take(64).collect();
    let key = key.trim_end_matches(|letter: char| letter.is_ascii_digit());
    HEADERS.iter().find(|(_, headers)| headers.contains(&key)).map(|(meaning, _)| *meaning)
}

/// Headers of invoicing programs, hosting panels and people, without capitals, blanks and marks.
const HEADERS: [(Meaning, &[&str]); 24] = [
    (
        Meaning::Id,
        &[
            "id",
            "klantnummer",
            "klantnr",
            "klantid",
            "klantcode",
            "klant",
            "debiteurnummer",
            "debiteurnr",
            "debiteurid",
            "debiteurcode",
            "debiteur",
            "relatienummer",
            "relatienr",
            "relatiecode",
            "relatieid",
            "accountnummer",
            "accountid",
            "customerid",
            "customernumber",
            "customerno",
            "customercode",
            "customer",
            "clientid",
            "clientnumber",
            "client",
            "userid",
            "accountnumber",
            "debtorcode",
            "contactid",
            "partyid",
        ],
    ),
    (
        Meaning::Name,
        &[
            "naam",
            "name",
            "bedrijfsnaam",
            "bedrijf",
            "companyname",
            "company",
            "organisatie",
            "organisatienaam",
            "organisation",
            "organization",
            "organisationname",
            "organizationname",
            "orgname",
            "klantnaam",
            "customername",
            "clientname",
            "accountname",
            "relatienaam",
            "debiteurnaam",
            "statutairenaam",
            "legalname",
            "rechtspersoon",
            "firma",
            "firmanaam",
            "fullname",
            "volledigenaam",
        ],
    ),
    (
        Meaning::TradeNames,
        &[
            "handelsnaam",
            "handelsnamen",
            "tradename",
            "tradenames",
            "tradingname",
            "tradingnames",
            "tradingas",
            "aliassen",
            "alias",
            "aliases",
            "merk",
            "merken",
            "merknaam",
            "brand",
            "brands",
            "brandname",
            "dba",
            "ookbekendals",
            "alsoknownas",
            "aka",
        ],
    ),
    (Meaning::FirstName, &["voornaam", "voornamen", "firstname", "givenname", "roepnaam"]),
    (Meaning::Infix, &["tussenvoegsel", "tussenvoegsels", "voorvoegsel", "infix", "middlename"]),
    (Meaning::LastName, &["achternaam", "lastname", "surname", "familyname", "familienaam"]),
    (
        Meaning::Country,
        &["land", "country", "landcode", "countrycode", "landnaam", "countryname", "factuurland", "vestigingsland"],
    ),
    (
        Meaning::City,
        &["plaats", "plaatsnaam", "woonplaats", "stad", "city", "town", "vestigingsplaats", "factuurplaats", "locality"],
    ),
    (Meaning::PostalCode, &["postcode", "postalcode", "zip", "zipcode", "postcodefactuur", "factuurpostcode"]),
    (
        Meaning::Kvk,
        &[
            "kvk",
            "kvknummer",
            "kvknr",
            "kvkno",
            "kvknumber",
            "kamervankoophandel",
            "handelsregister",
            "handelsregisternummer",
            "coc",
            "cocnumber",
            "cocno",
            "chamberofcommerce",
            "chamberofcommercenumber",
            "kvkcode",
        ],
    ),
    (
        Meaning::Registration,
        &[
            "registrationnumber",
            "companynumber",
            "companyregistrationnumber",
            "companyregistration",
            "registernummer",
            "registratienummer",
            "ondernemingsnummer",
            "companyno",
            "companyid",
            "regno",
            "tradregister",
            "traderegister",
            "kbo",
            "kbonummer",
        ],
    ),
    (
        Meaning::Vat,
        &[
            "btw",
            "btwnummer",
            "btwnr",
            "btwid",
            "btwidentificatienummer",
            "vat",
            "vatnumber",
            "vatno",
            "vatid",
            "taxid",
            "taxnumber",
            "tva",
            "ustid",
            "ustidnr",
            "omzetbelastingnummer",
            "btwcode",
        ],
    ),
    (
        Meaning::Iban,
        &["iban", "ibannummer", "rekening", "rekeningnummer", "bankrekening", "bankrekeningnummer", "bankaccount", "accountiban"],
    ),
    (
        Meaning::Domain,
        &[
            "domein",
            "domeinen",
            "domeinnaam",
            "domeinnamen",
            "domain",
            "domains",
            "domainname",
            "domainnames",
            "website",
            "websites",
            "url",
            "urls",
            "webadres",
            "site",
            "homepage",
            "www",
            "hostname",
            "host",
            "internetadres",
            "webpagina",
        ],
    ),
    (
        Meaning::Email,
        &[
            "email",
            "emails",
            "emailadres",
            "emailadressen",
            "emailaddress",
            "emailaddresses",
            "mail",
            "mailadres",
            "mailaddress",
            "factuuremail",
            "emailfactuur",
            "billingemail",
            "invoiceemail",
            "contactemail",
            "emailcontact",
            "abuseemail",
            "technicalemail",
            "technischeemail",
        ],
    ),
    (
        Meaning::Phone,
        &[
            "telefoon",
            "telefoonnummer",
            "telefoonnummers",
            "telefoonnr",
            "tel",
            "telnr",
            "phone",
            "phonenumber",
            "phonenumbers",
            "telephone",
            "mobiel",
            "mobielnummer",
            "mobieltelefoon",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "gsm",
            "gsmnummer",
            "telefoonmobiel",
            "telefoonvast",
        ],
    ),
    (Meaning::Telegram, &["telegram", "telegramhandle", "telegramnaam", "telegramusername", "tg"]),
    (Meaning::Icq, &["icq", "icqnummer", "icqnumber", "uin"]),
    (Meaning::Xmpp, &["xmpp", "jabber", "jid", "xmppadres", "jabberid"]),
    (
        Meaning::Crypto,
        &[
            "crypto",
            "cryptoadres",
            "cryptoaddress",
            "wallet",
            "wallets",
            "walletadres",
            "walletaddress",
            "bitcoin",
            "bitcoinadres",
            "bitcoinaddress",
            "btc",
            "ethereum",
            "eth",
            "monero",
            "xmr",
            "usdt",
        ],
    ),
    (Meaning::Asn, &["asn", "asns", "asnummer", "asnumber", "autnum", "as", "autonomoussystem"]),
    (
        Meaning::Prefix,
        &[
            "prefix",
            "prefixes",
            "netblok",
            "netblokken",
            "netblock",
            "netblocks",
            "inetnum",
            "subnet",
            "subnets",
            "ipblok",
            "ipblokken",
            "cidr",
            "iprange",
            "ipranges",
            "ipreeks",
            "ipreeksen",
        ],
    ),
    (
        Meaning::Address,
        &[
            "ip",
            "ips",
            "ipadres",
            "ipadressen",
            "ipaddress",
            "ipaddresses",
            "ipv",
            "ipvadres",
            "dedicatedip",
            "assignedips",
            "serverip",
        ],
    ),
    (Meaning::Handle, &["orghandle", "nichandle", "nichdl", "ripehandle", "ripeorg", "organisationhandle", "handle", "ripe"]),
];
