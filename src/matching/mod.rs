//! Pure name and key matching, and the mapping table as a file.

pub mod mapping_csv;
