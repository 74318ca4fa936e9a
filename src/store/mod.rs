//! What survives: the audit trail (facts), the index (working state that can be rebuilt), sealed secrets, and the
//! lock that keeps a second process out.

pub mod backup;
pub(crate) mod files;
mod hex;
pub mod index;
pub mod lock;
mod places;
pub mod seal;
pub mod secret_source;
pub mod trail;

pub use index::{Changes, Index, MemoryIndex, Op, SledIndex};
pub use lock::Lock;
pub use places::Places;
pub use seal::{KeySource, Vault};
pub use trail::{Entry, Record, Seq, Trail};

use crate::model::Problem;

/// The open store of a profile. The fields are dropped in this order: the lock goes last, when nothing is open.
pub struct Store {
    pub trail: Trail,
    pub index: Box<dyn Index>,
    pub vault: Vault,
    pub places: Places,
    pub lock: Lock,
}

/// What was found when the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub trail: trail::Opened,
    pub index: index::Opened,
}

impl Store {
    /// Takes the lock, then opens everything. `command` is what others are told who find it locked.
    ///
    /// # Errors
    /// `Busy` where another process has it; else what cannot be opened, and why.
    pub fn open(places: Places, key: KeySource, command: &str) -> Result<(Self, Opened), Problem> {
        Self::open_with(places, key, command, trail::Options::default())
    }

    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        places: Places,
        key: KeySource,
        command: &str,
        options: trail::Options,
    ) -> Result<(Self, Opened), Problem> {
        let lock = Lock::take(&places.data, command)?;
        let (trail, found) = Trail::open_with(&places.audit(), options)?;
        let vault = Vault::open(&places.secrets(), key)?;
        let (index, index_found) = SledIndex::open(&places.index())?;
        let opened = Opened { trail: found, index: index_found };
        Ok((Self { trail, index: Box::new(index), vault, places, lock }, opened))
    }
}
