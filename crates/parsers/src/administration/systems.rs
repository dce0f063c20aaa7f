//! Systems that hosters keep their administration in: what their exports look like, and what is taken from them.
//!
//! Each is a data file in `data/administrations`, in the language of [`super::map`]. An export is recognised by words that
//! its beginning has; those that are `unmistakable` also when nobody says which system wrote them.

use std::sync::OnceLock;

use toml::de::{DeTable, DeValue};

use super::map::{Kind, MapError, Mapping, document, line_of};

/// A system and its exports.
#[derive(Clone, Debug)]
pub struct System {
    /// The short name: `whmcs`.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Whether its exports were seen; otherwise they were built from documentation alone.
    pub proven: bool,
    /// Where its form is written down.
    pub from: Vec<String>,
    /// Its exports.
    pub exports: Vec<Export>,
}

/// One kind of file that a system writes.
#[derive(Clone, Debug)]
pub struct Export {
    /// What it is, for people.
    pub what: String,
    /// Words that its beginning has: fields of the first line for CSV.
    recognise: Vec<String>,
    /// What its file is called, for those that say nothing of themselves.
    names: Vec<String>,
    unmistakable: bool,
    /// What is taken from it.
    pub takes: Takes,
}

/// What is taken from an export.
#[derive(Clone, Debug)]
pub enum Takes {
    /// What the description says.
    Rows(Box<Mapping>),
    /// Nothing, and why.
    Nothing(String),
}

/// The data files of this program.
const FILES: [&str; 10] = [
    include_str!("../../data/administrations/whmcs.toml"),
    include_str!("../../data/administrations/hostbill.toml"),
    include_str!("../../data/administrations/directadmin.toml"),
    include_str!("../../data/administrations/plesk.toml"),
    include_str!("../../data/administrations/cpanel.toml"),
    include_str!("../../data/administrations/netbox.toml"),
    include_str!("../../data/administrations/phpipam.toml"),
    include_str!("../../data/administrations/proxmox.toml"),
    include_str!("../../data/administrations/virtualizor.toml"),
    include_str!("../../data/administrations/solusvm.toml"),
];

const OTHERS: [&str; 5] = ["what", "recognise", "names", "unmistakable", "nothing"];

/// The systems that this version knows.
pub fn all() -> &'static [System] {
    static SYSTEMS: OnceLock<Vec<System>> = OnceLock::new();
    // That every file can be read is what a test is for.
    SYSTEMS.get_or_init(|| FILES.iter().filter_map(|text| System::parse(text).ok()).collect())
}

/// The system of a name; case does not matter.
pub fn by_name(name: &str) -> Option<&'static System> {
    all().iter().find(|system| system.name.eq_ignore_ascii_case(name.trim()))
}

/// The export that a file is without doubt, from its beginning; none when it could be two.
pub fn recognise(name: &str, start: &[u8]) -> Option<(&'static System, &'static Export)> {
    let start = Start::of(name, start);
    let mut best: Option<(usize, &System, &Export)> = None;
    let mut tied = false;
    for system in all() {
        let Some((score, export)) = system.best(&start, true) else { continue };
        tied = best.is_some_and(|(other, ..)| other == score) || (tied && best.is_some_and(|(other, ..)| other > score));
        if best.is_none_or(|(other, ..)| score > other) {
            best = Some((score, system, export));
        }
    }
    best.filter(|_| !tied).map(|(_, system, export)| (system, export))
}

impl System {
    /// The export that a file of this system is, from its name and beginning.
    pub fn export(&self, name: &str, start: &[u8]) -> Option<&Export> {
        self.best(&Start::of(name, start), false).map(|(_, export)| export)
    }

