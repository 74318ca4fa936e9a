//! (see `docs/architecture.md`)
