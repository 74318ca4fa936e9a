//! Settings as people and files spell them: one [`table`] of every setting, which the forms, `config get` and `set`,
//! import and export all read. The typed settings themselves are in [`crate::model::settings`].

pub mod clean;
mod document;
mod edit;
mod kind;
mod lifecycle;
mod node;
mod table;

pub use document::{Format, Import, export, import};
pub use edit::{Change, Values, enter, get, reset, secret_source, set, set_secret_source};
pub use kind::{Kind, inline, mappings, quoted, words};
pub use table::{Section, Setting, Tab, all, find, markdown};
