//! The tally of the play: what nobody may know of one, known of all.

use anyhow::{Context, Result};
use model::time::{DAY, HOUR, Time};
use serde_json::Value;

use super::play::{Play, Story, each};
use super::stage::Actor;

/// The fewest providers of a total that the demo makes; a real one has twenty at least.
const FEW: usize = 9;

/// From the key of verification to the total that everybody may see.
pub(super) fn perform(play: &mut Play<'_>, story: &mut Story) -> Result<()> {
    let cast = play.cast;
    for (actor, role) in
        [(&cast.association, "association"), (&cast.leader, "leader"), (&cast.helper, "helper"), (&cast.collector, "collector")]
    {
        play.stage.folder(actor, "tally")?;
        play.run(actor, &["watchlist", "key", role, "tally/identity.key", "--name", &actor.name])?;
    }
    let public = "tally/identity.key.pub";
    for (actor, name) in [(&cast.leader, "leader.pub"), (&cast.helper, "helper.pub"), (&cast.collector, "collector.pub")] {
        play.stage.carry(actor, public, &cast.association, name)?;
    }
    play.stage.carry(&cast.helper, public, &cast.leader, "helper.pub")?;
    play.stage.carry(&cast.leader, public, &cast.helper, "leader.pub")?;
    let mut cohort = String::from("key,group\n");
    for (at, provider) in cast.providers.iter().enumerate() {
        let name = format!("provider-{at}.pub");
        let key = play.stage.file(provider, "provider", ".pub")?;
        play.stage.carry(provider, &key, &cast.association, &name)?;
        play.stage.carry(&cast.association, public, provider, "association.pub")?;
        cohort.push_str(&format!("{name},group {at}\n"));
    }
    for actor in [&cast.leader, &cast.helper, &cast.collector] {
        play.stage.carry(&cast.association, public, actor, "association.pub")?;
    }
    let few: String = cohort.lines().take(1 + FEW).map(|line| format!("{line}\n")).collect();
    play.stage.give(&cast.association, "cohort.csv", cohort.as_bytes())?;
    play.stage.give(&cast.association, "few.csv", few.as_bytes())?;
    let verify = verify_key(play)?;

    let task = describe(play, "cohort.csv", &verify);
    let of_few = describe(play, "few.csv", &verify);
    play.stage.give(&cast.association, "few.toml", of_few.as_bytes())?;
    let refused = play.stage.try_run(&cast.association, play.now, &["tally", "task", "few.toml", "--dir", "tally"])?;
    anyhow::ensure!(refused.code != 0, "nine providers were let have a total");
    story.refused_nine = refused.err.trim().to_owned();

    play.stage.give(&cast.association, "task.toml", task.as_bytes())?;
    play.run(&cast.association, &["tally", "task", "task.toml", "--dir", "tally"])?;
    let mut file = play.stage.file(&cast.association, "tally/outbox", "task-")?;
    let mut holder = &cast.association;
    for actor in [&cast.leader, &cast.helper, &cast.collector] {
        play.stage.carry(holder, &file, actor, "task.slu")?;
        play.run(actor, &["tally", "join", "task.slu", "--author", "association.pub", "--dir", "tally"])?;
        file = play.stage.file(actor, "tally/outbox", "task-").unwrap_or_else(|_| "task.slu".to_owned());
        holder = actor;
    }
    // Each has to see the signatures of all three.
    for actor in [&cast.leader, &cast.helper, &cast.association] {
        play.stage.carry(holder, &file, actor, "signed.slu")?;
        let _ = play.stage.try_run(
            actor,
            play.now,
            &["tally", "join", "signed.slu", "--author", public_of(actor, cast), "--dir", "tally"],
        )?;
    }
    for provider in &cast.providers {
        play.stage.carry(holder, &file, provider, "task.slu")?;
    }
    report(play)?;
    count(play)?;
    collect(play, story)
}

fn public_of<'a>(actor: &Actor, cast: &super::play::Cast) -> &'a str {
    if actor.home == cast.association.home { "tally/identity.key.pub" } else { "association.pub" }
}

/// The key with which contributions are proven, drawn by the one aggregator for both; what the task says of it.
fn verify_key(play: &Play<'_>) -> Result<String> {
    let cast = play.cast;
    let said = play.run(&cast.leader, &["tally", "key", "--for", "helper.pub", "--dir", "tally", "--json"])?;
    let said: Value = serde_json::from_str(&said).context("no JSON about the key of verification")?;
    let file = play.stage.file(&cast.leader, "tally/outbox", "verify-key-")?;
    play.stage.carry(&cast.leader, &file, &cast.helper, "verify-key.slu")?;
    play.run(&cast.helper, &["tally", "key", "verify-key.slu", "--from", "leader.pub", "--dir", "tally"])?;
    said["verify"].as_str().map(str::to_owned).context("the key of verification has no commitment")
}

