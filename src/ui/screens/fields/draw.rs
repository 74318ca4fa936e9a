//! The pane of field mappings on the screen.

use ratatui::layout::Rect;

use super::{Fields, State};
use crate::integrations::Rule;
use crate::integrations::field_sample::{FieldLine, Fit, LineOf};
use crate::model::{Entity, Integration};
use crate::ui::canvas::Canvas;
use crate::ui::layout::list_and_details;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{self, Column, Row, cell};

/// Whether a person should look at a line.
pub fn has_trouble(line: &FieldLine) -> bool {
    line.trouble.is_some()
        || line.fit.as_ref().is_some_and(|fit| fit.unfit > 0 && line.of != LineOf::AssetType)
}

/// The pane in a line.
pub fn sum(lines: &[FieldLine]) -> String {
    let count = |is: fn(&FieldLine) -> bool| lines.iter().filter(|line| is(line)).count();
    let mapped = count(|line| matches!(line.of, LineOf::Row(_)));
    let open = count(|line| line.of == LineOf::Open);
    let bad = count(has_trouble);
    let of = |of: LineOf| lines.iter().find(|line| line.of == of).map_or("-", |line| &*line.rule.source);
    let bad = if bad > 0 { format!("   ! {bad}") } else { String::new() };
    let (pair, kind) = (of(LineOf::Matching), of(LineOf::AssetType));
    format!("{mapped} mapped, {open} not{bad}   match on: {pair}   asset type: {kind}")
}

/// Why a line is as it is.
pub fn why(line: &FieldLine) -> String {
    line.trouble.clone().unwrap_or_else(|| {
        let unfit = line.fit.as_ref().filter(|fit| fit.unfit > 0).map(|fit| fit.why.clone());
        unfit.unwrap_or_else(|| line.rule.note.clone())
    })
}

/// How many records fit, in words.
pub fn tried(fit: &Fit) -> String {
    let mut text = format!("tried on {} records: {} fit", fit.of, fit.fits);
    if fit.blank > 0 {
        text.push_str(&format!(", {} blank (left alone)", fit.blank));
    }
    if fit.unfit > 0 {
        text.push_str(&format!(", {} do not fit", fit.unfit));
    }
    text
}

/// Values that do not fit, with the records they are of.
pub fn misfits(fit: &Fit) -> String {
    let one = |(record, value): &(String, String)| format!("{record}  {value}");
    fit.misfits.iter().map(one).collect::<Vec<_>>().join("   ")
}

fn written(line: &FieldLine) -> (&'static str, Role) {
    match line.of {
        LineOf::Matching if line.rule.rule == Rule::Off => ("id alone", Role::Dim),
        LineOf::Matching => ("match on", Role::Accent),
        LineOf::AssetType => ("asset type", Role::Accent),
        LineOf::Open => ("-", Role::Dim),
        LineOf::Ignored => ("ignored", Role::Dim),
        LineOf::Row(_) if line.row.as_ref().is_some_and(|row| row.fill_blank) => ("fill blank", Role::Text),
        LineOf::Row(_) => ("source", Role::Good),
        LineOf::Rule => match line.rule.rule {
            Rule::Source => ("always", Role::Good),
            Rule::AtCreation => ("at creation", Role::Text),
            Rule::Off => ("never", Role::Dim),
        },
    }
}

