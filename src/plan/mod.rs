//! Pure planning: two listings, the links between them and the rules go in; a plan comes out.
//! Same input, same bytes. No clock, no input or output.

pub mod change;
pub mod outline;
pub mod snapshot;

pub use change::{Action, Candidate, Cause, Change, FieldChange, Hold, Mark, Side};
pub use outline::{Cost, Limit, MoneyDelta, Outline, Plan, Totals, Valve};
pub use snapshot::{Absence, Mappings, Policy, Snapshot, TopLevel};
