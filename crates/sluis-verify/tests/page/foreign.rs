//! What the page says of vectors that others wrote: trees, notes, keys, signatures and time-stamps.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::browser::Browser;

/// The folder of vectors; `None`, with a line that says so, when `SLUIS_SHARED` is not set.
fn vectors() -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("skipped: SLUIS_SHARED is not set, so there are no vectors of others");
        return None;
    };
    let folder = PathBuf::from(shared).join("vectors/evidence");
    folder.is_dir().then_some(folder)
}

fn lines(name: &str) -> Vec<Value> {
    let Some(folder) = vectors() else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Runs `judge`, JavaScript of a function of one case that gives a truth value, over all cases; counts the right ones.
fn judged(cases: &[Value], expected: impl Fn(&Value) -> bool, judge: &str) {
    if cases.is_empty() {
        return;
    }
    let Some(mut browser) = Browser::open(&crate::page()) else { return };
    let script = format!(
        "(async () => {{ const judge = {judge}; const said = []; for (const one of {}) {{
           try {{ said.push(await judge(one)); }} catch (error) {{ if (!(error instanceof sluis.Wrong)) throw error; said.push(false); }} }}
         return said; }})()",
        json!(cases)
    );
    let said = browser.evaluate(&script);
    for (case, said) in cases.iter().zip(said.as_array().expect("a list")) {
        let got = said.as_bool().expect("a truth value");
        assert_eq!(got, expected(case), "{}", case["name"]);
    }
    eprintln!("{} cases of others agree", cases.len());
}

/// Numbers of 64 bits as text, which JavaScript would round.
fn with_text_numbers(mut cases: Vec<Value>) -> Vec<Value> {
    for case in &mut cases {
        for value in case.as_object_mut().expect("an object").values_mut() {
            if let Value::Number(number) = value {
                *value = json!(number.to_string());
            }
        }
    }
    cases
}

const BYTES: &str = "const bytes = (text) => Uint8Array.from(atob(text ?? ''), (letter) => letter.charCodeAt(0));
     const path = (list) => (list ?? []).map(bytes);";

#[test]
fn inclusion_is_judged_as_by_others() {
    let cases = with_text_numbers(lines("merkle/inclusion.jsonl"));
    let judge = format!(
        "(one) => {{ {BYTES} return sluis.included(BigInt(one.leafIdx), BigInt(one.treeSize), bytes(one.leafHash), path(one.proof), bytes(one.root)); }}"
    );
    judged(&cases, |case| case["want_err"] == json!(false), &judge);
}

#[test]
fn consistency_is_judged_as_by_others() {
    let cases = with_text_numbers(lines("merkle/consistency.jsonl"));
    let judge = format!(
        "(one) => {{ {BYTES} return sluis.consistent(BigInt(one.size1), BigInt(one.size2), path(one.proof), bytes(one.root1), bytes(one.root2)); }}"
    );
    judged(&cases, |case| case["want_err"] == json!(false), &judge);
}

#[test]
fn a_place_in_a_log_of_a_thousand_million_entries_is_judged() {
    let Some(folder) = vectors() else { return };
    let Ok(text) = std::fs::read_to_string(folder.join("ct-argon2020/inclusion.json")) else { return };
    let case: Value = serde_json::from_str(&text).expect("JSON");
    let good = with_text_numbers(vec![case]).remove(0);
    let mut moved = good.clone();
    moved["leaf_index"] = json!("10001");
    let judge = format!(
        "async (one) => {{ {BYTES}
           const leaf = await sluis.leafHash(bytes(one.leaf_input_b64));
           return sluis.included(BigInt(one.leaf_index), BigInt(one.tree_size), leaf, path(one.audit_path_b64), bytes(one.root_b64)); }}"
    );
    judged(&[good, moved], |case| case["leaf_index"] == json!("10000"), &judge);
}

#[test]
fn a_whole_log_that_another_program_made_holds_at_every_size() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("log-tessera");
    let Ok(text) = std::fs::read_to_string(folder.join("index.json")) else { return };
    let index: Value = serde_json::from_str(&text).expect("JSON");
    let entries: Vec<&str> = index["entries"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let leaves: Vec<Hash> = entries.iter().map(|entry| hash(&[b"\0", entry.as_bytes()])).collect();
    let mut cases = Vec::new();
    for size in 1..=leaves.len() {
        let note = std::fs::read_to_string(folder.join(format!("checkpoint.{size}"))).expect("a checkpoint of every size");
        let path = |proof: Vec<Hash>| proof.iter().map(|hash| STANDARD.encode(hash)).collect::<Vec<_>>();
        let inclusions: Vec<Value> =
            (0..size).map(|place| json!([entries[place], path(inclusion(place, &leaves[..size]))])).collect();
        let consistencies: Vec<Value> = (1..size)
            .map(|first| json!([STANDARD.encode(root(&leaves[..first])), path(consistency(first, &leaves[..size], true))]))
            .collect();
        cases.push(json!({ "name": size, "note": note, "vkey": index["vkey"], "inclusions": inclusions, "consistencies": consistencies }));
    }
    let judge = format!(
        "async (one) => {{ {BYTES}
           const note = new TextEncoder().encode(one.note);
           await sluis.openNote(note, [one.vkey]);
           const {{ size, root }} = sluis.readCheckpoint(sluis.readNote(note, 'note'));
           for (const [place, [entry, proof]] of one.inclusions.entries())
             if (!(await sluis.included(BigInt(place), size, await sluis.leafHash(new TextEncoder().encode(entry)), path(proof), root))) return false;
           for (const [place, [first, proof]] of one.consistencies.entries())
             if (!(await sluis.consistent(BigInt(place + 1), size, path(proof), bytes(first), root))) return false;
           return size === BigInt(one.name); }}"
    );
    judged(&cases, |_| true, &judge);
}

