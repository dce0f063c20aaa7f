//! Reports out, in the formats others read.
//!
//! What may leave, and what of it, is decided before by [`leave`]: the writers write all that they are given.

use model::report::Report;

pub mod arf;
pub mod csv;
mod facts;
mod ids;
pub mod intelmq;
pub mod leave;
pub mod misp;
pub mod stix;
pub mod xarf;

pub use xarf::Ids;

/// A format that reports are written in, to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// XARF 4, a JSON object a line.
    Xarf,
    /// Feedback reports (RFC 5965), one mail after the other as an mbox (RFC 4155).
    Arf,
    /// IntelMQ's JSON, an object a line.
    Intelmq,
    /// CSV in the columns of [`csv::COLUMNS`].
    Csv,
    /// One event of MISP, JSON.
    Misp,
    /// One bundle of STIX 2.1, JSON.
    Stix,
}

impl As {
    /// Every format.
    pub const ALL: [As; 6] = [As::Xarf, As::Arf, As::Intelmq, As::Csv, As::Misp, As::Stix];

    /// The word people write.
    pub fn word(self) -> &'static str {
        match self {
            As::Xarf => "xarf",
            As::Arf => "arf",
            As::Intelmq => "intelmq",
            As::Csv => "csv",
            As::Misp => "misp",
            As::Stix => "stix",
        }
    }

    /// The format of a word.
    pub fn parse(text: &str) -> Option<As> {
        As::ALL.into_iter().find(|one| one.word() == text)
    }
}

/// Of what is written as a whole: who writes it, and by what it is known.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The organisation that writes it.
    pub organisation: String,
    /// Its mail address, for mails; RFC 2606's `.invalid` when there is none.
    pub contact: String,
    /// A title for people.
    pub title: String,
    /// What its identifiers follow from: the same gives the same.
    pub identifier: String,
    /// When it is written.
    pub at: model::time::Time,
}

/// Why a report is not written in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWord(
    /// What the format has no word for: `its kind`, `its place`.
    pub &'static str,
);

/// Writes reports one after the other in one format.
pub struct Writer {
    format: As,
    whole: Whole,
    misp: misp::State,
    stix: stix::State,
}

impl Writer {
    /// Begins.
    pub fn new(format: As, whole: Whole, out: &mut Vec<u8>) -> Writer {
        let mut writer = Writer { format, misp: misp::State::default(), stix: stix::State::default(), whole };
        match format {
            As::Csv => csv::header(out),
            As::Misp => misp::begin(&writer.whole, out),
            As::Stix => stix::begin(&writer.whole, &mut writer.stix, out),
            As::Xarf | As::Arf | As::Intelmq => {}
        }
        writer
    }

    /// Adds a report.
    ///
    /// # Errors
    /// [`NoWord`] when the format cannot say what the report says; then nothing is written.
    pub fn report(&mut self, report: &Report<'_>, ids: &Ids, out: &mut Vec<u8>) -> Result<(), NoWord> {
        match self.format {
            As::Xarf => xarf::write(report, ids, out),
            As::Arf => arf::write(report, ids, &self.whole, out)?,
            As::Intelmq => intelmq::write(report, ids, out),
            As::Csv => csv::write(report, ids, out),
            As::Misp => misp::write(report, ids, &mut self.misp, out)?,
            As::Stix => stix::write(report, ids, &self.whole, &mut self.stix, out)?,
        }
        Ok(())
    }

    /// Ends.
    pub fn end(self, out: &mut Vec<u8>) {
        match self.format {
            As::Misp => misp::end(&self.misp, out),
            As::Stix => stix::end(&self.stix, out),
            As::Xarf | As::Arf | As::Intelmq | As::Csv => {}
        }
    }
}
