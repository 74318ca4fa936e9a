//! `fields list`: which field feeds which. The marketplaces' rules are fixed but for the settings named there.

use super::exit::{DONE, Failure};
use super::json::FieldsDocument;
use super::out::Out;
use super::{ask, text};
use crate::host::Handle;
use crate::host::words::Query;
use crate::model::Integration;

pub async fn list(out: &Out, handle: &Handle, integration: Integration) -> Result<u8, Failure> {
    let fields = ask!(handle, Query::Fields { integration }, Fields)?;
    out.either(&FieldsDocument::new(integration, &fields), || text::fields(integration, &fields, out.plain))?;
    Ok(DONE)
}