/// The association's description of the tally.
fn describe(play: &Play<'_>, cohort: &str, verify: &str) -> String {
    // A real cohort has twenty at least; a smaller demo says that it takes ten.
    let floor = if play.cast.providers.len() < 20 { "floor = 10\n" } else { "" };
    let day = |days: i64| Time(play.now.0 + days * DAY).to_string();
    format!(
        "{floor}opens = \"{}\"\ncloses = \"{}\"\nends = \"{}\"\nverify = \"{verify}\"\ncohort = \"{cohort}\"\n\n[period]\nname = \"this quarter\"\nfrom = \"{}\"\nuntil = \"{}\"\n\n\
         [leader]\nkey = \"leader.pub\"\nentity = \"Sector association\"\n\n[helper]\nkey = \"helper.pub\"\nentity = \"University\"\n\n\
         [collector]\nkey = \"collector.pub\"\nentity = \"Ministry\"\n",
        Time(play.now.0 + HOUR),
        day(7),
        day(60),
        day(-60),
        Time(play.now.0 + HOUR),
    )
}

/// Each provider's two halves, each to its own aggregator, and the receipts of both.
fn report(play: &mut Play<'_>) -> Result<()> {
    play.now = Time(play.now.0 + 2 * HOUR);
    let (stage, cast, now) = (play.stage, play.cast, play.now);
    each(cast, |at, provider| {
        stage.run(provider, now, &["tally", "join", "task.slu", "--author", "association.pub", "--dir", "provider"])?;
        stage.run(provider, now, &["tally", "report", "--hits", "--dir", "provider"])?;
        let leader = stage.file(provider, "provider/outbox", "leader-share-")?;
        stage.carry(provider, &leader, &cast.leader, &format!("share-{at}.slu"))?;
        let helper = stage.file(provider, "provider/outbox", "helper-share-")?;
        stage.carry(provider, &helper, &cast.helper, &format!("share-{at}.slu"))
    })?;
    let shares: Vec<String> = (0..cast.providers.len()).map(|at| format!("share-{at}.slu")).collect();
    for actor in [&cast.leader, &cast.helper] {
        let mut args = vec!["tally", "accept", "--dir", "tally"];
        args.extend(shares.iter().map(String::as_str));
        play.run(actor, &args)?;
    }
    Ok(())
}

/// What both hold is shown for seven days, and then proven.
fn count(play: &mut Play<'_>) -> Result<()> {
    let cast = play.cast;
    play.now = Time(play.now.0 + 7 * DAY);
    hand(play, "set", "set-proposal-", &cast.leader, &cast.helper, None)?;
    hand(play, "set", "set-answer-", &cast.helper, &cast.leader, Some("set-proposal-"))?;
    hand(play, "set", "set-", &cast.leader, &cast.helper, Some("set-answer-"))?;
    play.run(&cast.helper, &["tally", "set", "set-.slu", "--dir", "tally"])?;
    play.now = Time(play.now.0 + 8 * DAY);
    hand(play, "prepare", "prepare-", &cast.leader, &cast.helper, None)?;
    hand(play, "prepare", "prepare-answer-", &cast.helper, &cast.leader, Some("prepare-"))?;
    hand(play, "prepare", "counted-", &cast.leader, &cast.helper, Some("prepare-answer-"))?;
    play.run(&cast.helper, &["tally", "prepare", "counted-.slu", "--dir", "tally"]).map(drop)
}

/// One step of two: `from` runs the command with the file that came before, and what it makes is carried to `to`.
fn hand(play: &Play<'_>, command: &str, made: &str, from: &Actor, to: &Actor, with: Option<&str>) -> Result<()> {
    let given = with.map(|with| format!("{with}.slu"));
    let mut args = vec!["tally", command, "--dir", "tally"];
    args.extend(given.as_deref());
    play.run(from, &args)?;
    let mut files = play.stage.files(from, "tally/outbox", made)?;
    // `set-` begins other names too: the one that was made is the one whose rest is a number.
    files.retain(|file| {
        let rest = file.rsplit('/').next().and_then(|name| name.strip_prefix(made)).and_then(|name| name.strip_suffix(".slu"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('-'))
    });
    let file = files.pop().with_context(|| format!("{} made no file '{made}'", from.name))?;
    play.stage.carry(from, &file, to, &format!("{made}.slu")).map(drop)
}

/// The halves with their noise, put together by a third, and looked at by everybody.
fn collect(play: &Play<'_>, story: &mut Story) -> Result<()> {
    let cast = play.cast;
    for (actor, name) in [(&cast.leader, "one.slu"), (&cast.helper, "two.slu")] {
        play.run(actor, &["tally", "release", "--dir", "tally"])?;
        let file = play.stage.file(actor, "tally/outbox", "noised-share-")?;
        play.stage.carry(actor, &file, &cast.collector, name)?;
    }
    play.run(&cast.collector, &["tally", "collect", "one.slu", "two.slu", "--dir", "tally"])?;
    let task = play.stage.file(&cast.collector, "tally/outbox", "-public.slu")?;
    let total = play.stage.file(&cast.collector, "tally/outbox", "total-")?;
    let said = play.run(
        &cast.collector,
        &["tally", "show", &task, &total, "--author", "association.pub", "--html", "total.html", "--json"],
    )?;
    story.total = serde_json::from_str(&said).context("the total is no JSON")?;
    Ok(())
}
