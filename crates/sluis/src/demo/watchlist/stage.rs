//! The stage of the demo: each actor is a directory of its own, and where the system lets us a user of its own; each thing it does is a process
//! of its own; and what passes between them are files that somebody carries.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use model::time::Time;

/// The first of the numbers that actors run under: beyond what systems give to people and services.
const FIRST_USER: u32 = 700_000;

/// Where the demo plays.
pub(crate) struct Stage {
    root: PathBuf,
    program: PathBuf,
    /// Whether each actor has a user of its own.
    pub(crate) users: bool,
    next: u32,
}

/// Somebody with a directory that nobody else enters.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// What it is called on the screen.
    pub(crate) name: String,
    /// Its directory.
    pub(crate) home: PathBuf,
    user: Option<u32>,
}

/// What a process said.
pub(crate) struct Said {
    /// Its exit code.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stage {
    /// A stage in this directory, which is made.
    pub(crate) fn new(root: &Path) -> Result<Stage> {
        DirBuilder::new().recursive(true).mode(0o711).create(root).with_context(|| root.display().to_string())?;
        let root = root.canonicalize()?;
        fs::set_permissions(&root, fs::Permissions::from_mode(0o711))?;
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut stage = Stage { root, program, users: false, next: FIRST_USER };
        stage.users = stage.lets_us_be_others();
        Ok(stage)
    }

    /// Whether we may run as somebody else, and that somebody reach our program and the stage.
    fn lets_us_be_others(&mut self) -> bool {
        let try_as = |program: &Path| {
            let mut command = Command::new(program);
            command
                .arg("--version")
                .current_dir("/")
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.uid(FIRST_USER).gid(FIRST_USER);
            command.status().is_ok_and(|status| status.success())
        };
        let enters = |root: &Path| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "cd \"$1\"", "sh"]).arg(root).current_dir("/").env_clear().stderr(Stdio::null());
            command.uid(FIRST_USER).gid(FIRST_USER);
            command.status().is_ok_and(|status| status.success())
        };
        if !enters(&self.root) {
            return false;
        }
        if try_as(&self.program) {
            return true;
        }
        // A home of root that nobody enters is in the way: the program is laid on the stage.
        let copy = self.root.join("sluis");
        let laid = fs::copy(&self.program, &copy).is_ok()
            && fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).is_ok()
            && try_as(&copy);
        if laid {
            self.program = copy;
        } else {
            let _ = fs::remove_file(&copy);
        }
        laid
    }

    /// Somebody new, in a directory of this name.
    pub(crate) fn actor(&mut self, name: &str, directory: &str) -> Result<Actor> {
        let home = self.root.join(directory);
        DirBuilder::new().mode(0o700).create(&home).with_context(|| home.display().to_string())?;
        let user = self.users.then_some(self.next);
        self.next += 1;
        if let Some(user) = user {
            chown(&home, Some(user), Some(user))?;
        }
        Ok(Actor { name: name.to_owned(), home, user })
    }

    /// Runs `sluis` as this actor, in its directory, and waits for it.
    pub(crate) fn try_run(&self, actor: &Actor, now: Time, args: &[&str]) -> Result<Said> {
        let mut command = Command::new(&self.program);
        command.args(args).args(["--now", &now.to_string()]).current_dir(&actor.home);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &actor.home).env("NO_COLOR", "1").stdin(Stdio::null());
        if let Some(user) = actor.user {
            command.uid(user).gid(user);
        }
        let output = command.output().with_context(|| format!("{} cannot run {}", actor.name, self.program.display()))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) })
    }

    /// As [`Stage::try_run`], for what must go well; what it wrote to standard output.
    pub(crate) fn run(&self, actor: &Actor, now: Time, args: &[&str]) -> Result<String> {
        let said = self.try_run(actor, now, args)?;
        if said.code == 0 {
            return Ok(said.out);
        }
        bail!("{} could not run 'sluis {}' (exit code {}):\n{}{}", actor.name, args.join(" "), said.code, said.err, said.out)
    }

    /// Makes a directory in an actor's own.
    pub(crate) fn folder(&self, actor: &Actor, name: &str) -> Result<()> {
        let path = actor.home.join(name);
        DirBuilder::new().mode(0o700).create(&path).with_context(|| path.display().to_string())?;
        if let Some(user) = actor.user {
            chown(&path, Some(user), Some(user))?;
        }
        Ok(())
    }

    /// Lays a file into an actor's directory: what it has of its own before the play begins.
    pub(crate) fn give(&self, actor: &Actor, name: &str, bytes: &[u8]) -> Result<()> {
        let path = actor.home.join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        if let Some(user) = actor.user {
            chown(&path, Some(user), Some(user))?;
        }
        Ok(())
    }

    /// Takes a file away again.
    pub(crate) fn forget(&self, actor: &Actor, name: &str) -> Result<()> {
        let path = actor.home.join(name);
        fs::remove_file(&path).with_context(|| path.display().to_string())
    }

    /// The files below an actor's directory of which the name has these words, by their paths from there, in order.
    pub(crate) fn files(&self, actor: &Actor, folder: &str, words: &str) -> Result<Vec<String>> {
        let path = actor.home.join(folder);
        let entries = fs::read_dir(&path).with_context(|| format!("{}: {}", actor.name, path.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.contains(words) {
                names.push(format!("{folder}/{name}"));
            }
        }
        names.sort();
        Ok(names)
    }

    /// The one such file, or the last of them.
    pub(crate) fn file(&self, actor: &Actor, folder: &str, words: &str) -> Result<String> {
        let found = self.files(actor, folder, words)?.pop();
        found.with_context(|| format!("{} has no file '{words}' in {folder}", actor.name))
    }

    /// Carries a file from one actor to another, as on a stick. Says how many bytes it had.
    pub(crate) fn carry(&self, from: &Actor, file: &str, to: &Actor, name: &str) -> Result<u64> {
        let path = from.home.join(file);
        let bytes = fs::read(&path).with_context(|| format!("{} has no {}", from.name, path.display()))?;
        self.give(to, name, &bytes)?;
        Ok(bytes.len() as u64)
    }
}
