//! What the columns of each Shadowserver report type mean: a data file, read once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use model::category::Kind;
use serde::Deserialize;

use crate::kinds::csv::column_name;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Date and time.
    Time,
    /// Date, when the time of day has its own column.
    Date,
    /// Time of day, beside [`Role::Date`].
    Clock,
    /// The address that is reported.
    Address,
    /// The prefix that is reported, when there is no single address.
    Network,
    /// The port at the address that is reported.
    Port,
    /// Number of its autonomous system.
    Asn,
    /// Its country.
    Country,
    /// Its name in reverse DNS.
    ReverseDns,
    /// Transport protocol.
    Transport,
    /// Application protocol.
    Application,
    /// Location of content at the address.
    Url,
    /// Domain name of content at the address.
    Domain,
    /// The other side.
    DestinationIp,
    /// Its port.
    DestinationPort,
    /// Its domain name.
    DestinationDomain,
    /// What was asked of it.
    DestinationUrl,
    /// Name of malware.
    Malware,
    /// The finer word under the classification.
    Identifier,
    /// The source's own label.
    Tag,
    /// MD5 of a file.
    Md5,
    /// SHA-1 of a file.
    Sha1,
    /// SHA-256 of a file.
    Sha256,
    /// A sentence for people.
    Description,
    /// How bad it is.
    Severity,
    /// User agent of a client.
    UserAgent,
}

/// For each role, columns in order of preference.
pub type Roles = BTreeMap<Role, Vec<String>>;

/// One report type.
#[derive(Clone, Debug)]
pub struct Type {
    /// The kind of abuse it tells of.
    pub kind: Kind,
    /// Classification of the Reference Security Incident Taxonomy.
    pub rsit: String,
    /// The finer word under it; empty when rows say it, or nothing does.
    pub identifier: String,
    /// Application protocol, when all rows have the same.
    pub application: String,
    /// Transport protocol, likewise.
    pub transport: String,
    /// The service that is open or vulnerable.
    pub service: String,
    /// CVE number, when all rows have the same.
    pub cve: String,
    /// Properties of every report.
    pub set: BTreeMap<String, String>,
    /// The columns of each role.
    pub roles: Roles,
    /// The kind of rows without the URL that `kind` needs.
    pub without_url: Option<Kind>,
    /// Rows that differ.
    pub when: Vec<When>,
}

/// Rows that differ from their type.
#[derive(Clone, Debug)]
pub struct When {
    /// The column that tells.
    pub column: String,
    /// What it contains; lower case.
    pub contains: String,
    /// Their kind.
    pub kind: Kind,
    /// Their classification.
    pub rsit: String,
    /// The finer word under it.
    pub identifier: String,
}

