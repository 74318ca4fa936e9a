//! The store, its crashes, and the settings.

mod documents;
mod index;
mod lock;
mod trail;
mod vault;
