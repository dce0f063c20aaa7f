//! A list in a directory of its own, with two officers, a desk and a log.

use std::path::PathBuf;

use crate::{
    chance::system,
    holder::{Begin, Holder, LogAt, form::Form, state::Settings},
    keys::{Identity, Role, hex},
};

/// 22 November 2026, noon in UTC.
pub(super) const NOW: i64 = 1_795_348_800_000;

/// A directory that is gone afterwards.
pub(super) struct Dir(pub(super) PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) struct World {
    pub(super) dir: Dir,
    pub(super) officers: Vec<Identity>,
    pub(super) desk: Identity,
    pub(super) log: LogAt,
    pub(super) holder: Option<Holder>,
    pub(super) now: i64,
}

impl World {
    pub(super) fn new(name: &str) -> World {
        // Hundreds of writes that wait for a disk tell nothing more than those that wait for memory.
        let memory = PathBuf::from("/dev/shm");
        let temporary = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let dir = temporary.join(format!("sluis-holder-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("keys")).unwrap();
        let mut rng = system();
        let officers: Vec<Identity> = (1..=3).map(|n| Identity::draw(Role::Officer, &format!("Officer {n}"), &mut rng)).collect();
        let evaluator = Identity::draw(Role::Evaluator, "Evaluator", &mut rng);
        let desk = Identity::draw(Role::Desk, "Desk", &mut rng);
        let log = LogAt { key: Identity::draw(Role::Log, "Log", &mut rng), beside: dir.join("keys") };
        let pinned = [officers[0].public.clone(), officers[1].public.clone()];
        let begin = Begin {
            name: "resellers",
            holder: "Police of Example",
            officers: &pinned,
            evaluator: &evaluator.public,
            desk: &desk.public,
            origin: "list.example/resellers",
            settings: Settings {
                contest: "https://desk.example/contest".into(),
                protocol: "https://police.example/protocol-2".into(),
                days: 90,
                edit_side: "both".into(),
                customers: 1_000,
                guesses: [("registries".to_owned(), 600)].into(),
            },
        };
        let holder = Holder::create(&dir.join("list"), &begin, &log, &mut rng).unwrap();
        World { dir: Dir(dir), officers, desk, log, holder: Some(holder), now: NOW }
    }

    /// The directory, opened anew each time: nothing lives in memory alone.
    pub(super) fn holder(&mut self) -> &mut Holder {
        self.holder = None;
        self.holder.insert(Holder::open(&self.dir.0.join("list")).unwrap())
    }

    /// Two officers, and one who is none of this list's.
    pub(super) fn three(&self) -> [Identity; 3] {
        [self.officers[0].clone(), self.officers[1].clone(), self.officers[2].clone()]
    }

    pub(super) fn listed(&mut self, name: &str, kvk: &str) -> [u8; 16] {
        self.listed_as(form(name, kvk))
    }

    /// Written by one officer and accepted by the other.
    pub(super) fn listed_as(&mut self, form: Form) -> [u8; 16] {
        let ([first, second, _], now) = (self.three(), self.now);
        let (id, _) = self.holder().add(form, &first, now, &mut system()).unwrap();
        self.holder().accept(&hex(&id), &second, now).unwrap();
        id
    }

    /// The file of a publication that both officers signed.
    pub(super) fn published(&mut self, new_epoch: bool) -> String {
        let ([first, second, _], log, now) = (self.three(), self.log.clone(), self.now);
        self.holder().publish(&first, &log, new_epoch, None, now, &mut system()).unwrap();
        self.holder().sign(&second, &log, now, &mut system()).unwrap().file
    }
}

/// An entry with all that it needs.
pub(super) fn form(name: &str, kvk: &str) -> Form {
    Form {
        names: vec![name.into()],
        country: "NL".into(),
        cities: vec!["Utrecht".into()],
        identifiers: [("kvk".to_owned(), vec![kvk.to_owned()])].into(),
        category: "bulletproof hosting".into(),
        reason_nl: "Biedt op fora hosting aan die niet op klachten reageert.".into(),
        reason_en: "Offers hosting on forums that answers no complaints.".into(),
        source: "CASE-2026-17".into(),
        legal_basis: "Wpg 19".into(),
        criterion: "C2".into(),
        protocol: "protocol 2, 2026".into(),
        review_by: "2027-06-30".into(),
        officer_role: "team cybercrime".into(),
        contact: "list@police.example".into(),
        contest_url: "https://desk.example/contest".into(),
        ..Form::default()
    }
}
