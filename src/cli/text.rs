//! Text for people. Whatever came from outside goes through [`shown`] first: remote text is hostile.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::host::words::{
    CheckState, Fate, FieldSides, FieldTest, IssuesView, JobReport, JobState, LayoutView, LogLine, MapRow,
    MappingImport, PastRun, Phase, SavedChange, ScheduleView, SitesView, TestReport, TestedField,
};
use crate::host::words::{JobProgress, Level};
use crate::integrations::FieldRule;
use crate::integrations::field_sample::{SourceField, TargetField};
use crate::model::text::shown;
use crate::model::{Integration, Moment, Value};
use crate::plan::{Action, Change, MoneyDelta, Plan};

/// Columns a cell takes at most, but for the last of a row.
const WIDEST: usize = 44;

/// Rows in columns; with `--plain` one row a line, cells behind each other.
pub fn table(header: &[&str], rows: Vec<Vec<String>>, plain: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    if plain {
        let line = |cells: Vec<String>| cells.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
        return rows.into_iter().fold(String::new(), |text, cells| text + &line(cells).join("; ") + "\n");
    }
    let last = header.len().saturating_sub(1);
    let cut = |(at, cell): (usize, String)| if at == last { cell } else { cut(cell) };
    let rows = rows.into_iter().map(|row| row.into_iter().enumerate().map(cut).collect::<Vec<_>>());
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec()).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// One endless name must not push every other column off the screen.
fn cut(cell: String) -> String {
    if cell.width() <= WIDEST {
        return cell;
    }
    let mut short = String::new();
    for cluster in cell.graphemes(true) {
        if short.width() + cluster.width() >= WIDEST {
            break;
        }
        short += cluster;
    }
    short + "…"
}

pub fn plan(plan: &Plan, listed: &[Change], plain: bool) -> String {
    let entities: Vec<_> = plan.entities.iter().map(|entity| entity.key()).collect();
    let meaning = if plan.scheduled { "as scheduled" } else { "by hand" };
    let mut text =
        format!("{}  {} {}, {meaning}\n", plan.id, plan.integration.label(), entities.join(" and "));
    if let Some(title) = plan.purpose.title() {
        text.insert_str(text.len() - 1, &format!(", {title}"));
    }
    for remark in plan.purpose.remarks() {
        let _ = writeln!(text, "! {remark}");
    }
    for warning in plan.outline.warnings() {
        let _ = writeln!(text, "! {}", shown(warning));
    }
    for note in &plan.outline.notes {
        let _ = writeln!(text, ". {}", shown(note));
    }
    let rows: Vec<_> = listed.iter().map(|change| plan_row(change, plain)).collect();
    if !rows.is_empty() {
        text.push('\n');
        text += &table(&["", "row", "customer", "record", "change", "why"], rows, plain);
        text.push('\n');
    }
    let _ = writeln!(text, "{}.", plan_totals(plan));
    for money in &plan.outline.money {
        let _ = writeln!(text, "{}", money_line(money));
    }
    if plan.outline.rows_without_price > 0 {
        let (rows, have) =
            if plan.outline.rows_without_price == 1 { ("row", "has") } else { ("rows", "have") };
        let _ = writeln!(text, "{} {rows} {have} no known price.", plan.outline.rows_without_price);
    }
    let _ = if plan.outline.totals.acting() > 0 {
        writeln!(text, "Carry it out with `parhelion apply {}`; nothing has been written yet.", plan.id)
    } else {
        writeln!(text, "Nothing to write.")
    };
    text
}

/// Whether a row of a plan is shown to people.
pub fn is_listed(change: &Change, verbose: bool) -> bool {
    verbose || !matches!(change.action, Action::Unchanged | Action::Skipped)
}

fn plan_row(change: &Change, plain: bool) -> Vec<String> {
    let sign = if plain { String::new() } else { change.action.sign().to_string() };
    let customer = change.customer.as_ref().map_or(&change.source, |customer| customer);
    let record = change.customer.as_ref().map(|_| shown(&change.source.name).into_owned());
    let reasons: Vec<_> = change.reasons.iter().map(|reason| shown(reason)).collect();
    vec![
        sign,
        change.row.to_string(),
        shown(&customer.name).into_owned(),
        record.unwrap_or_default(),
        what(change),
        reasons.join("; "),
    ]
}