    fn best(&self, start: &Start<'_>, unmistakable: bool) -> Option<(usize, &Export)> {
        let mut best: Option<(usize, &Export)> = None;
        for export in self.exports.iter().filter(|export| export.unmistakable || !unmistakable) {
            let Some(score) = export.fits(start) else { continue };
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, export));
            }
        }
        best
    }

    /// Reads a data file.
    ///
    /// # Errors
    /// As [`Mapping::parse`].
    pub fn parse(text: &str) -> Result<System, MapError> {
        let table = document(text)?;
        let table = table.get_ref();
        let of = |key: &str| text_of(table, key).ok_or_else(|| MapError { line: 1, reason: format!("'{key}' is missing") });
        let mut system = System {
            name: of("name")?,
            title: of("title")?,
            proven: of("proof")? != "unproven",
            from: list_of(table, "from"),
            exports: Vec::new(),
        };
        let exports = table.get("export").and_then(|value| value.get_ref().as_array());
        for export in exports.into_iter().flatten() {
            let line = line_of(text, export.span().start);
            let Some(table) = export.get_ref().as_table() else {
                return Err(MapError { line, reason: "[[export]] begins a table".to_owned() });
            };
            let takes = match text_of(table, "nothing") {
                Some(why) => Takes::Nothing(why),
                None => Takes::Rows(Box::new(Mapping::of_table(text, table, line, &OTHERS)?)),
            };
            let export = Export {
                what: text_of(table, "what").unwrap_or_default(),
                recognise: list_of(table, "recognise"),
                names: list_of(table, "names"),
                unmistakable: table.get("unmistakable").and_then(|value| value.get_ref().as_bool()).unwrap_or(false),
                takes,
            };
            if export.what.is_empty() || (export.recognise.is_empty() && export.names.is_empty()) {
                return Err(MapError { line, reason: "an export needs 'what', and 'recognise' or 'names'".to_owned() });
            }
            system.exports.push(export);
        }
        Ok(system)
    }
}

/// The beginning of a file, looked at once for all exports.
struct Start<'s> {
    name: String,
    bytes: &'s [u8],
    first: u8,
    /// The fields of the first line, if it is CSV.
    fields: Vec<String>,
}

impl<'s> Start<'s> {
    fn of(name: &str, bytes: &'s [u8]) -> Start<'s> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line.get(..line.len().min(64 << 10)).unwrap_or_default()).to_lowercase();
        let fields = line.split([',', ';', '\t']).map(|field| field.trim().trim_matches('"').trim().to_owned()).collect();
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
        Start { name, bytes, first: bytes.first().copied().unwrap_or(0), fields }
    }

    /// Whether a word is there; one in quotes is the name of a member.
    fn has(&self, word: &str) -> bool {
        match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            Some(name) => self.has_member(name),
            None => memchr::memmem::find(self.bytes, word.as_bytes()).is_some(),
        }
    }

    /// Whether there is a member of this name in a JSON document.
    fn has_member(&self, name: &str) -> bool {
        let quoted = format!("\"{name}\"");
        memchr::memmem::find_iter(self.bytes, quoted.as_bytes())
            .any(|at| self.bytes.get(at + quoted.len()..).is_some_and(|rest| rest.trim_ascii_start().first() == Some(&b':')))
    }
}

impl Export {
    /// How many words speak for it; `None` when it is another kind of file.
    fn fits(&self, start: &Start<'_>) -> Option<usize> {
        if self.recognise.is_empty() {
            return self.names.iter().any(|name| start.name.contains(&name.to_lowercase())).then_some(1);
        }
        let mapping = match &self.takes {
            Takes::Rows(mapping) => Some(mapping),
            Takes::Nothing(_) => None,
        };
        let form_fits = match mapping.map(|mapping| mapping.kind()) {
            Some(Kind::Csv) => {
                return self
                    .recognise
                    .iter()
                    .all(|word| start.fields.contains(&word.to_lowercase()))
                    .then_some(self.recognise.len());
            }
            Some(Kind::Json) => match mapping.and_then(|mapping| mapping.first_step()) {
                Some(step) => start.first == b'{' && start.has_member(step),
                None if mapping.is_some_and(|mapping| mapping.is_single()) => start.first == b'{',
                None => start.first == b'[',
            },
            Some(Kind::Xml) => start.first == b'<',
            Some(Kind::Pairs | Kind::Settings) => !matches!(start.first, b'{' | b'[' | b'<'),
            None => true,
        };
        (form_fits && self.recognise.iter().all(|word| start.has(word))).then_some(self.recognise.len())
    }
}

fn text_of(table: &DeTable<'_>, key: &str) -> Option<String> {
    table.get(key).and_then(|value| value.get_ref().as_str()).map(str::to_owned)
}

fn list_of(table: &DeTable<'_>, key: &str) -> Vec<String> {
    let items = table.get(key).and_then(|value| value.get_ref().as_array());
    let text = |item: &toml::Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
    items.into_iter().flatten().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_file_can_be_read() {
        let mut names = Vec::new();
        for text in FILES {
            let system = System::parse(text).unwrap_or_else(|error| panic!("{error}: {}", text.lines().next().unwrap()));
            assert!(!system.from.is_empty() && !system.exports.is_empty(), "{}", system.name);
            names.push(system.name);
        }
        assert_eq!(all().len(), FILES.len());
        assert_eq!(by_name("WHMCS").map(|system| system.name.as_str()), Some("whmcs"));
        names.dedup();
        assert_eq!(names.len(), FILES.len());
    }
}
