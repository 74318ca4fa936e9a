//! One row whole: what it does, fields before and after, the rules that led to it, what became of it.

use ratatui::layout::{Position, Rect};
use rust_decimal::Decimal;

use crate::host::words::{Answer, LogLine, Query};
use crate::model::{Amount, FieldName, PlanId, Problem};
use crate::plan::{self, Cause, Change};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::fit;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::log::level_role;
use crate::ui::widgets::{diff, table};

#[derive(Debug, Clone)]
pub struct ChangeScreen {
    plan: PlanId,
    row: u32,
    /// The line of the log that led here.
    line: Option<LogLine>,
    change: Option<Result<Change, Problem>>,
    scroll: usize,
}

impl ChangeScreen {
    pub const fn of(plan: PlanId, row: u32) -> Self {
        Self { plan, row, line: None, change: None, scroll: 0 }
    }

    pub fn of_line(plan: PlanId, row: u32, line: LogLine) -> Self {
        Self { line: Some(line), ..Self::of(plan, row) }
    }

    fn title(&self) -> String {
        format!("row {}", self.row)
    }
}

impl View for ChangeScreen {
    fn scope(&self) -> Scope {
        Scope::Change
    }

    fn name(&self) -> Option<String> {
        Some(self.title())
    }

    fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        let left = match &self.change {
            Some(Ok(change)) => title(change),
            _ => self.title(),
        };
        Some((left, format!("{} row {}", self.plan, self.row)))
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        turn.ask(Query::PlanRows { plan: self.plan, rows: vec![self.row] });
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        let page = usize::from(turn.area.height.max(2));
        self.scroll = match action {
            Action::Down | Action::DetailsDown => self.scroll + 1,
            Action::Up | Action::DetailsUp => self.scroll.saturating_sub(1),
            Action::HalfPageDown => self.scroll + page / 2,
            Action::HalfPageUp => self.scroll.saturating_sub(page / 2),
            Action::PageDown => self.scroll + page,
            Action::PageUp => self.scroll.saturating_sub(page),
            Action::First => 0,
            Action::Last => usize::MAX,
            Action::Copy => self.scroll,
            Action::Why => {
                turn.say("This is why: the reasons stand under what changes.");
                self.scroll
            }
            _ => return false,
        };
        let lines = match &self.change {
            Some(Ok(change)) => lines(change).len(),
            _ => 1,
        };
        self.scroll = self.scroll.min(lines.saturating_sub(1));
        true
    }

    fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        match action {
            Action::Filter | Action::FilterState | Action::Order => {
                Availability::Not("This is one row; Esc goes back to the list.".into())
            }
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => [('y', "id"), ('n', "name"), ('r', "row"), ('e', "error, or reasons")]
                .map(|(letter, word)| (letter, word.to_owned()))
                .to_vec(),
            _ => Vec::new(),
        }
    }

    fn choose(&mut self, _action: Action, letter: char, turn: &mut Turn<'_>) {
        let text = match (&self.line, &self.change) {
            (Some(line), _) if letter == 'e' => line.text.clone(),
            (_, Some(Ok(change))) => copy(change, letter),
            _ => String::new(),
        };
        turn.copy(text);
    }

    fn hear(&mut self, news: &News, _turn: &mut Turn<'_>) {
        if let News::Answer(Query::PlanRows { plan, rows }, result) = news
            && *plan == self.plan
            && rows.contains(&self.row)
        {
            match result {
                Ok(Answer::PlanRows(changes)) => {
                    self.change = changes.iter().find(|change| change.row == self.row).cloned().map(Ok);
                }
                Err(problem) if self.change.is_none() => self.change = Some(Err(problem.clone())),
                _ => {}
            }
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        let mut y = area.y;
        if let Some(line) = &self.line {
            let role = level_role(line.level, line.sign);
            let at = canvas.when(line.at);
            let text = format!("{at}: {}", line.text);
            let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: area.height };
            y += canvas.paragraph(room, &text, role) + 1;
        }
        let body = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        match &self.change {
            Some(Ok(change)) => draw(canvas, body, change, self.scroll),
            Some(Err(problem)) => {
                table::empty(
                    canvas,
                    body,
                    &format!("{problem} The line of the log above is what is left of it."),
                );
            }
            None => table::empty(canvas, body, "Reading ..."),
        }
        canvas.cursor = Some((Position::new(area.x, area.y), canvas.look.plain));
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Back, Action::Down, Action::Up, Action::Copy]
    }

    fn about(&self) -> About {
        About {
            what: "One row of a plan: what it does, the fields before and after, and every rule that led to it.",
            signs: &[],
            rules: &["Values on the left are Halo's, on the right what is written."],
        }
    }
}

