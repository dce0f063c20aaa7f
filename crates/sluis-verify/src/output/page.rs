//! The page that is printed, for a judge, a prosecutor or a lawyer: what it says, whatever it is written in.

use sha2::{Digest, Sha256};

use seal::bundle::{Form, Opening, ShownRecord};
use seal::record::{Value, kind_of};

use super::words::{self, say};
use crate::moment::in_full;
use crate::said::{Language, Text, hex, quote};
use crate::story::{Bracket, Story, Told};
use crate::verdict::{Outcome, Verdict};

/// Most records that stand on the page.
const MOST_CARDS: usize = 2_000;

/// What the page says of the file and the day, beside the verdict.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// The date of verifying, in UTC milliseconds since 1970.
    pub at: Option<i64>,
    /// Which program says so, with its version.
    pub program: &'a str,
}

/// A part of the page. All texts are the verifier's own, or quote what others wrote; none is markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// The title.
    Title(String),
    /// The verdict: how it ended, its word, and what that means.
    Verdict(Outcome, String, String),
    /// A heading.
    Heading(String),
    /// A sentence or more.
    Paragraph(String),
    /// Names and what is said of each.
    Facts(Vec<(String, String)>),
    /// A letter or another record: its heading, and facts about it.
    Card(String, Vec<(String, String)>),
    /// Sentences of equal rank.
    List(Vec<String>),
    /// A check: how it ended, its number, its title, and its lines with whether each is a fault.
    Check(Outcome, u8, String, Vec<(bool, String)>),
}

/// What the page says.
#[must_use]
pub fn page(verdict: &Verdict, about: &About<'_>, language: Language) -> Vec<Block> {
    let (word, meaning) = words::verdict(verdict);
    let said = |text: &Text| text.in_language(language).to_owned();
    let mut blocks = vec![
        Block::Title(
            say(language, "Proof of notice: what was verified", "Bewijs van kennisgeving: wat er is gecontroleerd").to_owned(),
        ),
        Block::Verdict(verdict.outcome(), said(&word), said(&meaning)),
    ];
    let writing = Writing { language };
    let faults: Vec<String> = verdict
        .checks
        .iter()
        .flat_map(|check| check.lines.iter().map(move |line| (check, line)))
        .filter(|(_, line)| line.outcome > Outcome::Ok)
        .map(|(check, line)| format!("({}) {}", check.number, line.text.in_language(language)))
        .collect();
    if !faults.is_empty() {
        blocks.push(Block::Heading(say(language, "Why", "Waarom").to_owned()));
        blocks.push(Block::List(faults));
    }
    if let Some(story) = &verdict.story {
        writing.story(verdict, story, &mut blocks);
    } else {
        blocks.push(Block::Paragraph(
            say(
                language,
                "Nothing of what the file tells is repeated here, since it cannot be relied upon.",
                "Van wat het bestand vertelt, wordt hier niets herhaald, omdat er niet op vertrouwd kan worden.",
            )
            .to_owned(),
        ));
    }
    blocks.push(Block::Heading(say(language, "What is not proven", "Wat niet bewezen is").to_owned()));
    blocks.push(Block::List(crate::checks::NOT_PROVEN.iter().map(|(en, nl)| say(language, en, nl).to_owned()).collect()));
    blocks.push(Block::Heading(say(language, "What was checked", "Wat is gecontroleerd").to_owned()));
    for check in verdict.checks.iter().filter(|check| check.number != 13) {
        let mut lines: Vec<(bool, String)> =
            check.lines.iter().map(|line| (line.outcome > Outcome::Ok, said(&line.text))).collect();
        if check.left_out() > 0 {
            lines.push((false, format!("{} {}", say(language, "and more:", "en meer:"), check.left_out())));
        }
        blocks.push(Block::Check(check.outcome(), check.number, said(&check.title()), lines));
    }
    blocks.push(Block::Heading(say(language, "How this was verified", "Hoe dit is gecontroleerd").to_owned()));
    blocks.push(Block::Facts(writing.how(about)));
    blocks.push(Block::Paragraph(
        say(
            language,
            "Anyone can repeat this with the same file, the same policy and the same certificates, without the sender: with this \
             program, or with the page verify.html, which shares no code with it.",
            "Ieder kan dit herhalen met hetzelfde bestand, hetzelfde beleid en dezelfde certificaten, zonder de afzender: met dit \
             programma, of met de pagina verify.html, die er geen code mee deelt.",
        )
        .to_owned(),
    ));
    blocks
}

struct Writing {
    language: Language,
}

impl Writing {
    fn say(&self, en: &str, nl: &str) -> String {
        say(self.language, en, nl).to_owned()
    }

    fn told(&self, text: &Text) -> String {
        text.in_language(self.language).to_owned()
    }

    fn moment(&self, moment: Option<i64>) -> String {
        moment.map_or_else(|| self.say("not proven", "niet bewezen"), |ms| in_full(ms, self.language))
    }

