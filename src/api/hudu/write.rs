//! Hudu's calls that change something. Each is sent once; what became of one without an answer is found by reading back,
//! since Hudu knows no upsert (apis/hudu.md 15.3).

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::client::{Hudu, asset_in, asset_path, company_in, layout_in, number, parse, relation_in};
use super::record::{ASSET, Asset, Cell, Company, FieldKind, Layout, RESERVED, Relation};
use crate::api::budget::Permit;
use crate::api::call::{Effect, WriteVerdict};
use crate::api::http::Method;
use crate::model::{Address, Class, Problem, TargetId};

/// Fields of a company; `None` leaves one as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompanyFields {
    pub name: Option<Box<str>>,
    /// The field that carries our key, and the key; in creates only.
    pub key: Option<(Box<str>, Box<str>)>,
    pub phone: Option<Box<str>>,
    pub website: Option<Box<str>>,
    pub address: Option<Address>,
}

/// An asset to be created, or the fields of one that change: labels that are not here stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewAsset {
    pub name: Option<Box<str>>,
    pub cells: Vec<(Arc<str>, Cell)>,
}

/// A layout to be created, with everything Hudu demands of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLayout {
    pub name: Box<str>,
    /// A Font Awesome class.
    pub icon: &'static str,
    pub fields: Vec<(Arc<str>, FieldKind, Option<i64>)>,
}

impl Hudu {
    pub async fn create_company(&self, permit: Permit, new: &CompanyFields) -> WriteVerdict<Company> {
        let what = format!("the new company '{}'", shown(new.name.as_deref()));
        let body = json!({"company": company_json(new)});
        let verdict = self
            .write(Effect::Create, &what, permit, Method::POST, "/companies", Some(body), |json| {
                company_in(json, None)
            })
            .await;
        match verdict {
            WriteVerdict::Rejected(problem) if problem.message.contains("already been taken") => {
                WriteVerdict::Rejected(problem.remedy(
                    "A company of this name is in Hudu, archived perhaps, since lists leave those out. Restore or rename it there, then map it.",
                ))
            }
            verdict => verdict,
        }
    }