type Hash = [u8; 32];

fn hash(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}

/// The largest power of two below a number of leaves: RFC 6962, 2.1.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            hash(&[b"\x01", &root(left), &root(right)])
        }
    }
}

fn inclusion(place: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if place < left.len() {
        (inclusion(place, left), root(right))
    } else {
        (inclusion(place - left.len(), right), root(left))
    };
    path.push(sibling);
    path
}

fn consistency(first: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if first == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if first <= left.len() {
        (consistency(first, left, whole), root(right))
    } else {
        (consistency(first - left.len(), right, false), root(left))
    };
    path.push(sibling);
    path
}

#[test]
fn notes_are_opened_as_by_others() {
    let cases = lines("note/open.jsonl");
    let judge = format!(
        "async (one) => {{ {BYTES} const names = await sluis.openNote(bytes(one.note_b64), one.vkeys);
           return JSON.stringify(names) === JSON.stringify(one.verified); }}"
    );
    judged(&cases, |case| case["expect"] == json!("ok"), &judge);
}

#[test]
fn keys_of_verifiers_are_read_as_by_others() {
    let cases = lines("note/vkey.jsonl");
    judged(&cases, |case| case["expect"] == json!("ok"), "async (one) => Boolean(await sluis.verifierKey(one.vkey))");
}

#[test]
fn signatures_at_the_edges_are_judged_strictly() {
    let cases = lines("ed25519/cctv.jsonl");
    // The rule, in words: RFC 8032 without the cofactor; low order and other spellings of A and R refused. The oracle
    // is the library that the program uses, with the refusals that it makes.
    let expected = |case: &Value| {
        let bytes = |name: &str| hex(case[name].as_str().expect("text"));
        let key: [u8; 32] = bytes("key_hex").try_into().expect("32 bytes");
        let signature: [u8; 64] = bytes("sig_hex").try_into().expect("64 bytes");
        let message = case["msg"].as_str().expect("text").as_bytes();
        seal::ed25519::verify(&key, message, &signature)
    };
    let judge =
        "(one) => sluis.ed25519(sluis.fromHex(one.key_hex), new TextEncoder().encode(one.msg), sluis.fromHex(one.sig_hex))";
    judged(&cases, expected, judge);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("digits")).collect()
}

#[test]
fn time_stamps_are_judged_as_by_openssl() {
    let mut cases = lines("rfc3161/openssl.jsonl");
    for case in &mut cases {
        // Nonce and policy of a query stand at fixed places of what OpenSSL writes; the page takes them as values.
        if let Some(query) = case["tsq_b64"].as_str() {
            case["asked"] = asked(&STANDARD.decode(query).expect("base64"));
        }
    }
    let judge = format!(
        "async (one) => {{ {BYTES}
           const asked = {{}};
           if (one.asked?.nonce) asked.nonce = BigInt('0x' + one.asked.nonce);
           if (one.asked?.policy) asked.policy = one.asked.policy;
           const extra = one.untrusted_pem ? sluis.readCertificates(new TextEncoder().encode(one.untrusted_pem)) : [];
           const roots = sluis.readCertificates(new TextEncoder().encode(one.ca_pem));
           const found = await sluis.timestampOf(bytes(one.tsr_b64), bytes(one.data_b64), roots, extra, asked);
           return found.time > 0n; }}"
    );
    // OpenSSL forgives bytes after the end; nothing here does.
    judged(&cases, |case| case["openssl_ok"] == json!(true) && case["name"] != json!("edge-trailing-bytes"), &judge);
}

/// Nonce (hexadecimal) and policy of a time-stamp query: version, imprint, then what is there.
fn asked(query: &[u8]) -> Value {
    let (_, body, _) = value(query);
    let (_, _, rest) = value(body);
    let (_, _, mut rest) = value(rest);
    let mut found = json!({});
    while !rest.is_empty() {
        let (tag, content, after) = value(rest);
        if tag == 2 {
            found["nonce"] = json!(content.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        } else if tag == 6 {
            found["policy"] = json!(object_identifier(content));
        }
        rest = after;
    }
    found
}

fn value(bytes: &[u8]) -> (u8, &[u8], &[u8]) {
    let length = usize::from(bytes[1]);
    (bytes[0], &bytes[2..2 + length], &bytes[2 + length..])
}

fn object_identifier(content: &[u8]) -> String {
    let mut words = vec![(content[0] / 40).to_string(), (content[0] % 40).to_string()];
    let mut arc = 0u32;
    for byte in &content[1..] {
        arc = (arc << 7) | u32::from(byte & 127);
        if byte & 128 == 0 {
            words.push(arc.to_string());
            arc = 0;
        }
    }
    words.join(".")
}
