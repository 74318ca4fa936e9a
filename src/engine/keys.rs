//! Where things lie in the index: one prefix a kind, big-endian numbers, values under 4 KiB.
//!
//! A value that may be longer is cut into parts, the part's number behind the key; readers join them by a scan.

use serde::Serialize;

use crate::model::{Entity, Integration, JobId, OccurrenceId, Place, PlanId, SourceId, TargetId};
use crate::store::Op;

/// Longest part of a long value.
const PART: usize = 3500;

fn plain(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&b'/')
}

pub fn applied() -> Vec<u8> {
    b"m/seq".to_vec()
}
pub fn owner() -> Vec<u8> {
    b"m/owner".to_vec()
}
/// The last line, noted when the store was closed in good order.
pub fn clean() -> Vec<u8> {
    b"m/clean".to_vec()
}
/// Whether a key says how far this one index is, and not what the trail says.
pub fn is_own(key: &[u8]) -> bool {
    key == applied() || key == clean() || key.starts_with(b"meta/") || key.starts_with(NUMBERS)
}
/// How many bytes the last checkpoint took.
pub fn checkpoint() -> Vec<u8> {
    b"m/checkpoint".to_vec()
}
/// Counters: the last number given out, by what it counts.
pub const NUMBERS: &[u8] = b"m/next/";
pub fn next_number(of: &str) -> Vec<u8> {
    [NUMBERS, of.as_bytes()].concat()
}
pub fn settings() -> Vec<u8> {
    b"c/settings".to_vec()
}
pub fn tested(place: Place) -> Vec<u8> {
    plain(&[b"t", place.key().as_bytes()])
}
pub fn links(integration: Integration, entity: Entity) -> Vec<u8> {
    let mut key = plain(&[b"l", integration.key().as_bytes(), entity.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn link(integration: Integration, entity: Entity, id: &SourceId) -> Vec<u8> {
    with_id(links(integration, entity), id.as_str())
}
pub fn decisions(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"d", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn decision(integration: Integration, id: &SourceId) -> Vec<u8> {
    with_id(decisions(integration), id.as_str())
}
/// The pairs that a person has ruled out for a customer (P14).
pub fn refusals(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"k", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn refused(integration: Integration, id: &SourceId) -> Vec<u8> {
    with_id(refusals(integration), id.as_str())
}
/// Who decided about a customer last.
pub fn decideds(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"kd", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn decided(integration: Integration, id: &SourceId) -> Vec<u8> {
    with_id(decideds(integration), id.as_str())
}
/// Customers through whose mapping a record has ever come, with the moment of the last one (N4).
pub fn uses(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"ku", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn used(integration: Integration, customer: &SourceId) -> Vec<u8> {
    with_id(uses(integration), customer.as_str())
}
/// The marks of all links that are older than these marks are made.
pub fn uses_known(integration: Integration) -> Vec<u8> {
    plain(&[b"meta", b"uses", integration.key().as_bytes()])
}
/// What hangs on a source customer, as the last plan read it.
pub fn carried_all(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"kc", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn carried(integration: Integration, customer: &SourceId) -> Vec<u8> {
    with_id(carried_all(integration), customer.as_str())
}
pub fn step(integration: Integration, step: u64) -> Vec<u8> {
    let mut key = plain(&[b"u", integration.key().as_bytes()]);
    key.push(b'/');
    key.extend(step.to_be_bytes());
    key
}
pub fn step_top(integration: Integration) -> Vec<u8> {
    plain(&[b"v", integration.key().as_bytes()])
}
pub fn field_step(integration: Integration, step: u64) -> Vec<u8> {
    let mut key = plain(&[b"uf", integration.key().as_bytes()]);
    key.push(b'/');
    key.extend(step.to_be_bytes());
    key
}
pub fn field_step_top(integration: Integration) -> Vec<u8> {
    plain(&[b"vf", integration.key().as_bytes()])
}
/// Flags of Halo's customers that a person asked for here, and that are not set yet (L17b).
pub fn push_wishes() -> Vec<u8> {
    b"pw/".to_vec()
}
pub fn push_wish(customer: &str) -> Vec<u8> {
    with_id(push_wishes(), customer)
}
/// What Halo last answered when it was asked for new customers.
pub fn push_polled() -> Vec<u8> {
    b"m/push-polled".to_vec()
}
pub fn job(job: JobId) -> Vec<u8> {
    numbered(b"j/", job.0)
}
pub fn rows(job: JobId) -> Vec<u8> {
    let mut key = numbered(b"o/", job.0);
    key.push(b'/');
    key
}
pub fn row(job: JobId, row: u32) -> Vec<u8> {
    let mut key = rows(job);
    key.extend(row.to_be_bytes());
    key
}
/// Rows of a job that are done and of which nothing more is to be said, as stretches: under the first the last. What
/// [`row`] says of one counts for more.
pub fn stretches(job: JobId) -> Vec<u8> {
    let mut key = numbered(b"od/", job.0);
    key.push(b'/');
    key
}
pub fn stretch(job: JobId, first: u32) -> Vec<u8> {
    let mut key = stretches(job);
    key.extend(first.to_be_bytes());
    key
}
pub fn intents() -> Vec<u8> {
    b"i/".to_vec()
}
pub fn intent(integration: Integration, entity: Entity, id: &SourceId) -> Vec<u8> {
    let mut key = plain(&[b"i", integration.key().as_bytes(), entity.key().as_bytes()]);
    key.push(b'/');
    with_id(key, id.as_str())
}
pub fn quantity(integration: Integration, id: &SourceId, at: crate::model::Moment) -> Vec<u8> {
    let mut key = plain(&[b"q", integration.key().as_bytes()]);
    key.push(b'/');
    key = with_id(key, id.as_str());
    key.push(b'/');
    key.extend(at.as_nanosecond().to_be_bytes());
    key
}
/// The application that signs in to Halo, and the agent whose rights it has.
pub fn agent() -> Vec<u8> {
    plain(&[b"n", b"halo", b"agent"])
}

/// The last customer of Halo's whose own fields were looked at one by one.
pub fn looked_at() -> Vec<u8> {
    plain(&[b"n", b"halo", b"looked"])
}

/// A request about a layout of Hudu's, which this entity is written in, whose fate is not known.
pub fn layout(entity: Entity, name: &str) -> Vec<u8> {
    plain(&[b"y", entity.key().as_bytes(), name.trim().to_lowercase().as_bytes()])
}
/// What a person wishes of a job.
pub fn wish(job: JobId) -> Vec<u8> {
    numbered(b"w/", job.0)
}
/// Where the trail stood when a job began.
pub fn began(job: JobId) -> Vec<u8> {
    numbered(b"a/", job.0)
}
pub fn issues(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"e", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn issue(integration: Integration, entity: Entity, id: &SourceId) -> Vec<u8> {
    with_id(issues(integration), &format!("{entity}/{id}"))
}
pub fn asides(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"f", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn aside(integration: Integration, entity: Entity, id: &SourceId) -> Vec<u8> {
    with_id(asides(integration), &format!("{entity}/{id}"))
}
pub fn last(integration: Integration) -> Vec<u8> {
    plain(&[b"n", integration.key().as_bytes(), b"last"])
}
pub fn approved(integration: Integration) -> Vec<u8> {
    plain(&[b"n", integration.key().as_bytes(), b"approved"])
}
pub fn missings(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"z", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn missing(integration: Integration, entity: Entity, id: &SourceId) -> Vec<u8> {
    let mut key = missings(integration);
    key.extend(entity.key().as_bytes());
    key.push(b'/');
    with_id(key, id.as_str())
}
/// What became of the occurrences of a schedule, in the order of their local times.
pub fn occurrences(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"w", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn occurrence(integration: Integration, id: &OccurrenceId) -> Vec<u8> {
    with_id(occurrences(integration), &id.to_string())
}
/// From when a schedule counts.
pub fn schedule_since(integration: Integration) -> Vec<u8> {
    plain(&[b"y", integration.key().as_bytes(), b"since"])
}
/// From when Halo's customers count as new (L17a).
pub fn push_since() -> Vec<u8> {
    plain(&[b"y", Integration::Liongard.key().as_bytes(), b"push"])
}
/// When a person let a paused schedule go on.
pub fn schedule_resumed(integration: Integration) -> Vec<u8> {
    plain(&[b"y", integration.key().as_bytes(), b"resumed"])
}
/// What was said against the last reading of the mapping pane's two sides being whole.
pub fn read_doubts(integration: Integration) -> Vec<u8> {
    plain(&[b"r", integration.key().as_bytes(), b"doubts"])
}
/// What the mapping pane knows of the source's customers.
pub fn source_parties(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"s", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn source_party(integration: Integration, id: &SourceId) -> Vec<u8> {
    with_id(source_parties(integration), id.as_str())
}
/// What the mapping pane knows of a target's customers.
pub fn target_parties(place: Place) -> Vec<u8> {
    let mut key = plain(&[b"h", place.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn target_party(place: Place, id: &TargetId) -> Vec<u8> {
    with_id(target_parties(place), id.as_str())
}
/// What details of a Halo customer told when they were last read.
pub fn halo_cards() -> Vec<u8> {
    b"g/".to_vec()
}
pub fn halo_card(id: &TargetId) -> Vec<u8> {
    with_id(halo_cards(), id.as_str())
}
/// What the latest inspection of a system told.
pub fn inspections(integration: Integration) -> Vec<u8> {
    let mut key = plain(&[b"gi", integration.key().as_bytes()]);
    key.push(b'/');
    key
}
pub fn inspection(integration: Integration, system: &SourceId) -> Vec<u8> {
    with_id(inspections(integration), system.as_str())
}
/// What a look at assets that nothing links told of whose they are.
pub fn strangers(integration: Integration) -> Vec<u8> {
    plain(&[b"gs", integration.key().as_bytes()])
}
pub fn read_at(integration: Integration) -> Vec<u8> {
    plain(&[b"r", integration.key().as_bytes()])
}
/// The sample behind the field mappings, as it was last read.
pub fn field_sample(integration: Integration) -> Vec<u8> {
    plain(&[b"fs", integration.key().as_bytes()])
}
/// How many unmapped customers the last notice knew of.
pub fn told_unmapped(integration: Integration) -> Vec<u8> {
    plain(&[b"y", integration.key().as_bytes()])
}
/// Of which end of a secret, and of how many days before it, a reminder was given.
pub fn told_expiry(place: Place) -> Vec<u8> {
    plain(&[b"y/expiry", place.key().as_bytes()])
}
pub fn top_levels() -> Vec<u8> {
    b"r/toplevels".to_vec()
}
pub fn budget(place: Place) -> Vec<u8> {
    plain(&[b"b", place.key().as_bytes()])
}
pub fn plan(plan: PlanId) -> Vec<u8> {
    let mut key = numbered(b"p/", plan.0);
    key.extend(b"/h");
    key
}
pub fn plan_all(plan: PlanId) -> Vec<u8> {
    let mut key = numbered(b"p/", plan.0);
    key.push(b'/');
    key
}
pub fn plan_chunk(plan: PlanId, chunk: u32) -> Vec<u8> {
    let mut key = numbered(b"p/", plan.0);
    key.extend(b"/r/");
    key.extend(chunk.to_be_bytes());
    key
}

fn numbered(prefix: &[u8], number: u64) -> Vec<u8> {
    let mut key = prefix.to_vec();
    key.extend(number.to_be_bytes());
    key
}

fn with_id(mut key: Vec<u8>, id: &str) -> Vec<u8> {
    key.extend(id.as_bytes());
    key
}

/// A put of a value that is always short.
pub fn put(key: Vec<u8>, value: &impl Serialize) -> Op {
    Op::Put(key, json(value))
}

/// A put of a value of any length: part 0 under the key itself, further parts behind `\0` and their number. A shorter
/// value leaves no old part behind, since part 0 tells how many there are.
pub fn put_big(key: &[u8], value: &impl Serialize) -> Vec<Op> {
    put_bytes(key, &json(value))
}

pub fn put_bytes(key: &[u8], bytes: &[u8]) -> Vec<Op> {
    if bytes.len() <= PART {
        let mut whole = vec![1, 0];
        whole.extend(bytes);
        return vec![Op::Put(key.to_vec(), whole)];
    }
    let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| {
            if at == 0 {
                let mut first = count.to_le_bytes().to_vec();
                first.extend(part);
                Op::Put(key.to_vec(), first)
            } else {
                Op::Put(part_key(key, at), part.to_vec())
            }
        })
        .collect()
}

pub fn del_big(key: &[u8]) -> Vec<Op> {
    vec![Op::Del(key.to_vec())]
}

/// The key of a later part. Outside every scanned prefix, so that scans see part 0 only.
pub fn part_key(key: &[u8], part: usize) -> Vec<u8> {
    let mut long = part_prefix(key);
    long.extend(u16::try_from(part).unwrap_or(u16::MAX).to_be_bytes());
    long
}

/// What the keys of all later parts begin with.
pub fn part_prefix(key: &[u8]) -> Vec<u8> {
    [b"x/", key, b"\0"].concat()
}

/// A value of any length from its part 0; `None` where a part is missing. `value` looks a key up.
pub fn join<E>(
    key: &[u8],
    first: &[u8],
    mut value: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    let Some((count, rest)) = first.split_first_chunk::<2>() else { return Ok(None) };
    let mut whole = rest.to_vec();
    for part in 1..usize::from(u16::from_le_bytes(*count)) {
        let Some(more) = value(&part_key(key, part))? else { return Ok(None) };
        whole.extend(more);
    }
    Ok(Some(whole))
}

pub fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain data with text keys: serialising it to memory cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}
