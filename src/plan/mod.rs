//! Pure planning: two listings, the links between them and the rules go in; a plan comes out.
//! Same input, same bytes. No clock, no input or output.

mod absence;
mod assets;
pub mod change;
pub mod cost;
mod customers;
mod diff;
pub mod hash;
mod limits;
mod lines;
mod merge;
mod money;
pub mod outline;
mod owner;
mod push;
mod quarantine;
pub mod rows;
mod shape;
mod shared;
pub mod snapshot;
mod undo;
mod urls;

pub use absence::{absent, absent_customers};
pub use assets::{new_field, type_gains};
pub use change::{Action, Candidate, Cause, Change, FieldChange, Hold, Mark, Reasons, Side};
pub use cost::cost;
pub use diff::{equals, holds};
pub use hash::{Seal, hash};
pub use limits::{is_other_account, scope};
pub use merge::{Planned, build};
pub use money::monthly;
pub use outline::{Cost, Limit, MoneyDelta, Outline, Plan, Purpose, Totals, Valve};
pub use rows::{Row, Rows};
pub use shape::{Answered, Shape};
pub use snapshot::{
    Absence, Completeness, KindOfRecord, Kinds, Last, Lines, LookAlike, Mappings, Only, Parking, Policy,
    Reading, Removal, Rules, Scope, Snapshot, TopLevel, Wins,
};
pub use undo::{Image, Linked, undo};
