//! What a provider and a list holder say to each other: being enrolled, batches of blinded elements, their evaluations, receipts, errors.
//!
//! These are the bodies of [`crate::envelope::Envelope`]s; who says it, to whom, under which list, epoch and manifest, and until when, stands
//! in the header and is signed with them. [`eval`] has the batches, [`enrol`] the enrolment, [`plan`] how many batches of which size a
//! provider sends, which is all that a list holder may see of its customer base (M6).

pub mod enrol;
pub mod eval;
pub mod plan;

pub use enrol::{Enrolment, EnrolmentRequest, Leaving};
pub use eval::{Code, EvalError, EvalRequest, EvalResponse, Receipt};
pub use plan::{Cadence, GroupPlan, Plan};
