//! What there is, and what may happen to it.
//!
//! Read in the order in which a report meets the nouns:
//!
//! 1. A [`submission`] arrives: bytes, with the door they came through.
//! 2. It says things about [`resource`]s: each statement is a [`report`] of a [`category::Kind`], with
//!    [`label`]s that say who may see it and what may be done with it.
//! 3. A resource was held by a [`party`] through an [`assignment`]; following those is the [`chain`].
//!    What sources say of parties and assignments is compared with what is known in [`administration`].
//! 4. Reports about one problem meet in one [`case`], whose history is its [`step`]s.
//! 5. What must happen next follows from the operator's [`policy`]: a [`severity`], clocks by the [`calendar`], and what
//!    is to be sent or done, in the [`outbox`].
//!
//! Nothing in this room does I/O, reads a clock, speaks SQL or knows JSON: the same input gives the same
//! answer everywhere, and every test repeats.

pub mod address;
pub mod administration;
pub mod advisory;
pub mod assignment;
pub mod calendar;
pub mod case;
pub mod category;
pub mod chain;
pub mod evidence;
pub mod label;
pub mod outbox;
pub mod party;
pub mod policy;
pub mod report;
pub mod resource;
pub mod sender;
pub mod severity;
pub mod step;
pub mod submission;
pub mod time;
