//! Choosing a partner by hand: a query, the customers that fit, what would follow (ux.md 3.4).

use ratatui::layout::{Position, Rect};

use super::customers::{carried, partner_head};
use crate::host::words::Party;
use crate::host::words::{Answer, CandidateRow, CandidatesView, Carried, Command, Query, Reply};
use crate::model::{Decision, Entity, How, Integration, SourceId};
use crate::ui::action::{Action, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::fit::thousands;
use crate::ui::key::{Input, Key};
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::hints;
use crate::ui::widgets::table::{self, Column, Row, cell};
use crate::ui::widgets::text_field::TextField;

#[derive(Debug, Clone)]
pub struct Picker {
    integration: Integration,
    source: Party<SourceId>,
    remarks: Vec<String>,
    /// What would come with it, and how much that is.
    carries: Option<(String, String)>,
    field: TextField,
    /// Nothing typed yet: a query without any hit is shortened by itself.
    is_fresh: bool,
    asked: String,
    found: Option<CandidatesView>,
    list: List<usize>,
    /// Afterwards the pane below goes to its next undecided row.
    goes_on: bool,
    /// Nothing typed yet: exactly those between whom the row cannot tell are shown (P13).
    is_among_rivals: bool,
}

/// Customers asked for at a time; typing finds the others.
const SHOWN: usize = 200;

const fn columns(integration: Integration) -> [Column; 4] {
    [
        Column::growing(partner_head(integration), 16),
        Column::growing("domain", 14).goes(1),
        Column::fixed("id", 8).right().goes(2),
        Column::growing("mapped to", 12),
    ]
}

/// Where things are: who is to be mapped, the query, the list, what follows.
struct Parts {
    source: Rect,
    find: Rect,
    list: Rect,
    follows: Rect,
}

fn parts(area: Rect) -> Parts {
    let tall = area.height >= 14;
    let follows = match area.height {
        0..8 => 0,
        8..14 => 2,
        _ => 5,
    };
    let air = u16::from(tall);
    // Where there is air, a line under the customer says what hangs on it.
    let find = Rect { y: area.y + 1 + 2 * air, height: 1, ..area };
    let top = find.y + 1 + air;
    let end = area.bottom().saturating_sub(follows);
    Parts {
        source: Rect { height: 1, ..area },
        find,
        list: Rect { y: top, height: end.saturating_sub(top), ..area },
        follows: Rect { y: end, height: follows, ..area },
    }
}

impl Picker {
    pub fn new(
        integration: Integration,
        source: Party<SourceId>,
        remarks: Vec<String>,
        goes_on: bool,
    ) -> Self {
        let field = TextField::replaceable(&source.name);
        Self {
            integration,
            source,
            remarks,
            carries: None,
            field,
            is_fresh: true,
            asked: String::new(),
            found: None,
            list: List::default(),
            goes_on,
            is_among_rivals: false,
        }
    }

    /// Begins with exactly those between whom the row cannot tell.
    pub fn among_rivals(self, is_ambiguous: bool) -> Self {
        Self { is_among_rivals: is_ambiguous, ..self }
    }

    /// Says what hangs on the customer at the source.
    pub fn carrying(self, carries: &[Carried]) -> Self {
        Self { carries: carried(carries), ..self }
    }

    /// The system that is picked from.
    fn there(&self) -> &'static str {
        self.integration.target(self.integration.root()).label()
    }

    fn chosen(&self) -> Option<&CandidateRow> {
        self.found.as_ref()?.rows.get(*self.list.selected()?)
    }

    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.asked = self.field.text();
        let text = self.asked.clone();
        let rivals_of = self.is_among_rivals.then(|| self.source.id.clone());
        turn.ask(Query::Candidates { rivals_of, integration: self.integration, text, limit: SHOWN });
    }

    fn take(&mut self, turn: &mut Turn<'_>) {
        // What is on the screen must be what was typed: type-ahead never maps to the hit of an older query.
        if self.asked != self.field.text() || self.found.is_none() {
            return turn.say("Still looking. Enter again maps to the selected one.");
        }
        let Some(row) = self.chosen() else {
            return turn.say("Nothing is selected. Type other letters, or Esc and n to create it as new.");
        };
        let decision = Decision::Map {
            target: row.party.id.clone(),
            target_name: row.party.name.as_str().into(),
            how: How::Manual,
        };
        let decisions = vec![(self.source.id.clone(), decision)];
        turn.send(Command::Decide { integration: self.integration, decisions });
        turn.close();
        if self.goes_on {
            turn.steps.push(Step::Act(Action::NextUndecided));
        }
    }

    /// What else comes with the customer.
    fn follows_with(&self) -> String {
        if let Some((what, _)) = &self.carries {
            return what.clone();
        }
        let root = self.integration.root();
        let others = self.integration.entities().iter().filter(|one| **one != root && **one != Entity::Push);
        let names: Vec<_> = others.map(|entity| entity.key()).collect();
        match names.split_last() {
            None => "Its fields".into(),
            Some((only, [])) => format!("Its {only}"),
            Some((last, first)) => format!("Its {} and {last}", first.join(", ")),
        }
    }

    fn follows(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(row) = self.chosen().filter(|_| area.height > 1) else { return };
        canvas.rule(Rect { height: 1, ..area }, &format!("if you choose {}", row.party.name));
        let body = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(1),
            height: area.height - 1,
        };
        let mut lines: Vec<(String, Role)> = Vec::new();
        if !row.is_active {
            lines.push((
                format!("It is inactive in {}: imports hold it until it is active.", self.there()),
                Role::Notice,
            ));
        }
        if !row.mapped_to.is_empty() {
            lines.push((
                format!("It also receives {}: both feed it then.", row.mapped_to.join(", ")),
                Role::Notice,
            ));
        }
        if row.party.name.trim() != self.source.name.trim() {
            let unless = match self.integration {
                Integration::Also | Integration::Westcoast => " unless 'rename in Halo' is on",
                Integration::Liongard | Integration::Hudu | Integration::Lifecycle => "",
            };
            lines.push((
                format!("The name differs: {} keeps '{}'{unless}.", self.there(), row.party.name),
                Role::Text,
            ));
        }
        lines.extend(self.remarks.iter().map(|remark| (remark.clone(), Role::Notice)));
        lines.push((
            format!("{} come in with the next plan; nothing is written now.", self.follows_with()),
            Role::Dim,
        ));
        let mut y = body.y;
        for (line, role) in lines {
            if y < body.bottom() {
                y += canvas.paragraph(Rect { y, height: body.bottom() - y, ..body }, &line, role);
            }
        }
    }
}