/// `update quantity 12 -> 14, status active -> inactive`.
fn what(change: &Change) -> String {
    let value = |value: Option<&Value>| {
        value.map_or_else(|| "nothing".to_owned(), |v| shown(&v.to_string()).into_owned())
    };
    let fields: Vec<_> = change
        .fields
        .iter()
        .map(|field| match &field.before {
            None if change.action == Action::Create => {
                format!("{} {}", field.name, value(field.after.as_ref()))
            }
            before => format!("{} {} -> {}", field.name, value(before.as_ref()), value(field.after.as_ref())),
        })
        .collect();
    let target = change
        .target
        .as_ref()
        .filter(|_| change.action == Action::Link)
        .map(|target| format!(" to {} ({})", shown(&target.name), target.id));
    let space = if fields.is_empty() { "" } else { " " };
    format!("{}{}{space}{}", change.action.key(), target.unwrap_or_default(), fields.join(", "))
}

fn plan_totals(plan: &Plan) -> String {
    let totals = plan.outline.totals;
    let counted: Vec<_> = Action::ALL
        .into_iter()
        .filter(|action| totals.get(*action) > 0)
        .map(|action| format!("{} {}", totals.get(action), action.key()))
        .collect();
    if counted.is_empty() {
        return "No rows".into();
    }
    let requests: u64 = plan.outline.cost.requests.values().sum();
    let cost = if requests > 0 {
        format!("; applying takes {requests} requests, about {}", duration(plan.outline.cost.seconds))
    } else {
        String::new()
    };
    counted.join(", ") + &cost
}

fn money_line(money: &MoneyDelta) -> String {
    let currency = money.currency.map_or_else(|| "of unknown currency".to_owned(), |c| c.to_string());
    let change = money.after - money.before;
    let sign = if change.is_sign_negative() { "" } else { "+" };
    format!("A month: {} -> {} {currency} ({sign}{change})", money.before, money.after)
}

/// Problems that are printed unless more is asked for.
const PROBLEMS: usize = 20;

pub fn job(report: &JobReport, verbose: bool) -> String {
    let totals = &report.totals;
    let mut counted: Vec<_> = Action::ALL
        .into_iter()
        .filter(|action| totals.rows.get(*action) > 0)
        .map(|action| format!("{} {}", totals.rows.get(action), action.key()))
        .collect();
    for (number, word) in [(totals.failed, "failed"), (totals.not_done, "not done")] {
        if number > 0 {
            counted.push(format!("{number} {word}"));
        }
    }
    let plan = report.plan.map(|plan| format!(", plan {plan}")).unwrap_or_default();
    let title = report.purpose.title().map(|title| format!(", {title}")).unwrap_or_default();
    let state = if report.is_paused { "paused" } else { report.state.word() };
    let mut text = format!("{}  {}{title}{plan}: {state}\n", report.job, report.integration.label());
    if counted.is_empty() {
        text += "No rows.\n";
    } else {
        let _ = writeln!(text, "{}.", counted.join(", "));
    }
    let requests: Vec<_> =
        report.requests.iter().map(|(place, n)| format!("{n} to {}", place.label())).collect();
    if !requests.is_empty() {
        let _ = writeln!(text, "Requests: {}.", requests.join(", "));
    }
    let most = if verbose { usize::MAX } else { PROBLEMS };
    for problem in report.problems.iter().take(most) {
        let (name, id) = (shown(&problem.source.name), &problem.source.id);
        let _ = writeln!(
            text,
            "! row {}, {} {name} ({id}): {}",
            problem.row,
            problem.entity.singular(),
            shown(&problem.message)
        );
    }
    if let Some(more) = report.problems.len().checked_sub(most).filter(|more| *more > 0) {
        let _ = writeln!(text, "... and {more} more; `--verbose` shows all.");
    }
    if let Some(trouble) = &report.trouble {
        let _ = writeln!(text, "! {}", shown(&trouble.to_string()));
    }
    if report.state == JobState::Interrupted {
        let _ = writeln!(text, "{}", resume_with(report));
    }
    text
}

