//! What the keys of the pane do to the row under the cursor or to the marked ones.

use super::entry::{Entry, first_kind};
use super::rows::Tab;
use super::{Asking, Lifecycle, sends};
use crate::host::words::LifecycleOrder;
use crate::lifecycle::report::ReportId;
use crate::lifecycle::setup::Leads;
use crate::lifecycle::term;
use crate::model::{Entity, Integration, Place};
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::screens::plan::PlanScreen;
use crate::ui::screens::report::ReportScreen;
use crate::ui::screens::settings::Settings;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::Prompt;

impl Lifecycle {
    /// Enter: the row's own screen.
    pub(super) fn open(&mut self, turn: &mut Turn<'_>) {
        let Some((key, view)) = self.list.selected().copied().zip(self.view.as_deref()) else { return };
        let at = key as usize;
        let entry = match self.tab {
            Tab::Companies => {
                return turn.steps.push(sends(LifecycleOrder::OpenReport { company: key }));
            }
            Tab::Reports => return turn.open(ReportScreen::of(ReportId(key))),
            Tab::SetUp => {
                let leads = view.setup.get(at).map(|step| step.leads);
                if let Some(leads) = leads {
                    self.follow(leads, turn);
                }
                return;
            }
            Tab::Grades => view.grades.get(at).map(|rule| Entry::Grade {
                was: Some(rule.clone()),
                at,
                draft: rule.clone(),
            }),
            Tab::Classes => view
                .classes
                .get(at)
                .map(|class| Entry::Class { was: Some(class.name.clone()), draft: class.clone() }),
            Tab::Policies => {
                view.policies.get(at).map(|policy| Entry::Policy { is_new: false, draft: policy.clone() })
            }
            Tab::Templates => view
                .templates
                .get(at)
                .map(|own| Entry::Template { was: Some(own.name.clone()), draft: own.clone() }),
            Tab::Types | Tab::Statuses => self.tab.terms().and_then(|list| {
                let all = if self.tab == Tab::Types { &view.types } else { &view.statuses };
                let term = all.get(at)?;
                let (name, halo) = (term.name.clone(), term.halo.clone());
                Some(Entry::Term { list, id: term.id, name, halo })
            }),
        };
        if let Some(entry) = entry {
            self.open_sheet(entry, turn);
        }
    }

    /// Goes where a step of the set-up is done.
    pub(super) fn follow(&mut self, leads: Leads, turn: &mut Turn<'_>) {
        match leads {
            Leads::Halo => turn.open(Settings::new(Place::Halo)),
            Leads::Settings => {
                turn.open(Settings::at(Place::Of(Integration::Lifecycle), "lifecycle.fields".into()));
            }
            Leads::Import => turn.open(PlanScreen::build(Integration::Lifecycle)),
            Leads::NewFields => {
                turn.open(PlanScreen::build_of(Integration::Lifecycle, vec![Entity::AssetFields]));
            }
            Leads::Types => self.go_to(Tab::Types),
            Leads::Statuses => self.go_to(Tab::Statuses),
            Leads::Grades => self.go_to(Tab::Grades),
            Leads::Classes => self.go_to(Tab::Classes),
            Leads::Templates => self.go_to(Tab::Templates),
            Leads::Companies => self.go_to(Tab::Companies),
        }
    }

    pub(super) fn new_entry(&mut self, turn: &mut Turn<'_>) {
        let Some(view) = self.view.as_deref() else { return };
        let entry = match self.tab {
            Tab::Companies | Tab::Types | Tab::Statuses => {
                let title = format!("new {} >", self.tab.one());
                self.prompt = Some(Prompt::new(Asking::Name, title, ""));
                return;
            }
            Tab::Grades => Entry::new_grade(self.list.selected().map_or(0, |at| *at as usize)),
            Tab::Classes => {
                Entry::new_class(&first_kind(view, |kind| view.classes.iter().any(|c| c.kind == kind)))
            }
            Tab::Policies => {
                Entry::new_policy(&first_kind(view, |kind| view.policies.iter().any(|p| p.kind == kind)))
            }
            Tab::Templates => Entry::new_template(),
            Tab::SetUp => Entry::new_halo_field(view),
            Tab::Reports => return,
        };
        self.open_sheet(entry, turn);
    }

