//! Halo's assets, their types, groups and fields (apis/halopsa.md 7, 9).
//!
//! A list shows an asset's fields only type by type (`includeassetfields`), and never its Liongard id (decision 24).
//! Whether fields that are left out of a write keep their values is contested, so a write always sends all of them
//! (decision 19, P24).

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::client::{Halo, Saved, not_a_record, number};
use crate::api::budget::Permit;
use crate::api::call::{Effect, WriteVerdict};
use crate::api::lenient::{Entry, List};
use crate::api::listing::{Form, Listing, Page, Progress};
use crate::api::row::{Row, Scalar, read_page_of};
use crate::model::asset::{Asset, AssetField, AssetGroup, AssetType, AssetValue, Definitions, FieldKind};
use crate::model::date::parse_vendor_date;
use crate::model::text::Pool;
use crate::model::{Class, Problem, TargetId};

/// Dates and notes that every asset has; single objects carry them.
const COLUMNS: [&str; 7] = [
    "warranty_start",
    "warranty_end",
    "supplier_purchasedate",
    "commissiondate",
    "notes",
    "username",
    "last_modified",
];

/// So often a list without a length is read until two readings agree.
const READINGS: usize = 4;

/// The asset types, groups and fields that were read last. No lock is held while they are read: who reads waits for a
/// place among the requests, and whoever has one may be waiting for them.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<(u64, Option<Arc<Definitions>>)>);

impl Known {
    fn now(&self) -> MutexGuard<'_, (u64, Option<Arc<Definitions>>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often they were forgotten, and what is known.
    pub(super) fn get(&self) -> (u64, Option<Arc<Definitions>>) {
        self.now().clone()
    }

    pub(super) fn forget(&self) {
        let mut now = self.now();
        *now = (now.0 + 1, None);
    }

    /// Keeps what was read, unless it was forgotten since the reading began.
    pub(super) fn keep(&self, since: u64, read: &Arc<Definitions>) {
        let mut now = self.now();
        if now.0 == since {
            now.1 = Some(Arc::clone(read));
        }
    }
}

/// An asset to be created. The site decides the customer; Halo wants both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    pub customer: TargetId,
    pub site: Option<TargetId>,
    pub asset_type: TargetId,
    pub values: AssetValues,
}

