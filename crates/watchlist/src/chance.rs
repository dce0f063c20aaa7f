//! Chance from the operating system, passed in wherever it is needed, so that tests can repeat.

use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};

/// The operating system's random numbers. Panics when the system has none to give: nothing that we do is safe without.
#[must_use]
pub fn system() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// `N` random bytes.
pub fn draw<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
