//! Alerts by a command of the operator: for pagers and whatever else there is.
//!
//! The command is named in the configuration by its whole path, with fixed arguments. It gets JSON on its standard input and
//! an empty environment, there is no shell, and it has a time limit, after which its whole process group is ended.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::Parcel;

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A command, ready to be run.
pub(crate) struct Command {
    /// Its whole path.
    pub(crate) program: PathBuf,
    /// Its arguments, always the same.
    pub(crate) arguments: Vec<String>,
    /// How long it may take.
    pub(crate) time: Duration,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// Why that did not go well, in words that name nobody.
    pub(crate) fn send(&self, parcel: &Parcel<'_>) -> Result<(), String> {
        self.run(&parcel.json)
    }

    fn run(&self, input: &[u8]) -> Result<(), String> {
        let mut child = std::process::Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("it could not be started: {}", error.kind()))?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_vec();
            // A command that does not read must not hold us up; one that has ended does not want to know.
            std::thread::spawn(move || {
                let _ = stdin.write_all(&input);
            });
        }
        let group = Pid::from_child(&child);
        let begun = Instant::now();
        let in_time = loop {
            if has_ended(group) {
                break true;
            }
            if begun.elapsed() >= self.time {
                break false;
            }
            std::thread::sleep(LOOK);
        };
        // Until it is waited for, its number is nobody else's: what it left behind goes with it.
        let _ = kill_process_group(group, Signal::KILL);
        outcome(&mut child, in_time, self.time)
    }
}

/// Whether the process has ended. It stays to be waited for.
fn has_ended(process: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(process), options), Ok(None))
}

fn outcome(child: &mut Child, in_time: bool, time: Duration) -> Result<(), String> {
    let status = child.wait().map_err(|error| format!("it could not be waited for: {}", error.kind()))?;
    match status.code() {
        _ if !in_time => Err(format!("it took longer than {} s", time.as_secs_f32())),
        Some(0) => Ok(()),
        Some(code) => Err(format!("it ended with exit code {code}")),
        None => Err("a signal ended it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, seconds: f32) -> Command {
        Command { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()], time: Duration::from_secs_f32(seconds) }
    }

    #[test]
    fn real_commands() {
        for (name, script, expected) in [
            ("well", "true", Ok(())),
            ("its exit code", "exit 3", Err("it ended with exit code 3")),
            ("killed", "kill -9 $$", Err("a signal ended it")),
            ("what it reads", r#"test "$(cat)" = '{"id":1}'"#, Ok(())),
            ("not reading is no fault", "exit 0", Ok(())),
            ("nothing of our environment", r#"test -z "$HOME$USER$CARGO_MANIFEST_DIR""#, Ok(())),
            ("nowhere in particular", r#"test "$(pwd)" = /"#, Ok(())),
        ] {
            assert_eq!(shell(script, 20.0).run(br#"{"id":1}"#), expected.map_err(str::to_owned), "{name}");
        }
        let missing = Command { program: "/nonexistent/pager".into(), arguments: Vec::new(), time: Duration::from_secs(1) };
        assert_eq!(missing.run(b""), Err("it could not be started: entity not found".to_owned()));
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_all_it_began() {
        let marker = std::env::temp_dir().join(format!("sluis-command-{}", std::process::id()));
        let script = format!("(sleep 2; touch {}) & sleep 100", marker.display());
        let begun = Instant::now();
        assert_eq!(shell(&script, 0.5).run(&vec![b' '; 1 << 20]), Err("it took longer than 0.5 s".to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_secs(3));
        assert!(!marker.exists(), "its child lived on");
    }

    #[test]
    fn what_it_leaves_behind_goes_with_it() {
        let marker = std::env::temp_dir().join(format!("sluis-left-{}", std::process::id()));
        assert_eq!(shell(&format!("(sleep 1; touch {}) &", marker.display()), 20.0).run(b""), Ok(()));
        std::thread::sleep(Duration::from_secs(2));
        assert!(!marker.exists(), "its child lived on");
    }
}