/// Column maps of Shadowserver's report types.
#[derive(Debug)]
pub struct Maps {
    types: Vec<Type>,
    /// Names and other names, with their type.
    names: HashMap<String, usize>,
    marks: Vec<(Vec<String>, String)>,
    known: HashSet<String>,
    common: Roles,
    unknown: Vec<(String, Type)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    columns: Roles,
    kinds: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    unknown: Vec<UnknownEntry>,
    types: BTreeMap<String, TypeEntry>,
    known: KnownEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownEntry {
    columns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnknownEntry {
    contains: String,
    kind: String,
    rsit: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TypeEntry {
    kind: String,
    rsit: String,
    identifier: String,
    application: String,
    transport: String,
    service: String,
    cve: String,
    also: Vec<String>,
    marks: Vec<String>,
    columns: Roles,
    set: BTreeMap<String, String>,
    without_url: String,
    when: Vec<WhenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenEntry {
    column: String,
    contains: String,
    kind: String,
    rsit: String,
    identifier: String,
}

const BUILTIN: &str = include_str!("../../../data/shadowserver.toml");

impl Default for Maps {
    /// Maps that know no type and no column.
    fn default() -> Maps {
        Maps {
            types: Vec::new(),
            names: HashMap::new(),
            marks: Vec::new(),
            known: HashSet::new(),
            common: Roles::new(),
            unknown: Vec::new(),
        }
    }
}

impl Maps {
    /// The maps that come with this version.
    pub fn builtin() -> &'static Maps {
        static MAPS: OnceLock<Maps> = OnceLock::new();
        // The text is part of the program, and a test reads it: the default is never used.
        MAPS.get_or_init(|| Maps::parse(BUILTIN).unwrap_or_default())
    }

    /// Reads maps in the form of `data/shadowserver.toml`, which explains itself.
    ///
    /// # Errors
    /// Says which key or word is not understood, and where.
    pub fn parse(text: &str) -> Result<Maps, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        if file.version != 1 {
            return Err(format!("version {} of these maps is not understood; this program reads version 1", file.version));
        }
        let mut kinds = BTreeMap::new();
        for (words, properties) in file.kinds {
            kinds.insert(kind(&words)?, properties);
        }
        let mut maps = Maps { common: normal(file.columns), ..Maps::default() };
        maps.known.extend(file.known.columns.iter().map(|name| column_name(name.as_bytes())));
        maps.known.extend(maps.common.values().flatten().cloned());
        for (name, entry) in file.types {
            let marks: Vec<String> = entry.marks.iter().map(|mark| column_name(mark.as_bytes())).collect();
            if !marks.is_empty() {
                maps.marks.push((marks, name.clone()));
            }
            for other in entry.also.iter().chain([&name]) {
                if maps.names.insert(normal_name(other), maps.types.len()).is_some() {
                    return Err(format!("the name '{other}' stands for two types"));
                }
            }
            let new = type_of(&name, entry, &maps.common, &kinds).map_err(|error| format!("types.{name}: {error}"))?;
            maps.known.extend(new.roles.values().flatten().cloned());
            maps.types.push(new);
        }
        for entry in file.unknown {
            let as_type = TypeEntry { kind: entry.kind, rsit: entry.rsit, ..TypeEntry::default() };
            let new = type_of("unknown", as_type, &maps.common, &kinds).map_err(|error| format!("unknown: {error}"))?;
            maps.unknown.push((normal_name(&entry.contains), new));
        }
        // The most telling marks first, so that the first that fits is the best.
        maps.marks.sort_by_key(|(marks, _)| std::cmp::Reverse(marks.len()));
        Ok(maps)
    }

    /// The type of a name in lower case.
    pub fn by_name(&self, name: &str) -> Option<&Type> {
        self.names.get(name).and_then(|at| self.types.get(*at))
    }

    /// Every name and other name of a type.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The name of the type that a file name contains (`2019-10-15-scan_ftp-sample-asn.csv`): the longest one.
    pub fn name_in_file(&self, file: &str) -> Option<&str> {
        let stem = normal_name(file.get(..file.len().min(512)).unwrap_or_default());
        let words: Vec<&str> = stem.split('_').filter(|word| !word.is_empty()).collect();
        // A name of one word says little: it counts only when it stands alone between dashes and dots.
        let alone = |name: &str| file.split(['-', '.', ' ']).any(|part| part.eq_ignore_ascii_case(name));
        let mut best: Option<&str> = None;
        for from in 0..words.len() {
            let mut name = String::new();
            // No type's name has more than six words.
            for word in words[from..].iter().take(6) {
                if !name.is_empty() {
                    name.push('_');
                }
                name.push_str(word);
                if name.len() > best.map_or(0, str::len)
                    && let Some((known, _)) = self.names.get_key_value(name.as_str())
                    && (name.contains('_') || alone(&name))
                {
                    best = Some(known);
                }
            }
        }
        best
    }

    /// The name of the type whose marks a header bears.
    pub fn name_by_header(&self, header: &[String]) -> Option<&str> {
        let fits = |marks: &[String]| marks.iter().all(|mark| header.contains(mark));
        self.marks.iter().find(|(marks, _)| fits(marks)).map(|(_, name)| name.as_str())
    }

    /// What stands for a type that is not in the maps, by its name.
    pub fn unknown(&self, name: &str) -> Option<&Type> {
        self.unknown.iter().find(|(word, _)| name.contains(word.as_str())).map(|(_, known)| known)
    }

    /// Whether a column is known in any type.
    pub fn knows(&self, column: &str) -> bool {
        self.known.contains(column)
    }

    /// The columns of `role` that all types have in common.
    pub fn common(&self, role: Role) -> &[String] {
        self.common.get(&role).map_or(&[], Vec::as_slice)
    }
}

fn normal_name(name: &str) -> String {
    name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn normal(roles: Roles) -> Roles {
    let names = |columns: Vec<String>| columns.iter().map(|column| column_name(column.as_bytes())).collect();
    roles.into_iter().map(|(role, columns)| (role, names(columns))).collect()
}

fn kind(words: &str) -> Result<Kind, String> {
    words
        .split_once('/')
        .and_then(|(category, name)| Kind::from_words(category, name))
        .ok_or_else(|| format!("'{words}' is not a category/type of XARF v4"))
}

fn type_of(
    name: &str,
    entry: TypeEntry,
    common: &Roles,
    kinds: &BTreeMap<Kind, BTreeMap<String, String>>,
) -> Result<Type, String> {
    let mut roles = common.clone();
    roles.extend(normal(entry.columns));
    let main = kind(&entry.kind)?;
    let mut set = kinds.get(&main).cloned().unwrap_or_default();
    set.extend(entry.set);
    let without_url = if entry.without_url.is_empty() { None } else { Some(kind(&entry.without_url)?) };
    let mut when = Vec::new();
    for rule in entry.when {
        when.push(When {
            column: column_name(rule.column.as_bytes()),
            contains: rule.contains.to_ascii_lowercase(),
            kind: kind(&rule.kind)?,
            rsit: rule.rsit,
            identifier: rule.identifier,
        });
    }
    // Rows of another kind need that kind's properties too; others do no harm.
    for other in without_url.iter().chain(when.iter().map(|rule| &rule.kind)) {
        for (property, value) in kinds.get(other).into_iter().flatten() {
            set.entry(property.clone()).or_insert_with(|| value.clone());
        }
    }
    let service = match (entry.service.is_empty(), entry.application.is_empty()) {
        (false, _) => entry.service,
        (_, false) => entry.application.to_ascii_lowercase(),
        _ => name.split_once('_').map_or(name, |(_, rest)| rest).replace('_', "-"),
    };
    Ok(Type {
        kind: main,
        rsit: entry.rsit,
        identifier: entry.identifier,
        application: entry.application.to_ascii_lowercase(),
        transport: entry.transport.to_ascii_lowercase(),
        service,
        cve: entry.cve,
        set,
        roles,
        without_url,
        when,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_maps_are_read() {
        let maps = Maps::parse(BUILTIN).unwrap();
        assert!(maps.types.len() > 100);
        assert!(maps.unknown("").is_some(), "the last rule fits every name");
        for (marks, name) in &maps.marks {
            assert!(maps.by_name(name).is_some());
            assert!(marks.iter().all(|mark| maps.knows(mark)), "{name}: {marks:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (from, to, error) in [
            ("identifier = \"blacklisted-ip\"", "identifer = \"x\"", "unknown field `identifer`"),
            ("tag = [\"tag\"] ", "flag = [\"tag\"] ", ""),
            ("[columns]", "[columns]\nflag = []", "unknown variant `flag`"),
            ("reputation/blocklist\", rsit", "reputation/blacklist\", rsit", "types.blocklist: 'reputation/blacklist' is not"),
            ("also = [\"blacklist\"]", "also = [\"scan_ftp\"]", "stands for two types"),
            ("version = 1", "version = 2", "version 2 of these maps"),
        ] {
            let found = Maps::parse(&BUILTIN.replacen(from, to, 1)).err().unwrap_or_default();
            assert!(found.contains(error), "{to}: {found}");
        }
    }

    #[test]
    fn types_are_known_by_file_name_or_header() {
        let maps = Maps::builtin();
        for (file, name) in [
            ("2019-10-15-scan_ftp-sample-asn.csv", Some("scan_ftp")),
            ("2026-03-04-event4_sinkhole_http-123456-netherlands-asn.csv", Some("event4_sinkhole_http")),
            ("event6_sinkhole_http_referer.csv", Some("event6_sinkhole_http_referer")),
            ("feed-2015-01-01-compromised_website-sample-asn.csv.zip", Some("compromised_website")),
            ("sinkhole-http-drone.csv", Some("sinkhole_http_drone")),
            ("SCAN_FTP.CSV", Some("scan_ftp")),
            ("2026-03-04-special-netherlands-asn.csv", Some("special")),
            ("scan_special.csv", None),
            ("customers.csv", None),
            ("", None),
        ] {
            assert_eq!(maps.name_in_file(file), name, "{file}");
        }
        let header = |text: &str| text.split(',').map(|name| column_name(name.as_bytes())).collect::<Vec<_>>();
        assert_eq!(maps.name_by_header(&header("timestamp,ip,MOTD,asn")), Some("scan_rsync"));
        let sinkhole = header("timestamp,src_ip,infection,http_url,http_host,dst_ip");
        assert_eq!(maps.name_by_header(&sinkhole), Some("event4_sinkhole_http"));
        assert_eq!(maps.name_by_header(&header("timestamp,ip,asn,geo")), None);
    }
}
