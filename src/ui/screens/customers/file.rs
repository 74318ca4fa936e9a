//! The table as a file: CSV, or a spreadsheet where the name ends in .xlsx (P19).

use std::path::{Path, PathBuf};

use super::row::csv_row;
use crate::host::words::MapRow;
use crate::matching::{mapping_csv, mapping_xlsx};
use crate::ui::message::Effect;
use crate::ui::screens::Pane;
use crate::ui::theme::Role;
use crate::ui::turn::Step;

/// What `:import FILE` does.
pub fn import_steps(path: &str) -> Vec<Step> {
    let path = path.trim();
    if is_table(Path::new(path)) {
        return vec![Step::Do(Effect::Read(Pane::Customers, path.into()))];
    }
    let said =
        format!("Mappings are read from a .csv or .xlsx file, such as mappings.csv; '{path}' is neither.");
    vec![Step::Say(said, Role::Bad)]
}

/// What an export to this file does.
pub(super) fn export_step(path: PathBuf, rows: &[MapRow]) -> Step {
    let rows: Vec<_> = rows.iter().map(csv_row).collect();
    let bytes = if mapping_xlsx::is_xlsx(&path) {
        mapping_xlsx::write(&rows)
    } else {
        Ok(mapping_csv::write(&rows).into())
    };
    match bytes {
        Ok(bytes) => Step::Do(Effect::Write { path, bytes }),
        Err(why) => Step::Say(format!("{}: {why}.", path.display()), Role::Bad),
    }
}

pub(super) fn is_table(path: &Path) -> bool {
    mapping_xlsx::is_xlsx(path) || path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("csv"))
}
