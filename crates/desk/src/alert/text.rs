//! What a message says, in the receiver's language: plain text that names cases and sources and no persons.

use model::calendar::Calendar;
use model::policy::Alarm;
use model::time::{HOUR, MINUTE, Time};
use store::alerts::Alert;

use super::Message;

/// Alerts that one message shows; the others it counts.
const SHOWN: usize = 25;
/// Bytes of a subject.
const SUBJECT: usize = 120;

/// The languages of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Dutch.
    Dutch,
}

impl Language {
    fn choose(self, english: &'static str, dutch: &'static str) -> &'static str {
        match self {
            Language::English => english,
            Language::Dutch => dutch,
        }
    }
}

/// A message as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// Lines that end with `\n`.
    pub body: String,
}

/// What a kind is called.
pub fn kind(kind: Alarm, language: Language) -> &'static str {
    match language {
        Language::English => kind.word(),
        Language::Dutch => match kind {
            Alarm::Urgent => "dringend dossier",
            Alarm::Overdue => "dossier over termijn",
            Alarm::Brake => "rem",
            Alarm::QuietFeed => "stille feed",
            Alarm::StaleSource => "verouderde herkomst",
            Alarm::Disk => "schijf",
            Alarm::Unsigned => "verzegeling kan niet tekenen",
            Alarm::Order => "bevel",
            Alarm::Dispute => "betwisting",
            Alarm::Review => "beoordeling",
            Alarm::Policy => "beleid",
            Alarm::Witness => "getuige",
            Alarm::FallenFeed => "ingezakte feed",
            Alarm::Fork => "tweespalt in een verzegeling",
            Alarm::Shape => "gewijzigde opmaak",
        },
    }
}

/// The text of a message about the alerts of a node that is called `node`.
pub fn text(message: &Message, node: &str, language: Language, calendar: &Calendar) -> Text {
    let count = message.alerts.len();
    let worst = message.alerts.first();
    let severity = worst.map_or("", |alert| alert.severity.word());
    let again = if message.again { language.choose("still open: ", "nog open: ") } else { "" };
    let what = match worst {
        Some(alert) if count == 1 => kind(alert.kind, language).to_owned(),
        _ => format!("{count} {}", language.choose("alerts", "alarmen")),
    };
    let mut subject = format!("[{node}] {severity} {again}{what}");
    if let Some(due) = message.alerts.iter().filter_map(|alert| alert.due).min() {
        subject.push_str(&format!(", {} {}", language.choose("before", "voor"), local(due, calendar)));
    }
    let mut body = String::new();
    if count > 1 {
        let line = language.choose("alerts, the worst first.", "alarmen, het ergste eerst.");
        body.push_str(&format!("{count} {line}\n\n"));
    }
    for alert in message.alerts.iter().take(SHOWN) {
        one(&mut body, alert, language, calendar);
    }
    if count > SHOWN {
        body.push_str(&format!("{} {}\n\n", count - SHOWN, language.choose("more: sluis alert list", "meer: sluis alert list")));
    }
    body.push_str(language.choose(
        "This is repeated until somebody says that it is cared for:\n  sluis alert acknowledge ID\n",
        "Dit wordt herhaald totdat iemand zegt dat ervoor gezorgd wordt:\n  sluis alert acknowledge ID\n",
    ));
    Text { subject: subject.chars().filter(|letter| !letter.is_control()).take(SUBJECT).collect(), body }
}

fn one(body: &mut String, alert: &Alert, language: Language, calendar: &Calendar) {
    body.push_str(&format!("{} {} ({})\n", alert.severity, kind(alert.kind, language), alert.public));
    body.push_str(&format!("  {}\n", alert.text));
    if let Some(due) = alert.due {
        body.push_str(&format!("  {}: {}\n", language.choose("Before", "Uiterlijk"), local(due, calendar)));
    }
    let since = language.choose("Since", "Sinds");
    let times = if alert.count > 1 { format!(", {} {}", alert.count, language.choose("times", "keer")) } else { String::new() };
    body.push_str(&format!("  {since}: {}{times}\n\n", local(alert.raised, calendar)));
}

/// A moment by the operator's clock, with how far that is ahead of UTC.
fn local(at: Time, calendar: &Calendar) -> String {
    let offset = calendar.offset(at);
    let text = at.plus(offset).to_string();
    let text = text.get(..16).unwrap_or(&text).replace('T', " ");
    match offset {
        0 => format!("{text} UTC"),
        _ => {
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{text} {sign}{:02}:{:02}", offset.abs() / HOUR, offset.abs() % HOUR / MINUTE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::severity::Severity;
    use model::submission::PublicId;

    fn alert(id: i64) -> Alert {
        Alert {
            id,
            public: PublicId(id as u128),
            kind: Alarm::Overdue,
            key: String::new(),
            severity: Severity::P1,
            text: "Look at it: sluis case show 12".into(),
            raised: Time::parse(b"2026-11-20T12:00:00Z").unwrap(),
            last: Time::MIN,
            count: 3,
            due: Time::parse(b"2026-11-20T13:00:00Z"),
            acknowledged: None,
            person: String::new(),
            ended: None,
        }
    }

    #[test]
    fn one_alert_in_two_languages() {
        let message = Message { alerts: vec![alert(1)], urgent: false, again: true, number: 1 };
        let calendar = Calendar::new(vec![(Time::MIN, HOUR)], Vec::new());
        let english = text(&message, "node.example", Language::English, &calendar);
        assert_eq!(english.subject, "[node.example] P1 still open: overdue case, before 2026-11-20 14:00 +01:00");
        for line in [
            "P1 overdue case (00000000000000000000000001)",
            "sluis case show 12",
            "Since: 2026-11-20 13:00 +01:00, 3 times",
            "sluis alert acknowledge",
        ] {
            assert!(english.body.contains(line), "{}", english.body);
        }
        let dutch = text(&message, "node.example", Language::Dutch, &Calendar::default());
        assert_eq!(dutch.subject, "[node.example] P1 nog open: dossier over termijn, voor 2026-11-20 13:00 UTC");
        assert!(dutch.body.contains("Uiterlijk: 2026-11-20 13:00 UTC"), "{}", dutch.body);
    }

    #[test]
    fn many_are_bounded() {
        let message = Message { alerts: (0..1_000).map(alert).collect(), urgent: false, again: false, number: 1 };
        let text = text(&message, "node.example", Language::English, &Calendar::default());
        assert!(text.subject.contains("1000 alerts"), "{}", text.subject);
        assert!(text.body.contains("975 more") && text.body.len() < 10_000);
    }
}
