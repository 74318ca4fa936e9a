//! Which of Halo's customers go to Liongard (L17b): the flag of each is asked for here, and set by the next plan of the
//! push. Over the pane of customers, whose rows are environments: who is to go there is none yet.

use ratatui::layout::{Position, Rect};

use super::plan::PlanScreen;
use crate::host::words::{Answer, Command, Event, PushRow, Query, Reply};
use crate::model::{Entity, Integration};
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
use crate::ui::widgets::text_field::{Kind, TextField};

const ME: Integration = Integration::Liongard;

#[derive(Debug, Clone)]
pub struct PushScreen {
    field: TextField,
    rows: Vec<PushRow>,
    list: List<usize>,
    is_known: bool,
    /// What was said last, good or bad.
    said: Option<(String, Role)>,
}

/// The search, what was said, and the list.
fn parts(area: Rect) -> (Rect, Rect) {
    let head = area.height.min(2);
    let list = Rect { y: area.y + head, height: area.height - head, ..area };
    (Rect { height: head, ..area }, list)
}

impl Default for PushScreen {
    fn default() -> Self {
        Self {
            field: TextField::new("", Kind::Line),
            rows: Vec::new(),
            list: List::default(),
            is_known: false,
            said: None,
        }
    }
}

impl PushScreen {
    fn ask(&self, turn: &mut Turn<'_>) {
        turn.ask(Query::PushRows { text: self.field.text() });
    }

    /// On, off, as it is.
    fn toggle(&mut self, turn: &mut Turn<'_>) {
        let Some(row) = self.list.selected().and_then(|at| self.rows.get(*at)) else { return };
        let on = match row.wish {
            None => Some(true),
            Some(true) => Some(false),
            Some(false) => None,
        };
        turn.send(Command::FlagPush { customer: row.customer.clone(), on });
    }
}

impl View for PushScreen {
    fn scope(&self) -> Scope {
        Scope::Picker
    }

    fn name(&self) -> Option<String> {
        Some("Liongard > Halo's customers to push".into())
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        "customers to push".into()
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    fn is_typing(&self) -> bool {
        true
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        let rows = usize::from(parts(turn.area).1.height.saturating_sub(1));
        match input {
            Input::Key(Key::Esc) => turn.close(),
            Input::Key(Key::Enter) => self.toggle(turn),
            Input::Key(Key::Tab) => turn.open(PlanScreen::build_of(ME, vec![Entity::Push])),
            Input::Key(Key::Down) => self.list.move_by(1),
            Input::Key(Key::Up) => self.list.move_by(-1),
            Input::Key(Key::PageDown) => drop(self.list.act(Action::PageDown, rows)),
            Input::Key(Key::PageUp) => drop(self.list.act(Action::PageUp, rows)),
            input => {
                let before = self.field.text();
                self.field.input(input);
                if self.field.text() != before {
                    self.ask(turn);
                }
            }
        }
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::PushRows { text }, Ok(Answer::PushRows(rows)))
                if *text == self.field.text() =>
            {
                let kept =
                    self.list.selected().and_then(|at| self.rows.get(*at)).map(|row| row.customer.clone());
                self.rows.clone_from(rows);
                self.is_known = true;
                self.list.replace((0..rows.len()).collect());
                // A row moves up when something is asked for it; the cursor goes along.
                if let Some(at) = kept.and_then(|id| rows.iter().position(|row| row.customer == id)) {
                    self.list.select(&at);
                }
            }
            News::Reply(command, result) if matches!(**command, Command::FlagPush { .. }) => {
                self.said = match result {
                    Ok(Reply::Done(said)) => Some((said.clone(), Role::Good)),
                    Err(problem) => Some((problem.to_string(), Role::Bad)),
                    Ok(_) => None,
                };
            }
            News::Engine(Event::Map(integration)) if *integration == ME => self.ask(turn),
            _ => {}
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.list.keep_visible(parts(turn.area).1.height.saturating_sub(1).into());
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        let (head, list) = parts(area);
        let hint = "The next plan of the push sets the flag in Halo; nothing is written here.";
        let (text, role) =
            self.said.as_ref().map_or((hint, Role::Dim), |(said, role)| (said.as_str(), *role));
        canvas.put(area.x + 1, head.y + 1, area.width.saturating_sub(1), text, role);
        if self.list.is_empty() {
            let text = match (self.is_known, self.field.text().trim().is_empty()) {
                (false, _) => "Reading ...",
                (true, true) => {
                    "No customer of Halo is known that is not in Liongard: Esc, then Ctrl-R reads both sides."
                }
                (true, false) => "No customer of Halo that is not in Liongard has these words.",
            };
            table::empty(canvas, list, text);
        } else {
            let columns = [
                Column::fixed("flag", 10),
                Column::growing("Halo customer", 18),
                Column::growing("domain", 12).goes(2),
                Column::fixed("id", 10).goes(1),
            ];
            let visible = self.list.visible(list.height.saturating_sub(1).into());
            table::draw(canvas, list, &columns, visible, Some(self.list.position()), |index| {
                let row = self.rows.get(*self.list.ids().get(index)?)?;
                let (word, role) = match row.wish {
                    Some(true) => ("+ on", Role::New),
                    Some(false) => ("- off", Role::Change),
                    None => ("as it is", Role::Dim),
                };
                Some(Row {
                    is_marked: false,
                    cells: vec![
                        cell(word, role),
                        cell(row.name.as_str(), Role::Text),
                        cell(row.domain.as_str(), Role::Dim),
                        cell(row.customer.as_str(), Role::Dim),
                    ],
                })
            });
        }
        canvas.cursor = None;
        let used = canvas.put(head.x + 1, head.y, head.width, "find > ", Role::Strong) + 1;
        let line = Rect { x: head.x + used, width: head.width.saturating_sub(used + 1), height: 1, ..head };
        self.field.draw(canvas, line);
        if canvas.cursor.is_none() {
            canvas.cursor = Some((Position::new(head.x + used, head.y), true));
        }
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        let keys = [
            ("type", "to find"),
            ("Up/Down", "choose"),
            ("Enter", "on, off, as it is"),
            ("Tab", "plan"),
            ("Esc", "back"),
        ];
        hints::keys(canvas, area, &keys);
        true
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let area = parts(turn.area).1;
        let Some(row) = (line + turn.area.y).checked_sub(area.y + 1) else { return };
        let first = self.list.visible(area.height.saturating_sub(1).into()).start;
        self.list.select_at(first + usize::from(row));
    }

    fn about(&self) -> About {
        About {
            what: "Which of Halo's customers are flagged for Liongard. The plan of the push shows each flag as a row, and writes it.",
            signs: &[
                ("+", "its flag goes on, and it becomes an environment"),
                ("-", "its flag goes off; nothing is deleted"),
            ],
            rules: &[
                "Switching the flag off deletes no environment (L17b).",
                "Who is mapped to an environment is never pushed (L17).",
            ],
        }
    }
}
