//! Holds that `docs/formats.md` tells of every format, of none that there is not, and claims no proof that a format does not.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use parsers::formats::{Proven, all};

/// The rows of the tables at the top of the page, by the names in their first cell.
fn rows() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, tables) = text.split_once("## At a glance").unwrap();
    // Administrations have a table of their own behind those of formats.
    let (tables, _) = tables.split_once("Address administrations").unwrap();
    let mut rows = BTreeMap::new();
    for line in tables.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.split('|').nth(1).unwrap();
        for name in cell.split('`').skip(1).step_by(2) {
            assert!(rows.insert(name.to_owned(), line.to_owned()).is_none(), "docs/formats.md has two rows for {name}");
        }
    }
    rows
}

#[test]
fn every_format_has_a_row() {
    let rows = rows();
    let missing: Vec<_> = all().map(|format| format.name).filter(|name| !rows.contains_key(*name)).collect();
    assert!(missing.is_empty(), "docs/formats.md has no row for {missing:?}: add one to a table of 'At a glance'");
    let unknown: Vec<_> = rows.keys().filter(|name| all().all(|format| format.name != **name)).collect();
    assert!(unknown.is_empty(), "docs/formats.md has rows for {unknown:?}, which no format is called");
}

#[test]
fn a_format_that_is_unproven_says_so_in_its_row() {
    let rows = rows();
    for format in all() {
        let Some(row) = rows.get(format.name) else { continue };
        if matches!(format.proven, Proven::After(_)) {
            assert!(row.contains("unproven"), "{} is unproven, and its row in docs/formats.md does not say so", format.name);
        } else {
            let proof = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap().trim();
            assert!(!proof.starts_with("unproven"), "{} is proven, and its row in docs/formats.md denies it", format.name);
        }
    }
}
