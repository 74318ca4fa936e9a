//! The engine's home: commands, queries and events behind one [`Handle`].

pub mod handle;
pub mod local;
pub use crate::engine::desk::Call;
pub use crate::engine::words;

pub use handle::Handle;
pub use local::{Home, Options};