    /// Sets the given fields of a company; the others stay as they are.
    pub async fn update_company(
        &self,
        permit: Permit,
        id: &TargetId,
        fields: &CompanyFields,
    ) -> WriteVerdict<Company> {
        let what = format!("the update of company {id}");
        let body = json!({"company": company_json(fields)});
        match number(id, "company") {
            Ok(number) => {
                let path = format!("/companies/{number}");
                self.write(Effect::Set, &what, permit, Method::PUT, &path, Some(body), |json| {
                    company_in(json, Some(id))
                })
                .await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    /// Archives or restores a company.
    pub async fn archive_company(
        &self,
        permit: Permit,
        id: &TargetId,
        archive: bool,
    ) -> WriteVerdict<Company> {
        let (verb, what) = archiving(archive, &format!("company {id}"));
        match number(id, "company") {
            Ok(number) => {
                let path = format!("/companies/{number}/{verb}");
                self.write(Effect::Set, &what, permit, Method::PUT, &path, None, |json| {
                    company_in(json, Some(id))
                })
                .await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    pub async fn create_asset(
        &self,
        permit: Permit,
        company: &TargetId,
        layout: &Layout,
        new: &NewAsset,
    ) -> WriteVerdict<Asset> {
        let what = format!("the new asset '{}' of company {company}", shown(new.name.as_deref()));
        let prepared = number(company, "company")
            .and_then(|number| Ok((format!("/companies/{number}/assets"), asset_json(layout, new)?)));
        match prepared {
            Ok((path, body)) => {
                self.write(Effect::Create, &what, permit, Method::POST, &path, Some(body), |json| {
                    asset_in(json, company, None, &[layout])
                })
                .await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    /// Sets the given fields of an asset; the others stay as they are.
    pub async fn update_asset(
        &self,
        permit: Permit,
        company: &TargetId,
        id: &TargetId,
        layout: &Layout,
        fields: &NewAsset,
    ) -> WriteVerdict<Asset> {
        let what = format!("the update of asset {id} of company {company}");
        let prepared = asset_path(company, id).and_then(|path| Ok((path, asset_json(layout, fields)?)));
        match prepared {
            Ok((path, body)) => {
                self.write(Effect::Set, &what, permit, Method::PUT, &path, Some(body), |json| {
                    asset_in(json, company, Some(id), &[layout])
                })
                .await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    /// Archives or restores an asset.
    pub async fn archive_asset(
        &self,
        permit: Permit,
        company: &TargetId,
        id: &TargetId,
        layout: &Layout,
        archive: bool,
    ) -> WriteVerdict<Asset> {
        let (verb, what) = archiving(archive, &format!("asset {id} of company {company}"));
        match asset_path(company, id) {
            Ok(path) => {
                let path = format!("{path}/{verb}");
                self.write(Effect::Set, &what, permit, Method::PUT, &path, None, |json| {
                    asset_in(json, company, Some(id), &[layout])
                })
                .await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    /// Creates a layout (H8). It may come back inactive.
    pub async fn create_layout(&self, permit: Permit, new: &NewLayout) -> WriteVerdict<Layout> {
        let fields: Vec<Json> = new
            .fields
            .iter()
            .zip(1..)
            .map(|((label, kind, to), at)| field_json(label, kind, *to, at))
            .collect();
        let body = json!({"asset_layout": {
            "name": new.name, "icon": new.icon, "color": "#1f6feb", "icon_color": "#ffffff", "active": true,
            "include_passwords": false, "include_photos": false, "include_comments": true, "include_files": true,
            "fields": fields,
        }});
        let what = format!("the new asset layout '{}'", shown(Some(&new.name)));
        self.write(Effect::Create, &what, permit, Method::POST, "/asset_layouts", Some(body), |json| {
            layout_in(json, None)
        })
        .await
    }

    /// Adds fields to a layout; those it has stay as they are. A label that is there already is refused, so twice is
    /// not the same as once.
    pub async fn add_fields(
        &self,
        permit: Permit,
        layout: &Layout,
        fields: &[(Arc<str>, FieldKind, Option<i64>)],
    ) -> WriteVerdict<Layout> {
        let mut all: Vec<Json> = layout
            .fields
            .iter()
            .map(|field| {
                // Known by its id; what is not repeated of it stays as people set it.
                let mut json = field_json(&field.label, &field.kind, field.linkable, field.position);
                json["id"] = json!(field.id);
                json
            })
            .collect();
        let next = layout.fields.iter().map(|field| field.position).max().unwrap_or(0) + 1;
        all.extend(fields.iter().zip(next..).map(|((label, kind, to), at)| field_json(label, kind, *to, at)));
        let what = format!("new fields of asset layout '{}'", shown(Some(&layout.name)));
        let body = json!({"asset_layout": {"fields": all}});
        self.layout_write(Effect::Create, &what, permit, layout.id, body).await
    }

    /// Makes a layout active, so that its assets are shown (H9).
    pub async fn activate_layout(&self, permit: Permit, layout: &Layout) -> WriteVerdict<Layout> {
        let what = format!("the activation of asset layout '{}'", shown(Some(&layout.name)));
        // Without `fields` Hudu answers 500; an empty list changes none.
        let body = json!({"asset_layout": {"name": layout.name, "active": true, "fields": []}});
        self.layout_write(Effect::Set, &what, permit, layout.id, body).await
    }

    /// Makes a relation between two assets; Hudu adds the way back by itself (apis/hudu.md 12).
    pub async fn relate(&self, permit: Permit, from: i64, to: i64, says: &str) -> WriteVerdict<Relation> {
        let body = json!({"relation": {
            "fromable_type": ASSET, "fromable_id": from, "toable_type": ASSET, "toable_id": to,
            "description": says, "is_inverse": false,
        }});
        let what = format!("the relation of asset {from} to asset {to}");
        self.write(Effect::Create, &what, permit, Method::POST, "/relations", Some(body), |json| {
            relation_in(json, from, to)
        })
        .await
    }

    /// Takes a relation away, with its way back. The assets stay.
    pub async fn unrelate(&self, permit: Permit, id: i64) -> WriteVerdict<()> {
        match self.request(Method::DELETE, &format!("/relations/{id}"), &[], None) {
            Ok(request) => {
                let what = format!("the removal of relation {id}");
                // The answer has no body.
                self.send(Effect::Set, &what, permit, request, |_| Ok(())).await.into()
            }
            Err(failure) => WriteVerdict::NotSent(failure.problem),
        }
    }

    async fn layout_write(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        id: i64,
        body: Json,
    ) -> WriteVerdict<Layout> {
        let path = format!("/asset_layouts/{id}");
        self.write(effect, what, permit, Method::PUT, &path, Some(body), |json| layout_in(json, Some(id)))
            .await
    }

    #[expect(clippy::too_many_arguments, reason = "one private place for every write")]
    async fn write<T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        method: Method,
        path: &str,
        body: Option<Json>,
        translate: impl Fn(Json) -> Result<T, Problem>,
    ) -> WriteVerdict<T> {
        let request = match self.request(method, path, &[], body.as_ref()) {
            Ok(request) => request,
            Err(failure) => return WriteVerdict::NotSent(failure.problem),
        };
        self.send(effect, what, permit, request, |bytes| {
            let json = parse::<Json>(bytes)?.ok_or("it is null")?;
            translate(json).map_err(|problem| problem.message)
        })
        .await
        .into()
    }
}

fn archiving(archive: bool, of: &str) -> (&'static str, String) {
    if archive {
        ("archive", format!("the archiving of {of}"))
    } else {
        ("unarchive", format!("the restoring of {of}"))
    }
}

fn shown(name: Option<&str>) -> String {
    crate::model::text::shown(name.unwrap_or_default()).into_owned()
}

fn company_json(fields: &CompanyFields) -> Map<String, Json> {
    let mut json = Map::new();
    let mut put = |name: &str, value: &str| drop(json.insert(name.to_owned(), json!(value)));
    if let Some(name) = &fields.name {
        put("name", name);
    }
    if let Some((field, key)) = fields.key.as_ref().filter(|(field, _)| !field.is_empty()) {
        put(field, key);
    }
    if let Some(phone) = &fields.phone {
        put("phone_number", phone);
    }
    if let Some(website) = &fields.website {
        put("website", website);
    }
    if let Some(address) = &fields.address {
        let (first, second) = address.street.split_once('\n').unwrap_or((&address.street, ""));
        put("address_line_1", first.trim());
        put("address_line_2", &second.trim().replace('\n', ", "));
        put("city", &address.city);
        put("state", &address.region);
        put("zip", &address.postcode);
    }
    json
}

/// Only fields that the layout has, each in its own type, none of the reserved names (P67): one wrong key and Hudu
/// refuses the whole asset.
fn asset_json(layout: &Layout, fields: &NewAsset) -> Result<Json, Problem> {
    let refuse = |label: &str, why: &str| {
        let label = shown(Some(label));
        Problem::new(
            Class::Record,
            format!(
                "The field '{label}' of asset layout '{}' cannot be written: {why}; nothing was sent.",
                layout.name
            ),
        )
    };
    let mut custom = Vec::new();
    for (label, cell) in &fields.cells {
        let field = layout.field(label).ok_or_else(|| refuse(label, "the layout has no such field"))?;
        let key = field.key();
        if RESERVED.contains(&key.as_str()) {
            return Err(refuse(label, "Hudu keeps this name for itself"));
        }
        let value = cell.write(&field.kind).map_err(|why| refuse(label, &why))?;
        custom.push(json!({ key: value }));
    }
    let mut asset = Map::new();
    asset.insert("asset_layout_id".into(), json!(layout.id));
    if let Some(name) = &fields.name {
        asset.insert("name".into(), json!(name));
    }
    if !custom.is_empty() {
        asset.insert("custom_fields".into(), Json::Array(custom));
    }
    Ok(json!({ "asset": asset }))
}

fn field_json(label: &str, kind: &FieldKind, linkable: Option<i64>, position: i64) -> Json {
    let mut json = json!({"label": label, "field_type": kind.key(), "position": position});
    if let Some(linkable) = linkable {
        json["linkable_id"] = json!(linkable);
    }
    json
}
