//! `audit log|verify|export`: the trail (P33), read from its files, whoever else has the store open.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::Value as Json;

use super::args::{Audit, Facts};
use super::exit::{DONE, FAILED, Failure};
use super::files;
use super::out::Out;
use super::text::exact;
use crate::engine::audit::{self, Changed, Fact, Filter, Named};
use crate::matching::mapping_csv::guarded;
use crate::model::text::shown;
use crate::model::{Class, Problem};
use crate::store::trail::{Broken, Shelf, Verified};
use crate::store::{Places, Seq};

pub fn run(out: &Out, places: &Places, command: &Audit) -> Result<u8, Failure> {
    let dir = places.audit();
    match command {
        Audit::Log { filter, last } => {
            let found = match shelf(&dir)? {
                Some(shelf) => {
                    audit::read(&shelf, &wanted(filter), if *last == 0 { usize::MAX } else { *last })?
                }
                None => audit::Facts { facts: [].into(), matched: 0 },
            };
            let shown = found.facts.len() as u64;
            out.either(&LogDocument { matched: found.matched, facts: found.facts.iter().collect() }, || {
                if shown == 0 { "Nothing.".into() } else { found.facts.iter().map(in_words).collect() }
            })?;
            if shown < found.matched {
                let more = found.matched - shown;
                out.remark(&format!("... and {more} earlier ones; `--last 0` shows all."));
            }
            Ok(DONE)
        }
        Audit::Verify => verify(out, &dir),
        Audit::Export { file, csv, filter } => export(out, &dir, file.as_deref(), *csv, &wanted(filter)),
    }
}

/// The trail in that folder; `None` where nothing was ever written.
fn shelf(dir: &Path) -> Result<Option<Shelf>, Problem> {
    if dir.exists() { Shelf::open(dir).map(Some) } else { Ok(None) }
}

fn wanted(facts: &Facts) -> Filter {
    Filter {
        job: facts.job,
        kinds: facts.kinds.clone(),
        since: facts.since,
        until: facts.until,
        record: facts.customer.clone(),
        find: facts.find.clone(),
    }
}

#[derive(Serialize)]
struct LogDocument<'a> {
    /// How many there are; `facts` has the newest of them, oldest first.
    matched: u64,
    facts: Vec<&'a Fact>,
}

/// `2026-01-31 14:00:07  ben  intent J12 row 4  ALSO customer Alder (310101): send: ...`, its changes below.
fn in_words(fact: &Fact) -> String {
    let mut text = format!("{:>6}  {}  {:<8}", fact.seq, exact(fact.at), fact.kind);
    if let Some(job) = fact.job {
        let _ = write!(text, "  {job}");
    }
    if let Some(row) = fact.row {
        let _ = write!(text, " row {row}");
    }
    let about = [
        fact.integration.map(|integration| integration.label().to_owned()),
        fact.entity.filter(|_| fact.source.is_some()).map(|entity| entity.singular().to_owned()),
        fact.source.as_ref().map(|source| shown(&source.to_string()).into_owned()),
        fact.customer.as_ref().map(|customer| format!("of {}", shown(&customer.to_string()))),
    ];
    let about: Vec<_> = about.into_iter().flatten().collect();
    if !about.is_empty() {
        let _ = write!(text, "  {}:", about.join(" "));
    }
    let _ = write!(text, "  {}", shown(&fact.text));
    if let Some(target) = fact.target.as_ref().filter(|_| fact.kind == "outcome") {
        let _ = write!(text, " (Halo {target})");
    }
    // Who let a job write is said by its approval: on each of its lines it would only be noise.
    if let Some(by) = fact.by.as_ref().filter(|_| fact.row.is_none()) {
        let _ = write!(text, "  by {}", shown(by));
    }
    text.push('\n');
    for changed in &fact.changes {
        let _ = writeln!(text, "          {}", change(changed));
    }
    text
}

fn change(changed: &Changed) -> String {
    let name = shown(&changed.name);
    match (&changed.before, &changed.after) {
        (None, after) => format!("{name}: {}", value(after.as_ref())),
        (before, after) => format!("{name}: {} -> {}", value(before.as_ref()), value(after.as_ref())),
    }
}

