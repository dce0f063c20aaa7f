//! The keys of fields, derived from the seeds in `keys.db`: `docs/seal.md` 2.4.

use std::collections::HashMap;

use seal::seed::{self, BLOCK, Node, Seed};
use store::keys::Keys;

/// Blocks whose seeds are remembered; beyond that the memory begins anew.
const BLOCKS: usize = 4_096;
/// The ordinal whose key the secret of a stream follows from.
const SECRET: u8 = seed::ORDINALS - 1;

/// Seeds that were looked up. Lives for one pass: what is cut out meanwhile is not remembered for long.
#[derive(Default)]
pub(super) struct Ring {
    blocks: HashMap<u64, Vec<(Node, Seed)>>,
}

/// The keys of a record's fields, by ordinal; `None` for those that were cut out.
pub(super) type FieldKeys = Vec<Option<Seed>>;

/// The nodes of a tree, as `store` has them.
pub(super) fn nodes(kept: Vec<(u8, u32, Seed)>) -> Vec<(Node, Seed)> {
    kept.into_iter().map(|(depth, path, seed)| (Node { depth, path }, seed)).collect()
}

/// The seed of a node, from those that are left of its tree.
pub(super) fn find(nodes: &[(Node, Seed)], wanted: Node) -> Option<Seed> {
    nodes.iter().find_map(|(node, seed)| seed::descend(seed, *node, wanted))
}

impl Ring {
    fn block(&mut self, keys: &Keys, number: u64) -> Result<&[(Node, Seed)], store::Error> {
        let block = number / BLOCK;
        if self.blocks.len() > BLOCKS {
            self.blocks.clear();
        }
        Ok(match self.blocks.entry(block) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => free.insert(nodes(keys.seeds_of_block(block)?)),
        })
    }

    /// The keys of a record's first `width` ordinals.
    pub(super) fn fields(&mut self, keys: &Keys, number: u64, width: usize) -> Result<FieldKeys, store::Error> {
        let nodes = self.block(keys, number)?;
        let whole = Node::of_record(number);
        // The usual case, and the cheapest: nothing was cut out of the record, so that all keys follow from its node. The first
        // sixteen are in its left half.
        if let Some(seed) = find(nodes, whole) {
            let (seed, below) = if width <= 16 { (seed::child(&seed, false), 4) } else { (seed, 5) };
            return Ok(seed::leaves(&seed, below).into_iter().take(width).map(Some).collect());
        }
        Ok((0..width as u8).map(|ordinal| find(nodes, Node::of_field(number, ordinal))).collect())
    }

    /// The secret of the stream that begins with a record; `None` when it was cut out.
    pub(super) fn secret(&mut self, keys: &Keys, first: u64) -> Result<Option<Seed>, store::Error> {
        let nodes = self.block(keys, first)?;
        Ok(find(nodes, Node::of_field(first, SECRET)).map(|key| seed::stream_secret(&key)))
    }
}
