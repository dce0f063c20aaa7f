//! What may leave the house, and what of it: asked before anything is written for others.

use model::label::{Audience, Tlp, may_leave};
use model::report::{Batch, Place, Report, Shape, Word};

/// Why a report stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Of child abuse material nothing leaves this way: the hotline has it.
    ChildAbuse,
    /// Its labels do not allow it.
    Labels,
}

impl Held {
    /// Why, for people.
    pub fn reason(self) -> &'static str {
        match self {
            Held::ChildAbuse => "of child abuse material, which leaves by no file",
            Held::Labels => "that TLP or PAP keeps from them",
        }
    }
}

/// Words that name who reported, and what belongs to our house: for nobody but ourselves.
const OURS: &[Word] = &[Word::MAIL_HINT, Word::ACCOUNT, Word::SMTP_TO];
/// What only who has to act needs: whom it hit, and what people wrote.
const DETAIL: &[Word] =
    &[Word::DESCRIPTION, Word::SMTP_FROM, Word::SUBJECT, Word::MESSAGE_ID, Word::DESTINATION_IP, Word::DESTINATION_PORT];

/// What of a report may be handed to an audience, as a batch of that one report.
///
/// Beyond our own organisation nobody is told who reported it, which addresses were trapped, and which account of ours it is about;
/// beyond the party, no evidence, nothing that people wrote, no column of the source's own and nobody who was hit. What is unstated gets the label that it
/// counts as, so that it goes no further there.
///
/// # Errors
/// [`Held`] when nothing of it may.
pub fn fit(report: &Report<'_>, audience: Audience) -> Result<Batch, Held> {
    let mut core = *report.core;
    if core.kind.is_child_abuse() {
        return Err(Held::ChildAbuse);
    }
    if !may_leave(core.tlp, core.pap, audience) {
        return Err(Held::Labels);
    }
    let mut batch = Batch::new();
    for (word, value) in report.fields() {
        let (name, place) = report.name(word);
        if !goes(word, name, place, audience) {
            continue;
        }
        let word = batch.word(name, place);
        match value.shape {
            Shape::Text => batch.text(word, value.bytes),
            Shape::Json => batch.json(word, value.text()),
            Shape::Bytes => batch.bytes(word, value.bytes),
        }
    }
    if core.tlp == Tlp::Unstated && audience != Audience::Own {
        core.tlp = Tlp::Amber;
    }
    batch.finish(core);
    Ok(batch)
}

fn goes(word: Word, name: &str, place: Place, audience: Audience) -> bool {
    let group = name.split('.').next().unwrap_or("");
    let of_people = matches!(group, "reporter" | "sender" | "on_behalf_of" | "_internal") || name.starts_with("submission_");
    match audience {
        Audience::Own => true,
        Audience::Party => !of_people && !OURS.contains(&word),
        Audience::Community | Audience::Public => {
            let plain = place == Place::Tag || place == Place::Property && is_known(word);
            plain && !of_people && !OURS.contains(&word) && !DETAIL.contains(&word)
        }
    }
}

/// Whether it is one of the words that we know the meaning of.
fn is_known(word: Word) -> bool {
    usize::from(word.0) < Word::KNOWN.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::category::Kind;
    use model::label::Pap;
    use model::report::Core;

    #[test]
    fn who_is_told_what() {
        let mut batch = Batch::new();
        let column = batch.word("colour", Place::Extra);
        let trap = batch.word("submission_message_id", Place::Extra);
        for (word, value) in [
            (Word::URL, "https://shop.example/a"),
            (Word::DESCRIPTION, "Jan saw it"),
            (Word::REPORTER_CONTACT, "jan@watch.example"),
            (Word::SMTP_TO, "trap@watch.example"),
            (Word::DESTINATION_IP, "203.0.113.9"),
            (column, "red"),
            (trap, "<1@watch.example>"),
            (Word::EVIDENCE_TYPE, "text/plain"),
            (Word::EVIDENCE_PAYLOAD, "log"),
        ] {
            batch.text(word, value);
        }
        let mut core = Core::new(Kind::Phishing, 0);
        core.tlp = Tlp::Clear;
        batch.finish(core);
        let told = |audience| {
            let fit = fit(&batch.report(0), audience).unwrap();
            let names: Vec<String> = fit.report(0).fields().map(|(word, _)| fit.name(word).0.to_owned()).collect();
            names.join(" ")
        };
        assert_eq!(told(Audience::Own).split(' ').count(), 9);
        assert_eq!(told(Audience::Party), "url description destination_ip colour evidence.content_type evidence.payload");
        assert_eq!(told(Audience::Community), "url");
        assert_eq!(told(Audience::Public), "url");
    }

    #[test]
    fn what_stays() {
        let held = |kind, tlp, pap, audience| {
            let mut batch = Batch::new();
            let mut core = Core::new(kind, 0);
            (core.tlp, core.pap) = (tlp, pap);
            batch.finish(core);
            fit(&batch.report(0), audience).err()
        };
        assert_eq!(held(Kind::Csam, Tlp::Clear, Pap::Clear, Audience::Own), Some(Held::ChildAbuse));
        assert_eq!(held(Kind::Spam, Tlp::Red, Pap::Clear, Audience::Own), Some(Held::Labels));
        assert_eq!(held(Kind::Spam, Tlp::Unstated, Pap::Unstated, Audience::Party), None);
        assert_eq!(held(Kind::Spam, Tlp::Unstated, Pap::Unstated, Audience::Community), Some(Held::Labels));
    }
}
