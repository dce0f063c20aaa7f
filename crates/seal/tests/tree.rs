//! Trees and their proofs: against vectors of others, and against the definition in RFC 6962 written out naively.
#![allow(clippy::unwrap_used)]

mod common;

use common::{bytes, files, hash, hex, leaves, lines, path, root, vectors};
use proptest::prelude::*;
use seal::tree::{
    EMPTY_ROOT, Frontier, Hash, Wrong, leaf_hash, node_hash, prove_consistency, prove_inclusion, prove_prefix, range_root,
    root_of, roots_by_prefix, verify_consistency, verify_inclusion,
};
use sha2::{Digest, Sha256};

/// MTH of RFC 6962, section 2.1, with k found by trying.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves.len() {
        0 => Sha256::digest([]).into(),
        1 => leaves[0],
        n => {
            let k = naive_split(n);
            Sha256::digest([&[1][..], &naive_root(&leaves[..k]), &naive_root(&leaves[k..])].concat()).into()
        }
    }
}

fn naive_split(n: usize) -> usize {
    let mut k = 1;
    while 2 * k < n {
        k *= 2;
    }
    k
}

/// PATH of RFC 6962, section 2.1.1.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = naive_split(leaves.len());
    let (mut path, sibling) = if m < k {
        (naive_path(m, &leaves[..k]), naive_root(&leaves[k..]))
    } else {
        (naive_path(m - k, &leaves[k..]), naive_root(&leaves[..k]))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962, section 2.1.2.
fn naive_subproof(m: usize, leaves: &[Hash], b: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if b { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = naive_split(leaves.len());
    let (mut path, sibling) = if m <= k {
        (naive_subproof(m, &leaves[..k], b), naive_root(&leaves[k..]))
    } else {
        (naive_subproof(m - k, &leaves[k..], false), naive_root(&leaves[..k]))
    };
    path.push(sibling);
    path
}

/// Complete subtrees out of memory.
fn nodes(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Option<Hash> + '_ {
    |level, index| {
        let start = usize::try_from(index.checked_shl(level.into())?).ok()?;
        leaves.get(start..start + (1 << level)).map(root_of)
    }
}

#[test]
fn the_empty_root_is_the_hash_of_nothing() {
    assert_eq!(EMPTY_ROOT, <[u8; 32]>::from(Sha256::digest([])));
    assert_eq!(root_of(&[]), EMPTY_ROOT);
    assert_eq!(Frontier::new().root(), EMPTY_ROOT);
    assert_eq!(range_root(7, 7, &mut |_, _| None), Ok(EMPTY_ROOT));
}

#[test]
fn roots_and_frontiers_follow_the_definition() {
    let leaves = leaves(300);
    let mut frontier = Frontier::new();
    for size in 0..=leaves.len() {
        let expected = naive_root(&leaves[..size]);
        assert_eq!(root_of(&leaves[..size]), expected);
        assert_eq!(frontier.root(), expected, "frontier of {size}");
        assert_eq!(frontier.size(), size as u64);
        let kept = Frontier::from_parts(frontier.size(), frontier.roots().to_vec()).unwrap();
        assert_eq!(kept, frontier);
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
    assert!(Frontier::from_parts(3, vec![EMPTY_ROOT]).is_err());
    assert!(Frontier::from_parts(u64::MAX, vec![EMPTY_ROOT; 64]).is_err());
}

#[test]
fn inclusion_follows_the_definition_and_is_proven_for_its_place_only() {
    let leaves = leaves(300);
    for size in 1..=130 {
        let tree = &leaves[..size];
        let root = naive_root(tree);
        for index in 0..size {
            let path = prove_inclusion(index as u64, size as u64, &mut nodes(tree)).unwrap();
            assert_eq!(path, naive_path(index, tree), "path of {index} in {size}");
            let check =
                |index: usize, size: usize, leaf, path: &[Hash]| verify_inclusion(index as u64, size as u64, leaf, path, &root);
            assert_eq!(check(index, size, &tree[index], &path), Ok(()));
            assert!(check((index + 1) % (size + 1), size, &tree[index], &path).is_err());
            assert!(check(index, size, &leaves[index + 1], &path).is_err());
            if let Some(shorter) = path.get(1..) {
                assert_eq!(check(index, size, &tree[index], shorter), Err(Wrong::Length { given: shorter.len() }));
            }
            let longer = [&path[..], &[root]].concat();
            assert_eq!(check(index, size, &tree[index], &longer), Err(Wrong::Length { given: longer.len() }));
        }
    }
}

#[test]
fn consistency_follows_the_definition_and_no_other_root_is_proven() {
    let leaves = leaves(300);
    for new in 1..=100 {
        for old in 1..=new {
            let (old_root, new_root) = (naive_root(&leaves[..old]), naive_root(&leaves[..new]));
            let sizes = (old as u64, new as u64);
            let path = prove_consistency(sizes.0, sizes.1, &mut nodes(&leaves[..new])).unwrap();
            assert_eq!(path, naive_subproof(old, &leaves[..new], true), "from {old} to {new}");
            assert_eq!(verify_consistency(sizes.0, &old_root, sizes.1, &new_root, &path), Ok(()));
            assert!(verify_consistency(sizes.0, &EMPTY_ROOT, sizes.1, &new_root, &path).is_err());
            assert!(verify_consistency(sizes.0, &old_root, sizes.1, &EMPTY_ROOT, &path).is_err());
            let longer = [&path[..], &[new_root]].concat();
            assert_eq!(
                verify_consistency(sizes.0, &old_root, sizes.1, &new_root, &longer),
                Err(Wrong::Length { given: longer.len() })
            );
            let prefix = prove_prefix(sizes.0, sizes.1, &mut nodes(&leaves[..new])).unwrap();
            assert_eq!(prefix, naive_subproof(old, &leaves[..new], false));
            assert_eq!(roots_by_prefix(sizes.0, sizes.1, &prefix), Ok((old_root, new_root)));
        }
    }
}

#[test]
fn impossible_sizes_are_refused_without_work() {
    let leaf = leaf_hash(b"entry");
    assert_eq!(verify_inclusion(0, 0, &leaf, &[], &EMPTY_ROOT), Err(Wrong::NoSuchLeaf { index: 0, size: 0 }));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 1, &leaf, &[]), Err(Wrong::Sizes { old: 0, new: 1 }));
    assert_eq!(verify_consistency(2, &leaf, 1, &leaf, &[]), Err(Wrong::Sizes { old: 2, new: 1 }));
    // The largest numbers there are: long paths, no overflow.
    assert!(verify_inclusion(u64::MAX - 1, u64::MAX, &leaf, &[leaf; 64], &leaf).is_err());
    assert!(verify_consistency(u64::MAX - 1, &leaf, u64::MAX, &leaf, &[leaf; 64]).is_err());
    assert!(roots_by_prefix(1 << 63, u64::MAX, &[leaf; 64]).is_err());
    assert_eq!(prove_inclusion(5, 8, &mut |_, _| None), Err(Wrong::Missing { level: 2, index: 0 }));
}

proptest! {
    /// Whatever single byte is changed, nothing is proven any more.
    #[test]
    fn a_changed_byte_is_refused(size in 1usize..300, at: prop::sample::Index, byte: prop::sample::Index, bit in 0u8..8) {
        let leaves = leaves(300);
        let tree = &leaves[..size];
        let index = at.index(size);
        // Leaf, root and path in one row of bytes, so that any of them may be hit.
        let mut all = vec![tree[index], root_of(tree)];
        all.extend(prove_inclusion(index as u64, size as u64, &mut nodes(tree)).unwrap());
        let hit = byte.index(all.len() * 32);
        all[hit / 32][hit % 32] ^= 1 << bit;
        prop_assert!(verify_inclusion(index as u64, size as u64, &all[0], &all[2..], &all[1]).is_err());

        let old = index + 1;
        let mut all = vec![root_of(&tree[..old]), root_of(tree)];
        all.extend(prove_consistency(old as u64, size as u64, &mut nodes(tree)).unwrap());
        let hit = byte.index(all.len() * 32);
        all[hit / 32][hit % 32] ^= 1 << bit;
        prop_assert!(verify_consistency(old as u64, &all[0], size as u64, &all[1], &all[2..]).is_err());
    }

    /// Paths of any length for any numbers end, and without a panic.
    #[test]
    fn no_numbers_are_too_strange(index: u64, size: u64, length in 0usize..70) {
        let leaf = leaf_hash(b"entry");
        let path = vec![leaf; length];
        prop_assert!(verify_inclusion(index, size, &leaf, &path, &EMPTY_ROOT).is_err());
        prop_assert!(verify_consistency(index, &EMPTY_ROOT, size, &EMPTY_ROOT, &path).is_err() || index == size);
    }
}

#[test]
fn the_tree_of_certificate_transparency() {
    let Some(folder) = vectors("rfc6962") else { return };
    for file in files(&folder) {
        let reference: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let leaves: Vec<Hash> =
            reference["leaf_inputs_hex"].as_array().unwrap().iter().map(|entry| leaf_hash(&hex(entry))).collect();
        for (size, root) in reference["root_hashes_hex_by_size"].as_array().unwrap().iter().enumerate() {
            assert_eq!(root_of(&leaves[..size]).to_vec(), hex(root));
        }
        for (level, hashes) in reference["node_hashes_hex_by_level"].as_array().unwrap().iter().enumerate() {
            for (index, hash) in hashes.as_array().unwrap().iter().enumerate() {
                assert_eq!(nodes(&leaves)(level as u8, index as u64).unwrap().to_vec(), hex(hash));
            }
        }
    }
}

#[test]
fn the_probes_of_transparency_dev() {
    let Some(folder) = vectors("merkle") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for file in files(&folder) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for case in lines(&file) {
            // A hash that does not have 32 bytes cannot be said in our types: whoever reads it refuses it.
            let proven = if name.starts_with("inclusion") {
                (|| {
                    let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
                    verify_inclusion(index, size, &hash(&case["leafHash"])?, &path(&case["proof"])?, &hash(&case["root"])?).ok()
                })()
            } else if name.starts_with("consistency") {
                (|| {
                    let (old, new) = (case["size1"].as_u64()?, case["size2"].as_u64()?);
                    verify_consistency(old, &root(&case["root1"]), new, &root(&case["root2"]), &path(&case["proof"])?).ok()
                })()
            } else if name.starts_with("subtreeinclusion") {
                // A subtree of a Merkle Tree Certificate is a tree of its own, where it may begin.
                (|| {
                    let (start, end) = (case["start"].as_u64()?, case["end"].as_u64()?);
                    let size = end.checked_sub(start).filter(|size| *size > 0 && start % size.next_power_of_two() == 0)?;
                    let index = case["leafIdx"].as_u64()?.checked_sub(start)?;
                    verify_inclusion(index, size, &hash(&case["leafHash"])?, &path(&case["proof"])?, &hash(&case["root"])?).ok()
                })()
            } else if name.starts_with("subtreeconsistency") && case["start"] == 0 && case["end"] != 0 {
                // From the first leaf on, this is the consistency of RFC 6962. We have no use for others, nor for empty ones.
                (|| {
                    let (old, new) = (case["end"].as_u64()?, case["size"].as_u64()?);
                    verify_consistency(old, &root(&case["root1"]), new, &root(&case["root2"]), &path(&case["proof"])?).ok()
                })()
            } else {
                continue;
            };
            let wanted = !case["want_err"].as_bool().unwrap();
            assert_eq!(proven.is_some(), wanted, "{name}: {}", case["name"]);
            if wanted { accepted += 1 } else { refused += 1 }
        }
    }
    eprintln!("{accepted} accepted, {refused} refused");
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn a_large_log_of_certificates() {
    let Some(folder) = vectors("ct-argon2020") else { return };
    for file in files(&folder) {
        let case: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let leaf = leaf_hash(&bytes(&case["leaf_input_b64"]));
        assert_eq!(Some(leaf), hash(&case["leaf_hash_b64"]));
        let (index, size) = (case["leaf_index"].as_u64().unwrap(), case["tree_size"].as_u64().unwrap());
        let (path, root) = (path(&case["audit_path_b64"]).unwrap(), hash(&case["root_b64"]).unwrap());
        let check = |index, size, path: &[Hash]| verify_inclusion(index, size, &leaf, path, &root);
        assert_eq!(check(index, size, &path), Ok(()));
        assert!(check(index + 1, size, &path).is_err());
        for at in 0..path.len() {
            let mut altered = path.clone();
            altered[at][at % 32] ^= 1;
            assert_eq!(check(index, size, &altered), Err(Wrong::Root));
        }
    }
}

/// Of our own, for who has no others at hand: the roots of the numbers 0, 1, 2, … as text, reckoned with another program.
#[test]
fn roots_of_our_own() {
    let leaves = leaves(3);
    let left = node_hash(&leaves[0], &leaves[1]);
    assert_eq!(root_of(&leaves), node_hash(&left, &leaves[2]));
    assert_eq!(hex(&"725d5230db68f557470dc35f1d8865813acd7ebb07ad152774141decbae71327".into()), root_of(&leaves));
}