/// What a write sets; everything else stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssetValues {
    /// Fields by the id of their definition; of a list the id of the chosen value.
    pub fields: Vec<(TargetId, Box<str>)>,
    /// Halo's own columns, such as `inventory_number` or `liongardid`.
    pub columns: Vec<(Box<str>, Json)>,
    pub is_active: Option<bool>,
    pub asset_type: Option<TargetId>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AssetRow {
    id: Scalar,
    inventory_number: Scalar,
    key_field: Scalar,
    key_field2: Scalar,
    key_field3: Scalar,
    client_id: Scalar,
    client_name: Scalar,
    site_id: Scalar,
    assettype_id: Scalar,
    assettype_name: Scalar,
    status_name: Scalar,
    inactive: Scalar,
    liongardid: Scalar,
    liongard_id: Scalar,
    third_party_id_string: Scalar,
    fields: Option<List<Entry<FieldRow>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FieldRow {
    id: Scalar,
    name: Scalar,
    value: Scalar,
    display: Scalar,
    lookup: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TypeRow {
    id: Scalar,
    name: Scalar,
    assetgroup_id: Scalar,
    fields: Option<List<Entry<TypeFieldRow>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TypeFieldRow {
    field_id: Scalar,
    sequence: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DefinitionRow {
    id: Scalar,
    name: Scalar,
    validate: Scalar,
    lookup: Scalar,
    datalength: Scalar,
    values: List<Entry<OptionRow>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OptionRow {
    id: Scalar,
    name: Scalar,
    value: Scalar,
}

/// Which fields of an asset are kept: all, or those with these ids.
pub type Keep<'a> = Option<&'a [TargetId]>;

impl Halo {
    /// Every asset, inactive ones too, without fields.
    pub async fn assets(&self, progress: Progress<'_>) -> Result<Listing<Asset>, Problem> {
        self.asset_list("assets", &[("includeinactive", "true")], None, &Some, progress).await
    }

    /// Every asset of one type with its fields, inactive ones too, each as `form` keeps it.
    pub async fn assets_of_type<T: PartialEq + Send>(
        &self,
        asset_type: &TargetId,
        keep: Keep<'_>,
        form: Form<'_, Asset, T>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let query = [
            ("includeinactive", "true"),
            ("includeassetfields", "true"),
            ("assettype_id", asset_type.as_str()),
        ];
        let name = format!("assets of type {asset_type}");
        // A build that does not know the filter answers for every type.
        let of_type = |asset: Asset| (asset.asset_type == *asset_type).then(|| form(asset));
        self.asset_list(&name, &query, keep, &of_type, progress).await
    }

    /// The first assets of one type with their fields: for looking, no listing.
    pub async fn first_assets(&self, asset_type: &TargetId, most: usize) -> Result<Vec<Asset>, Problem> {
        let size = most.to_string();
        let query = [
            ("pageinate", "true"),
            ("page_no", "1"),
            ("page_size", size.as_str()),
            ("includeassetfields", "true"),
            ("assettype_id", asset_type.as_str()),
        ];
        let what = format!("the first assets of type {asset_type}");
        let pool = Pool::default();
        let page = self.get(&what, "/Asset", &query, |body| read_page_of::<AssetRow>(body, "assets")).await?;
        let rows = page.rows.into_iter().flatten().filter_map(|row| asset(row, None, &pool).ok());
        Ok(rows.filter(|asset| asset.asset_type == *asset_type).take(most).collect())
    }

    /// Every asset of one customer, inactive ones too, without fields.
    pub async fn assets_of(&self, customer: &TargetId) -> Result<Listing<Asset>, Problem> {
        let query = [("includeinactive", "true"), ("client_id", customer.as_str())];
        let name = format!("assets of customer {customer}");
        let of_customer = |asset: Asset| (asset.customer.as_ref() == Some(customer)).then_some(asset);
        self.asset_list(&name, &query, None, &of_customer, &|_, _| {}).await
    }

    /// Every asset of one customer with its fields, inactive ones too. Lists carry fields of one type at a time only
    /// (apis/halopsa.md 4): first which types there are, then each.
    pub async fn full_assets_of(
        &self,
        customer: &TargetId,
        keep: Keep<'_>,
    ) -> Result<Listing<Asset>, Problem> {
        let bare = self.assets_of(customer).await?;
        let listed = bare.records.len();
        let kinds: BTreeSet<TargetId> = bare.records.iter().map(|asset| asset.asset_type.clone()).collect();
        let mut all = Listing { records: Vec::with_capacity(listed), ..bare };
        let mut why_not = all.certificate.why_not.take();
        for kind in &kinds {
            let query = [
                ("includeinactive", "true"),
                ("includeassetfields", "true"),
                ("assettype_id", kind.as_str()),
                ("client_id", customer.as_str()),
            ];
            let name = format!("assets of type {kind} of customer {customer}");
            let listing = self.asset_list(&name, &query, keep, &Some, &|_, _| {}).await?;
            why_not = why_not.or(listing.certificate.why_not);
            all.problems.extend(listing.problems);
            let is_meant =
                |asset: &Asset| asset.asset_type == *kind && asset.customer.as_ref() == Some(customer);
            all.records.extend(listing.records.into_iter().filter(is_meant));
        }
        let full = all.records.len();
        if full < listed && why_not.is_none() {
            why_not =
                Some(format!("Of {listed} assets of customer {customer} {full} came with their fields."));
        }
        all.certificate.seen = full as u64;
        all.certificate.complete = why_not.is_none();
        all.certificate.why_not = why_not;
        Ok(all)
    }

    /// Assets that some integration brought in, by the word that Halo uses for it (`liongard`), each as `form` keeps it.
    pub async fn assets_imported_by<T: PartialEq + Send>(
        &self,
        integration: &str,
        form: Form<'_, Asset, T>,
    ) -> Result<Listing<T>, Problem> {
        let query = [("includeinactive", "true"), ("integration_type", integration)];
        let form = |asset: Asset| Some(form(asset));
        self.asset_list(&format!("assets from {integration}"), &query, None, &form, &|_, _| {}).await
    }

    /// Assets that Halo's own search finds for a text. Which fields it covers nobody documents: finding one means
    /// something, finding none does not.
    pub async fn search_assets(&self, text: &str) -> Result<Vec<Asset>, Problem> {
        let query = [("includeinactive", "true"), ("search", text)];
        self.asset_list("assets of a text", &query, None, &Some, &|_, _| {}).await?.proven()
    }

    /// One asset with all its fields; `None` where Halo knows no such id.
    pub async fn asset(&self, id: &TargetId) -> Result<Option<Asset>, Problem> {
        let Some(json) = self.one("asset", "/Asset", id).await? else { return Ok(None) };
        asset_in(&json).map(Some)
    }

    /// Types, groups and fields, read once a client: they change only by what this client makes.
    pub async fn asset_definitions(&self) -> Result<Arc<Definitions>, Problem> {
        let (since, known) = self.definitions.get();
        if let Some(known) = known {
            return Ok(known);
        }
        let read = Arc::new(Definitions {
            types: self.asset_types().await?,
            groups: self.asset_groups().await?,
            fields: self.asset_fields().await?,
        });
        self.definitions.keep(since, &read);
        Ok(read)
    }

    /// Forgets them: something was made, or somebody looks anew.
    pub fn forget_asset_definitions(&self) {
        self.definitions.forget();
    }

    /// Every type with the fields it has.
    pub async fn asset_types(&self) -> Result<Vec<AssetType>, Problem> {
        let mut types = Vec::new();
        for row in self.bare::<TypeRow>("asset types", "/AssetType", &[], |row| &row.id).await? {
            let id = TargetId::from(positive(&row.id, "asset type", &row.name)?);
            if row.fields.is_some() {
                types.push(asset_type(row)?);
            } else if let Some(one) = self.asset_type(&id).await? {
                types.push(one);
            }
        }
        Ok(types)
    }

    /// One type; `None` where Halo knows no such id.
    pub async fn asset_type(&self, id: &TargetId) -> Result<Option<AssetType>, Problem> {
        let Some(json) = self.one("asset type", "/AssetType", id).await? else { return Ok(None) };
        type_in(&json).map(Some)
    }

    pub async fn asset_groups(&self) -> Result<Vec<AssetGroup>, Problem> {
        let rows = self.bare::<OptionRow>("asset groups", "/AssetGroup", &[], |row| &row.id).await?;
        rows.into_iter()
            .map(|row| {
                let id = positive(&row.id, "asset group", &row.name)?;
                Ok(AssetGroup { id: id.into(), name: row.name.text().unwrap_or_default() })
            })
            .collect()
    }

    /// The definitions of all asset fields (`kind=T`).
    pub async fn asset_fields(&self) -> Result<Vec<AssetField>, Problem> {
        let rows =
            self.bare::<DefinitionRow>("asset fields", "/Field", &[("kind", "T")], |row| &row.id).await?;
        rows.into_iter().map(definition).collect()
    }

    /// Makes an asset field. It belongs to no type yet.
    pub async fn create_asset_field(
        &self,
        permit: Permit,
        name: &str,
        kind: FieldKind,
    ) -> WriteVerdict<AssetField> {
        let what = format!("the new asset field '{}'", crate::model::text::shown(name));
        let json = object(json!({"kind": "T", "name": name, "validate": letter(kind)}));
        let saved =
            |json: &Json| definition(DefinitionRow::deserialize(json).map_err(|error| unreadable(&error))?);
        self.write(Effect::Create, &what, permit, "/Field", json, None, |body| Saved::whole(body, saved))
            .await
    }

    /// Makes an asset type in a group, with these fields; the first three are its keys.
    pub async fn create_asset_type(
        &self,
        permit: Permit,
        name: &str,
        group: &TargetId,
        fields: &[TargetId],
    ) -> WriteVerdict<AssetType> {
        let prepared = number(group, "asset group").and_then(|group| {
            let fields = fields.iter().map(|field| number(field, "asset field"));
            Ok((group, fields.collect::<Result<Vec<i64>, Problem>>()?))
        });
        let (group, fields) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        let rows: Vec<Json> = fields
            .iter()
            .enumerate()
            .map(|(at, field)| json!({"field_id": field, "sequence": at + 1, "type": "X"}))
            .collect();
        let mut json =
            object(json!({"name": name, "assetgroup_id": group, "allowall_status": true, "fields": rows}));
        for (name, field) in ["keyfield_id", "keyfield2_id", "keyfield3_id"].iter().zip(&fields) {
            json.insert((*name).to_owned(), json!(field));
        }
        let what = format!("the new asset type '{}'", crate::model::text::shown(name));
        self.write(Effect::Create, &what, permit, "/AssetType", json, None, |body| {
            Saved::whole(body, type_in)
        })
        .await
    }

    /// Gives a type more fields. Its list of fields is read, extended and sent whole.
    pub async fn add_fields_to_type(
        &self,
        permit: Permit,
        asset_type: &TargetId,
        fields: &[TargetId],
    ) -> WriteVerdict<AssetType> {
        let numbers =
            fields.iter().map(|field| number(field, "asset field")).collect::<Result<Vec<i64>, Problem>>();
        let read = self.on_behalf().one("asset type", "/AssetType", asset_type).await.and_then(|found| {
            let found = found.ok_or_else(|| gone("asset type", asset_type))?;
            Ok((found, numbers?))
        });
        let (found, numbers) = match read {
            Ok(read) => read,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        let mut rows = found.get("fields").and_then(Json::as_array).cloned().unwrap_or_default();
        let number_of = |row: &Json| Row::of(row, &["field_id"]).and_then(|row| row.get("field_id").id());
        for number in numbers {
            if !rows.iter().any(|row| number_of(row) == Some(number)) {
                rows.push(json!({"field_id": number, "sequence": rows.len() + 1, "type": "X"}));
            }
        }
        let json = object(json!({"fields": rows}));
        self.update(permit, "asset type", "/AssetType", asset_type, json, |body| Saved::whole(body, type_in))
            .await
    }

    /// Creates an asset as a whole.
    pub async fn create_asset(&self, permit: Permit, new: &NewAsset) -> WriteVerdict<Asset> {
        let prepared = number(&new.customer, "customer").and_then(|customer| {
            let mut json = asset_json(&new.values, &[])?;
            json.insert("client_id".into(), json!(customer));
            json.insert("assettype_id".into(), json!(number(&new.asset_type, "asset type")?));
            if let Some(site) = &new.site {
                json.insert("site_id".into(), json!(number(site, "site")?));
            }
            Ok(json)
        });
        let json = match prepared {
            Ok(json) => json,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        let what = format!("the new asset of customer {}", new.customer);
        self.write(Effect::Create, &what, permit, "/Asset", json, None, |body| Saved::whole(body, asset_in))
            .await
    }

    /// Sets the given values of an asset. Its fields are read right before and sent back whole, so that none is lost
    /// where Halo blanks what is left out (decision 19).
    pub async fn update_asset(
        &self,
        permit: Permit,
        id: &TargetId,
        values: &AssetValues,
    ) -> WriteVerdict<Asset> {
        let current = if values.fields.is_empty() {
            Ok(Vec::new())
        } else {
            self.on_behalf().one("asset", "/Asset", id).await.and_then(|found| {
                let found = found.ok_or_else(|| gone("asset", id))?;
                match found.get("fields") {
                    Some(Json::Array(rows)) => Ok(rows.clone()),
                    None | Some(Json::Null) => Ok(Vec::new()),
                    Some(_) => Err(Problem::new(
                        Class::Record,
                        format!("The fields of asset {id} could not be read; nothing was written."),
                    )),
                }
            })
        };
        match current.and_then(|current| asset_json(values, &current)) {
            Ok(json) => {
                self.update(permit, "asset", "/Asset", id, json, |body| Saved::whole(body, asset_in)).await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    /// The assets that `form` answers, as it does.
    async fn asset_list<T: PartialEq + Send>(
        &self,
        name: &str,
        query: &[(&str, &str)],
        keep: Keep<'_>,
        form: Form<'_, Asset, Option<T>>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let pool = Pool::default();
        let parse = |body: &[u8], what: &str| -> Result<Page<Option<T>>, String> {
            let page = read_page_of::<AssetRow>(body, "assets")?;
            let rows = page.rows.into_iter().map(|row| {
                let row = row.ok_or_else(|| not_a_record(what))?;
                let asset = asset(row, keep, &pool)?;
                Ok((asset.id.number().unwrap_or_default(), form(asset)))
            });
            Ok(Page { rows: rows.collect(), total: page.total })
        };
        let Listing { records, certificate, problems } =
            self.paged(name, "/Asset", query, &parse, progress).await?;
        Ok(Listing { records: records.into_iter().flatten().collect(), certificate, problems })
    }

    /// A list that Halo does not page. It says nowhere how long it is, and what is missing from it would be made a second
    /// time: so it counts once another reading brings nothing new.
    async fn bare<R: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        path: &str,
        query: &[(&str, &str)],
        id: fn(&R) -> &Scalar,
    ) -> Result<Vec<R>, Problem> {
        let what = format!("the list of {name}");
        let mut all: Vec<R> = Vec::new();
        let mut ids = HashSet::new();
        for reading in 0..READINGS {
            let page = self.get(&what, path, query, |body| read_page_of::<R>(body, name)).await?;
            let before = ids.len();
            for row in page.rows {
                let row = row.ok_or_else(|| not_a_record(&what))?;
                if ids.insert(positive(id(&row), name, &Scalar::default())?) {
                    all.push(row);
                }
            }
            if reading > 0 && ids.len() == before {
                return Ok(all);
            }
        }
        Err(Problem::new(
            Class::Host,
            format!("Halo answered {what} differently each time in {READINGS} readings."),
        )
        .remedy("Nothing is planned from it; run it again."))
    }
}

/// What is sent: the columns, and all fields with the new values in their places.
fn asset_json(values: &AssetValues, current: &[Json]) -> Result<Map<String, Json>, Problem> {
    let mut json = Map::new();
    for (name, value) in &values.columns {
        json.insert(name.to_string(), value.clone());
    }
    if let Some(active) = values.is_active {
        json.insert("inactive".into(), json!(!active));
    }
    if let Some(asset_type) = &values.asset_type {
        json.insert("assettype_id".into(), json!(number(asset_type, "asset type")?));
    }
    if !values.fields.is_empty() {
        let mut fields: Vec<(i64, Json)> = Vec::new();
        for row in current {
            let id = Row::of(row, &["id"]).and_then(|row| row.get("id").id());
            let (Some(id), Some(value)) = (id, row.get("value")) else { continue };
            if !value.is_null() && !fields.iter().any(|(other, _)| *other == id) {
                fields.push((id, value.clone()));
            }
        }
        for (field, text) in &values.fields {
            let id = number(field, "asset field")?;
            match fields.iter_mut().find(|(other, _)| *other == id) {
                Some((_, value)) => *value = json!(text),
                None => fields.push((id, json!(text))),
            }
        }
        let rows: Vec<Json> =
            fields.into_iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
        json.insert("fields".into(), Json::Array(rows));
        json.insert("_dontaddnewfields".into(), json!(true));
    }
    json.insert("_dont_fire_automations".into(), json!(true));
    Ok(json)
}

fn asset(row: AssetRow, keep: Keep<'_>, pool: &Pool) -> Result<Asset, Problem> {
    let id = TargetId::from(positive(&row.id, "asset", &row.inventory_number)?);
    let text = |value: &Scalar| -> Arc<str> { value.text().map_or_else(|| "".into(), Arc::from) };
    let shared = |value: &Scalar| pool.share(&text(value));
    let reference =
        |value: &Scalar| value.id().filter(|id| *id > 0).map(|id| TargetId::from(id).shared(pool));
    let keys = [&row.key_field, &row.key_field2, &row.key_field3];
    let key_values = keys.into_iter().filter_map(Scalar::text).map(|text| pool.share(&Arc::from(text)));
    let fields = match row.fields {
        Some(List::Items(rows)) => Some(rows),
        None | Some(List::NotAList) => None,
    };
    let fields = fields.map(|rows| {
        let values = rows.into_iter().filter_map(|row| {
            let Entry::Object(row) = row else { return None };
            let field = TargetId::from(row.id.id()?);
            if keep.is_some_and(|keep| !keep.contains(&field)) {
                return None;
            }
            // Of a list `value` is the id of what was chosen, `display` its words.
            let chosen = row.lookup.id().unwrap_or(0) > 0;
            let text = if chosen { row.display.text() } else { row.value.text() };
            let text = pool.share(&text.unwrap_or_default().into());
            Some(AssetValue { field: field.shared(pool), name: shared(&row.name), text })
        });
        values.collect()
    });
    Ok(Asset {
        tag: text(&row.inventory_number),
        key_values: key_values.collect(),
        asset_type: reference(&row.assettype_id).unwrap_or_else(|| TargetId::new("0")),
        type_name: shared(&row.assettype_name),
        customer: reference(&row.client_id),
        customer_name: shared(&row.client_name),
        site: reference(&row.site_id),
        status: shared(&row.status_name),
        // `inactive` is missing only on builds that omit what is false.
        is_active: !row.inactive.flag().unwrap_or(false),
        fields,
        columns: Box::default(),
        liongard: [row.liongardid, row.liongard_id].iter().find_map(|id| id.id().filter(|id| *id > 0)),
        third_party: row.third_party_id_string.text(),
        id,
    })
}

fn asset_in(json: &Json) -> Result<Asset, Problem> {
    let row = AssetRow::deserialize(json).map_err(|error| unreadable(&error))?;
    let mut asset = asset(row, None, &Pool::default())?;
    let columns = Row::of(json, &COLUMNS).unwrap_or_default();
    asset.columns = COLUMNS
        .iter()
        .filter_map(|name| {
            let text = columns.get(name).text()?;
            // Halo's "not set" is a day of long ago (2.9).
            let unset = text.starts_with("18") || text.starts_with("19");
            (!unset || !matches!(parse_vendor_date(&text), Ok(None))).then(|| ((*name).into(), text.into()))
        })
        .collect();
    Ok(asset)
}

fn asset_type(row: TypeRow) -> Result<AssetType, Problem> {
    let id = positive(&row.id, "asset type", &row.name)?;
    let List::Items(fields) = row.fields.unwrap_or_default() else {
        return Err(Problem::new(Class::Record, format!("The fields of asset type {id} could not be read.")));
    };
    let mut fields: Vec<(i64, TargetId)> = fields
        .into_iter()
        .filter_map(|row| match row {
            Entry::Object(row) => Some((row.sequence.id().unwrap_or(0), row.field_id.id()?.into())),
            Entry::Other => None,
        })
        .collect();
    fields.sort_by_key(|(sequence, _)| *sequence);
    Ok(AssetType {
        id: id.into(),
        name: row.name.text().unwrap_or_default(),
        group: row.assetgroup_id.id().filter(|id| *id > 0).map(TargetId::from),
        fields: fields.into_iter().map(|(_, field)| field).collect(),
    })
}

fn type_in(json: &Json) -> Result<AssetType, Problem> {
    asset_type(TypeRow::deserialize(json).map_err(|error| unreadable(&error))?)
}

fn definition(row: DefinitionRow) -> Result<AssetField, Problem> {
    let id = positive(&row.id, "asset field", &row.name)?;
    let options: Vec<(i64, Box<str>)> = match row.values {
        List::Items(rows) => rows
            .into_iter()
            .filter_map(|row| match row {
                Entry::Object(row) => Some((row.id.id()?, row.name.text().or_else(|| row.value.text())?)),
                Entry::Other => None,
            })
            .collect(),
        List::NotAList => Vec::new(),
    };
    let is_list = row.lookup.id().unwrap_or(0) > 0 || !options.is_empty();
    Ok(AssetField {
        id: id.into(),
        name: row.name.text().unwrap_or_default(),
        kind: if is_list { FieldKind::List } else { kind(row.validate.text().as_deref()) },
        limit: row.datalength.id().and_then(|length| u32::try_from(length).ok()).filter(|length| *length > 0),
        options,
    })
}

/// `X` is text, `D` a date, `C` a choice of yes or no; the letter of numbers is inferred (7.2). What is not known is
/// text, which takes anything.
fn kind(letter: Option<&str>) -> FieldKind {
    match letter {
        Some("D") => FieldKind::Date,
        Some("C") => FieldKind::Flag,
        Some("N" | "I") => FieldKind::Number,
        _ => FieldKind::Text,
    }
}

/// A list cannot be made this way: its values would be missing.
const fn letter(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text | FieldKind::List => "X",
        FieldKind::Date => "D",
        FieldKind::Flag => "C",
        FieldKind::Number => "N",
    }
}

fn positive(id: &Scalar, what: &str, name: &Scalar) -> Result<i64, Problem> {
    id.id().filter(|id| *id > 0).ok_or_else(|| {
        let name = name.text().unwrap_or_default();
        Problem::new(
            Class::Record,
            format!("An {what} that Halo listed ('{}') has no usable id.", crate::model::text::shown(&name)),
        )
    })
}

fn gone(what: &str, id: &TargetId) -> Problem {
    Problem::new(Class::Record, format!("Halo no longer knows {what} {id}; nothing was written."))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    Problem::new(Class::Record, format!("Halo's record cannot be used: {}.", crate::api::row::reason(error)))
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