impl View for Picker {
    fn scope(&self) -> Scope {
        Scope::Picker
    }

    fn name(&self) -> Option<String> {
        Some(format!("{} > pick a {}", self.integration.label(), partner_head(self.integration)))
    }

    fn edits(&self) -> Option<String> {
        Some(crate::ui::others::customer(self.integration, &self.source.id))
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        format!("pick for {}", self.source.name)
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    fn is_typing(&self) -> bool {
        true
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        let rows = parts(turn.area).list.height.saturating_sub(1).into();
        match input {
            Input::Key(Key::Esc) => turn.close(),
            Input::Key(Key::Enter) => self.take(turn),
            Input::Key(Key::Down | Key::Tab) => self.list.move_by(1),
            Input::Key(Key::Up | Key::BackTab) => self.list.move_by(-1),
            Input::Key(Key::PageDown) => {
                self.list.act(Action::PageDown, rows);
            }
            Input::Key(Key::PageUp) => {
                self.list.act(Action::PageUp, rows);
            }
            input => {
                let before = self.field.text();
                if self.field.input(input) {
                    self.is_fresh = false;
                }
                if self.field.text() != before {
                    self.is_among_rivals = false;
                    self.ask(turn);
                }
            }
        }
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Candidates { integration, text, rivals_of, .. }, result)
                if *integration == self.integration
                    && *text == self.asked
                    && rivals_of.is_some() == self.is_among_rivals =>
            {
                match result {
                    Ok(Answer::Candidates(found)) if found.total == 0 && self.is_among_rivals => {
                        // The row has changed since it was drawn.
                        self.is_among_rivals = false;
                        self.ask(turn);
                    }
                    Ok(Answer::Candidates(found))
                        if found.total == 0 && self.is_fresh && !self.asked.is_empty() =>
                    {
                        // No customer has all of these words: fewer may find the one that is meant.
                        let mut words: Vec<_> = self.asked.split_whitespace().collect();
                        words.pop();
                        self.field = TextField::replaceable(&words.join(" "));
                        self.ask(turn);
                    }
                    Ok(Answer::Candidates(found)) => {
                        self.list = List::default();
                        self.list.replace((0..found.rows.len()).collect());
                        self.found = Some(found.clone());
                    }
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
            }
            News::Reply(command, Ok(Reply::Done(_)))
                if matches!(**command, Command::ReadCustomers { .. }) =>
            {
                self.ask(turn);
            }
            _ => {}
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.list.keep_visible(parts(turn.area).list.height.saturating_sub(1).into());
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        let parts = parts(area);
        let label = format!(" {}  ", self.integration.source(self.integration.root()).label());
        let place = [&self.source.place, &self.source.domain];
        let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        let rest = format!("   id {}   {}", self.source.id, place.join("   "));
        canvas.line(
            parts.source.x,
            parts.source.y,
            parts.source.width,
            &[(&label, Role::Dim), (&self.source.name, Role::Strong), (&rest, Role::Dim)],
        );
        if let Some((what, how_much)) = self.carries.as_ref().filter(|_| parts.find.y > parts.source.y + 1) {
            let more = if how_much.is_empty() { String::new() } else { format!(", {how_much}") };
            let (y, width) = (parts.source.y + 1, parts.source.width);
            canvas.line(
                parts.source.x,
                y,
                width,
                &[(" carries  ", Role::Dim), (what, Role::Text), (&more, Role::Text)],
            );
        }
        let visible = self.list.visible(parts.list.height.saturating_sub(1).into());
        table::draw(
            canvas,
            parts.list,
            &columns(self.integration),
            visible,
            Some(self.list.position()),
            |index| {
                let row = self.found.as_ref()?.rows.get(index)?;
                let taken = match (row.is_active, row.mapped_to.as_slice()) {
                    (false, _) => "inactive".to_owned(),
                    (true, []) => "-".to_owned(),
                    (true, [one]) => one.clone(),
                    (true, [one, others @ ..]) => format!("{one} and {} more", others.len()),
                };
                let role = if row.is_active && row.mapped_to.is_empty() { Role::Text } else { Role::Dim };
                Some(Row {
                    is_marked: false,
                    cells: vec![
                        cell(row.party.name.as_str(), role),
                        cell(row.party.domain.as_str(), Role::Dim),
                        cell(row.party.id.as_str(), Role::Dim),
                        cell(taken, if row.is_active { Role::Dim } else { Role::Notice }),
                    ],
                })
            },
        );
        if let Some(found) = &self.found {
            if found.rows.is_empty() {
                let head = partner_head(self.integration);
                let text = format!("No {head} fits. Other letters, or Esc and n: create it as new.");
                table::empty(canvas, parts.list, &text);
            }
            let count = format!("{} of {} in {}", thousands(found.total), thousands(found.of), self.there());
            if area.width >= 50 {
                canvas.put_right(
                    parts.find.x,
                    parts.find.y,
                    parts.find.width.saturating_sub(1),
                    &count,
                    Role::Dim,
                );
            }
        }
        self.follows(canvas, parts.follows);
        let used = canvas.put(parts.find.x + 1, parts.find.y, parts.find.width, "find > ", Role::Strong) + 1;
        let beside = if area.width >= 50 { 24 } else { 1 };
        let room = parts.find.width.saturating_sub(used + beside);
        canvas.cursor = None;
        self.field.draw(canvas, Rect { x: parts.find.x + used, width: room, ..parts.find });
        if canvas.cursor.is_none() {
            canvas.cursor = Some((Position::new(parts.find.x + used, parts.find.y), true));
        }
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        let keys = [("type", "to find"), ("Up/Down", "choose"), ("Enter", "map and go on"), ("Esc", "back")];
        hints::keys(canvas, area, &keys);
        true
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let list = parts(turn.area).list;
        let first = self.list.visible(list.height.saturating_sub(1).into()).start;
        if let Some(row) = (line + turn.area.y).checked_sub(list.y + 1) {
            self.list.select_at(first + usize::from(row));
        }
    }

    fn about(&self) -> About {
        About {
            what: "Choose the partner of one customer by hand.",
            signs: &[
                ("'word", "exactly"),
                ("^word", "at the start"),
                ("word$", "at the end"),
                ("!word", "without"),
            ],
            rules: &[
                "Customers that are mapped already or inactive come last and say so; they are never hidden.",
            ],
        }
    }
}
