//! Where the workspace lies in the index. What people decided follows from the trail; what was read from Halo can be
//! read again. A company's configurations are one deflated piece, so that half a million of them are never in memory.

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::book::Book;
use crate::engine::keys;
use crate::lifecycle::company::{Company, HaloCompany};
use crate::lifecycle::configuration::{Configuration, Local};
use crate::lifecycle::report::{Head, Report, ReportId};
use crate::lifecycle::term::HaloTerm;
use crate::lifecycle::workspace::Edit;
use crate::model::asset::AssetField;
use crate::model::{Moment, PlanId, Problem};
use crate::store::Op;

/// A company's configurations as last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    pub read_at: Moment,
    pub configurations: Vec<Configuration>,
}

/// What Halo has, as last read: for mapping by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaloLists {
    pub types: Vec<HaloTerm>,
    pub companies: Vec<HaloCompany>,
    /// Names of Halo's asset fields, and when they were read; `None`: never.
    #[serde(default)]
    pub fields: Vec<String>,
    #[serde(default)]
    pub fields_at: Option<Moment>,
    pub read_at: Option<Moment>,
}

impl HaloLists {
    pub fn know_fields(&mut self, definitions: &[AssetField], at: Moment) {
        self.fields = definitions.iter().map(|field| field.name.trim().to_owned()).collect();
        self.fields_at = Some(at);
    }
}

/// One step of a person, with what it replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub title: String,
    pub before: Vec<Edit>,
    pub after: Vec<Edit>,
}

fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![b'w', b'/', kind, b'/'];
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}
pub fn part(name: &str) -> Vec<u8> {
    key(b'p', &[name.as_bytes()])
}
fn company(id: u32) -> Vec<u8> {
    key(b'c', &[&id.to_be_bytes()])
}
fn local(asset: i64) -> Vec<u8> {
    key(b'l', &[&asset.to_be_bytes()])
}
fn draft(company: u32) -> Vec<u8> {
    key(b'd', &[&company.to_be_bytes()])
}
fn head(report: u32) -> Vec<u8> {
    key(b'h', &[&report.to_be_bytes()])
}
fn frozen(report: u32) -> Vec<u8> {
    key(b'r', &[&report.to_be_bytes()])
}
fn fleet(halo: i64) -> Vec<u8> {
    key(b'a', &[&halo.to_be_bytes()])
}
fn fleet_count(halo: i64) -> Vec<u8> {
    key(b'n', &[&halo.to_be_bytes()])
}
pub fn stage(plan: PlanId, what: &[u8]) -> Vec<u8> {
    // Below the plan, so that it goes with it.
    let mut key = keys::plan_all(plan);
    key.extend(b"w/");
    key.extend(what);
    key
}
fn step(number: u64) -> Vec<u8> {
    key(b'u', &[&number.to_be_bytes()])
}

/// The index operations of a fact. Absolute, so that playing it again changes nothing.
pub fn project(edits: &[Edit], ops: &mut Vec<Op>) {
    for edit in edits {
        match edit {
            Edit::Types(list) => ops.extend(keys::put_big(&part("types"), list)),
            Edit::Statuses(list) => ops.extend(keys::put_big(&part("statuses"), list)),
            Edit::Grades(rules) => ops.extend(keys::put_big(&part("grades"), rules)),
            Edit::Classes(list) => ops.extend(keys::put_big(&part("classes"), list)),
            Edit::Policies(list) => ops.extend(keys::put_big(&part("policies"), list)),
            Edit::Templates(list) => ops.extend(keys::put_big(&part("templates"), list)),
            Edit::Company(one) => ops.extend(keys::put_big(&company(one.id), one)),
            Edit::Local { asset, local: known } if known.is_empty() => ops.push(Op::Del(local(*asset))),
            Edit::Local { asset, local: known } => ops.extend(keys::put_big(&local(*asset), known)),
            Edit::Draft { report, company, at } => {
                ops.push(keys::put(draft(*company), &(report, at)));
                ops.extend(keys::put_big(&part("reports"), report));
            }
            Edit::Discard { company, .. } => ops.push(Op::Del(draft(*company))),
            Edit::Complete(report) => {
                ops.extend(keys::put_big(&frozen(report.head.id.0), report));
                ops.extend(keys::put_big(&head(report.head.id.0), &report.head));
                ops.push(Op::Del(draft(report.head.company)));
                ops.extend(keys::put_big(&part("reports"), &report.head.id.0));
            }
        }
    }
}

/// The index operations of a step, done, taken back or brought again.
pub fn project_step(number: u64, step_of: &Step, undone: Option<bool>, ops: &mut Vec<Op>) {
    let edits = if undone == Some(true) { &step_of.before } else { &step_of.after };
    project(edits, ops);
    if undone.is_none() {
        ops.extend(keys::put_big(&step(number), step_of));
        ops.push(Op::Del(step(number + 1)));
    }
    let top = if undone == Some(true) { number.saturating_sub(1) } else { number };
    ops.push(keys::put(part("top"), &top));
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::new(crate::model::Class::Local, format!("The workspace could not be stored: {error}."))
}

pub fn deflate(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut deflated, value).map_err(unwritten)?;
    deflated.finish().map_err(unwritten)
}

/// What is put aside while much else comes and goes. In one piece: the small parts of thousands would lie scattered
/// between what is let go, and none of that memory could be used again.
pub struct Aside(DeflateEncoder<Vec<u8>>);

