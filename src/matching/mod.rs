//! Matching of customers by name and by stronger keys, and the mapping table as a file. Pure; what it finds is a
//! proposal or an exact pair, never a guess.

pub mod by_name;
pub mod exact;
pub mod field_csv;
pub mod keys;
pub mod legal;
pub mod likeness;
pub mod mapping_csv;
pub mod mapping_xlsx;
pub mod name;
pub mod placeholder;
pub mod suggest;

pub use exact::{Generated, Left, generate};
pub use name::{exact_form, normal_form};
pub use placeholder::matching_form;