/// `Fabrikam GmbH, Exchange Online P1`.
pub fn title(change: &Change) -> String {
    match &change.customer {
        Some(customer) => format!("{}, {}", customer.name, change.source.name),
        None => change.source.name.to_string(),
    }
}

pub const fn role(action: plan::Action) -> Role {
    match action {
        plan::Action::Create => Role::New,
        plan::Action::Update | plan::Action::Link => Role::Change,
        plan::Action::Zero => Role::Zero,
        plan::Action::Deactivate => Role::Inactive,
        plan::Action::Held => Role::Held,
        plan::Action::Unchanged | plan::Action::Skipped => Role::Same,
    }
}

/// What an action does, in words that end a line of their own.
const fn does(action: plan::Action) -> &'static str {
    match action {
        plan::Action::Create => "is created in Halo",
        plan::Action::Update => "is updated in Halo",
        plan::Action::Link => "is linked with the record in Halo",
        plan::Action::Zero => "goes to zero seats in Halo",
        plan::Action::Deactivate => "is made inactive in Halo",
        plan::Action::Unchanged => "stays as it is: both sides agree",
        plan::Action::Skipped => "is skipped: nothing is written",
        plan::Action::Held => "is held: nothing is written",
    }
}

/// The one field that a list shows of a row: name, before, after.
pub fn headline(change: &Change) -> (String, String, String) {
    const IMPORTANCE: [FieldName; 8] = [
        FieldName::Quantity,
        FieldName::Status,
        FieldName::Price,
        FieldName::Cost,
        FieldName::EndDate,
        FieldName::MainSiteAddress,
        FieldName::Name,
        FieldName::TopLevel,
    ];
    let text =
        |value: &Option<crate::model::Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    let doing = change.hold.as_ref().map_or(change.action, |hold| hold.would_be);
    let field = IMPORTANCE.iter().find_map(|name| change.fields.iter().find(|field| field.name == *name));
    // An update of assets has fields of its own only; of several the first stands for all.
    let field = field.or_else(|| {
        let first = change.fields.iter().find(|field| field.after.is_some());
        first.filter(|_| doing == plan::Action::Update)
    });
    let target = change.target.as_ref().map(|target| target.name.to_string());
    match (doing, field) {
        (plan::Action::Create, field) => {
            let after = match field.filter(|field| field.name == FieldName::Quantity) {
                Some(seats) => format!("{} seats", text(&seats.after)),
                None => "created".into(),
            };
            ("new".into(), "-".into(), after)
        }
        (plan::Action::Link, _) => ("link".into(), target.unwrap_or("-".into()), "linked".into()),
        (plan::Action::Skipped, None) => (String::new(), "-".into(), "skipped".into()),
        (_, Some(field)) => {
            let more = change.fields.len().saturating_sub(1);
            let name = diff::field_word(field.name);
            let name = if more > 0 { format!("{name} +{more}") } else { name.into_owned() };
            (name, text(&field.before), text(&field.after))
        }
        (plan::Action::Held, None) => (String::new(), "-".into(), "held".into()),
        (_, None) => (String::new(), "-".into(), "-".into()),
    }
}

pub fn copy(change: &Change, letter: char) -> String {
    match letter {
        'y' => change.source.id.to_string(),
        'n' => change.source.name.to_string(),
        'e' => change.reasons.join("\n"),
        _ => {
            let (field, before, after) = headline(change);
            format!("{} {} {field} {before} -> {after}", change.action.key(), title(change))
        }
    }
}

