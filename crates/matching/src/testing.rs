//! Chance that repeats, for tests alone.

use rand_core::{Infallible, TryCryptoRng, TryRng};

/// A stream that follows from a number. For tests: whoever knows the number knows the stream.
pub struct Chance(u64, u64);

impl Chance {
    /// The stream of this number.
    #[must_use]
    pub fn of(number: u64) -> Chance {
        Chance(number, 0)
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut eight = [0; 8];
        self.try_fill_bytes(&mut eight)?;
        Ok(u64::from_be_bytes(eight))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            let block = crate::sha256(&[b"chance", &self.0.to_be_bytes(), &self.1.to_be_bytes()]);
            self.1 += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Chance {}