impl Default for Aside {
    fn default() -> Self {
        Self(DeflateEncoder::new(Vec::new(), Compression::fast()))
    }
}

impl Aside {
    pub fn put(&mut self, value: &impl Serialize) -> Result<(), Problem> {
        serde_json::to_writer(&mut self.0, value).map_err(unwritten)
    }

    /// All of it, in the order it came.
    pub fn take<T: DeserializeOwned>(self) -> Result<Vec<T>, Problem> {
        let kept = self.0.finish().map_err(unwritten)?;
        let text = std::io::BufReader::new(DeflateDecoder::new(kept.as_slice()));
        serde_json::Deserializer::from_reader(text).into_iter().collect::<Result<_, _>>().map_err(unwritten)
    }
}

fn inflate<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut text = Vec::with_capacity(bytes.len() * 6);
    std::io::Read::read_to_end(&mut DeflateDecoder::new(bytes), &mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Typed reads.
impl Book {
    pub fn lifecycle_part<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.get_big(&part(name))
    }

    pub fn company(&self, id: u32) -> Result<Option<Company>, Problem> {
        self.get_big(&company(id))
    }

    pub fn companies(&self) -> Result<Vec<Company>, Problem> {
        let mut companies = Vec::new();
        self.each_big_value(&key(b'c', &[]), |_, company| companies.push(company))?;
        Ok(companies)
    }

    pub fn local(&self, asset: i64) -> Result<Option<Local>, Problem> {
        self.get_big(&local(asset))
    }

    /// Whether anything is known of any asset beyond Halo: mostly not, and then nobody need ask for each.
    pub fn has_locals(&self) -> Result<bool, Problem> {
        let mut any = false;
        self.each(&key(b'l', &[]), |_, _| {
            any = true;
            Ok(())
        })?;
        Ok(any)
    }

    /// Every asset of which something is known beyond Halo.
    pub fn each_local(&self, mut with: impl FnMut(i64, Local)) -> Result<(), Problem> {
        let prefix = key(b'l', &[]);
        let mut ids = Vec::new();
        self.each(&prefix, |rest, _| {
            ids.extend(<[u8; 8]>::try_from(rest).ok().map(i64::from_be_bytes));
            Ok(())
        })?;
        for id in ids {
            if let Some(local) = self.local(id)? {
                with(id, local);
            }
        }
        Ok(())
    }

    /// The configurations of a Halo customer.
    pub fn fleet(&self, halo: i64) -> Result<Option<Fleet>, Problem> {
        self.big_bytes(&fleet(halo)).map(|bytes| bytes.as_deref().and_then(inflate))
    }

    /// How many configurations a Halo customer has here, and when they were read.
    pub fn fleet_count(&self, halo: i64) -> Result<Option<(u64, Moment)>, Problem> {
        self.get(&fleet_count(halo))
    }

    pub fn fleet_ops(halo: i64, of: &Fleet) -> Result<Vec<Op>, Problem> {
        let mut ops = keys::put_bytes(&fleet(halo), &deflate(of)?);
        ops.push(keys::put(fleet_count(halo), &(of.configurations.len() as u64, of.read_at)));
        Ok(ops)
    }

    pub fn halo_lists(&self) -> Result<HaloLists, Problem> {
        let bytes = self.big_bytes(&part("halo"))?;
        Ok(bytes.as_deref().and_then(inflate).unwrap_or_default())
    }

    pub fn halo_lists_ops(lists: &HaloLists) -> Result<Vec<Op>, Problem> {
        Ok(keys::put_bytes(&part("halo"), &deflate(lists)?))
    }

    pub fn put_stage(&self, plan: PlanId, what: &[u8], value: &impl Serialize) -> Result<(), Problem> {
        self.cache(&keys::put_bytes(&stage(plan, what), &deflate(value)?))
    }

    pub fn stage<T: DeserializeOwned>(&self, plan: PlanId, what: &[u8]) -> Result<Option<T>, Problem> {
        let bytes = self.big_bytes(&stage(plan, what))?;
        Ok(bytes.as_deref().and_then(inflate))
    }

    pub fn draft(&self, company: u32) -> Result<Option<(u32, Moment)>, Problem> {
        self.get(&draft(company))
    }

    /// Every open draft: the company, the report and when it was begun.
    pub fn drafts(&self) -> Result<Vec<(u32, u32, Moment)>, Problem> {
        let mut drafts = Vec::new();
        self.each(&key(b'd', &[]), |rest, value| {
            let id = <[u8; 4]>::try_from(rest).ok().map(u32::from_be_bytes);
            let draft: Option<(u32, Moment)> = serde_json::from_slice(&value).ok();
            if let (Some(company), Some((report, at))) = (id, draft) {
                drafts.push((company, report, at));
            }
            Ok(())
        })?;
        Ok(drafts)
    }

    pub fn heads(&self) -> Result<Vec<Head>, Problem> {
        let mut heads = Vec::new();
        self.each_big_value(&key(b'h', &[]), |_, head| heads.push(head))?;
        Ok(heads)
    }

    pub fn frozen(&self, report: ReportId) -> Result<Option<Report>, Problem> {
        self.get_big(&frozen(report.0))
    }

    pub fn lifecycle_top(&self) -> Result<u64, Problem> {
        Ok(self.get(&part("top"))?.unwrap_or(0))
    }

    pub fn lifecycle_step(&self, number: u64) -> Result<Option<Step>, Problem> {
        self.get_big(&step(number))
    }
}