/// `18,204.00`: two decimals at least, thousands told apart.
pub fn money(amount: Decimal) -> String {
    let text = Amount::new(amount.abs()).to_string();
    let (whole, rest) = text.split_once('.').unwrap_or((&text, "00"));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), fit::thousands);
    let sign = if amount.is_sign_negative() && !amount.is_zero() { "-" } else { "" };
    format!("{sign}{whole}.{rest}")
}

/// `+75.00`.
pub fn signed(amount: Decimal) -> String {
    let sign = if amount.is_sign_negative() || amount.is_zero() { "" } else { "+" };
    format!("{sign}{}", money(amount))
}

enum Line<'a> {
    Text(String, Role),
    Field(&'a plan::FieldChange),
}

fn lines(change: &Change) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let what = change.entity.singular();
    let sign = change.action.sign();
    lines.push(Line::Text(format!("{sign} the {what} {}", does(change.action)), role(change.action)));
    let (first, rest) =
        change.reasons.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    lines.extend(first.map(|reason| Line::Text(format!("  {reason}"), Role::Text)));
    match change.hold.as_deref().map(|hold| &hold.cause) {
        Some(Cause::LookAlike { candidates } | Cause::Ambiguous { candidates }) => {
            for (i, candidate) in candidates.iter().enumerate() {
                let mark = if i == 0 { "Enter takes" } else { "         or" };
                lines.push(Line::Text(
                    format!("{mark} {} (id {}): {}", candidate.name, candidate.target, candidate.why),
                    if i == 0 { Role::Accent } else { Role::Text },
                ));
            }
        }
        Some(Cause::Limit { overridable: true, .. }) => {
            lines.push(Line::Text("  a and the typed number write it all the same".into(), Role::Dim));
        }
        _ => {}
    }
    lines.extend(change.fields.iter().map(Line::Field));
    if let Some(target) = &change.target {
        lines.push(Line::Text(format!("Halo {} {}", target.id, target.name), Role::Dim));
    }
    if let Some(row) = change.after_row {
        lines.push(Line::Text(format!("only after row {row}, which brings its customer"), Role::Dim));
    }
    lines.extend(rest.iter().map(|reason| Line::Text(format!("  {reason}"), Role::Dim)));
    lines
}

/// What a row does and why, from line `scroll` on.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, change: &Change, scroll: usize) {
    let all = lines(change);
    let scroll = scroll.min(all.len().saturating_sub(1));
    let mut y = area.y;
    for line in all.iter().skip(scroll) {
        if y >= area.bottom() {
            break;
        }
        let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: area.bottom() - y };
        y += match line {
            Line::Text(text, role) => {
                // A leading blank is an indent that wrapping must keep.
                let indent = (text.len() - text.trim_start().len()).min(9) as u16;
                let room = Rect { x: room.x + indent, width: room.width.saturating_sub(indent), ..room };
                canvas.paragraph(room, text.trim_start(), *role).max(1)
            }
            Line::Field(field) => {
                let room = Rect { x: room.x + 2, width: room.width.saturating_sub(2), ..room };
                let used = diff::draw(canvas, room, std::slice::from_ref(*field));
                let mark = field.mark.map(diff::mark_words).filter(|_| room.height > used);
                used + mark.map_or(0, |words| {
                    let below = Rect {
                        x: room.x + 2,
                        y: y + used,
                        width: room.width.saturating_sub(2),
                        height: room.height - used,
                    };
                    canvas.paragraph(below, words, Role::Notice)
                })
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_lines_up() {
        let amount = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(money(amount("18204")), "18,204.00");
        assert_eq!(signed(amount("-20")), "-20.00");
        assert_eq!(signed(amount("1173.5")), "+1,173.50");
        assert_eq!(signed(amount("0")), "0.00");
        assert_eq!(money(amount("0.005")), "0.005");
    }
}
