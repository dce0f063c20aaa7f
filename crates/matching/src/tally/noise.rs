//! The noise of a tally: the discrete Laplace distribution, drawn exactly (no floating point), after Canonne, Kamath and Steinke, "The
//! Discrete Gaussian for Differential Privacy" (2020), algorithms 1 and 2. `prio` has the same sampler, but only for whole vectors and with a
//! source of chance of its own; here it falls on the one number that is released.

use rand_core::CryptoRng;

/// P(x) in proportion to exp(-|x| * epsilon / sensitivity).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laplace {
    /// The scale is `over / under`: sensitivity times 1,000 over epsilon in thousandths.
    over: u64,
    under: u64,
}

impl Laplace {
    /// For a sensitivity (L1) and an epsilon in thousandths; nought of either is taken for one.
    #[must_use]
    pub fn new(sensitivity: u32, epsilon: u32) -> Laplace {
        Laplace { over: u64::from(sensitivity.max(1)) * 1_000, under: u64::from(epsilon.max(1)) }
    }

    /// The variance of one draw.
    #[must_use]
    pub fn variance(self) -> f64 {
        // Both are below 2^43, so they are exact as f64.
        let q = (-(self.under as f64) / self.over as f64).exp();
        2.0 * q / ((1.0 - q) * (1.0 - q))
    }

    /// The scale: sensitivity over epsilon.
    #[must_use]
    pub fn scale(self) -> f64 {
        self.over as f64 / self.under as f64
    }

    /// One draw (algorithm 2).
    pub fn draw(self, rng: &mut (impl CryptoRng + ?Sized)) -> i64 {
        loop {
            let u = below(self.over, rng);
            if !exp_of_minus(u, self.over, rng) {
                continue;
            }
            let mut v = 0u64;
            while exp_of_minus(1, 1, rng) {
                v = v.saturating_add(1);
            }
            let y = u.saturating_add(self.over.saturating_mul(v)) / self.under;
            let negative = below(2, rng) == 1;
            if negative && y == 0 {
                continue;
            }
            let y = i64::try_from(y).unwrap_or(i64::MAX);
            return if negative { -y } else { y };
        }
    }
}

/// True with the probability exp(-n/d), n at most d (algorithm 1).
fn exp_of_minus(n: u64, d: u64, rng: &mut (impl CryptoRng + ?Sized)) -> bool {
    let mut k = 1u64;
    // True with the probability n / (d * k). It ends: the probability that k gets to 30 is below 1 / 30!.
    while below(d.saturating_mul(k), rng) < n {
        k += 1;
    }
    !k.is_multiple_of(2)
}

/// Uniform in 0..m, by rejection; 0 when m is 0.
fn below(m: u64, rng: &mut (impl CryptoRng + ?Sized)) -> u64 {
    if m < 2 {
        return 0;
    }
    // The largest multiple of m that fits is where rejection begins.
    let limit = u64::MAX - u64::MAX % m;
    loop {
        let n = rng.next_u64();
        if n < limit {
            return n % m;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chance;

    #[test]
    fn many_draws_have_the_frequencies_of_the_distribution() {
        // Chi squared over the middle, for the scales that tasks have; 30 degrees of freedom exceed 70 once in 20,000 times.
        for (sensitivity, epsilon, seed) in [(1, 500, 1), (2, 1_000, 2), (1, 2_000, 3), (2, 50, 4), (1, 333, 5)] {
            let laplace = Laplace::new(sensitivity, epsilon);
            let mut chance = Chance::of(seed);
            let (draws, reach) = (40_000, 15i64);
            let mut seen = [0u32; 31];
            let (mut sum, mut squares) = (0f64, 0f64);
            for _ in 0..draws {
                let x = laplace.draw(&mut chance);
                if let Some(seen) = usize::try_from(x + reach).ok().and_then(|at| seen.get_mut(at)) {
                    *seen += 1;
                }
                sum += x as f64;
                squares += (x * x) as f64;
            }
            let q = (-f64::from(epsilon) / (1000.0 * f64::from(sensitivity))).exp();
            let chi: f64 = (-reach..=reach)
                .zip(seen)
                .map(|(x, seen)| (f64::from(draws) * (1.0 - q) / (1.0 + q) * q.powi(x.unsigned_abs() as i32), f64::from(seen)))
                .filter(|(expected, _)| *expected >= 5.0)
                .map(|(expected, seen)| (seen - expected).powi(2) / expected)
                .sum();
            assert!(chi < 70.0, "{sensitivity} {epsilon}: {chi}");
            let variance = squares / f64::from(draws);
            assert!((variance / laplace.variance() - 1.0).abs() < 0.06, "{sensitivity} {epsilon}: {variance}");
            assert!((sum / f64::from(draws)).abs() < 5.0 * (laplace.variance() / f64::from(draws)).sqrt());
        }
    }

    #[test]
    fn the_default_has_a_deviation_of_four_with_both_noises() {
        let both = |laplace: Laplace| (2.0 * laplace.variance()).sqrt();
        assert!((both(Laplace::new(1, 500)) - 3.96).abs() < 0.01);
        assert!((both(Laplace::new(2, 1_000)) - 3.96).abs() < 0.01);
    }
}