    fn story(&self, verdict: &Verdict, story: &Story, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading(self.say("What it is about", "Waar het over gaat")));
        blocks.push(Block::Facts(self.about(story)));
        let letters: Vec<_> = story.told().enumerate().filter(|(_, (_, told))| told.letter).collect();
        blocks.push(Block::Heading(self.say(
            "Letters: to whom, when at the latest, and what shows that they left",
            "Brieven: aan wie, uiterlijk wanneer, en waaruit blijkt dat ze weg zijn",
        )));
        if letters.is_empty() {
            blocks
                .push(Block::Paragraph(self.say("No letter is shown in this file.", "In dit bestand wordt geen brief getoond.")));
        }
        let grade = self.grade(verdict);
        for (number, (place, (record, told))) in letters.iter().take(MOST_CARDS).enumerate() {
            let heading = self.say("Letter", "Brief");
            let mut facts = self.letter(record, told);
            facts.push((
                self.say("that this is whom it concerns", "dat dit is wie het aangaat"),
                self.attribution(story.opened(Some(*place))),
            ));
            let graded = told.delivery.as_ref().map(|delivery| self.told(&delivery.text));
            facts.push((self.say("delivery", "aflevering"), graded.unwrap_or_else(|| grade.clone())));
            blocks.push(Block::Card(format!("{heading} {}", number + 1), facts));
        }
        blocks.push(Block::Heading(self.say("Everything that is shown, in order", "Alles wat getoond wordt, op volgorde")));
        for (record, told) in story.told().take(MOST_CARDS) {
            let event = words::happened(record);
            let number = match record.get("seq") {
                Some(Value::Number(seq)) if told.own => format!("{}: {}", seq, self.told(&event)),
                _ => format!("{}: {}", self.say("beside the case", "buiten het dossier"), self.told(&event)),
            };
            blocks.push(Block::Card(number, self.record(record, told)));
        }
        if story.records.len() > MOST_CARDS {
            let more = story.records.len() - MOST_CARDS;
            blocks.push(Block::Paragraph(format!(
                "{} {more}",
                self.say("More records, which --json has:", "Meer regels, die --json heeft:")
            )));
        }
        blocks.push(Block::Heading(self.say("Who proves it", "Wie dit bewijst")));
        blocks.push(Block::Facts(self.provers(story)));
    }

    fn about(&self, story: &Story) -> Vec<(String, String)> {
        let bundle = &story.bundle;
        let what = match bundle.form {
            Form::Evidence => self.say("a case, for who has to judge it", "een dossier, voor wie erover moet oordelen"),
            Form::Receipt => self.say("a receipt, for who sent a report", "een ontvangstbevestiging, voor wie een melding deed"),
        };
        let mut facts = vec![
            (self.say("this file is", "dit bestand is"), what),
            (self.say("case", "dossier"), hex(&bundle.stream)),
            (self.say("file made, as its maker claims", "bestand gemaakt, zegt de maker"), in_full(bundle.made, self.language)),
        ];
        let Some(opened) = story.opened(None) else { return facts };
        let mut text = |name: &str, en: &str, nl: &str| {
            if let Some(value) = Story::text(opened, name) {
                facts.push((self.say(en, nl), quote(value)));
            }
        };
        text("resource", "reported", "gemeld");
        text("category", "for", "wegens");
        text("reporter", "by", "door");
        text("party_name", "held by, says the sender", "in gebruik bij, zegt de afzender");
        if let Some(seen) = Story::time(opened, "first_seen") {
            facts.push((self.say("first seen, says the report", "eerst gezien, zegt de melding"), in_full(seen, self.language)));
        }
        if let Some(Value::List(chain)) = opened.get("chain") {
            let chain = chain.iter().take(20).map(|link| quote(link)).collect::<Vec<_>>().join(" → ");
            facts.push((self.say("chain of parties", "keten van partijen"), chain));
        }
        facts
    }

    /// What the attribution rests on.
    fn attribution(&self, opened: Option<&ShownRecord>) -> String {
        let Some(attribution) = opened.and_then(|opened| Story::text(opened, "attribution")) else {
            return self.say("not shown what that rests on", "niet getoond waarop dat rust");
        };
        let mut rests = format!("{} {}", self.say("rests on", "rust op"), self.told(&words::attribution(attribution)));
        if let Some(source) = opened.and_then(|opened| Story::text(opened, "attribution_source")) {
            rests += &format!(", {}", quote(source));
        }
        if let Some(checked) = opened.and_then(|opened| Story::time(opened, "attribution_checked")) {
            rests += &format!("; {} {}", self.say("last read on", "laatst gelezen op"), in_full(checked, self.language));
        }
        rests + &self.say(" (the sender's statement)", " (verklaring van de afzender)")
    }

    fn letter(&self, record: &ShownRecord, told: &Told) -> Vec<(String, String)> {
        let whom = Story::text(record, "party_name").map_or_else(|| self.say("not shown", "niet getoond"), quote);
        let event = words::happened(record);
        let mut facts = vec![(self.say("to", "aan"), whom), (self.say("what", "wat"), self.told(&event))];
        if let Some(text) = Story::text(record, "text") {
            facts.push((self.say("in the sender's words", "in woorden van de afzender"), quote(text)));
        }
        facts.extend(self.times(record, told));
        facts
    }

    fn times(&self, record: &ShownRecord, told: &Told) -> Vec<(String, String)> {
        let mut facts = vec![(self.say("recorded at the latest", "vastgelegd uiterlijk"), self.moment(told.at_the_latest))];
        if told.not_before.is_some() {
            facts.push((self.say("and not before", "en niet voor"), self.moment(told.not_before)));
        }
        let clock = self.moment(Story::time(record, "recorded_at"));
        let agrees = match told.bracket {
            Bracket::Inside => self.say("agrees with that", "klopt daarmee"),
            Bracket::Differs(_) => self.say("agrees but for what a clock may differ", "klopt op wat een klok mag afwijken na"),
            Bracket::Outside(_) => self.say("DOES NOT AGREE with that", "KLOPT DAAR NIET MEE"),
            Bracket::Unknown => self.say("not proven", "niet bewezen"),
        };
        facts.push((self.say("the sender's clock", "de klok van de afzender"), format!("{clock}: {agrees}")));
        if let Some(occurred) = Story::time(record, "occurred_at") {
            facts.push((self.say("happened, says the sender", "gebeurd, zegt de afzender"), in_full(occurred, self.language)));
        }
        facts
    }

    fn record(&self, record: &ShownRecord, told: &Told) -> Vec<(String, String)> {
        let mut facts = self.times(record, told);
        for (ordinal, opening) in record.openings.iter().enumerate() {
            let Some((name, _)) = kind_of(record.kind).and_then(|kind| kind.field(ordinal)) else { continue };
            if matches!(
                name,
                "event" | "stream" | "seq" | "prev" | "recorded_at" | "occurred_at" | "secret_commitment" | "party_prev"
            ) {
                continue;
            }
            let shown = match opening {
                Opening::Hidden { .. } | Opening::Shown { value: Value::Absent, .. } => continue,
                Opening::Erased { .. } => self.say("erased (see 12)", "gewist (zie 12)"),
                Opening::Shown { value, .. } => self.value(value),
            };
            facts.push((self.told(&words::field(name)), shown));
        }
        facts
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Absent => String::new(),
            Value::Text(text) => quote(text),
            Value::Number(number) => number.to_string(),
            Value::Time(time) => in_full(*time, self.language),
            Value::Bytes(bytes) if bytes.len() > 32 => format!("{} bytes", bytes.len()),
            Value::Bytes(bytes) => hex(bytes),
            Value::Digest(digest) => hex(digest),
            Value::List(items) => items.iter().take(40).map(|item| quote(item)).collect::<Vec<_>>().join(", "),
        }
    }

    /// What check 11 says, for letters that were not graded.
    fn grade(&self, verdict: &Verdict) -> String {
        let lines = verdict.checks.iter().filter(|check| check.number == 11).flat_map(|check| &check.lines);
        lines.map(|line| line.text.in_language(self.language)).collect::<Vec<_>>().join("; ")
    }

    fn provers(&self, story: &Story) -> Vec<(String, String)> {
        let names = |names: &[String]| {
            if names.is_empty() {
                return self.say("nobody", "niemand");
            }
            names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
        };
        let mut facts = vec![(self.say("the log", "het logboek"), quote(&story.bundle.origin))];
        if let Some(operator) = &story.operator {
            facts.push((self.say("run by, says your policy", "beheerd door, zegt uw beleid"), quote(operator)));
        }
        if let Some((size, root)) = story.checkpoint {
            facts.push((
                self.say("at the checkpoint of", "bij het ijkpunt van"),
                format!("{size} {}", self.say("entries", "regels")),
            ));
            facts.push((self.say("with the root", "met de wortel"), hex(&root)));
        }
        facts.push((self.say("seen by the witnesses", "gezien door de getuigen"), names(&story.witnesses)));
        facts.push((self.say("stamped by the authorities", "gestempeld door de instanties"), names(&story.authorities)));
        if let Some(policy) = &story.policy {
            facts.push((self.say("your policy (SHA-256)", "uw beleid (SHA-256)"), hex(&policy.digest)));
        }
        facts
    }

    fn how(&self, about: &About<'_>) -> Vec<(String, String)> {
        let mut facts = vec![
            (self.say("file (SHA-256)", "bestand (SHA-256)"), hex(&Sha256::digest(about.bytes))),
            (self.say("bytes", "bytes"), about.bytes.len().to_string()),
        ];
        if let Some(at) = about.at {
            facts.push((self.say("as of", "naar de stand van"), in_full(at, self.language)));
        }
        facts.push((self.say("program", "programma"), about.program.to_owned()));
        facts
    }
}
