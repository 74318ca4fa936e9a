//! Whole imports through the real engine, against the simulated vendors, on a clock of the test's own.

mod imports;
mod rig;
