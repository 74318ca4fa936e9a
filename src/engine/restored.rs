//! What a restored trail gets added before it takes its place: nobody has approved a plan since the backup was made, so
//! scheduled runs remove nothing until a person has applied a complete one (N16).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::book::Book;
use super::records::Record;
use crate::model::{Integration, Problem};
use crate::store::{MemoryIndex, Trail};

/// Takes back every approval in the trail that lies in this folder.
///
/// # Errors
/// A trail that cannot be opened or written.
pub fn safe_mode(audit: &Path) -> Result<(), Problem> {
    let (trail, _) = Trail::open(audit)?;
    let book = Book::open(trail, Arc::new(MemoryIndex::new()))?;
    let mut records = Vec::new();
    for integration in Integration::ALL {
        if !book.approved(integration)?.is_empty() {
            let last = book.last(integration)?;
            records.push(Record::Seen { integration, last, approved: BTreeSet::new(), missing: Vec::new() });
        }
    }
    if !records.is_empty() {
        book.record_soon(&records)?;
    }
    book.close()
}