fn value(value: Option<&Json>) -> String {
    match value {
        None => "nothing".into(),
        Some(Json::String(text)) => shown(text).into_owned(),
        Some(other) => other.to_string(),
    }
}

#[derive(Serialize)]
struct VerifyDocument {
    ok: bool,
    records: u64,
    first_seq: Seq,
    last_seq: Seq,
    /// Written after the last commit: by a process that is at it, or by one that was killed.
    unfinished_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<BrokenBody>,
}

#[derive(Serialize)]
struct BrokenBody {
    seq: Seq,
    file: String,
    line: u64,
    why: String,
}

fn verify(out: &Out, dir: &Path) -> Result<u8, Failure> {
    if !dir.exists() {
        let nothing = Verified { records: 0, last_seq: 0 };
        return verdict(out, 1, 0, Ok(nothing));
    }
    match Shelf::open(dir) {
        Ok(shelf) => verdict(out, shelf.first_seq(), shelf.unfinished_bytes(), shelf.verify()),
        // It cannot even be opened: the full check says where.
        Err(problem) => match crate::store::trail::verify_dir(dir) {
            Err(broken) => verdict(out, 0, 0, Err(broken)),
            Ok(_) => Err(problem.into()),
        },
    }
}

fn verdict(
    out: &Out,
    first_seq: Seq,
    unfinished_bytes: u64,
    checked: Result<Verified, Broken>,
) -> Result<u8, Failure> {
    match checked {
        Ok(Verified { records, last_seq }) => {
            let document =
                VerifyDocument { ok: true, records, first_seq, last_seq, unfinished_bytes, broken: None };
            out.either(&document, || {
                let mut text = format!("{records} records up to line {last_seq}: the chain is whole.\n");
                if first_seq > 1 {
                    let _ = writeln!(
                        text,
                        "It begins at line {first_seq}; older lines were let go, their outcome is kept."
                    );
                }
                if unfinished_bytes > 0 {
                    let _ = writeln!(
                        text,
                        "{unfinished_bytes} bytes behind it were never acknowledged; they do not count."
                    );
                }
                text
            })?;
            Ok(DONE)
        }
        Err(broken) => {
            let problem = Problem::from(broken.clone());
            let document = VerifyDocument {
                ok: false,
                records: 0,
                first_seq,
                last_seq: broken.seq.saturating_sub(1),
                unfinished_bytes,
                broken: Some(BrokenBody {
                    seq: broken.seq,
                    file: broken.file.display().to_string(),
                    line: broken.line,
                    why: broken.why,
                }),
            };
            out.either(&document, String::new)?;
            super::complain(&problem.to_string());
            Ok(FAILED)
        }
    }
}

#[derive(Serialize)]
struct ExportDocument<'a> {
    file: &'a str,
    lines: u64,
}

fn export(out: &Out, dir: &Path, file: Option<&Path>, csv: bool, filter: &Filter) -> Result<u8, Failure> {
    let narrows = filter.job.is_some()
        || !filter.kinds.is_empty()
        || [&filter.record, &filter.find].into_iter().any(Option::is_some)
        || [filter.since, filter.until].into_iter().any(|at| at.is_some());
    if narrows && !csv {
        return Err(Problem::new(Class::Input, "Lines that are picked out would no longer prove anything.")
            .remedy("Export the whole trail, or use --csv or `audit log --json` for chosen facts.")
            .into());
    }
    let shelf = shelf(dir)?;
    let write = |to: &mut dyn Write| match &shelf {
        None => Ok(0),
        Some(shelf) if csv => table(shelf, filter, to),
        Some(shelf) => as_it_is(shelf, to),
    };
    match file {
        Some(file) => {
            let mut lines = 0;
            files::stream(file, |to| {
                lines = write(to)?;
                Ok(())
            })?;
            let name = file.display().to_string();
            out.either(&ExportDocument { file: &name, lines }, || format!("{lines} lines are in {name}."))?;
        }
        None if out.json => {
            return Err(Problem::new(
                Class::Input,
                "The export and a JSON document cannot both go to standard output.",
            )
            .remedy("Name a file for the export, or leave --json out.")
            .into());
        }
        None => super::out::stream(|to| write(to).map(drop))?,
    }
    Ok(DONE)
}