impl Fields {
    pub(super) fn paint(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            let text = match &self.trouble {
                Some(problem) => problem.to_string(),
                None if !self.is_known => "Reading ...".into(),
                None if !self.text.is_empty() || self.state.is_some() => {
                    "No field matches. Esc shows all.".into()
                }
                None => "No field is mapped. + adds a row.".into(),
            };
            return table::empty(canvas, regions.list, &text);
        }
        if self.is_editable() {
            self.own_rows(canvas, regions.list);
        } else {
            self.rules(canvas, regions.list);
        }
        self.details(canvas, regions.details);
    }

    fn own_rows(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let columns = [
            Column::fixed("", 1),
            Column::growing("Liongard field", 14),
            Column::growing("Halo field", 12),
            Column::fixed("kind", 6).goes(2),
            Column::fixed("written", 11).goes(3),
            Column::fixed("have it", 8).right().goes(4),
            Column::growing("sample", 10).goes(1),
        ];
        let visible = self.list.visible(area.height.saturating_sub(1).into());
        let plain = canvas.look.plain;
        table::draw(canvas, area, &columns, visible, Some(self.list.position()), |index| {
            let line = self.table.lines.get(*self.list.ids().get(index)?)?;
            let (sign, word, sign_role) = match line.of {
                LineOf::Rule => (" ", "", Role::Dim),
                _ if has_trouble(line) => ("!", "trouble", Role::Bad),
                LineOf::Open => ("?", "open", Role::Notice),
                LineOf::Ignored => ("x", "ignored", Role::Dim),
                _ if line.is_new => ("+", "new", Role::New),
                _ => ("=", "mapped", Role::Good),
            };
            let (rule, role) = written(line);
            let target = match line.of {
                LineOf::Row(_) if line.is_new => format!("{} (create)", line.rule.target),
                _ => line.rule.target.to_string(),
            };
            let target_role = match (line.trouble.is_some(), line.is_new) {
                (true, _) => Role::Bad,
                (false, true) => Role::New,
                (false, false) => Role::Text,
            };
            let have = line.fit.as_ref().map(|fit| format!("{}/{}", fit.fits + fit.unfit, fit.of));
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(if plain { word } else { sign }, sign_role),
                    cell(&*line.rule.source, Role::Text),
                    cell(target, target_role),
                    cell(&*line.rule.kind, Role::Dim),
                    cell(rule, role),
                    cell(have.unwrap_or_default(), Role::Dim),
                    cell(line.sample.as_str(), Role::Dim),
                ],
            })
        });
    }

    fn rules(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let source = match self.integration {
            Integration::Also => "ALSO field",
            Integration::Westcoast => "Westcoast field",
            Integration::Hudu => "Halo field",
            Integration::Lifecycle => "workspace",
            Integration::Liongard => "Liongard field",
        };
        let target = if self.integration == Integration::Hudu { "Hudu field" } else { "Halo field" };
        let columns = [
            Column::fixed("of", 13).goes(1),
            Column::growing(source, 13),
            Column::growing(target, 10),
            Column::fixed("kind", 8).goes(2),
            Column::fixed("written", 11),
        ];
        let visible = self.list.visible(area.height.saturating_sub(1).into());
        table::draw(canvas, area, &columns, visible, Some(self.list.position()), |index| {
            let line = |index: usize| self.table.lines.get(*self.list.ids().get(index)?);
            let (this, before) = (line(index)?, index.checked_sub(1).and_then(line));
            let rule = &this.rule;
            // The entity once, at the head of its rows.
            let again = before.is_some_and(|other| other.rule.entity == rule.entity);
            let entity = if again { "" } else { rule.entity.key() };
            let (written, role) = written(this);
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(entity, Role::Dim),
                    cell(&*rule.source, Role::Text),
                    cell(&*rule.target, Role::Text),
                    cell(&*rule.kind, Role::Dim),
                    cell(written, role),
                ],
            })
        });
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(line) = self.selected().filter(|_| area.height > 1) else { return };
        canvas.rule(Rect { height: 1, ..area }, &format!("{} -> {}", line.rule.source, line.rule.target));
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let facts = if self.is_editable() { self.own_facts(canvas, line) } else { self.facts(line) };
        let skip = usize::from(self.scroll).min(facts.len().saturating_sub(1));
        table::facts(canvas, body, &facts[skip..]);
    }

    fn own_facts(&self, canvas: &Canvas<'_>, line: &FieldLine) -> Vec<(&'static str, String, Role)> {
        let mut facts = Vec::new();
        if let Some(trouble) = &line.trouble {
            facts.push(("trouble", trouble.clone(), Role::Bad));
        }
        match &line.fit {
            Some(fit) => {
                let role = if fit.unfit > 0 { Role::Notice } else { Role::Text };
                facts.push(("sample", tried(fit), role));
                if fit.unfit > 0 {
                    facts.push(("", misfits(fit), Role::Bad));
                    facts.push((
                        "",
                        "such values are left out; the job's log names the rows".into(),
                        Role::Dim,
                    ));
                }
            }
            None if !line.sample.is_empty() => facts.push(("sample", line.sample.clone(), Role::Text)),
            None => {}
        }
        let row = line.row.as_ref();
        match line.of {
            LineOf::Row(_) if row.is_some_and(|row| row.fill_blank) => {
                facts.push(("written", "only where Halo has nothing".into(), Role::Text));
            }
            LineOf::Row(_) => {
                facts.push(("written", "at every import; blank never clears Halo's".into(), Role::Text));
            }
            LineOf::Open => {
                facts.push((
                    "open",
                    "m picks a field of Halo, n creates one, t tests a record, x ignores it".into(),
                    Role::Notice,
                ));
            }
            LineOf::Ignored => {
                facts.push(("ignored", "x offers it again; m maps it all the same".into(), Role::Dim));
            }
            _ => {}
        }
        if line.is_new {
            let kind = format!(
                "the next import makes it: a {} field, given to the types that use it",
                line.rule.kind
            );
            facts.push(("new", kind, Role::New));
        }
        if !line.rule.note.is_empty() && !matches!(line.of, LineOf::Open | LineOf::Ignored) {
            facts.push(("means", line.rule.note.clone(), Role::Dim));
        }
        match (self.table.read_at, &self.table.trouble) {
            (_, Some(trouble)) => {
                facts.push(("records", format!("{trouble} Ctrl-R tries again."), Role::Bad));
            }
            (Some(at), None) => {
                let (records, assets) = (self.table.records, self.table.assets);
                let read =
                    format!("{records} and {assets} assets read {}; Ctrl-R reads again", canvas.when(at));
                facts.push(("records", read, Role::Dim));
            }
            (None, None) => facts.push((
                "records",
                "none were read yet, so nothing is known of values; Ctrl-R reads them, and writes nothing"
                    .into(),
                Role::Notice,
            )),
        }
        facts.push((
            "values",
            "of metrics, device profiles and systems; attributes also of inspections, where max_inspections is set; what else those tell needs a metric in Liongard"
                .into(),
            Role::Dim,
        ));
        facts.extend(self.table.notes.iter().map(|note| ("note", note.clone(), Role::Notice)));
        facts
    }

    fn facts(&self, line: &FieldLine) -> Vec<(&'static str, String, Role)> {
        let rule = &line.rule;
        let of = match rule.entity {
            Entity::Customers => "a customer",
            Entity::Subscriptions => "a subscription, which is a licence in Halo",
            Entity::Companies => "a customer of Halo, which is a company in Hudu",
            Entity::Sites => "a site, which is an asset in Hudu",
            Entity::Users => "a user, which is an asset in Hudu",
            Entity::Contracts => "a contract, which is an asset in Hudu",
            Entity::Assets if self.integration == Integration::Hudu => {
                "an asset of Halo's, which is one in Hudu"
            }
            other => other.singular(),
        };
        let (enter, role) = match &rule.editable_setting {
            Some(setting) => {
                (format!("goes to the setting {}.{setting}", self.integration.key()), Role::Accent)
            }
            None => ("nothing: fixed by the vendor's rules".into(), Role::Dim),
        };
        let written = match rule.rule {
            Rule::Source => "at every import: Halo follows the source",
            Rule::AtCreation => "once, with a new record",
            Rule::Off => "never",
        };
        vec![
            ("means", rule.note.clone(), Role::Text),
            ("written", written.into(), Role::Text),
            ("of", of.into(), Role::Dim),
            ("Enter", enter, role),
        ]
    }
}

impl State {
    /// What is shown, in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Open => "open",
            Self::Ignored => "ignored",
            Self::Trouble => "trouble",
        }
    }
}
