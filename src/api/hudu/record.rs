//! Hudu's records as plain types, and the values of an asset's fields in one normal form whatever way they are read or
//! written (apis/hudu.md 9.1, 15.7).

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::wire;
use crate::api::row::Scalar;
use crate::model::date::{parse_vendor_date, parse_vendor_moment};
use crate::model::{Address, Class, Date, Moment, Problem, TargetId};

/// Keys that no asset field may have: Hudu refuses them (apis/hudu.md 9.1).
pub const RESERVED: [&str; 3] = ["name", "created_at", "updated_at"];
/// What a relation calls an asset.
pub const ASSET: &str = "Asset";
/// Hudu's name of its own Halo integration.
const HALO: &str = "halo";

/// A company. Blank fields are `None`, whether Hudu left them out, null or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    pub id: TargetId,
    pub name: Box<str>,
    pub id_number: Option<Box<str>>,
    pub nickname: Option<Box<str>>,
    pub company_type: Option<Box<str>>,
    pub phone: Option<Box<str>>,
    pub website: Option<Box<str>>,
    pub address: Address,
    pub is_archived: bool,
    /// Where people open it.
    pub url: Box<str>,
    /// Halo's id of the customer that Hudu's own integration has matched to it.
    pub halo_id: Option<Box<str>>,
}

/// A kind of asset with the fields its assets have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub id: i64,
    pub name: Box<str>,
    /// Hudu shows assets of active layouts only (H9).
    pub is_active: bool,
    pub fields: Vec<LayoutField>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutField {
    pub id: i64,
    pub label: Arc<str>,
    pub kind: FieldKind,
    pub is_required: bool,
    pub position: i64,
    /// The layout whose assets an asset link leads to.
    pub linkable: Option<i64>,
}

/// Hudu's field types, as far as they are written (apis/hudu.md 8). Their spelling matters: older servers store a wrong
/// one and cannot read the layout any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    RichText,
    CheckBox,
    Website,
    Email,
    Phone,
    Number,
    Date,
    AssetTag,
    AddressData,
    /// A type that is not written: headings, passwords, lists, and those still to come.
    Other(Box<str>),
}

impl FieldKind {
    fn read(text: &str) -> Self {
        match text {
            "Text" => Self::Text,
            "RichText" => Self::RichText,
            "CheckBox" => Self::CheckBox,
            "Website" => Self::Website,
            "Email" => Self::Email,
            "Phone" => Self::Phone,
            "Number" => Self::Number,
            "Date" => Self::Date,
            "AssetTag" => Self::AssetTag,
            "AddressData" => Self::AddressData,
            other => Self::Other(other.into()),
        }
    }

    /// As Hudu spells it.
    pub fn key(&self) -> &str {
        match self {
            Self::Text => "Text",
            Self::RichText => "RichText",
            Self::CheckBox => "CheckBox",
            Self::Website => "Website",
            Self::Email => "Email",
            Self::Phone => "Phone",
            Self::Number => "Number",
            Self::Date => "Date",
            Self::AssetTag => "AssetTag",
            Self::AddressData => "AddressData",
            Self::Other(other) => other,
        }
    }
}

/// One value of an asset. A blank one is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(Box<str>),
    Flag(bool),
    Number(i64),
    Date(Date),
    Address(Box<Address>),
    /// Ids of assets of the same company.
    Assets(Vec<i64>),
}

