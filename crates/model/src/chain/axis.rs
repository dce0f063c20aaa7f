//! One family's address axis: from an address to the narrowest range that holds it, and from there outwards.
//!
//! Distinct ranges form a forest by enclosure. The axis is cut at every bound into segments, each naming its
//! innermost range; a table over the leading bits of an address narrows the binary search to a few segments.

use crate::time::Time;

/// A number that addresses of one family are, with the arithmetic the axis needs.
pub(super) trait Key: Copy + Ord {
    /// The number after this one, `None` at the top of the address space.
    fn next(self) -> Option<Self>;
    /// `(self - from) >> shift`, for a table index, below `usize::MAX`. `from` is not above `self`.
    fn bucket(self, from: Self, shift: u32) -> usize;
    /// Bits needed for `self - from`.
    fn width(self, from: Self) -> u32;
}

impl Key for u32 {
    fn next(self) -> Option<u32> {
        self.checked_add(1)
    }
    fn bucket(self, from: u32, shift: u32) -> usize {
        ((self - from) >> shift) as usize
    }
    fn width(self, from: u32) -> u32 {
        32 - (self - from).leading_zeros()
    }
}

impl Key for u128 {
    fn next(self) -> Option<u128> {
        self.checked_add(1)
    }
    fn bucket(self, from: u128, shift: u32) -> usize {
        usize::try_from((self - from) >> shift).unwrap_or(usize::MAX - 1)
    }
    fn width(self, from: u128) -> u32 {
        128 - (self - from).leading_zeros()
    }
}

/// One assignment at one range. 32 bytes, so that two fit a cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub from: i64,
    pub to: i64,
    pub assignment: u32,
    pub party: u32,
    /// When it was recorded, in seconds since 1970: enough until 2106, and half the size.
    pub recorded: u32,
    pub source: u16,
    pub level: u8,
}

impl Entry {
    pub(super) fn holds(&self, at: Time) -> bool {
        self.from <= at.0 && at.0 < self.to
    }
}

/// "No node", as a node number.
const NOWHERE: u32 = u32::MAX;
/// Bits of the table over leading bits: 2^18 entries of four bytes.
const TABLE_BITS: u32 = 18;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Axis<K> {
    /// First address of each segment, ascending.
    starts: Vec<K>,
    /// Innermost range of each segment.
    inner: Vec<u32>,
    /// The smallest enclosing range of each range.
    parents: Vec<u32>,
    /// Where each range's entries begin in `entries`; one more than there are ranges.
    lists: Vec<u32>,
    pub(super) entries: Vec<Entry>,
    /// For each bucket of leading bits, the segment that holds its first address.
    table: Vec<u32>,
    shift: u32,
}

/// More pieces came out of crossing ranges than an index may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyPieces;

impl<K: Key> Axis<K> {
    /// Builds the axis of `(first, last, entry)` rows, in any order. Ranges that cross are cut where they do.
    pub(super) fn build(mut rows: Vec<(K, K, u32)>, entries: &[Entry]) -> Result<Axis<K>, TooManyPieces> {
        rows.sort_unstable_by(|a, b| (a.0, b.1, a.2).cmp(&(b.0, a.1, b.2)));
        let mut axis = Axis {
            starts: Vec::with_capacity(rows.len() * 2),
            inner: Vec::with_capacity(rows.len() * 2),
            parents: Vec::with_capacity(rows.len()),
            lists: Vec::with_capacity(rows.len() + 1),
            entries: Vec::with_capacity(rows.len()),
            table: Vec::new(),
            shift: 0,
        };
        axis.sweep(&rows, entries)?;
        drop(rows);
        axis.starts.shrink_to_fit();
        axis.inner.shrink_to_fit();
        axis.tabulate();
        Ok(axis)
    }

