//! A total as people read it: rows with bars, what it does and does not say, who could learn what; and the same as one HTML file with its
//! picture in it, without scripts and without a request to anywhere.

use std::fmt::Write as _;

use matching::tally::{Answers, FLOOR, Outcome, Task, Total};
use serde::Serialize;

use crate::{
    keys::hex,
    provider::report::{Language, day},
};

const HALF_A_DAY: i64 = 12 * 60 * 60 * 1000;

/// A row: what was counted, and how many.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What.
    pub label: String,
    /// How many, between nought and all.
    pub number: u64,
    /// As noise left it; nothing for an exact sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<i64>,
}

/// A total, in one language.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// The question.
    pub question: String,
    /// The period.
    pub period: String,
    /// Its first and last day.
    pub days: String,
    /// The name of the task.
    pub task: String,
    /// The digest of the set of contributions.
    pub set: String,
    /// How many contributed.
    pub providers: u32,
    /// How many legal groups they are.
    pub groups: u32,
    /// How many there had to be.
    pub least: u32,
    /// What was counted, with noise.
    pub rows: Vec<Row>,
    /// The standard deviation of each number.
    pub deviation: f64,
    /// Nineteen of twenty times the number without noise is no further off than this.
    pub off: u32,
    /// Epsilon of the period.
    pub epsilon: f64,
    /// Epsilon of a year of such periods.
    pub epsilon_a_year: f64,
    /// Exact sums.
    pub exact: Vec<Row>,
    /// Who did what: leader, helper, collector.
    pub roles: Vec<String>,
    /// What the numbers say and do not say.
    pub says: Vec<String>,
    /// Who could learn what.
    pub learns: Vec<String>,
    #[serde(skip)]
    language: Language,
}

impl Shown {
    /// Of a total that was checked.
    #[must_use]
    pub fn new(task: &Task, total: &Total, outcome: &Outcome, language: Language) -> Shown {
        let words = |words: &matching::tally::Words| language.say(&words.nl, &words.en).clone();
        let labels: Vec<String> = match &task.answers {
            Answers::Count { .. } => vec![language.say("Getroffen aanbieders", "Providers affected").to_owned()],
            Answers::Choices(choices) => choices.iter().map(words).collect(),
        };
        let rows = labels.into_iter().zip(&outcome.numbers);
        let rows = rows.map(|(label, n)| Row { label, number: n.clamped.into(), raw: Some(n.raw) }).collect();
        let named = task.exact.iter().flat_map(|exact| &exact.of).map(words);
        let exact = named.zip(outcome.exact.iter().flatten()).map(|(label, n)| Row { label, number: *n, raw: None }).collect();
        let set = total.noised.first().map(|statement| hex(&statement.set)).unwrap_or_default();
        let roles = [
            (language.say("leider", "leader"), &task.leader),
            (language.say("helper", "helper"), &task.helper),
            (language.say("verzamelaar", "collector"), &task.collector),
        ];
        let police = language.say(", politie", ", police");
        let roles = roles
            .map(|(role, party)| format!("{role}: {} ({}{})", party.name, party.entity, if party.police { police } else { "" }));
        let mut shown = Shown {
            question: words(&task.question),
            period: task.period.name.clone(),
            // Half a day back is the last day in any time zone in which a period may have been written.
            days: format!(
                "{} – {}",
                day(language, task.period.from),
                day(language, task.period.until.saturating_sub(HALF_A_DAY))
            ),
            task: hex(&task.id()),
            set,
            providers: outcome.count,
            groups: outcome.groups,
            least: outcome.least,
            rows,
            deviation: outcome.deviation,
            // Two noises of one scale: 95% of their sum is within two deviations, as far as whole numbers tell.
            off: (2.0 * outcome.deviation).ceil() as u32,
            epsilon: task.epsilon(),
            epsilon_a_year: task.epsilon_a_year(),
            exact,
            roles: roles.to_vec(),
            says: Vec::new(),
            learns: Vec::new(),
            language,
        };
        shown.says = shown.says(task);
        shown.learns = shown.learns(task);
        shown
    }

