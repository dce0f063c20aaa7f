//! The play: who does what, in which order, and what each of them can say afterwards. Every line of it is a command that anybody can type.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use model::time::{DAY, HOUR, Time};
use serde::Serialize;
use serde_json::Value;

use super::stage::{Actor, Stage};
use super::world::{Like, NAMESAKE, Planted, World};

/// Everybody.
pub(crate) struct Cast {
    pub(crate) police: Actor,
    pub(crate) second: Actor,
    pub(crate) evaluator: Actor,
    pub(crate) desk: Actor,
    pub(crate) association: Actor,
    pub(crate) leader: Actor,
    pub(crate) helper: Actor,
    pub(crate) collector: Actor,
    pub(crate) providers: Vec<Actor>,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Story {
    /// Entries of the list.
    pub(crate) entries: usize,
    pub(crate) providers: usize,
    pub(crate) customers: usize,
    /// Bytes of the published list.
    pub(crate) list_bytes: u64,
    /// Bytes of all queries and all answers.
    pub(crate) query_bytes: u64,
    pub(crate) answer_bytes: u64,
    /// What evaluation knows: batches, and elements of them.
    pub(crate) batches: u64,
    /// What each provider found, by itself alone: shown here because the demo is all of them.
    pub(crate) found: Vec<Finding>,
    /// The change of the list, looked up without asking anybody.
    pub(crate) suspended: usize,
    pub(crate) withdrawn: usize,
    /// What the desk answered.
    pub(crate) asked: usize,
    /// Why nine providers make no total.
    pub(crate) refused_nine: String,
    /// What everybody may know: as `tally show --json` has it.
    pub(crate) total: Value,
    /// How many providers really have a hit: nobody in the play knows it.
    pub(crate) truth: usize,
    /// The report of the first provider with a hit.
    pub(crate) report: String,
    /// Whether each actor had a user of its own.
    pub(crate) users: bool,
    pub(crate) seconds: u64,
}

/// A customer of a provider that may be on the list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) provider: String,
    pub(crate) customer: String,
    pub(crate) hit: String,
    /// Which family of tokens met, or which class.
    pub(crate) met: String,
    /// How sure the comparison is.
    pub(crate) sureness: String,
    pub(crate) decided: String,
    /// Whether the world behind the demo has it so.
    pub(crate) planted: bool,
}

/// Tells how far the play is.
pub(crate) type Tell<'a> = &'a (dyn Fn(&str) + Sync);

impl Cast {
    /// Everybody in a directory of their own, with their own files.
    pub(crate) fn assemble(stage: &mut Stage, world: &World) -> Result<Cast> {
        let mut cast = Cast {
            police: stage.actor("The police", "police")?,
            second: stage.actor("The second officer", "second-officer")?,
            evaluator: stage.actor("The evaluator", "evaluator")?,
            desk: stage.actor("The contest desk", "desk")?,
            association: stage.actor("The association", "association")?,
            leader: stage.actor("The first aggregator", "leader")?,
            helper: stage.actor("The second aggregator", "helper")?,
            collector: stage.actor("The collector", "collector")?,
            providers: Vec::new(),
        };
        for (at, (name, _)) in world.providers.iter().enumerate() {
            let actor = stage.actor(name, &format!("hoster-{}", char::from(b'a' + at as u8 % 26)))?;
            stage.give(&actor, "customers.csv", world.table(at).as_bytes())?;
            cast.providers.push(actor);
        }
        Ok(cast)
    }
}