    pub(super) fn remove(&mut self, turn: &mut Turn<'_>) {
        let Some((name, order)) = self.list.selected().and_then(|key| self.removal(*key)) else { return };
        let undo = "u takes it back.";
        let ask = |lines: &[&str]| {
            Confirm::new(format!("Remove {name}?"), lines.iter().map(|line| (*line).to_owned()), "leave it")
        };
        let confirm = match (&order, self.view.as_deref()) {
            (LifecycleOrder::RemoveTemplate { name, .. }, Some(view)) => {
                // What belongs to it must belong to another one.
                let others = view.templates.iter().filter(|other| other.name != *name);
                let mut confirm = ask(&["Another template takes over what belongs to it.", undo]);
                for (digit, other) in ('1'..='9').zip(others) {
                    let (name, heir) = (name.clone(), other.name.clone());
                    let order = LifecycleOrder::RemoveTemplate { name, replacement: Some(heir.clone()) };
                    confirm = confirm.choice(digit, format!("{heir} takes over"), vec![sends(order)]);
                }
                confirm
            }
            (LifecycleOrder::Discard { .. }, _) => {
                ask(&["The draft goes; its configurations stay as they are."]).choice(
                    'y',
                    "throw it away",
                    vec![sends(order)],
                )
            }
            _ => ask(&[undo]).choice('y', "remove it", vec![sends(order)]),
        };
        turn.dialog(confirm);
    }

    /// Takes the companies in, or out where all of them are in.
    pub(super) fn manage(&mut self, turn: &mut Turn<'_>) {
        let companies = self.list.chosen();
        let managed =
            !companies.iter().all(|id| self.company_of(*id).is_some_and(|view| view.company.managed));
        let count = companies.len();
        let order = LifecycleOrder::Manage { companies, managed };
        if count > 1 {
            let (title, does) =
                if managed { ("Manage", "take them in") } else { ("No longer manage", "leave them out") };
            let lines =
                ["Their configurations come in with the next import only while they are managed.".to_owned()];
            let confirm = Confirm::new(format!("{title} {count} companies?"), lines, "not now");
            turn.dialog(confirm.choice('y', does, vec![sends(order)]));
        } else {
            turn.steps.push(sends(order));
        }
        self.list.clear_marks();
    }

    /// Shows the list first (S13).
    pub(super) fn create_unmapped(&mut self, turn: &mut Turn<'_>) {
        let (Some(list), Some(view)) = (self.tab.terms(), self.view.as_deref()) else { return };
        let (local, halo) = match self.tab {
            Tab::Types => (&view.types, &view.halo_types),
            _ => (&view.statuses, &view.halo_statuses),
        };
        let changes = term::create_unmapped(local, halo);
        if changes.is_empty() {
            return turn.say("Everything of Halo's is mapped: 0 new.");
        }
        let lines = changes.iter().map(term::TermChange::sentence);
        let title = format!("Create and map {}?", changes.len());
        let steps = vec![sends(LifecycleOrder::CreateUnmapped { list })];
        turn.dialog(Confirm::new(title, lines, "not now").choice('y', "create and map", steps));
    }

    pub(super) fn shift(&mut self, up: bool, turn: &mut Turn<'_>) {
        let Some(key) = self.list.selected().copied() else { return };
        let Some(order) = self.moved(key, up) else {
            return turn.say("It is at the end of its order already.");
        };
        turn.steps.push(sends(order));
        // The cursor goes with the row where the list is one order.
        if self.tab == Tab::Grades {
            self.list.move_by(if up { -1 } else { 1 });
        }
    }
}