impl Cell {
    /// What a value of this kind is worth, in the form that both sides compare; `None` for blank, and for what cannot be
    /// read as its kind (then it differs from whatever is wanted).
    pub fn read(kind: &FieldKind, value: &Json) -> Option<Self> {
        let text = || -> Option<Box<str>> {
            match value {
                Json::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Into::into),
                Json::Number(number) => Some(number.to_string().into()),
                Json::Bool(flag) => Some(flag.to_string().into()),
                _ => None,
            }
        };
        // Objects and lists are sometimes JSON inside a text.
        let inner = || -> Json {
            match value {
                Json::String(text) => serde_json::from_str(text).unwrap_or(Json::Null),
                other => other.clone(),
            }
        };
        match kind {
            FieldKind::CheckBox => match value {
                Json::Bool(flag) => Some(Self::Flag(*flag)),
                _ => match &*text()?.to_ascii_lowercase() {
                    "true" | "1" | "yes" => Some(Self::Flag(true)),
                    "false" | "0" | "no" => Some(Self::Flag(false)),
                    _ => None,
                },
            },
            FieldKind::Number => text()?.parse().ok().map(Self::Number),
            FieldKind::Date => date(&text()?).map(Self::Date),
            FieldKind::AddressData => address(&inner()).map(|address| Self::Address(Box::new(address))),
            FieldKind::AssetTag => {
                let Json::Array(list) = inner() else { return None };
                let id = |entry: &Json| entry.as_i64().or_else(|| entry.get("id")?.as_i64());
                let mut ids: Vec<i64> = list.iter().filter_map(id).collect();
                ids.sort_unstable();
                (!ids.is_empty()).then_some(Self::Assets(ids))
            }
            _ => text().map(Self::Text),
        }
    }

    /// As it is written into a field of this kind (P67).
    ///
    /// # Errors
    /// The kind cannot hold such a value; the sentence says so.
    pub fn write(&self, kind: &FieldKind) -> Result<Json, String> {
        let cannot = || Err(format!("a {} field cannot hold this", kind.key()));
        Ok(match (kind, self) {
            (FieldKind::Text | FieldKind::RichText | FieldKind::Phone, Self::Text(text)) => json!(text),
            (FieldKind::Email, Self::Text(text)) if text.contains('@') => json!(text),
            (FieldKind::Website, Self::Text(text)) => match website(text) {
                Some(text) => json!(text),
                None => return cannot(),
            },
            (FieldKind::Text | FieldKind::Number, Self::Number(number)) => json!(number.to_string()),
            (FieldKind::Number, Self::Text(text)) if text.trim().parse::<i64>().is_ok() => json!(text.trim()),
            (FieldKind::Text, Self::Date(date)) => json!(date.to_string()),
            (FieldKind::Text, Self::Flag(flag)) => json!(if *flag { "Yes" } else { "No" }),
            (FieldKind::Text, Self::Address(address)) => json!(address.to_string()),
            // The text is what both older and newer servers take (apis/hudu.md 9.1).
            (FieldKind::CheckBox, Self::Flag(flag)) => json!(flag.to_string()),
            (FieldKind::Date, Self::Date(date)) => json!(date.strftime("%Y/%m/%d").to_string()),
            (FieldKind::AddressData, Self::Address(address)) => {
                let (first, second) = address.street.split_once('\n').unwrap_or((&address.street, ""));
                let parts = [
                    ("address_line_1", first.trim().to_owned()),
                    ("address_line_2", second.trim().replace('\n', ", ")),
                    ("city", address.city.to_string()),
                    ("state", address.region.to_string()),
                    ("zip", address.postcode.to_string()),
                    ("country_name", address.country.to_string()),
                ];
                // A blank part would be one that somebody cleared.
                Json::Object(
                    parts
                        .into_iter()
                        .filter(|(_, text)| !text.is_empty())
                        .map(|(name, text)| (name.to_owned(), json!(text)))
                        .collect(),
                )
            }
            (FieldKind::AssetTag, Self::Assets(ids)) => json!(ids),
            _ => return cannot(),
        })
    }

    /// What reading back a write of this value into a field of this kind gives.
    pub fn settled(&self, kind: &FieldKind) -> Option<Self> {
        Self::read(kind, &self.write(kind).ok()?)
    }
}

/// The three spellings that are seen (apis/hudu.md 9.1).
fn date(text: &str) -> Option<Date> {
    let (day, _) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    if let Some((first, rest)) = day.split_once('/') {
        let (second, third) = rest.split_once('/')?;
        let [first, second, third] = [first, second, third].map(|part| part.parse::<i16>().ok());
        let (year, month, day) = match (first?, second?, third?) {
            (year, month, day) if year > 31 => (year, month, day),
            (month, day, year) => (year, month, day),
        };
        return Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok();
    }
    parse_vendor_date(day).ok().flatten()
}

