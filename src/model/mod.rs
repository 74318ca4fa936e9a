//! Plain types that every floor shares. No input or output, no vendor's JSON.

pub mod asset;
pub mod check;
pub mod count;
pub mod date;
pub mod field;
pub mod freeze;
pub mod id;
pub mod link;
pub mod liongard;
pub mod marker;
pub mod marketplace;
pub mod money;
pub mod packed;
pub mod pile;
pub mod problem;
pub mod record;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod text;

pub use count::Count;
pub use date::{Date, Moment};
pub use field::{Field, FieldName, Fields, Label, Value};
pub use freeze::Freeze;
pub use id::{Entity, Integration, JobId, Place, PlanId, SourceId, TargetId};
pub use link::{ChosenSite, Decided, Decision, How, KeyValues, Link, Refusal, Slot};
pub use marker::Installation;
pub use money::{Amount, Currency};
pub use packed::Packed;
pub use pile::{Laid, PackedList, Stack};
pub use problem::{Class, Problem};
pub use record::{Address, Found, MatchKeys, Verdict, Wanted};
pub use schedule::{Occurrence, OccurrenceId, Timing};
pub use secret::Secret;