/// What to do about an interrupted job.
pub fn resume_with(report: &JobReport) -> String {
    format!("`parhelion job resume {0}` goes on with it, `parhelion job cancel {0}` gives it up.", report.job)
}

/// Open issues by cause; those put aside are only counted.
pub fn issues(view: &IssuesView) -> String {
    let mut text = String::new();
    for group in view.groups.iter().filter(|group| !group.is_aside) {
        let _ = writeln!(
            text,
            "{}, {} x {}: {}",
            group.integration.label(),
            group.count,
            group.kind,
            shown(&group.cause)
        );
        for issue in group.issues.iter().take(PROBLEMS) {
            let (name, id) = (shown(&issue.source.name), &issue.source.id);
            let _ = writeln!(
                text,
                "  {} {name} ({id}), {} row {}",
                issue.entity.singular(),
                issue.job,
                issue.row
            );
        }
        if let Some(more) = group.count.checked_sub(PROBLEMS as u64).filter(|more| *more > 0) {
            let _ = writeln!(text, "  ... and {more} more; `--json` has them.");
        }
    }
    if view.total == 0 {
        text += "No open issues.\n";
    }
    if view.aside > 0 {
        let _ = writeln!(text, "{} put aside.", view.aside);
    }
    text
}

pub fn jobs(reports: &[JobReport], plain: bool) -> String {
    let row = |report: &JobReport| {
        let totals = &report.totals;
        vec![
            report.job.to_string(),
            match report.purpose.title() {
                Some(title) => format!("{}, {title}", report.integration.label()),
                None => report.integration.label().to_owned(),
            },
            if report.is_paused { "paused" } else { report.state.word() }.to_owned(),
            totals.rows.acting().to_string(),
            totals.rows.held.to_string(),
            totals.failed.to_string(),
            moment(report.started),
            shown(&report.by).into_owned(),
        ]
    };
    let header = ["job", "integration", "state", "changes", "held", "failed", "started", "by"];
    match table(&header, reports.iter().map(row).collect(), plain) {
        empty if empty.is_empty() => "No jobs yet.\n".into(),
        text => text,
    }
}

/// `schedule list`: a line each, then what was skipped or missed lately, then what a person should know.
pub fn schedules(views: &[ScheduleView], plain: bool) -> String {
    let past = |run: &PastRun| match &run.past.fate {
        Fate::Started { job } => format!("{} {job} {}", moment(run.past.due), run.word()),
        Fate::Skipped { .. } | Fate::Missed => format!("{} {}", moment(run.past.due), run.word()),
    };
    let row = |view: &ScheduleView| {
        let entities: Vec<_> = view.entities.iter().map(|entity| entity.key()).collect();
        vec![
            view.integration.label().to_owned(),
            if view.enabled { "on" } else { "off" }.to_owned(),
            view.times.clone(),
            entities.join(", "),
            view.next.map_or_else(|| "-".to_owned(), moment),
            view.past.first().map_or_else(|| "-".to_owned(), past),
        ]
    };
    let header = ["integration", "schedule", "times", "entities", "next", "last"];
    let mut text = table(&header, views.iter().map(row).collect(), plain);
    for view in views {
        let label = view.integration.label();
        let told = view.obstacle.iter().filter(|_| view.enabled).chain(&view.warning);
        for why in told {
            let _ = writeln!(text, "{label}: {}", shown(why));
        }
        for run in &view.past {
            match &run.past.fate {
                Fate::Started { .. } => {}
                Fate::Skipped { why } => {
                    let _ = writeln!(text, "{label}: {} skipped: {}", run.past.id, shown(why));
                }
                Fate::Missed => {
                    let _ = writeln!(text, "{label}: {} missed: nobody was there", run.past.id);
                }
            }
        }
    }
    if views.iter().any(|view| view.enabled && !view.is_watched) {
        text.push_str("Nothing runs by itself just now: schedules need `parhelion serve`, or a screen that stays open.\n");
    }
    text
}

