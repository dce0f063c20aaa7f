//! Stories of who is told when, played minute by minute with a clock of their own.

use super::*;
use model::submission::PublicId;

/// Monday 2026-11-16, 08:00.
const START: Time = Time(1_794_816_000_000);

/// What happens in a minute of a story.
#[derive(Clone, Copy)]
enum Turn {
    /// So many alerts are raised.
    Raise(Severity, usize),
    /// Somebody acknowledges everything.
    Acknowledge,
    /// A receiver's channel breaks.
    Break(&'static str),
    /// It is mended.
    Mend(&'static str),
    /// The clock is set back by so many minutes.
    Back(i64),
}
use Turn::*;

fn receiver(name: &str, hours: &str, after: i64) -> Receiver {
    Receiver {
        name: name.into(),
        hours: Hours::parse(hours).unwrap(),
        severities: Severity::ALL.to_vec(),
        kinds: Alarm::ALL.to_vec(),
        after: after * MINUTE,
        repeat: 15 * MINUTE,
        repeat_most: 60 * MINUTE,
        per_hour: 6,
    }
}

fn alert(id: i64, severity: Severity, raised: Time) -> Alert {
    Alert {
        id,
        public: PublicId(id as u128),
        kind: Alarm::Urgent,
        key: format!("case/{id}/urgent"),
        severity,
        text: "look".into(),
        raised,
        last: raised,
        count: 1,
        due: None,
        acknowledged: None,
        person: String::new(),
        ended: None,
    }
}

/// Plays a story for some minutes: `minute receiver number-of-alerts`, with `!` for P0, `again` for a reminder, and
/// `failed` for what did not get through.
fn play(receivers: &[Receiver], minutes: i64, turns: &[(i64, Turn)]) -> Vec<String> {
    let (mut open, mut told, mut channels): (Vec<Alert>, Vec<(String, Told)>, Vec<Channel>) = Default::default();
    let (mut broken, mut log) = (Vec::new(), Vec::new());
    let mut back = 0;
    for minute in 0..=minutes {
        for (_, turn) in turns.iter().filter(|(at, _)| *at == minute) {
            match *turn {
                Raise(severity, count) => {
                    for _ in 0..count {
                        open.push(alert(open.len() as i64 + 1, severity, START.plus((minute - back) * MINUTE)));
                    }
                }
                Acknowledge => open.iter_mut().for_each(|alert| alert.acknowledged = Some(START)),
                Break(name) => broken.push(name),
                Mend(name) => broken.retain(|broken| *broken != name),
                Back(minutes) => back = minutes,
            }
        }
        let now = START.plus((minute - back) * MINUTE);
        for receiver in receivers {
            let mine: Vec<Told> = told.iter().filter(|(name, _)| *name == receiver.name).map(|(_, told)| *told).collect();
            let calendar = Calendar::default();
            let known = Known { open: &open, told: &mine, channels: &channels, receivers, calendar: &calendar, now };
            for message in due(receiver, &known) {
                let at = channels.iter().position(|channel| channel.name == receiver.name).unwrap_or_else(|| {
                    channels.push(Channel { name: receiver.name.clone(), ..Channel::default() });
                    channels.len() - 1
                });
                let mut line = format!("{minute} {} {}", receiver.name, message.alerts.len());
                line += if message.urgent { "!" } else { "" };
                line += if message.again { " again" } else { "" };
                if broken.contains(&receiver.name.as_str()) {
                    channels[at] = after_failure(&channels[at], "broken", now);
                    log.push(line + " failed");
                    break;
                }
                channels[at] = after_success(&channels[at], message.urgent, now);
                for place in &message.alerts {
                    let alert = open[*place].id;
                    match told.iter_mut().find(|(name, told)| *name == receiver.name && told.alert == alert) {
                        Some((_, told)) => *told = Told { alert, at: now, times: told.times + 1 },
                        None => told.push((receiver.name.clone(), Told { alert, at: now, times: 1 })),
                    }
                }
                told.sort_by_key(|(_, told)| told.alert);
                log.push(line);
            }
        }
    }
    log
}

#[test]
fn stories() {
    use Severity::{P0, P1, P3};
    let desk = receiver("desk", "Mon-Fri 08:00-18:00", 0);
    let night = receiver("night", "always", 15);
    let both = [desk.clone(), night.clone()];
    let only_p1 = Receiver { severities: vec![P1], ..receiver("phone", "always", 0) };
    let evening = 600;
    type Story<'a> = (&'a str, &'a [Receiver], i64, &'a [(i64, Turn)], &'a [&'a str]);
    let stories: &[Story<'_>] = &[
        (
            "told at once, then again and more slowly, never more than an hour apart",
            std::slice::from_ref(&desk),
            180,
            &[(1, Raise(P1, 1))],
            &["1 desk 1", "16 desk 1 again", "46 desk 1 again", "106 desk 1 again", "166 desk 1 again"],
        ),
        (
            "P0 does not slow down",
            std::slice::from_ref(&desk),
            50,
            &[(1, Raise(P0, 1))],
            &["1 desk 1!", "16 desk 1! again", "31 desk 1! again", "46 desk 1! again"],
        ),
        ("acknowledged is silent", std::slice::from_ref(&desk), 180, &[(1, Raise(P1, 1)), (5, Acknowledge)], &["1 desk 1"]),
        (
            "nobody looks: the next one is told too",
            &both,
            20,
            &[(1, Raise(P1, 1))],
            &["1 desk 1", "16 desk 1 again", "16 night 1"],
        ),
        ("somebody looks: the next one sleeps", &both, 60, &[(1, Raise(P1, 1)), (10, Acknowledge)], &["1 desk 1"]),
        (
            "out of hours it waits for the morning",
            std::slice::from_ref(&desk),
            1_445,
            &[(evening, Raise(P1, 1)), (700, Acknowledge), (701, Raise(P3, 1))],
            &["1440 desk 1"],
        ),
        ("P0 at any hour", std::slice::from_ref(&desk), evening + 1, &[(evening, Raise(P0, 1))], &["600 desk 1!"]),
        ("what is not its affair it does not hear", &[only_p1], 10, &[(1, Raise(P3, 1)), (2, Raise(P1, 1))], &["2 phone 1"]),
        (
            "many at once are one message, and one reminder",
            std::slice::from_ref(&desk),
            20,
            &[(1, Raise(P1, 100)), (8, Raise(P1, 2))],
            &["1 desk 100", "8 desk 1", "8 desk 1", "16 desk 102 again"],
        ),
        (
            "a flood drop by drop is no storm, and the rest is one message",
            std::slice::from_ref(&desk),
            60,
            &[(1, Raise(P1, 3)), (2, Raise(P1, 3)), (3, Raise(P1, 3)), (4, Raise(P1, 3)), (5, Raise(P1, 3))],
            &["1 desk 1", "1 desk 1", "1 desk 1", "2 desk 1", "2 desk 1", "2 desk 1", "60 desk 9", "60 desk 6 again"],
        ),
        (
            "a flood of P1 does not keep P0 out",
            std::slice::from_ref(&desk),
            5,
            &[(1, Raise(P1, 3)), (2, Raise(P1, 3)), (3, Raise(P1, 3)), (4, Raise(P0, 1))],
            &["1 desk 1", "1 desk 1", "1 desk 1", "2 desk 1", "2 desk 1", "2 desk 1", "4 desk 1!"],
        ),
        (
            "a broken channel is tried again, more slowly, and the next one takes over at once",
            &both,
            13,
            &[(0, Break("desk")), (1, Raise(P1, 1)), (9, Mend("desk"))],
            &["1 desk 1 failed", "1 night 1", "2 desk 1 failed", "4 desk 1 failed", "8 desk 1 failed"],
        ),
        (
            "it is told when the channel works again",
            std::slice::from_ref(&desk),
            17,
            &[(0, Break("desk")), (1, Raise(P1, 1)), (9, Mend("desk"))],
            &["1 desk 1 failed", "2 desk 1 failed", "4 desk 1 failed", "8 desk 1 failed", "16 desk 1"],
        ),
        (
            "a clock that is set back by days repeats once, and does not fall silent",
            std::slice::from_ref(&desk),
            62,
            &[(1, Raise(P0, 1)), (20, Back(3 * 1_440))],
            &["1 desk 1!", "16 desk 1! again", "20 desk 1! again", "35 desk 1! again", "50 desk 1! again"],
        ),
    ];
    for (name, receivers, minutes, turns, expected) in stories {
        assert_eq!(play(receivers, *minutes, turns), *expected, "{name}");
    }
}

#[test]
fn never_more_messages_than_agreed() {
    let receivers = [receiver("desk", "always", 0)];
    let turns: Vec<(i64, Turn)> =
        (0..1_000).map(|minute| (minute, Raise([Severity::P0, Severity::P1][minute as usize % 2], 5))).collect();
    let log = play(&receivers, 1_000, &turns);
    for hour in 0..16 {
        let of_hour = |line: &&String| line.split(' ').next().unwrap().parse::<i64>().unwrap() / 60 == hour;
        assert!(log.iter().filter(of_hour).count() <= 12, "hour {hour}");
    }
    assert!(log.len() > 100);
}