    fn says(&self, task: &Task) -> Vec<String> {
        let say = |nl: String, en: String| self.language.say(nl, en);
        let (sd, off, e, year) = (self.deviation, self.off, self.epsilon, self.epsilon_a_year);
        let mut says = vec![
            say(
                "Dit telt aanbieders en hun treffers, geen wederverkopers: wie bij drie aanbieders klant is, telt drie keer."
                    .to_owned(),
                "These are provider-matches, not resellers: a reseller that is a customer of three providers counts three times."
                    .to_owned(),
            ),
            say(
                format!(
                    "Bij elk getal met ruis is door elk van beide aggregatoren ruis opgeteld; standaardafwijking samen {sd:.1}. \
                     In ongeveer 19 van de 20 gevallen zit het hooguit {off} naast het getal zonder ruis."
                ),
                format!(
                    "Each of the two aggregators added noise to each number with noise; standard deviation together {sd:.1}. \
                     In about 19 of 20 cases it is at most {off} off the number without noise."
                ),
            ),
            say(
                format!(
                    "Privacy: epsilon {e} per periode, dus {year} per jaar, ook als een van beide aggregatoren oneerlijk is."
                ),
                format!("Privacy: epsilon {e} a period, thus {year} a year, even when one of the two aggregators is dishonest."),
            ),
            say(
                "Een bewijs zegt dat een antwoord mogelijk is, niet dat het waar is.".to_owned(),
                "A proof says that an answer is possible, not that it is true.".to_owned(),
            ),
        ];
        if task.floor < FLOOR {
            says.push(say(
                format!("Let op: de ondergrens is verlaagd tot {} aanbieders; gewoon is {FLOOR}.", task.floor),
                format!("Note: the floor was lowered to {} providers; the usual one is {FLOOR}.", task.floor),
            ));
        }
        if !self.exact.is_empty() {
            says.push(say(
                "Exact totaal, met toestemming van alle aanbieders: n-1 samenspannende aanbieders kunnen dat van de laatste afleiden, \
                 en dat van een overheersende aanbieder is af te leiden."
                    .to_owned(),
                "Exact total, by the consent of all providers: n-1 colluders can infer the last provider's, and a dominant provider can be \
                 inferred."
                    .to_owned(),
            ));
        }
        says
    }

    fn learns(&self, task: &Task) -> Vec<String> {
        let say = |nl: String, en: String| self.language.say(nl, en);
        let (leader, helper, collector) = (&task.leader.name, &task.helper.name, &task.collector.name);
        vec![
            say(
                format!(
                    "{leader} en {helper} weten elk wie meedeed en wanneer, en houden getallen die los van elkaar niets zeggen."
                ),
                format!("{leader} and {helper} each know who took part and when, and hold numbers that say nothing apart."),
            ),
            say(
                format!(
                    "{leader} en {helper} samen kunnen elk antwoord lezen: daarom zijn het twee organisaties met eigen sleutels."
                ),
                format!("{leader} and {helper} together can read every answer: hence two organisations with keys of their own."),
            ),
            say(
                format!("{collector} en iedereen: deze getallen en hoeveel aanbieders meededen."),
                format!("{collector} and everybody: these numbers, and how many providers took part."),
            ),
        ]
    }

    /// A bar of at most `width` letters for each row with noise, where all is the number of providers; and one for each exact sum.
    #[must_use]
    pub fn bars(&self, width: usize) -> Vec<(String, String)> {
        let all = u64::from(self.providers).max(1);
        let most = self.exact.iter().map(|row| row.number).max().unwrap_or(0).max(1);
        let bar = |row: &Row, all: u64| {
            // A width of letters and a count of providers are far below 2^32.
            let full = (row.number.min(all) as usize * width * 8 / all as usize).min(width * 8);
            let mut bar = "█".repeat(full / 8);
            bar.extend(" ▏▎▍▌▋▊▉".chars().nth(full % 8).filter(|_| !full.is_multiple_of(8)));
            (row.label.clone(), bar)
        };
        self.rows.iter().map(|row| bar(row, all)).chain(self.exact.iter().map(|row| bar(row, most))).collect()
    }

