//! Which installation this is, and what it lets us see: for tests of the configuration.

use serde_json::Value as Json;

use super::client::Halo;
use super::translate::{self, Feature};
use super::wire;
use crate::api::call::{Cause, Effect, Failure};
use crate::api::http::Request;
use crate::api::row::{Row, read_page, reason};
use crate::model::Problem;

/// An API application as Halo keeps it (H3, H4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub name: Box<str>,
    pub is_active: bool,
    /// Halo's id of the agent whose rights it has.
    pub agent: Option<i64>,
}

impl Halo {
    /// Which installation this is: tenant and database. Another one behind the same address must never get our ids.
    pub async fn fingerprint(&self) -> Result<String, Problem> {
        let tenant = self.plain_text("/AuthInfo", "tenant_id", false).await?;
        let database = self.plain_text("/InstanceInfo", "dbid", true).await?;
        Ok(format!("{tenant}/{database}"))
    }

    /// Whether the host answers as Halo, without a sign-in.
    pub async fn reach(&self) -> Result<(), Failure> {
        let what = "its sign-in information";
        let request = Request::get(self.url("/AuthInfo", &[]));
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        self.caller
            .call(Effect::Read, what, permit, request, |response| self.read(what, response, |_| Ok(())))
            .await
    }

    /// Halo's modules: an integrator of its own for the same source would write against us.
    pub async fn features(&self) -> Result<Vec<Feature>, Problem> {
        let rows = self.bare_list("modules", "/Features", &wire::FEATURE).await?;
        Ok(rows.iter().map(translate::feature).collect())
    }

    /// How many records of a list there are, by its first page; for tests of the configuration.
    pub async fn count(&self, what: &str, path: &str, key: &str) -> Result<u64, Failure> {
        let query =
            [("pageinate", "true"), ("page_no", "1"), ("page_size", "1"), ("includeinactive", "true")];
        self.get(what, path, &query, |body| {
            let page = read_page(body, key, &["id"])?;
            Ok(page.total.unwrap_or(0).max(page.rows.len() as u64))
        })
        .await
    }

    /// How many records of a list there are by its own count, and how many of those its last page lacks: one that the
    /// agent may not see is counted and not given (H4).
    ///
    /// # Errors
    /// As every call.
    pub async fn hidden(&self, what: &str, path: &str, key: &str) -> Result<(u64, u64), Failure> {
        let page = async |number: u64| {
            let number = number.to_string();
            let query = [
                ("pageinate", "true"),
                ("page_no", number.as_str()),
                ("page_size", "100"),
                ("includeinactive", "true"),
            ];
            self.get(what, path, &query, |body| {
                let page = read_page(body, key, &["id"])?;
                Ok((page.rows.len() as u64, page.total.unwrap_or(0)))
            })
            .await
        };
        let (size, total) = page(1).await?;
        if size == 0 || total <= size {
            return Ok((total.max(size), total.saturating_sub(size)));
        }
        // A build may cap the page below what was asked.
        let last = total.div_ceil(size);
        let (rows, _) = page(last).await?;
        Ok((total, (total - (last - 1) * size).saturating_sub(rows)))
    }

    /// The API application that this client id belongs to; `None` where Halo lists none of it. Most agents may not ask
    /// (apis/halopsa.md 11).
    ///
    /// # Errors
    /// As every call.
    pub async fn application(&self, client_id: &str) -> Result<Option<Application>, Problem> {
        let rows = self.bare_list("applications", "/Application", &wire::APPLICATION).await?;
        let text = |row: &Row, name: &str| row.get(name).text().unwrap_or_default();
        let mine = rows.iter().find(|row| text(row, "clientId").eq_ignore_ascii_case(client_id.trim()));
        Ok(mine.map(|row| Application {
            name: text(row, "displayName"),
            is_active: !row.get("inactive").flag().unwrap_or(false),
            agent: row.get("loginas_agent_id").id().filter(|id| *id > 0),
        }))
    }

    /// A text of an object that some accounts may not see; empty for those.
    async fn plain_text(&self, path: &str, field: &str, signed_in: bool) -> Result<String, Problem> {
        let what = "what installation it is";
        let parse = |body: &[u8]| -> Result<String, String> {
            let json: Json = serde_json::from_slice(body).map_err(|error| reason(&error))?;
            Ok(Row::of(&json, &[field])
                .and_then(|row| row.get(field).text())
                .map(String::from)
                .unwrap_or_default())
        };
        let result = if signed_in {
            self.get(what, path, &[], parse).await
        } else {
            let request = Request::get(self.url(path, &[]));
            let permit = self.caller.budget.acquire(self.caller.lane).await;
            self.caller
                .call(Effect::Read, what, permit, request, |response| self.read(what, response, parse))
                .await
        };
        match result {
            Err(failure) if matches!(failure.cause, Cause::SignedOut | Cause::Status(403 | 404)) => {
                Ok(String::new())
            }
            other => Ok(other?),
        }
    }
}