/// Does something for each provider, two at a time: that is how many processors a laptop has to spare.
pub(super) fn each<T: Send>(cast: &Cast, work: impl Fn(usize, &Actor) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<T>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(actor) = cast.providers.get(at) else { break };
                    let result = work(at, actor);
                    let failed = result.is_err();
                    if let Ok(mut done) = done.lock() {
                        done.push((at, result));
                    }
                    if failed {
                        next.store(usize::MAX / 2, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The fingerprint of an actor's key, as it is read aloud.
fn fingerprint(stage: &Stage, actor: &Actor, file: &str, now: Time) -> Result<String> {
    let said = stage.run(actor, now, &["watchlist", "fingerprint", file])?;
    said.split_whitespace().next().map(str::to_owned).context("no fingerprint was shown")
}

/// A play under way.
pub(crate) struct Play<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) cast: &'a Cast,
    pub(crate) world: &'a World,
    pub(crate) now: Time,
    pub(crate) tell: Tell<'a>,
}

impl Play<'_> {
    /// From the first key to the total.
    pub(crate) fn perform(&mut self) -> Result<Story> {
        let mut story = Story {
            entries: self.world.listed.len(),
            providers: self.world.providers.len(),
            customers: self.world.customers(),
            users: self.stage.users,
            ..Story::default()
        };
        let officers = self.keys()?;
        (self.tell)("The police enter 38 resellers, and a second officer reads and signs them.");
        story.list_bytes = self.list()?;
        (self.tell)("Each provider pins the officers by their fingerprints, and is enrolled by its own.");
        self.enrol(&officers)?;
        (self.tell)("Each provider asks with numbers that say nothing; the evaluator answers without a list.");
        self.ask(&mut story)?;
        (self.tell)("Each provider looks for itself; where only a name agrees the desk gives the reason; a person decides.");
        self.look(&mut story, &officers)?;
        (self.tell)("One entry is contested, one withdrawn. All look again, without asking anybody.");
        self.change(&mut story)?;
        (self.tell)("Nine providers would be too few for a total. All of them report, in two halves that say nothing.");
        super::tally::perform(self, &mut story)?;
        story.truth = self.affected();
        let first = story.found.first().map(|finding| finding.provider.clone());
        let actor = self.cast.providers.iter().find(|actor| Some(&actor.name) == first.as_ref());
        story.report =
            actor.map(|actor| actor.home.join("provider/report/report.html").display().to_string()).unwrap_or_default();
        Ok(story)
    }

    /// How many providers have at least one customer who is listed, by the world behind the demo.
    fn affected(&self) -> usize {
        let real = self.world.planted.iter().filter(|planted| planted.like != Like::Namesake);
        real.map(|planted| planted.provider).collect::<std::collections::BTreeSet<_>>().len()
    }

    pub(super) fn run(&self, actor: &Actor, args: &[&str]) -> Result<String> {
        self.stage.run(actor, self.now, args)
    }

    fn key(&self, actor: &Actor, role: &str, file: &str) -> Result<()> {
        self.run(actor, &["watchlist", "key", role, file, "--name", &actor.name]).map(drop)
    }

    /// Keys of the list holder's side; the fingerprints of the two officers.
    fn keys(&self) -> Result<String> {
        let Cast { police, second, evaluator, desk, .. } = self.cast;
        self.key(police, "officer", "officer.key")?;
        self.key(police, "log", "log.key")?;
        self.key(second, "officer", "officer.key")?;
        self.run(desk, &["watchlist", "desk", "new", "--dir", "desk", "--name", &desk.name])?;
        self.stage.carry(second, "officer.key.pub", police, "second.pub")?;
        self.stage.carry(police, "officer.key.pub", evaluator, "first.pub")?;
        self.stage.carry(second, "officer.key.pub", evaluator, "second.pub")?;
        self.run(
            evaluator,
            &[
                "watchlist",
                "evaluator",
                "new",
                "--dir",
                "evaluator",
                "--name",
                &evaluator.name,
                "--officer",
                "first.pub",
                "--officer",
                "second.pub",
            ],
        )?;
        let of = |actor, folder| self.stage.file(actor, folder, ".pub");
        self.stage.carry(evaluator, &of(evaluator, "evaluator")?, police, "evaluator.pub")?;
        self.stage.carry(desk, &of(desk, "desk")?, police, "desk.pub")?;
        let first = fingerprint(self.stage, police, "officer.key.pub", self.now)?;
        let second = fingerprint(self.stage, second, "officer.key.pub", self.now)?;
        Ok(format!("{first},{second}"))
    }

    /// The list: entered, read by a second officer, published, signed by both. The bytes of the published file.
    fn list(&mut self) -> Result<u64> {
        let Cast { police, evaluator, desk, .. } = self.cast;
        let largest = self.world.providers.iter().map(|(_, customers)| *customers).max().unwrap_or(1).max(32_768).to_string();
        self.run(
            police,
            &[
                "watchlist",
                "new",
                "--dir",
                "list",
                "--name",
                "resellers",
                "--holder",
                "Police, team of the demo",
                "--officer",
                "officer.key.pub",
                "--officer",
                "second.pub",
                "--evaluator",
                "evaluator.pub",
                "--desk",
                "desk.pub",
                "--log-key",
                "log.key",
                "--origin",
                "list.police.example/resellers",
                "--contest",
                "https://desk.example/contest",
                "--protocol",
                "https://police.example/protocol",
                "--customers",
                &largest,
            ],
        )?;
        self.stage.give(police, "resellers.csv", self.sheet().as_bytes())?;
        self.run(police, &["watchlist", "import", "resellers.csv", "--dir", "list", "--officer", "officer.key"])?;
        let entries = self.run(police, &["watchlist", "review", "--dir", "list", "--json"])?;
        let ids: Vec<String> = entries.lines().filter_map(entry).collect();
        if ids.len() != self.world.listed.len() {
            bail!("{} entries were expected to be reviewed, and there are {}", self.world.listed.len(), ids.len());
        }
        let mut accept = vec!["watchlist", "review", "--dir", "list", "--officer", "second.key"];
        for id in &ids {
            accept.extend(["--accept", id]);
        }
        self.with_second(|| self.run(police, &accept))?;
        let file = self.publish()?;
        self.stage.carry(police, &file, desk, "list.slu")?;
        let keys = self.stage.file(police, "list/evaluator", ".keys")?;
        self.stage.carry(police, &keys, evaluator, "epoch.keys")?;
        let manifest = self.stage.file(police, "list/evaluator", ".manifest.slu")?;
        self.stage.carry(police, &manifest, evaluator, "manifest.slu")?;
        self.run(
            evaluator,
            &["watchlist", "evaluator", "epoch", "--dir", "evaluator", "--manifest", "manifest.slu", "--keys", "epoch.keys"],
        )?;
        let mut bytes = 0;
        for provider in &self.cast.providers {
            bytes = self.stage.carry(police, &file, provider, "list.slu")?;
        }
        Ok(bytes)
    }

    /// Publishes what is to be published, with both signatures; the public file.
    fn publish(&mut self) -> Result<String> {
        let police = &self.cast.police;
        self.run(police, &["watchlist", "publish", "--dir", "list", "--officer", "officer.key", "--log-key", "log.key"])?;
        let sign = ["watchlist", "sign", "--dir", "list", "--officer", "second.key", "--log-key", "log.key"];
        self.with_second(|| self.run(police, &sign))?;
        self.now = Time(self.now.0 + HOUR);
        self.stage.file(police, "list/public", ".slu")
    }

    /// What the second officer does, who comes to the machine of the list with her key and goes with it.
    fn with_second(&self, work: impl FnOnce() -> Result<String>) -> Result<()> {
        let Cast { police, second, .. } = self.cast;
        self.stage.carry(second, "officer.key", police, "second.key")?;
        work()?;
        self.stage.forget(police, "second.key")
    }

    /// The sheet of the list, as officers keep it.
    fn sheet(&self) -> String {
        let review = Time(self.now.0 + 300 * DAY).to_string();
        let review = review.get(..10).unwrap_or_default();
        let mut text = String::from(
            "names,aliases,country,category,reason_nl,reason_en,source,legal_basis,criterion,protocol,review_by,officer_role,contact,contest_url,domain,email\n",
        );
        for (at, listed) in self.world.listed.iter().enumerate() {
            text.push_str(&format!(
                "{},{};{},SC,bulletproof-reseller,Biedt zich aan op fora als kogelvrij,Offers itself on forums as bulletproof,THTC-2026-{:04},Wpg 19,C3,police.example/protocol/2,{review},team lead,list@police.example,https://desk.example/contest,{},{}\n",
                listed.name, listed.aliases[0], listed.aliases[1], at + 1, listed.site, listed.mail
            ));
        }
        text
    }

    /// Each provider joins and is enrolled.
    fn enrol(&mut self, officers: &str) -> Result<()> {
        let police = &self.cast.police;
        let enrolments: Vec<String> = each(self.cast, |at, provider| {
            let customers = self.world.providers[at].1.to_string();
            self.run(
                provider,
                &[
                    "watchlist",
                    "join",
                    "--dir",
                    "provider",
                    "--list",
                    "list.slu",
                    "--officers",
                    officers,
                    "--name",
                    &provider.name,
                    "--registration",
                    "AS64496",
                    "--contact",
                    "abuse desk",
                    "--customers",
                    &customers,
                ],
            )?;
            let request = format!("request-{at}.slu");
            self.stage.carry(provider, "provider/outbox/enrolment-request.slu", police, &request)?;
            let public = self.stage.file(provider, "provider", ".pub")?;
            let print = fingerprint(self.stage, provider, &public, self.now)?;
            let enrolment = format!("enrolment-{at}.slu");
            let bucket = self.world.providers[at].1.next_power_of_two();
            let plans = plans(bucket);
            let mut args =
                vec!["watchlist", "enrol", &request, "--fingerprint", &print, "--officer", "officer.key", "--out", &enrolment];
            for plan in &plans {
                args.extend(["--plan", plan]);
            }
            self.run(police, &args)?;
            self.stage.carry(police, &enrolment, provider, "enrolment.slu")?;
            self.stage.carry(police, &enrolment, &self.cast.evaluator, &enrolment)?;
            self.run(provider, &["watchlist", "join", "--dir", "provider", "--enrolment", "enrolment.slu"])?;
            Ok(enrolment)
        })?;
        let mut args = vec!["watchlist", "evaluate", "--dir", "evaluator", "--out", "out"];
        args.extend(enrolments.iter().map(String::as_str));
        self.run(&self.cast.evaluator, &args).map(drop)
    }

    /// Each provider's query, and its answer.
    fn ask(&mut self, story: &mut Story) -> Result<()> {
        let evaluator = &self.cast.evaluator;
        let queries = each(self.cast, |at, provider| {
            let said = self.matched(provider, &["--list", "list.slu"])?;
            let file = self.stage.file(provider, "provider/outbox", "query-").with_context(|| said.clone())?;
            let name = format!("query-{at}.slu");
            let bytes = self.stage.carry(provider, &file, evaluator, &name)?;
            Ok((name, bytes))
        })?;
        story.query_bytes = queries.iter().map(|(_, bytes)| bytes).sum();
        let mut args = vec!["watchlist", "evaluate", "--dir", "evaluator", "--out", "out"];
        args.extend(queries.iter().map(|(name, _)| name.as_str()));
        self.run(evaluator, &args)?;
        let answers =
            each(self.cast, |at, provider| self.stage.carry(evaluator, &format!("out/answer-{at}.slu"), provider, "answer.slu"))?;
        story.answer_bytes = answers.iter().sum();
        let audit = self.run(evaluator, &["watchlist", "audit", "--dir", "evaluator", "--json"])?;
        story.batches = audit.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?.get("batches")?.as_u64()).sum();
        self.now = Time(self.now.0 + HOUR);
        Ok(())
    }

    /// Looks customers up; nothing or something to decide are both good.
    fn matched(&self, provider: &Actor, more: &[&str]) -> Result<String> {
        let mut args = vec![
            "watchlist",
            "match",
            "--csv",
            "customers.csv",
            "--dir",
            "provider",
            "--cache-key",
            "cache.key",
            "--lang",
            "en",
            "--json",
        ];
        args.extend(more);
        let said = self.stage.try_run(provider, self.now, &args)?;
        match said.code {
            0 | 10 => Ok(said.out),
            code => bail!("{} could not look its customers up (exit code {code}):\n{}{}", provider.name, said.err, said.out),
        }
    }

    /// What each finds; the reasons behind names, from the desk; and what a person decides then.
    fn look(&mut self, story: &mut Story, officers: &str) -> Result<()> {
        let desk = &self.cast.desk;
        let desk_list = self.stage.file(&self.cast.police, "list/desk", ".desk.slu")?;
        self.stage.carry(&self.cast.police, &desk_list, desk, "list.desk.slu")?;
        self.run(desk, &["watchlist", "desk", "take", "list.slu", "list.desk.slu", "--dir", "desk", "--officers", officers])?;

        let reports = each(self.cast, |_, provider| self.report(provider, &["--answers", "answer.slu"]))?;
        for (provider, report) in self.cast.providers.iter().zip(&reports) {
            let unknown = |hit: &&Value| hit["entry"]["reason"].is_null();
            let names: Vec<&str> = hits(report).filter(unknown).filter_map(|hit| hit["id"].as_str()).collect();
            if !names.is_empty() {
                self.ask_desk(provider, &names)?;
                story.asked += names.len();
            }
        }
        let found = each(self.cast, |_, provider| {
            let report = self.report(provider, &[])?;
            hits(&report).map(|hit| self.decide(provider, hit)).collect::<Result<Vec<Finding>>>()
        })?;
        story.found = found.into_iter().flatten().collect();
        Ok(())
    }

    /// The report of a provider's look.
    fn report(&self, provider: &Actor, more: &[&str]) -> Result<Value> {
        serde_json::from_str(&self.matched(provider, more)?).context("the report is no JSON")
    }

    /// Asks the desk for the reasons behind names, and takes the answers in.
    fn ask_desk(&self, provider: &Actor, names: &[&str]) -> Result<()> {
        let desk = &self.cast.desk;
        let mut ask =
            vec!["watchlist", "ask", "--dir", "provider", "--why", "a customer with this name; before we write to them"];
        ask.extend(names);
        self.run(provider, &ask)?;
        let public = self.stage.file(provider, "provider", ".pub")?;
        self.stage.carry(provider, &public, desk, "asks.pub")?;
        let print = fingerprint(self.stage, provider, &public, self.now)?;
        self.run(desk, &["watchlist", "desk", "admit", "asks.pub", "--dir", "desk", "--fingerprint", &print])?;
        let question = self.stage.file(provider, "provider/outbox", "ask-")?;
        self.stage.carry(provider, &question, desk, "ask.slu")?;
        let answered = self.run(desk, &["watchlist", "answer", "ask.slu", "--dir", "desk", "--give", "--json"])?;
        let answered: Value = serde_json::from_str(&answered).context("the desk's answer is no JSON")?;
        let files: Vec<&str> = answered["files"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut given = vec!["--answers".to_owned()];
        for (at, file) in files.iter().enumerate() {
            let name = format!("reason-{at}.slu");
            self.stage.carry(desk, file, provider, &name)?;
            given.push(name);
        }
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        self.matched(provider, &given).map(drop)
    }

    /// What a person decides on a hit, having read the reason.
    fn decide(&self, provider: &Actor, hit: &Value) -> Result<Finding> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (id, customer) = (text(&hit["id"]), text(&hit["customer"]["id"]));
        let planted = self.world.planted.iter().find(|planted| planted.customer == customer);
        let (what, why) = match planted.map(|planted| planted.like) {
            Some(Like::Namesake) => ("somebody-else", "an honest business of that name, known to us for years"),
            // A domain name may have been sold: somebody finds out first.
            Some(Like::Domain) => ("pending", "we asked since when the domain name is theirs"),
            Some(Like::Typo) => ("quarantined", "no answer to our questions about who they are"),
            Some(_) => ("terminated", "the reason stands, and so do our own findings"),
            None => ("somebody-else", "not whom the entry is of"),
        };
        self.run(provider, &["watchlist", "decide", &id, what, "--dir", "provider", "--by", "Noor", "--why", why])?;
        Ok(Finding {
            provider: provider.name.clone(),
            customer,
            met: met(hit),
            sureness: text(&hit["sureness"]),
            decided: what.to_owned(),
            planted: planted.is_some(),
            hit: id,
        })
    }

    /// An entry is contested, another withdrawn; then everybody looks again without asking anybody.
    fn change(&mut self, story: &mut Story) -> Result<()> {
        let Cast { police, desk, .. } = self.cast;
        // The party behind the namesake's entry contests; the desk suspends it at once, also when the police are away.
        let contested = self.entry_of(NAMESAKE)?;
        self.run(desk, &["watchlist", "suspend", &contested, "--dir", "desk", "--fact", "the brand was sold in March"])?;
        self.now = Time(self.now.0 + HOUR);
        let suspension = self.stage.file(desk, "desk/outbox", "desk-E")?;
        self.stage.carry(desk, &suspension, police, "suspension.slu")?;
        self.run(police, &["watchlist", "take", "suspension.slu", "--dir", "list"])?;
        // And the police withdraw one that somebody has a hit on.
        let found = |planted: &&Planted| story.found.iter().any(|finding| finding.customer == planted.customer);
        let planted = self.world.planted.iter().filter(found).find(|planted| planted.entry != NAMESAKE);
        let withdrawn = self.entry_of(planted.map_or(0, |planted| planted.entry))?;
        let why = "the domain name has another owner";
        self.run(police, &["watchlist", "withdraw", &withdrawn, "--reason", why, "--dir", "list", "--officer", "officer.key"])?;
        let delta = self.publish()?;
        self.now = Time(self.now.0 + DAY);
        let reports = each(self.cast, |_, provider| {
            self.stage.carry(desk, &suspension, provider, "delta-1.slu")?;
            self.stage.carry(police, &delta, provider, "delta-2.slu")?;
            self.report(provider, &["--list", "delta-1.slu", "delta-2.slu"])
        })?;
        for hit in reports.iter().flat_map(hits) {
            match hit["entry"]["status"].as_str() {
                Some("suspended") => story.suspended += 1,
                Some("withdrawn") => story.withdrawn += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// The number of a listed party's entry.
    fn entry_of(&self, listed: usize) -> Result<String> {
        let site = &self.world.listed[listed].site;
        let said = self.run(&self.cast.desk, &["watchlist", "desk", "entries", site, "--dir", "desk", "--lang", "en"])?;
        said.split_whitespace().next().map(str::to_owned).context("the desk does not know that entry")
    }
}

/// What the demo's providers may ask: their tables have a name, a domain name and half of them a number.
fn plans(customers: usize) -> Vec<String> {
    let group = |name: &str, hundredths: usize| {
        let need = customers * hundredths / 100;
        let batch = if need >= 8_192 { 4_096 } else { 64 };
        format!("{name}={batch},{},1,week", need.div_ceil(batch).max(1))
    };
    vec![
        group("registries", 52),
        group("contacts", 205),
        group("names", 205),
        group("variants", 40),
        "composites=64,0,1,week".to_owned(),
        "networks=64,0,1,week".to_owned(),
    ]
}

/// What agrees: the family of a name's token, else the class.
fn met(hit: &Value) -> String {
    let text = |name: &str| hit["met"][0][name].as_str().filter(|text| !text.is_empty());
    text("family").or(text("class")).unwrap_or_default().to_owned()
}

/// The hits of a report.
fn hits(report: &Value) -> impl Iterator<Item = &Value> {
    report["hits"].as_array().into_iter().flatten()
}

/// The identifier of an entry in a line of `review --json`.
fn entry(line: &str) -> Option<String> {
    Some(serde_json::from_str::<Value>(line).ok()?.get("id")?.as_str()?.to_owned())
}
