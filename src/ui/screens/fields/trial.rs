//! Test on one record: what an import would write of it, field by field. Reads only.

use ratatui::layout::{Position, Rect};

use super::picker::Half;
use crate::host::words::{Answer, Command, FieldSides, FieldTest, Query, Reply, TestEnd};
use crate::model::Integration;
use crate::ui::action::{Action, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::{Input, Key};
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::hints;
use crate::ui::widgets::table::{self, Column, Row, cell};

#[derive(Debug, Clone)]
pub struct TrialScreen {
    integration: Integration,
    sides: FieldSides,
    is_known: bool,
    /// The record that is looked for.
    record: Half,
    /// The record that was asked for, and has not been answered.
    asked: Option<String>,
    trouble: Option<String>,
    test: Option<FieldTest>,
    rows: List<usize>,
}

struct Parts {
    head: Rect,
    list: Rect,
    details: Rect,
}

fn parts(area: Rect, has_details: bool) -> Parts {
    let details = if has_details && area.height >= 10 { (area.height / 4).max(4) } else { 0 };
    let top = area.y + 2;
    let end = area.bottom().saturating_sub(details);
    Parts {
        head: Rect { height: 2.min(area.height), ..area },
        list: Rect { y: top, height: end.saturating_sub(top), ..area },
        details: Rect { y: end, height: details, ..area },
    }
}

impl TrialScreen {
    pub fn new(integration: Integration) -> Self {
        Self {
            integration,
            sides: FieldSides::default(),
            is_known: false,
            record: Half::default(),
            asked: None,
            trouble: None,
            test: None,
            rows: List::default(),
        }
    }

    fn search(&mut self) {
        let lines = self.sides.machines.iter().map(|(id, name, place)| format!("{name} {place} {id}"));
        let lines: Vec<String> = lines.collect();
        self.record.find(&lines, false);
    }

    fn height(&self, area: Rect) -> usize {
        parts(area, self.test.is_some()).list.height.saturating_sub(1).into()
    }

    fn take(&mut self, turn: &mut Turn<'_>) {
        let selected = self.record.list.selected().and_then(|at| self.sides.machines.get(*at));
        let record = selected
            .map_or_else(|| self.record.field.text().trim().to_owned(), |(id, ..)| id.as_str().to_owned());
        if record.is_empty() {
            return turn.say("Type the name or id of a record.");
        }
        self.send(record, turn);
    }

    fn again(&mut self, turn: &mut Turn<'_>) {
        if let Some(id) = self.test.as_ref().map(|test| test.id.as_str().to_owned()) {
            self.send(id, turn);
        }
    }

    fn send(&mut self, record: String, turn: &mut Turn<'_>) {
        if self.asked.is_some() {
            return turn.say("Still reading; nothing is written.");
        }
        self.trouble = None;
        self.asked = Some(record.clone());
        turn.send(Command::TryFields { integration: self.integration, record });
    }

    fn records(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let parts = parts(area, false);
        let said = match (&self.trouble, &self.asked) {
            (Some(trouble), _) => (trouble.clone(), Role::Bad),
            (None, Some(record)) => {
                (format!("Reading {record} on both sides; nothing is written ..."), Role::Notice)
            }
            (None, None) => ("Choose a record, or type an id: reads only, never writes.".into(), Role::Dim),
        };
        canvas.put(area.x + 1, parts.head.y + 1, area.width.saturating_sub(1), &said.0, said.1);
        if self.record.list.is_empty() {
            let text = match (self.is_known, self.sides.machines.is_empty()) {
                (false, _) => "Reading ...",
                (true, true) => {
                    "No records were read yet: Esc, then Ctrl-R reads them. An id can be typed all the same."
                }
                (true, false) => "No record of the sample fits. Enter tries what is typed as an id.",
            };
            table::empty(canvas, parts.list, text);
        } else {
            let columns = [
                Column::growing("record", 16),
                Column::growing("environment", 14).goes(2),
                Column::fixed("id", 12).goes(1),
            ];
            let visible = self.record.list.visible(parts.list.height.saturating_sub(1).into());
            table::draw(canvas, parts.list, &columns, visible, Some(self.record.list.position()), |index| {
                let (id, name, place) = self.sides.machines.get(*self.record.list.ids().get(index)?)?;
                Some(Row {
                    is_marked: false,
                    cells: vec![
                        cell(name.as_str(), Role::Text),
                        cell(place.as_str(), Role::Dim),
                        cell(id.as_str(), Role::Dim),
                    ],
                })
            });
        }
        canvas.cursor = None;
        let find = parts.head;
        let used = canvas.put(find.x + 1, find.y, find.width, "record > ", Role::Strong) + 1;
        let line = Rect { x: find.x + used, width: find.width.saturating_sub(used + 1), height: 1, ..find };
        self.record.field.draw(canvas, line);
        if canvas.cursor.is_none() {
            canvas.cursor = Some((Position::new(find.x + used, find.y), true));
        }
    }

    fn result(&self, canvas: &mut Canvas<'_>, area: Rect, test: &FieldTest) {
        let parts = parts(area, true);
        let count = |end: TestEnd| test.rows.iter().filter(|row| row.end == end).count();
        let asset = match &test.asset {
            Some(asset) => format!("asset {} {} ({})", asset.id, asset.name, asset.how),
            None => "no asset yet: it would be created".into(),
        };
        let kind = match (&test.asset_type, test.is_new_type) {
            (Some(name), true) => format!("type {name}, made first"),
            (Some(name), false) => format!("type {name}"),
            (None, _) => "no type: it would be held".into(),
        };
        let (x, width) = (area.x + 1, area.width.saturating_sub(1));
        let first = format!("  {}   ", test.parent);
        canvas.line(
            x,
            parts.head.y,
            width,
            &[(&test.name, Role::Strong), (&first, Role::Dim), (&asset, Role::Accent)],
        );
        let ends = [TestEnd::Write, TestEnd::Same, TestEnd::Kept, TestEnd::Blank, TestEnd::Misfit];
        let sums: Vec<String> = ends
            .into_iter()
            .filter(|end| count(*end) > 0)
            .map(|end| format!("{} {}", count(end), end.key()))
            .collect();
        let sums = format!("{kind}   {}   nothing was written", sums.join(", "));
        canvas.put(x, parts.head.y + 1, width, &sums, Role::Text);
        let columns = [
            Column::fixed("", 7),
            Column::growing("Halo field", 12),
            Column::growing("Halo now", 10),
            Column::growing("would be", 10),
            Column::growing("from", 10).goes(1),
        ];
        let visible = self.rows.visible(parts.list.height.saturating_sub(1).into());
        if test.rows.is_empty() {
            table::empty(canvas, parts.list, "No field is mapped.");
        }
        table::draw(canvas, parts.list, &columns, visible, Some(self.rows.position()), |index| {
            let row = test.rows.get(index)?;
            let role = match row.end {
                TestEnd::Write if row.before.is_none() => Role::New,
                TestEnd::Write => Role::Change,
                TestEnd::Misfit => Role::Bad,
                TestEnd::Same | TestEnd::Kept | TestEnd::Blank => Role::Same,
            };
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(row.end.key(), role),
                    cell(row.target.as_str(), Role::Text),
                    cell(text(&row.before), Role::Dim),
                    cell(text(&row.after), role),
                    cell(row.source.as_str(), Role::Dim),
                ],
            })
        });
        self.details(canvas, parts.details, test);
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect, test: &FieldTest) {
        if area.height < 2 {
            return;
        }
        let row = self.rows.selected().and_then(|at| test.rows.get(*at));
        let title = row.map(|row| format!("{} -> {}", row.source, row.target)).unwrap_or_default();
        canvas.rule(Rect { height: 1, ..area }, &title);
        let mut facts: Vec<(&str, String, Role)> = Vec::new();
        if let Some(row) = row {
            let value = match &row.value {
                Some(value) => format!("{value} (from {})", row.told),
                None => "nothing: Halo's value is left as it is".into(),
            };
            facts.push(("Liongard", value, Role::Text));
            if !row.why.is_empty() {
                facts.push(("left out", row.why.clone(), Role::Bad));
            }
        }
        facts.extend(test.notes.iter().map(|note| ("note", note.clone(), Role::Notice)));
        table::facts(canvas, Rect { y: area.y + 1, height: area.height - 1, ..area }, &facts);
    }
}

