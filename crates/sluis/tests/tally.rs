//! A whole tally on the command line: each party in a directory of its own, each file handed on by name, and the total that anybody checks.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

struct Stage(PathBuf);

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    fn new() -> Stage {
        let folder = std::env::temp_dir().join(format!("sluis-tally-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Stage(folder)
    }

    fn run(&self, day: &str, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sluis"))
            .current_dir(&self.0)
            .args(line.split(' '))
            .args(["--now", day])
            .output()
            .unwrap()
    }

    /// What a command that succeeds prints.
    fn sluis(&self, day: &str, line: &str) -> String {
        let output = self.run(day, line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that is refused says.
    fn refused(&self, day: &str, line: &str) -> String {
        let output = self.run(day, line);
        assert!(!output.status.success(), "{line}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The file with this beginning in a party's outbox.
    fn outbox(&self, party: &str, beginning: &str) -> String {
        let folder = Path::new(party).join("outbox");
        let mut names: Vec<String> =
            fs::read_dir(self.0.join(&folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let fits = |name: &&String| name.starts_with(beginning) && name.contains("-public") == beginning.contains("public");
        let name = names.iter().find(fits).unwrap_or_else(|| panic!("no {beginning} among {names:?}"));
        folder.join(name).to_str().unwrap().to_owned()
    }

    fn key(&self, role: &str, name: &str) {
        fs::create_dir_all(self.0.join(name)).unwrap();
        self.sluis(OPEN, &format!("watchlist key {role} {name}/identity.key --name {name}"));
    }
}

const OPEN: &str = "2027-01-06";
const CLOSED: &str = "2027-01-21";
const SHOWN: &str = "2027-01-29";

#[test]
fn a_tally_goes_from_key_to_total() {
    let stage = Stage::new();
    for role in ["leader", "helper", "collector", "association"] {
        stage.key(role, role);
    }
    let mut cohort = "key,group\n".to_owned();
    for n in 0..10 {
        stage.key("provider", &format!("p{n}"));
        cohort += &format!("p{n}/identity.key.pub,group{n}\n");
    }
    stage.sluis(OPEN, "tally key --dir leader --for helper/identity.key.pub");
    let key = stage.outbox("leader", "verify-key");
    let told = stage.sluis(OPEN, &format!("tally key --dir helper {key} --from leader/identity.key.pub --json"));
    let verify = serde_json::from_str::<Value>(&told).unwrap()["verify"].as_str().unwrap().to_owned();
    fs::write(stage.0.join("cohort.csv"), &cohort).unwrap();
    let plan = format!(
        "opens = \"2027-01-05\"\ncloses = \"2027-01-20\"\nends = \"2027-03-01\"\nverify = \"{verify}\"\ncohort = \"cohort.csv\"\nfloor = 10\n\
         [period]\nname = \"2026-Q4\"\nfrom = \"2026-10-01\"\nuntil = \"2027-01-01\"\n\
         [leader]\nkey = \"leader/identity.key.pub\"\nentity = \"KvK 12345678\"\n\
         [helper]\nkey = \"helper/identity.key.pub\"\nentity = \"University\"\n\
         [collector]\nkey = \"collector/identity.key.pub\"\nentity = \"Ministry\"\n"
    );
    // Nine providers, police that collect, and a floor below ten are refused when the task is made.
    for (plan, cohort, says) in [
        (plan.clone(), cohort.replace("p9/identity.key.pub,group9\n", ""), "9 independent providers"),
        (format!("{plan}police = true\n"), cohort.clone(), "collector is police"),
        (plan.replace("floor = 10", "floor = 9"), cohort.clone(), "fewer than ten"),
    ] {
        fs::write(stage.0.join("task.toml"), plan).unwrap();
        fs::write(stage.0.join("cohort.csv"), cohort).unwrap();
        assert!(stage.refused(OPEN, "tally task --dir association task.toml").contains(says), "{says}");
    }
    fs::write(stage.0.join("task.toml"), &plan).unwrap();
    fs::write(stage.0.join("cohort.csv"), &cohort).unwrap();
    stage.sluis(OPEN, "tally task --dir association task.toml");
    let mut task = stage.outbox("association", "task-");
    for role in ["leader", "helper", "collector"] {
        stage.sluis(OPEN, &format!("tally join --dir {role} {task} --author association/identity.key.pub"));
        task = stage.outbox(role, "task-");
    }
    for party in ["leader", "helper"].map(str::to_owned).into_iter().chain((0..10).map(|n| format!("p{n}"))) {
        stage.sluis(OPEN, &format!("tally join --dir {party} {task} --author association/identity.key.pub"));
    }
    for n in 0..10 {
        stage.sluis(OPEN, &format!("tally report --dir p{n} --number {n}"));
        for role in ["leader", "helper"] {
            let share = stage.outbox(&format!("p{n}"), &format!("{role}-share"));
            let taken = stage.sluis(OPEN, &format!("tally accept --dir {role} {share} --json"));
            let receipt = serde_json::from_str::<Value>(&taken).unwrap()["receipt"].as_str().unwrap().to_owned();
            stage.sluis(OPEN, &format!("tally receipt --dir p{n} {receipt}"));
        }
    }
    let helper_share = stage.outbox("p0", "helper-share");
    assert!(!stage.run(OPEN, &format!("tally accept --dir leader {helper_share}")).status.success());
    for (party, file) in
        [("leader", None), ("helper", Some(("leader", "set-proposal"))), ("leader", Some(("helper", "set-answer")))]
    {
        let file = file.map(|(from, name)| format!(" {}", stage.outbox(from, name))).unwrap_or_default();
        stage.sluis(CLOSED, &format!("tally set --dir {party}{file}"));
    }
    let id = task.rsplit_once("task-").unwrap().1.strip_suffix(".slu").unwrap().to_owned();
    let set = stage.outbox("leader", &format!("set-{id}"));
    for party in ["helper", "p3"] {
        stage.sluis(CLOSED, &format!("tally set --dir {party} {set}"));
    }
    assert!(stage.refused(CLOSED, "tally prepare --dir leader").contains("168 hours to go"));
    assert!(stage.refused(CLOSED, "tally release --dir leader").contains("seven days"));
    stage.sluis(SHOWN, "tally prepare --dir leader");
    stage.sluis(SHOWN, &format!("tally prepare --dir helper {}", stage.outbox("leader", "prepare-")));
    stage.sluis(SHOWN, &format!("tally prepare --dir leader {}", stage.outbox("helper", "prepare-answer")));
    stage.sluis(SHOWN, &format!("tally prepare --dir helper {}", stage.outbox("leader", "counted")));
    for role in ["leader", "helper"] {
        stage.sluis(SHOWN, &format!("tally release --dir {role}"));
    }
    let shares = ["leader", "helper"].map(|role| stage.outbox(role, "noised-share"));
    stage.sluis(SHOWN, &format!("tally collect --dir collector {} {}", shares[0], shares[1]));
    let files = format!("{} {}", stage.outbox("collector", &format!("task-{id}-public")), stage.outbox("collector", "total"));
    let text = stage.sluis(SHOWN, &format!("tally show {files} --html total.html --author association/identity.key.pub"));
    for words in
        ["provider-matches, not resellers", "epsilon 0.5 a period", "standard deviation together 4.0", "floor was lowered to 10"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let nl = stage.sluis(SHOWN, &format!("tally show {files} --lang nl"));
    assert!(nl.contains("geen wederverkopers") && nl.contains("1 oktober 2026 – 31 december 2026"), "{nl}");
    let shown: Value = serde_json::from_str(&stage.sluis(SHOWN, &format!("tally show {files} --json"))).unwrap();
    assert!(shown["rows"][0]["number"].as_u64().unwrap() <= 10);
    assert_eq!((shown["providers"].as_u64(), shown["least"].as_u64()), (Some(10), Some(10)));
    assert!(fs::read_to_string(stage.0.join("total.html")).unwrap().contains("<svg"));
    assert!(stage.refused(SHOWN, &format!("tally show {files} --author leader/identity.key.pub")).contains("role"));
    // Collected is collected: the same file again, and no second task for the period.
    stage.sluis(SHOWN, &format!("tally collect --dir collector {} {}", shares[1], shares[0]));
}