fn address(json: &Json) -> Option<Address> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().trim();
    let street = match (text("address_line_1"), text("address_line_2")) {
        (first, "") => first.into(),
        ("", second) => second.into(),
        (first, second) => format!("{first}\n{second}").into(),
    };
    let address = Address {
        street,
        city: text("city").into(),
        region: text("state").into(),
        postcode: text("zip").into(),
        country: text("country_name").into(),
    };
    (!address.is_blank()).then_some(address)
}

/// Only `https://` is taken (apis/hudu.md 8).
fn website(text: &str) -> Option<String> {
    let bare = text.trim();
    let bare = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).unwrap_or(bare);
    (!bare.is_empty() && !bare.contains(char::is_whitespace)).then(|| format!("https://{bare}"))
}

/// A site, user or contract as an asset of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub id: TargetId,
    pub company: TargetId,
    pub layout: i64,
    pub name: Box<str>,
    pub is_archived: bool,
    pub url: Box<str>,
    /// When anything of it was changed last, where Hudu says.
    pub changed: Option<Moment>,
    /// Labels that hold something, in the order of the layout.
    pub cells: Vec<(Arc<str>, Cell)>,
    /// Records of Hudu's own Halo integration that sit on it.
    pub cards: Vec<Card>,
}

impl Asset {
    /// The value under a label, in any case.
    pub fn cell(&self, label: &str) -> Option<&Cell> {
        self.cells.iter().find(|(other, _)| other.eq_ignore_ascii_case(label)).map(|(_, cell)| cell)
    }
}

/// An asset with records of Hudu's own Halo integration on it, whatever its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carded {
    pub layout: i64,
    pub layout_name: Box<str>,
    pub name: Box<str>,
    pub cards: Vec<Card>,
}

/// A relation between two assets; from and to are their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    pub id: i64,
    pub from: i64,
    pub to: i64,
}

/// A record of Halo that Hudu's own integration has put on an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// `site`, `contact` or `asset`.
    pub kind: Box<str>,
    pub halo_id: Box<str>,
}

impl Layout {
    /// A field by its label, in any case.
    pub fn field(&self, label: &str) -> Option<&LayoutField> {
        self.fields.iter().find(|field| field.label.trim().eq_ignore_ascii_case(label.trim()))
    }
}

impl LayoutField {
    /// The key under which the field is written: lower case, spaces as underscores.
    pub fn key(&self) -> String {
        key_of(&self.label)
    }
}

/// See [`LayoutField::key`].
pub fn key_of(label: &str) -> String {
    label.trim().to_lowercase().replace(' ', "_")
}

fn id_of(id: &Scalar, what: &str, name: &Scalar) -> Result<i64, Problem> {
    id.id().filter(|id| *id > 0).ok_or_else(|| {
        let name = name.text().unwrap_or_default();
        let name = crate::model::text::shown(&name);
        Problem::new(Class::Record, format!("A {what} that Hudu listed ('{name}') has no id."))
    })
}

pub fn company(json: &wire::Company) -> Result<Company, Problem> {
    let id = id_of(&json.id, "company", &json.name)?;
    let halo =
        json.integrations.iter().flatten().find(|matched| {
            matched.integrator_name.text().is_some_and(|name| name.eq_ignore_ascii_case(HALO))
        });
    let text = |scalar: &Scalar| scalar.text().unwrap_or_default();
    let street = match (text(&json.address_line_1), text(&json.address_line_2)) {
        (first, second) if second.is_empty() => first,
        (first, second) if first.is_empty() => second,
        (first, second) => format!("{first}\n{second}").into(),
    };
    Ok(Company {
        id: id.into(),
        name: text(&json.name),
        id_number: json.id_number.text(),
        nickname: json.nickname.text(),
        company_type: json.kind.text(),
        phone: json.phone_number.text(),
        website: json.website.text(),
        address: Address {
            street,
            city: text(&json.city),
            region: text(&json.state),
            postcode: text(&json.zip),
            country: text(&json.country_name),
        },
        is_archived: json.archived.flag().unwrap_or(false),
        url: json.full_url.text().or_else(|| json.url.text()).unwrap_or_default(),
        halo_id: halo.and_then(|matched| matched.sync_id.text().or_else(|| matched.identifier.text())),
    })
}

