//! What says whether a stored row has something to do, and where: read without the rest of it. A plan is gone through
//! several times for one job, and to make all of a row costs several times as much.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::book::Piece;
use crate::model::{Entity, Problem, SourceId};
use crate::plan::{Action, Change, Hold};

/// A row of a plan, as far as that.
#[derive(Debug, Deserialize)]
pub struct Glance {
    pub row: u32,
    pub entity: Entity,
    pub action: Action,
    source: Id,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    pub hold: Option<Box<Hold>>,
    /// Whether there are owned values.
    #[serde(default)]
    owned: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Id {
    id: SourceId,
}

impl Glance {
    pub fn source(&self) -> &SourceId {
        &self.source.id
    }

    /// The source's customer that it belongs to; itself, where it is one.
    pub fn customer(&self) -> &SourceId {
        self.customer.as_ref().map_or(&self.source.id, |customer| &customer.id)
    }

    /// Whether it is right already, and what the source says is to become the base of the next comparison.
    pub fn confirms(&self) -> bool {
        self.action == Action::Unchanged && self.owned.is_some()
    }
}

/// The whole row of a glance, made when the first of its piece is asked for.
pub struct Whole<'a> {
    piece: &'a Piece,
    rows: Option<Vec<Change>>,
}

impl<'a> Whole<'a> {
    pub fn of(piece: &'a Piece) -> Self {
        Self { piece, rows: None }
    }

    /// # Errors
    /// Where the piece is damaged.
    pub fn row(&mut self, row: u32) -> Result<Option<&Change>, Problem> {
        if self.rows.is_none() {
            self.rows = Some(self.piece.rows()?);
        }
        Ok(self.rows.iter().flatten().find(|change| change.row == row))
    }
}
