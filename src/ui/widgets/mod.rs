//! Pieces used by several screens; they know none of them.

pub mod diff;
pub mod form;
pub mod hints;
pub mod log;
pub mod prompt;
pub mod strip;
pub mod table;
pub mod text_field;