/// Every line, the trail's own too, so that whoever has the file can check the chain.
fn as_it_is(shelf: &Shelf, to: &mut dyn Write) -> Result<u64, Problem> {
    let mut lines = 0;
    shelf.each_line(|line| {
        lines += 1;
        to.write_all(line).map_err(|error| unwritten(&error))
    })?;
    Ok(lines)
}

const COLUMNS: [&str; 16] = [
    "seq",
    "at",
    "kind",
    "by",
    "job",
    "plan",
    "integration",
    "entity",
    "row",
    "source_id",
    "source_name",
    "customer_id",
    "target_id",
    "text",
    "before",
    "after",
];

fn table(shelf: &Shelf, filter: &Filter, to: &mut dyn Write) -> Result<u64, Problem> {
    let mut writer = csv::Writer::from_writer(to);
    let failed = |error: csv::Error| unwritten(&error);
    writer.write_record(COLUMNS).map_err(failed)?;
    let mut lines = 1;
    audit::each(shelf, filter, |fact| {
        lines += 1;
        writer.write_record(cells(&fact).map(|cell| guarded(&cell))).map_err(failed)
    })?;
    writer.flush().map_err(|error| unwritten(&error))?;
    Ok(lines)
}

fn cells(fact: &Fact) -> [String; 16] {
    fn text<T: ToString>(value: Option<&T>) -> String {
        value.map(T::to_string).unwrap_or_default()
    }
    let id = |named: &Option<Named>| named.as_ref().map(|named| named.id.to_string()).unwrap_or_default();
    let side = |side: fn(&Changed) -> Option<&Json>| {
        let values =
            fact.changes.iter().filter_map(|c| Some(format!("{}: {}", c.name, value(Some(side(c)?)))));
        values.collect::<Vec<_>>().join("; ")
    };
    [
        fact.seq.to_string(),
        super::json::moment(fact.at),
        fact.kind.clone(),
        fact.by.clone().unwrap_or_default(),
        text(fact.job.as_ref()),
        text(fact.plan.as_ref()),
        text(fact.integration.as_ref()),
        text(fact.entity.as_ref()),
        text(fact.row.as_ref()),
        id(&fact.source),
        fact.source.as_ref().map(|named| named.name.clone()).unwrap_or_default(),
        id(&fact.customer),
        text(fact.target.as_ref()),
        fact.text.clone(),
        side(|changed| changed.before.as_ref()),
        side(|changed| changed.after.as_ref()),
    ]
    .map(|cell| shown(&cell).into_owned())
}

fn unwritten(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Class::Local, format!("The export cannot be written: {error}."))
        .remedy("Name another file, or make room.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Integration, JobId, Moment, SourceId};

    #[test]
    fn a_fact_reads_as_a_sentence_with_its_changes_below() {
        let fact = Fact {
            seq: 7,
            at: Moment::UNIX_EPOCH,
            kind: "intent".into(),
            by: Some("ben@10.0.0.7".into()),
            job: Some(JobId(12)),
            plan: None,
            integration: Some(Integration::Also),
            entity: Some(crate::model::Entity::Customers),
            row: Some(4),
            source: Some(Named { id: SourceId::new("310101"), name: "Alder\u{1b}[31m".into() }),
            customer: None,
            target: None,
            text: "send: set customer 12 in Halo".into(),
            changes: vec![Changed { name: "name".into(), before: None, after: Some("=1+1".into()) }],
        };
        let text = in_words(&fact);
        assert!(
            text.contains(
                "intent    J12 row 4  ALSO customer Alder^[[31m (310101):  send: set customer 12 in Halo\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("          name: =1+1\n"), "{text}");
        let cells = cells(&fact);
        assert_eq!(cells[15], "name: =1+1");
        assert_eq!(cells[10], "Alder^[[31m");
    }
}
