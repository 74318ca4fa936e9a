//! What applying a plan costs (N11): requests and time, under the pace of each place.

use super::{Action, Change, Cost};
use crate::model::settings::Pace;
use crate::model::{Entity, FieldName, Integration, Place};

/// Requests that a row sends: one write of the record, one more of the main site where the address of an
/// existing customer changes. A link that differs in nothing sends none.
pub fn requests(change: &Change) -> u64 {
    if !change.action.acts() || change.fields.is_empty() {
        return 0;
    }
    let addresses = change.fields.iter().filter(|field| field.name == FieldName::MainSiteAddress).count();
    if change.action == Action::Create || addresses == 0 {
        1
    } else {
        1 + u64::from(change.fields.len() > addresses)
    }
}

/// All rows together, each at the place that its kind is written to: of each what it is, what it does, and its
/// [`requests`].
pub fn cost(
    integration: Integration,
    rows: impl Iterator<Item = (Entity, Action, u64)>,
    pace: impl Fn(Place) -> Pace,
) -> Cost {
    let mut cost = Cost::default();
    for (entity, action, writes) in rows {
        // An existing record is read again before it is changed (P24).
        let each = if action == Action::Create { 1 } else { 2 };
        if writes > 0 {
            *cost.requests.entry(integration.target(entity)).or_default() += writes * each;
        }
    }
    cost.seconds = cost.requests.iter().map(|(place, count)| seconds(*count, &pace(*place))).sum();
    cost
}

/// The least time that so many requests take: the window's share, the spacing between two, and half a second each on
/// as many lanes as are allowed.
pub fn seconds(requests: u64, pace: &Pace) -> u64 {
    let requests_f = requests as f64;
    let share = if pace.share > 0.0 && pace.share <= 1.0 { pace.share } else { 1.0 };
    let allowed = f64::from(pace.requests) * share;
    let window = if pace.requests == 0 || requests_f <= allowed {
        0.0
    } else {
        // The first window's worth goes at once; the rest waits for its turn.
        (requests_f - allowed) / allowed * f64::from(pace.per_seconds)
    };
    let spacing = requests_f * pace.spacing_ms as f64 / 1000.0;
    let lanes = requests_f * 0.5 / f64::from(pace.at_once.max(1));
    window.max(spacing).max(lanes).ceil() as u64
}
