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

/// Whom data is handed to; each further from us than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Our own organisation.
    Own,
    /// A client of ours: the party that a case is about.
    Party,
    /// A community with rules of its own, such as a sharing group.
    Community,
    /// Anybody.
    Public,
}

impl Audience {
    /// Every audience, the nearest first.
    pub const ALL: [Audience; 4] = [Audience::Own, Audience::Party, Audience::Community, Audience::Public];

    /// The word people write: `own`, `party`, `community`, `public`.
    pub fn word(self) -> &'static str {
        match self {
            Audience::Own => "own",
            Audience::Party => "party",
            Audience::Community => "community",
            Audience::Public => "public",
        }
    }

    /// The audience of a word.
    pub fn parse(text: &str) -> Option<Audience> {
        Audience::ALL.into_iter().find(|audience| audience.word() == text)
    }
}

/// Whether data with these labels may be handed to an audience (TLP 2.0, PAP v3).
///
/// RED goes to those it names, whom a file does not know, so to nobody; AMBER+STRICT stays in the organisation, AMBER goes to its
/// clients as well, GREEN to the community and CLEAR to all. What is unstated counts as AMBER. What a target must not see
/// (PAP:RED) leaves the organisation for nobody, and is not published when it asks for restraint (PAP:AMBER).
pub fn may_leave(tlp: Tlp, pap: Pap, audience: Audience) -> bool {
    let by_tlp = match tlp {
        Tlp::Red => return false,
        Tlp::AmberStrict => Audience::Own,
        Tlp::Amber | Tlp::Unstated => Audience::Party,
        Tlp::Green => Audience::Community,
        Tlp::Clear => Audience::Public,
    };
    let by_pap = match pap {
        Pap::Red => Audience::Own,
        Pap::Amber => Audience::Community,
        Pap::Unstated | Pap::Green | Pap::Clear => Audience::Public,
    };
    audience <= by_tlp.min(by_pap)
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

    #[test]
    fn labels_say_how_far_data_goes() {
        use Audience::{Community, Own, Party, Public};
        for (tlp, pap, furthest) in [
            (Tlp::Red, Pap::Clear, None),
            (Tlp::AmberStrict, Pap::Clear, Some(Own)),
            (Tlp::Amber, Pap::Unstated, Some(Party)),
            (Tlp::Unstated, Pap::Unstated, Some(Party)),
            (Tlp::Green, Pap::Green, Some(Community)),
            (Tlp::Clear, Pap::Amber, Some(Community)),
            (Tlp::Clear, Pap::Red, Some(Own)),
            (Tlp::Clear, Pap::Unstated, Some(Public)),
        ] {
            for audience in Audience::ALL {
                let expected = furthest.is_some_and(|furthest| audience <= furthest);
                assert_eq!(may_leave(tlp, pap, audience), expected, "{tlp} {pap} to {}", audience.word());
            }
        }
        assert_eq!(Audience::parse("party"), Some(Party));
        assert_eq!(Audience::parse("nobody"), None);
    }
}
