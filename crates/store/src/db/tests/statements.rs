//! Every statement of the store, prepared on both databases: found in the source, so that none is forgotten.

use super::*;

/// What stands in a text in braces, beside the constants of its file: the name of the statement (or the beginning of it),
/// the place, and what it may be there.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("cases::list", "indexed", &["address = $1", "holder = $1", "$1 = 0"]),
    ("administration::", "comparison", &["=", "<>"]),
    ("administration::lane_of", "from", &["FROM assignments a JOIN parties p ON p.id = a.party"]),
    ("db::numbers", "table", &["cases", "batches"]),
    ("clocks::due", "", &[crate::cases::COLUMNS]),
    ("outbox::about_case", "", &["o.id, o.cases"]),
    ("corrections::rechecks", "not", &["", "NOT"]),
    ("listing::cases", "case", &[crate::cases::COLUMNS]),
    ("listing::cases", "standing", &[crate::clocks::COLUMNS]),
    (
        "listing::cases",
        "along",
        &["address = $1", "handler = $1 AND handler <> ''", "holder = $1", "severity = $1 AND severity < 2", "0 = $1"],
    ),
    (
        "listing::cases",
        "page",
        &[
            "state = 0 AND fix_due IS NOT NULL AND (fix_due > $2 OR (fix_due = $2 AND id > $3)) AND fix_due < $4",
            "id > $2 AND id < $3 AND id < $4",
        ],
    ),
    ("listing::cases", "order", &["fix_due, id", "id DESC"]),
    ("administration::lane_", "from", &["FROM assignments a JOIN parties p ON p.id = a.party"]),
    ("witness::", "table", &["witnessed", "watched"]),
    ("proofs::at", "", &[crate::anchors::COLUMNS]),
];

/// The statements of the source: string literals that open with their name, `-- cases::open`. Those of PostgreSQL alone
/// (`sets`) and of SQLite alone (`status`) are left out.
fn statements() -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut statements = Vec::new();
    for path in files.iter().filter(|path| !path.components().any(|part| part.as_os_str() == "tests")) {
        let source = std::fs::read_to_string(path).unwrap();
        let constants = constants(&source);
        for literal in literals(&source).into_iter().filter(|literal| literal.starts_with("-- ") && literal.contains('\n')) {
            let own = ["-- sets::", "-- status::", "-- db::insert_"];
            if own.iter().any(|own| literal.starts_with(own)) {
                continue;
            }
            statements.extend(filled(&literal, &constants));
        }
    }
    statements
}

/// Constants of a file that are text.
fn constants(source: &str) -> BTreeMap<String, String> {
    let mut constants = BTreeMap::new();
    for part in source.split("const ").skip(1) {
        let Some((name, rest)) = part.split_once(':') else { continue };
        if rest.trim_start().starts_with("&str")
            && let Some(text) = literals(rest).into_iter().next()
        {
            constants.insert(name.trim().to_owned(), text);
        }
    }
    constants
}

/// The string literals of a source, with their escapes undone.
fn literals(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = source;
    while let Some(begin) = rest.find('"') {
        let mut text = String::new();
        let mut characters = rest[begin + 1..].char_indices();
        let mut end = rest.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = begin + 1 + at + 1;
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, '\n')) => {
                        while characters.clone().next().is_some_and(|(_, next)| next.is_whitespace()) {
                            characters.next();
                        }
                    }
                    Some((_, other)) => text.push(other),
                    None => {}
                },
                other => text.push(other),
            }
        }
        literals.push(text);
        rest = &rest[end..];
    }
    literals
}

/// The texts that a literal may become.
fn filled(literal: &str, constants: &BTreeMap<String, String>) -> Vec<String> {
    let Some((before, rest)) = literal.split_once('{') else { return vec![literal.to_owned()] };
    let (name, after) = rest.split_once('}').unwrap();
    let choices: Vec<String> =
        match (constants.get(name), PLACES.iter().find(|(of, place, _)| literal[3..].starts_with(of) && *place == name)) {
            (Some(constant), _) => vec![constant.clone()],
            (None, Some((.., choices))) => choices.iter().map(|choice| (*choice).to_owned()).collect(),
            (None, None) => panic!("PLACES does not say what {{{name}}} may be in {literal}"),
        };
    choices.iter().flat_map(|choice| filled(&format!("{before}{choice}{after}"), constants)).collect()
}

#[test]
fn every_statement_is_one_to_both() {
    let statements = statements();
    assert!(statements.len() > 70, "only {} were found", statements.len());
    let sqlite = Folder::new();
    let store = Store::open(&sqlite.0).unwrap();
    let prepare = |store: &Store, text: &String| {
        store
            .write("prepare", |transaction| transaction.prepare(text).map(|_| ()))
            .err()
            .map(|error| format!("{error}\n  {text}"))
    };
    let mut refused: Vec<String> = statements.iter().filter_map(|text| prepare(&store, text)).collect();
    for text in &statements {
        // Each of these is an error on one side, or another answer without any.
        let upper = text.to_uppercase();
        for word in
            [" LIKE ", " ILIKE ", "FOR UPDATE", " GREATEST(", " LEAST(", "->>", " RANDOM()", "LAST_INSERT", " GLOB ", "IFNULL"]
        {
            if upper.contains(word) {
                refused.push(format!("{word} is not the same to both databases\n  {text}"));
            }
        }
        let mut summed = upper.match_indices("SUM(");
        if summed.any(|(at, _)| !upper[..at].ends_with("CAST(")) {
            refused.push(format!("a sum is a numeric in PostgreSQL: CAST(sum(...) AS BIGINT)\n  {text}"));
        }
    }
    if let Some(database) = cluster::database() {
        let folder = Folder::new();
        let store = Store::open_on(&folder.0, &postgres(&database)).unwrap();
        refused.extend(statements.iter().filter_map(|text| prepare(&store, text)));
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_list_of_cases_is_one_to_both() {
    use crate::listing::Listing;
    use model::address::Address;
    use model::case::State;
    use model::severity::Severity;
    use model::time::Time;

    let conditions: [fn(&mut Listing); 8] = [
        |listing| listing.state = Some(State::Open),
        |listing| listing.holder = Some(i64::MAX),
        |listing| listing.address = Some(Address(1)),
        |listing| listing.severity = Some(Severity::P0),
        |listing| listing.rule = Some("a rule".to_owned()),
        |listing| listing.handler = Some("somebody".to_owned()),
        |listing| listing.mended_by = Some(Time(i64::MAX - 1)),
        |listing| listing.by_clock = true,
    ];
    let database = cluster::database();
    let folders = [Folder::new(), Folder::new()];
    let mut stores = vec![Store::open(&folders[0].0).unwrap()];
    stores.extend(database.iter().map(|database| Store::open_on(&folders[1].0, &postgres(database)).unwrap()));
    for store in stores {
        for chosen in 0..1 << conditions.len() {
            let mut listing = Listing { before: (chosen % 3 == 0).then_some(i64::MAX - 1), ..Listing::default() };
            let set = conditions.iter().enumerate().filter(|(at, _)| chosen >> at & 1 != 0);
            set.for_each(|(_, condition)| condition(&mut listing));
            let listed = store.reader().unwrap().read(|transaction| transaction.list_cases(&listing, 5));
            assert_eq!(listed.map_err(|error| format!("{error}: {listing:?}")), Ok(Vec::new()));
        }
    }
}
