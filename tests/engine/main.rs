//! Whole imports through the real engine, against the simulated vendors, on a clock of the test's own.

mod assets;
mod control;
mod dice;
mod fields;
mod hudu;
mod hudu_back;
mod hudu_rules;
mod imports;
mod invariants;
mod jobs;
mod lifecycle;
mod liongard;
mod lives;
mod logs;
mod matching;
mod narrow;
mod notices;
mod oracle;
mod push;
mod retention;
mod rig;
mod rows;
mod safety;
mod schedules;
mod secrets;
mod sites;
