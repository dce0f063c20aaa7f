//! Finding a tag among millions: sorted tags, and where each range of first bits begins.

use super::Tag;

/// Sorted tags and the number of the record that each belongs to.
pub(super) struct Index {
    tags: Vec<u128>,
    numbers: Vec<u32>,
    /// Where the tags begin whose first bits are at least this.
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    pub(super) fn new() -> Index {
        Index { tags: Vec::new(), numbers: Vec::new(), starts: vec![0, 0], shift: 127 }
    }

    /// Adds records in the order of their tags. Says whether none of the tags was there.
    pub(super) fn add(&mut self, added: impl ExactSizeIterator<Item = (Tag, u32)>) -> bool {
        let most = self.tags.len() + added.len();
        let (mut tags, mut numbers) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let mut old = self.tags.iter().copied().zip(self.numbers.iter().copied()).peekable();
        let mut push = |(tag, number): (u128, u32)| {
            let new = tags.last() != Some(&tag);
            tags.push(tag);
            numbers.push(number);
            new
        };
        let mut distinct = true;
        for (tag, number) in added {
            let tag = u128::from_be_bytes(tag);
            while let Some(before) = old.next_if(|(other, _)| *other <= tag) {
                distinct &= push(before);
            }
            distinct &= push((tag, number));
        }
        for rest in old {
            distinct &= push(rest);
        }
        if distinct {
            (self.tags, self.numbers) = (tags, numbers);
            self.bucket();
        }
        distinct
    }

    /// About two tags to a bucket. A hostile list may put all in one; then it is a binary search over all, still.
    fn bucket(&mut self) {
        let bits = (self.tags.len() / 2).max(2).ilog2().clamp(1, 24);
        self.shift = 128 - bits;
        self.starts.clear();
        self.starts.resize((1 << bits) + 1, 0);
        for tag in &self.tags {
            self.starts[(tag >> self.shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
    }

    /// The number of the record with this tag.
    #[inline]
    pub(super) fn find(&self, tag: &Tag) -> Option<u32> {
        let tag = u128::from_be_bytes(*tag);
        let bucket = (tag >> self.shift) as usize;
        let (start, end) = (*self.starts.get(bucket)? as usize, *self.starts.get(bucket + 1)? as usize);
        let tags = self.tags.get(start..end)?;
        let at =
            start + if tags.len() <= 8 { tags.iter().position(|other| *other == tag)? } else { tags.binary_search(&tag).ok()? };
        self.numbers.get(at).copied()
    }

    /// How many tags.
    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }
}
