//! The demo of the watchlist: police, second officer, evaluator, contest desk, association, aggregators and providers, each a process and a
//! directory of its own, from the first key to the total.
//!
//! [`world`] is what is true, [`stage`] who is who on this machine, [`play`] and [`tally`] what they do: real commands, and files that are
//! carried. What the demo shows together in the end nobody in it knows.

pub(crate) mod play;
mod stage;
mod tally;
pub(crate) mod world;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use model::time::Time;

use play::{Cast, Play, Story, Tell};
use stage::Stage;
use world::World;

/// Plays it in a directory that is not there yet, or empty.
pub(crate) fn perform(directory: &Path, world: &World, now: Time, tell: Tell<'_>) -> Result<Story> {
    if std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; name another folder with --keep DIR", directory.display());
    }
    let begun = Instant::now();
    let mut stage = Stage::new(directory)?;
    tell(if stage.users {
        "Everybody is a user of their own on this machine, and every step a process of its own."
    } else {
        "Every step is a process of its own. (As root, everybody would be a user of their own too.)"
    });
    let cast = Cast::assemble(&mut stage, world)?;
    let mut story = Play { stage: &stage, cast: &cast, world, now, tell }.perform()?;
    story.seconds = begun.elapsed().as_secs();
    Ok(story)
}
