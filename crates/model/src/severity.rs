//! Severity: how bad a kind of abuse is, and so how fast its clocks run.

use std::fmt;

/// How bad it is: P0 puts lives or children at risk, P4 is housekeeping. Smaller is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// Lives, children, terror, orders of an authority: hours, and a person at once.
    P0,
    /// Victims by the hour: phishing, malware, command and control, running attacks.
    P1,
    /// Machines under foreign control, break-ins, spam.
    P2,
    /// Nuisance, infringement, weak points that others use.
    P3,
    /// Housekeeping.
    P4,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 5] = [Severity::P0, Severity::P1, Severity::P2, Severity::P3, Severity::P4];

    /// The word people see.
    pub fn word(self) -> &'static str {
        ["P0", "P1", "P2", "P3", "P4"][self as usize]
    }

    /// The severity of a word; case is ignored.
    pub fn parse(word: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| severity.word().eq_ignore_ascii_case(word.trim()))
    }

    /// Whether the desk's people are woken for it (P0 and P1).
    pub fn is_urgent(self) -> bool {
        self <= Severity::P1
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
