//! The desk and the list holder at work on the same day, neither knowing of the other: nothing that the desk suspended may become live by it,
//! and nobody may be left without a list.

use matching::envelope::{Envelope, Header, Kind};

use super::*;

const WATERHOEN: &str = "Waterhoen Hosting";
const ZILVERMEEUW: &str = "Netwerken Zilvermeeuw";

impl World {
    fn entry(&self, name: &str) -> [u8; 16] {
        self.desk.entries(self.now).unwrap().into_iter().find(|one| one.entry.names[0] == name).unwrap().entry.id
    }

    fn suspended(&mut self, name: &str, fact: &str) -> Result<Vec<u8>> {
        let entry = self.entry(name);
        let file = self.desk.suspend(&entry, fact, self.now, &mut self.chance)?;
        Ok(std::fs::read(file).unwrap())
    }
}

#[test]
fn a_provider_that_heard_the_desk_first_takes_the_list_holder_in_as_well() {
    let mut world = World::new("branch-first");
    world.matched();
    world.now += DAY;
    let desk = [world.suspended(WATERHOEN, "changed owner").unwrap(), world.suspended(ZILVERMEEUW, "moved").unwrap()];
    let report = world.round(CSV, desk.to_vec(), Vec::new());
    assert_eq!((report.list.delta, of(&report, "K-1").entry.status), (2, Status::Suspended));
    let change = world.change();
    let report = world.round(CSV, vec![change], Vec::new());
    assert_eq!(report.list.delta, 1, "what stands in the log goes before");
    for customer in ["K-1", "K-2"] {
        assert_eq!(of(&report, customer).entry.status, Status::Suspended, "{customer}");
    }
    // From then on it goes on as always, and the branch is still heard.
    world.now += DAY;
    let change = world.change();
    let report = world.round(CSV, vec![change], Vec::new());
    assert_eq!((report.list.delta, of(&report, "K-1").entry.status), (2, Status::Suspended));
}

#[test]
fn a_change_that_is_left_out_afterwards_is_missed() {
    let mut world = World::new("branch-missing");
    world.matched();
    world.now += DAY;
    let desk = world.suspended(WATERHOEN, "changed owner").unwrap();
    world.round(CSV, vec![desk.clone()], Vec::new());
    let folder = world.provider.folder("list").unwrap();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if std::fs::read(entry.path()).unwrap() == desk {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    world.now += DAY;
    let changes = [world.change(), world.change()];
    let said = world.try_round(CSV, changes.to_vec(), Vec::new()).unwrap_err().to_string();
    assert!(said.contains("two changes"), "{said}");
}

#[test]
fn a_suspension_that_was_lost_can_be_made_again_and_one_that_was_lifted_cannot() {
    let mut world = World::new("branch-again");
    world.matched();
    world.now += DAY;
    let lost = world.suspended(WATERHOEN, "changed owner").unwrap();
    let change = world.change();
    let said = world.holder.take_desk(&lost, world.now).unwrap_err().to_string();
    assert!(said.contains("suspends again"), "{said}");
    let for_desk = world.newest_for_desk();
    world.desk.take(&[change, for_desk], &[], world.now).unwrap();
    world.now += DAY;
    let again = world.suspended(WATERHOEN, "changed owner").unwrap();
    world.holder.take_desk(&again, world.now).unwrap();
    world.now += DAY;
    let id = hex(&world.entry(WATERHOEN));
    world.holder.lift(&id, &world.officers[0]).unwrap();
    let change = world.change();
    let for_desk = world.newest_for_desk();
    world.desk.take(&[change, for_desk], &[], world.now).unwrap();
    world.now += DAY;
    let said = world.suspended(WATERHOEN, "changed owner").unwrap_err().to_string();
    assert!(said.contains("contested before"), "{said}");
}

#[test]
fn a_file_for_the_desk_that_nobody_signed_does_not_stop_it() {
    let mut world = World::new("branch-garbage");
    world.now += DAY;
    let good = Envelope::read_all(&world.newest_for_desk(), 1).unwrap().remove(0);
    let header = Header { kind: Kind::DeskList, seq: u64::MAX, ..good.header };
    let garbage = Envelope::new(header, vec![7; 100]).encode();
    world.desk.take(&[garbage], &[], world.now).unwrap();
    assert_eq!(world.desk.entries(world.now).unwrap().len(), 3);
    assert!(world.suspended(WATERHOEN, "changed owner").is_ok());
}

/// Whoever knows the list and sees a parcel go by could otherwise tell by its length which entry a provider has a hit on.
#[test]
fn questions_and_answers_have_one_length_whatever_they_are_about() {
    let mut lengths = std::collections::BTreeSet::new();
    for (number, why) in ["two reports", "x", &"a long story ".repeat(100)].into_iter().enumerate() {
        let mut world = World::new(&format!("length-{number}"));
        let report = world.matched();
        let weak = of(&report, "K-2").id.clone();
        let mut hits = Hits::open(world.provider.dir()).unwrap();
        let asked = ask::ask(&mut world.provider, &mut hits, &[weak], why, world.now, &mut world.chance).unwrap();
        let file = std::fs::read(&asked.file).unwrap();
        let public = world.provider.identity().public.clone();
        world.desk.admit(&public, &public.fingerprint(), world.now).unwrap();
        let questions = world.desk.questions(&file, world.now).unwrap();
        let answer = world.desk.answer(&questions, world.now, &mut world.chance).unwrap();
        lengths.insert((file.len(), std::fs::metadata(&answer[0]).unwrap().len()));
    }
    assert_eq!(lengths.len(), 1, "{lengths:?}");
    assert!(lengths.iter().all(|(_, answer)| *answer > 32 << 10), "{lengths:?}");
}

/// A list holder who shows the desk another list than providers would have it suspend where nobody looks.
#[test]
fn two_manifests_of_one_epoch_are_not_passed_over() {
    let mut world = World::new("branch-fork");
    let good = Envelope::read_all(&world.base(), 4).unwrap();
    let first = good.iter().find(|envelope| envelope.header.kind == Kind::Manifest).unwrap();
    let mut other = Envelope::new(Header { issued: first.header.issued + 1, ..first.header.clone() }, first.body.clone());
    for officer in &world.officers {
        other.sign(&officer.signing);
    }
    let now = world.now + DAY;
    let said = world.desk.take(&[other.encode()], &[], now).unwrap_err().to_string();
    assert!(said.contains("another manifest of this epoch"), "{said}");
    let said = join::pin(&mut world.provider, &other.encode(), &[], now).unwrap_err().to_string();
    assert!(said.contains("another manifest of this epoch"), "{said}");
}