impl View for TrialScreen {
    fn scope(&self) -> Scope {
        Scope::Picker
    }

    fn name(&self) -> Option<String> {
        Some({
            let of = self.test.as_ref().map(|test| format!(" > {}", test.name)).unwrap_or_default();
            format!("{} > test on one record{of}", self.integration.label())
        })
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        "test on one record".into()
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        turn.ask(Query::FieldSides { integration: self.integration });
    }

    fn is_typing(&self) -> bool {
        true
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        let rows = self.height(turn.area);
        if self.test.is_some() {
            match input {
                Input::Key(Key::Esc | Key::Backspace | Key::Char('q')) => self.test = None,
                Input::Key(Key::Down | Key::Char('j') | Key::Tab) => self.rows.move_by(1),
                Input::Key(Key::Up | Key::Char('k') | Key::BackTab) => self.rows.move_by(-1),
                Input::Key(Key::PageDown) => drop(self.rows.act(Action::PageDown, rows)),
                Input::Key(Key::PageUp) => drop(self.rows.act(Action::PageUp, rows)),
                Input::Key(Key::Enter) => self.again(turn),
                _ => {}
            }
            return;
        }
        match input {
            Input::Key(Key::Esc) => turn.close(),
            Input::Key(Key::Enter) => self.take(turn),
            Input::Key(Key::Down | Key::Tab) => self.record.list.move_by(1),
            Input::Key(Key::Up | Key::BackTab) => self.record.list.move_by(-1),
            Input::Key(Key::PageDown) => drop(self.record.list.act(Action::PageDown, rows)),
            Input::Key(Key::PageUp) => drop(self.record.list.act(Action::PageUp, rows)),
            input => {
                let before = self.record.field.text();
                self.record.field.input(input);
                if self.record.field.text() != before {
                    self.search();
                }
            }
        }
    }