pub fn log_line(line: &LogLine, plain: bool) -> String {
    let time = line.at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let about: Vec<_> = [&line.customer, &line.subject]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| shown(part))
        .collect();
    let about = if about.is_empty() { String::new() } else { about.join(" / ") + ": " };
    let level = match line.level {
        Level::Note => "note",
        Level::Change => "change",
        Level::Held => "held",
        Level::Error => "error",
    };
    let mark = if plain { level.to_owned() } else { line.sign.to_string() };
    format!("{time} {mark} {about}{}", shown(&line.text))
}

pub fn map(integration: Integration, rows: &[MapRow], plain: bool) -> String {
    let there = there(integration);
    let row = |row: &MapRow| {
        let sign = if plain { String::new() } else { row.sign().to_string() };
        let target = row.target.as_ref();
        vec![
            sign,
            row.source.id.to_string(),
            shown(&row.source.name).into_owned(),
            target.map(|target| target.id.to_string()).unwrap_or_default(),
            target.map(|target| shown(&target.name).into_owned()).unwrap_or_default(),
            row.state.key().to_owned(),
            row.how.map(|how| how.to_string()).unwrap_or_default(),
            remarks(row, there),
        ]
    };
    let (target_id, target) = (format!("{there} id"), format!("{there} {}", party(integration)));
    let header = ["", "id", "customer", &target_id, &target, "state", "how", "note"];
    match table(&header, rows.iter().map(row).collect(), plain) {
        empty if empty.is_empty() => "No customers.\n".into(),
        text => text,
    }
}

/// The sites of a customer's partner; the chosen one is marked.
pub fn sites(view: &SitesView, plain: bool) -> String {
    let lines = view.sites.iter().map(|site| {
        let is_chosen = view.chosen.as_ref().is_some_and(|chosen| chosen.id == site.id);
        let mark = if is_chosen { "chosen" } else { "" };
        vec![
            site.id.to_string(),
            shown(&site.name).into_owned(),
            shown(&site.place).into_owned(),
            mark.into(),
        ]
    });
    table(&["id", "site", "address", ""], lines.collect(), plain)
}

/// Who every unmapped customer may be: a line a candidate.
pub fn suggestions(integration: Integration, rows: &[MapRow], plain: bool) -> String {
    let lines = rows.iter().flat_map(|row| {
        let source = [row.source.id.to_string(), shown(&row.source.name).into_owned()];
        let none = row.candidates.is_empty().then(|| {
            let mut cells = source.to_vec();
            cells.extend(["", "", "-", "none near"].map(str::to_owned));
            cells
        });
        let near = row.candidates.iter().enumerate().map(move |(nth, one)| {
            // On paper the customer stands at its first candidate only; read aloud, at each.
            let mut cells = if nth == 0 || plain { source.to_vec() } else { vec![String::new(); 2] };
            let party = [one.party.id.to_string(), shown(&one.party.name).into_owned()];
            cells.extend(party);
            cells.extend([one.score.to_string(), one.why.join(", ")]);
            cells
        });
        none.into_iter().chain(near).collect::<Vec<_>>()
    });
    let there = there(integration);
    let (target_id, target) = (format!("{there} id"), format!("{there} {}", party(integration)));
    match table(&["id", "customer", &target_id, &target, "score", "why"], lines.collect(), plain) {
        empty if empty.is_empty() => "Every customer is mapped or decided.\n".into(),
        text => text,
    }
}

/// The system that customers are mapped to.
fn there(integration: Integration) -> &'static str {
    integration.target(integration.root()).label()
}

/// What that system calls one of them.
fn party(integration: Integration) -> &'static str {
    integration.target(integration.root()).party().0
}

fn remarks(row: &MapRow, there: &str) -> String {
    let same = match row.same_name.as_slice() {
        [] => None,
        [one] => Some(format!("same name in {there}: {}", one.id)),
        many => Some(format!("{} of the same name in {there}", many.len())),
    };
    let note = Some(row.note.as_str()).filter(|note| !note.is_empty()).map(|note| shown(note).into_owned());
    let site = row.site.as_ref().map(|site| format!("site {}", shown(&site.name)));
    let remarks = row.remarks.iter().map(|remark| shown(remark).into_owned());
    note.into_iter().chain(site).chain(same).chain(remarks).collect::<Vec<_>>().join("; ")
}

