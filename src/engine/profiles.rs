//! The profiles of this user, and what the trail of one says without its index: for what is looked at from outside,
//! while another process may hold the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::book::parse;
use super::keys;
use super::records::{Record, project};
use crate::model::Problem;
use crate::model::settings::{Kind, Settings};
use crate::store::trail::Shelf;
use crate::store::{Op, Places, Seq, lock};

/// What the trail says.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub records: u64,
    /// Of kinds that this program does not know: a newer one wrote them.
    pub unknown: u64,
    pub last_seq: Seq,
    pub settings: Settings,
}

/// Reads a trail from end to end, checking its chain. Settings are also found where the line that set them was let go.
///
/// # Errors
/// A trail that cannot be read or does not verify.
pub fn told(places: &Places) -> Result<Told, Problem> {
    let shelf = Shelf::open(&places.audit())?;
    let key = keys::settings();
    let (mut records, mut unknown) = (0, 0);
    let mut kept: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut ops = Vec::new();
    for line in shelf.read(shelf.first_seq())? {
        let line = line?;
        records += 1;
        match parse(&line.kind, line.data) {
            Ok(record @ (Record::Config { .. } | Record::Kept { .. })) => project(&record, &mut ops),
            Ok(_) => {}
            Err(_) => unknown += 1,
        }
        for op in ops.drain(..) {
            if let Op::Put(at, value) = op
                && (at == key || at.starts_with(&keys::part_prefix(&key)))
            {
                kept.insert(at, value);
            }
        }
    }
    let look = |at: &[u8]| Ok::<_, Problem>(kept.get(at).cloned());
    let whole = kept.get(&key).map(|first| keys::join(&key, first, look)).transpose()?.flatten();
    let settings = whole.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    Ok(Told { records, unknown, last_seq: shelf.last_seq(), settings })
}

/// One profile as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Profile {
    pub name: String,
    /// `None` where its trail cannot be read.
    pub kind: Option<Kind>,
    pub folder: PathBuf,
    /// The one that this command line works on.
    pub current: bool,
    /// The process that has its store now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
}

/// Every profile that was ever used, by name, and the current one.
pub fn list(current: &Places) -> Vec<Profile> {
    let mut places = Places::all();
    if !places.iter().any(|other| other.data == current.data) {
        places.push(current.clone());
    }
    let mut profiles: Vec<Profile> = places
        .iter()
        .map(|places| Profile {
            name: places.profile.clone(),
            kind: if places.audit().exists() {
                told(places).ok().map(|told| told.settings.profile.kind)
            } else {
                Some(Kind::default())
            },
            folder: places.data.clone(),
            current: places.data == current.data,
            process: lock::holder(&places.data).map(|holder| holder.pid),
        })
        .collect();
    profiles.sort_by(|a, b| a.name.cmp(&b.name));
    profiles
}