pub fn layout(json: &wire::Layout) -> Result<Layout, Problem> {
    let id = id_of(&json.id, "asset layout", &json.name)?;
    let mut fields: Vec<LayoutField> = json
        .fields
        .iter()
        .flatten()
        .filter(|field| field.is_destroyed.flag() != Some(true))
        .filter_map(|field| {
            Some(LayoutField {
                id: field.id.id()?,
                label: field.label.text()?.into(),
                kind: FieldKind::read(&field.field_type.text().unwrap_or_default()),
                is_required: field.required.flag().unwrap_or(false),
                position: field.position.id().unwrap_or(0),
                linkable: field.linkable_id.id(),
            })
        })
        .collect();
    fields.sort_by_key(|field| (field.position, field.id));
    Ok(Layout {
        id,
        name: json.name.text().unwrap_or_default(),
        is_active: json.active.flag().unwrap_or(true),
        fields,
    })
}

fn cards(json: &wire::Asset) -> Vec<Card> {
    json.cards
        .iter()
        .flatten()
        .filter(|card| card.integrator_name.text().is_some_and(|name| name.eq_ignore_ascii_case(HALO)))
        .filter_map(|card| Some(Card { kind: card.sync_type.text()?, halo_id: card.sync_id.text()? }))
        .collect()
}

/// An asset with cards of Halo's; `None` for one without.
pub fn carded(json: &wire::Asset) -> Result<Option<(i64, Carded)>, Problem> {
    let id = id_of(&json.id, "asset", &json.name)?;
    let cards = cards(json);
    let asset = Carded {
        layout: json.layout_id.id().unwrap_or_default(),
        layout_name: json.layout_name.text().unwrap_or_default(),
        name: json.name.text().unwrap_or_default(),
        cards,
    };
    Ok((!asset.cards.is_empty()).then_some((id, asset)))
}

/// A relation between assets; `None` for one of other records, and for the row of the way back.
pub fn relation(json: &wire::Relation) -> Result<Option<(i64, Relation)>, Problem> {
    let id = id_of(&json.id, "relation", &Scalar::default())?;
    let end = |kind: &Scalar, id: &Scalar| {
        id.id().filter(|id| *id > 0 && kind.text().is_some_and(|kind| &*kind == ASSET))
    };
    let ends = (end(&json.fromable_type, &json.fromable_id), end(&json.toable_type, &json.toable_id));
    let (Some(from), Some(to)) = ends else { return Ok(None) };
    let is_inverse = json.is_inverse.flag() == Some(true);
    Ok((!is_inverse).then_some((id, Relation { id, from, to })))
}

/// An asset of this layout; `None` for one of another, which a server that does not know the filter lists too.
pub fn asset(json: wire::Asset, layout: &Layout) -> Result<Option<Asset>, Problem> {
    let id = id_of(&json.id, "asset", &json.name)?;
    if json.layout_id.id() != Some(layout.id) {
        return Ok(None);
    }
    let company = json
        .company_id
        .id()
        .filter(|id| *id > 0)
        .ok_or_else(|| Problem::new(Class::Record, format!("Hudu's asset {id} names no company.")))?;
    let cards = cards(&json);
    let given = json.fields.unwrap_or_default();
    let cells = layout
        .fields
        .iter()
        .filter_map(|field| {
            let label = field.label.trim();
            let value = given
                .iter()
                .find(|other| other.label.text().is_some_and(|text| text.eq_ignore_ascii_case(label)))?;
            Some((Arc::clone(&field.label), Cell::read(&field.kind, &value.value)?))
        })
        .collect();
    Ok(Some(Asset {
        id: id.into(),
        company: company.into(),
        layout: layout.id,
        name: json.name.text().unwrap_or_default(),
        is_archived: json.archived.flag().unwrap_or(false),
        url: json.url.text().unwrap_or_default(),
        changed: json.updated_at.text().and_then(|text| parse_vendor_moment(&text)),
        cells,
        cards,
    }))
}