    fn sweep(&mut self, rows: &[(K, K, u32)], entries: &[Entry]) -> Result<(), TooManyPieces> {
        let most_pieces = rows.len().saturating_mul(8).saturating_add(1_000_000);
        // Ranges that are open at the point the sweep has reached, outermost first: last address and node.
        let mut open: Vec<(K, u32)> = Vec::new();
        // The parts of crossing ranges that lie beyond the bound they crossed, smallest first address on top.
        let mut pieces = std::collections::BinaryHeap::new();
        let mut rows = rows.iter().copied().peekable();
        let mut node_bounds: Option<(K, K)> = None;
        let mut pieces_made = 0;
        loop {
            // The next row, from the sorted rows or the cut pieces, whichever comes first in the same order.
            let from_pieces = match (rows.peek(), pieces.peek()) {
                (None, None) => break,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some(row), Some(std::cmp::Reverse(piece))) => order(piece) < order(&(row.0, std::cmp::Reverse(row.1), row.2)),
            };
            let (first, last, entry) = if from_pieces {
                let Some(std::cmp::Reverse((first, std::cmp::Reverse(last), entry))) = pieces.pop() else { break };
                (first, last, entry)
            } else {
                let Some(row) = rows.next() else { break };
                row
            };
            self.close_until(&mut open, Some(first));
            let mut last = last;
            if let Some(&(bound, _)) = open.last()
                && last > bound
            {
                // This range crosses the one it begins in: the part beyond waits its turn.
                if let Some(beyond) = bound.next() {
                    pieces.push(std::cmp::Reverse((beyond, std::cmp::Reverse(last), entry)));
                    pieces_made += 1;
                    if pieces_made > most_pieces {
                        return Err(TooManyPieces);
                    }
                }
                // Others that begin here and reach beyond the bound are cut to the same range.
                last = bound;
            }
            if node_bounds != Some((first, last)) {
                node_bounds = Some((first, last));
                let node = self.parents.len() as u32;
                self.parents.push(open.last().map_or(NOWHERE, |(_, node)| *node));
                self.lists.push(self.entries.len() as u32);
                open.push((last, node));
                self.segment(first, node);
            }
            self.entries.push(entries[entry as usize]);
        }
        self.close_until(&mut open, None);
        self.lists.push(self.entries.len() as u32);
        // At one range the innermost comes first: the lowest level, then what was recorded last.
        for node in 0..self.parents.len() {
            let list = &mut self.entries[self.lists[node] as usize..self.lists[node + 1] as usize];
            if list.len() > 1 {
                list.sort_unstable_by_key(|entry| std::cmp::Reverse((entry.level, entry.recorded, entry.assignment)));
            }
        }
        Ok(())
    }

    /// Closes the ranges that end before `first` (all of them for `None`), and lets their parents show again.
    fn close_until(&mut self, open: &mut Vec<(K, u32)>, first: Option<K>) {
        while let Some(&(last, _)) = open.last() {
            if first.is_some_and(|first| last >= first) {
                break;
            }
            open.pop();
            if let Some(after) = last.next() {
                self.segment(after, open.last().map_or(NOWHERE, |(_, node)| *node));
            }
        }
    }

    /// Begins a segment; what begins at the same address before it is empty and gives way.
    fn segment(&mut self, start: K, node: u32) {
        if self.starts.last() == Some(&start) {
            if let Some(inner) = self.inner.last_mut() {
                *inner = node;
            }
        } else {
            self.starts.push(start);
            self.inner.push(node);
        }
    }

    fn tabulate(&mut self) {
        let (Some(&lowest), Some(&highest)) = (self.starts.first(), self.starts.last()) else { return };
        self.shift = highest.width(lowest).saturating_sub(TABLE_BITS);
        let buckets = highest.bucket(lowest, self.shift) + 1;
        self.table = Vec::with_capacity(buckets + 1);
        for (at, start) in self.starts.iter().enumerate() {
            let bucket = start.bucket(lowest, self.shift);
            // A bucket's search begins at the segment before the first that starts inside it.
            while self.table.len() <= bucket {
                self.table.push(at.saturating_sub(1) as u32);
            }
        }
        self.table.push((self.starts.len() - 1) as u32);
    }

    /// The segments among which the one that holds `key` is: `low..=high`. `None` outside the axis.
    #[inline]
    fn window(&self, key: K) -> Option<(usize, usize)> {
        let lowest = *self.starts.first()?;
        if key < lowest {
            return None;
        }
        let bucket = key.bucket(lowest, self.shift);
        match self.table.get(bucket + 1) {
            // The next bucket's window begins one before its first start: that may still be ours.
            Some(&next) => Some((self.table[bucket] as usize, next as usize)),
            None => Some((self.starts.len() - 1, self.starts.len() - 1)),
        }
    }

    /// The innermost range that holds `key`.
    #[inline]
    pub(super) fn innermost(&self, key: K) -> Option<u32> {
        let (low, high) = self.window(key)?;
        let at = low + self.starts[low..=high].partition_point(|start| *start <= key);
        let node = *self.inner.get(at.checked_sub(1)?)?;
        (node != NOWHERE).then_some(node)
    }

    /// [`Axis::innermost`] of many keys, in steps that let their memory accesses overlap.
    pub(super) fn innermost_of<const N: usize>(&self, keys: &[K; N], found: &mut [u32; N]) {
        let mut low = [0usize; N];
        let mut length = [0usize; N];
        let mut longest = 0;
        for at in 0..N {
            if let Some((first, last)) = self.window(keys[at]) {
                low[at] = first;
                length[at] = last - first + 1;
                longest = longest.max(length[at]);
            }
        }
        // A binary search whose steps are taken by all keys together: the loads of one step do not wait for each other.
        while longest > 1 {
            for at in 0..N {
                let half = length[at] / 2;
                let middle = (low[at] + half).min(self.starts.len() - 1);
                low[at] = if half > 0 && self.starts[middle] <= keys[at] { middle } else { low[at] };
                length[at] -= half;
            }
            longest -= longest / 2;
        }
        for at in 0..N {
            found[at] = match self.starts.get(low[at]) {
                Some(start) if length[at] > 0 && *start <= keys[at] => self.inner[low[at]],
                _ => NOWHERE,
            };
        }
    }

    /// The range around `node`.
    #[inline]
    pub(super) fn parent(&self, node: u32) -> Option<u32> {
        let parent = self.parents[node as usize];
        (parent != NOWHERE).then_some(parent)
    }

    /// A node number that may be none, as a node.
    #[inline]
    pub(super) fn node(found: u32) -> Option<u32> {
        (found != NOWHERE).then_some(found)
    }

    /// Where the entries of `node` are, innermost first.
    #[inline]
    pub(super) fn list(&self, node: u32) -> std::ops::Range<usize> {
        self.lists[node as usize] as usize..self.lists[node as usize + 1] as usize
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.starts.capacity() * size_of::<K>()
            + (self.inner.capacity() + self.parents.capacity() + self.lists.capacity() + self.table.capacity()) * 4
            + self.entries.capacity() * size_of::<Entry>()
    }
}

/// The order of the sweep: by first address, wider ranges first, then as they came.
fn order<K: Key>(piece: &(K, std::cmp::Reverse<K>, u32)) -> (K, std::cmp::Reverse<K>, u32) {
    *piece
}
