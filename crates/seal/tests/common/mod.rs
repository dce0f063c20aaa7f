//! Where the vectors of others are, and how they are read.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use seal::tree::Hash;
use serde_json::Value;

/// The folder with vectors of others, or nothing, which is said, when `SLUIS_SHARED` is unset.
pub(crate) fn vectors(folder: &str) -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("skipped: SLUIS_SHARED is unset, so the vectors of {folder} are not tried");
        return None;
    };
    let folder = Path::new(&shared).join("vectors/evidence").join(folder);
    if !folder.is_dir() {
        eprintln!("skipped: no folder {}", folder.display());
        return None;
    }
    Some(folder)
}

/// All files below a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// The cases in a file of one JSON value a line.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The bytes that a value says in base64.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().map(|text| BASE64.decode(text).unwrap()).unwrap_or_default()
}

/// The bytes that a value says in hexadecimal digits.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// The hash that a value says in base64; nothing when it does not have 32 bytes.
pub(crate) fn hash(value: &Value) -> Option<Hash> {
    bytes(value).try_into().ok()
}

/// The root that a value says in base64. Some of the fixtures have words for roots: their hash stands for them, so that equal ones stay
/// equal and others do not.
pub(crate) fn root(value: &Value) -> Hash {
    hash(value).unwrap_or_else(|| seal::tree::leaf_hash(&bytes(value)))
}

/// The hashes of a path; nothing when one of them does not have 32 bytes.
pub(crate) fn path(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().map(|hashes| hashes.iter().map(hash).collect()).unwrap_or(Some(Vec::new()))
}

/// The leaf hashes of a tree of our own: of the numbers from 0, as text.
pub(crate) fn leaves(size: usize) -> Vec<Hash> {
    (0..size).map(|at| seal::tree::leaf_hash(at.to_string().as_bytes())).collect()
}
