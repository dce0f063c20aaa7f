//! Labels that travel with data: who may see it (TLP) and what may be done with it (PAP).

use std::fmt;

/// Traffic Light Protocol 2.0 (FIRST, 2022). Ordered from open to closed, so the stricter of two is the larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tlp {
    /// The source said nothing. Treated as [`Tlp::Amber`] where data leaves: abuse reports exist to reach the client.
    #[default]
    Unstated,
    /// No limit.
    Clear,
    /// Within the community.
    Green,
    /// The organisation and its clients, need to know.
    Amber,
    /// The organisation only.
    AmberStrict,
    /// The named recipients only.
    Red,
}

impl Tlp {
    /// Every label, in the order of their numbers.
    pub const ALL: [Tlp; 6] = [Tlp::Unstated, Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];

    /// Reads `TLP:AMBER+STRICT` and its spellings; `TLP:WHITE` is version 1's word for clear.
    pub fn parse(text: &str) -> Option<Tlp> {
        let text = text.trim();
        let word = text.get(..4).filter(|start| start.eq_ignore_ascii_case("tlp:")).map_or(text, |_| &text[4..]);
        Some(match word.to_ascii_lowercase().as_str() {
            "clear" | "white" => Tlp::Clear,
            "green" => Tlp::Green,
            "amber" => Tlp::Amber,
            "amber+strict" | "amber-strict" | "amber_strict" => Tlp::AmberStrict,
            "red" => Tlp::Red,
            _ => return None,
        })
    }

    /// FIRST's word, without the `TLP:`; empty when unstated.
    pub fn word(self) -> &'static str {
        match self {
            Tlp::Unstated => "",
            Tlp::Clear => "CLEAR",
            Tlp::Green => "GREEN",
            Tlp::Amber => "AMBER",
            Tlp::AmberStrict => "AMBER+STRICT",
            Tlp::Red => "RED",
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Tlp::Unstated { Ok(()) } else { write!(f, "TLP:{}", self.word()) }
    }
}

/// Permissible Actions Protocol (MISP taxonomy PAP v3). Ordered from free to restrained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Pap {
    /// The source said nothing.
    #[default]
    Unstated,
    /// Anything lawful.
    Clear,
    /// Active actions: blocking, quarantine.
    Green,
    /// Passive checks with third parties.
    Amber,
    /// Only what the target cannot see.
    Red,
}

impl Pap {
    /// Every label, in the order of their numbers.
    pub const ALL: [Pap; 5] = [Pap::Unstated, Pap::Clear, Pap::Green, Pap::Amber, Pap::Red];

    /// Reads `PAP:GREEN` and its spellings; `WHITE` is the older word for clear.
    pub fn parse(text: &str) -> Option<Pap> {
        let text = text.trim();
        let word = text.get(..4).filter(|start| start.eq_ignore_ascii_case("pap:")).map_or(text, |_| &text[4..]);
        Some(match word.to_ascii_lowercase().as_str() {
            "clear" | "white" => Pap::Clear,
            "green" => Pap::Green,
            "amber" => Pap::Amber,
            "red" => Pap::Red,
            _ => return None,
        })
    }

    /// The label's word, without the `PAP:`; empty when unstated.
    pub fn word(self) -> &'static str {
        match self {
            Pap::Unstated => "",
            Pap::Clear => "CLEAR",
            Pap::Green => "GREEN",
            Pap::Amber => "AMBER",
            Pap::Red => "RED",
        }
    }
}

impl fmt::Display for Pap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Pap::Unstated { Ok(()) } else { write!(f, "PAP:{}", self.word()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_back_and_the_stricter_is_the_larger() {
        for tlp in &Tlp::ALL[1..] {
            assert_eq!(Tlp::parse(&tlp.to_string()), Some(*tlp));
        }
        for pap in &Pap::ALL[1..] {
            assert_eq!(Pap::parse(&pap.to_string()), Some(*pap));
        }
        assert_eq!(Tlp::parse("tlp:white"), Some(Tlp::Clear));
        assert_eq!(Tlp::parse("purple"), None);
        assert_eq!(Tlp::Amber.max(Tlp::AmberStrict), Tlp::AmberStrict);
    }
}
