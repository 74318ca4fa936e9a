//! The host process: what crosses its socket, who may come, and that no viewer matters to a job.

mod import;
mod line;
mod protocol;
mod rig;
mod slow;
