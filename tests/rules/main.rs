//! The rules of matching, the marketplaces and planning, by the row ids of the mission table.

mod world;

mod assets;
mod customers;
mod field_sample;
mod floors;
mod hudu;
mod lifecycle;
mod limits;
mod liongard;
mod marketplace;
mod matching;
mod matrix;
mod narrow;
mod outline;
mod packed;
mod properties;
mod push;
mod schedule;
mod subscriptions;
mod suggest;
mod undo;