    /// The picture: bars with the reach of noise on them.
    #[must_use]
    pub fn svg(&self) -> String {
        let count = self.rows.len() + self.exact.len();
        let height = 34 * count + 10;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" role=\"img\" aria-label=\"{}\" font-family=\"sans-serif\" font-size=\"14\">",
            escape(&self.question)
        );
        let reach = f64::from(self.off);
        let exact = self.exact.iter().map(|row| row.number).max().unwrap_or(0).max(1) as f64;
        let all = f64::from(self.providers.max(1));
        let rows = self.rows.iter().map(|row| (row, all, true)).chain(self.exact.iter().map(|row| (row, exact, false)));
        for (at, (row, all, noised)) in rows.enumerate() {
            let (y, scale) = (5 + 34 * at, 360.0 / all);
            let (number, x) = (row.number as f64, 240.0);
            let shown: String = row.label.chars().take(32).collect();
            let _ = write!(svg, "<text x=\"232\" y=\"{}\" text-anchor=\"end\">{}</text>", y + 18, escape(&shown));
            let _ = write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{:.1}\" height=\"24\" fill=\"#2a6f97\"/>", number * scale);
            if noised {
                let (from, until) = ((number - reach).max(0.0), (number + reach).min(all));
                let (from, until, middle) = (x + from * scale, x + until * scale, y + 12);
                let _ = write!(
                    svg,
                    "<path d=\"M{from:.1} {middle}H{until:.1}M{from:.1} {0}v12M{until:.1} {0}v12\" stroke=\"#c44536\" stroke-width=\"2\" fill=\"none\"/>",
                    middle - 6
                );
            }
            let of = if noised { format!("± {}", self.off) } else { String::new() };
            let _ = write!(svg, "<text x=\"612\" y=\"{}\">{} {of}</text>", y + 18, row.number);
        }
        svg.push_str("</svg>");
        svg
    }

    /// All of it as one HTML file.
    #[must_use]
    pub fn html(&self) -> String {
        let language = self.language;
        let list = |items: &[String]| {
            let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
            format!("<ul>\n{items}</ul>\n")
        };
        let mut table = String::new();
        for row in self.rows.iter().chain(&self.exact) {
            let noise = match row.raw {
                Some(raw) => format!("± {} ({raw})", self.off),
                None => language.say("exact", "exact").to_owned(),
            };
            let _ = writeln!(table, "<tr><th>{}</th><td>{}</td><td>{noise}</td></tr>", escape(&row.label), row.number);
        }
        let title = language.say("Telling", "Tally");
        let took_part = language.say(
            format!("{} aanbieders deden mee ({} concerns; {} nodig).", self.providers, self.groups, self.least),
            format!("{} providers took part ({} legal groups; {} needed).", self.providers, self.groups, self.least),
        );
        format!(
            "<!doctype html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title} · {period}</title>\n<style>body{{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}\
             th{{text-align:left;padding-right:2rem}}td{{padding-right:1rem}}code{{word-break:break-all}}</style>\n</head>\n<body>\n\
             <h1>{title} · {period}</h1>\n<p>{days}</p>\n<p><strong>{question}</strong></p>\n{svg}\n<table>\n{table}</table>\n<p>{took_part}</p>\n\
             <h2>{h_says}</h2>\n{says}<h2>{h_learns}</h2>\n{learns}{roles}<p>{h_task} <code>{task}</code><br>{h_set} <code>{set}</code></p>\n</body>\n</html>\n",
            code = language.code(),
            period = escape(&self.period),
            days = escape(&self.days),
            question = escape(&self.question),
            svg = self.svg(),
            h_says = language.say("Wat dit zegt", "What this says"),
            says = list(&self.says),
            h_learns = language.say("Wie wat kan weten", "Who could learn what"),
            learns = list(&self.learns),
            roles = list(&self.roles),
            h_task = language.say("Taak", "Task"),
            task = self.task,
            h_set = language.say("Verzameling", "Set"),
            set = self.set,
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
