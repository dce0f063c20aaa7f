//! What the verifier believes: files of whoever verifies, never of the bundle.

use seal::note::VerifierKey;
use seal::policy::{Archive, Policy, Version};
use seal::tsp::Anchors;

/// Whom the verifier believes.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The policies, each for its period; a single policy holds always.
    pub policies: Archive,
    /// Authorities of time-stamps, by the names of their trust files.
    pub tsas: Anchors,
}

/// Why a file of trust cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTrust(pub String);

impl std::fmt::Display for BadTrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadTrust {}

impl Trust {
    /// Reads a policy, or an archive of policies that this key of the sector signed; then trust files of time-stamping
    /// authorities, each with its name.
    ///
    /// # Errors
    /// When one of them cannot be read, or an archive comes without a key.
    pub fn read<'a>(
        policy: &[u8],
        sector: Option<&str>,
        tsas: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Trust, BadTrust> {
        let bad = |wrong: &dyn std::fmt::Display| BadTrust(format!("the policy: {wrong}"));
        let policies = match (Archive::is_one(policy), sector) {
            (true, Some(key)) => {
                let key = VerifierKey::parse(key).map_err(|wrong| BadTrust(format!("the key of the policy: {wrong}")))?;
                Archive::open(policy, &key).map_err(|wrong| bad(&wrong))?
            }
            (true, None) => {
                return Err(BadTrust("this is an archive of policies: give the key that signed it with --policy-key".to_owned()));
            }
            (false, Some(_)) => {
                return Err(BadTrust("--policy-key is for an archive of policies; this is a policy by itself".to_owned()));
            }
            (false, None) => Archive::of(Policy::parse(policy).map_err(|wrong| bad(&wrong))?),
        };
        let mut anchors = Anchors::new();
        for (name, pem) in tsas {
            anchors.add(name, pem).map_err(|wrong| BadTrust(wrong.to_string()))?;
        }
        Ok(Trust { policies, tsas: anchors })
    }

    /// The version that judges. `bound` says for a version when the last record was there at the latest; without any such
    /// moment it is the version of `at`, and without that the last one.
    pub(crate) fn version(&self, at: Option<i64>, bound: impl Fn(&Policy) -> Option<i64>) -> Option<&Version> {
        let versions = &self.policies.versions;
        let mut known = false;
        for version in versions {
            if let Some(moment) = bound(&version.policy) {
                known = true;
                if version.period.has(moment) {
                    return Some(version);
                }
            }
        }
        if known {
            return None;
        }
        let now = |version: &&Version| at.is_none_or(|at| version.period.has(at));
        versions.iter().rev().find(now).or(versions.last())
    }
}