pub fn mapping_import(import: &MappingImport) -> String {
    let mut text = String::new();
    for line in &import.diff {
        let _ = writeln!(text, "{}", shown(line));
    }
    let counted = format!("{} new, {} changed, {} as before", import.added, import.changed, import.unchanged);
    let _ = match (import.errors.is_empty(), import.dry_run) {
        (false, _) => writeln!(text, "Nothing was taken."),
        (true, true) => writeln!(text, "{counted}; nothing was taken (--dry-run)."),
        (true, false) => writeln!(text, "{counted}."),
    };
    text
}

pub fn fields(integration: Integration, rules: &[FieldRule], plain: bool) -> String {
    let row = |rule: &FieldRule| {
        vec![
            rule.entity.singular().to_owned(),
            rule.source.clone().into_owned(),
            rule.target.clone().into_owned(),
            rule.kind.clone().into_owned(),
            rule.rule.key().to_owned(),
            rule.editable_setting.as_deref().map(|leaf| format!("{integration}.{leaf}")).unwrap_or_default(),
            rule.note.clone(),
        ]
    };
    let header = ["of", "source", there(integration), "kind", "written", "setting", "note"];
    table(&header, rules.iter().map(row).collect(), plain)
}

/// Both sides with samples and counts.
pub fn field_sides(sides: &FieldSides, plain: bool) -> String {
    let samples = |samples: &[String]| shown(&samples.join(" | ")).into_owned();
    let of = sides.records;
    let source = |field: &SourceField| {
        let name = if field.title.is_empty() {
            field.name.clone()
        } else {
            format!("{} ({})", field.name, field.title)
        };
        vec![
            name,
            field.kind.key().to_owned(),
            format!("{} of {of}", field.have),
            field.told.clone(),
            samples(&field.samples),
        ]
    };
    let target = |field: &TargetField| {
        vec![
            shown(&field.label).into_owned(),
            field.id.to_string(),
            field.kind.key().to_owned(),
            format!("{} of {}", field.have, sides.assets),
            shown(&field.types.join(", ")).into_owned(),
            samples(&field.samples),
        ]
    };
    let sources = table(
        &["source", "kind", "records", "told by", "samples"],
        sides.sources.iter().map(source).collect(),
        plain,
    );
    let targets = table(
        &["Halo", "id", "kind", "assets", "types", "samples"],
        sides.targets.iter().map(target).collect(),
        plain,
    );
    format!("{sources}\n{targets}")
}

/// What an import would write of one record.
pub fn field_test(test: &FieldTest, plain: bool) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} {} ({})", test.integration.label(), test.name, test.id);
    let _ = match &test.asset {
        Some(asset) => writeln!(text, "asset {} {} ({})", asset.id, asset.name, asset.how),
        None => writeln!(text, "no asset yet: it would be created"),
    };
    let new = if test.is_new_type { ", which is made first" } else { "" };
    let _ = match &test.asset_type {
        Some(name) => writeln!(text, "type {name}{new}"),
        None => writeln!(text, "no type: it would be held"),
    };
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let row = |row: &TestedField| {
        vec![
            row.source.clone(),
            row.target.clone(),
            row.end.key().to_owned(),
            or(&row.before),
            or(&row.after),
            row.told.clone(),
            row.why.clone(),
        ]
    };
    let header = ["source", "Halo", "", "Halo now", "would be", "told by", "why"];
    text.push_str(&table(&header, test.rows.iter().map(row).collect(), plain));
    for note in &test.notes {
        let _ = writeln!(text, "{note}");
    }
    text.push_str("Nothing was written.\n");
    text
}

pub fn layouts(views: &[LayoutView]) -> String {
    let mut text = String::new();
    for view in views {
        let _ = writeln!(text, "{}: layout '{}' {}", view.entity, shown(&view.layout), view.state.key());
        if !view.sentence.is_empty() {
            let _ = writeln!(text, "  {}", shown(&view.sentence));
        }
    }
    text
}