    fn hear(&mut self, news: &News, _turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::FieldSides { integration }, Ok(Answer::FieldSides(sides)))
                if *integration == self.integration =>
            {
                self.sides = (**sides).clone();
                self.is_known = true;
                self.search();
            }
            News::Reply(command, result) => {
                let Command::TryFields { record, .. } = &**command else { return };
                if self.asked.as_ref() != Some(record) {
                    return;
                }
                self.asked = None;
                match result {
                    Ok(Reply::Fields(test)) => {
                        self.rows = List::default();
                        self.rows.replace((0..test.rows.len()).collect());
                        self.test = Some((**test).clone());
                    }
                    Err(problem) => self.trouble = Some(problem.to_string()),
                    Ok(_) => {}
                }
            }
            _ => {}
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        let rows = self.height(turn.area);
        self.record.list.keep_visible(rows);
        self.rows.keep_visible(rows);
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        match &self.test {
            Some(test) => self.result(canvas, area, test),
            None => self.records(canvas, area),
        }
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        let keys: &[(&str, &str)] = if self.test.is_some() {
            &[("Up/Down", "field"), ("Enter", "again"), ("Esc", "another record")]
        } else {
            &[("type", "to find"), ("Up/Down", "choose"), ("Enter", "test it"), ("Esc", "back")]
        };
        hints::keys(canvas, area, keys);
        true
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let area = parts(turn.area, self.test.is_some()).list;
        let Some(row) = (line + turn.area.y).checked_sub(area.y + 1) else { return };
        let height = area.height.saturating_sub(1).into();
        let list = if self.test.is_some() { &mut self.rows } else { &mut self.record.list };
        let first = list.visible(height).start;
        list.select_at(first + usize::from(row));
    }

    fn about(&self) -> About {
        About {
            what: "What an import would write of one record, field by field. Nothing is written.",
            signs: &[],
            rules: &["A blank value never clears what Halo holds; one that does not fit is left out (L15)."],
        }
    }
}
