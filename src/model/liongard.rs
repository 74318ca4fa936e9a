//! What Liongard says of environments, systems and devices: facts as given, nothing interpreted (apis/liongard.md).

use std::sync::Arc;

use super::SourceId;
use super::packed::{Pack, Packer, Unpacker};

/// One customer in Liongard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEnvironment {
    pub id: SourceId,
    pub name: Box<str>,
    pub short_name: Option<Box<str>>,
    pub website: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub is_visible: bool,
    /// A view for the customer's own people, not a customer of its own (apis/liongard.md 8.1).
    pub is_customer_view: bool,
}

/// The values of the wanted paths of one record, in the order they were asked for; `None` where it has none.
pub type Facts = Box<[Option<Arc<str>>]>;

/// One inspector's findings on one target: a machine, or a whole tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSystem {
    pub id: SourceId,
    /// Never changes once it is there, and is not unique.
    pub name: Arc<str>,
    /// A few systems belong to none.
    pub environment: Option<SourceId>,
    /// Which kind of inspector; its number is the same on every instance.
    pub inspector: Option<i64>,
    pub is_visible: bool,
    pub facts: Facts,
}

/// Begins with its id and its environment.
impl Pack for SourceSystem {
    fn pack(&self, to: &mut Packer) {
        let Self { id, name, environment, inspector, is_visible, facts } = self;
        id.pack(to);
        to.option(environment.as_ref(), |to, environment| environment.pack(to));
        to.text(name);
        to.option(*inspector, |to, number| to.number(number.cast_unsigned()));
        to.byte((*is_visible).into());
        to.each(facts.iter(), |to, fact| to.option(fact.as_deref(), Packer::text));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self {
            id: SourceId::unpack(from),
            environment: from.option(SourceId::unpack),
            name: from.text().into(),
            inspector: from.option(|from| from.number().cast_signed()),
            is_visible: from.byte() != 0,
            facts: from.each(|from| from.option(|from| from.text().into())),
        }
    }
}

impl SourceSystem {
    /// The beginning of a packed one: its id and its environment.
    pub fn whose(from: &mut Unpacker<'_>) -> (SourceId, Option<SourceId>) {
        (SourceId::unpack(from), from.option(SourceId::unpack))
    }
}

/// A device as Liongard puts it together from several inspectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDevice {
    /// A UUID.
    pub id: SourceId,
    pub environment: SourceId,
    pub hostname: Option<Arc<str>>,
    pub serial: Option<Arc<str>>,
    pub alias: Option<Arc<str>>,
    /// `Discovery`, `Inventory` or `Archive`.
    pub state: Arc<str>,
    pub facts: Facts,
}

/// A kind of inspector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInspector {
    pub id: i64,
    pub alias: Box<str>,
}

/// A metric that can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMetric {
    /// The same on every instance.
    pub uuid: Box<str>,
    pub name: Box<str>,
    pub inspector: Option<i64>,
}

/// The value of one metric for one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricValue {
    pub system: SourceId,
    pub uuid: Box<str>,
    pub text: Arc<str>,
}