pub fn test(report: &TestReport) -> String {
    let mut text = String::new();
    let verdict = if report.ok { "ok" } else { "not ok" };
    let _ = writeln!(text, "{}: {verdict}", report.place.label());
    for check in &report.checks {
        let state = match check.state {
            CheckState::Ok => "ok",
            CheckState::Failed => "failed",
            CheckState::Unproven => "unproven",
            CheckState::Skipped => "skipped",
        };
        let _ = writeln!(text, "  {}: {state}. {}", shown(&check.name), shown(&check.message));
    }
    text
}

pub fn saved(changed: &[SavedChange], notes: &[String]) -> String {
    let mut text = String::new();
    for change in changed {
        let value = |text: &str| if text.is_empty() { "empty".to_owned() } else { shown(text).into_owned() };
        let _ = writeln!(text, "{}: {} -> {}", change.key, value(&change.before), value(&change.after));
    }
    if changed.is_empty() {
        text += "Nothing changed.\n";
    }
    for note in notes {
        let _ = writeln!(text, "{}", shown(note));
    }
    text
}

/// Where a running job is, on one line.
pub fn progress(progress: &JobProgress) -> String {
    let phase = match &progress.phase {
        Phase::Reading { what, done, of } => reading(what, *done, *of),
        Phase::Planning => "planning".into(),
        Phase::Applying => progress
            .stages
            .iter()
            .find(|stage| stage.done < stage.total)
            .or(progress.stages.last())
            .map_or_else(
                || "applying".into(),
                |stage| format!("{} {}/{}", stage.entity, stage.done, stage.total),
            ),
        Phase::Verifying { what } => format!("verifying {}", shown(what)),
        Phase::Stopping => "stopping after the record in hand".into(),
    };
    let mut text = format!("{} {}: {phase}", progress.job, progress.integration.label());
    for (number, word) in [(progress.held, "held"), (progress.failed, "failed")] {
        if number > 0 {
            let _ = write!(text, ", {number} {word}");
        }
    }
    if progress.is_paused {
        text += ", paused";
    }
    if let Some(seconds) = progress.seconds_left {
        let _ = write!(text, ", about {} left", duration(seconds));
    }
    if let Some(waiting) = &progress.waiting {
        let _ = write!(text, " ({})", shown(waiting));
    }
    text
}

pub fn reading(what: &str, done: u64, of: Option<u64>) -> String {
    match of {
        Some(of) => format!("reading {} {done}/{of}", shown(what)),
        None => format!("reading {} {done}", shown(what)),
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// In this machine's zone, to the minute.
fn moment(moment: Moment) -> String {
    moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// In this machine's zone, to the second.
pub fn exact(moment: Moment) -> String {
    moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_rows_have_no_columns_and_no_blanks() {
        let rows = vec![vec![
            String::new(),
            "310101".into(),
            "Alder & Finch Ltd".into(),
            String::new(),
            "new".into(),
        ]];
        assert_eq!(table(&["", "id", "name", "x", "state"], rows, true), "310101; Alder & Finch Ltd; new\n");
    }

    #[test]
    fn columns_have_no_frame_and_no_trailing_space() {
        let rows = vec![vec!["1".into(), "Łódź 東京".into()], vec!["22".into(), "b".into()]];
        assert_eq!(table(&["id", "name"], rows, false), "id  name\n1   Łódź 東京\n22  b\n");
    }

    #[test]
    fn an_endless_name_is_cut_and_the_last_column_never() {
        let rows = vec![vec!["長".repeat(80), "why ".repeat(30)]];
        let text = table(&["name", "why"], rows, false);
        let row = text.lines().nth(1).unwrap();
        assert!(row.split("  ").next().unwrap().width() <= WIDEST, "{row}");
        assert!(row.contains('…') && row.ends_with(&"why ".repeat(30).trim_end()), "{row}");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(duration(8), "8 s");
        assert_eq!(duration(130), "3 min");
        assert_eq!(duration(7300), "2 h 1 min");
    }
}
