//! Mailboxes on servers: what lay there before this node first looked is told from what came after.

use store::mailboxes::Met;

use crate::{Desk, Error};

impl Desk {
    /// Notes that a mailbox of an account of the settings is looked into, with the UIDVALIDITY and the UIDNEXT that the server
    /// says (RFC 3501, 2.3.1.1), and tells from which mail on it is new to this node.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn meet_mailbox(&self, account: &str, folder: &str, validity: u32, next: u32) -> Result<Met, Error> {
        let now = self.now();
        Ok(self.store.write("mailbox", |transaction| transaction.meet_mailbox(account, folder, validity, next, now))?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use model::time::Time;

    use super::*;
    use crate::{Clock, Reading};

    struct Ticking(AtomicI64);

    impl Clock for Ticking {
        fn now(&self) -> Time {
            Time(1_795_319_938_000 + self.0.fetch_add(1000, Ordering::Relaxed))
        }
    }

    #[test]
    fn the_first_look_is_remembered_and_its_number_follows_the_server() {
        let folder = std::env::temp_dir().join(format!("sluis-mailboxes-{}", std::process::id()));
        let clock = Arc::new(Ticking(AtomicI64::new(0)));
        let desk = Desk::open(&folder, clock, Reading::default()).unwrap();
        let meet = |account: &str, folder: &str, validity, next| desk.meet_mailbox(account, folder, validity, next).unwrap();
        let first = meet("desk", "INBOX", 7, 100);
        assert_eq!((first.first_uid, first.renumbered), (100, false));
        for (name, met, expected) in [
            ("the same again, with more mail", meet("desk", "INBOX", 7, 250), (100, false)),
            ("numbered anew", meet("desk", "INBOX", 8, 3), (3, true)),
            ("and that stays", meet("desk", "INBOX", 8, 9), (3, true)),
            ("the largest numbers", meet("desk", "INBOX", u32::MAX, u32::MAX), (u32::MAX, true)),
        ] {
            assert_eq!((met.first_uid, met.renumbered), expected, "{name}");
            assert_eq!(met.since, first.since, "{name}");
        }
        assert!(meet("desk", "Other", 8, 3).since > first.since, "another folder is met later");
        assert!(meet("other", "INBOX", 8, 3).since > first.since, "so is another account");
        let _ = std::fs::remove_dir_all(&folder);
    }
}
